//! Behind nginx with its defaults: buffering, HTTP/1.0 to the server; and with compression of all responses.

use end_to_end::{Installation, ReverseProxy, Server};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::SOON;

/// A server with Anna, and nginx before the server.
struct Stage {
    /// The server through nginx.
    server: Server,
    _behind: Server,
    _proxy: ReverseProxy,
    _installation: Installation,
}

async fn stage() -> Stage {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let proxy = ReverseProxy::start_with_defaults(server.url()).await;
    Stage {
        server: server.through(&proxy),
        _behind: server,
        _proxy: proxy,
        _installation: installation,
    }
}

#[tokio::test]
async fn events_arrive_when_they_happen() {
    let stage = stage().await;
    let server = &stage.server;
    let anna = server.person("anna").await;
    for coding in ["identity", "gzip"] {
        let coded = [("accept-encoding", coding)];
        let opened = server.open("/api/v1/events", &coded);
        let mut events = tokio::time::timeout(SOON, opened).await.unwrap();
        let cached = events.headers()["cache-control"].to_str().unwrap();
        assert_eq!(cached, "no-cache, no-transform");
        let hello = tokio::time::timeout(SOON, events.chunk()).await.unwrap();
        assert!(hello.unwrap().is_some(), "{coding}");
        let path = format!("/api/v1/people/{anna}");
        let name = json!({"name": format!("Anna {coding}")});
        server.ok(Method::PATCH, &path, Some(name)).await;
        let change = tokio::time::timeout(SOON, events.chunk()).await.unwrap();
        assert!(change.unwrap().is_some(), "{coding}");
        let back = json!({"name": "anna"});
        server.ok(Method::PATCH, &path, Some(back)).await;
    }
}

#[tokio::test]
async fn a_tag_that_compression_made_weak_is_good_for_conditions() {
    let stage = stage().await;
    let server = &stage.server;
    let path = format!("/api/v1/people/{}", server.person("anna").await);
    let compressed = ("accept-encoding", "gzip");
    let (_, tag, _) = server.with_headers(Method::HEAD, &path, &[], None).await;
    let read = server.open(&path, &[compressed]).await;
    assert_eq!(read.headers()["content-encoding"], "gzip");
    let weak = read.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(weak, format!("W/{}", tag.unwrap()));

    let listed = format!("\"an,other\", {weak}");
    for known in [&weak, &listed, "*"] {
        let headers = [compressed, ("if-none-match", known)];
        let (status, ..) = server
            .with_headers(Method::GET, &path, &headers, None)
            .await;
        assert_eq!(status, StatusCode::NOT_MODIFIED, "{known}");
    }
    let change = async |expected: &str, mail: &str| {
        let headers = [("if-match", expected)];
        let mail = Some(json!({"mail": mail}));
        let changed = server
            .with_headers(Method::PATCH, &path, &headers, mail)
            .await;
        changed.0
    };
    assert_eq!(change(&listed, "a@x.example").await, StatusCode::OK);
    assert_eq!(
        change(&weak, "b@x.example").await,
        StatusCode::PRECONDITION_FAILED,
        "the state has changed"
    );
    let apache = server.open(&path, &[]).await;
    let apache = apache.headers()["etag"].to_str().unwrap().to_owned();
    let apache = format!("\"{}-gzip\"", apache.trim_matches('"'));
    assert_eq!(change(&apache, "c@x.example").await, StatusCode::OK);
    assert_eq!(
        change("no quotes", "d@x.example").await,
        StatusCode::BAD_REQUEST
    );
}
