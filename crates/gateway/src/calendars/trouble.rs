//! Errors of reading a person's calendar, as a whole or in parts.

use calendar::{CalendarError, Problem};

use crate::external_fetch::{OutsideError, folder::FileError};

/// Unreadable parts that are listed to the person. With more of them the exporter is at fault.
const UNREAD_MAX: usize = 20;

/// The reason why a person's feed cannot be read. The text has the remedy. It repeats nothing of the answer: its reader may
/// not know what the server can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedTrouble {
    /// Not https, not public, or no such name.
    #[error(
        "the address is unknown or not public: check it; a system administrator allows addresses of private networks with outside.allow in the configuration"
    )]
    Address,
    /// Too many redirects, or one away from https.
    #[error("the address leads on too often or away from https: give the address at which it ends")]
    Redirect,
    /// No connection, no TLS, no answer in time.
    #[error(
        "there is no answer over https with a valid certificate: open the address in a browser; it is tried again every five minutes"
    )]
    NoAnswer,
    /// 4xx.
    #[error(
        "the calendar's server refuses the address: publish the calendar again, and enter the new address"
    )]
    Refused,
    /// 5xx, and 4xx that pass (408, 421, 425, 429).
    #[error(
        "the calendar's server is in trouble: it is tried again after five minutes, or later if the server asks for that (Retry-After), at most after a day"
    )]
    ServerError,
    /// An answer that was not packed with gzip, or cannot be unpacked.
    #[error(
        "the calendar's server packs its answer in another way than asked for, or damages it: let the server, or the proxy before it, send it unpacked or with gzip (Content-Encoding)"
    )]
    Packing,
    /// Beyond a limit of the crate `calendar`.
    #[error(
        "the calendar is too large: let it publish fewer months, no details and no attachments"
    )]
    TooLarge,
    /// No VCALENDAR.
    #[error(
        "there is no calendar: give the address of the .ics file itself, not of a web page or a sign-in"
    )]
    NoCalendar,
    /// The setting `time_zone` names no zone of this version.
    #[error("the time zone of the settings is not known: choose another")]
    TimeZone,
    /// A file, and no folder is configured.
    #[error(
        "calendars are not read from files: a system administrator names their folder with calendar.folder in the configuration"
    )]
    NoFolder,
    /// A file that is not read.
    #[error(
        "the file is not a readable .ics file below calendar.folder of the configuration: put it there, as a file of its own without hard links"
    )]
    File,
    /// A defect of the reader.
    #[error("the calendar could not be read because of a defect of this program: report it")]
    Defect,
}

impl FeedTrouble {
    /// Name of the cause for programs and translations. It never changes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Redirect => "redirect",
            Self::NoAnswer => "no_answer",
            Self::Refused => "refused",
            Self::ServerError => "server_error",
            Self::Packing => "packing",
            Self::TooLarge => "too_large",
            Self::NoCalendar => "no_calendar",
            Self::TimeZone => "time_zone",
            Self::NoFolder => "no_folder",
            Self::File => "file",
            Self::Defect => "defect",
        }
    }
}

impl From<OutsideError> for FeedTrouble {
    fn from(error: OutsideError) -> Self {
        match error {
            OutsideError::Address => Self::Address,
            OutsideError::Redirect => Self::Redirect,
            OutsideError::NoAnswer => Self::NoAnswer,
            OutsideError::Refused => Self::Refused,
            OutsideError::ServerError => Self::ServerError,
            OutsideError::Packing => Self::Packing,
            OutsideError::TooLarge => Self::TooLarge,
        }
    }
}

impl From<FileError> for FeedTrouble {
    fn from(error: FileError) -> Self {
        match error {
            FileError::NoFolder => Self::NoFolder,
            FileError::NotOurs => Self::File,
            FileError::TooLarge => Self::TooLarge,
        }
    }
}

impl From<CalendarError> for FeedTrouble {
    fn from(error: CalendarError) -> Self {
        match error {
            CalendarError::TooLarge { .. } | CalendarError::TooManyParts { .. } => Self::TooLarge,
            CalendarError::NotACalendar => Self::NoCalendar,
            CalendarError::UnknownZone { .. } => Self::TimeZone,
        }
    }
}

/// The parts of a calendar that could not be read; the others are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// The first of them, at most 20.
    pub first: Vec<Problem>,
    /// Number of those that are not in `first`.
    pub more: usize,
}

impl Unread {
    /// Name of this cause beside those of [`FeedTrouble::code`].
    pub const CODE: &'static str = "incomplete";

    /// Keeps the first problems. `None`: everything was read.
    pub(super) fn of(problems: Vec<Problem>) -> Option<Self> {
        let more = problems.len().saturating_sub(UNREAD_MAX);
        let mut first = problems;
        first.truncate(UNREAD_MAX);
        (!first.is_empty()).then_some(Self { first, more })
    }

    /// All of them as one text, a line each.
    pub fn text(&self) -> String {
        let count = self.first.len() + self.more;
        let mut text =
            format!("parts of the calendar could not be read ({count}); the others are shown");
        for problem in &self.first {
            text.push('\n');
            text.push_str(&problem.to_string());
        }
        if self.more > 0 {
            text.push_str(&format!("\n{} more", self.more));
        }
        text
    }
}
