//! Real sound without a sound card: a PulseAudio or PipeWire of its own with a silent microphone, programs that record
//! from it, and our agent beside them.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::{
    Desktop, ForwardProxy, Keyring, Program, Server, Session,
    bus::Bus,
    eventually,
    program::{self, apart},
};

/// Longest start of a sound server on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

/// A sound server. Dropping it kills the server.
pub struct Sound {
    folder: tempfile::TempDir,
    /// Bus of PipeWire's parts; PulseAudio needs none.
    bus: Option<Bus>,
    server: Vec<Child>,
}

impl Sound {
    /// Starts PulseAudio with the microphone `mic` and the loudspeaker `speaker`.
    ///
    /// # Panics
    /// PulseAudio is not installed or does not start.
    pub async fn start() -> Self {
        Self::begin(None).await
    }

    /// Starts PipeWire with the microphone `mic` and the loudspeaker `speaker`.
    ///
    /// # Panics
    /// PipeWire is not installed or does not start.
    pub async fn start_pipewire() -> Self {
        Self::begin(Some(Bus::start().await)).await
    }

    async fn begin(bus: Option<Bus>) -> Self {
        let mut sound = Self {
            folder: tempfile::tempdir().unwrap(),
            bus,
            server: Vec::new(),
        };
        std::fs::create_dir(sound.folder.path().join("pulse")).unwrap();
        sound.restart().await;
        sound
    }

    /// Restarts the sound server after [`Self::kill`].
    ///
    /// # Panics
    /// The sound server does not start.
    pub async fn restart(&mut self) {
        match self.bus {
            None => self.start_pulseaudio(),
            Some(_) => self.start_daemons().await,
        }
        let is_there = async || {
            self.control(&["list", "short", "sources"])
                .await
                .contains("\tmic\t")
        };
        eventually("a microphone", START_MAX, true, is_there).await;
    }

    fn start_pulseaudio(&mut self) {
        let protocol = format!(
            "module-native-protocol-unix auth-anonymous=1 socket={}",
            self.socket().display()
        );
        let mut server = self.command("pulseaudio");
        server
            .args(["-n", "--daemonize=no", "--exit-idle-time=-1"])
            .args(["--use-pid-file=no", "--log-level=error"])
            .args(["--load", &protocol])
            .args(["--load", "module-null-sink sink_name=speaker"])
            .args(["--load", "module-null-source source_name=mic"]);
        let server = server.spawn();
        let missing = "PulseAudio is missing: apt-get install pulseaudio pulseaudio-utils";
        self.server = vec![server.expect(missing)];
    }

    /// Starts PipeWire, WirePlumber, which connects streams with devices, and pipewire-pulse, the server for
    /// PulseAudio's clients.
    async fn start_daemons(&mut self) {
        for socket in ["pipewire-0", "pipewire-0.lock", "pulse/native", "pulse/pid"] {
            let _ = std::fs::remove_file(self.folder.path().join(socket));
        }
        let missing = "PipeWire is missing: apt-get install pipewire pipewire-pulse wireplumber";
        self.server = vec![self.command("pipewire").spawn().expect(missing)];
        let socket = self.folder.path().join("pipewire-0");
        let is_there = async || socket.exists();
        eventually("PipeWire", START_MAX, true, is_there).await;
        for program in ["wireplumber", "pipewire-pulse"] {
            let program = self.command(program).spawn().expect(missing);
            self.server.push(program);
        }
        let answers = async || self.control(&["info"]).await.contains("PipeWire");
        eventually("PipeWire's PulseAudio", START_MAX, true, answers).await;
        for (class, name) in [("Audio/Sink", "speaker"), ("Audio/Source/Virtual", "mic")] {
            let (class, name) = (format!("media.class={class}"), format!("sink_name={name}"));
            self.control(&["load-module", "module-null-sink", &class, &name])
                .await;
        }
    }

    async fn control(&self, arguments: &[&str]) -> String {
        let mut control = self.command("pactl");
        let output = control
            .args(arguments)
            .stdout(Stdio::piped())
            .output()
            .await;
        String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
    }

    /// A command in the environment of this sound server.
    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = apart(program, self.folder.path());
        command
            .env("PULSE_SERVER", self.address())
            .env("DISABLE_RTKIT", "1");
        if let Some(bus) = &self.bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", bus.address());
        }
        command
    }

    /// Kills the sound server, like a crash.
    ///
    /// # Panics
    /// The sound server is not running.
    pub async fn kill(&mut self) {
        assert!(!self.server.is_empty());
        for mut server in self.server.drain(..) {
            server.kill().await.unwrap();
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("pulse/native")
    }

    /// Address of the sound server, as in `PULSE_SERVER`.
    pub fn address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// Starts a real recorder, under another name, which records from a source until it is dropped or killed.
    ///
    /// # Panics
    /// The recorder does not start.
    pub fn record(&self, name: impl AsRef<OsStr>, source: &str) -> Child {
        let recorder = self.copy("/usr/bin/pacat", name.as_ref());
        let device = format!("--device={source}");
        // Without these, the client name is the file name, which the sound server accepts in UTF-8 only.
        let names = ["--client-name=recorder", "--stream-name=recorder"];
        let arguments = [&["--record", &*device], &names[..]].concat();
        self.run(&recorder, &arguments)
    }

    /// Starts a recorder in a PID namespace of its own, where it has this process id, as in a Flatpak or a container.
    ///
    /// # Panics
    /// The recorder does not start.
    #[must_use]
    pub fn record_in_namespace(&self, name: &str, source: &str, number: u32) -> Child {
        let recorder = self.copy("/usr/bin/pacat", OsStr::new(name));
        let device = format!("--device={source}");
        self.in_namespace(number, &recorder, &["--record", &device])
    }

    /// Starts a recorder in a PID namespace with PipeWire's own protocol.
    ///
    /// # Panics
    /// The recorder does not start.
    #[must_use]
    pub fn record_natively_in_namespace(&self, name: &str, source: &str, number: u32) -> Child {
        let recorder = self.copy("/usr/bin/pw-cat", OsStr::new(name));
        let arguments = ["--record", "--target", source, "/dev/null"];
        self.in_namespace(number, &recorder, &arguments)
    }

    fn in_namespace(&self, number: u32, program: &Path, arguments: &[&str]) -> Child {
        // Sets the id of the next process, then starts the program.
        let script = "echo $(($0 - 1)) > /proc/sys/kernel/ns_last_pid; \"$@\"; true";
        let number = number.to_string();
        let namespace = [
            "--user",
            "--map-root-user",
            "--pid",
            "--fork",
            "--kill-child",
        ];
        let program = [&*number, program.to_str().unwrap()];
        let arguments = [&namespace[..], &["sh", "-c", script], &program, arguments].concat();
        self.run(Path::new("unshare"), &arguments)
    }

    /// Starts an idle program under another name.
    ///
    /// # Panics
    /// The program does not start.
    #[must_use]
    pub fn idle(&self, name: &str) -> Child {
        let program = self.copy("/usr/bin/sleep", OsStr::new(name));
        self.run(&program, &["infinity"])
    }

    /// Starts a recorder with PipeWire's own protocol.
    ///
    /// # Panics
    /// The recorder does not start.
    #[must_use]
    pub fn record_natively(&self, name: &str, source: &str) -> Child {
        let recorder = self.copy("/usr/bin/pw-cat", name.as_ref());
        self.run(&recorder, &["--record", "--target", source, "/dev/null"])
    }

    /// Copies a program to a file with another name.
    fn copy(&self, program: &str, name: &OsStr) -> PathBuf {
        let name = Path::new(name);
        let of = Path::new(program).file_name().unwrap();
        let copy = self.folder.path().join(of).join(name).join(name);
        if !copy.exists() {
            std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
            std::fs::copy(program, &copy).unwrap_or_else(|error| panic!("{program}: {error}"));
        }
        copy
    }

    /// Runs a program in the environment of this sound server.
    ///
    /// # Panics
    /// The program does not start.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> Child {
        self.command(program)
            .args(arguments)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", program.display()))
    }
}

/// A desktop agent of one person. Dropping it kills the agent.
pub struct Agent {
    folder: tempfile::TempDir,
    /// Environment of the agent and its commands.
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

    /// An agent that is neither paired nor started.
    ///
    /// # Panics
    /// Its folder cannot be made.
    #[must_use]
    pub fn new(sound: &Sound) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            environment: vec![
                ("OFFHOOK_LOG", "warn".into()),
                ("PULSE_SERVER", sound.address()),
                // Hides this machine's session from the agent.
                ("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere".into()),
                ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere".into()),
            ],
            program: None,
        }
    }

    /// Pairs a new device with a person, at an address of the server; returns the output of the command.
    ///
    /// # Panics
    /// The server refuses.
    pub async fn pair(&self, server: &Server, address: &str, person: &str) -> String {
        let person = server.person(person).await;
        let path = format!("/api/v1/people/{person}/devices");
        let code = server.ok(Method::POST, &path, None).await;
        let code = code["code"].as_str().unwrap();
        let (status, output, errors) = self.run(&["pair", address, code, "--name", "desk"]).await;
        assert_eq!(status, 0, "{errors}");
        output
    }

    /// Content of the agent's file; empty without a file.
    #[must_use]
    pub fn kept(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("credentials.json")).unwrap_or_default()
    }

    /// Restarts the agent.
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

    fn set_variable(&mut self, name: &'static str, value: String) {
        self.environment.retain(|(known, _)| *known != name);
        self.environment.push((name, value));
    }

    /// Attaches the agent to a session from its next start.
    pub fn belongs_to(&mut self, session: &Session) {
        self.set_variable("DBUS_SYSTEM_BUS_ADDRESS", session.address());
    }

    /// Makes the agent use a proxy and trust a certificate authority from now on.
    pub fn is_behind(&mut self, proxy: &ForwardProxy, authority: &Path) {
        self.set_variable("HTTPS_PROXY", proxy.url());
        self.set_variable("SSL_CERT_FILE", authority.display().to_string());
    }

    /// Makes the agent run as if started by systemd from its next start.
    pub fn is_a_service(&mut self) {
        self.set_variable("INVOCATION_ID", "1".into());
    }

    /// Offsets the agent's time of day, like `-3d`, from its next start; the monotonic clock stays right.
    ///
    /// # Panics
    /// libfaketime is not installed.
    pub fn is_wrong_by(&mut self, offset: &str) {
        let folders = std::fs::read_dir("/usr/lib").unwrap();
        let mut libraries = folders.map(|at| at.unwrap().path().join("faketime/libfaketime.so.1"));
        let library = libraries.find(|library| library.exists());
        let library = library.expect("apt-get install faketime");
        self.set_variable("LD_PRELOAD", library.display().to_string());
        self.set_variable("FAKETIME", offset.into());
        self.set_variable("FAKETIME_DONT_FAKE_MONOTONIC", "1".into());
    }

    /// Gives the agent a keyring from its next start.
    pub fn has(&mut self, keyring: &Keyring) {
        self.set_variable("DBUS_SESSION_BUS_ADDRESS", keyring.address());
    }

    /// Puts the agent on a desktop, with its browser, from its next start.
    pub fn is_on(&mut self, desktop: &Desktop) {
        self.set_variable("DBUS_SESSION_BUS_ADDRESS", desktop.address());
        let path = std::env::var("PATH").unwrap_or_default();
        self.set_variable("PATH", format!("{}:{path}", desktop.browser().display()));
    }

    /// Kills the agent, like a crash.
    ///
    /// # Panics
    /// The agent is not running.
    pub async fn kill(&mut self) {
        self.program.take().unwrap().kill().await;
    }

    /// Runs a command of the agent: exit code, output, errors.
    pub async fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut all = vec!["--folder", self.folder.path().to_str().unwrap()];
        all.extend(arguments);
        program::run("offhook-agent", &all, &self.environment()).await
    }

    /// The agent's status as JSON; null while the agent is not running.
    pub async fn status(&self) -> Value {
        let (code, out, _) = self.run(&["status", "--json"]).await;
        match code {
            0 => serde_json::from_str(&out).unwrap(),
            _ => json!(null),
        }
    }

    /// Waits until the agent is connected.
    ///
    /// # Panics
    /// It does not connect in time.
    pub async fn connected(&self) {
        let connected = async || self.status().await["connected"] == true;
        eventually("the agent connects", START_MAX, true, connected).await;
    }
}
