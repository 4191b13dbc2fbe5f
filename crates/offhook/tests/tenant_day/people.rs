//! The people of the day: their actions, and books of the expected states. The books hold only actions of this test, never
//! answers of the server or of teamsbox.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};
use simulation::Random;
use teamsbox::{CalendarKind, CallKind, SessionKind, UserState};
use telephony::simulated::CallId;

use crate::{
    journal::Journal,
    stage::{Stage, extension, principal_name},
};

/// People who call in Teams, share, focus and choose a state by hand there; all of them have a phone.
pub const IN_TEAMS: usize = 50;
/// Those after them choose Do not disturb in Offhook, by their numbers.
pub const UNDISTURBED: std::ops::Range<usize> = IN_TEAMS..70;
/// Those after them are known from the directory alone and leave the tenant in the course of the day.
pub const LEAVERS: std::ops::Range<usize> = 70..80;
/// Calls, meetings and choices of one kind at once.
const AT_ONCE: usize = 10;

/// Driven time without a change or a fault after which a slot in Teams must be right, in milliseconds. The longest rest of a
/// write is 15 s of real time, while which up to sixty steps of driven time pass.
const LOST_AFTER: i64 = 25 * 60_000;

/// Kinds of actions.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Phone,
    Teams,
    Sharing,
    Choice,
    Undisturbed,
    Meeting,
    Focus,
}

/// Actions in the proportion of their frequency.
const DEEDS: [Deed; 12] = [
    Deed::Phone,
    Deed::Phone,
    Deed::Phone,
    Deed::Phone,
    Deed::Teams,
    Deed::Teams,
    Deed::Sharing,
    Deed::Choice,
    Deed::Undisturbed,
    Deed::Undisturbed,
    Deed::Meeting,
    Deed::Focus,
];

/// The books.
pub struct People {
    random: Random,
    /// Ids of Offhook and of Teams, by number.
    ids: Vec<(String, String)>,
    phone: Vec<(CallId, [usize; 2])>,
    teams: Vec<[usize; 2]>,
    sharing: BTreeSet<usize>,
    chosen: BTreeMap<usize, &'static str>,
    undisturbed: BTreeSet<usize>,
    meeting: BTreeSet<usize>,
    left: BTreeSet<usize>,
    joined: Vec<String>,
    /// Slots that were named as lost, by number, slot and last change: each is named once.
    lost: BTreeSet<(usize, &'static str, i64)>,
}

impl People {
    /// Empty books of a tenant that has been synchronised.
    pub async fn new(stage: &Stage, seed: u64) -> Self {
        synchronise(stage).await;
        let list = stage
            .ok(Method::GET, "/api/v1/people?limit=1000", None)
            .await;
        let by_name: BTreeMap<String, String> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|person| {
                let text = |field: &str| person[field].as_str().unwrap().to_owned();
                (text("userPrincipalName"), text("id"))
            })
            .collect();
        let ids = (0..LEAVERS.end).map(|number| {
            let name = principal_name(number);
            let account = stage.teamsbox.user_state(&name).unwrap().id;
            (by_name[&name].clone(), account)
        });
        Self {
            ids: ids.collect(),
            random: Random::new(seed),
            phone: Vec::new(),
            teams: Vec::new(),
            sharing: BTreeSet::new(),
            chosen: BTreeMap::new(),
            undisturbed: BTreeSet::new(),
            meeting: BTreeSet::new(),
            left: BTreeSet::new(),
            joined: Vec::new(),
            lost: BTreeSet::new(),
        }
    }

    /// One or several people begin something, or end it.
    pub async fn act(&mut self, stage: &Stage, journal: &mut Journal) {
        let before = self.written();
        for _ in 0..self.random.below(3) {
            match self.random.pick(&DEEDS) {
                Deed::Phone => self.phone(stage),
                Deed::Teams => self.call_in_teams(stage),
                Deed::Sharing => self.share(stage),
                Deed::Choice => self.choose(stage),
                Deed::Undisturbed => self.undisturbed(stage).await,
                Deed::Meeting => self.meet(stage).await,
                Deed::Focus => self.focus(stage),
            }
        }
        let (after, now) = (self.written(), stage.teamsbox.clock().now_milliseconds());
        for (number, slot, _) in before.symmetric_difference(&after) {
            journal.changed((&self.ids[*number].1, slot), now);
        }
        self.rest(stage).await;
    }

    /// Writes that Teams is to hold: person, slot, and the call or meeting behind it.
    fn written(&self) -> BTreeSet<(usize, &'static str, String)> {
        let session = |number, of| (number, "session", of);
        let phone = self
            .phone
            .iter()
            .flat_map(|(call, two)| two.map(|number| session(number, format!("{call:?}"))));
        let meeting = self.meeting.iter().copied();
        let meeting = meeting.map(|number| session(number, "meeting".to_owned()));
        let undisturbed = self.undisturbed.iter().copied();
        let undisturbed = undisturbed.map(|number| (number, "preferred", String::new()));
        phone.chain(meeting).chain(undisturbed).collect()
    }

    /// One person leaves the tenant, another joins it, and the server is asked to synchronise.
    pub async fn come_and_go(&mut self, stage: &Stage) {
        if let Some(number) = LEAVERS
            .into_iter()
            .find(|number| !self.left.contains(number))
        {
            let path = format!("/users/{}", principal_name(number));
            stage.control(Method::DELETE, &path, None).await;
            self.left.insert(number);
        }
        let name = format!("Joiner {}", self.joined.len());
        let new = json!({"displayName": name, "clients": ["desktop"]});
        stage.control(Method::POST, "/users", Some(new)).await;
        self.joined.push(name);
        synchronise(stage).await;
    }

    fn begins(&mut self, under_way: usize) -> bool {
        under_way == 0 || under_way < AT_ONCE && self.random.chance(50)
    }

    fn two_of(&mut self, idle: &[usize]) -> Option<[usize; 2]> {
        if idle.len() < 2 {
            return None;
        }
        let first = self.random.index(idle.len());
        let second = (first + 1 + self.random.index(idle.len() - 1)) % idle.len();
        Some([idle[first], idle[second]])
    }

    fn phone(&mut self, stage: &Stage) {
        if self.begins(self.phone.len()) {
            let busy = |number: &usize| self.phone.iter().any(|(_, two)| two.contains(number));
            let idle: Vec<usize> = (0..UNDISTURBED.end)
                .filter(|number| !busy(number))
                .collect();
            let Some([from, to]) = self.two_of(&idle) else {
                return;
            };
            let call = stage.pbx.ring(&extension(from), &extension(to)).unwrap();
            assert!(stage.pbx.answer(call));
            self.phone.push((call, [from, to]));
        } else {
            let (call, _) = self.phone.remove(self.random.index(self.phone.len()));
            assert!(stage.pbx.hang_up(call));
        }
    }

    fn call_in_teams(&mut self, stage: &Stage) {
        if self.begins(self.teams.len()) {
            let busy = |number: &usize| self.teams.iter().any(|two| two.contains(number));
            let idle: Vec<usize> = (0..IN_TEAMS).filter(|number| !busy(number)).collect();
            let Some([from, to]) = self.two_of(&idle) else {
                return;
            };
            let kind = self.random.pick(&[CallKind::Audio, CallKind::Video]);
            let (from_name, to_name) = (principal_name(from), principal_name(to));
            let call = stage.teamsbox.start_call(&from_name, kind, Some(&to_name));
            call.unwrap();
            self.teams.push([from, to]);
        } else {
            let two = self.teams.remove(self.random.index(self.teams.len()));
            stage.teamsbox.end_call(&principal_name(two[0])).unwrap();
            self.sharing.retain(|number| !two.contains(number));
        }
    }

    fn share(&mut self, stage: &Stage) {
        let Some([one, _]) = self.teams.first().copied() else {
            return;
        };
        let name = principal_name(one);
        if self.sharing.insert(one) {
            stage.teamsbox.start_sharing(&name, None).unwrap();
        } else {
            self.sharing.remove(&one);
            stage.teamsbox.stop_sharing(&name).unwrap();
        }
    }

    fn choose(&mut self, stage: &Stage) {
        if self.begins(self.chosen.len()) {
            let number = self.random.index(IN_TEAMS);
            let words = ["DoNotDisturb", "Busy", "BeRightBack", "Away", "Available"];
            let word = self.random.pick(&words);
            let set = stage
                .teamsbox
                .set_manual(&principal_name(number), word, None, None);
            set.unwrap();
            self.chosen.insert(number, word);
        } else {
            let under_way: Vec<usize> = self.chosen.keys().copied().collect();
            let number = self.random.pick(&under_way);
            stage
                .teamsbox
                .clear_manual(&principal_name(number))
                .unwrap();
            self.chosen.remove(&number);
        }
    }

    async fn undisturbed(&mut self, stage: &Stage) {
        let (number, method, body) = if self.begins(self.undisturbed.len()) {
            let number = UNDISTURBED.start + self.random.index(UNDISTURBED.len());
            let body = json!({"profile": "Do not disturb"});
            (number, Method::PUT, Some(body))
        } else {
            let under_way: Vec<usize> = self.undisturbed.iter().copied().collect();
            (self.random.pick(&under_way), Method::DELETE, None)
        };
        let path = format!("/api/v1/people/{}/profile", self.ids[number].0);
        if method == Method::PUT {
            self.undisturbed.insert(number);
        } else {
            self.undisturbed.remove(&number);
        }
        stage.ok(method, &path, body).await;
    }

    async fn meet(&mut self, stage: &Stage) {
        if self.meeting.len() < AT_ONCE / 2 && self.begins(self.meeting.len()) {
            let number = self.random.index(UNDISTURBED.end);
            if self.meeting.insert(number) {
                put_meeting(stage, &self.ids[number].0).await;
            }
        } else {
            let under_way: Vec<usize> = self.meeting.iter().copied().collect();
            let number = self.random.pick(&under_way);
            self.meeting.remove(&number);
            let path = format!("/api/v1/people/{}/meetings/daily", self.ids[number].0);
            stage.ok(Method::DELETE, &path, None).await;
        }
    }

    fn focus(&mut self, stage: &Stage) {
        let number = self.random.index(IN_TEAMS);
        let lasts = self.random.seconds(600, 2_400);
        let name = principal_name(number);
        let planned = stage
            .teamsbox
            .plan(&name, CalendarKind::Focus, lasts, "Focus");
        planned.unwrap();
    }

    /// Keeps meetings alive as a meeting server does, well within their lease of a minute.
    pub async fn rest(&mut self, stage: &Stage) {
        for number in &self.meeting {
            put_meeting(stage, &self.ids[*number].0).await;
        }
    }

    /// Differences of all people between books, Teams and Offhook, each with the person's latest writes and faults.
    pub async fn wrongs(&self, stage: &Stage, journal: &Journal) -> Vec<String> {
        let mut wrongs = Vec::new();
        for number in 0..LEAVERS.end {
            let (id, account) = &self.ids[number];
            let path = format!("/api/v1/people/{id}/presence");
            let (status, presence) = stage.api(Method::GET, &path, None).await;
            if self.left.contains(&number) {
                if status != 404 {
                    wrongs.push(format!("Person {number} has left and is still there"));
                }
                continue;
            }
            let state = stage.teamsbox.user_state(account).unwrap();
            for wrong in self.wrong(number, &state, &shown(&presence)) {
                let latest = journal.of(account);
                wrongs.push(format!("Person {number} ({account}): {wrong}: {latest:#?}"));
            }
        }
        let list = stage
            .ok(Method::GET, "/api/v1/people?limit=1000", None)
            .await;
        let list = list["items"].as_array().unwrap();
        for name in &self.joined {
            if !list.iter().any(|person| person["name"] == **name) {
                wrongs.push(format!("{name} has joined and is not there"));
            }
        }
        wrongs
    }

    /// Slots in Teams that have differed from the books for long, with neither a change nor a fault since.
    pub fn lost(&mut self, stage: &Stage, journal: &Journal) -> Vec<String> {
        let now = stage.teamsbox.clock().now_milliseconds();
        let mut lost = Vec::new();
        for number in 0..UNDISTURBED.end {
            let account = &self.ids[number].1;
            let state = stage.teamsbox.user_state(account).unwrap();
            for (slot, is, should) in self.slots(number, &state) {
                let change = journal.last_change(account, slot);
                let since = change.max(journal.last_fault(account));
                if is != should
                    && now.saturating_sub(since) > LOST_AFTER
                    && self.lost.insert((number, slot, change))
                {
                    let latest = journal.of(account);
                    lost.push(format!(
                        "Person {number} ({account}): the {slot} in Teams has been {is:?} for long, should be {should:?}: {latest:#?}"
                    ));
                }
            }
        }
        lost
    }

    /// The slots of a person in Teams: name, actual value, expected value.
    fn slots(&self, number: usize, state: &UserState) -> [(&'static str, String, String); 2] {
        let sessions = state.sessions.iter();
        let ours = sessions.filter(|session| session.kind == SessionKind::App);
        let ours = ours.map(|session| format!("{}/{}", session.availability, session.activity));
        let session = if self.is_busy(number) {
            "Busy/InACall"
        } else {
            ""
        };
        let preferred = state.preferred.as_ref();
        let preferred = preferred.map_or(String::new(), |slot| slot.availability.to_string());
        let ours_chosen = self.undisturbed.contains(&number).then_some("DoNotDisturb");
        let chosen = self.chosen.get(&number).copied().or(ours_chosen);
        [
            (
                "session",
                ours.collect::<Vec<_>>().join(" "),
                session.to_owned(),
            ),
            (
                "preferred",
                preferred,
                chosen.unwrap_or_default().to_owned(),
            ),
        ]
    }

    fn is_on_the_phone(&self, number: usize) -> bool {
        self.phone.iter().any(|(_, two)| two.contains(&number))
    }

    fn is_busy(&self, number: usize) -> bool {
        self.is_on_the_phone(number) || self.meeting.contains(&number)
    }

    /// Differences of one person: in Teams, then in Offhook.
    fn wrong(&self, number: usize, state: &UserState, shown: &str) -> Vec<String> {
        let mut wrongs = Vec::new();
        let mut compare = |what: &str, is: &str, should: &str| {
            if is != should {
                wrongs.push(format!("{what} is {is:?}, should be {should:?}"));
            }
        };
        for (slot, is, should) in self.slots(number, state) {
            compare(&format!("the {slot} in Teams"), &is, &should);
        }
        let (on_the_phone, written) = (self.is_on_the_phone(number), self.is_busy(number));
        let in_teams = (state.availability.to_string(), state.activity.to_string());
        let teams = match (in_teams.0.as_str(), in_teams.1.as_str()) {
            ("Busy", "InACall") => "Busy OnThePhone teams",
            ("DoNotDisturb", "Presenting") => "DoNotDisturb Presenting teams",
            ("DoNotDisturb", _) => "DoNotDisturb",
            _ => "Available",
        };
        let status = match (teams.split(' ').next(), written) {
            (Some("DoNotDisturb"), _) => "DoNotDisturb",
            (_, true) => "Busy",
            _ => "Available",
        };
        let should = if on_the_phone {
            format!("{status} OnThePhone pbx")
        } else if written {
            format!("{status} InMeeting meeting")
        } else {
            teams.to_owned()
        };
        compare("the board", shown, &should);
        wrongs
    }
}

/// Has the directory read; a fault may be in its way.
pub async fn synchronise(stage: &Stage) {
    let path = "/api/v1/directory/synchronise";
    stage.api(Method::POST, path, Some(json!({}))).await;
}

async fn put_meeting(stage: &Stage, id: &str) {
    let path = format!("/api/v1/people/{id}/meetings/daily");
    let body = Some(json!({"audio": true}));
    stage.ok(Method::PUT, &path, body).await;
}

/// Presence in short: `Busy OnThePhone pbx`, `Available`.
fn shown(presence: &Value) -> String {
    let mut shown = presence["status"].as_str().unwrap_or("none").to_owned();
    if let Some(activity) = presence["activity"].as_object() {
        for part in ["kind", "via"] {
            shown += " ";
            shown += activity[part].as_str().unwrap_or_default();
        }
    }
    shown
}
