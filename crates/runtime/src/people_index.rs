//! The index of people in memory: finds people by number, extension, address or Teams account.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use presence::{Extension, LineId, PersonId, TeamsUserId, TenantName};
use sip::uri::{user, user_as_written};
use store::StoredPerson;

/// A person with names, lines and account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The number that store and engine use.
    pub id: PersonId,
    /// The display name.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name at Microsoft, or empty.
    pub user_principal_name: String,
    /// The Teams account; `None` if there is none or it is not found yet.
    pub teams_id: Option<TeamsUserId>,
    /// The tenant of this account.
    pub tenant: TenantName,
    /// Lines with their extensions.
    pub lines: Vec<(LineId, Extension)>,
}

impl Person {
    /// Whether the person has exactly these extensions, in any order.
    pub fn has_extensions(&self, extensions: &[Extension]) -> bool {
        let known = self.lines.iter().map(|(_, extension)| extension);
        let known: BTreeSet<&Extension> = known.collect();
        known == extensions.iter().collect()
    }
}

impl From<&StoredPerson> for Person {
    fn from(stored: &StoredPerson) -> Self {
        Self {
            id: stored.id,
            name: stored.name.clone(),
            mail: stored.mail.clone(),
            user_principal_name: stored.user_principal_name.clone(),
            teams_id: stored.teams_id.clone(),
            tenant: stored.teams_tenant.clone(),
            lines: stored.lines.clone(),
        }
    }
}

/// Prefix of a number, to distinguish it from an extension.
const ID: &str = "id:";

/// A kind of text that identifies a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identifier {
    Extension,
    /// Mail address or sign-in name.
    Address,
}

/// The texts that identify a person, in lower case, each once.
fn identifiers(person: &Person) -> Vec<(Identifier, String)> {
    let addresses = [&person.mail, &person.user_principal_name].into_iter();
    let addresses = addresses.map(|text| (Identifier::Address, text.to_lowercase()));
    let lines = person.lines.iter();
    let lines = lines.map(|(_, extension)| (Identifier::Extension, extension.to_lowercase()));
    let mut all: Vec<_> = Vec::new();
    for identifier in addresses.chain(lines) {
        if !identifier.1.is_empty() && !all.contains(&identifier) {
            all.push(identifier);
        }
    }
    all
}

#[derive(Debug, Default)]
struct Entries {
    people: BTreeMap<PersonId, Arc<Person>>,
    by_teams_id: HashMap<TeamsUserId, PersonId>,
    by_extension: HashMap<Extension, (PersonId, LineId)>,
    /// People by the texts that identify them, in lower case.
    by_identifier: HashMap<String, Vec<(Identifier, PersonId)>>,
    /// Names of tenants, one copy of each for all people.
    tenants: BTreeSet<TenantName>,
}

/// The index of people. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct PeopleIndex(Arc<RwLock<Entries>>);

impl PeopleIndex {
    /// Adds or replaces a person. A person without an account keeps the known one.
    pub fn upsert(&self, mut person: Person) {
        self.write(|tables| {
            if person.teams_id.is_none()
                && let Some(known) = tables.people.get(&person.id)
            {
                person.teams_id = known.teams_id.clone();
                person.tenant = known.tenant.clone();
            }
            tables.upsert(person);
        });
    }

    /// Removes a person.
    pub fn remove(&self, id: PersonId) {
        self.write(|tables| tables.drop_names(id));
    }

    /// Sets the Teams account of a person.
    pub fn set_teams_id(&self, id: PersonId, teams_id: &TeamsUserId, tenant: &TenantName) {
        self.change(id, |person| {
            person.teams_id = Some(teams_id.clone());
            person.tenant = tenant.clone();
        });
    }

    /// Removes the Teams account of a person.
    pub fn forget_teams_id(&self, id: PersonId) {
        self.change(id, |person| person.teams_id = None);
    }

    fn change(&self, id: PersonId, change: impl FnOnce(&mut Person)) {
        self.write(|tables| {
            if let Some(known) = tables.people.get(&id) {
                let mut person = Person::clone(known);
                change(&mut person);
                tables.upsert(person);
            }
        });
    }

    /// The person of a number.
    pub fn person(&self, id: PersonId) -> Option<Arc<Person>> {
        self.read(|tables| tables.people.get(&id).cloned())
    }

    /// The people after `after` in the order of the numbers, at most `limit`.
    pub fn page(&self, after: Option<PersonId>, limit: usize) -> Vec<Arc<Person>> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.read(|tables| {
            tables
                .people
                .range((from, Unbounded))
                .take(limit)
                .map(|(_, person)| person.clone())
                .collect()
        })
    }

    /// Number of people.
    pub fn count(&self) -> usize {
        self.read(|tables| tables.people.len())
    }

    /// The person with a Teams account.
    pub fn by_teams_id(&self, teams_id: &TeamsUserId) -> Option<PersonId> {
        self.read(|tables| tables.by_teams_id.get(teams_id).copied())
    }

    /// The person and the line of an extension.
    pub fn by_extension(&self, extension: &str) -> Option<(PersonId, LineId)> {
        self.read(|tables| tables.by_extension.get(extension).copied())
    }

    /// The person and the line of a SIP or tel address. Separators in a number are significant only if an extension has them.
    pub fn by_address(&self, uri: &str) -> Option<(PersonId, LineId)> {
        let find = |user: Option<String>| self.by_extension(&user?);
        find(user(uri)).or_else(|| find(user_as_written(uri)))
    }

    /// The Teams accounts of the people that `wanted` accepts, in the order of the people.
    pub fn teams_ids(&self, wanted: impl Fn(&Person) -> bool) -> Vec<TeamsUserId> {
        self.read(|tables| {
            tables
                .people
                .values()
                .filter(|person| person.teams_id.is_some() && wanted(person))
                .filter_map(|person| person.teams_id.clone())
                .collect()
        })
    }

    /// The people that `wanted` accepts.
    pub fn people(&self, wanted: impl Fn(&Person) -> bool) -> Vec<Arc<Person>> {
        self.read(|tables| {
            let people = tables.people.values();
            people.filter(|person| wanted(person)).cloned().collect()
        })
    }

    /// The people with an identifying text: by extension, else by mail address or sign-in name, else by number. Never by display
    /// name: more administrators may change names than identities.
    pub fn identified(&self, text: &str) -> Vec<Arc<Person>> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Vec::new();
        }
        let found = self.read(|tables| {
            let of = |kind| tables.identified(&text, kind);
            let found = of(Identifier::Extension);
            if found.is_empty() {
                of(Identifier::Address)
            } else {
                found
            }
        });
        let id = text.strip_prefix(ID).unwrap_or(&text);
        match id.parse().map(PersonId) {
            Ok(id) if found.is_empty() => self.person(id).into_iter().collect(),
            Ok(_) | Err(_) => found,
        }
    }

    /// Whether a text, as the display name of `person`, is the mail address, sign-in name or extension of another person.
    pub fn is_of_another(&self, text: &str, person: Option<PersonId>) -> bool {
        let text = text.trim().to_lowercase();
        self.read(|tables| {
            let owners = tables.by_identifier.get(&text).into_iter().flatten();
            owners.into_iter().any(|(_, owner)| Some(*owner) != person)
        })
    }

    /// A text that identifies the person only: the mail address, else the sign-in name, an extension, the number.
    pub fn identifier(&self, person: &Person) -> String {
        let texts = [&person.mail, &person.user_principal_name].into_iter();
        let texts = texts.map(String::as_str);
        let mut texts = texts.chain(person.lines.iter().map(|(_, extension)| &**extension));
        let identifies = |text: &&str| {
            let found = self.identified(text);
            matches!(found.as_slice(), [only] if only.id == person.id)
        };
        let found = texts.find(identifies);
        found.map_or_else(|| format!("{ID}{}", person.id), str::to_owned)
    }

    /// Every extension.
    pub fn extensions(&self) -> Vec<Extension> {
        self.read(|tables| tables.by_extension.keys().cloned().collect())
    }

    fn write(&self, change: impl FnOnce(&mut Entries)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn read<T>(&self, look: impl FnOnce(&Entries) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Entries {
    fn upsert(&mut self, mut person: Person) {
        match self.tenants.get(&person.tenant) {
            Some(name) => person.tenant = name.clone(),
            None => {
                self.tenants.insert(person.tenant.clone());
            }
        }
        self.drop_names(person.id);
        if let Some(teams_id) = &person.teams_id {
            self.by_teams_id.insert(teams_id.clone(), person.id);
        }
        for (line, extension) in &person.lines {
            self.by_extension
                .insert(extension.clone(), (person.id, *line));
        }
        for (kind, text) in identifiers(&person) {
            let owners = self.by_identifier.entry(text).or_default();
            owners.push((kind, person.id));
        }
        self.people.insert(person.id, Arc::new(person));
    }

    /// The people of a text in lower case, in the order of their numbers.
    fn identified(&self, text: &str, kind: Identifier) -> Vec<Arc<Person>> {
        let owners = self.by_identifier.get(text).into_iter().flatten();
        let owners = owners.filter(|(of, _)| *of == kind);
        let mut ids: Vec<PersonId> = owners.map(|(_, id)| *id).collect();
        ids.sort_unstable();
        let people = ids.iter().filter_map(|id| self.people.get(id));
        people.cloned().collect()
    }

    fn drop_names(&mut self, id: PersonId) {
        let Some(person) = self.people.remove(&id) else {
            return;
        };
        for (_, text) in identifiers(&person) {
            if let Some(owners) = self.by_identifier.get_mut(&text) {
                owners.retain(|(_, owner)| *owner != id);
                if owners.is_empty() {
                    self.by_identifier.remove(&text);
                }
            }
        }
        if let Some(teams_id) = &person.teams_id
            && self.by_teams_id.get(teams_id) == Some(&id)
        {
            self.by_teams_id.remove(teams_id);
        }
        for (_, extension) in &person.lines {
            // The extension may belong to another person already.
            if self
                .by_extension
                .get(extension)
                .is_some_and(|(owner, _)| *owner == id)
            {
                self.by_extension.remove(extension);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use presence::{Extension, LineId, PersonId};

    use super::{PeopleIndex, Person};

    fn person(id: u64, line: Option<u64>) -> Person {
        Person {
            id: PersonId(id),
            name: String::new(),
            mail: String::new(),
            user_principal_name: String::new(),
            teams_id: None,
            tenant: "main".into(),
            lines: line
                .map(|line| (LineId::Watched(line), Extension::stored("1001")))
                .into_iter()
                .collect(),
        }
    }

    #[test]
    fn an_extension_that_moves_belongs_to_its_new_owner_in_any_order() {
        for order in [
            [person(1, Some(9)), person(2, None)],
            [person(2, None), person(1, Some(9))],
        ] {
            let people = PeopleIndex::default();
            people.upsert(person(1, None));
            people.upsert(person(2, Some(8)));
            order.into_iter().for_each(|person| people.upsert(person));
            assert_eq!(
                people.by_extension("1001"),
                Some((PersonId(1), LineId::Watched(9)))
            );
        }
    }

    // A14
    #[test]
    fn an_address_names_a_line_in_every_spelling() {
        let people = PeopleIndex::default();
        let line =
            |number, extension: &str| (LineId::Watched(number), Extension::stored(extension));
        let lines = vec![line(7, "+4930123"), line(8, "030-123"), line(9, "55#")];
        people.upsert(Person {
            lines,
            ..person(1, None)
        });
        for (uri, line) in [
            ("sip:%2B4930123@pbx.test", Some(7)),
            ("tel:+49-30-123", Some(7)),
            ("sip:+49.30.123@elsewhere;user=phone", Some(7)),
            ("sip:030-123@pbx.test", Some(8)),
            ("tel:030-123", Some(8)),
            ("sip:%355%23@pbx.test", Some(9)),
            ("sip:+49-30-123@pbx.test", None),
            ("sip:55%23%00@pbx.test", None),
            ("sip:%zz@pbx.test", None),
            ("sip:pbx.test", None),
        ] {
            let found = line.map(|line| (PersonId(1), LineId::Watched(line)));
            assert_eq!(people.by_address(uri), found, "{uri}");
        }
    }

    #[test]
    fn an_import_keeps_the_account_that_was_found_meanwhile() {
        let people = PeopleIndex::default();
        people.upsert(person(1, None));
        people.set_teams_id(PersonId(1), &"ABC".into(), &"fabrikam".into());
        people.upsert(person(1, Some(9)));
        assert_eq!(people.by_teams_id(&"abc".into()), Some(PersonId(1)));
        let kept = people.person(PersonId(1)).unwrap();
        assert_eq!(kept.tenant.as_str(), "fabrikam");
        assert_eq!(
            people.by_extension("1001"),
            Some((PersonId(1), LineId::Watched(9)))
        );
        people.forget_teams_id(PersonId(1));
        assert_eq!(people.by_teams_id(&"abc".into()), None);
        assert_eq!(people.person(PersonId(1)).unwrap().teams_id, None);
    }
}
