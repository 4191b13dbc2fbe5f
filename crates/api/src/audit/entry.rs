//! Makes entries of the audit log for the caller of a request.

use presence::PersonId;
use runtime::{
    audit::{Administration, Details, Entry, Own},
    clock::Clock,
    context::Context,
};

use crate::caller::Caller;

/// The entry of an administrator's change.
pub(crate) fn new_entry(
    clock: &Clock,
    caller: &Caller,
    what: Administration,
    target: impl ToString,
) -> Entry {
    Entry::administration(clock.now(), caller.author(), what, target)
}

/// The entry of a change of a person's own data. Records the details only if the caller is an administrator who is neither
/// the person nor an assistant.
pub(crate) fn own_entry(
    context: &Context,
    caller: &Caller,
    what: Own,
    person: PersonId,
    details: Details,
) -> Entry {
    let (now, author) = (context.clock.now(), caller.author());
    if is_administration(context, caller, what, person) {
        Entry::own_by_administrator(now, author, what, person, details)
    } else {
        Entry::own(now, author, what, person)
    }
}

/// Whether the caller changes a person's own data as an administrator, not as the person or an assistant.
fn is_administration(context: &Context, caller: &Caller, what: Own, person: PersonId) -> bool {
    let assists = what.permission().is_some_and(|permission| {
        caller.person.is_some_and(|viewer| {
            let level = context
                .organisation
                .read(|snapshot| snapshot.relationship(person, viewer));
            level.may(permission)
        })
    });
    caller.person != Some(person)
        && !assists
        && caller
            .require_admin_of(&context.organisation, person)
            .is_ok()
}
