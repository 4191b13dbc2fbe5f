//! Commands that change people in the index, the organisation, the engine and the events.

use std::sync::Arc;

use presence::{Fact, Input, PersonId, PersonPolicy, PersonRecord};
use store::{Change, StoreError, StoredPerson};

use super::Context;
use crate::{
    engine_handle::Cause,
    events::VisibilityBefore,
    health::{Part, Trouble},
    organisation::{Membership, Snapshot},
    people_index::Person,
};

impl Context {
    /// Adds the people of the store, at the start.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn load_people(&self) -> Result<(), StoreError> {
        for stored in self.store.people(self.clock.now()).await? {
            self.upsert_person(stored).await;
        }
        Ok(())
    }

    /// Adds a person, or applies changes of name, lines, account, profiles or membership.
    pub async fn upsert_person(&self, stored: StoredPerson) {
        let (id, now) = (stored.id, self.clock.now());
        let before = self.people.person(id);
        self.people.upsert(Person::from(&stored));
        let (policy, membership_before) = self.organisation.upsert_person(&stored);
        // Without a PBX no line has a state, and the engine must not wait for one.
        let lines = if self.watches_lines {
            stored.record.lines
        } else {
            Vec::new()
        };
        let linked = stored.record.linked;
        let Some(before) = before else {
            let record = PersonRecord {
                lines,
                appointments: stored.appointments,
                ..stored.record
            };
            let input = Input::AddPerson(id, Box::new(record), policy);
            return self.engine.input(input, Cause::Other).await;
        };
        // A row without an account does not unlink the person: the account may have been found since the row was read.
        let linked = linked.then_some(Fact::TeamsLinked);
        let facts = [Fact::Lines(lines), Fact::Policy(policy)];
        let inputs = facts.into_iter().chain(linked);
        let inputs = inputs.map(|fact| Input::Person(id, fact)).collect();
        self.engine.inputs(inputs, Cause::Other).await;
        self.policy_changed(id);
        if self.people.person(id).is_some_and(|now| *now != *before) {
            self.events.person_changed(id, now);
        }
        let membership = self.organisation.read(|snapshot| snapshot.membership(id));
        if membership != membership_before {
            self.membership_changed(id, membership_before);
        }
    }

    /// Publishes that a person's membership changed, and with it the visibility; the tenant may be another too.
    pub fn membership_changed(&self, person: PersonId, before: Membership) {
        let visibility = VisibilityBefore::Membership(before);
        self.events
            .visibility_changed(person, visibility, self.clock.now());
        self.announce_tenant_moves();
    }

    /// Changes settings, profiles or membership of one person, and applies the person's new policy.
    pub async fn update_person(&self, person: PersonId, change: impl FnOnce(&mut Snapshot)) {
        let policy = self.organisation.update_person(person, change);
        let policy = policy.map(|policy| (person, policy));
        self.apply_policies(policy.into_iter().collect()).await;
        self.policy_changed(person);
    }

    /// Removes people from the engine, and waits until Offhook's presence of them is being cleared in Teams, for 2 s at most: it
    /// expires there.
    pub async fn retire(&self, people: &[PersonId]) {
        let inputs = people.iter().map(|person| Input::RemovePerson(*person));
        self.engine.inputs(inputs.collect(), Cause::Other).await;
        self.engine.input_and_wait(Input::Tick).await;
        // The Teams queue needs the account of a person until it has the last write.
        self.commits.wait_until_committed().await;
    }

    /// Forgets a person who was removed from the engine.
    pub fn forget(&self, person: PersonId) {
        self.people.remove(person);
        self.organisation.remove_person(person);
        self.events.remove(person, self.clock.now());
    }

    /// Clears Offhook's presence at a person's Teams account, which is about to be unlinked.
    pub async fn leave_account(&self, person: PersonId) {
        let unlinked = Input::Person(person, Fact::TeamsUnlinked);
        self.engine.input_and_wait(unlinked).await;
        self.commits.wait_until_idle().await;
    }

    /// Unlinks a person's Teams account, with the audit row of the change if it has one: clears Offhook's presence there
    /// first.
    ///
    /// # Errors
    /// The store refused.
    pub async fn unlink(
        &self,
        person: PersonId,
        change: Option<&Change<'_>>,
    ) -> Result<(), StoreError> {
        // Before the lock is taken: other changes do not wait for Teams.
        self.leave_account(person).await;
        let _one_at_a_time = self.settings_lock.lock().await;
        // Since then, the person may have been read from the store with this account.
        let unlinked = Input::Person(person, Fact::TeamsUnlinked);
        self.engine.input_and_wait(unlinked).await;
        if let Err(error) = self.store.unlink_teams(person, change).await {
            self.engine.fact(person, Fact::TeamsLinked).await;
            return Err(error);
        }
        self.people.forget_teams_id(person);
        // Another tenant may have an account for them.
        self.announce_tenant_moves();
        Ok(())
    }

    /// Makes each tenant search for people who moved to or from it.
    pub fn announce_tenant_moves(&self) {
        self.tenant_moves
            .send_modify(|tenant_moves| *tenant_moves += 1);
    }

    /// Reports locations that name a tenant which is not configured.
    pub fn check_tenants(&self) {
        let unknown: Vec<String> = self.organisation.read(|snapshot| {
            let named = snapshot.scopes.values();
            named
                .filter_map(|scope| Some((scope, scope.tenant.as_ref()?)))
                .filter(|(_, tenant)| !self.has_tenant(tenant))
                .map(|(scope, tenant)| format!("{} names {tenant}", scope.id))
                .collect()
        });
        let trouble = (!unknown.is_empty()).then(|| Trouble {
            what: format!(
                "locations name tenants that are not configured: {}",
                unknown.join(", ")
            ),
            remedy: "add the tenant to the configuration, or name another (PATCH /api/v1/scopes/{scope})".into(),
        });
        self.health.report(&Part::Tenants, trouble);
    }

    /// Applies changed policies, and waits until the engine has applied them.
    pub async fn apply_policies(&self, changed: Vec<(PersonId, Arc<PersonPolicy>)>) {
        let inputs = changed
            .into_iter()
            .map(|(person, policy)| Input::Person(person, Fact::Policy(policy)));
        self.engine.inputs(inputs.collect(), Cause::Other).await;
        self.engine.input_and_wait(Input::Tick).await;
    }
}
