//! Reads of the directory. Each call fetches one page, so that the caller spends the budget.

use reqwest::{Method, Url};

use super::{Client, body::read_with};
use crate::{
    Delta, DirectoryUser, GraphError, RequestKind, UserPage,
    directory::{Page, SELECT, read_user},
};

const PERMISSION: &str = "application permission User.Read.All";
const LOOKUP_PERMISSION: &str = "application permission User.ReadBasic.All";
/// Properties of a user in a lookup.
const FOUND: &str = "id,userPrincipalName,displayName,mail";
/// Maximum page size of Graph.
const PAGE_SIZE: &str = "999";

impl Client {
    /// Looks up a user by sign-in name or object id; `None` if Graph has none.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn find_user(&self, name: &str) -> Result<Option<DirectoryUser>, GraphError> {
        const CALL: &str = "get user";
        if !is_path_segment(name) {
            let found = self.users_with("userPrincipalName", name).await?;
            return Ok(found.into_iter().next());
        }
        let mut url = self.url(&["v1.0", "users", name])?;
        url.set_query(Some(&format!("$select={FOUND}")));
        let response = self.send(CALL, Method::GET, url.as_str(), None).await?;
        let accepted = self.accept(RequestKind::Read, CALL, LOOKUP_PERMISSION, name, response);
        match accepted.await {
            Ok(response) => read_with(CALL, response, read_user).await.map(Some),
            Err(GraphError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Users with this mail address, guests included. There may be several, because mail addresses need not be unique.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn users_with_mail(&self, mail: &str) -> Result<Vec<DirectoryUser>, GraphError> {
        self.users_with("mail", mail).await
    }

    /// Users with this value of a property (Graph, "Use the $filter query parameter").
    async fn users_with(
        &self,
        property: &'static str,
        value: &str,
    ) -> Result<Vec<DirectoryUser>, GraphError> {
        const CALL: &str = "find users";
        let mut url = self.url(&["v1.0", "users"])?;
        let quoted = value.replace('\'', "''");
        url.query_pairs_mut()
            .append_pair("$filter", &format!("{property} eq '{quoted}'"))
            .append_pair("$select", FOUND);
        // Graph expects `%20`, `$` and `,` unencoded.
        let query = url.query().unwrap_or_default().replace('+', "%20");
        url.set_query(Some(&query.replace("%24", "$").replace("%2C", ",")));
        let response = self.send(CALL, Method::GET, url.as_str(), None).await?;
        let accepted = self.accept(RequestKind::Read, CALL, LOOKUP_PERMISSION, value, response);
        let page = read_with(CALL, accepted.await?, Page::read).await?;
        // An answer that ignores the filter must not link another person's account.
        let has_it = |user: &DirectoryUser| {
            let found = match property {
                "mail" => &user.mail,
                _ => &user.user_principal_name,
            };
            let found = found.as_deref().unwrap_or_default();
            found.to_lowercase() == value.to_lowercase()
        };
        let users = page.users().users.into_iter().map(DirectoryUser::from);
        Ok(users.filter(has_it).collect())
    }

    /// Reads a page of all users: the first one, or the one at a link from [`UserPage::next`]. A link to another server is
    /// refused, because the token would be sent there.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn users(&self, link: Option<&str>) -> Result<UserPage, GraphError> {
        const CALL: &str = "list users";
        let url = self.page_url(CALL, &["v1.0", "users"], link)?;
        self.user_page((CALL, kind_of(link)), "users", url).await
    }

    /// Reads a page of the users in a group and its nested groups, by the group's object id.
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

    /// Reads a page of changes of the directory: all users without a link, the changes since the last round with a link of
    /// [`Delta`].
    ///
    /// # Errors
    /// See [`GraphError`]. A link that Graph refuses for good is not an error but [`Delta::Resync`].
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
            // Every final refusal of a link means that the link has expired; Graph would refuse it at every retry.
            Err(GraphError::Refused { .. } | GraphError::NotFound { .. }) if link.is_some() => {
                return Ok(Delta::Resync);
            }
            accepted => accepted?,
        };
        let page = read_with(CALL, response, Page::read).await?;
        page.delta().map_err(|cause| GraphError::Malformed {
            call: CALL,
            cause: cause.into(),
        })
    }

    /// Checks a `deltaLink` before it is stored for the next round.
    ///
    /// # Errors
    /// The link is too long, or leads to another server than the configured Graph.
    pub fn check_delta_link(&self, link: &str) -> Result<(), GraphError> {
        self.same_host("users delta", link).map(|_| ())
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
        Ok(read_with(call, response, Page::read).await?.users())
    }
}

/// A link can expire; the first page cannot.
fn kind_of(link: Option<&str>) -> RequestKind {
    link.map_or(RequestKind::Read, |_| RequestKind::DirectoryLink)
}

/// True if a name can be a segment of a path. Dot segments vanish from a path, gateways refuse some encoded characters, and
/// some need an escape of their own (Graph, "Get a user"): other names are found with a filter.
fn is_path_segment(name: &str) -> bool {
    let is_plain = |character: char| character.is_alphanumeric() || "@.-_+#".contains(character);
    name.chars().all(is_plain) && name.chars().any(char::is_alphanumeric)
}
