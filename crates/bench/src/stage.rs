//! Environment of a measurement: the real server with a real store, a simulated Teams tenant, and a simulated PBX with SIP
//! on loopback, all in one process.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use anyhow::Context;
use api::access;
use phones::{PhonesOptions, pbx::PbxOptions};
use presence::{Extension, TenantName, Timing};
use runtime::{clock::Clock, secrets};
use secrecy::SecretString;
use server::{App, Options};
use store::{Change, Concern, ImportPerson, OrganisationId, Store};
use teams::{SignIn, TeamsOptions};
use teamsbox::{CallKind, Device, NewUser, Teamsbox};
use telephony::{
    connector::Connector,
    simulated::{SimulatedPbx, SimulatedPbxConfig},
    sip_connector::{SipConnectorConfig, Transport},
};
use tokio::task::JoinSet;

/// Timeout until all people are linked, watched and read once.
const READY_MAX: Duration = Duration::from_secs(120);

/// All parts of the environment.
pub struct Stage {
    pub app: App,
    pub teamsbox: Arc<Teamsbox>,
    pub pbx: Arc<SimulatedPbx>,
    pub api_key: String,
    /// Teams id and extension of each person.
    pub people: Vec<(String, String)>,
    _folder: tempfile::TempDir,
}

fn client(teamsbox: &Teamsbox) -> graph::ClientConfig {
    let secret = SecretString::from(teamsbox::DEFAULT_CLIENT_SECRET);
    graph::ClientConfig {
        login: teamsbox.url(),
        graph: teamsbox.url(),
        tenant: teamsbox.tenant_id().to_owned(),
        client_id: teamsbox::DEFAULT_CLIENT_ID.into(),
        credential: graph::Credential::Secret(secret),
    }
}

impl Stage {
    /// Starts the environment with this number of people.
    pub async fn start(
        people: usize,
        requests_per_30_seconds: Option<u32>,
        timing: Timing,
    ) -> anyhow::Result<Self> {
        let users = (0..people).map(|index| NewUser {
            id: None,
            display_name: name(index),
            user_principal_name: format!("{}@contoso.example", name(index)),
            clients: vec![Device::Desktop],
        });
        let teamsbox = Teamsbox::start(teamsbox::Config {
            users: users.collect(),
            knobs: unlimited(),
            ..teamsbox::Config::default()
        })
        .await?;
        let ids: Vec<(String, String)> = teamsbox
            .users()
            .into_iter()
            .enumerate()
            .map(|(index, user)| (user.id, (10_000 + index).to_string()))
            .collect();
        let password = SecretString::from(secrets::new_secret()?);
        let pbx = SimulatedPbx::start(SimulatedPbxConfig {
            identity: None,
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            domain: "pbx.bench".into(),
            username: "offhook".into(),
            password: password.clone(),
            extensions: ids
                .iter()
                .map(|(_, extension)| extension.as_str().into())
                .collect(),
        })
        .await?;
        let folder = tempfile::tempdir()?;
        let store = Store::open(&folder.path().join("bench.db"), OrganisationId::FIRST).await?;
        store
            .import(&import_people(&ids), &change("people.import", "people"))
            .await?;
        synchronise(&store).await?;
        let clock = Clock::system();
        let api_key = access::new_api_key(&store, "bench", &["read"], &clock).await?;
        let app = App::start(Options {
            tenants: vec![TeamsOptions {
                name: TenantName::main().clone(),
                sign_in: SignIn::Application,
                client: client(&teamsbox),
                requests_per_30_seconds,
                notifications: None,
            }],
            pbxs: vec![PbxOptions {
                extensions: Vec::new(),
                publish: None,
                connector: Connector::Sip(SipConnectorConfig {
                    name: "simulated".into(),
                    servers: vec![pbx.address().to_string()],
                    trust: None,
                    name_server: None,
                    transport: Some(Transport::Udp),
                    domain: "pbx.bench".into(),
                    username: "offhook".into(),
                    password,
                    lists: Vec::new(),
                    bind: None,
                }),
            }],
            timing,
            ..Options::alone(store, Clock::system())
        })
        .await?;
        tokio::time::timeout(READY_MAX, app.everybody_observed())
            .await
            .context("not all people were linked, watched and read in time")?;
        Ok(Self {
            app,
            teamsbox: Arc::new(teamsbox),
            pbx: Arc::new(pbx),
            api_key,
            people: ids,
            _folder: folder,
        })
    }

    /// Makes a call on the PBX that is answered at once and lasts for `talk`.
    pub fn pbx_call(&self, calls: &mut JoinSet<()>, from: &str, to: &str, talk: Duration) {
        if let Ok(call) = self.pbx.ring(from, to) {
            let pbx = self.pbx.clone();
            calls.spawn(async move {
                pbx.answer(call);
                tokio::time::sleep(talk).await;
                pbx.hang_up(call);
            });
        }
    }

    /// Makes a call in Teams that lasts for `talk`.
    pub fn teams_call(&self, calls: &mut JoinSet<()>, from: &str, to: &str, talk: Duration) {
        let began = self
            .teamsbox
            .start_call(from, CallKind::Audio, Some(to))
            .is_ok();
        if began {
            let (teamsbox, from) = (self.teamsbox.clone(), from.to_owned());
            calls.spawn(async move {
                tokio::time::sleep(talk).await;
                // The call may have ended in Teams already.
                let _ = teamsbox.end_call(&from);
            });
        }
    }

    /// Stops all parts in order.
    pub async fn stop(self) {
        self.app.stop().await;
        if let Some(pbx) = Arc::into_inner(self.pbx) {
            pbx.stop().await;
        }
    }
}

/// The real server and its store with people, without tenant and PBX.
pub struct Alone {
    pub app: App,
    pub store: Store,
    pub _folder: tempfile::TempDir,
}

impl Alone {
    /// Starts the server with this number of people.
    pub async fn start(people: usize, phones: Option<PhonesOptions>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(&folder.path().join("bench.db"), OrganisationId::FIRST).await?;
        let people: Vec<ImportPerson> = (0..people)
            .map(|number| ImportPerson {
                name: full_name(number),
                mail: format!("p{number}@bench.example"),
                user_principal_name: format!("p{number}@bench.example"),
                line: None,
                extension_lines: Vec::new(),
                teams_id: None,
                extensions: vec![Extension::stored(format!("p{number}"))],
                location: None,
            })
            .collect();
        store
            .import(&people, &change("people.import", "people"))
            .await?;
        let app = App::start(Options {
            phones,
            ..Options::alone(store.clone(), Clock::system())
        })
        .await?;
        Ok(Self {
            app,
            store,
            _folder: folder,
        })
    }
}

/// A name as people have it: the search, the order and the compression depend on it. The first 10,000 differ.
fn full_name(number: usize) -> String {
    const FIRST: [&str; 25] = [
        "Anna", "Bert", "Carla", "David", "Eva", "Farid", "Greta", "Hans", "Inès", "Jörg", "Karl",
        "Lena", "Łukasz", "Max", "Nora", "Özlem", "Paula", "Quirin", "Rita", "Sven", "Tina", "Uwe",
        "Vera", "Yusuf", "Zoë",
    ];
    const START: [&str; 20] = [
        "Acker", "Berg", "Busch", "Dorn", "Eich", "Feld", "Gold", "Hart", "Kirch", "Linden",
        "Mühl", "Neu", "Ober", "Rosen", "Stein", "Tann", "Unter", "Wald", "Weid", "Winter",
    ];
    const END: [&str; 20] = [
        "bach", "bauer", "berg", "brink", "dorf", "eck", "egger", "er", "feld", "hauer", "hof",
        "holz", "huber", "inger", "mann", "meier", "müller", "stein", "tal", "weber",
    ];
    let parts = [
        FIRST.get(number % 25),
        START.get(number / 25 % 20),
        END.get(number / 500 % 20),
    ];
    let [first, start, end] = parts.map(|part| part.copied().unwrap_or_default());
    format!("{first} {start}{end}")
}

fn name(index: usize) -> String {
    format!("person-{index}")
}

/// People with these accounts and extensions.
fn import_people(ids: &[(String, String)]) -> Vec<ImportPerson> {
    let people = ids.iter().enumerate();
    people
        .map(|(index, (id, extension))| ImportPerson {
            name: name(index),
            mail: String::new(),
            user_principal_name: format!("{}@contoso.example", name(index)),
            line: None,
            extension_lines: Vec::new(),
            teams_id: Some(id.clone()),
            extensions: vec![Extension::stored(&**extension)],
            location: None,
        })
        .collect()
}

pub fn change(what: &'static str, target: &'static str) -> Change<'static> {
    Change {
        at: Clock::system().now(),
        who: "bench",
        what,
        target,
        before: None,
        after: None,
        concern: Concern::Administration,
        attempt: None,
    }
}

/// Enables the synchronisation of calls and Do not disturb for all people.
async fn synchronise(store: &Store) -> anyhow::Result<()> {
    let change = change("settings.set", "organisation/teams");
    let page = r#"{"mode":"telephony_and_presence"}"#;
    store
        .set_settings(store::ORGANISATION, "teams", Some(page), &change)
        .await?;
    Ok(())
}

/// Disables the limits of the tenant, which are not to be measured.
fn unlimited() -> teamsbox::Knobs {
    teamsbox::Knobs {
        presence_limit: 0,
        ..teamsbox::Knobs::default()
    }
}
