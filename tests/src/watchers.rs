//! Independent programs that watch Offhook as telephones and browsers do: PJSIP and SIP.js, in the versions that
//! `tests/lab/watchers` names. They are fetched once, from the package registries.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::repository;

/// How long a change may take to be shown.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program that prints a line for all that it is told. Dropping it ends it.
pub struct Watching {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Watching {
    /// SIP.js watches the dialogs of `target` at `server`, such as `wss://127.0.0.1:5066`. The certificate is not looked at.
    pub async fn sip_js(server: &str, (user, password): (&str, &str), target: &str) -> Self {
        let folder = node_packages("watchers-node", &lab("package.json")).await;
        let mut command = Command::new("node");
        command
            .arg(lab("sipjs.mjs"))
            .args([server, user, password, "pbx.test", target])
            .env("WATCHERS_MODULES", folder)
            .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
            .env("NODE_NO_WARNINGS", "1");
        Self::start(command)
    }

    /// PJSIP watches the presence of `target` by TLS at `port`, and believes this authority only.
    pub async fn pjsip(
        port: u16,
        authority: &Path,
        (user, password): (&str, &str),
        target: &str,
    ) -> Self {
        let folder = packages("watchers-python", "requirements.txt", async |folder| {
            let made = Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(folder)
                .status();
            assert!(made.await.unwrap().success(), "python3-venv is missing");
            let mut command = Command::new(folder.join("bin/python"));
            let arguments = [
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
            ];
            command.args(arguments).arg("--requirement");
            command.arg(lab("requirements.txt"));
            command
        });
        let mut command = Command::new(folder.await.join("bin/python"));
        command.arg(lab("pjsua.py")).arg(port.to_string());
        command
            .arg(authority)
            .args([user, password, "pbx.test", target]);
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            _child: child,
            lines,
        }
    }

    /// Waits until it has shown this.
    ///
    /// # Panics
    /// It shows something else only.
    pub async fn shows(&mut self, wanted: &str) {
        let mut shown = Vec::new();
        let until = tokio::time::Instant::now() + PATIENCE;
        while shown.last().map(String::as_str) != Some(wanted) {
            match tokio::time::timeout_at(until, self.lines.next_line()).await {
                Ok(Ok(Some(line))) => shown.push(line),
                ended => panic!("{wanted:?} was not shown, but {shown:?} ({ended:?})"),
            }
        }
    }
}

/// The folder with the packages of Node that a `package.json` names.
pub(crate) async fn node_packages(name: &str, wanted: &Path) -> PathBuf {
    fetched(name, wanted, npm).await
}

async fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    let arguments = ["install", "--no-audit", "--no-fund", "--no-package-lock"];
    command.args(arguments).arg("--prefix").arg(folder);
    command
}

fn lab(name: &str) -> PathBuf {
    repository().join("tests/lab/watchers").join(name)
}

/// A folder with the packages that a file names; made anew when it changes, by the command that `install` gives.
async fn packages(name: &str, wanted: &str, install: impl AsyncFn(&Path) -> Command) -> PathBuf {
    fetched(name, &lab(wanted), install).await
}

/// The same for a file anywhere.
async fn fetched(name: &str, wanted: &Path, install: impl AsyncFn(&Path) -> Command) -> PathBuf {
    let target = std::env::current_exe().unwrap();
    let folder = target.ancestors().nth(2).unwrap().join(name);
    // Tests are processes of their own: one fetches, the others wait.
    let lock = std::fs::File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let text = std::fs::read_to_string(wanted).unwrap();
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == text) {
        return folder;
    }
    std::fs::create_dir_all(&folder).unwrap();
    let mut command = install(&folder).await;
    std::fs::copy(wanted, folder.join(wanted.file_name().unwrap())).unwrap();
    let output = command
        .output()
        .await
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    std::fs::write(&stamp, text).unwrap();
    folder
}
