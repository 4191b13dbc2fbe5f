//! Reading in tenants where each person signs in: one request for each person. A refusal of one person is no problem of the
//! tenant.

use std::{
    collections::BTreeMap,
    sync::{MutexGuard, PoisonError},
};

use graph::Presences;
use presence::{PersonId, TeamsUserId, TraceId};
use runtime::health::{TeamsPart, Trouble, first_few};

use super::{Tenant, logins::Logins};

/// The people with a failed last read.
#[derive(Debug, Default)]
pub(super) struct PersonalFailures {
    failures: BTreeMap<PersonId, String>,
    /// Number of people who are read.
    people: usize,
}

/// The extent of the failures.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Extent {
    Nobody,
    /// At most half of the people.
    Few(BTreeMap<PersonId, String>),
    /// More than half of the people: a problem of the tenant, with one of the causes.
    Tenant(String),
}

impl PersonalFailures {
    fn extent(&self) -> Extent {
        let failing = self.failures.len();
        match self.failures.values().next() {
            None => Extent::Nobody,
            Some(cause) if failing * 2 > self.people => Extent::Tenant(cause.clone()),
            Some(_) => Extent::Few(self.failures.clone()),
        }
    }
}

impl Tenant {
    fn personal(&self) -> MutexGuard<'_, PersonalFailures> {
        self.personal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads accounts, each with the person's own login. Those that could not be read are left out.
    pub(super) async fn read_each(
        &self,
        logins: &Logins,
        ids: &[TeamsUserId],
        trace: TraceId,
    ) -> Presences {
        let mut read = Presences::default();
        for id in ids {
            let Some(person) = self.context.people.by_teams_id(id) else {
                continue;
            };
            let result = logins
                .with(person, |token| async move {
                    let id = Some(trace.bits().into());
                    self.client.own_presence(&token, id).await
                })
                .await;
            match &result {
                // The person must sign in again, which is reported as an ended login.
                Err(error) if error.needs_person() => {
                    self.personal().failures.remove(&person);
                    continue;
                }
                Err(error) => {
                    let why = error.to_string();
                    self.personal().failures.insert(person, why);
                }
                Ok(_) => {
                    self.personal().failures.remove(&person);
                }
            }
            self.count("get presence", result.as_ref().map(|_| ()));
            // A login shows its own account's presence only.
            let own = result
                .ok()
                .filter(|presence| TeamsUserId::new(&presence.id) == *id);
            read.presences.extend(own);
        }
        read
    }

    /// Reports the people who could not be read: as a problem of the tenant where they are more than half.
    pub(super) fn report_personal(&self, people: usize) {
        let extent = {
            let mut personal = self.personal();
            personal.people = people;
            personal.failures.retain(|person, _| self.is_read(*person));
            personal.extent()
        };
        let (trouble, few) = match extent {
            Extent::Nobody => (None, None),
            Extent::Few(failures) => (None, Some(self.few_failures(&failures))),
            Extent::Tenant(what) => {
                let remedy = "see the text; Offhook retries with the next sweep".into();
                (Some(Trouble { what, remedy }), None)
            }
        };
        self.report(TeamsPart::Sweep, trouble);
        self.report_warning(TeamsPart::Sweep, few);
    }

    fn few_failures(&self, failures: &BTreeMap<PersonId, String>) -> Trouble {
        let named = failures.iter().map(|(person, why)| {
            let person = self.context.people.person(*person);
            let name = person.map_or_else(String::new, |person| person.name.clone());
            format!("{name}: {why}")
        });
        Trouble {
            what: format!(
                "the presence of single people cannot be read, that of all others is: {}",
                first_few(named)
            ),
            remedy: "check the named accounts in Entra: disabled, or without a Teams licence; Offhook retries with the next sweep"
                .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use presence::PersonId;

    use super::{Extent, PersonalFailures};

    // One person's 403 while the others are read.
    #[test]
    fn a_failure_is_the_tenants_where_more_than_half_of_the_people_have_it() {
        let mut failures = PersonalFailures {
            people: 4,
            ..PersonalFailures::default()
        };
        assert_eq!(failures.extent(), Extent::Nobody);
        failures.failures.insert(PersonId(1), "403".into());
        let few = [(PersonId(1), "403".to_owned())].into();
        assert_eq!(failures.extent(), Extent::Few(few));
        failures.failures.insert(PersonId(2), "403".into());
        assert!(matches!(failures.extent(), Extent::Few(_)));
        failures.failures.insert(PersonId(3), "403".into());
        assert_eq!(failures.extent(), Extent::Tenant("403".into()));
    }
}
