//! The task that sends spans to the collector.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

use crate::{layer::SpanLayer, settings::Settings, span::Span, wire};

/// Spans that may wait, below 1 MiB of memory. With a full queue further ones are dropped.
const QUEUE_MAX: usize = 2_048;
/// Spans in one request.
const BATCH_MAX: usize = 512;
/// Longest wait for further spans before a request.
const BATCH_DELAY: Duration = Duration::from_secs(1);
/// Timeout of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest delay of the end of the program.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The running export.
#[derive(Debug)]
pub struct Exporter {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Starts the export, in a task of the present tokio runtime. The layer belongs into the subscriber.
pub fn start(settings: Settings) -> (SpanLayer, Exporter) {
    let (queue, spans) = mpsc::channel(QUEUE_MAX);
    let dropped = Arc::<AtomicU64>::default();
    let (stop, stopping) = oneshot::channel();
    let task = Task {
        settings,
        http: reqwest::Client::new(),
        spans,
        dropped: dropped.clone(),
        is_failing: false,
    };
    let task = tokio::spawn(task.run(stopping));
    (SpanLayer::new(queue, dropped), Exporter { stop, task })
}

impl Exporter {
    /// Sends the spans that wait and ends the export, within two seconds.
    pub async fn stop(self) {
        let _ = self.stop.send(());
        let abort = self.task.abort_handle();
        if timeout(STOP_TIMEOUT, self.task).await.is_err() {
            abort.abort();
        }
    }
}

struct Task {
    settings: Settings,
    http: reqwest::Client,
    spans: mpsc::Receiver<Span>,
    dropped: Arc<AtomicU64>,
    /// The last request failed, and a warning is in the log.
    is_failing: bool,
}

impl Task {
    async fn run(mut self, mut stopping: oneshot::Receiver<()>) {
        let mut batch = Vec::new();
        loop {
            let is_stopping = tokio::select! {
                _ = &mut stopping => true,
                () = collect(&mut self.spans, &mut batch) => false,
            };
            if is_stopping {
                while let Ok(span) = self.spans.try_recv() {
                    batch.push(span);
                }
            }
            for spans in batch.chunks(BATCH_MAX) {
                let sent = self.send(spans).await;
                self.report(spans.len(), sent);
            }
            batch.clear();
            if is_stopping {
                return;
            }
        }
    }

    async fn send(&self, spans: &[Span]) -> Result<(), String> {
        let mut request = self
            .http
            .post(&self.settings.url)
            .timeout(REQUEST_TIMEOUT)
            .header("content-type", "application/x-protobuf")
            .body(wire::request(&self.settings.service, spans));
        for (name, value) in &self.settings.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await;
        let answer = answer.map_err(|error| error.without_url().to_string())?;
        match answer.status() {
            status if status.is_success() => Ok(()),
            status => Err(format!("the collector answered {status}")),
        }
    }

    /// Reports the first failure and the recovery, so that an outage is two lines of the log.
    fn report(&mut self, spans: usize, sent: Result<(), String>) {
        match sent {
            Ok(()) if self.is_failing => {
                self.is_failing = false;
                let dropped = self.dropped.swap(0, Ordering::Relaxed);
                tracing::info!(dropped, "spans are exported again");
            }
            Ok(()) => {}
            Err(error) => {
                self.dropped.fetch_add(spans as u64, Ordering::Relaxed);
                if !self.is_failing {
                    self.is_failing = true;
                    tracing::warn!(
                        error,
                        "spans cannot be exported and are dropped; check OTEL_EXPORTER_OTLP_ENDPOINT and the collector"
                    );
                }
            }
        }
    }
}

/// Waits for a span, then until a batch is full or [`BATCH_DELAY`] has passed. Without a layer it never completes.
async fn collect(spans: &mut mpsc::Receiver<Span>, batch: &mut Vec<Span>) {
    match spans.recv().await {
        Some(span) => batch.push(span),
        None => std::future::pending().await,
    }
    let deadline = Instant::now() + BATCH_DELAY;
    while batch.len() < BATCH_MAX
        && let Ok(Some(span)) = timeout_at(deadline, spans.recv()).await
    {
        batch.push(span);
    }
}
