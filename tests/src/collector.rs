//! An OpenTelemetry collector, which reads the spans that it receives.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

/// Longest wait for a span.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Requests that wait to be read.
const REQUESTS_MAX: usize = 64;

/// A collector of spans.
pub struct Collector {
    /// The endpoint.
    pub url: String,
    bodies: mpsc::Receiver<Vec<u8>>,
    spans: Vec<Span>,
}

/// Ids as hexadecimal digits; the parent of a first span is empty.
#[derive(Debug)]
struct Span {
    trace: String,
    parent: String,
    name: String,
}

impl Collector {
    /// Starts a collector on any port.
    ///
    /// # Panics
    /// No port is free.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, bodies) = mpsc::channel(REQUESTS_MAX);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let sender = sender.clone();
                tokio::spawn(async move {
                    if let Some(body) = receive(&mut stream).await {
                        let _ = sender.send(body).await;
                    }
                });
            }
        });
        Self {
            url,
            bodies,
            spans: Vec::new(),
        }
    }

    /// Waits for a span of the trace with this name and parent.
    ///
    /// # Panics
    /// The span does not arrive.
    pub async fn wait_for(&mut self, trace: &str, name: &str, parent: &str) {
        let wanted =
            |span: &Span| (&*span.trace, &*span.name, &*span.parent) == (trace, name, parent);
        while !self.spans.iter().any(wanted) {
            let body = tokio::time::timeout(WAIT_MAX, self.bodies.recv()).await;
            let Ok(Some(body)) = body else {
                panic!("no {name} of {trace} under {parent:?} in {:#?}", self.spans);
            };
            self.spans.extend(spans(&body));
        }
    }
}

/// Receives one request to `/v1/traces` and accepts it; returns its body.
async fn receive(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let end = loop {
        stream
            .read_buf(&mut bytes)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    assert!(head.starts_with("post /v1/traces "), "{head}");
    assert!(
        head.contains("content-type: application/x-protobuf"),
        "{head}"
    );
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length?.trim().parse().ok()?;
    while bytes.len() < end + length {
        stream
            .read_buf(&mut bytes)
            .await
            .ok()
            .filter(|read| *read > 0)?;
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).await.ok()?;
    Some(bytes.split_off(end))
}

fn spans(request: &[u8]) -> Vec<Span> {
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect();
    let request = ExportTraceServiceRequest::decode(request).unwrap();
    let scopes = request
        .resource_spans
        .into_iter()
        .flat_map(|resource| resource.scope_spans);
    scopes
        .flat_map(|scope| scope.spans)
        .map(|span| Span {
            trace: hex(&span.trace_id),
            parent: hex(&span.parent_span_id),
            name: span.name,
        })
        .collect()
}
