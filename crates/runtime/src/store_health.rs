//! Checks whether the database is undamaged and accepts changes: at the start, after each refusal and once a minute; after a
//! failure every 0.5 s until it does.

use std::{sync::Arc, time::Duration};

use store::{DamageCheck, Database};
use tokio::sync::watch;

use crate::health::{Health, Part, Trouble};

/// Interval of the checks while the database accepts changes.
const PROBE_INTERVAL: Duration = Duration::from_secs(60);
/// Interval of the checks after a failure.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);
/// Time for which the problem is reported after a refusal: the database may accept small changes while it refuses larger ones.
const QUIET: Duration = Duration::from_secs(1);

/// Collects refusals of the database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct StoreHealth(Arc<watch::Sender<String>>);

impl Default for StoreHealth {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::default()))
    }
}

impl StoreHealth {
    /// Reports a refusal and its reason.
    pub fn refused(&self, reason: String) {
        self.0.send_replace(reason);
    }

    /// Checks a database for damage that was too large for that at the start; checks and reports until the server ends.
    pub async fn run(self, database: Database, checked: DamageCheck, health: Health) {
        match checked {
            DamageCheck::Passed => self.probe(&database, &health).await,
            DamageCheck::Postponed => {
                tokio::join!(self.probe(&database, &health), check(&database, &health));
            }
        }
    }

    async fn probe(&self, database: &Database, health: &Health) {
        let mut refusals = self.0.subscribe();
        let mut wait = Duration::ZERO;
        loop {
            let refusal = tokio::time::timeout(wait, refusals.changed()).await;
            let reason = if refusal.is_ok() {
                wait = QUIET;
                Some(refusals.borrow_and_update().clone())
            } else {
                let failed = database.probe().await.err();
                wait = failed.as_ref().map_or(PROBE_INTERVAL, |_| RETRY_INTERVAL);
                failed.map(|error| error.to_string())
            };
            health.report(&Part::Store, reason.map(trouble));
        }
    }
}

async fn check(database: &Database, health: &Health) {
    let what = "the database is being checked for damage, which takes some minutes if it is large";
    health.report_progress(&Part::StoreCheck, Some(what.into()));
    let damage = database.check().await.err();
    health.report_progress(&Part::StoreCheck, None);
    let trouble = damage.map(|damage| Trouble {
        what: damage.to_string(),
        remedy: "restore a backup: Backup in the administration lists them".into(),
    });
    health.report(&Part::StoreCheck, trouble);
}

fn trouble(what: String) -> Trouble {
    let remedy = "check free space and permissions of the data folder, and `offhook doctor`; changes are refused and \
                  nothing is written to Teams until the database takes changes again";
    Trouble {
        what,
        remedy: remedy.into(),
    }
}
