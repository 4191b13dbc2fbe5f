//! The rules of a tenant, derived from its knobs.

use crate::{
    duration::Milliseconds,
    knobs::{self, CalendarAlone, EchoActivity, IdenticalWrite, Knobs, TieBreak},
    value::IdleSpelling,
};

/// The knobs that the pure modules need.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Spelling of the idle stage.
    pub(crate) idle_spelling: IdleSpelling,
    /// Lifetime of a client's session after its sign-out.
    pub(crate) sign_out_grace: Milliseconds,
    /// True if the earliest session of a rank is shown instead of the latest.
    pub(crate) earliest_wins: bool,
    /// True if an application's call is read as `Busy/Busy`.
    pub(crate) echo_busy: bool,
    /// True if the calendar counts without a session.
    pub(crate) calendar_alone: bool,
    /// True if an identical write counts as a change.
    pub(crate) alike_counts: bool,
}

impl Rules {
    /// The rules for the given knobs.
    pub(crate) fn of(knobs: &Knobs) -> Self {
        Self {
            idle_spelling: knobs.idle_spelling,
            sign_out_grace: knobs::milliseconds(knobs.sign_out_grace),
            earliest_wins: knobs.tie_break == TieBreak::Earliest,
            echo_busy: knobs.echo_activity == EchoActivity::Busy,
            calendar_alone: knobs.calendar_alone == CalendarAlone::Show,
            alike_counts: knobs.identical_write == IdenticalWrite::Notify,
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::of(&Knobs::default())
    }
}
