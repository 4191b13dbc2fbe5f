//! Accounts that make Graph refuse a request about many people, or make its answer too large: halving the request finds them.
//! The sweep leaves them out and retries them later.

use std::{
    collections::HashMap,
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use graph::{Blame, GraphError, Halving, PartAnswer, Purpose};
use presence::{Fact, Input, PersonId, TeamsUserId, Timestamp};
use runtime::{
    engine_handle::Cause,
    health::{TeamsPart, Trouble, first_few},
};

use super::{Tenant, network_time};

/// Requests of a sweep that may be spent on halving, for all people together. One refused account takes 20 at most, so that
/// each sweep finds one at least, and reads the others.
const HALVING_MAX: u32 = 40;
/// Pause after a halving without any answer about people, in milliseconds: then the tenant may be at fault, not an account.
const VAIN_PAUSE: i64 = 30_000;
/// Pause before a refused account is retried, in milliseconds: doubled with each refusal.
const FIRST_RETRY: i64 = 60_000;
const LAST_RETRY: i64 = 3_600_000;

/// A refused account.
#[derive(Clone, Debug)]
struct RefusedAccount {
    /// Refused requests about this account alone.
    refusals: u32,
    /// Time of the next retry, in milliseconds of the network's time.
    due_at: i64,
    /// Graph's error text.
    why: String,
}

/// The refused accounts of a tenant, by object id. The time is an argument.
#[derive(Debug)]
pub(super) struct Refused {
    accounts: HashMap<TeamsUserId, RefusedAccount>,
    /// The rest of [`HALVING_MAX`] in this sweep.
    requests_left: u32,
    /// Earliest time of the next halving.
    halving_from: i64,
}

impl Default for Refused {
    fn default() -> Self {
        Self {
            accounts: HashMap::new(),
            requests_left: HALVING_MAX,
            halving_from: i64::MIN,
        }
    }
}

impl Refused {
    /// Splits accounts into those that Graph accepts, and refused ones that are due. Refused ones that are not due are
    /// left out.
    fn split(&self, accounts: Vec<TeamsUserId>, now: i64) -> (Vec<TeamsUserId>, Vec<TeamsUserId>) {
        if self.accounts.is_empty() {
            return (accounts, Vec::new());
        }
        let (refused, taken): (Vec<_>, Vec<_>) = accounts
            .into_iter()
            .partition(|account| self.accounts.contains_key(account));
        let is_due = |account: &TeamsUserId| {
            let refused = self.accounts.get(account);
            refused.is_some_and(|refused| refused.due_at <= now)
        };
        (taken, refused.into_iter().filter(is_due).collect())
    }

    /// Records a refused request about this account alone. Returns the number of refusals in a row.
    fn refuse(&mut self, account: &TeamsUserId, why: &str, now: i64) -> u32 {
        let known = self.accounts.get(account);
        let refusals = known.map_or(0, |known| known.refusals).saturating_add(1);
        let wait = FIRST_RETRY << (refusals - 1).min(6);
        let refused = RefusedAccount {
            refusals,
            due_at: now.saturating_add(wait.min(LAST_RETRY)),
            why: why.to_owned(),
        };
        self.accounts.insert(account.clone(), refused);
        refusals
    }

    /// Records that Graph accepted a request about these accounts.
    fn accept(&mut self, accounts: &[TeamsUserId]) {
        if self.accounts.is_empty() {
            return;
        }
        for account in accounts {
            self.accounts.remove(account);
        }
    }

    /// Whether all of these are refused already.
    fn are_known(&self, accounts: &[TeamsUserId]) -> bool {
        let mut accounts = accounts.iter();
        accounts.all(|account| self.accounts.contains_key(account))
    }

    /// Whether a halving may begin. Retries of refused accounts need not wait: their intervals grow.
    fn may_halve(&self, accounts: &[TeamsUserId], now: i64) -> bool {
        now >= self.halving_from || self.are_known(accounts)
    }

    /// Consumes a request for halving; returns false if none is left in this sweep.
    fn take_request(&mut self) -> bool {
        let has_one = self.requests_left > 0;
        self.requests_left = self.requests_left.saturating_sub(1);
        has_one
    }

    /// Records the end of a halving of these accounts.
    fn halved(&mut self, accounts: &[TeamsUserId], has_read: bool, now: i64) {
        if !has_read && !self.are_known(accounts) {
            self.halving_from = now + VAIN_PAUSE;
        }
    }
}

impl Tenant {
    fn refused(&self) -> MutexGuard<'_, Refused> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a sweep: refills the requests for halving, and forgets accounts that are not read any more. Splits the
    /// accounts into those that Graph accepts, and refused ones that are due.
    pub(super) fn begin_reading(
        &self,
        accounts: Vec<TeamsUserId>,
    ) -> (Vec<TeamsUserId>, Vec<TeamsUserId>) {
        let mut refused = self.refused();
        refused.requests_left = HALVING_MAX;
        refused.accounts.retain(|account, _| {
            let person = self.context.people.by_teams_id(account);
            person.is_some_and(|person| self.is_read(person))
        });
        refused.split(accounts, network_time())
    }

    /// The accounts that Graph accepts. A refused one that is due belongs to the sweep.
    pub(super) fn taken(&self, accounts: Vec<TeamsUserId>) -> Vec<TeamsUserId> {
        self.refused().split(accounts, network_time()).0
    }

    /// Records that Graph accepted a request about these accounts.
    pub(super) fn accept(&self, accounts: &[TeamsUserId]) {
        self.refused().accept(accounts);
    }

    /// Reads accounts of which a whole request failed because of some of them: halves the request until these are alone. Returns
    /// whether everything is read but these.
    pub(super) async fn read_halved(
        &self,
        accounts: &[TeamsUserId],
        failure: &GraphError,
        purpose: Purpose,
    ) -> bool {
        let Some(answer) = about_ids(failure) else {
            return false;
        };
        if !self.refused().may_halve(accounts, network_time()) {
            return false;
        }
        let mut halving = Halving::new(accounts.len(), answer);
        let mut alone = Vec::new();
        if let [account] = accounts {
            alone.push((account.clone(), failure.clone()));
        }
        let mut is_complete = true;
        while let Some(part) = halving.next_part() {
            let part = accounts.get(part).unwrap_or_default();
            if !self.refused().take_request() {
                is_complete = false;
                break;
            }
            self.afford(purpose).await;
            match self.request(part).await {
                Ok(()) => halving.on_answer(PartAnswer::Read),
                Err(error) => {
                    let Some(answer) = about_ids(&error) else {
                        // A passing failure gives no verdict on the ids.
                        is_complete = false;
                        break;
                    };
                    halving.on_answer(answer);
                    if let [account] = part {
                        alone.push((account.clone(), error));
                    }
                }
            }
        }
        let has_read = halving.has_read();
        self.refused().halved(accounts, has_read, network_time());
        self.leave_out(&alone, has_read).await;
        is_complete
    }

    /// Leaves accounts that failed alone out of the next sweeps. A person's call and state in Teams end where Graph refuses
    /// the account, and answered about others at the same time or refuses it again a minute later.
    async fn leave_out(&self, accounts: &[(TeamsUserId, GraphError)], has_read: bool) {
        let (now, asked_at) = (network_time(), self.context.clock.now());
        let missing: Vec<PersonId> = {
            let mut refused = self.refused();
            let mut missing = Vec::new();
            for (account, why) in accounts {
                let refusals = refused.refuse(account, &why.to_string(), now);
                let is_refused = why.blame() == Blame::Request;
                if is_refused && (refusals > 1 || has_read) {
                    missing.extend(self.context.people.by_teams_id(account));
                }
            }
            missing
        };
        for (account, why) in accounts {
            tracing::warn!(%account, %why, "nothing about a Teams account can be read: it is left out of the sweep");
        }
        self.miss(missing, asked_at).await;
    }

    async fn miss(&self, people: Vec<PersonId>, asked_at: Timestamp) {
        if people.is_empty() {
            return;
        }
        let input = |person| Input::Person(person, Fact::TeamsAccountMissing { asked_at });
        let inputs = people.into_iter().map(input).collect();
        self.context.engine.inputs(inputs, Cause::Other).await;
    }

    /// Reports the accounts that cannot be read: Graph refuses them, or its answers about them are odd.
    pub(super) fn report_unreadable(&self) {
        let mut causes: Vec<(TeamsUserId, String)> = {
            let refused = self.refused();
            self.context
                .metrics
                .set_refused_accounts(&self.name, refused.accounts.len());
            let causes = refused.accounts.iter();
            causes
                .map(|(account, refused)| (account.clone(), refused.why.clone()))
                .collect()
        };
        causes.extend(self.unreadable());
        causes.sort();
        self.report(
            TeamsPart::UnreadableAccounts,
            self.unreadable_trouble(&causes),
        );
    }

    fn unreadable_trouble(&self, causes: &[(TeamsUserId, String)]) -> Option<Trouble> {
        if causes.is_empty() {
            return None;
        }
        let named = causes.iter().map(|(account, why)| {
            let person = self.context.people.by_teams_id(account);
            let person = person.and_then(|person| self.context.people.person(person));
            let name = person.map_or_else(String::new, |person| person.name.clone());
            format!("{name} ({account}): {why}")
        });
        Some(Trouble {
            what: format!(
                "Teams accounts cannot be read, all others are: {}",
                first_few(named)
            ),
            remedy: format!(
                "where Graph refuses the account, compare the object id with the one in Entra; correct or remove the Teams account \
                 here (page of the person, Teams account). Where the answer is too long, let the person shorten their automatic \
                 reply. Offhook retries, at the latest every {} minutes",
                Duration::from_millis(LAST_RETRY.unsigned_abs()).as_secs() / 60
            ),
        })
    }
}

/// The meaning of a failed request for its ids. `None`: the failure is not about the ids.
fn about_ids(failure: &GraphError) -> Option<PartAnswer> {
    if matches!(failure, GraphError::TooLarge { .. }) {
        return Some(PartAnswer::TooLarge);
    }
    (failure.blame() == Blame::Request).then_some(PartAnswer::Refused)
}

#[cfg(test)]
mod tests {
    use presence::TeamsUserId;

    use super::{FIRST_RETRY, HALVING_MAX, LAST_RETRY, Refused, VAIN_PAUSE};

    fn accounts(names: &[&str]) -> Vec<TeamsUserId> {
        names.iter().map(|name| TeamsUserId::new(name)).collect()
    }

    #[test]
    fn a_refused_account_is_left_out_and_retried_more_and_more_rarely() {
        let mut refused = Refused::default();
        let all = accounts(&["a", "b", "c"]);
        assert_eq!(refused.split(all.clone(), 0), (all.clone(), vec![]));
        let (b, mut now, mut wait) = (all[1].clone(), 0, FIRST_RETRY);
        for refusals in 1..=9 {
            assert_eq!(refused.refuse(&b, "404", now), refusals);
            let (taken, due) = refused.split(all.clone(), now + wait - 1);
            assert_eq!((taken, due), (accounts(&["a", "c"]), vec![]));
            now += wait;
            let (taken, due) = refused.split(all.clone(), now);
            assert_eq!((taken, due), (accounts(&["a", "c"]), accounts(&["b"])));
            wait = (wait * 2).min(LAST_RETRY);
        }
        refused.accept(&accounts(&["a", "b"]));
        assert_eq!(refused.split(all.clone(), now), (all, vec![]));
        assert_eq!(refused.refuse(&b, "404", now), 1, "counted anew");
    }

    #[test]
    fn halving_is_bounded_and_rests_when_no_account_can_be_read() {
        let mut refused = Refused::default();
        for _ in 0..HALVING_MAX {
            assert!(refused.take_request());
        }
        assert!(!refused.take_request());
        let (a, b) = (accounts(&["a"]), accounts(&["b"]));
        refused.halved(&a, true, 1_000);
        assert!(refused.may_halve(&a, 1_000));
        refused.halved(&a, false, 1_000);
        assert!(!refused.may_halve(&a, 1_000 + VAIN_PAUSE - 1));
        assert!(refused.may_halve(&a, 1_000 + VAIN_PAUSE));
        // A retry of a refused account neither waits nor delays the others.
        refused.refuse(&b[0], "404", 1_000);
        assert!(refused.may_halve(&b, 1_000));
        refused.halved(&b, false, 100_000);
        assert!(refused.may_halve(&a, 100_000));
    }
}
