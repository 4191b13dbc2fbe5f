//! A PBX in memory, on a driven clock: it answers SUBSCRIBE as a test demands, sends NOTIFYs, and records the connector's
//! reports. For tests and the fuzz target only.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot be written or read here is a fault of the test"
)]

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use presence::{LineChange, LineState};
use sip::{
    Transport,
    digest::Credentials,
    ids::Ids,
    message::{Message, NameAddr, Writer, answer},
    subscriber::Account,
    uri::user,
};

use super::{Lines, Output};
use crate::sip_connector::trouble::TroubleTexts;

/// Domain of all addresses.
pub(crate) const DOMAIN: &str = "pbx.test";

/// The longest subscription that is granted, in seconds.
const GRANTED_MAX: u32 = 600;

/// A NOTIFY to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Notify {
    /// Replaces the next CSeq.
    pub(crate) cseq: Option<u32>,
    /// Replaces the tag of the PBX.
    pub(crate) from_tag: Option<String>,
    pub(crate) event: String,
    pub(crate) subscription_state: String,
    pub(crate) content_type: String,
    /// Further headers.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Notify {
    pub(crate) fn new(body: Vec<u8>) -> Self {
        Self {
            cseq: None,
            from_tag: None,
            event: "dialog".into(),
            subscription_state: "active;expires=600".into(),
            content_type: sip::dialog_info::CONTENT_TYPE.into(),
            headers: Vec::new(),
            body,
        }
    }
}

/// The answer of the PBX to one SUBSCRIBE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    pub(crate) headers: Vec<(String, String)>,
}

impl Answer {
    /// Accepts the SUBSCRIBE; the state follows by NOTIFY.
    pub(crate) fn accepted() -> Self {
        Self {
            code: 200,
            headers: Vec::new(),
        }
    }
}

/// How the PBX handles SUBSCRIBEs for one line.
#[derive(Debug, Default)]
struct Resource {
    /// Answers to the next SUBSCRIBEs; later ones are accepted.
    answers: VecDeque<Answer>,
    /// The answer to all SUBSCRIBEs without an answer of their own.
    standing: Option<Answer>,
    /// The NOTIFY after each accepted SUBSCRIBE; `None`: no NOTIFY.
    document: Option<Notify>,
    /// From and Call-ID of the latest SUBSCRIBE, for NOTIFYs.
    dialog: Option<(String, String)>,
    cseq: u32,
    requests: Vec<Duration>,
    /// When a NOTIFY last gave a state.
    last_document: Option<Duration>,
}

/// The connector's report of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownState {
    pub(crate) state: LineState,
    /// End of the lease.
    pub(crate) until: Duration,
}

/// The PBX, the connector that watches it, and the clock of both.
pub(crate) struct Notifier {
    pub(crate) lines: Lines,
    pub(crate) now: Duration,
    /// Header User-Agent of NOTIFYs and Server of answers.
    pub(crate) software: Option<String>,
    /// Whether NOTIFYs overtake the answers to SUBSCRIBE.
    pub(crate) notifies_first: bool,
    resources: BTreeMap<String, Resource>,
    states: BTreeMap<String, KnownState>,
    branch: u64,
    /// Status codes of the answers to NOTIFYs.
    pub(crate) answered: Vec<u16>,
}

impl Notifier {
    /// A connector that watches these lines, by one list if given.
    pub(crate) fn new(lines: &[String], list: Option<&str>) -> Self {
        let words = TroubleTexts {
            server: "pbx:5060".into(),
            domain: DOMAIN.into(),
            username: "offhook".into(),
        };
        let now = Duration::from_secs(1);
        let mut all = Lines::new(words, list.map(Arc::from), Ids::new([7; 32]));
        let watch = lines.iter().map(|line| Arc::from(line.as_str())).collect();
        all.change(now, watch, Vec::new());
        Self {
            lines: all,
            now,
            software: None,
            notifies_first: false,
            resources: BTreeMap::new(),
            states: BTreeMap::new(),
            branch: 0,
            answered: Vec::new(),
        }
    }

    /// Makes the PBX reachable: the connector subscribes.
    pub(crate) fn connect(&mut self) {
        let account = Account {
            from: format!("sip:offhook@{DOMAIN}"),
            contact: "sip:offhook@192.0.2.1:5080".into(),
            sent_by: "192.0.2.1:5080".into(),
            transport: Transport::Tcp,
            credentials: Some(Credentials {
                username: "offhook".into(),
                password: "secret".into(),
            }),
            event: "dialog".into(),
            accept: sip::dialog_info::CONTENT_TYPE.into(),
            supported: None,
            user_agent: "Offhook/test".into(),
        };
        let out = self.lines.transport_up(self.now, Arc::new(account));
        self.carry_out(out);
    }

    /// The line's state; `None` if unknown.
    pub(crate) fn state(&self, line: &str) -> Option<LineState> {
        self.known(line).map(|known| known.state)
    }

    /// The connector's latest report of the line, while its lease lasts.
    pub(crate) fn known(&self, line: &str) -> Option<KnownState> {
        let known = self.states.get(line).copied();
        known.filter(|known| known.until >= self.now)
    }

    /// Times of the SUBSCRIBEs for the line.
    pub(crate) fn requests(&self, line: &str) -> &[Duration] {
        self.resources
            .get(line)
            .map_or(&[], |resource| &resource.requests)
    }

    /// When a NOTIFY for the line last gave a state.
    pub(crate) fn last_document(&self, line: &str) -> Option<Duration> {
        self.resources.get(line)?.last_document
    }

    /// The trouble of the line.
    #[cfg(test)]
    pub(crate) fn trouble(&self, line: &str) -> Option<String> {
        let trouble = self.lines.line_trouble().get(line)?;
        Some(format!("{} {}", trouble.what, trouble.remedy))
    }

    /// Answers the next SUBSCRIBE for the line with this.
    pub(crate) fn answer_once(&mut self, line: &str, answer: Answer) {
        self.resource(line).answers.push_back(answer);
    }

    /// Answers every SUBSCRIBE for the line with this.
    pub(crate) fn answer_always(&mut self, line: &str, answer: Option<Answer>) {
        self.resource(line).standing = answer;
    }

    /// Sends this NOTIFY after each accepted SUBSCRIBE for the line.
    pub(crate) fn set_document(&mut self, line: &str, document: Option<Notify>) {
        self.resource(line).document = document;
    }

    fn resource(&mut self, line: &str) -> &mut Resource {
        self.resources.entry(line.to_owned()).or_default()
    }

    /// Sends a NOTIFY in the dialog of the line's latest SUBSCRIBE.
    pub(crate) fn notify(&mut self, line: &str, notify: &Notify) {
        let bytes = self.write_notify(line, notify);
        let out = self.receive(&bytes);
        let is_state = |out: &Output| matches!(out, Output::Line { extension, change: LineChange::State { .. } } if **extension == *line);
        if out.iter().any(is_state) {
            let now = self.now;
            self.resource(line).last_document = Some(now);
        }
        self.carry_out(out);
    }

    fn write_notify(&mut self, line: &str, notify: &Notify) -> Vec<u8> {
        self.branch += 1;
        let (branch, software) = (self.branch, self.software.clone());
        let resource = self.resource(line);
        let cseq = notify.cseq.unwrap_or(resource.cseq.wrapping_add(1));
        resource.cseq = cseq;
        let (to, call_id) = resource.dialog.clone().unwrap_or_default();
        let from_tag = notify.from_tag.as_deref().unwrap_or("pbx");
        let mut request = Writer::request("NOTIFY", "sip:offhook@192.0.2.1:5080")
            .header(
                "Via",
                format_args!("SIP/2.0/TCP 192.0.2.9;branch=z9hG4bKn{branch}"),
            )
            .header("From", format_args!("<sip:{line}@{DOMAIN}>;tag={from_tag}"))
            .header("To", to)
            .header("Call-ID", call_id)
            .header("CSeq", format_args!("{cseq} NOTIFY"))
            .header("Contact", format_args!("<sip:{line}@192.0.2.9>"))
            .header("Event", &notify.event)
            .header("Subscription-State", &notify.subscription_state);
        if let Some(software) = &software {
            request = request.header("User-Agent", software);
        }
        for (name, value) in &notify.headers {
            request = request.header(name, value);
        }
        let written = if notify.body.is_empty() {
            request.finish()
        } else {
            request.body(&notify.content_type, &notify.body)
        };
        written.expect("a NOTIFY can be written")
    }

    /// Sends a NOTIFY with a text replaced, as a device between PBX and connector may do.
    #[cfg(test)]
    pub(crate) fn notify_changed(&mut self, line: &str, notify: &Notify, from: &str, to: &str) {
        let written = String::from_utf8(self.write_notify(line, notify)).expect("text");
        assert!(written.contains(from), "{written}");
        let changed = written.replacen(from, to, 1);
        match Message::parse(changed.as_bytes()) {
            Ok(_) => self.deliver(changed.as_bytes()),
            Err(_) => {
                let out = self.lines.receive_malformed(self.now, changed.as_bytes());
                self.carry_out(out);
            }
        }
    }

    /// Delivers a message unchanged.
    pub(crate) fn deliver(&mut self, bytes: &[u8]) {
        let out = self.receive(bytes);
        self.carry_out(out);
    }

    fn receive(&mut self, bytes: &[u8]) -> Vec<Output> {
        let message = Message::parse(bytes).expect("a message of the PBX can be read");
        self.lines.receive(self.now, &message)
    }

    /// Moves the clock on; the connector runs at each of its deadlines.
    pub(crate) fn elapse(&mut self, time: Duration) {
        let end = self.now + time;
        let most = self.requests_total() + 10_000;
        while let Some(at) = self.lines.next_deadline().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let out = self.lines.elapse(self.now);
            self.carry_out(out);
            assert!(self.requests_total() < most, "it subscribes in a loop");
        }
        self.now = end;
    }

    fn requests_total(&self) -> usize {
        let resources = self.resources.values();
        resources.map(|resource| resource.requests.len()).sum()
    }

    /// Runs the regular check of one line, 20 s after the last.
    pub(crate) fn canary(&mut self) {
        let out = self.lines.canary(self.now);
        self.carry_out(out);
    }

    fn carry_out(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(bytes) => self.on_sent(&bytes),
                Output::Line {
                    extension,
                    change: LineChange::State { state, lease, .. },
                } => {
                    let until = self.now + lease;
                    self.states
                        .insert(extension.to_string(), KnownState { state, until });
                }
                Output::Line {
                    extension,
                    change: LineChange::Stale,
                } => {
                    self.states.remove(&*extension);
                }
                Output::Refreshed(_) => {}
            }
        }
    }

    /// Answers a message of the connector.
    fn on_sent(&mut self, bytes: &[u8]) {
        let request = Message::parse(bytes).expect("the connector writes SIP");
        if let Some(code) = request.code() {
            self.answered.push(code);
            return;
        }
        let to = request.header("To").expect("SUBSCRIBE has To").into_owned();
        let to = NameAddr::parse(&to).expect("an address in To");
        let line = user(to.uri).expect("a line is named");
        let from = request.header("From").expect("SUBSCRIBE has From");
        let dialog = (
            from.into_owned(),
            request.call_id().expect("a Call-ID").into_owned(),
        );
        let (now, software) = (self.now, self.software.clone());
        let resource = self.resource(&line);
        resource.requests.push(now);
        let next = resource.answers.pop_front();
        let given = next
            .or_else(|| resource.standing.clone())
            .unwrap_or_else(Answer::accepted);
        if resource.dialog.as_ref() != Some(&dialog) {
            resource.cseq = 0;
            resource.dialog = Some(dialog);
        }
        let expires = request.seconds("Expires").unwrap_or(600);
        let mut response = answer(&request, given.code, Some("pbx"));
        if let Some(software) = &software {
            response = response.header("Server", software);
        }
        let is_accepted = (200..300).contains(&given.code);
        if is_accepted {
            response = response.header("Contact", format_args!("<sip:{line}@192.0.2.9>"));
            if !given.headers.iter().any(|(name, _)| name == "Expires") {
                response = response.header("Expires", expires.min(GRANTED_MAX));
            }
        }
        for (name, value) in &given.headers {
            response = response.header(name, value);
        }
        let document = resource.document.clone().filter(|_| is_accepted);
        let bytes = response.finish().expect("an answer can be written");
        if !self.notifies_first {
            self.deliver(&bytes);
        }
        if let Some(mut notify) = document {
            if expires == 0 {
                notify.subscription_state = "terminated;reason=timeout".into();
            }
            self.notify(&line, &notify);
        }
        if self.notifies_first {
            self.deliver(&bytes);
        }
    }
}
