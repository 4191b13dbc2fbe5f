//! Spellings of users, invalid addresses, and the examples of RFC 3261.

use proptest::prelude::*;

use super::{equivalent, is_well_formed, plain, user, user_as_written};

// A14
#[test]
fn all_spellings_of_a_user_are_one() {
    for (uri, name) in [
        ("sip:%31002@pbx.test", "1002"),
        ("SIP:%310%302@PBX.test:5060;transport=udp", "1002"),
        (
            "sips:1002;phone-context=pbx.test@pbx.test;user=phone",
            "1002",
        ),
        ("sip:%2B4930123@pbx.test", "+4930123"),
        ("sip:%2b49%330123:pw@pbx.test", "+4930123"),
        ("sip:55%23@pbx.test", "55#"),
        ("sip:55#@pbx.test", "55#"),
        ("sip:%2A98@pbx.test", "*98"),
        ("tel:+49-30-123", "+4930123"),
        ("TEL:+49(30)1.23;ext=7", "+4930123"),
        ("tel:%2B49-30-123", "+4930123"),
        ("tel:1002;phone-context=+4930", "1002"),
        ("sip:+49-30-123@pbx.test;user=phone", "+4930123"),
        ("sip:%2B49%2D30%2D123@pbx.test;USER=Phone", "+4930123"),
        // A name is not a number, even with user=phone.
        ("sip:anna.meyer@pbx.test;user=phone", "anna.meyer"),
        ("sip:10-02@pbx.test", "10-02"),
        ("sip:10-02@pbx.test;user=ip", "10-02"),
        ("sip:%C3%A4@pbx.test", "\u{e4}"),
        // Escapes are resolved once.
        ("sip:%2531002@pbx.test", "%31002"),
        ("sip:1002%3Ba=b@pbx.test", "1002;a=b"),
        ("sip:1002%40evil@pbx.test", "1002@evil"),
        // Malformed escapes, and those of control characters, are equivalent only to themselves.
        ("sip:1002%00@pbx.test", "1002%00"),
        ("sip:%0d%0a1002@pbx.test", "%0d%0a1002"),
        ("sip:%31%zz@pbx.test", "1%zz"),
        ("sip:1002%@pbx.test", "1002%"),
        ("sip:1002%3@pbx.test", "1002%3"),
        ("sip:%+31002@pbx.test", "%+31002"),
        ("sip:%ff@pbx.test", "%ff"),
        ("sip:%C2%85@pbx.test", "%C2%85"),
    ] {
        assert_eq!(user(uri).as_deref(), Some(name), "{uri}");
    }
    for uri in [
        "sip:@pbx.test",
        "sip:;a=b@x",
        "tel:",
        "mailto:1002@x",
        "1002",
        "",
        ":@",
    ] {
        assert_eq!(user(uri), None, "{uri}");
    }
    let written = user_as_written("tel:030%2D123");
    assert_eq!(written.as_deref(), Some("030-123"));
}

// A18
#[test]
fn an_address_that_cannot_be_read_is_none() {
    for uri in [
        "sip:pbx.test",
        "sip:1002@pbx.test:5060;lr?a=b",
        "sip:1002@[2001:db8::10]",
        "sips:[2001:db8::10]:5070;transport=tcp",
        "sip:[2001:db8::10:5070]",
        "sip:[::ffff:192.0.2.10]",
        "sip:*98#@192.0.2.10",
        "sip:1002@my_pbx",
        "sip:1_u.~(t)&i'+$/?,/;;*:&i+p*$w@example.com",
        "tel:+49-30-123;ext=1",
    ] {
        assert!(is_well_formed(uri), "{uri}");
    }
    for uri in [
        "sip:2001:db8::10",
        "sip:1002@2001:db8::10",
        "sip:[2001:db8::10",
        "sip:[2001:db8::10]5070",
        "sip:[fe80::1%25eth0]",
        "sip:[192.0.2.1]",
        "sip:1002@",
        "sip:",
        "sip:@pbx.test",
        "sip:a@b@c",
        "sip:x y@z",
        "sip:<a>@z",
        "sip:a\"b@z",
        "sip:1002@pbx.test:0",
        "sip:1002@pbx.test:65536",
        "sip:1002@pbx.test:",
        "sip:1002@pbx.test:+1",
        "sip:1002@pb\u{e4}x.test",
        "tel:",
        "*",
        "http://pbx.test",
    ] {
        assert!(!is_well_formed(uri), "{uri}");
    }
}

#[test]
fn a_user_has_one_spelling_without_the_password() {
    for (uri, name, told) in [
        ("sip:1004@pbx.test", "1004", "sip:1004@pbx.test"),
        ("sip:%31004@pbx.test;x=y", "1004", "sip:%31004@pbx.test"),
        ("sip:1004:pw@pbx.test?a=b", "1004", "sip:1004@pbx.test"),
        (
            "sip:1004:p;w@pbx.test:5060",
            "1004",
            "sip:1004@pbx.test:5060",
        ),
        ("sip:1004;a=b@pbx.test;c=d", "1004", "sip:1004;a=b@pbx.test"),
        ("sip:1004;a=b:pw@pbx.test", "1004", "sip:1004;a=b@pbx.test"),
        ("sip:a%3bb@pbx.test", "a;b", "sip:a%3bb@pbx.test"),
    ] {
        assert_eq!(user(uri).as_deref(), Some(name), "{uri}");
        assert_eq!(plain(uri), told, "{uri}");
    }
    assert_eq!(
        (user("sip:pbx.test"), plain("sip:pbx.test:5060;lr")),
        (None, "sip:pbx.test:5060".into())
    );
}

/// The examples of RFC 3261 §19.1.4.
#[test]
fn the_examples_of_rfc_3261() {
    for (one, other) in [
        (
            "sip:%61lice@atlanta.com;transport=TCP",
            "sip:alice@AtLanTa.CoM;Transport=tcp",
        ),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:carol@chicago.com;security=on",
            "sip:carol@chicago.com;newparam=5",
        ),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        // A14, also for the URI in a phone's signature.
        ("sip:%2B4930123@pbx.test", "sip:+4930123@PBX.test"),
        ("tel:+49-30-123", "TEL:+4930123"),
        ("sip:1001@[2001:DB8::0:1]", "sip:1001@[2001:db8::1]"),
    ] {
        assert!(equivalent(one, other), "{one} {other}");
    }
    for (one, other) in [
        (
            "SIP:ALICE@AtLanTa.CoM;Transport=udp",
            "sip:alice@AtLanTa.CoM;Transport=UDP",
        ),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        (
            "sip:bob@biloxi.com",
            "sip:bob@biloxi.com:6000;transport=tcp",
        ),
        (
            "sip:carol@chicago.com",
            "sip:carol@chicago.com?Subject=next%20meeting",
        ),
        (
            "sip:carol@chicago.com;security=on",
            "sip:carol@chicago.com;security=off",
        ),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:1001@pbx.test", "sips:1001@pbx.test"),
        ("sip:1001@pbx.test", "sip:pbx.test"),
        ("sip:a%3Ab@pbx.test", "sip:a:b@pbx.test"),
        ("sip:a%3Bb@pbx.test", "sip:a;b@pbx.test"),
        ("sip:1001%00@pbx.test", "sip:1001@pbx.test"),
        ("tel:1001", "tel:1002"),
        ("tel:1001", "tel:1001;phone-context=pbx.test"),
        ("tel:1001", "sip:1001@pbx.test"),
        ("", "sip:1001@pbx.test"),
    ] {
        assert!(!equivalent(one, other), "{one} {other}");
    }
}

proptest! {
    #[test]
    fn any_text_is_compared_without_a_panic_and_in_either_order(
        one in "(sip:)?[%:;?@=&a-c0-9\u{e4}]{0,12}",
        other in "(sip:)?[%:;?@=&a-c0-9\u{e4}]{0,12}",
    ) {
        prop_assert!(equivalent(&one, &one));
        prop_assert_eq!(equivalent(&one, &other), equivalent(&other, &one));
        let _ = (user(&one), user_as_written(&one), is_well_formed(&one));
    }
}
