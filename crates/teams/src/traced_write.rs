//! The trace of a write to Graph.

use std::time::Duration;

use graph::{GraphError, RequestId, WriteSuccess};
use presence::{TeamsWrite, TraceId};
use runtime::trace_id::new_trace_id;
use tracing::{Span, debug_span, field::Empty};

/// The trace of a request, and its span, which ends when the engine has the result.
#[derive(Debug)]
pub(super) struct TracedWrite {
    pub(super) trace: TraceId,
    pub(super) span: Span,
}

impl TracedWrite {
    /// The trace of the write; a new one if a deadline caused the write.
    pub(super) fn new(write: &TeamsWrite, call: &'static str, waited: Duration) -> Self {
        let caused_by = write.trace;
        let trace = caused_by.unwrap_or_else(new_trace_id);
        let person = write.person;
        let waited_ms = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let source = caused_by.is_none().then_some("offhook");
        let span = debug_span!("graph.write", trace_id = %trace, source, otel.kind = "client", http.request.method = "POST", %person, write = call, waited_ms, error = Empty);
        Self { trace, span }
    }

    /// Logs the result of the request.
    pub(super) fn log(&self, result: &Result<WriteSuccess, GraphError>) {
        self.span.in_scope(|| match result {
            Ok(WriteSuccess::Done | WriteSuccess::NothingToClear) => {
                tracing::debug!("write acknowledged by Graph");
            }
            Err(error) => {
                self.span.record("error", tracing::field::display(error));
                tracing::debug!("write failed");
            }
        });
    }

    /// The id of the request at Graph.
    pub(super) fn id(&self) -> RequestId {
        self.trace.bits().into()
    }
}
