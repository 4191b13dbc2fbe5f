//! Sends notifications and validates notification URLs by a handshake. All timeouts follow the tenant's clock.

use std::{collections::BTreeSet, sync::Arc};

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::{
    duration::{Milliseconds, SECOND},
    guid::Guid,
    journal::{Delivery, Detail},
    keys,
    notify::{
        outbox::{Content, Item, Letter, Outcome, Verdict},
        payload::{self, Context},
    },
    shell::Shell,
    state::Moment,
};

/// Timeout of the handshake (Graph: "Receive change notifications through webhooks").
const HANDSHAKE_TIMEOUT: Milliseconds = 10 * SECOND;
/// The most bytes of an answer that are read. The token has about a hundred.
const ANSWER_BYTES_MAX: usize = 8 * 1_024;

/// Sends due notifications until the tenant stops.
pub(crate) async fn run(shell: Arc<Shell>) {
    let mut movements = shell.clock().movements();
    loop {
        let (letters, next) = shell.with(|world, now| {
            let items = usize::from(world.knobs.notification_items);
            let letters = world.outbox.take(now, items);
            // Due notifications beyond the limit of concurrent requests are sent after the next answer, which wakes
            // this loop.
            (letters, world.outbox.next_due().filter(|next| *next > now))
        });
        for letter in letters {
            tokio::spawn(deliver(Arc::clone(&shell), letter));
        }
        let due = async {
            match next {
                Some(next) => shell.clock().reached(next).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {}
            () = shell.posted().notified() => {}
            moved = movements.changed() => {
                if moved.is_err() {
                    return;
                }
            }
        }
    }
}

async fn deliver(shell: Arc<Shell>, letter: Letter) {
    let outcome = match write(&shell, &letter) {
        Some(body) => send(&shell, &letter, body).await,
        // The subscriptions are gone: the letter counts as delivered.
        None => Outcome::Status(202),
    };
    shell.with(|world, now| {
        let verdict = world.outbox.finished(letter.id, outcome, now);
        let detail = Detail::Delivery(describe(&letter, outcome, verdict));
        let user = letter.items.iter().find_map(|item| match item.content {
            Content::Change { user, .. } => Some(user),
            Content::Lifecycle(_) => None,
        });
        world.journal.push(now, "delivery", user, detail, None);
    });
    shell.posted().notify_one();
    shell.clock().settled();
}

async fn send(shell: &Shell, letter: &Letter, body: Value) -> Outcome {
    let Some(http) = shell.http() else {
        return Outcome::Failed;
    };
    let request = http.post(&letter.url).json(&body).send();
    tokio::select! {
        biased;
        response = request => match response {
            Ok(response) => Outcome::Status(response.status().as_u16()),
            Err(_) => Outcome::Failed,
        },
        () = shell.clock().reached(letter.deadline) => Outcome::Timeout,
    }
}

/// The body of a request; `None` if all its subscriptions are gone.
fn write(shell: &Shell, letter: &Letter) -> Option<Value> {
    let (subscriptions, knobs, fault, now) = shell.with(|world, now| {
        let stands = |item: &Item| world.subscriptions.get(item.subscription).cloned();
        let subscriptions: Vec<_> = letter.items.iter().map(stands).collect();
        let fault = if letter
            .items
            .iter()
            .any(|item| matches!(item.content, Content::Change { .. }))
        {
            world.faults.hit_notification()
        } else {
            crate::faults::NotificationFault::default()
        };
        (subscriptions, world.knobs.clone(), fault, now)
    });
    let mut values = Vec::new();
    let mut recipients = BTreeSet::new();
    for (offset, (item, subscription)) in letter.items.iter().zip(&subscriptions).enumerate() {
        let Some(subscription) = subscription else {
            continue;
        };
        let context = Context {
            tenant_id: &shell.tenant_id,
            knobs: &knobs,
            fault: &fault,
            number: letter.id.wrapping_add(offset as u64),
        };
        let value = payload::item(subscription, &item.content, &context)?;
        if value.get("encryptedContent").is_some() {
            recipients.insert(Arc::clone(&subscription.app));
        }
        values.push(value);
    }
    if values.is_empty() {
        return None;
    }
    let mut body = json!({ "value": values });
    if !recipients.is_empty() {
        let sign = |app: &Arc<str>| {
            let claims =
                payload::validation_claims(app, &shell.tenant_id, knobs.validation_tokens, now);
            if fault.forged_token {
                keys::forge(&claims)
            } else {
                shell.keys().sign(&claims).ok()
            }
        };
        body["validationTokens"] = recipients.iter().filter_map(sign).collect();
    }
    Some(body)
}

fn describe(letter: &Letter, outcome: Outcome, verdict: Verdict) -> Delivery {
    let subscriptions: BTreeSet<_> = letter.items.iter().map(|item| item.subscription).collect();
    let event = letter.items.iter().find_map(|item| match item.content {
        Content::Lifecycle(event) => Some(event),
        Content::Change { .. } => None,
    });
    let url = letter.url.split(['?', '#']).next().unwrap_or_default();
    Delivery {
        subscriptions: subscriptions.iter().map(Guid::to_string).collect(),
        url: url.chars().take(256).collect(),
        event: event.unwrap_or("updated"),
        items: letter.items.len(),
        attempt: letter.attempt,
        posted: Moment(letter.posted),
        outcome: match outcome {
            Outcome::Status(status) => status.to_string().into(),
            Outcome::Timeout => "timeout".into(),
            Outcome::Failed => "unreachable".into(),
        },
        verdict: match verdict {
            Verdict::Delivered => "delivered",
            Verdict::Retry(_) => "retry",
            Verdict::GivenUp => "given up",
        },
        next: match verdict {
            Verdict::Retry(at) => Some(Moment(at)),
            _ => None,
        },
    }
}

/// The reason why a notification URL was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HandshakeError {
    /// No answer within ten seconds.
    Timeout,
    /// The answer is not the token with status 200 and `text/plain`; with the text of Graph's error.
    Refused(String),
}

/// Validates a notification URL: the endpoint has to return the validation token.
pub(crate) async fn handshake(shell: &Shell, url: &str) -> Result<(), HandshakeError> {
    let refused = |why: &str| HandshakeError::Refused(why.to_owned());
    let request_id = Guid::random().map_err(|_| refused("no random id"))?;
    let token = format!(
        "Validation: Testing client application reachability for subscription Request-Id: {request_id}"
    );
    // Blanks as `+` and the colon in lower case, as in logs of real deployments.
    let encoded = token.replace(':', "%3a").replace(' ', "+");
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}validationToken={encoded}");
    let http = shell.http().ok_or_else(|| refused("no HTTP client"))?;
    let deadline = shell.clock().now_milliseconds() + HANDSHAKE_TIMEOUT;
    let exchange = async {
        let request = http
            .post(&url)
            .header(CONTENT_TYPE, "text/plain; charset=utf-8")
            .body("");
        let mut response = request
            .send()
            .await
            .map_err(|_| refused("it cannot be reached"))?;
        let status = response.status();
        if status != reqwest::StatusCode::OK {
            let reason = status
                .canonical_reason()
                .unwrap_or("Unknown")
                .replace(' ', "");
            return Err(HandshakeError::Refused(format!(
                "HTTP status code is '{reason}'."
            )));
        }
        let kind = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let plain =
            kind.is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("text/plain"));
        if !plain {
            return Err(refused("The content type is not text/plain."));
        }
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                break;
            }
        }
        if body == token.as_bytes() {
            Ok(())
        } else {
            Err(refused("The body is not the decoded validation token."))
        }
    };
    tokio::select! {
        biased;
        result = exchange => result,
        () = shell.clock().reached(deadline) => Err(HandshakeError::Timeout),
    }
}
