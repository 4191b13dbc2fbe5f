//! The SIP lab: a real Kamailio and real baresip phones on loopback.

use std::{
    io::{BufRead as _, BufReader, Lines},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::repository;

/// An independent program that watches the dialogs of one extension for a limited time.
pub struct DialogWatcher {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl DialogWatcher {
    /// Id and state of each dialog in the next NOTIFY; `None` when the watcher has ended.
    pub fn next(&mut self) -> Option<Vec<(String, String)>> {
        let lines = self.lines.by_ref().map_while(Result::ok);
        lines.filter_map(|line| dialogs_in(&line)).next()
    }
}

impl Drop for DialogWatcher {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The dialogs in the watcher's output for one NOTIFY.
fn dialogs_in(line: &str) -> Option<Vec<(String, String)>> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    let dialogs = line.pointer("/body/dialogs")?.as_array()?;
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let all = dialogs.iter();
    Some(
        all.map(|dialog| (text(&dialog["id"]), text(&dialog["state"])))
            .collect(),
    )
}

/// A running lab. Dropping it stops its programs.
pub struct Lab {
    number: u16,
    /// Offhook's port for phones, if the PBX asks Offhook where calls go.
    offhook: Option<u16>,
    /// True if the PBX listens for TLS too.
    tls: bool,
    /// Username and password of the watching phone at Offhook.
    account: Option<(String, String)>,
    folder: tempfile::TempDir,
}

impl Lab {
    /// Starts PBX and phones 1001 to 1003. Labs with different numbers can run at the same time.
    ///
    /// # Panics
    /// A program is not installed or does not start.
    pub fn up(number: u16) -> Self {
        let lab = Self::of(number, None);
        lab.script("up", &[]);
        lab
    }

    /// Like [`Self::up`], with a PBX that asks Offhook at this port where calls go.
    ///
    /// # Panics
    /// A program is not installed or does not start.
    pub fn up_with_offhook(number: u16, port: u16) -> Self {
        let lab = Self::of(number, Some(port));
        lab.script("up", &[]);
        lab
    }

    /// Like [`Self::up`], with a PBX that listens for TLS too, see [`Self::tls_port`].
    ///
    /// # Panics
    /// A program is not installed or does not start.
    pub fn up_with_tls(number: u16) -> Self {
        let mut lab = Self::of(number, None);
        lab.tls = true;
        lab.script("up", &[]);
        lab
    }

    /// A lab without a PBX: one phone that watches `targets` at Offhook's port `port` as `extension`.
    ///
    /// # Panics
    /// A program is not installed or does not start.
    pub fn watcher(number: u16, extension: &str, port: u16, targets: &[&str]) -> Self {
        let lab = Self::of(number, None);
        let port = port.to_string();
        let mut arguments = vec![extension, port.as_str()];
        arguments.extend(targets);
        lab.script("watcher-up", &arguments);
        lab
    }

    /// Like [`Self::watcher`], with a phone that registers and authenticates at Offhook.
    ///
    /// # Panics
    /// A program is not installed or does not start.
    pub fn watcher_with_password(
        number: u16,
        (extension, username, password): (&str, &str, &str),
        port: u16,
        targets: &[&str],
    ) -> Self {
        let mut lab = Self::of(number, None);
        lab.account = Some((username.to_owned(), password.to_owned()));
        let port = port.to_string();
        let mut arguments = vec![extension, port.as_str()];
        arguments.extend(targets);
        lab.script("watcher-up", &arguments);
        lab
    }

    /// True if the watching phone is registered.
    pub fn is_registered(&self) -> bool {
        let control = (4000 + self.number * 100 + 90).to_string();
        let shown = self.script("bin/phone.py", &[&control, "reginfo"]);
        shown.contains("OK") && shown.contains("Expires")
    }

    /// Starts one more phone, which watches `targets` at the PBX as `extension`; see [`Self::lamp`].
    ///
    /// # Panics
    /// A program is not installed or does not start.
    pub fn watch(&self, extension: &str, targets: &[&str]) {
        self.add_watcher(extension, "pbx", targets);
    }

    /// Starts one more phone, which watches `targets` at Offhook through the PBX as `extension`.
    ///
    /// # Panics
    /// A program is not installed or does not start.
    pub fn watch_through(&self, extension: &str, targets: &[&str]) {
        self.add_watcher(extension, "through-pbx", targets);
    }

    fn add_watcher(&self, extension: &str, place: &str, targets: &[&str]) {
        let mut arguments = vec![extension, place];
        arguments.extend(targets);
        self.script("watcher-up", &arguments);
    }

    /// Id and state of each dialog of an extension, as the PBX reports them to a watcher.
    ///
    /// # Panics
    /// No NOTIFY arrives.
    pub fn dialogs(&self, extension: &str) -> Vec<(String, String)> {
        Self::dialogs_at(self.port(), extension)
    }

    /// Id and state of each dialog of an extension, as the server at this port reports them to a watcher.
    ///
    /// # Panics
    /// No NOTIFY arrives.
    pub fn dialogs_at(port: u16, extension: &str) -> Vec<(String, String)> {
        let target = format!("sip:{extension}@pbx.test");
        let server = format!("127.0.0.1:{port}");
        let arguments = ["--server", &server, "--seconds", "1", &target];
        let output = Self::of(0, None).script("bin/watch.py", &arguments);
        let mut documents = output.lines().filter_map(dialogs_in);
        documents.next_back().unwrap_or_else(|| panic!("{output}"))
    }

    /// Watches an extension at the PBX for this many seconds; `next` returns each NOTIFY.
    ///
    /// # Panics
    /// The program does not start.
    pub fn watch_dialogs(&self, extension: &str, seconds: u32) -> DialogWatcher {
        let mut process = Command::new(repository().join("tests/lab/sip/bin/watch.py"))
            .args(["--server", &format!("127.0.0.1:{}", self.port())])
            .args(["--seconds", &seconds.to_string()])
            .arg(format!("sip:{extension}@pbx.test"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        DialogWatcher { process, lines }
    }

    /// Subscribes to a resource list (RFC 4662) at this port as `user` with an independent program: the name of each
    /// member and the states of its dialogs, from the first documents.
    ///
    /// # Panics
    /// No NOTIFY with a list arrives.
    pub fn listed(user: &str, port: u16, list: &str) -> Vec<(String, String)> {
        let server = format!("127.0.0.1:{port}");
        let target = format!("sip:{list}@pbx.test");
        let arguments = ["--user", user, "--server", &server, "--seconds", "1"];
        let lab = Self::of(0, None);
        let arguments = [&arguments[..], &["--supported", "eventlist", &target]].concat();
        let output = lab.script("bin/watch.py", &arguments);
        let parts = output.lines().find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).ok()?;
            line.pointer("/body/parts").cloned()
        });
        let parts = parts.unwrap_or_else(|| panic!("{output}"));
        let parts = parts.as_array().unwrap();
        let resources = parts[0]["resources"].as_array().unwrap();
        let member = |resource: &serde_json::Value| {
            let part = parts.iter().find(|part| part["id"] == resource["cid"][0]);
            let dialogs = part.unwrap()["dialogs"].as_array().unwrap().iter();
            let states: Vec<&str> = dialogs.filter_map(|d| d["state"].as_str()).collect();
            let name = resource["name"].as_str().unwrap().to_owned();
            (name, states.join(" "))
        };
        resources.iter().map(member).collect()
    }

    fn of(number: u16, offhook: Option<u16>) -> Self {
        Self {
            number,
            offhook,
            tls: false,
            account: None,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// State of the BLF key for a name on the watching phone: `Busy`, `Online`, `Away`, `Offline`, `Unknown`.
    pub fn lamp(&self, name: &str) -> String {
        let control = (4000 + self.number * 100 + 90).to_string();
        let shown = self.script("bin/phone.py", &[&control, "contacts"]);
        // baresip colours the states.
        let plain: String = shown.replace("\\u001b[", "\n");
        let line = shown
            .split("\\n")
            .find(|line| line.contains(&format!("\"{name}\"")) || line.contains(name));
        let line = line.unwrap_or(&plain).to_owned();
        ["Busy", "Online", "Away", "Offline", "Unknown"]
            .into_iter()
            .find(|word| line.contains(word))
            .unwrap_or(&line)
            .to_owned()
    }

    /// True if a phone rings.
    pub fn rings(&self, phone: &str) -> bool {
        let calls = self.phone(phone, "listcalls", &[]);
        calls.to_uppercase().contains("INCOMING")
    }

    /// True if a phone has a call in any state.
    pub fn is_calling(&self, phone: &str) -> bool {
        let calls = self.phone(phone, "listcalls", &[]).to_uppercase();
        ["OUTGOING", "RINGING", "ESTABLISHED", "INCOMING", "EARLY"]
            .iter()
            .any(|word| calls.contains(word))
    }

    /// Port of the PBX over UDP and TCP.
    pub fn port(&self) -> u16 {
        5060 + self.number * 2
    }

    /// Port of the PBX over TLS; its certificate is for `localhost`.
    pub fn tls_port(&self) -> u16 {
        self.port() + 1
    }

    /// File with the certificate authority of the PBX.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("run/cert.pem")
    }

    /// Stops the PBX; the phones stay.
    pub fn stop_pbx(&self) {
        self.script("down", &["pbx"]);
    }

    /// Starts the PBX again, without any of its former state.
    pub fn start_pbx(&self) {
        self.script("pbx-up", &["WITH_AUTH"]);
    }

    /// Calls another phone, which answers.
    pub fn call(&self, from: &str, to: &str) {
        self.ring(from, to);
        self.answer(to);
    }

    /// Waits until the phone rings, and answers.
    ///
    /// # Panics
    /// The phone does not ring.
    pub fn answer(&self, phone: &str) {
        self.phone(phone, "accept-when-ringing", &["10"]);
    }

    /// Calls another phone.
    pub fn ring(&self, from: &str, to: &str) {
        self.dial(from, &format!("sip:{to}@pbx.test"));
    }

    /// Calls a SIP address.
    pub fn dial(&self, from: &str, address: &str) {
        self.phone(from, "dial", &[address]);
    }

    /// Ends the phone's call.
    pub fn hang_up(&self, phone: &str) {
        self.phone(phone, "hangup", &[]);
    }

    fn phone(&self, phone: &str, command: &str, parameters: &[&str]) -> String {
        let control = 4000 + self.number * 100 + phone.parse::<u16>().unwrap() - 1000;
        let control = control.to_string();
        let mut arguments = vec![control.as_str(), command];
        arguments.extend(parameters);
        self.script("bin/phone.py", &arguments)
    }

    fn script(&self, name: &str, arguments: &[&str]) -> String {
        let script: PathBuf = repository().join("tests/lab/sip").join(name);
        let output = Command::new(&script)
            .args(arguments)
            .env("LAB_NUMBER", self.number.to_string())
            .env("LAB_RUN", self.folder.path().join("run"))
            .envs(self.offhook.map(|port| ("LAB_OFFHOOK", port.to_string())))
            .envs(self.tls.then_some(("LAB_TLS", "1")))
            .envs(self.account.iter().flat_map(|(username, password)| {
                [("LAB_USERNAME", username), ("LAB_PASSWORD", password)]
            }))
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        let (out, errors) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(
            output.status.success(),
            "{name} {arguments:?}: {out}{errors}"
        );
        out.into_owned()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let script = repository().join("tests/lab/sip/down");
        let _ = Command::new(script)
            .env("LAB_NUMBER", self.number.to_string())
            .env("LAB_RUN", self.folder.path().join("run"))
            .output();
    }
}
