//! Requests about subscriptions, with a delegated token: applications may not subscribe to presence (reference 4.1).

use reqwest::Method;
use serde::Deserialize;

use super::{Client, body::read_json};
use crate::{
    GraphError, RequestKind, Secret,
    error::Asked,
    subscription::{
        EncryptionCertificate, NewSubscription, Subscription, SubscriptionWire, renewal,
    },
};

const PERMISSION: &str = "delegated permission Presence.Read.All";
/// Pages of subscriptions that are read; one account has one for presence and few others.
const PAGES_MAX: usize = 20;

#[derive(Deserialize)]
struct Page {
    value: Vec<SubscriptionWire>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Option<String>,
}

impl Client {
    /// Creates a subscription. Graph tries its addresses before it answers, so they must be served already.
    ///
    /// # Errors
    /// See [`GraphError`]; [`GraphError::Refused`] with 409 if the account has one for presence already.
    pub async fn create_subscription(
        &self,
        token: &Secret,
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

    /// Lets a subscription live until `expires` (milliseconds since 1970), with another certificate if one is given.
    ///
    /// # Errors
    /// See [`GraphError`]; [`GraphError::NotFound`] if it has ended.
    pub async fn renew_subscription(
        &self,
        token: &Secret,
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

    /// Shows Graph a fresh token for a subscription, after it asked for one.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn reauthorize_subscription(
        &self,
        token: &Secret,
        id: &str,
    ) -> Result<(), GraphError> {
        const CALL: &str = "reauthorize subscription";
        let url = self.url(&["v1.0", "subscriptions", id, "reauthorize"])?;
        let response = self
            .send_as(token, CALL, Method::POST, url.as_str(), None)
            .await?;
        let asked = Asked {
            call: CALL,
            permission: PERMISSION,
            what: id,
        };
        self.settle(RequestKind::ChangeSubscription, asked, response)
            .await?;
        Ok(())
    }

    /// Deletes a subscription. That there is none is success.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn delete_subscription(&self, token: &Secret, id: &str) -> Result<(), GraphError> {
        const CALL: &str = "delete subscription";
        let url = self.url(&["v1.0", "subscriptions", id])?;
        let response = self
            .send_as(token, CALL, Method::DELETE, url.as_str(), None)
            .await?;
        let asked = Asked {
            call: CALL,
            permission: PERMISSION,
            what: id,
        };
        self.settle(RequestKind::DeleteSubscription, asked, response)
            .await?;
        Ok(())
    }

    /// All subscriptions of the account and this application.
    ///
    /// # Errors
    /// See [`GraphError`].
    pub async fn subscriptions(&self, token: &Secret) -> Result<Vec<Subscription>, GraphError> {
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
