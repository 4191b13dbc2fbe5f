//! Reads the server's event stream like a board.

use api_types::presence::PresenceChange;

/// Passes each change of a presence to `seen` until the stream ends.
///
/// # Errors
/// The stream cannot be opened, or a presence cannot be read.
pub async fn follow(
    server: &str,
    key: &str,
    mut seen: impl FnMut(PresenceChange),
) -> anyhow::Result<()> {
    let request = reqwest::Client::new().get(format!("{server}/api/v1/events"));
    let mut stream = request.bearer_auth(key).send().await?.error_for_status()?;
    let mut rest = String::new();
    let mut is_presence = false;
    while let Some(chunk) = stream.chunk().await? {
        rest.push_str(&String::from_utf8_lossy(&chunk));
        while let Some(end) = rest.find('\n') {
            let line: String = rest.drain(..=end).collect();
            if let Some(event) = line.strip_prefix("event: ") {
                is_presence = event.trim_end() == "presence";
            } else if let Some(data) = line.strip_prefix("data: ")
                && is_presence
            {
                seen(serde_json::from_str(data)?);
            }
        }
    }
    Ok(())
}
