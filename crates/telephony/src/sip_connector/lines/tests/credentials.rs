//! Lines against a notifier that treats nonces as FreeSWITCH does, on a driven clock with a latency.

mod refusals;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::*;
use crate::sip_connector::gate::Hold;

const LATENCY: Duration = Duration::from_millis(20);
const CANARY_INTERVAL: Duration = Duration::from_secs(20);

/// A notifier with short-lived nonces.
struct Notifier {
    nonce_ttl: Duration,
    /// Longest subscription that is granted, in seconds.
    expires: u32,
    right_password: bool,
    /// Lines that are answered 407 with a new nonce each time.
    refused: Vec<&'static str>,
    nonces: HashMap<String, Duration>,
    /// Call-IDs of subscriptions, and the CSeq of the last NOTIFY.
    dialogs: HashMap<String, u32>,
    /// The last request of each subscription.
    requests: HashMap<String, Vec<u8>>,
    drawn: u32,
    old_nonces: u32,
    failed_logins: u32,
    naked: u32,
}

impl Notifier {
    fn new(expires: u32) -> Self {
        Self {
            nonce_ttl: SECOND * 60,
            expires,
            right_password: true,
            refused: Vec::new(),
            nonces: HashMap::new(),
            dialogs: HashMap::new(),
            requests: HashMap::new(),
            drawn: 0,
            old_nonces: 0,
            failed_logins: 0,
            naked: 0,
        }
    }

    fn restart(&mut self) {
        self.nonces.clear();
        self.dialogs.clear();
    }

    fn challenge(&mut self, now: Duration) -> String {
        self.drawn += 1;
        let nonce = format!("nonce{}", self.drawn);
        self.nonces.insert(nonce.clone(), now);
        format!("Digest realm=\"pbx.test\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"")
    }

    fn answer(&self, request: &Message<'_>, code: u16, header: Option<(&str, &str)>) -> Vec<u8> {
        let mut response = answer(request, code, Some("pbx")).header("Contact", "<sip:pbx>");
        if code < 300 {
            response = response.header("Expires", self.expires);
        }
        if let Some((name, value)) = header {
            response = response.header(name, value);
        }
        response.finish().unwrap()
    }

    fn notify(&mut self, request: &Message<'_>, state: &str) -> Vec<u8> {
        let call_id = request.call_id().unwrap().into_owned();
        let cseq = self.dialogs.entry(call_id.clone()).or_default();
        *cseq += 1;
        Writer::request("NOTIFY", "sip:u@h")
            .header(
                "Via",
                format_args!("SIP/2.0/TCP pbx;branch={call_id}{cseq}"),
            )
            .header("From", "<sip:x@pbx.test>;tag=pbx")
            .header("To", request.header("From").unwrap())
            .header("Call-ID", &call_id)
            .header("CSeq", format_args!("{cseq} NOTIFY"))
            .header("Event", "dialog")
            .header("Subscription-State", state)
            .body(
                "application/dialog-info+xml",
                document(*cseq, "full", "confirmed").as_bytes(),
            )
            .unwrap()
    }

    /// Answers of FreeSWITCH to a nonce that has expired or is unknown: all three kinds were recorded in one run.
    fn on_old_nonce(&mut self, now: Duration, request: &Message<'_>) -> Vec<Vec<u8>> {
        self.old_nonces += 1;
        let challenge = self.challenge(now);
        match self.old_nonces % 4 {
            1 => vec![self.answer(request, 401, Some(("WWW-Authenticate", &challenge)))],
            2 => vec![self.answer(request, 407, Some(("Proxy-Authenticate", &challenge)))],
            order => {
                self.naked += 1;
                let refusal = self.answer(request, 401, None);
                let end = self.notify(request, "terminated;reason=noresource");
                self.dialogs.remove(&*request.call_id().unwrap());
                match order {
                    0 => vec![refusal, end],
                    _ => vec![end, refusal],
                }
            }
        }
    }

    fn receive(&mut self, now: Duration, bytes: &[u8]) -> Vec<Vec<u8>> {
        let request = Message::parse(bytes).unwrap();
        if request.method() != Some("SUBSCRIBE") {
            return Vec::new();
        }
        let authorization = ["Authorization", "Proxy-Authorization"]
            .into_iter()
            .find_map(|name| request.header(name));
        let nonce = authorization.as_deref().map(|value| {
            let (_, rest) = value.split_once("nonce=\"").unwrap();
            rest.split_once('"').unwrap().0.to_owned()
        });
        let to = request.header("To").unwrap();
        let refused = self.refused.iter().any(|line| to.contains(line));
        if let Some(nonce) = &nonce
            && self
                .nonces
                .get(nonce)
                .is_none_or(|born| now >= *born + self.nonce_ttl)
        {
            return self.on_old_nonce(now, &request);
        }
        if nonce.is_none() || !self.right_password || refused {
            self.failed_logins += u32::from(nonce.is_some());
            let challenge = self.challenge(now);
            return vec![self.answer(&request, 407, Some(("Proxy-Authenticate", &challenge)))];
        }
        let in_dialog = request.to_tag().is_some();
        if in_dialog && !self.dialogs.contains_key(&*request.call_id().unwrap()) {
            return vec![self.answer(&request, 401, None)];
        }
        let call_id = request.call_id().unwrap().into_owned();
        self.requests.insert(call_id, bytes.to_vec());
        let accepted = self.answer(&request, 202, None);
        vec![
            accepted,
            self.notify(&request, &format!("active;expires={}", self.expires)),
        ]
    }
}

/// Lines, the notifier, and messages under way in both directions.
struct World {
    lines: Lines,
    notifier: Notifier,
    now: Duration,
    under_way: BTreeMap<(Duration, u64), (bool, Vec<u8>)>,
    sent: u64,
    next_canary: Duration,
    stale_since: BTreeMap<Arc<str>, Duration>,
    longest_stale: Duration,
    /// When each line's lease ends.
    leases: BTreeMap<Arc<str>, Duration>,
    /// The longest time without a known state, by line.
    gaps: BTreeMap<Arc<str>, Duration>,
    account_troubles: BTreeSet<String>,
    line_troubles: BTreeSet<String>,
}

impl World {
    fn new(count: usize, notifier: Notifier) -> Self {
        Self {
            lines: lines(count),
            notifier,
            now: SECOND,
            under_way: BTreeMap::new(),
            sent: 0,
            next_canary: SECOND + CANARY_INTERVAL,
            stale_since: BTreeMap::new(),
            longest_stale: Duration::ZERO,
            leases: BTreeMap::new(),
            gaps: BTreeMap::new(),
            account_troubles: BTreeSet::new(),
            line_troubles: BTreeSet::new(),
        }
    }

    /// A NOTIFY of this Subscription-State in each dialog.
    fn notify_all(&mut self, state: &str) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        for (call_id, request) in self.notifier.requests.clone() {
            if self.notifier.dialogs.contains_key(&call_id) {
                let request = Message::parse(&request).unwrap();
                all.push(self.notifier.notify(&request, state));
            }
        }
        all
    }

    fn post(&mut self, to_notifier: bool, bytes: Vec<u8>) {
        self.sent += 1;
        let at = (self.now + LATENCY, self.sent);
        self.under_way.insert(at, (to_notifier, bytes));
    }

    fn apply(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(bytes) => self.post(true, bytes),
                Output::Line {
                    extension,
                    change: LineChange::Stale,
                } => {
                    self.stale_since.entry(extension).or_insert(self.now);
                }
                Output::Line {
                    extension,
                    change: LineChange::State { lease, .. },
                } => {
                    let end = self.leases.insert(extension.clone(), self.now + lease);
                    let gap = self.now.saturating_sub(end.unwrap_or(self.now));
                    let longest = self.gaps.entry(extension.clone()).or_default();
                    *longest = gap.max(*longest);
                    if let Some(since) = self.stale_since.remove(&extension) {
                        self.longest_stale = self.longest_stale.max(self.now - since);
                    }
                }
                Output::Refreshed(_) => {}
            }
        }
        let account = self.lines.account_trouble();
        self.account_troubles
            .extend(account.map(|trouble| trouble.what));
        let lines = self.lines.line_trouble().values();
        self.line_troubles
            .extend(lines.map(|trouble| trouble.what.clone()));
    }

    fn start(&mut self) {
        let outputs = self.lines.transport_up(self.now, account());
        self.apply(outputs);
    }

    /// Moves the clock on.
    fn run_until(&mut self, until: Duration) {
        loop {
            let arrives = self.under_way.first_key_value().map(|((at, _), _)| *at);
            let due = [arrives, self.lines.next_deadline(), Some(self.next_canary)];
            let next = due.into_iter().flatten().min().unwrap().max(self.now);
            if next > until {
                self.now = until;
                break;
            }
            self.now = next;
            if arrives == Some(next) {
                let (_, (to_notifier, bytes)) = self.under_way.pop_first().unwrap();
                if to_notifier {
                    for answer in self.notifier.receive(next, &bytes) {
                        self.post(false, answer);
                    }
                } else {
                    let outputs = self.lines.receive(next, &Message::parse(&bytes).unwrap());
                    self.apply(outputs);
                }
            } else if self.next_canary <= next {
                self.next_canary = next + CANARY_INTERVAL;
                let outputs = self.lines.canary(next);
                self.apply(outputs);
            } else {
                let outputs = self.lines.elapse(next);
                self.apply(outputs);
            }
        }
        for since in self.stale_since.values() {
            self.longest_stale = self.longest_stale.max(self.now - *since);
        }
    }
}

// A1, F1
#[test]
fn nonces_of_a_minute_make_no_line_stale_for_more_than_a_second() {
    for expires in [600, 60] {
        let mut world = World::new(300, Notifier::new(expires));
        world.start();
        world.run_until(SECOND * 1200);
        assert!(world.notifier.naked > 20, "{}", world.notifier.naked);
        assert_eq!(world.lines.active(), 300);
        assert!(world.longest_stale <= SECOND, "{:?}", world.longest_stale);
        assert_eq!(world.account_troubles, BTreeSet::new());
        assert_eq!(world.line_troubles, BTreeSet::new());
        assert_eq!(world.notifier.failed_logins, 0);
    }
}

// A25, F2: FreeSWITCH restarts between two probes and sends no NOTIFY.
#[test]
fn a_restart_is_noticed_by_the_next_canary_and_all_lines_subscribe_again() {
    let mut world = World::new(300, Notifier::new(600));
    world.start();
    world.run_until(SECOND * 15);
    assert_eq!(world.lines.active(), 300);
    world.notifier.restart();
    world.run_until(SECOND * 23);
    assert_eq!(
        (world.lines.active(), world.notifier.dialogs.len()),
        (300, 300)
    );
    assert!(world.longest_stale <= SECOND, "{:?}", world.longest_stale);
    assert!(world.account_troubles.is_empty() && world.line_troubles.is_empty());
}

// A2
#[test]
fn one_refused_line_does_not_stop_the_others() {
    for refused in ["1000", "1007", "1019"] {
        let mut notifier = Notifier::new(30);
        notifier.refused = vec![refused];
        let mut world = World::new(20, notifier);
        world.start();
        world.run_until(SECOND * 5);
        assert_eq!(world.lines.active(), 19);
        world.run_until(SECOND * 900);
        assert_eq!(world.lines.active(), 19);
        assert!(world.longest_stale <= SECOND, "{:?}", world.longest_stale);
        assert_eq!(world.account_troubles, BTreeSet::new());
        let troubles: Vec<_> = world
            .lines
            .line_trouble()
            .keys()
            .map(|line| &**line)
            .collect();
        assert_eq!(troubles, [refused]);
        let remedy = &world.lines.line_trouble()[refused].remedy;
        assert!(!remedy.contains("password"), "{remedy}");
    }
}

// A20
#[test]
fn a_wrong_password_is_tried_by_two_lines_and_then_by_one_after_each_pause() {
    let mut notifier = Notifier::new(600);
    notifier.right_password = false;
    let mut world = World::new(300, notifier);
    world.start();
    world.run_until(SECOND * 20);
    assert_eq!(world.notifier.failed_logins, 2);
    assert!(
        world
            .lines
            .account_trouble()
            .unwrap()
            .what
            .contains("password")
    );
    world.run_until(SECOND * 3600);
    assert!(
        world.notifier.failed_logins <= 16,
        "{}",
        world.notifier.failed_logins
    );
    // With the right password all lines recover.
    world.notifier.right_password = true;
    world.run_until(SECOND * 4200);
    assert_eq!(world.lines.active(), 300);
    assert!(world.lines.account_trouble().is_none() && world.lines.line_trouble().is_empty());
}

// A20: the password is changed on the PBX while everything works.
#[test]
fn a_changed_password_is_found_out_by_a_few_lines() {
    let mut world = World::new(300, Notifier::new(600));
    world.start();
    world.run_until(SECOND * 100);
    world.notifier.right_password = false;
    world.run_until(SECOND * 700);
    assert!(
        world
            .lines
            .account_trouble()
            .unwrap()
            .what
            .contains("password")
    );
    // Four lines at once and three after pauses, each at most with its old nonce and with a new one.
    assert!(
        world.notifier.failed_logins <= 14,
        "{}",
        world.notifier.failed_logins
    );
}

// A20: a line that is never answered does not hold up the others.
#[test]
fn a_silent_first_line_delays_the_others_by_two_seconds() {
    let mut lines = lines(50);
    assert_eq!(sent(&lines.transport_up(SECOND, account())).len(), 1);
    let due = lines.next_deadline().unwrap();
    assert_eq!(due, SECOND * 3);
    let second = sent(&lines.elapse(due));
    assert_eq!(second.len(), 1);
    assert_eq!(
        sent(&respond(&mut lines, due, &second[0], 200, &[])).len(),
        48
    );
}

// A20: nor does a PBX that answers no SUBSCRIBE hold up publications.
#[test]
fn the_credentials_are_not_held_longer_than_for_the_first_proof() {
    let mut lines = lines(200);
    lines.transport_up(SECOND, account());
    let mut now = SECOND;
    while now < SECOND * 600 {
        assert_eq!(lines.hold(), Hold::Until(SECOND * 3), "{now:?}");
        now = lines.next_deadline().unwrap().max(now);
        lines.elapse(now);
    }
    lines.transport_lost(now);
    assert_eq!(lines.hold(), Hold::Free);
    let first = sent(&lines.transport_up(now, account())).remove(0);
    assert_eq!(lines.hold(), Hold::Until(now + SECOND * 2));
    respond(&mut lines, now, &first, 200, &[]);
    assert_eq!(lines.hold(), Hold::Free);
}

// A20: neither does a PBX that refuses SUBSCRIBE before a login.
#[test]
fn an_unknown_first_line_is_followed_by_the_next_at_once() {
    let mut lines = lines(50);
    let first = sent(&lines.transport_up(SECOND, account()));
    let second = sent(&respond(&mut lines, SECOND, &first[0], 404, &[]));
    assert_eq!(second.len(), 1);
    assert_eq!(
        sent(&respond(&mut lines, SECOND, &second[0], 200, &[])).len(),
        48
    );
}

// A20: a wrong password that is answered 403.
#[test]
fn a_refusal_with_403_after_a_login_is_not_tried_with_all() {
    let challenge = [(
        "WWW-Authenticate",
        "Digest realm=\"r\", nonce=\"n\", qop=\"auth\"",
    )];
    let mut lines = lines(300);
    let mut waiting = sent(&lines.transport_up(SECOND, account()));
    let mut logins = 0;
    while let Some(request) = waiting.pop() {
        let is_login = Message::parse(&request)
            .unwrap()
            .header("Authorization")
            .is_some();
        logins += u32::from(is_login);
        let code = if is_login { 403 } else { 401 };
        waiting.extend(sent(&respond(
            &mut lines, SECOND, &request, code, &challenge,
        )));
    }
    assert_eq!(logins, 2);
    assert!(
        lines
            .account_trouble()
            .unwrap()
            .what
            .contains("403 Forbidden")
    );
}

// A17
#[test]
fn an_unusable_challenge_is_the_accounts_trouble_and_named() {
    let challenge = [(
        "WWW-Authenticate",
        "Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess",
    )];
    let mut lines = lines(300);
    let mut waiting = sent(&lines.transport_up(SECOND, account()));
    while let Some(request) = waiting.pop() {
        waiting.extend(sent(&respond(
            &mut lines, SECOND, &request, 401, &challenge,
        )));
    }
    let trouble = lines.account_trouble().unwrap();
    assert!(trouble.what.contains("MD5-sess"), "{trouble:?}");
    assert!(!trouble.what.contains("password"), "{trouble:?}");
}
