//! The demo's driven clock: the server follows the clock of teamsbox, step by step, so that everything has happened
//! that would have happened meanwhile.

use std::{sync::Arc, time::Duration};

use presence::Timestamp;
use server::{App, clock::ClockDriver};
use teamsbox::Teamsbox;

/// How much driven time may pass before the lines are asked anew: well within their lease of ten minutes.
const RECONCILE: Duration = Duration::from_secs(240);
/// How often the driven clock is moved while teamsbox's clock runs by itself.
const REAL_STEP: Duration = Duration::from_millis(20);

/// Follows for ever.
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
            // In mode `real` nobody announces steps.
            () = tokio::time::sleep(REAL_STEP) => {
                if clock.mode() == teamsbox::ClockMode::Real {
                    driver.set(Timestamp::from_milliseconds(clock.now_milliseconds()));
                }
            }
        }
    }
}
