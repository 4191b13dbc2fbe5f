//! Applies changes of people that any process makes in the store: the store names the people who changed since a revision, and
//! only these are read again.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use presence::{Extension, Fact, Input, PersonId};
use store::{StoreError, StoredPerson};
use tokio::sync::Mutex;

use super::{Context, StalenessLimit};
use crate::{engine_handle::Cause, people_index::Person};

/// Interval at which the store is asked for changes by other processes. The server applies its own at once.
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

/// The extensions that the person has in one of the two states only.
fn changed_extensions(before: Option<&Person>, after: Option<&Person>) -> BTreeSet<Extension> {
    let of = |person: Option<&Person>| -> BTreeSet<Extension> {
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

    /// Applies the changes of people in the store. The cost follows the number of changed people.
    ///
    /// Takes `settings_lock`: the caller must not hold it.
    ///
    /// Returns false if the store could not be read: the changes are applied within 2 s of its recovery then.
    pub async fn apply_people(&self) -> bool {
        let refreshed = self.refresh_people().await;
        if let Err(error) = &refreshed {
            tracing::warn!(%error, "changes of people could not be read from the database; trying again in 2 s");
        }
        refreshed.is_ok()
    }

    /// Undoes the removal of a person from the engine: [`Self::apply_people`] adds the person again.
    pub async fn bring_back(&self, person: PersonId) {
        self.people.remove(person);
        self.people_changes.0.lock().await.again.insert(person);
    }

    async fn refresh_people(&self) -> Result<(), StoreError> {
        // An older reading must not overwrite a change of settings.
        let _one_at_a_time = self.settings_lock.lock().await;
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
        // Scopes first: an import may have added locations.
        self.refresh_scopes().await?;
        // Before new people are added: the first sweep with them may take as long.
        let added = changes.people.iter();
        let added = added.filter(|(id, stored)| stored.is_some() && !self.knows(*id));
        let people = self.people.count() + added.count();
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
            // Another name may match another account.
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
        // The engine has applied the changes when this returns.
        self.engine.input_and_wait(Input::Tick).await;
        if may_have_moved {
            self.announce_tenant_moves();
        }
        for observer in self.observers() {
            let has_owner = |extension: &Extension| self.people.by_extension(extension).is_some();
            let (added, removed) = extensions.iter().cloned().partition(has_owner);
            observer.extensions_changed(added, removed).await;
        }
        tracing::info!(
            changed = count,
            people = self.people.count(),
            "changes of people are in force"
        );
        Ok(())
    }

    /// Leaves the old Teams accounts of people who have another one now, after an import: clears Offhook's presence there and
    /// forgets the login.
    async fn leave_accounts(
        &self,
        changed: &[(PersonId, Option<StoredPerson>)],
    ) -> Result<(), StoreError> {
        let has_other = |(id, stored): &(PersonId, Option<StoredPerson>)| {
            let before = self.people.person(*id)?;
            let (old, new) = (before.teams_id.as_ref()?, stored.as_ref()?);
            let new = new.teams_id.as_ref()?;
            (old != new).then_some(before)
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
        self.commits.wait_until_idle().await;
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

    /// Reads the settings again if the store has other scopes than the snapshot.
    async fn refresh_scopes(&self) -> Result<(), StoreError> {
        let stored = self.store.scopes().await?;
        let is_known = self.organisation.read(|snapshot| {
            stored.len() == snapshot.scopes.len()
                && stored
                    .iter()
                    .all(|scope| snapshot.scopes.get(&scope.id) == Some(scope))
        });
        if !is_known {
            self.organisation.load(&self.store).await?;
            self.announce_tenant_moves();
            self.check_tenants();
        }
        Ok(())
    }
}
