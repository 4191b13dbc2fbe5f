//! Calendars as a source: reads each person's iCalendar feed and makes appointments of its busy time (domain section 1).
//! A feed that cannot be read leaves the appointments as they are; the log says why, and so do the person's settings.

use std::{
    collections::BTreeMap,
    io::Read,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use calendar::{FreeBusy, MAX_FEED_BYTES, Occurrence, Window};
use futures_util::{StreamExt, stream};
use presence::{
    APPOINTMENT_COLOUR, Appointment, AppointmentId, AppointmentOrigin, Fact, Page, PersonId,
    Resolved, Status, Timestamp,
};
use tokio::{sync::Notify, time::Instant};

use crate::{app::Core, clock::rfc3339};

/// How often a feed is read: calendars at the large providers are made anew every few minutes at best.
const RHYTHM: Duration = Duration::from_secs(5 * 60);
/// A feed that takes longer is down.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Feeds that are read at once: a few that do not answer must not hold up all others.
const AT_ONCE: usize = 16;
/// Appointments that are taken from one calendar: more than half a thousand a week is no person's.
const APPOINTMENTS_MAX: usize = 1_000;
/// How far ahead appointments are kept: far enough that a calendar that cannot be read for a weekend does no harm.
const AHEAD: Duration = Duration::from_secs(14 * 24 * 3600);

/// What others ask of the calendars. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Calendars {
    wake: Arc<Notify>,
    troubles: Arc<Mutex<BTreeMap<PersonId, String>>>,
}

impl Calendars {
    /// Asks for all feeds to be read at once.
    pub fn read_now(&self) {
        self.wake.notify_one();
    }

    /// Why the person's feed could not be read when it was last tried.
    pub fn trouble(&self, person: PersonId) -> Option<String> {
        self.troubles().get(&person).cloned()
    }

    fn troubles(&self) -> std::sync::MutexGuard<'_, BTreeMap<PersonId, String>> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A person's calendar.
struct Feed {
    person: PersonId,
    page: Resolved,
    address: Option<String>,
}

/// Reads all feeds, for ever.
pub(crate) async fn run(core: Core) {
    // Who names a feed on the web must not reach, by a redirection, what only this machine can reach without TLS.
    let client = reqwest::Client::builder()
        .timeout(TIMEOUT)
        .https_only(true)
        .build();
    let client = match client {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "no HTTP client: calendars are not read");
            return std::future::pending().await;
        }
    };
    let mut had: Vec<PersonId> = Vec::new();
    loop {
        let next = Instant::now() + RHYTHM;
        let feeds = feeds(&core);
        // Whoever has no calendar any more has no appointments of one either.
        for person in had {
            if !feeds.iter().any(|feed| feed.person == person) {
                replace(&core, person, &[]).await;
                core.calendars.troubles().remove(&person);
            }
        }
        let read = stream::iter(&feeds).for_each_concurrent(AT_ONCE, async |feed| {
            match read(&core, &client, feed).await {
                Ok(appointments) => {
                    core.calendars.troubles().remove(&feed.person);
                    replace(&core, feed.person, &appointments).await;
                }
                Err(problem) => {
                    tracing::warn!(
                        person = %feed.person, problem,
                        "a calendar could not be read; its appointments stay as they are"
                    );
                    core.calendars.troubles().insert(feed.person, problem);
                }
            }
        });
        read.await;
        had = feeds.iter().map(|feed| feed.person).collect();
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = core.calendars.wake.notified() => {}
        }
    }
}

/// Everybody with a calendar. Only who has a value of their own can have an address.
fn feeds(core: &Core) -> Vec<Feed> {
    core.organisation.read(|tables| {
        tables
            .own
            .keys()
            .filter(|(_, page)| *page == Page::Calendar)
            .map(|(person, _)| {
                let page = tables.resolve(*person, Page::Calendar);
                let address = page.text("feed").map(str::to_owned);
                Feed {
                    person: *person,
                    address: address.filter(|_| page.flag("enabled")),
                    page,
                }
            })
            .filter(|feed| feed.address.is_some())
            .collect()
    })
}

async fn read(
    core: &Core,
    client: &reqwest::Client,
    feed: &Feed,
) -> Result<Vec<Appointment>, String> {
    let address = feed.address.as_deref().unwrap_or_default();
    let text = match address.strip_prefix("file:") {
        Some(path) => file(path.to_owned()).await?,
        None => fetched(client, address).await?,
    };
    let now = core.clock.now();
    let window = Window {
        from: now.milliseconds(),
        to: (now + AHEAD).milliseconds(),
    };
    let zone = feed.page.text("time_zone").unwrap_or("UTC").to_owned();
    // Hostile rules may take a while: not on the tasks that calls wait for.
    let read = tokio::task::spawn_blocking(move || calendar::read(&text, window, &zone)).await;
    let read = read
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())?;
    for problem in &read.problems {
        tracing::warn!(person = %feed.person, problem, "a part of a calendar could not be read");
    }
    Ok(read
        .occurrences
        .iter()
        .filter_map(|occurrence| appointment(occurrence, &feed.page))
        .take(APPOINTMENTS_MAX)
        .collect())
}

async fn file(path: String) -> Result<Vec<u8>, String> {
    let path = path.trim_start_matches("//").to_owned();
    let named = path.clone();
    let read = tokio::task::spawn_blocking(move || {
        // A pipe or a device would never end.
        if !std::fs::metadata(&path)?.is_file() {
            return Err(std::io::Error::other("is no file"));
        }
        let mut text = Vec::new();
        let most = MAX_FEED_BYTES as u64 + 1;
        std::fs::File::open(&path)?
            .take(most)
            .read_to_end(&mut text)?;
        if text.len() > MAX_FEED_BYTES {
            let problem = format!("more than {MAX_FEED_BYTES} bytes");
            return Err(std::io::Error::other(problem));
        }
        Ok(text)
    });
    read.await
        .map_err(|error| error.to_string())?
        .map_err(|error| format!("{named}: {error}"))
}

async fn fetched(client: &reqwest::Client, address: &str) -> Result<Vec<u8>, String> {
    let plain = |error: reqwest::Error| trouble(&error.without_url());
    let response = client.get(address).send().await.map_err(plain)?;
    let mut response = response.error_for_status().map_err(plain)?;
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(plain)? {
        if text.len() + chunk.len() > MAX_FEED_BYTES {
            return Err(format!("more than {MAX_FEED_BYTES} bytes"));
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}

/// What went wrong, and that of what. The address holds a secret of its own at most providers: it is not told.
fn trouble(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let told = causes.map(ToString::to_string);
    let told = told.filter(|cause| !cause.contains("://"));
    let all = std::iter::once(error.to_string()).chain(told);
    all.collect::<Vec<String>>().join(": ")
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
            "a calendar could not be stored; it is read again later"
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
