//! Limit of wrong passwords, by account and by network.

use std::{
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use runtime::{rate_limit::RateLimit, secrets};
use store::{Account, SecretHash};
use tokio::time::Instant;

/// Wrong passwords for one account from one network in a burst; afterwards one per [`SECONDS_EACH`].
const ATTEMPTS: f64 = 10.0;
/// Wrong passwords from one network for all accounts in a burst: an office behind one address has many people.
const ATTEMPTS_OF_NETWORK: f64 = 200.0;
/// Seconds until another attempt is allowed.
pub const SECONDS_EACH: u32 = 30;

/// The account that a sign-in names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// The id of an account.
    Account(u64),
    /// No account has the name: the hash of its normalised form, so that all names use the same memory.
    Nobody(SecretHash),
}

impl Target {
    /// The account, or the name if there is none.
    pub fn new(account: Option<&Account>, name: &str) -> Self {
        match account {
            Some(account) => Self::Account(account.id),
            None => Self::Nobody(secrets::hash(&store::account_key(name))),
        }
    }
}

/// Counts wrong passwords.
#[derive(Debug)]
pub struct WrongPasswords {
    began: Instant,
    paces: Mutex<Paces>,
}

#[derive(Debug)]
struct Paces {
    /// By account and network.
    of_account: RateLimit<(Target, IpAddr)>,
    /// By network, for all accounts.
    of_network: RateLimit<IpAddr>,
}

impl Default for WrongPasswords {
    fn default() -> Self {
        let per_second = 1.0 / f64::from(SECONDS_EACH);
        let of_account = RateLimit::new(ATTEMPTS, per_second);
        let of_network = RateLimit::new(ATTEMPTS_OF_NETWORK, ATTEMPTS * per_second);
        Self {
            began: Instant::now(),
            paces: Mutex::new(Paces {
                of_account,
                of_network,
            }),
        }
    }
}

impl WrongPasswords {
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn paces(&self) -> MutexGuard<'_, Paces> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts an attempt as a wrong password until [`Self::succeeded`] takes it back, so that parallel attempts are limited
    /// too. Returns false, without counting, if the limit is reached: the password must not be checked then.
    pub(super) fn begin(&self, now: Duration, target: &Target, network: IpAddr) -> bool {
        let mut paces = self.paces();
        let key = (target.clone(), network);
        let may = paces.of_account.has_left(now, &key) && paces.of_network.has_left(now, &network);
        if may {
            paces.of_account.take(now, key, 1.0);
            paces.of_network.take(now, network, 1.0);
        }
        may
    }

    /// The password was right: restores all attempts for the account and this one for the network.
    pub(super) fn succeeded(&self, target: &Target, network: IpAddr) {
        let mut paces = self.paces();
        paces.of_account.reset(&(target.clone(), network));
        paces.of_network.give_back(&network, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Duration = Duration::ZERO;

    fn here() -> IpAddr {
        IpAddr::from([192, 0, 2, 1])
    }

    #[test]
    fn ten_wrong_passwords_and_then_one_in_half_a_minute() {
        let wrong = WrongPasswords::default();
        let there = IpAddr::from([192, 0, 2, 2]);
        let (anna, bert) = (Target::Account(1), Target::Account(2));
        for _ in 0..10 {
            assert!(wrong.begin(START, &anna, here()));
        }
        assert!(!wrong.begin(START, &anna, here()));
        // Another network and another account are not affected.
        assert!(wrong.begin(START, &anna, there) && wrong.begin(START, &bert, here()));
        let later = Duration::from_secs(31);
        assert!(wrong.begin(later, &anna, here()));
        assert!(!wrong.begin(later, &anna, here()));
        wrong.succeeded(&anna, here());
        assert!(wrong.begin(later, &anna, here()));
    }

    #[test]
    fn a_name_counts_as_what_it_means_however_it_is_written() {
        let nobody = |name| Target::new(None, name);
        for other in ["bob ", "BOB", " Bob", "bob\u{a0}", "\u{3000}bob", "bob\n"] {
            assert_eq!(nobody("bob"), nobody(other), "{other:?}");
        }
        assert_ne!(nobody("bob"), nobody("bo b"));
    }

    #[test]
    fn one_network_cannot_try_everybody_and_a_right_password_costs_nothing() {
        let wrong = WrongPasswords::default();
        let tried = (0..1_000).take_while(|id| wrong.begin(START, &Target::Account(*id), here()));
        assert_eq!(tried.count(), 200);
        let wrong = WrongPasswords::default();
        for id in 0..1_000 {
            let target = Target::Account(id);
            assert!(wrong.begin(START, &target, here()));
            wrong.succeeded(&target, here());
        }
    }
}
