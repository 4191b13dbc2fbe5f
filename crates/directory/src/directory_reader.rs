//! Reads the accounts of a tenant's directory: all at first, then changes (delta query), or the members of a group. A round counts
//! when all of its pages are read: with some of the pages, people of the other pages would count as gone.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use graph::{
    Blame, Client, Delta, ElementFault, GraphError, PageTrail, Update, UserChange, UserUpdate,
    backoff,
};
use presence::{TeamsUserId, TenantName};
use runtime::{
    health::{DirectoryPart, Trouble},
    limits::PERSON_TEXT_MAX,
};
use store::Progress;

use super::{
    matching::{Completeness, EntraAccount},
    options::{DirectoryOptions, PeopleFrom},
};

/// Interval at which the whole directory is read while elements could not be read.
const REREAD_INTERVAL: Duration = Duration::from_secs(3_600);
/// Most changes of a round: two for each of a million users.
const CHANGES_MAX: usize = 2_000_000;
/// Attempts to read a page in the middle of a round. After a failure the earlier pages must be read again.
const ATTEMPTS_MAX: u32 = 4;
/// Failures in a row after which a stored link is dropped: a passing failure has passed by then.
const LINK_FAILURES_MAX: u32 = 5;

/// The accounts of a tenant's directory, as last read.
pub(super) struct DirectoryReader {
    client: Arc<Client>,
    tenant: TenantName,
    options: DirectoryOptions,
    accounts: HashMap<TeamsUserId, UserUpdate>,
    link: Option<String>,
    /// Failures in a row with this link.
    link_failures: u32,
    /// The fault of the link that the last answer gave.
    link_fault: Option<String>,
    /// Elements that could not be read since the directory was last read whole.
    unreadable: usize,
    /// Elements with members that could not be read since then.
    odd: usize,
    read_whole_at: Option<Instant>,
}

/// The pages of a round.
#[derive(Debug, Default)]
struct Round {
    changes: Vec<UserChange>,
    /// Elements that could not be read.
    unreadable: usize,
    /// Elements with members that could not be read.
    odd: usize,
    /// Whether the round has all accounts; else it has the changes since the last round.
    is_whole: bool,
    /// The link of the next round; `None`: the next round reads all accounts.
    link: Option<String>,
    /// The fault of the link that Graph gave.
    link_fault: Option<String>,
}

impl Round {
    /// Adds a page.
    ///
    /// # Errors
    /// The round has more than [`CHANGES_MAX`] changes.
    fn add(
        &mut self,
        call: &'static str,
        (changes, skipped): (Vec<UserChange>, &[ElementFault]),
        progress: &Progress,
    ) -> Result<(), GraphError> {
        self.changes.extend(changes);
        let odd = |oddity: &&ElementFault| **oddity == ElementFault::MistypedMember;
        let odd = skipped.iter().filter(odd).count();
        self.odd += odd;
        self.unreadable += skipped.len() - odd;
        progress.report(self.changes.len() as u64, 0);
        if self.changes.len() > CHANGES_MAX {
            return Err(GraphError::Malformed {
                call,
                cause: format!("the list has more than {CHANGES_MAX} elements"),
            });
        }
        Ok(())
    }
}

impl DirectoryReader {
    pub(super) fn new(client: Arc<Client>, tenant: TenantName, options: DirectoryOptions) -> Self {
        Self {
            client,
            tenant,
            options,
            accounts: HashMap::new(),
            link: None,
            link_failures: 0,
            link_fault: None,
            unreadable: 0,
            odd: 0,
            read_whole_at: None,
        }
    }

    /// The name of the tenant.
    pub(super) fn tenant(&self) -> &TenantName {
        &self.tenant
    }

    pub(super) fn options(&self) -> &DirectoryOptions {
        &self.options
    }

    /// Whether all accounts are known. With an element that could not be read, a missing account may be in that element.
    pub(super) fn completeness(&self) -> Completeness {
        match self.unreadable {
            0 => Completeness::Whole,
            _ => Completeness::Partial,
        }
    }

    /// Warnings about the accounts, by the part of the synchronisation.
    pub(super) fn warnings(&self) -> [(DirectoryPart, Option<Trouble>); 3] {
        let elements = (self.unreadable > 0).then(|| Trouble {
            what: format!(
                "{} elements of the directory could not be read, because they are no objects or have no id; no person is taken \
                 for gone meanwhile",
                self.unreadable
            ),
            remedy: "the whole directory is read again within an hour; if it lasts, report it to Microsoft".into(),
        });
        let members = (self.odd > 0).then(|| Trouble {
            what: format!(
                "{} elements of the directory have a member of an odd type, such as an accountEnabled that is neither true nor \
                 false; of these members what was known before counts",
                self.odd
            ),
            remedy: "the whole directory is read again within an hour; if it lasts, report it to Microsoft".into(),
        });
        let link = self.link_fault.as_ref().map(|fault| Trouble {
            what: format!(
                "Graph's deltaLink, with which the changes since the last synchronisation are read, cannot be used: {fault}"
            ),
            remedy: "nothing is missing: the whole directory is read each time. If it lasts, check graph_url of the tenant, and \
                     for a proxy that changes answers"
                .into(),
        });
        [
            (DirectoryPart::Whole, elements),
            (DirectoryPart::Members, members),
            (DirectoryPart::Link, link),
        ]
    }

    /// The accounts. For an account without a state in Graph's answer, `is_linked` decides whether it may sign in.
    pub(super) fn accounts(&self, is_linked: impl Fn(&TeamsUserId) -> bool) -> Vec<EntraAccount> {
        let is_said = |user: &UserUpdate| user.account_enabled.value().is_some();
        // Without the permission to read the state, every account may sign in.
        let may_see = self.accounts.values().any(is_said);
        let accounts = self.accounts.iter();
        accounts
            .map(|(id, user)| {
                let enabled = match user.account_enabled.value() {
                    Some(enabled) => *enabled,
                    None => !may_see || is_linked(id),
                };
                account(id, user, enabled)
            })
            .collect()
    }

    /// Reads all accounts, or the changes since the last call.
    ///
    /// # Errors
    /// Graph does not answer; the accounts stay as they were.
    pub(super) async fn read(&mut self, progress: &Progress) -> Result<(), GraphError> {
        let now = tokio::time::Instant::now().into_std();
        let is_due = |at: Instant| now.saturating_duration_since(at) >= REREAD_INTERVAL;
        if self.unreadable + self.odd > 0 && self.read_whole_at.is_some_and(is_due) {
            self.link = None;
        }
        let client = &self.client;
        let read = match &self.options.from {
            PeopleFrom::Group(group) => members(client, group, progress).await,
            PeopleFrom::Everybody => changes(client, self.link.clone(), progress).await,
        };
        let round = match read {
            Ok(round) => round,
            Err(error) => {
                self.link_failures += u32::from(matches!(
                    error,
                    GraphError::Unconfirmed { .. }
                        | GraphError::TooLarge { .. }
                        | GraphError::Malformed { .. }
                ));
                if self.link_failures >= LINK_FAILURES_MAX {
                    self.link = None;
                    self.link_failures = 0;
                }
                return Err(error);
            }
        };
        self.link_failures = 0;
        if round.is_whole {
            self.accounts.clear();
            (self.unreadable, self.odd) = (0, 0);
            self.read_whole_at = Some(now);
        }
        self.unreadable += round.unreadable;
        self.odd += round.odd;
        (self.link, self.link_fault) = (round.link, round.link_fault);
        apply(&mut self.accounts, round.changes);
        Ok(())
    }
}

/// Applies changes in their order.
fn apply(accounts: &mut HashMap<TeamsUserId, UserUpdate>, changes: Vec<UserChange>) {
    // A user who is removed and comes back within a round may come back with some members only.
    let mut removed: HashMap<TeamsUserId, UserUpdate> = HashMap::new();
    for change in changes {
        match change {
            UserChange::Present(update) => {
                let id = TeamsUserId::new(&update.id);
                let before = removed.remove(&id);
                let account = accounts.entry(id).or_insert(before.unwrap_or_default());
                account.merge(update);
            }
            UserChange::Removed { id, .. } => {
                let id = TeamsUserId::new(&id);
                if let Some(account) = accounts.remove(&id) {
                    removed.insert(id, account);
                }
            }
        }
    }
}

fn account(id: &TeamsUserId, user: &UserUpdate, enabled: bool) -> EntraAccount {
    let said = |value: &Update<String>| match value {
        Update::Keep => None,
        Update::Clear => Some(String::new()),
        // A cut address would be another address.
        Update::Set(value) if value.chars().count() > PERSON_TEXT_MAX => None,
        Update::Set(value) if value.chars().any(char::is_control) => None,
        Update::Set(value) => Some(value.trim().to_owned()),
    };
    let mut numbers = user.business_phones.value().cloned().unwrap_or_default();
    numbers.extend(user.mobile_phone.value().cloned());
    EntraAccount {
        id: id.clone(),
        name: match user.display_name.value() {
            Some(name) => one_line(name),
            None => String::new(),
        },
        user_principal_name: said(&user.user_principal_name),
        mail: said(&user.mail),
        numbers,
        enabled,
        is_guest: user.is_guest(),
    }
}

/// A name as the API takes it: one line, cut to the longest.
fn one_line(name: &str) -> String {
    let spaced = name.chars().map(|character| match character {
        control if control.is_control() => ' ',
        other => other,
    });
    let spaced: String = spaced.collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let name: String = words.join(" ").chars().take(PERSON_TEXT_MAX).collect();
    name.trim_end().to_owned()
}

/// Reads the members of a group.
async fn members(client: &Client, group: &str, progress: &Progress) -> Result<Round, GraphError> {
    const CALL: &str = "list group members";
    let mut round = Round {
        is_whole: true,
        ..Round::default()
    };
    let (mut trail, mut retry) = (PageTrail::default(), PageRetry::default());
    let mut link: Option<String> = None;
    loop {
        let page = match client.group_members(group, link.as_deref()).await {
            Ok(page) => page,
            Err(error) => {
                retry.wait_after(error).await?;
                continue;
            }
        };
        retry.page_read();
        let users = page.users.into_iter().map(UserChange::Present);
        round.add(CALL, (users.collect(), &page.skipped), progress)?;
        let Some(next) = page.next else {
            return Ok(round);
        };
        trail.follow(CALL, &next)?;
        link = Some(next);
    }
}

/// Reads the changes since `link`, or all accounts. If Graph refuses the link, all accounts are read, once.
async fn changes(
    client: &Client,
    link: Option<String>,
    progress: &Progress,
) -> Result<Round, GraphError> {
    const CALL: &str = "users delta";
    let mut link = link;
    let mut has_begun_anew = false;
    let new_round = |is_whole| Round {
        is_whole,
        ..Round::default()
    };
    let mut round = new_round(link.is_none());
    let (mut trail, mut retry) = (PageTrail::default(), PageRetry::default());
    loop {
        let delta = match client.users_delta(link.as_deref()).await {
            Ok(delta) => delta,
            Err(error) => {
                retry.wait_after(error).await?;
                continue;
            }
        };
        retry.page_read();
        match delta {
            Delta::Page {
                changes,
                skipped,
                next,
            } => {
                round.add(CALL, (changes, &skipped), progress)?;
                trail.follow(CALL, &next)?;
                link = Some(next);
            }
            Delta::End {
                changes,
                skipped,
                link,
            } => {
                round.add(CALL, (changes, &skipped), progress)?;
                match client.check_delta_link(&link) {
                    Ok(()) => round.link = Some(link),
                    Err(fault) => round.link_fault = Some(fault.to_string()),
                }
                return Ok(round);
            }
            Delta::Resync if has_begun_anew => {
                return Err(GraphError::Malformed {
                    call: CALL,
                    cause: "Graph refuses the links that it has just given".into(),
                });
            }
            Delta::Resync => {
                has_begun_anew = true;
                tracing::info!(
                    "Graph refuses the link to the changes of the directory: everything is read again"
                );
                (link, round, trail) = (None, new_round(true), PageTrail::default());
            }
        }
    }
}

/// Retries of a page in the middle of a round, after passing failures.
#[derive(Debug, Default)]
struct PageRetry {
    is_in_the_middle: bool,
    failures: u32,
}

impl PageRetry {
    fn page_read(&mut self) {
        *self = Self {
            is_in_the_middle: true,
            failures: 0,
        };
    }

    /// Waits before the next attempt at the page.
    ///
    /// # Errors
    /// The failure, if the page is not retried.
    async fn wait_after(&mut self, error: GraphError) -> Result<(), GraphError> {
        self.failures += 1;
        let is_unreadable = matches!(
            error,
            GraphError::TooLarge { .. } | GraphError::Malformed { .. }
        );
        let may_pass = error.blame() == Blame::Service && !is_unreadable;
        if !self.is_in_the_middle || !may_pass || self.failures >= ATTEMPTS_MAX {
            return Err(error);
        }
        let wait = error
            .retry_after()
            .unwrap_or_else(|| backoff(self.failures, 0));
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
