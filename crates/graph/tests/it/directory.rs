//! People, groups, changes and batches.

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
    ] {
        for error in [
            client.users(Some(link)).await.unwrap_err(),
            client.group_members("g", Some(link)).await.unwrap_err(),
            client.users_delta(Some(link)).await.unwrap_err(),
        ] {
            assert!(
                matches!(error, GraphError::Malformed { .. }),
                "{link} {error}"
            );
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
    let Delta::End { changes, link } = client.users_delta(None).await.unwrap() else {
        panic!();
    };
    assert_eq!(changes.len(), 1);
    assert!(script.sent(1).query.starts_with("$select=id,"));
    for _ in 0..2 {
        let delta = client.users_delta(Some(&link)).await.unwrap();
        assert_eq!(delta, Delta::Resync);
    }
    assert_eq!(script.sent(2).query, "$deltatoken=1");
    let error = client.users_delta(Some(&link)).await.unwrap_err();
    assert_eq!(error.blame(), Blame::Request);
    // Without a link there is nothing that could be too old.
    assert!(client.users_delta(None).await.is_err());
}

#[tokio::test]
async fn rows_92_and_93_a_batch_is_one_request_of_at_most_twenty() {
    let answers = r#"{"responses":[
        {"id":"1","status":429,"headers":{"Retry-After":"2.128"},"body":{}},
        {"id":"0","status":200,"headers":{},"body":null}]}"#;
    let (client, script) = client([token(), ok(answers), (429, Some("4"), String::new())]).await;
    let writes = [
        ("anna", Operation::SetSession),
        ("ben", Operation::ClearSession),
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
    let many = vec![("anna", Operation::SetSession); 21];
    let error = client.write_batch(&many).await.unwrap_err();
    assert!(error.to_string().contains("21"), "{error}");
    assert!(client.write_batch(&[]).await.unwrap().is_empty());
    assert_eq!(script.requests().len(), 3);
}
