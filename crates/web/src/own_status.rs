//! One's own status in the bar of every page: the button and its menu, by which people set their status without leaving the
//! page. The menu's forms are those of the page *My status*; `assets/own-status.js` keeps button, menu, title and icon live.

use api::{EventStreams, caller::Caller, presence_body};
use jiff::{Timestamp, tz::TimeZone};
use presence::{APPOINTMENT_PROFILE, PersonId, Status, view};
use runtime::context::Context;

use crate::texts::Texts;

/// A time of day, as in `15:00`.
const CLOCK: &str = "%H:%M";
/// The same on another day.
const DAY_AND_CLOCK: &str = "%-d.%-m. %H:%M";

/// Lengths of a choice beside a time of day: until it is changed, minutes, until the end of the day.
pub(crate) const LENGTHS: [&str; 4] = ["", "30", "60", "today"];

/// End of the key of a length's message.
pub(crate) const fn key_of(length: &str) -> &str {
    match length.is_empty() {
        true => "changed",
        false => length,
    }
}

/// The caller's own status, as the caller sees it, and what the caller may choose.
#[derive(Debug)]
pub struct OwnStatus {
    pub(crate) person: String,
    pub(crate) status: Status,
    /// The status in words.
    pub(crate) word: String,
    /// End of the status, if it has one.
    pub(crate) until: Option<Until>,
    /// Id of the event after which the page needs changes.
    pub(crate) revision: String,
    /// Usable profiles in the person's order.
    pub(crate) choices: Vec<OwnChoice>,
    /// Whether the person has chosen a profile, and can go back to automatic.
    pub(crate) is_chosen: bool,
}

/// The end of a status: `until 15:00`, in the parts around the time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Until {
    pub before: String,
    /// As in the API.
    pub at: String,
    /// The time of day in the viewer's zone.
    pub shown: String,
    pub after: String,
}

/// A profile of the menu.
#[derive(Debug)]
pub(crate) struct OwnChoice {
    /// Name of the profile.
    pub name: String,
    pub status: Status,
    /// Name in the language of the page.
    pub text: String,
    pub is_pressed: bool,
}

impl OwnStatus {
    pub(crate) async fn new(
        (context, streams): (&Context, &EventStreams),
        caller: &Caller,
        person: PersonId,
        words: Texts,
        zone: &TimeZone,
    ) -> Option<Self> {
        let (revision, presence) = context.events.presence_at_revision(person);
        let level = caller.level(&context.organisation, person);
        let seen = presence_body(&view(&presence?, level));
        let choice = context.engine.choice(person).await;
        let profiles = context
            .organisation
            .read(|snapshot| snapshot.my_profiles(person));
        let chosen = choice.map(|choice| choice.profile);
        let offered = profiles.iter().filter(|profile| profile.is_usable());
        let choices = offered.map(|profile| OwnChoice {
            text: profile_text(words, &profile.name),
            is_pressed: chosen.as_ref() == Some(&profile.name),
            name: profile.name.to_string(),
            status: profile.status,
        });
        let now = runtime::clock::rfc3339(context.clock.now());
        Some(Self {
            person: person.to_string(),
            status: seen.status,
            word: words.text(&format!("status-{}", seen.status.name())),
            until: seen.until.and_then(|at| Until::new(words, at, &now, zone)),
            revision: streams.tokens.seal(revision),
            choices: choices.collect(),
            is_chosen: chosen.is_some(),
        })
    }
}

impl Until {
    /// `at` and `now` in RFC 3339.
    fn new(words: Texts, at: String, now: &str, zone: &TimeZone) -> Option<Self> {
        let local = |time: &str| Some(time.parse::<Timestamp>().ok()?.to_zoned(zone.clone()));
        let (end, now) = (local(&at)?, local(now)?);
        let format = match end.date() == now.date() {
            true => CLOCK,
            false => DAY_AND_CLOCK,
        };
        let shown = end.strftime(format).to_string();
        let text = words.with("line-until", "time", &*shown);
        let (before, after) = text.split_once(&shown)?;
        Some(Self {
            before: before.to_owned(),
            after: after.to_owned(),
            at,
            shown,
        })
    }
}

/// The name of a profile in the language of the page. The built-in profiles have the English words of the statuses as names.
pub(crate) fn profile_text(words: Texts, name: &str) -> String {
    match (Status::from_words(name), name) {
        (Some(status), _) => words.text(&format!("status-{}", status.name())),
        (None, APPOINTMENT_PROFILE) => words.text("own-appointment"),
        (None, own) => own.to_owned(),
    }
}

/// The icon with the badge of a status in its corner: each has a shape of its own.
pub(crate) fn status_icon(status: Status) -> String {
    let badge = match status {
        Status::Available => r##"<path d="m37 47 6 6 11-12" stroke="#fff"/>"##,
        Status::BeRightBack => r##"<path d="M46 38v9l6 4" stroke="#14202b"/>"##,
        Status::DoNotDisturb => r##"<path d="M38 47h16" stroke="#fff"/>"##,
        Status::Busy | Status::Absent | Status::Offline => "",
    };
    let fill = match status {
        Status::Available => "#107c41",
        Status::BeRightBack => "#f0b400",
        Status::Busy | Status::DoNotDisturb => "#c4281c",
        Status::Absent => "#7b8790",
        Status::Offline => "#ffffff",
    };
    let shape = match status {
        Status::Busy => format!(r#"<path d="M32 33h28v28H32z" fill="{fill}"/>"#),
        Status::Available
        | Status::BeRightBack
        | Status::DoNotDisturb
        | Status::Absent
        | Status::Offline => {
            format!(r#"<circle cx="46" cy="47" r="15" fill="{fill}"/>"#)
        }
    };
    format!(
        concat!(
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">"##,
            r##"<rect width="64" height="64" rx="14" fill="#0b5cad"/>"##,
            r##"<path d="M12 34c0-12 8-20 18-20s18 8 18 20" fill="none" stroke="#fff" stroke-width="7" stroke-linecap="round"/>"##,
            r##"<g fill="none" stroke="#0b5cad" stroke-width="4">{}</g>"##,
            r##"<g fill="none" stroke-width="5" stroke-linecap="round">{}</g></svg>"##,
        ),
        shape, badge
    )
}

#[cfg(test)]
mod tests {
    use i18n::Language;

    use super::*;

    #[test]
    fn an_end_is_told_in_the_zone_of_the_viewer() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let until = |language, at: &str| {
            let now = "2026-11-23T09:00:00Z";
            let until = Until::new(Texts(language), at.into(), now, &berlin).unwrap();
            format!("{}{}{}", until.before, until.shown, until.after)
        };
        let afternoon = "2026-11-23T14:00:00Z";
        assert_eq!(until(Language::English, afternoon), "until 15:00");
        assert_eq!(until(Language::German, afternoon), "bis 15:00");
        let tomorrow = "2026-11-24T07:30:00Z";
        assert_eq!(until(Language::German, tomorrow), "bis 24.11. 08:30");
    }

    #[test]
    fn built_in_profiles_have_names_of_the_language() {
        let text = |name| profile_text(Texts(Language::German), name);
        assert_eq!(text("Busy"), "Beschäftigt");
        assert_eq!(text("Appointment"), "Termin");
        assert_eq!(text("Focus time"), "Focus time");
    }

    #[test]
    fn each_status_has_an_icon_of_its_own() {
        let icons: std::collections::BTreeSet<String> =
            Status::ALL.into_iter().map(status_icon).collect();
        assert_eq!(icons.len(), Status::ALL.len());
    }
}
