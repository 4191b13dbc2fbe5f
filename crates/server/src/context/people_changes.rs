//! Keeps what the server knows of people as the store has them: one changed person is one change, whichever process made
//! it. The store names the people who changed since a revision; only these are read again.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use presence::{Fact, Input, PersonId};
use store::{StoreError, StoredPerson};
use tokio::sync::Mutex;

use super::{Context, StalenessLimit};
use crate::{engine_handle::Cause, people_index::Person};

/// How often the store is asked for changes by other processes. The server's own changes are applied at once.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// The changes of people that were read from the store.
#[derive(Debug)]
pub(super) struct PeopleChanges(Mutex<State>);

struct State {
    /// Revision of the last change that was applied.
    revision: u64,
    staleness_limit: StalenessLimit,
    /// People to read again although the store has no change of them.
    again: BTreeSet<PersonId>,
}

impl fmt::Debug for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("State")
            .field("revision", &self.revision)
            .field("again", &self.again)
            .finish_non_exhaustive()
    }
}

impl PeopleChanges {
    /// Begins after a revision.
    pub(super) fn new(revision: u64, staleness_limit: StalenessLimit) -> Self {
        Self(Mutex::new(State {
            revision,
            staleness_limit,
            again: BTreeSet::new(),
        }))
    }
}

/// The extensions that the person had and has no more, or has now and had not.
fn changed_extensions(before: Option<&Person>, after: Option<&Person>) -> BTreeSet<Arc<str>> {
    let of = |person: Option<&Person>| -> BTreeSet<Arc<str>> {
        let lines = person.into_iter().flat_map(|person| &person.lines);
        lines.map(|(_, extension)| extension.clone()).collect()
    };
    let (before, after) = (of(before), of(after));
    before.symmetric_difference(&after).cloned().collect()
}

impl Context {
    /// Applies changes by other processes, until the server ends.
    pub async fn follow_people(self) {
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            self.apply_people().await;
        }
    }

    /// Applies what changed about people in the store: durable changes are in force when this returns, or soon, if the store
    /// cannot be read now. The cost follows the number of changed people.
    ///
    /// Waits for changes of settings: the caller must not hold `settings_change`.
    ///
    /// Returns false if the store could not be read; the changes are applied later then.
    pub async fn apply_people(&self) -> bool {
        let refreshed = self.refresh_people().await;
        if let Err(error) = &refreshed {
            tracing::warn!(%error, "changes of people could not be read from the database; trying again in 2 s");
        }
        refreshed.is_ok()
    }

    /// A person who was retired stays after all: [`Self::apply_people`] takes them in again.
    pub async fn bring_back(&self, person: PersonId) {
        self.people.remove(person);
        self.people_changes.0.lock().await.again.insert(person);
    }

    async fn refresh_people(&self) -> Result<(), StoreError> {
        // A change of settings in between must not be overwritten by an older reading.
        let _one_at_a_time = self.settings_change.lock().await;
        let mut state = self.people_changes.0.lock().await;
        let now = self.clock.now();
        let mut changes = self.store.people_changed_since(state.revision, now).await?;
        for person in &state.again {
            let stored = self.store.person(*person, now).await?;
            changes.people.push((*person, stored));
        }
        if changes.people.is_empty() {
            return Ok(());
        }
        // Places first: an import may have made locations.
        self.refresh_scopes().await?;
        // Before new people are here: the first sweep with them may take as long.
        let added = changes.people.iter();
        let added = added.filter(|(id, stored)| stored.is_some() && !self.knows(*id));
        let people = self.people.len() + added.count();
        let fresh = Input::ObservationFresh((state.staleness_limit)(people));
        self.engine.input_and_wait(fresh).await;

        let removed = changes.people.iter();
        let removed = removed.filter(|(id, stored)| stored.is_none() && self.knows(*id));
        let removed: Vec<PersonId> = removed.map(|(id, _)| *id).collect();
        if !removed.is_empty() {
            self.retire(&removed).await;
        }
        self.leave_accounts(&changes.people).await?;
        let mut extensions = BTreeSet::new();
        let mut may_have_moved = false;
        let count = changes.people.len();
        for (id, stored) in changes.people {
            let before = self.people.person(id);
            match stored {
                Some(stored) => self.upsert_person(stored).await,
                None => self.forget(id),
            }
            let after = self.people.person(id);
            extensions.extend(changed_extensions(before.as_deref(), after.as_deref()));
            // Another name may find another account.
            may_have_moved |= match (&before, &after) {
                (Some(before), Some(after)) => {
                    before.user_principal_name != after.user_principal_name
                        || before.mail != after.mail
                }
                (None, Some(_)) => true,
                (_, None) => false,
            };
        }
        state.revision = changes.revision;
        state.again.clear();
        // What was put is in force: the engine has taken it.
        self.engine.input_and_wait(Input::Tick).await;
        if may_have_moved {
            self.check_movers();
        }
        for observer in self.observers() {
            let has_owner = |extension: &Arc<str>| self.people.by_extension(extension).is_some();
            let (added, removed) = extensions.iter().cloned().partition(has_owner);
            observer.extensions_changed(added, removed).await;
        }
        tracing::info!(
            changed = count,
            people = self.people.len(),
            "changes of people are in force"
        );
        Ok(())
    }

    /// People who have another account now, which an import names: what Offhook wrote to the old one is taken back while it
    /// is still known, and its login is forgotten, as where a person signs in with another account.
    async fn leave_accounts(
        &self,
        changed: &[(PersonId, Option<StoredPerson>)],
    ) -> Result<(), StoreError> {
        let has_other = |(id, stored): &(PersonId, Option<StoredPerson>)| {
            let before = self.people.person(*id)?;
            let (old, new) = (before.teams_id.as_deref()?, stored.as_ref()?);
            let new = new.teams_id.as_deref()?;
            (!old.eq_ignore_ascii_case(new)).then_some(before)
        };
        let people: Vec<Arc<Person>> = changed.iter().filter_map(has_other).collect();
        if people.is_empty() {
            return Ok(());
        }
        let unlinked = people
            .iter()
            .map(|person| Input::Person(person.id, Fact::TeamsUnlinked));
        self.engine.inputs(unlinked.collect(), Cause::Other).await;
        self.engine.input_and_wait(Input::Tick).await;
        self.commits.settled().await;
        for person in people {
            self.store.forget_teams_writes(person.id).await?;
            for observer in self.observers() {
                observer.account_left(person.clone()).await;
            }
        }
        Ok(())
    }

    fn knows(&self, person: PersonId) -> bool {
        self.people.person(person).is_some()
    }

    /// Reads the settings again if the tree of scopes is another than the one that is known.
    async fn refresh_scopes(&self) -> Result<(), StoreError> {
        let stored = self.store.scopes().await?;
        let is_known = self.organisation.read(|tables| {
            stored.len() == tables.scopes.len()
                && stored
                    .iter()
                    .all(|scope| tables.scopes.get(&scope.id) == Some(scope))
        });
        if !is_known {
            self.organisation.load(&self.store).await?;
            self.check_movers();
            self.check_tenants();
        }
        Ok(())
    }
}
