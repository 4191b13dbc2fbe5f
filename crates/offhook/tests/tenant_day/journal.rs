//! What teamsbox's journal says of the day: which faults were met by whom, and whether anything was written twice.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use reqwest::Method;
use serde_json::Value;

use crate::stage::Stage;

/// A session is renewed well before its five minutes are over, and no sooner than after this time, in milliseconds.
const RENEWED_AFTER: i64 = 60_000;
/// Entries of a person that are named with a difference.
const NAMED_MAX: usize = 12;

/// A slot of a person: `setPresence` and `clearPresence`, or those of the preferred presence.
type Slot = (String, &'static str);

/// What was last written to a slot.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Set(i64),
    Cleared,
}

/// The journal as far as it was read.
#[derive(Default)]
pub struct Journal {
    next: u64,
    last: HashMap<Slot, Last>,
    /// Slots whose last request met a fault: it is repeated.
    excused: BTreeSet<Slot>,
    /// When something began or ended for a person that is written to a slot, in milliseconds: the last time.
    changed: HashMap<Slot, i64>,
    /// How often each kind was met.
    pub met: BTreeMap<String, usize>,
    /// The last writes of each person and their faults; batches are everybody's.
    latest: HashMap<String, VecDeque<String>>,
    /// When a person's writes met a fault the last time, in milliseconds.
    fault_at: HashMap<String, i64>,
    /// What was written twice.
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

    /// The server begins anew: it adopts what it had written and may write it once more.
    pub fn restarted(&mut self) {
        self.excused.extend(self.last.keys().cloned());
    }

    /// Something began or ended for a person that is written to a slot.
    pub fn changed(&mut self, (account, slot): (&str, &'static str), now: i64) {
        self.changed.insert((account.to_owned(), slot), now);
        let at = jiff::Timestamp::from_millisecond(now).unwrap();
        self.push(account, format!("{at} the {slot} is to change"));
    }

    /// What a person's writes were and met, the last ones.
    pub fn of(&self, account: &str) -> Vec<String> {
        let of = |id: &str| self.latest.get(id).into_iter().flatten().cloned();
        of("batch").chain(of(account)).collect()
    }

    /// When a person's writes, or a batch, met a fault the last time.
    pub fn last_fault(&self, account: &str) -> i64 {
        let of = |id: &str| self.fault_at.get(id).copied().unwrap_or(i64::MIN);
        of("batch").max(of(account))
    }

    /// When something began or ended the last time that is written to a slot.
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
            ["$batch"] => ("batch", "batch"),
            _ => ("", path),
        };
        let slot = slot(who, operation);
        if let Some(fault) = detail["fault"].as_str() {
            *self.met.entry(fault.to_owned()).or_default() += 1;
            if !who.is_empty() {
                self.note(who, entry, &format!("{operation} met {fault}"));
                self.fault_at.insert(who.to_owned(), milliseconds(entry));
            }
            if who == "batch" {
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
        } else if self.last.get(&slot) == Some(&Last::Cleared) && !self.excused.contains(&slot) {
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
        let now = if operation.starts_with("set") {
            Last::Set(at)
        } else {
            Last::Cleared
        };
        let again = match (self.last.get(&slot), now) {
            (Some(Last::Set(before)), Last::Set(_)) => at - before < RENEWED_AFTER,
            (Some(Last::Cleared), Last::Cleared) => true,
            _ => false,
        };
        let before = match self.last.get(&slot) {
            Some(Last::Set(before)) => *before,
            Some(Last::Cleared) | None => at,
        };
        // What begins anew before the end of what was there has been written is written again.
        let anew = self
            .changed
            .get(&slot)
            .is_some_and(|change| *change >= before);
        if again && !anew && !self.excused.contains(&slot) {
            let twice = format!("{operation} twice for {user}: {:#?}", self.of(user));
            self.twice.push(twice);
        }
        self.excused.remove(&slot);
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
