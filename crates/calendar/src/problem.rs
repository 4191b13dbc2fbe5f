//! Faults of feeds, for people and for programs.

use std::fmt;

use crate::{MAX_OCCURRENCES, MAX_PROBLEMS};

/// A part of a feed that could not be read. The text repeats no value of the feed, because its readers may not be allowed
/// to see what an address answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Number of the event in the feed, from 1; `None` for the feed itself.
    pub event: Option<usize>,
    /// Line of the file, from 1, if known.
    pub line: Option<u32>,
    /// Fault.
    pub fault: Fault,
    /// Consequence for the event.
    pub effect: Effect,
}

/// Consequence of a fault for its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The event is not shown.
    EventLeftOut,
    /// The property is ignored.
    PropertyLeftOut,
    /// The text of the fault names the consequence.
    AsDescribed,
}

/// Kind of a fault. The texts are English; translations use [`Fault::code`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The event has no DTSTART.
    #[error("it has no DTSTART")]
    NoStart,
    /// The property is not a date or time.
    #[error("its {0} is not a date or time")]
    NotADate(&'static str),
    /// A date such as 30 February, or a time such as 25:00.
    #[error("its {0} has a date or time that does not exist")]
    NoSuchDate(&'static str),
    /// A time before the year -9999 or after 9999.
    #[error("its {0} is out of range")]
    OutOfReach(&'static str),
    /// A TZID that neither the feed nor the zone database contains.
    #[error(
        "its time zone is neither known nor defined in the feed; the calendar's own zone is used"
    )]
    UnknownZone,
    /// A VTIMEZONE that cannot be read.
    #[error("its time zone has a definition that cannot be read; {0}")]
    Definition(FallbackZone),
    /// Two different VTIMEZONEs with one TZID.
    #[error("its time zone has two different definitions in the feed; the last one is used")]
    TwoDefinitions,
    /// X-WR-TIMEZONE is not the name of a zone.
    #[error(
        "the time zone of the calendar (X-WR-TIMEZONE) is not known; the one in the settings is used"
    )]
    CalendarZone,
    /// DTEND before DTSTART.
    #[error("its DTEND is before its DTSTART")]
    EndBeforeStart,
    /// A negative DURATION.
    #[error("its DURATION is negative")]
    NegativeDuration,
    /// A DURATION that cannot be read.
    #[error("its DURATION cannot be read")]
    Duration,
    /// A period of RDATE that ends before it starts.
    #[error("its RDATE has a period that ends before it starts")]
    Period,
    /// An RRULE that cannot be read, or a part of it.
    #[error("its RRULE{0}")]
    Rule(String),
    /// An RRULE beyond the limit of work.
    #[error("its RRULE takes too much computing time; only the occurrences found so far are shown")]
    TooMuchWork,
    /// EXRULE, which is not supported.
    #[error("its EXRULE (withdrawn from iCalendar in 2009) is not read")]
    ExRule,
    /// RANGE=THISANDFUTURE, which is not supported.
    #[error("its change \"this and all that follow\" is shown for one occurrence only")]
    ThisAndFuture,
    /// Bytes that are neither UTF-8 nor in the announced encoding.
    #[error("the text is neither UTF-8 nor in the announced encoding; it is read as Windows-1252")]
    Encoding,
    /// An unknown charset, and bytes that are not UTF-8.
    #[error(
        "the announced encoding (charset) is not known, and the text is not UTF-8; it is read as Windows-1252, so some letters may be wrong"
    )]
    Charset,
    /// Problems beyond [`MAX_PROBLEMS`].
    #[error("{0} more problems of this kind: the exporter may be at fault")]
    More(usize),
    /// Occurrences beyond [`MAX_OCCURRENCES`].
    #[error(
        "the feed has more than {MAX_OCCURRENCES} occurrences in this time; the first {MAX_OCCURRENCES} are shown: check for an event that repeats too often"
    )]
    TooManyOccurrences,
    /// The feed does not end with END:VCALENDAR.
    #[error(
        "the feed does not end with END:VCALENDAR; events may be missing: fetch it again, or ask its publisher"
    )]
    Truncated,
}

/// Zone in place of one with an unreadable definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FallbackZone {
    /// The zone with the same name in the database.
    SameName,
    /// The calendar's own zone.
    Calendar,
}

impl fmt::Display for FallbackZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SameName => "the known zone with that name is used",
            Self::Calendar => "the calendar's own zone is used",
        })
    }
}

impl Fault {
    /// Stable name of the fault for programs and translations.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoStart => "no_start",
            Self::NotADate(_) => "not_a_date",
            Self::NoSuchDate(_) => "no_such_date",
            Self::OutOfReach(_) => "out_of_reach",
            Self::UnknownZone => "unknown_zone",
            Self::Definition(_) => "zone_definition",
            Self::TwoDefinitions => "two_definitions",
            Self::CalendarZone => "calendar_zone",
            Self::EndBeforeStart => "end_before_start",
            Self::NegativeDuration => "negative_duration",
            Self::Duration => "duration",
            Self::Period => "period",
            Self::Rule(_) => "rule",
            Self::TooMuchWork => "too_much_work",
            Self::ExRule => "exrule",
            Self::ThisAndFuture => "this_and_future",
            Self::Encoding => "encoding",
            Self::Charset => "charset",
            Self::More(_) => "more",
            Self::TooManyOccurrences => "too_many_occurrences",
            Self::Truncated => "truncated",
        }
    }

    /// Codes of all faults.
    pub const CODES: [&'static str; 21] = [
        "no_start",
        "not_a_date",
        "no_such_date",
        "out_of_reach",
        "unknown_zone",
        "zone_definition",
        "two_definitions",
        "calendar_zone",
        "end_before_start",
        "negative_duration",
        "duration",
        "period",
        "rule",
        "too_much_work",
        "exrule",
        "this_and_future",
        "encoding",
        "charset",
        "more",
        "too_many_occurrences",
        "truncated",
    ];

    /// Property with the fault.
    pub fn property(&self) -> Option<&'static str> {
        match self {
            Self::NotADate(property) | Self::NoSuchDate(property) | Self::OutOfReach(property) => {
                Some(property)
            }
            Self::EndBeforeStart => Some("DTEND"),
            Self::NegativeDuration | Self::Duration => Some("DURATION"),
            Self::Period => Some("RDATE"),
            Self::Rule(_) | Self::TooMuchWork => Some("RRULE"),
            Self::ExRule => Some("EXRULE"),
            Self::ThisAndFuture => Some("RECURRENCE-ID"),
            Self::UnknownZone | Self::Definition(_) | Self::TwoDefinitions => Some("DTSTART"),
            Self::NoStart
            | Self::CalendarZone
            | Self::Encoding
            | Self::Charset
            | Self::More(_)
            | Self::TooManyOccurrences
            | Self::Truncated => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.event, self.line) {
            (Some(event), Some(line)) => write!(f, "event {event} (line {line}): ")?,
            (Some(event), None) => write!(f, "event {event}: ")?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        write!(f, "{}", self.fault)?;
        f.write_str(match self.effect {
            Effect::EventLeftOut => "; it is not shown",
            Effect::PropertyLeftOut => "; the property is ignored",
            Effect::AsDescribed => "",
        })?;
        if self.event.is_some() {
            f.write_str(": correct it in the calendar and save it again")?;
        }
        Ok(())
    }
}

/// Problems of a feed, in the order of detection.
#[derive(Default)]
pub(crate) struct Problems {
    /// Number of events read.
    pub(crate) event: usize,
    found: Vec<(usize, Fault, Effect)>,
    more: usize,
    calendar_zone: bool,
}

impl Problems {
    /// Records a fault of an event.
    pub(crate) fn record(&mut self, event: usize, fault: Fault, effect: Effect) {
        if self.found.len() >= MAX_PROBLEMS {
            self.more += 1;
            return;
        }
        self.found.push((event, fault, effect));
    }

    /// Records that X-WR-TIMEZONE is not the name of a zone.
    pub(crate) fn unknown_calendar_zone(&mut self) {
        self.calendar_zone = true;
    }

    /// All problems with their lines; `of_feed` are faults of the feed itself.
    pub(crate) fn finish(self, text: &crate::text::Text, of_feed: Vec<Fault>) -> Vec<Problem> {
        let lines = if self.found.is_empty() {
            Vec::new()
        } else {
            text.events()
        };
        let of_feed_at = |fault, line| Problem {
            event: None,
            line,
            fault,
            effect: Effect::AsDescribed,
        };
        let named = self.found.into_iter().map(|(number, fault, effect)| {
            // If the count of events differs from that of the text, lines are unknown.
            let place = number.checked_sub(1).and_then(|place| lines.get(place));
            let place = place.filter(|_| lines.len() == self.event);
            let line = place.map(|event| match fault.property() {
                Some(property) => event.of(property),
                None => event.number,
            });
            Problem {
                event: Some(number),
                line,
                fault,
                effect,
            }
        });
        let mut all: Vec<Problem> = named.collect();
        if self.more > 0 {
            all.push(of_feed_at(Fault::More(self.more), None));
        }
        if self.calendar_zone {
            all.push(of_feed_at(Fault::CalendarZone, None));
        }
        if let Some(line) = text.guessed {
            let fault = match text.is_charset_unknown {
                true => Fault::Charset,
                false => Fault::Encoding,
            };
            all.push(of_feed_at(fault, Some(line)));
        }
        all.extend(of_feed.into_iter().map(|fault| of_feed_at(fault, None)));
        all
    }
}
