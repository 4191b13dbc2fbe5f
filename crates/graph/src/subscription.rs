//! Subscriptions to changes of presence (reference 4.1 to 4.4): what is sent and answered, and who keeps them alive.

mod account;
mod keeper;
mod shard;
mod watchdog;

#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde_json::{Value, json};

pub use keeper::{AccountStatus, Action, Keeper, KeeperSettings, SubscriptionAnswer};

use crate::{
    Certificate, Secret,
    time::{format_milliseconds, parse_milliseconds},
};

/// The most people that one subscription may name.
pub const SUBSCRIPTION_MAX: usize = 650;

/// The certificate for which Graph encrypts what it notifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionCertificate {
    /// Our name of it, which comes back with every notification; at most 128 characters.
    pub id: String,
    /// Its public part.
    pub certificate: Certificate,
}

/// A subscription that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSubscription {
    /// Where notifications are sent: https, reachable for Microsoft.
    pub notification_url: String,
    /// Where lifecycle events are sent. It cannot be added later.
    pub lifecycle_url: Option<String>,
    /// Entra object ids, at most [`SUBSCRIPTION_MAX`].
    pub people: Vec<String>,
    /// When it is to end, in milliseconds since 1970: at most 60 minutes from now.
    pub expires: i64,
    /// For which certificate to encrypt.
    pub certificate: EncryptionCertificate,
    /// What comes back with every notification, so that we know our own.
    pub client_state: Secret,
}

/// A subscription as Graph has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Graph's id of it.
    pub id: String,
    /// What it watches.
    pub resource: String,
    /// Where it notifies.
    pub notification_url: String,
    /// When it ends, in milliseconds since 1970; `None` if Graph's word cannot be read.
    pub expires: Option<i64>,
}

impl NewSubscription {
    /// The request's body.
    pub(crate) fn body(&self) -> Value {
        let mut body = json!({
            "changeType": "updated",
            "notificationUrl": self.notification_url,
            "resource": resource(&self.people),
            "expirationDateTime": format_milliseconds(self.expires),
            "includeResourceData": true,
            "encryptionCertificate": self.certificate.certificate.base64(),
            "encryptionCertificateId": self.certificate.id,
            "clientState": self.client_state.reveal(),
            "latestSupportedTlsVersion": "v1_2",
        });
        if let Some(url) = &self.lifecycle_url {
            body["lifecycleNotificationUrl"] = json!(url);
        }
        body
    }
}

/// The body of a renewal; a certificate only where it changes.
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
    /// True if it watches presence: an account may have others, of other programs, which are not ours to touch.
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
