//! Calendars as a source: reads each person's iCalendar feed and makes appointments of its busy time
//! (docs/presence-rules.md, "Appointments"). A feed that cannot be read leaves the appointments unchanged; the log and the
//! person's settings name the cause, without any content of the feed or of the server's answer.

mod appointment;
mod reader;
mod trouble;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use presence::{EffectiveSettings, PersonId};
pub use reader::run;
use tokio::{sync::Notify, time::Instant};
pub use trouble::{FeedTrouble, Unread};

use crate::external_fetch::{
    Outside, OutsideOptions, folder::CalendarFolder, validators::Validators,
};

/// Prefix of the address of a file.
const FILE: &str = "file:";
/// Longest time between two complete readings of an unchanged calendar (304): later appointments come into the window.
const UNCHANGED_MAX: Duration = Duration::from_secs(12 * 3600);

/// The calendars of people. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Calendars {
    outside: Outside,
    folder: CalendarFolder,
    wake: Arc<Notify>,
    requested: Arc<Mutex<RequestedFeeds>>,
    of_people: Arc<Mutex<BTreeMap<PersonId, CalendarState>>>,
}

/// State of a person's calendar since the start of the server.
#[derive(Debug, Default)]
struct CalendarState {
    trouble: Option<FeedTrouble>,
    unread: Option<Unread>,
    /// The last complete reading over the web.
    reading: Option<Reading>,
    /// Address and end of the pause that the server asked for (Retry-After).
    pause: Option<(String, Instant)>,
}

/// A complete reading of an address.
#[derive(Clone, Debug)]
struct Reading {
    address: String,
    /// Settings and addresses of the person on which the result depended.
    page: EffectiveSettings,
    person: Vec<String>,
    at: Instant,
    validators: Validators,
}

/// Extent of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Demand {
    /// The server may answer that the calendar is unchanged.
    Changes,
    /// The whole calendar: the settings may have changed.
    Whole,
}

/// Feeds to read before the polling interval ends.
#[derive(Debug, Default)]
enum RequestedFeeds {
    #[default]
    None,
    People(BTreeSet<PersonId>),
    All,
}

impl Calendars {
    /// No calendars yet.
    ///
    /// # Errors
    /// The HTTP client could not be made.
    pub fn new(options: OutsideOptions) -> Result<Self, reqwest::Error> {
        Ok(Self {
            outside: Outside::new(&options.allow, options.proxy.as_ref())?,
            folder: CalendarFolder {
                folder: options.calendar_folder,
                data: options.data,
            },
            wake: Arc::default(),
            requested: Arc::default(),
            of_people: Arc::default(),
        })
    }

    /// Checks the address of a feed: https without a literal private address, or a file where a folder is configured.
    ///
    /// # Errors
    /// The reason why the address is refused.
    pub fn accepts(&self, feed: &str) -> Result<(), FeedTrouble> {
        match feed.strip_prefix(FILE) {
            Some(_) if self.folder.folder.is_none() => Err(FeedTrouble::NoFolder),
            Some(_) => Ok(()),
            None => Ok(self.outside.address(feed).map(|_| ())?),
        }
    }

    /// Requests a whole reading of all feeds at once.
    pub fn read_now(&self) {
        *self.requested() = RequestedFeeds::All;
        self.wake.notify_one();
    }

    /// Requests a whole reading of the person's feed at once.
    pub fn read_person_now(&self, person: PersonId) {
        match &mut *self.requested() {
            RequestedFeeds::All => {}
            RequestedFeeds::People(people) => {
                people.insert(person);
            }
            none @ RequestedFeeds::None => *none = RequestedFeeds::People(BTreeSet::from([person])),
        }
        self.wake.notify_one();
    }

    /// The error of the last attempt to read the person's feed.
    pub fn trouble(&self, person: PersonId) -> Option<FeedTrouble> {
        self.of_people().get(&person)?.trouble
    }

    /// The unreadable parts of the person's feed at the last reading.
    pub fn unread(&self, person: PersonId) -> Option<Unread> {
        self.of_people().get(&person)?.unread.clone()
    }

    fn requested(&self) -> MutexGuard<'_, RequestedFeeds> {
        self.requested
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn of_people(&self) -> MutexGuard<'_, BTreeMap<PersonId, CalendarState>> {
        self.of_people
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an error, and logs a new one.
    fn report(&self, person: PersonId, trouble: FeedTrouble) {
        let before = self
            .of_people()
            .entry(person)
            .or_default()
            .trouble
            .replace(trouble);
        if before != Some(trouble) {
            tracing::warn!(
                %person, code = trouble.code(), problem = %trouble,
                "a calendar could not be read; its appointments stay as they are"
            );
        }
    }

    /// Records the unreadable parts of a calendar, and logs new ones.
    fn report_unread(&self, person: PersonId, unread: Option<Unread>) {
        let mut people = self.of_people();
        let known = people.entry(person).or_default();
        known.trouble = None;
        if known.unread == unread {
            return;
        }
        if let Some(unread) = &unread {
            tracing::info!(
                %person, parts = unread.first.len() + unread.more,
                first = unread.first.first().map(ToString::to_string),
                "parts of a calendar could not be read; the others are shown"
            );
        }
        known.unread = unread;
    }

    /// The validators of the last whole reading of the address, if it is recent enough.
    fn validators(&self, feed: &Feed, person: &[String]) -> Option<Validators> {
        let people = self.of_people();
        let reading = people.get(&feed.person)?.reading.as_ref()?;
        let holds = reading.address == feed.address
            && reading.page == feed.page
            && reading.person == person
            && reading.at.elapsed() < UNCHANGED_MAX;
        holds.then(|| reading.validators.clone())
    }

    /// Makes the next reading a whole one.
    fn forget_reading(&self, person: PersonId) {
        if let Some(known) = self.of_people().get_mut(&person) {
            known.reading = None;
        }
    }

    /// Whether the server of the address asked for a pause that has not ended.
    fn is_paused(&self, feed: &Feed) -> bool {
        let people = self.of_people();
        let pause = people
            .get(&feed.person)
            .and_then(|known| known.pause.as_ref());
        pause.is_some_and(|(address, until)| *address == feed.address && Instant::now() < *until)
    }
}

/// A person's calendar.
struct Feed {
    person: PersonId,
    page: EffectiveSettings,
    address: String,
}
