//! Users, groups, changes and batches.

use std::time::Duration;

use graph::{Blame, Delta, GraphError, Operation};

use crate::script::{client, empty, ok, token};

#[tokio::test]
async fn people_are_read_page_by_page() {
    let first = r#"{"value":[{"id":"a"}],"@odata.nextLink":"{graph}/v1.0/users?$skiptoken=x%2Fy"}"#;
    let last = r#"{"value":[{"id":"b","mail":"b@x"}]}"#;
    let (client, script) = client([token(), ok(first), ok(last), ok(last)]).await;
    let page = client.users(None).await.unwrap();
    assert_eq!(page.users[0].id, "a");
    assert!(script.sent(1).query.contains("$top=999"));
    assert!(script.sent(1).query.contains("businessPhones"));
    let page = client.users(page.next.as_deref()).await.unwrap();
    assert_eq!((page.users[0].id.as_str(), page.next), ("b", None));
    assert_eq!(script.sent(2).query, "$skiptoken=x%2Fy");
    client.group_members("g/1", None).await.unwrap();
    assert_eq!(
        script.requests()[3],
        "GET /v1.0/groups/g%2F1/transitiveMembers/microsoft.graph.user"
    );
}

#[tokio::test]
async fn a_link_to_another_host_is_not_followed() {
    let evil = r#"{"value":[],"@odata.nextLink":"https://graph.evil.example/v1.0/users"}"#;
    let (client, script) = client([token(), ok(evil)]).await;
    let next = client.users(None).await.unwrap().next;
    for link in [
        next.as_deref().unwrap(),
        "/v1.0/users",
        "http://127.0.0.1:9/",
        "",
        // Links that are too long to be requested.
        &format!("{}/v1.0/users/delta?{}", script.url, "x".repeat(70_000)),
        &format!("{}/v1.0/users/delta?{}", script.url, "ü".repeat(20_000)),
        &script.url.replace("//", "//anna:canary@"),
    ] {
        assert!(client.check_delta_link(link).is_err());
        for error in [
            client.users(Some(link)).await.unwrap_err(),
            client.group_members("g", Some(link)).await.unwrap_err(),
            client.users_delta(Some(link)).await.unwrap_err(),
        ] {
            assert!(matches!(error, GraphError::Malformed { .. }), "{error}");
            assert!(!error.to_string().contains("canary"));
        }
    }
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (client, script) = client([token(), empty(307)]).await;
    let error = client.users(None).await.unwrap_err();
    assert!(matches!(error, GraphError::Intercepted { status: 307, .. }));
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn row_101_a_delta_link_that_is_too_old_means_resync() {
    let end =
        r#"{"value":[{"id":"a"}],"@odata.deltaLink":"{graph}/v1.0/users/delta?$deltatoken=1"}"#;
    let lost = r#"{"error":{"code":"SyncStateNotFound","message":"x"}}"#;
    let other = r#"{"error":{"code":"Request_BadRequest","message":"x"}}"#;
    let (client, script) = client([
        token(),
        ok(end),
        empty(410),
        (400, None, lost.into()),
        (400, None, other.into()),
        empty(410),
    ])
    .await;
    let Delta::End { changes, link, .. } = client.users_delta(None).await.unwrap() else {
        panic!();
    };
    assert_eq!(changes.len(), 1);
    assert!(script.sent(1).query.starts_with("$select=id,"));
    for _ in 0..2 {
        let delta = client.users_delta(Some(&link)).await.unwrap();
        assert_eq!(delta, Delta::Resync);
    }
    assert_eq!(script.sent(2).query, "$deltatoken=1");
    // Graph would refuse such a link at every retry, with any code.
    let delta = client.users_delta(Some(&link)).await.unwrap();
    assert_eq!(delta, Delta::Resync);
    // Without a link, no link can have expired.
    assert!(client.users_delta(None).await.is_err());
}

#[tokio::test]
async fn rows_92_and_93_a_batch_is_one_request_of_at_most_twenty() {
    let answers = r#"{"responses":[
        {"id":"1","status":429,"headers":{"Retry-After":"2.128"},"body":{}},
        {"id":"0","status":200,"headers":{},"body":null}]}"#;
    let (client, script) = client([token(), ok(answers), (429, Some("4"), String::new())]).await;
    let writes = [
        ("anna", Operation::SetSession, None),
        ("ben", Operation::ClearSession, None),
    ];
    let results = client.write_batch(&writes).await.unwrap();
    assert!(results[0].is_ok());
    let wait = results[1].as_ref().unwrap_err().retry_after();
    assert_eq!(wait, Some(Duration::from_secs(3)));
    assert_eq!(script.requests()[1], "POST /v1.0/$batch");
    let body: serde_json::Value = serde_json::from_str(&script.sent(1).body).unwrap();
    assert_eq!(
        body["requests"][1]["url"],
        "/users/ben/presence/clearPresence"
    );
    assert_eq!(body["requests"][1]["body"]["sessionId"], "app");

    let error = client.write_batch(&writes).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(4)));
    let many = vec![("anna", Operation::SetSession, None); 21];
    let error = client.write_batch(&many).await.unwrap_err();
    assert!(error.to_string().contains("21"), "{error}");
    assert!(client.write_batch(&[]).await.unwrap().is_empty());
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test]
async fn a_link_is_dropped_when_graph_refuses_it_and_kept_when_the_answer_may_pass() {
    let error = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"x"}}}}"#);
    let dropped = [
        (400, error("Directory_ExpiredPageToken")),
        (400, error("syncStateNotFound")),
        (400, error("resyncRequired")),
        (404, error("Request_ResourceNotFound")),
        (410, error("resyncRequired")),
        (410, String::new()),
    ];
    for (status, body) in dropped {
        let (client, _) = client([token(), (status, None, body)]).await;
        let link = format!("{}/v1.0/users/delta?$deltatoken=1", client.config().graph);
        let delta = client.users_delta(Some(&link)).await.unwrap();
        assert_eq!(delta, Delta::Resync, "{status}");
    }
    for (status, body) in [(400, ""), (404, "<html>"), (503, ""), (429, "")] {
        let (client, _) = client([token(), (status, None, body.into())]).await;
        let link = format!("{}/v1.0/users/delta?$deltatoken=1", client.config().graph);
        let error = client.users_delta(Some(&link)).await.unwrap_err();
        assert_eq!(error.blame(), Blame::Service, "{status} {error}");
    }
}

// Dot segments vanish from a path, and other characters need an escape.
#[tokio::test]
async fn an_odd_sign_in_name_is_filtered_by_and_never_asks_for_another_resource() {
    let none = r#"{"value":[]}"#;
    for (name, filter) in [
        (".", "'.'"),
        ("..", "'..'"),
        ("a/b@x", "'a%2Fb%40x'"),
        ("50%@x", "'50%25%40x'"),
        ("o'brien@x", "'o%27%27brien%40x'"),
        ("anna x", "'anna%20x'"),
        ("a&$top=1", "'a%26$top%3D1'"),
        ("$anna@x", "'$anna%40x'"),
        ("a\\b", "'a%5Cb'"),
        ("", "''"),
    ] {
        let (client, script) = client([token(), ok(none)]).await;
        let found = client.find_user(name).await.unwrap();
        assert!(found.is_none());
        assert_eq!(script.requests()[1], "GET /v1.0/users", "{name}");
        let query = script.sent(1).query.replace("%27", "'");
        let filter = filter.replace("%27", "'");
        let expected = format!("$filter=userPrincipalName%20eq%20{filter}&$select=");
        assert!(query.starts_with(&expected), "{name}: {query}");
    }
    for (name, path) in [
        ("anna@x", "/v1.0/users/anna@x"),
        ("a_x#EXT#@y", "/v1.0/users/a_x%23EXT%23@y"),
        ("jürgen@x", "/v1.0/users/j%C3%BCrgen@x"),
    ] {
        let (client, script) = client([token(), ok(r#"{"id":"a","displayName":5}"#)]).await;
        let found = client.find_user(name).await.unwrap().unwrap();
        assert_eq!((found.id.as_str(), found.display_name), ("a", None));
        assert_eq!(script.requests()[1], format!("GET {path}"));
    }
}

// A guest's sign-in name is not the mail address.
#[tokio::test]
async fn users_are_found_by_mail_and_others_in_the_answer_are_left_out() {
    let answer = r#"{"value":[{"id":"g","mail":"Anna@partner.example"},
        {"id":"x","mail":"other@partner.example"},{"id":"y"},null]}"#;
    let (client, script) = client([token(), ok(answer)]).await;
    let found = client.users_with_mail("anna@partner.example").await;
    let ids: Vec<String> = found.unwrap().into_iter().map(|user| user.id).collect();
    assert_eq!(ids, ["g"]);
    let query = script.sent(1).query;
    assert!(query.starts_with("$filter=mail%20eq%20"), "{query}");
}
