//! Documents with configurations for PBXs: each request in them is sent to a real server in the documented form.

use end_to_end::{Demo, repository};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::redirects::CONTINUE_ON_FAIL;

fn page(name: &str) -> String {
    std::fs::read_to_string(repository().join("docs").join(name)).unwrap()
}

/// The text between `before` and `after`.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

/// Encodes like Asterisk's function URIENCODE.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    let each = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(each).collect()
}

#[tokio::test]
async fn the_dialplan_of_asterisk_is_answered_in_the_form_in_which_it_asks() {
    let demo = Demo::start(&["--still"]).await;
    let server = &demo.server;
    let dialplan = page("connect-asterisk.md");
    let scope = between(&dialplan, "Create a key with the scope `", "`");
    let key = json!({"name": "PBX", "scopes": [scope]});
    let key = server.ok(Method::POST, "/api/v1/keys", Some(key)).await;
    let key = key["key"].as_str().unwrap();
    let header = between(&dialplan, "CURLOPT(httpheader)=", ")\n");
    let (name, value) = header.split_once(": ").unwrap();
    let value = value.replace("KEY", key);
    let url = between(&dialplan, "${CURL(http://127.0.0.1:8200", ")})\n");
    let ask = async |to: &str, from: &str| {
        let path = url
            .replace("${URIENCODE(${CALLERID(num)})}", &encoded(from))
            .replace("${EXTEN}", to);
        let request = reqwest::Client::new().get(format!("{}{path}", server.url()));
        let answer = request.header(name, &value).send().await.unwrap();
        let status = answer.status();
        let body: serde_json::Value = answer.json().await.unwrap();
        let field = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (status, field("action"), field("target"))
    };
    let path = format!(
        "/api/v1/people/{}/profiles",
        server.person("Anna Becker").await
    );
    for (name, forwarding) in [
        (
            "Outside",
            json!({"kind": "external", "target": "+49 30 1234"}),
        ),
        ("Quiet", json!({"kind": "do_not_disturb"})),
        ("Mailbox", json!({"kind": "all", "target": "voicemail"})),
        (
            "Address",
            json!({"kind": "all", "target": "sip:desk@elsewhere.example"}),
        ),
    ] {
        let body = json!({"name": name, "status": "Busy", "forwarding": forwarding});
        server.ok(Method::POST, &path, Some(body)).await;
    }
    for (profile, from, action, target) in [
        ("Outside", "1002", "none", ""),
        ("Outside", "+4940123", "forward", "+49301234"),
        ("Outside", "", "forward", "+49301234"),
        ("Outside", "anonymous", "forward", "+49301234"),
        // A caller's number cannot set another field of the request.
        ("Outside", "1001&to=1003", "forward", "+49301234"),
        ("Outside", "a b;c/\"\u{e4}%", "forward", "+49301234"),
        ("Quiet", "1002", "refuse", ""),
        ("Mailbox", "1002", "forward", "voicemail"),
        ("Address", "1002", "forward", "sip:desk@elsewhere.example"),
    ] {
        server.choose("Anna Becker", profile).await;
        let expected = (StatusCode::OK, action.to_owned(), target.to_owned());
        assert_eq!(ask("1001", from).await, expected, "{profile} {from}");
        // The server answers exactly the actions and targets that the dialplan compares with.
        let compared = format!("\"${{A}}\"=\"{action}\"");
        assert!(action == "none" || dialplan.contains(&compared), "{action}");
    }
    assert_eq!(ask("9999", "1002").await.0, StatusCode::NOT_FOUND);
    for compared in [
        "\"${T}\"=\"voicemail\"",
        "\"${T:0:3}\"=\"sip\"",
        "FILTER(0-9*#+,${T})",
    ] {
        assert!(dialplan.contains(compared), "{compared}");
    }
    // C5: an unencoded number, as older dialplans send it.
    let extension = json!({"lines": [{"extension": "+4930555"}]});
    let bert = format!("/api/v1/people/{}", server.person("Bert Lindqvist").await);
    server.ok(Method::PATCH, &bert, Some(extension)).await;
    server.choose("Anna Becker", "Outside").await;
    for (query, status, action) in [
        ("to=1001&from=+4930555", StatusCode::OK, "none"),
        ("to=1001&from=%2B4930555", StatusCode::OK, "none"),
        ("to=+4930555&from=1001", StatusCode::OK, "none"),
        ("to=1001&from=+4930556", StatusCode::OK, "forward"),
        ("to=1001&from=+", StatusCode::OK, "forward"),
        ("to=1001", StatusCode::OK, "forward"),
        ("to=1001&from=1001&to=1003", StatusCode::BAD_REQUEST, ""),
        ("to=1001&from=1002&from=1003", StatusCode::BAD_REQUEST, ""),
        ("to=1001&x=1", StatusCode::BAD_REQUEST, ""),
        ("from=1001", StatusCode::BAD_REQUEST, ""),
    ] {
        let key = server.with_key(key);
        let path = format!("/api/v1/route?{query}");
        let (code, body) = key.api(Method::GET, &path, None).await;
        let seen = (code, body["action"].as_str().unwrap_or_default());
        assert_eq!(seen, (status, action), "{query}");
    }
}

#[test]
fn the_printed_rules_are_whole() {
    let asterisk = page("connect-asterisk.md");
    for block in asterisk
        .split("```\n")
        .filter(|block| block.contains("exten =>"))
    {
        let labels = |before: &str, after: char| -> Vec<String> {
            let parts = block.split(before).skip(1);
            parts
                .filter_map(|part| Some(part.split(after).next()?.to_owned()))
                .collect()
        };
        let there = labels("n(", ')');
        for label in labels("]?", ')') {
            assert!(there.contains(&label), "{label} is not in {there:?}");
        }
        for context in labels("@after-", '/')
            .iter()
            .chain(&labels("context=after-", '\n'))
        {
            assert!(block.contains(&format!("[after-{context}]")), "{context}");
        }
    }
    let freeswitch = page("connect-freeswitch.md");
    let list = between(&freeswitch, "continue_on_fail=", "\"");
    assert_eq!(list, CONTINUE_ON_FAIL);
    let kamailio = "t_check_status(\"40[038]|482|5[0-9][0-9]\")";
    let lab = repository().join("tests/lab/sip/conf/kamailio.cfg.in");
    for text in [
        page("connect-pbx.md"),
        std::fs::read_to_string(lab).unwrap(),
    ] {
        assert!(text.contains(kamailio), "{kamailio}");
    }
}
