//! Subscriptions in a slab, found by number, and a list of watchers for each resource. Compact, for up to a million.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use super::{
    Class, ListId, Package, Peer, Resource, Watcher,
    list::List,
    notify::{Ending, Pending},
};
use crate::Transport;

/// The subject of a subscription.
#[derive(Debug)]
pub(super) enum Subject {
    /// One resource, with the class of the watcher.
    Resource(Resource, Class),
    /// The members of a list; each has a class of its own.
    List(Box<List>),
}

impl Subject {
    pub(super) fn watched(&self) -> Watched {
        match self {
            Self::Resource(resource, _) => Watched::Resource(*resource),
            Self::List(list) => Watched::List(list.id),
        }
    }
}

/// A resource or list with watchers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Watched {
    Resource(Resource),
    List(ListId),
}

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
    pub(super) subject: Subject,
    pub(super) watcher: Option<Watcher>,
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
        subject: Subject,
        watcher: Option<Watcher>,
        package: Package,
    ) -> Option<Self> {
        let (texts, ends) = texts.pack()?;
        Some(Self {
            texts,
            ends,
            flow: peer.flow,
            source: peer.source.ip(),
            transport: peer.transport,
            subject,
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
        match &self.subject {
            Subject::Resource(..) => 1,
            Subject::List(list) => 1 + list.len(),
        }
    }

    /// The subject, and if it is a list its members, each once.
    fn watched(&self) -> Vec<Watched> {
        let mut watched = vec![self.subject.watched()];
        if let Subject::List(list) = &self.subject {
            watched.extend(list.resources().map(Watched::Resource));
            watched.sort_unstable();
            watched.dedup();
        }
        watched
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
    watchers: HashMap<Watched, Vec<u32>>,
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
        let watched = subscription.watched();
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
        self.follow(id, watched);
        self.count += 1;
        Some(id)
    }

    fn follow(&mut self, id: u32, watched: Vec<Watched>) {
        for watched in watched {
            self.watchers.entry(watched).or_default().push(id);
        }
    }

    fn unfollow(&mut self, id: u32, watched: Vec<Watched>) {
        for watched in watched {
            let Some(watchers) = self.watchers.get_mut(&watched) else {
                continue;
            };
            if let Some(at) = watchers.iter().position(|watcher| *watcher == id) {
                watchers.swap_remove(at);
            }
            if watchers.is_empty() {
                self.watchers.remove(&watched);
            }
        }
    }

    /// Replaces the members of the watched list.
    pub(super) fn set_list(&mut self, id: u32, list: Box<List>) {
        let Some(subscription) = self.get_mut(id) else {
            return;
        };
        let before = subscription.watched();
        subscription.subject = Subject::List(list);
        let after = subscription.watched();
        self.unfollow(id, before);
        self.follow(id, after);
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Subscription<F>> {
        let subscription = self.slots.get_mut(id as usize)?.take()?;
        self.unfollow(id, subscription.watched());
        self.free.push(id);
        self.count -= 1;
        Some(subscription)
    }

    /// The subscription at this position among those to a resource or list.
    pub(super) fn watcher(&self, watched: Watched, at: usize) -> Option<u32> {
        self.watchers.get(&watched)?.get(at).copied()
    }

    /// All subscriptions to a resource or list.
    pub(super) fn watchers(&self, watched: Watched) -> Vec<u32> {
        self.watchers.get(&watched).cloned().unwrap_or_default()
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
