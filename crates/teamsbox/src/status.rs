//! Status messages and work locations of people.
//!
//! Pure: their expiry is computed when they are read.

use jiff::{civil, tz::TimeZone};

use crate::duration::{DAY, Milliseconds};

/// A status message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusMessage {
    pub(crate) text: Box<str>,
    pub(crate) published: Milliseconds,
    pub(crate) expiry: Option<Expiry>,
}

/// Expiry of a message, with the form in which it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expiry {
    pub(crate) at: Milliseconds,
    pub(crate) date_time: Box<str>,
    pub(crate) time_zone: Box<str>,
}

impl StatusMessage {
    /// Returns true if the message has not expired.
    pub(crate) fn stands(&self, now: Milliseconds) -> bool {
        self.expiry.as_ref().is_none_or(|expiry| now < expiry.at)
    }
}

impl Expiry {
    /// Parses a date and time without offset, in a time zone named as by Windows or IANA.
    pub(crate) fn parse(date_time: &str, time_zone: &str) -> Option<Self> {
        let zone = zone(time_zone)?;
        let moment: civil::DateTime = date_time.trim_end_matches('Z').parse().ok()?;
        let at = moment.to_zoned(zone).ok()?.timestamp().as_millisecond();
        Some(Self {
            at,
            date_time: date_time.into(),
            time_zone: time_zone.into(),
        })
    }
}

fn zone(name: &str) -> Option<TimeZone> {
    if name.eq_ignore_ascii_case("utc") {
        return Some(TimeZone::UTC);
    }
    let windows = WINDOWS_ZONES
        .iter()
        .find(|(windows, _)| windows.eq_ignore_ascii_case(name));
    TimeZone::get(windows.map_or(name, |(_, iana)| iana)).ok()
}

/// Windows' names of time zones and IANA's, after the Unicode CLDR table, territory 001.
const WINDOWS_ZONES: [(&str, &str); 62] = [
    ("AUS Central Standard Time", "Australia/Darwin"),
    ("AUS Eastern Standard Time", "Australia/Sydney"),
    ("Afghanistan Standard Time", "Asia/Kabul"),
    ("Alaskan Standard Time", "America/Anchorage"),
    ("Arab Standard Time", "Asia/Riyadh"),
    ("Arabian Standard Time", "Asia/Dubai"),
    ("Arabic Standard Time", "Asia/Baghdad"),
    ("Argentina Standard Time", "America/Buenos_Aires"),
    ("Atlantic Standard Time", "America/Halifax"),
    ("Azores Standard Time", "Atlantic/Azores"),
    ("Bangladesh Standard Time", "Asia/Dhaka"),
    ("Canada Central Standard Time", "America/Regina"),
    ("Cen. Australia Standard Time", "Australia/Adelaide"),
    ("Central America Standard Time", "America/Guatemala"),
    ("Central Asia Standard Time", "Asia/Almaty"),
    ("Central Europe Standard Time", "Europe/Budapest"),
    ("Central European Standard Time", "Europe/Warsaw"),
    ("Central Pacific Standard Time", "Pacific/Guadalcanal"),
    ("Central Standard Time", "America/Chicago"),
    ("Central Standard Time (Mexico)", "America/Mexico_City"),
    ("China Standard Time", "Asia/Shanghai"),
    ("E. Africa Standard Time", "Africa/Nairobi"),
    ("E. Australia Standard Time", "Australia/Brisbane"),
    ("E. Europe Standard Time", "Europe/Chisinau"),
    ("E. South America Standard Time", "America/Sao_Paulo"),
    ("Eastern Standard Time", "America/New_York"),
    ("Egypt Standard Time", "Africa/Cairo"),
    ("Ekaterinburg Standard Time", "Asia/Yekaterinburg"),
    ("FLE Standard Time", "Europe/Kyiv"),
    ("GMT Standard Time", "Europe/London"),
    ("GTB Standard Time", "Europe/Bucharest"),
    ("Georgian Standard Time", "Asia/Tbilisi"),
    ("Greenwich Standard Time", "Atlantic/Reykjavik"),
    ("Hawaiian Standard Time", "Pacific/Honolulu"),
    ("India Standard Time", "Asia/Kolkata"),
    ("Iran Standard Time", "Asia/Tehran"),
    ("Israel Standard Time", "Asia/Jerusalem"),
    ("Jordan Standard Time", "Asia/Amman"),
    ("Korea Standard Time", "Asia/Seoul"),
    ("Middle East Standard Time", "Asia/Beirut"),
    ("Morocco Standard Time", "Africa/Casablanca"),
    ("Mountain Standard Time", "America/Denver"),
    ("Myanmar Standard Time", "Asia/Yangon"),
    ("Nepal Standard Time", "Asia/Kathmandu"),
    ("New Zealand Standard Time", "Pacific/Auckland"),
    ("Newfoundland Standard Time", "America/St_Johns"),
    ("Pacific SA Standard Time", "America/Santiago"),
    ("Pacific Standard Time", "America/Los_Angeles"),
    ("Pakistan Standard Time", "Asia/Karachi"),
    ("Romance Standard Time", "Europe/Paris"),
    ("Russian Standard Time", "Europe/Moscow"),
    ("SA Pacific Standard Time", "America/Bogota"),
    ("SE Asia Standard Time", "Asia/Bangkok"),
    ("Singapore Standard Time", "Asia/Singapore"),
    ("South Africa Standard Time", "Africa/Johannesburg"),
    ("Taipei Standard Time", "Asia/Taipei"),
    ("Tokyo Standard Time", "Asia/Tokyo"),
    ("Turkey Standard Time", "Europe/Istanbul"),
    ("US Mountain Standard Time", "America/Phoenix"),
    ("W. Australia Standard Time", "Australia/Perth"),
    ("W. Central Africa Standard Time", "Africa/Lagos"),
    ("W. Europe Standard Time", "Europe/Berlin"),
];

/// A work location in one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// `office`, `remote`, `timeOff` or `unspecified`.
    pub(crate) kind: &'static str,
    pub(crate) place_id: Option<Box<str>>,
    /// End of the day on which it was set; the schedule never expires.
    until: Milliseconds,
}

/// The layers of the work location, the strongest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkLocation {
    manual: Option<Place>,
    automatic: Option<Place>,
    scheduled: Option<Place>,
}

/// A layer of the work location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Manual,
    Automatic,
    Scheduled,
}

impl WorkLocation {
    /// All kinds.
    pub(crate) const KINDS: [&'static str; 4] = ["unspecified", "office", "remote", "timeOff"];

    /// Sets a layer for the rest of the day, or the schedule permanently.
    pub(crate) fn set(
        &mut self,
        layer: Layer,
        kind: &'static str,
        place_id: Option<&str>,
        now: Milliseconds,
    ) {
        let until = match layer {
            Layer::Scheduled => Milliseconds::MAX,
            _ => now - now.rem_euclid(DAY) + DAY,
        };
        let place = Place {
            kind,
            place_id: place_id.map(Into::into),
            until,
        };
        *self.layer(layer) = Some(place);
    }

    /// Empties a layer.
    pub(crate) fn clear(&mut self, layer: Layer) {
        *self.layer(layer) = None;
    }

    /// The strongest layer with a location, and its name in Graph.
    pub(crate) fn current(&self, now: Milliseconds) -> Option<(&'static str, &Place)> {
        let layers = [
            ("manual", &self.manual),
            ("automatic", &self.automatic),
            ("scheduled", &self.scheduled),
        ];
        layers
            .into_iter()
            .filter_map(|(name, place)| Some((name, place.as_ref()?)))
            .find(|(_, place)| now < place.until)
    }

    fn layer(&mut self, layer: Layer) -> &mut Option<Place> {
        match layer {
            Layer::Manual => &mut self.manual,
            Layer::Automatic => &mut self.automatic,
            Layer::Scheduled => &mut self.scheduled,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn expiries_are_read_in_their_zone() {
        let at = |text, zone| Expiry::parse(text, zone).map(|expiry| expiry.at);
        let utc = at("2026-07-01T12:00:00", "UTC").unwrap();
        assert_eq!(
            at("2026-07-01T14:00:00.0000000", "W. Europe Standard Time"),
            Some(utc)
        );
        assert_eq!(
            at("2026-07-01T05:00:00", "Pacific Standard Time"),
            Some(utc)
        );
        assert_eq!(at("2026-07-01T14:00:00", "Europe/Berlin"), Some(utc));
        for (text, zone) in [
            ("2026-07-01", ""),
            ("noon", "UTC"),
            ("2026-07-01T12:00:00", "Mars"),
        ] {
            assert_eq!(at(text, zone), None, "{text} {zone}");
        }
    }

    proptest! {
        #[test]
        fn nonsense_never_panics(text in ".{0,40}", zone in ".{0,40}", digits in "[0-9:TZ.-]{0,30}") {
            let _ = Expiry::parse(&text, &zone);
            let _ = Expiry::parse(&digits, "UTC");
        }
    }

    #[test]
    fn every_zone_of_the_table_exists() {
        for (windows, iana) in WINDOWS_ZONES {
            assert!(zone(windows).is_some(), "{windows}: {iana}");
        }
    }

    #[test]
    fn the_strongest_layer_of_the_day_counts() {
        let mut location = WorkLocation::default();
        let current = |location: &WorkLocation, now| {
            location
                .current(now)
                .map(|(name, place)| (name, place.kind))
        };
        location.set(Layer::Scheduled, "office", None, 0);
        location.set(Layer::Automatic, "remote", None, 5);
        assert_eq!(current(&location, 6), Some(("automatic", "remote")));
        location.set(Layer::Manual, "timeOff", Some("desk"), 7);
        assert_eq!(current(&location, 8), Some(("manual", "timeOff")));
        location.clear(Layer::Manual);
        assert_eq!(current(&location, 9), Some(("automatic", "remote")));
        assert_eq!(current(&location, DAY), Some(("scheduled", "office")));
    }
}
