//! Since when programs use the microphone, and which of them count: a program counts once it has used it for a while, and
//! a little longer than it does, so that what only tries the microphone is never shown and what opens it anew never
//! flickers.

use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds on the agent's own clock.
pub type Milliseconds = u64;

/// How long it takes until a program counts, and until it does not any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hysteresis {
    /// A program counts after so much use.
    pub on_after: Milliseconds,
    /// It still counts for so long after its end.
    pub off_after: Milliseconds,
}

/// The use of one program.
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

/// Who uses the microphone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage(BTreeMap<String, Use>);

impl Usage {
    /// These programs use the microphone now, and no others.
    pub fn see(&mut self, programs: &BTreeSet<String>, now: Milliseconds, hysteresis: Hysteresis) {
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

    /// The programs that count, each since when, the first to start first.
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

    /// When something else may count although nobody starts or ends anything.
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
        usage.see(&set(&["Zoom"]), 1_000, USUAL);
        assert_eq!(usage.deadline(1_000, USUAL), Some(4_000));
        assert!(counted(&usage, 3_999).is_empty());
        assert_eq!(counted(&usage, 4_000), ["Zoom"]);
        assert_eq!(
            usage.deadline(4_000, USUAL),
            None,
            "nothing will happen by itself"
        );
        usage.see(&set(&[]), 60_000, USUAL);
        assert_eq!(usage.deadline(60_000, USUAL), Some(61_000));
        assert_eq!(counted(&usage, 60_999), ["Zoom"]);
        assert!(counted(&usage, 61_000).is_empty());
    }

    #[test]
    fn what_only_tries_the_microphone_never_counts() {
        let mut usage = Usage::default();
        usage.see(&set(&["Zoom"]), 0, USUAL);
        usage.see(&set(&[]), 2_900, USUAL);
        for now in [2_900, 3_000, 3_500, 10_000] {
            assert!(counted(&usage, now).is_empty(), "{now}");
        }
    }

    #[test]
    fn what_opens_it_anew_goes_on() {
        let mut usage = Usage::default();
        usage.see(&set(&["Zoom"]), 0, USUAL);
        usage.see(&set(&[]), 5_000, USUAL);
        usage.see(&set(&["Zoom"]), 5_500, USUAL);
        assert_eq!(usage.counted(7_000, USUAL), [("Zoom", 0)]);
        // A real end is an end.
        usage.see(&set(&[]), 8_000, USUAL);
        usage.see(&set(&["Zoom"]), 9_000, USUAL);
        assert!(counted(&usage, 11_999).is_empty());
        assert_eq!(usage.counted(12_000, USUAL), [("Zoom", 9_000)]);
    }

    #[test]
    fn the_first_to_start_is_the_first() {
        let mut usage = Usage::default();
        usage.see(&set(&["Slack"]), 0, USUAL);
        usage.see(&set(&["Discord", "Slack"]), 100, USUAL);
        assert_eq!(counted(&usage, 5_000), ["Slack", "Discord"]);
    }

    proptest! {
        /// Whatever starts and ends when: what has been away for longer never counts, what counts was used for long
        /// enough, and only a deadline changes what counts while nothing is seen.
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
                usage.see(&set(&programs), now, USUAL);
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
