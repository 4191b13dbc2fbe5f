//! Every fault of teamsbox, one after the other, during calls and meetings: Offhook never shows a Teams call that does
//! not exist, and in the end shows every presence rightly and leaves no presence session behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use end_to_end::{Demo, Server, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use simulation::Random;

use crate::HEALS;

/// People of the demo: the part of their address before the `@`, and their name. The last three never make Teams calls.
const PEOPLE: [(&str, &str); 6] = [
    ("anna", "Anna Becker"),
    ("bert", "Bert Lindqvist"),
    ("carla", "Carla Moreno"),
    ("david", "David Okafor"),
    ("elif", "Elif Yılmaz"),
    ("farid", "Farid Haddad"),
];
const CALLERS: usize = 3;

fn faults() -> Vec<Value> {
    vec![
        json!({"graph": {"status": 503}}),
        json!({"graph": {"status": 500, "percent": 50}}),
        json!({"graph": {"status": 429, "retryAfter": "1"}}),
        json!({"graph": {"status": 429, "percent": 30}}),
        json!({"graph": {"status": 429, "retryAfter": "0.7", "remaining": 5}}),
        json!({"graph": {"status": 503, "operations": ["setPresence"]}}),
        json!({"graph": {"status": 503, "operations": ["clearPresence"], "remaining": 4}}),
        json!({"graph": {"status": 401, "remaining": 3}}),
        json!({"graph": {"status": 404, "operations": ["clearPresence"]}}),
        json!({"token": {"status": 503, "remaining": 2}}),
        json!({"delayMilliseconds": 300}),
        json!({"readLag": "PT5S"}),
        json!({"readLag": "PT45S"}),
    ]
}

#[tokio::test]
async fn every_fault_one_after_the_other_ends_with_everything_right() {
    let demo = Demo::start(&["--still", "--clock", "manual"]).await;
    let (server, teamsbox) = (&demo.server, &demo.teamsbox);
    let mut in_teams: BTreeSet<usize> = BTreeSet::new();
    let mut meeting: BTreeSet<usize> = BTreeSet::new();
    let mut ids = Vec::new();
    for (_, name) in PEOPLE {
        ids.push(server.person(name).await);
    }
    let daily = |person: usize| format!("/api/v1/people/{}/meetings/daily", ids[person]);
    for (turn, fault) in faults().into_iter().enumerate() {
        teamsbox.faults(fault.clone()).await;
        // People act in turns, which follow from the number of the fault alone.
        let caller = turn % CALLERS;
        if in_teams.remove(&caller) {
            teamsbox.end_call(PEOPLE[caller].0).await;
        } else {
            in_teams.insert(caller);
            let call = json!({"kind": "audio"});
            let path = format!("/users/{}@contoso.example/call", PEOPLE[caller].0);
            teamsbox.control(Method::PUT, &path, Some(call)).await;
        }
        for person in [turn % PEOPLE.len(), (turn * 5 + 3) % PEOPLE.len()] {
            if meeting.remove(&person) {
                server.ok(Method::DELETE, &daily(person), None).await;
            } else {
                meeting.insert(person);
            }
        }
        // Renews the meeting as a meeting server does, well within its lease of a minute.
        for _ in 0..2 {
            for person in &meeting {
                let audio = Some(json!({"audio": true}));
                server.ok(Method::PUT, &daily(*person), audio).await;
            }
            teamsbox.advance("PT20S").await;
        }
        for (person, (_, name)) in PEOPLE.iter().enumerate() {
            let shown = server.shown(name).await;
            let met = shown == "Busy InMeeting meeting";
            assert_eq!(
                met,
                meeting.contains(&person),
                "{name} is {shown} during {fault}"
            );
            let invented = person >= CALLERS && shown.contains("teams");
            assert!(!invented, "{name} is {shown} during {fault}");
        }
    }
    teamsbox.faults(json!({})).await;
    for person in meeting {
        server.ok(Method::DELETE, &daily(person), None).await;
    }
    for person in in_teams {
        teamsbox.end_call(PEOPLE[person].0).await;
    }
    // The network needs real time; teamsbox's clock is advanced by hand.
    for (user, name) in PEOPLE {
        let at_rest = async || {
            teamsbox.advance("PT5S").await;
            let sessions = teamsbox.app_sessions(user).await;
            (
                server.shown(name).await,
                teamsbox.shown(user).await,
                sessions,
            )
        };
        let expected = ("Available".to_owned(), "Available/Available".to_owned(), 0);
        eventually(name, HEALS, expected, at_rest).await;
    }
    // The last throttled write of a cleared presence may be due later.
    let troubles = async || {
        teamsbox.advance("PT5S").await;
        server.troubles().await
    };
    eventually("no problem is left", HEALS, Vec::new(), troubles).await;
}

/// Longest time until all presences are right after the last fault: the limit of five seconds, and as much again for a
/// busy machine.
const RECOVERY_MAX: Duration = Duration::from_secs(10);
/// Steps of twenty seconds in an hour.
const STEPS: usize = 180;
/// Last steps, in which no meeting begins for people with Teams calls: a call hidden by a meeting settles for a minute.
const CALM: usize = 8;
/// Number of concurrent calls, and of concurrent meetings.
const CONCURRENT_MAX: usize = 12;

/// Activity of a person during the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Activity {
    Calling,
    Meeting,
    Undisturbed,
}

/// True for activities that a person may begin, which follow from the person's number alone. Most of the thousand
/// people begin none, and must never appear busy.
fn may(person: usize, doing: Activity) -> bool {
    match doing {
        Activity::Calling => person < 300,
        Activity::Meeting => (200..500).contains(&person),
        Activity::Undisturbed => (500..600).contains(&person),
    }
}

struct Hour {
    demo: Demo,
    random: Random,
    /// Ids, and sign-in names in Teams, by number.
    people: Vec<(String, String)>,
    doing: BTreeSet<(Activity, usize)>,
}

impl Hour {
    async fn start(seed: u64) -> Self {
        let arguments = ["--still", "--clock", "manual", "--people", "1000"];
        let demo = Demo::start(&arguments).await;
        let mut people = Vec::new();
        let mut next = String::new();
        loop {
            let path = format!("/api/v1/people?limit=1000{next}");
            let page = demo.server.ok(Method::GET, &path, None).await;
            for person in page["items"].as_array().unwrap() {
                let text = |field: &str| person[field].as_str().unwrap().to_owned();
                people.push((text("id"), text("userPrincipalName")));
            }
            match page["next"].as_str() {
                Some(after) => next = format!("&cursor={after}"),
                None => break,
            }
        }
        assert_eq!(people.len(), 1_000);
        Self {
            demo,
            random: Random::new(seed),
            people,
            doing: BTreeSet::new(),
        }
    }

    /// Begins or ends a random activity.
    async fn act(&mut self, calm: bool) {
        let doing =
            self.random
                .pick(&[Activity::Calling, Activity::Meeting, Activity::Undisturbed]);
        let under_way: Vec<usize> = self
            .doing
            .iter()
            .filter(|(what, _)| *what == doing)
            .map(|(_, person)| *person)
            .collect();
        let ends =
            under_way.len() >= CONCURRENT_MAX || (!under_way.is_empty() && self.random.chance(45));
        let person = if ends {
            self.random.pick(&under_way)
        } else {
            let fit: Vec<usize> = (0..1_000).filter(|person| may(*person, doing)).collect();
            self.random.pick(&fit)
        };
        let may_be_masked = may(person, Activity::Calling) && may(person, Activity::Meeting);
        if calm && may_be_masked {
            return;
        }
        let begins = self.doing.insert((doing, person));
        if !begins {
            self.doing.remove(&(doing, person));
        }
        let (id, user) = &self.people[person];
        let (server, teamsbox) = (&self.demo.server, &self.demo.teamsbox);
        match (doing, begins) {
            (Activity::Calling, true) => {
                let (call, path) = (json!({"kind": "audio"}), format!("/users/{user}/call"));
                teamsbox.control(Method::PUT, &path, Some(call)).await;
            }
            (Activity::Calling, false) => teamsbox.end_call(user).await,
            (Activity::Undisturbed, true) => teamsbox.choose(user, "DoNotDisturb").await,
            (Activity::Undisturbed, false) => teamsbox.reset(user).await,
            (Activity::Meeting, true) => meet(server, id).await,
            (Activity::Meeting, false) => {
                let path = format!("/api/v1/people/{id}/meetings/daily");
                server.ok(Method::DELETE, &path, None).await;
            }
        }
    }

    /// Renews all meetings as a meeting server does, well within their lease of a minute.
    async fn renew_meetings(&self) {
        for (doing, person) in &self.doing {
            if *doing == Activity::Meeting {
                meet(&self.demo.server, &self.people[*person].0).await;
            }
        }
    }

    /// Presences on the board other than Available, by number.
    async fn shown(&self) -> BTreeMap<usize, String> {
        let (_, _, page) = self
            .demo
            .server
            .with_headers(Method::GET, "/", &[], None)
            .await;
        let cell = |row: &str, class: &str| {
            let at = row.find(&format!("class=\"{class}\">")).unwrap();
            let (_, rest) = row[at..].split_once('>').unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        let number: BTreeMap<&str, usize> = self
            .people
            .iter()
            .enumerate()
            .map(|(number, (id, _))| (id.as_str(), number))
            .collect();
        let rows = page.split("data-person=\"").skip(1).map(|row| {
            let id = row.split('"').next().unwrap();
            let shown = format!("{}{}", cell(row, "status"), cell(row, "detail"));
            (number[id], shown.trim().to_owned())
        });
        rows.filter(|(_, shown)| shown != "Available").collect()
    }

    /// Expected presences, by number.
    fn expected(&self) -> BTreeMap<usize, String> {
        let mut expected = BTreeMap::new();
        for (doing, person) in &self.doing {
            // In the order of activities: a meeting goes before a Teams call.
            let shown = match doing {
                Activity::Calling => "On the phone · Teams call",
                Activity::Meeting => "In a meeting",
                Activity::Undisturbed => "Do not disturb",
            };
            expected.insert(*person, shown.to_owned());
        }
        expected
    }

    /// Checks that people without Teams calls never appear in one.
    async fn nobody_is_invented(&self, when: &str) {
        for (person, shown) in self.shown().await {
            let invented = !may(person, Activity::Calling) && shown.contains("Teams");
            if invented {
                let (id, user) = &self.people[person];
                let path = format!("/api/v1/people/{id}/explanation");
                let why = self.demo.server.ok(Method::GET, &path, None).await;
                let path = format!("/api/v1/people/{id}/history");
                let history = self.demo.server.ok(Method::GET, &path, None).await;
                let path = format!("/journal?user={user}&limit=200");
                let journal = self.demo.teamsbox.control(Method::GET, &path, None).await;
                panic!("person {person} is {shown} {when}: {why}\n{history}\n{journal}");
            }
        }
    }

    /// Numbers of people with a presence session of Offhook in Teams.
    async fn sessions(&self) -> BTreeSet<usize> {
        let mut with_session = BTreeSet::new();
        for (number, (_, user)) in self.people.iter().enumerate().take(600) {
            if self.demo.teamsbox.app_sessions(user).await > 0 {
                with_session.insert(number);
            }
        }
        with_session
    }
}

async fn meet(server: &Server, id: &str) {
    let (path, audio) = (
        format!("/api/v1/people/{id}/meetings/daily"),
        json!({"audio": true}),
    );
    server.ok(Method::PUT, &path, Some(audio)).await;
}

#[tokio::test]
async fn a_random_hour_with_a_thousand_people_ends_with_everything_right() {
    // CHAOS_SEED=N sets another seed.
    let seed = std::env::var("CHAOS_SEED").map_or(20_261_125, |seed| seed.parse().unwrap());
    let mut hour = Hour::start(seed).await;
    let faults = faults();
    let mut fault = json!({});
    let mut lagged = false;
    for step in 0..STEPS {
        if hour.random.chance(25) {
            fault = if hour.random.chance(60) {
                json!({})
            } else {
                faults[hour.random.index(faults.len())].clone()
            };
            hour.demo.teamsbox.faults(fault.clone()).await;
        }
        for _ in 0..hour.random.between(1, 6) {
            hour.act(step + CALM > STEPS).await;
        }
        hour.renew_meetings().await;
        hour.demo.teamsbox.advance("PT20S").await;
        let when = format!("after step {step} of seed {seed}, during {fault}");
        // Where Graph's lag grows during a call, the call's echo may count as a Teams call until the first answer
        // without it (docs/presence-rules.md, "Teams calls and echoes"), which may arrive a step after the lag has
        // ended.
        let lags = fault["readLag"] == "PT45S";
        if !lags && !lagged {
            hour.nobody_is_invented(&when).await;
        }
        lagged = lags;
    }
    hour.demo.teamsbox.faults(json!({})).await;
    hour.renew_meetings().await;
    hour.demo.teamsbox.advance("PT5S").await;
    let shown = async || hour.shown().await;
    eventually("everybody", RECOVERY_MAX, hour.expected(), shown).await;
    // Teams has the expected presence sessions, and no others of Offhook.
    let meeting =
        |(doing, person): &(Activity, usize)| (*doing == Activity::Meeting).then_some(*person);
    let wanted: BTreeSet<usize> = hour.doing.iter().filter_map(meeting).collect();
    let sessions = async || hour.sessions().await;
    eventually("sessions in Teams", RECOVERY_MAX, wanted, sessions).await;
    let (server, ready) = (&hour.demo.server, async || {
        hour.demo.teamsbox.advance("PT1S").await;
        hour.demo.server.is_ready().await
    });
    eventually("ready", RECOVERY_MAX, true, ready).await;
    assert_eq!(server.troubles().await, Vec::<String>::new());
}
