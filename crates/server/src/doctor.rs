//! The doctor as the pages and the API call it. What it looks at is the command line's to know; here is only the way to it.

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a check found.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// `fine`, `warning`, `failed`, `skipped`.
    pub verdict: String,
    /// In this installation: names and values.
    pub what: String,
    /// The fault's code, as `docs/doctor.md` lists them.
    pub fault: Option<String>,
    /// What that means.
    pub means: Option<String>,
    /// What to do.
    pub remedy: Option<String>,
}

type Examine = dyn Fn() -> BoxFuture<'static, Vec<Finding>> + Send + Sync;

/// Examines the installation as its configuration file is now, whether or not the server has read it.
#[derive(Clone)]
pub struct Doctor(Arc<Examine>);

impl fmt::Debug for Doctor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Doctor").finish()
    }
}

impl Doctor {
    /// A doctor who examines so.
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
