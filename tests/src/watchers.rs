//! Independent programs that watch Offhook as phones and browsers do: PJSIP and SIP.js, in the versions of
//! `tests/lab/watchers`, fetched once from the package registries, and linphone, SIPp and sipsak of the system.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::{free_port, repository};

/// Longest time until a change is shown.
const SHOWN_MAX: Duration = Duration::from_secs(20);

/// A program that prints a line for each notification. Dropping it ends the program.
pub struct Watching {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Folder of its settings.
    _folder: Option<tempfile::TempDir>,
}

impl Watching {
    /// SIP.js watches the dialogs of `target` at `server`, such as `wss://127.0.0.1:5066`, without checking the
    /// certificate.
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

    /// PJSIP watches the presence of `target` over TLS at `port`, and trusts this certificate authority only.
    pub async fn pjsip(
        port: u16,
        authority: &Path,
        (user, password): (&str, &str),
        target: &str,
    ) -> Self {
        let folder = python_packages("watchers-python", &lab("requirements.txt")).await;
        let mut command = Command::new(folder.join("bin/python"));
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
            _folder: None,
        }
    }

    /// Linphone registers at `port`, then watches the presence of `target`.
    ///
    /// # Panics
    /// Linphone does not start.
    pub fn linphone(port: u16, (user, password): (&str, &str), target: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = free_port();
        let settings = format!(
            "[sip]\nsip_port={own}\nsip_tcp_port=0\nsip_tls_port=0\ndefault_proxy=0\nipv6=0\n\
             [auth_info_0]\nusername={user}\nuserid={user}\npasswd={password}\nrealm=pbx.test\n\
             [proxy_0]\nreg_proxy=<sip:127.0.0.1:{port}>\nreg_route=<sip:127.0.0.1:{port}>\n\
             reg_identity=sip:{user}@pbx.test\nreg_expires=600\nreg_sendregister=1\npublish=0\n\
             [friend_0]\nurl=<sip:{target}@pbx.test>\npol=accept\nsubscribe=1\n"
        );
        // Linphone needs this folder for its database.
        std::fs::create_dir_all(folder.path().join(".local/share/linphone")).unwrap();
        let file = folder.path().join("linphonerc");
        std::fs::write(&file, settings).unwrap();
        // Line-buffered: Linphone's output would otherwise wait for a full buffer.
        let mut command = Command::new("stdbuf");
        command
            .args(["-oL", "linphonec", "-c"])
            .arg(file)
            .env("HOME", folder.path());
        command.stderr(Stdio::null());
        Self {
            _folder: Some(folder),
            ..Self::start(command)
        }
    }

    /// Waits for a line of output with this text.
    ///
    /// # Panics
    /// No such line comes in time.
    pub async fn shows_in_a_line(&mut self, wanted: &str) {
        self.shows_line(wanted, |line| line.contains(wanted)).await;
    }

    /// Waits for this text in the output.
    ///
    /// # Panics
    /// It does not come in time.
    pub async fn shows(&mut self, wanted: &str) {
        self.shows_line(wanted, |line| line == wanted).await;
    }

    async fn shows_line(&mut self, wanted: &str, is_wanted: impl Fn(&str) -> bool) {
        let mut shown: Vec<String> = Vec::new();
        let until = tokio::time::Instant::now() + SHOWN_MAX;
        while !shown.last().is_some_and(|line| is_wanted(line)) {
            match tokio::time::timeout_at(until, self.lines.next_line()).await {
                Ok(Ok(Some(line))) => shown.push(line),
                ended => panic!("{wanted:?} was not shown, but {shown:?} ({ended:?})"),
            }
        }
    }
}

/// SIPp watches `target`, who is in a call, at `port`; returns its output if a message that the scenario expects is
/// missing.
///
/// # Panics
/// SIPp is not installed.
pub async fn sipp(
    port: u16,
    (extension, username, password): (&str, &str, &str),
    target: &str,
) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new("sipp");
    command.arg(format!("127.0.0.1:{port}")).arg("-sf");
    command.arg(lab("sipp.xml"));
    command.args(["-s", target, "-key", "user", extension]);
    command.args(["-key", "domain", "pbx.test", "-auth_uri"]);
    command.arg(format!("{target}@pbx.test"));
    command.args(["-au", username, "-ap", password, "-m", "1"]);
    command.args(["-i", "127.0.0.1", "-p", &free_port().to_string()]);
    command.args(["-nostdin", "-timeout", "20s", "-timeout_error"]);
    command.current_dir(folder.path());
    failure(command).await
}

/// sipsak registers at `port`; returns its output if that fails.
///
/// # Panics
/// sipsak is not installed.
pub async fn sipsak(
    port: u16,
    (extension, username, password): (&str, &str, &str),
) -> Option<String> {
    let mut command = Command::new("sipsak");
    let address = format!("sip:{extension}@127.0.0.1:{port}");
    command.args(["-v", "-U", "-s", &address, "-x", "600"]);
    command.args(["-C", &format!("sip:{extension}@127.0.0.1:{}", free_port())]);
    command.args(["--auth-username", username, "--password", password]);
    failure(command).await
}

/// The output of a program if it fails.
async fn failure(mut command: Command) -> Option<String> {
    let run = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let ended = tokio::time::timeout(SHOWN_MAX + SHOWN_MAX, run).await;
    let output = ended.unwrap_or_else(|_| panic!("{command:?} does not end"));
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (!output.status.success()).then_some(text)
}

/// Folder with the Node packages of a `package.json`.
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

/// Folder with Python, as `bin/python`, and the packages of a `requirements.txt`.
///
/// # Panics
/// python3-venv is not installed, or the packages cannot be fetched.
pub async fn python_packages(name: &str, wanted: &Path) -> PathBuf {
    fetched(name, wanted, async |folder| {
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
        command.args(arguments).arg("--requirement").arg(wanted);
        command
    })
    .await
}

/// Folder with the packages of a file; created again by `install` when the file changes.
async fn fetched(name: &str, wanted: &Path, install: impl AsyncFn(&Path) -> Command) -> PathBuf {
    let target = std::env::current_exe().unwrap();
    let folder = target.ancestors().nth(2).unwrap().join(name);
    // Tests run as parallel processes: one fetches, the others wait.
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
