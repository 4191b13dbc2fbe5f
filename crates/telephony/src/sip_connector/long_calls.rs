//! Suspiciously long calls. Pure.
//!
//! FreePBX shows Do not disturb as a call: a line with a hint that contains `Custom:DND1001` is `confirmed` for as long as it is
//! switched on. No document distinguishes this from a call; only its length does.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use presence::{LineChange, LineState};

use crate::phone_system::{LINE_TROUBLE_MAX, LineEvent};

/// Length of a call from which on it is reported.
const LONG_CALL: Duration = Duration::from_secs(4 * 3600);

/// When each line's current call began.
#[derive(Debug, Default)]
pub(super) struct LongCalls {
    since: BTreeMap<Arc<str>, Duration>,
    ordered: BTreeSet<(Duration, Arc<str>)>,
}

impl LongCalls {
    /// Applies a line event.
    pub(super) fn on_event(&mut self, now: Duration, event: &LineEvent) {
        let extension = &event.extension;
        match &event.change {
            LineChange::State {
                state: LineState::Connected,
                ..
            } => {
                if !self.since.contains_key(extension) {
                    self.since.insert(extension.clone(), now);
                    self.ordered.insert((now, extension.clone()));
                }
            }
            LineChange::State { .. } | LineChange::Stale => self.forget(extension),
        }
    }

    /// Forgets a line that is in no call, or no longer watched.
    pub(super) fn forget(&mut self, extension: &Arc<str>) {
        if let Some(since) = self.since.remove(extension) {
            self.ordered.remove(&(since, extension.clone()));
        }
    }

    /// Extensions in a call for longer than [`LONG_CALL`], the longest call first.
    pub(super) fn at(&self, now: Duration) -> Vec<Arc<str>> {
        let long = self.ordered.iter().take(LINE_TROUBLE_MAX);
        let long = long.take_while(|(since, _)| now.saturating_sub(*since) >= LONG_CALL);
        long.map(|(_, extension)| extension.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn is(state: LineState) -> LineEvent {
        LineEvent {
            extension: "1002".into(),
            change: LineChange::State {
                state,
                party: None,
                lease: HOUR,
            },
            received: Instant::now(),
        }
    }

    // A24
    #[test]
    fn a_call_without_a_change_for_four_hours_is_named_until_it_ends() {
        let mut calls = LongCalls::default();
        calls.on_event(HOUR, &is(LineState::Connected));
        calls.on_event(HOUR * 2, &is(LineState::Connected));
        assert!(calls.at(HOUR * 5 - Duration::from_secs(1)).is_empty());
        assert_eq!(calls.at(HOUR * 5), [Arc::from("1002")]);
        calls.on_event(HOUR * 6, &is(LineState::Idle));
        assert!(calls.at(HOUR * 9).is_empty());
        // A change begins a new call; a line that is stale or no longer watched has none.
        calls.on_event(HOUR * 10, &is(LineState::Connected));
        let extension: Arc<str> = "1002".into();
        calls.on_event(
            HOUR * 11,
            &LineEvent {
                extension: extension.clone(),
                change: LineChange::Stale,
                received: Instant::now(),
            },
        );
        calls.on_event(HOUR * 12, &is(LineState::Connected));
        assert!(calls.at(HOUR * 15).is_empty());
        calls.forget(&extension);
        assert!(calls.at(HOUR * 99).is_empty());
    }
}
