//! An endpoint for notifications, and a recipient that decrypts them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_lc_rs::{
    cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey},
    encoding::AsDer,
    hmac,
    iv::FixedLength,
    rsa::{KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey},
};
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use tokio::sync::watch;

/// A certificate with too small a key: RSA of 1,024 bits.
pub(crate) const SMALL_CERTIFICATE: &str = "MIIB/jCCAWegAwIBAgIUTil3+mmzQYXwowu+tdcVqL9BsyIwDQYJKoZIhvcNAQELBQAwEDEOMAwGA1UEAwwFc21hbGwwIBcNMjYxMTI0MTEzMDQxWhgPMjEyNjEwMzExMTMwNDFaMBAxDjAMBgNVBAMMBXNtYWxsMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDNO4enPCoQTNJQIT5yHmiWW/3RJAqBa1W/LtPih6bStXGU22pwzez0XIhVVZ/dBXiU8vo7ZmOufKttgr4cOt6l9MVATfwhI+GTAHRSx/51PzxH0xgn9YycSdKGR6Rs/ZlnhIG7DEQN0NFK7TBKBHIcfxXubCTdTNLSSNzkPD3kEQIDAQABo1MwUTAdBgNVHQ4EFgQUFzpjoHqkt0kGPgeKq5VDjAHwA60wHwYDVR0jBBgwFoAUFzpjoHqkt0kGPgeKq5VDjAHwA60wDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOBgQAFrpXV/eHtcIL+ifbUVrcashunYTW5Uu5C5ZzU4YuOKyxeWXxFJiytKiKGabgXBqQaNH0gFA8/1tmv4q1xOdikqkoBNAIQpv8a89UMKiE67PwE2tJgMJNUOLt+NL4I6TtDs+MGwlcOSUm1zpm7RRvtx7oHpifard0aBHg7x8w0ew==";

/// The endpoint's answer to the handshake.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Handshake {
    Right,
    /// The token from the URL.
    Raw,
    Html,
    Status(u16),
    Never,
}

/// The endpoint's answer to a notification.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    Status(u16),
    Never,
}

#[derive(Debug)]
struct Inner {
    handshake: Handshake,
    answers: VecDeque<Answer>,
    handshakes: Vec<String>,
    notifications: Vec<Value>,
}

type Shared = Arc<(Mutex<Inner>, watch::Sender<usize>)>;

/// A listening endpoint.
pub(crate) struct Hook {
    pub(crate) url: String,
    shared: Shared,
}

impl Hook {
    pub(crate) async fn start(handshake: Handshake) -> Self {
        let inner = Inner {
            handshake,
            answers: VecDeque::new(),
            handshakes: Vec::new(),
            notifications: Vec::new(),
        };
        let shared: Shared = Arc::new((Mutex::new(inner), watch::Sender::new(0)));
        let routes = axum::Router::new()
            .fallback(receive)
            .with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/notify?customer=7",
            listener.local_addr().unwrap()
        );
        tokio::spawn(async { axum::serve(listener, routes).await.unwrap() });
        Self { url, shared }
    }

    /// The next answers; later ones are 202.
    pub(crate) fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        self.shared.0.lock().unwrap().answers.extend(answers);
    }

    /// The queries of the handshakes.
    pub(crate) fn handshakes(&self) -> Vec<String> {
        self.shared.0.lock().unwrap().handshakes.clone()
    }

    /// The bodies of the notifications so far.
    pub(crate) fn notifications(&self) -> Vec<Value> {
        self.shared.0.lock().unwrap().notifications.clone()
    }

    /// All items of the notifications so far.
    pub(crate) fn items(&self) -> Vec<Value> {
        let bodies = self.notifications();
        bodies
            .iter()
            .flat_map(|body| body["value"].as_array().unwrap().clone())
            .collect()
    }

    /// Waits for a number of requests, handshakes included.
    pub(crate) async fn heard(&self, count: usize) {
        self.shared
            .1
            .subscribe()
            .wait_for(|heard| *heard >= count)
            .await
            .unwrap();
    }
}

async fn receive(State(shared): State<Shared>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .map(|kind| kind.to_str().unwrap().to_owned());
    let body = axum::body::to_bytes(request.into_body(), 1 << 24)
        .await
        .unwrap();
    let raw = query
        .split('&')
        .find_map(|part| part.strip_prefix("validationToken="))
        .map(str::to_owned);
    let Some(raw) = raw else {
        let answer = {
            let mut inner = shared.0.lock().unwrap();
            inner
                .notifications
                .push(serde_json::from_slice(&body).unwrap());
            inner.answers.pop_front().unwrap_or(Answer::Status(202))
        };
        shared.1.send_modify(|heard| *heard += 1);
        return match answer {
            Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
            Answer::Never => std::future::pending().await,
        };
    };
    assert!(body.is_empty() && kind.as_deref() == Some("text/plain; charset=utf-8"));
    let handshake = {
        let mut inner = shared.0.lock().unwrap();
        inner.handshakes.push(query.clone());
        inner.handshake
    };
    shared.1.send_modify(|heard| *heard += 1);
    let blanks = raw.replace('+', " ");
    let token = percent_encoding::percent_decode_str(&blanks)
        .decode_utf8()
        .unwrap()
        .into_owned();
    let plain = [(header::CONTENT_TYPE, "text/plain")];
    match handshake {
        Handshake::Right => (plain, token).into_response(),
        Handshake::Raw => (plain, raw).into_response(),
        Handshake::Html => ([(header::CONTENT_TYPE, "text/html")], token).into_response(),
        Handshake::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Handshake::Never => std::future::pending().await,
    }
}

/// A recipient of encrypted items.
pub(crate) struct Recipient {
    pub(crate) certificate: String,
    key: OaepPrivateDecryptingKey,
}

impl Recipient {
    pub(crate) fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let private = pair.as_der().unwrap();
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            STANDARD.encode(private.as_ref())
        );
        let own = rcgen::KeyPair::from_pem(&pem).unwrap();
        let certificate = rcgen::CertificateParams::default()
            .self_signed(&own)
            .unwrap();
        let key = PrivateDecryptingKey::from_pkcs8(private.as_ref()).unwrap();
        Self {
            certificate: STANDARD.encode(certificate.der()),
            key: OaepPrivateDecryptingKey::new(key).unwrap(),
        }
    }

    /// Verifies and decrypts the content of an item; `None` if the signature does not match.
    pub(crate) fn open(&self, item: &Value) -> Option<Value> {
        let content = &item["encryptedContent"];
        let bytes = |name: &str| STANDARD.decode(content[name].as_str().unwrap()).unwrap();
        let (wrapped, mut data) = (bytes("dataKey"), bytes("data"));
        let mut key = vec![0; self.key.min_output_size()];
        let key = self
            .key
            .decrypt(&OAEP_SHA1_MGF1SHA1, &wrapped, &mut key, None)
            .unwrap();
        assert_eq!(key.len(), 32);
        hmac::verify(
            &hmac::Key::new(hmac::HMAC_SHA256, key),
            &data,
            &bytes("dataSignature"),
        )
        .ok()?;
        let vector: [u8; 16] = key[..16].try_into().unwrap();
        let cipher =
            PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key).unwrap())
                .unwrap();
        let context = DecryptionContext::Iv128(FixedLength::from(vector));
        let plain = cipher.decrypt(&mut data, context).unwrap();
        Some(serde_json::from_slice(plain).unwrap())
    }
}
