//! Real sound without a sound card: a PulseAudio of its own with a microphone that hears silence, programs that record from
//! it, and our agent beside them.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::{Desktop, Keyring, Program, Server, Session, eventually, program};

/// How long PulseAudio takes to start on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

/// A sound server. Dropping it kills it.
pub struct Sound {
    folder: tempfile::TempDir,
    server: Option<Child>,
}

impl Sound {
    /// Starts PulseAudio with the microphone `mic` and the loudspeaker `speaker`.
    ///
    /// # Panics
    /// It is not installed, or does not start.
    pub async fn start() -> Self {
        let mut sound = Self {
            folder: tempfile::tempdir().unwrap(),
            server: None,
        };
        sound.restart().await;
        sound
    }

    /// Starts it again after [`Self::kill`].
    ///
    /// # Panics
    /// It does not start.
    pub async fn restart(&mut self) {
        let protocol = format!(
            "module-native-protocol-unix auth-anonymous=1 socket={}",
            self.socket().display()
        );
        let server = Command::new("pulseaudio")
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1"])
            .args(["--use-pid-file=no", "--log-level=error"])
            .args(["--load", &protocol])
            .args(["--load", "module-null-sink sink_name=speaker"])
            .args(["--load", "module-null-source source_name=mic"])
            .env("HOME", self.folder.path())
            .env("XDG_RUNTIME_DIR", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("PulseAudio is missing: apt-get install pulseaudio pulseaudio-utils");
        self.server = Some(server);
        let is_there = async || {
            let listed = Command::new("pactl")
                .args(["list", "short", "sources"])
                .env("PULSE_SERVER", self.address())
                .output();
            let listed = listed.await.unwrap().stdout;
            String::from_utf8_lossy(&listed).contains("\tmic\t")
        };
        eventually("PulseAudio", START_MAX, true, is_there).await;
    }

    /// Ends the sound server as a crash would.
    ///
    /// # Panics
    /// It does not run.
    pub async fn kill(&mut self) {
        self.server.take().unwrap().kill().await.unwrap();
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("pulse.sock")
    }

    /// Where it is, as programs are told.
    pub fn address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// A real recorder under another name records from a source, until it is dropped or killed.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn record(&self, name: impl AsRef<OsStr>, source: &str) -> Child {
        let name = Path::new(name.as_ref());
        let recorder = self.folder.path().join("programs").join(name).join(name);
        if !recorder.exists() {
            std::fs::create_dir_all(recorder.parent().unwrap()).unwrap();
            std::fs::copy("/usr/bin/pacat", &recorder).expect("pulseaudio-utils is missing");
        }
        let device = format!("--device={source}");
        // Left to itself it calls itself by its file's name, which the sound server takes in UTF-8 only.
        let names = ["--client-name=recorder", "--stream-name=recorder"];
        let arguments = [&["--record", &*device], &names[..]].concat();
        self.run(&recorder, &arguments)
    }

    /// A program that uses this sound server.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> Child {
        Command::new(program)
            .args(arguments)
            .env("PULSE_SERVER", self.address())
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()))
    }
}

/// A desktop agent of one person. Dropping it kills it.
pub struct Agent {
    folder: tempfile::TempDir,
    /// What it and its commands are told.
    environment: Vec<(&'static str, String)>,
    program: Option<Program>,
}

impl Agent {
    /// Pairs a new device with a person, at an address of the server, and starts the agent.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn start(server: &Server, address: &str, person: &str, sound: &Sound) -> Self {
        let mut agent = Self::new(sound);
        agent.pair(server, address, person).await;
        agent.restart();
        agent.connected().await;
        agent
    }

    /// An agent that was never paired or started.
    ///
    /// # Panics
    /// There is no room for its folder.
    #[must_use]
    pub fn new(sound: &Sound) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment: vec![
                ("OFFHOOK_LOG", "warn".into()),
                ("PULSE_SERVER", sound.address()),
                // Not this machine's: what its user does is no part of a test.
                ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere".into()),
                ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere".into()),
            ],
            program: None,
        }
    }

    /// Pairs a new device with a person, at an address of the server; what the command says.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn pair(&self, server: &Server, address: &str, person: &str) -> String {
        let person = server.person(person).await;
        let path = format!("/api/v1/people/{person}/devices");
        let code = server.ok(Method::POST, &path, None).await;
        let code = code["code"].as_str().unwrap();
        let (status, said, errors) = self.run(&["pair", address, code, "--name", "desk"]).await;
        assert_eq!(status, 0, "{errors}");
        said
    }

    /// What it keeps in its file; nothing if there is none.
    #[must_use]
    pub fn kept(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("credentials.json")).unwrap_or_default()
    }

    /// Starts it again.
    pub fn restart(&mut self) {
        let folder = self.folder.path().to_str().unwrap();
        let environment = self.environment();
        let program = Program::start("offhook-agent", &["--folder", folder], &environment);
        self.program = Some(program);
    }

    fn environment(&self) -> Vec<(&str, &str)> {
        let variables = self.environment.iter();
        variables.map(|(name, value)| (*name, &**value)).collect()
    }

    fn tell(&mut self, name: &'static str, value: String) {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value));
    }

    /// From its next start it belongs to a session.
    pub fn belongs_to(&mut self, session: &Session) {
        self.tell("DBUS_SYSTEM_BUS_ADDRESS", session.address());
    }

    /// From its next start it has a keyring.
    pub fn has(&mut self, keyring: &Keyring) {
        self.tell("DBUS_SESSION_BUS_ADDRESS", keyring.address());
    }

    /// From its next start it is on a desktop, with its browser.
    pub fn is_on(&mut self, desktop: &Desktop) {
        self.tell("DBUS_SESSION_BUS_ADDRESS", desktop.address());
        let path = std::env::var("PATH").unwrap_or_default();
        self.tell("PATH", format!("{}:{path}", desktop.browser().display()));
    }

    /// Ends it as a crash would.
    ///
    /// # Panics
    /// It does not run.
    pub async fn kill(&mut self) {
        self.program.take().unwrap().kill().await;
    }

    /// A command of the agent: exit code, output, errors.
    pub async fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut all = vec!["--folder", self.folder.path().to_str().unwrap()];
        all.extend(arguments);
        program::run("offhook-agent", &all, &self.environment()).await
    }

    /// What it says of itself; null while it does not run.
    pub async fn status(&self) -> Value {
        let (code, out, _) = self.run(&["status", "--json"]).await;
        match code {
            0 => serde_json::from_str(&out).unwrap(),
            _ => json!(null),
        }
    }

    /// Waits until it is connected.
    ///
    /// # Panics
    /// It never is.
    pub async fn connected(&self) {
        let connected = async || self.status().await["connected"] == true;
        eventually("the agent connects", START_MAX, true, connected).await;
    }
}
