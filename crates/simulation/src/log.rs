//! What happened, in lines for people; costs nothing where nobody listens.

use presence::Timestamp;

/// Start of every history.
pub const START: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);

/// What happened so far, if anybody wants to know.
#[derive(Debug, Default)]
pub struct EventLog(Option<Vec<String>>);

impl EventLog {
    /// Nobody listens.
    pub const fn silent() -> Self {
        Self(None)
    }

    /// Every line is kept.
    pub const fn kept() -> Self {
        Self(Some(Vec::new()))
    }

    /// Adds a line.
    pub fn add(&mut self, now: Timestamp, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            let seconds = now.since(START).as_secs_f64();
            lines.push(format!("{seconds:>11.3}  {}", line()));
        }
    }

    /// The lines.
    pub fn lines(&self) -> &[String] {
        self.0.as_deref().unwrap_or_default()
    }
}
