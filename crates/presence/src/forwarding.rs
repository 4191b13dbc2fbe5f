//! Call forwarding of a profile (domain section 6). Only decided here; a telephone system carries it out.

use std::{collections::BTreeSet, sync::Arc};

use crate::PersonId;

/// Where calls go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// A telephone number or extension.
    Number(Arc<str>),
    /// A SIP address.
    Sip(Arc<str>),
    /// The person's voice mail.
    Voicemail,
}

/// What a profile does with calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Forwarding {
    /// Calls ring.
    #[default]
    Off,
    /// Every call goes there.
    All(Target),
    /// Calls from colleagues go there.
    InternalOnly(Target),
    /// Calls from outside go there.
    ExternalOnly(Target),
    /// Calls are refused.
    DoNotDisturb,
}

impl Forwarding {
    /// The names of the kinds, in the order in which they are offered.
    pub const KINDS: [&'static str; 5] = ["off", "all", "internal", "external", "do_not_disturb"];

    /// The kind's name, as API and store use it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::All(_) => "all",
            Self::InternalOnly(_) => "internal",
            Self::ExternalOnly(_) => "external",
            Self::DoNotDisturb => "do_not_disturb",
        }
    }

    /// Where calls go, if they go anywhere.
    pub const fn target(&self) -> Option<&Target> {
        match self {
            Self::Off | Self::DoNotDisturb => None,
            Self::All(target) | Self::InternalOnly(target) | Self::ExternalOnly(target) => {
                Some(target)
            }
        }
    }

    /// From the names that [`Self::kind`] and [`Target`]'s `Display` write. `None`: no such kind, or a target where none
    /// belongs, or none where one is needed.
    pub fn from_names(kind: &str, target: Option<&str>) -> Option<Self> {
        let target = target
            .map(str::trim)
            .filter(|target| !target.is_empty())
            .map(Target::from_name);
        match (kind, target) {
            ("off", None) => Some(Self::Off),
            ("do_not_disturb", None) => Some(Self::DoNotDisturb),
            ("all", Some(target)) => Some(Self::All(target)),
            ("internal", Some(target)) => Some(Self::InternalOnly(target)),
            ("external", Some(target)) => Some(Self::ExternalOnly(target)),
            _ => None,
        }
    }
}

impl Target {
    /// `voicemail`, a SIP address (`sip:` or `sips:`), else a number.
    pub fn from_name(name: &str) -> Self {
        let lower = name.to_ascii_lowercase();
        if lower == "voicemail" {
            Self::Voicemail
        } else if lower.starts_with("sip:") || lower.starts_with("sips:") {
            Self::Sip(name.into())
        } else {
            Self::Number(name.into())
        }
    }

    /// The name that [`Self::from_name`] reads.
    pub fn name(&self) -> &str {
        match self {
            Self::Number(text) | Self::Sip(text) => text,
            Self::Voicemail => "voicemail",
        }
    }
}

/// The circle that calls would run in if `from` forwarded to `to`: the people from `from` back to `from`. `next` tells
/// to whom somebody's calls go at present.
pub fn forwarding_loop(
    from: PersonId,
    to: PersonId,
    next: impl Fn(PersonId) -> Option<PersonId>,
) -> Option<Vec<PersonId>> {
    let mut way = vec![from];
    let mut seen = BTreeSet::new();
    let mut at = to;
    while at != from {
        // Others may run in a circle of their own; that is not this person's doing.
        if !seen.insert(at) {
            return None;
        }
        way.push(at);
        at = next(at)?;
    }
    way.push(from);
    Some(way)
}

#[cfg(test)]
mod tests {
    use super::{Forwarding, Target, forwarding_loop};
    use crate::PersonId;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for forwarding in [
            Forwarding::Off,
            Forwarding::All(Target::Number("+49 30 1".into())),
            Forwarding::InternalOnly(Target::Sip("sip:a@b.example".into())),
            Forwarding::ExternalOnly(Target::Voicemail),
            Forwarding::DoNotDisturb,
        ] {
            let target = forwarding.target().map(Target::name);
            let read = Forwarding::from_names(forwarding.kind(), target);
            assert_eq!(read, Some(forwarding));
        }
        assert_eq!(Forwarding::from_names("all", None), None);
        assert_eq!(Forwarding::from_names("off", Some("1")), None);
        assert_eq!(Forwarding::from_names("some", Some("1")), None);
    }

    #[test]
    fn a_forwarding_loop_is_found_and_named() {
        let [a, b, c, d] = [1, 2, 3, 4].map(PersonId);
        let next = |person| match person {
            person if person == b => Some(c),
            person if person == c => Some(a),
            person if person == d => Some(d),
            _ => None,
        };
        assert_eq!(forwarding_loop(a, b, next), Some(vec![a, b, c, a]));
        assert_eq!(forwarding_loop(a, a, next), Some(vec![a, a]));
        assert_eq!(forwarding_loop(b, a, |_| None), None);
        assert_eq!(forwarding_loop(a, d, next), None, "somebody else's circle");
    }
}
