//! Rate of whole notifications (JSON, token, HMAC, decryption) on one core. The anchor is the rate of private RSA 2048
//! operations by `openssl speed` on the same core.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{Context, ensure};
use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    hmac,
    iv::FixedLength,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use graph::{
    KeyedCertificate,
    notification::{ReceiveResult, Receiver, SigningKeys, TrustedApplication},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::verdict;

/// Test vectors of the Graph client: Entra's keys, and a token signed with one of them.
const VECTORS: &str = include_str!("../../../graph/tests/vectors.json");
/// Time at which the token is valid.
const NOW: i64 = 1_767_232_800_000;
/// Number of turns of each side, because the speed of the machine changes within seconds.
const TURNS: u32 = 3;
const TURN: Duration = Duration::from_secs(2);
/// Target: share of the anchor.
const TARGET: f64 = 0.9;

pub(super) fn run() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (certificate, key) = pair(folder.path())?;
    let vectors: Value = serde_json::from_str(VECTORS)?;
    let mut receiver = receiver(&vectors, &certificate, &key)?;
    let (mut ours, mut theirs) = (0.0, 0.0);
    let mut salt = 0;
    for _ in 0..TURNS {
        let bodies = bodies(&vectors, &certificate, &mut salt)?;
        ours += opened_per_second(&mut receiver, &bodies)?;
        theirs += openssl()?;
    }
    let (ours, theirs) = (ours / f64::from(TURNS), theirs / f64::from(TURNS));
    let share = ours / theirs;
    println!("anchor: openssl, private operations of RSA 2048 per second {theirs:>10.0}");
    println!(
        "notifications decrypted per second, one core             {ours:>10.0}  {}  {share:.2} of the anchor",
        verdict(share >= TARGET)
    );
    Ok(())
}

/// Creates a certificate and its key in PEM.
fn pair(folder: &Path) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let (certificate, key) = (folder.join("c.pem"), folder.join("k.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-subj",
            "/CN=bench",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .context("openssl is missing: apt-get install openssl")?;
    ensure!(made.status.success(), "openssl created no certificate");
    Ok((std::fs::read(certificate)?, std::fs::read(key)?))
}

fn receiver(vectors: &Value, certificate: &[u8], key: &[u8]) -> anyhow::Result<Receiver> {
    let context = &vectors["validationContext"];
    let text = |name: &str| context[name].as_str().unwrap_or_default().to_owned();
    let trust = TrustedApplication {
        tenant_id: text("tenantId"),
        client_id: text("appId"),
    };
    let mut receiver = Receiver::new("https://login.microsoftonline.com", [trust]);
    let keys =
        SigningKeys::parse(vectors["jwks"].to_string().as_bytes()).map_err(anyhow::Error::msg)?;
    receiver.set_keys(NOW, keys);
    receiver.add_certificate("bench", KeyedCertificate::from_pem(certificate, key)?);
    receiver.expect("subscription", SecretString::from("state"));
    Ok(receiver)
}

/// Creates the notifications of one turn, each encrypted with a key of its own.
fn bodies(vectors: &Value, certificate: &[u8], salt: &mut u64) -> anyhow::Result<Vec<Vec<u8>>> {
    const COUNT: usize = 20_000;
    let public = public_key(certificate)?;
    let token = &vectors["validationTokens"]["v2_valid"];
    let tenant = &vectors["validationContext"]["tenantId"];
    let mut bodies = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        *salt += 1;
        let content = encrypt(&public, *salt)?;
        let body = json!({
            "value": [{
                "subscriptionId": "subscription",
                "clientState": "state",
                "changeType": "updated",
                "tenantId": tenant,
                "resource": format!("communications/presences('{salt}')"),
                "resourceData": {"id": salt.to_string(), "@odata.type": "#microsoft.graph.presence"},
                "encryptedContent": content,
            }],
            "validationTokens": [token],
        });
        bodies.push(serde_json::to_vec(&body)?);
    }
    Ok(bodies)
}

fn public_key(certificate: &[u8]) -> anyhow::Result<OaepPublicEncryptingKey> {
    let folder = tempfile::tempdir()?;
    let (pem, der) = (folder.path().join("c.pem"), folder.path().join("p.der"));
    std::fs::write(&pem, certificate)?;
    let public = Command::new("openssl")
        .args(["x509", "-pubkey", "-noout", "-in"])
        .arg(&pem)
        .output()?;
    std::fs::write(&pem, public.stdout)?;
    let made = Command::new("openssl")
        .args(["pkey", "-pubin", "-outform", "DER", "-in"])
        .arg(&pem)
        .arg("-out")
        .arg(&der)
        .output()?;
    ensure!(made.status.success(), "openssl printed no public key");
    let key = PublicEncryptingKey::from_der(&std::fs::read(der)?)?;
    Ok(OaepPublicEncryptingKey::new(key)?)
}

fn encrypt(public: &OaepPublicEncryptingKey, salt: u64) -> anyhow::Result<Value> {
    let mut key = [7; 32];
    for (byte, salt) in key.iter_mut().zip(salt.to_be_bytes()) {
        *byte = salt;
    }
    let mut iv = [0; 16];
    iv.copy_from_slice(&key[..16]);
    let mut data = json!({"id": salt.to_string(), "availability": "Busy", "activity": "InACall"})
        .to_string()
        .into_bytes();
    let unbound = UnboundCipherKey::new(&AES_256, &key)?;
    PaddedBlockEncryptingKey::cbc_pkcs7(unbound)?
        .less_safe_encrypt(&mut data, EncryptionContext::Iv128(FixedLength::from(iv)))?;
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &data);
    let mut wrapped = vec![0; public.ciphertext_size()];
    let wrapped = public.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut wrapped, None)?;
    Ok(json!({
        "data": BASE64_STANDARD.encode(&data),
        "dataSignature": BASE64_STANDARD.encode(signature),
        "dataKey": BASE64_STANDARD.encode(wrapped),
        "encryptionCertificateId": "bench",
    }))
}

fn opened_per_second(receiver: &mut Receiver, bodies: &[Vec<u8>]) -> anyhow::Result<f64> {
    let (began, mut count) = (Instant::now(), 0_u32);
    for body in bodies {
        match receiver.receive(NOW, body) {
            ReceiveResult::Events(events) if events.len() == 1 => count += 1,
            other => anyhow::bail!(
                "a valid notification was rejected: {other:?}, {:?}",
                receiver.counters()
            ),
        }
        if began.elapsed() >= TURN {
            break;
        }
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// Rate of private operations per second on one core, the column `sign` of `openssl speed`.
fn openssl() -> anyhow::Result<f64> {
    let seconds = TURN.as_secs().to_string();
    let output = Command::new("openssl")
        .args(["speed", "-seconds", &seconds, "-elapsed", "rsa2048"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .find(|line| line.starts_with("rsa") && line.contains("2048"));
    // "rsa 2048 bits 0.000207s 0.000006s 4822.2 160000.0", with further columns in later versions.
    let numbers = line
        .context("openssl printed no line for rsa2048")?
        .split_whitespace();
    let rate = numbers
        .filter_map(|word| word.parse::<f64>().ok())
        .find(|rate| *rate != 2048.0);
    rate.context("openssl printed no rate")
}
