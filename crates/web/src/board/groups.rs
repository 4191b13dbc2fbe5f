//! Groups of the board: favourites, the viewer's workgroups, all others.

use std::collections::BTreeSet;

use presence::{PersonId, Status};

use super::{CHUNK, filter::Filter, row::Row};
use crate::{texts::Texts, viewer_groups::ViewerGroups};

/// Rows under a heading.
pub(super) struct Group {
    /// Which group it is, for the script: `favourites`, the number of a workgroup, or `all`.
    pub id: String,
    pub name: String,
    /// How many of the people are available, in words.
    pub reachable: String,
    pub rows: Vec<Row>,
}

impl Group {
    /// Whether the people are the viewer's favourites.
    pub(super) fn is_favourites(&self) -> bool {
        self.id == FAVOURITES
    }

    /// The parts that the browser renders or skips as a whole.
    pub(super) fn chunks(&self) -> std::slice::Chunks<'_, Row> {
        self.rows.chunks(CHUNK)
    }

    /// Whether search and filters hide all people.
    pub(super) fn is_hidden(&self) -> bool {
        self.rows.iter().all(|row| row.is_hidden)
    }
}

/// Names of the viewer's workgroups, sorted.
pub(super) fn workgroups(mine: &ViewerGroups) -> Vec<String> {
    let names: BTreeSet<&String> = mine.workgroups.iter().map(|group| &group.name).collect();
    names.into_iter().cloned().collect()
}

const FAVOURITES: &str = "favourites";

/// The rows in their groups. Each person appears once.
pub(super) fn grouped(words: Texts, mine: &ViewerGroups, rows: Vec<(PersonId, Row)>) -> Vec<Group> {
    let group = |id: &str, name: String| Group {
        id: id.to_owned(),
        name,
        reachable: String::new(),
        rows: Vec::new(),
    };
    let mut groups = vec![group(FAVOURITES, words.text("board-favourites"))];
    let workgroups = mine.workgroups.iter();
    groups.extend(workgroups.map(|own| group(&own.id, own.name.clone())));
    groups.push(group("all", words.text("board-all")));
    let last = groups.len() - 1;
    for (person, row) in rows {
        let common = || {
            let mut workgroups = mine.workgroups.iter();
            workgroups.position(|own| own.members.contains(&person))
        };
        let index = if row.is_favourite {
            0
        } else {
            common().map_or(last, |common| common + 1)
        };
        if let Some(group) = groups.get_mut(index) {
            group.rows.push(row);
        }
    }
    groups.retain(|group| !group.rows.is_empty());
    for group in &mut groups {
        let available = group
            .rows
            .iter()
            .filter(|row| row.status == Status::Available)
            .count();
        let (available, count) = (available.to_string(), group.rows.len().to_string());
        group.reachable = words.of_two("board-reachable", ("shown", &available), ("count", &count));
    }
    groups
}

/// Names of groups and locations on the board, sorted; with the one that is filtered by, also if it is empty.
pub(super) fn places(rows: &[&Row], filter: &Filter) -> Vec<String> {
    let mut names: BTreeSet<&str> = rows
        .iter()
        .flat_map(|row| &row.groups)
        .map(|name| &**name)
        .collect();
    let chosen = Some(&*filter.group);
    names.extend(chosen.filter(|chosen| !chosen.is_empty() && !filter.is_favourites()));
    names.into_iter().map(str::to_owned).collect()
}
