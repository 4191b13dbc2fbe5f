//! The stage of the day: the real server with a real store, a Teams tenant in a box and a simulated PBX in one process, all by
//! one clock that is driven by hand. The server can be restarted; tenant and PBX go on.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use api::access;
use directory::{DirectoryOptions, PeopleFrom};
use graph::{ClientConfig, Credential};
use phones::pbx::PbxOptions;
use presence::{Extension, TenantName, Timestamp};
use reqwest::{Method, StatusCode};
use runtime::{
    clients::Connected,
    clock::{Clock, ClockDriver},
    secrets,
};
use secrecy::SecretString;
use serde_json::Value;
use server::{App, Options};
use store::{Change, Concern, ImportPerson, OrganisationId, Store};
use teams::{SignIn, TeamsOptions};
use teamsbox::{ClockMode, Device, Knobs, NewUser, Teamsbox};
use telephony::{
    connector::Connector,
    simulated::{SimulatedPbx, SimulatedPbxConfig},
    sip_connector::{SipConnectorConfig, Transport},
};
use tokio::task::JoinHandle;

/// Longest wait for the first observation of every person, in real time.
const READY_MAX: Duration = Duration::from_secs(20);
/// Driven time after which the lines are refreshed, below their lease of ten minutes.
const RECONCILE_INTERVAL: Duration = Duration::from_secs(240);
/// Longest real time that a step of the clock waits for writes that rest.
const STEP_MAX: Duration = Duration::from_millis(250);
/// Domain of the PBX.
const DOMAIN: &str = "pbx.day";

/// Server, tenant and PBX.
pub struct Stage {
    pub teamsbox: Teamsbox,
    pub pbx: SimulatedPbx,
    password: SecretString,
    folder: tempfile::TempDir,
    key: String,
    running: Running,
    http: reqwest::Client,
}

/// The server and its follower of the clock, which a restart replaces.
struct Running {
    app: Arc<App>,
    follower: JoinHandle<()>,
    _clients: Vec<Connected>,
}

/// Sign-in name of the person with this number.
pub fn principal_name(number: usize) -> String {
    format!("person{number}@contoso.example")
}

/// Extension of the person with this number.
pub fn extension(number: usize) -> String {
    (1_000 + number).to_string()
}

impl Stage {
    /// Starts server, tenant and PBX. `with_phones` people are entered in Offhook and have phones; the rest of `people`
    /// come from the directory.
    pub async fn start(people: usize, with_phones: usize, knobs: Knobs) -> Self {
        let users = (0..people).map(|number| NewUser {
            id: None,
            display_name: format!("Person {number}"),
            user_principal_name: principal_name(number),
            clients: vec![Device::Desktop],
        });
        let teamsbox = Teamsbox::start(teamsbox::Config {
            clock: ClockMode::Manual,
            users: users.collect(),
            knobs,
            ..teamsbox::Config::default()
        });
        let teamsbox = teamsbox.await.unwrap();
        let password = SecretString::from(secrets::new_secret().unwrap());
        let pbx = SimulatedPbx::start(SimulatedPbxConfig {
            identity: None,
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            domain: DOMAIN.into(),
            username: "offhook".into(),
            password: password.clone(),
            extensions: (0..with_phones)
                .map(|number| extension(number).into())
                .collect(),
        });
        let pbx = pbx.await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let now = Timestamp::from_milliseconds(teamsbox.clock().now_milliseconds());
        let store = Store::open(&folder.path().join("day.db"), OrganisationId::FIRST)
            .await
            .unwrap();
        let change = change(now);
        store.import(&imported(with_phones), &change).await.unwrap();
        let page = r#"{"mode":"telephony_and_presence"}"#;
        let set = store.set_settings(store::ORGANISATION, "teams", Some(page), &change);
        set.await.unwrap();
        let (clock, driver) = Clock::driven(now);
        let key = access::new_api_key(&store, "day", &["read", "write", "admin"], &clock);
        let key = key.await.unwrap();
        let options = options(store, clock, &teamsbox, &pbx, password.clone());
        let running = Running::start(options, &teamsbox, driver).await;
        Self {
            teamsbox,
            pbx,
            password,
            folder,
            key,
            running,
            http: reqwest::Client::new(),
        }
    }

    /// Ends the server in order and starts it again.
    pub async fn restart(mut self) -> Self {
        self.running.stop().await;
        let store = Store::open(&self.folder.path().join("day.db"), OrganisationId::FIRST).await;
        let now = Timestamp::from_milliseconds(self.teamsbox.clock().now_milliseconds());
        let (clock, driver) = Clock::driven(now);
        let password = self.password.clone();
        let options = options(store.unwrap(), clock, &self.teamsbox, &self.pbx, password);
        self.running = Running::start(options, &self.teamsbox, driver).await;
        self
    }

    /// Ends everything.
    pub async fn stop(self) {
        self.running.stop().await;
        self.pbx.stop().await;
        self.teamsbox.stop().await;
    }

    /// Lets time pass.
    pub async fn advance(&self, time: Duration) {
        self.teamsbox.clock().advance(time).await;
    }

    /// A call of the server's API: status and answer.
    pub async fn api(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let url = format!("http://{}{path}", self.running.app.address());
        let request = self.http.request(method, url).bearer_auth(&self.key);
        let response = with_body(request, body).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        (
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        )
    }

    /// A call of the server's API that must succeed.
    pub async fn ok(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.api(method, path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    /// A call of teamsbox's control plane that must succeed.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let request = self
            .http
            .request(method, format!("{}/box/v1{path}", self.teamsbox.url()));
        let response = with_body(request, body).send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

fn with_body(request: reqwest::RequestBuilder, body: Option<Value>) -> reqwest::RequestBuilder {
    match body {
        Some(body) => request.json(&body),
        None => request,
    }
}

impl Running {
    async fn start(options: Options, teamsbox: &Teamsbox, driver: ClockDriver) -> Self {
        let app = Arc::new(App::start(options).await.unwrap());
        let clients = app.connect_everybody().await;
        // Faults may hide a person for a while: the day begins all the same.
        let _ = tokio::time::timeout(READY_MAX, app.everybody_observed()).await;
        let follower = tokio::spawn(follow(app.clone(), teamsbox.clock().clone(), driver));
        Self {
            app,
            follower,
            _clients: clients,
        }
    }

    async fn stop(self) {
        self.follower.abort();
        // The task was cancelled, so its error is expected.
        let _ = self.follower.await;
        drop(self._clients);
        Arc::into_inner(self.app).unwrap().stop().await;
    }
}

/// Has the server follow teamsbox's clock, step by step.
async fn follow(app: Arc<App>, clock: teamsbox::Clock, driver: ClockDriver) {
    let mut follower = clock.follow();
    let mut reconciled = Timestamp::from_milliseconds(clock.now_milliseconds());
    while let Some(step) = follower.next().await {
        let now = Timestamp::from_milliseconds(step.now_milliseconds);
        driver.set(now);
        if now.since(reconciled) >= RECONCILE_INTERVAL {
            reconciled = now;
            app.reconcile_lines().await;
        }
        // Writes rest in real time, while the driven time continues.
        let _ = tokio::time::timeout(STEP_MAX, app.settle()).await;
        step.done();
    }
}

fn imported(people: usize) -> Vec<ImportPerson> {
    let person = |number| ImportPerson {
        name: format!("Person {number}"),
        mail: principal_name(number),
        user_principal_name: principal_name(number),
        extensions: vec![Extension::stored(extension(number))],
        ..ImportPerson::default()
    };
    (0..people).map(person).collect()
}

const fn change(at: Timestamp) -> Change<'static> {
    Change {
        at,
        who: "day",
        what: "people.import",
        target: "people",
        before: None,
        after: None,
        concern: Concern::Administration,
        attempt: None,
    }
}

fn options(
    store: Store,
    clock: Clock,
    teamsbox: &Teamsbox,
    pbx: &SimulatedPbx,
    password: SecretString,
) -> Options {
    let tenant = TeamsOptions {
        name: TenantName::main().clone(),
        sign_in: SignIn::Application,
        client: ClientConfig {
            login: teamsbox.url(),
            graph: teamsbox.url(),
            tenant: teamsbox.tenant_id().to_owned(),
            client_id: teamsbox::DEFAULT_CLIENT_ID.to_owned(),
            credential: Credential::secret(teamsbox::DEFAULT_CLIENT_SECRET),
        },
        // Hours of driven time pass in seconds of the network's, with all their sweeps.
        requests_per_30_seconds: None,
        notifications: None,
    };
    let directory = DirectoryOptions {
        from: PeopleFrom::Everybody,
        location: None,
    };
    let pbx = PbxOptions {
        publish: None,
        extensions: Vec::new(),
        connector: Connector::Sip(SipConnectorConfig {
            name: "simulated".into(),
            servers: vec![pbx.address().to_string()],
            trust: None,
            name_server: None,
            transport: Some(Transport::Udp),
            domain: DOMAIN.into(),
            username: "offhook".into(),
            password,
            lists: Vec::new(),
            bind: None,
        }),
    };
    Options {
        tenants: vec![tenant],
        directories: [(TenantName::main().clone(), directory)].into(),
        pbxs: vec![pbx],
        ..Options::alone(store, clock)
    }
}
