//! Time zones as feeds name them: IANA names, Windows names, and names that only the feed itself defines.
//!
//! A name that the zone database knows wins over the feed's own definition of it: the database has the history and the
//! latest laws, an exported VTIMEZONE often only this year's rule.

use std::collections::HashMap;
use std::str::FromStr;

use calcard::common::timezone::Tz;
use calcard::icalendar::{
    ICalendar, ICalendarComponent, ICalendarComponentType, ICalendarFrequency, ICalendarProperty,
    ICalendarRecurrenceRule, ICalendarValue,
};
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::event::{civil, weekday};

/// The zones of one feed.
pub(crate) struct Zones {
    database: TimeZoneDatabase,
    /// What names that are neither IANA's nor Windows' mean in this feed, or why that cannot be told.
    defined: HashMap<String, Result<TimeZone, String>>,
    /// Names looked up before: a feed names the same zone thousands of times.
    found: HashMap<String, Result<TimeZone, String>>,
    default: TimeZone,
}

impl Zones {
    /// Starts with the zone for times that name none. `None` if nobody knows that zone.
    pub(crate) fn new(default: &str) -> Option<Self> {
        let database = TimeZoneDatabase::bundled();
        let default = database
            .get(default)
            .ok()
            .or_else(|| by_other_name(&database, default))?;
        Some(Self {
            database,
            defined: HashMap::new(),
            found: HashMap::new(),
            default,
        })
    }

    /// The zone of floating times and of days.
    pub(crate) fn default_zone(&self) -> TimeZone {
        self.default.clone()
    }

    /// Takes in the VTIMEZONE components of a calendar.
    pub(crate) fn define(&mut self, calendar: &ICalendar) {
        for component in calendar.timezones() {
            if let Some(name) = text(component, &ICalendarProperty::Tzid)
                && self.database.get(name).is_err()
            {
                let zone = self.definition(calendar, component);
                self.defined.insert(name.to_owned(), zone);
            }
        }
    }

    /// The zone that a TZID means. The error says why there is none.
    pub(crate) fn get(&mut self, name: &str) -> Result<TimeZone, String> {
        if let Some(found) = self.found.get(name) {
            return found.clone();
        }
        let zone = self.look_up(name);
        self.found.insert(name.to_owned(), zone.clone());
        zone
    }

    fn look_up(&self, name: &str) -> Result<TimeZone, String> {
        if let Ok(zone) = self.database.get(name) {
            return Ok(zone);
        }
        // "(UTC+01:00) Amsterdam, ..." is Outlook's label, of which only the offset could be guessed: the definition first.
        let label = name.trim_start().starts_with('(');
        let by_other_name = || by_other_name(&self.database, name);
        if let Some(zone) = (!label).then(by_other_name).flatten() {
            return Ok(zone);
        }
        match self.defined.get(name) {
            Some(Ok(zone)) => Ok(zone.clone()),
            Some(Err(reason)) => by_other_name().ok_or_else(|| reason.clone()),
            None => {
                by_other_name().ok_or_else(|| "is neither known nor defined in the feed".to_owned())
            }
        }
    }

    /// Reads a VTIMEZONE: the place it names, or else the rule that is in force last.
    fn definition(
        &self,
        calendar: &ICalendar,
        component: &ICalendarComponent,
    ) -> Result<TimeZone, String> {
        let location = ICalendarProperty::Other("X-LIC-LOCATION".to_owned());
        if let Some(zone) =
            text(component, &location).and_then(|place| self.database.get(place).ok())
        {
            return Ok(zone);
        }
        let observances: Vec<Observance> = component
            .component_ids
            .iter()
            .filter_map(|id| calendar.components.get(usize::try_from(*id).ok()?))
            .filter_map(Observance::read)
            .collect();
        let posix = posix(&observances)?;
        TimeZone::posix(&posix).map_err(|_| "has a definition that cannot be read".to_owned())
    }
}

/// Windows names and vendors' prefixes: the table is calcard's.
fn by_other_name(database: &TimeZoneDatabase, name: &str) -> Option<TimeZone> {
    if let Some(zone) = Tz::from_str(name)
        .ok()
        .and_then(|zone| database.get(&zone.name()?).ok())
    {
        return Some(zone);
    }
    // "/freeassociation.sourceforge.net/Europe/London": a leading slash promises a name that ends with a known one.
    let tails = name
        .rmatch_indices('/')
        .filter_map(|(at, _)| name.get(at + 1..))
        .skip(1)
        .take(2);
    name.starts_with('/')
        .then(|| tails.filter_map(|tail| database.get(tail).ok()).last())?
}

/// The first text of a property.
pub(crate) fn text<'a>(
    component: &'a ICalendarComponent,
    property: &ICalendarProperty,
) -> Option<&'a str> {
    component.property(property)?.values.first()?.as_text()
}

/// One part of a VTIMEZONE: from `onset` on, and then by the rule, clocks show `offset` seconds more than UTC.
struct Observance<'a> {
    daylight: bool,
    onset: DateTime,
    offset: i32,
    rule: Option<&'a ICalendarRecurrenceRule>,
}

impl<'a> Observance<'a> {
    fn read(component: &'a ICalendarComponent) -> Option<Self> {
        let daylight = match component.component_type {
            ICalendarComponentType::Standard => false,
            ICalendarComponentType::Daylight => true,
            _ => return None,
        };
        let first = |property| component.property(&property)?.values.first();
        let onset = civil(first(ICalendarProperty::Dtstart)?.as_partial_date_time()?).ok()?;
        let to = first(ICalendarProperty::Tzoffsetto)?.as_partial_date_time()?;
        let seconds = i32::from(to.tz_hour?) * 3600 + i32::from(to.tz_minute.unwrap_or(0)) * 60;
        let rule = match first(ICalendarProperty::Rrule) {
            // A rule that has ended says nothing about the times we read.
            Some(ICalendarValue::RecurrenceRule(rule))
                if rule.until.is_none() && rule.count.is_none() =>
            {
                Some(&**rule)
            }
            _ => None,
        };
        Some(Self {
            daylight,
            onset,
            offset: if to.tz_minus { -seconds } else { seconds },
            rule,
        })
    }
}

/// The observances as a POSIX TZ rule: the yearly pair in force, or the one offset that came last.
fn posix(observances: &[Observance]) -> Result<String, String> {
    let latest = |daylight| {
        observances
            .iter()
            .filter(|one| one.daylight == daylight && one.rule.is_some())
            .max_by_key(|one| one.onset)
    };
    if let (Some(standard), Some(daylight)) = (latest(false), latest(true)) {
        return Ok(format!(
            "<STD>{}<DST>{},{},{}",
            posix_offset(standard.offset),
            posix_offset(daylight.offset),
            posix_change(daylight)?,
            posix_change(standard)?,
        ));
    }
    let last = observances.iter().max_by_key(|one| one.onset);
    last.map(|last| format!("<STD>{}", posix_offset(last.offset)))
        .ok_or_else(|| "has a definition without a readable STANDARD or DAYLIGHT part".to_owned())
}

/// POSIX counts west of Greenwich.
fn posix_offset(seconds: i32) -> String {
    let sign = if seconds > 0 { "-" } else { "" };
    let seconds = seconds.abs();
    format!("{sign}{:02}:{:02}", seconds / 3600, seconds % 3600 / 60)
}

/// "On the last Sunday of March at 2:00", as `M3.5.0/02:00:00`.
fn posix_change(observance: &Observance) -> Result<String, String> {
    let unreadable = || {
        "has a definition whose change of clocks is not \"the nth weekday of a month\"".to_owned()
    };
    let rule = observance.rule.ok_or_else(unreadable)?;
    let month = match rule.bymonth[..] {
        [] => observance.onset.month(),
        [month] => i8::try_from(month.month()).map_err(|_| unreadable())?,
        _ => return Err(unreadable()),
    };
    let [day] = &rule.byday[..] else {
        return Err(unreadable());
    };
    let week = match (day.ordwk, rule.bymonthday.iter().min()) {
        (Some(nth @ 1..=4), _) => nth,
        (Some(-1 | 5), _) => 5,
        // "The Sunday within the 8th to the 14th" is the second Sunday.
        (None, Some(first @ (1 | 8 | 15 | 22))) => i16::from(*first / 7 + 1),
        (None, Some(25 | -7)) => 5,
        _ => return Err(unreadable()),
    };
    if rule.freq != ICalendarFrequency::Yearly {
        return Err(unreadable());
    }
    let weekday = weekday(day.weekday).to_sunday_zero_offset();
    let time = observance.onset.time();
    Ok(format!(
        "M{month}.{week}.{weekday}/{:02}:{:02}:{:02}",
        time.hour(),
        time.minute(),
        time.second()
    ))
}
