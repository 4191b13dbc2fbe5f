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
    /// What stands for the favourites in the address, beside the names of groups and locations.
    pub(super) const FAVOURITES: &str = "★";

    pub(super) fn is_favourites(&self) -> bool {
        self.group == Self::FAVOURITES
    }

    /// Whether the row's person is in the chosen group or location.
    fn has_group_of(&self, row: &Row) -> bool {
        match &*self.group {
            "" => true,
            Self::FAVOURITES => row.is_favourite,
            name => row.groups.iter().any(|group| group == name),
        }
    }

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
                && self.has_group_of(row)
                && (words.is_empty() || words.are_in(&row.haystack()));
            row.is_hidden = !is_shown;
        }
    }

    /// The address of the board with another status and group.
    fn address(&self, status: Option<Status>, group: &str) -> String {
        let status = status.map_or("", Status::name);
        let parts = [
            ("q", &*self.q),
            ("status", status),
            ("group", group),
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

impl Chip {
    /// Whether there are no people to show.
    pub(super) fn is_hidden(&self) -> bool {
        self.count == 0 && !self.status.is_empty()
    }
}

/// A group of the rail that filters: the viewer's favourites, or a workgroup of the viewer's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OwnGroup {
    /// Value of the filter.
    pub value: String,
    pub text: String,
    /// How many people the board shows in it.
    pub count: usize,
    pub to: String,
    pub is_chosen: bool,
}

impl OwnGroup {
    /// Whether there are no people to show.
    pub(super) const fn is_hidden(&self) -> bool {
        self.count == 0 && !self.is_chosen
    }
}

/// The groups of the rail: the favourites and the `workgroups` of the viewer.
pub(super) fn own_groups(
    words: Texts,
    filter: &Filter,
    rows: &[&Row],
    workgroups: Vec<String>,
) -> Vec<OwnGroup> {
    let own = |value: String, text: String| {
        let wanted = Filter {
            group: value.clone(),
            ..Filter::default()
        };
        let is_chosen = filter.group == value;
        OwnGroup {
            count: rows.iter().filter(|row| wanted.has_group_of(row)).count(),
            to: filter.address(filter.status(), if is_chosen { "" } else { &value }),
            is_chosen,
            value,
            text,
        }
    };
    let favourites = format!("★ {}", words.text("board-favourites"));
    let favourites = own(Filter::FAVOURITES.to_owned(), favourites);
    let workgroups = workgroups.into_iter().map(|name| own(name.clone(), name));
    std::iter::once(favourites).chain(workgroups).collect()
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
        to: filter.address(status, &filter.group),
        is_chosen: chosen == status,
    };
    let each = Status::ALL.into_iter().map(Some);
    std::iter::once(None).chain(each).map(chip).collect()
}

#[cfg(test)]
mod tests {
    use i18n::Language;

    use super::*;
    use crate::status_line::StatusLine;

    const WORDS: Texts = Texts(Language::English);

    fn row(name: &str, status: Status, groups: &[&str], is_favourite: bool) -> Row {
        Row {
            person: String::new(),
            name: name.to_owned(),
            initials: String::new(),
            place: groups.join(", "),
            call: String::new(),
            mail: format!("{}@contoso.example", name.to_lowercase()),
            has_chat: false,
            star: String::new(),
            status,
            line: StatusLine::default(),
            since: String::new(),
            confidence: "certain",
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            is_favourite,
            is_hidden: false,
        }
    }

    fn people() -> [Row; 3] {
        [
            row("Anna", Status::Busy, &["Sales", "Berlin"], true),
            row("Bert", Status::Available, &["Sales, east"], false),
            row("Carla", Status::Busy, &[], false),
        ]
    }

    fn filter(q: &str, status: &str, group: &str) -> Filter {
        let [q, status, group] = [q, status, group].map(str::to_owned);
        Filter {
            q,
            status,
            group,
            ..Filter::default()
        }
    }

    #[test]
    fn rows_are_shown_that_match_search_status_and_group() {
        let shown = |filter: Filter| {
            let mut people = people();
            filter.apply(people.iter_mut());
            let shown = people.into_iter().filter(|row| !row.is_hidden);
            shown.map(|row| row.name).collect::<Vec<_>>()
        };
        assert_eq!(shown(filter("", "", "")), ["Anna", "Bert", "Carla"]);
        assert_eq!(shown(filter("", "Busy", "")), ["Anna", "Carla"]);
        assert_eq!(shown(filter("", "", "Sales")), ["Anna"]);
        assert_eq!(shown(filter("", "", Filter::FAVOURITES)), ["Anna"]);
        assert_eq!(
            shown(filter("contoso BERT", "nonsense", "Sales, east")),
            ["Bert"]
        );
        assert!(shown(filter("bert", "Busy", "")).is_empty());
    }

    #[test]
    fn chips_count_everybody_and_keep_the_other_filters() {
        let people = people();
        let rows: Vec<&Row> = people.iter().collect();
        let chips = chips(WORDS, &filter("a b", "Busy", "Sales"), &rows);
        let of = |status: &str| chips.iter().find(|chip| chip.status == status).unwrap();
        assert_eq!((of("").count, of("Busy").count), (3, 2));
        assert_eq!(of("").to, "/?q=a+b&group=Sales");
        assert_eq!(of("Available").to, "/?q=a+b&status=Available&group=Sales");
        assert!(of("Busy").is_chosen && !of("").is_chosen);
        assert!(of("Offline").is_hidden() && !of("").is_hidden());
    }

    #[test]
    fn the_rail_has_own_groups_with_people_and_a_second_press_ends_the_filter() {
        let people = people();
        let rows: Vec<&Row> = people.iter().collect();
        let mine = vec!["Nobody's".to_owned(), "Sales".to_owned()];
        let own = own_groups(WORDS, &filter("", "Busy", "Sales"), &rows, mine);
        let own: Vec<_> = own
            .iter()
            .filter(|group| !group.is_hidden())
            .map(|group| (&*group.text, group.count, &*group.to))
            .collect();
        assert_eq!(
            own,
            [
                ("★ Favourites", 1, "/?status=Busy&group=%E2%98%85"),
                ("Sales", 1, "/?status=Busy"),
            ]
        );
    }
}
