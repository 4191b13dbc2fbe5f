//! PUBLISH against the agent.

use super::*;

fn publish(branch: &str, etag: Option<&str>, expires: u32, body: &str) -> Vec<u8> {
    let mut request = bare("PUBLISH", branch)
        .header("Event", "presence")
        .header("Expires", expires);
    if let Some(etag) = etag {
        request = request.header("SIP-If-Match", etag);
    }
    if body.is_empty() {
        return request.finish().unwrap();
    }
    request
        .body(Package::Presence.content_type(), body.as_bytes())
        .unwrap()
}

/// The status code and the new entity tag.
fn published(
    now: Duration,
    agent: &mut Agent<u8>,
    host: &mut Desk,
    bytes: &[u8],
) -> (u16, Option<String>) {
    let sent = receive(now, agent, host, bytes);
    let answer = Message::parse(&sent[0]).unwrap();
    let etag = answer.header("SIP-ETag").map(|etag| etag.into_owned());
    (answer.code().unwrap(), etag)
}

#[test]
fn a_publication_lives_from_its_first_tag_to_its_end() {
    let (mut agent, mut host) = (agent(), desk("x"));
    let (code, first) = published(
        SECOND,
        &mut agent,
        &mut host,
        &publish("a", None, 60, "busy"),
    );
    assert_eq!(code, 200);
    let renewed = publish("b", first.as_deref(), 60, "");
    let (code, second) = published(SECOND * 50, &mut agent, &mut host, &renewed);
    assert_eq!(code, 200);
    assert_ne!(first, second);
    // The earlier tag is no longer known.
    let stale = publish("c", first.as_deref(), 60, "away");
    assert_eq!(published(SECOND, &mut agent, &mut host, &stale).0, 412);
    let changed = publish("d", second.as_deref(), 60, "away");
    let (_, third) = published(SECOND * 60, &mut agent, &mut host, &changed);
    let nonsense = publish("e", third.as_deref(), 60, "nonsense");
    assert_eq!(
        published(SECOND * 61, &mut agent, &mut host, &nonsense).0,
        400
    );
    assert!(elapse(SECOND * 119, &mut agent, &mut host).is_empty());
    assert_eq!(agent.publications(), 1);
    elapse(SECOND * 120, &mut agent, &mut host);
    assert_eq!(agent.publications(), 0);
    let told: Vec<_> = host
        .published
        .iter()
        .map(|(_, body)| body.as_deref())
        .collect();
    assert_eq!(told, [Some("busy"), Some(""), Some("away"), None]);
    assert!(
        host.published
            .iter()
            .all(|(entity, _)| *entity == PublicationId(0))
    );
}

#[test]
fn publications_are_taken_back_and_bounded_and_must_be_of_the_package() {
    let (mut agent, mut host) = (agent(), desk("x"));
    let one = publish("a", None, 60, "busy");
    let (_, etag) = published(SECOND, &mut agent, &mut host, &one);
    let removal = publish("b", etag.as_deref(), 0, "");
    assert_eq!(published(SECOND, &mut agent, &mut host, &removal).0, 200);
    assert_eq!(host.published.last(), Some(&(PublicationId(0), None)));
    let empty = publish("c", None, 60, "");
    assert_eq!(published(SECOND, &mut agent, &mut host, &empty).0, 400);
    let brief = publish("d", None, 59, "busy");
    assert_eq!(published(SECOND, &mut agent, &mut host, &brief).0, 423);
    for (branch, wanted) in [("e", 200), ("f", 200), ("g", 503)] {
        let request = publish(branch, None, 60, "busy");
        assert_eq!(published(SECOND, &mut agent, &mut host, &request).0, wanted);
    }
    let other = bare("PUBLISH", "h").header("Event", "presence");
    let other = other.body("text/plain", b"busy").unwrap();
    assert_eq!(published(SECOND, &mut agent, &mut host, &other).0, 415);
}

#[test]
fn a_publish_within_a_dialog_is_refused() {
    let (mut agent, mut host) = (agent(), desk("x"));
    let bytes = publish("a", None, 60, "busy");
    let text = String::from_utf8(bytes).unwrap();
    let text = text.replace("To: <sip:1001@x>", "To: <sip:1001@x>;tag=2");
    assert_eq!(
        published(SECOND, &mut agent, &mut host, text.as_bytes()).0,
        481
    );
    assert!(host.published.is_empty());
}
