//! A small provider that plays a folder of the corpus: its own addresses over TLS, on this machine.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, service::service_fn};
use hyper_util::rt::TokioIo;
use jsonwebtoken::{Algorithm, EncodingKey};
use presence::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio_rustls::{TlsAcceptor, rustls};

use super::super::{
    attempts::{Attempt, Attempts},
    provider::{OpenIdOptions, Provider, client},
};

/// 2026-11-30T08:00:00Z: when people of the corpus sign in.
const NOW: Timestamp = Timestamp::from_milliseconds(1_796_025_600_000);
/// The secret of Offhook's client: every character that the encodings treat differently.
const CLIENT_SECRET: &str = "GOCSPX-p_~.*+ /&=%:ü";
/// The nonce of the tokens in the corpus.
const NONCE: &str = "n-0S6_WzA2Mj";

/// A folder of the corpus.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    /// A file; of the folder `plain` where this one deviates in others only.
    fn bytes(&self, file: &str) -> Option<Vec<u8>> {
        let own = std::fs::read(self.0.join(file)).ok();
        let of_all = || std::fs::read(self.0.join("../plain").join(file)).ok();
        match file {
            "expected.json" => own,
            _ => own.or_else(of_all),
        }
    }

    /// A JSON file; `null` if there is none.
    pub(super) fn json(&self, file: &str) -> Value {
        let Some(bytes) = self.bytes(file) else {
            return Value::Null;
        };
        let (text, _, _) = encoding_rs::UTF_8.decode(&bytes);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", self.at(file)))
    }

    fn at(&self, file: &str) -> String {
        self.0.join(file).display().to_string()
    }

    /// The token that a file describes: header, key and claims.
    fn signed(&self, file: &str) -> String {
        let token = self.json(file);
        assert!(token.is_object(), "{} is missing", self.at(file));
        if let Some(raw) = token["raw"].as_str() {
            return raw.to_owned();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&token["header"]), part(&token["claims"]));
        let key = token["signed_with"].as_str().unwrap();
        let path = self.0.join("../../signing-keys").join(key);
        let pem = std::fs::read(path).unwrap_or_default();
        let (algorithm, key) = match token["header"]["alg"].as_str().unwrap_or_default() {
            "none" => return format!("{message}."),
            // A public text as the shared secret.
            "HS256" => (Algorithm::HS256, EncodingKey::from_secret(&pem)),
            name @ ("ES256" | "ES384") => (
                name.parse().unwrap(),
                EncodingKey::from_ec_pem(&pem).unwrap(),
            ),
            "EdDSA" | "Ed25519" => (Algorithm::EdDSA, EncodingKey::from_ed_pem(&pem).unwrap()),
            name => (
                name.parse().unwrap(),
                EncodingKey::from_rsa_pem(&pem).unwrap(),
            ),
        };
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

/// What Offhook did at the provider.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// How it authenticated at the token endpoint, in its order.
    pub(super) authentication: Vec<&'static str>,
    pub(super) user_info: usize,
    keys: usize,
}

struct Play {
    folder: Folder,
    seen: Mutex<Seen>,
}

impl Play {
    /// The folder's answer to a request.
    fn answer(&self, url: &str, authorization: &str, body: &str) -> Response<Full<Bytes>> {
        let discovery = self.folder.json("discovery.json");
        let is = |field: &str| discovery[field].as_str() == Some(url);
        let file = |file: &str| self.folder.bytes(file).unwrap_or_default();
        let of_kind = |kind: &str, body: Vec<u8>| self.respond(kind, body);
        let mut seen = self.seen.lock().unwrap();
        if url.ends_with("/.well-known/openid-configuration") {
            return of_kind("discovery", file("discovery.json"));
        }
        if is("jwks_uri") {
            seen.keys += 1;
            let later = self.folder.bytes("keys-later.json");
            let keys = later.filter(|_| seen.keys > 1);
            return of_kind("keys", keys.unwrap_or_else(|| file("keys.json")));
        }
        if is("token_endpoint") {
            let way = authentication(authorization, body);
            seen.authentication.push(way);
            let registered = self.folder.json("answers.json");
            let registered = registered["client_authentication"].as_str().unwrap_or(way);
            if way != registered || way == "wrong" {
                // Some providers consume the code at the first attempt, even if it fails.
                let of_a_used_code = self.folder.json("answers.json")["uses_codes_up"] == true
                    && seen.authentication.len() > 1;
                let (status, error) = match of_a_used_code {
                    true => (400, "invalid_grant"),
                    false => (401, "invalid_client"),
                };
                let refused = json!({"error": error, "error_description": "not so"});
                return response(status, "application/json", refused.to_string().into());
            }
            let answer = String::from_utf8(file("token-answer.json")).unwrap();
            let answer = match answer.contains("ID TOKEN") {
                true => answer.replace("ID TOKEN", &self.folder.signed("id-token.json")),
                false => answer,
            };
            return of_kind("token", answer.into());
        }
        if is("userinfo_endpoint") {
            seen.user_info += 1;
            if authorization != "Bearer an-access-token" {
                return response(401, "application/json", Vec::new());
            }
            let is_signed = self.folder.0.join("userinfo-token.json").exists();
            return match is_signed {
                true => {
                    let token = self.folder.signed("userinfo-token.json");
                    response(200, "application/jwt", token.into())
                }
                false => of_kind("userinfo", file("userinfo.json")),
            };
        }
        response(404, "text/plain", b"not here".into())
    }

    fn respond(&self, kind: &str, body: Vec<u8>) -> Response<Full<Bytes>> {
        let answers = self.folder.json("answers.json");
        let answer = &answers[kind];
        let status = answer["status"].as_u64().unwrap_or(200);
        let content_type = answer["content_type"].as_str();
        let body = answer["body"].as_str().map_or(body, |text| text.into());
        let mut response = response(
            u16::try_from(status).unwrap(),
            content_type.unwrap_or("application/json"),
            body,
        );
        if let Some(challenge) = answer["www_authenticate"].as_str() {
            let value = challenge.parse().unwrap();
            response.headers_mut().insert("www-authenticate", value);
        }
        if let Some(location) = answer["location"].as_str() {
            let value = location.parse().unwrap();
            response.headers_mut().insert("location", value);
        }
        response
    }
}

fn response(status: u16, content_type: &str, body: Vec<u8>) -> Response<Full<Bytes>> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(Full::new(body.into()))
        .unwrap()
}

/// The client authentication of a token request, decoded by RFC 6749, 2.3.1.
fn authentication(authorization: &str, body: &str) -> &'static str {
    let form = |text: &str| -> Vec<(String, String)> {
        form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect()
    };
    let body = form(body);
    let value = |name: &str| body.iter().find(|(key, _)| key == name).map(|(_, v)| &**v);
    assert_eq!(value("grant_type"), Some("authorization_code"));
    assert_eq!(value("code"), Some("a-code"));
    if let Some(basic) = authorization.strip_prefix("Basic ") {
        let pair = String::from_utf8(STANDARD.decode(basic).unwrap()).unwrap();
        let (_, secret) = pair.split_once(':').unwrap();
        let secret = &form(secret)[0].0;
        assert_eq!(value("client_secret"), None, "two ways at once");
        return match secret == CLIENT_SECRET {
            true => "client_secret_basic",
            false => "wrong",
        };
    }
    match value("client_secret") == Some(CLIENT_SECRET) {
        true => "client_secret_post",
        false => "wrong",
    }
}

/// Plays the folder's provider for one sign-in; returns the identity or the refusal.
pub(super) async fn sign_in(folder: Folder) -> (Result<String, String>, Seen) {
    let options = folder.json("options.json");
    let text = |key: &str| options[key].as_str().map(str::to_owned);
    let texts = |key: &str| -> Vec<String> {
        let all = options[key].as_array().cloned().unwrap_or_default();
        let all = all.iter().map(|one| one.as_str().unwrap().to_owned());
        all.collect()
    };
    let options = OpenIdOptions {
        name: "Contoso".into(),
        issuer: text("issuer").unwrap(),
        tenants: texts("tenants"),
        client_id: text("client_id").unwrap(),
        client_secret: SecretString::from(CLIENT_SECRET),
        scopes: ["openid", "email", "profile"].map(str::to_owned).into(),
        claim: text("claim").unwrap_or_else(|| "email".into()),
    };
    let hosts = hosts(&folder, &options.issuer);
    let play = Arc::new(Play {
        folder,
        seen: Mutex::default(),
    });
    let (address, certificate) = serve(play.clone(), &hosts).await;
    let mut builder = client().no_proxy().tls_certs_only([certificate]);
    for host in &hosts {
        builder = builder.resolve(host, address);
    }
    let provider = Provider::with_client(options, builder.build().unwrap());
    let attempts = Attempts::default();
    let mut attempt = attempts.begin("/".into(), NOW).unwrap();
    attempt.nonce = SecretString::from(NONCE);
    let found = walk(&provider, &attempt).await;
    let seen = std::mem::take(&mut *play.seen.lock().unwrap());
    (found, seen)
}

async fn walk(provider: &Provider, attempt: &Attempt) -> Result<String, String> {
    let redirect_uri = "https://offhook.example/sign-in/open-id/return";
    let url = provider.authorization(attempt, redirect_uri, NOW).await;
    let url = url.map_err(|error| error.to_string())?;
    assert!(url.contains("scope=openid+email+profile"), "{url}");
    assert!(url.contains("code_challenge_method=S256"), "{url}");
    let code = SecretString::from("a-code");
    let found = provider.redeem(&code, attempt, redirect_uri, NOW).await;
    found.map_err(|error| error.to_string())
}

/// The hosts that the folder names.
fn hosts(folder: &Folder, issuer: &str) -> Vec<String> {
    let mut hosts = Vec::new();
    let discovery = folder.json("discovery.json");
    let fields = discovery.as_object().cloned().unwrap_or_default();
    let values = fields.values().filter_map(Value::as_str);
    for address in values.chain([issuer]) {
        if let Ok(url) = reqwest::Url::parse(address)
            && let Some(host) = url.host_str()
            && !hosts.iter().any(|known| known == host)
        {
            hosts.push(host.to_owned());
        }
    }
    hosts
}

async fn serve(play: Arc<Play>, hosts: &[String]) -> (SocketAddr, reqwest::Certificate) {
    let made = rcgen::generate_simple_self_signed(hosts).unwrap();
    let certificate = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, play) = (acceptor.clone(), play.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else {
                    return;
                };
                let service = service_fn(|request| respond(play.clone(), request));
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
    (address, certificate)
}

async fn respond(
    play: Arc<Play>,
    request: Request<hyper::body::Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let header = |name: &str| {
        let value = head.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let url = format!("https://{}{}", header("host"), head.uri);
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body);
    Ok(play.answer(&url, &header("authorization"), &body))
}

/// The folders of the corpus.
pub(super) fn folders() -> Vec<PathBuf> {
    let corpus = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/corpus/identity-providers"
    ));
    let mut folders: Vec<PathBuf> = std::fs::read_dir(corpus)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    folders
}
