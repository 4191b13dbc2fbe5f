//! Call forwarding of a profile (docs/presence-rules.md, "Call forwarding"): decided here, carried out by a PBX.

use std::collections::BTreeSet;

use crate::{PersonId, Target, TargetError};

/// Call forwarding of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Forwarding {
    /// Calls ring.
    #[default]
    Off,
    /// Every call goes to the target.
    All(Target),
    /// Calls from colleagues go to the target.
    InternalOnly(Target),
    /// Calls from outside go to the target.
    ExternalOnly(Target),
    /// Calls are refused.
    DoNotDisturb,
}

impl Forwarding {
    /// Names of the kinds, in the order in which they are offered.
    pub const KINDS: [&'static str; 5] = ["off", "all", "internal", "external", "do_not_disturb"];

    /// Name of the kind in the API and in the store.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::All(_) => "all",
            Self::InternalOnly(_) => "internal",
            Self::ExternalOnly(_) => "external",
            Self::DoNotDisturb => "do_not_disturb",
        }
    }

    /// Target of forwarded calls.
    pub const fn target(&self) -> Option<&Target> {
        match self {
            Self::Off | Self::DoNotDisturb => None,
            Self::All(target) | Self::InternalOnly(target) | Self::ExternalOnly(target) => {
                Some(target)
            }
        }
    }

    /// Reads the names of [`Self::kind`] and [`Target::name`].
    ///
    /// # Errors
    /// An unknown kind, a bad target, or a kind and a target that do not go together.
    pub fn from_names(kind: &str, target: Option<&str>) -> Result<Self, ForwardingError> {
        let target = target
            .filter(|target| !target.trim().is_empty())
            .map(Target::parse)
            .transpose()
            .map_err(ForwardingError::Target)?;
        match (kind, target) {
            ("off", None) => Ok(Self::Off),
            ("do_not_disturb", None) => Ok(Self::DoNotDisturb),
            ("all", Some(target)) => Ok(Self::All(target)),
            ("internal", Some(target)) => Ok(Self::InternalOnly(target)),
            ("external", Some(target)) => Ok(Self::ExternalOnly(target)),
            _ => Err(ForwardingError::Kind),
        }
    }
}

/// Reason why a kind and a target are not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardingError {
    /// Unknown kind, a target for a kind without one, or no target for a kind that needs one.
    Kind,
    /// The target is not accepted.
    Target(TargetError),
}

/// Finds the circle in which calls would run if `from` forwarded to `to`: the people from `from` back to `from`.
/// `next` returns the person who receives a person's forwarded calls now.
pub fn forwarding_loop(
    from: PersonId,
    to: PersonId,
    next: impl Fn(PersonId) -> Option<PersonId>,
) -> Option<Vec<PersonId>> {
    let mut way = vec![from];
    let mut seen = BTreeSet::new();
    let mut at = to;
    while at != from {
        // Others forward in a circle without this person.
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
    use super::{Forwarding, ForwardingError, forwarding_loop};
    use crate::{PersonId, Target};

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        for forwarding in [
            Forwarding::Off,
            Forwarding::All(Target::parse("+49301").unwrap()),
            Forwarding::InternalOnly(Target::parse("sip:a@b.example").unwrap()),
            Forwarding::ExternalOnly(Target::Voicemail),
            Forwarding::DoNotDisturb,
        ] {
            let target = forwarding.target().map(Target::name);
            let read = Forwarding::from_names(forwarding.kind(), target);
            assert_eq!(read, Ok(forwarding));
        }
        assert_eq!(
            Forwarding::from_names("all", None),
            Err(ForwardingError::Kind)
        );
        assert_eq!(
            Forwarding::from_names("off", Some("1")),
            Err(ForwardingError::Kind)
        );
        assert_eq!(
            Forwarding::from_names("some", Some("1")),
            Err(ForwardingError::Kind)
        );
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
