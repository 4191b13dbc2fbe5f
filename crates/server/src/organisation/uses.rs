//! What uses a profile, and which scope decides a page or a process table.

use std::collections::BTreeSet;

use presence::{DecidedBy, Page, PageValues, PersonId, same_name};
use store::Template;

use super::{ORGANISATION, PRODUCT, Place, Tables, TeamsUse, TemplateEdit, Templates};
use crate::programs::{self, Program};

impl Tables {
    /// What uses a template, in words: the settings whose name for a profile means this template somewhere in their scope.
    pub fn uses(&self, template: &Template) -> Vec<String> {
        let name = &*template.profile.name;
        let mut uses = BTreeSet::new();
        self.each_use(name, &template.people, |what, place, person| {
            let counting = self.templates.counting(name, place, person);
            if counting.is_some_and(|counting| counting.scope == template.scope) {
                uses.insert(what.to_owned());
            }
        });
        uses.into_iter().collect()
    }

    /// The settings whose name for a profile means a template now and none after the edit, in words.
    pub fn lost_uses(&self, edit: &TemplateEdit) -> Vec<String> {
        let Some(before) = edit.before() else {
            return Vec::new();
        };
        let (name, after) = (edit.name(), self.templates.with(edit));
        let mut uses = BTreeSet::new();
        self.each_use(name, &before.people, |what, place, person| {
            let counts = |templates: &Templates| templates.counting(name, place, person).is_some();
            if counts(&self.templates) && !counts(&after) {
                uses.insert(what.to_owned());
            }
        });
        uses.into_iter().collect()
    }

    /// Every setting that names the profile, in words, with each place where it holds, and with each of `people` for whom it
    /// holds. People who have an active profile of their own of that name have no template in mind.
    fn each_use(
        &self,
        name: &str,
        people: &[PersonId],
        mut visit: impl FnMut(&str, &Place, Option<PersonId>),
    ) {
        let defaults = PageValues::default();
        let product = [Page::Automatic, Page::Calendar]
            .into_iter()
            .filter(|page| self.page(ORGANISATION, *page).is_none())
            .map(|page| (ORGANISATION, page, &defaults));
        let has_none = |person: &PersonId| !self.has_own(*person, name);
        for (scope, page, values) in product.chain(self.individual()) {
            let decides = |place: &Place| match self.decided_by(place, page) {
                PRODUCT => scope == ORGANISATION,
                decided_by => decided_by == scope,
            };
            for setting in values.uses(page, name) {
                let what = format!("{}.{} of {scope}", page.name(), setting.key);
                for place in self.places_in(scope).filter(decides) {
                    visit(&what, &place, None);
                }
                for person in people.iter().filter(|person| has_none(person)) {
                    let place = self.place(*person);
                    if decides(&place) {
                        visit(&what, &place, Some(*person));
                    }
                }
            }
        }
        for ((person, page), values) in &self.own {
            // Only what the person chose; the rest is the scope's.
            for key in values.set_to(name).filter(|_| has_none(person)) {
                let what = format!("{}.{key} of person {person}", page.name());
                visit(&what, &self.place(*person), Some(*person));
            }
        }
    }

    fn has_own(&self, person: PersonId, name: &str) -> bool {
        let own = self.personal.get(&person);
        own.is_some_and(|own| {
            let mut own = own.profiles.iter();
            own.any(|profile| profile.is_usable() && same_name(&profile.name, name))
        })
    }

    /// A scope and the scopes below it, each as the place that it is.
    fn places_in(&self, scope: &str) -> impl Iterator<Item = Place> {
        let below = self.scopes.values().filter(move |known| {
            scope == ORGANISATION || known.id == scope || known.parent == scope
        });
        let organisation = (scope == ORGANISATION).then(Place::default);
        organisation
            .into_iter()
            .chain(below.filter_map(|known| self.place_of_scope(&known.id)))
    }

    /// Which states in Teams take a template, and where: the uppermost of the scopes in which they do, and how many of the
    /// people that it is assigned to have it by that alone.
    pub fn teams_uses(&self, template: &Template) -> Vec<(TeamsUse, Vec<String>, usize)> {
        let uses = TeamsUse::ALL.into_iter().map(|what| {
            let takes = |place: &Place, person: Option<PersonId>| {
                let taken = self.templates.for_teams(what, place, person);
                taken.is_some_and(|taken| {
                    taken.scope == template.scope
                        && same_name(&taken.profile.name, &template.profile.name)
                })
            };
            let is_uppermost = |place: &Place| {
                let above = place.above();
                takes(place, None) && !above.is_some_and(|above| takes(&above, None))
            };
            let scopes = self.places_in(&template.scope).filter(is_uppermost);
            let scopes: Vec<String> = scopes.map(|place| place.scope().to_owned()).collect();
            let people = template.people.iter().filter(|person| {
                let place = self.place(**person);
                takes(&place, Some(**person)) && !takes(&place, None)
            });
            (what, scopes, people.count())
        });
        uses.filter(|(_, scopes, people)| !scopes.is_empty() || *people > 0)
            .collect()
    }

    /// The people for whom the template of its name is another one, or has other content, after the edit.
    pub fn affected(&self, edit: &TemplateEdit) -> Vec<PersonId> {
        let (name, after) = (edit.name(), self.templates.with(edit));
        let is_affected = |person: &PersonId| {
            let place = self.place(*person);
            let before = self.templates.entry(name, &place, Some(*person));
            let after = after.entry(name, &place, Some(*person));
            before.map(|template| &template.profile) != after.map(|template| &template.profile)
        };
        let people = self.policies.keys().copied();
        people.filter(is_affected).collect()
    }

    /// The person's own settings that use a profile of that name, in words.
    pub fn own_uses(&self, person: PersonId, name: &str) -> Vec<String> {
        let own = self.own.range((person, Page::Presence)..);
        let of_person = own.take_while(|((owner, _), _)| *owner == person);
        let uses = of_person.flat_map(|((_, page), values)| {
            let keys = values.set_to(name);
            keys.map(|key| format!("{}.{key}", page.name()))
        });
        uses.collect()
    }

    /// The process table that holds at a place, and the scope whose it is.
    pub fn programs<'a>(&self, place: &'a Place) -> (&'a str, Vec<Program>) {
        let scopes = [
            place.group.as_deref(),
            place.location.as_deref(),
            Some(ORGANISATION),
        ];
        let own = scopes.into_iter().flatten();
        let mut own = own.filter_map(|scope| Some((scope, self.programs.get(scope)?.clone())));
        own.next()
            .unwrap_or_else(|| (PRODUCT, programs::prefilled()))
    }

    /// Which scope decides a page for a place, by its id.
    pub fn decided_by<'a>(&self, place: &'a Place, page: Page) -> &'a str {
        match self.way(place, page).decided().1 {
            DecidedBy::Product => PRODUCT,
            DecidedBy::Organisation => ORGANISATION,
            DecidedBy::Location => place.location.as_deref().unwrap_or(ORGANISATION),
            DecidedBy::Group => place.group.as_deref().unwrap_or(ORGANISATION),
        }
    }
}
