//! Publications into the phone system's own presence server (RFC 3903): they make the BLF keys and displays of phones that
//! watch there show Teams calls and profiles. Pure.
//!
//! The rate is limited: at most [`IN_FLIGHT_MAX`] first PUBLISHes under way, one until the account's credentials are proven,
//! and none for a while after a refusal ([`Gate`]).

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use sip::{
    agent::Package,
    digest::Evidence,
    ids::Ids,
    message::Message,
    publisher::{self, Action, Event, Publisher},
    subscriber::Account,
};

use super::{
    escape_user,
    gate::{Gate, Hold, is_refusal},
    trouble::TroubleTexts,
};
use crate::phone_system::{Documents, Publication, Trouble};

/// Most first PUBLISHes under way at once.
const IN_FLIGHT_MAX: usize = 50;

/// An extension in one event package.
type Key = (Arc<str>, Package);

fn document_of(documents: &Documents, package: Package) -> Arc<[u8]> {
    match package {
        Package::Dialog => Arc::clone(&documents.dialog),
        Package::Presence => Arc::clone(&documents.presence),
    }
}

#[derive(Debug)]
struct Entry {
    publisher: Publisher,
    /// The document that ends the publication when the connector stops.
    last: Arc<[u8]>,
    scheduled: Option<Duration>,
    started: bool,
}

pub(super) struct Publications {
    words: TroubleTexts,
    ids: Ids,
    /// One account for each package; `None` while the phone system cannot be reached.
    accounts: Option<[(Package, Arc<Account>); 2]>,
    entries: BTreeMap<Key, Entry>,
    by_call_id: HashMap<String, Key>,
    deadlines: BTreeSet<(Duration, Key)>,
    /// Publications waiting for their first PUBLISH.
    waiting: VecDeque<Key>,
    /// Publications waiting for their closing document, while the connector stops.
    ending: VecDeque<Key>,
    in_flight: usize,
    gate: Gate<Key>,
    /// Permission by the subscriptions, which prove the same credentials.
    hold: Hold,
    /// Trouble of publications; at most one for each of [`Self::entries`].
    troubles: BTreeMap<Key, Trouble>,
    /// Trouble has begun or ended.
    changed: bool,
}

impl Publications {
    pub(super) fn new(words: TroubleTexts, ids: Ids) -> Self {
        Self {
            words,
            ids,
            accounts: None,
            entries: BTreeMap::new(),
            by_call_id: HashMap::new(),
            deadlines: BTreeSet::new(),
            waiting: VecDeque::new(),
            ending: VecDeque::new(),
            in_flight: 0,
            gate: Gate::default(),
            hold: Hold::Free,
            troubles: BTreeMap::new(),
            changed: false,
        }
    }

    /// Whether trouble has changed since the last call.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// The first trouble, with the number of publications in trouble.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        let (_, first) = self.troubles.first_key_value()?;
        let mut trouble = first.clone();
        if self.troubles.len() > 1 {
            let count = self.troubles.len();
            trouble.what = format!("{} (publications in trouble: {count})", trouble.what);
        }
        Some(trouble)
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let first = self.deadlines.first().map(|(at, _)| *at);
        let is_any_waiting = self.accounts.is_some() && !self.waiting.is_empty();
        let opens_at = match self.hold {
            _ if !is_any_waiting => None,
            Hold::Free => self.gate.opens_at(self.in_flight),
            Hold::Until(until) => self.gate.opens_at(self.in_flight).max(Some(until)),
            Hold::Closed => None,
        };
        [first, opens_at].into_iter().flatten().min()
    }

    /// Holds back publications that have not begun, or lets them begin: the subscriptions prove the credentials first. The
    /// owner calls [`Self::elapse`] afterwards.
    pub(super) fn hold(&mut self, hold: Hold) {
        self.hold = hold;
    }

    /// Whether no request is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.ending.is_empty()
    }

    /// Publishes about an extension: until the next publication, or as the last one.
    pub(super) fn publish(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        publication: &Publication,
    ) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        for package in Package::ALL {
            let key = (Arc::clone(extension), package);
            let event = match publication {
                Publication::Current { documents, closing } => {
                    self.keep(&key, document_of(closing, package));
                    Event::Publish(document_of(documents, package))
                }
                Publication::Closing(documents) => Event::End(document_of(documents, package)),
            };
            self.run(now, &key, event, &mut out);
        }
        self.pump(now, &mut out);
        out
    }

    /// Makes sure that the publication exists, and sets the document that will end it.
    fn keep(&mut self, key: &Key, last: Arc<[u8]>) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.last = last;
            return;
        }
        let target = format!("sip:{}@{}", escape_user(&key.0), self.words.domain);
        let publisher = Publisher::new(target, self.ids.fork());
        self.by_call_id
            .insert(publisher.call_id().to_owned(), key.clone());
        let entry = Entry {
            publisher,
            last,
            scheduled: None,
            started: false,
        };
        self.entries.insert(key.clone(), entry);
        self.waiting.push_back(key.clone());
    }

    /// Publishes everything over a new link.
    pub(super) fn transport_up(&mut self, now: Duration, account: &Account) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        self.accounts = Some(Package::ALL.map(|package| {
            let account = Account {
                event: package.name().into(),
                accept: package.content_type().into(),
                supported: None,
                ..account.clone()
            };
            (package, Arc::new(account))
        }));
        self.waiting = self.entries.keys().cloned().collect();
        self.pump(now, &mut out);
        out
    }

    /// Handles the loss of the link.
    pub(super) fn transport_lost(&mut self, now: Duration) {
        self.accounts = None;
        self.gate.reconnected();
        self.troubles.clear();
        self.suspend_all(now);
    }

    /// Suspends every publication until its turn comes again.
    fn suspend_all(&mut self, now: Duration) {
        self.waiting.clear();
        let all: Vec<Key> = self.entries.keys().cloned().collect();
        for key in &all {
            self.suspend(now, key);
        }
    }

    /// Suspends a publication until its turn comes again; its document stays at the phone system until it expires.
    fn suspend(&mut self, now: Duration, key: &Key) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.started = false;
            self.waiting.push_back(key.clone());
            self.run(now, key, Event::TransportLost, &mut Vec::new());
        }
    }

    /// Ends every publication with its closing document, at the rate at which they began. Kamailio sends no `terminated`
    /// when a publication is removed, and some phones leave a BLF key lit when a dialog vanishes without it; the closing
    /// document expires soon.
    pub(super) fn stop(&mut self, now: Duration) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        self.waiting.clear();
        // BLF keys before displays.
        for package in Package::ALL {
            let keys = self.entries.keys().filter(|key| key.1 == package);
            self.ending.extend(keys.cloned());
        }
        self.pump(now, &mut out);
        out
    }

    /// Applies an answer; `None` if it belongs to no publication.
    pub(super) fn receive(&mut self, now: Duration, message: &Message<'_>) -> Option<Vec<Vec<u8>>> {
        message.code()?;
        let call_id = message.call_id().ok()?;
        let key = self.by_call_id.get(&*call_id)?.clone();
        let mut out = Vec::new();
        self.run(now, &key, Event::Received(message), &mut out);
        self.pump(now, &mut out);
        Some(out)
    }

    /// Handles deadlines that have passed.
    pub(super) fn elapse(&mut self, now: Duration) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        if self.hold.is_free(now) {
            self.hold = Hold::Free;
        }
        while let Some((at, key)) = self.deadlines.first().cloned() {
            if at > now {
                break;
            }
            self.deadlines.pop_first();
            if let Some(entry) = self.entries.get_mut(&key) {
                entry.scheduled = None;
            }
            self.run(now, &key, Event::Elapsed, &mut out);
        }
        self.pump(now, &mut out);
        out
    }

    /// Starts waiting publications, as many as the limits allow.
    fn pump(&mut self, now: Duration, out: &mut Vec<Vec<u8>>) {
        while self.in_flight < IN_FLIGHT_MAX
            && let Some(key) = self.ending.pop_front()
        {
            if let Some(last) = self.entries.get(&key).map(|entry| Arc::clone(&entry.last)) {
                self.run(now, &key, Event::Finish(last), out);
            }
        }
        while self.hold.is_free(now) && self.gate.is_open(now, self.in_flight, IN_FLIGHT_MAX) {
            let Some(accounts) = &self.accounts else {
                return;
            };
            let Some(key) = self.waiting.pop_front() else {
                return;
            };
            let account = accounts.iter().find(|(package, _)| *package == key.1);
            let Some(account) = account.map(|(_, account)| Arc::clone(account)) else {
                continue;
            };
            match self.entries.get_mut(&key) {
                Some(entry) if !entry.started => entry.started = true,
                _ => continue,
            }
            self.gate.begin(now);
            self.run(now, &key, Event::Start(account), out);
        }
    }

    fn run(&mut self, now: Duration, key: &Key, event: Event<'_>, out: &mut Vec<Vec<u8>>) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let was_pending = entry.publisher.is_pending();
        let actions = entry.publisher.handle(now, event);
        match (was_pending, entry.publisher.is_pending()) {
            (false, true) => self.in_flight += 1,
            (true, false) => self.in_flight = self.in_flight.saturating_sub(1),
            _ => {}
        }
        let evidence = entry.publisher.take_evidence();
        if let Some(at) = entry.scheduled.take() {
            self.deadlines.remove(&(at, key.clone()));
        }
        if entry.publisher.is_idle() {
            self.by_call_id.remove(entry.publisher.call_id());
            self.entries.remove(key);
            self.changed |= self.troubles.remove(key).is_some();
        } else if let Some(at) = entry.publisher.next_deadline() {
            entry.scheduled = Some(at);
            self.deadlines.insert((at, key.clone()));
        }
        if evidence == Some(Evidence::Accepted) {
            self.gate.accepted();
        } else if let Some(refusal) = self.gate.refusal(evidence) {
            self.refuse(now, key, &refusal);
        }
        for action in actions {
            match action {
                Action::Send(bytes) => out.push(bytes),
                Action::Accepted => {
                    if self.troubles.remove(key).is_some() {
                        self.changed = true;
                        if self.troubles.is_empty() {
                            tracing::info!(domain = %self.words.domain, "publishing works again");
                        }
                    }
                }
                Action::Trouble(trouble) => self.on_trouble(now, key, &trouble),
            }
        }
    }

    /// Handles refused credentials of a publication. Once the account is refused, the others do not try theirs, not even for
    /// a renewal.
    fn refuse(&mut self, now: Duration, key: &Key, trouble: &publisher::Trouble) {
        let was_refused = self.gate.trouble().is_some();
        self.gate.refused(now, key, trouble, self.entries.len());
        match (was_refused, self.gate.trouble().is_some()) {
            (false, true) => self.suspend_all(now),
            (true, true) => self.suspend(now, key),
            (_, false) => {}
        }
    }

    fn on_trouble(&mut self, now: Duration, key: &Key, trouble: &publisher::Trouble) {
        if is_refusal(trouble) {
            self.refuse(now, key, trouble);
        }
        let words = self.words.publication(&key.0, key.1.name(), trouble);
        if self.troubles.get(key) == Some(&words) || !self.entries.contains_key(key) {
            return;
        }
        // Each kind of trouble has a remedy of its own.
        if self.troubles.values().all(|t| t.remedy != words.remedy) {
            tracing::warn!(what = %words.what, remedy = %words.remedy, "publishing failed");
        }
        self.changed = true;
        self.troubles.insert(key.clone(), words);
    }
}

#[cfg(test)]
mod tests;
