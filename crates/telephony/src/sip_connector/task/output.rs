//! Output of the task: messages for the PBX, events and health for the owner, log lines.

use std::{net::SocketAddr, sync::Arc};

use tokio::{sync::mpsc, time::Instant};

use super::{
    super::lines::{Note, Output},
    LOG_INTERVAL, Task,
};
use crate::phone_system::{Health, LineEvent, Trouble};

impl Task {
    /// Sends the messages and events of the lines; an answer goes to the source of its request.
    pub(super) fn carry_out(&mut self, from: Option<SocketAddr>, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(bytes) => {
                    let to = from.filter(|_| bytes.starts_with(b"SIP/2.0 "));
                    self.send(to, bytes);
                }
                Output::Line { extension, change } => self.send_event(LineEvent {
                    extension,
                    change,
                    received: Instant::now(),
                }),
                Output::Refreshed(order) => {
                    if let Some(done) = self.refreshing.remove(&order) {
                        // The sender of the command may have stopped waiting.
                        let _ = done.send(());
                    }
                }
            }
        }
    }

    pub(super) fn send_all(&mut self, messages: Vec<Vec<u8>>) {
        for bytes in messages {
            self.send(None, bytes);
        }
    }

    pub(super) fn send(&mut self, to: Option<SocketAddr>, bytes: Vec<u8>) {
        if let Some(link) = &mut self.link {
            link.writer.push(to, bytes);
        }
    }

    /// Sends an event to the owner. While the owner's channel is full, the latest event of each line waits.
    fn send_event(&mut self, event: LineEvent) {
        self.long_calls.on_event(self.now(), &event);
        let extension = Arc::clone(&event.extension);
        if !self.unsent.is_empty() {
            self.unsent.insert(extension, event);
        } else if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
            self.unsent.insert(extension, event);
        }
    }

    pub(super) fn report(&mut self) {
        let now = self.now();
        self.forgive();
        let has_new_long_calls = self.long_calls.at(now) != self.health.borrow().long_calls;
        if self.lines.take_changed() | self.publications.take_changed() | has_new_long_calls {
            self.publish_health();
        }
        if now >= self.notes_at && self.lines.has_notes() {
            self.notes_at = now + LOG_INTERVAL;
            self.log_notes();
        }
    }

    /// Writes one log line for each kind of trouble: many lines recover or fail together.
    fn log_notes(&mut self) {
        let name = &self.config.name;
        for note in self.lines.take_notes() {
            match note {
                Note::Trouble { lines, first } => {
                    tracing::warn!(%name, lines, what = %first.what, remedy = %first.remedy, "lines in trouble; the first is named");
                }
                Note::Well { lines, first } => {
                    tracing::info!(%name, lines, %first, "lines have recovered; the first is named");
                }
            }
        }
    }

    /// After connections that ended soon an answer alone does not end the trouble; known lines do.
    fn forgive(&mut self) {
        let is_known = self.lines.active() == self.lines.len();
        if self.answered_at.is_some() && is_known && self.trouble.take().is_some() {
            self.publish_health();
        }
    }

    pub(super) fn publish_health(&mut self) {
        let account_trouble = self.lines.account_trouble();
        let before = self
            .health
            .borrow()
            .trouble
            .as_ref()
            .map(|t| t.remedy.clone());
        let trouble = self.trouble.clone().or(account_trouble);
        let trouble = trouble.or_else(|| self.publications.trouble());
        // Each kind of trouble has a remedy of its own.
        let is_new = |trouble: &&Trouble| before.as_ref() != Some(&trouble.remedy);
        if let (Some(trouble), None) = (trouble.as_ref().filter(is_new), &self.trouble) {
            tracing::warn!(name = %self.config.name, what = %trouble.what, remedy = %trouble.remedy, "trouble with the account");
        }
        self.health.send_replace(Health {
            // A connection that does not last does not count as reachable.
            reachable: self.answered_at.is_some() && self.trouble.is_none(),
            lines: self.lines.len(),
            active: self.lines.active(),
            pending: self.lines.pending(),
            software: self.lines.software(),
            long_calls: self.long_calls.at(self.now()),
            trouble,
            login_fault: self.lines.login_fault(),
            line_trouble: self.lines.line_trouble().clone(),
            partly_understood: self.lines.partly_understood(),
        });
    }
}
