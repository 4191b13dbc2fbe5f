//! Finds the Teams accounts of people by sign-in name or mail address, once: the object id of a found account is stored. The
//! searches that administrators request are in `search.rs`.

use std::{sync::Arc, time::Duration};

use graph::{Blame, DirectoryUser, GraphError, Purpose};
use presence::{Fact, TeamsUserId};
use runtime::{
    health::{TeamsPart, Trouble},
    people_index::Person,
};
use store::{NamedAccount, StoreError};

use super::{
    Tenant,
    lookups::{LookupRound, Lookups},
    network_time,
};

/// Longest pause between two searches for the accounts of people without one.
const SEARCH_INTERVAL: Duration = Duration::from_secs(600);
/// Pause before the next search after a failure.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// Unmatched people that are named one by one.
const NAMED_MAX: usize = 5;

/// The reason why the search for a person's account did not come to an end.
#[derive(Debug)]
pub(super) enum SearchError {
    /// Graph refuses the names for good, or several accounts have them: an answer about this person.
    Refused(String),
    /// No answer, or one that is not about this person alone.
    Unanswered(String),
    /// The account could not be stored.
    Store(String),
}

impl SearchError {
    /// The reason.
    pub(super) fn why(&self) -> &str {
        match self {
            Self::Refused(why) | Self::Unanswered(why) | Self::Store(why) => why,
        }
    }
}

/// Result of a search for the account of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SearchOutcome {
    /// The account is linked.
    Linked,
    /// The tenant has no account that can be linked.
    Nothing,
    /// No account is needed any more: the person has one, has moved or was removed.
    NotNeeded,
}

impl Tenant {
    /// Finds the accounts of people with a location of this tenant, and unlinks people who moved to another tenant, until the
    /// task is dropped.
    pub async fn link(self) {
        let opened = self.clone().find_opened();
        tokio::join!(self.find_all(), opened);
    }

    /// Finds the accounts of all people, until the task is dropped.
    async fn find_all(self) {
        let mut movers = self.context.tenant_moves();
        let mut lookups = Lookups::default();
        loop {
            let number = self.search.begin();
            movers.mark_unchanged();
            self.unlink_movers().await;
            let (pause, failure) = self.find_round(&mut lookups).await;
            self.search.end(number, failure);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.search.asked() => {}
                // Also after people were added.
                Ok(()) = movers.changed() => {}
            }
        }
    }

    /// Looks up each person without an account once, except names that failed a short time ago. Returns the pause before the
    /// next round, and the failure.
    async fn find_round(&self, lookups: &mut Lookups) -> (Duration, Option<String>) {
        let people = lookups.in_turn(self.unlinked(), |person| person.id);
        let (mut round, mut unmatched) = (LookupRound::default(), Vec::new());
        let mut store_failure = None;
        for person in people {
            if !lookups.is_due(person.id, network_time()) {
                continue;
            }
            lookups.begin(person.id);
            match self.find(&person).await {
                Ok(found) => {
                    lookups.answered(person.id);
                    round.answered();
                    match found {
                        SearchOutcome::Linked => self.search.found(person.id),
                        SearchOutcome::Nothing => unmatched.push(person.name.clone()),
                        SearchOutcome::NotNeeded => {}
                    }
                }
                Err(SearchError::Refused(why)) => {
                    round.answered();
                    lookups.failed(person.id, &person.name, why, network_time());
                }
                Err(SearchError::Unanswered(why)) => round.failed(person.id, &person.name, why),
                Err(SearchError::Store(why)) => {
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
            let person = self.context.people.person(person);
            person.is_some_and(|person| self.is_unlinked(&person))
        });
        self.report_warning(TeamsPart::Accounts, lookups.warning());
        let named = lookups.warning().map(|warning| warning.what);
        if let Some(what) = store_failure.or(tenant_failure) {
            let remedy = "Offhook retries after 2 s".into();
            let trouble = Trouble {
                what: format!("the search for Teams accounts failed: {what}"),
                remedy,
            };
            let what = trouble.what.clone();
            self.report(TeamsPart::Accounts, Some(trouble));
            return (RETRY_INTERVAL, Some(what));
        }
        self.log_unmatched(&unmatched);
        let pause = lookups
            .next_due(network_time())
            .map_or(SEARCH_INTERVAL, |due| {
                Duration::from_millis(due.unsigned_abs()).clamp(RETRY_INTERVAL, SEARCH_INTERVAL)
            });
        (if is_over { RETRY_INTERVAL } else { pause }, named)
    }

    /// Whether Graph answers a lookup of a linked account: then the failures are those of single names.
    async fn answers_about_others(&self) -> bool {
        let linked = self
            .context
            .people
            .teams_ids(|person| person.tenant == self.name);
        let Some(account) = linked.first() else {
            return false;
        };
        self.afford(Purpose::Other).await;
        self.client.find_user(account.as_str()).await.is_ok()
    }

    /// Unlinks people who moved to another tenant: clears Offhook's writes in the old one, then forgets the account, so that the
    /// new tenant can find one.
    async fn unlink_movers(&self) {
        let movers = self.context.people.people(|person| {
            if person.teams_id.is_none() {
                return false;
            }
            let wanted = self.context.organisation.tenant(person.id);
            let here = person.tenant == self.name;
            // A tenant that is no longer configured has no task: the new tenant unlinks its people.
            let from_nowhere = wanted == self.name && !self.context.has_tenant(&person.tenant);
            (here && wanted != self.name) || (!here && from_nowhere)
        });
        for person in movers {
            if let Err(error) = self.context.unlink(person.id, None).await {
                tracing::warn!(person = %person.id, %error, "a person could not leave a tenant");
            }
        }
    }

    /// People of this tenant without a Teams account, with a name to find one by.
    fn unlinked(&self) -> Vec<Arc<Person>> {
        self.context
            .people
            .people(|person| self.is_unlinked(person))
    }

    /// Whether a person has no account, and this tenant can search for one.
    pub(super) fn is_unlinked(&self, person: &Person) -> bool {
        // Where each person signs in, the application has no permission to search.
        self.logins.is_none()
            && person.teams_id.is_none()
            && !(person.user_principal_name.is_empty() && person.mail.is_empty())
            && self.context.organisation.tenant(person.id) == self.name
    }

    /// Finds and links the account of a person, unless another one was linked during the search.
    pub(super) async fn find(&self, person: &Person) -> Result<SearchOutcome, SearchError> {
        let context = &self.context;
        let Some(user) = self.look_up(person).await? else {
            return Ok(SearchOutcome::Nothing);
        };
        // Database, index of people and engine change together.
        let _one_at_a_time = context.settings_lock.lock().await;
        // The search has waited: an administrator, or another search, may have linked an account, or removed the person.
        let now = self.context.people.person(person.id);
        if !now.is_some_and(|person| self.is_unlinked(&person)) {
            return Ok(SearchOutcome::NotNeeded);
        }
        let account = TeamsUserId::new(&user.id);
        let linked = context.store.link_teams(person.id, &account, &self.name);
        match linked.await {
            Ok(()) => {}
            // One person's conflict must not keep the others from being linked.
            Err(error @ StoreError::Taken { .. }) => {
                tracing::warn!(person = %person.id, %error, "a person cannot be linked to Teams");
                return Ok(SearchOutcome::Nothing);
            }
            Err(error) => {
                let why = format!("cannot link {} to Teams: {error}", person.name);
                return Err(SearchError::Store(why));
            }
        }
        self.context
            .people
            .set_teams_id(person.id, &account, &self.name);
        self.context.engine.fact(person.id, Fact::TeamsLinked).await;
        let named = NamedAccount {
            object_id: account,
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
        Ok(SearchOutcome::Linked)
    }

    /// Looks up the account of a person: by the sign-in name; by the mail address as a sign-in name; by the mail address, which
    /// a guest has in common with the account at home.
    async fn look_up(&self, person: &Person) -> Result<Option<DirectoryUser>, SearchError> {
        let mut refused = None;
        for name in [&person.user_principal_name, &person.mail] {
            if name.trim().is_empty() {
                continue;
            }
            self.afford(Purpose::Other).await;
            match self.answered("get user", self.client.find_user(name).await) {
                Ok(Some(user)) => return Ok(Some(user)),
                Ok(None) => {}
                Err(SearchError::Refused(why)) => refused = Some(why),
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
                Err(SearchError::Refused(why)) => refused = Some(why),
                Err(failure) => return Err(failure),
            }
        }
        match refused {
            Some(why) => Err(SearchError::Refused(why)),
            None => Ok(None),
        }
    }

    /// Counts the answer to a lookup, and classifies its failure.
    fn answered<T>(&self, call: &str, result: Result<T, GraphError>) -> Result<T, SearchError> {
        self.count(call, result.as_ref().map(|_| ()));
        result.map_err(|error| match error.blame() {
            Blame::Request => SearchError::Refused(error.to_string()),
            Blame::Service | Blame::Administrator => SearchError::Unanswered(error.to_string()),
        })
    }

    /// Logs people without an account. They are no problem of the tenant.
    fn log_unmatched(&self, unmatched: &[String]) {
        self.report(TeamsPart::Accounts, None);
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
