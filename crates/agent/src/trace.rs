//! How a microphone was used over time, as a file: one JSON object a line, with the milliseconds since the beginning. It is
//! recorded on any system (`offhook-agent record`) and replayed on all of them, in `tests/traces.rs`.

use std::{io, io::Write};

use agent_protocol::Table;
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc::channel, time::Instant};

use crate::{
    clock::milliseconds,
    microphone::{Capture, Event, MicrophoneUse},
    usage::Milliseconds,
};

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// When, since the beginning.
    pub at: Milliseconds,
    /// What happened, or is expected.
    #[serde(flatten)]
    pub what: What,
}

/// What happened, or is expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// These processes use the microphone now, and no others.
    Captures(Vec<Capture>),
    /// It cannot be told.
    Lost(String),
    /// The server's table came; written by hand.
    Table(Table),
    /// The person pauses for so long; 0 ends it. Written by hand.
    Pause(Milliseconds),
    /// These rows are reported now, by process; written by hand.
    Reported(Vec<String>),
}

impl From<Event> for What {
    fn from(event: Event) -> Self {
        match event {
            Event::Captures(captures) => Self::Captures(captures),
            Event::Lost(trouble) => Self::Lost(trouble),
        }
    }
}

/// Writes what a microphone tells, line by line, until it tells no more.
///
/// # Errors
/// It cannot be written.
pub async fn record(microphone: Box<dyn MicrophoneUse>, mut to: impl Write) -> io::Result<()> {
    let (events, mut told) = channel(16);
    microphone.watch(events);
    let began = Instant::now();
    while let Some(event) = told.recv().await {
        let line = Line {
            at: milliseconds(began.elapsed()),
            what: event.into(),
        };
        let mut text = serde_json::to_vec(&line)?;
        text.push(b'\n');
        to.write_all(&text)?;
        to.flush()?;
    }
    Ok(())
}
