//! Attribution of a call in Teams: rows 103 to 106 of the Graph reference, with echoes that come at once or up to
//! a minute late (docs/presence-rules.md, "Teams calls and echoes").

use super::{AVAILABLE, CALL, DND, World, seconds};
use crate::{Action, Confidence, Fact, LineState, Slot, SyncMode::TelephonyAndPresence};

type Shown = (&'static str, &'static str);

/// Lags of Graph's answers, in seconds.
const LAGS: [usize; 4] = [0, 6, 30, 58];

/// A tenant that applies our writes at once and answers with a lag.
struct Lagging {
    world: World,
    lag: usize,
    /// Shown state in each second.
    truth: Vec<Shown>,
    /// Our session is alive.
    ours: bool,
    /// State without our session.
    teams: Shown,
    /// A call in Teams was believed at some time.
    believed: bool,
}

impl Lagging {
    fn new(lag: usize) -> Self {
        let mut tenant = Self {
            world: World::new(TelephonyAndPresence),
            lag,
            truth: vec![AVAILABLE; lag],
            ours: false,
            teams: AVAILABLE,
            believed: false,
        };
        tenant.pass(5);
        tenant
    }

    fn pass(&mut self, time: usize) {
        for _ in 0..time {
            for (slot, action) in self.world.take_writes() {
                if slot == Slot::Session {
                    self.ours = action != Action::Clear;
                }
            }
            let masks = self.ours && self.teams != DND;
            self.truth.push(if masks { CALL } else { self.teams });
            let published = self.truth[self.truth.len() - 1 - self.lag];
            self.world.pass(seconds(1), Some(published));
            self.believed |= self.shows_teams_call();
        }
    }

    fn shows_teams_call(&self) -> bool {
        let signals = self.world.engine.signals(super::ANNA).unwrap();
        signals.teams_call.is_some()
    }
}

/// A tenant that answers `clearPresence` with 404 and keeps the session: no call is believed until it shows
/// another state, and the clear is repeated.
#[test]
fn a_session_that_teams_answers_with_404_and_still_shows_is_ours() {
    let mut world = World::new(TelephonyAndPresence);
    world.acknowledges = false;
    world.line(LineState::Connected);
    world.fact(Fact::TeamsAcknowledged(Slot::Session, Action::Set));
    world.pass(seconds(20), Some(CALL));
    world.take_writes();
    world.line(LineState::Idle);
    assert_eq!(world.take_writes(), [(Slot::Session, Action::Clear)]);
    world.fact(Fact::TeamsNothingToClear(Slot::Session));
    for _ in 0..10 {
        world.pass(seconds(12), Some(CALL));
        assert_ne!(world.shown(), "Busy, On the phone (MS Teams)");
        assert_eq!(world.take_writes(), [(Slot::Session, Action::Clear)]);
        world.fact(Fact::TeamsNothingToClear(Slot::Session));
    }
    // The clear then counts: a later call is Teams' own.
    world.pass(seconds(61), Some(AVAILABLE));
    world.pass(seconds(1), Some(CALL));
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
    assert_eq!(world.take_writes(), []);
}

/// Microsoft drops the session after five minutes: a call that shows a minute later is Teams' own.
#[test]
fn a_call_in_teams_that_hid_behind_a_denied_session_is_seen_in_the_end() {
    let mut world = World::new(TelephonyAndPresence);
    world.acknowledges = false;
    world.line(LineState::Connected);
    world.fact(Fact::TeamsAcknowledged(Slot::Session, Action::Set));
    world.pass(seconds(5), Some(CALL));
    world.line(LineState::Idle);
    world.fact(Fact::TeamsNothingToClear(Slot::Session));
    for _ in 0..400 {
        world.pass(seconds(1), Some(CALL));
        if !world.take_writes().is_empty() {
            world.fact(Fact::TeamsNothingToClear(Slot::Session));
        }
    }
    assert_eq!(world.shown(), "Busy, On the phone (MS Teams)");
}

#[test]
fn row_103_a_call_on_the_phone_and_its_echo_are_no_teams_call() {
    for lag in LAGS {
        let mut tenant = Lagging::new(lag);
        tenant.world.line(LineState::Connected);
        tenant.pass(90);
        assert_eq!(tenant.world.shown(), "Busy, On the phone", "lag {lag}");
        assert_eq!(tenant.world.presence().confidence, Confidence::Masked);
        tenant.world.line(LineState::Idle);
        tenant.pass(150);
        assert_eq!(tenant.world.shown(), "Available, Available", "lag {lag}");
        assert_eq!(tenant.world.presence().confidence, Confidence::Certain);
        assert!(!tenant.believed, "a false Teams call with a lag of {lag} s");
    }
}

#[test]
fn row_104_a_teams_call_before_during_and_after_is_one() {
    for lag in LAGS {
        let mut tenant = Lagging::new(lag);
        tenant.teams = CALL;
        tenant.pass(lag + 5);
        assert!(tenant.shows_teams_call(), "lag {lag}");
        tenant.world.line(LineState::Connected);
        tenant.pass(90);
        assert_eq!(
            tenant.world.shown(),
            "Busy, On the phone",
            "the phone call leads"
        );
        assert!(tenant.shows_teams_call(), "held under the mask");
        tenant.world.line(LineState::Idle);
        tenant.pass(125);
        assert_eq!(
            tenant.world.shown(),
            "Busy, On the phone (MS Teams)",
            "lag {lag}"
        );
        assert_eq!(tenant.world.presence().confidence, Confidence::Certain);
        tenant.teams = AVAILABLE;
        tenant.pass(lag + 5);
        assert!(!tenant.shows_teams_call());
    }
}

#[test]
fn row_105_a_teams_call_inside_a_call_on_the_phone_stays_unknown() {
    for lag in LAGS {
        let mut tenant = Lagging::new(lag);
        tenant.world.line(LineState::Connected);
        tenant.pass(80);
        tenant.teams = CALL;
        tenant.pass(60);
        tenant.teams = AVAILABLE;
        tenant.pass(80);
        tenant.world.line(LineState::Idle);
        tenant.pass(150);
        assert!(!tenant.believed, "lag {lag}");
        assert_eq!(tenant.world.shown(), "Available, Available");
    }
}

#[test]
fn row_106_do_not_disturb_chosen_in_teams_shows_through_at_once() {
    for lag in LAGS {
        let mut tenant = Lagging::new(lag);
        tenant.world.line(LineState::Connected);
        tenant.pass(80);
        tenant.teams = DND;
        tenant.pass(lag + 1);
        assert_eq!(
            tenant.world.shown(),
            "DoNotDisturb, On the phone",
            "lag {lag}"
        );
        tenant.teams = AVAILABLE;
        tenant.pass(lag + 1);
        assert_eq!(tenant.world.shown(), "Busy, On the phone", "lag {lag}");
    }
}
