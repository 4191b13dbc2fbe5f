//! Reads the directory every few minutes: whole at first, then only what changed (delta query), or the members of a group.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use graph::GraphError;
use presence::{PersonId, Timestamp};
use store::{Change, Concern, DirectoryChange, DirectoryPerson, Progress, Role, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::{DirectoryOptions, EntraAccount, Known, Plan, plan, reading::Directory};
use crate::{app::Core, health::Trouble, organisation::MAIN_TENANT, teams::Door};

/// How often the directory is read.
const RHYTHM: Duration = Duration::from_secs(5 * 60);
/// How soon after a failure.
const AGAIN: Duration = Duration::from_secs(30);
/// The name under which the health is told.
const PART: &str = "teams directory";

/// What a synchronisation did, or would do.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// When.
    pub(crate) at: Timestamp,
    /// Nothing was done.
    pub(crate) dry_run: bool,
    /// Accounts read.
    pub(crate) accounts: usize,
    /// What was done to whom, in words of the API.
    pub(crate) deeds: Vec<Deed>,
}

/// Something done, or left undone with its reason.
#[derive(Clone, Debug)]
pub(crate) struct Deed {
    /// `added`, `updated`, `gone`, `unmatched` (a person), `ambiguous` (an account), `refused`.
    pub(crate) what: &'static str,
    /// The person, if there is one already.
    pub(crate) person: Option<PersonId>,
    /// Name of person or account.
    pub(crate) name: String,
    /// Why.
    pub(crate) reason: String,
}

/// Why a synchronisation did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
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
pub(crate) struct DirectorySync {
    asked: mpsc::Sender<Asked>,
    last: Arc<Mutex<Option<Outcome>>>,
}

/// The task's end.
#[derive(Debug)]
pub(crate) struct Inbox(mpsc::Receiver<Asked>, Arc<Mutex<Option<Outcome>>>);

impl DirectorySync {
    /// The two ends.
    pub(crate) fn new() -> (Self, Inbox) {
        let (asked, receiver) = mpsc::channel(4);
        let last: Arc<Mutex<Option<Outcome>>> = Arc::default();
        let sync = Self {
            asked,
            last: last.clone(),
        };
        (sync, Inbox(receiver, last))
    }

    /// What the last synchronisation did.
    pub(crate) fn last(&self) -> Option<Outcome> {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Synchronises now; a dry run only tells what would be done. `None`: no directory is configured.
    pub(crate) async fn now(
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
pub(crate) async fn run(core: Core, door: Door, options: DirectoryOptions, inbox: Inbox) {
    let Inbox(mut asked, last) = inbox;
    let part = if *door.name == *MAIN_TENANT {
        PART.to_owned()
    } else {
        format!("{PART} ({})", door.name)
    };
    let mut directory = Directory::new(door, options);
    loop {
        let done = synchronise(&core, &mut directory, false, &Progress::default()).await;
        let pause = if done.is_ok() { RHYTHM } else { AGAIN };
        tell(&core, (&part, &directory), &last, &done);
        let until = tokio::time::Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(until) => break,
                Some(asked) = asked.recv() => {
                    let done = synchronise(&core, &mut directory, asked.dry_run, &asked.progress).await;
                    tell(&core, (&part, &directory), &last, &done);
                    let _ = asked.answer.send(done);
                }
            }
        }
    }
}

fn tell(
    core: &Core,
    (part, directory): (&str, &Directory),
    last: &Mutex<Option<Outcome>>,
    done: &Result<Outcome, Failure>,
) {
    for (end, warning) in directory.warnings() {
        core.health.report_warning(&format!("{part}{end}"), warning);
    }
    match done {
        Ok(outcome) => {
            core.health.report(part, None);
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
            core.health.report(part, Some(trouble));
        }
    }
}

async fn synchronise(
    core: &Core,
    directory: &mut Directory,
    dry_run: bool,
    progress: &Progress,
) -> Result<Outcome, Failure> {
    // Reading is what takes long. What is known of the directory changes only at its end.
    tokio::select! {
        read = directory.read(progress) => read?,
        () = progress.cancelled() => return Err(Failure::Cancelled),
    }
    let tenant = &directory.door().name;
    let gone_people = core.store.gone_people(tenant).await?;
    let of_directory = core.store.people_of_directory().await?;
    let administrators: BTreeSet<PersonId> = core
        .store
        .accounts()
        .await?
        .iter()
        .filter(|account| account.role != Role::Person)
        .filter_map(|account| account.person)
        .collect();
    let mut people: Vec<Known> = core
        .directory
        .people(|person| core.organisation.tenant(person.id) == **tenant)
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
    let now = core.clock.now();
    if !dry_run && !changes.is_empty() {
        let location = directory.options().location.as_deref();
        apply(core, &changes, (tenant, location), &mut deeds, now).await?;
        core.apply_people().await;
    }
    Ok(Outcome {
        at: now,
        dry_run,
        accounts: accounts.len(),
        deeds,
    })
}

/// All at once; where one is refused each by itself, so that one name that is taken does not hold up all others.
async fn apply(
    core: &Core,
    changes: &[DirectoryChange],
    to: (&str, Option<&str>),
    deeds: &mut Vec<Deed>,
    now: Timestamp,
) -> Result<(), Failure> {
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
    match core.store.apply_directory(changes, to, &change).await {
        Ok(()) => return Ok(()),
        Err(StoreError::Taken { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    for entry in changes {
        let refused = core
            .store
            .apply_directory(std::slice::from_ref(entry), to, &change)
            .await;
        match refused {
            Ok(()) => {}
            Err(error @ StoreError::Taken { .. }) => {
                let (DirectoryChange::Add(person) | DirectoryChange::Update(_, person)) = entry
                else {
                    continue;
                };
                let name = person.name.clone();
                deeds.retain(|deed| deed.name != name || !matches!(deed.what, "added" | "updated"));
                deeds.push(Deed {
                    what: "refused",
                    person: None,
                    name,
                    reason: error.to_string(),
                });
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// What is to be written, and everything in words.
fn difference(
    plan: &Plan,
    accounts: &[EntraAccount],
    people: &[Known],
    absent: &BTreeSet<PersonId>,
    of_directory: &BTreeSet<PersonId>,
) -> (Vec<DirectoryChange>, Vec<Deed>) {
    let by_id: HashMap<PersonId, &Known> = people.iter().map(|known| (known.id, known)).collect();
    let name = |id: &PersonId| {
        by_id
            .get(id)
            .map_or_else(String::new, |known| known.name.clone())
    };
    let (mut changes, mut deeds) = (Vec::new(), Vec::new());
    for (at, (person, by)) in &plan.matched {
        let (Some(account), Some(known)) = (accounts.get(*at), by_id.get(person)) else {
            continue;
        };
        let wanted = names(account, Some(known));
        let same = !absent.contains(person)
            && known.teams_id.as_deref() == Some(&wanted.teams_id)
            && known.name == wanted.name
            && known.mail == wanted.mail
            && known.user_principal_name == wanted.user_principal_name;
        if same {
            continue;
        }
        deeds.push(Deed {
            what: "updated",
            person: Some(*person),
            name: wanted.name.clone(),
            reason: format!("found by {}", by.words()),
        });
        changes.push(DirectoryChange::Update(*person, wanted));
    }
    let new = plan.new.iter().filter_map(|at| accounts.get(*at));
    // Guests are at home in another tenant.
    for account in new.filter(|account| !account.is_guest) {
        let (deed, change) = addition(account);
        deeds.push(deed);
        changes.extend(change);
    }
    for (at, reason) in &plan.ambiguous {
        deeds.push(Deed {
            what: "ambiguous",
            person: None,
            name: accounts
                .get(*at)
                .map_or_else(String::new, |account| account.label().to_owned()),
            reason: reason.clone(),
        });
    }
    for (person, reason) in plan
        .gone
        .iter()
        .filter(|(person, _)| !absent.contains(person))
    {
        let leaves = of_directory.contains(person);
        let stays = if leaves {
            ""
        } else {
            "; entered here, so it stays"
        };
        deeds.push(Deed {
            what: if leaves { "gone" } else { "unmatched" },
            person: Some(*person),
            name: name(person),
            reason: format!("{reason}{stays}"),
        });
        if leaves {
            changes.push(DirectoryChange::Gone(*person));
        }
    }
    for person in plan
        .unmatched
        .iter()
        .filter(|person| !absent.contains(person))
    {
        deeds.push(Deed {
            what: "unmatched",
            person: Some(*person),
            name: name(person),
            reason: "no account has this sign-in name, mail or number".into(),
        });
    }
    (changes, deeds)
}

/// The deed and the change for an enabled account that is nobody's. An account without any name makes no person.
fn addition(account: &EntraAccount) -> (Deed, Option<DirectoryChange>) {
    let deed = |what, name: &str, reason: &str| Deed {
        what,
        person: None,
        name: name.into(),
        reason: reason.into(),
    };
    match account.label() {
        "" => {
            let reason = "the account has neither a name nor a sign-in name nor a mail address";
            (deed("refused", &account.id, reason), None)
        }
        name => (
            deed("added", name, "an account that is nobody's"),
            Some(DirectoryChange::Add(names(account, None))),
        ),
    }
}

/// What is stored of a person with this account. What Graph did not say keeps its value, and an account without a name never
/// replaces a name.
fn names(account: &EntraAccount, known: Option<&Known>) -> DirectoryPerson {
    let kept = |value: &Option<String>, known: Option<&String>| match value {
        Some(value) => value.clone(),
        None => known.cloned().unwrap_or_default(),
    };
    let named = [Some(&account.name), known.map(|known| &known.name)];
    let name = named.into_iter().flatten().find(|name| !name.is_empty());
    DirectoryPerson {
        teams_id: account.id.clone(),
        name: name.cloned().unwrap_or_else(|| account.label().to_owned()),
        mail: kept(&account.mail, known.map(|known| &known.mail)),
        user_principal_name: kept(
            &account.user_principal_name,
            known.map(|known| &known.user_principal_name),
        ),
    }
}

#[cfg(test)]
mod tests {
    use presence::PersonId;

    use super::{DirectoryPerson, EntraAccount, Known, names};

    fn anna() -> Known {
        Known {
            id: PersonId(1),
            name: "Anna Becker".into(),
            mail: "anna@x".into(),
            user_principal_name: "a@x".into(),
            teams_id: Some("a".into()),
            extensions: Vec::new(),
            administers: false,
        }
    }

    fn stored(name: &str, mail: &str, user_principal_name: &str) -> DirectoryPerson {
        DirectoryPerson {
            teams_id: "a".into(),
            name: name.into(),
            mail: mail.into(),
            user_principal_name: user_principal_name.into(),
        }
    }

    // D3
    #[test]
    fn an_account_without_a_name_replaces_no_name_and_silence_replaces_nothing() {
        let known = anna();
        let only_an_id = EntraAccount {
            id: "a".into(),
            enabled: true,
            ..EntraAccount::default()
        };
        let kept = stored("Anna Becker", "anna@x", "a@x");
        assert_eq!(names(&only_an_id, Some(&known)), kept);
        let cleared = EntraAccount {
            user_principal_name: Some("new@x".into()),
            mail: Some(String::new()),
            ..only_an_id.clone()
        };
        let expected = stored("Anna Becker", "", "new@x");
        assert_eq!(names(&cleared, Some(&known)), expected);
        // A new person is called by what there is.
        assert_eq!(names(&cleared, None), stored("new@x", "", "new@x"));
        let renamed = EntraAccount {
            name: "Anna Maier".into(),
            ..only_an_id
        };
        assert_eq!(names(&renamed, Some(&known)).name, "Anna Maier");
    }
}
