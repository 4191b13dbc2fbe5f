//! What uses a profile, and which scope decides a page or a process table.

use std::collections::BTreeSet;

use presence::{DecidedBy, Page, PageValues, PersonId, same_name};
use store::Template;

use super::{ORGANISATION, PRODUCT, Place, Tables};
use crate::programs::{self, Program};

impl Tables {
    /// What uses a profile, in words, as far as it keeps a template from being deleted or deactivated.
    pub fn uses(&self, name: &str) -> Vec<String> {
        let mut uses = BTreeSet::new();
        let mut note = |page: Page, values: &PageValues, whose: &str| {
            for setting in values.uses(page, name) {
                uses.insert(format!("{}.{} of {whose}", page.name(), setting.key));
            }
        };
        for page in [Page::Automatic, Page::Calendar] {
            if self.page(ORGANISATION, page).is_none() {
                note(page, &PageValues::default(), ORGANISATION);
            }
        }
        for (scope, page, values) in self.individual() {
            note(page, values, scope);
        }
        for ((person, page), values) in &self.own {
            // Only what the person chose; the rest is the scope's.
            for key in values.set_to(name) {
                uses.insert(format!("{}.{key} of person {person}", page.name()));
            }
        }
        uses.into_iter().collect()
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

    /// The central template of that name.
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.templates
            .iter()
            .find(|template| same_name(&template.profile.name, name))
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
