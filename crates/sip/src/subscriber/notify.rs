//! Receiving NOTIFY (RFC 6665 §4.1.3).

use std::time::Duration;

use super::{
    Action, Dialog, EXPIRES_MAX, PAUSE_MAX, Phase, Subscriber, Trouble, response::route_set,
};
use crate::message::{Message, SubscriptionState, answer};

impl Subscriber {
    pub(super) fn on_request(
        &mut self,
        now: Duration,
        request: &Message<'_>,
        out: &mut Vec<Action>,
    ) {
        let method = request.method().unwrap_or_default();
        let key = format!("{method} {}", request.branch().unwrap_or_default());
        if let Some(given) = self.recent.find(&key) {
            out.push(Action::Send(given.to_vec()));
            return;
        }
        let mut news = None;
        let code = match method {
            "NOTIFY" => match self.admit(now, request) {
                Ok(state) => {
                    news = state;
                    200
                }
                Err(code) => code,
            },
            _ => 501,
        };
        let mut response = answer(request, code, Some(&self.from_tag));
        if let (489, Some(account)) = (code, &self.account) {
            response = response.header("Allow-Events", &account.event);
        }
        // An answer that cannot be written is for a request that could not be read: silence ends it.
        if let Ok(bytes) = response.finish() {
            self.recent.remember(now, key, bytes.clone());
            out.push(Action::Send(bytes));
        }
        if let Some(state) = news {
            self.apply(now, request, &state, out);
        }
    }

    /// Checks a NOTIFY; what it says, `None` if it says nothing new, or the code of the refusal.
    fn admit(
        &mut self,
        now: Duration,
        request: &Message<'_>,
    ) -> Result<Option<SubscriptionState>, u16> {
        let cseq = request.cseq().map_err(|_| 400u16)?;
        let from_tag = request.from_tag().unwrap_or_default();
        if self.phase == Phase::Idle || request.to_tag().as_deref() != Some(&self.from_tag) {
            return Err(481);
        }
        let event = request.header("Event").unwrap_or_default();
        let package = event.split(';').next().unwrap_or_default().trim();
        if !self
            .account
            .as_ref()
            .is_some_and(|a| a.event.eq_ignore_ascii_case(package))
        {
            return Err(489);
        }
        let state = request
            .header("Subscription-State")
            .and_then(|v| SubscriptionState::parse(&v))
            .ok_or(400u16)?;
        match &mut self.dialog {
            // Another branch of a forked SUBSCRIBE: one subscription is enough (RFC 6665 §4.4.1).
            Some(dialog) if dialog.remote_tag != from_tag => return Err(481),
            Some(dialog) => match dialog.remote_cseq {
                Some(known) if cseq.number < known => return Err(500),
                Some(known) if cseq.number == known => return Ok(None),
                _ => dialog.remote_cseq = Some(cseq.number),
            },
            // A NOTIFY may overtake the answer to the SUBSCRIBE (RFC 6665 §4.1.2.4).
            None if self.phase == Phase::Subscribing => {
                let seconds = state
                    .expires
                    .unwrap_or(super::EXPIRES_ASKED)
                    .min(EXPIRES_MAX);
                self.dialog = Some(Dialog {
                    remote_tag: from_tag,
                    target: request.contact().unwrap_or_else(|| self.target.clone()),
                    routes: route_set(request, false),
                    remote_cseq: Some(cseq.number),
                    expires_at: now + Duration::from_secs(seconds.into()),
                });
            }
            None => return Err(481),
        }
        Ok(Some(state))
    }

    fn apply(
        &mut self,
        now: Duration,
        request: &Message<'_>,
        state: &SubscriptionState,
        out: &mut Vec<Action>,
    ) {
        if state.state == "terminated" {
            return self.on_terminated(now, state, out);
        }
        if self.phase == Phase::Stopping {
            return;
        }
        self.notify_by = None;
        let Some(dialog) = &mut self.dialog else {
            return;
        };
        if let Some(contact) = request.contact() {
            dialog.target = contact;
        }
        if let Some(seconds) = state.expires {
            dialog.expires_at = now + Duration::from_secs(seconds.min(EXPIRES_MAX).into());
        }
        let (expires_at, remaining) = (dialog.expires_at, dialog.expires_at.saturating_sub(now));
        // The notifier may have shortened what it granted; otherwise the planned renewal stands.
        if self.phase == Phase::Active && self.refresh_at.is_some_and(|at| at >= expires_at) {
            self.schedule_refresh(now, remaining);
        }
        if state.state == "pending" {
            out.push(Action::Trouble(Trouble::Pending));
            return;
        }
        let first = !self.told;
        self.told = true;
        out.push(Action::Notified {
            content_type: request.header("Content-Type").map(|c| c.into_owned()),
            body: request.body().to_vec(),
            remaining,
            first,
        });
    }

    /// The reason says when to come back (RFC 6665 §4.1.3).
    fn on_terminated(&mut self, now: Duration, state: &SubscriptionState, out: &mut Vec<Action>) {
        if self.phase == Phase::Stopping {
            return self.end(out);
        }
        let reason = state.reason.clone().unwrap_or_else(|| "no reason".into());
        let asked = state
            .retry_after
            .map(|s| Duration::from_secs(s.into()).min(PAUSE_MAX));
        if reason == "noresource" && self.pending.is_some() && self.phase == Phase::Active {
            // FreeSWITCH ends a dialog whose renewal carries an unknown nonce; this NOTIFY may overtake the 401. If the extension
            // really does not exist, the new subscription is refused.
            let pause = self.pause_unless_settled(now);
            return self.lose(now, Trouble::Forgotten, pause, out);
        }
        let pause = match reason.as_str() {
            "rejected" | "noresource" | "invariant" => PAUSE_MAX,
            "deactivated" | "timeout" => self.pause_unless_settled(now),
            "probation" | "giveup" => asked.unwrap_or_else(|| self.growing_pause()),
            _ => asked.unwrap_or_else(|| self.pause_unless_settled(now)),
        };
        self.lose(now, Trouble::Ended { reason }, pause, out);
    }
}
