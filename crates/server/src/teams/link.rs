//! Finds people's Teams accounts by sign-in name or mail, once; from then on the object id is kept. `search.rs` has the searches
//! that are asked for.

use std::{sync::Arc, time::Duration};

use graph::{Blame, DirectoryUser, GraphError, Purpose};
use presence::Fact;
use store::{NamedAccount, StoreError};

use super::{
    Tenant,
    lookups::{LookupRound, Lookups},
    network_time,
};
use crate::{context::Context, directory::Person, health::Trouble};

/// How often people without an account are looked for again.
const AGAIN: Duration = Duration::from_secs(600);
/// How soon after a failure, or when people were added.
const SOON: Duration = Duration::from_secs(2);
/// The name under which the health of finding is told.
const PART: &str = "teams accounts";
/// Unmatched people that are named one by one.
const NAMED_MAX: usize = 5;

/// Why the account of a person was not searched for to the end.
#[derive(Debug)]
pub(super) enum Failure {
    /// Graph refuses the names for good, or several accounts have them: an answer about this person.
    Refused(String),
    /// No answer, or one that is not about this person alone.
    Unanswered(String),
    /// The account could not be stored.
    Store(String),
}

impl Failure {
    /// The reason.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Refused(why) | Self::Unanswered(why) | Self::Store(why) => why,
        }
    }
}

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
    pub async fn link(self, context: Context) {
        let opened = self.clone().find_opened(context.clone());
        tokio::join!(self.find_all(context), opened);
    }

    /// Finds the accounts of all people, for ever.
    async fn find_all(self, context: Context) {
        let mut places = context.movers();
        let mut lookups = Lookups::default();
        loop {
            let number = self.search.begin();
            let known = self.directory.len();
            places.mark_unchanged();
            self.part_with_movers(&context).await;
            let (again, failure) = self.find_round(&context, &mut lookups).await;
            self.search.end(number, failure);
            tokio::select! {
                () = tokio::time::sleep(again) => {}
                () = self.grows(known) => {}
                () = self.search.asked() => {}
                Ok(()) = places.changed() => {}
            }
        }
    }

    /// Looks up each person without an account once, except names that failed a short time ago. Returns the pause before the
    /// next round, and the failure.
    async fn find_round(
        &self,
        context: &Context,
        lookups: &mut Lookups,
    ) -> (Duration, Option<String>) {
        let people = lookups.in_turn(self.unlinked(), |person| person.id);
        let (mut round, mut unmatched) = (LookupRound::default(), Vec::new());
        let mut store_failure = None;
        for person in people {
            if !lookups.is_due(person.id, network_time()) {
                continue;
            }
            lookups.begin(person.id);
            match self.find(&person, context).await {
                Ok(found) => {
                    lookups.answered(person.id);
                    round.answered();
                    match found {
                        Found::Linked => self.search.found(person.id),
                        Found::Nothing => unmatched.push(person.name.clone()),
                        Found::Settled => {}
                    }
                }
                Err(Failure::Refused(why)) => {
                    round.answered();
                    lookups.failed(person.id, &person.name, why, network_time());
                }
                Err(Failure::Unanswered(why)) => round.failed(person.id, &person.name, why),
                Err(Failure::Store(why)) => {
                    store_failure = Some(why);
                    break;
                }
            }
            if round.is_over() {
                break;
            }
        }
        let is_over = round.is_over();
        let tenant_failure = match round.doubt() {
            Some(why) if !self.answers_about_others().await => Some(why.to_owned()),
            Some(_) | None => None,
        };
        if tenant_failure.is_none() {
            lookups.end(round, network_time());
        }
        lookups.retain(|person| {
            let person = self.directory.person(person);
            person.is_some_and(|person| self.is_unlinked(&person))
        });
        self.report_warning(PART, lookups.warning());
        let named = lookups.warning().map(|warning| warning.what);
        if let Some(what) = store_failure.or(tenant_failure) {
            let remedy = "it is tried again by itself".into();
            let trouble = Trouble {
                what: format!("Teams accounts cannot be looked for: {what}"),
                remedy,
            };
            let what = trouble.what.clone();
            self.report(PART, Some(trouble));
            return (SOON, Some(what));
        }
        self.tell_unmatched(&unmatched);
        let again = lookups.next_due(network_time()).map_or(AGAIN, |due| {
            Duration::from_millis(due.unsigned_abs()).clamp(SOON, AGAIN)
        });
        (if is_over { SOON } else { again }, named)
    }

    /// Whether Graph answers a lookup of an account that is linked: then what failed is the fault of single names.
    async fn answers_about_others(&self) -> bool {
        let linked = self
            .directory
            .teams_ids(|person| person.tenant == self.name);
        let Some(account) = linked.first() else {
            return false;
        };
        self.afford(Purpose::Other).await;
        self.client.find_user(account).await.is_ok()
    }

    /// Whose location names another tenant than the one that their account is in: what was written there is taken back
    /// first, then the account is forgotten, and the other tenant looks for one.
    async fn part_with_movers(&self, context: &Context) {
        let movers = self.directory.people(|person| {
            if person.teams_id.is_none() {
                return false;
            }
            let wanted = self.organisation.tenant(person.id);
            let here = *person.tenant == *self.name;
            // A tenant that is configured no more lets nobody go by itself.
            let from_nowhere = wanted == *self.name && !context.has_tenant(&person.tenant);
            (here && wanted != *self.name) || (!here && from_nowhere)
        });
        for person in movers {
            if let Err(error) = context.unlink(&person).await {
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
    pub(super) async fn find(
        &self,
        person: &Arc<Person>,
        context: &Context,
    ) -> Result<Found, Failure> {
        let Some(user) = self.look_up(person).await? else {
            return Ok(Found::Nothing);
        };
        // Store, directory and engine say the same to whoever looks.
        let _one_at_a_time = context.settings_change.lock().await;
        // The search has waited: an administrator, or another search, may have linked an account, or removed the person.
        let now = self.directory.person(person.id);
        if !now.is_some_and(|person| self.is_unlinked(&person)) {
            return Ok(Found::Settled);
        }
        let linked = context.store.link_teams(person.id, &user.id, &self.name);
        match linked.await {
            Ok(()) => {}
            // One person's conflict must not keep the others from being linked.
            Err(error @ StoreError::Taken { .. }) => {
                tracing::warn!(person = %person.id, %error, "a person cannot be linked to Teams");
                return Ok(Found::Nothing);
            }
            Err(error) => {
                let why = format!("cannot link {} to Teams: {error}", person.name);
                return Err(Failure::Store(why));
            }
        }
        self.directory.set_teams_id(person.id, &user.id, &self.name);
        self.shard.fact(person.id, Fact::TeamsLinked).await;
        let named = NamedAccount {
            object_id: user.id,
            sign_in_name: user.user_principal_name,
            display_name: user.display_name,
        };
        // The names are only shown: the account is linked without them too.
        if let Err(error) = context
            .store
            .set_teams_account_names(person.id, &named)
            .await
        {
            tracing::warn!(person = %person.id, %error, "the names of an account were not stored");
        }
        Ok(Found::Linked)
    }

    /// Looks up the account of a person: by the sign-in name; by the mail address as a sign-in name; by the mail address, which
    /// a guest has in common with the account at home.
    async fn look_up(&self, person: &Person) -> Result<Option<DirectoryUser>, Failure> {
        let mut refused = None;
        for name in [&person.user_principal_name, &person.mail] {
            if name.trim().is_empty() {
                continue;
            }
            self.afford(Purpose::Other).await;
            match self.answered("get user", self.client.find_user(name).await) {
                Ok(Some(user)) => return Ok(Some(user)),
                Ok(None) => {}
                Err(Failure::Refused(why)) => refused = Some(why),
                Err(failure) => return Err(failure),
            }
        }
        if !person.mail.trim().is_empty() {
            self.afford(Purpose::Other).await;
            let found = self.client.users_with_mail(person.mail.trim()).await;
            match self.answered("find users", found) {
                Ok(mut users) if users.len() == 1 => return Ok(users.pop()),
                Ok(users) if users.is_empty() => {}
                Ok(users) => {
                    refused = Some(format!(
                        "{} accounts have the same mail address",
                        users.len()
                    ));
                }
                Err(Failure::Refused(why)) => refused = Some(why),
                Err(failure) => return Err(failure),
            }
        }
        match refused {
            Some(why) => Err(Failure::Refused(why)),
            None => Ok(None),
        }
    }

    /// Counts the answer to a lookup, and classifies its failure.
    fn answered<T>(&self, call: &str, result: Result<T, GraphError>) -> Result<T, Failure> {
        self.count(call, result.as_ref().map(|_| ()));
        result.map_err(|error| match error.blame() {
            Blame::Request => Failure::Refused(error.to_string()),
            Blame::Service | Blame::Administrator => Failure::Unanswered(error.to_string()),
        })
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
