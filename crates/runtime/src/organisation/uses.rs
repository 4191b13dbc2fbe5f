//! Uses of a profile by settings, and the scope that decides a group of settings or a process table.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
};

use presence::{DecidingScope, PersonId, SettingValues, SettingsGroup, same_name};
use store::Template;

use super::{Membership, ORGANISATION, PRODUCT, Snapshot, TeamsUse, TemplateEdit, Templates};
use crate::programs::{self, Program};

/// A setting with the name of a profile as its value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The group and the key: `automatic.locked`.
    pub setting: String,
    /// The owner of the setting's value.
    pub owner: UseOwner,
}

/// The owner of a setting's value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UseOwner {
    /// A scope, by its id.
    Scope(String),
    /// A person, for themselves.
    Person(PersonId),
}

impl fmt::Display for Use {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let setting = &self.setting;
        match &self.owner {
            UseOwner::Scope(scope) => write!(formatter, "{setting} of {scope}"),
            UseOwner::Person(person) => write!(formatter, "{setting} of person {person}"),
        }
    }
}

/// The highest scopes in which a state in Teams puts a template in force, by the template's scope and name.
type Uppermost<'a> = HashMap<(&'a str, &'a str), Vec<String>>;

/// The templates that states in Teams put in force, computed once for all templates of a list.
#[derive(Debug)]
pub struct TakenInTeams<'a> {
    snapshot: &'a Snapshot,
    uppermost: [(TeamsUse, Uppermost<'a>); 2],
}

impl TakenInTeams<'_> {
    /// The states that put a template in force: the highest scopes in which they do, and the number of people with an assignment of the template
    /// as the only reason.
    pub fn of(&self, template: &Template) -> Vec<(TeamsUse, Vec<String>, usize)> {
        let uses = self.uppermost.iter().map(|(what, uppermost)| {
            let is_taken = |membership: &Membership, person: Option<PersonId>| {
                let taken = self.snapshot.templates.for_teams(*what, membership, person);
                taken.is_some_and(|taken| {
                    taken.scope == template.scope
                        && same_name(&taken.profile.name, &template.profile.name)
                })
            };
            let people = template.people.iter().filter(|person| {
                let membership = self.snapshot.membership(**person);
                is_taken(&membership, Some(**person)) && !is_taken(&membership, None)
            });
            let scopes = uppermost.get(&(&*template.scope, &*template.profile.name));
            (*what, scopes.cloned().unwrap_or_default(), people.count())
        });
        uses.filter(|(_, scopes, people)| !scopes.is_empty() || *people > 0)
            .collect()
    }
}

impl Snapshot {
    /// The settings that name this template for some membership in their scope.
    pub fn uses(&self, template: &Template) -> BTreeSet<Use> {
        let name = &*template.profile.name;
        let mut uses = BTreeSet::new();
        self.each_use(name, &template.people, |what, membership, person| {
            let counting = self.templates.counting(name, membership, person);
            if counting.is_some_and(|counting| counting.scope == template.scope) {
                uses.insert(what.clone());
            }
        });
        uses
    }

    /// The settings that name a template now and none after the edit.
    pub fn lost_uses(&self, edit: &TemplateEdit) -> BTreeSet<Use> {
        let Some(before) = edit.before() else {
            return BTreeSet::new();
        };
        let (name, after) = (edit.name(), self.templates.with(edit));
        let mut uses = BTreeSet::new();
        self.each_use(name, &before.people, |what, membership, person| {
            let counts =
                |templates: &Templates| templates.counting(name, membership, person).is_some();
            if counts(&self.templates) && !counts(&after) {
                uses.insert(what.clone());
            }
        });
        uses
    }

    /// Visits every setting that names the profile, with each membership that it is effective for, and with those of `people` that it
    /// is effective for. Leaves out people with an active profile of their own of that name.
    fn each_use(
        &self,
        name: &str,
        people: &[PersonId],
        mut visit: impl FnMut(&Use, &Membership, Option<PersonId>),
    ) {
        let defaults = SettingValues::default();
        let product = [SettingsGroup::Automatic, SettingsGroup::Calendar]
            .into_iter()
            .filter(|page| self.overrides(ORGANISATION, *page).is_none())
            .map(|page| (ORGANISATION, page, &defaults));
        let has_none = |person: &PersonId| !self.has_own(*person, name);
        for (scope, page, values) in product.chain(self.all_overrides()) {
            let decides = |membership: &Membership| match self.decided_by(membership, page) {
                PRODUCT => scope == ORGANISATION,
                decided_by => decided_by == scope,
            };
            for setting in values.uses(page, name) {
                let what = Use {
                    setting: format!("{}.{}", page.name(), setting.key),
                    owner: UseOwner::Scope(scope.to_owned()),
                };
                for membership in self.memberships_in(scope).filter(decides) {
                    visit(&what, &membership, None);
                }
                for person in people.iter().filter(|person| has_none(person)) {
                    let membership = self.membership(*person);
                    if decides(&membership) {
                        visit(&what, &membership, Some(*person));
                    }
                }
            }
        }
        for ((person, page), values) in self.personal_settings.iter() {
            // Personal settings only; the scope's were visited.
            for key in values.set_to(name).filter(|_| has_none(person)) {
                let what = Use {
                    setting: format!("{}.{key}", page.name()),
                    owner: UseOwner::Person(*person),
                };
                visit(&what, &self.membership(*person), Some(*person));
            }
        }
    }

    fn has_own(&self, person: PersonId, name: &str) -> bool {
        let own = self.personal_profiles.get(&person);
        own.is_some_and(|own| {
            let mut own = own.profiles.iter();
            own.any(|profile| profile.is_usable() && same_name(&profile.name, name))
        })
    }

    /// The memberships of a scope and of the scopes below it.
    fn memberships_in(&self, scope: &str) -> impl Iterator<Item = Membership> {
        let below = self.scopes.values().filter(move |known| {
            scope == ORGANISATION || known.id == scope || known.parent == scope
        });
        let organisation = (scope == ORGANISATION).then(Membership::default);
        organisation
            .into_iter()
            .chain(below.filter_map(|known| self.membership_of_scope(&known.id)))
    }

    /// The templates that states in Teams put in force, for every membership.
    pub fn taken_in_teams(&self) -> TakenInTeams<'_> {
        let uppermost = TeamsUse::ALL.map(|what| {
            let mut uppermost: Uppermost<'_> = HashMap::new();
            for membership in self.memberships_in(ORGANISATION) {
                let taken = |membership: &Membership| {
                    let taken = self.templates.for_teams(what, membership, None)?;
                    Some((&*taken.scope, &*taken.profile.name))
                };
                let above = membership.above().and_then(|above| taken(&above));
                if let Some(taken) = taken(&membership).filter(|taken| above != Some(*taken)) {
                    let scopes = uppermost.entry(taken).or_default();
                    scopes.push(membership.scope().to_owned());
                }
            }
            (what, uppermost)
        });
        TakenInTeams {
            snapshot: self,
            uppermost,
        }
    }

    /// The people who have another template of that name, or one with other content, after the edit.
    pub fn affected(&self, edit: &TemplateEdit) -> Vec<PersonId> {
        let (name, after) = (edit.name(), self.templates.with(edit));
        let is_affected = |person: &PersonId| {
            let membership = self.membership(*person);
            let before = self.templates.entry(name, &membership, Some(*person));
            let after = after.entry(name, &membership, Some(*person));
            before.map(|template| &template.profile) != after.map(|template| &template.profile)
        };
        let people = self.policies.keys().copied();
        people.filter(is_affected).collect()
    }

    /// The person's own settings that use a profile of that name, in words.
    pub fn own_uses(&self, person: PersonId, name: &str) -> Vec<String> {
        let uses = self.settings_of(person).flat_map(|(page, values)| {
            let keys = values.set_to(name);
            keys.map(move |key| format!("{}.{key}", page.name()))
        });
        uses.collect()
    }

    /// The process table for a membership, and the scope that decides it.
    pub fn programs<'a>(&self, membership: &'a Membership) -> (&'a str, Vec<Program>) {
        let scopes = [
            membership.group.as_deref(),
            membership.location.as_deref(),
            Some(ORGANISATION),
        ];
        let own = scopes.into_iter().flatten();
        let mut own = own.filter_map(|scope| Some((scope, self.programs.get(scope)?.clone())));
        own.next()
            .unwrap_or_else(|| (PRODUCT, programs::prefilled()))
    }

    /// The id of the scope that decides a group of settings for a membership.
    pub fn decided_by<'a>(&self, membership: &'a Membership, page: SettingsGroup) -> &'a str {
        match self.scope_chain(membership, page).effective().1 {
            DecidingScope::Product => PRODUCT,
            DecidingScope::Organisation => ORGANISATION,
            DecidingScope::Location => membership.location.as_deref().unwrap_or(ORGANISATION),
            DecidingScope::Group => membership.group.as_deref().unwrap_or(ORGANISATION),
        }
    }
}

#[cfg(test)]
mod tests {
    use presence::{Profile, Status};
    use store::{Audience, StoredScope};

    use super::*;

    /// 100 templates of the organisation, and 500 locations.
    fn large() -> Snapshot {
        let template = |number| Template {
            profile: Profile::central(&format!("Profile {number:03}"), Status::Busy),
            scope: ORGANISATION.into(),
            audience: Audience::Everyone,
            people: Vec::new(),
        };
        let mut templates: Vec<Template> = (0..99).map(template).collect();
        templates.push(Template {
            profile: Profile::central("Silence", Status::DoNotDisturb),
            ..template(99)
        });
        let scope = |number| {
            let id = format!("location-{number:03}");
            let scope = StoredScope {
                id: id.clone(),
                kind: store::ScopeKind::Location,
                parent: ORGANISATION.into(),
                name: id.clone(),
                tenant: None,
            };
            (id, scope)
        };
        Snapshot {
            scopes: (0..500).map(scope).collect(),
            templates: Templates::new(templates).into(),
            ..Snapshot::default()
        }
    }

    /// The test takes as long as the list for a system administrator.
    #[test]
    fn a_list_of_templates_looks_at_each_place_once() {
        let snapshot = large();
        let all: Vec<&Template> = snapshot.templates.iter().collect();
        let taken = snapshot.taken_in_teams();
        let uses = all.into_iter().map(|template| taken.of(template));
        let used: Vec<_> = uses.flatten().collect();
        assert_eq!(
            used,
            [(TeamsUse::DoNotDisturb, vec![ORGANISATION.to_owned()], 0)]
        );
    }
}
