//! Servers with the session of an account instead of the API key.

use reqwest::Method;
use serde_json::json;

use crate::Server;

impl Server {
    /// The same server, signed in to a new account of a person.
    ///
    /// # Panics
    /// The account or the sign-in is refused.
    pub async fn signed_in_as(&self, name: &str) -> Self {
        let person = self.person(name).await;
        let password = "correct horse battery";
        let body = json!({"name": name, "role": "person", "person": person, "password": password});
        self.ok(Method::POST, "/api/v1/accounts", Some(body)).await;
        self.sign_in(name, password).await
    }

    /// The same server, signed in to a new account of a location administrator.
    ///
    /// # Panics
    /// The account or the sign-in is refused.
    pub async fn administrator_of(&self, location: &str) -> Self {
        let (name, password) = ("lea", "correct horse battery");
        let body = json!({"name": name, "role": "location_admin", "location": location, "password": password});
        self.ok(Method::POST, "/api/v1/accounts", Some(body)).await;
        self.sign_in(name, password).await
    }

    /// The same server, signed in to a new account of a system administrator.
    ///
    /// # Panics
    /// The account or the sign-in is refused.
    pub async fn system_administrator(&self) -> Self {
        let (name, password) = ("ada", "correct horse battery");
        let body = json!({"name": name, "role": "system_admin", "password": password});
        self.ok(Method::POST, "/api/v1/accounts", Some(body)).await;
        self.sign_in(name, password).await
    }

    /// The same server, signed in to this account.
    ///
    /// # Panics
    /// The sign-in is refused.
    pub async fn sign_in(&self, name: &str, password: &str) -> Self {
        let response = self
            .http
            .post(format!("{}/api/v1/sign-in", self.url()))
            .json(&json!({"name": name, "password": password}))
            .send()
            .await
            .unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        let mut signed_in = self.with_key("");
        signed_in.cookie = cookie.split(';').next().map(str::to_owned);
        signed_in
    }
}
