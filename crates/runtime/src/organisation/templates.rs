//! Central templates. Of several with one name, the nearest active one is a person's.

use std::collections::{BTreeMap, HashMap};

use presence::{APPOINTMENT_PROFILE, PersonId, Status, TEAMS_PROFILE};
use store::{Audience, Template};

use super::{Membership, ORGANISATION, ScopeId};

/// A state in Teams that puts a template in force (docs/presence-rules.md, "Which profile is in force", rules 3 and 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamsUse {
    /// A call in Teams.
    Call,
    /// Do not disturb, or presenting.
    DoNotDisturb,
}

impl TeamsUse {
    /// The states in Teams that take a template.
    pub const ALL: [Self; 2] = [Self::Call, Self::DoNotDisturb];

    /// The name that the API uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::DoNotDisturb => "do_not_disturb",
        }
    }
}

/// An edit of one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateEdit {
    /// Adds this template.
    Make(Template),
    /// Turns the first into the second, which has the same name.
    Replace(Template, Template),
    /// Deletes this template.
    Delete(Template),
}

impl TemplateEdit {
    /// The template before the edit; `None` if the edit adds it.
    pub const fn before(&self) -> Option<&Template> {
        match self {
            Self::Make(_) => None,
            Self::Replace(before, _) | Self::Delete(before) => Some(before),
        }
    }

    /// The template after the edit; `None` if the edit deletes it.
    pub const fn after(&self) -> Option<&Template> {
        match self {
            Self::Make(after) | Self::Replace(_, after) => Some(after),
            Self::Delete(_) => None,
        }
    }

    /// The name, which an edit does not change.
    pub fn name(&self) -> &str {
        match self {
            Self::Make(template) | Self::Replace(template, _) | Self::Delete(template) => {
                &template.profile.name
            }
        }
    }
}

/// All templates in the administrator's order, which is an order of names: templates of one name are neighbours.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    all: Vec<Template>,
    /// The names of `all`, in the form for comparison.
    keys: Vec<String>,
    /// Indices in `all` of active templates with the status Do not disturb.
    silent: Vec<usize>,
    /// Indices in `all` of the templates of a scope.
    of_scope: HashMap<ScopeId, Vec<usize>>,
    /// Indices in `all` of the templates of a name, by scope.
    named: HashMap<String, BTreeMap<ScopeId, usize>>,
    /// Indices in `all` of the templates that are assigned to a person.
    assigned: HashMap<PersonId, Vec<usize>>,
}

/// A name in the form for comparison.
fn key(name: &str) -> String {
    name.trim().to_lowercase()
}

impl Templates {
    /// The templates, in the order of the store.
    pub fn new(all: Vec<Template>) -> Self {
        let mut templates = Self::default();
        for (index, template) in all.iter().enumerate() {
            let scope = template.scope.clone();
            let of_scope = templates.of_scope.entry(scope.clone()).or_default();
            of_scope.push(index);
            let key = key(&template.profile.name);
            let named = templates.named.entry(key.clone());
            named.or_default().insert(scope, index);
            templates.keys.push(key);
            let profile = &template.profile;
            if profile.is_usable() && profile.status == Status::DoNotDisturb {
                templates.silent.push(index);
            }
            for person in &template.people {
                templates.assigned.entry(*person).or_default().push(index);
            }
        }
        templates.all = all;
        templates
    }

    /// Iterates over the templates in the administrator's order.
    pub fn iter(&self) -> impl Iterator<Item = &Template> {
        self.all.iter()
    }

    /// Number of templates in all scopes.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Number of templates of a scope.
    pub fn count_in(&self, scope: &ScopeId) -> usize {
        self.of_scope.get(scope).map_or(0, Vec::len)
    }

    /// The template of a name in a scope.
    pub fn get(&self, scope: &ScopeId, name: &str) -> Option<&Template> {
        self.all.get(*self.named.get(&key(name))?.get(scope)?)
    }

    /// The templates of a name, by the ids of their scopes.
    pub fn named(&self, name: &str) -> Vec<&Template> {
        let of_name = self.named.get(&key(name)).into_iter().flatten();
        of_name
            .filter_map(|(_, index)| self.all.get(*index))
            .collect()
    }

    /// Whether a template is assigned to the person.
    pub fn are_assigned(&self, person: PersonId) -> bool {
        self.assigned.contains_key(&person)
    }

    /// The template of a name for a person with this membership; an inactive one only if there is no active one.
    pub fn entry(
        &self,
        name: &str,
        membership: &Membership,
        person: Option<PersonId>,
    ) -> Option<&Template> {
        self.entry_of_key(&key(name), membership, person)
    }

    fn entry_of_key(
        &self,
        key: &str,
        membership: &Membership,
        person: Option<PersonId>,
    ) -> Option<&Template> {
        let of_name = self.named.get(key)?;
        let of_chain = chain(membership).filter_map(|scope| of_name.get(scope));
        let of_chain = of_chain
            .filter_map(|index| self.all.get(*index))
            .filter(|template| template.audience == Audience::Everyone);
        let assigned = person.and_then(|person| self.assigned.get(&person));
        let assigned = assigned.into_iter().flatten();
        let assigned = assigned
            .filter(|index| self.key_at(**index) == key)
            .filter_map(|index| self.all.get(*index));
        nearest(assigned.chain(of_chain), membership, person)
    }

    /// The active template of a name for a person with this membership.
    pub fn counting(
        &self,
        name: &str,
        membership: &Membership,
        person: Option<PersonId>,
    ) -> Option<&Template> {
        let entry = self.entry(name, membership, person);
        entry.filter(|template| template.profile.is_usable())
    }

    /// The templates of a person with this membership, in order, one of each name.
    pub fn at(&self, membership: &Membership, person: Option<PersonId>) -> Vec<&Template> {
        let of_chain = chain(membership).filter_map(|scope| self.of_scope.get(scope));
        let of_chain = of_chain.flatten().copied().filter(|index| {
            let template = self.all.get(*index);
            template.is_some_and(|template| template.audience == Audience::Everyone)
        });
        let assigned = person.and_then(|person| self.assigned.get(&person));
        let mut indices: Vec<usize> = of_chain
            .chain(assigned.into_iter().flatten().copied())
            .collect();
        indices.sort_unstable();
        indices.dedup();
        indices
            .chunk_by(|one, next| self.key_at(*one) == self.key_at(*next))
            .filter_map(|of_name| {
                let of_name = of_name.iter().filter_map(|index| self.all.get(*index));
                nearest(of_name, membership, person)
            })
            .collect()
    }

    fn key_at(&self, index: usize) -> &str {
        self.keys.get(index).map_or("", String::as_str)
    }

    /// The template that a state in Teams puts in force with this membership.
    pub fn for_teams(
        &self,
        what: TeamsUse,
        membership: &Membership,
        person: Option<PersonId>,
    ) -> Option<&Template> {
        match what {
            TeamsUse::Call => self
                .counting(TEAMS_PROFILE, membership, person)
                .or_else(|| self.counting(APPOINTMENT_PROFILE, membership, person)),
            TeamsUse::DoNotDisturb => self.silent.iter().find_map(|index| {
                let template = self.all.get(*index)?;
                // Another template of the name may be nearer.
                let nearest = self.entry_of_key(self.key_at(*index), membership, person)?;
                (nearest.scope == template.scope).then_some(template)
            }),
        }
    }

    /// The templates after an edit.
    pub fn with(&self, edit: &TemplateEdit) -> Self {
        let mut all = self.all.clone();
        if let Some(before) = edit.before() {
            let name = key(&before.profile.name);
            all.retain(|known| known.scope != before.scope || key(&known.profile.name) != name);
        }
        if let Some(after) = edit.after() {
            let of_name = self.named.get(&key(&after.profile.name));
            let first = of_name.and_then(|of_name| of_name.values().min());
            let at = first.map_or(all.len(), |first| (*first).min(all.len()));
            all.insert(at, after.clone());
        }
        Self::new(all)
    }
}

/// The scopes of a membership, the nearest first.
fn chain(membership: &Membership) -> impl Iterator<Item = &ScopeId> {
    let scopes = [
        membership.group.as_ref(),
        membership.location.as_ref(),
        Some(ORGANISATION),
    ];
    scopes.into_iter().flatten()
}

/// The first of several templates of one name: active before inactive, then assigned to the person, then the nearest scope.
fn nearest<'a>(
    templates: impl Iterator<Item = &'a Template>,
    membership: &Membership,
    person: Option<PersonId>,
) -> Option<&'a Template> {
    let distance = |scope: &ScopeId| {
        let found = chain(membership).position(|known| known == scope);
        found.unwrap_or(usize::MAX)
    };
    templates.min_by_key(|template| {
        let is_assigned = person.is_some_and(|person| template.people.contains(&person));
        (
            !template.profile.is_usable(),
            !is_assigned,
            distance(&template.scope),
        )
    })
}

#[cfg(test)]
mod tests {
    use presence::Profile;

    use super::*;

    const ANNA: PersonId = PersonId(1);

    fn membership() -> Membership {
        Membership {
            location: Some("berlin".into()),
            group: Some("sales".into()),
        }
    }

    /// Scope, name, whether it is active, whether it is Anna's.
    fn templates(rows: &[(&str, &str, bool, bool)]) -> Templates {
        let template = |&(scope, name, active, is_annas): &(&str, &str, bool, bool)| Template {
            profile: Profile {
                active,
                ..Profile::central(name, Status::Busy)
            },
            scope: scope.into(),
            audience: match is_annas {
                true => Audience::Assigned,
                false => Audience::Everyone,
            },
            people: is_annas.then_some(ANNA).into_iter().collect(),
        };
        Templates::new(rows.iter().map(template).collect())
    }

    fn found(
        templates: &Templates,
        membership: &Membership,
        person: Option<PersonId>,
    ) -> Vec<String> {
        let found = templates.at(membership, person);
        for template in &found {
            let name = format!(" {} ", template.profile.name.to_uppercase());
            assert_eq!(templates.entry(&name, membership, person), Some(*template));
        }
        let told = found
            .iter()
            .map(|template| format!("{} of {}", template.profile.name, template.scope));
        told.collect()
    }

    #[test]
    fn the_nearest_active_template_of_a_name_counts() {
        let all = templates(&[
            ("berlin", "A", true, false),
            ("lyon", "a", true, true),
            ("organisation", "A", true, false),
            ("sales", "a", true, false),
            ("berlin", "B", true, false),
            ("organisation", "b", true, false),
            ("sales", "B", false, false),
            ("lyon", "C", true, false),
            ("berlin", "D", false, false),
            ("organisation", "D", false, false),
        ]);
        let of_sales = ["a of sales", "B of berlin", "D of berlin"];
        assert_eq!(found(&all, &membership(), None), of_sales);
        let of_anna = ["a of lyon", "B of berlin", "D of berlin"];
        assert_eq!(found(&all, &membership(), Some(ANNA)), of_anna);
        let nowhere = Membership::default();
        let of_all = [
            "A of organisation",
            "b of organisation",
            "D of organisation",
        ];
        assert_eq!(found(&all, &nowhere, None), of_all);
        assert_eq!(all.counting("d", &nowhere, None), None, "inactive");
        assert_eq!(all.entry("c", &membership(), Some(ANNA)), None, "elsewhere");
    }

    #[test]
    fn a_change_is_seen_before_it_is_made() {
        let all = templates(&[
            ("organisation", "A", true, false),
            ("organisation", "B", true, false),
        ]);
        let of_berlin = templates(&[("berlin", "a", true, false)]);
        let of_berlin = of_berlin.get(&"berlin".into(), "A").unwrap();
        let made = all.with(&TemplateEdit::Make(of_berlin.clone()));
        let with = ["a of berlin", "B of organisation"];
        assert_eq!(found(&made, &membership(), None), with);
        let deleted = made.with(&TemplateEdit::Delete(of_berlin.clone()));
        let without = ["A of organisation", "B of organisation"];
        assert_eq!(found(&deleted, &membership(), None), without);
        let a = all.get(ORGANISATION, "a").unwrap().clone();
        let moved = Template {
            scope: "lyon".into(),
            ..a.clone()
        };
        let moved = all.with(&TemplateEdit::Replace(a, moved));
        assert_eq!(found(&moved, &membership(), None), ["B of organisation"]);
    }
}
