//! Requests about the people of a tenant. Each fetches one page, so that the caller spends the budget.

use reqwest::{Method, Url};

use super::{Client, read_json};
use crate::{
    Delta, DirectoryUser, GraphError, RequestKind, UserPage,
    directory::{PageWire, SELECT},
};

const PERMISSION: &str = "application permission User.Read.All";
/// The most that Graph gives on a page.
const PAGE_SIZE: &str = "999";

impl Client {
    /// Finds a user by sign-in name or object id; `None` if there is none.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn find_user(&self, name: &str) -> Result<Option<DirectoryUser>, GraphError> {
        const CALL: &str = "get user";
        let mut url = self.url(&["v1.0", "users", name])?;
        url.set_query(Some("$select=id,userPrincipalName,displayName"));
        let response = self.send(CALL, Method::GET, url.as_str(), None).await?;
        let permission = "application permission User.ReadBasic.All";
        let accepted = self.accept(RequestKind::Read, CALL, permission, name, response);
        match accepted.await {
            Ok(response) => read_json(CALL, response).await.map(Some),
            Err(GraphError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A page of all people: the first, or that of a link from [`UserPage::next`]. Links that do not lead to the configured
    /// Graph are refused, for the token would go there.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn users(&self, link: Option<&str>) -> Result<UserPage, GraphError> {
        const CALL: &str = "list users";
        let url = self.page_url(CALL, &["v1.0", "users"], link)?;
        self.user_page((CALL, kind_of(link)), "users", url).await
    }

    /// A page of the people of a group and of the groups in it, by the group's object id.
    ///
    /// # Errors
    /// See [`GraphError`]; [`GraphError::NotFound`] if there is no such group.
    pub async fn group_members(
        &self,
        group: &str,
        link: Option<&str>,
    ) -> Result<UserPage, GraphError> {
        const CALL: &str = "list group members";
        let path = [
            "v1.0",
            "groups",
            group,
            "transitiveMembers",
            "microsoft.graph.user",
        ];
        let url = self.page_url(CALL, &path, link)?;
        self.user_page((CALL, kind_of(link)), group, url).await
    }

    /// Changes of the directory: without a link everybody, with one (of [`Delta`]) what changed since.
    ///
    /// # Errors
    /// See [`GraphError`]. A link that is too old is no error, but [`Delta::Resync`].
    pub async fn users_delta(&self, link: Option<&str>) -> Result<Delta, GraphError> {
        const CALL: &str = "users delta";
        let url = match link {
            Some(link) => self.same_host(CALL, link)?,
            None => {
                let mut url = self.url(&["v1.0", "users", "delta"])?;
                url.set_query(Some(&format!("$select={SELECT}")));
                url
            }
        };
        let response = self.send(CALL, Method::GET, url.as_str(), None).await?;
        let kind = kind_of(link);
        let response = match self.accept(kind, CALL, PERMISSION, "users", response).await {
            Err(GraphError::LinkEnded { .. }) => return Ok(Delta::Resync),
            accepted => accepted?,
        };
        let page: PageWire = read_json(CALL, response).await?;
        page.delta().map_err(|cause| GraphError::Malformed {
            call: CALL,
            cause: cause.into(),
        })
    }

    fn page_url(
        &self,
        call: &'static str,
        path: &[&str],
        link: Option<&str>,
    ) -> Result<Url, GraphError> {
        if let Some(link) = link {
            return self.same_host(call, link);
        }
        let mut url = self.url(path)?;
        url.set_query(Some(&format!("$select={SELECT}&$top={PAGE_SIZE}")));
        Ok(url)
    }

    async fn user_page(
        &self,
        (call, kind): (&'static str, RequestKind),
        what: &str,
        url: Url,
    ) -> Result<UserPage, GraphError> {
        let response = self.send(call, Method::GET, url.as_str(), None).await?;
        let permission = if what == "users" {
            PERMISSION
        } else {
            "application permissions GroupMember.Read.All and User.Read.All"
        };
        let response = self.accept(kind, call, permission, what, response).await?;
        let page: PageWire = read_json(call, response).await?;
        Ok(page.users())
    }
}

/// A page by a link of Graph can have ended; the first page cannot.
fn kind_of(link: Option<&str>) -> RequestKind {
    link.map_or(RequestKind::Read, |_| RequestKind::DirectoryLink)
}
