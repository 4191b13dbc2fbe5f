//! From a NOTIFY's body to a line state.

use std::{borrow::Cow, sync::Arc, time::Duration};

use presence::LineChange;
use sip::{
    dialog_info::{CONTENT_TYPE, DialogInfo, DialogState, DocumentError},
    dialog_set::{Fold, FullDocuments, Vanished},
    multipart,
    remark::Remarks,
    software::Software,
};

use super::{Lines, Output};
use crate::own_dialogs::{is_own, remove_own_dialogs};

/// The content of a NOTIFY.
#[derive(Clone, Copy, Debug)]
pub(super) struct NotifyContent<'a> {
    pub(super) now: Duration,
    /// The Content-Type; empty if there is none.
    pub(super) content_type: &'a str,
    pub(super) body: &'a [u8],
    /// How long the subscription lives without renewal.
    pub(super) lease: Duration,
    /// Whether this is the first NOTIFY of a new subscription.
    pub(super) first: bool,
    /// The software that sent the NOTIFY.
    pub(super) software: Software,
}

impl Lines {
    /// Applies the body of a NOTIFY. An unreadable document is trouble of its line only.
    pub(super) fn understand(
        &mut self,
        received: &NotifyContent<'_>,
        extension: &Arc<str>,
        out: &mut Vec<Output>,
    ) {
        if let Some(line) = self.lines.get_mut(extension)
            && received.first
        {
            line.dialogs.restart();
            line.doubt_until = None;
        }
        if let Some(remarks) = self.apply_document(received, extension, None, out) {
            self.report_state(received, extension, &remarks, out);
        }
    }

    /// Applies the document of a line, or of one of its instances, to the line's dialogs. Returns the remarks about the
    /// document, or `None` if it does not give the line's state.
    pub(super) fn apply_document(
        &mut self,
        received: &NotifyContent<'_>,
        extension: &Arc<str>,
        instance: Option<&str>,
        out: &mut Vec<Output>,
    ) -> Option<Remarks> {
        let mut document = match read(received) {
            Ok(document) => document,
            Err(error) => {
                let trouble = match error {
                    Unreadable::Type(media_type) => self.words.content_type(extension, &media_type),
                    Unreadable::Document(error) => self.words.document(extension, &error),
                };
                self.forget_instance(extension, instance);
                self.lose(extension, trouble, out);
                self.doubt(received.now, extension, out);
                return None;
            }
        };
        let is_full_due = self.is_full_due(extension);
        let remarks = std::mem::take(&mut document.unread.remarks);
        let full = match received.software {
            Software::FreeSwitch => FullDocuments::LastChange,
            Software::Asterisk | Software::Other => FullDocuments::AllDialogs,
        };
        let line = self.lines.get_mut(extension)?;
        if full == FullDocuments::LastChange
            && let Some(is_live) = only_own(&document)
        {
            // The last change is one of Offhook's own dialogs: while it is live, the line's calls are unknown; once it is
            // over, the line has no call.
            if is_live && line.state.is_some() {
                return Some(remarks);
            }
            document
                .dialogs
                .retain(|dialog| dialog.state == DialogState::Terminated);
        } else {
            remove_own_dialogs(&mut document);
        }
        let vanished = match is_full_due {
            true => Vanished::Over,
            false => Vanished::Doubtful,
        };
        let dialogs = match instance {
            Some(id) => line.dialogs.instance(id),
            None => line.dialogs.single(),
        };
        if is_full_due {
            dialogs.begin_without_full();
        }
        match dialogs.fold_from(received.now, document, full, vanished) {
            Fold::Applied if line.dialogs.is_doubted() => {}
            Fold::Applied => line.doubt_until = None,
            Fold::Doubted => self.on_vanished(received.now, extension, out),
            Fold::Gap => {
                // Documents are missing: until a full one comes, a refresh renews nothing.
                line.state = None;
                if is_full_due {
                    let trouble = self.words.no_full_document(extension);
                    self.forget_instance(extension, instance);
                    self.lose(extension, trouble, out);
                }
                self.doubt(received.now, extension, out);
                return None;
            }
        }
        Some(remarks)
    }

    /// Removes one of several instances from the line's state.
    pub(super) fn forget_instance(&mut self, extension: &Arc<str>, instance: Option<&str>) {
        if let (Some(line), Some(id)) = (self.lines.get_mut(extension), instance) {
            line.dialogs.forget_instance(id);
        }
    }

    /// Reports the state of a line from its dialogs.
    pub(super) fn report_state(
        &mut self,
        received: &NotifyContent<'_>,
        extension: &Arc<str>,
        remarks: &Remarks,
        out: &mut Vec<Output>,
    ) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        line.lease_until = received.now + received.lease;
        line.state_due = None;
        let Some(state) = line.dialogs.state() else {
            let trouble = self.words.unclear(extension, remarks);
            self.lose(extension, trouble, out);
            return self.reschedule(extension);
        };
        line.state = Some(state);
        let lacks_full = line.dialogs.lacks_full();
        out.push(Output::Line {
            extension: Arc::clone(extension),
            change: LineChange::State {
                state,
                party: line.dialogs.party(),
                lease: received.lease,
            },
        });
        self.reschedule(extension);
        let trouble = match lacks_full {
            true => Some(self.words.partial_only(extension)),
            false => (!remarks.is_empty()).then(|| self.words.remarks(extension, remarks)),
        };
        self.set_trouble(extension, trouble);
    }

    /// Handles an unreadable document: the line's last state is not renewed and soon ends.
    pub(super) fn lose(
        &mut self,
        extension: &Arc<str>,
        trouble: super::Trouble,
        out: &mut Vec<Output>,
    ) {
        if let Some(line) = self.lines.get_mut(extension) {
            line.state = None;
            line.state_due = None;
        }
        out.push(Output::Line {
            extension: Arc::clone(extension),
            change: LineChange::Stale,
        });
        self.set_trouble(extension, Some(trouble));
    }

    /// Ends a call that has been ringing for too long and reports the remaining state.
    pub(super) fn stop_ringing(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        out: &mut Vec<Output>,
    ) {
        let line = self.lines.get_mut(extension);
        if line.is_some_and(|line| line.dialogs.expire(now)) {
            self.report_again(now, extension, out);
        }
    }

    /// Reports the remaining state of a line, some dialogs of which ended without a document, for the rest of the lease.
    pub(super) fn report_again(
        &mut self,
        now: Duration,
        extension: &Arc<str>,
        out: &mut Vec<Output>,
    ) {
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        if line.state.is_none() {
            return;
        }
        line.state = line.dialogs.state();
        let extension = Arc::clone(extension);
        out.push(match line.state {
            Some(state) => Output::Line {
                extension,
                change: LineChange::State {
                    state,
                    party: line.dialogs.party(),
                    lease: line.lease_until.saturating_sub(now),
                },
            },
            None => Output::Line {
                extension,
                change: LineChange::Stale,
            },
        });
    }
}

/// The reason for which a body cannot be read at all.
enum Unreadable {
    /// Another media type than dialog-info.
    Type(String),
    Document(DocumentError),
}

/// The document of a body. Some PBXs send no body when there is no dialog.
fn read(received: &NotifyContent<'_>) -> Result<DialogInfo, Unreadable> {
    let (kind, body) = part(received);
    if body.trim_ascii().is_empty() {
        return Ok(DialogInfo::default());
    }
    let media_type = kind.split(';').next().unwrap_or_default().trim();
    let names_it = ["", CONTENT_TYPE, "application/xml", "text/xml"]
        .iter()
        .any(|known| media_type.eq_ignore_ascii_case(known));
    DialogInfo::parse(&body).map_err(|error| match names_it {
        true => Unreadable::Document(error),
        // The media type is not decisive: a document that can be read counts.
        false => Unreadable::Type(media_type.to_owned()),
    })
}

/// The part of a multipart body that has the document, or the body itself.
fn part<'a>(received: &NotifyContent<'a>) -> (Cow<'a, str>, Cow<'a, [u8]>) {
    let whole = (received.content_type.into(), received.body.into());
    if !multipart::is_multipart(received.content_type) {
        return whole;
    }
    let parts = multipart::parse(received.content_type, received.body).unwrap_or_default();
    let mut of_dialogs = parts
        .into_iter()
        .filter(|part| part.content_type == CONTENT_TYPE);
    match of_dialogs.next() {
        Some(part) => (part.content_type.into(), part.body),
        None => whole,
    }
}

/// Whether one of the dialogs is live, if Offhook published all of them; `None` if there are others or none.
fn only_own(document: &DialogInfo) -> Option<bool> {
    let dialogs = &document.dialogs;
    let only =
        !dialogs.is_empty() && dialogs.iter().all(is_own) && document.unread.dialogs.is_empty();
    only.then(|| {
        dialogs
            .iter()
            .any(|dialog| dialog.state != DialogState::Terminated)
    })
}
