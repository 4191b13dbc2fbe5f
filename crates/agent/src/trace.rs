//! Recording of the microphone's use over time: one JSON object per line, with the milliseconds since the start. Recorded
//! on any system (`offhook-agent record`), replayed on all of them (`tests/traces.rs`).

use std::{io, io::Write};

use agent_protocol::Table;
use serde::{Deserialize, Serialize};
use tokio::{sync::mpsc::channel, time::Instant};

use crate::{
    clock::milliseconds,
    microphone::{Capture, Event, MicrophoneUse},
    usage::Milliseconds,
};

/// One line of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Time since the start, in milliseconds.
    pub at: Milliseconds,
    /// Event or expectation.
    #[serde(flatten)]
    pub what: What,
}

/// Event or expectation of a trace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The processes that use the microphone from now on, without others.
    Captures(Vec<Capture>),
    /// The use of the microphone is unknown.
    Lost(String),
    /// The server's table; written by hand.
    Table(Table),
    /// A pause by the person, in milliseconds; 0 ends it. Written by hand.
    Pause(Milliseconds),
    /// Processes of the rows that are reported now; written by hand.
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

/// Writes the events of a microphone line by line, until there are no more.
///
/// # Errors
/// The trace cannot be written.
pub async fn record(microphone: Box<dyn MicrophoneUse>, mut to: impl Write) -> io::Result<()> {
    let (events, mut received) = channel(16);
    microphone.watch(events);
    let began = Instant::now();
    while let Some(event) = received.recv().await {
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
