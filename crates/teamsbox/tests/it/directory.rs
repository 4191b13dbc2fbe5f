//! The directory: rows 101 and 102, and rule 59.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use teamsbox::NewUser;

use crate::support::{ANNA, BEN, Tenant, X, Y, json_of, refusal};

/// A tenant with ten more people, and an application with access to the directory.
async fn crowd() -> Tenant {
    let tenant = Tenant::start().await;
    for number in 0..10 {
        let new = NewUser {
            display_name: format!("Person {number}"),
            user_principal_name: format!("person{number}@contoso.example"),
            ..NewUser::default()
        };
        tenant.teamsbox.create_user(&new).unwrap();
    }
    let app = json!({ "clientId": Y, "clientSecret": crate::support::SECRET, "roles": ["User.Read.All", "GroupMember.Read.All"] });
    tenant.ok(Method::POST, "apps", Some(app)).await;
    tenant
}

/// Follows the links from a first page; returns all entries and the last page.
async fn pages(tenant: &Tenant, first: &str) -> (Vec<Value>, Value, usize) {
    let token = tenant.token(Y).await;
    let (mut all, mut next, mut count) = (Vec::new(), first.to_owned(), 0);
    loop {
        let page = json_of(tenant.with_token(&token, Method::GET, &next, None).await).await;
        all.extend(page["value"].as_array().unwrap().clone());
        count += 1;
        match page["@odata.nextLink"].as_str() {
            Some(link) => next = link.to_owned(),
            None => return (all, page, count),
        }
    }
}

#[tokio::test]
async fn rule_59_people_are_listed_in_pages() {
    let tenant = crowd().await;
    let (all, _, count) = pages(&tenant, "users?$top=5&$select=id,mail").await;
    assert_eq!((all.len(), count), (12, 3));
    assert!(
        all.iter()
            .all(|person| person.as_object().unwrap().len() == 2)
    );
    let (defaults, _, _) = pages(&tenant, "users").await;
    assert_eq!(defaults[0].as_object().unwrap().len(), 11);
    let (found, _, _) = pages(
        &tenant,
        "users?$filter=startswith(displayName,'person') and mail eq 'person3@contoso.example'",
    )
    .await;
    assert_eq!(found.len(), 1);
    for query in [
        "$top=1000",
        "$top=x",
        "$skip=1",
        "$select=shoeSize",
        "$filter=mail ne 'x'",
        "$skiptoken=x",
        "$orderby=mail",
    ] {
        let refused = refusal(
            tenant
                .graph(Y, Method::GET, &format!("users?{query}"), None)
                .await,
        )
        .await;
        assert_eq!(
            (refused.0, refused.1.as_str()),
            (400, "Request_BadRequest"),
            "{query}"
        );
    }
    let counted = refusal(
        tenant
            .graph(Y, Method::GET, "users?$count=true", None)
            .await,
    )
    .await;
    assert_eq!(counted.1, "Request_UnsupportedQuery");
    assert_eq!(
        refusal(tenant.graph(X, Method::GET, "users", None).await)
            .await
            .1,
        "Authorization_RequestDenied"
    );
    let (ordered, _, count) = pages(&tenant, "users?$orderby=displayName&$top=7").await;
    assert!(
        count == 2
            && ordered
                .is_sorted_by_key(|person| person["displayName"].as_str().unwrap().to_owned())
    );
}

#[tokio::test]
async fn rule_59_a_delta_tells_what_changed() {
    let tenant = crowd().await;
    tenant.knobs(json!({ "pageSize": 5 })).await;
    let (all, last, count) = pages(&tenant, "users/delta?$select=displayName,mail").await;
    assert_eq!((all.len(), count), (12, 3));
    let link = last["@odata.deltaLink"].as_str().unwrap().to_owned();
    assert!(pages(&tenant, &link).await.0.is_empty());
    tenant
        .ok(
            Method::PATCH,
            &format!("users/{ANNA}"),
            Some(json!({ "profile": { "mail": "a@b.example", "jobTitle": "Captain" } })),
        )
        .await;
    tenant
        .ok(
            Method::PATCH,
            &format!("users/{BEN}"),
            Some(json!({ "profile": { "jobTitle": "Cook" } })),
        )
        .await;
    tenant
        .ok(
            Method::POST,
            "users",
            Some(json!({ "displayName": "New Person" })),
        )
        .await;
    let (changed, last, _) = pages(&tenant, &link).await;
    assert_eq!(
        changed.len(),
        2,
        "fields that were not selected are not reported"
    );
    assert_eq!(
        (&changed[0]["mail"], &changed[0]["displayName"]),
        (&json!("a@b.example"), &json!("Anna"))
    );
    assert_eq!(changed[1]["displayName"], "New Person");
    let token = tenant.token(Y).await;
    let minimal = tenant
        .http
        .get(&link)
        .bearer_auth(&token)
        .header("prefer", "return=minimal")
        .send()
        .await
        .unwrap();
    assert_eq!(
        json_of(minimal).await["value"][0],
        json!({ "id": ANNA, "mail": "a@b.example" })
    );
    let later = last["@odata.deltaLink"].as_str().unwrap();
    assert!(pages(&tenant, later).await.0.is_empty());
    let (none, latest, _) = pages(&tenant, "users/delta?$deltatoken=latest").await;
    assert!(none.is_empty() && latest["@odata.deltaLink"].is_string());
    let (one, _, _) = pages(
        &tenant,
        &format!("users/delta?$filter=id eq '{ANNA}' or id eq '{BEN}'"),
    )
    .await;
    assert_eq!(one.len(), 2);
    for query in [
        "$top=5",
        "$orderby=displayName",
        "$expand=manager",
        "$filter=mail eq 'x'",
    ] {
        assert_eq!(
            refusal(
                tenant
                    .graph(Y, Method::GET, &format!("users/delta?{query}"), None)
                    .await
            )
            .await
            .0,
            400,
            "{query}"
        );
    }
    assert_eq!(
        refusal(
            tenant
                .graph(Y, Method::GET, "users/delta?$deltatoken=x", None)
                .await
        )
        .await
        .1,
        "syncStateNotFound"
    );
}

#[tokio::test]
async fn row_101_an_old_delta_link_is_gone() {
    let tenant = crowd().await;
    let (_, last, _) = pages(&tenant, "users/delta?$select=mail").await;
    let link = last["@odata.deltaLink"].as_str().unwrap();
    tenant.advance_minutes(8.0 * 24.0 * 60.0).await;
    let token = tenant.token(Y).await;
    let gone = tenant.with_token(&token, Method::GET, link, None).await;
    assert_eq!(gone.status(), StatusCode::GONE);
    let location = gone.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(
        pages(&tenant, &location).await.0.len(),
        12,
        "start over there"
    );
}

#[tokio::test]
async fn row_102_whoever_leaves_is_reported_as_removed() {
    let tenant = crowd().await;
    let (_, last, _) = pages(&tenant, "users/delta").await;
    let link = last["@odata.deltaLink"].as_str().unwrap();
    tenant
        .ok(Method::DELETE, &format!("users/{ANNA}"), None)
        .await;
    tenant
        .ok(Method::DELETE, &format!("users/{BEN}?forGood=true"), None)
        .await;
    let (removed, _, _) = pages(&tenant, link).await;
    let expected = [
        json!({ "id": ANNA, "@removed": { "reason": "changed" } }),
        json!({ "id": BEN, "@removed": { "reason": "deleted" } }),
    ];
    assert_eq!(removed, expected);
    assert_eq!(
        tenant
            .graph(X, Method::GET, &format!("users/{ANNA}/presence"), None)
            .await
            .status(),
        404
    );
    assert_eq!(pages(&tenant, "users").await.0.len(), 10);
}

#[tokio::test]
async fn groups_have_members_and_groups_within() {
    let tenant = crowd().await;
    let inner = tenant
        .ok(
            Method::POST,
            "groups",
            Some(json!({ "displayName": "Inner", "members": [BEN] })),
        )
        .await;
    let outer = json!({ "displayName": "Outer", "members": [ANNA], "groups": [inner["id"]] });
    let outer = tenant.ok(Method::POST, "groups", Some(outer)).await;
    let id = outer["id"].as_str().unwrap();
    let ids = async |path: String| -> Vec<Value> {
        pages(&tenant, &path)
            .await
            .0
            .iter()
            .map(|one| one["id"].clone())
            .collect()
    };
    assert_eq!(
        ids(format!("groups/{id}/members")).await,
        [json!(ANNA), inner["id"].clone()]
    );
    assert_eq!(
        ids(format!("groups/{id}/members/microsoft.graph.user")).await,
        [json!(ANNA)]
    );
    assert_eq!(
        ids(format!(
            "groups/{id}/transitiveMembers/microsoft.graph.user?$select=id"
        ))
        .await,
        [json!(ANNA), json!(BEN)]
    );
    assert_eq!(
        refusal(
            tenant
                .graph(Y, Method::GET, &format!("groups/{ANNA}/members"), None)
                .await
        )
        .await
        .0,
        404
    );
    assert_eq!(
        refusal(
            tenant
                .graph(X, Method::GET, &format!("groups/{id}/members"), None)
                .await
        )
        .await
        .0,
        403
    );
}

#[tokio::test]
async fn forged_links_do_no_harm() {
    let tenant = crowd().await;
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let id = tenant
        .ok(
            Method::POST,
            "groups",
            Some(json!({ "displayName": "G", "members": [ANNA] })),
        )
        .await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for start in ["0", "7", "18446744073709551615", "-1", "x"] {
        let token = encode(&format!("page {start}"));
        for path in [
            "users?",
            "users?$orderby=displayName&",
            &format!("groups/{id}/members?"),
        ] {
            let status = tenant
                .graph(Y, Method::GET, &format!("{path}$skiptoken={token}"), None)
                .await
                .status();
            assert!(status == 200 || status == 400, "{path} {start}: {status}");
        }
    }
    for given in [i64::MIN, -1, i64::MAX] {
        for (since, until, start) in [
            ("null", 0_u64, 0_u64),
            ("18446744073709551615", 1, u64::MAX),
            ("0", u64::MAX, 1),
        ] {
            let token = encode(&format!(
                r#"{{"since":{since},"until":{until},"start":{start},"given":{given}}}"#
            ));
            for name in ["$skiptoken", "$deltatoken"] {
                let status = tenant
                    .graph(Y, Method::GET, &format!("users/delta?{name}={token}"), None)
                    .await
                    .status();
                assert!(
                    [200, 400, 410].contains(&status.as_u16()),
                    "{name} {given}: {status}"
                );
            }
        }
    }
}
