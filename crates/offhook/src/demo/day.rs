//! A working day in fast motion: calls on the PBX and in Teams, shared screens, Do not disturb. It only acts on the
//! simulated PBX and on teamsbox; the board shows the product's reaction.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use presence::Extension;
use teamsbox::{CallKind, Teamsbox, UserSummary};
use telephony::simulated::{CallId, SimulatedPbx};
use tokio::sync::watch;

/// Interval between steps.
const BEAT: Duration = Duration::from_millis(500);
/// Maximum number of simultaneous scenes, so that most people stay available.
const AT_ONCE_MAX: usize = 7;

/// A scene, and the step at which its next stage starts.
struct Scene {
    people: Vec<usize>,
    next: u64,
    stage: Stage,
}

enum Stage {
    Ringing(CallId),
    Talking(CallId),
    OnHold(CallId),
    TeamsCall { share_first: bool },
    Sharing,
    DoNotDisturb,
    Over,
}

struct Day {
    teamsbox: Arc<Teamsbox>,
    pbx: Arc<SimulatedPbx>,
    users: Vec<UserSummary>,
    extensions: Vec<Extension>,
    scenes: Vec<Scene>,
    beat: u64,
    random: u64,
}

/// Plays scenes while `running` is true.
pub async fn run(
    teamsbox: Arc<Teamsbox>,
    pbx: Arc<SimulatedPbx>,
    extensions: Vec<Extension>,
    mut running: watch::Receiver<bool>,
) {
    let users = teamsbox.users();
    let mut day = Day {
        teamsbox,
        pbx,
        users,
        extensions,
        scenes: Vec::new(),
        beat: 0,
        // A fixed seed, so that the day is always the same.
        random: 0x9e37_79b9_7f4a_7c15,
    };
    loop {
        if running.wait_for(|running| *running).await.is_err() {
            return;
        }
        day.play_beat();
        tokio::time::sleep(BEAT).await;
    }
}

impl Day {
    fn play_beat(&mut self) {
        self.beat += 1;
        let mut scenes = std::mem::take(&mut self.scenes);
        for scene in &mut scenes {
            if scene.next <= self.beat {
                self.advance(scene);
            }
        }
        scenes.retain(|scene| !matches!(scene.stage, Stage::Over));
        self.scenes = scenes;
        if self.beat.is_multiple_of(3) && self.scenes.len() < AT_ONCE_MAX {
            self.begin();
        }
    }

    /// Number below `below`, from a xorshift generator, which is good enough here.
    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below.max(1)
    }

    fn in_beats(&mut self, least: u64, most: u64) -> u64 {
        self.beat + least + self.random(most - least)
    }

    fn idle_person(&mut self) -> Option<usize> {
        let taken: BTreeSet<usize> = self
            .scenes
            .iter()
            .flat_map(|scene| scene.people.clone())
            .collect();
        let idle: Vec<usize> = (0..self.users.len())
            .filter(|person| !taken.contains(person))
            .collect();
        let index = self.random(idle.len() as u64) as usize;
        idle.get(index).copied()
    }

    fn user(&self, person: usize) -> Option<&str> {
        self.users.get(person).map(|user| user.id.as_str())
    }

    fn begin(&mut self) {
        let Some(first) = self.idle_person() else {
            return;
        };
        let Some(second) = self.idle_person().filter(|second| *second != first) else {
            return;
        };
        let begun = match self.random(10) {
            0..=4 => self.begin_telephone_call(first, second),
            5..=7 => self.begin_teams_call(first, second),
            _ => self.begin_do_not_disturb(first),
        };
        self.scenes.extend(begun);
    }

    fn begin_telephone_call(&mut self, from: usize, to: usize) -> Option<Scene> {
        let (caller, called) = (self.extensions.get(from)?, self.extensions.get(to)?);
        let call = self.pbx.ring(caller, called).ok()?;
        let next = self.in_beats(4, 9);
        Some(Scene {
            people: vec![from, to],
            next,
            stage: Stage::Ringing(call),
        })
    }

    fn begin_teams_call(&mut self, from: usize, to: usize) -> Option<Scene> {
        let kind = if self.random(2) == 0 {
            CallKind::Audio
        } else {
            CallKind::Video
        };
        self.teamsbox
            .start_call(self.user(from)?, kind, self.user(to))
            .ok()?;
        let share_first = self.random(2) == 0;
        let next = self.in_beats(14, 40);
        Some(Scene {
            people: vec![from, to],
            next,
            stage: Stage::TeamsCall { share_first },
        })
    }

    fn begin_do_not_disturb(&mut self, person: usize) -> Option<Scene> {
        let user = self.user(person)?;
        self.teamsbox
            .set_manual(user, "DoNotDisturb", None, None)
            .ok()?;
        let next = self.in_beats(20, 50);
        Some(Scene {
            people: vec![person],
            next,
            stage: Stage::DoNotDisturb,
        })
    }

    fn advance(&mut self, scene: &mut Scene) {
        let first = scene.people.first().copied().unwrap_or_default();
        let (next, stage) = match std::mem::replace(&mut scene.stage, Stage::Over) {
            Stage::Ringing(call) => {
                // One call in six is not answered.
                if self.random(6) == 0 {
                    self.pbx.hang_up(call);
                    (self.beat, Stage::Over)
                } else {
                    self.pbx.answer(call);
                    (self.in_beats(12, 50), Stage::Talking(call))
                }
            }
            Stage::Talking(call) if self.random(4) == 0 => {
                if let Some(extension) = self.extensions.get(first) {
                    self.pbx.hold(call, extension);
                }
                (self.in_beats(6, 12), Stage::OnHold(call))
            }
            Stage::OnHold(call) => {
                if let Some(extension) = self.extensions.get(first) {
                    self.pbx.resume(call, extension);
                }
                (self.in_beats(6, 20), Stage::Talking(call))
            }
            Stage::Talking(call) => {
                self.pbx.hang_up(call);
                (self.beat, Stage::Over)
            }
            Stage::TeamsCall { share_first: true } => {
                let shares = self
                    .user(first)
                    .map(|user| self.teamsbox.start_sharing(user, None));
                let stage = if shares.is_some_and(|shares| shares.is_ok()) {
                    Stage::Sharing
                } else {
                    Stage::Over
                };
                (self.in_beats(10, 24), stage)
            }
            Stage::Sharing => {
                let _ = self
                    .user(first)
                    .map(|user| self.teamsbox.stop_sharing(user));
                (
                    self.in_beats(8, 16),
                    Stage::TeamsCall { share_first: false },
                )
            }
            Stage::TeamsCall { share_first: false } => {
                let _ = self.user(first).map(|user| self.teamsbox.end_call(user));
                (self.beat, Stage::Over)
            }
            Stage::DoNotDisturb => {
                let _ = self
                    .user(first)
                    .map(|user| self.teamsbox.clear_manual(user));
                (self.beat, Stage::Over)
            }
            Stage::Over => (self.beat, Stage::Over),
        };
        (scene.next, scene.stage) = (next, stage);
    }
}
