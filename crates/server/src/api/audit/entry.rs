//! Makes entries of the audit log from a request's caller.

use presence::PersonId;

use crate::{
    app::SharedState,
    audit::{Administration, Details, Entry, Own},
    caller::Caller,
};

/// The entry of a change that only administrators make.
pub(crate) fn new_entry(
    shared: &SharedState,
    caller: &Caller,
    what: Administration,
    target: impl ToString,
) -> Entry {
    Entry::administration(shared.clock.now(), caller.author(), what, target)
}

/// The entry of a change of a person's own. The details are recorded only of an administrator who is neither the person nor
/// an assistant of theirs.
pub(crate) fn own_entry(
    shared: &SharedState,
    caller: &Caller,
    what: Own,
    person: PersonId,
    details: Details,
) -> Entry {
    let (now, author) = (shared.clock.now(), caller.author());
    if is_administration(shared, caller, what, person) {
        Entry::own_by_administrator(now, author, what, person, details)
    } else {
        Entry::own(now, author, what, person)
    }
}

/// Whether the caller changes a person's own by administering them, not as the person or as an assistant.
fn is_administration(shared: &SharedState, caller: &Caller, what: Own, person: PersonId) -> bool {
    let assists = what.permission().is_some_and(|permission| {
        caller.person.is_some_and(|viewer| {
            let level = shared
                .organisation
                .read(|tables| tables.relationship(person, viewer));
            level.may(permission)
        })
    });
    caller.person != Some(person)
        && !assists
        && caller
            .require_admin_of(&shared.organisation, person)
            .is_ok()
}
