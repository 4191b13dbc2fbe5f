//! JSON of notifications in all variants that Graph sends.

use serde::Deserialize;
use serde_json::Value;

/// Body of a POST. Items are parsed one by one, so that a malformed one does not affect the others.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    pub(super) value: Vec<Value>,
    #[serde(default)]
    pub(super) validation_tokens: Option<Vec<String>>,
}

/// A change or a lifecycle event.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Item {
    pub(super) subscription_id: String,
    #[serde(default)]
    pub(super) client_state: Option<String>,
    #[serde(default)]
    pub(super) tenant_id: Option<String>,
    #[serde(default)]
    pub(super) resource: Option<String>,
    #[serde(default)]
    pub(super) resource_data: Option<ResourceData>,
    #[serde(default)]
    pub(super) encrypted_content: Option<EncryptedContent>,
    #[serde(default)]
    pub(super) lifecycle_event: Option<String>,
    #[serde(default)]
    pub(super) subscription_expiration_date_time: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct ResourceData {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default, rename = "@odata.id")]
    pub(super) odata_id: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EncryptedContent {
    pub(super) data: String,
    pub(super) data_signature: String,
    pub(super) data_key: String,
    pub(super) encryption_certificate_id: String,
    #[serde(default)]
    pub(super) encryption_certificate_thumbprint: Option<String>,
}

/// Decrypted content of an item. Numbers may be strings.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Presence {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) availability: Option<String>,
    #[serde(default)]
    pub(super) activity: Option<String>,
    #[serde(default, rename = "sequenceNumber")]
    pub(super) sequence: Option<Value>,
    #[serde(default, rename = "@odata.etag")]
    pub(super) odata_etag: Option<Value>,
    #[serde(default)]
    pub(super) etag: Option<Value>,
}

/// Converts a string or a number to text.
pub(super) fn text(value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

impl Item {
    /// Person of the item without decryption: by the id, else by the resource path.
    pub(super) fn user(&self) -> Option<String> {
        let data = self.resource_data.as_ref();
        data.and_then(|data| data.id.clone())
            .filter(|id| !id.is_empty())
            .or_else(|| data?.odata_id.as_deref().and_then(user_of))
            .or_else(|| self.resource.as_deref().and_then(user_of))
    }
}

/// Person in a resource path: `users/{id}/presence`, `communications/presences/{id}`, `communications/presences('{id}')`,
/// or a `$filter` with a single id. `None` for a filter with several ids.
pub(super) fn user_of(resource: &str) -> Option<String> {
    let plain = resource
        .replace("%27", "'")
        .replace("%2C", ",")
        .replace("%2c", ",");
    let quotes: Vec<&str> = plain.split('\'').collect();
    let id = match quotes.as_slice() {
        [_, id, _] => id,
        [_] => {
            let path = plain.split('?').next()?.trim_matches('/');
            let path = path.strip_suffix("/presence").unwrap_or(path);
            let (parent, id) = path.rsplit_once('/')?;
            if !parent.ends_with("users") && !parent.ends_with("presences") {
                return None;
            }
            id
        }
        _ => return None,
    };
    (!id.is_empty()).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::user_of;

    #[test]
    fn row_71_every_form_of_the_address_names_the_person() {
        for resource in [
            "communications/presences/u-1",
            "/communications/presences/u-1",
            "communications/presences('u-1')",
            "communications/presences?$filter=id+in+(%27u-1%27)",
            "/communications/presences?$filter=id in ('u-1')",
            "users/u-1/presence",
        ] {
            assert_eq!(user_of(resource).as_deref(), Some("u-1"), "{resource}");
        }
        for resource in [
            "",
            "/",
            "presences",
            "communications/presences",
            "communications/presences?$filter=id in ('a','b')",
            "communications/presences('')",
            "chats/5",
        ] {
            assert_eq!(user_of(resource), None, "{resource}");
        }
    }
}
