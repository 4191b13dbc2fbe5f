//! The check of the installation, as pages and API start it. The command line provides the checks.

use std::{fmt, sync::Arc};

use api_types::doctor::Finding;
use futures_util::future::BoxFuture;

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
