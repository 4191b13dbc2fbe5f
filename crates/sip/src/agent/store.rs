//! Subscriptions in a slab, found by number, and a list of watchers for each resource. Compact, for up to a million.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use super::{
    Class, Package, Peer, Resource, Watcher,
    list::List,
    notify::{Ending, Pending},
};
use crate::Transport;

/// One subscription (RFC 6665 §4.4.1). The texts of its dialog are in one allocation.
#[derive(Debug)]
pub(super) struct Subscription<F> {
    /// Local address, remote address with tag, Call-ID, event id, target, and one route in each line.
    texts: Box<str>,
    ends: [u16; 5],
    pub(super) flow: F,
    /// The source address for which it is counted.
    pub(super) source: IpAddr,
    pub(super) transport: Transport,
    pub(super) resource: Resource,
    pub(super) class: Class,
    pub(super) watcher: Watcher,
    pub(super) package: Package,
    /// The unpredictable part of the agent's tag, after the number of the subscription.
    pub(super) tag: u64,
    pub(super) remote_cseq: u32,
    pub(super) local_cseq: u32,
    pub(super) version: u32,
    /// End in whole seconds, rounded up.
    pub(super) expires_at: u32,
    /// Shortest interval of NOTIFYs in seconds (RFC 6446).
    pub(super) min_interval: u16,
    /// Fingerprint of the document sent last; 0: none, or send it again.
    pub(super) sent_fingerprint: u64,
    /// The resource changed while a NOTIFY was under way, or within the interval.
    pub(super) changed: bool,
    pub(super) ending: Option<Ending>,
    /// When the last NOTIFY was sent.
    pub(super) notified_at: Duration,
    pub(super) pending: Option<Box<Pending>>,
    /// The members, if the resource is a list.
    pub(super) list: Option<Box<List>>,
}

/// The texts of a dialog.
#[derive(Clone, Debug)]
pub(super) struct Texts<'a> {
    /// The agent's address in From of NOTIFYs, without tag.
    pub(super) local: &'a str,
    /// The watcher's From with its tag.
    pub(super) remote: &'a str,
    pub(super) call_id: &'a str,
    /// Distinguishes subscriptions of one dialog (RFC 6665 §8.2.1); mostly empty.
    pub(super) event_id: &'a str,
    pub(super) target: &'a str,
    /// Routes, each with a line feed.
    pub(super) routes: &'a str,
}

impl Texts<'_> {
    fn pack(&self) -> Option<(Box<str>, [u16; 5])> {
        let mut text = String::with_capacity(
            self.local.len()
                + self.remote.len()
                + self.call_id.len()
                + self.event_id.len()
                + self.target.len()
                + self.routes.len(),
        );
        let mut ends = [0; 5];
        let parts = [
            self.local,
            self.remote,
            self.call_id,
            self.event_id,
            self.target,
        ];
        for (part, end) in parts.into_iter().zip(&mut ends) {
            text.push_str(part);
            *end = u16::try_from(text.len()).ok()?;
        }
        text.push_str(self.routes);
        u16::try_from(text.len()).ok()?;
        Some((text.into_boxed_str(), ends))
    }
}

impl<F: Copy> Subscription<F> {
    /// A subscription; `None` if its headers are longer than real ones.
    pub(super) fn new(
        texts: &Texts<'_>,
        peer: Peer<F>,
        resource: Resource,
        (class, watcher): (Class, Watcher),
        package: Package,
    ) -> Option<Self> {
        let (texts, ends) = texts.pack()?;
        Some(Self {
            texts,
            ends,
            flow: peer.flow,
            source: peer.source.ip(),
            transport: peer.transport,
            resource,
            class,
            watcher,
            package,
            tag: 0,
            remote_cseq: 0,
            sent_fingerprint: 0,
            local_cseq: 0,
            version: 0,
            expires_at: 0,
            min_interval: 0,
            changed: false,
            ending: None,
            notified_at: Duration::ZERO,
            pending: None,
            list: None,
        })
    }

    pub(super) fn texts(&self) -> Texts<'_> {
        let [local, remote, call_id, event_id, target] = self.ends.map(usize::from);
        let part = |from: usize, to: usize| self.texts.get(from..to).unwrap_or_default();
        Texts {
            local: part(0, local),
            remote: part(local, remote),
            call_id: part(remote, call_id),
            event_id: part(call_id, event_id),
            target: part(event_id, target),
            routes: part(target, self.texts.len()),
        }
    }

    /// The number of resources for which the subscription counts.
    pub(super) fn weight(&self) -> usize {
        1 + self.list.as_ref().map_or(0, |list| list.len())
    }

    /// The watched resources, each once: one, or a list and its members.
    fn resources(&self) -> Vec<Resource> {
        let mut resources = vec![self.resource];
        if let Some(list) = &self.list {
            resources.extend(list.resources());
            resources.sort_unstable();
            resources.dedup();
        }
        resources
    }

    /// The watcher's From, unchanged.
    pub(super) fn remote(&self) -> &str {
        self.texts().remote
    }

    /// Sets the watcher's new address.
    pub(super) fn retarget(&mut self, target: &str) {
        let texts = self.texts();
        if texts.target == target {
            return;
        }
        if let Some((texts, ends)) = (Texts { target, ..texts }).pack() {
            (self.texts, self.ends) = (texts, ends);
        }
    }
}

/// All subscriptions.
#[derive(Debug)]
pub(super) struct Store<F> {
    slots: Vec<Option<Subscription<F>>>,
    free: Vec<u32>,
    watchers: HashMap<Resource, Vec<u32>>,
    count: usize,
}

impl<F: Copy + Eq> Store<F> {
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            watchers: HashMap::new(),
            count: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn get(&self, id: u32) -> Option<&Subscription<F>> {
        self.slots.get(id as usize)?.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Subscription<F>> {
        self.slots.get_mut(id as usize)?.as_mut()
    }

    /// Adds a subscription and returns its number; `None` if no number is left.
    pub(super) fn add(&mut self, subscription: Subscription<F>) -> Option<u32> {
        let resources = subscription.resources();
        let id = match self.free.pop() {
            Some(id) => {
                *self.slots.get_mut(id as usize)? = Some(subscription);
                id
            }
            None => {
                let id = u32::try_from(self.slots.len()).ok()?;
                self.slots.push(Some(subscription));
                id
            }
        };
        self.follow(id, resources);
        self.count += 1;
        Some(id)
    }

    fn follow(&mut self, id: u32, resources: Vec<Resource>) {
        for resource in resources {
            self.watchers.entry(resource).or_default().push(id);
        }
    }

    fn unfollow(&mut self, id: u32, resources: Vec<Resource>) {
        for resource in resources {
            let Some(watchers) = self.watchers.get_mut(&resource) else {
                continue;
            };
            if let Some(at) = watchers.iter().position(|watcher| *watcher == id) {
                watchers.swap_remove(at);
            }
            if watchers.is_empty() {
                self.watchers.remove(&resource);
            }
        }
    }

    /// Replaces the members of the watched list.
    pub(super) fn set_list(&mut self, id: u32, list: Box<List>) {
        let Some(subscription) = self.get_mut(id) else {
            return;
        };
        let before = subscription.resources();
        subscription.list = Some(list);
        let after = subscription.resources();
        self.unfollow(id, before);
        self.follow(id, after);
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Subscription<F>> {
        let subscription = self.slots.get_mut(id as usize)?.take()?;
        self.unfollow(id, subscription.resources());
        self.free.push(id);
        self.count -= 1;
        Some(subscription)
    }

    /// The watcher at this position in the resource's list of watchers.
    pub(super) fn watcher(&self, resource: Resource, at: usize) -> Option<u32> {
        self.watchers.get(&resource)?.get(at).copied()
    }

    /// All watchers of a resource.
    pub(super) fn watchers(&self, resource: Resource) -> Vec<u32> {
        self.watchers.get(&resource).cloned().unwrap_or_default()
    }

    /// The subscriptions with NOTIFYs over this flow.
    pub(super) fn of_flow(&self, flow: F) -> Vec<u32> {
        let ids = 0u32..;
        let of_flow = |(id, slot): (u32, &Option<Subscription<F>>)| {
            (slot.as_ref()?.flow == flow).then_some(id)
        };
        ids.zip(&self.slots).filter_map(of_flow).collect()
    }
}
