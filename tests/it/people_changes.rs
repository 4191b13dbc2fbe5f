//! One changed person causes one event for viewers who see a difference, and none for other viewers. No event, id or
//! reset reveals to a viewer that hidden data changed.

use std::collections::VecDeque;

use end_to_end::{Demo, Installation, Server, Walker, eventually};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;

use crate::SOON;

const ANNA: &str = "Anna Becker";
const BERT: &str = "Bert Lindqvist";
const DAVID: &str = "David Okafor";

/// An open event stream.
struct Stream {
    response: Response,
    buffer: String,
    frames: VecDeque<Frame>,
}

#[derive(Debug)]
struct Frame {
    event: String,
    id: Option<String>,
    data: Value,
}

impl Frame {
    /// The kind of event, and the id of its person.
    fn about(&self) -> (&str, Option<&str>) {
        let person = self.data["person"].as_str();
        (&self.event, person.or_else(|| self.data["id"].as_str()))
    }
}

impl Stream {
    fn new(response: Response) -> Self {
        Self {
            response,
            buffer: String::new(),
            frames: VecDeque::new(),
        }
    }

    /// Opens a stream and reads it up to its `hello`; returns its id.
    async fn open(server: &Server) -> (Self, String) {
        let mut stream = Self::new(server.events().await);
        let hello = stream.next().await;
        assert_eq!(hello.event, "hello");
        (stream, hello.id.unwrap())
    }

    async fn next(&mut self) -> Frame {
        loop {
            if let Some(frame) = self.frames.pop_front() {
                return frame;
            }
            let chunk = tokio::time::timeout(SOON, self.response.chunk()).await;
            let chunk = chunk.expect("no event").unwrap().expect("the stream ended");
            self.buffer += std::str::from_utf8(&chunk).unwrap();
            while let Some(end) = self.buffer.find("\n\n") {
                let text: String = self.buffer.drain(..end + 2).collect();
                self.frames.extend(frame(&text));
            }
        }
    }
}

/// Parses a frame; comments keep the connection alive.
fn frame(text: &str) -> Option<Frame> {
    let field = |name: &str| {
        let mut lines = text.lines();
        let found = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        found.map(str::to_owned)
    };
    Some(Frame {
        event: field("event")?,
        id: field("id"),
        data: serde_json::from_str(&field("data")?).unwrap(),
    })
}

async fn set_level(server: &Server, owner: &str, viewer: &str, level: &str) {
    let path = format!("/api/v1/people/{owner}/relationships/{viewer}");
    let body = json!({"level": level});
    server.ok(Method::PUT, &path, Some(body)).await;
}

#[tokio::test]
async fn boards_that_are_not_concerned_get_no_event() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let [anna, bert, david] = [
        server.person(ANNA).await,
        server.person(BERT).await,
        server.person(DAVID).await,
    ];
    let of_anna = server.signed_in_as(ANNA).await;
    let of_bert = server.signed_in_as(BERT).await;
    // An open page makes its person available: waits for both persons before counting events.
    let (mut first, _) = Stream::open(&of_anna).await;
    let (mut second, _) = Stream::open(&of_bert).await;
    set_level(server, &david, &bert, "Blocked").await;
    let frame = second.next().await;
    assert_eq!(frame.about(), ("presence", Some(&*david)));
    assert_eq!(frame.data["presence"]["status"], "Offline");
    // The same level again is no change, and a relationship with the same visible result causes no event either.
    set_level(server, &david, &bert, "Blocked").await;
    set_level(server, &david, &bert, "Unknown").await;
    // Names are visible to every viewer.
    let renamed = json!({"name": "David O."});
    let path = format!("/api/v1/people/{david}");
    server.ok(Method::PATCH, &path, Some(renamed)).await;
    for stream in [&mut first, &mut second] {
        let frame = stream.next().await;
        assert_eq!(frame.about(), ("person", Some(&*david)), "{frame:?}");
        assert_eq!(frame.data["name"], "David O.");
    }
    // Personal profiles, favourites and settings are invisible to other viewers.
    let profile = json!({"name": "Workshop", "status": "Busy"});
    let path = format!("/api/v1/people/{anna}/profiles");
    server.ok(Method::POST, &path, Some(profile)).await;
    let path = format!("/api/v1/people/{anna}/favourites");
    let body = json!({"people": [david]});
    server.ok(Method::PUT, &path, Some(body)).await;
    let path = format!("/api/v1/people/{anna}/settings/automatic");
    let body = json!({"inactivity_after": 900});
    server.ok(Method::PUT, &path, Some(body)).await;
    server.choose(BERT, "Busy").await;
    for stream in [&mut first, &mut second] {
        let frame = stream.next().await;
        assert_eq!(frame.about(), ("presence", Some(&*bert)), "{frame:?}");
    }
}

#[tokio::test]
async fn people_who_come_move_and_go_are_one_event_each() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let bert = server.signed_in_as(BERT).await;
    let (mut stream, _) = Stream::open(&bert).await;
    let new = json!({"name": "Zoe", "lines": [{"extension": "4711"}]});
    let zoe = server.ok(Method::POST, "/api/v1/people", Some(new)).await;
    let zoe = zoe["id"].as_str().unwrap();
    let frame = stream.next().await;
    assert_eq!(frame.about(), ("presence", Some(zoe)));
    // A change of the default level in Lyon concerns every viewer; the same value again, or another setting of that
    // page, concerns none.
    let path = "/api/v1/scopes/lyon/settings/presence";
    let settings = json!({"individual": true, "relationship": "External"});
    for settings in [settings.clone(), settings, json!({"history": true})] {
        server.ok(Method::PUT, path, Some(settings)).await;
    }
    assert_eq!(stream.next().await.about(), ("reset", None));
    let place = |location: &str| json!({"location": location, "group": null});
    let path = format!("/api/v1/people/{zoe}/place");
    let before = bert
        .ok(Method::GET, &format!("/api/v1/people/{zoe}/presence"), None)
        .await;
    server.ok(Method::PUT, &path, Some(place("lyon"))).await;
    let after = bert
        .ok(Method::GET, &format!("/api/v1/people/{zoe}/presence"), None)
        .await;
    // An event arrives exactly if the visible data differs.
    if before != after {
        let frame = stream.next().await;
        assert_eq!(frame.about(), ("presence", Some(zoe)), "{frame:?}");
        assert_eq!(frame.data["presence"], after);
    }
    let path = format!("/api/v1/people/{zoe}");
    server.ok(Method::DELETE, &path, None).await;
    let frame = stream.next().await;
    assert_eq!(frame.about(), ("person-removed", Some(zoe)), "{frame:?}");
    let (status, _) = server.api(Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_blocked_viewer_cannot_tell_that_something_changed() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let (bert, david) = (server.person(BERT).await, server.person(DAVID).await);
    set_level(server, &david, &bert, "Blocked").await;
    let viewer = server.signed_in_as(BERT).await;
    let (mut stream, hello) = Stream::open(&viewer).await;
    server.choose(DAVID, "Do not disturb").await;
    server.automatic(DAVID).await;
    // A reconnecting viewer gets no events, with any id; equal ids are coincidence.
    let path = format!("/api/v1/events?since={hello}");
    let mut back = Stream::new(viewer.stream(&path).await);
    let frame = back.next().await;
    assert_eq!(frame.event, "hello", "nothing was missed: {frame:?}");
    let id = frame.id.unwrap();
    assert_ne!(id, hello);
    assert_eq!(id.len(), hello.len(), "no counter");
    assert!(id.parse::<u64>().is_err(), "{id}");
    let (_, again) = Stream::open(&viewer).await;
    assert_ne!(again, id, "the same moment, and another id");
    server.choose(ANNA, "Busy").await;
    let anna = server.person(ANNA).await;
    let frame = stream.next().await;
    assert_eq!(frame.about(), ("presence", Some(&*anna)), "{frame:?}");
    // A malformed id is refused; an id of an earlier run starts a new stream.
    let (status, problem) = viewer
        .api(Method::GET, "/api/v1/events?since=12", None)
        .await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("since"))
    );
}

#[tokio::test]
async fn people_whom_another_process_imports_come_and_the_others_stay_as_they_are() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let (mut stream, _) = Stream::open(&server).await;
    installation
        .import(&[("anna", "1001"), ("bert", "1002")])
        .await;
    let frame = stream.next().await;
    let bert = server.person("bert").await;
    assert_eq!(frame.about(), ("presence", Some(&*bert)), "{frame:?}");
    installation.import(&[("anna", "1003")]).await;
    let frame = stream.next().await;
    let anna = server.person("anna").await;
    assert_eq!(frame.about(), ("person", Some(&*anna)), "{frame:?}");
    assert_eq!(frame.data["lines"], json!([{"extension": "1003"}]));
    assert_eq!(server.terminate().await, 0);
}

#[tokio::test]
async fn the_board_shows_who_comes_is_renamed_and_goes_without_being_loaded_again()
-> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let viewer = server.signed_in_as(ANNA).await;
    let walker = Walker::open(&viewer, "en").await?;
    walker.go("/").await?;
    let live = async || {
        walker
            .script("return document.getElementById('connection').dataset.state")
            .await
    };
    eventually("live", SOON, json!("live"), live).await;
    walker.script("window.loadedOnce = true").await;
    let new = json!({"name": "Bernd Aal", "lines": [{"extension": "4711"}]});
    let made = server.ok(Method::POST, "/api/v1/people", Some(new)).await;
    let id = made["id"].as_str().unwrap();
    let row = async || {
        let script = format!(
            "const row = document.querySelector('[data-person=\"{id}\"]');
             return row && [row.querySelector('.name').textContent,
                row.querySelector('.place').textContent, row.dataset.status,
                document.getElementById('summary').textContent, window.loadedOnce === true]"
        );
        walker.script(&script).await
    };
    let shown = |name: &str, extension: &str| json!([name, extension, "Absent", "26 people", true]);
    eventually("added", SOON, shown("Bernd Aal", "4711"), row).await;
    let path = format!("/api/v1/people/{id}");
    let change = json!({"name": "Berta Aal", "lines": [{"extension": "4712"}]});
    server.ok(Method::PATCH, &path, Some(change)).await;
    eventually("renamed", SOON, shown("Berta Aal", "4712"), row).await;
    server.ok(Method::DELETE, &path, None).await;
    eventually("deleted", SOON, Value::Null, row).await;
    let left = async || {
        walker
            .script("return [document.getElementById('summary').textContent, window.loadedOnce]")
            .await
    };
    eventually("the count", SOON, json!(["25 people", true]), left).await;
    walker.browser.close().await
}
