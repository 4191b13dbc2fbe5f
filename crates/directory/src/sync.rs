//! The task that synchronises people with a tenant's directory every few minutes, and on request.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use graph::Client;
use presence::{PersonId, TeamsUserId, TenantName, Timestamp};
use runtime::{
    audit::DIRECTORY_RUN,
    context::Context,
    health::{DirectoryPart, Part, Trouble, first_few},
};
use store::{Change, Concern, DirectoryChange, DirectoryTarget, Progress, Role, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::{
    difference::difference,
    directory_reader::DirectoryReader,
    matching::{KnownPerson, plan},
    options::DirectoryOptions,
    outcome::{ActionKind, SyncAction, SyncError, SyncOutcome},
};

/// Interval at which the directory is read.
const POLL_INTERVAL: Duration = Duration::from_secs(5 * 60);
/// Pause after a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(30);

/// A request to synchronise now.
#[derive(Debug)]
struct SyncRequest {
    dry_run: bool,
    progress: Arc<Progress>,
    answer: oneshot::Sender<Result<SyncOutcome, SyncError>>,
}

/// Handle of the task. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DirectorySync {
    requests: mpsc::Sender<SyncRequest>,
    last: Arc<Mutex<Option<SyncOutcome>>>,
}

/// Requests to the task, and its last outcome.
#[derive(Debug)]
pub struct SyncRequests(mpsc::Receiver<SyncRequest>, Arc<Mutex<Option<SyncOutcome>>>);

impl DirectorySync {
    /// A handle and the receiver of its requests, at most 4 at a time.
    pub fn new() -> (Self, SyncRequests) {
        let (requests, receiver) = mpsc::channel(4);
        let last: Arc<Mutex<Option<SyncOutcome>>> = Arc::default();
        let sync = Self {
            requests,
            last: last.clone(),
        };
        (sync, SyncRequests(receiver, last))
    }

    /// The outcome of the last synchronisation.
    pub fn last(&self) -> Option<SyncOutcome> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Synchronises now; a dry run changes nothing. `None`: the server is stopping.
    pub async fn now(
        &self,
        dry_run: bool,
        progress: Arc<Progress>,
    ) -> Option<Result<SyncOutcome, SyncError>> {
        let (answer, wait) = oneshot::channel();
        let request = SyncRequest {
            dry_run,
            progress,
            answer,
        };
        self.requests.send(request).await.ok()?;
        wait.await.ok()
    }
}

/// Synchronises until the task is dropped.
pub async fn run(
    context: Context,
    client: Arc<Client>,
    tenant: TenantName,
    options: DirectoryOptions,
    inbox: SyncRequests,
) {
    let SyncRequests(mut requests, last) = inbox;
    let mut directory = DirectoryReader::new(client, tenant.clone(), options);
    loop {
        let done = synchronise(&context, &mut directory, false, &Progress::default()).await;
        let pause = if done.is_ok() {
            POLL_INTERVAL
        } else {
            RETRY_INTERVAL
        };
        report(&context, (&tenant, &directory), &last, &done);
        let until = tokio::time::Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => break,
                Some(request) = requests.recv() => {
                    let done = synchronise(&context, &mut directory, request.dry_run, &request.progress).await;
                    report(&context, (&tenant, &directory), &last, &done);
                    let _ = request.answer.send(done);
                }
            }
        }
    }
}

fn report(
    context: &Context,
    (tenant, directory): (&TenantName, &DirectoryReader),
    last: &Mutex<Option<SyncOutcome>>,
    done: &Result<SyncOutcome, SyncError>,
) {
    let warnings = match done {
        Ok(outcome) => outcome.warnings.clone(),
        Err(_) => directory.warnings().into(),
    };
    let part = |part| Part::Directory(part, tenant.clone());
    for (about, warning) in warnings {
        context.health.report_warning(&part(about), warning);
    }
    match done {
        Ok(outcome) => {
            context.health.report(&part(DirectoryPart::Whole), None);
            if !outcome.dry_run {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.clone());
            }
        }
        // A cancelled synchronisation is no sign of trouble with the directory.
        Err(SyncError::Cancelled) => {}
        Err(what) => {
            let trouble = Trouble {
                what: format!("the directory could not be synchronised: {what}"),
                remedy: "no person was changed; Offhook retries after 30 s".into(),
            };
            context
                .health
                .report(&part(DirectoryPart::Whole), Some(trouble));
        }
    }
}

async fn synchronise(
    context: &Context,
    directory: &mut DirectoryReader,
    dry_run: bool,
    progress: &Progress,
) -> Result<SyncOutcome, SyncError> {
    // Reading takes long. A cancelled reading leaves the snapshot as it was.
    tokio::select! {
        read = directory.read(progress) => read?,
        () = progress.cancelled() => return Err(SyncError::Cancelled),
    }
    let tenant = directory.tenant();
    let gone_people = context.store.gone_people(tenant).await?;
    let of_directory = context.store.people_of_directory().await?;
    let administrators: BTreeSet<PersonId> = context
        .store
        .accounts()
        .await?
        .iter()
        .filter(|account| account.role != Role::Person)
        .filter_map(|account| account.person)
        .collect();
    let mut people: Vec<KnownPerson> = context
        .people
        .people(|person| context.organisation.tenant(person.id) == *tenant)
        .iter()
        .map(|person| KnownPerson {
            id: person.id,
            name: person.name.clone(),
            mail: person.mail.clone(),
            user_principal_name: person.user_principal_name.clone(),
            teams_id: person.teams_id.clone(),
            extensions: person
                .lines
                .iter()
                .map(|(_, extension)| extension.clone())
                .collect(),
            administers: administrators.contains(&person.id),
        })
        .collect();
    let absent: BTreeSet<PersonId> = gone_people.iter().map(|person| person.id).collect();
    people.extend(gone_people.into_iter().map(|person| KnownPerson {
        id: person.id,
        name: person.name,
        mail: person.mail,
        user_principal_name: person.user_principal_name,
        teams_id: person.teams_id,
        extensions: Vec::new(),
        administers: administrators.contains(&person.id),
    }));
    let linked = people.iter().filter(|person| !absent.contains(&person.id));
    let linked: HashSet<&TeamsUserId> = linked
        .filter_map(|person| person.teams_id.as_ref())
        .collect();
    let accounts = directory.accounts(|id| linked.contains(id));
    let plan = plan(&accounts, &people, directory.completeness());
    let (changes, mut actions) = difference(&plan, &accounts, &people, &absent, &of_directory);
    let now = context.clock.now();
    if !dry_run && !changes.is_empty() {
        let target = DirectoryTarget {
            tenant,
            location: directory.options().location.as_deref(),
        };
        apply(context, changes, target, &mut actions, now).await?;
        context.apply_people().await;
    }
    let mut warnings = Vec::from(directory.warnings());
    warnings.push((DirectoryPart::Names, misleading(context, tenant)));
    if !dry_run {
        warnings.push((DirectoryPart::Refusals, refusals(&actions)));
    }
    Ok(SyncOutcome {
        at: now,
        dry_run,
        accounts: accounts.len(),
        actions,
        warnings,
    })
}

/// Applies the changes in one transaction. A refused change makes its action one of [`ActionKind::Refused`].
async fn apply(
    context: &Context,
    changes: Vec<(usize, DirectoryChange)>,
    target: DirectoryTarget<'_>,
    actions: &mut [SyncAction],
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = serde_json::json!({"changes": changes.len()}).to_string();
    let change = Change {
        at: now,
        who: "Entra",
        what: DIRECTORY_RUN,
        target: "people",
        before: None,
        after: Some(text),
        concern: Concern::Administration,
        attempt: None,
    };
    let (positions, changes): (Vec<usize>, Vec<DirectoryChange>) = changes.into_iter().unzip();
    for refused in context
        .store
        .apply_directory(&changes, target, &change)
        .await?
    {
        let position = positions.get(refused.at);
        if let Some(action) = position.and_then(|position| actions.get_mut(*position)) {
            action.kind = ActionKind::Refused;
            action.reason = refused.why.to_string();
        }
    }
    Ok(())
}

/// The warning about refused changes: the people stay unchanged, or are not added.
fn refusals(actions: &[SyncAction]) -> Option<Trouble> {
    let refused = actions
        .iter()
        .filter(|action| action.kind == ActionKind::Refused);
    named(
        refused.map(|action| format!("{}: {}", action.name, action.reason)),
        "changes of the directory are refused",
        "correct the people here or in Entra, as each reason says; they are tried again with every synchronisation",
    )
}

/// The warning about names from Entra that read like another person's address or extension.
fn misleading(context: &Context, tenant: &TenantName) -> Option<Trouble> {
    let people = context.people.people(|person| {
        person.teams_id.is_some() && context.organisation.tenant(person.id) == *tenant
    });
    let people = people
        .iter()
        .filter(|person| context.people.is_of_another(&person.name, Some(person.id)));
    named(
        people.map(|person| format!("{:?} (id:{})", person.name, person.id)),
        "names of the directory read like the address or an extension of another person",
        "correct the name in Entra",
    )
}

fn named(each: impl Iterator<Item = String>, what: &str, remedy: &str) -> Option<Trouble> {
    let each: Vec<String> = each.collect();
    let count = each.len();
    (count > 0).then(|| Trouble {
        what: format!("{count} {what}: {}", first_few(each.into_iter())),
        remedy: remedy.into(),
    })
}
