//! Parsing, verification and decryption of notifications, also with random input.

use std::sync::LazyLock;

use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    hmac,
    iv::FixedLength,
    rsa::{
        KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm,
        OaepPublicEncryptingKey, PublicEncryptingKey,
    },
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::*;
use crate::{KeyedCertificate, vectors};

mod mutations;

const NOW: i64 = 1_767_232_800_000;
const TENANT: &str = "84bd8158-6d4d-4958-8b9f-9d6445542f95";
const APP: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";
const SUBSCRIPTION: &str = "37a10357-9c28-4cb8-8a4f-a85a1e9b5a7b";
const USER: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";

static PAIR: LazyLock<(String, String)> = LazyLock::new(|| vectors::pair_pem(KeySize::Rsa2048));

fn pair() -> KeyedCertificate {
    KeyedCertificate::from_pem(PAIR.0.as_bytes(), PAIR.1.as_bytes()).unwrap()
}

fn keys() -> SigningKeys {
    SigningKeys::parse(vectors::all()["jwks"].to_string().as_bytes()).unwrap()
}

fn token(name: &str) -> String {
    vectors::all()["validationTokens"][name]
        .as_str()
        .unwrap()
        .to_owned()
}

fn receiver() -> Receiver {
    let trust = TrustedApplication {
        tenant_id: TENANT.into(),
        client_id: APP.into(),
    };
    let mut receiver = Receiver::new("https://login.microsoftonline.com", [trust]);
    receiver.set_keys(NOW, keys());
    receiver.add_certificate("cert-1", pair());
    receiver.expect(SUBSCRIPTION, SecretString::from("PresenceTesting"));
    receiver
}

/// Encrypts like Graph; `salt` selects the item's key.
fn encrypt(text: &str, salt: u8, algorithm: &'static OaepAlgorithm) -> Value {
    let key: Vec<u8> = (0..32).map(|byte: u8| byte ^ salt).collect();
    let mut iv = [0; 16];
    iv.copy_from_slice(&key[..16]);
    let aes = PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &key).unwrap());
    let mut data = text.as_bytes().to_vec();
    aes.unwrap()
        .less_safe_encrypt(&mut data, EncryptionContext::Iv128(FixedLength::from(iv)))
        .unwrap();
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &data);
    let public = PublicEncryptingKey::from_der(&vectors::public_der(&PAIR.1)).unwrap();
    let public = OaepPublicEncryptingKey::new(public).unwrap();
    let mut wrapped = vec![0; public.ciphertext_size()];
    public.encrypt(algorithm, &key, &mut wrapped, None).unwrap();
    json!({
        "data": BASE64_STANDARD.encode(data),
        "dataSignature": BASE64_STANDARD.encode(signature),
        "dataKey": BASE64_STANDARD.encode(wrapped),
        "encryptionCertificateId": "cert-1",
        "encryptionCertificateThumbprint": pair().certificate().thumbprint(),
    })
}

fn item(salt: u8) -> Value {
    let text = vectors::all()["plaintextUtf8"].as_str().unwrap().to_owned();
    let mut item = vectors::all()["richNotification"]["value"][0].clone();
    item["encryptedContent"] = encrypt(&text, salt, &OAEP_SHA1_MGF1SHA1);
    item
}

fn rich(items: &[Value], tokens: &[&str]) -> Vec<u8> {
    let tokens: Vec<String> = tokens.iter().map(|name| token(name)).collect();
    json!({ "value": items, "validationTokens": tokens })
        .to_string()
        .into_bytes()
}

fn events(receiver: &mut Receiver, body: &[u8]) -> Vec<Event> {
    match receiver.receive(NOW, body) {
        ReceiveResult::Events(events) => events,
        ReceiveResult::KeysNeeded => panic!("keys wanted"),
    }
}

#[track_caller]
fn busy(event: &Event) {
    let Event::Notice(notice) = event else {
        panic!("{event:?}");
    };
    assert_eq!(notice.user, USER);
    assert_eq!(notice.availability.as_deref(), Some("Busy"));
    assert_eq!(notice.activity.as_deref(), Some("InACall"));
}

#[test]
fn row_56_the_handshake_is_answered_decoded() {
    for (query, expected) in [
        (
            "validationToken=Validation%3a+Testing+client",
            Some("Validation: Testing client"),
        ),
        (
            "a=1&validationToken=%3Cb%3E%26&validationToken=2",
            Some("<b>&"),
        ),
        ("validationToken=", None),
        ("token=x", None),
        ("", None),
    ] {
        assert_eq!(validation_answer(query).as_deref(), expected, "{query}");
    }
    let long = format!("validationToken={}", "x".repeat(5_000));
    assert_eq!(validation_answer(&long), None);
}

#[test]
fn row_71_every_form_of_an_item_is_read() {
    let mut receiver = receiver();
    let resources = [
        format!("communications/presences/{USER}"),
        format!("communications/presences?$filter=id+in+(%27{USER}%27)"),
        format!("communications/presences('{USER}')"),
    ];
    let mut salt = 0;
    for resource in &resources {
        for odata_type in ["#Microsoft.Graph.presence", "#microsoft.graph.presence"] {
            for with_id in [true, false] {
                salt += 1;
                let mut item = item(salt);
                item["resource"] = json!(resource);
                item["organizationId"] = json!(TENANT);
                item["id"] = json!("1");
                item["subscriptionExpirationDateTime"] = json!("2024-04-19T23:58:00.4569264");
                item["resourceData"] = if with_id {
                    json!({ "@odata.type": odata_type, "id": USER })
                } else {
                    json!({ "@odata.type": odata_type })
                };
                let events = events(&mut receiver, &rich(&[item], &["v2_valid"]));
                assert_eq!(events.len(), 1, "{resource}");
                busy(&events[0]);
            }
        }
    }
    assert_eq!(receiver.counters().notices, u64::from(salt));
}

#[test]
fn several_items_of_one_post_are_read_and_a_bad_one_does_not_spoil_them() {
    let mut receiver = receiver();
    let bad = [json!(5), json!({ "subscriptionId": 5 }), json!(null)];
    let items = [&[item(1)], &bad[..], &[item(2)]].concat();
    let found = events(&mut receiver, &rich(&items, &["v1_valid", "v2_valid"]));
    assert_eq!(found.len(), 2);
    let counters = receiver.counters();
    assert_eq!((counters.notices, counters.malformed), (2, 3));
}

#[test]
fn a_notice_without_content_names_the_person_only_and_needs_no_token() {
    let mut receiver = receiver();
    let mut item = item(1);
    item.as_object_mut().unwrap().remove("encryptedContent");
    let body = json!({ "value": [item] }).to_string();
    let found = events(&mut receiver, body.as_bytes());
    let [Event::Notice(notice)] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!((notice.user.as_str(), &notice.availability), (USER, &None));
}

#[test]
fn row_72_another_client_state_is_ignored_and_counted() {
    let mut receiver = receiver();
    for state in [json!("presenceTesting"), json!(""), json!(null)] {
        let mut item = item(1);
        item["clientState"] = state;
        assert!(events(&mut receiver, &rich(&[item], &["v2_valid"])).is_empty());
    }
    let mut foreign = item(1);
    foreign["subscriptionId"] = json!("NA");
    assert!(events(&mut receiver, &rich(&[foreign], &["v2_valid"])).is_empty());
    receiver.forget(SUBSCRIPTION);
    assert!(events(&mut receiver, &rich(&[item(1)], &["v2_valid"])).is_empty());
    let counters = receiver.counters();
    assert_eq!(
        (counters.wrong_client_state, counters.unknown_subscription),
        (3, 2)
    );
}

#[test]
fn rows_76_and_77_wrong_signatures_and_flipped_bytes_are_dropped() {
    let mut receiver = receiver();
    let mut wrong = item(1);
    wrong["encryptedContent"]["dataSignature"] =
        vectors::all()["negative"]["signatureOverBase64Text"].clone();
    let mut flipped = item(1);
    let data = flipped["encryptedContent"]["data"].as_str().unwrap();
    let mut data = BASE64_STANDARD.decode(data).unwrap();
    *data.last_mut().unwrap() ^= 1;
    flipped["encryptedContent"]["data"] = json!(BASE64_STANDARD.encode(data));
    let found = events(&mut receiver, &rich(&[wrong, flipped], &["v2_valid"]));
    assert!(found.is_empty());
    assert_eq!(receiver.counters().bad_signature, 2);
}

#[test]
fn row_78_a_key_wrapped_otherwise_is_dropped() {
    let mut receiver = receiver();
    let mut other = item(1);
    other["encryptedContent"] = encrypt("{}", 1, &OAEP_SHA256_MGF1SHA256);
    assert!(events(&mut receiver, &rich(&[other], &["v2_valid"])).is_empty());
    assert_eq!(receiver.counters().undecryptable, 1);
}

#[test]
fn several_certificates_serve_and_unknown_ones_are_counted() {
    let mut receiver = receiver();
    let mut renamed = item(1);
    renamed["encryptedContent"]["encryptionCertificateId"] = json!("cert-2");
    let body = rich(&[renamed], &["v2_valid"]);
    assert!(events(&mut receiver, &body).is_empty());
    receiver.add_certificate("cert-2", pair());
    assert_eq!(events(&mut receiver, &body).len(), 1);
    assert_eq!(
        events(&mut receiver, &rich(&[item(2)], &["v2_valid"])).len(),
        1
    );
    receiver.remove_certificate("cert-1");
    assert!(events(&mut receiver, &rich(&[item(3)], &["v2_valid"])).is_empty());
    let mut other_print = item(4);
    other_print["encryptedContent"]["encryptionCertificateId"] = json!("cert-2");
    other_print["encryptedContent"]["encryptionCertificateThumbprint"] = json!("00");
    assert!(events(&mut receiver, &rich(&[other_print], &["v2_valid"])).is_empty());
    assert_eq!(receiver.counters().unknown_certificate, 3);
}

#[test]
fn row_81_sequence_and_etag_are_read_as_text_or_number() {
    // The private key of Microsoft's own vector is not public, so the same content is encrypted with another key.
    let mut receiver = receiver();
    let texts = [
        r#"{"id":"u","etag":"1625126194597","sequenceNumber":"A1"}"#,
        r#"{"id":"u","@odata.etag":1625126194597,"sequenceNumber":7}"#,
        r#"{"id":"u","etag":null,"sequenceNumber":[]}"#,
    ];
    let expected = [
        (Some("1625126194597"), Some("A1")),
        (Some("1625126194597"), Some("7")),
        (None, None),
    ];
    for (salt, (text, expected)) in (1..).zip(texts.into_iter().zip(expected)) {
        let mut item = item(salt);
        item["resourceData"]["id"] = json!("u");
        item["encryptedContent"] = encrypt(text, salt, &OAEP_SHA1_MGF1SHA1);
        let found = events(&mut receiver, &rich(&[item], &["v2_valid"]));
        let [Event::Notice(notice)] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(
            (notice.etag.as_deref(), notice.sequence.as_deref()),
            expected
        );
    }
}

#[test]
fn row_82_tokens_of_both_styles_are_accepted() {
    for name in ["v1_valid", "v2_valid"] {
        let found = events(&mut receiver(), &rich(&[item(1)], &[name]));
        assert_eq!(found.len(), 1, "{name}");
        busy(&found[0]);
    }
}

#[test]
fn row_83_every_wrong_token_is_refused() {
    for name in [
        "expired",
        "wrong_aud",
        "wrong_publisher",
        "wrong_tenant",
        "unknown_kid",
    ] {
        let mut receiver = receiver();
        let found = events(&mut receiver, &rich(&[item(1)], &[name]));
        assert!(found.is_empty(), "{name}");
        assert_eq!(receiver.counters().forged, 1, "{name}");
    }
    let mut receiver = receiver();
    for token in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
        let body = json!({ "value": [item(1)], "validationTokens": [token] }).to_string();
        assert!(events(&mut receiver, body.as_bytes()).is_empty(), "{token}");
    }
    assert!(events(&mut receiver, &rich(&[item(1)], &[])).is_empty());
    assert_eq!(receiver.counters().forged, 4);
}

#[test]
fn a_token_is_not_believed_before_or_after_its_time() {
    let body = rich(&[item(1)], &["expired"]);
    // Valid from 00:00 to 01:00, with a tolerance of five minutes for clocks.
    let begin = 1_767_225_600_000;
    for (now, believed) in [
        (begin - 300_001, false),
        (begin - 300_000, true),
        (begin + 3_899_999, true),
        (begin + 3_900_000, false),
        (i64::MAX, false),
        (i64::MIN, false),
    ] {
        let found = receiver().receive(now, &body);
        let expected = usize::from(believed);
        assert!(
            matches!(&found, ReceiveResult::Events(events) if events.len() == expected),
            "{now} {found:?}"
        );
    }
    // A cached token expires as well.
    let mut receiver = receiver();
    let believed = |found| matches!(found, ReceiveResult::Events(events) if !events.is_empty());
    assert!(believed(receiver.receive(begin, &body)));
    let again = rich(&[item(2)], &["expired"]);
    assert!(!believed(receiver.receive(begin + 3_900_000, &again)));
}

#[test]
fn row_84_one_bad_token_of_two_makes_the_whole_post_suspicious() {
    for names in [["v2_valid", "wrong_publisher"], ["expired", "v1_valid"]] {
        let mut receiver = receiver();
        let found = events(&mut receiver, &rich(&[item(1), item(2)], &names));
        assert!(found.is_empty());
        assert_eq!(receiver.counters().forged, 2);
    }
}

#[test]
fn an_item_of_another_tenant_than_the_tokens_is_forged() {
    let mut receiver = receiver();
    let mut other = item(1);
    other["tenantId"] = json!("00000000-0000-0000-0000-000000000003");
    let found = events(&mut receiver, &rich(&[other, item(2)], &["v2_valid"]));
    assert_eq!(found.len(), 1);
    assert_eq!(receiver.counters().forged, 1);
}

#[test]
fn the_outer_id_cannot_turn_one_person_into_another() {
    let mut receiver = receiver();
    let mut other = item(1);
    other["resourceData"]["id"] = json!("somebody else");
    assert!(events(&mut receiver, &rich(&[other], &["v2_valid"])).is_empty());
    assert_eq!(receiver.counters().malformed, 1);
}

#[test]
fn unknown_keys_are_fetched_once_and_strangers_cannot_ask_for_them() {
    let mut receiver = receiver();
    let later = NOW + 3_600_000;
    let body = rich(&[item(1)], &["unknown_kid"]);
    let mut strange = item(1);
    strange["clientState"] = json!("guess");
    let strange = rich(&[strange], &["unknown_kid"]);
    assert_eq!(
        receiver.receive(later, &strange),
        ReceiveResult::Events(Vec::new())
    );
    assert_eq!(receiver.receive(later, &body), ReceiveResult::KeysNeeded);
    receiver.set_keys(later, keys());
    assert_eq!(
        receiver.receive(later, &body),
        ReceiveResult::Events(Vec::new())
    );
    assert_eq!(receiver.counters().forged, 1);
    receiver.keys_failed(later);
    assert!(!receiver.keys_due(later));
}

#[test]
fn row_86_a_repeated_notification_is_applied_once_and_counted() {
    let mut receiver = receiver();
    let body = rich(&[item(1)], &["v2_valid"]);
    assert_eq!(events(&mut receiver, &body).len(), 1);
    assert!(events(&mut receiver, &body).is_empty());
    let counters = receiver.counters();
    assert_eq!((counters.notices, counters.duplicates), (1, 1));
    assert!(counters.dropped().contains(&(DropReason::Duplicate, 1)));
}

#[test]
fn lifecycle_events_are_read_if_the_client_state_is_right() {
    let mut receiver = receiver();
    let event = |event: &str, state: &str| {
        json!({ "subscriptionId": SUBSCRIPTION, "clientState": state, "tenantId": TENANT,
            "subscriptionExpirationDateTime": "2019-03-20T11:00:00.0000000Z", "lifecycleEvent": event })
    };
    let state = "PresenceTesting";
    let value = [
        event("reauthorizationRequired", state),
        event("subscriptionRemoved", state),
        event("missed", state),
        event("new", state),
        event("missed", "wrong"),
    ];
    let body = json!({ "value": value }).to_string();
    let kinds: Vec<_> = events(&mut receiver, body.as_bytes())
        .into_iter()
        .map(|event| match event {
            Event::Lifecycle(event) => {
                assert_eq!(event.expires, Some(1_553_079_600_000));
                event.kind
            }
            Event::Notice(notice) => panic!("{notice:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            LifecycleKind::ReauthorizationRequired,
            LifecycleKind::SubscriptionRemoved,
            LifecycleKind::Missed,
            LifecycleKind::Other("new".into())
        ]
    );
    let counters = receiver.counters();
    assert_eq!((counters.lifecycle, counters.wrong_client_state), (4, 1));
}

#[test]
fn sizes_are_bounded() {
    let mut receiver = receiver();
    let large = vec![b' '; 3 * 1024 * 1024];
    assert!(events(&mut receiver, &large).is_empty());
    let many = rich(&vec![json!({}); 2_001], &["v2_valid"]);
    assert!(events(&mut receiver, &many).is_empty());
    let tokens = rich(&[item(1)], &["v2_valid"; 33]);
    assert!(events(&mut receiver, &tokens).is_empty());
    assert_eq!(receiver.counters().too_large, 3);
}

#[test]
fn nothing_secret_is_shown() {
    let text = format!("{:?}", receiver());
    assert!(!text.contains("PresenceTesting"), "{text}");
    let mut receiver = receiver();
    events(&mut receiver, &rich(&[item(1)], &["v2_valid"]));
    let text = format!("{receiver:?}");
    assert!(!text.contains(&token("v2_valid")), "{text}");
}
