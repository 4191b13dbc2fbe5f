//! Bodies that are written and read again, and bodies of other programs.

use proptest::prelude::*;

use super::*;

const TYPE: &str = "multipart/related;type=\"application/rlmi+xml\";boundary=\"b\"";

#[test]
fn parts_end_where_a_line_begins_with_the_boundary() {
    let body = b"before\r\n--b\r\nContent-ID: <1@x>\r\nContent-Type: Text/Plain;x=y\r\n\r\none --b\r\n\r\n--b \r\n\r\ntwo\r\n--b--\r\nafter";
    let parts = parse(TYPE, body).unwrap();
    let told = parts.iter().map(|p| (&*p.id, &*p.content_type, &*p.body));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [("1@x", "text/plain", &b"one --b\r\n"[..]), ("", "", b"two")]
    );
}

#[test]
fn a_body_that_is_not_multipart_is_refused() {
    for (content_type, body) in [
        ("text/plain;boundary=b", &b"--b\r\n\r\n--b--"[..]),
        ("multipart/related", b"--b\r\n\r\n--b--"),
        (TYPE, b""),
        (TYPE, b"--bc\r\n\r\nx"),
    ] {
        assert!(parse(content_type, body).is_err(), "{content_type}");
    }
    let many = "--b\r\n\r\n".repeat(PARTS_MAX + 2);
    assert_eq!(parse(TYPE, many.as_bytes()), Err(MultipartError::TooMany));
}

proptest! {
    #[test]
    fn a_written_body_is_read_back(bodies in prop::collection::vec("[ -~]{0,40}", 0..5)) {
        let mut out = Vec::new();
        let mut writer = Writer::new("never-in-it", &mut out);
        for (number, body) in bodies.iter().enumerate() {
            writer.part(&format!("{number}@x"), "text/plain").extend_from_slice(body.as_bytes());
        }
        writer.finish();
        let parts = parse("multipart/related;boundary=never-in-it", &out).unwrap();
        prop_assert_eq!(parts.len(), bodies.len());
        for (number, (part, body)) in parts.iter().zip(&bodies).enumerate() {
            prop_assert_eq!(&part.id, &format!("{number}@x"));
            prop_assert_eq!(&*part.body, body.as_bytes());
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(prop_oneof![Just(b'-'), Just(b'b'), Just(b'\n'), any::<u8>()], 0..200)) {
        let _ = parse(TYPE, &bytes);
    }
}

/// A6, A13: boundaries, headers and encodings as mail programs and PBXs write them.
#[test]
fn variants_of_parts_are_read() {
    let text = |content_type: &str, body: &str| {
        let parts = parse(content_type, body.as_bytes()).unwrap();
        let text = |part: &Part<'_>| String::from_utf8_lossy(&part.body).into_owned();
        parts.iter().map(text).collect::<Vec<_>>()
    };
    // Line feeds only, blanks after the boundary, a preamble, no closing delimiter.
    assert_eq!(
        text(TYPE, "a\n--b \t\n\none\n--b\n\ntwo\n"),
        ["one", "two\n"]
    );
    assert!(text(TYPE, "--b").is_empty());
    // Another boundary that begins with this one.
    assert_eq!(
        text(TYPE, "--b\r\n\r\n--bb\r\nin\r\n--bb--\r\n--b--"),
        ["--bb\r\nin\r\n--bb--"]
    );
    let spaced = "Multipart/Related; Boundary = \"a b\" ; type=x";
    assert_eq!(text(spaced, "--a b\r\n\r\none\r\n--a b--"), ["one"]);
    for (encoding, body) in [
        ("base64", "PHN0\r\n YXRlLz4"),
        ("BASE64", "PHN0YXRlLz4="),
        ("quoted-printable", "=3Csta=\r\nte/=3e"),
        ("8bit", "<state/>"),
        ("Binary", "<state/>"),
        ("7bit (of course)", "<state/>"),
    ] {
        let body =
            format!("--b\r\ncontent-transfer-encoding:\r\n {encoding}\r\n\r\n{body}\r\n--b--");
        assert_eq!(text(TYPE, &body), ["<state/>"], "{encoding}");
    }
    let folded = b"--b\r\nContent-Type: multipart/related;\r\n\tboundary=c\r\nContent-ID:  <1@x> \r\n\r\n--b--";
    let parts = parse(TYPE, folded).unwrap();
    assert_eq!(
        (&*parts[0].id, &*parts[0].content_type),
        ("1@x", "multipart/related")
    );
    assert_eq!(&*parts[0].full_type, "multipart/related; boundary=c");
    // An undecodable body stays unchanged.
    assert_eq!(
        text(
            TYPE,
            "--b\r\nContent-Transfer-Encoding: base64\r\n\r\n<a>\r\n--b--"
        ),
        ["<a>"]
    );
}

#[test]
fn references_to_parts_are_the_same_however_they_are_written() {
    for id in ["1@x", "<1@x>", "cid:1@x", " <1@x> ", "CID:1%40x"] {
        assert_eq!(content_id(id), "1@x", "{id}");
    }
}
