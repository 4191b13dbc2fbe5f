//! iCalendar feeds (`.ics`, RFC 5545) as busy periods.
//!
//! [`read`] turns the text of a feed into the occurrences that touch a window of time: recurrence expanded, exceptions
//! applied, local times turned into instants. It does no IO and reads no clock. Feeds are other people's: what cannot be
//! read is told in [`Feed::problems`] and the rest keeps working, and no feed can take more than a bounded time.
//!
//! `calcard` parses the text and knows Windows' zone names, `jiff` knows the zones. Read in this order: this file, `event`
//! (one VEVENT), `expand` (occurrences), `rule` (RRULE), `zones`.

mod event;
mod expand;
mod rule;
mod zones;

use calcard::icalendar::ICalendarComponentType;
use calcard::{Entry, Parser};

use event::Event;
use expand::Occurrences;
use zones::Zones;

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
    /// What could not be read: each names the event by its number and line, the reason and the remedy, and repeats no
    /// value of the feed. At most [`MAX_PROBLEMS`] and three about the feed itself.
    pub problems: Vec<String>,
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

/// Reads a feed: what it says about `window`.
///
/// `default_zone` is the IANA name of the zone for floating times and for days. Bytes that are not UTF-8 are replaced.
///
/// # Errors
///
/// [`CalendarError`] if nothing can be read; what is wrong with single events is in [`Feed::problems`].
pub fn read(text: &[u8], window: Window, default_zone: &str) -> Result<Feed, CalendarError> {
    if text.len() > MAX_FEED_BYTES {
        return Err(CalendarError::TooLarge { bytes: text.len() });
    }
    let parts = text
        .iter()
        .filter(|byte| matches!(byte, b'\n' | b',' | b';'))
        .count();
    if parts > MAX_FEED_PARTS {
        return Err(CalendarError::TooManyParts { parts });
    }
    let Some(mut zones) = Zones::new(default_zone) else {
        return Err(CalendarError::UnknownZone {
            zone: shortened(default_zone),
        });
    };
    let text = String::from_utf8_lossy(text);
    let text = text.trim_start_matches('\u{feff}').trim();
    let mut problems = Problems::default();
    let mut events = Vec::new();
    let mut places = Vec::new();
    let mut found = false;
    let mut parser = Parser::new(text);
    loop {
        match parser.entry() {
            Entry::Eof => break,
            Entry::ICalendar(calendar) => {
                let root = calendar.components.first().map(|root| &root.component_type);
                found |= root == Some(&ICalendarComponentType::VCalendar);
                zones.define(&calendar);
                let components = calendar.components.iter();
                for component in
                    components.filter(|one| one.component_type == ICalendarComponentType::VEvent)
                {
                    problems.event += 1;
                    let mut notes = Vec::new();
                    let event = Event::read(component, &mut zones, &mut notes);
                    for note in notes {
                        problems.tell(problems.event, note);
                    }
                    match event {
                        Ok(event) => {
                            events.push(event);
                            places.push(problems.event);
                        }
                        Err(reason) => {
                            problems.tell(problems.event, format!("{reason}; it is not shown"));
                        }
                    }
                }
            }
            // Lines outside a calendar, contact cards: not ours.
            _ => {}
        }
    }
    if !found {
        return Err(CalendarError::NotACalendar);
    }
    let mut occurrences = Occurrences::new(window);
    expand::expand(&events, &mut occurrences, |place, problem| {
        problems.tell(places.get(place).copied().unwrap_or(0), problem);
    });
    let (occurrences, overflowed) = occurrences.finish();
    let truncated = !text
        .as_bytes()
        .last_chunk()
        .is_some_and(|end: &[u8; 13]| end.eq_ignore_ascii_case(b"END:VCALENDAR"));
    Ok(Feed {
        occurrences,
        problems: problems.finish(text, overflowed, truncated),
    })
}

/// The problems of a feed, as they are found.
#[derive(Default)]
struct Problems {
    /// How many events were seen.
    event: usize,
    /// The number of an event and what is wrong with it. Nothing here repeats a value: it is shown to people who may
    /// not read what an address answers.
    told: Vec<(usize, String)>,
    untold: usize,
}

impl Problems {
    fn tell(&mut self, number: usize, what: String) {
        if self.told.len() >= MAX_PROBLEMS {
            self.untold += 1;
            return;
        }
        self.told.push((number, what));
    }

    fn finish(self, text: &str, overflowed: bool, truncated: bool) -> Vec<String> {
        let lines = if self.told.is_empty() {
            Vec::new()
        } else {
            event_lines(text)
        };
        let named = self.told.into_iter().map(|(number, what)| {
            // A feed whose events are not where they seem to be gets no lines.
            let line = number.checked_sub(1).and_then(|place| lines.get(place));
            let line = line.filter(|_| lines.len() == self.event);
            let line = line.map_or_else(String::new, |line| format!(" (line {line})"));
            format!("event {number}{line}: {what}: correct it in the calendar and save it again")
        });
        let mut told: Vec<String> = named.collect();
        if self.untold > 0 {
            told.push(format!(
                "{} more problems of this kind: the exporter may be at fault",
                self.untold
            ));
        }
        if overflowed {
            told.push(format!(
                "the feed has more than {MAX_OCCURRENCES} occurrences in this time; the first {MAX_OCCURRENCES} are shown: look for an event that repeats too often"
            ));
        }
        if truncated {
            told.push(
                "the feed does not end with END:VCALENDAR; events may be missing: fetch it again, or ask who publishes it"
                    .to_owned(),
            );
        }
        told
    }
}

/// The lines, from 1, on which events begin.
fn event_lines(text: &str) -> Vec<usize> {
    let begins = |line: &str| line.trim_end().eq_ignore_ascii_case("BEGIN:VEVENT");
    text.lines()
        .zip(1..)
        .filter_map(|(line, number)| begins(line).then_some(number))
        .collect()
}

/// At most [`MAX_TEXT_CHARS`] of a text.
fn shortened(text: &str) -> String {
    text.chars().take(MAX_TEXT_CHARS).collect()
}
