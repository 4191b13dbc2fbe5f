//! Requests about the people of a tenant.

use reqwest::StatusCode;

use super::{Client, read_json};
use crate::{DirectoryUser, GraphError};

impl Client {
    /// Finds a user by sign-in name or object id; `None` if there is none.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn find_user(&self, name: &str) -> Result<Option<DirectoryUser>, GraphError> {
        const CALL: &str = "get user";
        let mut url = self.url(&["v1.0", "users", name])?;
        url.set_query(Some("$select=id,userPrincipalName"));
        let response = self
            .send(CALL, reqwest::Method::GET, url.as_str(), None)
            .await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = self
            .accept(
                CALL,
                "application permission User.ReadBasic.All",
                name,
                response,
            )
            .await?;
        read_json(CALL, response).await.map(Some)
    }
}
