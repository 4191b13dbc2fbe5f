//! Check of the installation: faults, their meaning and remedies.

use std::{sync::Arc, time::Duration};

use api_types::doctor::{Findings, Verdict};
use axum::extract::State;
use runtime::{audit::Administration, context::Context, organisation::ORGANISATION};
use serde_json::json;
use tokio::sync::Mutex;

use super::audit::new_entry;
use crate::{caller::Caller, installation_check::Doctor, problem::Problem};

/// Longer than all checks that wait for the network.
const CHECK_TIMEOUT: Duration = Duration::from_secs(120);

/// The check of the installation, at most one at a time.
#[derive(Debug)]
pub struct Examination {
    /// `None` if the server has no configuration file.
    doctor: Option<Doctor>,
    /// Held while a check runs.
    running: Mutex<()>,
}

impl Examination {
    /// Runs the checks of this doctor.
    pub fn new(doctor: Option<Doctor>) -> Self {
        Self {
            doctor,
            running: Mutex::default(),
        }
    }
}

/// Checks the installation by the present configuration file: changes of the file can be tried before a restart.
#[utoipa::path(
    post,
    path = "/doctor",
    tag = "Administration",
    responses((status = OK, description = "The result.", body = Findings)),
)]
pub async fn examine(
    State(context): State<Context>,
    State(examination): State<Arc<Examination>>,
    caller: Caller,
) -> Result<axum::Json<Findings>, Problem> {
    caller.require_admin(&context.organisation, ORGANISATION)?;
    let Some(doctor) = &examination.doctor else {
        let detail = "this server was started without a configuration file, as the demo is, so there is nothing to examine; `offhook serve` has one";
        return Err(Problem::conflict(detail));
    };
    let Ok(_one_at_a_time) = examination.running.try_lock() else {
        let detail = "the doctor is busy with this installation; wait a moment";
        return Err(Problem::conflict(detail));
    };
    let items = tokio::time::timeout(CHECK_TIMEOUT, doctor.examine())
        .await
        .map_err(|_| {
            Problem::unavailable("the doctor took too long; run `offhook doctor` there")
        })?;
    let failed = items
        .iter()
        .filter(|finding| finding.verdict == Verdict::Failed);
    let after = json!({"checks": items.len(), "failed": failed.count()});
    let entry = new_entry(
        &context.clock,
        &caller,
        Administration::DoctorExamine,
        ORGANISATION,
    )
    .after(Some(after));
    // The findings are most important if the disk is full or the database damaged: they are answered even if the audit
    // entry fails.
    if let Err(error) = context.store.record_change(&entry.change()).await {
        tracing::warn!(%error, "the audit log does not tell that the doctor was asked");
    }
    Ok(axum::Json(Findings { items }))
}
