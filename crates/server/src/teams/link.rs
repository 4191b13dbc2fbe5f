//! Finds people's Teams accounts by sign-in name or mail, once; from then on the object id is kept. `search.rs` has the searches
//! that are asked for.

use std::{sync::Arc, time::Duration};

use graph::{Blame, Purpose};
use presence::Fact;
use store::{NamedAccount, StoreError};
use tokio::sync::watch;

use super::Tenant;
use crate::{app::Core, directory::Person, health::Trouble};

/// How often people without an account are looked for again.
const AGAIN: Duration = Duration::from_secs(600);
/// How soon after a failure, or when people were added.
const SOON: Duration = Duration::from_secs(2);
/// The name under which the health of finding is told.
const PART: &str = "teams accounts";
/// Unmatched people that are named one by one.
const NAMED_MAX: usize = 5;

/// Result of a search for the account of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is linked.
    Linked,
    /// The tenant has none that can be linked.
    Nothing,
    /// Nothing is to be linked any more: the person has an account, has moved or was removed.
    Settled,
}

impl Tenant {
    /// Finds accounts, for ever, of those whose location names this tenant; lets go whoever has come to another one.
    pub(crate) async fn link(self, core: Core, places: watch::Receiver<u64>) {
        let opened = self.clone().find_opened(core.clone());
        tokio::join!(self.find_all(core, places), opened);
    }

    /// Finds the accounts of all people, for ever.
    async fn find_all(self, core: Core, mut places: watch::Receiver<u64>) {
        loop {
            let number = self.search.begin();
            let known = self.directory.len();
            places.mark_unchanged();
            self.part_with_movers(&core).await;
            let mut unmatched = Vec::new();
            let mut failure = None;
            for person in self.unlinked() {
                match self.find(&person, &core).await {
                    Ok(Found::Linked) => self.search.found(person.id),
                    Ok(Found::Nothing) => unmatched.push(person.name.clone()),
                    Ok(Found::Settled) => {}
                    Err(trouble) => {
                        failure = Some(trouble.what.clone());
                        self.report(PART, Some(trouble));
                        break;
                    }
                }
            }
            if failure.is_none() {
                self.tell_unmatched(&unmatched);
            }
            let again = if failure.is_some() { SOON } else { AGAIN };
            self.search.end(number, failure);
            tokio::select! {
                () = tokio::time::sleep(again) => {}
                () = self.grows(known) => {}
                () = self.search.asked() => {}
                Ok(()) = places.changed() => {}
            }
        }
    }

    /// Whose location names another tenant than the one that their account is in: what was written there is taken back
    /// first, then the account is forgotten, and the other tenant looks for one.
    async fn part_with_movers(&self, core: &Core) {
        let movers = self.directory.people(|person| {
            if person.teams_id.is_none() {
                return false;
            }
            let wanted = self.organisation.tenant(person.id);
            let here = *person.tenant == *self.name;
            // A tenant that is configured no more lets nobody go by itself.
            let from_nowhere = wanted == *self.name && core.doors.get(&person.tenant).is_none();
            (here && wanted != *self.name) || (!here && from_nowhere)
        });
        for person in movers {
            if let Err(error) = core.unlink(&person).await {
                tracing::warn!(person = %person.id, %error, "a person could not leave a tenant");
            }
        }
    }

    /// People without a Teams account whose location names this tenant and who have a name to find one by.
    fn unlinked(&self) -> Vec<Arc<Person>> {
        self.directory.people(|person| self.is_unlinked(person))
    }

    /// Whether a person has no account, and one can be searched for here.
    pub(super) fn is_unlinked(&self, person: &Person) -> bool {
        // Where people sign in by themselves, the application may not search for accounts.
        self.logins.is_none()
            && person.teams_id.is_none()
            && !(person.user_principal_name.is_empty() && person.mail.is_empty())
            && self.organisation.tenant(person.id) == *self.name
    }

    async fn grows(&self, known: usize) {
        while self.directory.len() <= known {
            tokio::time::sleep(SOON).await;
        }
    }

    /// Finds and links the account of a person; an account that was linked meanwhile stays.
    pub(super) async fn find(&self, person: &Arc<Person>, core: &Core) -> Result<Found, Trouble> {
        for name in [&person.user_principal_name, &person.mail] {
            if name.is_empty() {
                continue;
            }
            self.afford(Purpose::Other).await;
            let found = self.client.find_user(name).await;
            self.metrics
                .count_request("get user", if found.is_ok() { "ok" } else { "failed" });
            let found = match found {
                Ok(found) => found,
                // A name that Graph refuses is one person's trouble: the others go on.
                Err(error) if error.blame() == Blame::Request => {
                    tracing::warn!(person = %person.id, %error, "a sign-in name was refused");
                    None
                }
                Err(error) => {
                    return Err(Trouble {
                        what: format!(
                            "cannot look for the Teams account of {}: {error}",
                            person.name
                        ),
                        remedy: "it is tried again by itself".into(),
                    });
                }
            };
            let Some(user) = found else { continue };
            // Store, directory and engine say the same to whoever looks.
            let _one_at_a_time = core.settings_change.lock().await;
            // The search has waited: an administrator, or another search, may have linked an account, or removed the person.
            let now = self.directory.person(person.id);
            if !now.is_some_and(|person| self.is_unlinked(&person)) {
                return Ok(Found::Settled);
            }
            let linked = core.store.link_teams(person.id, &user.id, &self.name);
            match linked.await {
                Ok(()) => {}
                // One person's conflict must not keep the others from being linked.
                Err(error @ StoreError::Taken { .. }) => {
                    tracing::warn!(person = %person.id, %error, "a person cannot be linked to Teams");
                    return Ok(Found::Nothing);
                }
                Err(error) => {
                    return Err(Trouble {
                        what: format!("cannot link {} to Teams: {error}", person.name),
                        remedy: "it is tried again by itself".into(),
                    });
                }
            }
            self.directory.set_teams_id(person.id, &user.id, &self.name);
            self.shard.fact(person.id, Fact::LinkedTeams).await;
            let named = NamedAccount {
                object_id: user.id,
                sign_in_name: user.user_principal_name,
                display_name: user.display_name,
            };
            // The names are only shown: the account is linked without them too.
            if let Err(error) = core.store.name_teams_account(person.id, &named).await {
                tracing::warn!(person = %person.id, %error, "the names of an account were not stored");
            }
            return Ok(Found::Linked);
        }
        Ok(Found::Nothing)
    }

    /// People without an account are no trouble of the whole: they are logged, not alarmed about.
    fn tell_unmatched(&self, unmatched: &[String]) {
        self.report(PART, None);
        if let Some(named) = unmatched
            .get(..unmatched.len().min(NAMED_MAX))
            .filter(|named| !named.is_empty())
        {
            tracing::warn!(
                count = unmatched.len(),
                first = named.join(", "),
                "people without a Teams account: their sign-in name and mail are not known in the tenant"
            );
        }
    }
}
