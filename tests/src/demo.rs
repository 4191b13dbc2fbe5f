//! A running demo: a server, its teamsbox and its presence server for phones.

use serde_json::Value;

use crate::{Program, Server, Teamsbox};

/// A running demo.
pub struct Demo {
    /// Server of the demo; ending it ends the demo.
    pub server: Server,
    /// Teamsbox of the demo.
    pub teamsbox: Teamsbox,
    /// Port of its presence server for phones.
    pub sip_port: u16,
}

impl Demo {
    /// Starts a demo on free ports.
    ///
    /// # Panics
    /// The demo does not print its addresses.
    pub async fn start(arguments: &[&str]) -> Self {
        let mut all = vec!["demo", "--json", "--port", "0"];
        all.extend(arguments);
        let mut program = Program::start("offhook", &all, &[]);
        let line: Value = serde_json::from_str(&program.line().await).unwrap();
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let server = Server::running(program, text("api"), text("board"), text("api_key"));
        Self {
            server,
            teamsbox: Teamsbox::at(&text("teamsbox")),
            sip_port: text("sip").rsplit(':').next().unwrap().parse().unwrap(),
        }
    }
}
