//! HTTP side of the gateway for desktop agents: the WebSocket handshake, and the exchange of a pairing code for a device.

use std::{net::SocketAddr, sync::Arc};

use agent_protocol::{PairRequest, PairResponse, SUBPROTOCOL};
use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use connections::Connection;
use gateway::agents::{Agents, CodeError, PairingCodes, ProfileChooser};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use presence::PersonId;
use runtime::{
    audit::Own,
    context::Context,
    secrets::{hash, new_secret},
    sign_in_record::{Outcome, Way},
};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{EventStreams, Json, choice};
use crate::{access::bearer, caller::Caller, problem::Problem};

/// Longest name of a device, in characters.
const NAME_MAX: usize = 100;
/// Operating systems of agents.
pub(crate) const SYSTEMS: [&str; 3] = ["linux", "macos", "windows"];

impl From<CodeError> for Problem {
    fn from(error: CodeError) -> Self {
        match error {
            CodeError::TooMany => Self::unavailable(&error.to_string()),
            CodeError::Random(error) => error.into(),
        }
    }
}

/// Chooses profiles for people at their agents, with the checks of the API.
struct ApiChooser(Context);

impl ProfileChooser for ApiChooser {
    async fn choose(&self, person: PersonId, profile: Option<String>) -> Result<(), String> {
        let chosen = choose(&self.0, person, profile).await;
        chosen.map_err(|problem| problem.into_status_and_detail().1)
    }
}

async fn choose(
    context: &Context,
    person: PersonId,
    profile: Option<String>,
) -> Result<(), Problem> {
    let person = context.people.person(person);
    let person = person.ok_or_else(unknown_device)?;
    let caller = Caller::agent(&person);
    match profile {
        Some(name) => choice::put(context, &caller, person.id, &name, None).await,
        None => choice::end_choice(context, &caller, person.id).await,
    }
}

/// `GET /agent/v1`: an agent connects with the secret of its device.
pub async fn connect(
    State(context): State<Context>,
    State(agents): State<Agents>,
    State(streams): State<EventStreams>,
    mut request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers();
    let token = bearer(headers).ok_or_else(unknown_device)?;
    let device = context.store.device_by_hash(&hash(token)).await?;
    let Some(device) = device else {
        let (way, outcome) = (Way::Agent.name(), Outcome::Wrong.name());
        context.metrics.count_sign_in(way, outcome);
        return Err(unknown_device());
    };
    let key = websocket_key(headers)?;
    if let Some(connection) = request.extensions().get::<Connection>() {
        connection.mark_authenticated();
    }
    let upgrade = request
        .extensions_mut()
        .remove::<OnUpgrade>()
        .ok_or_else(|| Problem::malformed("this connection cannot become a WebSocket"))?;
    let chooser = ApiChooser(context.clone());
    tokio::spawn(async move {
        let upgraded = match upgrade.await {
            Ok(upgraded) => TokioIo::new(upgraded),
            Err(error) => {
                tracing::debug!(%error, "an agent disconnected during the WebSocket handshake");
                return;
            }
        };
        let stopping = streams.stopping;
        let of = (device.id.as_str(), device.person);
        agents.serve(context, chooser, stopping, of, upgraded).await;
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
    let accept = accept.map_err(|error| Problem::malformed(error.to_string()))?;
    let answers = response.headers_mut();
    answers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    answers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    answers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    let subprotocol = HeaderValue::from_static(SUBPROTOCOL);
    answers.insert(header::SEC_WEBSOCKET_PROTOCOL, subprotocol);
    Ok(response)
}

fn unknown_device() -> Problem {
    Problem::with_status(
        StatusCode::UNAUTHORIZED,
        "this device is not known here, or was removed; pair it again: Offhook shows a code under \"My computers\"".into(),
    )
}

/// The key of a WebSocket handshake (RFC 6455, section 4.2.1).
///
/// # Errors
/// The request is no handshake, or asks for another version of WebSocket or of the agent protocol.
fn websocket_key(headers: &HeaderMap) -> Result<String, Problem> {
    let has = |name, wanted: &str| {
        let values = headers.get_all(name).iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|value| value.trim().eq_ignore_ascii_case(wanted))
    };
    if !has(header::UPGRADE, "websocket") || !has(header::SEC_WEBSOCKET_VERSION, "13") {
        return Err(Problem::malformed(
            "agents connect here by WebSocket (RFC 6455, version 13)",
        ));
    }
    if !has(header::SEC_WEBSOCKET_PROTOCOL, SUBPROTOCOL) {
        return Err(Problem::malformed(format!(
            "this server speaks {SUBPROTOCOL} only; update whichever of agent and server is older"
        )));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY);
    let key = key.and_then(|key| key.to_str().ok());
    let missing = || Problem::malformed("the header Sec-WebSocket-Key is missing");
    key.map(str::to_owned).ok_or_else(missing)
}

/// `POST /agent/v1/pair`: exchanges a pairing code for the secret of a new device.
pub async fn pair(
    State(context): State<Context>,
    State(codes): State<Arc<PairingCodes>>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Json(body): Json<PairRequest>,
) -> Result<axum::Json<PairResponse>, Problem> {
    let address = sip::network(from.ip());
    let record = async |outcome, name: &str| {
        let (way, from) = (Way::AgentCode, from.ip());
        context.record_sign_in(way, outcome, from, name).await;
    };
    if !codes.may_try(address) {
        record(Outcome::TooMany, "").await;
        return Err(Problem::too_many_attempts(10));
    }
    let name = body.name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.contains(char::is_control) {
        let detail = format!("must be one line of at most {NAME_MAX} characters");
        return Err(Problem::invalid("name", detail));
    }
    if !SYSTEMS.contains(&body.system.as_str()) {
        let detail = format!("{:?} is none of {}", body.system, SYSTEMS.join(", "));
        return Err(Problem::invalid("system", detail));
    }
    let now = context.clock.now();
    let wrong = || {
        let detail = "is wrong, used or older than ten minutes; get a new one in Offhook under \"My computers\"";
        Problem::invalid("code", detail)
    };
    let person = codes.redeem(&body.code, now);
    let Some(person) = person.and_then(|person| context.people.person(person)) else {
        record(Outcome::Wrong, "").await;
        return Err(wrong());
    };
    codes.was_right(&address);
    let token = format!("oha_{}", new_secret()?);
    let owner = person.id.to_string();
    let change = Own::DeviceAdd.change(now, "the person, by a code", &owner);
    let device = (person.id, &hash(&token));
    let added = context
        .store
        .add_device(device, name, &body.system, &change);
    added.await?;
    record(Outcome::SignedIn, &person.name).await;
    Ok(axum::Json(PairResponse {
        token,
        person: person.name.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut HeaderMap)) -> Option<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("upgrade", "WebSocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "offhook.agent.2, offhook.agent.1"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            headers.insert(name, value.parse().unwrap());
        }
        change(&mut headers);
        websocket_key(&headers)
            .err()
            .map(|problem| problem.into_status_and_detail().1)
    }

    #[test]
    fn an_agent_of_another_version_is_told_what_to_do() {
        assert_eq!(refusal(|_| ()), None);
        let newer = |headers: &mut HeaderMap| {
            headers.insert("sec-websocket-protocol", "offhook.agent.2".parse().unwrap());
        };
        assert!(refusal(newer).unwrap().contains("update"));
        let without = |name: &'static str| refusal(move |headers| drop(headers.remove(name)));
        for name in ["upgrade", "sec-websocket-version", "sec-websocket-key"] {
            assert!(without(name).is_some(), "{name}");
        }
    }
}
