//! The layer that turns spans of `tracing` into spans of OpenTelemetry.

use std::{
    fmt::Debug,
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::mpsc;
use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use crate::{
    clock,
    span::{Kind, Span, Value},
};

const TRACE_ID: &str = "trace_id";

/// Whether a span or event belongs to a trace, for a filter of [`SpanLayer`].
pub fn is_traced(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && metadata.fields().field(TRACE_ID).is_some()
}

/// Sends finished spans of traces to the exporter. With a full queue they are dropped and counted.
#[derive(Debug)]
pub struct SpanLayer {
    queue: mpsc::Sender<Span>,
    dropped: Arc<AtomicU64>,
}

impl SpanLayer {
    pub(crate) fn new(queue: mpsc::Sender<Span>, dropped: Arc<AtomicU64>) -> Self {
        Self { queue, dropped }
    }
}

/// Fields of a span, and its start.
#[derive(Default)]
struct Open {
    start: u64,
    trace: Option<u128>,
    /// The span begins its trace.
    is_first: bool,
    kind: Kind,
    error: Option<String>,
    attributes: Vec<(&'static str, Value)>,
}

impl Open {
    fn text(&mut self, field: &Field, text: String) {
        match field.name() {
            TRACE_ID => self.trace = u128::from_str_radix(&text, 16).ok(),
            "otel.kind" => {
                self.kind = match text.as_str() {
                    "client" => Kind::Client,
                    "producer" => Kind::Producer,
                    "consumer" => Kind::Consumer,
                    _ => Kind::Internal,
                }
            }
            "error" => self.error = Some(text),
            name => {
                self.is_first |= name == "source";
                self.attributes.push((name, Value::Text(text)));
            }
        }
    }

    fn number(&mut self, field: &Field, number: Option<i64>) {
        if let Some(number) = number {
            self.attributes.push((field.name(), Value::Integer(number)));
        }
    }
}

impl Visit for Open {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field, Some(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field, i64::try_from(value).ok());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attributes.push((field.name(), Value::Truth(value)));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.text(field, format!("{value:?}"));
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut open = Open {
                start: clock::now(),
                ..Open::default()
            };
            attributes.record(&mut open);
            span.extensions_mut().insert(open);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(open) = span.extensions_mut().get_mut::<Open>()
        {
            values.record(open);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(open) = span.extensions_mut().remove::<Open>() else {
            return;
        };
        let Some(trace) = open.trace else { return };
        let [.., first] = [(trace >> 64) as u64, trace as u64];
        let finished = Span {
            trace,
            id: if open.is_first { first } else { random_id() },
            parent: (!open.is_first).then_some(first),
            name: span.name(),
            kind: open.kind,
            start: open.start,
            end: clock::now(),
            attributes: open.attributes,
            error: open.error,
        };
        if self.queue.try_send(finished).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A random span id, which is never 0.
fn random_id() -> u64 {
    RandomState::new().hash_one(()).max(1)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, atomic::Ordering};

    use tokio::sync::mpsc;
    use tracing::{debug_span, field::Empty};
    use tracing_subscriber::{Layer, filter::filter_fn, prelude::*};

    use super::{SpanLayer, is_traced};
    use crate::span::{Kind, Value};

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn spans_of_a_trace_hang_under_its_first() {
        let (queue, mut spans) = mpsc::channel(8);
        let layer = SpanLayer::new(queue, Arc::default()).with_filter(filter_fn(is_traced));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            debug_span!("pbx.notify", trace_id = %TRACE, source = "pbx", otel.kind = "consumer");
            let write =
                debug_span!("graph.write", trace_id = %TRACE, waited_ms = 3_u64, error = Empty);
            write.record("error", "refused");
            drop(write);
            debug_span!("of no trace");
        });
        let first = spans.try_recv().unwrap();
        assert_eq!((first.id, first.parent), (0x8448_eb21_1c80_319c, None));
        assert_eq!((first.name, first.kind), ("pbx.notify", Kind::Consumer));
        let second = spans.try_recv().unwrap();
        assert_eq!(second.trace, first.trace);
        assert_eq!(second.parent, Some(first.id));
        assert_ne!(second.id, first.id);
        assert_eq!(second.error.as_deref(), Some("refused"));
        assert_eq!(second.attributes, [("waited_ms", Value::Integer(3))]);
        assert!(spans.try_recv().is_err());
    }

    #[test]
    fn a_full_queue_drops_spans() {
        let (queue, _spans) = mpsc::channel(1);
        let dropped = Arc::default();
        let layer = SpanLayer::new(queue, Arc::clone(&dropped));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            for _ in 0..3 {
                debug_span!("engine", trace_id = %TRACE);
            }
        });
        assert_eq!(dropped.load(Ordering::Relaxed), 2);
    }
}
