//! Microsoft side: rate of decrypted notifications compared with RSA operations on the same core, and latency of the sweep
//! for calls in Teams within its share of the request limit, with calls on the PBX in parallel.

mod decrypt;
mod detection;

/// Arguments of the measurement.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Numbers of people of the sweeps.
    #[arg(long, value_delimiter = ',', default_value = "10000,50000")]
    people: Vec<usize>,
    /// Duration of the calls of each run in seconds: three of Microsoft's windows, because a budget that is exceeded shows
    /// in the second one.
    #[arg(long, default_value_t = 90)]
    seconds: u64,
    /// Writes to Teams per second. Each call on the PBX causes four: start and end, for both sides.
    #[arg(long, value_delimiter = ',', default_value = "40", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Vec<u32>,
}

/// Measures and prints the figures.
pub async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    decrypt::run()?;
    for people in &arguments.people {
        for rate in &arguments.rate {
            detection::run(*people, *rate, arguments.seconds).await?;
        }
    }
    Ok(())
}
