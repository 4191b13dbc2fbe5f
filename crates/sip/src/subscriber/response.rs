//! Handles the answers to SUBSCRIBE (RFC 6665 §4.1.2).

use std::time::Duration;

use super::{
    Action, Dialog, Doubt, EXPIRES_MAX, Pending, Phase, RETRY_INTERVAL_MAX, Subscriber, Trouble,
    is_refused_for_good,
    request::{remote_target, route_set},
};
use crate::{
    digest::{ChallengeProblem, Verdict},
    floor,
    message::Message,
    transaction::{Progress, TIMEOUT},
};

/// Most redirections followed in one attempt.
const REDIRECTS_MAX: u8 = 2;

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
            300..=305 if self.phase == Phase::Subscribing && self.dialog.is_none() => {
                self.on_redirected(now, response, code, &pending, out);
            }
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
        let remaining = Duration::from_secs(granted.into());
        if remaining <= floor::RENEWAL_MIN {
            let trouble = Trouble::ShortLease {
                seconds: remaining.as_secs(),
            };
            let pause = self.growing_pause();
            return self.lose(now, trouble, pause, out);
        }
        let expires_at = now + remaining;
        let renewed = self.phase == Phase::Active;
        let tag = response.to_tag().unwrap_or_default();
        match &mut self.dialog {
            Some(dialog) => {
                dialog.expires_at = expires_at;
                // An answer from another branch of a forked SUBSCRIBE has another route.
                let is_same = dialog.remote_tag == tag || tag.is_empty();
                if let Some(target) = remote_target(response).filter(|_| is_same) {
                    dialog.target = target;
                }
                // A NOTIFY overtook this answer: only the answer has the whole route (RFC 3261 §12.1.2).
                if !renewed && is_same {
                    dialog.routes = route_set(response, true);
                }
            }
            None => {
                self.dialog = Some(Dialog {
                    remote_tag: tag,
                    target: remote_target(response).unwrap_or_else(|| self.target.clone()),
                    routes: route_set(response, true),
                    remote_cseq: None,
                    refused: None,
                    expires_at,
                });
            }
        }
        self.phase = Phase::Active;
        self.schedule_refresh(now, remaining);
        if renewed {
            self.floor.settle(now.saturating_sub(self.begun_at));
        }
        if !pending.confirmed {
            self.wait_for_notify(now + TIMEOUT);
        } else if let Some(known) = self.known_until.replace(expires_at)
            && (renewed || known != expires_at)
        {
            out.push(Action::Renewed { remaining });
        }
        if self.doubt == Doubt::Asking {
            match renewed && !pending.confirmed {
                true => self.doubt = Doubt::Due,
                // The unusable NOTIFY is newer than the request of this answer.
                false => self.urge(now),
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
        // No request is under way without an account.
        let Some(account) = &self.account else {
            return;
        };
        let credentials = account.credentials.as_ref();
        let trouble = match self.authentication.on_refused(response, credentials) {
            Verdict::Answer => return self.send_subscribe(now, pending.expires, out),
            // A renewal refused without a challenge: the notifier no longer knows the nonce or the dialog (FreeSWITCH, also after
            // its restart), and has ended the subscription.
            Verdict::RetryWithoutCredentials
            | Verdict::RefusedWithoutChallenge
            | Verdict::Unusable(ChallengeProblem::NoChallenge)
                if self.phase == Phase::Active =>
            {
                let pause = self.pause_unless_settled(now);
                return self.lose(now, Trouble::Forgotten, pause, out);
            }
            Verdict::RetryWithoutCredentials if self.phase == Phase::Stopping => {
                return self.end(out);
            }
            Verdict::RetryWithoutCredentials => {
                return self.retry_with_new_call_id(now, pending.expires, out);
            }
            Verdict::RefusedWithoutChallenge | Verdict::WrongCredentials => {
                Trouble::WrongCredentials { code }
            }
            Verdict::Unusable(why) => Trouble::UnusableChallenge { code, why },
        };
        if self.phase == Phase::Stopping {
            return self.end(out);
        }
        // A quick retry would only lock the account.
        let pause = (self.growing_pause() * 3).min(RETRY_INTERVAL_MAX);
        self.refused(now, trouble, pause, out);
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
            Some(_) => self.subscribe(now, out),
            None => {
                let pause = self.growing_pause();
                self.lose(now, Trouble::Interval { minimum }, pause, out);
            }
        }
    }

    /// Handles a redirection (RFC 3261 §21.3): the same request goes to the new target with the same To. A proxy (305) would
    /// be the route of all later requests, so the configuration must name it.
    fn on_redirected(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        code: u16,
        pending: &Pending,
        out: &mut Vec<Action>,
    ) {
        let target = remote_target(response);
        let (current, _) = self.destination();
        let is_new = target.as_ref().is_some_and(|target| *target != current);
        if code == 305 || !is_new || self.redirects == REDIRECTS_MAX {
            let pause = self.growing_pause();
            return self.lose(now, Trouble::Redirected { code, target }, pause, out);
        }
        self.redirect = target;
        self.redirects += 1;
        self.send_subscribe(now, pending.expires, out);
    }

    fn on_refused(
        &mut self,
        now: Duration,
        response: &Message<'_>,
        code: u16,
        out: &mut Vec<Action>,
    ) {
        let for_good = is_refused_for_good(code);
        if self.phase == Phase::Active && for_good {
            // The dialog is over (RFC 5057 §5.1), but a new one may succeed; its refusal would be the trouble.
            let pause = self.pause_unless_settled(now);
            return self.lose(now, Trouble::Forgotten, pause, out);
        }
        let trouble = Trouble::Refused { code };
        let retry_after = response
            .seconds("Retry-After")
            .map(|s| Duration::from_secs(s.into()));
        let pause = if for_good {
            RETRY_INTERVAL_MAX
        } else {
            self.growing_pause()
                .max(retry_after.unwrap_or_default())
                .min(RETRY_INTERVAL_MAX)
        };
        self.refused(now, trouble, pause, out);
    }

    /// Subscribes again after the pause. After a refused renewal the subscription lives until it expires (RFC 6665 §4.1.2.2,
    /// RFC 5057 §5.1).
    fn refused(&mut self, now: Duration, trouble: Trouble, pause: Duration, out: &mut Vec<Action>) {
        if self.phase == Phase::Active {
            self.floor.fail();
            self.refresh_at = Some(now + pause);
            out.push(Action::Trouble(trouble));
        } else {
            self.lose(now, trouble, pause, out);
        }
    }
}
