//! Desktop agent: latency until a colleague sees that a program uses the microphone, and resources of an idle agent. All
//! parts are real: a PulseAudio server of its own, a recorder with a listed name, the agent as packaged, the server in a
//! process of its own. The anchor is the latency of PulseAudio's own event to a subscriber.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, ensure};
use api_types::presence::ActivitySystem;
use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::mpsc::{Receiver, Sender, channel},
    time::{Instant, timeout},
};

use crate::{agents, percentiles::Percentiles, process::Process, stream::follow, verdict};

/// Target for the latency from the microphone to a colleague's screen, in seconds.
const LATENCY_TARGET: f64 = 0.25;
/// Target for the agent's resident memory, in bytes.
const MEMORY_TARGET: f64 = 10.0 * 1024.0 * 1024.0;
/// Timeout of a single step.
const STEP_TIMEOUT: Duration = Duration::from_secs(20);
/// Polling interval for states without an event.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Pause after the end of a recording, until the program no longer counts.
const PAUSE: Duration = Duration::from_millis(300);

/// Arguments of the measurement.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Agent to measure: `cargo build --profile agent -p agent`.
    #[arg(long, default_value = "target/agent/offhook-agent")]
    agent: PathBuf,
    /// Number of recordings.
    #[arg(long, default_value_t = 50)]
    rounds: usize,
    /// Seconds without events, for the idle agent.
    #[arg(long, default_value_t = 60)]
    quiet: u64,
}

/// Sound server and its folder.
struct Sound {
    folder: tempfile::TempDir,
    _server: Child,
}

impl Sound {
    async fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let socket = folder.path().join("pulse.sock");
        let protocol = format!(
            "module-native-protocol-unix auth-anonymous=1 socket={}",
            socket.display()
        );
        let arguments = [
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
        ];
        let server = command(Path::new("pulseaudio"), folder.path())
            .args(arguments)
            .args(["--load", &protocol])
            .args(["--load", "module-null-source source_name=mic"])
            .spawn()
            .context("PulseAudio is missing: apt-get install pulseaudio pulseaudio-utils")?;
        let is_there = async || Ok(socket.exists());
        eventually("PulseAudio", is_there).await?;
        Ok(Self {
            folder,
            _server: server,
        })
    }

    /// Command that uses the sound server.
    fn command(&self, program: &Path) -> Command {
        command(program, self.folder.path())
    }

    /// A recorder with a listed name.
    fn recorder(&self) -> anyhow::Result<PathBuf> {
        let recorder = self.folder.path().join("Zoom");
        fs::copy("/usr/bin/pacat", &recorder).context("apt-get install pulseaudio-utils")?;
        Ok(recorder)
    }
}

/// Command without the environment of this user.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("HOME", folder)
        .env("XDG_RUNTIME_DIR", folder)
        .env(
            "PULSE_SERVER",
            format!("unix:{}", folder.join("pulse.sock").display()),
        )
        .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
        .env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere")
        .env("OFFHOOK_LOG", "warn")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

async fn eventually(what: &str, is: impl AsyncFn() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let end = Instant::now() + STEP_TIMEOUT;
    while !is().await? {
        ensure!(Instant::now() < end, "{what}: timeout");
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

/// Whether the microphone is in use, and the time at which that was observed.
type Observation = (bool, Instant);

/// Sends the observations of a subscriber of the sound server.
async fn subscribe(mut subscriber: Child, seen: Sender<Observation>) -> anyhow::Result<()> {
    let said = subscriber.stdout.take().context("no output")?;
    let mut lines = BufReader::new(said).lines();
    while let Some(line) = lines.next_line().await? {
        let is_used = match line.split('#').next() {
            Some("Event 'new' on source-output ") => true,
            Some("Event 'remove' on source-output ") => false,
            _ => continue,
        };
        seen.send((is_used, Instant::now())).await?;
    }
    Ok(())
}

/// Sends the observations of a colleague's event stream.
async fn watch(url: String, key: String, seen: Sender<Observation>) -> anyhow::Result<()> {
    follow(&url, &key, |change| {
        let activity = change.presence.activity;
        let is_used = activity.is_some_and(|activity| activity.via == ActivitySystem::Microphone);
        // The measurement waits for each observation, so the channel has room.
        let _ = seen.try_send((is_used, Instant::now()));
    })
    .await
}

/// Waits for an observation. Returns the seconds since `began`.
async fn until(
    is_used: bool,
    began: Instant,
    seen: &mut Receiver<Observation>,
) -> anyhow::Result<f64> {
    let wait = async {
        loop {
            let (is, at) = seen.recv().await.context("the observers have ended")?;
            if is == is_used && at >= began {
                return Ok(at.duration_since(began).as_secs_f64());
            }
        }
    };
    timeout(STEP_TIMEOUT, wait)
        .await
        .context("the change was not observed")?
}

/// Measures and prints the figures.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let server = agents::start(1).await?;
    let sound = Sound::start().await?;
    let kept = sound.folder.path().join("agent");
    fs::create_dir(&kept)?;
    let credentials = json!({"server": server.url, "token": agents::token(1), "person": "p0"});
    fs::write(kept.join("credentials.json"), credentials.to_string())?;
    let agent = sound
        .command(&arguments.agent)
        .args(["--folder", &kept.display().to_string(), "run"])
        .spawn()
        .with_context(|| {
            format!(
                "{}: cargo build --profile agent -p agent",
                arguments.agent.display()
            )
        })?;
    let process = Process(agent.id().context("the agent ended")?);

    let (told, mut screen) = channel(64);
    tokio::spawn(watch(server.url.clone(), server.key.clone(), told));
    let (told, mut subscriber) = channel(64);
    let subscribed = sound
        .command(Path::new("pactl"))
        .arg("subscribe")
        .stdout(Stdio::piped())
        .spawn()?;
    tokio::spawn(subscribe(subscribed, told));
    let connected = async || {
        let page = reqwest::Client::new().get(format!("{}/metrics", server.url));
        let answer = page.bearer_auth(&server.key).send().await?;
        let metrics = answer.error_for_status()?.text().await?;
        Ok(metrics
            .lines()
            .any(|line| line.starts_with("offhook_agents") && line.ends_with(" 1")))
    };
    eventually("the agent's connection", connected).await?;

    let recorder = sound.recorder()?;
    let (mut on, mut off, mut anchor) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        tokio::time::sleep(PAUSE).await;
        let began = Instant::now();
        let mut recording = sound
            .command(&recorder)
            .args(["--record", "--device=mic"])
            .spawn()?;
        anchor.push(until(true, began, &mut subscriber).await?);
        on.push(until(true, began, &mut screen).await?);
        tokio::time::sleep(PAUSE).await;
        let began = Instant::now();
        recording.kill().await?;
        off.push(until(false, began, &mut screen).await?);
    }
    let [on, off, anchor] = [on, off, anchor].map(Percentiles::new);
    let row = |what: &str, times: &Percentiles| {
        println!(
            "{what}, ms: p50 {:.1}, p99 {:.1}, of {}",
            times.at(0.5) * 1e3,
            times.at(0.99) * 1e3,
            times.count()
        );
    };
    row("a recorder starts -> a colleague's event", &on);
    row("the recorder is killed -> a colleague's event", &off);
    row("anchor: a recorder starts -> event of PulseAudio", &anchor);
    println!(
        "start / anchor {:.1}; target {} ms: {}",
        on.at(0.5) / anchor.at(0.5),
        LATENCY_TARGET * 1e3,
        verdict(on.at(0.99) <= LATENCY_TARGET && off.at(0.99) <= LATENCY_TARGET)
    );

    let switches = process.switches()?;
    tokio::time::sleep(Duration::from_secs(arguments.quiet)).await;
    let switches = process.switches()? - switches;
    let memory = process.memory()?;
    println!(
        "agent: {:.1} MiB resident (target {} MiB: {}), {switches} voluntary switches in {} idle seconds",
        memory / 1024.0 / 1024.0,
        MEMORY_TARGET / 1024.0 / 1024.0,
        verdict(memory <= MEMORY_TARGET),
        arguments.quiet
    );
    Ok(())
}
