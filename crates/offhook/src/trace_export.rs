//! Export of traces to an OpenTelemetry collector, with the SDK of OpenTelemetry and its standard environment variables.
//!
//! Spans of one trace are in different tasks, so that their trace does not follow from the nesting of `tracing` spans. A field
//! `trace_id` names it. A span with a field `source` begins its trace: its id is the second half of the trace id, and the parent
//! of all other spans of the trace. A field `error` marks a span as failed.

use std::{
    env,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::anyhow;
use opentelemetry::{
    KeyValue,
    trace::{SpanContext, SpanId, Status, TraceId, TracerProvider},
};
use opentelemetry_otlp::{
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT, WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
    trace::{Sampler, SdkTracer, SdkTracerProvider, SpanData, SpanExporter},
};
use tracing::{Metadata, Subscriber};
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

const TRACE_ID: &str = "trace_id";
/// Longest delay of the end of the program.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The running export. Spans wait for it in a queue of the SDK, and a thread of the SDK sends them.
#[derive(Debug)]
pub(crate) struct TraceExport(SdkTracerProvider);

impl TraceExport {
    /// Starts the export if the environment names a collector.
    ///
    /// # Errors
    /// A variable of the environment is not usable, such as the address of the collector.
    pub(crate) fn from_environment() -> anyhow::Result<Option<Self>> {
        let addresses = [
            OTEL_EXPORTER_OTLP_ENDPOINT,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
        ];
        let is_set = |name| env::var(name).is_ok_and(|address| !address.trim().is_empty());
        if !addresses.into_iter().any(is_set) {
            return Ok(None);
        }
        // The client has a runtime of its own, which must not be made on a thread of this program's runtime.
        let client = std::thread::spawn(http_client).join();
        let client =
            client.map_err(|_| anyhow!("the HTTP client of the trace export was not made"))??;
        let collector = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .build()
            // Without the cause, which repeats the address: it may hold a password.
            .map_err(|_| {
                anyhow!("OTEL_EXPORTER_OTLP_ENDPOINT is no address of a collector; expected for example http://127.0.0.1:4318")
            })?;
        let provider = SdkTracerProvider::builder()
            .with_resource(resource())
            // The SDK would decide for each span of a trace, and by an id that is not the trace's.
            .with_sampler(Sampler::AlwaysOn)
            .with_batch_exporter(ByTraceId::new(collector))
            .build();
        Ok(Some(Self(provider)))
    }

    /// The layer that hands spans with a trace id to the export. The log's level makes no difference to it.
    pub(crate) fn layer<S>(&self) -> impl Layer<S> + Send + Sync + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
    {
        layer(self.0.tracer("offhook"))
    }

    /// Sends the spans that wait and ends the export, within two seconds.
    pub(crate) async fn stop(self) {
        // A failure of the export is in the log, and does not keep the program from ending.
        let _ =
            tokio::task::spawn_blocking(move || self.0.shutdown_with_timeout(STOP_TIMEOUT)).await;
    }
}

/// A client that follows no redirection: it would take the headers of `OTEL_EXPORTER_OTLP_HEADERS` to another host.
fn http_client() -> reqwest::Result<reqwest::blocking::Client> {
    let timeout = [
        OTEL_EXPORTER_OTLP_TRACES_TIMEOUT,
        OTEL_EXPORTER_OTLP_TIMEOUT,
    ]
    .into_iter()
    .find_map(|name| env::var(name).ok()?.trim().parse().ok())
    .map_or(OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT, Duration::from_millis);
    reqwest::blocking::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(timeout)
        .build()
}

/// `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` win over the name and version of the program.
fn resource() -> Resource {
    let resource = Resource::builder_empty()
        .with_service_name("offhook")
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_detector(Box::new(EnvResourceDetector::new()));
    match env::var("OTEL_SERVICE_NAME") {
        Ok(name) if !name.is_empty() => resource.with_service_name(name).build(),
        _ => resource.build(),
    }
}

fn layer<S>(tracer: SdkTracer) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let layer = OpenTelemetryLayer::new(tracer)
        .with_context_activation(false)
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false);
    layer.with_filter(filter_fn(is_traced))
}

fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.fields().field(TRACE_ID).is_some()
}

/// Exporter that puts each span into the trace that its fields name, and logs an outage of the collector as two lines: the
/// first failure, and the recovery.
#[derive(Debug)]
struct ByTraceId<E> {
    collector: E,
    /// The last request failed, and a warning is in the log.
    is_failing: AtomicBool,
}

impl<E> ByTraceId<E> {
    fn new(collector: E) -> Self {
        Self {
            collector,
            is_failing: AtomicBool::new(false),
        }
    }

    fn report(&self, sent: &OTelSdkResult) {
        let was_failing = self.is_failing.swap(sent.is_err(), Ordering::Relaxed);
        match sent {
            Ok(()) if was_failing => tracing::info!("spans are exported again"),
            Err(error) if !was_failing => tracing::warn!(
                %error,
                "spans cannot be exported and are dropped; check OTEL_EXPORTER_OTLP_ENDPOINT and the collector"
            ),
            Ok(()) | Err(_) => {}
        }
    }
}

impl<E: SpanExporter> SpanExporter for ByTraceId<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let batch = batch.into_iter().filter_map(in_its_trace).collect();
        let sent = self.collector.export(batch).await;
        self.report(&sent);
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.collector.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.collector.set_resource(resource);
    }
}

/// The span with the ids that its fields give it. `None` without a trace.
fn in_its_trace(mut span: SpanData) -> Option<SpanData> {
    let (mut trace, mut is_first) = (None, false);
    let status = &mut span.status;
    span.attributes.retain(|field| match field.key.as_str() {
        TRACE_ID => {
            trace = TraceId::from_hex(&field.value.as_str()).ok();
            false
        }
        "error" => {
            *status = Status::error(field.value.to_string());
            false
        }
        name => {
            is_first |= name == "source";
            true
        }
    });
    let trace = trace?;
    let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
    let first = SpanId::from_bytes([a, b, c, d, e, f, g, h]);
    let context = &span.span_context;
    let (id, parent) = if is_first {
        (first, SpanId::INVALID)
    } else {
        (context.span_id(), first)
    };
    let (flags, state) = (context.trace_flags(), context.trace_state().clone());
    span.span_context = SpanContext::new(trace, id, flags, false, state);
    span.parent_span_id = parent;
    Some(span)
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    use opentelemetry::{
        KeyValue,
        trace::{SpanId, SpanKind, Status, TraceId, TracerProvider},
    };
    use opentelemetry_sdk::{
        error::{OTelSdkError, OTelSdkResult},
        trace::{SdkTracerProvider, SpanData, SpanExporter},
    };
    use tracing::{debug_span, field::Empty};
    use tracing_subscriber::prelude::*;

    use super::{ByTraceId, layer};

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[derive(Clone, Debug, Default)]
    struct Collector(Arc<Mutex<Vec<SpanData>>>);

    impl SpanExporter for Collector {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.lock().unwrap().extend(batch);
            Ok(())
        }
    }

    #[test]
    fn spans_of_a_trace_hang_under_its_first() {
        let collector = Collector::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(ByTraceId::new(collector.clone()))
            .build();
        let subscriber = tracing_subscriber::registry().with(layer(provider.tracer("test")));
        tracing::subscriber::with_default(subscriber, || {
            debug_span!("pbx.notify", trace_id = %TRACE, source = "pbx", otel.kind = "consumer");
            let engine = debug_span!("engine", trace_id = %TRACE);
            let write = engine.in_scope(
                || debug_span!("graph.write", trace_id = %TRACE, waited_ms = 3, error = Empty),
            );
            write.record("error", "refused");
            write.in_scope(|| tracing::debug!("no part of the trace"));
            drop((write, engine));
            debug_span!("of no trace");
        });
        let spans = collector.0.lock().unwrap();
        let [notify, write, engine] = spans.as_slice() else {
            panic!("{spans:?}");
        };
        let first = SpanId::from_hex(&TRACE[16..]).unwrap();
        assert_eq!(notify.span_context.span_id(), first);
        assert_eq!(notify.parent_span_id, SpanId::INVALID);
        assert_eq!(notify.span_kind, SpanKind::Consumer);
        for (span, name) in [(write, "graph.write"), (engine, "engine")] {
            assert_eq!(span.name, name);
            assert_eq!(span.parent_span_id, first);
            assert_ne!(span.span_context.span_id(), first);
        }
        for span in [notify, write, engine] {
            let trace = span.span_context.trace_id();
            assert_eq!(trace, TraceId::from_hex(TRACE).unwrap());
            assert!(span.events.is_empty(), "{span:?}");
        }
        assert_eq!(write.status, Status::error("refused"));
        assert_eq!(write.attributes, [KeyValue::new("waited_ms", 3)]);
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(line)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_outage_of_the_collector_is_two_lines_of_the_log() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        let exporter = ByTraceId::new(Collector::default());
        let refused = || Err(OTelSdkError::InternalFailure("refused".into()));
        tracing::subscriber::with_default(subscriber, || {
            for sent in [Ok(()), refused(), refused(), Ok(()), Ok(())] {
                exporter.report(&sent);
            }
        });
        let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let levels: Vec<_> = lines
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(levels, ["WARN", "INFO"], "{lines}");
    }
}
