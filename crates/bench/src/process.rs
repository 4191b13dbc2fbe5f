//! Server under load in a process of its own, and its use of resources.

use std::{fs, process::Stdio};

use anyhow::Context;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Starts this program again as a server, and waits for the line with its address. Dropping the child kills it.
pub async fn start(arguments: &[&str]) -> anyhow::Result<(Child, Process, String)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(arguments)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let out = child.stdout.take().context("no output")?;
    let line = BufReader::new(out).lines().next_line().await?;
    let process = Process(child.id().context("it has ended")?);
    Ok((child, process, line.context("the server did not start")?))
}

/// Another process, by its id.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// Used CPU time in seconds.
    pub fn cpu(self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // The name may contain spaces; the fields follow the last parenthesis.
        let (_, rest) = stat.rsplit_once(')').context("/proc/…/stat")?;
        let mut fields = rest.split_whitespace().skip(11);
        let mut ticks = || -> anyhow::Result<f64> { Ok(fields.next().context("ticks")?.parse()?) };
        Ok((ticks()? + ticks()?) / 100.0)
    }

    /// Number of voluntary context switches of its threads: each follows a wake-up.
    pub fn switches(self) -> anyhow::Result<u64> {
        let mut switches = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.0))? {
            let status = fs::read_to_string(thread?.path().join("status"))?;
            let mut lines = status.lines();
            let count = lines.find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
            switches += count
                .context("voluntary_ctxt_switches")?
                .trim()
                .parse::<u64>()?;
        }
        Ok(switches)
    }

    /// Used memory in bytes.
    pub fn memory(self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kib.context("VmRSS")?.parse::<f64>()? * 1024.0)
    }
}
