//! The task that reads the calendars of people.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use calendar::{MAX_FEED_BYTES, Options, Window};
use futures_util::{StreamExt, stream};
use presence::{Appointment, Fact, PersonId, SettingsGroup, setting_keys};
use runtime::{clock::rfc3339, context::Context};
use tokio::time::Instant;

use super::{
    Calendars, Demand, FILE, Feed, FeedTrouble, Reading, RequestedFeeds, Unread,
    appointment::appointment,
};
use crate::external_fetch::{Fetched, validators::Validators, web_address};

/// Polling interval of a feed: the large providers update published calendars every few minutes at best.
const POLL_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// Hosts that are read at once: a few that do not answer must not delay all others.
const HOSTS_AT_ONCE: usize = 16;
/// Feeds of one host that are read at once: few enough not to look like an attack.
const FEEDS_AT_ONCE: usize = 4;
/// Most appointments of one calendar: no person has more than 500 a week.
const APPOINTMENTS_MAX: usize = 1_000;
/// Time ahead for which appointments are stored: long enough to bridge a weekend without a reading.
const HORIZON: Duration = Duration::from_secs(14 * 24 * 3600);

impl Feed {
    /// The host of the feed; empty for files and invalid addresses.
    fn host(&self) -> String {
        let url = reqwest::Url::parse(&web_address(&self.address)).ok();
        url.and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// The parts that a reading needs.
struct Reader {
    context: Context,
    calendars: Calendars,
}

/// Reads all feeds at the polling interval and on request, until the task is dropped.
pub async fn run(context: Context, calendars: Calendars) {
    let reader = &Reader { context, calendars };
    let calendars = &reader.calendars;
    let mut had: BTreeSet<PersonId> = BTreeSet::new();
    let mut next = Instant::now();
    loop {
        let requested = std::mem::take(&mut *calendars.requested());
        let all = feeds(reader);
        // A person without a calendar has no appointments of a calendar.
        let have: BTreeSet<PersonId> = all.iter().map(|feed| feed.person).collect();
        for person in had.difference(&have) {
            replace(reader, *person, &[]).await;
            calendars.of_people().remove(person);
        }
        had = have;
        let due = Instant::now() >= next;
        if due {
            next = Instant::now() + POLL_INTERVAL;
        }
        read_all(
            reader,
            all.into_iter().filter_map(|feed| {
                let demand = match &requested {
                    RequestedFeeds::All => Some(Demand::Whole),
                    RequestedFeeds::People(people) if people.contains(&feed.person) => {
                        Some(Demand::Whole)
                    }
                    RequestedFeeds::People(_) | RequestedFeeds::None => {
                        due.then_some(Demand::Changes)
                    }
                };
                Some((feed, demand?))
            }),
        )
        .await;
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            () = calendars.wake.notified() => {}
        }
    }
}

/// Reads feeds, a few of each host at once.
async fn read_all(reader: &Reader, feeds: impl Iterator<Item = (Feed, Demand)>) {
    let mut hosts: BTreeMap<String, Vec<(Feed, Demand)>> = BTreeMap::new();
    for (feed, demand) in feeds {
        hosts.entry(feed.host()).or_default().push((feed, demand));
    }
    let of_host = async |feeds: Vec<(Feed, Demand)>| {
        stream::iter(feeds)
            .for_each_concurrent(FEEDS_AT_ONCE, async |(feed, demand)| {
                read_one(reader, &feed, demand).await;
            })
            .await;
    };
    stream::iter(hosts.into_values())
        .for_each_concurrent(HOSTS_AT_ONCE, of_host)
        .await;
}

async fn read_one(reader: &Reader, feed: &Feed, demand: Demand) {
    let calendars = &reader.calendars;
    if demand == Demand::Whole {
        // If this reading fails or waits, the next one is whole.
        calendars.forget_reading(feed.person);
    }
    if calendars.is_paused(feed) {
        return;
    }
    match read(reader, feed, demand).await {
        Ok(Some(Read {
            appointments,
            unread,
            reading,
        })) => {
            calendars.report_unread(feed.person, unread);
            // A reading that was not stored is repeated as a whole.
            let is_stored = replace(reader, feed.person, &appointments).await;
            let reading = reading.filter(|_| is_stored);
            calendars
                .of_people()
                .entry(feed.person)
                .or_default()
                .reading = reading;
        }
        // Unchanged: the appointments and the unreadable parts stay.
        Ok(None) => {
            if let Some(known) = calendars.of_people().get_mut(&feed.person) {
                known.trouble = None;
            }
        }
        Err(trouble) => calendars.report(feed.person, trouble),
    }
}

/// The feeds of all people. Only people with settings of their own can have one.
fn feeds(reader: &Reader) -> Vec<Feed> {
    reader.context.organisation.read(|snapshot| {
        snapshot
            .personal_settings
            .keys()
            .filter(|(_, page)| *page == SettingsGroup::Calendar)
            .filter_map(|(person, _)| {
                let page = snapshot.resolve(*person, SettingsGroup::Calendar);
                let address = page
                    .get(setting_keys::FEED_ADDRESS)
                    .filter(|_| page.get(setting_keys::CALENDAR_ENABLED));
                Some(Feed {
                    person: *person,
                    address: address?.to_owned(),
                    page,
                })
            })
            .collect()
    })
}

/// The text of a feed.
struct Source {
    text: Vec<u8>,
    charset: Option<String>,
    reading: Option<Reading>,
}

async fn source(
    reader: &Reader,
    feed: &Feed,
    demand: Demand,
) -> Result<Option<Source>, FeedTrouble> {
    if let Some(path) = feed.address.strip_prefix(FILE) {
        let (folder, path) = (reader.calendars.folder.clone(), path.to_owned());
        let read = move || folder.read(&path, MAX_FEED_BYTES);
        let read = tokio::task::spawn_blocking(read).await;
        return Ok(Some(Source {
            text: read.map_err(|_| FeedTrouble::Defect)??,
            charset: None,
            reading: None,
        }));
    }
    let outside = &reader.calendars.outside;
    let url = outside.address(&feed.address)?;
    let known = match demand {
        Demand::Changes => reader
            .calendars
            .validators(feed, &addresses(reader, feed.person))
            .unwrap_or_default(),
        Demand::Whole => Validators::default(),
    };
    let at = Instant::now();
    match outside
        .fetch(url, MAX_FEED_BYTES, &known, reader.context.clock.now())
        .await
    {
        Ok(Fetched::Unchanged) => Ok(None),
        Ok(Fetched::Body {
            bytes,
            charset,
            validators,
        }) => Ok(Some(Source {
            text: bytes,
            charset,
            reading: Some(Reading {
                address: feed.address.clone(),
                page: feed.page.clone(),
                person: addresses(reader, feed.person),
                at,
                validators,
            }),
        })),
        Err(error) => {
            let pause = error
                .retry_after
                .map(|wait| (feed.address.clone(), at + wait));
            reader
                .calendars
                .of_people()
                .entry(feed.person)
                .or_default()
                .pause = pause;
            Err(error.error.into())
        }
    }
}

/// Content of a feed.
struct Read {
    appointments: Vec<Appointment>,
    unread: Option<Unread>,
    /// The whole reading over the web; `None`: a file.
    reading: Option<Reading>,
}

/// Reads a feed. `None`: the feed is unchanged.
async fn read(reader: &Reader, feed: &Feed, demand: Demand) -> Result<Option<Read>, FeedTrouble> {
    let Some(source) = source(reader, feed, demand).await? else {
        return Ok(None);
    };
    // Until the text is read, the server must not answer that the calendar is unchanged.
    reader.calendars.forget_reading(feed.person);
    let now = reader.context.clock.now();
    let window = Window {
        from: now.milliseconds(),
        to: (now + HORIZON).milliseconds(),
    };
    let zone = feed
        .page
        .get(setting_keys::TIME_ZONE)
        .unwrap_or("UTC")
        .to_owned();
    let addresses = addresses(reader, feed.person);
    let Source {
        text,
        charset,
        reading,
    } = source;
    // Hostile recurrence rules may take a while: they must not delay other tasks.
    let read = tokio::task::spawn_blocking(move || {
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let options = Options {
            window,
            default_zone: &zone,
            charset: charset.as_deref(),
            addresses: &addresses,
        };
        calendar::read(&text, options)
    })
    .await;
    let read = read.map_err(|_| FeedTrouble::Defect)??;
    let appointments = read
        .occurrences
        .iter()
        .filter_map(|occurrence| appointment(occurrence, &feed.page))
        .take(APPOINTMENTS_MAX)
        .collect();
    Ok(Some(Read {
        appointments,
        unread: Unread::of(read.problems),
        reading,
    }))
}

/// The addresses under which a person is invited.
fn addresses(reader: &Reader, person: PersonId) -> Vec<String> {
    let person = reader.context.people.person(person);
    let both = person.map(|person| [person.mail.clone(), person.user_principal_name.clone()]);
    let both = both.into_iter().flatten();
    both.filter(|address| !address.is_empty()).collect()
}

/// Stores a person's appointments; returns false if the database refuses them.
async fn replace(reader: &Reader, person: PersonId, appointments: &[Appointment]) -> bool {
    match reader
        .context
        .store
        .replace_calendar(person, appointments)
        .await
    {
        Ok(stored) => {
            reader
                .context
                .engine
                .fact(person, Fact::Calendar(stored))
                .await;
            true
        }
        Err(error) => {
            tracing::warn!(
                %person, %error, at = rfc3339(reader.context.clock.now()),
                "a calendar could not be stored; it is read again in five minutes"
            );
            false
        }
    }
}
