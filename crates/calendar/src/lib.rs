//! iCalendar feeds (`.ics`, RFC 5545) as busy periods.
//!
//! [`read`] turns the text of a feed into the occurrences that touch a window of time: recurrence expanded, exceptions
//! applied, local times turned into instants. It does no IO and reads no clock. Feeds are other people's: what cannot be
//! read is told in [`Feed::problems`] and the rest keeps working, and no feed can take more than a bounded time.
//!
//! ```
//! use calendar::{FreeBusy, Options, Window, read};
//!
//! let feed = b"BEGIN:VCALENDAR\r
//! BEGIN:VEVENT\r
//! UID:1\r
//! SUMMARY:Weekly review\r
//! DTSTART;TZID=Europe/Berlin:20260105T100000\r
//! DTEND;TZID=Europe/Berlin:20260105T110000\r
//! RRULE:FREQ=WEEKLY;COUNT=3\r
//! END:VEVENT\r
//! END:VCALENDAR\r\n";
//!
//! let options = Options {
//!     // 12 January 2026, from 0:00 to 24:00 UTC.
//!     window: Window { from: 1_768_176_000_000, to: 1_768_262_400_000 },
//!     default_zone: "Europe/Berlin",
//!     charset: None,
//!     addresses: &["anna@contoso.example"],
//! };
//! let feed = read(feed, options)?;
//!
//! assert_eq!(feed.problems, []);
//! assert_eq!(feed.occurrences.len(), 1);
//! let busy = &feed.occurrences[0];
//! assert_eq!((busy.summary.as_str(), busy.free_busy), ("Weekly review", FreeBusy::Busy));
//! // 9:00 to 10:00 UTC: Berlin is an hour ahead in winter.
//! assert_eq!((busy.start, busy.end), (1_768_208_400_000, 1_768_212_000_000));
//! # Ok::<(), calendar::CalendarError>(())
//! ```
//!
//! `calcard` parses the text and knows Windows' zone names, `jiff` knows the zones. Read in this order: this file, `text`
//! (bytes to lines), `event` (one VEVENT) with `stamp`, `moment` and `attendee`, `expand` (occurrences), `parts` and `rule` (RRULE),
//! `zones` and `definition` (VTIMEZONE), `problem`.

mod attendee;
mod definition;
mod event;
mod expand;
mod moment;
mod parts;
mod problem;
mod rule;
mod stamp;
mod text;
mod zones;

use calcard::icalendar::{
    ICalendar, ICalendarComponentType, ICalendarMethod, ICalendarProperty, ICalendarValue,
};
use calcard::{Entry, Parser};

use event::{Context, Event, Read, Version};
use expand::Occurrences;
use moment::Reader;
use problem::Problems;
use text::Text;
use zones::Zones;

pub use problem::{Effect, FallbackZone, Fault, Problem};

/// The largest feed, in bytes. Ten years of a busy calendar are about 5 MiB; more is a mistake or an attack.
pub const MAX_FEED_BYTES: usize = 10 * 1024 * 1024;

/// The most parts of a feed: lines, and what commas and semicolons divide in them. The parser needs up to 400 bytes for
/// even the smallest: this bounds its memory to about 300 MB. An honest feed of [`MAX_FEED_BYTES`] has fewer.
pub const MAX_FEED_PARTS: usize = 750_000;

/// The most occurrences of a feed in a window; of more, the first are kept. A day with 300 meetings for a month is less.
pub const MAX_OCCURRENCES: usize = 10_000;

/// The most problems told one by one: whoever reads them repairs the exporter after the first few.
pub const MAX_PROBLEMS: usize = 100;

/// The longest UID or summary, in characters. A recurring event repeats its summary in every occurrence:
/// without a bound, 10 MiB of summary would become 100 GB. RFC 7986 wants UIDs shorter than 255 bytes.
pub const MAX_TEXT_CHARS: usize = 255;

/// Whether there is a time zone of that name, or one that Windows calls so.
pub fn is_zone(name: &str) -> bool {
    Zones::new(name).is_some()
}

/// What the calendar says about the time (TRANSP, X-MICROSOFT-CDO-BUSYSTATUS, STATUS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FreeBusy {
    /// Noted, but the person is available; so is who works elsewhere.
    Free,
    /// Not yet accepted or not yet certain.
    Tentative,
    /// Taken.
    Busy,
    /// Away from work.
    OutOfOffice,
}

/// One event at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The event's UID, at most [`MAX_TEXT_CHARS`]; all occurrences of a series share it. Empty if the feed gives none.
    pub uid: String,
    /// Start, in milliseconds since 1970 UTC.
    pub start: i64,
    /// End (exclusive), in milliseconds since 1970 UTC; equal to the start if the event does not last.
    pub end: i64,
    /// The subject, at most [`MAX_TEXT_CHARS`].
    pub summary: String,
    /// CLASS is PRIVATE, CONFIDENTIAL or unknown: the summary is not for others.
    pub private: bool,
    /// What the time is.
    pub free_busy: FreeBusy,
    /// It is about days rather than times: DTSTART is a DATE, or Outlook says so.
    pub all_day: bool,
}

/// A span of time in milliseconds since 1970 UTC: from `from` until before `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first millisecond.
    pub from: i64,
    /// The millisecond after the last.
    pub to: i64,
}

/// What a feed says about a window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// What overlaps the window, by start; cancelled events are left out.
    pub occurrences: Vec<Occurrence>,
    /// What could not be read, with its line. At most [`MAX_PROBLEMS`] and five about the feed itself.
    pub problems: Vec<Problem>,
}

/// Why nothing of a feed can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// More than [`MAX_FEED_BYTES`].
    #[error(
        "the calendar feed has {bytes} bytes, more than {MAX_FEED_BYTES}: let the calendar publish fewer months or no attachments"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// More than [`MAX_FEED_PARTS`].
    #[error(
        "the calendar feed has {parts} lines and list items, more than {MAX_FEED_PARTS}: let the calendar publish fewer months or no details"
    )]
    TooManyParts {
        /// Its lines, commas and semicolons.
        parts: usize,
    },
    /// There is no BEGIN:VCALENDAR in it.
    #[error(
        "the calendar feed holds no BEGIN:VCALENDAR: give the address of the .ics file itself, not of a web page or a sign-in"
    )]
    NotACalendar,
    /// The default zone is unknown.
    #[error("the time zone \"{zone}\" is not known: give an IANA name such as Europe/Berlin")]
    UnknownZone {
        /// The name given.
        zone: String,
    },
}

/// How a feed is read.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// The time that is asked about.
    pub window: Window,
    /// The zone of floating times and of days, unless the feed names one (X-WR-TIMEZONE): an IANA or Windows name.
    pub default_zone: &'a str,
    /// The parameter `charset` of the feed's Content-Type.
    pub charset: Option<&'a str>,
    /// The mail addresses of the person whose calendar it is: what these have declined is [`FreeBusy::Free`].
    pub addresses: &'a [&'a str],
}

/// Reads a feed: what it says about a window of time.
///
/// # Errors
///
/// [`CalendarError`] if nothing can be read; what is wrong with single events is in [`Feed::problems`].
pub fn read(bytes: &[u8], options: Options<'_>) -> Result<Feed, CalendarError> {
    if bytes.len() > MAX_FEED_BYTES {
        return Err(CalendarError::TooLarge { bytes: bytes.len() });
    }
    let Some(mut zones) = Zones::new(options.default_zone) else {
        return Err(CalendarError::UnknownZone {
            zone: shortened(options.default_zone),
        });
    };
    let text = Text::read(bytes, options.charset);
    let separators = text.text.bytes();
    let parts = separators
        .filter(|byte| matches!(byte, b'\n' | b',' | b';'))
        .count();
    if parts > MAX_FEED_PARTS {
        return Err(CalendarError::TooManyParts { parts });
    }
    let mut components = Components::default();
    let mut parser = Parser::new(&text.text);
    loop {
        match parser.entry() {
            Entry::Eof => break,
            Entry::ICalendar(calendar) => {
                components.take(&calendar, &mut zones, options.addresses);
            }
            // Lines outside a calendar, contact cards: not ours.
            _ => {}
        }
    }
    if !components.found {
        return Err(CalendarError::NotACalendar);
    }
    let Components {
        mut problems,
        events,
        places,
        cancellations,
        ..
    } = components;
    let mut occurrences = Occurrences::new(options.window);
    expand::expand(&events, &cancellations, &mut occurrences, |place, fault| {
        let number = places.get(place).copied().unwrap_or(0);
        problems.record(number, fault, Effect::AsDescribed);
    });
    let (occurrences, overflowed) = occurrences.finish();
    let end = text.text.trim_end().as_bytes();
    let truncated = !end
        .last_chunk()
        .is_some_and(|end: &[u8; 13]| end.eq_ignore_ascii_case(b"END:VCALENDAR"));
    let of_feed = [
        overflowed.then_some(Fault::TooManyOccurrences),
        truncated.then_some(Fault::Truncated),
    ];
    Ok(Feed {
        occurrences,
        problems: problems.finish(&text, of_feed.into_iter().flatten().collect()),
    })
}

/// What the components of a feed say, as they are read.
#[derive(Default)]
struct Components {
    /// Whether there is a VCALENDAR.
    found: bool,
    problems: Problems,
    events: Vec<Event>,
    /// The number of each of `events` in the feed.
    places: Vec<usize>,
    cancellations: Vec<(String, Version)>,
}

impl Components {
    fn take(&mut self, calendar: &ICalendar, zones: &mut Zones, addresses: &[&str]) {
        let root = calendar.components.first();
        self.found |=
            root.is_some_and(|root| root.component_type == ICalendarComponentType::VCalendar);
        if !zones.define(calendar) {
            self.problems.unknown_calendar_zone();
        }
        let method = root.and_then(|root| root.property(&ICalendarProperty::Method));
        let method = method.and_then(|entry| entry.values.first());
        let context = Context {
            cancels: method == Some(&ICalendarValue::Method(ICalendarMethod::Cancel)),
            addresses,
        };
        let components = calendar.components.iter();
        for component in
            components.filter(|one| one.component_type == ICalendarComponentType::VEvent)
        {
            self.problems.event += 1;
            let number = self.problems.event;
            let mut reader = Reader {
                zones,
                notes: Vec::new(),
            };
            let event = Event::read(component, context, &mut reader);
            for (fault, effect) in reader.notes {
                self.problems.record(number, fault, effect);
            }
            match event {
                Ok(Read::Event(event)) => {
                    self.events.push(*event);
                    self.places.push(number);
                }
                Ok(Read::Cancellation { uid, version }) => self.cancellations.push((uid, version)),
                Err(fault) => self.problems.record(number, fault, Effect::EventLeftOut),
            }
        }
    }
}

/// At most [`MAX_TEXT_CHARS`] of a text.
fn shortened(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}
