//! The answer of `getPresencesByUserId`, read element by element (Graph, cloudCommunications: getPresencesByUserId): an element
//! that cannot be read is skipped and named, and the others count.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::member::{Member, object, text_of};

/// A person's presence. Availability and activity are Graph's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserPresence {
    /// Entra object id.
    pub id: String,
    /// Base state.
    pub availability: String,
    /// Supplement to it.
    pub activity: String,
    /// Grows with each change of the person's presence, in the order of bytes. A number counts as its decimal text; what is
    /// neither is left out, and the answer is ordered by the time of its request alone.
    pub sequence_number: Option<String>,
}

/// Why an element was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElementFault {
    /// It is no object, or a text in it cannot be decoded.
    NoObject,
    /// `id` is absent, empty or no text.
    NoId,
    /// The request did not name its `id`.
    NotRequested,
    /// An element of the same `id` with the same or a higher sequence number counts.
    Duplicate,
    /// `availability` is absent, empty or no text.
    NoAvailability,
    /// `activity` is absent, empty or no text.
    NoActivity,
    /// Another member is of an odd type: it counts as absent, and the rest of the element counts.
    MistypedMember,
}

impl ElementFault {
    /// The label of the metric.
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

    /// The fault, for people.
    pub const fn description(self) -> &'static str {
        match self {
            Self::NoObject => "it is no object",
            Self::NoId => "it has no id",
            Self::NotRequested => "the request did not name it",
            Self::Duplicate => "there is another of the same id",
            Self::NoAvailability => "its availability is no text",
            Self::NoActivity => "its activity is no text",
            Self::MistypedMember => "a member of it is of an odd type",
        }
    }
}

/// An element that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedElement {
    /// The id, if the request named it.
    pub id: Option<String>,
    /// Why.
    pub fault: ElementFault,
}

/// An answer about several people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presences {
    /// Each person once, and only people of the request. People that Graph leaves out are left out.
    pub presences: Vec<UserPresence>,
    /// The elements that were skipped.
    pub skipped: Vec<SkippedElement>,
}

impl Presences {
    /// Whether elements were skipped that may be about anybody of the request: then a person who is not in the answer need not
    /// be missing.
    pub fn has_unnamed(&self) -> bool {
        self.skipped
            .iter()
            .any(|skipped| matches!(skipped.fault, ElementFault::NoObject | ElementFault::NoId))
    }

    /// Reads the answer to a request that named `asked`.
    ///
    /// # Errors
    /// It is no JSON, or has no list `value`.
    pub fn read(body: &[u8], asked: &[&str]) -> Result<Self, serde_json::Error> {
        let body = text_of(body);
        let page: PageWire = object(&body)?;
        let mut read = Self {
            presences: Vec::with_capacity(page.value.len().min(asked.len())),
            skipped: Vec::new(),
        };
        // Where the presence of each person of the request is in the list.
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

/// Whether a presence is certainly newer: sequence numbers of different lengths cannot be compared.
fn is_newer(presence: &UserPresence, than: &UserPresence) -> bool {
    match (&presence.sequence_number, &than.sequence_number) {
        (Some(new), Some(known)) => new.len() == known.len() && new > known,
        (Some(_) | None, None) | (None, Some(_)) => false,
    }
}

/// Reads the presence of one person.
///
/// # Errors
/// The element is odd.
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

    /// D2: one odd element must not spoil the answer about the others. Each file of the folder is an answer to a request for
    /// the same three people.
    #[test]
    fn d2_an_odd_element_is_skipped_and_the_others_count() {
        corpus_tests::walk("graph-presences", outcome);
    }
}
