//! What an answer of Graph says about a write of ours: how long Graph took to show it, and after it was taken back whether
//! the state that it looks like is still its echo or Teams' own. Evidence decides, and the wait for it is as long as Graph
//! demonstrably lags (docs/presence-rules.md, "Whose call is it?").

use std::time::Duration;

use crate::{
    Meaning, Timestamp,
    own::{Cleared, Echo, Held, Own, Slot, Withdrawn},
    settings::Timing,
};

/// One answer of Graph, as one slot sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Evidence {
    /// When Graph was asked.
    pub(super) asked_at: Timestamp,
    /// What it showed.
    pub(super) shown: Shown,
    /// What the answer before it showed.
    pub(super) before: Shown,
    /// The tenant's lag, if enough writes were seen.
    pub(super) tenant_lag: Option<Duration>,
}

/// What an answer shows of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// The state that our write looks like.
    Echo,
    /// A state that goes before ours and hides it.
    Hidden,
    /// Something else.
    Other,
}

impl Shown {
    pub(crate) fn new(slot: Slot, meaning: Meaning) -> Self {
        match (slot, meaning) {
            _ if meaning == slot.echo() => Self::Echo,
            (Slot::Session, Meaning::DoNotDisturb) | (_, Meaning::Presenting) => Self::Hidden,
            _ => Self::Other,
        }
    }
}

/// What a slot becomes by an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Teams took so long to show the write.
    pub(super) lag: Option<Duration>,
    /// The echo is over: what the answer shows is Teams' own.
    pub(super) is_over: bool,
}

impl Own {
    /// Takes in an answer.
    pub(super) fn observe(&mut self, evidence: Evidence, timing: &Timing) -> Verdict {
        match self {
            Self::Held(held) => held.observe(evidence, timing),
            Self::Withdrawn(withdrawn) => withdrawn.observe(evidence, timing),
            Self::None | Self::Refused(_) | Self::Yielded(_) => Verdict::default(),
        }
    }
}

impl Held {
    fn observe(&mut self, evidence: Evidence, timing: &Timing) -> Verdict {
        let after = |from| evidence.asked_at.since(from);
        let own = after(self.in_effect_from());
        let mut verdict = Verdict::default();
        self.echo = match (evidence.shown, self.echo) {
            (Shown::Echo, Echo::Awaited) => {
                // Where another state hid the write, the time is that of the other.
                let is_measured = evidence.before != Shown::Hidden && own <= timing.settle;
                verdict.lag = Some(own).filter(|_| is_measured);
                Echo::Seen(own)
            }
            (Shown::Echo, Echo::AwaitedSince(earlier)) => {
                // It is the earlier write's, unless that would be late for this tenant.
                let lag = after(earlier);
                let is_late = evidence.tenant_lag.is_some_and(|tenant| lag > tenant);
                Echo::SeenOfEither(if is_late { own } else { lag })
            }
            (Shown::Other, Echo::Indistinct | Echo::SeenOfEither(_)) => Echo::Awaited,
            (Shown::Other, Echo::IndistinctSince(earlier)) => Echo::AwaitedSince(earlier),
            (_, unchanged) => unchanged,
        };
        verdict
    }
}

impl Withdrawn {
    /// The moment from which Teams no longer holds the write.
    fn gone_at(&self) -> Timestamp {
        match self.cleared {
            Cleared::Acknowledged(at) => at.min(self.expires_at),
            // A 404 says nothing while Teams goes on showing the write.
            Cleared::Pending | Cleared::Denied(_) => self.expires_at,
        }
    }

    /// When the echo is over even if nobody looks. While a run of answers that look like it goes on, that run decides.
    pub(crate) fn ends_at(&self, timing: &Timing) -> Timestamp {
        let gone_at = self.gone_at();
        self.shown_since.map_or(gone_at, |at| at.max(gone_at)) + timing.settle
    }

    /// The least time for which the echo must have been shown without a break to be none, and the least time since the write
    /// was taken back.
    fn waits(&self, tenant_lag: Option<Duration>, timing: &Timing) -> (Duration, Duration) {
        let (run, gone) = match (self.echo, tenant_lag) {
            (Echo::Seen(own) | Echo::SeenOfEither(own), Some(tenant)) => {
                (own.max(tenant), Duration::ZERO)
            }
            (Echo::Indistinct | Echo::IndistinctSince(_), Some(tenant)) => (tenant, Duration::ZERO),
            (Echo::Seen(own) | Echo::SeenOfEither(own), None) => {
                ((own * 2).max(timing.settle_least), Duration::ZERO)
            }
            // An echo lasts as long as what it echoes.
            (_, tenant) => {
                let lived = self.gone_at().since(self.in_effect_from);
                (lived, tenant.unwrap_or(timing.settle))
            }
        };
        (run.min(timing.settle), gone.min(timing.settle))
    }

    /// Takes in an answer after a 404. That is believed once Teams has shown the write and then something else, or goes on
    /// showing something else for longer than any lag.
    fn contradict(&mut self, shown: Shown, asked_at: Timestamp, timing: &Timing) {
        let since_write = asked_at.since(self.in_effect_from);
        let was_shown = matches!(self.echo, Echo::Seen(_) | Echo::SeenOfEither(_));
        match shown {
            Shown::Other if was_shown || since_write >= timing.settle => {
                self.cleared = Cleared::Acknowledged(asked_at);
            }
            Shown::Echo if !was_shown => self.echo = Echo::SeenOfEither(since_write),
            Shown::Echo | Shown::Other | Shown::Hidden => {}
        }
    }

    fn observe(&mut self, evidence: Evidence, timing: &Timing) -> Verdict {
        let Evidence {
            asked_at, shown, ..
        } = evidence;
        if let Cleared::Denied(denied_at) = self.cleared
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
            Shown::Echo => {
                let since = (*self.shown_since.get_or_insert(asked_at)).max(gone_at);
                Verdict {
                    lag: None,
                    is_over: asked_at.since(since) >= run && asked_at.since(gone_at) >= gone,
                }
            }
            Shown::Hidden => {
                self.shown_since = None;
                Verdict::default()
            }
            Shown::Other => {
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
                // A write that was never seen may be shown late.
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
