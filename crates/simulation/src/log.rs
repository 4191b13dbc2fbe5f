//! Log of a history for people; without cost if it is off.

use presence::Timestamp;

/// Start of every history.
pub const START: Timestamp = Timestamp::from_milliseconds(1_800_000_000_000);

/// Lines of the events so far, or nothing.
#[derive(Debug, Default)]
pub struct EventLog(Option<Vec<String>>);

impl EventLog {
    /// A log that keeps nothing.
    pub const fn silent() -> Self {
        Self(None)
    }

    /// A log that keeps every line.
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
