//! Parses answers of `getPresencesByUserId` element by element (Graph, "cloudCommunications: getPresencesByUserId"): a
//! malformed element is skipped and reported, and the others are used.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::member::{Member, object, text_of};

/// Presence of a person, with Graph's own values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPresence {
    /// Entra object id.
    pub id: String,
    /// Base state, such as `Busy`.
    pub availability: String,
    /// Detail of the base state, such as `InACall`.
    pub activity: String,
    /// Grows in byte order with each change of the person's presence. A number is converted to decimal text; `None` for
    /// other types, and the answer is then ordered by the time of its request alone.
    pub sequence_number: Option<String>,
}

/// Reason why an element, or a member of it, was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElementFault {
    /// The element is not an object, or a string in it cannot be decoded.
    NoObject,
    /// `id` is absent, empty or not a string.
    NoId,
    /// The request did not contain the `id`.
    NotRequested,
    /// Another element with the same `id` and the same or a higher sequence number is used.
    Duplicate,
    /// `availability` is absent, empty or not a string.
    NoAvailability,
    /// `activity` is absent, empty or not a string.
    NoActivity,
    /// Another member has a wrong type: the member counts as absent, and the rest of the element is used.
    MistypedMember,
}

impl ElementFault {
    /// Label of the metric.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NoObject => "no_object",
            Self::NoId => "no_id",
            Self::NotRequested => "not_asked",
            Self::Duplicate => "duplicate",
            Self::NoAvailability => "no_availability",
            Self::NoActivity => "no_activity",
            Self::MistypedMember => "odd_member",
        }
    }

    /// Description for administrators.
    pub const fn description(self) -> &'static str {
        match self {
            Self::NoObject => "it is not an object",
            Self::NoId => "it has no id",
            Self::NotRequested => "the request did not contain its id",
            Self::Duplicate => "there is another one with the same id",
            Self::NoAvailability => "its availability is not a string",
            Self::NoActivity => "its activity is not a string",
            Self::MistypedMember => "one of its members has a wrong type",
        }
    }
}

/// A skipped element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedElement {
    /// The person's id, if the request contained it.
    pub id: Option<String>,
    /// Reason.
    pub fault: ElementFault,
}

/// Answer about several people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presences {
    /// Each person once, and only requested people. People that Graph leaves out are missing.
    pub presences: Vec<UserPresence>,
    /// The elements that were skipped.
    pub skipped: Vec<SkippedElement>,
}

impl Presences {
    /// True if a skipped element may belong to any requested person. A person who is missing in the answer may then exist.
    pub fn has_unnamed(&self) -> bool {
        self.skipped
            .iter()
            .any(|skipped| matches!(skipped.fault, ElementFault::NoObject | ElementFault::NoId))
    }

    /// Parses the answer to a request about the ids `asked`.
    ///
    /// # Errors
    /// The body is not JSON or has no list `value`.
    pub fn read(body: &[u8], asked: &[&str]) -> Result<Self, serde_json::Error> {
        let body = text_of(body);
        let page: PageWire = object(&body)?;
        let mut read = Self {
            presences: Vec::with_capacity(page.value.len().min(asked.len())),
            skipped: Vec::new(),
        };
        // Index of each requested person in the list of presences.
        let mut places: HashMap<String, Option<usize>> = asked
            .iter()
            .map(|id| (id.to_ascii_lowercase(), None))
            .collect();
        for element in page.value {
            match read_one(element) {
                Ok(presence) => read.add(presence, &mut places),
                Err(skipped) => {
                    let known = |id: &String| places.contains_key(&id.to_ascii_lowercase());
                    read.skipped.push(match skipped.id {
                        Some(id) if !known(&id) => SkippedElement {
                            id: None,
                            fault: ElementFault::NotRequested,
                        },
                        id => SkippedElement { id, ..skipped },
                    });
                }
            }
        }
        Ok(read)
    }

    fn add(&mut self, presence: UserPresence, places: &mut HashMap<String, Option<usize>>) {
        let Some(place) = places.get_mut(&presence.id.to_ascii_lowercase()) else {
            self.skipped.push(SkippedElement {
                id: None,
                fault: ElementFault::NotRequested,
            });
            return;
        };
        let Some(known) = place.and_then(|place| self.presences.get_mut(place)) else {
            *place = Some(self.presences.len());
            self.presences.push(presence);
            return;
        };
        self.skipped.push(SkippedElement {
            id: Some(presence.id.clone()),
            fault: ElementFault::Duplicate,
        });
        if is_newer(&presence, known) {
            *known = presence;
        }
    }
}

/// True if a presence is certainly newer; sequence numbers of different lengths are not comparable.
fn is_newer(presence: &UserPresence, than: &UserPresence) -> bool {
    match (&presence.sequence_number, &than.sequence_number) {
        (Some(new), Some(known)) => new.len() == known.len() && new > known,
        (Some(_) | None, None) | (None, Some(_)) => false,
    }
}

/// Parses the presence of one person.
///
/// # Errors
/// The element is malformed.
pub(crate) fn read_one(element: &RawValue) -> Result<UserPresence, SkippedElement> {
    let odd = |id: Option<&String>, fault| SkippedElement {
        id: id.cloned(),
        fault,
    };
    let Ok(wire) = object::<ElementWire>(element.get()) else {
        return Err(odd(None, ElementFault::NoObject));
    };
    let Some(id) = wire.id.into_text() else {
        return Err(odd(None, ElementFault::NoId));
    };
    let Some(availability) = wire.availability.into_text() else {
        return Err(odd(Some(&id), ElementFault::NoAvailability));
    };
    let Some(activity) = wire.activity.into_text() else {
        return Err(odd(Some(&id), ElementFault::NoActivity));
    };
    let sequence_number = match wire.sequence_number {
        Member::Text(text) | Member::Integer(text) => Some(text),
        Member::Absent | Member::Null | Member::Flag(_) | Member::List(..) | Member::Other => None,
    };
    Ok(UserPresence {
        id,
        availability,
        activity,
        sequence_number,
    })
}

#[derive(Deserialize)]
struct PageWire<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ElementWire {
    #[serde(default)]
    id: Member,
    #[serde(default)]
    availability: Member,
    #[serde(default)]
    activity: Member,
    #[serde(default)]
    sequence_number: Member,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Presences;
    use crate::corpus_tests;

    const ASKED: [&str; 3] = [
        "aaaaaaaa-0000-4000-8000-000000000001",
        "aaaaaaaa-0000-4000-8000-000000000002",
        "aaaaaaaa-0000-4000-8000-000000000003",
    ];

    /// The last character of an id of the corpus.
    fn short(id: &str) -> &str {
        &id[id.len() - 1..]
    }

    fn outcome(body: &[u8]) -> Value {
        let Ok(read) = Presences::read(body, &ASKED) else {
            return json!("unreadable");
        };
        let presences = read.presences.iter().map(|presence| {
            let sequence = presence.sequence_number.as_deref().unwrap_or("-");
            let (availability, activity) = (&presence.availability, &presence.activity);
            format!(
                "{} {availability}/{activity} {sequence}",
                short(&presence.id)
            )
        });
        let skipped = read.skipped.iter().map(|skipped| {
            let id = skipped.id.as_deref().map_or("-", short);
            format!("{id} {}", skipped.fault.label())
        });
        json!({
            "presences": presences.collect::<Vec<_>>(),
            "skipped": skipped.collect::<Vec<_>>(),
            "hasUnnamed": read.has_unnamed(),
        })
    }

    /// A malformed element does not affect the others. Each file of the folder is an answer to a request for the same
    /// three people.
    #[test]
    fn d2_an_odd_element_is_skipped_and_the_others_count() {
        corpus_tests::walk("graph-presences", outcome);
    }
}
