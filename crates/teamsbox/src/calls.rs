//! Calls and screen sharing between two people of the tenant, or of one person with an external party.
//!
//! Both sides always agree: a call starts, changes and ends for both.

use crate::{
    change::Cause,
    duration::Milliseconds,
    error::ControlError,
    session::Attention,
    tenant::Tenant,
    user::{Call, CallKind},
    value::Device,
};

impl Tenant {
    /// Starts a call, or changes the kind or the other party of a running one. Without a party the present one stays;
    /// with another party the running call ends first.
    ///
    /// # Errors
    /// A person calls themselves.
    pub(crate) fn start_call(
        &mut self,
        index: usize,
        kind: CallKind,
        with: Option<usize>,
        now: Milliseconds,
    ) -> Result<(), ControlError> {
        let with = self.join(index, with, now)?;
        let sharing = self.users[index].call.is_some_and(|call| call.sharing);
        let cause = Cause::Teams(match kind {
            CallKind::Video => "video call",
            CallKind::Meeting => "meeting joined",
            _ => "audio call",
        });
        self.put_call(index, kind, with, sharing, now);
        if let Some(other) = with {
            let sharing = !sharing && self.users[other].call.is_some_and(|call| call.sharing);
            self.put_call(other, kind, Some(index), sharing, now);
            self.refresh(other, now, cause.clone());
        }
        self.refresh(index, now, cause);
        Ok(())
    }

    /// Shares the screen: within the running call, else with another party or without one. Only one side shares at a
    /// time.
    ///
    /// # Errors
    /// A person shares with themselves.
    pub(crate) fn start_sharing(
        &mut self,
        index: usize,
        with: Option<usize>,
        now: Milliseconds,
    ) -> Result<(), ControlError> {
        let with = self.join(index, with, now)?;
        let kind = self.users[index]
            .call
            .map_or(CallKind::Sharing, |call| call.kind);
        let cause = Cause::Teams("sharing started");
        self.put_call(index, kind, with, true, now);
        if let Some(other) = with {
            self.put_call(other, kind, Some(index), false, now);
            self.refresh(other, now, cause.clone());
        }
        self.refresh(index, now, cause);
        Ok(())
    }

    /// Stops sharing. Sharing without a call ends for both sides.
    pub(crate) fn stop_sharing(&mut self, index: usize, now: Milliseconds) {
        let Some(call) = self.users[index].call.filter(|call| call.sharing) else {
            return;
        };
        if call.kind == CallKind::Sharing {
            self.hang_up(index, now, &Cause::Teams("sharing stopped"));
            return;
        }
        self.put_call(index, call.kind, call.with, false, now);
        self.refresh(index, now, Cause::Teams("sharing stopped"));
    }

    /// Ends the call for both sides; nothing happens without one.
    pub(crate) fn end_call(&mut self, index: usize, now: Milliseconds) {
        self.hang_up(index, now, &Cause::Teams("call ended"));
    }

    /// Ends other calls of both sides; returns the other party of the new call.
    fn join(
        &mut self,
        index: usize,
        with: Option<usize>,
        now: Milliseconds,
    ) -> Result<Option<usize>, ControlError> {
        if with == Some(index) {
            let id = self.users[index].id.to_string();
            return Err(ControlError::invalid(
                "with",
                &id,
                "is the caller",
                "name another user",
            ));
        }
        let partner = self.users[index].call.and_then(|call| call.with);
        let with = with.or(partner);
        if partner.is_some() && partner != with {
            self.end_call(index, now);
        }
        if let Some(other) = with
            && self.users[other]
                .call
                .is_some_and(|call| call.with.is_some_and(|with| with != index))
        {
            self.end_call(other, now);
        }
        Ok(with)
    }

    fn hang_up(&mut self, index: usize, now: Milliseconds, cause: &Cause) {
        let Some(call) = self.users[index].call.take() else {
            return;
        };
        if let Some(other) = call.with {
            self.users[other].call = None;
        }
        for side in call.with.into_iter().chain([index]) {
            let order = self.next_order();
            self.users[side].derive_clients(now, order, self.rules.idle_spelling);
            self.refresh(side, now, cause.clone());
        }
    }

    /// Adds one side to the call: on the client of the running call, else on the first signed-in client, else on a
    /// desktop client that signs in for it.
    fn put_call(
        &mut self,
        index: usize,
        kind: CallKind,
        with: Option<usize>,
        sharing: bool,
        now: Milliseconds,
    ) {
        let user = &self.users[index];
        let device = user
            .call
            .map(|call| call.device)
            .or_else(|| user.call_device());
        if device.is_none() {
            self.put_client(index, Device::Desktop, Attention::Active, now);
        }
        let order = self.next_order();
        let user = &mut self.users[index];
        user.call = Some(Call {
            kind,
            with,
            sharing,
            device: device.unwrap_or(Device::Desktop),
        });
        user.derive_clients(now, order, self.rules.idle_spelling);
    }
}
