//! Publishes the presence of people to the presence server of a PBX: BLF keys of phones that watch the PBX light up without a
//! change on any phone.
//!
//! Only activities outside the PBX are published: the PBX shows its own calls itself.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use presence::{Activity, PersonId, Relationship, Status, View, view};
use runtime::{context::Context, events::ListenFrom};
use telephony::connector::{Documents, Publication};
use tokio::sync::broadcast::error::RecvError;

use super::documents::{dialog_info, presence_info};
use crate::pbx::Pbx;

/// Settings of publishing to a PBX.
pub struct Publishing {
    /// The domain of the PBX.
    pub domain: String,
    /// The level at which all watchers at the PBX see people.
    pub level: Relationship,
}

/// The publication about each extension of each person, with the name of its dialog. A new publication has a new name: a
/// terminated dialog never comes back (RFC 4235 §3.7.1), and Kamailio insists on that.
type Publications = HashMap<PersonId, BTreeMap<Arc<str>, (String, Publication)>>;

/// Publishes changes until the task is dropped.
pub async fn publish(context: Context, pbx: Arc<Pbx>, publishing: Publishing) {
    let mut published = Publications::new();
    let mut events = context.events.listen(ListenFrom::Now).receiver;
    loop {
        let mut people: BTreeSet<PersonId> = published.keys().copied().collect();
        let known = context.people.page(None, usize::MAX);
        people.extend(known.iter().map(|person| person.id));
        for person in people {
            publishing
                .update(&context, &pbx, person, &mut published)
                .await;
        }
        published.retain(|_, lines| !lines.is_empty());
        loop {
            match events.recv().await {
                Ok(event) => match event.person() {
                    Some(person) => {
                        publishing
                            .update(&context, &pbx, person, &mut published)
                            .await
                    }
                    None => break,
                },
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}

impl Publishing {
    async fn update(
        &self,
        context: &Context,
        pbx: &Pbx,
        person: PersonId,
        published: &mut Publications,
    ) {
        let seen = match context.events.presence(person) {
            Some(presence) => view(&presence, self.level),
            None => View::offline(),
        };
        // Most changes: nothing is published, and nothing needs to be.
        if !published.contains_key(&person) && !is_busy_outside(&seen) {
            return;
        }
        let known = context.people.person(person);
        let lines = known.iter().flat_map(|person| person.lines.iter());
        let held = lines.map(|(_, extension)| Arc::clone(extension));
        let held: Vec<Arc<str>> = held.filter(|extension| pbx.has(extension)).collect();
        let published = published.entry(person).or_default();
        // An extension that the person lost must not stay lit.
        let mut extensions = held.clone();
        extensions.extend(
            published
                .keys()
                .filter(|extension| !held.contains(extension))
                .cloned(),
        );
        for extension in extensions {
            let lasting = held.contains(&extension) && is_busy_outside(&seen);
            let before = published.get(&extension);
            if before.is_none() && !lasting {
                continue;
            }
            let name = match before {
                Some((name, _)) => name.clone(),
                None => format!("{}-{}", person.0, context.clock.now().milliseconds()),
            };
            let publication = self.publication(&extension, &name, &seen, lasting);
            if before.is_some_and(|(_, before)| *before == publication) {
                continue;
            }
            match lasting {
                true => published.insert(extension.clone(), (name, publication.clone())),
                false => published.remove(&extension),
            };
            pbx.publish(extension, publication).await;
        }
    }

    fn publication(&self, extension: &str, name: &str, seen: &View, lasting: bool) -> Publication {
        // The last document shows neither the activity outside nor one of the PBX.
        let nothing = View {
            status: Status::Available,
            activity: None,
            text: "".into(),
            ..View::offline()
        };
        let last = self.documents(extension, name, &nothing);
        match lasting {
            true => Publication::Current {
                documents: self.documents(extension, name, seen),
                closing: last,
            },
            false => Publication::Closing(last),
        }
    }

    fn documents(&self, extension: &str, name: &str, shown: &View) -> Documents {
        let entity = format!("sip:{extension}@{}", self.domain);
        let bytes = |xml: String| Arc::from(xml.into_bytes());
        Documents {
            dialog: bytes(dialog_info(&entity, name, shown).to_xml()),
            presence: bytes(presence_info(&entity, shown).to_xml()),
        }
    }
}

/// Whether a person is busy with an activity that is no call at the PBX.
fn is_busy_outside(seen: &View) -> bool {
    let own_call = matches!(
        seen.activity,
        Some(Activity::OnThePhone | Activity::Ringing)
    );
    match seen.status {
        Status::Busy => !own_call,
        Status::DoNotDisturb => true,
        Status::Available | Status::BeRightBack | Status::Absent | Status::Offline => false,
    }
}

#[cfg(test)]
mod tests {
    use presence::Confidence;

    use super::*;

    #[test]
    fn the_last_document_does_not_say_offline() {
        let publishing = Publishing {
            domain: "pbx.test".into(),
            level: Relationship::Employee,
        };
        let last = publishing.publication("1001", "1-2", &View::offline(), false);
        let Publication::Closing(last) = last else {
            panic!("{last:?}")
        };
        for document in [&last.dialog, &last.presence] {
            let text = String::from_utf8_lossy(document);
            assert!(!text.contains("Offline"), "{text}");
            assert!(text.contains("Available"), "{text}");
        }
    }

    #[test]
    fn only_activities_outside_the_pbx_are_published() {
        for (status, activity, expected) in [
            (Status::Busy, Some(Activity::OnThePhoneTeams), true),
            (Status::Busy, Some(Activity::UsingApp("Zoom".into())), true),
            (Status::Busy, None, true),
            (Status::DoNotDisturb, Some(Activity::OnThePhone), true),
            (Status::Busy, Some(Activity::OnThePhone), false),
            (Status::Busy, Some(Activity::Ringing), false),
            (Status::Absent, None, false),
            (Status::Offline, None, false),
        ] {
            let seen = View {
                status,
                activity,
                profile: None,
                text: "".into(),
                since: None,
                until: None,
                confidence: Confidence::Certain,
            };
            assert_eq!(is_busy_outside(&seen), expected, "{seen:?}");
        }
    }
}
