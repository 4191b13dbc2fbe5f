//! The check of the installation, as pages and API start it. The command line provides the checks.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Result of a check.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// Name of the check.
    pub check: String,
    /// `fine`, `warning`, `failed`, `skipped`.
    pub verdict: String,
    /// Names and values of this installation.
    pub what: String,
    /// Code of the fault, listed in `docs/doctor.md`.
    pub fault: Option<String>,
    /// Meaning of the fault.
    pub means: Option<String>,
    /// Remedy.
    pub remedy: Option<String>,
}

type Examine = dyn Fn() -> BoxFuture<'static, Vec<Finding>> + Send + Sync;

/// Checks the installation by the present configuration file, even if the server has not loaded it yet. Cheap to clone.
#[derive(Clone)]
pub struct Doctor(Arc<Examine>);

impl fmt::Debug for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Doctor").finish()
    }
}

impl Doctor {
    /// Checks by this function.
    pub fn new(
        examine: impl Fn() -> BoxFuture<'static, Vec<Finding>> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(examine))
    }

    /// Runs all checks of the installation.
    pub async fn examine(&self) -> Vec<Finding> {
        (self.0)().await
    }
}
