//! Evidence from Graph's answers about our writes: the lag of each write, and after its clear whether a state
//! that looks like the write is its echo or Teams' own. The wait is as long as the measured lag
//! (docs/presence-rules.md, "Teams calls and echoes").

use std::time::Duration;

use crate::{
    Timestamp,
    slot::{AnswerMatch, ClearAnswer, Echo, SlotClear, SlotState, SlotWrite},
    timing::Timing,
};

/// An answer of Graph, compared with one slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    /// Time of the request to Graph.
    pub(super) asked_at: Timestamp,
    /// State in the answer.
    pub(super) shown: AnswerMatch,
    /// State in the answer before it.
    pub(super) before: AnswerMatch,
    /// Lag of the tenant, if enough writes were measured.
    pub(super) tenant_lag: Option<Duration>,
}

/// Conclusion from an answer for a slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Lag of the write, if this answer measured it.
    pub(super) lag: Option<Duration>,
    /// The echo has ended: the state in the answer is Teams' own.
    pub(super) is_over: bool,
}

impl SlotState {
    /// Applies an answer.
    pub(super) fn observe(&mut self, evidence: Evidence, timing: &Timing) -> Verdict {
        match self {
            Self::Written(write) => write.observe(evidence, timing),
            Self::Clearing(clear) => clear.observe(evidence, timing),
            Self::Empty | Self::Refused(_) | Self::Released(_) => Verdict::default(),
        }
    }
}

impl SlotWrite {
    fn observe(&mut self, evidence: Evidence, timing: &Timing) -> Verdict {
        let after = |from| evidence.asked_at.since(from);
        let own = after(self.in_effect_from());
        let mut verdict = Verdict::default();
        self.echo = match (evidence.shown, self.echo) {
            (AnswerMatch::Echo, Echo::Awaited) => {
                // Where another state hid the write, the time measures that state.
                let is_measured = evidence.before != AnswerMatch::Hidden && own <= timing.settle;
                verdict.lag = Some(own).filter(|_| is_measured);
                Echo::Seen(own)
            }
            (AnswerMatch::Echo, Echo::AwaitedSince(earlier)) => {
                // The earlier write is shown, unless its lag would be too long for this tenant.
                let lag = after(earlier);
                let is_late = evidence.tenant_lag.is_some_and(|tenant| lag > tenant);
                Echo::SeenOfEither(if is_late { own } else { lag })
            }
            (AnswerMatch::Other, Echo::Indistinct | Echo::SeenOfEither(_)) => Echo::Awaited,
            (AnswerMatch::Other, Echo::IndistinctSince(earlier)) => Echo::AwaitedSince(earlier),
            (_, unchanged) => unchanged,
        };
        verdict
    }
}

impl SlotClear {
    /// Time at which the write ended in Teams.
    fn gone_at(&self) -> Timestamp {
        // A 404 does not prove the end while Teams still shows the write.
        let acknowledged_at = self.answer.acknowledged_at();
        acknowledged_at.map_or(self.expires_at, |at| at.min(self.expires_at))
    }

    /// End of the echo without further answers. A run of answers that show the echo extends it.
    pub(crate) fn ends_at(&self, timing: &Timing) -> Timestamp {
        let gone_at = self.gone_at();
        self.shown_since.map_or(gone_at, |at| at.max(gone_at)) + timing.settle
    }

    /// Waits after which a shown echo counts as Teams' own: since the start of the unbroken run, and since
    /// the clear.
    fn waits(&self, tenant_lag: Option<Duration>, timing: &Timing) -> (Duration, Duration) {
        let (run, gone) = match (self.echo, tenant_lag) {
            (Echo::Seen(own) | Echo::SeenOfEither(own), Some(tenant)) => {
                (own.max(tenant), Duration::ZERO)
            }
            (Echo::Indistinct | Echo::IndistinctSince(_), Some(tenant)) => (tenant, Duration::ZERO),
            (Echo::Seen(own) | Echo::SeenOfEither(own), None) => {
                ((own * 2).max(timing.settle_least), Duration::ZERO)
            }
            // An echo lasts as long as its write.
            (_, tenant) => {
                let lived = self.gone_at().since(self.in_effect_from);
                (lived, tenant.unwrap_or(timing.settle))
            }
        };
        (run.min(timing.settle), gone.min(timing.settle))
    }

    /// Applies an answer after a 404. The 404 is believed if Teams showed the write and then another state,
    /// or if another state is shown longer after the write than any lag.
    fn contradict(&mut self, shown: AnswerMatch, asked_at: Timestamp, timing: &Timing) {
        let since_write = asked_at.since(self.in_effect_from);
        let was_seen = matches!(self.echo, Echo::Seen(_) | Echo::SeenOfEither(_));
        match shown {
            AnswerMatch::Other if was_seen || since_write >= timing.settle => {
                self.answer = ClearAnswer::Acknowledged(asked_at);
            }
            AnswerMatch::Echo if !was_seen => self.echo = Echo::SeenOfEither(since_write),
            AnswerMatch::Echo | AnswerMatch::Other | AnswerMatch::Hidden => {}
        }
    }

    fn observe(&mut self, evidence: Evidence, timing: &Timing) -> Verdict {
        let Evidence {
            asked_at, shown, ..
        } = evidence;
        // Also before the end of the write: after a restart, or if the clear preceded the first answer,
        // nothing else proves that Teams had the write.
        self.was_shown |= shown == AnswerMatch::Echo;
        if let ClearAnswer::NotFound(denied_at) = self.answer
            && asked_at >= denied_at
        {
            self.contradict(shown, asked_at, timing);
        }
        let gone_at = self.gone_at();
        if asked_at < gone_at {
            return Verdict::default();
        }
        let (run, gone) = self.waits(evidence.tenant_lag, timing);
        match shown {
            AnswerMatch::Echo => {
                let since = (*self.shown_since.get_or_insert(asked_at)).max(gone_at);
                Verdict {
                    lag: None,
                    is_over: asked_at.since(since) >= run && asked_at.since(gone_at) >= gone,
                }
            }
            AnswerMatch::Hidden => {
                self.shown_since = None;
                Verdict::default()
            }
            AnswerMatch::Other => {
                let first_shown = self.shown_since.take();
                let lag = first_shown
                    .filter(|_| self.echo == Echo::Awaited)
                    .map(|at| at.since(self.in_effect_from))
                    .filter(|lag| *lag <= timing.settle);
                self.echo = match self.echo {
                    Echo::Awaited if lag.is_some() => Echo::Past,
                    Echo::Indistinct | Echo::IndistinctSince(_) | Echo::SeenOfEither(_) => {
                        Echo::AwaitedSince(self.in_effect_from)
                    }
                    other => other,
                };
                // The echo of a write that was never shown may come late.
                let was_seen = matches!(self.echo, Echo::Seen(_));
                let latest = if was_seen { run } else { timing.settle };
                Verdict {
                    lag,
                    is_over: asked_at.since(gone_at) >= latest,
                }
            }
        }
    }
}
