//! Real sound without a sound card: a PulseAudio or PipeWire of its own with a microphone that hears silence, programs that
//! record from it, and our agent beside them.

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

/// How long PulseAudio takes to start on a busy machine.
const START_MAX: Duration = Duration::from_secs(20);

/// A sound server. Dropping it kills it.
pub struct Sound {
    folder: tempfile::TempDir,
    /// PipeWire's parts talk over it; PulseAudio needs none.
    bus: Option<Bus>,
    server: Vec<Child>,
}

impl Sound {
    /// Starts PulseAudio with the microphone `mic` and the loudspeaker `speaker`.
    ///
    /// # Panics
    /// It is not installed, or does not start.
    pub async fn start() -> Self {
        Self::begin(None).await
    }

    /// Starts PipeWire with the same.
    ///
    /// # Panics
    /// It is not installed, or does not start.
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

    /// Starts it again after [`Self::kill`].
    ///
    /// # Panics
    /// It does not start.
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

    /// PipeWire, who decides what is connected with what, and who speaks PulseAudio's protocol.
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
        let said = control
            .args(arguments)
            .stdout(Stdio::piped())
            .output()
            .await;
        String::from_utf8_lossy(&said.unwrap().stdout).into_owned()
    }

    /// A program of this sound server, or one that uses it.
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

    /// Ends the sound server as a crash would.
    ///
    /// # Panics
    /// It does not run.
    pub async fn kill(&mut self) {
        assert!(!self.server.is_empty());
        for mut server in self.server.drain(..) {
            server.kill().await.unwrap();
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("pulse/native")
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
        let recorder = self.copy("/usr/bin/pacat", name.as_ref());
        let device = format!("--device={source}");
        // Left to itself it calls itself by its file's name, which the sound server takes in UTF-8 only.
        let names = ["--client-name=recorder", "--stream-name=recorder"];
        let arguments = [&["--record", &*device], &names[..]].concat();
        self.run(&recorder, &arguments)
    }

    /// The same in a namespace of its own, in which the recorder has this process number, as in a Flatpak or a container.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn record_in_namespace(&self, name: &str, source: &str, number: u32) -> Child {
        let recorder = self.copy("/usr/bin/pacat", OsStr::new(name));
        let device = format!("--device={source}");
        self.in_namespace(number, &recorder, &["--record", &device])
    }

    /// The same by PipeWire's own protocol.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn record_natively_in_namespace(&self, name: &str, source: &str, number: u32) -> Child {
        let recorder = self.copy("/usr/bin/pw-cat", OsStr::new(name));
        let arguments = ["--record", "--target", source, "/dev/null"];
        self.in_namespace(number, &recorder, &arguments)
    }

    fn in_namespace(&self, number: u32, program: &Path, arguments: &[&str]) -> Child {
        // The number of the next process, then the program as that process.
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

    /// A program that does nothing, under another name.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn idle(&self, name: &str) -> Child {
        let program = self.copy("/usr/bin/sleep", OsStr::new(name));
        self.run(&program, &["infinity"])
    }

    /// The same by PipeWire's own protocol.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn record_natively(&self, name: &str, source: &str) -> Child {
        let recorder = self.copy("/usr/bin/pw-cat", name.as_ref());
        self.run(&recorder, &["--record", "--target", source, "/dev/null"])
    }

    /// A program under another name.
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

    /// A program that uses this sound server.
    ///
    /// # Panics
    /// It cannot be started.
    pub fn run(&self, program: &Path, arguments: &[&str]) -> Child {
        self.command(program)
            .args(arguments)
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

    /// From now on it gets out through a proxy, and believes an authority.
    pub fn is_behind(&mut self, proxy: &ForwardProxy, authority: &Path) {
        self.tell("HTTPS_PROXY", proxy.url());
        self.tell("SSL_CERT_FILE", authority.display().to_string());
    }

    /// From its next start it believes to be a service of systemd's.
    pub fn is_a_service(&mut self) {
        self.tell("INVOCATION_ID", "1".into());
    }

    /// From its next start its clock is wrong by so much, like `-3d`: only the time of day, as on real machines.
    ///
    /// # Panics
    /// The library that does that is missing.
    pub fn is_wrong_by(&mut self, offset: &str) {
        let folders = std::fs::read_dir("/usr/lib").unwrap();
        let mut libraries = folders.map(|at| at.unwrap().path().join("faketime/libfaketime.so.1"));
        let library = libraries.find(|library| library.exists());
        let library = library.expect("apt-get install faketime");
        self.tell("LD_PRELOAD", library.display().to_string());
        self.tell("FAKETIME", offset.into());
        self.tell("FAKETIME_DONT_FAKE_MONOTONIC", "1".into());
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
