//! Probes of preferred servers while a server of second choice is used.

use std::{sync::Arc, time::Duration};

use sip::{ids::Ids, message::Message};
use tokio::time::{Instant, sleep_until};

use super::{
    SipConnectorConfig,
    link::{self, Link},
    probe::{Probe, ProbeAction},
    targets::{self, Rank},
};

/// Returns true if a server preferred to this one answers.
pub(super) async fn find_better(config: Arc<SipConnectorConfig>, rank: Rank, mut ids: Ids) -> bool {
    // A port of its own: the configured one is in use.
    let mut config = (*config).clone();
    if let Some(bind) = &mut config.bind {
        bind.set_port(0);
    }
    let found = targets::find(&config).await.unwrap_or_default();
    for target in found.iter().filter(|target| target.rank < rank) {
        if let Ok(link) = link::open(&config, None, target).await
            && answers(&config, link, &mut ids).await
        {
            return true;
        }
    }
    false
}

/// Whether any answer comes.
async fn answers(config: &SipConnectorConfig, mut link: Link, ids: &mut Ids) -> bool {
    let account = link.account(config);
    let started = Instant::now();
    let mut probe = Probe::new(Duration::ZERO, ids);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match probe.elapse(started.elapsed(), false, &account, &config.domain, ids) {
            ProbeAction::Nothing => {}
            ProbeAction::Send(bytes) => link.writer.push(None, bytes),
            ProbeAction::Dead => return false,
        }
        let wake = started + probe.next_deadline();
        let is_waiting = link.writer.is_waiting();
        tokio::select! {
            received = link.reader.receive(&mut buffer) => {
                let Ok((batch, _)) = received else { return false };
                for (_, bytes) in batch {
                    if let Ok(message) = Message::parse(&bytes)
                        && let (Some(code), Some(branch)) = (message.code(), message.branch())
                        && probe.respond(started.elapsed(), &branch, code)
                    {
                        return true;
                    }
                }
            }
            flushed = link.writer.flush(), if is_waiting => {
                if flushed.is_err() {
                    return false;
                }
            }
            () = sleep_until(wake) => {}
        }
    }
}
