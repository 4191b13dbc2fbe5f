//! How answers travel: what is compressed, and what browsers keep.

use end_to_end::{Demo, Server};
use reqwest::{Method, StatusCode};

/// Coding and size of an answer, as it travels.
async fn sent(server: &Server, path: &str, headers: &[(&str, &str)]) -> (String, usize) {
    let answer = server.open(path, headers).await;
    let coding = answer.headers().get("content-encoding");
    let coding = coding.map_or("", |coding| coding.to_str().unwrap());
    let coding = coding.to_owned();
    (coding, answer.bytes().await.unwrap().len())
}

#[tokio::test]
async fn pages_and_answers_are_compressed_unless_another_site_asks() {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    for path in ["/", "/assets/app.css", "/api/v1/people"] {
        let (plain, size) = sent(&server, path, &[]).await;
        assert_eq!(plain, "", "{path}");
        for (accepted, expected) in [("gzip", "gzip"), ("gzip, deflate, br, zstd", "br")] {
            let accepted = ("accept-encoding", accepted);
            let own = ("sec-fetch-site", "same-origin");
            let (coding, compressed) = sent(&server, path, &[accepted, own]).await;
            assert_eq!(coding, expected, "{path}");
            assert!(
                compressed < size / 2,
                "{path}: {compressed} of {size} bytes"
            );
            // Its length would tell another site something about the content beside the site's own words.
            for site in ["cross-site", "same-site"] {
                let foreign = ("sec-fetch-site", site);
                let (coding, uncompressed) = sent(&server, path, &[accepted, foreign]).await;
                assert_eq!((&*coding, uncompressed), ("", size), "{path} from {site}");
            }
        }
    }
    let events = server
        .open("/api/v1/events", &[("accept-encoding", "gzip, br")])
        .await;
    assert!(!events.headers().contains_key("content-encoding"));
}

#[tokio::test]
async fn browsers_keep_files_of_a_version_and_ask_for_others_again() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let page = server.page("/").await;
    let mut kept = Vec::new();
    for part in page.split('"').filter(|part| part.starts_with("/assets/")) {
        let answer = server.open(part, &[]).await;
        let cached = answer.headers()["cache-control"].to_str().unwrap();
        assert_eq!(cached, "public, max-age=31536000, immutable", "{part}");
        assert!(answer.headers().contains_key("content-type"), "{part}");
        kept.push(part.to_owned());
    }
    assert!(kept.iter().any(|path| path.ends_with("/board.js")));
    // Scripts import each other by addresses in the same folder.
    let script = kept.iter().find(|path| path.ends_with("/board.js"));
    let folder = script.unwrap().trim_end_matches("board.js");
    server.page(&format!("{folder}words.js")).await;

    // The present file for a page from before an update, but not for a year.
    for path in ["/assets/app.css", "/assets/0123456789abcdef/app.css"] {
        let answer = server.open(path, &[]).await;
        assert_eq!(answer.headers()["cache-control"], "no-cache", "{path}");
        let tag = answer.headers()["etag"].to_str().unwrap().to_owned();
        for known in [tag.clone(), format!("W/{tag}")] {
            let headers = [("if-none-match", &*known)];
            let (status, ..) = server.with_headers(Method::GET, path, &headers, None).await;
            assert_eq!(status, StatusCode::NOT_MODIFIED, "{path}");
        }
    }
    for path in ["/assets/none.css", "/assets/0123456789abcdef/none.css"] {
        let missing = server.status(Method::GET, path, None).await;
        assert_eq!(missing, StatusCode::NOT_FOUND, "{path}");
    }
}
