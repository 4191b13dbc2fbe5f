//! Programs of the workspace, started and stopped.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// Longest time until a program prints its first line.
const START_MAX: Duration = Duration::from_secs(30);

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// A running program. Dropping it kills it.
pub struct Program {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Program {
    /// Starts a program of the workspace.
    ///
    /// # Panics
    /// The program was not built.
    pub fn start(name: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = Command::new(binary(name));
        command.args(arguments).envs(environment.iter().copied());
        Self::spawn(command)
    }

    /// Starts a program of the workspace with a limit of open descriptors.
    ///
    /// # Panics
    /// The program was not built.
    pub fn start_with_descriptors(name: &str, arguments: &[&str], descriptors: usize) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -n \"$0\" && exec \"$@\""])
            .arg(descriptors.to_string())
            .arg(binary(name))
            .args(arguments);
        Self::spawn(command)
    }

    /// Starts a program of the workspace with its log in a file.
    ///
    /// # Panics
    /// The program was not built, or the file cannot be written.
    pub fn start_logging_to(
        name: &str,
        arguments: &[&str],
        environment: &[(&str, &str)],
        log: &Path,
    ) -> Self {
        let mut command = Command::new(binary(name));
        command
            .args(arguments)
            .envs(environment.iter().copied())
            .stderr(std::fs::File::create(log).unwrap());
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Runs a program of this machine to its end: exit code, output, errors.
    ///
    /// # Panics
    /// The program is not installed.
    pub async fn run_installed(name: &str, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(name).args(arguments).output().await.unwrap();
        (
            output.status.code().unwrap_or(-1),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    /// Process id.
    ///
    /// # Panics
    /// The program has ended.
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it ended by itself")
    }

    /// The next line of output.
    ///
    /// # Panics
    /// No line comes in time.
    pub async fn line(&mut self) -> String {
        let line = tokio::time::timeout(START_MAX, self.lines.next_line()).await;
        line.expect("the program says nothing")
            .unwrap()
            .expect("the program ended")
    }

    /// Sends SIGTERM and returns the exit code.
    ///
    /// # Panics
    /// The program does not end.
    pub async fn terminate(mut self) -> i32 {
        let pid = self.pid().to_string();
        let asked = Command::new("kill").arg(&pid).status().await.unwrap();
        assert!(asked.success());
        let status = tokio::time::timeout(START_MAX, self.child.wait()).await;
        status
            .expect("the program does not end")
            .unwrap()
            .code()
            .unwrap_or(-1)
    }

    /// Sends SIGKILL, like a power failure.
    ///
    /// # Panics
    /// The program cannot be killed.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }
}

/// A program without output, with a home folder of its own instead of the user's, killed when dropped.
pub(crate) fn apart(program: impl AsRef<OsStr>, home: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Path of a program of the workspace, beside the test's own folder.
///
/// # Panics
/// The program was not built.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let binary = folder.join(name);
    assert!(
        binary.exists(),
        "{} is missing: run `cargo build --workspace` first",
        binary.display()
    );
    binary
}

/// Runs a program of the workspace to its end: exit code, output, errors.
pub(crate) async fn run(
    name: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (i32, String, String) {
    let output = Command::new(binary(name))
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap();
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}
