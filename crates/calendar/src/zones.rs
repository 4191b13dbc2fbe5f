//! Time zones by the names in a feed: definitions of the feed itself, IANA names, Windows names.
//!
//! A definition in the feed precedes the zone database, even an outdated one, because the exporter wrote the feed's times
//! with it.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr,
};

use calcard::{
    common::timezone::Tz,
    icalendar::{ICalendar, ICalendarComponent, ICalendarProperty},
};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::{
    definition,
    problem::{FallbackZone, Fault},
    rule::Budget,
};

/// Zones of one feed.
pub(crate) struct Zones {
    database: TimeZoneDatabase,
    /// Definitions of the feed, by [`key`].
    defined: HashMap<String, Defined>,
    /// Names with two different definitions in the calendar.
    twice: HashSet<String>,
    /// Cache of lookups: a feed contains the same name thousands of times.
    found: HashMap<String, (Option<TimeZone>, Option<Fault>)>,
    /// Zone in the settings.
    of_settings: TimeZone,
    /// X-WR-TIMEZONE of the current calendar.
    of_calendar: Option<TimeZone>,
    budget: Budget,
}

/// A definition in the feed.
#[derive(PartialEq)]
enum Defined {
    Zone(TimeZone),
    /// A VTIMEZONE without observances: only a name, and perhaps a location.
    Name {
        place: Option<String>,
    },
    Unreadable {
        place: Option<String>,
    },
}

impl Zones {
    /// Starts with the zone for times without a zone. `None` if the name is unknown.
    pub(crate) fn new(default: &str) -> Option<Self> {
        let database = TimeZoneDatabase::bundled();
        let of_settings = by_name(&database, default)?;
        Some(Self {
            database,
            defined: HashMap::new(),
            twice: HashSet::new(),
            found: HashMap::new(),
            of_settings,
            of_calendar: None,
            budget: Budget::new(),
        })
    }

    /// Zone of floating times.
    pub(crate) fn floating(&self) -> TimeZone {
        self.of_calendar
            .as_ref()
            .unwrap_or(&self.of_settings)
            .clone()
    }

    /// Zone of all-day events. Google's calendars have UTC until their owner chooses a zone: the zone in the settings is
    /// used then.
    pub(crate) fn days(&self) -> TimeZone {
        let chosen = self.of_calendar.as_ref();
        let chosen = chosen.filter(|zone| !is_utc(zone));
        chosen.unwrap_or(&self.of_settings).clone()
    }

    /// Adds the zones of a calendar: VTIMEZONE and X-WR-TIMEZONE. Returns false if X-WR-TIMEZONE is not the name of a zone.
    #[must_use]
    pub(crate) fn define(&mut self, calendar: &ICalendar) -> bool {
        self.found.clear();
        self.twice.clear();
        let mut of_this_calendar = HashSet::new();
        for component in calendar.timezones() {
            let Some(name) = text(component, &ICalendarProperty::Tzid) else {
                continue;
            };
            let place = ICalendarProperty::Other("X-LIC-LOCATION".to_owned());
            let place = text(component, &place).map(str::to_owned);
            let zone = match definition::zone(calendar, component, &mut self.budget) {
                Ok(Some(zone)) => Defined::Zone(zone),
                Ok(None) => Defined::Name { place },
                Err(definition::Unreadable) => Defined::Unreadable { place },
            };
            let key = key(name);
            let is_second = !of_this_calendar.insert(key.clone());
            if is_second && self.defined.get(&key).is_some_and(|first| *first != zone) {
                self.twice.insert(key.clone());
            }
            self.defined.insert(key, zone);
        }
        let name = calendar.components.first().and_then(|root| {
            let property = ICalendarProperty::Other("X-WR-TIMEZONE".to_owned());
            text(root, &property)
                .map(str::trim)
                .filter(|name| !name.is_empty())
        });
        self.of_calendar = name.and_then(|name| self.look_up(name).0);
        name.is_none() || self.of_calendar.is_some()
    }

    /// Zone of a TZID, and its fault. Without a zone, the calendar's own one is used.
    pub(crate) fn get(&mut self, name: &str) -> (Option<TimeZone>, Option<Fault>) {
        if let Some(found) = self.found.get(name) {
            return found.clone();
        }
        let zone = self.look_up(name);
        self.found.insert(name.to_owned(), zone.clone());
        zone
    }

    fn look_up(&self, name: &str) -> (Option<TimeZone>, Option<Fault>) {
        let named = |place: &Option<String>| {
            let place = place.as_deref();
            by_name(&self.database, name)
                .or_else(|| place.and_then(|place| by_name(&self.database, place)))
        };
        match self.defined.get(&key(name)) {
            Some(Defined::Zone(zone)) => {
                let is_twice = self.twice.contains(&key(name));
                (
                    Some(zone.clone()),
                    is_twice.then_some(Fault::TwoDefinitions),
                )
            }
            Some(Defined::Name { place }) => without_fault(named(place)),
            Some(Defined::Unreadable { place }) => match named(place) {
                Some(zone) => (Some(zone), Some(Fault::Definition(FallbackZone::SameName))),
                None => (None, Some(Fault::Definition(FallbackZone::Calendar))),
            },
            None => without_fault(named(&None)),
        }
    }
}

fn without_fault(zone: Option<TimeZone>) -> (Option<TimeZone>, Option<Fault>) {
    let fault = zone.is_none().then_some(Fault::UnknownZone);
    (zone, fault)
}

/// Key of a name: definition and use may differ in quotes, in spaces after commas and in case.
fn key(name: &str) -> String {
    let plain = name.chars().filter(|c| !c.is_whitespace() && *c != '"');
    plain.flat_map(char::to_lowercase).collect()
}

fn is_utc(zone: &TimeZone) -> bool {
    let names = ["UTC", "Etc/UTC", "GMT", "Etc/GMT", "Etc/UCT", "Zulu"];
    zone.iana_name().is_some_and(|name| names.contains(&name))
}

/// Maximum length of a name in bytes; the longest known ones have about 60.
const NAME_MAX: usize = 200;
/// Maximum number of prefixes to remove from a name; known vendors use at most two.
const PREFIXES_MAX: usize = 6;

/// Looks up an IANA name, a Windows name (by calcard's table) or a name with a vendor's prefix.
fn by_name(database: &TimeZoneDatabase, name: &str) -> Option<TimeZone> {
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == '"');
    if name.len() > NAME_MAX {
        return None;
    }
    if let Ok(zone) = database.get(name) {
        return Some(zone);
    }
    if let Some(zone) = Tz::from_str(name)
        .ok()
        .and_then(|zone| database.get(&zone.name()?).ok())
    {
        return Some(zone);
    }
    // "/freeassociation.sourceforge.net/Europe/London": a name with a leading slash ends with a known one. The longest
    // match first: America/Argentina/Ushuaia.
    let tail = |from: usize| database.get(name.get(from..)?).ok();
    let mut tails = name.match_indices('/').take(PREFIXES_MAX);
    name.starts_with('/')
        .then(|| tails.find_map(|(at, _)| tail(at + 1)))?
}

/// First text value of a property.
pub(crate) fn text<'a>(
    component: &'a ICalendarComponent,
    property: &ICalendarProperty,
) -> Option<&'a str> {
    component.property(property)?.values.first()?.as_text()
}
