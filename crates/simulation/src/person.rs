//! One person of a history: the true state, the reports of the sources, the records of the store. Kept apart from
//! the engine's records, so that both can be compared.

use std::{sync::Arc, time::Duration};

use presence::{
    Appointment, Automatic, Choice, ClientId, Forwarding, LineId, LineState, MyProfiles, Origin,
    PersonId, PersonPolicy, PersonRecord, Presence, Profile, Slot, SlotRecord, Status, SyncMode,
    TeamsCall, Timestamp,
};

use crate::{account::Account, random::Random, write_queue::WriteQueue};

/// Last report of a line, with the end of its lease.
pub type Line = (LineId, LineState, Timestamp);

/// Aliases of programs; no other text of a history contains these words.
pub const ALIASES: [&str; 3] = ["mic-Zoom", "mic-Discord", "mic-Slack"];
/// Names of profiles, choices, appointments and triggers.
pub const NAMES: [&str; 11] = [
    "Available",
    "Busy",
    "Be right back",
    "Do not disturb",
    "Absent",
    "Appointment",
    "MS Teams",
    "Invisible",
    "Focus",
    "Lunch",
    "Gone for good",
];
/// Part of every private text.
pub const PRIVATE: &str = "secret";

/// One person of a history.
#[derive(Debug)]
pub struct SimulatedPerson {
    /// Id of the person.
    pub id: PersonId,
    /// Policy of the person.
    pub policy: PersonPolicy,
    /// True states of the lines.
    pub lines: Vec<Line>,
    /// Lines that have reported to the engine since its start.
    pub reported: Vec<Line>,
    /// Meetings: name, audio, end of lease.
    pub meetings: Vec<(Arc<str>, bool, Timestamp)>,
    /// Programs: agent, alias, start, end of lease.
    pub programs: Vec<(ClientId, Arc<str>, Timestamp, Timestamp)>,
    /// The person's choice, as the store has it.
    pub choice: Option<Choice>,
    /// Appointments, as the store has them.
    pub appointments: Vec<Appointment>,
    /// Our writes, as the store has them.
    pub slots: [Option<SlotRecord>; 2],
    /// The Teams call, as the store has it.
    pub teams_call: Option<TeamsCall>,
    /// The person has a Teams account.
    pub linked: bool,
    /// The true state in Teams.
    pub account: Account,
    /// Queue of writes to Teams.
    pub writer: WriteQueue,
    /// The last published presence.
    pub last_presence: Option<Presence>,
    /// Time of the last answer of Graph that showed a call.
    pub call_seen_at: Option<Timestamp>,
    /// Start of the time without changes on either side.
    pub quiet_since: Timestamp,
    /// Sets since the start of the process.
    pub sets: Vec<(Slot, Timestamp)>,
    /// Lag of the answers about the person.
    pub lag: Duration,
    /// True time of the last answer, where answers do not go back in time.
    pub answered_until: Timestamp,
    /// Time of the next known expiry in Teams.
    pub expires_at: Option<Timestamp>,
    /// End of the reads each second.
    pub read_often_until: Timestamp,
    /// By slot: whether Teams itself showed the same state at the last set, and no answer had shown it yet.
    /// That state looks like our write, with too short a lag; the tenant's lag corrects this once it is
    /// known.
    pub mistakable: [bool; 2],
    /// By slot: number of times its echo was believed since the last set.
    pub false_calls: [u64; 2],
}

impl SimulatedPerson {
    /// A random person.
    pub fn new(number: u64, calm: bool, random: &mut Random, now: Timestamp) -> Self {
        let lines = 1 + random.below(3);
        Self {
            id: PersonId(number),
            policy: policy(random),
            lines: (0..lines)
                .map(|line| (LineId::Watched(number * 10 + line), LineState::Idle, now))
                .collect(),
            reported: Vec::new(),
            meetings: Vec::new(),
            programs: Vec::new(),
            choice: None,
            appointments: Vec::new(),
            slots: [None; 2],
            teams_call: None,
            linked: calm || random.chance(85),
            account: Account::new(now),
            writer: WriteQueue::default(),
            last_presence: None,
            call_seen_at: None,
            quiet_since: now,
            sets: Vec::new(),
            lag: Duration::ZERO,
            answered_until: now,
            expires_at: None,
            read_often_until: now,
            mistakable: [false; 2],
            false_calls: [0; 2],
        }
    }

    /// Records of the store at a start.
    pub fn record(&self, now: Timestamp) -> PersonRecord {
        PersonRecord {
            lines: self.lines.iter().map(|(line, ..)| *line).collect(),
            linked: self.linked,
            choice: self.choice.clone(),
            appointments: self
                .appointments
                .iter()
                .filter(|appointment| appointment.end > now)
                .cloned()
                .collect(),
            teams_call: self.teams_call,
            slots: self.slots,
        }
    }

    /// The choice that is not over.
    pub fn choice_at(&self, now: Timestamp) -> Option<&Choice> {
        self.choice
            .as_ref()
            .filter(|choice| choice.until.is_none_or(|until| until > now))
    }

    /// Whether a source reports a call on a PBX line.
    pub fn on_the_phone(&self, now: Timestamp) -> bool {
        self.reported.iter().any(|(_, state, until)| {
            *until > now && matches!(state, LineState::Connected | LineState::Held)
        })
    }

    /// Whether a source reports a meeting with audio.
    pub fn in_meeting(&self, now: Timestamp) -> bool {
        self.meetings
            .iter()
            .any(|(_, audio, until)| *audio && *until > now)
    }

    /// Whether profile rule 1 or 2 requests Do not disturb.
    pub fn wants_do_not_disturb(&self, now: Timestamp) -> bool {
        let status = |name: &str| usable(&self.policy, name).map(|profile| profile.status);
        let choice = self.choice_at(now);
        let chosen = choice.and_then(|choice| status(&choice.profile));
        chosen == Some(Status::DoNotDisturb)
            || self.appointments.iter().any(|appointment| {
                let suspended = choice.is_some_and(|choice| choice.since >= appointment.start);
                let named = status(&appointment.profile);
                let status = match appointment.fallback {
                    Status::Busy => named.or_else(|| status("Appointment")),
                    _ => named,
                };
                appointment.start <= now
                    && appointment.end > now
                    && !suspended
                    && status.unwrap_or(appointment.fallback) == Status::DoNotDisturb
            })
    }
}

/// The usable profile of that name: a personal one before a central one, never an inactive one.
fn usable<'a>(policy: &'a PersonPolicy, name: &str) -> Option<&'a Profile> {
    let mut found: Vec<&Profile> = policy
        .profiles
        .iter()
        .filter(|profile| profile.name.trim().eq_ignore_ascii_case(name.trim()))
        .filter(|profile| profile.active)
        .collect();
    found.sort_by_key(|profile| profile.origin != Origin::Personal);
    found.first().copied()
}

/// A random policy.
pub fn policy(random: &mut Random) -> PersonPolicy {
    let mode = random.pick(&[
        SyncMode::TelephonyAndPresence,
        SyncMode::TelephonyAndPresence,
        SyncMode::TelephonyAndPresence,
        SyncMode::TelephonyOnly,
        SyncMode::None,
    ]);
    PersonPolicy {
        mode,
        base_from_teams: random.chance(60),
        // Renewal is off: it would write during the silence at the end.
        renew_do_not_disturb: false,
        profiles: profiles(random),
        automatic: automatic(random),
    }
}

/// Random profiles.
pub fn profiles(random: &mut Random) -> MyProfiles {
    if random.chance(30) {
        return MyProfiles::default();
    }
    let mut list = Vec::new();
    for name in NAMES.into_iter().take(NAMES.len() - 1) {
        if random.chance(70) {
            let status = match name {
                "Busy" | "Appointment" | "MS Teams" => Status::Busy,
                "Be right back" | "Lunch" => Status::BeRightBack,
                "Do not disturb" | "Focus" => Status::DoNotDisturb,
                "Absent" => Status::Absent,
                "Invisible" => Status::Offline,
                _ => Status::Available,
            };
            let (origin, active) = match random.below(10) {
                0..5 => (Origin::Central, true),
                5..7 => (Origin::Central, false),
                7..9 => (Origin::Personal, true),
                _ => (Origin::Personal, false),
            };
            let unusual = name.starts_with('A') && random.chance(8);
            list.push(Profile {
                name: name.into(),
                status: if unusual {
                    random.pick(&Status::ALL)
                } else {
                    status
                },
                forwarding: Forwarding::Off,
                text: None,
                origin,
                active,
            });
        }
    }
    for at in 0..list.len() {
        let with = random.index(list.len());
        list.swap(at, with);
    }
    MyProfiles::new(list)
}

fn automatic(random: &mut Random) -> Automatic {
    let mut trigger = |name: &str| match random.below(10) {
        0..6 => Some(name.into()),
        6..8 => None,
        _ => Some(random.pick(&NAMES).into()),
    };
    let (client_end, inactivity, locked) = (
        trigger("Absent"),
        trigger("Be right back"),
        trigger("Be right back"),
    );
    let client_start = random.chance(20).then(|| random.pick(&NAMES).into());
    Automatic {
        client_start,
        client_end,
        client_end_after: Duration::from_secs(random.pick(&[0, 60, 300])),
        inactivity,
        inactivity_after: Duration::from_secs(random.pick(&[0, 60, 600])),
        locked,
    }
}
