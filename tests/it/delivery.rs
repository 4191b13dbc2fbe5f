//! How answers travel: what browsers keep.

use end_to_end::Demo;
use reqwest::{Method, StatusCode};

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
