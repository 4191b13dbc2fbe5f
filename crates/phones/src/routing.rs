//! Routing of a call by the forwarding of the profile in force (docs/presence-rules.md, "Call forwarding"), decided when
//! the call arrives; no decision is stored.

use presence::{Forwarding, PersonId, Target, forwarding_loop};
use runtime::context::Context;
use sip::{
    message::Address,
    redirect::{Call, Decision, has_loop_mark},
};
use store::{Store, StoreError};

/// Origin of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An extension of a person here.
    Internal,
    /// Any other number or address.
    External,
}

impl Origin {
    fn of(is_colleague: bool) -> Self {
        match is_colleague {
            true => Self::Internal,
            false => Self::External,
        }
    }
}

/// The forwarding of a call to a person. A call that would run in a circle rings at the person: a profile with a circle is
/// refused when a person chooses it, but rules, appointments and administrators choose profiles too.
pub fn route(context: &Context, person: PersonId, origin: Origin) -> Forwarding {
    let forwarding = of_profile(context, person, origin);
    let next = |other| forwarded_to(context, &of_profile(context, other, origin));
    let circle =
        forwarded_to(context, &forwarding).and_then(|to| forwarding_loop(person, to, next));
    if circle.is_some() {
        tracing::warn!(%person, "calls would run in a circle: they ring where they are");
        return Forwarding::Off;
    }
    forwarding
}

/// The person who receives forwarded calls, if the target is an extension of a person here.
pub fn forwarded_to(context: &Context, forwarding: &Forwarding) -> Option<PersonId> {
    let Some(Target::Number(number)) = forwarding.target() else {
        return None;
    };
    let found = context.people.by_extension(number.as_str());
    found.map(|(person, _)| person)
}

fn of_profile(context: &Context, person: PersonId, origin: Origin) -> Forwarding {
    let presence = context.events.presence(person);
    let forwarding = presence.map_or(Forwarding::Off, |presence| presence.forwarding);
    let concerned = match &forwarding {
        Forwarding::InternalOnly(_) => origin == Origin::Internal,
        Forwarding::ExternalOnly(_) => origin == Origin::External,
        Forwarding::Off | Forwarding::All(_) | Forwarding::DoNotDisturb => true,
    };
    if concerned {
        forwarding
    } else {
        Forwarding::Off
    }
}

/// The routing of an INVITE.
pub(super) fn decide(context: &Context, domain: &str, call: &Call) -> Decision {
    if has_loop_mark(call.called.as_str()) {
        tracing::info!(
            "a PBX asks again about a call that was sent back: it should follow the answer without asking (docs/connect-pbx.md)"
        );
        return Decision::Unchanged;
    }
    let Some((person, _)) = context.people.by_address(call.called.as_str()) else {
        return Decision::Unchanged;
    };
    let forwarding = route(context, person, origin_of_call(context, &call.callers));
    let target = match &forwarding {
        Forwarding::Off => return Decision::Unchanged,
        Forwarding::DoNotDisturb => return Decision::Refuse(486),
        Forwarding::All(target)
        | Forwarding::InternalOnly(target)
        | Forwarding::ExternalOnly(target) => address(target, domain),
    };
    let Some(target) = target else {
        tracing::warn!(%person, domain, "no SIP address can be made with sip.domain: a call rings where it is");
        return Decision::Unchanged;
    };
    if call.is_looping(target.as_str()) {
        tracing::warn!(%person, forwarding_target = target.as_str(), "a call would run in a circle: it rings where it is");
        return Decision::Unchanged;
    }
    Decision::Forward(target)
}

/// The origin of a call, by the caller's number or address.
pub fn origin(context: &Context, caller: &str) -> Origin {
    let directory = &context.people;
    let line = directory.by_extension(caller);
    Origin::of(line.or_else(|| directory.by_address(caller)).is_some())
}

/// The origin of a call, by the addresses of the caller: an extension and its public number are one caller.
fn origin_of_call(context: &Context, callers: &[String]) -> Origin {
    let is_internal = |caller: &String| context.people.by_address(caller).is_some();
    Origin::of(callers.iter().any(is_internal))
}

/// The SIP address of a target at the PBX.
fn address(target: &Target, domain: &str) -> Option<Address> {
    match target {
        Target::Sip(address) => Address::parse(address.as_str()),
        Target::Number(number) => Address::of(number.as_str(), domain),
        Target::Voicemail => Address::of("voicemail", domain),
    }
}

/// Logs forwarding targets that were stored before targets were checked.
///
/// # Errors
/// The database cannot be read.
pub async fn name_unusable_targets(store: &Store) -> Result<(), StoreError> {
    for profile in store.unusable_targets().await? {
        tracing::warn!(
            profile,
            "the forwarding target is neither a number, a SIP address nor voicemail: calls ring; enter the target again"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use presence::Target;

    use super::address;

    #[test]
    fn targets_become_addresses_at_the_pbx() {
        for (target, wanted) in [
            ("+49 30 123-45", "sip:+493012345@pbx.test"),
            ("*98#", "sip:*98%23@pbx.test"),
            ("sip:desk@elsewhere", "sip:desk@elsewhere"),
            ("voicemail", "sip:voicemail@pbx.test"),
        ] {
            let target = Target::parse(target).unwrap();
            let made = address(&target, "pbx.test").unwrap();
            assert_eq!(made.as_str(), wanted);
        }
    }
}
