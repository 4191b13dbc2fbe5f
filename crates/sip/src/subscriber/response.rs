//! What the answers to SUBSCRIBE mean (RFC 6665 §4.1.2).

use std::time::Duration;

use super::{
    Action, Dialog, EXPIRES_MAX, PAUSE_MAX, Pending, Phase, Subscriber, Trouble,
    is_refused_for_good,
};
use crate::digest::{Unusable, Verdict};
use crate::message::{Message, NameAddr, split_list};
use crate::transaction::{Progress, TIMEOUT};

impl Subscriber {
    pub(super) fn on_response(
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
            401 | 407 => self.on_challenge(now, response, code, &pending, out),
            _ if self.phase == Phase::Stopping => self.end(out),
            200..=299 => self.on_accepted(now, response, &pending, out),
            423 => self.on_interval_too_brief(now, response, &pending, out),
            481 if self.phase == Phase::Active => {
                let pause = self.pause_unless_settled(now);
                self.lose(now, Trouble::Forgotten, pause, out);
            }
            _ => self.on_refused(now, response, code, out),
        }
    }

    fn on_accepted(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        pending: &Pending,
        out: &mut Vec<Action>,
    ) {
        let granted = response
            .seconds("Expires")
            .unwrap_or(pending.expires)
            .min(EXPIRES_MAX);
        if granted == 0 {
            let pause = self.growing_pause();
            return self.lose(
                now,
                Trouble::Ended {
                    reason: "expires 0".into(),
                },
                pause,
                out,
            );
        }
        let remaining = Duration::from_secs(granted.into());
        let renewed = self.phase == Phase::Active;
        let contact = response.contact();
        let tag = response.to_tag().unwrap_or_default();
        let expires_at = now + remaining;
        match &mut self.dialog {
            Some(dialog) => {
                dialog.expires_at = expires_at;
                if let Some(contact) = contact {
                    dialog.target = contact;
                }
                // A NOTIFY overtook this answer: only the answer knows the whole route (RFC 3261 §12.1.2).
                if !renewed && dialog.remote_tag == tag {
                    dialog.routes = route_set(response, true);
                }
            }
            None => {
                self.dialog = Some(Dialog {
                    remote_tag: tag,
                    target: contact.unwrap_or_else(|| self.target.clone()),
                    routes: route_set(response, true),
                    remote_cseq: None,
                    expires_at,
                });
            }
        }
        if self.phase == Phase::Subscribing && !self.told {
            self.notify_by = Some(now + TIMEOUT);
        }
        self.phase = Phase::Active;
        self.schedule_refresh(now, remaining);
        if renewed {
            self.failures = 0;
            if self.told {
                out.push(Action::Renewed { remaining });
            }
        }
    }

    fn on_challenge(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        code: u16,
        pending: &Pending,
        out: &mut Vec<Action>,
    ) {
        // Nothing is under way without an account.
        let Some(account) = &self.account else {
            return;
        };
        let credentials = account.credentials.as_ref();
        let trouble = match self.authentication.on_refused(response, credentials) {
            Verdict::Answer => return self.send_subscribe(now, pending.expires, out),
            // A renewal refused without a challenge: the notifier no longer knows the nonce or the dialog (FreeSWITCH, also after
            // its restart), and has ended the subscription.
            Verdict::AskWithout | Verdict::Unusable(Unusable::NoChallenge)
                if self.phase == Phase::Active =>
            {
                let pause = self.pause_unless_settled(now);
                return self.lose(now, Trouble::Forgotten, pause, out);
            }
            Verdict::AskWithout if self.phase == Phase::Stopping => return self.end(out),
            Verdict::AskWithout => return self.ask_again(now, pending.expires, out),
            Verdict::WrongCredentials => Trouble::WrongCredentials { code },
            Verdict::Unusable(why) => Trouble::UnusableChallenge { code, why },
        };
        if self.phase == Phase::Stopping {
            return self.end(out);
        }
        // Trying again soon would only lock the account.
        let pause = (self.growing_pause() * 3).min(PAUSE_MAX);
        if self.phase == Phase::Active {
            // As after any other refusal, the subscription itself lives on until it expires (RFC 5057 §5.1).
            self.failures = self.failures.saturating_add(1);
            self.refresh_at = Some(now + pause);
            out.push(Action::Trouble(trouble));
        } else {
            self.lose(now, trouble, pause, out);
        }
    }

    fn on_interval_too_brief(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        pending: &Pending,
        out: &mut Vec<Action>,
    ) {
        match response.seconds("Min-Expires") {
            Some(minimum) if minimum > pending.expires && minimum <= EXPIRES_MAX => {
                self.min_expires = minimum;
                self.subscribe(now, out);
            }
            minimum => {
                let pause = self.growing_pause();
                self.lose(now, Trouble::Interval { minimum }, pause, out);
            }
        }
    }

    fn on_refused(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        code: u16,
        out: &mut Vec<Action>,
    ) {
        let trouble = Trouble::Refused { code };
        let asked = response
            .seconds("Retry-After")
            .map(|s| Duration::from_secs(s.into()));
        let for_good = is_refused_for_good(code);
        let pause = if for_good {
            PAUSE_MAX
        } else {
            self.growing_pause()
                .max(asked.unwrap_or_default())
                .min(PAUSE_MAX)
        };
        if self.phase == Phase::Active && !for_good {
            // The subscription itself lives on until it expires (RFC 6665 §4.1.2.2).
            self.failures += 1;
            self.refresh_at = Some(now + pause);
            out.push(Action::Trouble(trouble));
        } else {
            self.lose(now, trouble, pause, out);
        }
    }
}

/// The route set: the Record-Route entries, reversed for who sent the request (RFC 3261 §12.1).
pub(super) fn route_set(message: &Message<'_>, reversed: bool) -> Vec<String> {
    let mut routes = Vec::new();
    for value in message.all("Record-Route") {
        routes.extend(
            split_list(&value)
                .into_iter()
                .filter(|r| NameAddr::parse(r).is_some())
                .map(str::to_owned),
        );
    }
    if reversed {
        routes.reverse();
    }
    routes
}
