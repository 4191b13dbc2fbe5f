//! How telephones are served: who may ask, whether they can, and for which domain.

use server::PhonesOptions;

use super::{Fault, Report};

const CHECK: &str = "telephones";

/// Looks at the configuration only: whether telephones do ask is theirs.
pub(super) fn check(report: &mut Report, options: &PhonesOptions, domains: &[&str]) {
    let mut well = true;
    let mut warn = |fault, what: String| {
        well = false;
        report.warn(CHECK, fault, what);
    };
    if options.trusted.is_empty() && options.accounts.is_empty() {
        warn(
            Fault::SipNobody,
            format!("{} answers nobody", options.listen),
        );
    }
    let elsewhere = options
        .trusted
        .iter()
        .find(|network| !network.addr().is_loopback());
    if let Some(elsewhere) = elsewhere.filter(|_| options.listen.ip().is_loopback()) {
        let what = format!("{elsewhere} cannot reach {}", options.listen);
        warn(Fault::SipLoopback, what);
    }
    // One that fits is enough: extensions of the others are reached through it.
    if let Some(other) = domains.first()
        && !domains.contains(&&*options.domain)
    {
        let what = format!("{} here, {other} there", options.domain);
        warn(Fault::SipDomain, what);
    }
    if well {
        report.fine(
            CHECK,
            format!("{} serves {}", options.listen, options.domain),
        );
    }
}
