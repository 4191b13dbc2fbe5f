//! What several pages say alike: presences, reasons, profiles, relationships, moments.

use jiff::{Timestamp, civil::DateTime};
use presence::{Forwarding, Relationship, Status};
use serde_json::{Value, json};

use super::{
    client::Refusal,
    kit::{Cell, Choice, Field, Kind, Row, Table, flag, text},
    visit::{Typed, Visit},
};

/// How a browser writes a moment in a field.
const MOMENT: &str = "%Y-%m-%dT%H:%M";

impl Visit {
    /// A status in words.
    pub(super) fn status(&self, name: &str) -> String {
        self.say(&format!("status-{name}"))
    }

    /// An activity of an answer in words; empty if there is none.
    pub(super) fn activity(&self, activity: &Value) -> String {
        let via_teams = text(activity, "via") == "teams";
        match text(activity, "kind") {
            "" => String::new(),
            "UsingApp" => self
                .words
                .with("activity-UsingApp", "app", text(activity, "label")),
            "OnThePhone" if via_teams => self.say("activity-OnThePhoneTeams"),
            kind => self.say(&format!("activity-{kind}")),
        }
    }

    /// A presence of an answer: its status, and its activity where there is one.
    pub(super) fn presence(&self, presence: &Value) -> Cell {
        let status = text(presence, "status");
        let activity = presence
            .get("activity")
            .map(|activity| self.activity(activity));
        let words = match activity.filter(|activity| !activity.is_empty()) {
            Some(activity) => format!("{} – {activity}", self.status(status)),
            None => self.status(status),
        };
        Cell::Status(status.to_owned(), words)
    }

    /// The words of a key, or `otherwise` where there are none.
    pub(super) fn say_or(&self, key: &str, otherwise: &str) -> String {
        let said = self.say(key);
        if said == key {
            otherwise.to_owned()
        } else {
            said
        }
    }

    /// Why a presence is what it is.
    pub(super) fn reasons(&self, explanation: &Value) -> Table {
        let reasons = explanation.get("reasons").and_then(Value::as_array);
        let row = |reason: &Value| {
            let counted = flag(reason, "counted");
            let rule = text(reason, "rule");
            let verdict = if counted {
                "card-decides"
            } else {
                "card-does-not-decide"
            };
            let mut says = text(reason, "says").to_owned();
            for more in ["about", "party", "note"] {
                let more = text(reason, more);
                if !more.is_empty() {
                    says = format!("{says}; {more}");
                }
            }
            Row {
                key: rule.to_owned(),
                cells: vec![
                    Cell::Text(self.say_or(&rule_key(rule), rule)),
                    Cell::Text(text(reason, "source").to_owned()),
                    Cell::Text(says),
                    Cell::Time(text(reason, "since").to_owned()),
                    Cell::Mark(counted, self.say(verdict)),
                ],
            }
        };
        Table {
            id: "reasons",
            caption: self.say("reasons-caption"),
            head: [
                "reasons-rule",
                "reasons-source",
                "reasons-says",
                "board-since",
                "reasons-verdict",
            ]
            .map(|key| self.say(key))
            .to_vec(),
            rows: reasons.into_iter().flatten().map(row).collect(),
            empty: self.say("card-failed"),
            order: None,
        }
    }

    /// What a profile does with calls.
    pub(super) fn forwarding(&self, profile: &Value) -> String {
        let forwarding = profile.get("forwarding").unwrap_or(&Value::Null);
        let kind = self.say(&format!("forwarding-{}", text(forwarding, "kind")));
        match text(forwarding, "target") {
            "" => kind,
            target => format!("{kind}: {target}"),
        }
    }

    /// The fields of a profile, as its form has them.
    pub(super) fn profile_fields(&self, profile: &Value) -> [Field; 4] {
        let statuses = Status::ALL.map(|status| {
            let name = status.name();
            Choice::new(name, self.status(name))
        });
        let kinds = Forwarding::KINDS
            .iter()
            .map(|kind| Choice::new(*kind, self.say(&format!("forwarding-{kind}"))));
        let forwarding = profile.get("forwarding").unwrap_or(&Value::Null);
        let given = |value: &str, otherwise: &'static str| {
            if value.is_empty() {
                otherwise.to_owned()
            } else {
                value.to_owned()
            }
        };
        [
            Field::new(
                "status",
                self.say("board-status"),
                Kind::Select(statuses.to_vec()),
            )
            .value(given(text(profile, "status"), "Busy")),
            Field::new(
                "forwarding",
                self.say("profile-forwarding"),
                Kind::Select(kinds.collect()),
            )
            .value(given(text(forwarding, "kind"), "off")),
            Field::text("target", self.say("profile-target"))
                .value(text(forwarding, "target"))
                .help(self.say("profile-target-help")),
            Field::text("text", self.say("profile-text"))
                .value(text(profile, "text"))
                .help(self.say("profile-text-help")),
        ]
    }

    /// Relationships to choose from, the least first.
    pub(super) fn levels(&self) -> Vec<Choice> {
        let levels = Relationship::ALL.map(|level| {
            let name = level.name();
            Choice::new(name, self.say(&format!("level-{name}")))
        });
        levels.to_vec()
    }

    /// What somebody typed as a moment in their zone, for the API. Empty: none.
    pub(super) fn moment(&self, field: &str, typed: &str) -> Result<Option<String>, Refusal> {
        if typed.trim().is_empty() {
            return Ok(None);
        }
        let moment = typed
            .trim()
            .parse::<DateTime>()
            .and_then(|moment| moment.to_zoned(self.zone.clone()));
        let moment = moment.map_err(|_| {
            let detail = format!("{typed:?} is no time; write it like 2026-11-23T17:00");
            Refusal::of_field(field, detail)
        })?;
        Ok(Some(moment.timestamp().to_string()))
    }

    /// A moment of the API as a field has it.
    pub(super) fn moment_field(&self, moment: &str) -> String {
        let moment = moment.parse::<Timestamp>();
        moment.map_or_else(
            |_| String::new(),
            |moment| {
                let there = moment.to_zoned(self.zone.clone());
                there.strftime(MOMENT).to_string()
            },
        )
    }

    /// The time by the server's clock, in the zone of whoever looks.
    pub(super) fn now(&self) -> jiff::Zoned {
        let now = crate::clock::rfc3339(self.shared.clock.now());
        let now = now.parse::<Timestamp>().unwrap_or_default();
        now.to_zoned(self.zone.clone())
    }
}

/// A profile as the API takes it, from what was typed.
pub(super) fn profile_body(typed: &Typed) -> Value {
    let target = typed.given("target");
    json!({
        "status": typed.one("status"),
        "forwarding": {"kind": typed.one("forwarding"), "target": target},
        "text": typed.given("text"),
    })
}

/// The key of the words for a rule of the engine's.
fn rule_key(rule: &str) -> String {
    let letters = rule.to_lowercase();
    let parts = letters.split(|letter: char| !letter.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    format!("rule-{}", parts.join("-"))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_name_of_a_rule_becomes_a_key() {
        assert_eq!(
            super::rule_key("profile 7: no client, as Teams shows"),
            "rule-profile-7-no-client-as-teams-shows"
        );
    }
}
