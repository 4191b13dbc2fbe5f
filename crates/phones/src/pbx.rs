//! A PBX as a source: hands the line events of its connector to the engine.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::BoxFuture;
use presence::{Extension, Fact, Input, LineChange, Relationship};
use telephony::connector::{self, Connector, ConnectorHandle, LineEvent, Publication};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};
use tracing::{Instrument, debug_span};

mod share;

use runtime::{
    context::PeopleObserver,
    engine_handle::{Cause, EngineHandle},
    health::{Health, Part, Trouble},
    people_index::PeopleIndex,
    trace_id::new_trace_id,
};
use share::Share;

/// Line events that may wait for the engine. With a full queue the connector waits.
const QUEUE_MAX: usize = 4_096;
/// Shortest time between two reports of a lasting problem.
const REPORT_INTERVAL: Duration = Duration::from_secs(3);
/// Lines with a problem that are named one by one.
const NAMED_MAX: usize = 5;

/// Settings of a PBX.
#[derive(Clone, Debug)]
pub struct PbxOptions {
    /// Address and protocol.
    pub connector: Connector,
    /// Publishes activities outside the PBX, as watchers of this level see them; `None`: nothing is published.
    pub publish: Option<Relationship>,
    /// Prefixes of the PBX's extensions; empty: all extensions that no other PBX has.
    pub extensions: Vec<String>,
}

impl PbxOptions {
    /// Each PBX with its part of these extensions.
    pub fn divide(
        all: Vec<Self>,
        extensions: &[Extension],
    ) -> impl Iterator<Item = (Self, Vec<Extension>)> {
        Self::shared(all).map(|(pbx, share)| {
            let own = extensions.iter().filter(|extension| share.has(extension));
            let own = own.cloned().collect();
            (pbx, own)
        })
    }

    /// Each PBX with its share of all extensions.
    pub fn shared(all: Vec<Self>) -> impl Iterator<Item = (Self, Share)> {
        let named = all.iter().map(|pbx| pbx.extensions.clone()).collect();
        all.into_iter().zip(Share::of_each(named))
    }
}

/// The connection to a PBX.
pub struct Pbx {
    connector: Arc<ConnectorHandle>,
    share: Share,
}

impl Pbx {
    /// Connects to a PBX and watches the extensions of all people. An unreachable PBX is reported as a problem and retried.
    ///
    /// # Errors
    /// The reason why the configuration cannot work.
    pub async fn start(
        connector: Connector,
        share: Share,
        directory: PeopleIndex,
        engine: EngineHandle,
        health: Health,
        tasks: &mut JoinSet<()>,
    ) -> Result<Self, String> {
        let name = connector.name().into();
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let mut extensions = directory.extensions();
        extensions.retain(|extension| share.has(extension));
        let connector = connector
            .start(names(extensions), sender)
            .map_err(|error| error.to_string())?;
        let reported = connector.health();
        tasks.spawn(report_health(name, reported, health));
        tasks.spawn(forward(receiver, directory, engine));
        Ok(Self {
            connector: Arc::new(connector),
            share,
        })
    }

    /// Watches and stops to watch extensions, as far as they belong to this PBX.
    pub async fn change_extensions(&self, mut watch: Vec<Extension>, mut unwatch: Vec<Extension>) {
        for extensions in [&mut watch, &mut unwatch] {
            extensions.retain(|extension| self.share.has(extension));
        }
        if !(watch.is_empty() && unwatch.is_empty()) {
            self.connector
                .change_extensions(names(watch), names(unwatch))
                .await;
        }
    }

    /// An observer that passes changed extensions on to the PBX while it is connected.
    pub fn extension_watch(self: &Arc<Self>) -> ExtensionWatch {
        ExtensionWatch(Arc::downgrade(self))
    }

    /// Whether an extension belongs to this PBX.
    pub fn has(&self, extension: &Extension) -> bool {
        self.share.has(extension)
    }

    /// Publishes the presence of an extension to the PBX's own presence server.
    pub async fn publish(&self, extension: Extension, publication: Publication) {
        self.connector.publish(extension.into(), publication).await;
    }

    /// Requests the state of every line again, and returns when all have answered.
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

/// Passes changed extensions on to a PBX, without keeping the PBX connected.
pub struct ExtensionWatch(Weak<Pbx>);

impl PeopleObserver for ExtensionWatch {
    fn extensions_changed(
        &self,
        added: Vec<Extension>,
        removed: Vec<Extension>,
    ) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if let Some(pbx) = self.0.upgrade() {
                pbx.change_extensions(added, removed).await;
            }
        })
    }
}

/// The user parts by which a connector knows extensions.
fn names(extensions: Vec<Extension>) -> Vec<Arc<str>> {
    extensions.into_iter().map(Into::into).collect()
}

/// Hands line events to the engine, each as a fact about the person of the extension.
async fn forward(
    mut events: mpsc::Receiver<LineEvent>,
    directory: PeopleIndex,
    engine: EngineHandle,
) {
    while let Some(event) = events.recv().await {
        let Some((person, line)) = directory.by_extension(&event.extension) else {
            continue;
        };
        let trace = new_trace_id();
        let extension = &event.extension;
        let span = debug_span!("pbx.notify", trace_id = %trace, source = "pbx", otel.kind = "consumer", %person, line = %extension);
        let cause = match &event.change {
            LineChange::State { state, .. } => {
                span.in_scope(|| tracing::debug!(?state, "line state received"));
                Cause::Pbx(event.received, trace)
            }
            LineChange::Stale => Cause::Traced(trace),
        };
        let input = Input::Person(person, Fact::Line(line, event.change));
        engine.input(input, cause).instrument(span).await;
    }
}

async fn report_health(
    name: Arc<str>,
    mut reported: tokio::sync::watch::Receiver<connector::Health>,
    health: Health,
) {
    let (part, documents) = (Part::Pbx(name.clone()), Part::PbxDocuments(name));
    loop {
        let (trouble, warning, remarks) = {
            let reported = reported.borrow_and_update();
            (
                trouble_of(&reported),
                long_calls(&reported),
                remarks_of(&reported),
            )
        };
        let has_lines_in_trouble = trouble.is_some() || remarks.is_some();
        health.report(&part, trouble);
        health.report_warning(&part, warning);
        health.report_warning(&documents, remarks);
        if reported.changed().await.is_err() {
            return;
        }
        // Lines recover one by one, and each would be a log line. The end of the problem is reported at once.
        if has_lines_in_trouble {
            let well = reported.wait_for(|reported| {
                trouble_of(reported).is_none() && remarks_of(reported).is_none()
            });
            if matches!(timeout(REPORT_INTERVAL, well).await, Ok(Err(_))) {
                return;
            }
        }
    }
}

/// The warning about lines that have been in a call for more than 4 h.
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

/// The problem of the PBX, else that of its lines.
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

/// The warning about lines with a known state, of which other parts cannot be read.
fn remarks_of(health: &connector::Health) -> Option<Trouble> {
    let remarked = |extension: &Arc<str>| health.partly_understood.contains(extension);
    let words = "are watched, but not all that was sent is understood";
    of_lines(health, 0, remarked, words)
}

/// The problem of the lines that fit, in one text. The number of lines is `at_least`, where more have the problem than are listed.
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
        let mut reported = connector::Health {
            lines: 3,
            active: 3,
            line_trouble: [("1001".into(), trouble("dropped"))].into(),
            partly_understood: ["1001".into()].into(),
            ..connector::Health::default()
        };
        assert_eq!(trouble_of(&reported), None);
        let warning = remarks_of(&reported).unwrap().what;
        assert!(
            warning.starts_with("1 of 3 lines are watched, "),
            "{warning}"
        );
        assert!(warning.ends_with("(1001): dropped"), "{warning}");
        reported.active = 2;
        reported.line_trouble.insert("1002".into(), trouble("404"));
        let what = trouble_of(&reported).unwrap().what;
        assert_eq!(what, "1 of 3 lines are in trouble (1002): 404");
        assert_eq!(remarks_of(&reported).unwrap().what, warning);
    }

    // A24
    #[test]
    fn a_call_of_more_than_four_hours_is_a_warning_and_no_trouble() {
        let reported = |extensions: &[&str]| connector::Health {
            long_calls: extensions.iter().copied().map(Arc::from).collect(),
            ..connector::Health::default()
        };
        assert_eq!(long_calls(&reported(&[])), None);
        let one = long_calls(&reported(&["1002"])).unwrap();
        assert!(one.what.starts_with("extension 1002 "), "{one:?}");
        assert!(one.remedy.contains("hint context"), "{one:?}");
        let many = ["1", "2", "3", "4", "5", "6"];
        let six = long_calls(&reported(&many)).unwrap();
        assert!(
            six.what.contains("6 extensions") && six.what.contains("5, …"),
            "{six:?}"
        );
        assert_eq!(trouble_of(&reported(&many)), None);
    }
}
