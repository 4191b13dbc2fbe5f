//! Subscriptions to presence. They need a delegated token: Graph does not let applications subscribe to presence (Graph,
//! "Get change notifications for presence updates in Microsoft Teams").

use reqwest::Method;
use secrecy::SecretString;
use serde::Deserialize;

use super::{Client, body::read_json};
use crate::{
    GraphError, RequestKind,
    error::RequestContext,
    subscription::{
        EncryptionCertificate, NewSubscription, Subscription, SubscriptionWire, renewal,
    },
};

const PERMISSION: &str = "delegated permission Presence.Read.All";
/// Maximum number of pages of subscriptions to read; an account has one for presence and few others.
const PAGES_MAX: usize = 20;

#[derive(Deserialize)]
struct Page {
    value: Vec<SubscriptionWire>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Client {
    /// Creates a subscription. Graph validates the notification URLs before it answers, so they must be served already.
    ///
    /// # Errors
    /// See [`GraphError`]; [`GraphError::Refused`] with 409 if the account has a presence subscription already.
    pub async fn create_subscription(
        &self,
        token: &SecretString,
        subscription: &NewSubscription,
    ) -> Result<Subscription, GraphError> {
        const CALL: &str = "create subscription";
        let url = self.url(&["v1.0", "subscriptions"])?;
        let body = subscription.body();
        let response = self
            .send_as(token, CALL, Method::POST, url.as_str(), Some(&body))
            .await?;
        let response = self
            .accept(
                RequestKind::CreateSubscription,
                CALL,
                PERMISSION,
                "subscriptions",
                response,
            )
            .await?;
        read_json::<SubscriptionWire>(CALL, response)
            .await
            .map(Into::into)
    }

    /// Extends a subscription until `expires` (milliseconds since 1970), and replaces its certificate if one is given.
    ///
    /// # Errors
    /// See [`GraphError`]; [`GraphError::NotFound`] if the subscription has expired.
    pub async fn renew_subscription(
        &self,
        token: &SecretString,
        id: &str,
        expires: i64,
        certificate: Option<&EncryptionCertificate>,
    ) -> Result<Subscription, GraphError> {
        const CALL: &str = "renew subscription";
        let url = self.url(&["v1.0", "subscriptions", id])?;
        let body = renewal(expires, certificate);
        let response = self
            .send_as(token, CALL, Method::PATCH, url.as_str(), Some(&body))
            .await?;
        let kind = RequestKind::ChangeSubscription;
        let response = self.accept(kind, CALL, PERMISSION, id, response).await?;
        read_json::<SubscriptionWire>(CALL, response)
            .await
            .map(Into::into)
    }

    /// Reauthorizes a subscription with a new token, after Graph asked for it.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn reauthorize_subscription(
        &self,
        token: &SecretString,
        id: &str,
    ) -> Result<(), GraphError> {
        const CALL: &str = "reauthorize subscription";
        let url = self.url(&["v1.0", "subscriptions", id, "reauthorize"])?;
        let response = self
            .send_as(token, CALL, Method::POST, url.as_str(), None)
            .await?;
        let asked = RequestContext {
            call: CALL,
            permission: PERMISSION,
            what: id,
        };
        self.judge_response(RequestKind::ChangeSubscription, asked, response)
            .await?;
        Ok(())
    }

    /// Deletes a subscription. Succeeds if it does not exist.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn delete_subscription(
        &self,
        token: &SecretString,
        id: &str,
    ) -> Result<(), GraphError> {
        const CALL: &str = "delete subscription";
        let url = self.url(&["v1.0", "subscriptions", id])?;
        let response = self
            .send_as(token, CALL, Method::DELETE, url.as_str(), None)
            .await?;
        let asked = RequestContext {
            call: CALL,
            permission: PERMISSION,
            what: id,
        };
        self.judge_response(RequestKind::DeleteSubscription, asked, response)
            .await?;
        Ok(())
    }

    /// Lists the subscriptions of the account and this application.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn subscriptions(
        &self,
        token: &SecretString,
    ) -> Result<Vec<Subscription>, GraphError> {
        const CALL: &str = "list subscriptions";
        let mut url = self.url(&["v1.0", "subscriptions"])?;
        let mut found = Vec::new();
        for _ in 0..PAGES_MAX {
            let response = self
                .send_as(token, CALL, Method::GET, url.as_str(), None)
                .await?;
            let response = self
                .accept(
                    RequestKind::Read,
                    CALL,
                    PERMISSION,
                    "subscriptions",
                    response,
                )
                .await?;
            let page: Page = read_json(CALL, response).await?;
            found.extend(page.value.into_iter().map(Subscription::from));
            match page.next {
                Some(next) => url = self.same_host(CALL, &next)?,
                None => break,
            }
        }
        Ok(found)
    }
}
