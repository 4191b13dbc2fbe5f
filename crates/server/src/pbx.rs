//! A telephone system as a source: what its connector hears becomes inputs of the engine.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::BoxFuture;
use presence::{Fact, Input, Relationship};
use telephony::connector::{self, Connector, ConnectorHandle, LineChange, LineEvent, Publication};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

mod share;

use share::Share;

use crate::{
    clock::Clock,
    context::PeopleObserver,
    engine_handle::{Cause, EngineHandle},
    health::{Health, Trouble},
    people_index::PeopleIndex,
};

/// Events that may wait for the engine; the connector is held up beyond that.
const QUEUE_MAX: usize = 4_096;
/// Pause between two reports of a trouble that goes on.
const REPORT_INTERVAL: Duration = Duration::from_secs(3);
/// Lines in trouble that are named one by one.
const NAMED_MAX: usize = 5;

/// A telephone system, and what it is told.
#[derive(Clone, Debug)]
pub struct PbxOptions {
    /// How it is reached.
    pub connector: Connector,
    /// What people do elsewhere is published there, as those see it who have this relationship; `None`: nothing is.
    pub publish: Option<Relationship>,
    /// Beginnings of the extensions that it has; empty: those that no other names.
    pub extensions: Vec<String>,
}

impl PbxOptions {
    /// Each telephone system with those of these extensions that it has.
    pub fn divide(
        all: Vec<Self>,
        extensions: &[Arc<str>],
    ) -> impl Iterator<Item = (Self, Vec<Arc<str>>)> {
        Self::shared(all).map(|(pbx, share)| {
            let own = extensions.iter().filter(|extension| share.has(extension));
            let own = own.cloned().collect();
            (pbx, own)
        })
    }

    /// Each telephone system with its share of all extensions.
    pub fn shared(all: Vec<Self>) -> impl Iterator<Item = (Self, Share)> {
        let named = all.iter().map(|pbx| pbx.extensions.clone()).collect();
        all.into_iter().zip(Share::of_each(named))
    }
}

/// A running connector.
pub struct Pbx {
    connector: Arc<ConnectorHandle>,
    share: Share,
}

impl Pbx {
    /// Connects to a telephone system and watches everybody's extensions there. That it cannot be reached is told as
    /// trouble and tried again.
    ///
    /// # Errors
    /// The configuration cannot work at all; the text says why.
    pub async fn start(
        connector: Connector,
        share: Share,
        directory: PeopleIndex,
        engine: EngineHandle,
        health: Health,
        clock: Clock,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, String> {
        let part = format!("pbx {}", connector.name());
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let mut extensions = directory.extensions();
        extensions.retain(|extension| share.has(extension));
        let connector = connector
            .start(extensions, sender)
            .map_err(|error| error.to_string())?;
        let told = connector.health();
        tasks.spawn(tell_health(part, told, health));
        tasks.spawn(translate(receiver, directory, engine, clock));
        Ok(Self {
            connector: Arc::new(connector),
            share,
        })
    }

    /// Watches these extensions from now on, and those no longer, as far as they are of this PBX.
    pub async fn change_extensions(&self, mut watch: Vec<Arc<str>>, mut unwatch: Vec<Arc<str>>) {
        for extensions in [&mut watch, &mut unwatch] {
            extensions.retain(|extension| self.share.has(extension));
        }
        if !(watch.is_empty() && unwatch.is_empty()) {
            self.connector.change_extensions(watch, unwatch).await;
        }
    }

    /// A follower of changes of extensions, for as long as the PBX is connected.
    pub fn extension_watch(self: &Arc<Self>) -> ExtensionWatch {
        ExtensionWatch(Arc::downgrade(self))
    }

    /// Whether this extension is there.
    pub fn has(&self, extension: &str) -> bool {
        self.share.has(extension)
    }

    /// Publishes this about an extension into its own presence server.
    pub async fn publish(&self, extension: Arc<str>, publication: Publication) {
        self.connector.publish(extension, publication).await;
    }

    /// Asks for every line's state anew and returns when all have answered.
    pub async fn reconcile(&self) {
        self.connector.refresh_all().await;
    }

    /// Ends publications and subscriptions.
    pub async fn stop(self) {
        if let Some(connector) = Arc::into_inner(self.connector) {
            connector.stop().await;
        }
    }
}

/// Watches the extensions of people at a PBX. The PBX ends with the server, not with this.
pub struct ExtensionWatch(Weak<Pbx>);

impl PeopleObserver for ExtensionWatch {
    fn extensions_changed(
        &self,
        added: Vec<Arc<str>>,
        removed: Vec<Arc<str>>,
    ) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(pbx) = self.0.upgrade() {
                pbx.change_extensions(added, removed).await;
            }
        })
    }
}

async fn translate(
    mut events: mpsc::Receiver<LineEvent>,
    directory: PeopleIndex,
    engine: EngineHandle,
    clock: Clock,
) {
    while let Some(event) = events.recv().await {
        let Some((person, line)) = directory.by_extension(&event.extension) else {
            continue;
        };
        let (fact, cause) = match event.change {
            LineChange::State {
                state,
                party,
                lease,
            } => {
                let until = clock.now() + lease;
                let fact = Fact::Line {
                    line,
                    state,
                    until,
                    party,
                };
                (fact, Cause::Pbx(event.received))
            }
            LineChange::Stale => (Fact::LineStale(line), Cause::Other),
        };
        engine.input(Input::Person(person, fact), cause).await;
    }
}

async fn tell_health(
    part: String,
    mut told: tokio::sync::watch::Receiver<connector::Health>,
    health: Health,
) {
    loop {
        let (trouble, warning, remarks) = {
            let told = told.borrow_and_update();
            (trouble_of(&told), long_calls(&told), remarks_of(&told))
        };
        let has_lines_in_trouble = trouble.is_some() || remarks.is_some();
        health.report(&part, trouble);
        health.report_warning(&part, warning);
        health.report_warning(&format!("{part} documents"), remarks);
        if told.changed().await.is_err() {
            return;
        }
        // Lines recover one by one, and each would be a line in the log. That all is well again is reported at once.
        if has_lines_in_trouble {
            let well =
                told.wait_for(|told| trouble_of(told).is_none() && remarks_of(told).is_none());
            if matches!(timeout(REPORT_INTERVAL, well).await, Ok(Err(_))) {
                return;
            }
        }
    }
}

/// Lines that have been in a call for suspiciously long.
fn long_calls(health: &connector::Health) -> Option<Trouble> {
    let (first, more) = health.long_calls.split_first()?;
    let named = health.long_calls.iter().take(NAMED_MAX);
    let named: Vec<&str> = named.map(AsRef::as_ref).collect();
    let and_more = match health.long_calls.len() > NAMED_MAX {
        true => ", …",
        false => "",
    };
    let what = match more.is_empty() {
        true => format!("extension {first} has been in a call for more than 4 h"),
        false => format!(
            "{} extensions have been in a call for more than 4 h ({}{and_more})",
            health.long_calls.len(),
            named.join(", ")
        ),
    };
    Some(Trouble {
        what,
        remedy: "If nobody is talking, the phone system shows Do not disturb as a call, as FreePBX does (hint \
                 PJSIP/1002&Custom:DND1002): give Offhook's account a hint context of its own, in which hints name the phone \
                 alone (docs/connect-asterisk.md)."
            .into(),
    })
}

/// The system's own trouble, else that of its lines.
fn trouble_of(health: &connector::Health) -> Option<Trouble> {
    if let Some(trouble) = &health.trouble {
        return Some(Trouble {
            what: trouble.what.clone(),
            remedy: trouble.remedy.clone(),
        });
    }
    let unknown = |extension: &Arc<str>| !health.partly_understood.contains(extension);
    let count = health.lines.saturating_sub(health.active);
    of_lines(health, count, unknown, "are in trouble")
}

/// Lines whose state is known, though not all that the PBX sent of them.
fn remarks_of(health: &connector::Health) -> Option<Trouble> {
    let remarked = |extension: &Arc<str>| health.partly_understood.contains(extension);
    let words = "are watched, but not all that was sent is understood";
    of_lines(health, 0, remarked, words)
}

/// The trouble of those lines of which this is true, in one text; of more than are listed `at_least` so many.
fn of_lines(
    health: &connector::Health,
    at_least: usize,
    concerns: impl Fn(&Arc<str>) -> bool,
    words: &str,
) -> Option<Trouble> {
    let lines = health.line_trouble.iter();
    let lines: Vec<_> = lines.filter(|(line, _)| concerns(line)).collect();
    let (_, first) = lines.first()?;
    let named: Vec<&str> = lines.iter().take(NAMED_MAX).map(|(l, _)| &***l).collect();
    let more = match lines.len() > NAMED_MAX {
        true => ", …",
        false => "",
    };
    let (count, all) = (at_least.max(lines.len()), health.lines);
    let named = named.join(", ");
    let what = format!(
        "{count} of {all} lines {words} ({named}{more}): {}",
        first.what
    );
    Some(Trouble {
        what,
        remedy: first.remedy.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_whose_state_is_known_is_a_warning_and_no_trouble() {
        let trouble = |what: &str| connector::Trouble {
            what: what.into(),
            remedy: "r".into(),
        };
        let mut told = connector::Health {
            lines: 3,
            active: 3,
            line_trouble: [("1001".into(), trouble("dropped"))].into(),
            partly_understood: ["1001".into()].into(),
            ..connector::Health::default()
        };
        assert_eq!(trouble_of(&told), None);
        let warning = remarks_of(&told).unwrap().what;
        assert!(
            warning.starts_with("1 of 3 lines are watched, "),
            "{warning}"
        );
        assert!(warning.ends_with("(1001): dropped"), "{warning}");
        told.active = 2;
        told.line_trouble.insert("1002".into(), trouble("404"));
        let what = trouble_of(&told).unwrap().what;
        assert_eq!(what, "1 of 3 lines are in trouble (1002): 404");
        assert_eq!(remarks_of(&told).unwrap().what, warning);
    }

    // A24
    #[test]
    fn a_call_of_more_than_four_hours_is_a_warning_and_no_trouble() {
        let told = |extensions: &[&str]| connector::Health {
            long_calls: extensions.iter().copied().map(Arc::from).collect(),
            ..connector::Health::default()
        };
        assert_eq!(long_calls(&told(&[])), None);
        let one = long_calls(&told(&["1002"])).unwrap();
        assert!(one.what.starts_with("extension 1002 "), "{one:?}");
        assert!(one.remedy.contains("hint context"), "{one:?}");
        let many = ["1", "2", "3", "4", "5", "6"];
        let six = long_calls(&told(&many)).unwrap();
        assert!(
            six.what.contains("6 extensions") && six.what.contains("5, …"),
            "{six:?}"
        );
        assert_eq!(trouble_of(&told(&many)), None);
    }
}
