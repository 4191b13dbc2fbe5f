//! The official Microsoft clients for Python against the program: `msal` fetches tokens, `msgraph-sdk` reads and sets
//! presence. They come from PyPI once, in pinned versions, into an environment below the build directory.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
    time::timeout,
};

use crate::program::program;

/// Timeout for downloading the clients.
const PATIENCE: Duration = Duration::from_secs(600);
const ANNA: &str = "a11ce000-0000-4000-8000-000000000001";

fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

async fn succeeds(command: &mut Command) -> String {
    let output = timeout(PATIENCE, command.kill_on_drop(true).output())
        .await
        .unwrap()
        .unwrap();
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success(),
        "{command:?} failed:\n{out}\n{errors}"
    );
    out.into_owned()
}

/// The interpreter of an environment with the pinned clients, which is created again when the pins change.
async fn python() -> PathBuf {
    let requirements = tests_folder().join("requirements.txt");
    let wanted = std::fs::read_to_string(&requirements).unwrap();
    let program = PathBuf::from(env!("CARGO_BIN_EXE_teamsbox"));
    let folder = program.parent().unwrap().join("teamsbox-python");
    let (interpreter, stamp) = (folder.join("bin/python"), folder.join("installed.txt"));
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return interpreter;
    }
    succeeds(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )
    .await;
    let mut install = Command::new(&interpreter);
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
    ]);
    succeeds(install.arg(&requirements)).await;
    std::fs::write(&stamp, wanted).unwrap();
    interpreter
}

#[tokio::test]
async fn the_official_clients_work() {
    let interpreter = python().await;
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    let mut teamsbox = program()
        .args(["--listen", "127.0.0.1:0", "--tls", "--ca-out"])
        .arg(&authority)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(teamsbox.stdout.take().unwrap()).lines();
    let first = timeout(PATIENCE, lines.next_line())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    let url = first
        .rsplit(' ')
        .next()
        .unwrap()
        .replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://localhost:"), "{url}");
    let script = tests_folder().join("clients.py");
    let mut run = Command::new(interpreter);
    let said = succeeds(
        run.arg(script)
            .arg(&url)
            .arg(&authority)
            .args(["contoso.example", ANNA]),
    )
    .await;
    let expected = [
        "before Available Available",
        "after Busy InACall",
        "bulk Busy InACall",
        "people 6",
        "refused 400 InvalidArgument",
        &format!("device {ANNA}"),
        "refreshed anna.bauer@contoso.example",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    teamsbox.kill().await.unwrap();
}
