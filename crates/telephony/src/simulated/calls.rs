//! The calls of the simulated PBX and their documents. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sip::{
    agent::{Document, Member, Resource},
    dialog_info::{Completeness, Dialog, DialogInfo, DialogState, Direction, Participant},
};

/// Identifies a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(u64);

/// A call as the phone of one party shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneCall {
    /// Identifies the call.
    pub id: CallId,
    /// Number of the other party.
    pub other: Arc<str>,
    /// Whether this party is the caller.
    pub is_caller: bool,
    /// Whether the call was answered.
    pub is_answered: bool,
}

#[derive(Clone, Debug)]
struct Call {
    id: CallId,
    from: Arc<str>,
    to: Arc<str>,
    state: DialogState,
    held_by_caller: bool,
    held_by_callee: bool,
}

#[derive(Debug)]
struct Extension {
    resource: Resource,
    calls: BTreeSet<CallId>,
    /// The latest ended call, listed as terminated in the document, as PBXs do for a while.
    ended: Option<Call>,
    replaced: Option<Vec<u8>>,
}

impl Extension {
    fn new(resource: Resource) -> Self {
        Self {
            resource,
            calls: BTreeSet::new(),
            ended: None,
            replaced: None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Calls {
    domain: String,
    extensions: BTreeMap<Arc<str>, Extension>,
    /// Extensions by the number of their resource in the agent.
    numbered: Vec<Arc<str>>,
    calls: BTreeMap<CallId, Call>,
    next_id: u64,
    changed: BTreeSet<Arc<str>>,
}

impl Calls {
    pub(super) fn new(domain: String, extensions: Vec<Arc<str>>) -> Self {
        let numbered: Vec<Arc<str>> = extensions;
        let extensions = numbered
            .iter()
            .zip(0..)
            .map(|(name, number)| (Arc::clone(name), Extension::new(Resource(number))))
            .collect();
        Self {
            domain,
            extensions,
            numbered,
            calls: BTreeMap::new(),
            next_id: 1,
            changed: BTreeSet::new(),
        }
    }

    /// Removes and returns at most `limit` extensions with a NOTIFY due to their subscribers.
    pub(super) fn take_changed(&mut self, limit: usize) -> Vec<Resource> {
        std::iter::from_fn(|| self.changed.pop_first())
            .take(limit)
            .filter_map(|name| self.extensions.get(&name).map(|known| known.resource))
            .collect()
    }

    pub(super) fn resource(&self, extension: &str) -> Option<Resource> {
        self.extensions.get(extension).map(|known| known.resource)
    }

    /// All extensions, as members of the list.
    pub(super) fn members(&self) -> Vec<Member> {
        let member = |(name, extension): (&Arc<str>, &Extension)| Member {
            resource: extension.resource,
            uri: format!("sip:{name}@{}", self.domain).into(),
            name: Arc::clone(name),
        };
        self.extensions.iter().map(member).collect()
    }

    /// Dialog-info document of an extension.
    pub(super) fn document(&self, resource: Resource) -> Option<Document> {
        let name = self.numbered.get(resource.0 as usize)?;
        let extension = self.extensions.get(name)?;
        if let Some(replaced) = &extension.replaced {
            return Some(Document::new(replaced.clone()));
        }
        let live = extension.calls.iter().filter_map(|id| self.calls.get(id));
        let document = DialogInfo {
            entity: format!("sip:{name}@{}", self.domain),
            version: Some(0),
            completeness: Completeness::Full,
            dialogs: live
                .chain(extension.ended.as_ref())
                .map(|call| self.dialog(call, name))
                .collect(),
            ..DialogInfo::default()
        };
        Some(Document::versioned(document.to_xml().into_bytes()))
    }

    /// The present calls of an extension, the oldest first.
    pub(super) fn of(&self, extension: &str) -> Vec<PhoneCall> {
        let ids = self.extensions.get(extension).map(|known| &known.calls);
        let calls = ids
            .into_iter()
            .flatten()
            .filter_map(|id| self.calls.get(id));
        let of_phone = calls.map(|call| {
            let is_caller = &*call.from == extension;
            let other = if is_caller { &call.to } else { &call.from };
            PhoneCall {
                id: call.id,
                other: Arc::clone(other),
                is_caller,
                is_answered: call.state == DialogState::Confirmed,
            }
        });
        of_phone.collect()
    }

    pub(super) fn ring(&mut self, from: &str, to: &str) -> Option<CallId> {
        if !self.extensions.contains_key(from) && !self.extensions.contains_key(to) {
            return None;
        }
        let id = CallId(self.next_id);
        self.next_id += 1;
        let call = Call {
            id,
            from: from.into(),
            to: to.into(),
            state: DialogState::Early,
            held_by_caller: false,
            held_by_callee: false,
        };
        for party in [from, to] {
            if let Some(extension) = self.extensions.get_mut(party) {
                extension.calls.insert(id);
            }
        }
        self.touch(&call);
        self.calls.insert(id, call);
        Some(id)
    }

    pub(super) fn answer(&mut self, id: CallId) -> bool {
        self.update(id, |call| {
            call.state = DialogState::Confirmed;
            true
        })
    }

    pub(super) fn set_held(&mut self, id: CallId, by: &str, held: bool) -> bool {
        self.update(id, |call| {
            let (caller, callee) = (&*call.from == by, &*call.to == by);
            if caller {
                call.held_by_caller = held;
            }
            if callee {
                call.held_by_callee = held;
            }
            caller || callee
        })
    }

    pub(super) fn hang_up(&mut self, id: CallId) -> bool {
        let Some(mut call) = self.calls.remove(&id) else {
            return false;
        };
        call.state = DialogState::Terminated;
        for party in [&call.from, &call.to] {
            if let Some(extension) = self.extensions.get_mut(party) {
                extension.calls.remove(&id);
                extension.ended = Some(call.clone());
            }
        }
        self.touch(&call);
        true
    }

    pub(super) fn replace_document(&mut self, name: &str, document: Option<Vec<u8>>) -> bool {
        let Some((key, extension)) = self
            .extensions
            .get_key_value(name)
            .map(|(k, _)| Arc::clone(k))
            .zip(self.extensions.get_mut(name))
        else {
            return false;
        };
        extension.replaced = document;
        self.changed.insert(key);
        true
    }

    fn update(&mut self, id: CallId, change: impl FnOnce(&mut Call) -> bool) -> bool {
        let Some(call) = self.calls.get_mut(&id) else {
            return false;
        };
        let done = change(call);
        let call = call.clone();
        self.touch(&call);
        done
    }

    fn touch(&mut self, call: &Call) {
        for party in [&call.from, &call.to] {
            if self.extensions.contains_key(party) {
                self.changed.insert(Arc::clone(party));
            }
        }
    }

    fn dialog(&self, call: &Call, side: &str) -> Dialog {
        let is_caller = &*call.from == side;
        let held = if is_caller {
            call.held_by_caller
        } else {
            call.held_by_callee
        };
        let other_held = if is_caller {
            call.held_by_callee
        } else {
            call.held_by_caller
        };
        let participant = |user: &str, held: bool| Participant {
            identity: Some(format!("sip:{user}@{}", self.domain)),
            target: Some(format!("sip:{user}@{}", self.domain)),
            rendering: (call.state == DialogState::Confirmed).then_some(!held),
            display: None,
        };
        let other = if is_caller { &call.to } else { &call.from };
        Dialog {
            call_id: Some(format!("call-{}", call.id.0)),
            direction: Some(if is_caller {
                Direction::Initiator
            } else {
                Direction::Recipient
            }),
            local: Some(participant(side, held)),
            remote: Some(participant(other, other_held)),
            ..Dialog::new(format!("{}-{side}", call.id.0), call.state)
        }
    }
}
