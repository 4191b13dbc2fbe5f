//! Spans of traced facts to an OpenTelemetry collector: OTLP over HTTP with binary Protobuf (OpenTelemetry Protocol
//! Specification, section "OTLP/HTTP"), with the few messages that this needs.
//!
//! [`SpanLayer`] turns each `tracing` span with a field `trace_id` into a span of that trace. A span with a field `source` begins
//! its trace: its id is the second half of the trace id, and the parent of all other spans of the trace, which are in other
//! tasks. As in the crate `tracing-opentelemetry`, `otel.kind` is the kind of the span; a field `error` marks it as failed.
//!
//! ```
//! use tracing_subscriber::prelude::*;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), otlp::SettingsError> {
//! let variable = |name: &str| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| "http://127.0.0.1:9".to_owned());
//! let Some(settings) = otlp::Settings::from_environment(variable)? else {
//!     return Ok(()); // Without the variable nothing is installed.
//! };
//! let (layer, exporter) = otlp::start(settings);
//! let subscriber = tracing_subscriber::registry().with(layer);
//! tracing::subscriber::with_default(subscriber, || {
//!     tracing::info_span!("pbx.notify", trace_id = "0af7651916cd43dd8448eb211c80319c", source = "pbx");
//! });
//! // The collector does not answer: the span is dropped, with one warning.
//! exporter.stop().await;
//! # Ok(())
//! # }
//! ```

mod clock;
mod exporter;
mod layer;
mod settings;
mod span;
mod wire;

pub use exporter::{Exporter, start};
pub use layer::{SpanLayer, is_traced};
pub use settings::{Settings, SettingsError};
