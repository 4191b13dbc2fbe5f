//! Rules of the address of a person's calendar feed, which is a secret at most providers.

use gateway::{calendars::Calendars, external_fetch::web_address};
use presence::{PersonId, SettingsGroup, setting_keys};
use serde_json::{Map, Value};

use crate::{
    caller::{Access, Caller},
    problem::{Problem, ProblemCode},
};

/// Address of a person's calendar feed.
pub(super) const FEED: &str = setting_keys::FEED_ADDRESS.name;

/// Refuses a calendar feed in the settings of a scope: feeds belong to people.
pub(super) fn refuse_feed_of_scope(
    page: SettingsGroup,
    body: &Map<String, Value>,
) -> Result<(), Problem> {
    let feed = body.get(FEED).and_then(Value::as_str).unwrap_or_default();
    if page != SettingsGroup::Calendar || feed.is_empty() {
        return Ok(());
    }
    let detail = "belongs to people; set it at PUT /api/v1/people/{id}/settings/calendar";
    Err(Problem::invalid(FEED, detail))
}

/// Refuses addresses that are not on the web; only system administrators may name files.
pub(super) fn refuse_feed(
    calendars: &Calendars,
    caller: &Caller,
    page: SettingsGroup,
    body: &Map<String, Value>,
) -> Result<(), Problem> {
    let feed = body.get(FEED).and_then(Value::as_str).unwrap_or_default();
    // Stored without surrounding blanks.
    let feed = feed.trim();
    if page != SettingsGroup::Calendar || feed.is_empty() {
        return Ok(());
    }
    let of_web = web_address(feed)
        .get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    let of_file = caller.is_admin() && feed.starts_with("file:");
    if !(of_web || of_file) {
        let detail = "must be an https or webcal address; a system administrator may also name a file, as file:/path";
        let code = ProblemCode::new("not-a-calendar-address");
        return Err(Problem::invalid(FEED, detail).with_code(code));
    }
    calendars
        .accepts(feed)
        .map_err(|trouble| Problem::invalid(FEED, trouble.to_string()))
}

/// Refuses a change of another person's feed: its appointments set the person's profile and text.
pub(super) fn refuse_feed_of_others(caller: &Caller, person: PersonId) -> Result<(), Problem> {
    let Err(refusal) = caller.require_self(person, Access::Change) else {
        return Ok(());
    };
    let (_, detail) = refusal.into_status_and_detail();
    Err(Problem::forbidden_field(
        FEED,
        format!("{detail}; leave {FEED} out"),
    ))
}

pub(super) fn hide_feed(values: &mut Map<String, Value>) {
    if let Some(feed) = values.get_mut(FEED) {
        *feed = Value::Null;
    }
}
