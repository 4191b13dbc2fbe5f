//! teamsbox's journal of the day: the faults of each person's requests, and writes that were made twice.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use reqwest::Method;
use serde_json::Value;

use crate::stage::Stage;

/// Interval at which a session is renewed, counted from what it was written for, in milliseconds.
const RENEWAL: i64 = 240_000;
/// The same for a step of the clock.
const STEP: i64 = 20_000;
/// Entries of a person that are named with a difference.
const NAMED_MAX: usize = 12;

/// Stands for all people: faults of batches and of token requests concern each of them.
const EVERYBODY: &str = "everybody";

/// A slot of a person: `setPresence` and `clearPresence`, or those of the preferred presence.
type Slot = (String, &'static str);

/// The last write to a slot.
#[derive(Clone, Copy)]
enum Last {
    /// So often since a moment, and as often as may be beside the renewals: each new cause and each failure allow one more.
    Set { began: i64, times: i64, causes: i64 },
    /// When.
    Cleared(i64),
}

/// The journal as far as it was read.
#[derive(Default)]
pub struct Journal {
    next: u64,
    last: HashMap<Slot, Last>,
    /// Slots with a fault at the last request, which is repeated.
    excused: BTreeSet<Slot>,
    /// Time of the last change that is to be written to a slot, in milliseconds.
    changed: HashMap<Slot, i64>,
    /// Time of the first change since a slot was cleared, in milliseconds.
    first: HashMap<Slot, i64>,
    /// How often each kind was met.
    pub met: BTreeMap<String, usize>,
    /// The last writes of each person and their faults.
    latest: HashMap<String, VecDeque<String>>,
    /// When a person's writes met a fault the last time, in milliseconds.
    fault_at: HashMap<String, i64>,
    /// Writes that were made twice.
    pub twice: Vec<String>,
}

impl Journal {
    /// Reads on.
    pub async fn read(&mut self, stage: &Stage) {
        loop {
            let path = format!("/journal?after={}&limit=5000", self.next);
            let page = stage.control(Method::GET, &path, None).await;
            let entries = page["entries"].as_array().unwrap();
            for entry in entries {
                let sequence = entry["sequence"].as_u64().unwrap();
                assert!(
                    self.next == 0 || sequence == self.next + 1,
                    "the journal is read too seldom"
                );
                self.next = sequence;
                self.take(entry);
            }
            if entries.is_empty() {
                return;
            }
        }
    }

    /// Records a restart of the server, which adopts its earlier writes and may repeat them once.
    pub fn restarted(&mut self) {
        self.excused.extend(self.last.keys().cloned());
    }

    /// Records a change that is to be written to a slot.
    pub fn changed(&mut self, (account, slot): (&str, &'static str), now: i64) {
        let key = (account.to_owned(), slot);
        if let Some(Last::Set { causes, .. }) = self.last.get_mut(&key) {
            *causes += 1;
        } else {
            self.first.entry(key.clone()).or_insert(now);
        }
        self.changed.insert(key, now);
        let at = jiff::Timestamp::from_millisecond(now).unwrap();
        self.push(account, format!("{at} the {slot} is to change"));
    }

    /// The latest writes and faults of a person.
    pub fn of(&self, account: &str) -> Vec<String> {
        let of = |id: &str| self.latest.get(id).into_iter().flatten().cloned();
        of(EVERYBODY).chain(of(account)).collect()
    }

    /// Time of the last fault of a person's writes, of a batch or of a token request.
    pub fn last_fault(&self, account: &str) -> i64 {
        let of = |id: &str| self.fault_at.get(id).copied().unwrap_or(i64::MIN);
        of(EVERYBODY).max(of(account))
    }

    /// Time of the last change that is to be written to a slot.
    pub fn last_change(&self, account: &str, slot: &'static str) -> i64 {
        let slot = (account.to_owned(), slot);
        self.changed.get(&slot).copied().unwrap_or(i64::MIN)
    }

    fn note(&mut self, who: &str, entry: &Value, what: &str) {
        let line = format!("{} {what}", entry["at"].as_str().unwrap());
        self.push(who, line);
    }

    fn push(&mut self, who: &str, line: String) {
        let latest = self.latest.entry(who.to_owned()).or_default();
        if latest.len() == NAMED_MAX {
            latest.pop_front();
        }
        latest.push_back(line);
    }

    fn take(&mut self, entry: &Value) {
        let detail = &entry["detail"];
        match entry["kind"].as_str() {
            Some("request") => self.request(entry, detail),
            Some("write") => {
                let (user, operation) = (&entry["user"], &detail["operation"]);
                if let (Some(user), Some(operation)) = (user.as_str(), operation.as_str()) {
                    self.written(user, operation, entry);
                }
            }
            _ => {}
        }
    }

    fn request(&mut self, entry: &Value, detail: &Value) {
        let path = detail["path"].as_str().unwrap();
        let parts: Vec<&str> = path.trim_start_matches("/v1.0/").split('/').collect();
        let (who, operation) = match parts.as_slice() {
            ["users", id, "presence", operation] => (*id, *operation),
            ["$batch"] => (EVERYBODY, "batch"),
            [.., "token"] => (EVERYBODY, "token"),
            _ => ("", path),
        };
        let slot = slot(who, operation);
        if let Some(fault) = detail["fault"].as_str() {
            *self.met.entry(fault.to_owned()).or_default() += 1;
            if !who.is_empty() {
                self.note(who, entry, &format!("{operation} met {fault}"));
                self.fault_at.insert(who.to_owned(), milliseconds(entry));
            }
            if who == EVERYBODY {
                self.restarted();
            }
            self.excused.extend(slot);
            return;
        }
        let Some(slot) = slot.filter(|_| detail["status"].as_u64() >= Some(400)) else {
            return;
        };
        let nothing = detail["status"] == 404 && operation == "clearPresence";
        if !nothing {
            // Refused by Graph itself, as with a token that has expired.
            self.note(
                who,
                entry,
                &format!("{operation} refused: {}", detail["status"]),
            );
            self.excused.insert(slot);
            return;
        }
        // The clear of a write that never reached Graph finds nothing, and is repeated while Teams shows a call of its own.
        let began = self.changed.get(&slot).copied().unwrap_or(i64::MIN);
        let cleared = matches!(self.last.get(&slot), Some(Last::Cleared(at)) if began <= *at);
        if cleared && !self.excused.contains(&slot) {
            self.note(who, entry, "clearPresence found nothing");
            let twice = format!("{who} was cleared twice: {:#?}", self.of(who));
            self.twice.push(twice);
        }
    }

    /// A write that was carried out.
    fn written(&mut self, user: &str, operation: &str, entry: &Value) {
        let Some(slot) = slot(user, operation) else {
            return;
        };
        let at = milliseconds(entry);
        self.note(user, entry, operation);
        let change = self.changed.get(&slot).copied().unwrap_or(i64::MIN);
        let excused = self.excused.remove(&slot);
        let (now, again) = match (self.last.get(&slot).copied(), operation.starts_with("set")) {
            (
                Some(Last::Set {
                    began,
                    times,
                    causes,
                }),
                true,
            ) => {
                let causes = causes + i64::from(excused);
                let renewals = match slot.1 {
                    "session" => (at - began + STEP) / RENEWAL,
                    _ => 0,
                };
                let set = Last::Set {
                    began,
                    times: times + 1,
                    causes,
                };
                (set, times + 1 > renewals + causes)
            }
            (Some(Last::Cleared(_)) | None, true) => {
                // The time counts from what it is written for, even if the write comes late.
                let set = Last::Set {
                    began: self.first.remove(&slot).unwrap_or(change.max(0).min(at)),
                    times: 1,
                    causes: 1,
                };
                (set, false)
            }
            (Some(Last::Cleared(before)), false) => {
                (Last::Cleared(at), change < before && !excused)
            }
            (Some(Last::Set { .. }) | None, false) => (Last::Cleared(at), false),
        };
        if again {
            let twice = format!("{operation} twice for {user}: {:#?}", self.of(user));
            self.twice.push(twice);
        }
        if matches!(now, Last::Cleared(_)) {
            self.first.remove(&slot);
        }
        self.last.insert(slot, now);
    }
}

fn milliseconds(entry: &Value) -> i64 {
    let at: jiff::Timestamp = entry["at"].as_str().unwrap().parse().unwrap();
    at.as_millisecond()
}

/// The slot that an operation writes.
fn slot(user: &str, operation: &str) -> Option<Slot> {
    let name = match operation {
        "setPresence" | "clearPresence" => "session",
        "setUserPreferredPresence" | "clearUserPreferredPresence" => "preferred",
        _ => return None,
    };
    Some((user.to_owned(), name))
}
