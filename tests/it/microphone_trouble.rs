//! Microphone Sync with faulty networks, proxies, certificates, clocks and names, and with tables of the largest
//! allowed size.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

use end_to_end::{Agent, ForwardProxy, Installation, ReverseProxy, Sound, TlsServer, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    sync::watch,
    task::JoinSet,
};

use crate::{
    HEALS, SOON,
    microphone::{REST, Stage, ZOOM, anna, devices, listed, stage, without_agent},
};

#[tokio::test]
async fn a_network_that_swallows_everything_ends_it_too() {
    let (_installation, server, sound) = without_agent().await;
    let network = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", network.local_addr().unwrap());
    let to = server.url().trim_start_matches("http://").to_owned();
    let (dead, is_dead) = watch::channel(false);
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (mut one, _) = network.accept().await.unwrap();
            let mut other = TcpStream::connect(&to).await.unwrap();
            let mut is_dead = is_dead.clone();
            connections.spawn(async move {
                tokio::select! {
                    _ = copy_bidirectional(&mut one, &mut other) => {}
                    // Both connections stay open, as after a loss of the network: no side notices.
                    _ = is_dead.changed() => std::future::pending().await,
                }
            });
        }
    });
    let agent = Agent::start(&server, &address, "anna", &sound).await;
    let _zoom = sound.record("Zoom", "mic");
    eventually("it is shown", SOON, ZOOM.into(), || anna(&server)).await;
    dead.send_replace(true);
    let gone = async || !anna(&server).await.contains("microphone");
    eventually("the lease is over", HEALS, true, gone).await;
    let connected = async || agent.status().await["connected"] == true;
    eventually("the agent knows", HEALS, false, connected).await;
}

#[tokio::test]
async fn a_name_of_any_bytes_is_a_program_like_any_other() {
    let Stage {
        _installation,
        server,
        sound,
        agent,
    } = stage().await;
    let name = OsStr::from_bytes(b"Acme \xff\xfe\n\" Meet");
    let _odd = sound.record(name, "mic");
    let seen = async || agent.status().await["described"]["unlisted"].clone();
    eventually("it is seen", SOON, json!(1), seen).await;
    let _zoom = sound.record("Zoom", "mic");
    eventually("and so is Zoom", SOON, ZOOM.into(), || anna(&server)).await;
}

#[tokio::test]
async fn a_process_number_of_another_namespace_is_not_the_program_of_that_number_here() {
    let (_installation, server, pulseaudio) = without_agent().await;
    let pipewire = Sound::start_pipewire().await;
    type Record = fn(&Sound, &str, &str, u32) -> Child;
    let recorders: [(&Sound, Record); 3] = [
        (&pulseaudio, Sound::record_in_namespace),
        (&pipewire, Sound::record_in_namespace),
        (&pipewire, Sound::record_natively_in_namespace),
    ];
    for (sound, record) in recorders {
        let agent = Agent::start(&server, server.url(), "anna", sound).await;
        let slack = sound.idle("Slack");
        let mut zoom = record(sound, "Zoom", "mic", slack.id().unwrap());
        eventually("it is shown", SOON, ZOOM.into(), || anna(&server)).await;
        let seen = server.presence("anna").await;
        assert_eq!(seen["activity"]["label"], "Zoom Meeting", "{seen}");
        let report = agent.run(&["report", "--dry-run"]).await.1;
        assert!(!report.contains("Slack"), "{report}");
        zoom.kill().await.unwrap();
        eventually("its end", SOON, REST.into(), || anna(&server)).await;
    }
}

#[tokio::test]
async fn a_companys_proxy_and_a_server_behind_nginx_are_no_hindrance() {
    let (_installation, server, sound) = without_agent().await;
    let front = ReverseProxy::start(server.url()).await;
    let mut proxy = ForwardProxy::start().await;
    let mut agent = Agent::new(&sound);
    agent.is_behind(&proxy, &front.authority());
    agent.pair(&server, &front.url(), "anna").await;
    agent.restart();
    agent.connected().await;
    assert!(
        proxy.asked().contains("CONNECT localhost:"),
        "{}",
        proxy.asked()
    );
    let mut zoom = sound.record("Zoom", "mic");
    eventually("in use", SOON, ZOOM.into(), || anna(&server)).await;
    zoom.kill().await.unwrap();
    eventually("its end", SOON, REST.into(), || anna(&server)).await;

    proxy.kill().await;
    let is_reported = async || agent.run(&["status"]).await.1.contains("cannot be reached");
    eventually("the agent says so", HEALS, true, is_reported).await;
    proxy.restart().await;
    let connected = async || agent.status().await["connected"] == true;
    eventually("it comes back", HEALS, true, connected).await;
}

#[tokio::test]
async fn a_clock_that_is_wrong_changes_nothing() {
    let (_installation, server, sound) = without_agent().await;
    let mut agent = Agent::start(&server, server.url(), "anna", &sound).await;
    let shown = || anna(&server);
    // Seconds from now to a time that the server reports.
    let from_now = async |time: &Value| {
        let time = time.as_str().unwrap().to_owned();
        let script = "import datetime,sys; t=datetime.datetime.fromisoformat(sys.argv[1].replace('Z','+00:00')); print((t-datetime.datetime.now(datetime.timezone.utc)).total_seconds())";
        let mut python = Command::new("python3");
        let output = python.args(["-c", script, &time]).output().await.unwrap();
        let seconds = String::from_utf8(output.stdout).unwrap();
        seconds.trim().parse::<f64>().unwrap()
    };
    for wrong in ["+3d", "-3d"] {
        agent.kill().await;
        agent.is_wrong_by(wrong);
        agent.restart();
        agent.connected().await;
        let mut zoom = sound.record("Zoom", "mic");
        eventually("in use", SOON, ZOOM.into(), shown).await;
        let since = server.presence("anna").await["since"].clone();
        let since = from_now(&since).await;
        assert!((-60.0..=1.0).contains(&since), "{wrong}: {since} s");
        assert_eq!(agent.run(&["pause", "--minutes", "5"]).await.0, 0);
        eventually("paused", SOON, REST.into(), shown).await;
        let until = devices(&server).await[0]["paused_until"].clone();
        let until = from_now(&until).await;
        assert!((240.0..=301.0).contains(&until), "{wrong}: {until} s");
        assert_eq!(agent.run(&["resume"]).await.0, 0);
        eventually("it goes on", SOON, ZOOM.into(), shown).await;
        zoom.kill().await.unwrap();
        eventually("its end", SOON, REST.into(), shown).await;
    }
}

#[tokio::test]
async fn a_table_of_ten_thousand_programs_is_looked_up_like_a_short_one() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    // Writes the programs into the database, since requests would take half an hour; together they nearly reach the
    // largest size of the table.
    let script = r#"
import json, sqlite3, sys
def row(process, also):
    # As the server writes it.
    return {"process": process, "also": also, "alias": process.title(), "active": True, "softphone": False, "ignore_after_hours": None}
write = lambda rows: json.dumps(rows, separators=(",", ":"))
rows = [row(f"program {n}", ["x" * 80, f"{n}"]) for n in range(9997)]
filler = 8 * 2**20 - 2_000 - len(write(rows))
text = write([*rows, row("filler", ["x" * filler])])
database = sqlite3.connect(sys.argv[1])
database.execute("INSERT INTO pages (scope, page, value) VALUES ('organisation', 'programs', ?)", [text])
database.commit()
"#;
    let database = installation.data("offhook.db");
    let mut python = Command::new("python3");
    let python = python.args(["-c", script, database.to_str().unwrap()]);
    let output = python.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let server = installation.serve().await;
    let page = "/api/v1/scopes/organisation/settings/microphone";
    server
        .ok(Method::PUT, page, Some(json!({"enabled": true})))
        .await;
    let table = "/api/v1/scopes/organisation/programs";
    let long = json!({"process": "long", "also": vec!["ü".repeat(255); 20]});
    let (status, refused) = server.api(Method::POST, table, Some(long.clone())).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.to_string().contains("8388608 bytes"), "{refused}");

    let sound = Sound::start().await;
    let agent = Agent::start(&server, server.url(), "anna", &sound).await;
    listed(&server, "last", "last", "Last Meeting").await;
    let rows = async || agent.status().await["described"]["rows"].clone();
    eventually("all are known", HEALS, json!(9_999), rows).await;
    let _last = sound.record("last", "mic");
    eventually("it is shown", SOON, ZOOM.into(), || anna(&server)).await;
    let _first = sound.record("program 0", "mic");
    let is_reported = async || {
        agent
            .run(&["report", "--dry-run"])
            .await
            .1
            .contains("Program 0 uses the microphone: reported")
    };
    eventually("and another", SOON, true, is_reported).await;
    server
        .ok(Method::POST, table, Some(json!({"process": "ten"})))
        .await;
    let (status, refused) = server
        .api(Method::POST, table, Some(json!({"process": "more"})))
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.to_string().contains("10000 programs"), "{refused}");
}

#[tokio::test]
async fn a_wrong_code_and_a_wrong_server_are_named() {
    let (_installation, server, sound) = without_agent().await;
    let agent = Agent::start(&server, server.url(), "anna", &sound).await;
    let refused = async |address: &str| {
        let (code, _, errors) = agent.run(&["pair", address, "AAAA-BBBB"]).await;
        assert_eq!(code, 1, "{errors}");
        errors
    };
    let errors = refused(server.url()).await;
    assert!(
        errors.contains("the code is wrong, used or older"),
        "{errors}"
    );
    let errors = refused("http://offhook.example").await;
    assert!(errors.contains("not encrypted"), "{errors}");
    let errors = refused("http://127.0.0.1:9").await;
    assert!(errors.contains("cannot be reached"), "{errors}");
    // An untrusted certificate, and one for another name.
    let folder = tempfile::tempdir().unwrap();
    let stranger = TlsServer::start(folder.path()).await;
    let errors = refused(&stranger.url("")).await;
    assert!(errors.contains("certificate"), "{errors}");
    // The agent keeps its former pairing.
    assert_eq!(agent.status().await["connected"], true);
    // A missing token and an unknown protocol version are refused with a reason.
    let stranger = server.with_key("oha_nonsense");
    let (status, _, text) = stranger
        .with_headers(Method::GET, "/agent/v1", &[], None)
        .await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(text.contains("pair it again"), "{text}");
}
