//! Reports writes to Teams that wait because Microsoft's request limit is used up.

use std::time::Duration;

use graph::Backlog;
use runtime::health::{TeamsPart, Trouble};

use super::{Tenant, network_time, writes::TenantWrites};

/// Interval of the check.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Age from which a backlog is a problem, and by which it grows until it is reported again.
const STEP: Duration = Duration::from_secs(10);

/// Age of the backlog at the last report, in steps.
#[derive(Debug, Default)]
struct LastReport {
    steps: u128,
}

impl LastReport {
    /// Whether a report is due: the backlog has become a problem, has aged by a step, or has stopped being a problem.
    fn is_due(&mut self, oldest: Duration) -> bool {
        let steps = oldest.as_millis() / STEP.as_millis();
        let news = steps > self.steps || (steps == 0 && self.steps > 0);
        // A backlog that shrinks is reported when it is over.
        self.steps = if steps == 0 { 0 } else { steps.max(self.steps) };
        news
    }
}

impl Tenant {
    /// Reports the backlog of writes, until the task is dropped.
    pub(super) async fn report_backlog(self, writes: TenantWrites) {
        let mut last_report = LastReport::default();
        loop {
            tokio::time::sleep(CHECK_INTERVAL).await;
            writes.forget_unconfirmed(&self);
            let backlog = writes.backlog();
            self.context.metrics.set_backlog(&self.name, backlog);
            if last_report.is_due(backlog.oldest) {
                let silent_for = self.budget().pause_left(network_time());
                self.report(TeamsPart::Backlog, trouble(backlog, self.limit, silent_for));
            }
        }
    }
}

/// The problem of a backlog that is old enough.
fn trouble(
    Backlog { writes, oldest }: Backlog,
    limit: Option<u32>,
    silent_for: Option<Duration>,
) -> Option<Trouble> {
    if oldest < STEP {
        return None;
    }
    let seconds = oldest.as_secs();
    let why = match (silent_for, limit) {
        (Some(wait), _) => format!(
            "Microsoft Graph asked for a pause (Retry-After), which ends in {} s",
            wait.as_secs_f64().ceil()
        ),
        (None, Some(limit)) => {
            format!("the limit of {limit} requests per 30 seconds is used up")
        }
        (None, None) => "Microsoft Graph answers too slowly".into(),
    };
    Some(Trouble {
        what: format!("{writes} writes to Teams wait, the oldest for {seconds} s: {why}"),
        remedy:
            "they are sent by themselves, ends of calls first; if this happens every day, compare \
                 teams.requests_per_30_seconds with what Microsoft allows your tenant"
                .into(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use graph::Backlog;

    use super::{LastReport, trouble};

    #[test]
    fn a_backlog_is_reported_from_ten_seconds_on_with_count_age_and_cause() {
        let backlog = |seconds| Backlog {
            writes: 312,
            oldest: Duration::from_secs(seconds),
        };
        assert_eq!(trouble(backlog(9), Some(1_500), None), None);
        let what = |limit, silent| trouble(backlog(14), limit, silent).unwrap().what;
        let text = what(Some(1_500), None);
        for part in ["312", "14 s", "1500 requests per 30 seconds"] {
            assert!(text.contains(part), "{text}");
        }
        let silent = what(None, Some(Duration::from_millis(6_500)));
        assert!(silent.contains("ends in 7 s"), "{silent}");
    }

    #[test]
    fn it_is_reported_each_ten_seconds_and_when_it_is_over() {
        let mut last_report = LastReport::default();
        let news: Vec<u64> = [1, 9, 10, 11, 19, 20, 35, 31, 29, 12, 9, 3, 10]
            .into_iter()
            .filter(|seconds| last_report.is_due(Duration::from_secs(*seconds)))
            .collect();
        assert_eq!(news, [10, 20, 35, 9, 10]);
    }
}
