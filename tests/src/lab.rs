//! The SIP lab: a real Kamailio and real baresip phones on loopback.

use std::{path::PathBuf, process::Command};

use crate::repository;

/// A running lab. Dropping it stops it.
pub struct Lab {
    number: u16,
    folder: tempfile::TempDir,
}

impl Lab {
    /// Starts PBX and phones 1001 to 1003. Labs with different numbers run side by side.
    ///
    /// # Panics
    /// Something is missing or does not start.
    pub fn up(number: u16) -> Self {
        let lab = Self {
            number,
            folder: tempfile::tempdir().unwrap(),
        };
        lab.script("up", &[]);
        lab
    }

    /// Port of the PBX, UDP and TCP.
    pub fn port(&self) -> u16 {
        5060 + self.number * 2
    }

    /// Stops the PBX; the phones stay.
    pub fn stop_pbx(&self) {
        self.script("down", &["pbx"]);
    }

    /// Starts the PBX again. It has forgotten everything.
    pub fn start_pbx(&self) {
        self.script("pbx-up", &["WITH_AUTH"]);
    }

    /// One phone calls another and the other answers.
    pub fn call(&self, from: &str, to: &str) {
        self.ring(from, to);
        self.answer(to);
    }

    /// Answers, as soon as the phone rings.
    ///
    /// # Panics
    /// It does not ring.
    pub fn answer(&self, phone: &str) {
        self.phone(phone, "accept-when-ringing", &["10"]);
    }

    /// One phone calls another.
    pub fn ring(&self, from: &str, to: &str) {
        self.phone(from, "dial", &[&format!("sip:{to}@pbx.test")]);
    }

    /// Ends the phone's call.
    pub fn hang_up(&self, phone: &str) {
        self.phone(phone, "hangup", &[]);
    }

    fn phone(&self, phone: &str, command: &str, parameters: &[&str]) {
        let control = 4000 + self.number * 100 + phone.parse::<u16>().unwrap() - 1000;
        let control = control.to_string();
        let mut arguments = vec![control.as_str(), command];
        arguments.extend(parameters);
        self.script("bin/phone.py", &arguments);
    }

    fn script(&self, name: &str, arguments: &[&str]) {
        let script: PathBuf = repository().join("tests/lab/sip").join(name);
        let output = Command::new(&script)
            .args(arguments)
            .env("LAB_NUMBER", self.number.to_string())
            .env("LAB_RUN", self.folder.path().join("run"))
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
