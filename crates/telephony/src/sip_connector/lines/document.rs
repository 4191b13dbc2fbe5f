//! From a NOTIFY's body to a line state.

use std::sync::Arc;
use std::time::Duration;

use presence::LineState;
use sip::dialog_info::{CONTENT_TYPE, DialogInfo};
use sip::dialog_set::Fold;

use super::{Lines, Output};
use crate::line_state::{line_state, other_party};
use crate::own_dialogs::drop_own;

impl Lines {
    /// Takes one NOTIFY's body. What cannot be understood is that line's trouble and nobody else's.
    #[allow(
        clippy::too_many_arguments,
        reason = "the fields of one NOTIFY, taken apart once at the caller"
    )]
    pub(super) fn understand(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        content_type: Option<&str>,
        body: &[u8],
        lease: Duration,
        first: bool,
        out: &mut Vec<Output>,
    ) {
        let is_full_due = self.is_full_due(extension);
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        if first {
            line.dialogs.restart();
        }
        let state = if body.trim_ascii().is_empty() {
            // Nothing to tell is how some systems say that there is no dialog.
            line.dialogs.clear();
            LineState::Idle
        } else {
            let media_type = content_type
                .and_then(|c| c.split(';').next())
                .unwrap_or_default()
                .trim();
            if !media_type.is_empty() && !media_type.eq_ignore_ascii_case(CONTENT_TYPE) {
                let trouble = self.words.content_type(extension, media_type);
                self.lose(extension, trouble, out);
                return self.doubt(now, extension, out);
            }
            let document = match DialogInfo::parse(body) {
                Ok(mut document) => {
                    drop_own(&mut document);
                    document
                }
                Err(error) => {
                    let trouble = self.words.document(extension, &error);
                    self.lose(extension, trouble, out);
                    return self.doubt(now, extension, out);
                }
            };
            if is_full_due {
                line.dialogs.begin_without_full();
            }
            match line.dialogs.fold(now, document) {
                Fold::Applied => line_state(line.dialogs.dialogs()),
                Fold::Gap => {
                    // Documents are missing: until a full one comes, a refresh renews nothing.
                    line.state = None;
                    if is_full_due {
                        let trouble = self.words.no_full_document(extension);
                        self.lose(extension, trouble, out);
                    }
                    return self.doubt(now, extension, out);
                }
            }
        };
        let lacks_full = line.dialogs.lacks_full();
        line.state = Some(state);
        line.lease_until = now + lease;
        let party = other_party(line.dialogs.dialogs());
        self.reschedule(extension);
        let trouble = lacks_full.then(|| self.words.partial_only(extension));
        self.set_trouble(extension, trouble);
        out.push(Output::State {
            extension: Arc::clone(extension),
            state,
            party,
            lease,
        });
    }

    /// The line cannot be understood: its last state is renewed no more and soon no longer counts.
    pub(super) fn lose(
        &mut self,
        extension: &Arc<str>,
        trouble: super::Trouble,
        out: &mut Vec<Output>,
    ) {
        if let Some(line) = self.lines.get_mut(extension) {
            line.state = None;
        }
        out.push(Output::Stale {
            extension: Arc::clone(extension),
        });
        self.set_trouble(extension, Some(trouble));
    }

    /// A call that has been ringing for too long is over: says what remains.
    pub(super) fn stop_ringing(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        out: &mut Vec<Output>,
    ) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        if line.dialogs.expire(now) && line.state.is_some() {
            let state = line_state(line.dialogs.dialogs());
            line.state = Some(state);
            let lease = line.lease_until.saturating_sub(now);
            out.push(Output::State {
                extension: Arc::clone(extension),
                state,
                party: other_party(line.dialogs.dialogs()),
                lease,
            });
        }
    }
}
