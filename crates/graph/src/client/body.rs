//! Reads bodies of bounded length, and converts failures of the connection.

use std::time::Duration;

use reqwest::{Response, header};

use crate::{
    GraphError, clock,
    error::{Interference, Peer},
    parse_retry_after,
    sign_in::DESCRIPTION_MAX,
    wire::{bounded, without_mark},
};

/// Maximum length of an answer about few people, in bytes.
pub(super) const ANSWER_MAX: usize = 2 * 1024 * 1024;
/// Maximum length of an answer about many people, in bytes: 50 KB for each of 650 people. A presence contains the person's
/// automatic reply, HTML of some kilobytes or, with pictures, more. A page of the directory has 999 users of at most 2 KB.
const BULK_ANSWER_MAX: usize = 32 * 1024 * 1024;

pub(super) fn retry_after(response: &Response) -> Option<Duration> {
    response
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| parse_retry_after(value, clock::now()))
}

/// Error for a failed connection: the URL without its query, and the innermost cause, which reqwest's own text omits.
pub(super) fn unreachable(url: &str, error: &dyn std::error::Error) -> GraphError {
    let mut cause = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    let url = url.split('?').next().unwrap_or(url).to_owned();
    GraphError::Unreachable { url, cause }
}

/// Reads a JSON answer of at most 2 MiB.
pub(super) async fn read_json<T: serde::de::DeserializeOwned>(
    call: &'static str,
    response: Response,
) -> Result<T, GraphError> {
    let status = response.status().as_u16();
    let body = read_bytes(call, response, ANSWER_MAX).await?;
    parse(call, status, &body, |body| serde_json::from_slice(body))
}

/// Reads an answer about many people, of at most 32 MiB, with the parser `read`.
pub(super) async fn read_with<T>(
    call: &'static str,
    response: Response,
    read: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
) -> Result<T, GraphError> {
    let status = response.status().as_u16();
    let body = read_bytes(call, response, BULK_ANSWER_MAX).await?;
    parse(call, status, &body, read)
}

fn parse<T>(
    call: &'static str,
    status: u16,
    body: &[u8],
    read: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
) -> Result<T, GraphError> {
    let body = without_mark(body);
    read(body).map_err(|error| match body.trim_ascii_start().first() {
        Some(b'<') => GraphError::Intercepted {
            peer: Peer::Graph,
            call,
            status,
            interference: Interference::Page,
            retry_after: None,
        },
        _ => GraphError::Malformed {
            call,
            // The parser's error may repeat a value of the body.
            cause: bounded(&error.to_string(), DESCRIPTION_MAX),
        },
    })
}

/// Reads an answer of at most `max` bytes.
pub(super) async fn read_bytes(
    call: &'static str,
    mut response: Response,
    max: usize,
) -> Result<Vec<u8>, GraphError> {
    let mut body = Vec::new();
    let url = response.url().to_string();
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| unreachable(&url, &error))?
    {
        if body.len() + chunk.len() > max {
            return Err(GraphError::TooLarge { call, max });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
