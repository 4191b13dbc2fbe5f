//! Stops the deletion of old rows while the machine's clock is far ahead of the last known time: it may be wrong. An
//! administrator corrects or confirms the clock.

use std::time::Duration;

use presence::Timestamp;
use store::{Database, StoreError};

use crate::{
    clock::rfc3339,
    health::{Health, Part, Trouble},
};

/// Largest jump ahead that needs no confirmation.
const JUMP_MAX: Duration = Duration::from_secs(24 * 3600);

/// Whether rows that are old by the clock may be deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The clock is not far ahead.
    Allowed,
    /// The clock is far ahead of the last known time, and no administrator has confirmed it.
    Paused {
        /// The last known time.
        last_known: Timestamp,
    },
}

/// Compares the time with the last known one. A clock that was set back needs no confirmation: it makes no row older.
fn deletion(last_known: Option<Timestamp>, now: Timestamp) -> Deletion {
    match last_known {
        Some(last_known) if now > last_known + JUMP_MAX => Deletion::Paused { last_known },
        Some(_) | None => Deletion::Allowed,
    }
}

/// Checks the clock, stores the time as the last known one if the clock is not far ahead, and reports.
///
/// # Errors
/// The database refused.
pub async fn check(
    database: &Database,
    health: &Health,
    now: Timestamp,
) -> Result<Deletion, StoreError> {
    let deletion = deletion(database.last_known_time().await?, now);
    match deletion {
        Deletion::Allowed => {
            database.set_last_known_time(now).await?;
            health.report(&Part::Clock, None);
        }
        Deletion::Paused { last_known } => {
            health.report(&Part::Clock, Some(trouble(last_known, now)))
        }
    }
    Ok(deletion)
}

/// Stores the time as the last known one after an administrator confirmed it.
///
/// # Errors
/// The database refused.
pub async fn confirm(
    database: &Database,
    health: &Health,
    now: Timestamp,
) -> Result<(), StoreError> {
    database.set_last_known_time(now).await?;
    health.report(&Part::Clock, None);
    Ok(())
}

fn trouble(last_known: Timestamp, now: Timestamp) -> Trouble {
    // To the day, so that the text does not change with every check.
    let day = |time| rfc3339(time).chars().take(10).collect::<String>();
    Trouble {
        what: format!(
            "the clock jumped from {} (UTC) to {}; nothing old is deleted until it is confirmed",
            rfc3339(last_known),
            day(now)
        ),
        remedy: "if the date is wrong, correct this machine's clock and restart the server; if it is right (the server \
                 was off, or its clock was behind), run `offhook confirm-clock`"
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use presence::Timestamp;

    use super::{Deletion, JUMP_MAX, deletion};

    #[test]
    fn only_a_jump_ahead_of_more_than_a_day_is_in_question() {
        let last = Timestamp::from_milliseconds(1_800_000_000_000);
        let paused = Deletion::Paused { last_known: last };
        let millisecond = Duration::from_millis(1);
        assert_eq!(deletion(None, last), Deletion::Allowed);
        assert_eq!(deletion(Some(last), last), Deletion::Allowed);
        assert_eq!(deletion(Some(last), last + JUMP_MAX), Deletion::Allowed);
        assert_eq!(deletion(Some(last), last + JUMP_MAX + millisecond), paused);
        assert_eq!(deletion(Some(last), last + JUMP_MAX * 800), paused);
        assert_eq!(
            deletion(Some(last), last - JUMP_MAX * 800),
            Deletion::Allowed
        );
    }
}
