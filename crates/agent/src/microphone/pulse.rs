//! Linux: PulseAudio, or PipeWire that speaks like it. Two connections: one only hears that something changed, one asks
//! what there is now, so that no change is lost while the answer is on its way.

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
    Capture, Event, MicrophoneUse, SETTLE, Teller, alsa,
    identity::{Host, Told},
    in_a_thread,
};
use crate::{
    backoff::Backoff,
    process::{self, Proc},
};

/// A server that does not answer for so long is none.
const PATIENCE: Duration = Duration::from_secs(10);
/// A restart of the sound server takes about a second.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(15));
/// How often the kernel is asked where there is no sound server.
const POLL: Duration = Duration::from_secs(2);
/// A cookie has this length, or the server calls it invalid.
const COOKIE: usize = 256;
/// What level meters ask for.
const PEAKS: &[u8] = b"peaks";

/// The sound server of the session.
#[derive(Clone, Debug, Default)]
pub struct Pulse {
    processes: Proc,
}

/// Why a sound server cannot be heard.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("no sound server is running in this session (no PulseAudio socket)")]
    NoSocket,
    #[error("the connection to the sound server is lost: {0}")]
    Io(#[from] std::io::Error),
    #[error("the sound server refuses: {0}")]
    Refused(#[from] wire::ProtocolError),
    #[error("nobody listens any more")]
    Unheard,
}

impl MicrophoneUse for Pulse {
    fn watch(self: Box<Self>, events: Sender<Event>) {
        in_a_thread(events, move |teller| self.run(teller));
    }
}

impl Pulse {
    fn run(&self, mut teller: Teller) {
        let mut backoff = Backoff::new(RETRY.0, RETRY.1);
        while teller.is_heard() {
            let began = Instant::now();
            let trouble = match self.session(&mut teller) {
                Ok(never) => match never {},
                Err(trouble) => trouble,
            };
            if began.elapsed() > RETRY.1 {
                backoff.reset();
            }
            if matches!(trouble, Trouble::NoSocket) && alsa::has_cards(&self.processes.0) {
                self.ask_kernel(&mut teller);
                continue;
            }
            teller.tell(Event::Lost(format!("{trouble}; trying again")));
            thread::sleep(backoff.wait());
        }
    }

    /// Looks once at what the kernel tells of recording devices.
    fn ask_kernel(&self, teller: &mut Teller) {
        let owners = alsa::recording(&self.processes.0).into_iter();
        let names = |pid| process::names(&self.processes, pid);
        let captures = owners
            .map(|pid| Capture {
                pid,
                names: names(pid),
            })
            .collect();
        teller.tell(Event::Captures(captures));
        thread::sleep(POLL);
    }

    fn session(&self, teller: &mut Teller) -> Result<std::convert::Infallible, Trouble> {
        let (changed, changes) = mpsc::channel::<Result<(), Trouble>>();
        let mut heard = Connection::open(c"Offhook agent (events)")?;
        let mask =
            SubscriptionMask::SOURCE_OUTPUT | SubscriptionMask::SOURCE | SubscriptionMask::SERVER;
        heard.send(&Command::Subscribe(mask))?;
        wire::read_ack_message(&mut heard.socket)?;
        heard.socket.get_ref().set_read_timeout(None)?;
        let mut asking = Connection::open(c"Offhook agent")?;
        let closing = heard.socket.get_ref().try_clone()?;
        let reader = thread::Builder::new()
            .name("sound events".into())
            .spawn(move || {
                loop {
                    let read = wire::read_command_message(&mut heard.socket, heard.version);
                    let is_over = read.is_err();
                    let sent = changed.send(read.map(|_| ()).map_err(Trouble::from));
                    if is_over || sent.is_err() {
                        return;
                    }
                }
            })?;
        let trouble = self.follow(&mut asking, &changes, teller);
        // The reader ends with its connection.
        let _ = closing.shutdown(std::net::Shutdown::Both);
        let _ = reader.join();
        trouble
    }

    fn follow(
        &self,
        asking: &mut Connection,
        changes: &mpsc::Receiver<Result<(), Trouble>>,
        teller: &mut Teller,
    ) -> Result<std::convert::Infallible, Trouble> {
        loop {
            if !teller.tell(Event::Captures(self.captures(asking)?)) {
                return Err(Trouble::Unheard);
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

    /// Who records from a microphone: no loudspeaker's monitor, no level meter, nothing that is paused.
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
                // Native clients of PipeWire say who they are on the client only.
                let client = output.client_index.and_then(|index| clients.get(&index));
                let property = |key: &CStr| {
                    let of_client = || client.and_then(|client| property(&client.props, key));
                    property(&output.props, key).or_else(of_client)
                };
                Told::new(property).capture(&self.processes, &here)
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

/// A connection to the sound server.
struct Connection {
    socket: BufReader<UnixStream>,
    version: u16,
    number: u32,
}

impl Connection {
    fn open(name: &CStr) -> Result<Self, Trouble> {
        let path = pulseaudio::socket_path_from_env().ok_or(Trouble::NoSocket)?;
        // Where there is no cookie the server looks at the user, but still wants one of the right length.
        let cookie = pulseaudio::cookie_path_from_env()
            .and_then(|path| std::fs::read(path).ok())
            .filter(|cookie| cookie.len() == COOKIE)
            .unwrap_or_else(|| vec![0; COOKIE]);
        let socket = UnixStream::connect(path)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
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
