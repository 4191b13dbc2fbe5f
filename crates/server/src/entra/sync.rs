//! Reads the directory every few minutes: whole at first, then only what changed (delta query), or the members of a group.

use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use graph::{Client, GraphError};
use presence::{PersonId, Timestamp};
use store::{Change, Concern, DirectoryChange, Progress, Role, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::{DirectoryOptions, Known, difference::difference, plan, reading::Directory};
use crate::{
    context::Context,
    health::{Trouble, first_few},
    organisation::MAIN_TENANT,
};

/// How often the directory is read.
const RHYTHM: Duration = Duration::from_secs(5 * 60);
/// How soon after a failure.
const AGAIN: Duration = Duration::from_secs(30);
/// The name under which the health is told.
const PART: &str = "teams directory";
/// The deed of a change that could not be carried out.
pub(super) const REFUSED: &str = "refused";

/// What a synchronisation did, or would do.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// When.
    pub at: Timestamp,
    /// Nothing was done.
    pub dry_run: bool,
    /// Accounts read.
    pub accounts: usize,
    /// What was done to whom, in words of the API.
    pub deeds: Vec<Deed>,
    /// What may be wrong, by the end of its name in the health.
    warnings: Vec<(&'static str, Option<Trouble>)>,
}

impl Outcome {
    /// What may be wrong, in words.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = self
            .warnings
            .iter()
            .filter_map(|(_, warning)| warning.as_ref());
        warnings
            .map(|warning| format!("{}; {}", warning.what, warning.remedy))
            .collect()
    }
}

/// Something done, or left undone with its reason.
#[derive(Clone, Debug)]
pub struct Deed {
    /// `added`, `updated`, `gone`, `unmatched` (a person), `ambiguous` (an account), `refused`.
    pub what: &'static str,
    /// The person, if there is one already.
    pub person: Option<PersonId>,
    /// Name of person or account.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Why a synchronisation did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The directory could not be read.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The people could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Whoever waited for it cancelled it.
    #[error("it was cancelled")]
    Cancelled,
}

/// Somebody wants it now.
#[derive(Debug)]
struct Asked {
    dry_run: bool,
    progress: Arc<Progress>,
    answer: oneshot::Sender<Result<Outcome, Failure>>,
}

/// The way to the task. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DirectorySync {
    asked: mpsc::Sender<Asked>,
    last: Arc<Mutex<Option<Outcome>>>,
}

/// The task's end.
#[derive(Debug)]
pub struct Inbox(mpsc::Receiver<Asked>, Arc<Mutex<Option<Outcome>>>);

impl DirectorySync {
    /// The two ends.
    pub fn new() -> (Self, Inbox) {
        let (asked, receiver) = mpsc::channel(4);
        let last: Arc<Mutex<Option<Outcome>>> = Arc::default();
        let sync = Self {
            asked,
            last: last.clone(),
        };
        (sync, Inbox(receiver, last))
    }

    /// What the last synchronisation did.
    pub fn last(&self) -> Option<Outcome> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Synchronises now; a dry run only tells what would be done. `None`: no directory is configured.
    pub async fn now(
        &self,
        dry_run: bool,
        progress: Arc<Progress>,
    ) -> Option<Result<Outcome, Failure>> {
        let (answer, wait) = oneshot::channel();
        let asked = Asked {
            dry_run,
            progress,
            answer,
        };
        self.asked.send(asked).await.ok()?;
        wait.await.ok()
    }
}

/// Synchronises, for ever.
pub async fn run(
    context: Context,
    (client, tenant): (Arc<Client>, Arc<str>),
    options: DirectoryOptions,
    inbox: Inbox,
) {
    let Inbox(mut asked, last) = inbox;
    let part = if *tenant == *MAIN_TENANT {
        PART.to_owned()
    } else {
        format!("{PART} ({tenant})")
    };
    let mut directory = Directory::new(client, tenant, options);
    loop {
        let done = synchronise(&context, &mut directory, false, &Progress::default()).await;
        let pause = if done.is_ok() { RHYTHM } else { AGAIN };
        tell(&context, (&part, &directory), &last, &done);
        let until = tokio::time::Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => break,
                Some(asked) = asked.recv() => {
                    let done = synchronise(&context, &mut directory, asked.dry_run, &asked.progress).await;
                    tell(&context, (&part, &directory), &last, &done);
                    let _ = asked.answer.send(done);
                }
            }
        }
    }
}

fn tell(
    context: &Context,
    (part, directory): (&str, &Directory),
    last: &Mutex<Option<Outcome>>,
    done: &Result<Outcome, Failure>,
) {
    let warnings = match done {
        Ok(outcome) => outcome.warnings.clone(),
        Err(_) => directory.warnings().into(),
    };
    for (end, warning) in warnings {
        context
            .health
            .report_warning(&format!("{part}{end}"), warning);
    }
    match done {
        Ok(outcome) => {
            context.health.report(part, None);
            if !outcome.dry_run {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome.clone());
            }
        }
        // How the directory is was not learnt.
        Err(Failure::Cancelled) => {}
        Err(what) => {
            let trouble = Trouble {
                what: format!("the directory could not be synchronised: {what}"),
                remedy: "nobody was changed; it is tried again by itself".into(),
            };
            context.health.report(part, Some(trouble));
        }
    }
}

async fn synchronise(
    context: &Context,
    directory: &mut Directory,
    dry_run: bool,
    progress: &Progress,
) -> Result<Outcome, Failure> {
    // Reading is what takes long. What is known of the directory changes only at its end.
    tokio::select! {
        read = directory.read(progress) => read?,
        () = progress.cancelled() => return Err(Failure::Cancelled),
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
    let mut people: Vec<Known> = context
        .people
        .people(|person| context.organisation.tenant(person.id) == **tenant)
        .iter()
        .map(|person| Known {
            id: person.id,
            name: person.name.clone(),
            mail: person.mail.clone(),
            user_principal_name: person.user_principal_name.clone(),
            teams_id: person.teams_id.as_deref().map(str::to_owned),
            extensions: person
                .lines
                .iter()
                .map(|(_, extension)| extension.to_string())
                .collect(),
            administers: administrators.contains(&person.id),
        })
        .collect();
    let absent: BTreeSet<PersonId> = gone_people.iter().map(|(id, _)| *id).collect();
    people.extend(gone_people.into_iter().map(|(id, person)| Known {
        id,
        name: person.name,
        mail: person.mail,
        user_principal_name: person.user_principal_name,
        teams_id: Some(person.teams_id).filter(|id| !id.is_empty()),
        extensions: Vec::new(),
        administers: administrators.contains(&id),
    }));
    let linked = people.iter().filter(|person| !absent.contains(&person.id));
    let linked: HashSet<&str> = linked
        .filter_map(|person| person.teams_id.as_deref())
        .collect();
    let accounts = directory.accounts(|id| linked.contains(id));
    let plan = plan(&accounts, &people, directory.is_whole());
    let (changes, mut deeds) = difference(&plan, &accounts, &people, &absent, &of_directory);
    let now = context.clock.now();
    if !dry_run && !changes.is_empty() {
        let location = directory.options().location.as_deref();
        apply(context, changes, (tenant, location), &mut deeds, now).await?;
        context.apply_people().await;
    }
    let mut warnings = Vec::from(directory.warnings());
    warnings.push((" names", misleading(context, tenant)));
    if !dry_run {
        warnings.push((" refusals", refusals(&deeds)));
    }
    Ok(Outcome {
        at: now,
        dry_run,
        accounts: accounts.len(),
        deeds,
        warnings,
    })
}

/// Carries out the changes as one round. The deed of a change that is refused says why.
async fn apply(
    context: &Context,
    changes: Vec<(usize, DirectoryChange)>,
    to: (&str, Option<&str>),
    deeds: &mut [Deed],
    now: Timestamp,
) -> Result<(), StoreError> {
    let text = serde_json::json!({"changes": changes.len()}).to_string();
    let change = Change {
        at: now,
        who: "Entra",
        what: "directory.synchronise",
        target: "people",
        before: None,
        after: Some(text),
        concern: Concern::Administration,
        attempt: None,
    };
    let (places, changes): (Vec<usize>, Vec<DirectoryChange>) = changes.into_iter().unzip();
    for refused in context.store.apply_directory(&changes, to, &change).await? {
        let place = places.get(refused.at);
        if let Some(deed) = place.and_then(|place| deeds.get_mut(*place)) {
            deed.what = REFUSED;
            deed.reason = refused.why.to_string();
        }
    }
    Ok(())
}

/// The warning of changes that are refused: the people stay as they were, or are not there.
fn refusals(deeds: &[Deed]) -> Option<Trouble> {
    let refused = deeds.iter().filter(|deed| deed.what == REFUSED);
    named(
        refused.map(|deed| format!("{}: {}", deed.name, deed.reason)),
        "changes of the directory are refused",
        "correct the people here or in Entra, as each reason says; they are tried again with every synchronisation",
    )
}

/// The warning of names from Entra that read like another person's address or extension.
fn misleading(context: &Context, tenant: &str) -> Option<Trouble> {
    let people = context.people.people(|person| {
        person.teams_id.is_some() && *context.organisation.tenant(person.id) == *tenant
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
