//! What is published into the telephone system's own presence server (RFC 3903), so that keys of telephones that watch there
//! show what happens elsewhere. Pure.
//!
//! It keeps the pace: at most [`IN_FLIGHT_MAX`] first PUBLISHes under way, one until the account's credentials are proven, and none
//! for a while after they were refused ([`Gate`]).

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
    subscriber::{self, Account},
};

use super::{Publication, Trouble, escape_user, gate::Gate, trouble::Words};

/// First PUBLISHes that may wait for their answer at once.
const IN_FLIGHT_MAX: usize = 50;

/// An extension in one event package.
type Key = (Arc<str>, Package);

#[derive(Debug)]
struct Entry {
    publisher: Publisher,
    /// The document that ends the publication when the connector stops.
    last: Arc<[u8]>,
    scheduled: Option<Duration>,
    started: bool,
}

/// Everything that is published.
pub(super) struct Publications {
    words: Words,
    ids: Ids,
    /// One for each package; `None` while the system cannot be reached.
    accounts: Option<[(Package, Arc<Account>); 2]>,
    entries: BTreeMap<Key, Entry>,
    by_call_id: HashMap<String, Key>,
    deadlines: BTreeSet<(Duration, Key)>,
    /// Those that wait for their first PUBLISH.
    waiting: VecDeque<Key>,
    /// Publications that wait for their last document, while the connector stops.
    ending: VecDeque<Key>,
    in_flight: usize,
    gate: Gate<Key>,
    /// The subscriptions are about to prove the same credentials.
    is_held: bool,
    trouble: Option<Trouble>,
    /// The trouble has come or gone.
    changed: bool,
}

impl Publications {
    pub(super) fn new(words: Words, ids: Ids) -> Self {
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
            is_held: false,
            trouble: None,
            changed: false,
        }
    }

    /// Whether there is something new to tell about trouble; asking clears it.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// What does not work.
    pub(super) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let first = self.deadlines.first().map(|(at, _)| *at);
        let may_begin = self.accounts.is_some() && !self.is_held && !self.waiting.is_empty();
        let opens_at = self.gate.opens_at(self.in_flight);
        [first, opens_at.filter(|_| may_begin)]
            .into_iter()
            .flatten()
            .min()
    }

    /// Holds back what has not begun, or lets it go on: the subscriptions prove the credentials first. The owner calls
    /// [`Self::elapse`] afterwards.
    pub(super) fn hold(&mut self, is_held: bool) {
        self.is_held = is_held;
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight == 0 && self.ending.is_empty()
    }

    /// Publishes this about an extension: for as long as it holds, or as the last of it.
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
                Publication::Lasting { documents, last } => {
                    self.keep(&key, last.of(package));
                    Event::Publish(documents.of(package))
                }
                Publication::Last(documents) => Event::End(documents.of(package)),
            };
            self.run(now, &key, event, &mut out);
        }
        self.pump(now, &mut out);
        out
    }

    /// Makes sure that the publication exists, and that this document will end it.
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

    /// The telephone system answers: everything is published.
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

    /// The telephone system does not answer.
    pub(super) fn transport_lost(&mut self, now: Duration) {
        self.accounts = None;
        self.gate.reconnected();
        self.trouble = None;
        self.suspend_all(now);
    }

    /// Stops every publication until its turn comes again.
    fn suspend_all(&mut self, now: Duration) {
        self.waiting.clear();
        let all: Vec<Key> = self.entries.keys().cloned().collect();
        for key in &all {
            self.suspend(now, key);
        }
    }

    /// Stops a publication until its turn comes again; its document stays at the phone system until it expires.
    fn suspend(&mut self, now: Duration, key: &Key) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.started = false;
            self.waiting.push_back(key.clone());
            self.run(now, key, Event::TransportLost, &mut Vec::new());
        }
    }

    /// Ends every publication with its last document, at the same pace as they began. Kamailio sends no `terminated` when a
    /// publication is removed, and some phones leave a BLF key lit when a dialog vanishes without it: what is last is
    /// published, and expires soon.
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

    /// Takes an answer; `None`: it belongs to no publication.
    pub(super) fn receive(&mut self, now: Duration, message: &Message<'_>) -> Option<Vec<Vec<u8>>> {
        message.code()?;
        let call_id = message.call_id().ok()?;
        let key = self.by_call_id.get(&*call_id)?.clone();
        let mut out = Vec::new();
        self.run(now, &key, Event::Received(message), &mut out);
        self.pump(now, &mut out);
        Some(out)
    }

    /// Time has passed.
    pub(super) fn elapse(&mut self, now: Duration) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
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

    /// Lets those go on whose turn it is.
    fn pump(&mut self, now: Duration, out: &mut Vec<Vec<u8>>) {
        while self.in_flight < IN_FLIGHT_MAX
            && let Some(key) = self.ending.pop_front()
        {
            if let Some(last) = self.entries.get(&key).map(|entry| Arc::clone(&entry.last)) {
                self.run(now, &key, Event::End(last), out);
            }
        }
        while !self.is_held && self.gate.is_open(now, self.in_flight, IN_FLIGHT_MAX) {
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
        } else if let Some(at) = entry.publisher.next_deadline() {
            entry.scheduled = Some(at);
            self.deadlines.insert((at, key.clone()));
        }
        match evidence {
            Some(Evidence::Accepted) => self.gate.accepted(),
            // Some phone systems answer a wrong password with 403.
            Some(Evidence::Forbidden) if !self.gate.is_proven() => {
                self.refuse(now, key, &publisher::Trouble::Refused { code: 403 });
            }
            Some(Evidence::Forbidden) | None => {}
        }
        for action in actions {
            match action {
                Action::Send(bytes) => out.push(bytes),
                Action::Accepted => {
                    if self.trouble.take().is_some() {
                        self.changed = true;
                        tracing::info!(domain = %self.words.domain, "publishing works again");
                    }
                }
                Action::Trouble(trouble) => self.on_trouble(now, key, &trouble),
            }
        }
    }

    /// A publication's credentials were refused. Once they are refused for all, the others do not try theirs, not even for a
    /// renewal.
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
        use subscriber::Trouble as T;
        if let T::WrongCredentials { .. } | T::UnusableChallenge { .. } = trouble {
            self.refuse(now, key, trouble);
        }
        let words = self.words.publication(&key.0, key.1.name(), trouble);
        if self.trouble.as_ref() != Some(&words) {
            self.changed = true;
            tracing::warn!(what = %words.what, remedy = %words.remedy, "trouble with publishing");
        }
        self.trouble = Some(words);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use sip::{message::answer, publisher::LAST_EXPIRES};

    use super::*;
    use crate::sip_connector::{Documents, SipConnectorConfig, Transport};

    const SECOND: Duration = Duration::from_secs(1);

    fn publications() -> Publications {
        let config = SipConnectorConfig {
            name: "test".into(),
            servers: vec!["127.0.0.1:5060".into()],
            trust: None,
            name_server: None,
            transport: Some(Transport::Udp),
            domain: "pbx.test".into(),
            username: "offhook".into(),
            password: "right".into(),
            lists: Vec::new(),
            bind: None,
        };
        Publications::new(Words::new(&config), Ids::new([5; 32]))
    }

    fn account() -> Account {
        Account {
            from: "sip:offhook@pbx.test".into(),
            contact: "sip:offhook@127.0.0.1:5080".into(),
            sent_by: "127.0.0.1:5080".into(),
            transport: sip::Transport::Udp,
            credentials: None,
            event: "dialog".into(),
            accept: sip::dialog_info::CONTENT_TYPE.into(),
            supported: None,
            user_agent: "test".into(),
        }
    }

    fn documents(dialog: &[u8], presence: &[u8]) -> Documents {
        Documents {
            dialog: dialog.into(),
            presence: presence.into(),
        }
    }

    fn lasting() -> Publication {
        Publication::Lasting {
            documents: documents(b"dialog", b"presence"),
            last: last(),
        }
    }

    fn last() -> Documents {
        documents(b"terminated", b"available")
    }

    /// Answers one request with this code; the requests that follow.
    fn respond(all: &mut Publications, now: Duration, request: &[u8], code: u16) -> Vec<Vec<u8>> {
        let request = Message::parse(request).unwrap();
        let response = answer(&request, code, Some("pbx"))
            .header("SIP-ETag", request.call_id().unwrap())
            .header("Expires", request.seconds("Expires").unwrap())
            .finish()
            .unwrap();
        let more = all.receive(now, &Message::parse(&response).unwrap());
        more.expect("an answer of ours")
    }

    /// Answers everything that was sent with this code until nothing is sent any more; how many were sent.
    fn serve(all: &mut Publications, now: Duration, mut sent: Vec<Vec<u8>>, code: u16) -> usize {
        let mut count = 0;
        while let Some(request) = sent.pop() {
            count += 1;
            assert!(sent.len() < IN_FLIGHT_MAX);
            sent.extend(respond(all, now, &request, code));
        }
        count
    }

    #[test]
    fn thousands_are_published_at_a_pace_and_taken_back() {
        let mut all = publications();
        let extensions: Vec<Arc<str>> = (0..1_000).map(|n| n.to_string().into()).collect();
        for extension in &extensions {
            assert!(
                all.publish(SECOND, extension, &lasting()).is_empty(),
                "nobody is there yet"
            );
        }
        // The subscriptions go first, then one publication, then the others.
        all.hold(true);
        assert!(all.transport_up(SECOND, &account()).is_empty());
        assert_eq!(all.next_deadline(), None);
        all.hold(false);
        let proof = all.elapse(SECOND);
        assert_eq!(proof.len(), 1);
        let first = respond(&mut all, SECOND, &proof[0], 200);
        assert_eq!(first.len(), IN_FLIGHT_MAX);
        let events: HashSet<String> = first
            .iter()
            .filter_map(|bytes| {
                let message = Message::parse(bytes).unwrap();
                message.header("Event").map(|event| event.into_owned())
            })
            .collect();
        assert_eq!(events, HashSet::from(["dialog".into(), "presence".into()]));
        assert_eq!(serve(&mut all, SECOND, first, 200), 1_999);
        assert!(all.is_idle() && all.next_deadline().is_some());
        let mut ended = Vec::new();
        for extension in &extensions[..10] {
            ended.extend(all.publish(SECOND, extension, &Publication::Last(last())));
        }
        assert_eq!(serve(&mut all, SECOND, ended, 200), 20);
        let renewals = all.elapse(SECOND + SECOND * LAST_EXPIRES);
        serve(&mut all, SECOND, renewals, 200);
        assert_eq!(all.entries.len(), 1_980);
    }

    // A21
    #[test]
    fn at_a_stop_each_publication_ends_with_its_last_document_at_a_pace_and_blf_keys_first() {
        let mut all = publications();
        let mut sent = all.transport_up(SECOND, &account());
        for number in 0..200 {
            let extension: Arc<str> = number.to_string().into();
            sent.extend(all.publish(SECOND, &extension, &lasting()));
        }
        assert_eq!(serve(&mut all, SECOND, sent, 200), 400);
        let first = all.stop(SECOND);
        assert_eq!(first.len(), IN_FLIGHT_MAX);
        for bytes in &first {
            let message = Message::parse(bytes).unwrap();
            assert_eq!(message.body(), b"terminated");
            assert_eq!(message.seconds("Expires"), Some(LAST_EXPIRES));
            assert!(message.header("SIP-If-Match").is_some());
        }
        assert!(!all.is_idle());
        assert_eq!(serve(&mut all, SECOND, first, 200), 400);
        assert!(all.is_idle());
    }

    // A21
    #[test]
    fn a_stop_waits_for_no_publication_that_the_pbx_does_not_have() {
        let mut all = publications();
        all.publish(SECOND, &"1001".into(), &lasting());
        assert!(all.stop(SECOND).is_empty() && all.is_idle());
        let mut all = publications();
        let mut sent = all.transport_up(SECOND, &account());
        sent.extend(all.publish(SECOND, &"1001".into(), &lasting()));
        serve(&mut all, SECOND, sent, 489);
        assert!(all.stop(SECOND).is_empty() && all.is_idle());
    }

    // A20
    #[test]
    fn a_refused_password_is_named_and_not_tried_with_all() {
        let mut all = publications();
        let mut sent = all.transport_up(SECOND, &account());
        for number in 0..1_000 {
            let extension: Arc<str> = number.to_string().into();
            sent.extend(all.publish(SECOND, &extension, &lasting()));
        }
        assert_eq!(serve(&mut all, SECOND, sent, 401), 2);
        let trouble = all.trouble().expect("trouble");
        assert!(trouble.what.contains("offhook"), "{trouble:?}");
        // One attempt after each pause; documents that change meanwhile wait.
        let mut now = SECOND;
        let mut attempts = 0;
        while now < SECOND * 3600 {
            now = all.next_deadline().expect("another attempt");
            let changed = all.publish(now, &"7".into(), &lasting());
            let due = all.elapse(now);
            attempts += serve(&mut all, now, [changed, due].concat(), 401);
        }
        assert!((10..=15).contains(&attempts), "{attempts}");
        let now = all.next_deadline().expect("another attempt");
        let later = all.elapse(now);
        assert_eq!(later.len(), 1);
        assert_eq!(serve(&mut all, now, later, 200), 2_000);
        assert_eq!(all.trouble(), None);
    }

    // A20: the password is changed while a thousand documents are there.
    #[test]
    fn renewals_stop_after_a_few_refusals() {
        let mut all = publications();
        let mut sent = all.transport_up(SECOND, &account());
        for number in 0..1_000 {
            let extension: Arc<str> = number.to_string().into();
            sent.extend(all.publish(SECOND, &extension, &lasting()));
        }
        assert_eq!(serve(&mut all, SECOND, sent, 200), 2_000);
        let (mut now, mut attempts) = (SECOND, 0);
        while now < SECOND * 600 {
            now = all.next_deadline().expect("another attempt");
            let due = all.elapse(now);
            attempts += serve(&mut all, now, due, 407);
        }
        assert!(attempts <= 10, "{attempts}");
    }
}
