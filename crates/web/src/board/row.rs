//! A row of the board.

use api::{caller::Caller, people::person_body, presence_body};
use api_types::{people::PersonBody, presence::PresenceBody};
use presence::{PersonId, Presence, Status, view};
use runtime::context::Context;

use crate::{
    layout::initials, search::haystack, status_line::StatusLine, texts::Texts,
    viewer_groups::ViewerGroups,
};

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
    (context, caller): (&Context, &Caller),
    mine: &ViewerGroups,
    person: PersonId,
    presence: &Presence,
) -> Option<Row> {
    let seen = view(presence, caller.level(&context.organisation, person));
    let known = context.people.person(person)?;
    let groups = mine.places(context, caller, person);
    Some(Row {
        is_favourite: mine.favourites.contains(&person),
        ..Row::new(words, person_body(&known), presence_body(&seen), groups)
    })
}
