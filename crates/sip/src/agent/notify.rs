//! NOTIFY: its content, its repetition, and the effect of its answer.

use std::{fmt::Write as _, sync::Arc, time::Duration};

use super::{
    Agent, Document, Host, Outbox, list,
    store::{Subject, Subscription},
};
use crate::{
    Transport,
    message::{MESSAGE_BYTES_MAX, Message},
    resource_list::EVENT_LIST,
    transaction::{ClientTransaction, Due, Progress, TIMEOUT},
};

/// The reason for the end of a subscription (RFC 6665 §4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The subscription has expired, or the watcher ended it.
    Timeout,
    /// The watcher has lost the permission.
    Rejected,
    /// The resource no longer exists.
    NoResource,
}

impl Ending {
    const fn reason(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
            Self::NoResource => "noresource",
        }
    }
}

/// Pause after an answer that reports a temporary failure.
const REFUSED_PAUSE: Duration = Duration::from_secs(10);

/// Whether the answer to a NOTIFY ends its subscription (RFC 6665 §4.2.2, RFC 5057 §5.1); other errors are temporary.
const fn ends_subscription(code: u16) -> bool {
    matches!(code, 404 | 405 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}

/// A NOTIFY that waits for its answer.
#[derive(Debug)]
pub(super) struct Pending {
    serial: u64,
    transaction: ClientTransaction,
}

/// `z9hG4bK`, the number of the subscription, a dot, the serial number of the NOTIFY: both in hexadecimal.
fn branch(id: u32, serial: u64) -> String {
    format!("z9hG4bK{id:x}.{serial:016x}")
}

fn subscription_of(branch: &str) -> Option<u32> {
    let (id, _) = branch.strip_prefix("z9hG4bK")?.split_once('.')?;
    u32::from_str_radix(id, 16).ok()
}

impl<F: Copy + Eq + std::hash::Hash> Agent<F> {
    pub(super) fn on_response(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        host: &mut impl Host<F>,
        out: &mut Outbox<F>,
    ) {
        let (Some(branch), Some(code)) = (response.branch(), response.code()) else {
            return;
        };
        let Some(id) = subscription_of(&branch) else {
            return;
        };
        let Some(subscription) = self.store.get_mut(id) else {
            return;
        };
        let Some(pending) = &mut subscription.pending else {
            return;
        };
        match pending.transaction.respond(now, &branch, code) {
            Progress::NotOurs => {}
            Progress::Provisional => {
                let at = pending.transaction.next_deadline();
                self.timers.later(at, id);
            }
            Progress::Final => {
                subscription.pending = None;
                if ends_subscription(code)
                    || (subscription.ending.is_some() && !subscription.changed)
                {
                    return self.remove(id);
                }
                if !(200..300).contains(&code) {
                    subscription.sent_fingerprint = 0;
                    if let Subject::List(list) = &mut subscription.subject {
                        list.mark_all();
                    }
                    subscription.changed = true;
                    self.timers.later(now + REFUSED_PAUSE, id);
                } else if std::mem::take(&mut subscription.changed) {
                    self.notify(now, id, host, out);
                }
            }
        }
    }

    /// Sends a watcher the whole state, or marks the subscription if a NOTIFY is under way or the watcher's interval has not
    /// passed.
    pub(super) fn notify(
        &mut self,
        now: Duration,
        id: u32,
        host: &mut impl Host<F>,
        out: &mut Outbox<F>,
    ) {
        let Some(subscription) = self.store.get_mut(id) else {
            return;
        };
        if subscription.pending.is_some() {
            subscription.changed = true;
            return;
        }
        let interval = Duration::from_secs(subscription.min_interval.into());
        let next = subscription.notified_at + interval;
        // The first and the last NOTIFY do not wait (RFC 6446 §4).
        if subscription.local_cseq > 0 && subscription.ending.is_none() && now < next {
            if !subscription.changed {
                subscription.changed = true;
                self.timers.later(next, id);
            }
            return;
        }
        subscription.changed = false;
        let content = match &subscription.subject {
            Subject::List(_) => match list::next_update(subscription, self.ids.number(), host) {
                Some(update) => Content::List(update),
                None => return,
            },
            Subject::Resource(resource, class) => {
                match host.document(*resource, subscription.package, *class) {
                    // A watcher who may not see the change must not learn that there was one.
                    Some(document)
                        if document.fingerprint == subscription.sent_fingerprint
                            && subscription.ending.is_none() =>
                    {
                        return;
                    }
                    Some(document) => {
                        subscription.sent_fingerprint = document.fingerprint;
                        Content::Document(document)
                    }
                    None => {
                        subscription.ending = Some(Ending::NoResource);
                        Content::Nothing
                    }
                }
            }
        };
        // Documents that did not fit follow after the answer.
        subscription.changed = matches!(&content, Content::List(update) if update.more);
        subscription.local_cseq = subscription.local_cseq.wrapping_add(1);
        subscription.notified_at = now;
        let serial = self.ids.number();
        let branch = branch(id, serial);
        self.scratch.clear();
        let head = Head {
            id,
            branch: &branch,
            address: self.settings.address(subscription.transport),
            now,
        };
        let written = head.write(subscription, &content, &mut self.scratch);
        if !written {
            // The watcher's own headers cannot be repeated, or the document is too long.
            return self.remove(id);
        }
        subscription.version = subscription.version.wrapping_add(1);
        out.push(subscription.flow, &self.scratch);
        let transport = subscription.transport;
        let bytes = self.scratch.as_slice().to_vec();
        let transaction = ClientTransaction::new(now, transport, branch, bytes, TIMEOUT);
        if transport.is_reliable() {
            self.timers.later(transaction.next_deadline(), id);
        } else {
            self.timers.sent(now, id, serial);
        }
        subscription.pending = Some(Box::new(Pending {
            serial,
            transaction,
        }));
    }

    pub(super) fn elapse_subscriptions(
        &mut self,
        now: Duration,
        host: &mut impl Host<F>,
        out: &mut Outbox<F>,
    ) {
        while let Some((id, serial)) = self.timers.unanswered(now) {
            let pending = self.store.get(id).and_then(|s| s.pending.as_ref());
            if pending.is_some_and(|pending| pending.serial == serial) {
                self.repeat(now, id, out);
            }
        }
        while let Some(id) = self.timers.due(now) {
            let Some(subscription) = self.store.get_mut(id) else {
                continue;
            };
            if subscription.pending.is_some() {
                self.repeat(now, id, out);
            } else if std::mem::take(&mut subscription.changed) {
                self.notify(now, id, host, out);
            }
        }
        while let Some((second, ids)) = self.timers.ended(now) {
            for id in ids {
                let Some(subscription) = self.store.get_mut(id) else {
                    continue;
                };
                if subscription.expires_at > second {
                    // The subscription was renewed before its old end.
                    let later = subscription.expires_at;
                    self.timers.expire(later, id);
                } else if subscription.ending.is_none() {
                    subscription.ending = Some(Ending::Timeout);
                    self.notify(now, id, host, out);
                }
            }
        }
    }

    fn repeat(&mut self, now: Duration, id: u32, out: &mut Outbox<F>) {
        let Some(subscription) = self.store.get_mut(id) else {
            return;
        };
        let Some(pending) = &mut subscription.pending else {
            return;
        };
        match pending.transaction.elapse(now) {
            // The watcher does not answer (RFC 6665 §4.2.2).
            Due::TimedOut => self.remove(id),
            due => {
                if due == Due::Retransmit {
                    out.push(subscription.flow, pending.transaction.request());
                }
                self.timers.later(pending.transaction.next_deadline(), id);
            }
        }
    }
}

/// The content of a NOTIFY.
enum Content {
    Nothing,
    Document(Arc<Document>),
    List(list::ListUpdate),
}

/// Fields of a NOTIFY that the subscription does not have.
struct Head<'a> {
    id: u32,
    branch: &'a str,
    address: &'a str,
    now: Duration,
}

impl Head<'_> {
    /// Writes a NOTIFY; returns false if it cannot be sent. Every text was checked when it arrived.
    fn write<F: Copy>(
        &self,
        subscription: &Subscription<F>,
        content: &Content,
        out: &mut Vec<u8>,
    ) -> bool {
        let texts = subscription.texts();
        let transport = subscription.transport;
        let mut put = |parts: &[&str]| {
            for part in parts {
                out.extend_from_slice(part.as_bytes());
            }
        };
        let mut numbers = String::with_capacity(32);
        put(&[
            "NOTIFY ",
            texts.target,
            " SIP/2.0\r\nVia: SIP/2.0/",
            transport.via_name(),
            " ",
            self.address,
            ";rport;branch=",
            self.branch,
            "\r\nMax-Forwards: 70\r\n",
        ]);
        for route in texts.routes.lines() {
            put(&["Route: ", route, "\r\n"]);
        }
        // Writing to a String cannot fail.
        let _ = write!(numbers, "{}", Tag(self.id, subscription.tag));
        put(&[
            "From: ",
            texts.local,
            ";tag=",
            &numbers,
            "\r\nTo: ",
            texts.remote,
            "\r\nCall-ID: ",
            texts.call_id,
            "\r\nCSeq: ",
        ]);
        numbers.clear();
        let _ = write!(numbers, "{}", subscription.local_cseq);
        put(&[&numbers, " NOTIFY\r\nContact: <sip:", self.address]);
        if transport != Transport::Udp {
            put(&[";transport=", transport.uri_name()]);
        }
        put(&[">\r\nEvent: ", subscription.package.name()]);
        if !texts.event_id.is_empty() {
            put(&[";id=", texts.event_id]);
        }
        put(&["\r\nSubscription-State: "]);
        match subscription.ending {
            Some(ending) => put(&["terminated;reason=", ending.reason(), "\r\n"]),
            None => {
                numbers.clear();
                let now = u32::try_from(self.now.as_secs()).unwrap_or(u32::MAX);
                // The agent rounds the end up by a second, which it keeps.
                let left = subscription.expires_at.saturating_sub(now + 1);
                let _ = write!(numbers, "{left}");
                put(&["active;expires=", &numbers, "\r\n"]);
            }
        }
        let (content_type, length) = match content {
            Content::Nothing => {
                put(&["Content-Length: 0\r\n\r\n"]);
                return out.len() <= MESSAGE_BYTES_MAX;
            }
            Content::Document(document) => (subscription.package.content_type(), document.len()),
            Content::List(update) => {
                put(&["Require: ", EVENT_LIST, "\r\n"]);
                (&*update.content_type, update.body.len())
            }
        };
        numbers.clear();
        let _ = write!(numbers, "{length}");
        put(&[
            "Content-Type: ",
            content_type,
            "\r\nContent-Length: ",
            &numbers,
            "\r\n\r\n",
        ]);
        match content {
            Content::Nothing => {}
            Content::Document(document) => document.write(subscription.version, out),
            Content::List(update) => out.extend_from_slice(&update.body),
        }
        out.len() <= MESSAGE_BYTES_MAX
    }
}

/// The agent's tag: the number of the subscription and an unpredictable part.
pub(super) struct Tag(pub(super) u32, pub(super) u64);

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:x}-{:016x}", self.0, self.1)
    }
}

impl Tag {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (id, tag) = text.split_once('-')?;
        Some(Self(
            u32::from_str_radix(id, 16).ok()?,
            u64::from_str_radix(tag, 16).ok()?,
        ))
    }
}
