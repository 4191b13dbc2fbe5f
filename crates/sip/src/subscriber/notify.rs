//! Receives NOTIFY (RFC 6665 §4.1.3).

use std::time::Duration;

use super::{
    Action, Dialog, Doubt, EXPIRES_MAX, Phase, RETRY_INTERVAL_MAX, Subscriber, Trouble,
    request::{remote_target, route_set},
};
use crate::{
    message::{Message, SubscriptionState, answer, find_parameter},
    software::Software,
};

/// The position of a NOTIFY within the subscription.
enum Admitted {
    /// A new NOTIFY.
    News(SubscriptionState),
    /// A NOTIFY with the number of an earlier one.
    Repeated(u32),
    /// A NOTIFY with a lower number than an earlier one (RFC 3261 §12.2.2).
    Late(u32),
}

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
        let admitted = match method {
            "NOTIFY" => self.admit(now, request),
            _ => Err(501),
        };
        let code = match &admitted {
            Ok(Admitted::News(_) | Admitted::Repeated(_)) => 200,
            Ok(Admitted::Late(_)) => 500,
            Err(code) => *code,
        };
        let mut response = answer(request, code, Some(&self.from_tag));
        if let (489, Some(account)) = (code, &self.account) {
            response = response.header("Allow-Events", &account.event);
        }
        // An answer that cannot be written belongs to an unreadable request, which times out.
        if let Ok(bytes) = response.finish() {
            self.recent.remember(now, key, bytes.clone());
            out.push(Action::Send(bytes));
        }
        match admitted {
            Ok(Admitted::News(state)) => self.apply(now, request, &state, out),
            Ok(Admitted::Repeated(number) | Admitted::Late(number)) => {
                self.on_old_number(now, number, out);
            }
            Err(code) if self.is_meant(request) => self.on_bad_notify(now, code, out),
            Err(_) => {}
        }
    }

    /// Whether a refused request belongs to this subscription: it has its Call-ID and not the tag or event of another one.
    fn is_meant(&self, request: &Message<'_>) -> bool {
        let fits =
            |tag: Option<String>, own: &str| tag.is_none_or(|tag| tag.is_empty() || tag == own);
        let event = request.header("Event").unwrap_or_default();
        let package = event.split(';').next().unwrap_or_default().trim();
        let account = self.account.as_ref();
        let is_ours = account.is_some_and(|a| a.event.eq_ignore_ascii_case(package));
        let dialog = self.dialog.as_ref();
        let method = request.method().unwrap_or_default();
        method.eq_ignore_ascii_case("NOTIFY")
            && (package.is_empty() || is_ours)
            && fits(request.to_tag(), &self.from_tag)
            && dialog.is_some_and(|dialog| fits(request.from_tag(), &dialog.remote_tag))
    }

    /// Handles an unreadable NOTIFY of this subscription: asks for the state again.
    pub(super) fn on_bad_notify(&mut self, now: Duration, code: u16, out: &mut Vec<Action>) {
        if self.phase == Phase::Active {
            out.push(Action::Trouble(Trouble::BadNotify { code }));
            if self.doubt == Doubt::None {
                self.doubt(now);
            }
        }
    }

    /// Checks a NOTIFY; `Err` is the status code for one that does not belong to this subscription.
    fn admit(&mut self, now: Duration, request: &Message<'_>) -> Result<Admitted, u16> {
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
        // This subscription has no id: the NOTIFY belongs to another (RFC 6665 §4.4.1).
        if find_parameter(&event, "id").is_some_and(|id| !id.is_empty()) {
            return Err(481);
        }
        let state = request
            .header("Subscription-State")
            .and_then(|v| SubscriptionState::parse(&v))
            .ok_or(400u16)?;
        match &mut self.dialog {
            Some(dialog) if dialog.remote_tag == from_tag => match dialog.remote_cseq {
                Some(known) if cseq.number < known => return Ok(Admitted::Late(cseq.number)),
                Some(known) if cseq.number == known => {
                    return Ok(Admitted::Repeated(cseq.number));
                }
                _ => {
                    dialog.remote_cseq = Some(cseq.number);
                    dialog.refused = None;
                }
            },
            // The answer came from another branch than the first NOTIFY, which creates the dialog (RFC 6665 §4.4.1).
            Some(dialog) if dialog.remote_cseq.is_none() => {
                dialog.remote_tag = from_tag;
                dialog.target = remote_target(request).unwrap_or_else(|| self.target.clone());
                dialog.routes = route_set(request, false);
                dialog.remote_cseq = Some(cseq.number);
            }
            // Another branch of a forked SUBSCRIBE: one subscription is enough (RFC 6665 §4.4.1).
            Some(_) => return Err(481),
            // A NOTIFY may overtake the answer to the SUBSCRIBE (RFC 6665 §4.1.2.4).
            None if self.phase == Phase::Subscribing => {
                let seconds = state
                    .expires
                    .unwrap_or(super::EXPIRES_REQUESTED)
                    .min(EXPIRES_MAX);
                self.dialog = Some(Dialog {
                    remote_tag: from_tag,
                    target: remote_target(request).unwrap_or_else(|| self.target.clone()),
                    routes: route_set(request, false),
                    remote_cseq: Some(cseq.number),
                    refused: None,
                    expires_at: now + Duration::from_secs(seconds.into()),
                });
            }
            None => return Err(481),
        }
        Ok(Admitted::News(state))
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
        let Some(dialog) = &mut self.dialog else {
            return;
        };
        if let Some(target) = remote_target(request) {
            dialog.target = target;
        }
        if let Some(seconds) = state.expires {
            dialog.expires_at = now + Duration::from_secs(seconds.min(EXPIRES_MAX).into());
        }
        let (expires_at, remaining) = (dialog.expires_at, dialog.expires_at.saturating_sub(now));
        if remaining.is_zero() {
            // A state with no duration is unknown.
            let reason = "expires=0".into();
            let pause = self.pause_unless_settled(now);
            return self.lose(now, Trouble::Ended { reason }, pause, out);
        }
        // The notifier may have shortened the granted duration; otherwise the planned renewal stands.
        if self.phase == Phase::Active && self.refresh_at.is_some_and(|at| at >= expires_at) {
            self.schedule_refresh(now, remaining);
        }
        if state.state == "pending" {
            self.notify_by = None;
            if let Some(pending) = &mut self.pending {
                pending.confirmed = true;
            }
            if self.known_until.take().is_some() {
                out.push(Action::Stale);
            }
            out.push(Action::Trouble(Trouble::Pending));
            return;
        }
        let first = self.known_until.is_none();
        self.confirm(expires_at);
        out.push(Action::Notified {
            content_type: request.header("Content-Type").map(|c| c.into_owned()),
            body: request.body().to_vec(),
            remaining,
            first,
            software: Software::of(request),
        });
    }

    /// Subscribes again after the pause of the reason (RFC 6665 §4.1.3), but not sooner than after any other end.
    fn on_terminated(&mut self, now: Duration, state: &SubscriptionState, out: &mut Vec<Action>) {
        if self.phase == Phase::Stopping {
            return self.end(out);
        }
        let reason = state.reason.clone().unwrap_or_else(|| "no reason".into());
        let retry_after = state
            .retry_after
            .map(|s| Duration::from_secs(s.into()).min(RETRY_INTERVAL_MAX));
        let least = self.pause_unless_settled(now);
        let may_be_nonce = self.phase == Phase::Active || self.authentication.has_earlier_nonces();
        if reason == "noresource" && self.pending.is_some() && may_be_nonce {
            // FreeSWITCH ends a subscription after a request with an unknown nonce; this NOTIFY may overtake the 401. If the
            // extension really does not exist, the new subscription is refused.
            self.authentication.forget();
            return self.lose(now, Trouble::Forgotten, least, out);
        }
        let pause = match reason.as_str() {
            "rejected" | "noresource" | "invariant" => RETRY_INTERVAL_MAX,
            "deactivated" | "timeout" => least,
            "probation" | "giveup" => retry_after
                .unwrap_or_else(|| self.growing_pause())
                .max(least),
            _ => retry_after.unwrap_or_default().max(least),
        };
        self.lose(now, Trouble::Ended { reason }, pause, out);
    }
}
