//! iCalendar feeds (`.ics`, RFC 5545) as busy periods.
//!
//! [`read`] converts the text of a feed to the occurrences that overlap a window of time: it expands recurrences, applies
//! exceptions and converts local times to UTC. It does no IO and reads no clock. Feeds come from other programs: faults are
//! listed in [`Feed::problems`], the rest of the feed is still used, and the work for any feed is bounded.
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
//! `calcard` parses the text and maps Windows' zone names, `jiff` converts times. Suggested order of reading: this file,
//! `text` (bytes to lines), `event` (one VEVENT) with `stamp`, `moment` and `attendee`, `expand` (occurrences), `parts` and
//! `rule` (RRULE), `zones` and `definition` (VTIMEZONE), `problem`.

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

use calcard::{
    Entry, Parser,
    icalendar::{
        ICalendar, ICalendarComponentType, ICalendarMethod, ICalendarProperty, ICalendarValue,
    },
};
use event::{Context, Event, Read, Version};
use expand::Occurrences;
use moment::Reader;
use problem::Problems;
pub use problem::{Effect, FallbackZone, Fault, Problem};
use text::Text;
use zones::Zones;

/// Maximum length of a feed in bytes. Ten years of a busy calendar are about 5 MiB.
pub const MAX_FEED_BYTES: usize = 10 * 1024 * 1024;

/// Maximum number of parts of a feed: lines, and the items between commas and semicolons. The parser uses up to 400 bytes
/// for the smallest part, hence at most about 300 MB. Genuine feeds of [`MAX_FEED_BYTES`] have fewer parts.
pub const MAX_FEED_PARTS: usize = 750_000;

/// Maximum number of occurrences of a feed in a window; later ones are dropped. A month with 300 meetings a day has fewer.
pub const MAX_OCCURRENCES: usize = 10_000;

/// Maximum number of problems reported one by one; the first few suffice to repair the exporter.
pub const MAX_PROBLEMS: usize = 100;

/// Maximum length of a UID or summary in characters. Each occurrence of a series repeats the summary: without a limit, 10
/// MiB of summary would become 100 GB. RFC 7986 requires UIDs below 255 bytes.
pub const MAX_TEXT_CHARS: usize = 255;

/// True for a time zone of the IANA database, and for Windows' name of one.
pub fn is_zone(name: &str) -> bool {
    Zones::new(name).is_some()
}

/// Availability during an event (TRANSP, X-MICROSOFT-CDO-BUSYSTATUS, STATUS).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FreeBusy {
    /// The person is available; also for "working elsewhere".
    Free,
    /// Not accepted yet, or not certain.
    Tentative,
    /// The person is busy.
    Busy,
    /// The person is away from work.
    OutOfOffice,
}

/// One occurrence of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// UID of the event, at most [`MAX_TEXT_CHARS`] characters; shared by all occurrences of a series. Empty if the feed
    /// has none.
    pub uid: String,
    /// Start, in milliseconds since 1970 UTC.
    pub start: i64,
    /// End (exclusive), in milliseconds since 1970 UTC; equal to the start for an event without length.
    pub end: i64,
    /// Subject, at most [`MAX_TEXT_CHARS`] characters.
    pub summary: String,
    /// True if CLASS is PRIVATE, CONFIDENTIAL or unknown: the summary must not be shown to others.
    pub private: bool,
    /// Availability during the event.
    pub free_busy: FreeBusy,
    /// True for an all-day event: DTSTART is a DATE, or Outlook marks it.
    pub all_day: bool,
}

/// Range of time in milliseconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// First millisecond.
    pub from: i64,
    /// Millisecond after the last one.
    pub to: i64,
}

/// Result of [`read`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Feed {
    /// Occurrences that overlap the window, ordered by start, without cancelled ones.
    pub occurrences: Vec<Occurrence>,
    /// Faults with their lines: at most [`MAX_PROBLEMS`], and five about the feed itself.
    pub problems: Vec<Problem>,
}

/// Reason why no part of a feed can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    /// The feed is longer than [`MAX_FEED_BYTES`].
    #[error(
        "the calendar feed has {bytes} bytes, more than {MAX_FEED_BYTES}: let the calendar publish fewer months or no attachments"
    )]
    TooLarge {
        /// Length of the feed in bytes.
        bytes: usize,
    },
    /// The feed has more parts than [`MAX_FEED_PARTS`].
    #[error(
        "the calendar feed has {parts} lines and list items, more than {MAX_FEED_PARTS}: let the calendar publish fewer months or no details"
    )]
    TooManyParts {
        /// Number of lines, commas and semicolons.
        parts: usize,
    },
    /// The feed has no BEGIN:VCALENDAR.
    #[error(
        "the calendar feed has no BEGIN:VCALENDAR: give the address of the .ics file itself, not of a web page or a sign-in page"
    )]
    NotACalendar,
    /// The default zone is unknown.
    #[error("the time zone \"{zone}\" is not known: give an IANA name such as Europe/Berlin")]
    UnknownZone {
        /// Name of the zone.
        zone: String,
    },
}

/// Parameters of [`read`].
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Window of the occurrences.
    pub window: Window,
    /// Zone of floating times and of all-day events, unless the feed names one (X-WR-TIMEZONE): an IANA or Windows name.
    pub default_zone: &'a str,
    /// Parameter `charset` of the feed's Content-Type.
    pub charset: Option<&'a str>,
    /// Mail addresses of the calendar's owner: events that they have declined are [`FreeBusy::Free`].
    pub addresses: &'a [&'a str],
}

/// Reads the occurrences of a feed in a window of time.
///
/// # Errors
///
/// [`CalendarError`] if no part of the feed can be read; faults of single events are in [`Feed::problems`].
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
                components.add(&calendar, &mut zones, options.addresses);
            }
            // Lines outside of a calendar, and contact cards, are ignored.
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

/// Components of a feed, as they are read.
#[derive(Default)]
struct Components {
    /// True if the feed has a VCALENDAR.
    found: bool,
    problems: Problems,
    events: Vec<Event>,
    /// Number in the feed of each of `events`.
    places: Vec<usize>,
    cancellations: Vec<(String, Version)>,
}

impl Components {
    fn add(&mut self, calendar: &ICalendar, zones: &mut Zones, addresses: &[&str]) {
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
                faults: Vec::new(),
            };
            let event = Event::read(component, context, &mut reader);
            for (fault, effect) in reader.faults {
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

/// The first [`MAX_TEXT_CHARS`] characters of a text.
fn shortened(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}
