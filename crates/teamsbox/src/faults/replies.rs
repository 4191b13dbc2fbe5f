//! Malformed elements in successful answers, as Graph and the proxies between Graph and its clients were seen to send.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    graph::{by_chance, check_operations, check_percent, selects},
    spent,
};
use crate::{error::ControlError, random::Random};

/// A change of successful answers with a list in `value`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ReplyFault {
    /// The change.
    pub(crate) change: ReplyChange,
    /// People by object id or user principal name: it changes their elements; `None` for a random element.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) users: Option<Vec<String>>,
    /// Number of answers that it still changes; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remaining: Option<u64>,
    /// Operations with answers that it changes; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) operations: Option<Vec<String>>,
    /// Percentage of the answers that it changes, at random; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) percent: Option<u8>,
}

/// A change of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ReplyChange {
    /// Sets members of an element to any JSON values.
    Set(Map<String, Value>),
    /// Removes members of an element.
    Remove(Vec<String>),
    /// Replaces the element by any JSON value.
    Replace(Value),
    /// Omits the element.
    Omit,
    /// Repeats the element.
    Repeat,
    /// Adds a link to a next page.
    NextLink(NextLink),
}

/// The next page of an endless list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum NextLink {
    /// The same page.
    Itself,
    /// The first page.
    First,
}

impl ReplyFault {
    /// Validates the fault, given the names of Graph's operations.
    ///
    /// # Errors
    /// A value is invalid.
    pub(super) fn check(&self, operations: &[&str]) -> Result<(), ControlError> {
        check_operations("replies.operations", self.operations.as_ref(), operations)?;
        check_percent("replies.percent", self.percent)
    }

    /// Changes an answer if the fault matches, and counts it; returns true if it changed. `is` compares an element's id with a
    /// person's name or id; `link` builds the address of a page.
    pub(crate) fn apply(
        &mut self,
        operation: &str,
        body: &mut Value,
        is: impl Fn(&str, &str) -> bool,
        link: impl Fn(NextLink) -> String,
        random: &mut Random,
    ) -> bool {
        let Some(list) = body.get_mut("value").and_then(Value::as_array_mut) else {
            return false;
        };
        let ends = matches!(self.change, ReplyChange::NextLink(_));
        let chosen: Vec<usize> = match &self.users {
            _ if ends => Vec::new(),
            None if list.is_empty() => Vec::new(),
            None => {
                let one = random.below(u64::try_from(list.len()).unwrap_or(u64::MAX));
                Vec::from([usize::try_from(one).unwrap_or(0)])
            }
            Some(users) => {
                let theirs = |element: &Value| {
                    let id = element["id"].as_str();
                    id.is_some_and(|id| users.iter().any(|user| is(id, user)))
                };
                let numbered = list.iter().enumerate();
                numbered
                    .filter(|(_, element)| theirs(element))
                    .map(|(index, _)| index)
                    .collect()
            }
        };
        let hits = selects(self.operations.as_ref(), operation)
            && (ends || !chosen.is_empty())
            && by_chance(self.percent, random)
            && spent(&mut self.remaining).is_some();
        if !hits {
            return false;
        }
        // From the end, so that indices stay valid.
        for index in chosen.into_iter().rev() {
            self.change.change(list, index);
        }
        if let (ReplyChange::NextLink(to), Some(body)) = (&self.change, body.as_object_mut()) {
            body.remove("@odata.deltaLink");
            body.insert("@odata.nextLink".to_owned(), Value::from(link(*to)));
        }
        true
    }

    /// A short description of the change, for the journal.
    pub(super) fn name(&self) -> &'static str {
        match self.change {
            ReplyChange::Set(_) => "odd values",
            ReplyChange::Remove(_) => "missing members",
            ReplyChange::Replace(_) => "odd element",
            ReplyChange::Omit => "missing element",
            ReplyChange::Repeat => "element twice",
            ReplyChange::NextLink(_) => "list without end",
        }
    }

    /// Returns true if the fault is used up.
    pub(super) fn is_over(&self) -> bool {
        self.remaining == Some(0)
    }
}

impl ReplyChange {
    /// Changes one element of a list.
    fn change(&self, list: &mut Vec<Value>, index: usize) {
        let Some(element) = list.get_mut(index) else {
            return;
        };
        match self {
            Self::Set(members) => {
                if let Some(element) = element.as_object_mut() {
                    element.extend(members.clone());
                }
            }
            Self::Remove(names) => {
                if let Some(element) = element.as_object_mut() {
                    element.retain(|name, _| !names.contains(name));
                }
            }
            Self::Replace(value) => *element = value.clone(),
            Self::Omit => drop(list.remove(index)),
            Self::Repeat => {
                let twin = element.clone();
                list.push(twin);
            }
            Self::NextLink(_) => {}
        }
    }
}
