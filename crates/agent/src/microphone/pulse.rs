//! Linux: PulseAudio, or PipeWire's PulseAudio server. Two connections: one receives change events, the other queries the
//! state, so that no change is lost during a query.

#![expect(
    clippy::disallowed_methods,
    reason = "threads of their own that wait for the sound server, which keeps its own time"
)]

use std::{
    collections::HashMap,
    ffi::{CStr, CString},
    io::BufReader,
    os::unix::net::UnixStream,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use pulseaudio::protocol::{self as wire, Command, SubscriptionMask};
use tokio::sync::mpsc::Sender;

use super::{
    Capture, Event, EventSender, MicrophoneUse, SETTLE, alsa,
    identity::{Host, StreamProperties},
    spawn_watcher,
};
use crate::{
    backoff::Backoff,
    process::{self, Proc},
};

/// Timeout of a request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Shortest and longest wait before a reconnection; a restart of the sound server takes about a second.
const RETRY_INTERVALS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));
/// Polling interval of the kernel's list without a sound server.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// Length of a cookie in bytes; the server refuses others.
const COOKIE_LENGTH: usize = 256;
/// Value of `resample_method` of level meters.
const PEAKS: &[u8] = b"peaks";

/// Sound server of the session.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    processes: Proc,
}

/// Reason why the sound server cannot be watched.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("no sound server is running in this session (no PulseAudio socket)")]
    NoSocket,
    #[error("the connection to the sound server was lost: {0}")]
    Io(#[from] std::io::Error),
    #[error("the sound server refuses: {0}")]
    Refused(#[from] wire::ProtocolError),
    #[error("the agent is shutting down")]
    Closed,
}

impl MicrophoneUse for Pulse {
    fn watch(self: Box<Self>, events: Sender<Event>) {
        spawn_watcher(events, move |sender| self.run(sender));
    }
}

impl Pulse {
    fn run(&self, mut sender: EventSender) {
        let mut backoff = Backoff::new(RETRY_INTERVALS.0, RETRY_INTERVALS.1);
        while sender.is_open() {
            let began = Instant::now();
            let trouble = match self.session(&mut sender) {
                Ok(never) => match never {},
                Err(trouble) => trouble,
            };
            if began.elapsed() > RETRY_INTERVALS.1 {
                backoff.reset();
            }
            if matches!(trouble, Trouble::NoSocket) && alsa::has_cards(&self.processes.0) {
                self.ask_kernel(&mut sender);
                continue;
            }
            sender.send(Event::Lost(format!("{trouble}; retrying")));
            thread::sleep(backoff.wait());
        }
    }

    /// Reads the kernel's list of recording processes once.
    fn ask_kernel(&self, sender: &mut EventSender) {
        let owners = alsa::recording(&self.processes.0).into_iter();
        let names = |pid| process::names(&self.processes, pid);
        let captures = owners
            .map(|pid| Capture {
                pid,
                names: names(pid),
            })
            .collect();
        sender.send(Event::Captures(captures));
        thread::sleep(POLL_INTERVAL);
    }

    fn session(&self, sender: &mut EventSender) -> Result<std::convert::Infallible, Trouble> {
        let (changed, changes) = mpsc::channel::<Result<(), Trouble>>();
        let mut subscription = Connection::open(c"Offhook agent (events)")?;
        let mask =
            SubscriptionMask::SOURCE_OUTPUT | SubscriptionMask::SOURCE | SubscriptionMask::SERVER;
        subscription.send(&Command::Subscribe(mask))?;
        wire::read_ack_message(&mut subscription.socket)?;
        subscription.socket.get_ref().set_read_timeout(None)?;
        let mut asking = Connection::open(c"Offhook agent")?;
        let closing = subscription.socket.get_ref().try_clone()?;
        let reader = thread::Builder::new()
            .name("sound events".into())
            .spawn(move || {
                loop {
                    let read =
                        wire::read_command_message(&mut subscription.socket, subscription.version);
                    let is_over = read.is_err();
                    let sent = changed.send(read.map(|_| ()).map_err(Trouble::from));
                    if is_over || sent.is_err() {
                        return;
                    }
                }
            })?;
        let trouble = self.follow(&mut asking, &changes, sender);
        // Closing the socket ends the reader's thread.
        let _ = closing.shutdown(std::net::Shutdown::Both);
        let _ = reader.join();
        trouble
    }

    fn follow(
        &self,
        asking: &mut Connection,
        changes: &mpsc::Receiver<Result<(), Trouble>>,
        sender: &mut EventSender,
    ) -> Result<std::convert::Infallible, Trouble> {
        loop {
            if !sender.send(Event::Captures(self.captures(asking)?)) {
                return Err(Trouble::Closed);
            }
            let lost = |_| Trouble::Io(std::io::ErrorKind::UnexpectedEof.into());
            changes.recv().map_err(lost)??;
            let settled = Instant::now() + SETTLE;
            while let Ok(change) =
                changes.recv_timeout(settled.saturating_duration_since(Instant::now()))
            {
                change?;
            }
        }
    }

    /// Processes that record from a microphone, without monitors of loudspeakers, level meters and paused streams.
    fn captures(&self, connection: &mut Connection) -> Result<Vec<Capture>, Trouble> {
        let sources: wire::SourceInfoList = connection.ask(&Command::GetSourceInfoList)?;
        let outputs: wire::SourceOutputInfoList =
            connection.ask(&Command::GetSourceOutputInfoList)?;
        let clients: wire::ClientInfoList = connection.ask(&Command::GetClientInfoList)?;
        let monitors: HashMap<u32, bool> = sources
            .iter()
            .map(|source| (source.index, source.monitor_of_sink_index.is_some()))
            .collect();
        let clients: HashMap<u32, &wire::ClientInfo> = clients
            .iter()
            .map(|client| (client.index, client))
            .collect();
        let here = Host::here();
        let mut captures: Vec<Capture> = outputs
            .iter()
            .filter(|output| !output.corked)
            .filter(|output| monitors.get(&output.source_index) != Some(&true))
            .filter(|output| {
                let method = output.resample_method.as_deref();
                method.is_none_or(|method| method.to_bytes() != PEAKS)
            })
            .map(|output| {
                // Native clients of PipeWire have their properties on the client only.
                let client = output.client_index.and_then(|index| clients.get(&index));
                let property = |key: &CStr| {
                    let of_client = || client.and_then(|client| property(&client.props, key));
                    property(&output.props, key).or_else(of_client)
                };
                StreamProperties::new(property).capture(&self.processes, &here)
            })
            .collect();
        captures.sort_by(|one, other| (one.pid, &one.names).cmp(&(other.pid, &other.names)));
        Ok(captures)
    }
}

fn property(properties: &wire::Props, key: &CStr) -> Option<String> {
    let bytes = properties.get_bytes(key)?;
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// Connection to the sound server.
struct Connection {
    socket: BufReader<UnixStream>,
    version: u16,
    number: u32,
}

impl Connection {
    fn open(name: &CStr) -> Result<Self, Trouble> {
        let path = pulseaudio::socket_path_from_env().ok_or(Trouble::NoSocket)?;
        // Without a cookie file the server authenticates by user id, but still requires a cookie of the right length.
        let cookie = pulseaudio::cookie_path_from_env()
            .and_then(|path| std::fs::read(path).ok())
            .filter(|cookie| cookie.len() == COOKIE_LENGTH)
            .unwrap_or_else(|| vec![0; COOKIE_LENGTH]);
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(REQUEST_TIMEOUT))?;
        socket.set_write_timeout(Some(REQUEST_TIMEOUT))?;
        let mut connection = Self {
            socket: BufReader::new(socket),
            version: wire::MAX_VERSION,
            number: 0,
        };
        let authentication = wire::AuthParams {
            version: wire::MAX_VERSION,
            supports_shm: false,
            supports_memfd: false,
            cookie,
        };
        let reply: wire::AuthReply = connection.ask(&Command::Auth(authentication))?;
        connection.version = connection.version.min(reply.version);
        let mut properties = wire::Props::new();
        properties.set(wire::Prop::ApplicationName, CString::from(name));
        let _: wire::SetClientNameReply = connection.ask(&Command::SetClientName(properties))?;
        Ok(connection)
    }

    fn send(&mut self, command: &Command) -> Result<(), Trouble> {
        self.number += 1;
        let (number, version) = (self.number, self.version);
        wire::write_command_message(self.socket.get_mut(), number, command, version)?;
        Ok(())
    }

    fn ask<T: wire::CommandReply>(&mut self, command: &Command) -> Result<T, Trouble> {
        self.send(command)?;
        Ok(wire::read_reply_message::<T>(&mut self.socket, self.version)?.1)
    }
}
