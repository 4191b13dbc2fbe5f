//! A web server with TLS, OpenSSL's own, for tests that need a real certificate.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::certificate::certify;

/// A web server with a certificate of its own; its files hold whole responses, with headers.
pub struct TlsServer {
    _child: Child,
    /// The listening port.
    pub port: u16,
}

impl TlsServer {
    /// Serves a folder, and writes `certificate.pem` into it.
    ///
    /// # Panics
    /// openssl is not installed.
    pub async fn start(folder: &Path) -> Self {
        let at = |name| folder.join(name);
        certify("DNS:localhost", &at("certificate.pem"), &at("key.pem"));
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-HTTP"])
            .args(["-key", "key.pem", "-cert", "certificate.pem"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().expect("it ended");
            if let Some(address) = line.strip_prefix("ACCEPT ") {
                break address.rsplit(':').next().unwrap().parse().unwrap();
            }
        };
        // The pipe must be read, or the server blocks on its output.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            _child: child,
            port,
        }
    }

    /// URL of a file, by the name in the certificate.
    pub fn url(&self, file: &str) -> String {
        format!("https://localhost:{}/{file}", self.port)
    }
}
