//! A row of the board.

use api::{caller::Caller, people::person_body, presence_body};
use api_types::{people::PersonBody, presence::PresenceBody};
use presence::{Permission, PersonId, Presence, Status, view};
use runtime::{context::Context, organisation::Snapshot};

use crate::{layout::initials, search::haystack, status_line::StatusLine, texts::Texts};

/// A person on the board, as the viewer sees the person.
pub(super) struct Row {
    pub person: String,
    pub name: String,
    pub initials: String,
    /// Extensions, and the names of groups and location, separated by middle dots.
    pub place: String,
    /// The first extension, to call; may be empty.
    pub call: String,
    /// Mail address, for the search; may be empty.
    pub mail: String,
    /// Whether Teams has a chat with the person.
    pub has_chat: bool,
    /// Label of the button that marks the person as favourite.
    pub star: String,
    pub status: Status,
    pub line: StatusLine,
    pub since: String,
    pub confidence: &'static str,
    /// Names of groups and location, for the filter.
    pub groups: Vec<String>,
    /// Whether the person is a favourite of the viewer's.
    pub is_favourite: bool,
    /// Whether search and filters leave the row out.
    pub is_hidden: bool,
}

impl Row {
    fn new(words: Texts, person: PersonBody, presence: PresenceBody, groups: Vec<String>) -> Self {
        let extensions: Vec<&str> = person.lines.iter().map(|line| &*line.extension).collect();
        let parts = [extensions.join(", "), groups.join(", ")];
        let parts: Vec<&str> = parts
            .iter()
            .map(|part| &**part)
            .filter(|part| !part.is_empty())
            .collect();
        Self {
            star: words.with("board-favourite", "name", &*person.name),
            initials: initials(&person.name),
            place: parts.join(" · "),
            call: extensions.first().copied().unwrap_or_default().to_owned(),
            has_chat: !person.user_principal_name.is_empty(),
            mail: person.mail,
            person: person.id,
            name: person.name,
            status: presence.status,
            line: StatusLine::new(words, &presence),
            since: presence.since.unwrap_or_default(),
            confidence: presence.confidence.name(),
            groups,
            is_favourite: false,
            is_hidden: false,
        }
    }

    /// The texts of the row in which the search looks, as the script finds them.
    pub(super) fn haystack(&self) -> String {
        let line = &self.line;
        haystack(
            &[
                &*self.name,
                &self.place,
                &self.mail,
                &line.lead,
                &line.detail,
                &line.below,
            ]
            .join("\n"),
        )
    }
}

/// A person's row; `None` if the person is deleted.
pub(super) fn row(
    words: Texts,
    context: &Context,
    caller: &Caller,
    person: PersonId,
    presence: &Presence,
) -> Option<Row> {
    let seen = view(presence, caller.level(&context.organisation, person));
    let known = context.people.person(person)?;
    let groups = places_of(context, caller, person);
    Some(Row::new(
        words,
        person_body(&known),
        presence_body(&seen),
        groups,
    ))
}

/// Names of the groups and the location of a person that the caller may see.
pub(crate) fn places_of(context: &Context, caller: &Caller, person: PersonId) -> Vec<String> {
    // A blocked viewer sees the place as every colleague does, so as not to notice the block.
    let level = caller.shown_level(&context.organisation, person);
    if !level.may(Permission::SeeActivity) {
        return Vec::new();
    }
    context
        .organisation
        .read(|snapshot| places(snapshot, caller.person, person))
}

/// Names of the workgroups that the viewer and the person share, and of the person's location and group.
fn places(snapshot: &Snapshot, viewer: Option<PersonId>, person: PersonId) -> Vec<String> {
    let shared = snapshot.workgroups.iter().filter(|group| {
        group.members.contains(&person)
            && viewer.is_some_and(|viewer| group.members.contains(&viewer))
    });
    let mut names: Vec<String> = shared.map(|group| group.name.clone()).collect();
    let membership = snapshot.memberships.get(&person);
    let scopes = membership
        .into_iter()
        .flat_map(|membership| [&membership.location, &membership.group]);
    for scope in scopes.flatten() {
        names.extend(snapshot.scopes.get(scope).map(|scope| scope.name.clone()));
    }
    names
}
