//! Sweep: reads the presence of all people of a tenant at the polling interval, with its requests spread over the interval.
//! While writes need the request budget, a sweep takes up to three times as long; people who are watched, ringing or in a call
//! are then read beside it once a second, in turn where there are too many of them.

use std::{
    sync::{PoisonError, atomic::Ordering},
    time::Duration,
};

use graph::{
    ACTIVE_PEOPLE_MAX, BULK_MAX, GraphError, Presences, Purpose, SLOWDOWN_MAX, SWEEP_INTERVAL_MIN,
    UserPresence, sweep_interval,
};
use presence::{
    Fact, Input, PersonId, SequenceNumber, TeamsAnswer, TeamsState, TeamsUserId, Timestamp,
};
use runtime::{engine_handle::Cause, health::TeamsPart, trace_id::new_trace_id};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::Instant,
};
use tracing::{Instrument, debug_span};

use super::{Tenant, logins::Logins, network_time, reads::Turns};

/// Pause while no person is synchronised with Teams.
const IDLE_INTERVAL: Duration = Duration::from_millis(500);

/// Requests a whole sweep at once. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SweepNow(mpsc::Sender<oneshot::Sender<()>>);

impl SweepNow {
    /// Sweeps, and returns when all people have been read.
    pub async fn sweep(&self) {
        let (done, wait) = oneshot::channel();
        if self.0.send(done).await.is_ok() {
            let _ = wait.await;
        }
    }
}

impl Tenant {
    /// Reads single people on request, until the task is dropped.
    pub async fn read_asked(self) {
        loop {
            let asked = self.reads.next_requested().await;
            let accounts = self.taken(self.accounts(asked));
            self.read_all(&accounts, Purpose::ReadFew).await;
        }
    }

    /// Reads people in a call and watched people once a second while a sweep takes longer, until the task is dropped.
    pub async fn read_eventful(self) {
        let most = self.few_at_once();
        let mut turns = Turns::default();
        loop {
            tokio::time::sleep(SWEEP_INTERVAL_MIN).await;
            self.reads
                .retain(|person| self.context.people.person(person).is_some());
            let sweep_interval = Duration::from_millis(self.sweep_interval.load(Ordering::Relaxed));
            // With a tolerance for timers.
            if sweep_interval > SWEEP_INTERVAL_MIN * 5 / 4 {
                let few = self
                    .reads
                    .few(most, |person| self.is_read(person), &mut turns);
                let accounts = self.taken(self.accounts(few));
                self.read_all(&accounts, Purpose::ReadFew).await;
            }
        }
    }

    /// A channel of requests for sweeps.
    pub fn sweeper() -> (SweepNow, mpsc::Receiver<oneshot::Sender<()>>) {
        let (sender, receiver) = mpsc::channel(1);
        (SweepNow(sender), receiver)
    }

    /// Sweeps until the task is dropped. The polling interval is one of the network's time, not of the server's clock, which
    /// tests drive by hand.
    pub async fn sweep(self, mut requested: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut last_began = Instant::now();
        loop {
            let began = Instant::now();
            let mut waiting = None;
            self.report_missing();
            self.report_unreadable();
            self.report_ended_logins().await;
            let (taken, refused) = self.begin_reading(self.swept_people());
            let people = taken.len() + refused.len();
            let period = if people == 0 {
                IDLE_INTERVAL
            } else {
                self.interval(people)
            };
            // Refused accounts that are due are in requests of their own: they must not fail those about others.
            let chunks: Vec<Vec<TeamsUserId>> = [taken, refused]
                .iter()
                .flat_map(|accounts| accounts.chunks(self.people_per_request()))
                .map(<[TeamsUserId]>::to_vec)
                .collect();
            // The last sweep took longer if writes needed the budget.
            let interval = (began - last_began).max(period);
            last_began = began;
            self.record_interval(interval, chunks.len(), period * SLOWDOWN_MAX);
            let mut requests = JoinSet::new();
            let count = u32::try_from(chunks.len()).unwrap_or(1);
            for (index, chunk) in chunks.into_iter().enumerate() {
                let due = began + period * u32::try_from(index).unwrap_or(0) / count;
                if waiting.is_none() {
                    tokio::select! {
                        () = tokio::time::sleep_until(due) => {}
                        Some(done) = requested.recv() => waiting = Some(done),
                    }
                }
                self.afford(Purpose::ReadAll).await;
                let tenant = self.clone();
                requests.spawn(async move { tenant.read(&chunk, Purpose::ReadAll).await });
            }
            // A slow service lengthens the interval; two sweeps never overlap.
            let results = requests.join_all().await;
            self.report_sweep(people, results.into_iter().all(|is_read| is_read));
            match waiting {
                Some(done) => {
                    let _ = done.send(());
                }
                None => tokio::select! {
                    () = tokio::time::sleep_until(began + period) => {}
                    // The request asks for all people: the next sweep begins at once.
                    Some(done) = requested.recv() => {
                        self.sweep_once().await;
                        let _ = done.send(());
                    }
                },
            }
        }
    }

    /// Publishes the interval of the last sweep, and reserves budget for the next: `requests` within `slowest`.
    fn record_interval(&self, interval: Duration, requests: usize, slowest: Duration) {
        self.budget()
            .guarantee_sweep(network_time(), requests, slowest);
        let milliseconds = u64::try_from(interval.as_millis()).unwrap_or(u64::MAX);
        self.sweep_interval.store(milliseconds, Ordering::Relaxed);
        self.context
            .metrics
            .set_sweep_interval(&self.name, interval);
        self.record_budget();
    }

    /// The people in one request.
    fn people_per_request(&self) -> usize {
        if self.logins.is_some() { 1 } else { BULK_MAX }
    }

    /// The polling interval with this number of people.
    fn interval(&self, people: usize) -> Duration {
        sweep_interval(
            people.saturating_mul(BULK_MAX / self.people_per_request()),
            self.limit,
        )
    }

    async fn sweep_once(&self) {
        let (taken, refused) = self.begin_reading(self.swept_people());
        let people = taken.len() + refused.len();
        let mut is_read = true;
        for accounts in [taken, refused] {
            is_read &= self.read_all(&accounts, Purpose::ReadAll).await;
        }
        self.report_sweep(people, is_read);
    }

    /// Reports the health of reading after a sweep. A failure was reported at once, and lasts until all people are read.
    fn report_sweep(&self, people: usize, is_read: bool) {
        if self.logins.is_some() {
            self.report_personal(people);
        } else if is_read && people > 0 {
            self.report(TeamsPart::Sweep, None);
        }
    }

    /// Reads accounts one request after the other, as the budget allows. Returns whether all are read.
    async fn read_all(&self, ids: &[TeamsUserId], purpose: Purpose) -> bool {
        let mut is_read = true;
        for chunk in ids.chunks(self.people_per_request()) {
            self.afford(purpose).await;
            is_read &= self.read(chunk, purpose).await;
        }
        is_read
    }

    /// The Teams accounts to read: those of people who are synchronised.
    fn swept_people(&self) -> Vec<TeamsUserId> {
        let ids = self
            .context
            .people
            .teams_ids(|person| self.serves(person) && self.has_login(person.id));
        if ids.is_empty() {
            self.report(TeamsPart::Sweep, None);
        }
        ids
    }

    /// Whether the login to read a person with exists.
    fn has_login(&self, person: PersonId) -> bool {
        let signed_in = |logins: &Logins| logins.signed_in(person);
        self.logins.as_ref().is_none_or(signed_in)
    }

    /// Whether the sweep reads a person: served here, with an account and, where people sign in, a login.
    pub(super) fn is_read(&self, person: PersonId) -> bool {
        let person = self.context.people.person(person);
        person.is_some_and(|person| {
            person.teams_id.is_some() && self.serves(&person) && self.has_login(person.id)
        })
    }

    /// Reads the people of one request. Returns whether all are read, apart from accounts that are left out from now on.
    async fn read(&self, ids: &[TeamsUserId], purpose: Purpose) -> bool {
        let Some(logins) = &self.logins else {
            return self.read_many(ids, purpose).await;
        };
        let asked_at = self.context.clock.now();
        let trace = new_trace_id();
        let span = debug_span!("graph.read", trace_id = %trace, source = "teams", otel.kind = "client", http.request.method = "POST", tenant = %self.name, people = ids.len());
        let read = self.read_each(logins, ids, trace).instrument(span).await;
        let received = Instant::now();
        let inputs = self.inputs(read.presences, asked_at);
        self.context
            .engine
            .inputs(inputs, Cause::Graph(received, trace))
            .await;
        // Single people's failures are reported for all together.
        true
    }

    async fn read_many(&self, ids: &[TeamsUserId], purpose: Purpose) -> bool {
        let Err(error) = self.request(ids).await else {
            return true;
        };
        if self.read_halved(ids, &error, purpose).await {
            return true;
        }
        self.report_failure(TeamsPart::Sweep, &error);
        false
    }

    /// Reads people with one request.
    pub(super) async fn request(&self, ids: &[TeamsUserId]) -> Result<(), GraphError> {
        const CALL: &str = "getPresencesByUserId";
        let asked_at = (self.context.clock.now(), network_time());
        let names: Vec<&str> = ids.iter().map(TeamsUserId::as_str).collect();
        let trace = new_trace_id();
        let span = debug_span!("graph.read", trace_id = %trace, source = "teams", otel.kind = "client", http.request.method = "POST", tenant = %self.name, people = ids.len());
        let read = self.client.presences(&names, Some(trace.bits().into()));
        let result = read.instrument(span).await;
        let received = Instant::now();
        self.count(CALL, result.as_ref().map(|_| ()));
        let read: Presences = result?;
        self.accept(ids);
        for skipped in &read.skipped {
            self.context
                .metrics
                .count_skipped(CALL, skipped.fault.label());
        }
        let mut inputs = self.left_out(ids, &read, asked_at);
        inputs.extend(self.inputs(read.presences, asked_at.0));
        self.context
            .engine
            .inputs(inputs, Cause::Graph(received, trace))
            .await;
        Ok(())
    }

    /// The interval at which people with a write of Offhook in Teams are read: once a second while there is room for all
    /// people in a call, else with the sweep.
    fn interval_in_a_call(&self) -> Duration {
        let is_read = |person| self.is_read(person);
        if self.reads.all_eventful_fit(self.few_at_once(), is_read) {
            SWEEP_INTERVAL_MIN
        } else {
            Duration::from_millis(self.sweep_interval.load(Ordering::Relaxed))
                .max(SWEEP_INTERVAL_MIN)
        }
    }

    /// The number of people who are read beside the sweep.
    fn few_at_once(&self) -> usize {
        ACTIVE_PEOPLE_MAX / BULK_MAX * self.people_per_request()
    }

    /// Compares a state with the last one, for the check of Graph's notifications.
    fn compare(&self, person: PersonId, state: &TeamsState) {
        if self.changes.is_none() {
            return;
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let before = shown.insert(person, state.clone());
        if before.is_some_and(|before| before != *state) {
            self.changed(person);
        }
    }

    /// The inputs for the engine that an answer makes.
    fn inputs(&self, presences: Vec<UserPresence>, asked_at: Timestamp) -> Vec<Input> {
        let tenant_lag = self.reads.lag().of(self.interval_in_a_call());
        let inputs = presences.into_iter().filter_map(|presence| {
            let person = self
                .context
                .people
                .by_teams_id(&TeamsUserId::new(&presence.id))?;
            let state = TeamsState::new(&presence.availability, &presence.activity);
            self.compare(person, &state);
            let sequence = presence.sequence_number.as_deref();
            let answer = TeamsAnswer {
                state,
                asked_at,
                sequence: sequence.and_then(SequenceNumber::new),
                tenant_lag,
            };
            Some(Input::Person(person, Fact::TeamsObserved(answer)))
        });
        inputs.collect()
    }
}
