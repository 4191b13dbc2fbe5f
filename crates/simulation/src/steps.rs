//! Random steps of a history, and the time after each.

use std::{sync::Arc, time::Duration};

use presence::{
    APPOINTMENT_COLOUR, Appointment, AppointmentId, AppointmentOrigin, Choice, ClientId,
    ClientState, Fact, LineChange, LineState, Status, SyncMode,
};

use crate::{
    invariants,
    person::{self, ALIASES, NAMES, PRIVATE},
    world::World,
};

const LINE_STATES: [LineState; 6] = [
    LineState::Idle,
    LineState::Idle,
    LineState::Ringing,
    LineState::Connected,
    LineState::Connected,
    LineState::Held,
];

impl World<'_> {
    /// Makes one step, passes time after it, and checks the invariants.
    pub(crate) fn step(&mut self) {
        let at = self.random.index(self.people.len());
        match self.random.below(100) {
            0..20 => self.line(at),
            20..23 => self.line_lost(at),
            23..31 => self.client(at),
            31..37 => self.meeting(at),
            37..42 if self.has_microphones => self.programs(at),
            37..42 => self.line(at),
            42..52 => self.appointment(at),
            52..63 => self.choose(at),
            63..67 => self.automatic(at),
            67..71 => self.policy(at),
            71..72 => self.lines_changed(at),
            72..74 => self.link(),
            74..76 => {
                let down_for = match self.random.below(10) {
                    0..6 => self.random.seconds(1, 10),
                    6..9 => self.random.seconds(10, 900),
                    _ => self.random.seconds(900, 90_000),
                };
                self.crash(down_for);
            }
            _ => self.teams_user(at),
        }
        let found = invariants::person(self, &self.people[at]);
        self.check(found);
        let time = match self.random.below(1000) {
            0..450 => self.random.milliseconds(0, 4_000),
            450..850 => self.random.seconds(4, 100),
            850..985 => self.random.seconds(100, 900),
            985..997 => self.random.seconds(900, 15_000),
            _ => self.random.seconds(15_000, 90_000),
        };
        self.log(|| format!("{time:?} pass"));
        self.pass(time);
        let at = self.random.index(self.people.len());
        self.check_people(at);
    }

    /// Checks the invariants of all people, and the visibility of one.
    fn check_people(&mut self, one: usize) {
        let found = invariants::privacy(self, &self.people[one]);
        self.check(found);
        for at in 0..self.people.len() {
            let found = invariants::person(self, &self.people[at])
                .and_then(|()| invariants::settled(self, &self.people[at]));
            self.check(found);
        }
    }

    fn lease(&mut self) -> Duration {
        match self.random.below(10) {
            0..4 => Duration::from_secs(60),
            4..8 => Duration::from_secs(600),
            _ => Duration::from_secs(7200),
        }
    }

    fn line(&mut self, at: usize) {
        let state = self.random.pick(&LINE_STATES);
        let until = self.now + self.lease();
        let which = self.random.index(self.people[at].lines.len());
        let person = &mut self.people[at];
        let line = person.lines[which].0;
        person.lines[which] = (line, state, until);
        person.reported.retain(|known| known.0 != line);
        person.reported.push((line, state, until));
        self.fact(
            at,
            Fact::Line(
                line,
                LineChange::State {
                    state,
                    party: Some("0815".into()),
                    lease: until.since(self.now),
                },
            ),
        );
    }

    fn line_lost(&mut self, at: usize) {
        let limit = self.now + self.engine.timing().line_stale;
        let which = self.random.index(self.people[at].lines.len());
        let line = self.people[at].lines[which].0;
        for known in &mut self.people[at].reported {
            if known.0 == line {
                known.2 = known.2.min(limit);
            }
        }
        self.fact(at, Fact::Line(line, LineChange::Stale));
    }

    /// Adds a line to the person, or removes one.
    fn lines_changed(&mut self, at: usize) {
        let (new, now) = (presence::LineId::Watched(self.next_name), self.now);
        self.next_name += 1;
        let come = self.random.chance(50);
        let person = &mut self.people[at];
        if come || person.lines.len() < 2 {
            person.lines.push((new, LineState::Idle, now));
        } else {
            let (gone, ..) = person.lines.remove(0);
            person.reported.retain(|known| known.0 != gone);
        }
        let lines = person.lines.iter().map(|(line, ..)| *line).collect();
        self.fact(at, Fact::Lines(lines));
    }

    fn client(&mut self, at: usize) {
        let client = ClientId::Page(self.random.below(2));
        if self.random.chance(25) {
            // An agent's report ends with its connection.
            self.people[at].programs.retain(|known| known.0 != client);
            return self.fact(at, Fact::ClientEnded(client));
        }
        let state = self.random.pick(&ClientState::ALL);
        let since = self.now - self.random.seconds(0, 30);
        let until = self.now + self.lease();
        let fact = Fact::Client {
            client,
            state,
            since,
            until,
        };
        self.fact(at, fact);
    }

    fn meeting(&mut self, at: usize) {
        let meeting: Arc<str> = self.random.pick(&["standup", "review"]).into();
        self.people[at].meetings.retain(|known| known.0 != meeting);
        if self.random.chance(35) {
            return self.fact(at, Fact::MeetingEnded(meeting));
        }
        let (audio, screen) = (self.random.chance(70), self.random.chance(40));
        let until = self.now + self.lease();
        let known = (meeting.clone(), audio, until);
        self.people[at].meetings.push(known);
        let fact = Fact::Meeting {
            meeting,
            audio,
            screen,
            until,
        };
        self.fact(at, fact);
    }

    fn programs(&mut self, at: usize) {
        let client = ClientId::Page(self.random.below(2));
        let until = self.now + self.lease();
        let mut programs = Vec::new();
        for alias in ALIASES {
            if self.random.chance(40) {
                let since = self.now - self.random.seconds(0, 20);
                programs.push((Arc::from(alias), since));
            }
        }
        let said = &mut self.people[at].programs;
        said.retain(|known| known.0 != client);
        said.extend(
            programs
                .iter()
                .map(|(alias, since)| (client, Arc::clone(alias), *since, until)),
        );
        let fact = Fact::Programs {
            client,
            programs,
            until,
        };
        self.fact(at, fact);
    }

    fn appointment(&mut self, at: usize) {
        let now = self.now;
        self.people[at].appointments.retain(|known| known.end > now);
        let known = self.people[at].appointments.len();
        if known > 0 && self.random.chance(30) {
            let which = self.random.index(known);
            let gone = self.people[at].appointments.remove(which);
            return self.fact(at, Fact::AppointmentDeleted(gone.id));
        }
        if self.random.chance(20) {
            let mut calendar = Vec::new();
            for _ in 0..self.random.below(4) {
                calendar.push(self.new_appointment(AppointmentOrigin::Calendar));
            }
            let list = &mut self.people[at].appointments;
            list.retain(|known| known.origin != AppointmentOrigin::Calendar);
            list.extend(calendar.iter().cloned());
            return self.fact(at, Fact::Calendar(calendar));
        }
        let mut new = self.new_appointment(AppointmentOrigin::Manual);
        if known > 0 && self.random.chance(30) {
            let which = self.random.index(known);
            let replaced = self.people[at].appointments.remove(which);
            new.id = replaced.id;
        }
        self.people[at].appointments.push(new.clone());
        self.fact(at, Fact::Appointment(new));
    }

    fn new_appointment(&mut self, origin: AppointmentOrigin) -> Appointment {
        self.next_name += 1;
        let name = self.next_name;
        let start = match self.random.below(4) {
            0 => self.now,
            1 => self.now - self.random.seconds(0, 3_600),
            _ => self.now + self.random.seconds(0, 600),
        };
        let end = match self.random.below(4) {
            0 => self.now + self.random.seconds(1_200, 28_800),
            _ => self.now.max(start) + self.random.seconds(1, 1_200),
        };
        let private = self.random.chance(40);
        let text = match (private, self.random.chance(10)) {
            (true, _) => format!("{PRIVATE}-{name}"),
            (false, true) => String::new(),
            (false, false) => format!("text-{name}"),
        };
        Appointment {
            id: AppointmentId(name),
            start,
            end,
            text: text.into(),
            colour: APPOINTMENT_COLOUR.into(),
            profile: self.random.pick(&NAMES).into(),
            fallback: self.random.pick(&Status::ALL),
            private,
            origin,
        }
    }

    fn choose(&mut self, at: usize) {
        let names = ["Do not disturb", "Available", "Busy"];
        let name = if self.random.chance(60) {
            self.random.pick(&names)
        } else {
            self.random.pick(&NAMES)
        };
        let lasts = self.random.seconds(1, 1_500);
        let choice = Choice {
            profile: name.into(),
            since: self.now,
            until: self.random.chance(30).then(|| self.now + lasts),
        };
        self.people[at].choice = Some(choice.clone());
        self.fact(at, Fact::Choice(Some(choice)));
    }

    fn automatic(&mut self, at: usize) {
        self.people[at].choice = None;
        self.fact(at, Fact::Choice(None));
    }

    fn policy(&mut self, at: usize) {
        let policy = match self.random.below(3) {
            0 => person::policy(&mut self.random),
            1 => presence::PersonPolicy {
                mode: self.random.pick(&SyncMode::ALL),
                ..self.people[at].policy.clone()
            },
            _ => presence::PersonPolicy {
                profiles: person::profiles(&mut self.random),
                ..self.people[at].policy.clone()
            },
        };
        self.people[at].policy = policy.clone();
        self.fact(at, Fact::Policy(Arc::new(policy)));
    }

    /// Loses the connection to Teams, or restores it.
    fn link(&mut self) {
        let up = self.calm || !self.link_up;
        self.link_up = up;
        for person in &mut self.people {
            person.quiet_since = self.now;
        }
        self.log(|| format!("the link to Teams is up: {up}"));
    }

    /// The person acts in Teams.
    fn teams_user(&mut self, at: usize) {
        let lasts = self.random.pick(&[1_800, 86_400]);
        let until = self.now + Duration::from_secs(lasts);
        let conference = self.random.chance(20);
        let base = self.random.pick(&[
            ("Available", "Available"),
            ("AvailableIdle", "Inactive"),
            ("Away", "Away"),
            ("Busy", "InAMeeting"),
            ("DoNotDisturb", "Focusing"),
            ("BeRightBack", "BeRightBack"),
            ("Nonsense", "Nonsense"),
        ]);
        let words = self.random.pick(&[
            ("DoNotDisturb", "DoNotDisturb"),
            ("DoNotDisturb", "DoNotDisturb"),
            ("Busy", "Busy"),
            ("Available", "Available"),
            ("BeRightBack", "BeRightBack"),
            ("Offline", "OffWork"),
        ]);
        let what = self.random.below(20);
        let account = &mut self.people[at].account;
        match what {
            0..6 => {
                account.client = true;
                account.call = Some(if conference {
                    ("Busy", "InAConferenceCall")
                } else {
                    ("Busy", "InACall")
                });
            }
            6..9 => (account.call, account.sharing) = (None, false),
            9..11 => account.sharing = account.call.is_some() && !account.sharing,
            11..14 => account.choose(Some(words), until),
            14..16 => account.choose(None, until),
            16..17 => account.client = !account.client,
            _ => account.base = base,
        }
        if !account.client {
            (account.call, account.sharing) = (None, false);
        }
        let id = self.people[at].id;
        self.people[at].quiet_since = self.now;
        let account = &self.people[at].account;
        let line = format!(
            "{id} in Teams: client {}, call {:?}, sharing {}, base {:?}, preferred {:?}",
            account.client, account.call, account.sharing, account.base, account.preferred
        );
        self.log(|| line);
        self.teams_changed(at);
    }
}
