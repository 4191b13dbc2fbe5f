//! Short forms of presences and explanations for tests.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Server;

impl Server {
    /// The id of the person called `name`.
    ///
    /// # Panics
    /// No person has this name.
    pub async fn person(&self, name: &str) -> String {
        let people = self.ok(Method::GET, "/api/v1/people", None).await;
        let person = people["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|person| person["name"] == name);
        person.unwrap_or_else(|| panic!("{name} is not in {people}"))["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A person's presence.
    pub async fn presence(&self, name: &str) -> Value {
        let person = self.person(name).await;
        self.ok(
            Method::GET,
            &format!("/api/v1/people/{person}/presence"),
            None,
        )
        .await
    }

    /// Presence in short, like `Busy OnThePhone pbx` or `Available`.
    pub async fn shown(&self, name: &str) -> String {
        let presence = self.presence(name).await;
        let mut shown = presence["status"].as_str().unwrap().to_owned();
        if let Some(activity) = presence["activity"].as_object() {
            for part in ["kind", "via"] {
                shown += " ";
                shown += activity[part].as_str().unwrap();
            }
        }
        shown
    }

    /// The explanation of a person's presence, as text.
    pub async fn explanation(&self, name: &str) -> String {
        let person = self.person(name).await;
        self.ok(
            Method::GET,
            &format!("/api/v1/people/{person}/explanation"),
            None,
        )
        .await
        .to_string()
    }

    /// Chooses a profile for a person.
    pub async fn choose(&self, name: &str, profile: &str) {
        let person = self.person(name).await;
        let body = json!({ "profile": profile });
        self.ok(
            Method::PUT,
            &format!("/api/v1/people/{person}/profile"),
            Some(body),
        )
        .await;
    }

    /// Ends the person's manual choice.
    pub async fn automatic(&self, name: &str) {
        let person = self.person(name).await;
        self.ok(
            Method::DELETE,
            &format!("/api/v1/people/{person}/profile"),
            None,
        )
        .await;
    }

    /// Sets the organisation's sync mode.
    pub async fn set_mode(&self, mode: &str) {
        let body = json!({ "mode": mode });
        self.ok(
            Method::PUT,
            "/api/v1/scopes/organisation/settings/teams",
            Some(body),
        )
        .await;
    }

    /// Messages of `/readyz`, one per part with a problem.
    pub async fn troubles(&self) -> Vec<String> {
        let (_, ready) = self.api(Method::GET, "/readyz", None).await;
        let parts = ready["parts"].as_array().cloned().unwrap_or_default();
        parts
            .iter()
            .filter(|part| part["ready"] == false)
            .map(|part| format!("{}: {} — {}", part["part"], part["what"], part["remedy"]))
            .collect()
    }

    /// True if `/readyz` reports no problem.
    pub async fn is_ready(&self) -> bool {
        self.api(Method::GET, "/readyz", None).await.0 == StatusCode::OK
    }
}
