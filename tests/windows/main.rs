//! The agent for Windows, built here, under Wine and with a real server: it pairs, answers on its pipe, reads the
//! consent store, and ignores entries that a crash left there. Wine has no recording sessions of other programs: the
//! test only checks that none is found.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use end_to_end::{Installation, Server, eventually, repository};
use reqwest::Method;
use serde_json::json;
use tokio::process::{Child, Command};

/// Wine takes a second to start a program.
const SOON: Duration = Duration::from_secs(30);
const STORE: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\CapabilityAccessManager\ConsentStore\microphone";

/// Path of the agent, as `./test` built it.
fn agent() -> PathBuf {
    let agent = repository().join("target/windows/x86_64-pc-windows-gnu/debug/offhook-agent.exe");
    assert!(
        agent.exists(),
        "{} is missing: tests/lab/windows/cargo-win build -p agent",
        agent.display()
    );
    agent
}

fn wine() -> Command {
    let mut wine = Command::new(repository().join("tests/lab/windows/wine-run"));
    wine.stdin(Stdio::null()).kill_on_drop(true);
    wine
}

/// Runs a program to its end: success, output, errors. Output goes through files: Wine's own background programs keep
/// pipes open.
async fn run(program: &str, arguments: &[&str]) -> (bool, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let [out, errors] = ["out", "errors"].map(|name| folder.path().join(name));
    let mut wine = wine();
    wine.arg(program).args(arguments);
    wine.stdout(File::create(&out).unwrap());
    wine.stderr(File::create(&errors).unwrap());
    let ended = tokio::time::timeout(Duration::from_secs(120), wine.status()).await;
    let ended = ended.expect("it does not end").unwrap();
    let text = |path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    (ended.success(), text(out), text(errors))
}

/// A running program, killed when dropped.
fn start(program: &str, arguments: &[&str]) -> Child {
    let mut wine = wine();
    wine.arg(program).args(arguments);
    wine.stdout(Stdio::null()).stderr(Stdio::null());
    wine.spawn().unwrap()
}

/// Writes an entry of the consent store, as Windows does when a program starts and stops recording.
async fn remember(program: &str, start: &str, stop: &str) {
    let key = format!(r"{STORE}\NonPackaged\{}", program.replace('\\', "#"));
    for (name, value) in [("LastUsedTimeStart", start), ("LastUsedTimeStop", stop)] {
        let arguments = [
            "add",
            &key,
            "/v",
            name,
            "/t",
            "REG_QWORD",
            "/d",
            value,
            "/f",
        ];
        let (well, _, errors) = run("reg", &arguments).await;
        assert!(well, "{errors}");
    }
}

async fn shown(server: &Server) -> String {
    let presence = server.presence("anna").await;
    presence["activity"]["label"]
        .as_str()
        .unwrap_or("nothing")
        .to_owned()
}

#[tokio::test]
async fn the_agent_for_windows_reports_what_the_consent_store_proves() {
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let page = "/api/v1/scopes/organisation/settings/microphone";
    let on = json!({"enabled": true, "on_after": 0, "off_after": 0});
    server.ok(Method::PUT, page, Some(on)).await;
    let devices = format!("/api/v1/people/{}/devices", server.person("anna").await);
    let code = server.ok(Method::POST, &devices, None).await;
    let code = code["code"].as_str().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| format!("Z:{}", folder.path().join(name).display()).replace('/', "\\");
    let (data, agent) = (at("data"), agent());
    let agent = agent.to_str().unwrap();
    let command = async |arguments: &[&str]| {
        let all = [&["--folder", &*data], arguments].concat();
        run(agent, &all).await
    };
    let (well, out, errors) = command(&["pair", server.url(), code, "--name", "laptop"]).await;
    assert!(
        well && out.contains("laptop belongs to anna now"),
        "{out}{errors}"
    );
    assert!(out.contains("in the system's keyring"), "{out}");
    let _running = start(agent, &["--folder", &data, "run"]);
    let connected = async || command(&["status"]).await.1.contains("Connected to");
    eventually("connected", SOON, true, connected).await;
    let (well, _, errors) = command(&["run"]).await;
    assert!(
        !well && errors.contains("another agent of yours"),
        "{errors}"
    );

    // A listed program, and an entry of the same name left by a crash long ago.
    fs::copy(agent, folder.path().join("Zoom.exe")).unwrap();
    let (zoom, crashed) = (at("Zoom.exe"), r"C:\old\Zoom.exe");
    remember(crashed, "0x1dc5a0000000000", "0").await;
    remember(&zoom, "0x1dc5a0000000000", "0x1dc5a0000000001").await;
    let program = start(&zoom, &["--folder", &at("zoom"), "run"]);
    assert_eq!(shown(&server).await, "nothing");
    remember(&zoom, "0x1dc5a0000000002", "0").await;
    eventually("in use", SOON, "Zoom Meeting".into(), || shown(&server)).await;
    let (_, out, _) = command(&["report", "--dry-run"]).await;
    assert!(
        out.contains("Zoom Meeting uses the microphone: reported"),
        "{out}"
    );
    remember(&zoom, "0x1dc5a0000000002", "0x1dc5a0000000003").await;
    eventually("over", SOON, "nothing".into(), || shown(&server)).await;

    // After a crash, Windows never writes the stop time.
    remember(&zoom, "0x1dc5a0000000004", "0").await;
    eventually("again", SOON, "Zoom Meeting".into(), || shown(&server)).await;
    drop(program);
    eventually("crashed", SOON, "nothing".into(), || shown(&server)).await;
}
