//! Use of the microphone by program. A program counts after it has used the microphone for a while, and until a little
//! after it stopped, so that short tries are never shown and reopened streams do not flicker.

use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds on the agent's monotonic clock.
pub type Milliseconds = u64;

/// Delays before a program counts, and before it counts no longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hysteresis {
    /// Time of use after which a program counts, in milliseconds.
    pub on_after: Milliseconds,
    /// Time after the end of the use until a program counts no longer, in milliseconds.
    pub off_after: Milliseconds,
}

/// Use of the microphone by one program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Use {
    since: Milliseconds,
    ended: Option<Milliseconds>,
}

impl Use {
    fn is_over(&self, now: Milliseconds, hysteresis: Hysteresis) -> bool {
        let ended = self.ended;
        ended.is_some_and(|ended| now >= ended + hysteresis.off_after)
    }
}

/// Use of the microphone by all programs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage(BTreeMap<String, Use>);

impl Usage {
    /// Records the programs that use the microphone now.
    pub fn update(
        &mut self,
        programs: &BTreeSet<String>,
        now: Milliseconds,
        hysteresis: Hysteresis,
    ) {
        self.0.retain(|program, used| {
            let is_used = programs.contains(program);
            if !is_used && used.ended.is_none() {
                used.ended = Some(now);
            }
            !used.is_over(now, hysteresis)
        });
        for program in programs {
            let fresh = Use {
                since: now,
                ended: None,
            };
            self.0.entry(program.clone()).or_insert(fresh).ended = None;
        }
    }

    /// Programs that count, with the start of their use, ordered by start.
    pub fn counted(&self, now: Milliseconds, hysteresis: Hysteresis) -> Vec<(&str, Milliseconds)> {
        let counts = |used: &Use| {
            let lasting = used.ended.unwrap_or(now).saturating_sub(used.since);
            lasting >= hysteresis.on_after && !used.is_over(now, hysteresis)
        };
        let mut counted: Vec<_> = self
            .0
            .iter()
            .filter(|(_, used)| counts(used))
            .map(|(program, used)| (program.as_str(), used.since))
            .collect();
        counted.sort_by_key(|(_, since)| *since);
        counted
    }

    /// Next time at which the programs that count may change without another event.
    pub fn deadline(&self, now: Milliseconds, hysteresis: Hysteresis) -> Option<Milliseconds> {
        let changes = self.0.values().map(|used| match used.ended {
            None => used.since + hysteresis.on_after,
            Some(ended) => ended + hysteresis.off_after,
        });
        changes.filter(|at| *at > now).min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const USUAL: Hysteresis = Hysteresis {
        on_after: 3_000,
        off_after: 1_000,
    };

    fn set(programs: &[&str]) -> BTreeSet<String> {
        programs
            .iter()
            .map(|program| (*program).to_owned())
            .collect()
    }

    fn counted(usage: &Usage, now: Milliseconds) -> Vec<&str> {
        usage
            .counted(now, USUAL)
            .into_iter()
            .map(|(program, _)| program)
            .collect()
    }

    #[test]
    fn a_program_counts_after_three_seconds_and_one_second_longer_than_it_lasts() {
        let mut usage = Usage::default();
        usage.update(&set(&["Zoom"]), 1_000, USUAL);
        assert_eq!(usage.deadline(1_000, USUAL), Some(4_000));
        assert!(counted(&usage, 3_999).is_empty());
        assert_eq!(counted(&usage, 4_000), ["Zoom"]);
        assert_eq!(
            usage.deadline(4_000, USUAL),
            None,
            "no change without an event"
        );
        usage.update(&set(&[]), 60_000, USUAL);
        assert_eq!(usage.deadline(60_000, USUAL), Some(61_000));
        assert_eq!(counted(&usage, 60_999), ["Zoom"]);
        assert!(counted(&usage, 61_000).is_empty());
    }

    #[test]
    fn short_tries_never_count() {
        let mut usage = Usage::default();
        usage.update(&set(&["Zoom"]), 0, USUAL);
        usage.update(&set(&[]), 2_900, USUAL);
        for now in [2_900, 3_000, 3_500, 10_000] {
            assert!(counted(&usage, now).is_empty(), "{now}");
        }
    }

    #[test]
    fn a_reopened_stream_continues() {
        let mut usage = Usage::default();
        usage.update(&set(&["Zoom"]), 0, USUAL);
        usage.update(&set(&[]), 5_000, USUAL);
        usage.update(&set(&["Zoom"]), 5_500, USUAL);
        assert_eq!(usage.counted(7_000, USUAL), [("Zoom", 0)]);
        // A gap longer than `off_after` ends the use.
        usage.update(&set(&[]), 8_000, USUAL);
        usage.update(&set(&["Zoom"]), 9_000, USUAL);
        assert!(counted(&usage, 11_999).is_empty());
        assert_eq!(usage.counted(12_000, USUAL), [("Zoom", 9_000)]);
    }

    #[test]
    fn the_first_to_start_is_the_first() {
        let mut usage = Usage::default();
        usage.update(&set(&["Slack"]), 0, USUAL);
        usage.update(&set(&["Discord", "Slack"]), 100, USUAL);
        assert_eq!(counted(&usage, 5_000), ["Slack", "Discord"]);
    }

    proptest! {
        /// For any sequence of events: a program that has stopped for longer does not count, a program that counts was used
        /// for long enough, and between events the result changes at deadlines only.
        #[test]
        fn nothing_sticks(steps in proptest::collection::vec((1_u64..4_000, any::<[bool; 3]>()), 1..40)) {
            let names = ["a", "b", "c"];
            let mut usage = Usage::default();
            let mut now = 0;
            let mut last = [None; 3];
            for (pause, used) in steps {
                if let Some(deadline) = usage.deadline(now, USUAL) {
                    prop_assert_eq!(counted(&usage, now), counted(&usage, deadline - 1));
                } else {
                    prop_assert_eq!(counted(&usage, now), counted(&usage, now + 1_000_000));
                }
                now += pause;
                let programs: Vec<_> = names.iter().zip(used).filter(|(_, used)| *used).map(|(name, _)| *name).collect();
                usage.update(&set(&programs), now, USUAL);
                for (last, used) in last.iter_mut().zip(used) {
                    if used {
                        *last = Some(now);
                    }
                }
                for later in [now, now + 500, now + 1_000] {
                    for (name, since) in usage.counted(later, USUAL) {
                        let index = names.iter().position(|known| *known == name).unwrap();
                        prop_assert!(used[index] || later < now + 1_000, "{name} sticks");
                        prop_assert!(later >= since + USUAL.on_after);
                    }
                }
            }
        }
    }
}
