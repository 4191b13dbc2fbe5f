//! Calendars as a source: reads each person's iCalendar feed and makes appointments of its busy time (domain section 1).
//! A feed that cannot be read leaves the appointments as they are; the log says why, and so do the person's settings:
//! one of a few causes, which repeat nothing of what the address answered or the file holds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use calendar::{CalendarError, FreeBusy, MAX_FEED_BYTES, Occurrence, Window};
use futures_util::{StreamExt, stream};
use presence::{
    APPOINTMENT_COLOUR, Appointment, AppointmentId, AppointmentOrigin, Fact, Page, PersonId,
    Resolved, Status, Timestamp,
};
use tokio::{sync::Notify, time::Instant};

use crate::{
    app::Core,
    clock::rfc3339,
    outside::{
        Outside, OutsideError, OutsideOptions,
        folder::{CalendarFolder, FileError},
    },
};

/// How often a feed is read: calendars at the large providers are made anew every few minutes at best.
const RHYTHM: Duration = Duration::from_secs(5 * 60);
/// Hosts that are read at once: a few that do not answer must not hold up all others.
const HOSTS_AT_ONCE: usize = 16;
/// Feeds of one host that are read at once: no provider takes it for an attack.
const FEEDS_AT_ONCE: usize = 4;
/// Appointments that are taken from one calendar: more than half a thousand a week is no person's.
const APPOINTMENTS_MAX: usize = 1_000;
/// How far ahead appointments are kept: far enough that a calendar that cannot be read for a weekend does no harm.
const AHEAD: Duration = Duration::from_secs(14 * 24 * 3600);

/// Why a person's feed cannot be read. The text has the remedy. People read it who may not know what the server
/// reaches or reads: it repeats nothing from there.
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
        "the calendar's server refuses the address: let the calendar publish it anew, and enter the new one"
    )]
    Refused,
    /// 5xx.
    #[error("the calendar's server is in trouble: it is tried again every five minutes")]
    ServerError,
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

/// What others ask of the calendars. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Calendars {
    outside: Outside,
    folder: CalendarFolder,
    wake: Arc<Notify>,
    asked: Arc<Mutex<Asked>>,
    troubles: Arc<Mutex<BTreeMap<PersonId, FeedTrouble>>>,
}

/// Feeds to be read before their time.
#[derive(Debug, Default)]
enum Asked {
    #[default]
    None,
    People(BTreeSet<PersonId>),
    All,
}

impl Calendars {
    /// # Errors
    /// The HTTP client could not be made.
    pub(crate) fn new(options: OutsideOptions) -> Result<Self, reqwest::Error> {
        Ok(Self {
            outside: Outside::new(&options.allow, options.proxy.as_ref())?,
            folder: CalendarFolder {
                folder: options.calendar_folder,
                data: options.data,
            },
            wake: Arc::default(),
            asked: Arc::default(),
            troubles: Arc::default(),
        })
    }

    /// Whether a feed may have that address: https and not visibly private, or a file where a folder is configured.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn accepts(&self, feed: &str) -> Result<(), FeedTrouble> {
        match feed.strip_prefix(FILE) {
            Some(_) if self.folder.folder.is_none() => Err(FeedTrouble::NoFolder),
            Some(_) => Ok(()),
            None => Ok(self.outside.address(feed).map(|_| ())?),
        }
    }

    /// Asks for all feeds to be read at once.
    pub fn read_now(&self) {
        *self.asked() = Asked::All;
        self.wake.notify_one();
    }

    /// Asks for the person's feed to be read at once.
    pub fn read_person_now(&self, person: PersonId) {
        match &mut *self.asked() {
            Asked::All => {}
            Asked::People(people) => {
                people.insert(person);
            }
            none @ Asked::None => *none = Asked::People(BTreeSet::from([person])),
        }
        self.wake.notify_one();
    }

    /// Why the person's feed could not be read when it was last tried.
    pub fn trouble(&self, person: PersonId) -> Option<FeedTrouble> {
        self.troubles().get(&person).copied()
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn troubles(&self) -> MutexGuard<'_, BTreeMap<PersonId, FeedTrouble>> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the cause, and tells the log of a new one.
    fn report(&self, person: PersonId, trouble: FeedTrouble) {
        if self.troubles().insert(person, trouble) != Some(trouble) {
            tracing::warn!(
                %person, code = trouble.code(), problem = %trouble,
                "a calendar could not be read; its appointments stay as they are"
            );
        }
    }
}

/// How the address of a file begins.
const FILE: &str = "file:";

/// A person's calendar.
struct Feed {
    person: PersonId,
    page: Resolved,
    address: String,
}

impl Feed {
    /// The host that is asked; the empty one of files and of what is no address.
    fn host(&self) -> String {
        let url = reqwest::Url::parse(&self.address).ok();
        url.and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// Reads all feeds, for ever.
pub(crate) async fn run(core: Core) {
    let calendars = &core.calendars;
    let mut had: BTreeSet<PersonId> = BTreeSet::new();
    let mut next = Instant::now();
    loop {
        let asked = std::mem::take(&mut *calendars.asked());
        let all = feeds(&core);
        // A person without a calendar has no appointments of one either.
        let have: BTreeSet<PersonId> = all.iter().map(|feed| feed.person).collect();
        for person in had.difference(&have) {
            replace(&core, *person, &[]).await;
            calendars.troubles().remove(person);
        }
        had = have;
        let due = Instant::now() >= next;
        if due {
            next = Instant::now() + RHYTHM;
        }
        read_all(
            &core,
            all.into_iter().filter(|feed| match &asked {
                Asked::All => true,
                Asked::People(people) => due || people.contains(&feed.person),
                Asked::None => due,
            }),
        )
        .await;
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = calendars.wake.notified() => {}
        }
    }
}

/// Reads feeds, of each host a few at once.
async fn read_all(core: &Core, feeds: impl Iterator<Item = Feed>) {
    let mut hosts: BTreeMap<String, Vec<Feed>> = BTreeMap::new();
    for feed in feeds {
        hosts.entry(feed.host()).or_default().push(feed);
    }
    let of_host = async |feeds: Vec<Feed>| {
        stream::iter(feeds)
            .for_each_concurrent(FEEDS_AT_ONCE, async |feed| read_one(core, &feed).await)
            .await;
    };
    stream::iter(hosts.into_values())
        .for_each_concurrent(HOSTS_AT_ONCE, of_host)
        .await;
}

async fn read_one(core: &Core, feed: &Feed) {
    match read(core, feed).await {
        Ok(appointments) => {
            core.calendars.troubles().remove(&feed.person);
            replace(core, feed.person, &appointments).await;
        }
        Err(trouble) => core.calendars.report(feed.person, trouble),
    }
}

/// Everybody with a calendar. Only who has a value of their own can have an address.
fn feeds(core: &Core) -> Vec<Feed> {
    core.organisation.read(|tables| {
        tables
            .own
            .keys()
            .filter(|(_, page)| *page == Page::Calendar)
            .filter_map(|(person, _)| {
                let page = tables.resolve(*person, Page::Calendar);
                let address = page.text("feed").filter(|_| page.flag("enabled"));
                Some(Feed {
                    person: *person,
                    address: address?.to_owned(),
                    page,
                })
            })
            .collect()
    })
}

async fn read(core: &Core, feed: &Feed) -> Result<Vec<Appointment>, FeedTrouble> {
    let text = match feed.address.strip_prefix(FILE) {
        Some(path) => {
            let (folder, path) = (core.calendars.folder.clone(), path.to_owned());
            let read = move || folder.read(&path, MAX_FEED_BYTES);
            let read = tokio::task::spawn_blocking(read).await;
            read.map_err(|_| FeedTrouble::Defect)??
        }
        None => {
            let outside = &core.calendars.outside;
            let url = outside.address(&feed.address)?;
            outside.fetch(url, MAX_FEED_BYTES).await?
        }
    };
    let now = core.clock.now();
    let window = Window {
        from: now.milliseconds(),
        to: (now + AHEAD).milliseconds(),
    };
    let zone = feed.page.text("time_zone").unwrap_or("UTC").to_owned();
    // Hostile rules may take a while: not on the tasks that calls wait for.
    let read = tokio::task::spawn_blocking(move || calendar::read(&text, window, &zone)).await;
    let read = read.map_err(|_| FeedTrouble::Defect)??;
    for problem in &read.problems {
        tracing::debug!(person = %feed.person, problem, "a part of a calendar could not be read");
    }
    if !read.problems.is_empty() {
        tracing::info!(
            person = %feed.person, parts = read.problems.len(), first = read.problems.first(),
            "parts of a calendar could not be read; the others are shown"
        );
    }
    Ok(read
        .occurrences
        .iter()
        .filter_map(|occurrence| appointment(occurrence, &feed.page))
        .take(APPOINTMENTS_MAX)
        .collect())
}

/// Free is nothing, tentative is nothing unless the settings say otherwise, busy and out of office have their profiles.
fn appointment(occurrence: &Occurrence, page: &Resolved) -> Option<Appointment> {
    let (key, fallback) = match occurrence.free_busy {
        FreeBusy::Free => return None,
        FreeBusy::Tentative if !page.flag("tentative") => return None,
        FreeBusy::Tentative | FreeBusy::Busy => ("busy", Status::Busy),
        FreeBusy::OutOfOffice => ("out_of_office", Status::Absent),
    };
    let profile = page.text(key)?;
    let text = if page.flag("texts") {
        occurrence.summary.as_str()
    } else {
        ""
    };
    // Without a length it puts nothing in force.
    (occurrence.end > occurrence.start).then(|| Appointment {
        id: AppointmentId(0),
        start: Timestamp::from_milliseconds(occurrence.start),
        end: Timestamp::from_milliseconds(occurrence.end),
        text: text.into(),
        colour: APPOINTMENT_COLOUR.into(),
        profile: profile.into(),
        fallback,
        private: occurrence.private,
        origin: AppointmentOrigin::Calendar,
    })
}

async fn replace(core: &Core, person: PersonId, appointments: &[Appointment]) {
    match core.store.replace_calendar(person, appointments).await {
        Ok(stored) => core.shard.fact(person, Fact::Calendar(stored)).await,
        Err(error) => tracing::warn!(
            %person, %error, at = rfc3339(core.clock.now()),
            "a calendar could not be stored; it is read again in five minutes"
        ),
    }
}

#[cfg(test)]
mod tests {
    use calendar::{FreeBusy, Occurrence};
    use presence::{Page, PageValues, Status, Way};
    use serde_json::json;

    use super::appointment;

    fn occurrence(free_busy: FreeBusy) -> Occurrence {
        Occurrence {
            uid: "1".into(),
            start: 1_000,
            end: 2_000,
            summary: "Review".into(),
            private: false,
            free_busy,
            all_day: false,
        }
    }

    #[test]
    fn free_and_busy_mean_what_the_domain_says() {
        let mut settings = PageValues::default();
        let page = |settings: &PageValues| {
            let way = Way {
                organisation: Some(settings),
                ..Way::default()
            };
            way.resolve(Page::Calendar, None)
        };
        let made = |free_busy, settings: &PageValues| {
            let made = appointment(&occurrence(free_busy), &page(settings))?;
            Some((made.profile.to_string(), made.fallback))
        };
        let busy = Some(("Appointment".to_owned(), Status::Busy));
        assert_eq!(made(FreeBusy::Free, &settings), None);
        assert_eq!(made(FreeBusy::Tentative, &settings), None);
        assert_eq!(made(FreeBusy::Busy, &settings), busy);
        assert_eq!(
            made(FreeBusy::OutOfOffice, &settings),
            Some(("Absent".to_owned(), Status::Absent))
        );
        let body = json!({"tentative": true, "texts": false, "out_of_office": null});
        let body = body.as_object().unwrap().clone();
        crate::values::merge(Page::Calendar, body, &mut settings).unwrap();
        assert_eq!(made(FreeBusy::Tentative, &settings), busy);
        assert_eq!(made(FreeBusy::OutOfOffice, &settings), None);
        let silent = appointment(&occurrence(FreeBusy::Busy), &page(&settings));
        assert_eq!(&*silent.unwrap().text, "");
    }
}
