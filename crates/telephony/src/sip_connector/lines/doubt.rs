//! Calls that vanished from a full document without having been terminated.
//!
//! FreeSWITCH sends an empty document in the middle of a call, for instance when a phone publishes its presence; the answer
//! to a refresh lists the call. The connector therefore refreshes such a line once before it believes the end of the call.

use std::{sync::Arc, time::Duration};

use sip::subscriber::Event;

use super::{Lines, Output};

/// How long a refresh may take until the end of a vanished call counts without it.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

impl Lines {
    /// Handles a vanished call of a line: the answer to a refresh decides.
    pub(super) fn on_vanished(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        out: &mut Vec<Output>,
    ) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        line.doubt_until.get_or_insert(now + ANSWER_WITHIN);
        let subscribed = self.subscribed_for(extension);
        self.run(now, &subscribed, Event::Vanished, out);
    }

    /// Ends a vanished call for which no answer came in time.
    pub(super) fn settle_doubt(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        out: &mut Vec<Output>,
    ) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        if line.doubt_until.take_if(|until| *until <= now).is_some() {
            line.dialogs.settle();
            self.report_again(now, extension, out);
        }
    }
}
