//! Search, filters, order and density of the board, all of them in its address.

use presence::Status;
use serde::Deserialize;

use super::row::Row;
use crate::{search::Words, texts::Texts};

/// Query of the board. Unknown values are taken as none: addresses are typed and kept for years.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Filter {
    /// Text of the search field.
    #[serde(default)]
    pub q: String,
    /// Name of a status.
    #[serde(default)]
    pub status: String,
    /// Name of a group or location.
    #[serde(default)]
    pub group: String,
    /// Name of an order: see [`Order`].
    #[serde(default)]
    pub sort: String,
    /// `compact` for rows of one line.
    #[serde(default)]
    pub view: String,
}

/// Order of the rows within a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// By name.
    Name,
    /// Available people first.
    Status,
    /// The latest change first.
    Since,
}

impl Order {
    pub(super) const ALL: [Self; 3] = [Self::Name, Self::Status, Self::Since];

    /// Name in the address; that of the usual order is empty.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Name => "",
            Self::Status => "status",
            Self::Since => "since",
        }
    }

    /// Whether the filter asks for this order.
    pub(super) fn is_of(self, filter: &Filter) -> bool {
        filter.order() == self
    }

    /// Key of the message.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Name => "board-by-name",
            Self::Status => "board-by-status",
            Self::Since => "board-by-since",
        }
    }
}

impl Filter {
    pub(super) fn order(&self) -> Order {
        let known = Order::ALL
            .into_iter()
            .find(|order| order.name() == self.sort);
        known.unwrap_or(Order::Name)
    }

    pub(super) fn is_compact(&self) -> bool {
        self.view == "compact"
    }

    pub(super) fn status(&self) -> Option<Status> {
        Status::from_name(&self.status)
    }

    /// Hides the rows that search and filters leave out.
    pub(super) fn apply<'a>(&self, rows: impl Iterator<Item = &'a mut Row>) {
        let (words, status) = (Words::new(&self.q), self.status());
        for row in rows {
            let is_shown = status.is_none_or(|status| row.status == status)
                && (self.group.is_empty() || row.groups.contains(&self.group))
                && (words.is_empty() || words.are_in(&row.haystack()));
            row.is_hidden = !is_shown;
        }
    }

    /// The address of the board with another status.
    fn address(&self, status: Option<Status>) -> String {
        let status = status.map_or("", Status::name);
        let parts = [
            ("q", &*self.q),
            ("status", status),
            ("group", &self.group),
            ("sort", self.order().name()),
            ("view", if self.is_compact() { "compact" } else { "" }),
        ];
        let parts = parts.into_iter().filter(|(_, value)| !value.is_empty());
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parts)
            .finish();
        format!("/?{query}").trim_end_matches('?').to_owned()
    }
}

/// A chip that filters by a status.
pub(super) struct Chip {
    /// Name of the status; empty for all.
    pub status: &'static str,
    pub text: String,
    pub count: usize,
    pub to: String,
    pub is_chosen: bool,
}

/// The chips: everyone, and each status with its number of people.
pub(super) fn chips(words: Texts, filter: &Filter, rows: &[&Row]) -> Vec<Chip> {
    let chosen = filter.status();
    let chip = |status: Option<Status>| Chip {
        status: status.map_or("", Status::name),
        text: match status {
            Some(status) => words.text(&format!("status-{}", status.name())),
            None => words.text("board-everyone"),
        },
        count: rows
            .iter()
            .filter(|row| status.is_none_or(|status| row.status == status))
            .count(),
        to: filter.address(status),
        is_chosen: chosen == status,
    };
    let each = Status::ALL.into_iter().map(Some);
    std::iter::once(None).chain(each).map(chip).collect()
}
