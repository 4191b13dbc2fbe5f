//! What people do elsewhere, published into the telephone system's own presence server: keys of telephones that watch there
//! light up with no change on any telephone.
//!
//! Only what the telephone system cannot know is published; its own calls it shows itself.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use presence::{Activity, PersonId, Relationship, Status, View, view};
use telephony::connector::{Documents, Publication};
use tokio::sync::broadcast::error::RecvError;

use super::documents::{dialog_info, presence_info};
use crate::{context::Context, pbx::Pbx};

/// Who is told what.
pub struct Publishing {
    /// The domain of the telephone system.
    pub domain: String,
    /// Everybody who can watch there may see this much.
    pub level: Relationship,
}

/// What is published about each person's extensions, and the name of the dialog: a new one each time, because a dialog that is
/// over never comes back (RFC 4235 §3.7.1), and Kamailio holds to that.
type Told = HashMap<PersonId, BTreeMap<Arc<str>, (String, Publication)>>;

/// Publishes what changes, for ever.
pub async fn publish(context: Context, pbx: Arc<Pbx>, publishing: Publishing) {
    let mut told = Told::new();
    let mut events = context.events.listen(None).receiver;
    loop {
        let mut people: BTreeSet<PersonId> = told.keys().copied().collect();
        let known = context.people.page(None, usize::MAX);
        people.extend(known.iter().map(|person| person.id));
        for person in people {
            publishing.tell(&context, &pbx, person, &mut told).await;
        }
        told.retain(|_, lines| !lines.is_empty());
        loop {
            match events.recv().await {
                Ok(event) => match event.person() {
                    Some(person) => publishing.tell(&context, &pbx, person, &mut told).await,
                    None => break,
                },
                Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return std::future::pending().await,
            }
        }
    }
}

impl Publishing {
    async fn tell(&self, context: &Context, pbx: &Pbx, person: PersonId, told: &mut Told) {
        let seen = match context.events.presence(person) {
            Some(presence) => view(&presence, self.level),
            None => View::offline(),
        };
        // Most changes of most people: nothing is there, and nothing comes.
        if !told.contains_key(&person) && !is_elsewhere(&seen) {
            return;
        }
        let known = context.people.person(person);
        let lines = known.iter().flat_map(|person| person.lines.iter());
        let held = lines.map(|(_, extension)| Arc::clone(extension));
        let held: Vec<Arc<str>> = held.filter(|extension| pbx.has(extension)).collect();
        let told = told.entry(person).or_default();
        // Whoever loses an extension must not stay lit there.
        let mut extensions = held.clone();
        extensions.extend(told.keys().filter(|told| !held.contains(told)).cloned());
        for extension in extensions {
            let lasting = held.contains(&extension) && is_elsewhere(&seen);
            let before = told.get(&extension);
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
                true => told.insert(extension.clone(), (name, publication.clone())),
                false => told.remove(&extension),
            };
            pbx.publish(extension, publication).await;
        }
    }

    fn publication(&self, extension: &str, name: &str, seen: &View, lasting: bool) -> Publication {
        // Nothing of what happens elsewhere, and nothing of what the telephone system shows itself.
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

/// Busy with something that is no call on the telephone system.
fn is_elsewhere(seen: &View) -> bool {
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
    fn only_what_the_telephone_system_cannot_know_is_told_to_it() {
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
            assert_eq!(is_elsewhere(&seen), expected, "{seen:?}");
        }
    }
}
