//! Manual clock of the demo: the server follows the clock of teamsbox in steps, so that everything due in between happens.

use std::{sync::Arc, time::Duration};

use presence::Timestamp;
use runtime::clock::ClockDriver;
use server::App;
use teamsbox::Teamsbox;

/// Maximum step between two refreshes of the PBX lines, below their lease of ten minutes.
const RECONCILE: Duration = Duration::from_secs(240);
/// Interval of steps while teamsbox's clock runs in real time.
const REAL_STEP: Duration = Duration::from_millis(20);

/// Follows teamsbox's clock until the demo ends.
pub async fn follow(app: Arc<App>, teamsbox: Arc<Teamsbox>, driver: ClockDriver) {
    let clock = teamsbox.clock().clone();
    let mut follower = clock.follow();
    let mut reconciled = Timestamp::from_milliseconds(clock.now_milliseconds());
    loop {
        tokio::select! {
            step = follower.next() => {
                let Some(step) = step else { return };
                let now = Timestamp::from_milliseconds(step.now_milliseconds);
                driver.set(now);
                if now.since(reconciled) >= RECONCILE {
                    reconciled = now;
                    app.reconcile_lines().await;
                }
                app.settle().await;
                step.done();
            }
            // In mode `real`, no steps are announced.
            () = tokio::time::sleep(REAL_STEP) => {
                if clock.mode() == teamsbox::ClockMode::Real {
                    driver.set(Timestamp::from_milliseconds(clock.now_milliseconds()));
                }
            }
        }
    }
}
