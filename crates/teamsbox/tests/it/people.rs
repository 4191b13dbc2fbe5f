//! The directory, and what people say about themselves: rows 45, 46, 101 and 102, and rules 8, 9, 10, 13, 33, 34, 59.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use teamsbox::NewUser;

use crate::support::{ANNA, BEN, READER, Tenant, X, Y, pair, refusal, session};

const OWN: &str = "Presence.Read";

fn message(text: &str) -> Value {
    json!({ "statusMessage": {
        "message": { "content": text, "contentType": "text" },
        "expiryDateTime": { "dateTime": "2099-10-18T17:05:33.2079781", "timeZone": "Pacific Standard Time" },
    } })
}

async fn json_of(response: Response) -> Value {
    assert_eq!(response.status(), StatusCode::OK);
    response.json().await.unwrap()
}

#[tokio::test]
async fn row_045_the_times_of_a_status_are_the_own_business() {
    let tenant = Tenant::start().await;
    let set = tenant
        .presence(X, ANNA, "setStatusMessage", message("Out <for> lunch"))
        .await;
    assert_eq!(
        (set.status(), set.text().await.unwrap()),
        (StatusCode::OK, String::new())
    );
    let own = json_of(
        tenant
            .as_user((X, ANNA, OWN), Method::GET, "me/presence", None)
            .await,
    )
    .await;
    assert_eq!(
        own["statusMessage"]["message"],
        json!({ "content": "Out <for> lunch", "contentType": "text" })
    );
    assert_eq!(
        own["statusMessage"]["expiryDateTime"]["timeZone"],
        "Pacific Standard Time"
    );
    assert!(own["statusMessage"]["publishedDateTime"].is_string());
    let path = format!("users/{ANNA}/presence");
    let other = json_of(
        tenant
            .as_user((X, BEN, "Presence.Read.All"), Method::GET, &path, None)
            .await,
    )
    .await;
    let bare = json!({ "message": { "content": "Out <for> lunch", "contentType": "text" } });
    assert_eq!(other["statusMessage"], bare);
}

#[tokio::test]
async fn row_046_nobody_writes_the_status_of_another() {
    let tenant = Tenant::start().await;
    let path = format!("users/{ANNA}/presence/setStatusMessage");
    let response = tenant
        .as_user(
            (X, BEN, "Presence.ReadWrite"),
            Method::POST,
            &path,
            Some(message("x")),
        )
        .await;
    let (status, _, text) = refusal(response).await;
    assert_eq!(status, 401);
    assert!(
        text.starts_with("Cannot set the presence of another user. Authenticated user:")
            && text.ends_with(BEN)
    );
    let path = "me/presence/setStatusMessage";
    let own = tenant
        .as_user(
            (X, BEN, "Presence.ReadWrite"),
            Method::POST,
            path,
            Some(message("mine")),
        )
        .await;
    assert_eq!(own.status(), StatusCode::OK);
}

#[tokio::test]
async fn rule_33_a_status_expires_and_is_cleared() {
    let tenant = Tenant::start().await;
    let now = tenant.teamsbox.clock().now_milliseconds();
    let zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
    let at = jiff::Timestamp::from_millisecond(now + 600_000)
        .unwrap()
        .to_zoned(zone);
    let mut body = message("For ten minutes");
    body["statusMessage"]["expiryDateTime"] = json!({ "dateTime": at.strftime("%Y-%m-%dT%H:%M:%S").to_string(), "timeZone": "W. Europe Standard Time" });
    tenant.presence(X, ANNA, "setStatusMessage", body).await;
    let text = async || {
        let path = format!("users/{ANNA}/presence");
        json_of(tenant.graph(X, Method::GET, &path, None).await).await["statusMessage"]["message"]["content"].clone()
    };
    tenant.advance_minutes(9.9).await;
    assert_eq!(text().await, "For ten minutes");
    tenant.advance_minutes(0.2).await;
    assert_eq!(text().await, Value::Null);
    tenant
        .presence(X, ANNA, "setStatusMessage", message("Again"))
        .await;
    assert_eq!(text().await, "Again");
    tenant
        .presence(X, ANNA, "setStatusMessage", message(""))
        .await;
    assert_eq!(text().await, Value::Null);
    for body in [
        json!({}),
        json!({ "statusMessage": { "message": { "content": "x", "contentType": "html" } } }),
        json!({ "statusMessage": { "message": { "content": "x" }, "expiryDateTime": { "dateTime": "noon" } } }),
        json!({ "statusMessage": { "message": { "content": "x".repeat(5_000) } } }),
    ] {
        let refused = refusal(tenant.presence(X, ANNA, "setStatusMessage", body).await).await;
        assert_eq!((refused.0, refused.1.as_str()), (400, "InvalidArgument"));
    }
}

#[tokio::test]
async fn rule_8_all_addresses_show_the_same() {
    let tenant = Tenant::start().await;
    tenant
        .presence(X, ANNA, "setPresence", session(X, "Busy/InACall", None))
        .await;
    let mut seen = Vec::new();
    for path in [
        "me/presence".to_owned(),
        format!("users/{ANNA}/presence"),
        format!("communications/presences/{ANNA}"),
    ] {
        seen.push(
            json_of(
                tenant
                    .as_user((X, ANNA, OWN), Method::GET, &path, None)
                    .await,
            )
            .await,
        );
    }
    assert_eq!(pair(&seen[0]), "Busy/InACall");
    assert!(seen.iter().all(|body| *body == seen[0]));
}

#[tokio::test]
async fn rule_10_a_user_reads_others_with_the_greater_scope_only() {
    let tenant = Tenant::start().await;
    let bulk = json!({ "ids": [ANNA, BEN] });
    for (scope, other, many) in [
        (OWN, 403, 403),
        ("Presence.Read.All", 200, 200),
        ("User.Read", 403, 403),
    ] {
        let path = format!("users/{BEN}/presence");
        assert_eq!(
            tenant
                .as_user((X, ANNA, scope), Method::GET, &path, None)
                .await
                .status(),
            other,
            "{scope}"
        );
        let path = "communications/getPresencesByUserId";
        let response = tenant
            .as_user((X, ANNA, scope), Method::POST, path, Some(bulk.clone()))
            .await;
        assert_eq!(response.status(), many, "{scope}");
    }
    let body = session(X, "Busy/InACall", None);
    for (path, expected) in [
        ("me/presence/setPresence".to_owned(), 200),
        (format!("users/{BEN}/presence/setPresence"), 403),
    ] {
        let response = tenant
            .as_user(
                (X, ANNA, "Presence.ReadWrite"),
                Method::POST,
                &path,
                Some(body.clone()),
            )
            .await;
        assert_eq!(response.status(), expected, "{path}");
    }
    let refused = tenant
        .presence(
            READER,
            ANNA,
            "setPresence",
            session(READER, "Busy/InACall", None),
        )
        .await;
    assert_eq!(refused.status(), 403);
    assert_eq!(
        tenant
            .graph(X, Method::POST, "me/presence/setPresence", Some(body))
            .await
            .status(),
        400
    );
}

#[tokio::test]
async fn work_locations_have_layers_and_need_their_user() {
    let tenant = Tenant::start().await;
    let act = async |action: &str, body: Option<Value>| {
        let path = format!("me/presence/{action}");
        tenant
            .as_user((X, ANNA, "Presence.ReadWrite"), Method::POST, &path, body)
            .await
            .status()
            .as_u16()
    };
    let now = async || {
        let path = format!("users/{ANNA}/presence");
        json_of(tenant.graph(X, Method::GET, &path, None).await).await["workLocation"].clone()
    };
    let place = |kind: &str| Some(json!({ "workLocationType": kind, "placeId": null }));
    let shown = |source: &str, kind: &str| json!({ "placeId": null, "source": source, "workLocationType": kind });
    let scheduled = json!({ "scheduledLocation": { "workLocationType": "office" } });
    tenant
        .ok(Method::PATCH, &format!("users/{ANNA}"), Some(scheduled))
        .await;
    assert_eq!(now().await, shown("scheduled", "office"));
    assert_eq!(act("setAutomaticLocation", place("remote")).await, 204);
    assert_eq!(act("setManualLocation", place("timeOff")).await, 204);
    assert_eq!(now().await, shown("manual", "timeOff"));
    tenant.knobs(json!({ "locationStatus": 200 })).await;
    assert_eq!(act("clearLocation", None).await, 200);
    assert_eq!(now().await, shown("scheduled", "office"));
    assert_eq!(act("setManualLocation", place("moon")).await, 400);
    let by_app = tenant
        .presence(
            X,
            ANNA,
            "setManualLocation",
            json!({ "workLocationType": "office" }),
        )
        .await;
    assert_eq!(by_app.status(), 403, "applications may not");
}

#[tokio::test]
async fn rule_34_teams_itself_shows_changes_late() {
    let tenant = Tenant::start().await;
    let views =
        async || tenant.ok(Method::GET, &format!("users/{ANNA}"), None).await["views"].clone();
    let shows = |view: &Value| pair(view) == "Busy/InACall";
    tenant
        .presence(
            X,
            ANNA,
            "setPresence",
            session(X, "Busy/InACall", Some("PT4H")),
        )
        .await;
    assert_eq!(
        tenant.reads(ANNA).await,
        "Busy/InACall",
        "Graph does not lag"
    );
    let mut seen = Vec::new();
    for _ in 0..11 {
        let now = views().await;
        seen.push(["desktop", "web", "phone"].map(|client| shows(&now[client])));
        tenant.advance_minutes(1.0).await;
    }
    let first = |client: usize| seen.iter().position(|views| views[client]);
    assert_eq!([first(0), first(1), first(2)], [Some(2), Some(5), Some(10)]);
    tenant.knobs(json!({ "readLag": "PT5S" })).await;
    tenant
        .presence(X, ANNA, "clearPresence", json!({ "sessionId": X }))
        .await;
    assert_eq!(tenant.reads(ANNA).await, "Busy/InACall");
    tenant.advance_minutes(5.0 / 60.0).await;
    assert_eq!(tenant.reads(ANNA).await, "Offline/Offline");
}

/// A tenant with ten more people, and an application that may read the directory.
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

/// Follows the links from a first page: all entries, and the last page.
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
