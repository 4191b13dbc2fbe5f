//! One subscription, the subscriber's side (RFC 6665 §4.1), as a pure state machine; the crate's documentation has an
//! example.
//!
//! It does not interpret the event package: bodies are handed out unchanged. It subscribes, answers challenges, renews long
//! before the end, begins again when the notifier has forgotten it, and slows down after refusals. The owner passes every
//! message with this subscription's Call-ID, and [`Event::Elapsed`] at [`Subscriber::next_deadline`].
//!
//! Two rules hold on every path. The notifier never decides alone when the next request is sent: `floor` limits the rate.
//! And unconfirmed state is unknown state: a renewal extends the lease only together with a NOTIFY that came after it (RFC
//! 6665 §4.2.1.2 obliges the notifier to send one) and that the owner could use.

mod doubt;
mod notify;
mod request;
mod response;
mod trouble;

use std::{sync::Arc, time::Duration};

use doubt::{Before, Doubt};
pub use trouble::Trouble;

pub use crate::floor::{RETRY_INTERVAL_MAX, RETRY_INTERVAL_MIN};
use crate::{
    Transport,
    digest::{ClientAuthentication, Credentials, Evidence},
    floor::Floor,
    ids::Ids,
    message::Message,
    software::Software,
    transaction::{ClientTransaction, Due, RecentResponses},
};

/// Requested duration in seconds: long enough to be cheap, short enough that the lease of a lost subscription ends within
/// ten minutes.
pub const EXPIRES_REQUESTED: u32 = 600;

/// The longest minimum that is accepted in a 423; a longer one is a fault of the notifier's configuration.
pub const EXPIRES_MAX: u32 = 24 * 3600;

/// Most answers kept for repeated NOTIFYs: a notifier seldom has more than two under way.
const RECENT_MAX: usize = 4;

/// The subscriber's account and address, shared by all subscriptions over one transport.
#[derive(Clone, Debug)]
pub struct Account {
    /// Address of record in From, such as `sip:1003@pbx.test`.
    pub from: String,
    /// Address for NOTIFYs, such as `sip:1003@192.0.2.1:5080;transport=tcp`.
    pub contact: String,
    /// Host and port in Via.
    pub sent_by: String,
    /// The transport.
    pub transport: Transport,
    /// User name and password for challenges.
    pub credentials: Option<Credentials>,
    /// The event package, such as `dialog`.
    pub event: String,
    /// The media type of the package's documents.
    pub accept: String,
    /// Supported extensions, as option tags (RFC 3261 §20.37).
    pub supported: Option<String>,
    /// The User-Agent header.
    pub user_agent: String,
}

/// An input of a subscription.
#[derive(Debug)]
pub enum Event<'a> {
    /// Subscribe now and forget any earlier dialog.
    Start(Arc<Account>),
    /// A message with this subscription's Call-ID arrived.
    Received(&'a Message<'a>),
    /// [`Subscriber::next_deadline`] is reached.
    Elapsed,
    /// Renew now, so that the notifier sends the whole state.
    Refresh,
    /// The document of the last [`Action::Notified`] cannot be used and confirms nothing. The subscription asks for the
    /// whole state; if that does not help, a new subscription begins.
    Unusable,
    /// The document of the last [`Action::Notified`] was used but lacks a part: the subscription asks for the whole state.
    Incomplete,
    /// A call that was never terminated is missing in the document of the last [`Action::Notified`]: the subscription asks
    /// for the whole state at once.
    Vanished,
    /// A request with this subscription's Call-ID could not be read, and was refused.
    Unreadable,
    /// The notifier cannot be reached: nothing is sent until the next [`Event::Start`].
    TransportLost,
    /// Unsubscribe.
    Stop,
}

/// An output of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send these bytes to the notifier.
    Send(Vec<u8>),
    /// The content of a NOTIFY.
    Notified {
        /// The Content-Type.
        content_type: Option<String>,
        /// The body; empty if the NOTIFY has none.
        body: Vec<u8>,
        /// Time until the end of the subscription without renewal.
        remaining: Duration,
        /// Whether this is the first NOTIFY of a new subscription: versions start again.
        first: bool,
        /// The software that sent the NOTIFY.
        software: Software,
    },
    /// A renewal was accepted after a NOTIFY had confirmed it: the last state stays valid for this long.
    Renewed {
        /// Time until the end of the subscription without another renewal.
        remaining: Duration,
    },
    /// The last state is no longer confirmed.
    Stale,
    /// A fault; the subscriber goes on automatically.
    Trouble(Trouble),
    /// Unsubscribed, or given up the attempt.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Idle,
    /// The first SUBSCRIBE is under way.
    Subscribing,
    Active,
    /// Begins again at this time.
    Waiting(Duration),
    Stopping,
}

/// The dialog of the subscription (RFC 6665 §4.4.1).
#[derive(Debug)]
struct Dialog {
    remote_tag: String,
    target: String,
    routes: Vec<String>,
    /// The number of the latest NOTIFY that counted; `None` before the first, which creates the dialog, not the answer.
    remote_cseq: Option<u32>,
    /// The number of a later NOTIFY that did not count, because it was not higher.
    refused: Option<u32>,
    expires_at: Duration,
}

/// A SUBSCRIBE that waits for its answer.
#[derive(Debug)]
struct Pending {
    transaction: ClientTransaction,
    expires: u32,
    /// Whether a NOTIFY has counted since it was sent.
    confirmed: bool,
}

/// A SUBSCRIBE that the floor holds back.
#[derive(Debug)]
struct Deferred {
    at: Duration,
    expires: u32,
}

/// One subscription.
#[derive(Debug)]
pub struct Subscriber {
    target: String,
    ids: Ids,
    account: Option<Arc<Account>>,
    phase: Phase,
    call_id: String,
    from_tag: String,
    cseq: u32,
    dialog: Option<Dialog>,
    pending: Option<Pending>,
    authentication: ClientAuthentication,
    evidence: Option<Evidence>,
    deferred: Option<Deferred>,
    recent: RecentResponses,
    /// The Expires requested after a 423.
    min_expires: Option<u32>,
    /// The target of a 3xx in this attempt, and the number of redirections.
    redirect: Option<String>,
    redirects: u8,
    floor: Floor,
    begun_at: Duration,
    refresh_at: Option<Duration>,
    /// Timer N (RFC 6665 §4.1.2.4): a NOTIFY must count by this time.
    notify_by: Option<Duration>,
    /// End of the lease of the last state; `None`: the owner has no state.
    known_until: Option<Duration>,
    doubt: Doubt,
    /// The state before the last NOTIFY, to be restored by [`Event::Unusable`].
    before: Option<Before>,
    /// Number of renewals in a row out of turn.
    urged: u32,
    /// The notifier sent no NOTIFY after the last renewal.
    skips_notify: bool,
}

impl Subscriber {
    /// A subscription to `target`, such as `sip:1001@pbx.test`; it waits for [`Event::Start`].
    pub fn new(target: String, ids: Ids) -> Self {
        Self {
            target,
            ids,
            account: None,
            phase: Phase::Idle,
            call_id: String::new(),
            from_tag: String::new(),
            cseq: 0,
            dialog: None,
            pending: None,
            authentication: ClientAuthentication::default(),
            evidence: None,
            deferred: None,
            recent: RecentResponses::new(RECENT_MAX),
            min_expires: None,
            redirect: None,
            redirects: 0,
            floor: Floor::default(),
            begun_at: Duration::ZERO,
            refresh_at: None,
            notify_by: None,
            known_until: None,
            doubt: Doubt::None,
            before: None,
            urged: 0,
            skips_notify: false,
        }
    }

    /// The Call-ID by which the owner finds this subscription; it changes when a new one begins.
    pub fn call_id(&self) -> &str {
        &self.call_id
    }

    /// Whether a request names this subscription by Call-ID and tag. Both are secrets of this side and the notifier.
    pub fn is_named_by(&self, request: &Message<'_>) -> bool {
        let call_id = request.call_id();
        call_id.is_ok_and(|call_id| call_id == self.call_id.as_str())
            && request.to_tag().is_some_and(|tag| tag == self.from_tag)
    }

    /// Whether a SUBSCRIBE waits for its answer.
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    /// Whether a NOTIFY has come and nothing has gone wrong since.
    pub fn is_active(&self) -> bool {
        self.phase == Phase::Active && self.known_until.is_some() && self.doubt != Doubt::Overdue
    }

    /// Evidence about the credentials in the last answer; the call clears it.
    pub fn take_evidence(&mut self) -> Option<Evidence> {
        self.evidence.take()
    }

    /// Announces a renewal demanded by the owner and not caused by the notifier: it does not wait.
    pub fn allow_order(&mut self) {
        self.floor.make_room();
    }

    /// Whether the notifier sent no NOTIFY after the last renewal, so that each renewal costs the subscription.
    pub fn skips_notify(&self) -> bool {
        self.skips_notify
    }

    /// Whether no subscription is active or under way.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Idle
    }

    /// When [`Event::Elapsed`] is due.
    pub fn next_deadline(&self) -> Option<Duration> {
        let waiting = match self.phase {
            Phase::Waiting(until) => Some(until),
            _ => None,
        };
        let pending = self.pending.as_ref().map(|p| p.transaction.next_deadline());
        let deferred = self.deferred.as_ref().map(|deferred| deferred.at);
        let refresh = self.refresh_at.filter(|_| !self.is_asking());
        let due = [waiting, pending, deferred, refresh, self.lapses_at()];
        due.into_iter().flatten().min()
    }

    /// When the subscription or its state lapses unless a message arrives: [`Event::Elapsed`] at that time loses it and
    /// sends nothing.
    pub fn lapses_at(&self) -> Option<Duration> {
        let notify_by = self.notify_by.filter(|_| self.phase == Phase::Active);
        notify_by.into_iter().chain(self.ends_at()).min()
    }

    /// Whether a SUBSCRIBE is under way, or is held back.
    fn is_asking(&self) -> bool {
        self.pending.is_some() || self.deferred.is_some()
    }

    /// When the subscription, or the lease of its last state, ends without a renewal.
    fn ends_at(&self) -> Option<Duration> {
        let dialog = self.dialog.as_ref();
        let is_live = matches!(self.phase, Phase::Subscribing | Phase::Active);
        let dialog = dialog.filter(|_| is_live)?;
        Some(
            dialog
                .expires_at
                .min(self.known_until.unwrap_or(Duration::MAX)),
        )
    }

    /// Applies an event and returns the actions.
    pub fn handle(&mut self, now: Duration, event: Event<'_>) -> Vec<Action> {
        let mut out = Vec::new();
        if !matches!(event, Event::Unusable | Event::Incomplete | Event::Vanished) {
            self.before = None;
        }
        match event {
            Event::Start(account) => {
                self.account = Some(account);
                self.begin(now, &mut out);
            }
            Event::Received(message) => match message.code() {
                Some(code) => self.on_response(now, message, code, &mut out),
                None => self.on_request(now, message, &mut out),
            },
            Event::Elapsed => self.on_elapsed(now, &mut out),
            Event::Refresh => {
                if self.phase == Phase::Active && !self.is_asking() {
                    match self.floor.free_at() {
                        free_at if free_at > now => self.refresh_by(free_at),
                        _ => self.subscribe(now, &mut out),
                    }
                }
            }
            Event::Unusable => self.on_unusable(now, &mut out),
            Event::Incomplete => self.on_incomplete(now),
            Event::Vanished => self.on_vanished(now),
            Event::Unreadable => self.on_bad_notify(now, 400, &mut out),
            Event::TransportLost => {
                self.forget(&mut out);
                self.phase = Phase::Idle;
            }
            Event::Stop => self.on_stop(now, &mut out),
        }
        out
    }

    fn on_elapsed(&mut self, now: Duration, out: &mut Vec<Action>) {
        if let Some(pending) = &mut self.pending {
            match pending.transaction.elapse(now) {
                Due::Nothing => {}
                Due::Retransmit => {
                    self.floor.count(now);
                    out.push(Action::Send(pending.transaction.request().to_vec()));
                }
                Due::TimedOut if self.phase == Phase::Stopping => return self.end(out),
                Due::TimedOut => {
                    let pause = self.growing_pause();
                    return self.lose(now, Trouble::Timeout, pause, out);
                }
            }
        }
        match self.phase {
            Phase::Waiting(until) if now >= until => return self.begin(now, out),
            Phase::Active if self.notify_by.is_some_and(|by| now >= by) => {
                let trouble = match self.doubt {
                    Doubt::None if self.known_until.is_some() => {
                        self.skips_notify = true;
                        Trouble::RenewedWithoutNotify
                    }
                    Doubt::None => Trouble::NoNotify,
                    Doubt::Asking | Doubt::Due | Doubt::Overdue => Trouble::Unconfirmed,
                };
                let pause = match self.known_until {
                    Some(_) => self.pause_unless_settled(now),
                    None => self.growing_pause(),
                };
                return self.lose(now, trouble, pause, out);
            }
            Phase::Subscribing | Phase::Active if self.ends_at().is_some_and(|at| now >= at) => {
                let pause = self.pause_unless_settled(now);
                return self.lose(now, Trouble::Expired, pause, out);
            }
            _ => {}
        }
        if let Some(deferred) = self.deferred.take_if(|deferred| now >= deferred.at) {
            self.send_subscribe(now, deferred.expires, out);
        } else if !self.is_asking() && self.refresh_at.is_some_and(|at| now >= at) {
            if self.doubt == Doubt::None {
                self.urged = 0;
            }
            self.subscribe(now, out);
        }
    }

    fn on_stop(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.refresh_at = None;
        self.notify_by = None;
        self.deferred = None;
        if self.dialog.is_none() {
            return self.end(out);
        }
        self.phase = Phase::Stopping;
        self.authentication.begin();
        self.send_subscribe(now, 0, out);
    }

    /// Handles the loss of the subscription: reports it and begins again after a pause. Even without a pause the new
    /// subscription begins with [`Event::Elapsed`], at a time that the owner chooses.
    fn lose(&mut self, now: Duration, trouble: Trouble, pause: Duration, out: &mut Vec<Action>) {
        self.forget(out);
        out.push(Action::Trouble(trouble));
        self.floor.fail();
        self.phase = Phase::Waiting(now + pause);
    }

    fn end(&mut self, out: &mut Vec<Action>) {
        self.forget(out);
        self.phase = Phase::Idle;
        out.push(Action::Ended);
    }

    /// Drops the dialog and everything that waits for it.
    fn forget(&mut self, out: &mut Vec<Action>) {
        self.dialog = None;
        self.pending = None;
        self.deferred = None;
        self.refresh_at = None;
        self.notify_by = None;
        self.doubt = Doubt::None;
        self.before = None;
        if self.known_until.take().is_some() {
            out.push(Action::Stale);
        }
    }

    fn growing_pause(&mut self) -> Duration {
        self.floor.pause(&mut self.ids)
    }

    /// No pause after a subscription that lived for a while; growing pauses for one that ends again and again.
    fn pause_unless_settled(&mut self, now: Duration) -> Duration {
        let lived = now.saturating_sub(self.begun_at);
        self.floor.restart(lived, &mut self.ids)
    }

    fn schedule_refresh(&mut self, now: Duration, remaining: Duration) {
        self.refresh_at = Some(self.floor.renewal(now, remaining, &mut self.ids));
    }

    /// Renews at this time, if not earlier.
    fn refresh_by(&mut self, at: Duration) {
        self.refresh_at = Some(self.refresh_at.map_or(at, |planned| planned.min(at)));
    }
}

/// Whether a retry is useless until an administrator has changed the configuration.
pub(crate) const fn is_refused_for_good(code: u16) -> bool {
    matches!(code, 403 | 404 | 405 | 410 | 489 | 501 | 604)
}

#[cfg(test)]
mod tests;
