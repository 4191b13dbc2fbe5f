//! Reads the server's event stream like a board.

use serde_json::Value;

/// Passes each event to `seen` until the stream ends.
///
/// # Errors
/// The stream cannot be opened.
pub async fn follow(server: &str, key: &str, mut seen: impl FnMut(&Value)) -> anyhow::Result<()> {
    let request = reqwest::Client::new().get(format!("{server}/api/v1/events"));
    let mut stream = request.bearer_auth(key).send().await?.error_for_status()?;
    let mut rest = String::new();
    while let Some(chunk) = stream.chunk().await? {
        rest.push_str(&String::from_utf8_lossy(&chunk));
        while let Some(end) = rest.find('\n') {
            let line: String = rest.drain(..=end).collect();
            if let Some(data) = line.strip_prefix("data: ") {
                seen(&serde_json::from_str(data).unwrap_or_default());
            }
        }
    }
    Ok(())
}
