//! The server's metrics, in the text format of OpenMetrics.

mod latency;

use std::{sync::atomic::AtomicU64, time::Duration};

pub use latency::{Histogram, Latency};
use presence::TenantName;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

/// Labels of a Graph request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct RequestLabels {
    /// Graph's name of the call.
    pub call: String,
    /// `ok`, or the kind of failure.
    pub outcome: String,
}

/// Labels of an element of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ElementLabels {
    /// Graph's name of the call.
    pub call: String,
    /// Reason of the skip.
    pub reason: String,
}

/// Labels of a change notification.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct NotificationLabels {
    /// `taken`, `lifecycle`, or the reason of the drop.
    pub outcome: String,
}

/// Outcome of a change notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotificationOutcome {
    /// It caused an early read.
    Taken,
    /// It is about its subscription.
    Lifecycle,
    /// It was dropped.
    Dropped(graph::notification::DropReason),
}

/// Labels of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct SignInLabels {
    /// Kind of the credential: `password`, `link`, `api_key`, …
    pub way: String,
    /// `signed_in`, `wrong` or `too_many`.
    pub outcome: String,
}

/// Labels of a closed connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ClosedLabels {
    /// Reason: a time limit, or room for another connection.
    pub reason: String,
}

/// Label of a tenant.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct TenantLabels {
    /// The tenant's name in the configuration.
    pub tenant: String,
}

/// All metrics.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Seconds from a PBX event until the Graph request is sent.
    pub pbx_to_graph: Latency,
    /// Seconds from Graph's answer until the event is in the clients' streams.
    pub teams_to_event: Latency,
    /// Requests to Graph.
    pub graph_requests: Family<RequestLabels, Counter>,
    /// Interval of a tenant's sweep, in seconds.
    sweep_interval: Family<TenantLabels, Gauge<f64, AtomicU64>>,
    /// Requests that were sent to a tenant in the last 30 seconds.
    budget_sent: Family<TenantLabels, Gauge>,
    /// Requests that may be sent to a tenant in 30 seconds; 0: no limit.
    budget_limit: Family<TenantLabels, Gauge>,
    /// Elements of Graph's answers that could not be read.
    skipped_elements: Family<ElementLabels, Counter>,
    /// Teams accounts of a tenant that are missing from complete answers.
    missing_accounts: Family<TenantLabels, Gauge>,
    /// Teams accounts of a tenant for which Graph refuses requests.
    refused_accounts: Family<TenantLabels, Gauge>,
    /// Writes to a tenant that wait for its budget.
    backlog_writes: Family<TenantLabels, Gauge>,
    /// Age in seconds of the oldest write that waits for a tenant's budget.
    backlog_age: Family<TenantLabels, Gauge>,
    /// People with a write to Teams that waits or is in flight.
    pub pending_writes: Gauge,
    /// Seconds that a read of Graph waits for a token of the budget.
    pub budget_wait: Latency,
    /// Seconds that a write waits for the budget, for the answer to an earlier write, or for the end of an outage.
    pub write_wait: Latency,
    /// Change notifications of Graph by outcome.
    pub notifications: Family<NotificationLabels, Counter>,
    /// Open event streams.
    pub streams: Gauge,
    /// Connected desktop agents.
    pub agents: Gauge,
    /// Open connections to the HTTP server.
    pub connections: Gauge,
    /// Connections that the server closed, by reason.
    connections_closed: Family<ClosedLabels, Counter>,
    /// Sign-ins and refusals.
    sign_ins: Family<SignInLabels, Counter>,
    /// People.
    pub people: Gauge,
    /// Pauses of writes by the loop breaker.
    pub loop_breaker: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("offhook");
        let pbx_to_graph = Latency::default();
        let teams_to_event = Latency::default();
        registry.register_with_unit(
            "pbx_event_to_graph_request",
            "Time from a PBX event until the Graph request is sent",
            Unit::Seconds,
            pbx_to_graph.clone(),
        );
        registry.register_with_unit(
            "teams_answer_to_event",
            "Time from Graph's answer until the change is in the clients' streams, which may collect it for 50 ms",
            Unit::Seconds,
            teams_to_event.clone(),
        );
        let budget_wait = Latency::default();
        registry.register_with_unit(
            "graph_budget_wait",
            "Time that reads of Graph wait for the tenant's budget",
            Unit::Seconds,
            budget_wait.clone(),
        );
        let write_wait = Latency::default();
        registry.register_with_unit(
            "graph_write_wait",
            "Time that writes to Graph wait for the tenant's budget, an earlier write or the end of an outage",
            Unit::Seconds,
            write_wait.clone(),
        );
        let metrics = Self {
            budget_wait,
            write_wait,
            pbx_to_graph,
            teams_to_event,
            graph_requests: Family::default(),
            notifications: Family::default(),
            sweep_interval: Family::default(),
            budget_sent: Family::default(),
            budget_limit: Family::default(),
            skipped_elements: Family::default(),
            missing_accounts: Family::default(),
            refused_accounts: Family::default(),
            backlog_writes: Family::default(),
            backlog_age: Family::default(),
            pending_writes: Gauge::default(),
            streams: Gauge::default(),
            agents: Gauge::default(),
            connections: Gauge::default(),
            connections_closed: Family::default(),
            sign_ins: Family::default(),
            people: Gauge::default(),
            loop_breaker: Counter::default(),
            registry: Registry::default(),
        };
        registry.register(
            "notifications",
            "Change notifications of Graph, by outcome",
            metrics.notifications.clone(),
        );
        registry.register(
            "graph_requests",
            "Requests to Graph by call and outcome",
            metrics.graph_requests.clone(),
        );
        registry.register_with_unit(
            "sweep_interval",
            "Interval at which all people of a tenant are read",
            Unit::Seconds,
            metrics.sweep_interval.clone(),
        );
        register_budget(&mut registry, &metrics);
        registry.register(
            "pending_writes",
            "People with a write to Teams that waits or is in flight",
            metrics.pending_writes.clone(),
        );
        register_clients(&mut registry, &metrics);
        registry.register("people", "People with a presence", metrics.people.clone());
        registry.register(
            "loop_breaker_pauses",
            "Pauses of writes by the loop breaker",
            metrics.loop_breaker.clone(),
        );
        Self {
            registry,
            ..metrics
        }
    }
}

/// Registers the metrics of request budgets and backlogs.
fn register_budget(registry: &mut Registry, metrics: &Metrics) {
    registry.register(
        "graph_budget_sent",
        "Requests that were sent to a tenant in the last 30 seconds",
        metrics.budget_sent.clone(),
    );
    registry.register(
        "graph_budget_limit",
        "Requests that may be sent to a tenant in 30 seconds; 0: no limit",
        metrics.budget_limit.clone(),
    );
    registry.register(
        "graph_backlog_writes",
        "Writes to a tenant that wait for its budget",
        metrics.backlog_writes.clone(),
    );
    registry.register_with_unit(
        "graph_backlog_age",
        "Age of the oldest write that waits for a tenant's budget",
        Unit::Seconds,
        metrics.backlog_age.clone(),
    );
}

/// Registers the metrics of connections, sign-ins and missing accounts.
fn register_clients(registry: &mut Registry, metrics: &Metrics) {
    registry.register(
        "event_streams",
        "Open event streams",
        metrics.streams.clone(),
    );
    registry.register(
        "teams_accounts_missing",
        "Teams accounts that are missing from Microsoft's answers",
        metrics.missing_accounts.clone(),
    );
    registry.register(
        "teams_accounts_refused",
        "Teams accounts for which Graph refuses requests: they are left out of the sweep and tried again",
        metrics.refused_accounts.clone(),
    );
    registry.register(
        "graph_elements_skipped",
        "Elements of Graph's answers that could not be read, by reason",
        metrics.skipped_elements.clone(),
    );
    registry.register("agents", "Connected desktop agents", metrics.agents.clone());
    registry.register(
        "http_connections",
        "Open connections to the HTTP server",
        metrics.connections.clone(),
    );
    registry.register(
        "http_connections_closed",
        "Connections that the server closed or refused, by reason",
        metrics.connections_closed.clone(),
    );
    registry.register(
        "sign_ins",
        "Sign-ins and refusals, by kind of credential and outcome",
        metrics.sign_ins.clone(),
    );
}

/// The gauge of one tenant.
fn of_tenant(family: &Family<TenantLabels, Gauge>, tenant: &TenantName) -> Gauge {
    let tenant = tenant.to_string();
    family.get_or_create(&TenantLabels { tenant }).clone()
}

impl Metrics {
    /// Sets the interval of a tenant's sweep.
    pub fn set_sweep_interval(&self, tenant: &TenantName, interval: Duration) {
        let tenant = tenant.to_string();
        let gauge = self.sweep_interval.get_or_create(&TenantLabels { tenant });
        gauge.set(interval.as_secs_f64());
    }

    /// Interval of a tenant's sweep, in seconds; 0 before the first sweep.
    pub fn sweep_interval(&self, tenant: &TenantName) -> f64 {
        let tenant = tenant.to_string();
        self.sweep_interval
            .get_or_create(&TenantLabels { tenant })
            .get()
    }

    /// Sets the number of Teams accounts of a tenant that are missing from Microsoft's answers.
    pub fn set_missing_accounts(&self, tenant: &TenantName, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        of_tenant(&self.missing_accounts, tenant).set(count);
    }

    /// Sets the number of Teams accounts of a tenant for which Graph refuses requests.
    pub fn set_refused_accounts(&self, tenant: &TenantName, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        of_tenant(&self.refused_accounts, tenant).set(count);
    }

    /// Counts an element of an answer that could not be read.
    pub fn count_skipped(&self, call: &str, reason: &str) {
        let labels = ElementLabels {
            call: call.into(),
            reason: reason.into(),
        };
        self.skipped_elements.get_or_create(&labels).inc();
    }

    /// Sets a tenant's budget: requests in the last 30 seconds, and their limit.
    pub fn set_budget(&self, tenant: &TenantName, sent: u32, limit: Option<u32>) {
        let limit = i64::from(limit.unwrap_or_default());
        of_tenant(&self.budget_sent, tenant).set(i64::from(sent));
        of_tenant(&self.budget_limit, tenant).set(limit);
    }

    /// A tenant's budget: requests in the last 30 seconds, and their limit (0: none).
    pub fn budget(&self, tenant: &TenantName) -> (i64, i64) {
        let [sent, limit] =
            [&self.budget_sent, &self.budget_limit].map(|family| of_tenant(family, tenant).get());
        (sent, limit)
    }

    /// Sets the gauges of a tenant's backlog.
    pub fn set_backlog(&self, tenant: &TenantName, backlog: graph::Backlog) {
        let writes = i64::try_from(backlog.writes).unwrap_or(i64::MAX);
        let seconds = i64::try_from(backlog.oldest.as_secs()).unwrap_or(i64::MAX);
        of_tenant(&self.backlog_writes, tenant).set(writes);
        of_tenant(&self.backlog_age, tenant).set(seconds);
    }

    /// A tenant's backlog: number of writes, and age of the oldest in seconds.
    pub fn backlog(&self, tenant: &TenantName) -> (i64, i64) {
        let [writes, seconds] =
            [&self.backlog_writes, &self.backlog_age].map(|family| of_tenant(family, tenant).get());
        (writes, seconds)
    }

    /// All metrics in the text format of OpenMetrics.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    /// Counts notifications.
    pub fn count_notifications(&self, outcome: NotificationOutcome, count: u64) {
        if count > 0 {
            let outcome = match outcome {
                NotificationOutcome::Taken => "taken",
                NotificationOutcome::Lifecycle => "lifecycle",
                NotificationOutcome::Dropped(reason) => reason.name(),
            };
            let labels = NotificationLabels {
                outcome: outcome.to_owned(),
            };
            self.notifications.get_or_create(&labels).inc_by(count);
        }
    }

    /// Counts connections that the server closed or refused.
    pub fn count_closed(&self, reason: &str, count: u64) {
        let labels = ClosedLabels {
            reason: reason.to_owned(),
        };
        self.connections_closed.get_or_create(&labels).inc_by(count);
    }

    /// Counts a sign-in or a refusal.
    pub fn count_sign_in(&self, way: &str, outcome: &str) {
        let labels = SignInLabels {
            way: way.to_owned(),
            outcome: outcome.to_owned(),
        };
        self.sign_ins.get_or_create(&labels).inc();
    }

    /// Counts a request to Graph.
    pub fn count_request(&self, call: &str, outcome: &str) {
        let labels = RequestLabels {
            call: call.into(),
            outcome: outcome.into(),
        };
        self.graph_requests.get_or_create(&labels).inc();
    }
}

/// Raises a gauge by one until it is dropped.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Counted {
    /// Raises the gauge.
    pub fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
