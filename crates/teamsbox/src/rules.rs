//! The rules of a tenant that follow from its knobs.

use crate::duration::Milliseconds;
use crate::knobs::{self, CalendarAlone, EchoActivity, IdenticalWrite, Knobs, TieBreak};
use crate::value::IdleSpelling;

/// The knobs that the pure part needs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Name of the idle stage.
    pub(crate) idle_spelling: IdleSpelling,
    /// How long a client's session outlives its sign-out.
    pub(crate) sign_out_grace: Milliseconds,
    /// Among equals the one that has stood longest is shown, not the latest.
    pub(crate) earliest_wins: bool,
    /// Applications' calls are read back as plain busy.
    pub(crate) echo_busy: bool,
    /// Calendars show without any session.
    pub(crate) calendar_alone: bool,
    /// Writing the same again counts as a change.
    pub(crate) alike_counts: bool,
}

impl Rules {
    /// The rules that follow from the knobs.
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
