//! Knobs: choices of behaviour that Microsoft does not document, or that differs between sources. The defaults match
//! reports from real tenants.
//!
//! Programs set a [`Knobs`] value, the command line `--knob NAME=VALUE`, and tests in any language `PATCH /box/v1/knobs`.
//! Names in JSON are in camel case; durations are ISO 8601 texts such as `PT2M`.

mod choices;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::choices::{
    CalendarAlone, CalendarPairs, Cloud, DeltaItems, EchoActivity, ExpiredDelta, ExpiresIn,
    Focusing, IdenticalWrite, LongExpiry, Policy, PrincipalName, RetryAfter, Spread, TieBreak,
    TokenStyle, UnknownId, ValueList, WithoutTeams,
};
use crate::{
    duration::{self, DAY, HOUR, MINUTE, Milliseconds, SECOND},
    error::ControlError,
    value::IdleSpelling,
};

/// Choices of behaviour that Microsoft does not document. The defaults match reports from real tenants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Knobs {
    /// Spelling of the first stage of the fade.
    pub idle_spelling: IdleSpelling,
    /// Lifetime of a client's session after its sign-out.
    #[serde(with = "iso")]
    pub sign_out_grace: Duration,
    /// True if bulk reads contain `sequenceNumber`, which the documented sample leaves out.
    pub bulk_sequence_number: bool,
    /// Lifetime of access tokens.
    #[serde(with = "iso")]
    pub token_lifetime: Duration,
    /// The type of `expires_in`.
    pub expires_in: ExpiresIn,
    /// Lifetime of refresh tokens.
    #[serde(with = "iso")]
    pub refresh_token_lifetime: Duration,
    /// Treatment of a session id that is not the caller's client id: accepted with a warning, or refused with 403.
    pub foreign_session_id: Policy,
    /// The shown session among those of the highest rank.
    pub tie_break: TieBreak,
    /// Treatment of writes of `InAMeeting` or `OutOfOffice`.
    pub calendar_pairs: CalendarPairs,
    /// Treatment of unknown ids in bulk reads.
    pub bulk_unknown_id: UnknownId,
    /// Answer to calls about the presence of guests.
    pub guests: WithoutTeams,
    /// Answer to calls about the presence of people without a licence for Teams.
    pub unlicensed: WithoutTeams,
    /// Treatment of subscriptions for more than an hour.
    pub long_expiry: LongExpiry,
    /// Effect of an identical write.
    pub identical_write: IdenticalWrite,
    /// Activity that is read for an application's call.
    pub echo_activity: EchoActivity,
    /// Activity that is read for focus time.
    pub focusing: Focusing,
    /// Effect of the calendar without a session.
    pub calendar_alone: CalendarAlone,
    /// Answer to clearing an empty preferred slot: 200 or 404.
    pub clear_empty_preferred: Policy,
    /// The shortest explicit duration of a preferred presence.
    #[serde(with = "iso")]
    pub preferred_shortest: Duration,
    /// The longest explicit duration of a preferred presence.
    #[serde(with = "iso")]
    pub preferred_longest: Duration,
    /// Version of validation tokens.
    pub validation_tokens: TokenStyle,
    /// Status of successful location actions: 204 or 200.
    pub location_status: u16,
    /// Lag of reads through Graph behind writes.
    #[serde(with = "iso")]
    pub read_lag: Duration,
    /// Lag of presence in other people's Teams desktop clients.
    #[serde(with = "iso")]
    pub desktop_lag: Duration,
    /// Lag of presence in other people's Teams web clients.
    #[serde(with = "iso")]
    pub web_lag: Duration,
    /// Lag of presence in other people's Teams mobile clients.
    #[serde(with = "iso")]
    pub phone_lag: Duration,
    /// Treatment of a user principal name instead of the id in presence calls.
    pub principal_name: PrincipalName,
    /// The list of values that reads and notifications use.
    pub value_list: ValueList,
    /// True if subscriptions can have `http://` addresses.
    pub http_webhooks: bool,
    /// Mean time from a change to its delivery.
    #[serde(with = "iso")]
    pub notification_mean: Duration,
    /// Longest time from a change to its delivery.
    #[serde(with = "iso")]
    pub notification_cap: Duration,
    /// Distribution of the times from a change to its delivery.
    pub notification_spread: Spread,
    /// True if later changes can overtake earlier ones.
    pub notification_reorder: bool,
    /// Percentage of notifications that are delivered twice.
    pub notification_duplicates: u8,
    /// The most items of one request.
    pub notification_items: u16,
    /// True if notifications use all documented forms in turn.
    pub notification_variety: bool,
    /// Presence calls per application in 30 seconds; 0 for no limit.
    pub presence_limit: u32,
    /// Writes of subscriptions per application in 20 seconds; 0 for no limit.
    pub subscription_limit: u32,
    /// Lists of subscriptions per application in 20 seconds; 0 for no limit.
    pub subscription_list_limit: u32,
    /// Resource units of directory reads per application in 10 seconds; 0 for no limit, `None` for the limit of the
    /// tenant's size.
    pub directory_limit: Option<u32>,
    /// Form of `Retry-After` in throttled calls.
    pub retry_after: RetryAfter,
    /// Cloud of the tenant.
    pub cloud: Cloud,
    /// People of a page of a directory list without `$top`.
    pub page_size: u16,
    /// Lifetime of delta links.
    #[serde(with = "iso")]
    pub delta_lifetime: Duration,
    /// Fields of a changed person in later rounds of a delta query.
    pub delta_items: DeltaItems,
    /// Error of an expired delta link.
    pub expired_delta: ExpiredDelta,
    /// Seed of the random numbers, to repeat a run.
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
    /// The knobs with those of a JSON object replaced.
    ///
    /// # Errors
    /// A name is unknown or a value is invalid.
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

    /// The knobs with one replaced. `value` is JSON; any other text is a string.
    ///
    /// # Errors
    /// The name is unknown or the value is invalid.
    pub fn with(&self, name: &str, value: &str) -> Result<Self, ControlError> {
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        self.merged(&Value::Object(
            [(name.to_owned(), value)].into_iter().collect(),
        ))
    }

    /// Checks the ranges that the types do not limit.
    ///
    /// # Errors
    /// A value is out of range.
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

/// A duration in milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> Milliseconds {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Serialisation of durations as ISO 8601 texts.
mod iso {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{Duration, duration};

    /// A duration as ISO 8601 text in seconds with fractions.
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
