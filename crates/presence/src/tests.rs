//! Behaviour of the engine: the rules of docs/presence-rules.md one by one, and properties over random histories.

mod activities;
mod appointments;
mod attribution;
mod automatic;
mod base_from_teams;
mod do_not_disturb;
mod forwarding;
mod leases;
mod loop_breaker;
mod meetings;
mod microphone;
mod my_profiles;
mod not_counted;
mod profile_axis;
mod properties;
mod reasons;
mod renewal;
mod restart;
mod scenarios;
mod settings;
mod settling;
mod suspension;
mod teams_call;
mod times;
mod to_teams;
mod traces;
mod visibility;
mod visible;

use std::{sync::Arc, time::Duration};

use crate::{
    APPOINTMENT_COLOUR, Action, Appointment, AppointmentId, AppointmentOrigin, Choice, ClientId,
    ClientState, Effect, Engine, Fact, Input, LineChange, LineId, LineState, MicrophoneLayer,
    MyProfiles, Origin, PersonId, PersonPolicy, PersonRecord, Presence, Profile, Reason, Record,
    Relationship, Rule, Slot, Status, SyncMode, TeamsAnswer, TeamsState, TeamsWrite, TenantLag,
    Timestamp, Timing, View, reasons_for, view,
};

pub(crate) const ANNA: PersonId = PersonId(1);
pub(crate) const DESK: LineId = LineId::Watched(11);
pub(crate) const CLIENT: ClientId = ClientId::Page(21);
/// Longer than any test.
pub(crate) const LONG: Duration = Duration::from_secs(30 * 24 * 3600);
pub(crate) const START: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);

/// One person, Anna, with an engine and a clock.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) policy: PersonPolicy,
    pub(crate) now: Timestamp,
    pub(crate) writes: Vec<(Slot, Action)>,
    pub(crate) records: Vec<Record>,
    pub(crate) acknowledges: bool,
    /// Number of [`Effect::ReadTeams`].
    pub(crate) reads: usize,
    /// Number of pauses of writes.
    pub(crate) pauses: usize,
    /// Lag of Anna's tenant, as the server keeps it.
    pub(crate) tenant_lag: TenantLag,
}

/// The report of a line without a name of the other party.
pub(crate) fn reported(state: LineState, lease: Duration) -> LineChange {
    let party = None;
    LineChange::State {
        state,
        party,
        lease,
    }
}

impl World {
    /// A world with a line that has reported idle.
    pub(crate) fn new(mode: SyncMode) -> Self {
        let mut world = Self::with_record(mode, PersonRecord::default());
        world.fact(Fact::Line(DESK, reported(LineState::Idle, LONG)));
        world
    }

    pub(crate) fn with_record(mode: SyncMode, record: PersonRecord) -> Self {
        Self::nowhere(mode).restored(record)
    }

    /// The same, with a Teams that acknowledges nothing.
    pub(crate) fn unacknowledged(mode: SyncMode, record: PersonRecord) -> Self {
        let world = Self {
            acknowledges: false,
            ..Self::nowhere(mode)
        };
        world.restored(record)
    }

    /// A world without people.
    fn nowhere(mode: SyncMode) -> Self {
        Self {
            engine: Engine::new(Timing::default()),
            policy: PersonPolicy::with_mode(mode),
            now: START,
            writes: Vec::new(),
            records: Vec::new(),
            acknowledges: true,
            reads: 0,
            pauses: 0,
            tenant_lag: TenantLag::default(),
        }
    }

    fn restored(mut self, record: PersonRecord) -> Self {
        let record = PersonRecord {
            lines: vec![DESK],
            linked: true,
            ..record
        };
        let policy = Arc::new(self.policy.clone());
        self.input(Input::AddPerson(ANNA, Box::new(record), policy));
        self.client(ClientState::Unknown);
        self
    }

    pub(crate) fn input(&mut self, input: Input) {
        let effects = self.engine.handle(self.now, input);
        let mut written = Vec::new();
        for effect in effects {
            match effect {
                Effect::Write(TeamsWrite { slot, action, .. }) => written.push((slot, action)),
                Effect::Store(record) => self.records.push(record),
                Effect::ReadTeams(_) => self.reads += 1,
                Effect::WriteLag { lag, .. } => self.tenant_lag.record(lag),
                Effect::WritingPaused { .. } => self.pauses += 1,
                Effect::Changed { .. } | Effect::WritingResumed(_) => {}
            }
        }
        self.writes.extend(&written);
        if self.acknowledges {
            for (slot, action) in written {
                self.fact(Fact::TeamsAcknowledged(slot, action));
            }
        }
    }

    /// Lets time pass second by second; `teams` is Graph's answer in each second.
    pub(crate) fn pass(&mut self, time: Duration, teams: Option<(&str, &str)>) {
        let end = self.now + time;
        while self.now < end {
            self.now = (self.now + Duration::from_secs(1)).min(end);
            match teams {
                Some((availability, activity)) => self.teams(availability, activity),
                None => self.input(Input::Tick),
            }
        }
    }

    pub(crate) fn teams(&mut self, availability: &str, activity: &str) {
        let state = TeamsState::new(availability, activity);
        let asked_at = self.now;
        self.fact(Fact::TeamsObserved(TeamsAnswer {
            state,
            asked_at,
            sequence: None,
            tenant_lag: self.tenant_lag.of(seconds(1)),
        }));
    }

    pub(crate) fn line(&mut self, state: LineState) {
        self.fact(Fact::Line(DESK, reported(state, Duration::from_secs(600))));
    }

    /// Applies a fact about Anna.
    pub(crate) fn fact(&mut self, fact: Fact) {
        self.input(Input::Person(ANNA, fact));
    }

    pub(crate) fn choose(&mut self, name: &str) {
        self.fact(Fact::Choice(Some(Choice {
            profile: name.into(),
            since: self.now,
            until: None,
        })));
    }

    pub(crate) fn back_to_automatic(&mut self) {
        self.fact(Fact::Choice(None));
    }

    /// Connects Anna's client in a state, with a long lease.
    pub(crate) fn client(&mut self, state: ClientState) {
        let (client, since, until) = (CLIENT, self.now, self.now + LONG);
        self.fact(Fact::Client {
            client,
            state,
            since,
            until,
        });
    }

    /// Ends Anna's client, and lets the grace period pass.
    pub(crate) fn no_client_for(&mut self, time: Duration) {
        self.fact(Fact::ClientEnded(CLIENT));
        self.now = self.now + time;
        self.input(Input::Tick);
    }

    /// Reports a meeting of Anna's.
    pub(crate) fn meeting(&mut self, meeting: &str, audio: bool, screen: bool) {
        self.fact(Fact::Meeting {
            meeting: meeting.into(),
            audio,
            screen,
            until: self.now + seconds(60),
        });
    }

    /// Reports the programs at Anna's microphone, each with the present time as its start.
    pub(crate) fn programs(&mut self, aliases: &[&str]) {
        self.fact(Fact::Programs {
            client: CLIENT,
            programs: aliases
                .iter()
                .map(|alias| ((*alias).into(), self.now))
                .collect(),
            until: self.now + seconds(30),
        });
    }

    /// Changes Anna's policy.
    pub(crate) fn policy(&mut self, change: impl FnOnce(&mut PersonPolicy)) {
        change(&mut self.policy);
        self.fact(Fact::Policy(Arc::new(self.policy.clone())));
    }

    pub(crate) fn set_mode(&mut self, mode: SyncMode) {
        self.policy(|policy| policy.mode = mode);
    }

    /// Gives Anna these profiles.
    pub(crate) fn profiles(&mut self, profiles: impl IntoIterator<Item = Profile>) {
        self.policy(|policy| policy.profiles = MyProfiles::new(profiles));
    }

    /// Adds an appointment that starts now.
    pub(crate) fn appointment(&mut self, id: u64, profile: &str, lasts: Duration) {
        self.fact(Fact::Appointment(appointment(id, profile, self.now, lasts)));
    }

    pub(crate) fn presence(&self) -> &Presence {
        self.engine.presence(ANNA).unwrap()
    }

    /// `status, text` in one line, for short assertions.
    pub(crate) fn shown(&self) -> String {
        let presence = self.presence();
        format!("{}, {}", presence.status, presence.text())
    }

    /// `profile (status)` in one line.
    pub(crate) fn profile(&self) -> String {
        let presence = self.presence();
        format!("{} ({})", presence.profile, presence.status)
    }

    pub(crate) fn reasons(&self) -> Vec<Reason> {
        self.engine
            .explain(ANNA, MicrophoneLayer::Included, self.now)
            .unwrap()
            .1
    }

    /// The rule that put the profile in force.
    pub(crate) fn rule(&self) -> Rule {
        let profile =
            |reason: &&Reason| reason.counted && reason.rule.name().starts_with("profile");
        self.reasons().iter().find(profile).unwrap().rule
    }

    /// A viewer's view.
    pub(crate) fn view(&self, level: Relationship) -> View {
        view(self.presence(), level)
    }

    /// The reasons for a viewer.
    pub(crate) fn reasons_for(&self, level: Relationship) -> Vec<Reason> {
        let microphone = MicrophoneLayer::for_viewer(level);
        let explained = self.engine.explain(ANNA, microphone, self.now);
        let (presence, reasons) = explained.unwrap();
        reasons_for(&presence, reasons, level)
    }

    /// Additional sentences of the reasons.
    pub(crate) fn notes(&self) -> Vec<String> {
        let (_, reasons) = self
            .engine
            .explain(ANNA, MicrophoneLayer::Included, self.now)
            .unwrap();
        reasons
            .into_iter()
            .filter_map(|reason| reason.detail)
            .map(|note| note.to_string())
            .collect()
    }

    pub(crate) fn take_writes(&mut self) -> Vec<(Slot, Action)> {
        std::mem::take(&mut self.writes)
    }

    pub(crate) fn last_slot_record(&self, of: Slot) -> Option<crate::SlotRecord> {
        self.records.iter().rev().find_map(|record| match record {
            Record::Slot { slot, record, .. } if *slot == of => Some(*record),
            _ => None,
        })?
    }
}

/// An appointment about "Review".
pub(crate) fn appointment(
    id: u64,
    profile: &str,
    start: Timestamp,
    lasts: Duration,
) -> Appointment {
    Appointment {
        id: AppointmentId(id),
        start,
        end: start + lasts,
        text: "Review".into(),
        colour: APPOINTMENT_COLOUR.into(),
        profile: profile.into(),
        fallback: Status::Busy,
        private: false,
        origin: AppointmentOrigin::Manual,
    }
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A personal profile of Anna's.
pub(crate) fn personal(name: &str, status: Status) -> Profile {
    Profile {
        origin: Origin::Personal,
        active: true,
        ..Profile::central(name, status)
    }
}

/// An inactive central template.
pub(crate) fn inactive(name: &str, status: Status) -> Profile {
    Profile {
        active: false,
        ..Profile::central(name, status)
    }
}

/// The profiles of a fresh installation, and these.
pub(crate) fn default_profiles(more: impl IntoIterator<Item = Profile>) -> Vec<Profile> {
    MyProfiles::default().iter().cloned().chain(more).collect()
}

pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const CALL: (&str, &str) = ("Busy", "InACall");
pub(crate) const PRESENTING: (&str, &str) = ("DoNotDisturb", "Presenting");
pub(crate) const DND: (&str, &str) = ("DoNotDisturb", "DoNotDisturb");
pub(crate) const AVAILABLE: (&str, &str) = ("Available", "Available");
