//! Bodies of notifications: basic and rich items, lifecycle items and validation tokens, in all forms that occur.

use serde_json::{Map, Value, json};

use super::{encryption, outbox::Content, subscription::Subscription};
use crate::{
    duration::{HOUR, Milliseconds, SECOND, timestamp},
    faults::NotificationFault,
    guid::Guid,
    knobs::{Knobs, TokenStyle},
    value::Shown,
    wording::{spell_activity, spell_availability},
};

/// The application id of Graph's change notifications.
pub(crate) const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

/// The inputs for an item besides its content.
pub(crate) struct Context<'a> {
    pub(crate) tenant_id: &'a str,
    pub(crate) knobs: &'a Knobs,
    /// The configured faults of the item.
    pub(crate) fault: &'a NotificationFault,
    /// Number of the item, which selects the form.
    pub(crate) number: u64,
}

/// The JSON of an item; `None` if it could not be encrypted.
pub(crate) fn item(
    subscription: &Subscription,
    content: &Content,
    context: &Context<'_>,
) -> Option<Value> {
    match content {
        Content::Lifecycle(event) => Some(lifecycle(subscription, event, context)),
        Content::Change { user, shown } => change(subscription, *user, *shown, context),
    }
}

/// The form of an item: the first one, or with the knob `notificationVariety` all in turn.
fn shape(context: &Context<'_>, of: u64) -> u64 {
    if context.knobs.notification_variety {
        context.number % of
    } else {
        0
    }
}

fn change(
    subscription: &Subscription,
    user: Guid,
    shown: Shown,
    context: &Context<'_>,
) -> Option<Value> {
    let mut item = common(subscription, context);
    let resource = match shape(context, 3) {
        0 => format!("communications/presences/{user}"),
        1 => format!("communications/presences?$filter=id+in+(%27{user}%27)"),
        _ => format!("communications/presences('{user}')"),
    };
    let kind = if shape(context, 2) == 0 {
        "#Microsoft.Graph.presence"
    } else {
        "#microsoft.graph.presence"
    };
    let path = if shape(context, 4) < 2 {
        format!("users/{user}/presence")
    } else {
        format!("communications/presences('{user}')")
    };
    item.insert("changeType".to_owned(), json!("updated"));
    item.insert("resource".to_owned(), json!(resource));
    let data = json!({ "@odata.type": kind, "@odata.id": path, "id": user.to_string() });
    item.insert("resourceData".to_owned(), data);
    if shape(context, 3) == 2 {
        item.insert("organizationId".to_owned(), json!(context.tenant_id));
    }
    if let Some(recipient) = &subscription.rich {
        let plaintext = json!({
            "@odata.id": format!("users/{user}/presence"),
            "@odata.type": "#microsoft.graph.presence",
            "id": user.to_string(),
            "availability": spell_availability(shown, context.knobs),
            "activity": spell_activity(shown, context.knobs),
        });
        let mut encrypted = encryption::encrypt(&plaintext.to_string(), recipient).ok()?;
        if context.fault.wrong_certificate_id {
            encrypted["encryptionCertificateId"] = json!("another-certificate");
        }
        if context.fault.bad_signature {
            encrypted["dataSignature"] = json!("Ky5JMm3o646yVu5Mq2YRIWW2aQpy7AF+lYb71a6sC/k=");
        }
        item.insert("encryptedContent".to_owned(), encrypted);
    }
    Some(Value::Object(item))
}

fn lifecycle(subscription: &Subscription, event: &str, context: &Context<'_>) -> Value {
    let mut item = common(subscription, context);
    item.insert("lifecycleEvent".to_owned(), json!(event));
    Value::Object(item)
}

fn common(subscription: &Subscription, context: &Context<'_>) -> Map<String, Value> {
    let expires = timestamp(subscription.expires);
    let expires = match shape(context, 3) {
        0 => expires.strftime("%Y-%m-%dT%H:%M:%S.0000000Z"),
        1 => expires.strftime("%Y-%m-%dT%H:%M:%S.4569264"),
        _ => timestamp(subscription.expires - 8 * HOUR).strftime("%Y-%m-%dT%H:%M:%S.2420488-08:00"),
    };
    let mut item = Map::new();
    item.insert(
        "subscriptionId".to_owned(),
        json!(subscription.id.to_string()),
    );
    item.insert(
        "subscriptionExpirationDateTime".to_owned(),
        json!(expires.to_string()),
    );
    item.insert("tenantId".to_owned(), json!(context.tenant_id));
    if let Some(state) = &subscription.client_state {
        let state = if context.fault.wrong_client_state {
            "not the client state"
        } else {
            state
        };
        item.insert("clientState".to_owned(), json!(state));
    }
    item
}

/// The claims of the validation token that authenticates rich items to an application.
pub(crate) fn validation_claims(
    app: &str,
    tenant_id: &str,
    style: TokenStyle,
    now: Milliseconds,
) -> Value {
    let now = now / SECOND;
    let mut claims = json!({
        "aud": app,
        "iat": now,
        "nbf": now,
        "exp": now + 3_600,
        "oid": PUBLISHER,
        "sub": PUBLISHER,
        "tid": tenant_id,
        "uti": Guid::random().map(|guid| guid.to_string()).unwrap_or_default(),
    });
    match style {
        TokenStyle::V2 => {
            claims["iss"] = json!(format!(
                "https://login.microsoftonline.com/{tenant_id}/v2.0"
            ));
            claims["azp"] = json!(PUBLISHER);
            claims["azpacr"] = json!("2");
            claims["ver"] = json!("2.0");
        }
        TokenStyle::V1 => {
            claims["iss"] = json!(format!("https://sts.windows.net/{tenant_id}/"));
            claims["appid"] = json!(PUBLISHER);
            claims["appidacr"] = json!("2");
            claims["ver"] = json!("1.0");
        }
    }
    claims
}
