//! How much is done for one address that is not trusted: requests by the second, and hardly any wrong passwords.

use std::{collections::HashMap, net::IpAddr, time::Duration};

/// Requests that one address may send in a second, in the long run. An office behind one address has hundreds of telephones,
/// which all begin anew after a power cut.
const PER_SECOND: f64 = 1_000.0;
/// Requests that it may send at once after having been quiet.
const BURST: f64 = 10_000.0;
/// What a wrong password costs, in requests: ten at once, then one in a second.
const WRONG_PASSWORD: f64 = 1_000.0;
/// Addresses that are remembered; beyond, those that have been quiet longest are forgotten.
const ADDRESSES_MAX: usize = 65_536;

/// What addresses have left.
#[derive(Debug, Default)]
pub(super) struct Pace(HashMap<IpAddr, Left>);

#[derive(Clone, Copy, Debug)]
struct Left {
    requests: f64,
    at: Duration,
}

impl Left {
    fn now(self, now: Duration) -> f64 {
        let since = now.saturating_sub(self.at).as_secs_f64();
        BURST.min(self.requests + since * PER_SECOND)
    }
}

impl Pace {
    /// Whether a request of this address is looked at now.
    pub(super) fn admit(&mut self, now: Duration, address: IpAddr) -> bool {
        self.take(now, address, 1.0)
    }

    /// The address has given a wrong password.
    pub(super) fn wrong_password(&mut self, now: Duration, address: IpAddr) {
        self.take(now, address, WRONG_PASSWORD);
    }

    fn take(&mut self, now: Duration, address: IpAddr, cost: f64) -> bool {
        let address = whose(address);
        if self.0.len() >= ADDRESSES_MAX && !self.0.contains_key(&address) {
            self.make_room(now);
        }
        let left = self.0.entry(address).or_insert(Left {
            requests: BURST,
            at: now,
        });
        let requests = left.now(now);
        *left = Left {
            // Never so far below zero that it takes long to come back.
            requests: (requests - cost).max(-WRONG_PASSWORD),
            at: now,
        };
        requests >= 1.0
    }

    /// Forgets those who may do everything again, or else everybody: who has few left then has all.
    fn make_room(&mut self, now: Duration) {
        self.0.retain(|_, left| left.now(now) < BURST);
        if self.0.len() >= ADDRESSES_MAX {
            self.0.clear();
        }
    }
}

/// Who has one address of IPv6 has the whole network of 64 bits.
fn whose(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn admitted(pace: &mut Pace, now: Duration, address: IpAddr) -> usize {
        (0..20_000).filter(|_| pace.admit(now, address)).count()
    }

    #[test]
    fn an_address_has_its_own_pace_and_comes_back_with_time() {
        let mut pace = Pace::default();
        assert_eq!(admitted(&mut pace, SECOND, address(1)), 10_000);
        assert_eq!(admitted(&mut pace, SECOND * 2, address(1)), 0);
        assert_eq!(admitted(&mut pace, SECOND * 60, address(1)), 10_000);
        assert!(pace.admit(SECOND, address(2)));
    }

    #[test]
    fn wrong_passwords_use_it_up() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            assert!(pace.admit(SECOND, address(1)));
            pace.wrong_password(SECOND, address(1));
        }
        assert!(!pace.admit(SECOND, address(1)));
        assert!(pace.admit(SECOND * 4, address(1)));
    }

    #[test]
    fn neighbours_in_an_ipv6_network_share_and_memory_is_bounded() {
        let mut pace = Pace::default();
        let one: IpAddr = "2001:db8::1".parse().unwrap();
        let other: IpAddr = "2001:db8::2".parse().unwrap();
        admitted(&mut pace, SECOND, one);
        assert!(!pace.admit(SECOND, other));
        for number in 0..200_000_u32 {
            pace.admit(SECOND, IpAddr::from(number.to_be_bytes()));
        }
        assert!(pace.0.len() <= ADDRESSES_MAX);
    }
}
