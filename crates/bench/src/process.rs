//! What another process of this machine uses.

use std::fs;

use anyhow::Context;

/// Another process, by its number.
#[derive(Clone, Copy, Debug)]
pub struct Process(pub u32);

impl Process {
    /// Seconds of CPU that it has used.
    pub fn cpu(self) -> anyhow::Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0))?;
        // The name may have spaces; what follows the last parenthesis has none.
        let (_, rest) = stat.rsplit_once(')').context("/proc/…/stat")?;
        let mut fields = rest.split_whitespace().skip(11);
        let mut ticks = || -> anyhow::Result<f64> { Ok(fields.next().context("ticks")?.parse()?) };
        Ok((ticks()? + ticks()?) / 100.0)
    }

    /// Bytes of memory that it occupies.
    pub fn memory(self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        Ok(kib.context("VmRSS")?.parse::<f64>()? * 1024.0)
    }
}
