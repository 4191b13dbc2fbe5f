//! Texts that several pages share: presence, reasons, profiles, relationships, times.

use api::problem::ProblemCode;
use api_types::{
    presence::{Explanation, PresenceBody, ReasonBody},
    profile::{ForwardingBody, NewProfile, ProfileBody},
};
use jiff::{Timestamp, civil::DateTime};
use presence::{Confidence, Forwarding, Relationship, Status};

use super::{
    client::Refusal,
    components::{Cell, Choice, Field, Kind, Row, Table},
    page_context::{EnteredForm, PageContext},
};

/// Format of a local date and time in HTML fields.
pub(super) const MOMENT: &str = "%Y-%m-%dT%H:%M";

impl PageContext {
    /// A status as text.
    pub(super) fn status(&self, name: &str) -> String {
        self.say(&format!("status-{name}"))
    }

    /// A presence: status and activity.
    pub(super) fn presence(&self, presence: &PresenceBody) -> Cell {
        let status = presence.status.name();
        let words = match &presence.activity {
            Some(activity) => {
                let activity = self.words.activity(activity);
                format!("{} – {activity}", self.status(status))
            }
            None => self.status(status),
        };
        Cell::Status(status.to_owned(), words)
    }

    /// The text beside the status: the activity in the viewer's language, or the text that people and administrators chose.
    pub(super) fn presence_text(&self, presence: &PresenceBody) -> String {
        match &presence.activity {
            Some(activity) => self.words.activity(activity),
            None => presence.text.clone(),
        }
    }

    /// The message of a key, or `otherwise` if there is none.
    pub(super) fn say_or(&self, key: &str, otherwise: &str) -> String {
        let text = self.say(key);
        match text == key {
            true => otherwise.to_owned(),
            false => text,
        }
    }

    /// The reasons of a presence, each with the key of its effect: first the deciding ones, then the others.
    pub(super) fn ordered_reasons(explanation: &Explanation) -> Vec<(&ReasonBody, &'static str)> {
        let mut reasons: Vec<&ReasonBody> = explanation.reasons.iter().collect();
        let weight = |reason: &ReasonBody| match (reason.counted, of_activity(reason)) {
            (true, true) => 0,
            (true, false) => 1,
            _ => 2,
        };
        reasons.sort_by_key(|reason| weight(reason));
        let has_activity = reasons.first().is_some_and(|reason| weight(reason) == 0);
        let verdict = |reason: &ReasonBody| match weight(reason) {
            0 => "reasons-activity",
            // During a call or meeting the profile only decides the forwarding and the presence afterwards.
            1 if has_activity => "reasons-profile",
            1 => "reasons-decides",
            _ if is_of_teams(reason) => "reasons-for-information",
            _ => "reasons-does-not-decide",
        };
        reasons
            .into_iter()
            .map(|reason| (reason, verdict(reason)))
            .collect()
    }

    /// The reasons of a presence as a table.
    pub(super) fn reasons(&self, explanation: &Explanation) -> Table {
        let row = |(reason, verdict): (&ReasonBody, &str)| Row {
            key: reason.rule.to_string(),
            cells: vec![
                Cell::Text(self.sentence(reason)),
                Cell::Mark(reason.counted, self.say(verdict)),
                Cell::Time(reason.since.clone()),
                Cell::time(reason.lease_end.clone()),
            ],
        };
        let reasons = Self::ordered_reasons(explanation);
        Table {
            id: "reasons",
            caption: self.say("reasons-caption"),
            head: [
                "reasons-says",
                "reasons-verdict",
                "board-since",
                "reasons-until",
            ]
            .map(|key| self.say(key))
            .to_vec(),
            rows: reasons.into_iter().map(row).collect(),
            empty: self.say("card-failed"),
            order: None,
        }
    }

    /// The sentence of a reason, with its source and notes.
    pub(super) fn sentence(&self, reason: &ReasonBody) -> String {
        let source = match reason.source.strip_prefix("line ") {
            Some(line) => self.words.with("source-line", "name", line),
            None => self.say_or(&key("source", &reason.source), &reason.source),
        };
        let value = reason.value.as_deref().unwrap_or_default();
        let value = match &*reason.code {
            "no-client-as-teams-shows" => self.status(value),
            _ => value.to_owned(),
        };
        let code = format!("reason-{}", reason.code);
        let mut sentence = format!("{source}: {}", self.words.with(&code, "value", &*value));
        if let Some(about) = reason.about.as_ref().filter(|about| !about.is_empty()) {
            sentence = format!("{sentence} – {about}");
        }
        if let Some(party) = reason.party.as_ref().filter(|party| !party.is_empty()) {
            let with = self.words.with("card-with", "party", &**party);
            sentence = format!("{sentence} {with}");
        }
        if let Some(note) = &reason.note_code {
            let value = reason.note_value.as_deref().unwrap_or_default();
            let note = self.words.with(&format!("detail-{note}"), "value", value);
            sentence = format!("{sentence}; {note}");
        }
        if reason.confidence == Confidence::Stale {
            sentence = format!("{sentence}; {}", self.say("confidence-stale"));
        }
        sentence
    }

    /// A forwarding as text.
    pub(super) fn forwarding(&self, forwarding: &ForwardingBody) -> String {
        let kind = self.say(&format!("forwarding-{}", forwarding.kind));
        match &forwarding.target {
            None => kind,
            Some(target) => format!("{kind}: {target}"),
        }
    }

    /// The fields of a profile's form; `None` for a new profile.
    pub(super) fn profile_fields(&self, profile: Option<&ProfileBody>) -> [Field; 4] {
        let statuses = Status::ALL.map(|status| {
            let name = status.name();
            Choice::new(name, self.status(name))
        });
        let kinds = Forwarding::KINDS
            .iter()
            .map(|kind| Choice::new(*kind, self.say(&format!("forwarding-{kind}"))));
        let status = profile.map_or(Status::Busy, |profile| profile.status);
        let forwarding = profile.map(|profile| &profile.forwarding);
        let target = forwarding.and_then(|forwarding| forwarding.target.clone());
        let text = profile.and_then(|profile| profile.text.clone());
        [
            Field::new(
                "status",
                self.say("board-status"),
                Kind::Select(statuses.to_vec()),
            )
            .value(status.name()),
            Field::new(
                "forwarding",
                self.say("profile-forwarding"),
                Kind::Select(kinds.collect()),
            )
            .value(forwarding.map_or("off", |forwarding| &*forwarding.kind)),
            Field::text("target", self.say("profile-target"))
                .value(target.unwrap_or_default())
                .help(self.say("profile-target-help")),
            Field::text("text", self.say("profile-text"))
                .value(text.unwrap_or_default())
                .help(self.say("profile-text-help")),
        ]
    }

    /// Relationships as options, the lowest first.
    pub(super) fn levels(&self) -> Vec<Choice> {
        let levels = Relationship::ALL.map(|level| {
            let name = level.name();
            Choice::new(name, self.say(&format!("level-{name}")))
        });
        levels.to_vec()
    }

    /// An entered local time, for the API; `None` if empty.
    pub(super) fn moment(&self, field: &str, typed: &str) -> Result<Option<String>, Refusal> {
        if typed.trim().is_empty() {
            return Ok(None);
        }
        let moment = typed
            .trim()
            .parse::<DateTime>()
            .and_then(|moment| moment.to_zoned(self.zone.clone()));
        let moment = moment.map_err(|_| {
            Refusal::of_code(field, ProblemCode::new("not-a-time").with("value", typed))
        })?;
        Ok(Some(moment.timestamp().to_string()))
    }

    /// A time of the API as the value of a field.
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

    /// The present time of the server's clock, in the viewer's time zone.
    pub(super) fn now(&self) -> jiff::Zoned {
        let now = runtime::clock::rfc3339(self.context.clock.now());
        let now = now.parse::<Timestamp>().unwrap_or_default();
        now.to_zoned(self.zone.clone())
    }
}

/// The entered profile, for the API.
pub(super) fn new_profile(typed: &EnteredForm) -> NewProfile {
    NewProfile {
        name: None,
        status: typed.one("status").to_owned(),
        forwarding: Some(ForwardingBody {
            kind: typed.one("forwarding").to_owned(),
            target: typed.given("target").map(str::to_owned),
        }),
        text: typed.given("text").map(str::to_owned),
        active: None,
    }
}

/// Whether a reason concerns the activity, not the profile.
fn of_activity(reason: &ReasonBody) -> bool {
    reason.rule.starts_with("activity")
}

/// Whether a reason only reports the state in Teams.
fn is_of_teams(reason: &ReasonBody) -> bool {
    reason.rule.starts_with("Teams")
}

/// The key of the message for a name of the API.
fn key(prefix: &str, name: &str) -> String {
    let letters = name.to_lowercase();
    let parts = letters.split(|letter: char| !letter.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    format!("{prefix}-{}", parts.join("-"))
}

#[cfg(test)]
mod tests {
    use presence::{
        NotCounted, REASON_CODES, ReasonDetail, ReasonKind, ReleaseReason, Slot, Status,
        TeamsState, WriteState,
    };

    use super::key;
    use crate::texts::Texts;

    #[test]
    fn names_of_the_api_become_keys() {
        assert_eq!(key("source", "meeting server"), "source-meeting-server");
    }

    #[test]
    fn every_sentence_of_a_reason_is_said_in_every_language() {
        let state = || TeamsState::new("Busy", "InACall");
        let mut codes = vec![
            ReasonKind::ChosenProfile("Busy".into()).code(),
            ReasonKind::NoClientAsTeamsShows(Status::Busy).code(),
            ReasonKind::UsesMicrophone("Acme".into()).code(),
            ReasonKind::TeamsShows(state()).code(),
            ReasonKind::Appointment.code(),
            ReasonKind::TeamsCallAppointment.code(),
            ReasonKind::DoNotDisturbInTeams.code(),
            ReasonKind::PresentingInTeams.code(),
            ReasonKind::NoClient.code(),
            ReasonKind::Locked.code(),
            ReasonKind::Inactive.code(),
            ReasonKind::AtRest.code(),
            ReasonKind::AtRestWithClient.code(),
            ReasonKind::InACall.code(),
            ReasonKind::CallOnHold.code(),
            ReasonKind::Ringing.code(),
            ReasonKind::InAMeeting.code(),
            ReasonKind::InAMeetingWithoutAudio.code(),
            ReasonKind::InACallInTeams.code(),
            ReasonKind::WritingPaused.code(),
        ];
        for slot in Slot::ALL {
            for fate in [
                WriteState::InForce,
                WriteState::BeingCleared,
                WriteState::Cleared,
                WriteState::NotInForce,
            ] {
                codes.push(ReasonKind::OwnWrite(slot, fate).code());
            }
        }
        codes.extend(NotCounted::ALL.map(|why| ReasonKind::NotCounted(why).code()));
        let mut listed = REASON_CODES.to_vec();
        listed.sort_unstable();
        codes.sort_unstable();
        assert_eq!(codes, listed, "the API's document has the same");
        let mut notes = vec![
            ReasonDetail::ProfileGone.code(),
            ReasonDetail::Suspended.code(),
            ReasonDetail::EndItInTeams.code(),
            ReasonDetail::OnlyTheScreen.code(),
            ReasonDetail::SecondSynchronisation.code(),
            ReasonDetail::NotAcknowledged.code(),
            ReasonDetail::ClearRefused.code(),
            ReasonDetail::HiddenBy(state()).code(),
        ];
        notes.extend(ReleaseReason::ALL.map(|reason| ReasonDetail::Released(reason).code()));
        let reasons = codes.into_iter().map(|code| key("reason", code));
        let notes = notes.into_iter().map(|code| key("detail", code));
        for key in reasons.chain(notes) {
            for language in i18n::Language::ALL.map(Texts) {
                assert_ne!(language.text(&key), key, "{}", language.code());
            }
        }
    }

    /// Contents of all files below a folder.
    fn files(folder: &str, into: &mut Vec<String>) {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                files(path.to_str().unwrap(), into);
            } else {
                into.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn pages_say_only_what_there_are_words_for() {
        let english = Texts(i18n::Language::English);
        let mut texts = Vec::new();
        files(
            concat!(env!("CARGO_MANIFEST_DIR"), "/templates"),
            &mut texts,
        );
        files(
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages"),
            &mut texts,
        );
        let mut found = 0;
        for text in texts {
            for call in ["words.text(\"", "words.with(\"", ".say(\"", ".of_two(\""] {
                for part in text.split(call).skip(1) {
                    let key = part.split('"').next().unwrap();
                    assert!(english.has(key), "{key}");
                    found += 1;
                }
            }
        }
        assert!(found > 200, "{found}");
    }

    #[test]
    fn there_are_words_for_whatever_has_a_name_in_the_api() {
        use presence::{Forwarding, OwnerPolicy, Relationship, SETTINGS, SettingsGroup, SyncMode};

        let english = Texts(i18n::Language::English);
        let mut wanted: Vec<String> = Vec::new();
        wanted.extend(
            SETTINGS
                .iter()
                .map(|setting| format!("setting-{}-{}", setting.group.name(), setting.key)),
        );
        wanted.extend(SettingsGroup::ALL.map(|page| format!("page-{}", page.name())));
        wanted.extend(SyncMode::ALL.map(|mode| format!("mode-{}", mode.name())));
        wanted.extend(OwnerPolicy::ALL.map(|policy| format!("policy-{}", policy.name())));
        wanted.extend(Relationship::ALL.map(|level| format!("level-{}-may", level.name())));
        wanted.extend(Relationship::ALL.map(|level| format!("level-{}", level.name())));
        wanted.extend(Forwarding::KINDS.map(|kind| format!("forwarding-{kind}")));
        wanted.extend(store::Role::ALL.map(|role| format!("role-{}", role.name())));
        wanted.extend(store::API_KEY_SCOPES.map(|scope| format!("key-scope-{scope}")));
        wanted.extend(calendar::Fault::CODES.map(|code| format!("feed-unread-{code}")));
        for key in wanted {
            assert!(english.has(&key), "{key}");
        }
    }
}
