//! Recurrence rules (RFC 5545 §3.3.10) in local time: the dates and times of a rule within a range.
//!
//! Both available libraries (`calcard` and `rrule`, the same engine) expand a whole period before they return its first
//! date: a hostile rule, every second of every day of a year, takes 31 million dates. Here each examined day and time is a
//! step of a [`Budget`], and a rule without COUNT starts at the range instead of its beginning. A property test compares
//! both engines.

use std::ops::{ControlFlow, Range};

use calcard::icalendar::ICalendarFrequency as Frequency;
use jiff::{
    SignedDuration,
    civil::{Date, DateTime, Weekday, date},
};

use crate::parts::Parts;

/// Maximum number of steps of one rule: 600 years of days, enough for a birthday since 1604 (Apple's "no year").
pub(crate) const RULE_STEPS: u32 = 220_000;
/// Maximum number of steps of all rules of a feed: about a second of work.
pub(crate) const FEED_STEPS: u32 = 5_000_000;

const DAY: i64 = 86_400;

/// Remaining steps, shared by all rules of a feed.
pub(crate) struct Budget {
    feed: u32,
    rule: u32,
}

/// Error for a rule that exceeds its budget.
#[derive(Debug)]
pub(crate) struct OutOfSteps;

impl Budget {
    pub(crate) fn new() -> Self {
        Self {
            feed: FEED_STEPS,
            rule: 0,
        }
    }

    fn begin(&mut self) {
        self.rule = RULE_STEPS.min(self.feed);
    }

    fn spend(&mut self) -> Result<(), OutOfSteps> {
        self.rule = self.rule.checked_sub(1).ok_or(OutOfSteps)?;
        self.feed = self.feed.saturating_sub(1);
        Ok(())
    }
}

/// A rule with checked ranges; missing parts are derived from the event's start.
#[derive(Debug)]
pub(crate) struct Rule {
    frequency: Frequency,
    interval: i64,
    count: Option<u32>,
    months: Vec<i8>,
    weeks: Vec<i8>,
    year_days: Vec<i16>,
    month_days: Vec<i8>,
    week_days: Vec<(Option<i16>, Weekday)>,
    hours: Vec<i8>,
    minutes: Vec<i8>,
    seconds: Vec<i8>,
    positions: Vec<i32>,
    week_start: Weekday,
}

impl Rule {
    /// Checks the parts of a rule. The error names the wrong part.
    pub(crate) fn new(parts: &Parts, start: DateTime) -> Result<Self, String> {
        let mut read = Self {
            frequency: parts.frequency,
            interval: parts.interval,
            count: parts.count,
            months: part("BYMONTH", &parts.months, 1..=12)?,
            weeks: signed_part("BYWEEKNO", &parts.weeks, 53)?,
            year_days: signed_part("BYYEARDAY", &parts.year_days, 366)?,
            month_days: signed_part("BYMONTHDAY", &parts.month_days, 31)?,
            week_days: parts.week_days.clone(),
            hours: part("BYHOUR", &parts.hours, 0..=23)?,
            minutes: part("BYMINUTE", &parts.minutes, 0..=59)?,
            // A leap second counts as the last second of its minute, because times here have no second 60.
            seconds: part("BYSECOND", &parts.seconds, 0..=60)?,
            positions: signed_part("BYSETPOS", &parts.positions, i32::MAX.into())?,
            week_start: parts.week_start,
        };
        for second in &mut read.seconds {
            *second = (*second).min(59);
        }
        read.seconds.dedup();
        read.drop_repeated();
        read.fill_in(start);
        Ok(read)
    }

    /// Removes repeated numbers, each of which would cost work at every step.
    fn drop_repeated(&mut self) {
        self.weeks.sort_unstable();
        self.weeks.dedup();
        self.year_days.sort_unstable();
        self.year_days.dedup();
        self.month_days.sort_unstable();
        self.month_days.dedup();
        self.positions.sort_unstable();
        self.positions.dedup();
        let mut seen = std::collections::HashSet::new();
        self.week_days
            .retain(|(number, day)| seen.insert((*number, day.to_monday_zero_offset())));
    }

    /// True for COUNT=0: the series has no occurrence.
    pub(crate) fn is_empty(&self) -> bool {
        self.count == Some(0)
    }

    /// Derives missing parts from DTSTART (RFC 5545 §3.3.10).
    fn fill_in(&mut self, start: DateTime) {
        let no_day =
            self.year_days.is_empty() && self.month_days.is_empty() && self.week_days.is_empty();
        match self.frequency {
            Frequency::Yearly if no_day && !self.weeks.is_empty() => {
                self.week_days = vec![(None, start.weekday())]
            }
            Frequency::Yearly if no_day => {
                if self.months.is_empty() {
                    self.months = vec![start.month()];
                }
                self.month_days = vec![start.day()];
            }
            Frequency::Monthly if no_day => self.month_days = vec![start.day()],
            Frequency::Weekly if no_day => self.week_days = vec![(None, start.weekday())],
            _ => {}
        }
        if self.hours.is_empty() && self.frequency < Frequency::Hourly {
            self.hours = vec![start.hour()];
        }
        if self.minutes.is_empty() && self.frequency < Frequency::Minutely {
            self.minutes = vec![start.minute()];
        }
        if self.seconds.is_empty() && self.frequency < Frequency::Secondly {
            self.seconds = vec![start.second()];
        }
    }

    /// Calls `visit` with the times of the rule after `start` in `range`, in order, until it breaks.
    ///
    /// The caller adds the start itself: it belongs to the series whether or not the rule contains it, and COUNT includes
    /// it.
    pub(crate) fn each(
        &self,
        start: DateTime,
        range: Range<DateTime>,
        budget: &mut Budget,
        mut visit: impl FnMut(DateTime) -> ControlFlow<()>,
    ) -> Result<(), OutOfSteps> {
        budget.begin();
        let mut left = self.count.map(|count| count.saturating_sub(1));
        let skip_to = if left.is_some() {
            start
        } else {
            range.start.max(start)
        };
        self.sets(start, skip_to..range.end, budget, &mut |time| {
            if time <= start {
                return ControlFlow::Continue(());
            }
            match &mut left {
                Some(0) => return ControlFlow::Break(()),
                Some(left) => *left -= 1,
                None => {}
            }
            if time >= range.end {
                ControlFlow::Break(())
            } else if time >= range.start {
                visit(time)
            } else {
                ControlFlow::Continue(())
            }
        })
    }

    /// Visits the periods (years, months … seconds) that may overlap `range`, with the times of each.
    fn sets(
        &self,
        start: DateTime,
        range: Range<DateTime>,
        budget: &mut Budget,
        visit: &mut dyn FnMut(DateTime) -> ControlFlow<()>,
    ) -> Result<(), OutOfSteps> {
        let unit = match self.frequency {
            Frequency::Hourly => 3600,
            Frequency::Minutely => 60,
            Frequency::Secondly => 1,
            _ => return self.sets_of_days(start, range, budget, visit),
        };
        let step = unit * self.interval;
        let base = seconds(start).div_euclid(unit) * unit;
        let steps_to = |second: i64| (second - base).max(0).div_euclid(step);
        let next_after = |second: i64| steps_to(second - 1) + 1;
        let mut index = steps_to(seconds(range.start));
        loop {
            budget.spend()?;
            let at = base + index * step;
            let Some(now) = civil(at).filter(|now| *now < range.end) else {
                return Ok(());
            };
            // Skips a day, an hour or a minute without a match in one step.
            if !self.names_day(now.date()) {
                index = next_after((at.div_euclid(DAY) + 1) * DAY);
                continue;
            }
            if !allows(&self.hours, now.hour()) {
                index = next_after((at.div_euclid(3600) + 1) * 3600);
                continue;
            }
            if unit < 3600 && !allows(&self.minutes, now.minute()) {
                index = next_after((at.div_euclid(60) + 1) * 60);
                continue;
            }
            if unit > 1 || allows(&self.seconds, now.second()) {
                let minutes = if unit == 3600 {
                    &self.minutes[..]
                } else {
                    &[0]
                };
                let within = if unit > 1 { &self.seconds[..] } else { &[0] };
                let mut set = Vec::new();
                for minute in minutes {
                    for second in within {
                        budget.spend()?;
                        set.extend(civil(at + i64::from(*minute) * 60 + i64::from(*second)));
                    }
                }
                if self.give(&set, visit).is_break() {
                    return Ok(());
                }
            }
            index += 1;
        }
    }

    /// Visits the periods of rules with FREQ=DAILY and above.
    fn sets_of_days(
        &self,
        start: DateTime,
        range: Range<DateTime>,
        budget: &mut Budget,
        visit: &mut dyn FnMut(DateTime) -> ControlFlow<()>,
    ) -> Result<(), OutOfSteps> {
        for index in self.first_period(start.date(), range.start.date()).. {
            budget.spend()?;
            let Some((mut day, last)) = self.period(start.date(), index) else {
                return Ok(());
            };
            if day > range.end.date() {
                return Ok(());
            }
            let mut set = Vec::new();
            while day <= last {
                budget.spend()?;
                if !allows(&self.months, day.month()) {
                    // Skips each other month of a year in one step.
                    day = day.last_of_month();
                } else if self.names_day(day) {
                    for hour in &self.hours {
                        for minute in &self.minutes {
                            for second in &self.seconds {
                                budget.spend()?;
                                set.push(day.at(*hour, *minute, *second, 0));
                            }
                        }
                    }
                }
                let Ok(next) = day.tomorrow() else { break };
                day = next;
            }
            if self.give(&set, visit).is_break() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Visits the times of one period, or those that BYSETPOS selects.
    fn give(
        &self,
        set: &[DateTime],
        visit: &mut dyn FnMut(DateTime) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if self.positions.is_empty() {
            return set.iter().try_for_each(|time| visit(*time));
        }
        let mut picked: Vec<usize> = self
            .positions
            .iter()
            .filter_map(|position| {
                let away = usize::try_from(position.unsigned_abs()).ok()?;
                if *position > 0 {
                    away.checked_sub(1)
                } else {
                    set.len().checked_sub(away)
                }
            })
            .collect();
        picked.sort_unstable();
        picked.dedup();
        picked
            .iter()
            .filter_map(|index| set.get(*index))
            .try_for_each(|time| visit(*time))
    }

    /// Number of the last period that starts at or before `day`; earlier ones do not overlap it.
    fn first_period(&self, start: Date, day: Date) -> i64 {
        let away = match self.frequency {
            Frequency::Yearly => i64::from(day.year()) - i64::from(start.year()),
            Frequency::Monthly => months(day) - months(start),
            Frequency::Weekly => {
                days_between(first_of_week(start, self.week_start), day).div_euclid(7)
            }
            _ => days_between(start, day),
        };
        away.max(0).div_euclid(self.interval)
    }

    /// First and last day of a period, counted from the period of the start; `None` after the year 9999.
    fn period(&self, start: Date, index: i64) -> Option<(Date, Date)> {
        let away = index.checked_mul(self.interval)?;
        match self.frequency {
            Frequency::Yearly => {
                let year = i16::try_from(i64::from(start.year()).checked_add(away)?).ok()?;
                Some((Date::new(year, 1, 1).ok()?, Date::new(year, 12, 31).ok()?))
            }
            Frequency::Monthly => {
                let month = months(start).checked_add(away)?;
                let year = i16::try_from(month.div_euclid(12)).ok()?;
                let first =
                    Date::new(year, i8::try_from(month.rem_euclid(12)).ok()? + 1, 1).ok()?;
                Some((first, first.last_of_month()))
            }
            Frequency::Weekly => {
                let first = plus_days(first_of_week(start, self.week_start), away.checked_mul(7)?)?;
                Some((first, plus_days(first, 6)?))
            }
            _ => plus_days(start, away).map(|day| (day, day)),
        }
    }

    /// True if a day matches all BY parts about days.
    fn names_day(&self, day: Date) -> bool {
        allows(&self.months, day.month())
            && (self.weeks.is_empty() || self.names_week(day))
            && (self.year_days.is_empty()
                || either_end(&self.year_days, day.day_of_year(), day.days_in_year()))
            && (self.month_days.is_empty()
                || either_end(&self.month_days, day.day(), day.days_in_month()))
            && (self.week_days.is_empty()
                || self
                    .week_days
                    .iter()
                    .any(|named| self.names_weekday(*named, day)))
    }

    fn names_week(&self, day: Date) -> bool {
        let (year, week) = week_of(day, self.week_start);
        // 28 December is always in the last week of its year.
        let weeks = Date::new(year, 12, 28).map_or(52, |last| week_of(last, self.week_start).1);
        either_end(&self.weeks, week, weeks)
    }

    fn names_weekday(&self, (nth, weekday): (Option<i16>, Weekday), day: Date) -> bool {
        if day.weekday() != weekday {
            return false;
        }
        let (at, length) = match self.frequency {
            Frequency::Yearly if self.months.is_empty() => (day.day_of_year(), day.days_in_year()),
            Frequency::Yearly | Frequency::Monthly => {
                (i16::from(day.day()), i16::from(day.days_in_month()))
            }
            // A number has no meaning here (RFC 5545 §3.3.10), but the weekday has.
            _ => return true,
        };
        nth.is_none_or(|nth| nth == (at - 1) / 7 + 1 || nth == -((length - at) / 7 + 1))
    }
}

/// Numbers of a part in order and without duplicates, if all are in range.
fn part(
    name: &str,
    numbers: &[i64],
    range: std::ops::RangeInclusive<i64>,
) -> Result<Vec<i8>, String> {
    let mut read = Vec::new();
    for number in numbers {
        match i8::try_from(*number) {
            Ok(small) if range.contains(number) => read.push(small),
            _ => {
                return Err(format!(
                    "'s {name} has a number that is not within {} to {}",
                    range.start(),
                    range.end()
                ));
            }
        }
    }
    read.sort_unstable();
    read.dedup();
    Ok(read)
}

/// Numbers of a part that counts from both ends: from -`most` to `most` without 0.
fn signed_part<N: TryFrom<i64>>(name: &str, numbers: &[i64], most: i64) -> Result<Vec<N>, String> {
    let fits = |number: &i64| {
        let small = N::try_from(*number).ok();
        small.filter(|_| *number != 0 && number.abs() <= most)
    };
    let read: Option<Vec<N>> = numbers.iter().map(fits).collect();
    read.ok_or_else(|| {
        format!("'s {name} has a number that is not within 1 to {most} from either end")
    })
}

fn allows(list: &[i8], value: i8) -> bool {
    list.is_empty() || list.contains(&value)
}

/// True if the list contains `value`, counted from the beginning (1, 2, …) or from the end (-1, -2, …).
fn either_end<N: Copy + PartialEq + std::ops::Sub<Output = N> + From<i8>>(
    list: &[N],
    value: N,
    length: N,
) -> bool {
    let from_end = value - length - N::from(1);
    list.iter()
        .any(|named| *named == value || *named == from_end)
}

/// Year and number of a day's week; week 1 is the first one with at least four days in the year.
fn week_of(day: Date, week_start: Weekday) -> (i16, i8) {
    let middle = plus_days(first_of_week(day, week_start), 3).unwrap_or(day);
    (
        middle.year(),
        i8::try_from((middle.day_of_year() - 1) / 7 + 1).unwrap_or(1),
    )
}

fn first_of_week(day: Date, week_start: Weekday) -> Date {
    plus_days(day, -i64::from(day.weekday().since(week_start))).unwrap_or(day)
}

fn plus_days(day: Date, days: i64) -> Option<Date> {
    let away = SignedDuration::from_secs(days.checked_mul(DAY)?);
    day.checked_add(away).ok()
}

fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_secs().div_euclid(DAY)
}

fn months(day: Date) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.month()) - 1
}

/// Seconds from 1970 to a local time, as if it were UTC; each day has 86,400.
fn seconds(time: DateTime) -> i64 {
    time.duration_since(EPOCH).as_secs()
}

fn civil(seconds: i64) -> Option<DateTime> {
    EPOCH.checked_add(SignedDuration::from_secs(seconds)).ok()
}

const EPOCH: DateTime = date(1970, 1, 1).at(0, 0, 0, 0);
