//! One publication, the publisher's side (RFC 3903 §4), as a pure state machine.
//!
//! It keeps a document at a presence server for as long as the owner wants: publishes, replaces, renews long before the end,
//! begins again when the server has forgotten it, answers challenges, and slows down after refusals. The owner passes every
//! answer with this publication's Call-ID, and [`Event::Elapsed`] at [`Publisher::next_deadline`].

use std::{sync::Arc, time::Duration};

pub use crate::subscriber::Trouble;
use crate::{
    digest::{ClientAuthentication, Evidence, Verdict},
    floor::{self, Floor},
    ids::Ids,
    message::{Message, Writer},
    subscriber::{Account, EXPIRES_MAX, RETRY_INTERVAL_MAX, is_refused_for_good},
    transaction::{ClientTransaction, Due, Progress, TIMEOUT},
};

/// Requested duration in seconds: after a crash of Offhook the publication ends within this time.
pub const EXPIRES_REQUESTED: u32 = 120;

/// Duration of a publication's last document in seconds, so that watchers who come a moment later get it too.
pub const FINAL_EXPIRES: u32 = 60;

/// An input of a publication.
#[derive(Debug)]
pub enum Event<'a> {
    /// The server can be reached, through this account.
    Start(Arc<Account>),
    /// Publishes this document and renews it.
    Publish(Arc<[u8]>),
    /// Publishes this document as the last one, if there was one before, and lets it expire. A document is needed because
    /// some phones leave a BLF key as it is when the dialog vanishes from the document.
    End(Arc<[u8]>),
    /// Like [`Self::End`] with nothing after it: the limit of requests does not hold it back.
    Finish(Arc<[u8]>),
    /// Removes the publication at once.
    Remove,
    /// A response with this publication's Call-ID.
    Received(&'a Message<'a>),
    /// [`Publisher::next_deadline`] is reached.
    Elapsed,
    /// The server cannot be reached: nothing is tried until the next [`Event::Start`].
    TransportLost,
}

/// An output of a publication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send these bytes to the server.
    Send(Vec<u8>),
    /// A fault; the publisher goes on automatically.
    Trouble(Trouble),
    /// The server has accepted the document.
    Accepted,
}

/// The document that the server should have.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Lasting(Arc<[u8]>),
    Last(Arc<[u8]>),
    /// No document: the publication is removed (RFC 3903 §4.5).
    Gone,
}

/// A PUBLISH that waits for its answer.
#[derive(Debug)]
struct Pending {
    transaction: ClientTransaction,
    /// The document that the request carries or renews.
    carries: Wanted,
    expires: u32,
    /// Whether the request names the publication that it replaces or renews.
    conditional: bool,
}

/// One publication.
#[derive(Debug)]
pub struct Publisher {
    target: String,
    ids: Ids,
    account: Option<Arc<Account>>,
    call_id: String,
    from_tag: String,
    cseq: u32,
    wanted: Wanted,
    /// The server's document as far as known, with its entity tag (SIP-ETag).
    there: Option<(String, Wanted)>,
    pending: Option<Pending>,
    authentication: ClientAuthentication,
    evidence: Option<Evidence>,
    /// The Expires requested after a 423.
    min_expires: Option<u32>,
    floor: Floor,
    /// When to renew or to try again.
    next_at: Option<Duration>,
    /// The request due then belongs to an attempt that has begun, and is held back by the floor.
    is_held_back: bool,
    /// After [`Event::Finish`] the floor holds nothing back.
    is_finishing: bool,
}

impl Publisher {
    /// A publication about `target`, such as `sip:1001@pbx.test`; it waits for [`Event::Start`].
    pub fn new(target: String, mut ids: Ids) -> Self {
        Self {
            target,
            account: None,
            call_id: ids.call_id(),
            from_tag: ids.tag(),
            ids,
            cseq: 0,
            wanted: Wanted::Nothing,
            there: None,
            pending: None,
            authentication: ClientAuthentication::default(),
            evidence: None,
            min_expires: None,
            floor: Floor::default(),
            next_at: None,
            is_held_back: false,
            is_finishing: false,
        }
    }

    /// The Call-ID by which the owner finds this publication.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Whether a PUBLISH waits for its answer.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Evidence about the credentials in the last answer; the call clears it.
    pub fn take_evidence(&mut self) -> Option<Evidence> {
        self.evidence.take()
    }

    /// Whether no document is published, wanted or under way.
    pub fn is_idle(&self) -> bool {
        self.wanted == Wanted::Nothing && self.pending.is_none()
    }

    /// When [`Event::Elapsed`] is due.
    pub fn next_deadline(&self) -> Option<Duration> {
        match &self.pending {
            Some(pending) => Some(pending.transaction.next_deadline()),
            None => self.next_at,
        }
    }

    /// Applies an event and returns the actions.
    pub fn handle(&mut self, now: Duration, event: Event<'_>) -> Vec<Action> {
        let mut out = Vec::new();
        match event {
            Event::Start(account) => {
                self.account = Some(account);
                self.next_at = None;
                // The server may have lost a published document.
                if self.pending.is_none() {
                    self.publish(now, &mut out);
                }
            }
            Event::Publish(document) => {
                self.wanted = Wanted::Lasting(document);
                self.go_on(now, &mut out);
            }
            Event::End(document) => self.end(now, document, &mut out),
            Event::Finish(document) => {
                self.is_finishing = true;
                self.end(now, document, &mut out);
            }
            Event::Remove => {
                let is_there = self.there.is_some() || self.pending.is_some();
                self.wanted = match is_there {
                    true => Wanted::Gone,
                    false => Wanted::Nothing,
                };
                self.go_on(now, &mut out);
            }
            Event::Received(message) => {
                if let Some(code) = message.code() {
                    self.on_response(now, message, code, &mut out);
                }
            }
            Event::Elapsed => self.on_elapsed(now, &mut out),
            Event::TransportLost => {
                self.account = None;
                self.pending = None;
                self.authentication.forget();
                self.next_at = None;
                self.is_held_back = false;
            }
        }
        out
    }

    fn end(&mut self, now: Duration, document: Arc<[u8]>, out: &mut Vec<Action>) {
        let is_there = self.there.is_some() || self.pending.is_some();
        self.wanted = match is_there {
            true => Wanted::Last(document),
            false => Wanted::Nothing,
        };
        self.go_on(now, out);
    }

    /// Whether the server has the wanted document, as far as known.
    fn is_there(&self) -> bool {
        self.there.as_ref().map(|(_, there)| there) == Some(&self.wanted)
    }

    /// Publishes the wanted document, unless the server has it, a request is under way, or a refusal is recent.
    fn go_on(&mut self, now: Duration, out: &mut Vec<Action>) {
        let is_released = self.is_finishing && self.is_held_back;
        let is_resting = self.floor.failures() > 0 && self.next_at.is_some() && !is_released;
        if self.pending.is_none() && !is_resting && !self.is_there() {
            self.publish(now, out);
        }
    }

    fn on_elapsed(&mut self, now: Duration, out: &mut Vec<Action>) {
        if let Some(pending) = &mut self.pending {
            match pending.transaction.elapse(now) {
                Due::Nothing => {}
                Due::Retransmit => {
                    self.floor.count(now);
                    out.push(Action::Send(pending.transaction.request().to_vec()));
                }
                Due::TimedOut => {
                    self.pending = None;
                    self.fail(now, Trouble::Timeout, Duration::ZERO, out);
                }
            }
        } else if self.next_at.is_some_and(|at| now >= at) {
            self.next_at = None;
            if self.is_held_back {
                return self.send_publish(now, out);
            }
            if matches!(self.wanted, Wanted::Last(_)) && self.is_there() {
                self.there = None;
                self.wanted = Wanted::Nothing;
            }
            self.publish(now, out);
        }
    }

    /// Begins an attempt: the first PUBLISH, a change, or a renewal without a body.
    fn publish(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.authentication.begin();
        self.send_publish(now, out);
    }

    fn send_publish(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.is_held_back = false;
        let Some(account) = self.account.clone() else {
            return;
        };
        // A document that the server never had, or no longer has, needs no end.
        if self.there.is_none() && matches!(self.wanted, Wanted::Last(_) | Wanted::Gone) {
            self.wanted = Wanted::Nothing;
        }
        let least = self.min_expires.unwrap_or_default();
        let expires = match &self.wanted {
            Wanted::Nothing => {
                self.next_at = None;
                return;
            }
            Wanted::Lasting(_) => EXPIRES_REQUESTED.max(least),
            Wanted::Last(_) => FINAL_EXPIRES.max(least),
            Wanted::Gone => 0,
        };
        if self.floor.free_at() > now && !self.is_finishing {
            self.next_at = Some(self.floor.defer(now, &mut self.ids));
            self.is_held_back = true;
            return;
        }
        self.cseq += 1;
        let branch = self.ids.branch();
        let via = format!(
            "SIP/2.0/{} {};rport;branch={branch}",
            account.transport.via_name(),
            account.sent_by
        );
        let mut request = Writer::request("PUBLISH", &self.target)
            .header("Via", via)
            .header("Max-Forwards", 70)
            .header(
                "From",
                format_args!("<{}>;tag={}", account.from, self.from_tag),
            )
            .header("To", format_args!("<{}>", self.target))
            .header("Call-ID", &self.call_id)
            .header("CSeq", format_args!("{} PUBLISH", self.cseq))
            .header("Event", &account.event)
            .header("Expires", expires)
            .header("User-Agent", &account.user_agent);
        if let Some((tag, _)) = &self.there {
            request = request.header("SIP-If-Match", tag);
        }
        if let Some(credentials) = &account.credentials {
            let authentication = &mut self.authentication;
            let answers =
                authentication.authorize(credentials, "PUBLISH", &self.target, &mut self.ids);
            for (name, value) in answers {
                request = request.header(name, value);
            }
        }
        let written = match &self.wanted {
            Wanted::Lasting(document) | Wanted::Last(document) if !self.is_there() => {
                request.body(&account.accept, document)
            }
            _ => request.finish(),
        };
        match written {
            Ok(bytes) => {
                let transaction =
                    ClientTransaction::new(now, account.transport, branch, bytes.clone(), TIMEOUT);
                self.pending = Some(Pending {
                    transaction,
                    carries: self.wanted.clone(),
                    expires,
                    conditional: self.there.is_some(),
                });
                self.floor.count(now);
                out.push(Action::Send(bytes));
            }
            Err(error) => {
                self.fail(
                    now,
                    Trouble::Unwritable(error.to_string()),
                    RETRY_INTERVAL_MAX,
                    out,
                );
            }
        }
    }

    fn on_response(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        code: u16,
        out: &mut Vec<Action>,
    ) {
        let Some(mut pending) = self.pending.take() else {
            return;
        };
        let branch = response.branch().unwrap_or_default();
        match pending.transaction.respond(now, &branch, code) {
            Progress::NotOurs | Progress::Provisional => {
                self.pending = Some(pending);
                return;
            }
            Progress::Final => {}
        }
        self.evidence = self.authentication.evidence(code);
        match code {
            200..=299 => self.on_accepted(now, response, pending, out),
            401 | 407 => self.on_challenge(now, response, code, out),
            // The server has forgotten the publication: begin again with the document (RFC 3903 §4.4).
            412 if pending.conditional => {
                self.there = None;
                self.go_on(now, out);
            }
            423 => self.on_interval_too_brief(now, response, &pending, out),
            _ => {
                let retry_after = response.seconds("Retry-After").unwrap_or_default();
                let least = match is_refused_for_good(code) {
                    true => RETRY_INTERVAL_MAX,
                    false => Duration::from_secs(retry_after.into()).min(RETRY_INTERVAL_MAX),
                };
                self.fail(now, Trouble::Refused { code }, least, out);
            }
        }
    }

    fn on_accepted(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        pending: Pending,
        out: &mut Vec<Action>,
    ) {
        let granted = response.seconds("Expires").unwrap_or(pending.expires);
        let tag = response.header("SIP-ETag").map(|tag| tag.into_owned());
        if tag.is_none() && pending.carries != Wanted::Gone {
            // Without an entity tag each further PUBLISH would create another publication.
            self.there = None;
            return self.fail(now, Trouble::NoEntityTag, RETRY_INTERVAL_MAX, out);
        }
        let is_gone = pending.carries == Wanted::Gone;
        self.there = match pending.carries {
            Wanted::Gone => None,
            carried => tag.map(|tag| (tag, carried)),
        };
        let granted = Duration::from_secs(granted.min(EXPIRES_MAX).into());
        if !is_gone && granted <= floor::RENEWAL_MIN {
            // The publication ends before its renewal is due.
            let trouble = Trouble::ShortLease {
                seconds: granted.as_secs(),
            };
            return self.fail(now, trouble, Duration::ZERO, out);
        }
        self.floor.clear();
        out.push(Action::Accepted);
        self.next_at = match &self.wanted {
            // The publication then expires.
            Wanted::Last(_) => Some(now + granted),
            _ => Some(self.floor.renewal(now, granted, &mut self.ids)),
        };
        self.go_on(now, out);
    }

    fn on_challenge(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        code: u16,
        out: &mut Vec<Action>,
    ) {
        // No request is under way without an account.
        let Some(account) = &self.account else {
            return;
        };
        let credentials = account.credentials.as_ref();
        let trouble = match self.authentication.on_refused(response, credentials) {
            Verdict::Answer | Verdict::RetryWithoutCredentials => {
                return self.send_publish(now, out);
            }
            Verdict::RefusedWithoutChallenge | Verdict::WrongCredentials => {
                Trouble::WrongCredentials { code }
            }
            Verdict::Unusable(why) => Trouble::UnusableChallenge { code, why },
        };
        // A quick retry would only lock the account.
        self.fail(now, trouble, RETRY_INTERVAL_MAX / 2, out);
    }

    fn on_interval_too_brief(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        pending: &Pending,
        out: &mut Vec<Action>,
    ) {
        let minimum = response.seconds("Min-Expires");
        self.min_expires = floor::longer(pending.expires, self.min_expires, minimum, EXPIRES_MAX);
        match self.min_expires {
            Some(_) => self.publish(now, out),
            None => self.fail(now, Trouble::Interval { minimum }, Duration::ZERO, out),
        }
    }

    /// Reports a fault and tries again after a growing pause.
    fn fail(&mut self, now: Duration, trouble: Trouble, least: Duration, out: &mut Vec<Action>) {
        let pause = self.floor.pause(&mut self.ids).max(least);
        self.floor.fail();
        self.next_at = Some(now + pause);
        out.push(Action::Trouble(trouble));
    }
}

#[cfg(test)]
mod tests;
