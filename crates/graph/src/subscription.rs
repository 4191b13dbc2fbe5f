//! Presence subscriptions: request bodies, answers, and the keeper that renews them (Graph, "Get change notifications for
//! presence updates in Microsoft Teams").

mod account;
mod keeper;
mod shard;
mod watchdog;

#[cfg(test)]
mod tests;

pub use keeper::{AccountStatus, Action, Keeper, KeeperSettings, SubscriptionAnswer};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Certificate,
    time::{format_milliseconds, parse_milliseconds},
};

/// Maximum number of people in one subscription.
pub const SUBSCRIPTION_MAX: usize = 650;

/// Certificate with which Graph encrypts notifications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionCertificate {
    /// Our id for the certificate, which Graph repeats in every notification; at most 128 characters.
    pub id: String,
    /// Public certificate.
    pub certificate: Certificate,
}

/// A subscription to create.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// URL for notifications: https, reachable for Microsoft.
    pub notification_url: String,
    /// URL for lifecycle events. Graph does not allow adding it later.
    pub lifecycle_url: Option<String>,
    /// Entra object ids of the people, at most [`SUBSCRIPTION_MAX`].
    pub people: Vec<String>,
    /// Time of expiry in milliseconds since 1970, at most 60 minutes from now.
    pub expires: i64,
    /// Certificate with which Graph encrypts.
    pub certificate: EncryptionCertificate,
    /// Secret that Graph repeats in every notification, to prove that it belongs to this subscription.
    pub client_state: SecretString,
}

/// A subscription that exists at Graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Id that Graph assigned.
    pub id: String,
    /// Resource that the subscription is about.
    pub resource: String,
    /// URL for notifications.
    pub notification_url: String,
    /// Time of expiry in milliseconds since 1970; `None` if Graph's value is not a time.
    pub expires: Option<i64>,
}

impl NewSubscription {
    /// Body of the request.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "changeType": "updated",
            "notificationUrl": self.notification_url,
            "resource": resource(&self.people),
            "expirationDateTime": format_milliseconds(self.expires),
            "includeResourceData": true,
            "encryptionCertificate": self.certificate.certificate.base64(),
            "encryptionCertificateId": self.certificate.id,
            "clientState": self.client_state.expose_secret(),
            "latestSupportedTlsVersion": "v1_2",
        });
        if let Some(url) = &self.lifecycle_url {
            body["lifecycleNotificationUrl"] = json!(url);
        }
        body
    }
}

/// Body of a renewal, with a certificate only if it changes.
pub(crate) fn renewal(expires: i64, certificate: Option<&EncryptionCertificate>) -> Value {
    let mut body = json!({ "expirationDateTime": format_milliseconds(expires) });
    if let Some(certificate) = certificate {
        body["encryptionCertificate"] = json!(certificate.certificate.base64());
        body["encryptionCertificateId"] = json!(certificate.id);
    }
    body
}

fn resource(people: &[String]) -> String {
    let ids: Vec<String> = people
        .iter()
        .map(|id| format!("'{}'", id.replace('\'', "''")))
        .collect();
    format!(
        "/communications/presences?$filter=id in ({})",
        ids.join(",")
    )
}

impl Subscription {
    /// True for a subscription to presence. Other subscriptions of the account belong to other programs.
    pub fn watches_presence(&self) -> bool {
        self.resource
            .trim_start_matches('/')
            .to_ascii_lowercase()
            .starts_with("communications/presences")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionWire {
    id: String,
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    notification_url: Option<String>,
    #[serde(default)]
    expiration_date_time: Option<String>,
}

impl From<SubscriptionWire> for Subscription {
    fn from(wire: SubscriptionWire) -> Self {
        Self {
            id: wire.id,
            resource: wire.resource.unwrap_or_default(),
            notification_url: wire.notification_url.unwrap_or_default(),
            expires: wire
                .expiration_date_time
                .as_deref()
                .and_then(parse_milliseconds),
        }
    }
}
