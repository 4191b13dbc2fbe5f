//! Untrusted addresses that send INVITEs: a PBX that is missing in `sip.trusted` looks healthy, but its calls are not routed.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use runtime::health::{Health, Part, Trouble};

/// Remembered addresses. One more replaces the address with the oldest INVITE.
const REMEMBERED_MAX: usize = 16;
/// Time for which an address is remembered after its last INVITE.
const LASTS: Duration = Duration::from_secs(3_600);
/// Shortest time between two reports: source addresses of UDP can be forged.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// The addresses, with the time of the last INVITE of each.
#[derive(Debug, Default)]
pub(super) struct Untrusted {
    asked: BTreeMap<IpAddr, Duration>,
    /// The last report, with its time.
    reported: Option<(Duration, Vec<IpAddr>)>,
}

impl Untrusted {
    /// Records a refused INVITE.
    pub(super) fn refused(&mut self, now: Duration, source: IpAddr) {
        let source = source.to_canonical();
        if self.asked.len() >= REMEMBERED_MAX && !self.asked.contains_key(&source) {
            let quiet = self.asked.iter().min_by_key(|(_, at)| **at);
            if let Some(quiet) = quiet.map(|(address, _)| *address) {
                self.asked.remove(&quiet);
            }
        }
        self.asked.insert(source, now);
    }

    /// Reports changed addresses, and forgets those without a recent INVITE.
    pub(super) fn report(&mut self, now: Duration, health: &Health) {
        self.asked.retain(|_, at| now < *at + LASTS);
        if self.is_due(now) {
            health.report_warning(&Part::RefusedPhones, self.warning());
            self.reported = Some((now, self.asked.keys().copied().collect()));
        }
    }

    /// The next time at which [`Self::report`] is due.
    pub(super) fn next_deadline(&self) -> Option<Duration> {
        let first = self.asked.values().min().map(|at| *at + LASTS);
        match &self.reported {
            Some((at, _)) if !self.is_reported() => {
                let next = *at + REPORT_INTERVAL;
                Some(first.map_or(next, |first| first.min(next)))
            }
            Some(_) | None => first,
        }
    }

    fn is_due(&self, now: Duration) -> bool {
        let is_early = |(at, _): &(Duration, Vec<IpAddr>)| now < *at + REPORT_INTERVAL;
        !self.is_reported() && !self.reported.as_ref().is_some_and(is_early)
    }

    fn is_reported(&self) -> bool {
        let reported = self.reported.iter().flat_map(|(_, reported)| reported);
        reported.eq(self.asked.keys())
    }

    fn warning(&self) -> Option<Trouble> {
        let addresses: Vec<String> = self.asked.keys().map(ToString::to_string).collect();
        let asks = match addresses.len() {
            0 => return None,
            1 => "asks where calls go (INVITE) and is",
            _ => "ask where calls go (INVITE) and are",
        };
        Some(Trouble {
            what: format!(
                "{} {asks} not in sip.trusted: refused with 403",
                addresses.join(", ")
            ),
            remedy: "If it is the PBX, add it to trusted in [sip] and restart Offhook; a phone that dials over its account at \
                     Offhook, and strangers, are refused rightly (docs/connect-pbx.md, 4)."
                .into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn warning_text(health: &Health) -> String {
        let warnings = health.warnings();
        warnings
            .get(&Part::RefusedPhones)
            .map_or_else(String::new, |w| w.what.clone())
    }

    #[test]
    fn a_pbx_that_is_not_trusted_is_named_until_it_is_quiet() {
        let (mut untrusted, health) = (Untrusted::default(), Health::default());
        assert_eq!(untrusted.next_deadline(), None);
        untrusted.refused(MINUTE, "::ffff:192.0.2.2".parse().unwrap());
        untrusted.report(MINUTE, &health);
        let one =
            "192.0.2.2 asks where calls go (INVITE) and is not in sip.trusted: refused with 403";
        assert_eq!(warning_text(&health), one);
        // The next report waits.
        untrusted.refused(MINUTE, address(3));
        untrusted.report(MINUTE, &health);
        assert_eq!(warning_text(&health), one);
        assert_eq!(untrusted.next_deadline(), Some(MINUTE * 2));
        untrusted.report(MINUTE * 2, &health);
        assert!(
            warning_text(&health).starts_with("192.0.2.2, 192.0.2.3 ask "),
            "{}",
            warning_text(&health)
        );
        assert_eq!(untrusted.next_deadline(), Some(MINUTE + LASTS));
        untrusted.report(MINUTE + LASTS, &health);
        assert_eq!(warning_text(&health), "");
        assert_eq!(untrusted.next_deadline(), None);
    }

    #[test]
    fn strangers_fill_no_memory() {
        let mut untrusted = Untrusted::default();
        for last in 0..=255 {
            untrusted.refused(MINUTE * u32::from(last), address(last));
        }
        assert_eq!(untrusted.asked.len(), REMEMBERED_MAX);
        assert!(untrusted.asked.contains_key(&address(255)));
    }
}
