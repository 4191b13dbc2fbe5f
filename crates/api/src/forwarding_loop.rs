//! Check of a profile for circular forwarding.

use phones::forwarded_to;
use presence::{Permission, PersonId, Profile, forwarding_loop};
use runtime::context::Context;

use crate::{caller::Caller, problem::Problem};

/// Refuses a profile that would forward calls in a circle at present. Follows only forwarding that the caller may see,
/// because a refusal names all people in the circle; circles through other people are found when a call is routed.
pub(crate) fn refuse_loop(
    context: &Context,
    caller: &Caller,
    person: PersonId,
    profile: &Profile,
) -> Result<(), Problem> {
    let Some(to) = forwarded_to(context, &profile.forwarding) else {
        return Ok(());
    };
    let next = |other: PersonId| {
        let level = caller.level(&context.organisation, other);
        if !level.may(Permission::ChangeForwarding) {
            return None;
        }
        let in_force = context.events.presence(other)?;
        forwarded_to(context, &in_force.forwarding)
    };
    let Some(way) = forwarding_loop(person, to, next) else {
        return Ok(());
    };
    let names: Vec<String> = way
        .into_iter()
        .map(|id| {
            let known = context.people.person(id);
            known.map_or_else(|| id.to_string(), |known| known.name.clone())
        })
        .collect();
    let detail = format!(
        "calls would run in a circle: {}; choose another target",
        names.join(" → ")
    );
    Err(Problem::invalid("profile", detail))
}
