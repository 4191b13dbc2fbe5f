//! All connections to the HTTP server: admits new ones, makes room, and closes those that take too long.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::task::AtomicWaker;
use runtime::{
    health::{Health, Part, Trouble},
    metrics::Metrics,
};
use tokio::{sync::Notify, time::Instant};

use super::{
    Limits, Link,
    state::{CloseReason, State, Worth},
};

/// Most bytes of strangers' unfinished requests; beyond it, the oldest of these connections are closed.
const UNFINISHED_MAX: usize = 64 * 1024 * 1024;
/// Connections for each one that is closed at a time when there is no room: a search for the oldest at every new
/// connection would take a core.
const SHARE: usize = 64;
/// Time for which a trouble is reported after its last occurrence.
const TROUBLE_LASTS: Duration = Duration::from_secs(10);
/// Interval at which connections that were closed to make room are logged.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// All connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Connections(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    health: Health,
    metrics: Arc<Metrics>,
    table: Mutex<Table>,
    /// Bytes of strangers' unfinished requests.
    unfinished: AtomicUsize,
    /// Notified when a connection that was to be closed is gone.
    closed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    open: HashMap<u64, Entry>,
    by_address: HashMap<IpAddr, usize>,
    /// Connections that are to be closed and still have their descriptors.
    closing: usize,
    next: u64,
    /// Last time at which no descriptor was left, with the error.
    exhausted: Option<(Instant, String)>,
    /// Last time at which there was no room and no connection to close.
    refused_at: Option<Instant>,
    /// Connections closed to make room since that was logged.
    made_room: usize,
    logged_at: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    link: Arc<Link>,
    /// The network that the connection counts for; `None`: a reverse proxy or this machine, which may act for many.
    owner: Option<IpAddr>,
}

/// The connections that may make room.
#[derive(Clone, Copy, Debug)]
enum Candidates {
    All,
    Of(IpAddr),
    Unfinished,
}

impl Connections {
    /// An empty table with these limits.
    pub fn new(limits: Limits, health: Health, metrics: Arc<Metrics>) -> Self {
        health.report(&Part::Connections, None);
        Self(Arc::new(Inner {
            limits,
            health,
            metrics,
            table: Mutex::default(),
            unfinished: AtomicUsize::new(0),
            closed: Notify::new(),
        }))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a new connection, if there is room or room can be made. `peer` is the network that it counts for.
    pub(super) fn admit(&self, peer: Option<IpAddr>, now: Instant) -> Option<Arc<Link>> {
        let mut table = self.table();
        if !self.make_room_of(&mut table, peer, now) || !self.make_room(&mut table, now) {
            table.refused_at = Some(now);
            self.count(CloseReason::Refused, 1);
            return None;
        }
        let number = table.next;
        table.next += 1;
        let link = Arc::new(Link {
            number,
            peer,
            connections: self.clone(),
            state: Mutex::new(State::new(now)),
            is_ended: AtomicBool::new(false),
            waker: AtomicWaker::new(),
        });
        let entry = Entry {
            link: link.clone(),
            owner: peer,
        };
        table.open.insert(number, entry);
        table.own(peer);
        self.0.metrics.connections.inc();
        Some(link)
    }

    fn make_room(&self, table: &mut Table, now: Instant) -> bool {
        table.open.len() < self.0.limits.http || self.evict(table, Candidates::All, now) > 0
    }

    fn make_room_of(&self, table: &mut Table, owner: Option<IpAddr>, now: Instant) -> bool {
        let Some(owner) = owner else { return true };
        let open = table.by_address.get(&owner).copied().unwrap_or_default();
        open < self.0.limits.http_by_address || self.evict(table, Candidates::Of(owner), now) > 0
    }

    /// Closes the connections that are worth least, the oldest first. Returns their number.
    fn evict(&self, table: &mut Table, from: Candidates, now: Instant) -> usize {
        let mut candidates: Vec<(Worth, Instant, u64)> = table
            .open
            .values()
            .filter(|entry| match from {
                Candidates::All | Candidates::Unfinished => true,
                Candidates::Of(owner) => entry.owner == Some(owner),
            })
            .filter_map(|entry| {
                let state = entry.link.state();
                let (worth, since) = state.worth()?;
                let is_wanted = match from {
                    Candidates::All => true,
                    // What an address has is answered before it gets more.
                    Candidates::Of(_) => worth != Worth::Answered,
                    Candidates::Unfinished => state.is_unfinished(),
                };
                is_wanted.then_some((worth, since, entry.link.number))
            })
            .collect();
        let most = match from {
            Candidates::All | Candidates::Unfinished => self.0.limits.http,
            Candidates::Of(_) => self.0.limits.http_by_address,
        };
        let wanted = (most / SHARE).clamp(1, candidates.len().max(1));
        if wanted < candidates.len() {
            candidates.select_nth_unstable(wanted);
            candidates.truncate(wanted);
        }
        // Those that rest between two requests of a person go one by one: most will ask again.
        if candidates
            .iter()
            .any(|(worth, ..)| *worth == Worth::Stranger)
        {
            candidates.retain(|(worth, ..)| *worth == Worth::Stranger);
        } else {
            candidates.sort_unstable();
            candidates.truncate(1);
        }
        for (_, _, number) in &candidates {
            self.end(table, *number, CloseReason::Room);
        }
        table.made_room += candidates.len();
        self.log(table, now);
        candidates.len()
    }

    fn end(&self, table: &mut Table, number: u64, reason: CloseReason) {
        if let Some(entry) = table.open.remove(&number) {
            table.disown(entry.owner);
            table.closing += 1;
            self.count(reason, 1);
            entry.link.end();
        }
    }

    /// Logs connections that were closed to make room: at once, then once a minute.
    fn log(&self, table: &mut Table, now: Instant) {
        let is_due = table.logged_at.is_none_or(|at| now >= at + LOG_INTERVAL);
        if table.made_room > 0 && is_due {
            tracing::warn!(
                closed = table.made_room,
                limit = self.0.limits.http,
                by_address = self.0.limits.http_by_address,
                "connections that waited for a stranger were closed to make room for others"
            );
            table.made_room = 0;
            table.logged_at = Some(now);
        }
    }

    fn count(&self, reason: CloseReason, connections: u64) {
        self.0.metrics.count_closed(reason.name(), connections);
    }

    /// Adds bytes of a stranger's unfinished request. Returns whether all of these are more than [`UNFINISHED_MAX`].
    pub(super) fn add_unfinished(&self, bytes: usize) -> bool {
        let before = self.0.unfinished.fetch_add(bytes, Ordering::Relaxed);
        bytes > 0 && before.saturating_add(bytes) > UNFINISHED_MAX
    }

    /// Closes connections with unfinished requests, the oldest first.
    pub(super) fn close_unfinished(&self, now: Instant) {
        self.evict(&mut self.table(), Candidates::Unfinished, now);
    }

    /// Subtracts bytes of a request that is complete or authenticated, or of a closed connection.
    pub(super) fn subtract_unfinished(&self, bytes: usize) {
        self.0.unfinished.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Counts the connection of a reverse proxy for the client of its request. Returns false if the client has too many.
    pub(super) fn assign_to(&self, link: &Link, address: IpAddr) -> bool {
        let owner = Some(sip::network(address));
        let mut table = self.table();
        if !self.make_room_of(&mut table, owner, Instant::now()) {
            self.count(CloseReason::Refused, 1);
            return false;
        }
        table.change_owner(link.number, owner);
        true
    }

    /// Counts the connection for its peer again.
    pub(super) fn assign_to_peer(&self, link: &Link) {
        if link.peer.is_none() {
            self.table().change_owner(link.number, None);
        }
    }

    /// Removes a connection after its stream was closed.
    pub(super) fn remove(&self, link: &Link) {
        let unfinished = link.state().take_unfinished();
        self.subtract_unfinished(unfinished);
        let mut table = self.table();
        match table.open.remove(&link.number) {
            Some(entry) => table.disown(entry.owner),
            None => {
                table.closing = table.closing.saturating_sub(1);
                self.0.closed.notify_one();
            }
        }
        self.0.metrics.connections.dec();
    }

    /// Whether a new connection may be accepted: those that are to be closed have released most descriptors.
    pub(super) fn may_accept(&self) -> bool {
        self.table().closing <= self.0.limits.http / SHARE
    }

    /// Returns when a connection that was to be closed is gone.
    pub(super) async fn one_closed(&self) {
        self.0.closed.notified().await;
    }

    /// Records that the operating system has no descriptor or no memory for a new connection, and makes room.
    pub(super) fn exhausted(&self, error: &io::Error, now: Instant) {
        let mut table = self.table();
        table.exhausted = Some((now, error.to_string()));
        self.0
            .health
            .report(&Part::Connections, self.trouble(&table, now));
        self.evict(&mut table, Candidates::All, now);
    }

    /// Closes connections that are overdue, and reports the health of the rest.
    pub(super) fn sweep(&self, now: Instant) {
        let mut table = self.table();
        let open = table.open.values();
        let overdue: Vec<(u64, CloseReason)> = open
            .filter_map(|entry| Some((entry.link.number, entry.link.state().overdue(now)?)))
            .collect();
        for (number, reason) in overdue {
            self.end(&mut table, number, reason);
        }
        self.log(&mut table, now);
        let trouble = self.trouble(&table, now);
        drop(table);
        self.0.health.report(&Part::Connections, trouble);
    }

    fn trouble(&self, table: &Table, now: Instant) -> Option<Trouble> {
        let is_recent = |at: Instant| now < at + TROUBLE_LASTS;
        let limit = self.0.limits.descriptors;
        let remedy = "raise the limit of open files (LimitNOFILE= of the systemd unit, ulimit -n), and look who opens so many connections";
        if let Some((_, error)) = table.exhausted.as_ref().filter(|(at, _)| is_recent(*at)) {
            return Some(Trouble {
                what: format!(
                    "a new connection could not be accepted: {error}; {limit} open files are allowed"
                ),
                remedy: remedy.into(),
            });
        }
        table.refused_at.filter(|at| is_recent(*at)).map(|_| Trouble {
            what: format!(
                "new connections were refused: {} of all, or {} from one address, are in use, as {limit} open files allow",
                self.0.limits.http, self.0.limits.http_by_address
            ),
            remedy: remedy.into(),
        })
    }
}

impl Table {
    fn own(&mut self, owner: Option<IpAddr>) {
        if let Some(owner) = owner {
            *self.by_address.entry(owner).or_default() += 1;
        }
    }

    fn disown(&mut self, owner: Option<IpAddr>) {
        let Some(owner) = owner else { return };
        if let Some(count) = self.by_address.get_mut(&owner) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&owner);
            }
        }
    }

    fn change_owner(&mut self, number: u64, owner: Option<IpAddr>) {
        let Some(entry) = self.open.get_mut(&number) else {
            return;
        };
        let before = std::mem::replace(&mut entry.owner, owner);
        self.disown(before);
        self.own(owner);
    }
}

#[cfg(test)]
mod tests {
    use super::{super::state::Phase, *};

    fn connections(descriptors: usize) -> (Connections, Health) {
        let health = Health::default();
        let limits = Limits::new(descriptors);
        let connections = Connections::new(limits, health.clone(), Arc::default());
        (connections, health)
    }

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn the_oldest_stranger_makes_room_and_one_address_has_half() {
        let (connections, _) = connections(64);
        let start = Instant::now();
        let admit = |peer, second| connections.admit(peer, start + Duration::from_secs(second));
        let links: Vec<_> = (0..24).map(|at| admit(None, at).unwrap()).collect();
        let newest = admit(None, 30).unwrap();
        let ended: Vec<bool> = links.iter().map(|link| link.is_ended()).collect();
        assert_eq!(ended.iter().filter(|ended| **ended).count(), 1);
        assert!(ended[0] && !newest.is_ended());
        // Twelve of one address; the thirteenth takes the place of its own first.
        let of_one: Vec<_> = (40..53).map(|at| admit(address(1), at).unwrap()).collect();
        assert!(of_one[0].is_ended());
        assert_eq!(of_one.iter().filter(|link| link.is_ended()).count(), 1);
        for link in links.iter().chain(&of_one).chain([&newest]) {
            connections.remove(link);
        }
        let table = connections.table();
        assert!(table.open.is_empty() && table.by_address.is_empty());
        assert_eq!(table.closing, 0);
    }

    #[test]
    fn answers_to_people_make_no_room_and_a_refusal_is_a_trouble_for_ten_seconds() {
        let (connections, health) = connections(64);
        let start = Instant::now();
        let links: Vec<_> = (0..24)
            .map(|_| connections.admit(None, start).unwrap())
            .collect();
        for link in &links {
            link.state().begin(Phase::Answer, start);
            link.state().mark_authenticated();
        }
        assert!(connections.admit(None, start).is_none());
        let trouble = |after| {
            connections.sweep(start + Duration::from_secs(after));
            health.parts()[&Part::Connections].clone()
        };
        assert!(trouble(1).unwrap().what.contains("24 of all"));
        assert_eq!(trouble(11), None);
    }

    #[test]
    fn a_stranger_that_is_answered_all_the_time_makes_room_as_a_last_resort() {
        let (connections, _) = connections(64);
        let start = Instant::now();
        let links: Vec<_> = (0..24)
            .map(|_| connections.admit(None, start).unwrap())
            .collect();
        for link in &links {
            link.state().begin(Phase::Answer, start);
        }
        assert!(connections.admit(None, start).is_some());
    }

    #[test]
    fn a_lack_of_descriptors_is_a_trouble_for_ten_seconds() {
        let (connections, health) = connections(64);
        let start = Instant::now();
        connections.exhausted(&io::Error::from_raw_os_error(24), start);
        let trouble = health.parts()[&Part::Connections].clone().unwrap();
        assert!(trouble.what.contains("Too many open files"), "{trouble:?}");
        connections.sweep(start + Duration::from_secs(11));
        assert_eq!(health.parts()[&Part::Connections], None);
    }

    #[test]
    fn requests_through_a_proxy_count_for_the_client() {
        let (connections, _) = connections(64);
        let start = Instant::now();
        let links: Vec<_> = (0..14)
            .map(|_| connections.admit(None, start).unwrap())
            .collect();
        let client = address(7).unwrap();
        let taken = links.iter().map(|link| {
            link.state().begin(Phase::Answer, start);
            connections.assign_to(link, client)
        });
        assert_eq!(taken.filter(|taken| *taken).count(), 12);
        connections.assign_to_peer(&links[0]);
        assert!(connections.assign_to(&links[13], client));
    }

    #[test]
    fn the_bytes_of_unfinished_requests_are_limited() {
        let (connections, _) = connections(64);
        let start = Instant::now();
        let links: Vec<_> = (0..20)
            .map(|_| connections.admit(None, start).unwrap())
            .collect();
        for link in &links {
            let bytes = link.state().read(4 * 1024 * 1024, start);
            if connections.add_unfinished(bytes) {
                connections.close_unfinished(start);
            }
        }
        let ended = links.iter().filter(|link| link.is_ended()).count();
        assert!((1..=4).contains(&ended), "{ended}");
    }
}
