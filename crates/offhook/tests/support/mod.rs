//! An installation to check, with a simulated Teams tenant and a simulated PBX, and servers with scripted answers.

use std::{fs, net::SocketAddr, path::PathBuf};

use axum::{
    Router,
    http::{StatusCode, Uri, header},
    response::IntoResponse,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use presence::{PersonId, SlotRecord, TenantName};
use secrecy::SecretString;
use serde_json::{Value, json};
use store::{Change, Concern, OrganisationId, Store};
use teamsbox::{NewUser, Teamsbox};
use telephony::simulated::{SimulatedPbx, SimulatedPbxConfig};
use tokio::process::Command;

/// Entry in the audit log.
const CHANGE: Change<'static> = Change {
    at: presence::Timestamp::from_milliseconds(0),
    who: "test",
    what: "test.change",
    target: "everything",
    before: None,
    after: None,
    concern: Concern::Administration,
    attempt: None,
};

/// Server with scripted answers.
pub struct Fake {
    address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Fake {
    /// Starts a server with a status and a body for each path.
    pub async fn start(
        answer: impl Fn(&str) -> (u16, String) + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::serve(None, answer).await
    }

    /// Starts a server with this `Date`.
    pub async fn at(
        date: &'static str,
        answer: impl Fn(&str) -> (u16, String) + Clone + Send + Sync + 'static,
    ) -> Self {
        Self::serve(Some(date), answer).await
    }

    async fn serve(
        date: Option<&'static str>,
        answer: impl Fn(&str) -> (u16, String) + Clone + Send + Sync + 'static,
    ) -> Self {
        let app = Router::new().fallback(async move |uri: Uri| {
            let (status, body) = answer(uri.path());
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            if let Some(date) = date {
                response
                    .headers_mut()
                    .insert(header::DATE, date.parse().unwrap());
            }
            response
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { address, task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answer of a sign-in service with a token that contains these claims.
pub fn token(tenant: &str, roles: &[&str]) -> String {
    let claims = URL_SAFE_NO_PAD.encode(json!({"tid": tenant, "roles": roles}).to_string());
    json!({"token_type": "Bearer", "expires_in": 3600, "access_token": format!("e30.{claims}.x")})
        .to_string()
}

/// Actions of a person in the simulated tenant.
pub struct Person<'a>(&'a Teamsbox);

impl Person<'_> {
    async fn control(&self, method: reqwest::Method, path: &str, body: Value) -> Value {
        let url = format!("{}/box/v1/{path}", self.0.url());
        let request = reqwest::Client::new().request(method, url).json(&body);
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}");
        answer.json().await.unwrap_or_default()
    }

    pub async fn presence(&self, user: &str) -> String {
        let state = self
            .control(reqwest::Method::GET, &format!("users/{user}"), Value::Null)
            .await;
        state["availability"].as_str().unwrap().to_owned()
    }

    pub async fn choose(&self, user: &str, availability: &str) {
        let body = json!({"availability": availability});
        self.control(reqwest::Method::PUT, &format!("users/{user}/manual"), body)
            .await;
    }

    pub async fn refuse(&self, operation: &str) {
        let body = json!({"graph": {"status": 403, "operations": [operation]}});
        self.control(reqwest::Method::PUT, "faults", body).await;
    }
}

/// Installation to check.
pub struct Patient {
    folder: tempfile::TempDir,
    teamsbox: Option<Teamsbox>,
    _pbx: Option<SimulatedPbx>,
}

impl Patient {
    /// Creates an installation with this configuration, a data folder and a free port of its own.
    pub async fn new(rest: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let http = if rest.contains("[http]") {
            String::new()
        } else {
            format!("[http]\nlisten = \"127.0.0.1:{port}\"\n")
        };
        let patient = Self {
            folder: tempfile::tempdir().unwrap(),
            teamsbox: None,
            _pbx: None,
        };
        fs::write(patient.config(), format!("data = \"data\"\n{http}{rest}")).unwrap();
        fs::set_permissions(
            patient.config(),
            std::os::unix::fs::PermissionsExt::from_mode(0o600),
        )
        .unwrap();
        patient.store().await.database().close().await;
        patient
    }

    /// Creates an installation without faults.
    pub async fn whole() -> Self {
        let user = NewUser {
            id: None,
            display_name: "Anna".into(),
            user_principal_name: "anna@contoso.example".into(),
            clients: vec![teamsbox::Device::Desktop],
        };
        let config = teamsbox::Config {
            users: vec![user],
            ..teamsbox::Config::default()
        };
        let teamsbox = Teamsbox::start(config).await.unwrap();
        let pbx = SimulatedPbx::start(SimulatedPbxConfig {
            identity: None,
            listen: "127.0.0.1:0".parse().unwrap(),
            domain: "pbx.test".into(),
            username: "watcher".into(),
            password: SecretString::from("pbx-password"),
            extensions: vec!["1001".into()],
        })
        .await
        .unwrap();
        let url = teamsbox.url();
        let rest = format!(
            "[teams]\ntenant = \"contoso.example\"\nclient_id = \"{}\"\nclient_secret = \"teamsbox-secret\"\n\
             login_url = \"{url}\"\ngraph_url = \"{url}\"\n[[pbx]]\nserver = \"{}\"\ntransport = \"tcp\"\n\
             domain = \"pbx.test\"\nusername = \"watcher\"\npassword = \"pbx-password\"\n",
            super::APP,
            pbx.address(),
        );
        let patient = Self {
            teamsbox: Some(teamsbox),
            _pbx: Some(pbx),
            ..Self::new(&rest).await
        };
        patient.import("anna@contoso.example", "1001").await;
        patient.link().await;
        patient
    }

    pub fn teamsbox(&self) -> Person<'_> {
        Person(self.teamsbox.as_ref().unwrap())
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("offhook.toml")
    }

    pub fn data(&self, name: &str) -> PathBuf {
        self.folder.path().join("data").join(name)
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Section of the configuration about the PBX.
    pub fn pbx_section(&self) -> String {
        let text = fs::read_to_string(self.config()).unwrap();
        text[text.find("[[pbx]]").unwrap()..].to_owned()
    }

    pub fn replace(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.config()).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(self.config(), text.replace(from, to)).unwrap();
    }

    /// Configures notifications at this URL with a new certificate.
    pub fn notify_at(&self, url: &str) {
        let (certificate, key) = (
            self.folder.path().join("c.pem"),
            self.folder.path().join("k.pem"),
        );
        let made = std::process::Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=t", "-keyout",
            ])
            .arg(&key)
            .arg("-out")
            .arg(&certificate)
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let mut text = fs::read_to_string(self.config()).unwrap();
        text += &format!(
            "[notifications]\nurl = \"{url}\"\ncertificate_file = \"c.pem\"\nprivate_key_file = \"k.pem\"\n"
        );
        fs::write(self.config(), text).unwrap();
    }

    /// Sets a key to another value.
    pub fn set(&self, key: &str, value: &str) {
        let text = fs::read_to_string(self.config()).unwrap();
        let lines = text.lines().map(|line| {
            let found = line.split(" = ").next() == Some(key);
            if found {
                format!("{key} = \"{value}\"")
            } else {
                line.to_owned()
            }
        });
        fs::write(self.config(), lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    }

    async fn store(&self) -> Store {
        fs::create_dir_all(self.folder.path().join("data")).unwrap();
        Store::open(&self.data("offhook.db"), OrganisationId::FIRST)
            .await
            .unwrap()
    }

    pub async fn import(&self, mail: &str, extension: &str) {
        let csv = format!("name,mail,UPN,extension\n{mail},{mail},{mail},{extension}\n");
        let people = store::read_people_csv(csv.as_bytes(), None).unwrap().people;
        let store = self.store().await;
        store.import(&people, &CHANGE).await.unwrap();
        store.database().close().await;
    }

    /// Links Anna's account and enables the synchronisation.
    async fn link(&self) {
        let users = self
            .teamsbox()
            .control(reqwest::Method::GET, "users", Value::Null)
            .await;
        let id = users[0]["id"].as_str().unwrap();
        let store = self.store().await;
        store
            .link_teams(PersonId(1), &id.into(), TenantName::main())
            .await
            .unwrap();
        let mode = r#"{"mode":"telephony_and_presence"}"#;
        store
            .set_settings(store::ORGANISATION, "teams", Some(mode), &CHANGE)
            .await
            .unwrap();
        store.database().close().await;
    }

    /// Stores a write as if the server held a call of Anna's in Teams.
    pub async fn remember_a_write(&self) {
        let store = self.store().await;
        let now = presence::Timestamp::from_milliseconds(i64::MAX / 2);
        let own = SlotRecord {
            written_at: now,
            expires_at: now,
            acknowledged: true,
            cleared_at: None,
            released: None,
        };
        let record = presence::Record::Slot {
            person: PersonId(1),
            slot: presence::Slot::Session,
            record: Some(own),
        };
        store
            .commit(&[record], store::Durability::Power)
            .await
            .unwrap();
        store.database().close().await;
    }

    /// Stores a login as if a person had signed in, sealed with a key that is also in `old.key`.
    pub async fn seal_a_secret(&self) {
        let key = "01".repeat(32);
        self.file("data/secrets.key", &key);
        self.file("old.key", &key);
        let vault = runtime::vault::Vault::new(&key, "test").unwrap();
        let store = self.store().await;
        let sealed = vault.seal("service-account/1", b"token").unwrap();
        store.seal_secrets(&[sealed]).await.unwrap();
        store.database().close().await;
    }

    /// Runs another command of the program with this configuration, in its folder.
    pub async fn command(&self, arguments: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_offhook"))
            .args(arguments)
            .env("OFFHOOK_CONFIG", self.config())
            .current_dir(self.folder.path())
            .output()
            .await
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (
            output.status.code().unwrap(),
            String::from_utf8(text).unwrap(),
        )
    }

    /// Marks the database as written by a later version.
    pub async fn claim_a_later_version(&self) {
        use sqlx::ConnectOptions;
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(self.data("offhook.db"));
        let mut connection = options.connect().await.unwrap();
        let claim =
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                     VALUES (9999, 'later', 1, x'00', 0)";
        sqlx::query(claim).execute(&mut connection).await.unwrap();
    }

    async fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_offhook"))
            .args(["doctor", "--config"])
            .arg(self.config())
            .args(arguments)
            .env("NO_PROXY", "*")
            .output()
            .await
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            output.status.code().unwrap(),
            text(output.stdout),
            text(output.stderr),
        )
    }

    /// Starts the server and waits until it is ready or has named the problem. Stops it when dropped.
    pub async fn serve(&self) -> tokio::process::Child {
        let child = Command::new(env!("CARGO_BIN_EXE_offhook"))
            .args(["serve", "--config"])
            .arg(self.config())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let text = fs::read_to_string(self.config()).unwrap();
        let listen = text.lines().find_map(|line| line.strip_prefix("listen = "));
        let url = format!("http://{}/readyz", listen.unwrap().trim_matches('"'));
        for _ in 0..500 {
            if reqwest::get(&url).await.is_ok() {
                return child;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("the server does not answer at {url}");
    }

    /// Output of the doctor as text.
    pub async fn text(&self) -> String {
        let (_, out, errors) = self.run(&[]).await;
        out + &errors
    }

    /// Exit code and findings.
    pub async fn examine(&self, arguments: &[&str]) -> (i32, Vec<Value>) {
        let all: Vec<&str> = ["--json"].iter().chain(arguments).copied().collect();
        let (code, out, errors) = self.run(&all).await;
        let findings = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{errors}"));
        (code, findings)
    }

    /// Asserts that the fault is reported with meaning and remedy.
    pub async fn expect(&self, fault: &str) {
        self.expect_with(fault, &[]).await;
    }

    pub async fn expect_with(&self, fault: &str, arguments: &[&str]) {
        let (code, findings) = self.examine(arguments).await;
        let found = findings.iter().find(|finding| finding["fault"] == fault);
        let Some(found) = found else {
            panic!("{fault} is not among {findings:#?}");
        };
        assert!(!found["remedy"].as_str().unwrap().is_empty());
        let failed = findings
            .iter()
            .any(|finding| finding["verdict"] == "failed");
        assert_eq!(code, i32::from(failed));
    }
}

/// Codes of all faults found.
pub fn faults(findings: &[Value]) -> Vec<&str> {
    findings
        .iter()
        .filter_map(|finding| finding["fault"].as_str())
        .collect()
}
