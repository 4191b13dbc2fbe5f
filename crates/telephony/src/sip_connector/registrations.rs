//! Extensions without a phone at FreeSWITCH.
//!
//! FreeSWITCH accepts a subscription to any extension, also to one that does not exist, and its dialogs stay empty. Its
//! first presence document (RFC 3863) shows the difference: the note is `Unregistered`.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use sip::{
    agent::Package,
    ids::Ids,
    message::{Message, answer},
    presence_info::PresenceInfo,
    subscriber::{Account, Action, Event, Subscriber},
};
use tokio::time::{Instant, sleep_until};

use super::{
    SipConnectorConfig, escape_user,
    link::{self, Link},
};

/// Most subscriptions at once.
const IN_FLIGHT_MAX: usize = 20;

/// Longest time for all extensions.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(15);

/// The note of an extension without a phone in FreeSWITCH's document.
const UNREGISTERED: &str = "Unregistered";

/// The extensions for which FreeSWITCH has no registered phone. Subscribes to each once (event `presence`) and unsubscribes
/// at once, 20 at a time, for 15 s at most: extensions that are not answered by then are left out.
///
/// # Errors
/// In words: the PBX cannot be reached.
pub(super) async fn unregistered_extensions(
    config: &SipConnectorConfig,
    extensions: &[Arc<str>],
) -> Result<Vec<Arc<str>>, String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| error.to_string())?;
    let link = link::connect(Arc::new(config.clone()), None, 0).await;
    let link = link.map_err(|why| why.to_string())?;
    let account = Account {
        event: Package::Presence.name().into(),
        accept: Package::Presence.content_type().into(),
        supported: None,
        ..link.account(config)
    };
    let mut fetch = Fetch::new(config, extensions, account, Ids::new(seed));
    carry(&mut fetch, link).await;
    Ok(fetch.unregistered)
}

/// Moves bytes and time until every extension is answered.
async fn carry(fetch: &mut Fetch, mut link: Link) {
    let started = Instant::now();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let now = started.elapsed();
        for bytes in fetch.elapse(now) {
            link.writer.push(None, bytes);
        }
        let is_waiting = link.writer.is_waiting();
        if now >= TOTAL_TIMEOUT || (fetch.is_done() && !is_waiting) {
            return link.writer.close().await;
        }
        let wake = started
            + fetch
                .next_deadline()
                .unwrap_or(TOTAL_TIMEOUT)
                .min(TOTAL_TIMEOUT);
        tokio::select! {
            received = link.reader.receive(&mut buffer) => {
                let Ok((batch, _)) = received else { return };
                for (from, bytes) in batch {
                    if let Ok(message) = Message::parse(&bytes) {
                        for bytes in fetch.receive(started.elapsed(), &message) {
                            let to = from.filter(|_| bytes.starts_with(b"SIP/2.0 "));
                            link.writer.push(to, bytes);
                        }
                    }
                }
            }
            flushed = link.writer.flush(), if is_waiting => {
                if flushed.is_err() {
                    return;
                }
            }
            () = sleep_until(wake) => {}
        }
    }
}

/// Extensions to subscribe to, and subscriptions under way by Call-ID.
struct Fetch {
    account: Arc<Account>,
    waiting: VecDeque<(Arc<str>, Subscriber)>,
    under_way: BTreeMap<String, (Arc<str>, Subscriber)>,
    unregistered: Vec<Arc<str>>,
}

impl Fetch {
    fn new(
        config: &SipConnectorConfig,
        extensions: &[Arc<str>],
        account: Account,
        mut ids: Ids,
    ) -> Self {
        let subscriber = |extension: &Arc<str>| {
            let target = format!("sip:{}@{}", escape_user(extension), config.domain);
            (extension.clone(), Subscriber::new(target, ids.fork()))
        };
        Self {
            account: Arc::new(account),
            waiting: extensions.iter().map(subscriber).collect(),
            under_way: BTreeMap::new(),
            unregistered: Vec::new(),
        }
    }

    fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    fn next_deadline(&self) -> Option<Duration> {
        let under_way = self.under_way.values();
        under_way.filter_map(|(_, one)| one.next_deadline()).min()
    }

    fn elapse(&mut self, now: Duration) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let is_due =
            |(_, one): &(Arc<str>, Subscriber)| one.next_deadline().is_some_and(|at| now >= at);
        let due: Vec<String> = self
            .under_way
            .iter()
            .filter(|(_, one)| is_due(one))
            .map(|(call_id, _)| call_id.clone())
            .collect();
        for call_id in due {
            self.run(now, &call_id, Event::Elapsed, &mut out);
        }
        while self.under_way.len() < IN_FLIGHT_MAX
            && let Some((extension, mut subscriber)) = self.waiting.pop_front()
        {
            let actions = subscriber.handle(now, Event::Start(self.account.clone()));
            let call_id = subscriber.call_id().to_owned();
            self.under_way
                .insert(call_id.clone(), (extension, subscriber));
            self.act(now, &call_id, actions, &mut out);
        }
        out
    }

    fn receive(&mut self, now: Duration, message: &Message<'_>) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let Ok(call_id) = message.call_id() else {
            return out;
        };
        if self.under_way.contains_key(&*call_id) {
            self.run(now, &call_id, Event::Received(message), &mut out);
        } else if message.method() == Some("NOTIFY") {
            // The last NOTIFY of a subscription that has ended.
            out.extend(answer(message, 481, None).finish().ok());
        }
        out
    }

    fn run(&mut self, now: Duration, call_id: &str, event: Event<'_>, out: &mut Vec<Vec<u8>>) {
        if let Some((_, subscriber)) = self.under_way.get_mut(call_id) {
            let actions = subscriber.handle(now, event);
            self.act(now, call_id, actions, out);
        }
    }

    fn act(&mut self, now: Duration, call_id: &str, actions: Vec<Action>, out: &mut Vec<Vec<u8>>) {
        for action in actions {
            match action {
                Action::Send(bytes) => out.push(bytes),
                Action::Notified { body, .. } => {
                    let Some((extension, _)) = self.under_way.get(call_id) else {
                        continue;
                    };
                    let extension = extension.clone();
                    if is_unregistered(&body) && !self.unregistered.contains(&extension) {
                        self.unregistered.push(extension);
                    }
                    self.run(now, call_id, Event::Stop, out);
                }
                // The connector names the trouble of a line; this check leaves it out.
                Action::Trouble(_) | Action::Ended => {
                    self.under_way.remove(call_id);
                }
                Action::Renewed { .. } | Action::Stale => {}
            }
        }
    }
}

fn is_unregistered(body: &[u8]) -> bool {
    let note = PresenceInfo::parse(body).ok().and_then(|info| info.note);
    note.is_some_and(|note| note.trim() == UNREGISTERED)
}
