//! The tenant: its people, their deadlines, and the changes by writes and deadlines.
//!
//! Pure: time is an argument, and changes are collected for the shell. A caller that writes calls [`Tenant::settle`] first,
//! so that the changes by earlier deadlines come before the write, each with its own time.

use std::collections::{BTreeSet, HashMap};

use crate::{
    calendar::Calendar,
    change::{Cause, Change, Visible},
    directory::{Group, Removal},
    duration::Milliseconds,
    error::{ControlError, ControlErrorKind},
    guid::Guid,
    preferred::Preferred,
    rules::Rules,
    session::{Attention, Origin, Session, Statement},
    user::{Past, User},
    value::Device,
};

/// The most sessions of applications for a person. Real people have a few; a client with a new id for every call must not
/// exhaust the memory.
pub(crate) const APP_SESSIONS_MAX: usize = 64;

/// The first sequence number is the number of seconds since this time (2020-01-01T00:00:00Z), so that a restarted emulator
/// continues with higher ones: clients drop states with lower sequence numbers.
const SEQUENCE_EPOCH: Milliseconds = 1_577_836_800_000;

/// The people and groups of a tenant. Deleted people keep their index, so that an index stays valid.
#[derive(Debug, Default)]
pub(crate) struct Tenant {
    /// Rules from the knobs.
    pub(crate) rules: Rules,
    pub(crate) users: Vec<User>,
    /// Groups; an index stays valid.
    pub(crate) groups: Vec<Group>,
    /// Counts changes of the directory.
    pub(crate) revision: u64,
    by_id: HashMap<Guid, usize>,
    by_name: HashMap<Box<str>, usize>,
    deadlines: BTreeSet<(Milliseconds, usize)>,
    order: u64,
    changes: Vec<Change>,
}

impl Tenant {
    /// An empty tenant.
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// The user at an index.
    pub(crate) fn user(&self, index: usize) -> Option<&User> {
        self.users.get(index)
    }

    /// The index of an object id.
    pub(crate) fn find(&self, guid: Guid) -> Option<usize> {
        self.by_id.get(&guid).copied()
    }

    /// The index of an object id or user principal name, as the control plane names people.
    pub(crate) fn find_any(&self, text: &str) -> Result<usize, ControlError> {
        let by_id = text.parse().ok().and_then(|guid| self.find(guid));
        let found = by_id.or_else(|| self.by_name.get(text.to_lowercase().as_str()).copied());
        found.ok_or_else(|| ControlError::unknown_user(text))
    }

    /// The next deadline of any person.
    pub(crate) fn next_deadline(&self) -> Option<Milliseconds> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Takes the changes since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    /// Puts changes back that are still to be reported.
    pub(crate) fn put_back(&mut self, changes: Vec<Change>) {
        self.changes = changes;
    }

    /// Adds a person.
    ///
    /// # Errors
    /// The id or the name is taken, or the name is empty or too long.
    pub(crate) fn add(
        &mut self,
        guid: Guid,
        display_name: &str,
        user_principal_name: &str,
        now: Milliseconds,
    ) -> Result<usize, ControlError> {
        let taken = |field, value: &str| {
            ControlError::new(
                ControlErrorKind::Conflict,
                field,
                value,
                "is already taken",
                "choose another, or leave it out",
            )
        };
        if self.by_id.contains_key(&guid) {
            return Err(taken("id", &guid.to_string()));
        }
        let name = user_principal_name.to_lowercase();
        if name.is_empty() || name.len() > 1_024 {
            let remedy = "give between 1 and 1024 characters such as anna@contoso.example";
            return Err(ControlError::invalid(
                "userPrincipalName",
                &name,
                "is empty or too long",
                remedy,
            ));
        }
        if self.by_name.contains_key(name.as_str()) {
            return Err(taken("userPrincipalName", user_principal_name));
        }
        let index = self.users.len();
        let sequence = u64::try_from((now - SEQUENCE_EPOCH) / 1_000).unwrap_or(0);
        self.users.push(User::new(
            guid,
            display_name,
            user_principal_name,
            now,
            sequence,
        ));
        self.by_id.insert(guid, index);
        self.by_name.insert(name.into(), index);
        self.revision += 1;
        self.users[index].profile.created = self.revision;
        Ok(index)
    }

    /// The people who were not deleted.
    pub(crate) fn people(&self) -> impl Iterator<Item = &User> {
        self.users.iter().filter(|user| user.removed.is_none())
    }

    /// Deletes a person from the directory, with sessions and call.
    pub(crate) fn remove(&mut self, index: usize, for_good: bool, now: Milliseconds) {
        self.end_call(index, now);
        self.revision += 1;
        let user = &mut self.users[index];
        user.removed = Some(Removal {
            revision: self.revision,
            for_good,
        });
        user.sessions.clear();
        user.preferred = None;
        user.calendar = Calendar::default();
        let (guid, name) = (user.guid, user.user_principal_name.to_lowercase());
        self.refresh(index, now, Cause::Teams("user deleted"));
        self.by_id.remove(&guid);
        self.by_name.remove(name.as_str());
        for group in &mut self.groups {
            group.members.remove(&index);
        }
    }

    /// Changes the display name or sign-in name of a person.
    ///
    /// # Errors
    /// A name is empty or too long, or the sign-in name is taken.
    pub(crate) fn rename(
        &mut self,
        index: usize,
        display_name: Option<&str>,
        user_principal_name: Option<&str>,
    ) -> Result<(), ControlError> {
        if let Some(name) = display_name.filter(|name| name.trim().is_empty() || name.len() > 256) {
            let remedy = "give a name of 1 to 256 bytes";
            return Err(ControlError::invalid(
                "displayName",
                name,
                "is empty or too long",
                remedy,
            ));
        }
        if let Some(new) = user_principal_name {
            let key = new.to_lowercase();
            let taken = self
                .by_name
                .get(key.as_str())
                .is_some_and(|other| *other != index);
            if key.is_empty() || key.len() > 1_024 || taken {
                return Err(ControlError::new(
                    ControlErrorKind::Conflict,
                    "userPrincipalName",
                    new,
                    "is empty, too long or already taken",
                    "choose another",
                ));
            }
            let old = self.users[index].user_principal_name.to_lowercase();
            self.by_name.remove(old.as_str());
            self.by_name.insert(key.into(), index);
        }
        self.revision += 1;
        let user = &mut self.users[index];
        for (field, slot, value) in [
            ("displayName", &mut user.display_name, display_name),
            (
                "userPrincipalName",
                &mut user.user_principal_name,
                user_principal_name,
            ),
        ] {
            if let Some(value) = value {
                *slot = value.into();
                user.profile.touch(field, self.revision);
            }
        }
        Ok(())
    }

    /// Sets the rules and computes the visible states of all people again.
    pub(crate) fn apply(&mut self, rules: Rules, now: Milliseconds) {
        self.rules = rules;
        for index in 0..self.users.len() {
            self.refresh(index, now, Cause::Teams("knobs changed"));
        }
    }

    /// Applies every deadline up to now, in order, each with its own time.
    pub(crate) fn settle(&mut self, now: Milliseconds) {
        while let Some((at, index)) = self.deadlines.first().copied()
            && at <= now
        {
            let cause = self.users[index].lapse(at);
            self.refresh(index, at, cause);
        }
    }

    /// Computes the visible state of a person after a change, and collects the change.
    pub(crate) fn refresh(&mut self, index: usize, now: Milliseconds, cause: Cause) {
        let alike_counts = self.rules.alike_counts && matches!(cause, Cause::Graph { .. });
        let user = &mut self.users[index];
        if let Some(old) = user.deadline {
            self.deadlines.remove(&(old, index));
        }
        let before = user.refresh(now, &self.rules, alike_counts);
        if let Some(deadline) = user.deadline {
            self.deadlines.insert((deadline, index));
        }
        let current = user.current();
        let visible = before.map(|before| Visible {
            from: before.shown,
            to: current.shown,
            sequence: current.sequence,
        });
        let differs = |visible: Visible| alike_counts || visible.from != visible.to;
        self.changes.push(Change {
            at: now,
            user: index,
            visible,
            notifies: visible.is_some_and(differs),
            cause,
        });
    }

    /// A number that increases with each write, to order writes of the same millisecond.
    pub(crate) fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// Creates or replaces an application's session; returns false if the person has too many.
    pub(crate) fn state(
        &mut self,
        index: usize,
        session_id: &str,
        statement: Statement,
        now: Milliseconds,
        cause: Cause,
    ) -> bool {
        let order = self.next_order();
        let idle = self.rules.idle_spelling;
        let sessions = &mut self.users[index].sessions;
        if let Some(session) = sessions
            .iter_mut()
            .find(|session| session.is_app(session_id))
        {
            session.restate(statement, now, order, idle);
        } else if sessions
            .iter()
            .filter(|session| session.device().is_none())
            .count()
            >= APP_SESSIONS_MAX
        {
            return false;
        } else {
            sessions.push(Session::app(session_id, statement, now, order));
        }
        self.refresh(index, now, cause);
        true
    }

    /// Removes an application's session; returns false if there is none.
    pub(crate) fn retract(
        &mut self,
        index: usize,
        session_id: &str,
        now: Milliseconds,
        cause: Cause,
    ) -> bool {
        let sessions = &mut self.users[index].sessions;
        let before = sessions.len();
        sessions.retain(|session| !session.is_app(session_id));
        let found = sessions.len() < before;
        if found {
            self.refresh(index, now, cause);
        }
        found
    }

    /// Sets or clears the preferred presence.
    pub(crate) fn prefer(
        &mut self,
        index: usize,
        preferred: Option<Preferred>,
        now: Milliseconds,
        cause: Cause,
    ) {
        self.users[index].preferred = preferred;
        self.refresh(index, now, cause);
    }

    /// Signs a client in, or cancels the end of its session after a sign-out.
    pub(crate) fn sign_in(&mut self, index: usize, device: Device, now: Milliseconds) {
        self.put_client(index, device, Attention::Active, now);
        self.refresh(index, now, Cause::Teams("client signed in"));
    }

    /// Sets the use of a client; signs it in if necessary.
    pub(crate) fn attend(
        &mut self,
        index: usize,
        device: Device,
        attention: Attention,
        now: Milliseconds,
    ) {
        self.put_client(index, device, attention, now);
        let action = match attention {
            Attention::Active => "client in use",
            Attention::Idle(_) => "client idle",
            Attention::Locked => "client locked",
        };
        self.refresh(index, now, Cause::Teams(action));
    }

    /// Adds or updates a client, without collecting a change.
    pub(crate) fn put_client(
        &mut self,
        index: usize,
        device: Device,
        attention: Attention,
        now: Milliseconds,
    ) {
        let order = self.next_order();
        let user = &mut self.users[index];
        if user.client(device).is_none() {
            user.sessions.push(Session::client(device, now, order));
        }
        if let Some(session) = user.client(device) {
            session.ends = None;
            session.origin = Origin::Client { device, attention };
        }
        user.derive_clients(now, order, self.rules.idle_spelling);
    }

    /// Signs out one client or all clients. Their sessions end after the grace period, or at once. A call on such a client
    /// ends.
    pub(crate) fn sign_out(
        &mut self,
        index: usize,
        device: Option<Device>,
        at_once: bool,
        now: Milliseconds,
    ) {
        let leaves = |session: &Session| {
            session
                .device()
                .is_some_and(|own| device.is_none_or(|wanted| wanted == own))
        };
        if self.users[index]
            .call
            .is_some_and(|call| device.is_none_or(|device| device == call.device))
        {
            self.end_call(index, now);
        }
        let grace = self.rules.sign_out_grace;
        let user = &mut self.users[index];
        if !user.sessions.iter().any(leaves) {
            return;
        }
        if at_once || grace <= 0 {
            user.sessions.retain(|session| !leaves(session));
        } else {
            for session in user.sessions.iter_mut().filter(|session| leaves(session)) {
                session.ends = session.ends.or(Some(now.saturating_add(grace)));
            }
        }
        self.refresh(index, now, Cause::Teams("client signed out"));
    }

    /// Sets or clears the preferred presence, as the Teams menu does.
    pub(crate) fn choose(&mut self, index: usize, chosen: Option<Preferred>, now: Milliseconds) {
        let action = if chosen.is_some() {
            "status set manually"
        } else {
            "status reset manually"
        };
        self.prefer(index, chosen, now, Cause::Teams(action));
    }

    /// The visible state of a person, at present or at an earlier time.
    pub(crate) fn read(&self, index: usize, moment: Option<Milliseconds>) -> Option<Past> {
        let user = self.user(index)?;
        Some(moment.map_or_else(|| user.current(), |moment| user.seen_at(moment)))
    }
}

#[cfg(test)]
mod tests;
