//! Calls for which a PBX asks again and again, because it drops the mark of the answer "unchanged" or dials the target of a
//! forwarded call through Offhook again.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    time::Duration,
};

use super::{Call, Decision, has_loop_mark};
use crate::{message::Message, uri::user};

/// How long an answer is remembered. A PBX in a circle asks again within 0.2 s; a person who redials needs longer.
const REMEMBERED: Duration = Duration::from_secs(2);
/// Most answers that are remembered; each takes about 100 bytes.
const ANSWERS_MAX: usize = 8_192;
/// Most times that one caller may be forwarded by one person within [`REMEMBERED`].
const FORWARDED_MAX: usize = 10;

/// The answers of the last seconds with which a PBX goes on: 302, unchanged or forwarded.
#[derive(Debug, Default)]
pub struct Repeats {
    /// The answered requests, by call.
    answered: HashMap<u64, Vec<u64>>,
    /// The time of each call's first answer, the oldest in front.
    order: VecDeque<(Duration, u64)>,
    hasher: RandomState,
}

impl Repeats {
    /// The decision about a call, or [`Decision::Repeat`] if the PBX at `source` has had the same answer before: an
    /// unchanged call comes again with its Call-ID, or from the same caller to the same user within 2 seconds; or it was
    /// forwarded ten times within them. A retransmission (RFC 3261 §17.1.1.2) gets the same answer again. A refused call
    /// ends.
    pub fn check(
        &mut self,
        now: Duration,
        source: IpAddr,
        request: &Message<'_>,
        call: &Call,
        decision: Decision,
    ) -> Decision {
        let most = match decision {
            // This call is answered 482.
            Decision::Unchanged if has_loop_mark(call.called.as_str()) => return decision,
            Decision::Unchanged => 1,
            Decision::Forward(_) => FORWARDED_MAX,
            Decision::Refuse(_) | Decision::Repeat => return decision,
        };
        self.forget(now);
        let transaction = self.transaction(request);
        let keys = self.keys(source, request, call, most);
        let is_used_up = |(key, most): &(u64, usize)| {
            let known = self.answered.get(key);
            known.is_some_and(|known| known.len() >= *most && !known.contains(&transaction))
        };
        if keys.iter().any(is_used_up) {
            return Decision::Repeat;
        }
        for (key, _) in keys {
            let known = self.answered.entry(key).or_insert_with(|| {
                self.order.push_back((now, key));
                Vec::with_capacity(1)
            });
            if !known.contains(&transaction) {
                known.push(transaction);
            }
        }
        decision
    }

    fn forget(&mut self, now: Duration) {
        while let Some((at, key)) = self.order.front()
            && (self.order.len() > ANSWERS_MAX || now >= *at + REMEMBERED)
        {
            self.answered.remove(key);
            self.order.pop_front();
        }
    }

    fn transaction(&self, request: &Message<'_>) -> u64 {
        let header = |name| request.header(name);
        let names = (request.branch(), header("Call-ID"), header("CSeq"));
        self.hasher.hash_one(names)
    }

    /// The keys of a call, and how often each may be answered: its Call-ID, and its caller, both with the called user, since
    /// a PBX forks one call to several users.
    fn keys(
        &self,
        source: IpAddr,
        request: &Message<'_>,
        call: &Call,
        most: usize,
    ) -> [(u64, usize); 2] {
        let spelled = |uri: &str| user(uri).unwrap_or_else(|| uri.to_owned());
        let called = spelled(call.called.as_str());
        let caller = call.callers.first().map(|caller| spelled(caller));
        // Callers without a number may be several.
        let of_caller = match caller.as_deref().is_none_or(is_anonymous) {
            true => FORWARDED_MAX,
            false => most,
        };
        let call_id = request.header("Call-ID");
        let of = |kind, value: Option<&str>| self.hasher.hash_one((source, &called, kind, value));
        [
            (of("Call-ID", call_id.as_deref()), most),
            (of("caller", caller.as_deref()), of_caller),
        ]
    }
}

/// Whether a user part stands for a hidden number (RFC 3323 §4.1.1.3), in the spellings of gateways.
fn is_anonymous(user: &str) -> bool {
    let spellings = [
        "anonymous",
        "unknown",
        "unavailable",
        "restricted",
        "private",
    ];
    spellings
        .iter()
        .any(|known| known.eq_ignore_ascii_case(user))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::message::{Address, Writer};

    const PBX: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    /// An INVITE as the table below writes it: caller, called user, Call-ID and branch.
    type Ask<'a> = (&'a str, &'a str, &'a str, &'a str);

    fn ask(
        repeats: &mut Repeats,
        now: u64,
        source: IpAddr,
        (caller, called, call_id, branch): Ask<'_>,
        decision: &Decision,
    ) -> Decision {
        let bytes = Writer::request("INVITE", &format!("sip:{called}@pbx.test"))
            .header(
                "Via",
                format_args!("SIP/2.0/UDP pbx;branch=z9hG4bK{branch}"),
            )
            .header("From", format_args!("<sip:{caller}@pbx.test>;tag=1"))
            .header("To", format_args!("<sip:{called}@pbx.test>"))
            .header("Call-ID", call_id)
            .header("CSeq", "1 INVITE")
            .finish()
            .unwrap();
        let request = Message::parse(&bytes).unwrap();
        let call = Call::of(&request).unwrap();
        let now = Duration::from_millis(now);
        repeats.check(now, source, &request, &call, decision.clone())
    }

    // A19: callers without a number may be several; a circle of such calls ends nevertheless.
    #[test]
    fn callers_without_a_number_are_not_taken_for_one() {
        use Decision::{Repeat, Unchanged};
        let mut repeats = Repeats::default();
        for number in 0..FORWARDED_MAX {
            let own = number.to_string();
            let call: Ask<'_> = ("anonymous", "1002", &own, &own);
            assert_eq!(
                ask(&mut repeats, 100, PBX, call, &Unchanged),
                Unchanged,
                "{number}"
            );
        }
        let next: Ask<'_> = ("anonymous", "1002", "next", "next");
        assert_eq!(ask(&mut repeats, 200, PBX, next, &Unchanged), Repeat);
    }

    // A19
    #[test]
    fn a_call_that_was_sent_back_is_let_ring_when_it_comes_again() {
        use Decision::{Repeat, Unchanged};
        let first: Ask<'_> = ("1003", "1002", "a", "1");
        for (name, at, second, wanted) in [
            ("a retransmission", 500, first, Unchanged),
            ("the same Call-ID", 500, ("1003", "1002", "a", "2"), Repeat),
            (
                "the same Call-ID, of an anonymous caller",
                500,
                ("anonymous", "1002", "a", "2"),
                Repeat,
            ),
            ("another Call-ID", 150, ("1003", "1002", "b", "2"), Repeat),
            (
                "in another spelling",
                150,
                ("%31003", "1%3002", "b", "2"),
                Repeat,
            ),
            (
                "at the end of the time",
                1_999,
                ("1003", "1002", "b", "2"),
                Repeat,
            ),
            (
                "a person who redials",
                2_000,
                ("1003", "1002", "b", "2"),
                Unchanged,
            ),
            (
                "another person is called",
                10,
                ("1003", "1001", "b", "2"),
                Unchanged,
            ),
            ("a fork", 10, ("1003", "1001", "a", "2"), Unchanged),
            (
                "another person calls",
                10,
                ("1004", "1002", "b", "2"),
                Unchanged,
            ),
        ] {
            let mut repeats = Repeats::default();
            assert_eq!(
                ask(&mut repeats, 0, PBX, first, &Unchanged),
                Unchanged,
                "{name}"
            );
            assert_eq!(
                ask(&mut repeats, at, PBX, second, &Unchanged),
                wanted,
                "{name}"
            );
            let other = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
            assert_eq!(
                ask(&mut repeats, at, other, second, &Unchanged),
                Unchanged,
                "{name}, elsewhere"
            );
        }
    }

    // A19
    #[test]
    fn a_call_that_is_forwarded_or_refused_is_treated_alike_when_it_comes_again() {
        let forward = Decision::Forward(Address::parse("sip:1001@pbx.test").unwrap());
        let mut repeats = Repeats::default();
        for number in 0..FORWARDED_MAX {
            let number = number.to_string();
            let again = ("1003", "1002", &*number, &*number);
            assert_eq!(ask(&mut repeats, 10, PBX, again, &forward), forward);
            assert_eq!(ask(&mut repeats, 10, PBX, again, &forward), forward);
        }
        // The number that it is forwarded to leads back here.
        let again = ("1003", "1002", "x", "x");
        assert_eq!(
            ask(&mut repeats, 20, PBX, again, &forward),
            Decision::Repeat
        );
        assert_eq!(ask(&mut repeats, 2_010, PBX, again, &forward), forward);
        for _ in 0..20 {
            let refuse = Decision::Refuse(486);
            assert_eq!(ask(&mut repeats, 2_020, PBX, again, &refuse), refuse);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut repeats = Repeats::default();
        for number in 0..ANSWERS_MAX {
            let number = number.to_string();
            let call = (&*number, "1002", &*number, "1");
            assert_eq!(
                ask(&mut repeats, 0, PBX, call, &Decision::Unchanged),
                Decision::Unchanged
            );
        }
        assert!(
            repeats.answered.len() <= ANSWERS_MAX + 2 && repeats.order.len() <= ANSWERS_MAX + 2
        );
        ask(
            &mut repeats,
            2_000,
            PBX,
            ("1", "2", "c", "1"),
            &Decision::Unchanged,
        );
        assert_eq!(repeats.answered.len(), 2);
        assert_eq!(repeats.order.len(), 2);
    }
}
