//! Reachability of the phone system: OPTIONS at intervals (RFC 3261 §11), as a pure state machine.
//!
//! Any answer counts, also a refusal: the phone system is alive.

use std::time::Duration;

use sip::{
    ids::Ids,
    message::Writer,
    subscriber::Account,
    transaction::{ClientTransaction, Due, Progress},
};

/// Interval of probes while the phone system answers; an outage is noticed within about this time.
const INTERVAL: Duration = Duration::from_secs(20);

/// Timeout of a probe: four transmissions over UDP.
const TIMEOUT: Duration = Duration::from_secs(4);

/// Timeout of a probe while the phone system is down. With the connection's pauses (3 s) its return is noticed within 5 s.
const TIMEOUT_DOWN: Duration = Duration::from_secs(2);

/// The probe's request to the connector.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ProbeAction {
    Nothing,
    /// A message for the phone system.
    Send(Vec<u8>),
    /// No answer: the phone system is gone.
    Dead,
}

#[derive(Debug)]
pub(super) struct Probe {
    pending: Option<ClientTransaction>,
    next_at: Duration,
    call_id: String,
    tag: String,
    cseq: u32,
}

impl Probe {
    /// A probe of a new connection; the first OPTIONS is due at once.
    pub(super) fn new(now: Duration, ids: &mut Ids) -> Self {
        Self {
            pending: None,
            next_at: now,
            call_id: ids.call_id(),
            tag: ids.tag(),
            cseq: 0,
        }
    }

    pub(super) fn next_deadline(&self) -> Duration {
        self.pending
            .as_ref()
            .map_or(self.next_at, ClientTransaction::next_deadline)
    }

    /// Sends an OPTIONS that is due, or reports a missing answer. `known` is true once the phone system has answered on this
    /// connection.
    pub(super) fn elapse(
        &mut self,
        now: Duration,
        known: bool,
        account: &Account,
        domain: &str,
        ids: &mut Ids,
    ) -> ProbeAction {
        if let Some(pending) = &mut self.pending {
            return match pending.elapse(now) {
                Due::Nothing => ProbeAction::Nothing,
                Due::Retransmit => ProbeAction::Send(pending.request().to_vec()),
                Due::TimedOut => ProbeAction::Dead,
            };
        }
        if now < self.next_at {
            return ProbeAction::Nothing;
        }
        self.cseq += 1;
        let branch = ids.branch();
        let via = account.transport.via_name();
        let request = Writer::request("OPTIONS", &format!("sip:{domain}"))
            .header(
                "Via",
                format_args!("SIP/2.0/{via} {};rport;branch={branch}", account.sent_by),
            )
            .header("Max-Forwards", 70)
            .header("From", format_args!("<{}>;tag={}", account.from, self.tag))
            .header("To", format_args!("<sip:{domain}>"))
            .header("Call-ID", &self.call_id)
            .header("CSeq", format_args!("{} OPTIONS", self.cseq))
            .header("Contact", format_args!("<{}>", account.contact))
            .header("Accept", &account.accept)
            .header("User-Agent", &account.user_agent)
            .finish();
        // The configuration was checked at the start; a message that cannot be written cannot be delivered either.
        let Ok(bytes) = request else {
            return ProbeAction::Dead;
        };
        let timeout = if known { TIMEOUT } else { TIMEOUT_DOWN };
        self.pending = Some(ClientTransaction::new(
            now,
            account.transport,
            branch,
            bytes.clone(),
            timeout,
        ));
        ProbeAction::Send(bytes)
    }

    /// Handles a response; returns whether it answers the probe.
    pub(super) fn respond(&mut self, now: Duration, branch: &str, code: u16) -> bool {
        let Some(pending) = &mut self.pending else {
            return false;
        };
        if pending.respond(now, branch, code) != Progress::Final {
            return false;
        }
        self.pending = None;
        self.next_at = now + INTERVAL;
        true
    }
}

#[cfg(test)]
mod tests {
    use sip::{Transport, message::Message};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn account(transport: Transport) -> Account {
        Account {
            from: "sip:u@pbx.test".into(),
            contact: "sip:u@h".into(),
            sent_by: "h:1".into(),
            transport,
            credentials: None,
            event: "dialog".into(),
            accept: "x/y".into(),
            supported: None,
            user_agent: "t".into(),
        }
    }

    /// Moves the clock to the probe's next deadline.
    fn wait(
        probe: &mut Probe,
        known: bool,
        transport: Transport,
        ids: &mut Ids,
    ) -> (Duration, ProbeAction) {
        let now = probe.next_deadline();
        (
            now,
            probe.elapse(now, known, &account(transport), "pbx.test", ids),
        )
    }

    #[test]
    fn an_answered_probe_is_followed_by_the_next_after_a_while() {
        let mut ids = Ids::new([1; 32]);
        let mut probe = Probe::new(SECOND, &mut ids);
        let (now, ProbeAction::Send(bytes)) = wait(&mut probe, false, Transport::Tcp, &mut ids)
        else {
            panic!("nothing sent")
        };
        let branch = Message::parse(&bytes).unwrap().branch().unwrap();
        assert!(!probe.respond(now, "other", 200) && !probe.respond(now, &branch, 100));
        // A refusal shows that the phone system is alive.
        assert!(probe.respond(now, &branch, 405) && !probe.respond(now, &branch, 405));
        assert_eq!(probe.next_deadline(), SECOND + INTERVAL);
        assert_eq!(
            probe.elapse(
                SECOND * 5,
                true,
                &account(Transport::Tcp),
                "pbx.test",
                &mut ids
            ),
            ProbeAction::Nothing
        );
    }

    #[test]
    fn a_dead_system_is_noticed_within_four_seconds_of_the_probe() {
        let mut ids = Ids::new([1; 32]);
        for (known, timeout, sent) in [(true, TIMEOUT, 4), (false, TIMEOUT_DOWN, 3)] {
            let mut probe = Probe::new(SECOND, &mut ids);
            let mut count = 0;
            let dead_at = loop {
                match wait(&mut probe, known, Transport::Udp, &mut ids) {
                    (at, ProbeAction::Dead) => break at,
                    (_, ProbeAction::Send(_)) => count += 1,
                    (_, ProbeAction::Nothing) => {}
                }
            };
            assert_eq!((dead_at, count), (SECOND + timeout, sent));
        }
    }
}
