//! Finds people's Teams accounts by sign-in name or mail, once; from then on the object id is kept.

use std::{sync::Arc, time::Duration};

use graph::Blame;
use presence::{Fact, Input};
use store::{Store, StoreError};

use super::Tenant;
use crate::{
    directory::{Directory, Person},
    health::Trouble,
    shard::Cause,
};

/// How often people without an account are looked for again.
const AGAIN: Duration = Duration::from_secs(600);
/// How soon after a failure, or when people were added.
const SOON: Duration = Duration::from_secs(2);
/// The name under which the health of finding is told.
const PART: &str = "teams accounts";
/// Unmatched people that are named one by one.
const NAMED_MAX: usize = 5;

impl Tenant {
    /// Finds accounts, for ever.
    pub async fn link(self, store: Store) {
        loop {
            let known = self.directory.len();
            let mut unmatched = Vec::new();
            let mut failed = false;
            for person in self.directory.without_teams_account() {
                match self.find(&person, &store).await {
                    Ok(true) => {}
                    Ok(false) => unmatched.push(person.name.clone()),
                    Err(trouble) => {
                        self.health.report(PART, Some(trouble));
                        failed = true;
                        break;
                    }
                }
            }
            if !failed {
                self.report(&unmatched);
            }
            let again = if failed { SOON } else { AGAIN };
            tokio::select! {
                () = tokio::time::sleep(again) => {}
                () = grows(&self.directory, known) => {}
            }
        }
    }

    async fn find(&self, person: &Arc<Person>, store: &Store) -> Result<bool, Trouble> {
        for name in [&person.user_principal_name, &person.mail] {
            if name.is_empty() {
                continue;
            }
            self.afford().await;
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
            match store.link_teams(person.id, &user.id).await {
                Ok(()) => {}
                // One person's conflict must not keep the others from being linked.
                Err(error @ StoreError::Taken { .. }) => {
                    tracing::warn!(person = %person.id, %error, "a person cannot be linked to Teams");
                    return Ok(false);
                }
                Err(error) => {
                    return Err(Trouble {
                        what: format!("cannot link {} to Teams: {error}", person.name),
                        remedy: "it is tried again by itself".into(),
                    });
                }
            }
            self.directory.set_teams_id(person.id, &user.id);
            self.shard
                .input(Input::Person(person.id, Fact::LinkedTeams), Cause::Other)
                .await;
            return Ok(true);
        }
        Ok(false)
    }

    /// People without an account are no trouble of the whole: they are logged, not alarmed about.
    fn report(&self, unmatched: &[String]) {
        self.health.report(PART, None);
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

async fn grows(directory: &Directory, known: usize) {
    while directory.len() <= known {
        tokio::time::sleep(SOON).await;
    }
}
