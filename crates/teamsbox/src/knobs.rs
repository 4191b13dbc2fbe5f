//! Knobs: behaviour that Microsoft does not document, or that differs between sources, with the defaults that fit what
//! the field reports.
//!
//! Programs set them as a [`Knobs`] value, the command line as `--knob NAME=VALUE`, tests of any language with
//! `PATCH /box/v1/knobs`. Names in JSON are in camel case; durations are ISO 8601 texts such as `PT2M`.

mod choices;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::choices::{
    CalendarAlone, CalendarPairs, Cloud, DeltaItems, EchoActivity, ExpiredDelta, ExpiresIn,
    Focusing, IdenticalWrite, LongExpiry, Policy, PrincipalName, RetryAfter, Spread, TieBreak,
    TokenStyle, UnknownId, ValueList, WithoutTeams,
};
use crate::duration::{self, DAY, HOUR, MINUTE, Milliseconds, SECOND};
use crate::error::ControlError;
use crate::value::IdleSpelling;

/// Behaviour that Microsoft does not document, with the defaults that fit what the field reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Knobs {
    /// How the first stage of the fade is spelled.
    pub idle_spelling: IdleSpelling,
    /// How long a client's session outlives its sign-out.
    #[serde(with = "iso")]
    pub sign_out_grace: Duration,
    /// Whether bulk reads carry `sequenceNumber`, which the documented sample leaves out.
    pub bulk_sequence_number: bool,
    /// How long access tokens live.
    #[serde(with = "iso")]
    pub token_lifetime: Duration,
    /// The type of `expires_in`.
    pub expires_in: ExpiresIn,
    /// How long refresh tokens live.
    #[serde(with = "iso")]
    pub refresh_token_lifetime: Duration,
    /// A session id that is not the caller's client id: accepted with a warning, or refused with 403.
    pub foreign_session_id: Policy,
    /// Which session of a rank is shown.
    pub tie_break: TieBreak,
    /// What writing `InAMeeting` or `OutOfOffice` does.
    pub calendar_pairs: CalendarPairs,
    /// What bulk reads do with unknown ids.
    pub bulk_unknown_id: UnknownId,
    /// What calls about the presence of guests are answered.
    pub guests: WithoutTeams,
    /// What calls about the presence of people without a plan with Teams are answered.
    pub unlicensed: WithoutTeams,
    /// What happens to subscriptions that ask for more than an hour.
    pub long_expiry: LongExpiry,
    /// What an identical write does.
    pub identical_write: IdenticalWrite,
    /// How an application's call is read back.
    pub echo_activity: EchoActivity,
    /// How focus time is read back.
    pub focusing: Focusing,
    /// Whether calendars show without any session.
    pub calendar_alone: CalendarAlone,
    /// Clearing an empty preferred slot: 200, or 404.
    pub clear_empty_preferred: Policy,
    /// The shortest explicit duration of a preferred presence.
    #[serde(with = "iso")]
    pub preferred_shortest: Duration,
    /// The longest explicit duration of a preferred presence.
    #[serde(with = "iso")]
    pub preferred_longest: Duration,
    /// The shape of validation tokens.
    pub validation_tokens: TokenStyle,
    /// The status with which location actions succeed: 204 or 200.
    pub location_status: u16,
    /// How far reads through Graph lag behind writes.
    #[serde(with = "iso")]
    pub read_lag: Duration,
    /// How far behind a Teams desktop client of somebody else is.
    #[serde(with = "iso")]
    pub desktop_lag: Duration,
    /// How far behind Teams in a browser is.
    #[serde(with = "iso")]
    pub web_lag: Duration,
    /// How far behind Teams on a phone is.
    #[serde(with = "iso")]
    pub phone_lag: Duration,
    /// A principal name in place of the id, in presence calls.
    pub principal_name: PrincipalName,
    /// Which words reads and notifications use.
    pub value_list: ValueList,
    /// Whether subscriptions may name `http://` addresses.
    pub http_webhooks: bool,
    /// The mean time from a change to its delivery.
    #[serde(with = "iso")]
    pub notification_mean: Duration,
    /// The longest time from a change to its delivery.
    #[serde(with = "iso")]
    pub notification_cap: Duration,
    /// How the times in between are spread.
    pub notification_spread: Spread,
    /// Whether later changes may overtake earlier ones.
    pub notification_reorder: bool,
    /// How many of a hundred notifications are delivered twice.
    pub notification_duplicates: u8,
    /// How many items may share one request.
    pub notification_items: u16,
    /// Whether notifications rotate through all documented shapes.
    pub notification_variety: bool,
    /// Presence calls per application in 30 seconds; 0 for no limit.
    pub presence_limit: u32,
    /// Writes of subscriptions per application in 20 seconds; 0 for no limit.
    pub subscription_limit: u32,
    /// Lists of subscriptions per application in 20 seconds; 0 for no limit.
    pub subscription_list_limit: u32,
    /// Units of directory reads per application in 10 seconds: 0 for no limit, none for what fits the tenant's size.
    pub directory_limit: Option<u32>,
    /// The form of `Retry-After` of throttled calls.
    pub retry_after: RetryAfter,
    /// Where the tenant is.
    pub cloud: Cloud,
    /// People per page of a directory list, unless `$top` says otherwise.
    pub page_size: u16,
    /// How long delta links last.
    #[serde(with = "iso")]
    pub delta_lifetime: Duration,
    /// What later rounds of a delta list of people who have changed.
    pub delta_items: DeltaItems,
    /// How expired delta links are refused.
    pub expired_delta: ExpiredDelta,
    /// Where the random numbers start, so that a run can be repeated.
    pub seed: u64,
}

impl Default for Knobs {
    fn default() -> Self {
        let of = |milliseconds: Milliseconds| {
            Duration::from_millis(u64::try_from(milliseconds).unwrap_or_default())
        };
        Self {
            idle_spelling: IdleSpelling::default(),
            sign_out_grace: of(3 * MINUTE),
            bulk_sequence_number: false,
            token_lifetime: of(HOUR - SECOND),
            expires_in: ExpiresIn::Number,
            refresh_token_lifetime: of(90 * DAY),
            foreign_session_id: Policy::Accept,
            tie_break: TieBreak::Latest,
            calendar_pairs: CalendarPairs::Refuse,
            bulk_unknown_id: UnknownId::Omit,
            guests: WithoutTeams::Accept,
            unlicensed: WithoutTeams::Accept,
            long_expiry: LongExpiry::Refuse,
            identical_write: IdenticalWrite::Silent,
            echo_activity: EchoActivity::InACall,
            focusing: Focusing::Focusing,
            calendar_alone: CalendarAlone::Offline,
            clear_empty_preferred: Policy::Accept,
            preferred_shortest: of(5 * MINUTE),
            preferred_longest: of(7 * DAY),
            validation_tokens: TokenStyle::V2,
            location_status: 204,
            read_lag: Duration::ZERO,
            desktop_lag: of(2 * MINUTE),
            web_lag: of(5 * MINUTE),
            phone_lag: of(10 * MINUTE),
            principal_name: PrincipalName::NotFound,
            value_list: ValueList::Pascal,
            http_webhooks: false,
            notification_mean: of(3 * SECOND),
            notification_cap: of(MINUTE),
            notification_spread: Spread::Exponential,
            notification_reorder: false,
            notification_duplicates: 0,
            notification_items: 1,
            notification_variety: false,
            presence_limit: 1_500,
            subscription_limit: 500,
            subscription_list_limit: 25,
            directory_limit: None,
            retry_after: RetryAfter::Integer,
            cloud: Cloud::Global,
            page_size: 100,
            delta_lifetime: of(7 * DAY),
            delta_items: DeltaItems::Whole,
            expired_delta: ExpiredDelta::Gone,
            seed: 1,
        }
    }
}

impl Knobs {
    /// Changes the knobs named in a JSON object and leaves the others.
    ///
    /// # Errors
    /// When a name is unknown or a value makes no sense.
    pub fn merged(&self, changes: &Value) -> Result<Self, ControlError> {
        let unusable = |problem: &str| {
            let remedy = "send an object of knobs and their values as GET /box/v1/knobs shows them";
            ControlError::invalid("knobs", &changes.to_string(), problem, remedy)
        };
        let (Ok(Value::Object(mut merged)), Value::Object(changes)) =
            (serde_json::to_value(self), changes)
        else {
            return Err(unusable("is not an object"));
        };
        merged.extend(
            changes
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        let knobs: Self = serde_json::from_value(Value::Object(merged))
            .map_err(|error| unusable(&format!("cannot be set ({error})")))?;
        knobs.check()?;
        Ok(knobs)
    }

    /// Changes one knob given as text; what is no JSON is taken as a word.
    ///
    /// # Errors
    /// When the name is unknown or the value makes no sense.
    pub fn with(&self, name: &str, value: &str) -> Result<Self, ControlError> {
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        self.merged(&Value::Object(
            [(name.to_owned(), value)].into_iter().collect(),
        ))
    }

    /// Checks what the types leave open.
    ///
    /// # Errors
    /// When a value makes no sense.
    pub(crate) fn check(&self) -> Result<(), ControlError> {
        let wrong = |field, value: String, remedy: &str| {
            Err(ControlError::invalid(
                field,
                &value,
                "is out of range",
                remedy,
            ))
        };
        if ![200, 204].contains(&self.location_status) {
            return wrong(
                "locationStatus",
                self.location_status.to_string(),
                "give 200 or 204",
            );
        }
        if self.notification_duplicates > 100 {
            let value = self.notification_duplicates.to_string();
            return wrong(
                "notificationDuplicates",
                value,
                "give a percentage from 0 to 100",
            );
        }
        for (field, value, most) in [
            ("notificationItems", self.notification_items, 1_000),
            ("pageSize", self.page_size, 999),
        ] {
            if !(1..=most).contains(&value) {
                return wrong(
                    field,
                    value.to_string(),
                    &format!("give a number from 1 to {most}"),
                );
            }
        }
        if self.preferred_shortest > self.preferred_longest {
            let value = iso::text(self.preferred_shortest);
            return wrong("preferredShortest", value, "give at most preferredLongest");
        }
        let longest = Duration::from_secs(600);
        for (field, value) in [
            ("readLag", self.read_lag),
            ("desktopLag", self.desktop_lag),
            ("webLag", self.web_lag),
            ("phoneLag", self.phone_lag),
        ] {
            if value > longest {
                return wrong(field, iso::text(value), "give at most PT10M");
            }
        }
        Ok(())
    }
}

/// A duration of a knob in the unit the pure part counts in.
pub(crate) fn milliseconds(duration: Duration) -> Milliseconds {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Durations as ISO 8601 texts.
mod iso {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Duration, duration};

    /// The text of a duration in seconds and their fractions.
    pub(super) fn text(duration: Duration) -> String {
        let (seconds, rest) = (duration.as_secs(), duration.subsec_millis());
        if rest == 0 {
            format!("PT{seconds}S")
        } else {
            format!("PT{seconds}.{rest:03}S")
        }
    }

    pub(super) fn serialize<S: Serializer>(value: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text(*value))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        duration::parse(&text)
            .and_then(|milliseconds| u64::try_from(milliseconds).ok())
            .map(Duration::from_millis)
            .ok_or_else(|| {
                D::Error::custom(format!("{text:?} is not an ISO 8601 duration such as PT2M"))
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn knobs_survive_a_round_trip_and_are_changed_one_by_one() {
        let knobs = Knobs::default();
        let text = serde_json::to_string(&knobs).unwrap();
        assert_eq!(serde_json::from_str::<Knobs>(&text).unwrap(), knobs);
        let changed = knobs
            .merged(&json!({ "webLag": "PT4M", "echoActivity": "busy" }))
            .unwrap();
        assert_eq!(changed.web_lag, Duration::from_secs(240));
        assert_eq!(changed.echo_activity, EchoActivity::Busy);
        assert_eq!(changed.phone_lag, knobs.phone_lag);
        let worded = knobs.with("presenceLimit", "10000").unwrap();
        assert_eq!(worded.presence_limit, 10_000);
        assert_eq!(knobs.with("cloud", "china").unwrap().cloud, Cloud::China);
    }

    #[test]
    fn nonsense_is_refused() {
        for (name, value) in [
            ("flavour", "sweet"),
            ("cloud", "mars"),
            ("webLag", "5m"),
            ("webLag", "PT11M"),
            ("webLag", "-PT1M"),
            ("pageSize", "0"),
            ("locationStatus", "201"),
            ("notificationDuplicates", "101"),
            ("preferredShortest", "P8D"),
        ] {
            assert!(
                Knobs::default().with(name, value).is_err(),
                "{name}={value}"
            );
        }
        assert!(Knobs::default().merged(&json!([])).is_err());
    }
}
