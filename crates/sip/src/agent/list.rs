//! One subscription to many resources (RFC 4662): a phone subscribes to all its BLF keys with one request.
//!
//! The first NOTIFY names all members of the list and has the documents that are new to the watcher, as many as fit into one
//! message. The remaining documents follow after the answer.

use std::{sync::Arc, time::Duration};

use super::{
    Agent, Class, Host, ListId, Outbox, Resource, Watcher,
    document::Document,
    notify::Ending,
    store::{Subject, Subscription, Watched},
};
use crate::{
    Transport,
    message::{MESSAGE_BYTES_MAX, Message, NameAddr, split_list},
    multipart, network,
    remark::Remarks,
    resource_list::{self, EVENT_LIST, Instance, ListedResource, ResourceList},
};

/// Most members of a list that are sent; a phone has fewer keys.
pub const MEMBERS_MAX: usize = 256;
/// Bytes of documents in one NOTIFY over UDP: larger ones become fragments, which get lost.
const DATAGRAM_BUDGET: usize = 8 * 1024;
/// Bytes of documents in one NOTIFY on a connection.
const STREAM_BUDGET: usize = 32 * 1024;
/// Longest body of a NOTIFY about a list.
const BODY_MAX: usize = MESSAGE_BYTES_MAX - 8 * 1024;
/// Bytes of a member in the list besides address and name, and of a part besides its document.
const MEMBER_OVERHEAD: usize = 64;
const PART_OVERHEAD: usize = 320;
/// Longest name in bytes; longer ones are cut, since keys of phones show them.
const NAME_MAX: usize = 48;
/// Fingerprint of a member that was reported as gone; no document has it.
const GONE: u64 = 2;

/// A member of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The member's resource.
    pub resource: Resource,
    /// The member's address.
    pub uri: Arc<str>,
    /// The member's display name.
    pub name: Arc<str>,
}

impl Member {
    /// Most bytes of the member's entry in the list; an escaped character of a name may need six.
    fn room(&self) -> usize {
        let name: usize = self.name.chars().take(NAME_MAX).map(char::len_utf8).sum();
        MEMBER_OVERHEAD + self.uri.len() + name
    }
}

/// A subscription's members, with the documents sent last.
#[derive(Debug)]
pub(super) struct List {
    pub(super) id: ListId,
    watcher: Option<Watcher>,
    members: Vec<Followed>,
    /// The next NOTIFY must name all members.
    full: bool,
}

#[derive(Debug)]
struct Followed {
    member: Member,
    class: Option<Class>,
    /// Fingerprint of the document sent last.
    sent_fingerprint: u64,
    /// The member may have changed since.
    changed: bool,
}

/// The content of a NOTIFY about a list.
pub(super) struct ListUpdate {
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
    /// Further documents did not fit.
    pub(super) more: bool,
}

impl List {
    pub(super) fn new<F>(
        id: ListId,
        watcher: Option<Watcher>,
        host: &mut impl Host<F>,
    ) -> Option<Box<Self>> {
        let members = host.members(id, watcher)?;
        let followed = members
            .into_iter()
            .take(MEMBERS_MAX)
            .map(|member| Followed {
                class: host.class(member.resource, watcher),
                member,
                sent_fingerprint: 0,
                changed: true,
            });
        Some(Box::new(Self {
            id,
            watcher,
            members: followed.collect(),
            full: true,
        }))
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn resources(&self) -> impl Iterator<Item = Resource> {
        self.members.iter().map(|followed| followed.member.resource)
    }

    /// Whether the other list has the same members.
    fn is_of(&self, other: &Self) -> bool {
        let members = |list: &Self| -> Vec<Member> {
            list.members.iter().map(|f| f.member.clone()).collect()
        };
        members(self) == members(other)
    }

    /// Marks every member, so that the next NOTIFY has all documents.
    pub(super) fn mark_all(&mut self) {
        self.full = true;
        for followed in &mut self.members {
            (followed.sent_fingerprint, followed.changed) = (0, true);
        }
    }

    /// Marks a member that may have changed.
    pub(super) fn touch(&mut self, resource: Resource) {
        let touched = self.members.iter_mut();
        for followed in touched.filter(|followed| followed.member.resource == resource) {
            followed.changed = true;
        }
    }

    /// Looks up the member's class again; returns whether it has changed.
    pub(super) fn reclassify<F>(&mut self, resource: Resource, host: &mut impl Host<F>) -> bool {
        let mut any = false;
        for followed in &mut self.members {
            if followed.member.resource == resource {
                let class = host.class(resource, self.watcher);
                if class != followed.class {
                    (followed.class, followed.changed, any) = (class, true, true);
                }
            }
        }
        any
    }
}

/// The content of the next NOTIFY; `None` if nothing is new.
pub(super) fn next_update<F: Copy>(
    subscription: &mut Subscription<F>,
    boundary: u64,
    host: &mut impl Host<F>,
) -> Option<ListUpdate> {
    let uri = NameAddr::parse(subscription.texts().local)?.uri.to_owned();
    let (package, version) = (subscription.package, subscription.version);
    let budget = match subscription.transport {
        Transport::Udp => DATAGRAM_BUDGET,
        _ => STREAM_BUDGET,
    };
    let ending = subscription.ending.is_some();
    let Subject::List(list) = &mut subscription.subject else {
        return None;
    };
    let full = std::mem::take(&mut list.full);
    let names: usize = match full {
        true => list.members.iter().map(|f| f.member.room()).sum(),
        false => 0,
    };
    let budget = budget.min(BODY_MAX.saturating_sub(names));
    let id = |index: usize| format!("{index}.{version}.{boundary:016x}@offhook");
    let mut resources = Vec::new();
    let mut documents: Vec<(usize, Arc<Document>)> = Vec::new();
    let (mut length, mut more) = (0, false);
    for (index, followed) in list.members.iter_mut().enumerate() {
        let instance = 'new: {
            if !followed.changed {
                break 'new None;
            }
            let resource = followed.member.resource;
            let class = followed.class;
            let document = class.and_then(|class| host.document(resource, package, class));
            let fingerprint = document
                .as_ref()
                .map_or(GONE, |document| document.fingerprint);
            if followed.sent_fingerprint == fingerprint {
                followed.changed = false;
                break 'new None;
            }
            let size = document.as_ref().map_or(0, |document| document.len());
            let size = size + PART_OVERHEAD + followed.member.room();
            if length > 0 && length + size > budget {
                more = true;
                break 'new None;
            }
            length += size;
            (followed.sent_fingerprint, followed.changed) = (fingerprint, false);
            let instance = match document {
                Some(_) => Instance::active(index.to_string(), id(index)),
                None => Instance::gone(index.to_string()),
            };
            documents.extend(document.map(|document| (index, document)));
            Some(instance)
        };
        if full || instance.is_some() {
            resources.push(ListedResource {
                uri: followed.member.uri.to_string(),
                name: Some(followed.member.name.chars().take(NAME_MAX).collect()),
                instances: Vec::from_iter(instance),
            });
        }
    }
    if resources.is_empty() && !full && !ending {
        return None;
    }
    let list = ResourceList {
        uri,
        version,
        full,
        resources,
        remarks: Remarks::default(),
    };
    let boundary = format!("offhook-{boundary:016x}");
    let mut body = Vec::with_capacity(length + 512);
    let mut writer = multipart::Writer::new(&boundary, &mut body);
    let root = format!("list.{version}.{boundary}@offhook");
    writer
        .part(&root, resource_list::CONTENT_TYPE)
        .extend_from_slice(list.to_xml().as_bytes());
    for (index, document) in documents {
        let out = writer.part(&id(index), package.content_type());
        document.write(version, out);
    }
    writer.finish();
    let kind = resource_list::CONTENT_TYPE;
    Some(ListUpdate {
        content_type: format!(
            "multipart/related;type=\"{kind}\";start=\"<{root}>\";boundary=\"{boundary}\""
        ),
        body,
        more,
    })
}

/// Whether a watcher understands lists (RFC 4662 §4.1).
pub(super) fn understands_lists(request: &Message<'_>) -> bool {
    request.all("Supported").any(|value| {
        let tags = split_list(&value);
        tags.iter().any(|tag| tag.eq_ignore_ascii_case(EVENT_LIST))
    })
}

impl<F: Copy + Eq + std::hash::Hash> Agent<F> {
    /// Replaces the members of a watched list; each counts as a subscription.
    pub(super) fn set_list(&mut self, id: u32, list: Box<List>) {
        let Some(subscription) = self.store.get(id) else {
            return;
        };
        let (source, before) = (network(subscription.source), subscription.weight());
        let after = 1 + list.len();
        let count = self.per_source.entry(source).or_insert(0);
        *count = (*count + after).saturating_sub(before);
        self.store.set_list(id, list);
    }

    /// Handles changed members of a list, or its removal.
    pub fn list_changed(
        &mut self,
        now: Duration,
        list: ListId,
        host: &mut impl Host<F>,
        out: &mut Outbox<F>,
    ) {
        for id in self.store.watchers(Watched::List(list)) {
            let Some(subscription) = self.store.get_mut(id) else {
                continue;
            };
            let members = List::new(list, subscription.watcher, host);
            match (&subscription.subject, members) {
                (Subject::List(old), Some(new)) if old.is_of(&new) => continue,
                (Subject::List(_) | Subject::Resource(..), Some(new)) => self.set_list(id, new),
                (Subject::List(_) | Subject::Resource(..), None) => {
                    subscription.ending = Some(Ending::NoResource);
                }
            }
            self.notify(now, id, host, out);
        }
    }
}
