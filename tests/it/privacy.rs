//! The audit log protects privacy: of changes that people or their assistants make to the people's own data it records
//! the kind and the time, without values.

use end_to_end::{Demo, Installation, Server, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::SOON;

/// Part of every text that must not appear in an audit log.
const SECRET: &str = "confidential";

/// Changes of a person's own data by one caller.
struct Changes<'a> {
    server: &'a Server,
    owner: &'a str,
    viewer: &'a str,
    by: &'a str,
}

impl Changes<'_> {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let path = format!("/api/v1/people/{}{path}", self.owner);
        self.server.ok(method, &path, body).await
    }

    /// Changes that assistants may make too: creates and deletes appointments and profiles, including private ones.
    async fn by_permission(&self) {
        let text = |what: &str| format!("{SECRET} {what} of {}", self.by);
        let appointment = |text: &str, private: bool| {
            Some(
                json!({"start": "2098-01-01T10:00:00Z", "end": "2098-01-01T12:00:00Z",
                "text": text, "private": private}),
            )
        };
        for private in [true, false] {
            let new = appointment(&text("appointment"), private);
            let made = self.call(Method::POST, "/appointments", new).await;
            let path = format!("/appointments/{}", made["id"].as_str().unwrap());
            let changed = appointment(&text("postponement"), private);
            self.call(Method::PUT, &path, changed).await;
            self.call(Method::DELETE, &path, None).await;
        }
        let name = text("profile");
        let profile = json!({"name": name, "status": "Absent", "text": text("absence")});
        self.call(Method::POST, "/profiles", Some(profile)).await;
        let choice = json!({ "profile": name });
        self.call(Method::PUT, "/profile", Some(choice)).await;
        self.call(Method::DELETE, "/profile", None).await;
        let path = format!("/profiles/{}", name.replace(' ', "%20"));
        self.call(Method::DELETE, &path, None).await;
    }

    /// Changes that only the person and administrators may make: blocked viewers, favourites, the address of the
    /// calendar.
    async fn by_identity(&self) {
        let path = format!("/relationships/{}", self.viewer);
        let blocked = json!({"level": "Blocked"});
        self.call(Method::PUT, &path, Some(blocked)).await;
        self.call(Method::DELETE, &path, None).await;
        for people in [json!([self.viewer]), json!([])] {
            let favourites = json!({ "people": people });
            self.call(Method::PUT, "/favourites", Some(favourites))
                .await;
        }
        let feed = format!("https://calendar.example/{SECRET}-{}.ics", self.by);
        for feed in [json!(feed), Value::Null] {
            let calendar = json!({ "feed": feed });
            self.call(Method::PUT, "/settings/calendar", Some(calendar))
                .await;
        }
    }
}

async fn rows(server: &Server, who: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit?limit=1000&who={}", who.replace(' ', "%20"));
    let page = server.ok(Method::GET, &path, None).await;
    let rows = page["items"].as_array().unwrap().iter();
    // Sign-ins are no changes.
    let is_change = |row: &&Value| !row["what"].as_str().unwrap().starts_with("session.");
    rows.filter(is_change).cloned().collect()
}

#[tokio::test]
async fn of_what_people_change_of_their_own_the_audit_log_has_no_content() {
    let installation = Installation::new("");
    installation
        .import(&[("anna", "1001"), ("bert", "1002"), ("carl", "1003")])
        .await;
    let server = installation.serve().await;
    let (anna, bert, carl) = (
        server.person("anna").await,
        server.person("bert").await,
        server.person("carl").await,
    );
    let (as_anna, as_bert) = (
        server.signed_in_as("anna").await,
        server.signed_in_as("bert").await,
    );
    let path = format!("/api/v1/people/{anna}/relationships/{bert}");
    let assistant = Some(json!({"level": "AssistantPlus"}));
    as_anna.ok(Method::PUT, &path, assistant).await;
    let changes = |server, by| Changes {
        server,
        owner: &anna,
        viewer: &carl,
        by,
    };
    let own = changes(&as_anna, "anna");
    own.by_permission().await;
    own.by_identity().await;
    changes(&as_bert, "bert").by_permission().await;
    for (who, least) in [("anna", 15), ("bert", 8)] {
        let rows = rows(&server, who).await;
        assert!(rows.len() >= least, "{who}: {rows:?}");
        for row in rows {
            assert_eq!(row["own"], true, "{row}");
            assert_eq!(
                (&row["before"], &row["after"]),
                (&Value::Null, &Value::Null)
            );
            assert_eq!(row["target"], anna.as_str(), "{row}");
        }
    }

    // Changes by an administrator have values, except for texts of appointments and addresses of calendars.
    let administered = changes(&server, "the administrator");
    administered.by_identity().await;
    let made = json!({"start": "2098-01-01T10:00:00Z", "end": "2098-01-01T12:00:00Z",
        "text": format!("{SECRET} to administrators too"), "private": true});
    let made = administered
        .call(Method::POST, "/appointments", Some(made))
        .await;
    let path = format!("/appointments/{}", made["id"].as_str().unwrap());
    administered.call(Method::DELETE, &path, None).await;
    let rows = rows(&server, "API key of the configuration").await;
    let row = |what: &str| rows.iter().find(|row| row["what"] == what).unwrap();
    assert_eq!(
        row("appointment.add")["after"]["start"],
        "2098-01-01T10:00:00Z"
    );
    assert_eq!(row("relationship.set")["target"], format!("{anna}/{carl}"));
    // The administrator's new value is recorded; the person's replaced value is not.
    assert_eq!(row("relationship.set")["before"], Value::Null);
    assert_eq!(row("favourites.set")["before"], Value::Null);
    assert_eq!(row("settings.set_own")["before"]["feed"], "not recorded");

    let log = server
        .ok(Method::GET, "/api/v1/audit?limit=1000", None)
        .await;
    assert!(!log.to_string().contains(SECRET), "{log}");
    let ada = server.system_administrator().await;
    for page in ["/admin/audit", "/admin/audit.csv"] {
        let (status, _, text) = ada.with_headers(Method::GET, page, &[], None).await;
        assert!(
            status.is_success() && text.contains("favourites.set"),
            "{text}"
        );
        assert!(!text.contains(SECRET), "{page}: {text}");
    }
    assert_eq!(server.terminate().await, 0);
    for name in ["offhook.db", "offhook.db-wal"] {
        let kept = std::fs::read(installation.data(name)).unwrap_or_default();
        let mut parts = kept.windows(SECRET.len());
        assert!(!parts.any(|part| part == SECRET.as_bytes()), "{name}");
    }
}

// These rows have their own retention, in the demo 12 hours instead of 24.
#[tokio::test]
async fn people_s_own_changes_are_forgotten_earlier() {
    let demo = Demo::start(&["--still", "--clock", "manual"]).await;
    let anna = demo.server.signed_in_as("Anna Becker").await;
    let path = format!(
        "/api/v1/people/{}/favourites",
        demo.server.person("Anna Becker").await
    );
    let bert = demo.server.person("Bert Lindqvist").await;
    let favourite = Some(json!({"people": [bert]}));
    anna.ok(Method::PUT, &path, favourite).await;
    let nobody = Some(json!({"people": []}));
    demo.server.ok(Method::PUT, &path, nobody).await;
    let kept = async || {
        let own = rows(&demo.server, "Anna Becker").await.len();
        let administrators = rows(&demo.server, "API key demo").await;
        let is_kept = administrators
            .iter()
            .any(|row| row["what"] == "favourites.set");
        (own, is_kept)
    };
    assert_eq!(kept().await, (1, true));
    demo.teamsbox.advance("PT11H").await;
    assert_eq!(kept().await, (1, true));
    demo.teamsbox.advance("PT2H").await;
    eventually("after 13 hours", SOON, (0, true), kept).await;
    demo.teamsbox.advance("PT12H").await;
    eventually("after 25 hours", SOON, (0, false), kept).await;
}
