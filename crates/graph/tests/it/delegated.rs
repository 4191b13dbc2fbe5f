//! Sign-in of people, and of the application with a certificate.

use aws_lc_rs::{
    encoding::AsDer,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use graph::{
    Blame, Credential, GraphError, KeyedCertificate, Operation,
    delegated::{Authorization, ClientKind, DeviceFlow, DeviceState, scope},
};
use secrecy::{ExposeSecret, SecretString};

use crate::script::{Answer, client, client_with, empty, ok, token};

fn refusal(error: &str, code: u32) -> Answer {
    let body = format!(
        r#"{{"error":"{error}","error_description":"AADSTS{code}: no.\r\nTrace ID: x","error_codes":[{code}]}}"#
    );
    (400, None, body)
}

/// Generates a key pair; the certificate contains the public key only.
fn pair() -> KeyedCertificate {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pem = |label: &str, der: &[u8]| {
        let text = BASE64_STANDARD.encode(der);
        format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n").into_bytes()
    };
    let certificate = pem("CERTIFICATE", pair.public_key().as_ref());
    let key = pem("PRIVATE KEY", pair.as_der().unwrap().as_ref());
    KeyedCertificate::from_pem(&certificate, &key).unwrap()
}

const TOKENS: &str = r#"{"access_token":"canary-access","refresh_token":"canary-refresh","expires_in":3599,"scope":"x"}"#;

#[tokio::test]
async fn row_97_a_device_code_is_polled_until_the_person_signed_in() {
    let code = r#"{"device_code":"canary-code","user_code":"ABC","verification_uri":"https://m/d","expires_in":900,"interval":5,"message":"Type"}"#;
    let (client, script) = client([
        ok(code),
        refusal("authorization_pending", 70_016),
        refusal("slow_down", 0),
        empty(503),
        ok(TOKENS),
    ])
    .await;
    let scope = scope("https://g", &["Presence.Read.All"], true);
    let code = client.begin_device_code(&scope).await.unwrap();
    assert_eq!(code.user_code, "ABC");
    let (mut flow, mut state) = DeviceFlow::new(0, &code);
    let mut times = Vec::new();
    let token = loop {
        match state {
            DeviceState::PollAt(at) => {
                times.push(at);
                state = flow.on_answer(at, client.poll_device_code(&code).await);
            }
            DeviceState::Done(token) => break token,
            DeviceState::Failed(error) => panic!("{error}"),
        }
    };
    assert_eq!(times, [5_000, 10_000, 20_000, 30_000]);
    assert_eq!(
        token.refresh.as_ref().unwrap().expose_secret(),
        "canary-refresh"
    );
    assert!(!format!("{token:?} {code:?}").contains("canary"));
    assert_eq!(
        script.requests()[0],
        "POST /contoso.example/oauth2/v2.0/devicecode"
    );
    assert!(script.sent(0).body.contains("offline_access"));
    let poll = script.sent(1).body;
    assert!(
        poll.contains("grant-type%3Adevice_code") && poll.contains("client_id=app"),
        "{poll}"
    );
    // Tenants that allow public clients refuse requests with a secret.
    assert!(!poll.contains("canary-secret"), "{poll}");
}

#[tokio::test]
async fn a_refused_device_code_names_the_remedy() {
    let (client, _) = client([
        refusal("invalid_client", 7_000_218),
        refusal("expired_token", 1),
    ])
    .await;
    let error = client.begin_device_code("x").await.unwrap_err();
    assert!(error.to_string().contains("public client flows"), "{error}");
    assert_eq!(error.blame(), Blame::Administrator);
}

#[tokio::test]
async fn row_98_a_code_is_redeemed_with_its_verifier() {
    let (client, script) = client([ok(TOKENS), refusal("invalid_grant", 54_005)]).await;
    let begun =
        Authorization::begin(client.config(), "https://o.example/back", "openid", None).unwrap();
    let code = begun
        .code_from_callback(&format!("code=c&state={}", begun.state.expose_secret()))
        .unwrap();
    let token = client.redeem_code(&begun, &code).await.unwrap();
    assert_eq!(token.access.expose_secret(), "canary-access");
    let body = script.sent(0).body;
    for part in [
        "grant_type=authorization_code",
        "code=c&",
        "redirect_uri=https%3A%2F%2Fo.example%2Fback",
        &format!("code_verifier={}", begun.verifier.expose_secret()),
        "client_secret=canary-secret",
    ] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
    let error = client.redeem_code(&begun, &code).await.unwrap_err();
    assert!(
        error.to_string().contains("start the sign-in again"),
        "{error}"
    );
}

#[tokio::test]
async fn row_99_a_refresh_rotates_and_the_old_token_still_works() {
    let (client, script) = client([
        ok(TOKENS),
        ok(TOKENS),
        refusal("invalid_grant", 700_082),
        (429, Some("3"), String::new()),
    ])
    .await;
    let old = SecretString::from("canary-old");
    for kind in [ClientKind::Public, ClientKind::Confidential] {
        let token = client.refresh(kind, &old, "openid").await.unwrap();
        assert_eq!(token.refresh.unwrap().expose_secret(), "canary-refresh");
    }
    assert!(!script.sent(0).body.contains("client_secret"));
    assert!(script.sent(1).body.contains("client_secret"));
    let error = client
        .refresh(ClientKind::Public, &old, "openid")
        .await
        .unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(
        text.contains("sign in again") && !text.contains("canary"),
        "{text}"
    );
    assert!(!text.contains("Trace"), "{text}");
    let error = client
        .refresh(ClientKind::Public, &old, "openid")
        .await
        .unwrap_err();
    assert_eq!(error.blame(), Blame::Service);
    assert!(error.retry_after().is_some());
}

#[tokio::test]
async fn row_100_a_federated_account_is_pointed_to_the_device_code() {
    let (client, _) = client([refusal("invalid_grant", 50_107)]).await;
    let answer = client
        .refresh(ClientKind::Public, &SecretString::from("x"), "openid")
        .await;
    let error = answer.unwrap_err();
    assert!(matches!(&error, GraphError::UserSignIn { error, .. } if error == "invalid_grant"));
    assert!(error.to_string().contains("device code"), "{error}");
}

#[tokio::test]
async fn row_96_the_application_signs_in_with_a_certificate() {
    let pair = pair();
    let (client, script) = client_with(
        Credential::Certificate(pair),
        [token(), empty(200), refusal("x", 1)],
    )
    .await;
    client.write("anna", Operation::SetSession).await.unwrap();
    let form = script.sent(0).body;
    assert!(form.contains("client_assertion=eyJ"), "{form}");
    assert!(
        form.contains("client-assertion-type%3Ajwt-bearer"),
        "{form}"
    );
    assert!(!form.contains("client_secret"), "{form}");
    assert!(!format!("{client:?}").contains("PRIVATE"));
}

#[test]
fn stored_values_may_move_between_tasks() {
    fn may_move<T: Send + Sync>() {}
    may_move::<graph::notification::Receiver>();
    may_move::<graph::subscription::Keeper>();
    may_move::<graph::delegated::UserSession>();
    may_move::<graph::Client>();
}

#[tokio::test]
async fn requests_may_be_made_in_a_task() {
    let (client, _) = client([token(), ok(r#"{"value":[]}"#), ok(TOKENS)]).await;
    let task = tokio::spawn(async move {
        let page = client.users(None).await.unwrap();
        let refresh = SecretString::from("r");
        let token = client.refresh(ClientKind::Public, &refresh, "x").await;
        (page.users.len(), token.is_ok())
    });
    assert_eq!(task.await.unwrap(), (0, true));
}
