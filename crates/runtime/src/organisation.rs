//! The organisation in memory: scopes, settings, templates, profiles, relationships, and the policy of each person that follows
//! from them. The store keeps all but the policies.

mod copy_on_write;
mod membership;
mod templates;
mod uses;
mod visibility;
mod zone;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use copy_on_write::CopyOnWrite;
pub use membership::Membership;
use presence::{
    EffectiveSettings, MyProfiles, PersonId, PersonPolicy, Presence, Profile, Relationship,
    ScopeChain, SettingValues, SettingsGroup, TenantName, setting_keys,
};
pub use store::{ORGANISATION, ScopeId};
use store::{Store, StoreError, StoredPerson, StoredScope, Workgroup};
pub use templates::{TeamsUse, TemplateEdit, Templates};
use tokio::sync::watch;
pub use uses::{Use, UseOwner};

use crate::{
    programs::{self, Program},
    values,
};

/// Named in the API instead of a scope where the product's default is in effect.
pub const PRODUCT: &str = "product";

/// Name under which the store keeps process tables, beside the groups of settings.
pub const PROGRAMS: &str = "programs";

/// Name under which the store keeps a person's favourites, beside personal settings.
pub const FAVOURITES: &str = "favourites";

/// A person's own profiles and their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Personal {
    /// The person's own profiles.
    pub profiles: Vec<Profile>,
    /// The order of My Profiles.
    pub order: Vec<String>,
}

/// The state of the organisation at one time. Copies share their tables.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Locations and groups by id.
    pub scopes: CopyOnWrite<BTreeMap<ScopeId, StoredScope>>,
    /// Groups of settings that scopes override, by scope.
    overrides: CopyOnWrite<BTreeMap<ScopeId, BTreeMap<SettingsGroup, SettingValues>>>,
    /// Process tables of Microphone Sync by scope.
    pub programs: CopyOnWrite<BTreeMap<ScopeId, Vec<Program>>>,
    /// Central templates in the administrator's order.
    pub templates: CopyOnWrite<Templates>,
    /// Personal settings.
    pub personal_settings: CopyOnWrite<BTreeMap<(PersonId, SettingsGroup), SettingValues>>,
    /// Favourites of people.
    pub favourites: CopyOnWrite<BTreeMap<PersonId, BTreeSet<PersonId>>>,
    /// Own profiles and orders of the people who have any.
    pub personal_profiles: CopyOnWrite<BTreeMap<PersonId, Personal>>,
    /// Memberships of the people who have a location.
    pub memberships: CopyOnWrite<BTreeMap<PersonId, Membership>>,
    /// Relationships that owners set, by owner and viewer.
    pub relationships: CopyOnWrite<BTreeMap<(PersonId, PersonId), Relationship>>,
    /// Workgroups.
    pub workgroups: CopyOnWrite<Vec<Workgroup>>,
    /// The policy of each person.
    policies: CopyOnWrite<BTreeMap<PersonId, Arc<PersonPolicy>>>,
    /// The time zone of calendars while the organisation has none.
    server_zone: zone::ServerZone,
}

/// The organisation. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Organisation(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Locked for a look-up or a small change, never while policies are computed.
    snapshot: RwLock<Snapshot>,
    /// Serialises changes. Taken before `snapshot`.
    writer: Mutex<()>,
    /// Grows with every change of many people.
    changes: watch::Sender<u64>,
}

impl Organisation {
    /// Reads scopes, settings, templates, workgroups and relationships from the store.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn load(&self, store: &Store) -> Result<(), StoreError> {
        let scopes = store.scopes().await?;
        let pages = store.all_settings().await?;
        let own = store.all_personal_settings().await?;
        let (templates, workgroups) = (store.templates().await?, store.workgroups().await?);
        let relationships = store.relationships().await?;
        self.replace(|snapshot| {
            let scopes = scopes.into_iter();
            let scopes = scopes.map(|scope| (scope.id.clone(), scope));
            snapshot.scopes = scopes.collect();
            let programs = pages.iter().filter(|(_, page, _)| page == PROGRAMS);
            let programs = programs.map(|(scope, _, json)| (scope.clone(), programs::stored(json)));
            snapshot.programs = programs.collect();
            snapshot.overrides = CopyOnWrite::default();
            for (scope, page, json) in pages {
                if let Some(page) = SettingsGroup::from_name(&page) {
                    snapshot.set_overrides(&scope, page, Some(values::stored(page, &json)));
                }
            }
            let favourites = own.iter().filter(|(_, page, _)| page == FAVOURITES);
            let favourites = favourites.map(|(person, _, json)| (*person, favourites_of(json)));
            snapshot.favourites = favourites.collect();
            let own = own.into_iter().filter_map(|(person, page, json)| {
                let page = SettingsGroup::from_name(&page)?;
                Some(((person, page), values::stored(page, &json)))
            });
            snapshot.personal_settings = own.collect();
            snapshot.server_zone = zone::ServerZone::detect();
            snapshot.templates = Templates::new(templates).into();
            snapshot.workgroups = workgroups.into();
            let relationships = relationships.into_iter();
            let relationships =
                relationships.map(|(owner, viewer, level)| ((owner, viewer), level));
            snapshot.relationships = relationships.collect();
        });
        Ok(())
    }

    /// Adds or changes a person; returns the person's policy, and the membership before.
    pub fn upsert_person(&self, stored: &StoredPerson) -> (Arc<PersonPolicy>, Membership) {
        let _one_at_a_time = self.writer();
        self.write(|snapshot| {
            let membership = Membership {
                location: stored.location.clone(),
                group: stored.group.clone(),
            };
            let before = snapshot.membership(stored.id);
            keep(&mut snapshot.memberships, stored.id, membership);
            let personal = Personal {
                profiles: stored.personal.clone(),
                order: stored.order.clone(),
            };
            keep(&mut snapshot.personal_profiles, stored.id, personal);
            let policy = snapshot.policy_of(stored.id);
            snapshot.policies.insert(stored.id, policy.clone());
            (policy, before)
        })
    }

    /// Removes a person; the store still has the person's settings.
    pub fn remove_person(&self, person: PersonId) {
        let _one_at_a_time = self.writer();
        self.write(|snapshot| {
            snapshot.memberships.remove(&person);
            snapshot.personal_profiles.remove(&person);
            snapshot.favourites.remove(&person);
            snapshot.policies.remove(&person);
        });
    }

    /// Changes one person and returns the person's policy if that changed. The cost does not depend on the number of people.
    /// [`Self::changes`] does not grow.
    pub fn update_person(
        &self,
        person: PersonId,
        change: impl FnOnce(&mut Snapshot),
    ) -> Option<Arc<PersonPolicy>> {
        let _one_at_a_time = self.writer();
        self.write(|snapshot| {
            change(snapshot);
            // A removed person has no policy.
            let before = snapshot.policies.get(&person)?;
            let policy = snapshot.policy_of(person);
            if policy == *before {
                return None;
            }
            snapshot.policies.insert(person, policy.clone());
            Some(policy)
        })
    }

    /// Sets or removes the relationship of a viewer to an owner.
    pub fn set_relationship(&self, owner: PersonId, viewer: PersonId, level: Option<Relationship>) {
        let _one_at_a_time = self.writer();
        self.write(|snapshot| {
            let key = (owner, viewer);
            match level {
                Some(level) => snapshot.relationships.insert(key, level),
                None => snapshot.relationships.remove(&key),
            };
        });
    }

    /// The policy of a person.
    pub fn policy(&self, person: PersonId) -> Option<Arc<PersonPolicy>> {
        self.read(|snapshot| snapshot.policies.get(&person).cloned())
    }

    /// The tenant that the person's location names, else the main one.
    pub fn tenant(&self, person: PersonId) -> TenantName {
        self.read(|snapshot| snapshot.tenant(person).clone())
    }

    /// Whether the person's mode synchronises calls with Teams.
    pub fn syncs(&self, person: PersonId) -> bool {
        self.read(|snapshot| {
            let policy = snapshot.policies.get(&person);
            policy.is_some_and(|policy| policy.mode.telephony())
        })
    }

    /// The presence for the history: with the program that used the microphone only if the settings keep it.
    pub fn presence_for_history(&self, person: PersonId, presence: &Presence) -> Presence {
        match &presence.without_microphone {
            None => presence.clone(),
            Some(without) => {
                let settings =
                    self.read(|snapshot| snapshot.resolve(person, SettingsGroup::Microphone));
                match settings.get(setting_keys::MICROPHONE_HISTORY) {
                    true => presence.clone(),
                    false => Presence::clone(without),
                }
            }
        }
    }

    /// Changes the snapshot; returns the changed policies with their people.
    pub fn update(&self, change: impl FnOnce(&mut Snapshot)) -> Vec<(PersonId, Arc<PersonPolicy>)> {
        self.replace(|snapshot| {
            change(snapshot);
            let people: Vec<PersonId> = snapshot.policies.keys().copied().collect();
            let mut shared = HashMap::new();
            let mut changed = Vec::new();
            for person in people {
                let policy = snapshot.policy(person, &mut shared);
                if snapshot.policies.get(&person) != Some(&policy) {
                    snapshot.policies.insert(person, policy.clone());
                    changed.push((person, policy));
                }
            }
            changed
        })
    }

    /// Sets the workgroups and returns the members of new, changed and deleted ones: only relationships between these people may
    /// have changed.
    pub fn set_workgroups(&self, workgroups: Vec<Workgroup>) -> BTreeSet<PersonId> {
        let _one_at_a_time = self.writer();
        let before = self.read(|snapshot| snapshot.workgroups.clone());
        let gone = before.iter().filter(|group| !workgroups.contains(group));
        let new = workgroups.iter().filter(|group| !before.contains(group));
        let members = gone.chain(new).flat_map(|group| &group.members);
        let members = members.copied().collect();
        self.write(|snapshot| snapshot.workgroups = workgroups.into());
        members
    }

    /// Sets the favourites of a person.
    pub fn set_favourites(&self, person: PersonId, favourites: BTreeSet<PersonId>) {
        let _one_at_a_time = self.writer();
        self.write(|snapshot| keep(&mut snapshot.favourites, person, favourites));
    }

    /// Sets the process table of a scope; `None`: it inherits one.
    pub fn set_programs(&self, scope: &ScopeId, programs: Option<Vec<Program>>) {
        self.replace(|snapshot| match programs {
            Some(programs) => snapshot.programs.insert(scope.clone(), programs),
            None => snapshot.programs.remove(scope),
        });
    }

    /// Reads the snapshot. Holds the readers' lock: `read` must not wait.
    pub fn read<T>(&self, read: impl FnOnce(&Snapshot) -> T) -> T {
        read(
            &self
                .0
                .snapshot
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Grows with every change of many people at once.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Changes a copy of the snapshot, and then exchanges the two: readers wait for the exchange only.
    fn replace<T>(&self, change: impl FnOnce(&mut Snapshot) -> T) -> T {
        let one_at_a_time = self.writer();
        let mut snapshot = self.read(Snapshot::clone);
        let changed = change(&mut snapshot);
        let before = self.write(|now| std::mem::replace(now, snapshot));
        drop(one_at_a_time);
        // Not under a lock: dropping a large snapshot takes time.
        drop(before);
        self.0.changes.send_modify(|changes| *changes += 1);
        changed
    }

    fn writer(&self) -> MutexGuard<'_, ()> {
        self.0.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write<T>(&self, change: impl FnOnce(&mut Snapshot) -> T) -> T {
        let snapshot = self.0.snapshot.write();
        change(&mut snapshot.unwrap_or_else(PoisonError::into_inner))
    }
}

/// Favourites in the store's form; none if that cannot be read.
fn favourites_of(json: &str) -> BTreeSet<PersonId> {
    let ids: Vec<u64> = serde_json::from_str(json).unwrap_or_default();
    ids.into_iter().map(PersonId).collect()
}

/// Keeps a value unless it is the default, which takes no memory.
fn keep<T: Default + PartialEq>(map: &mut BTreeMap<PersonId, T>, person: PersonId, value: T) {
    if value == T::default() {
        map.remove(&person);
    } else {
        map.insert(person, value);
    }
}

impl Snapshot {
    /// The membership of the person.
    pub fn membership(&self, person: PersonId) -> Membership {
        self.memberships.get(&person).cloned().unwrap_or_default()
    }

    /// The tenant that the person's location names, else the main one.
    pub fn tenant(&self, person: PersonId) -> &TenantName {
        match self.memberships.get(&person) {
            Some(membership) => self.tenant_of(membership),
            None => TenantName::main(),
        }
    }

    /// The tenant of people with this membership.
    pub fn tenant_of(&self, membership: &Membership) -> &TenantName {
        let id = membership.location.as_ref();
        let tenant = id.and_then(|id| self.scopes.get(id)?.tenant.as_ref());
        tenant.unwrap_or(TenantName::main())
    }

    /// The settings that a scope overrides; `None` if it overrides none of the group.
    pub fn overrides(&self, scope: &ScopeId, page: SettingsGroup) -> Option<&SettingValues> {
        self.overrides.get(scope)?.get(&page)
    }

    /// Sets or removes the settings that a scope overrides.
    pub fn set_overrides(
        &mut self,
        scope: &ScopeId,
        page: SettingsGroup,
        values: Option<SettingValues>,
    ) {
        let pages = self.overrides.entry(scope.clone()).or_default();
        match values {
            Some(values) => pages.insert(page, values),
            None => pages.remove(&page),
        };
    }

    /// Every group of settings that a scope overrides.
    pub fn all_overrides(&self) -> impl Iterator<Item = (&ScopeId, SettingsGroup, &SettingValues)> {
        self.overrides.iter().flat_map(|(scope, pages)| {
            let pages = pages.iter();
            pages.map(move |(page, values)| (scope, *page, values))
        })
    }

    /// The settings of the scopes above a membership.
    pub fn scope_chain(&self, membership: &Membership, page: SettingsGroup) -> ScopeChain<'_> {
        let of = |scope: Option<&ScopeId>| self.overrides(scope?, page);
        ScopeChain {
            organisation: of(Some(ORGANISATION)),
            location: of(membership.location.as_ref()),
            group: of(membership.group.as_ref()),
        }
    }

    /// The membership of people in a scope; `None` if there is no such scope.
    pub fn membership_of_scope(&self, scope: &ScopeId) -> Option<Membership> {
        if scope == ORGANISATION {
            return Some(Membership::default());
        }
        let found = self.scopes.get(scope)?;
        Some(if found.parent == *ORGANISATION {
            Membership {
                location: Some(found.id.clone()),
                group: None,
            }
        } else {
            Membership {
                location: Some(found.parent.clone()),
                group: Some(found.id.clone()),
            }
        })
    }

    /// The effective settings of a person.
    pub fn resolve(&self, person: PersonId, page: SettingsGroup) -> EffectiveSettings {
        let own = self.personal_settings.get(&(person, page));
        let resolved = self
            .scope_chain(&self.membership(person), page)
            .resolve(page, own);
        self.with_zone(page, resolved)
    }

    /// The effective settings of a membership.
    pub fn resolve_scope(&self, membership: &Membership, page: SettingsGroup) -> EffectiveSettings {
        self.with_zone(page, self.scope_chain(membership, page).resolve(page, None))
    }

    /// The groups in which a person has settings of their own, with these settings.
    pub fn settings_of(
        &self,
        person: PersonId,
    ) -> impl Iterator<Item = (SettingsGroup, &SettingValues)> {
        let from_person = self
            .personal_settings
            .range((person, SettingsGroup::Presence)..);
        let of_person = from_person.take_while(move |((owner, _), _)| *owner == person);
        of_person.map(|((_, group), values)| (*group, values))
    }

    /// My Profiles of a person.
    pub fn my_profiles(&self, person: PersonId) -> MyProfiles {
        let membership = self.membership(person);
        let central = self.templates.at(&membership, Some(person)).into_iter();
        let central = central.map(|template| template.profile.clone());
        let none = Personal::default();
        let personal = self.personal_profiles.get(&person).unwrap_or(&none);
        MyProfiles::arrange(central, personal.profiles.iter().cloned(), &personal.order)
    }

    /// Computes the policy of one person.
    fn policy_of(&self, person: PersonId) -> Arc<PersonPolicy> {
        let policy = self.policy(person, &mut HashMap::new());
        // People with the same policy share one copy: each has the whole list of profiles.
        let last = self.policies.values().next_back();
        let last = last.filter(|last| ***last == *policy);
        last.cloned().unwrap_or(policy)
    }

    fn policy(
        &self,
        person: PersonId,
        shared: &mut HashMap<Membership, Arc<PersonPolicy>>,
    ) -> Arc<PersonPolicy> {
        let make = || {
            Arc::new(PersonPolicy::new(
                &self.resolve(person, SettingsGroup::Teams),
                &self.resolve(person, SettingsGroup::Automatic),
                self.my_profiles(person),
            ))
        };
        let differs = self.personal_profiles.contains_key(&person)
            || self.settings_of(person).next().is_some()
            || self.templates.are_assigned(person);
        if differs {
            return make();
        }
        shared
            .entry(self.membership(person))
            .or_insert_with(make)
            .clone()
    }
}
