//! `bench -- sip`: cost of notifying watchers over SIP, compared with Kamailio's presence server under the same load on the
//! same machine. Ours is the whole server: publications pass the engine, and notifications pass the filter for viewers.

mod redirect;

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use phones::PhonesOptions;
use presence::Relationship;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::{
    process::{self, Process},
    stage::Alone,
    verdict,
};

/// Number of presentities of the load.
const PEOPLE: usize = 1_000;
/// Number of subscriptions in the measurement of memory.
const SUBSCRIPTIONS: usize = 1_000_000;
/// Kamailio keeps transactions for five seconds, and their clean-up would slow down the next measurement.
const IDLE_PAUSE: Duration = Duration::from_secs(6);
/// Port of Kamailio.
const KAMAILIO: u16 = 5_090;

/// Arguments of `sip`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Duration of each load in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u32,
    /// Number of rounds; both servers take turns, and medians are compared.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Skip the million subscriptions and the pauses between loads.
    #[arg(long)]
    small: bool,
}

/// Arguments of the server process.
#[derive(Debug, clap::Args)]
pub struct ServerArguments {
    /// Number of people.
    #[arg(long)]
    people: usize,
}

/// Runs the server until it is killed; prints its address.
pub async fn serve(arguments: &ServerArguments) -> anyhow::Result<()> {
    let phones = PhonesOptions {
        tls: None,
        websocket: None,
        listen: (Ipv4Addr::LOCALHOST, 0).into(),
        address: None,
        domain: "pbx.test".into(),
        trusted: vec!["127.0.0.0/8".parse()?],
        others: Relationship::Employee,
        algorithms: None,
        accounts: Vec::new(),
    };
    let Alone {
        app,
        store: _,
        _folder,
    } = Alone::start(arguments.people, Some(phones)).await?;
    let address = app.sip_address().context("phones are not served")?;
    println!("{address}");
    app.failed().await;
    bail!("the server has failed")
}

/// Server under load.
struct Server {
    name: &'static str,
    address: String,
    pid: u32,
    child: Child,
}

impl Server {
    async fn ours() -> anyhow::Result<Self> {
        let server = ["sip-server", "--people", &PEOPLE.to_string()];
        let (child, Process(pid), address) = process::start(&server).await?;
        Ok(Self {
            name: "Offhook",
            address,
            pid,
            child,
        })
    }

    async fn kamailio(lab: &Path, run: &Path) -> anyhow::Result<Self> {
        let port = KAMAILIO.to_string();
        let started = Command::new(lab.join("kam-up"))
            .args(["2", &port, "4096"])
            .env("BENCH_RUN", run)
            .env("KAM_ARGS", "-b 4194304")
            .output()
            .await?;
        let out = String::from_utf8_lossy(&started.stdout).into_owned();
        ensure!(
            started.status.success(),
            "Kamailio does not start ({out}{}); apt-get install kamailio kamailio-presence-modules",
            String::from_utf8_lossy(&started.stderr)
        );
        // A child to wait for at the end; Kamailio is stopped by its own script.
        let child = Command::new("true").spawn()?;
        Ok(Self {
            name: "Kamailio",
            address: format!("127.0.0.1:{port}"),
            pid: out.trim().parse()?,
            child,
        })
    }

    async fn load(&self, generator: &Path, arguments: &[String]) -> anyhow::Result<Value> {
        let (people, pid) = (PEOPLE.to_string(), self.pid.to_string());
        let common = ["--server", &self.address, "-k", &people, "--pid", &pid];
        let output = Command::new(generator)
            .args(common)
            .args(arguments)
            .output()
            .await?;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(
            output.status.success(),
            "the load failed: {out}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        // Missing figures are written as NaN, which is not JSON.
        let line = out.lines().find(|line| line.starts_with('{'));
        let line = line.context("no result")?.replace("NaN", "null");
        Ok(serde_json::from_str(&line)?)
    }
}

/// Figures of one load.
#[derive(Clone, Copy, Debug, Default)]
struct LoadFigures {
    publishes_per_second: f64,
    cpu_per_publish: f64,
    p99: f64,
    subscribes_per_second: f64,
}

fn number(value: &Value, path: &str) -> f64 {
    value.pointer(path).and_then(Value::as_f64).unwrap_or(0.0)
}

impl LoadFigures {
    fn of(result: &Value) -> anyhow::Result<Self> {
        for (what, path) in [
            ("retransmissions", "/retransmits"),
            ("time-outs", "/timeouts"),
            ("refused PUBLISHes", "/publish_err"),
        ] {
            let count = number(result, path);
            ensure!(count == 0.0, "{count} {what}: none may be lost");
        }
        let all = number(result, "/notify_received") == number(result, "/notify_answered_200");
        ensure!(all, "a NOTIFY was not answered");
        Ok(Self {
            publishes_per_second: number(result, "/publish_per_s"),
            cpu_per_publish: number(result, "/server_cpu_s") * 1e6
                / number(result, "/completed").max(1.0),
            p99: number(result, "/notify_ms/p99"),
            subscribes_per_second: number(result, "/subscribe_per_s"),
        })
    }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of.get(of.len() / 2).copied().unwrap_or_default()
}

/// Median of one figure over all rounds.
fn medians(runs: &[LoadFigures], figure: impl Fn(&LoadFigures) -> f64) -> f64 {
    median(runs.iter().map(figure).collect())
}

/// Measures both servers in turn and prints the ratios.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/lab/sipbench");
    let generator = build(&lab).await?;
    let folder = tempfile::tempdir()?;
    let kamailio = Server::kamailio(&lab, folder.path()).await?;
    let measured = measure(arguments, &generator, &kamailio).await;
    let down = Command::new(lab.join("kam-down"))
        .env("BENCH_RUN", folder.path())
        .status()
        .await;
    down.context("Kamailio could not be stopped")?;
    measured
}

async fn build(lab: &Path) -> anyhow::Result<PathBuf> {
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet", "--locked"])
        .current_dir(lab)
        .status()
        .await?;
    ensure!(built.success(), "the load generator could not be built");
    Ok(lab.join("target/release/sipbench"))
}

async fn measure(arguments: &Arguments, generator: &Path, kamailio: &Server) -> anyhow::Result<()> {
    let mut ours = Server::ours().await?;
    println!(
        "{PEOPLE} people, UDP, {} rounds of {} s each, medians",
        arguments.rounds, arguments.seconds
    );
    for (watchers, goal) in [(1, 0.5), (10, 0.25)] {
        compare(arguments, generator, (&ours, kamailio), watchers, goal).await?;
    }
    redirect::compare(arguments.seconds, &ours, kamailio).await?;
    if !arguments.small {
        memory(generator, &ours).await?;
    }
    ours.child.kill().await?;
    Ok(())
}

async fn compare(
    arguments: &Arguments,
    generator: &Path,
    (ours, kamailio): (&Server, &Server),
    watchers: usize,
    goal: f64,
) -> anyhow::Result<()> {
    let load = |more: &[&str]| -> Vec<String> {
        let (watchers, seconds) = (watchers.to_string(), arguments.seconds.to_string());
        let common = ["-w", &watchers, "--seconds", &seconds, "--warmup", "1"];
        common.iter().chain(more).map(ToString::to_string).collect()
    };
    let mut saturated = [Vec::new(), Vec::new()];
    for _ in 0..arguments.rounds {
        for (server, runs) in [ours, kamailio].into_iter().zip(&mut saturated) {
            let result = server.load(generator, &load(&["--window", "16"])).await?;
            rest(arguments).await;
            runs.push(LoadFigures::of(&result)?);
        }
    }
    let [mine, theirs] = saturated;
    // Half of Kamailio's maximum rate, for both servers: the faster one must not be slower at that rate. An unoptimised
    // build only shows that the benchmark runs.
    let share = if cfg!(debug_assertions) { 20.0 } else { 2.0 };
    let half = (medians(&theirs, |run| run.publishes_per_second) / share).max(1.0);
    let rate = format!("{half:.0}");
    let mut halves = [Vec::new(), Vec::new()];
    for _ in 0..arguments.rounds {
        for (server, runs) in [ours, kamailio].into_iter().zip(&mut halves) {
            let result = server.load(generator, &load(&["--rate", &rate])).await?;
            rest(arguments).await;
            runs.push(LoadFigures::of(&result)?);
        }
    }
    println!("\n{watchers} watchers each            Offhook    Kamailio    ratio   goal");
    let row = |what: &str, [mine, theirs]: [f64; 2], goal: f64, more_is_better: bool| {
        let ratio = mine / theirs.max(f64::MIN_POSITIVE);
        let met = if more_is_better {
            ratio >= goal
        } else {
            ratio <= goal
        };
        println!(
            "{what:<24} {mine:>10.1} {theirs:>11.1} {ratio:>8.2} {goal:>6.2} {}",
            verdict(met)
        );
    };
    let both = |figure: fn(&LoadFigures) -> f64| [medians(&mine, figure), medians(&theirs, figure)];
    let [at_half, at_half_theirs] = halves;
    let p99 = |run: &LoadFigures| run.p99;
    row(
        "CPU per PUBLISH, µs",
        both(|run| run.cpu_per_publish),
        goal,
        false,
    );
    row(
        "PUBLISH/s at most",
        both(|run| run.publishes_per_second),
        1.0,
        true,
    );
    row(
        "SUBSCRIBE/s at most",
        both(|run| run.subscribes_per_second),
        2.0,
        true,
    );
    row(
        "NOTIFY p99 at half, ms",
        [medians(&at_half, p99), medians(&at_half_theirs, p99)],
        0.5,
        false,
    );
    Ok(())
}

/// Waits for the machine to become idle.
async fn rest(arguments: &Arguments) {
    if !arguments.small {
        tokio::time::sleep(IDLE_PAUSE).await;
    }
}

/// Measures the memory of a million subscriptions.
async fn memory(generator: &Path, ours: &Server) -> anyhow::Result<()> {
    let watchers = (SUBSCRIPTIONS / PEOPLE).to_string();
    let arguments = ["-w", &watchers, "--hold", "2", "--sub-window", "256"];
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let result = ours.load(generator, &arguments).await?;
    let mebibytes = |path| number(&result, path);
    let grown = mebibytes("/server_pss_mib/subscribed") - mebibytes("/server_pss_mib/idle");
    let bytes = grown * 1_048_576.0 / SUBSCRIPTIONS as f64;
    println!(
        "\n{SUBSCRIPTIONS} subscriptions to {}: {bytes:.0} bytes each (goal 512) {}, {:.0} set up a second",
        ours.name,
        verdict(bytes <= 512.0),
        number(&result, "/subscribe_per_s")
    );
    Ok(())
}
