//! Further ways to start the server of an installation.

use std::{fs, path::Path};

use crate::{Installation, KEY, Program, Server};

impl Installation {
    /// Replaces the configuration by one with further keys of `[http]`.
    ///
    /// # Panics
    /// The folder cannot be written.
    pub fn configure_http(&self, keys: &str) {
        let port = self.port;
        let text = format!(
            "data = \"data\"\n[http]\nlisten = \"127.0.0.1:{port}\"\n{keys}[access]\napi_key = \"{KEY}\"\n"
        );
        fs::write(self.config(), text).unwrap();
    }

    /// Starts the server with a limit of open descriptors.
    pub async fn serve_with_descriptors(&self, descriptors: usize) -> Server {
        let config = self.config();
        let arguments = ["serve", "--config", config.to_str().unwrap()];
        self.served(Program::start_with_descriptors(
            "offhook",
            &arguments,
            descriptors,
        ))
        .await
    }

    /// Starts the server with its log in a file.
    pub async fn serve_logging_to(&self, log: &Path) -> Server {
        self.serve_logging_with(&[], log).await
    }

    /// Starts the server with these environment variables and its log in a file.
    pub async fn serve_logging_with(&self, environment: &[(&str, &str)], log: &Path) -> Server {
        let config = self.config();
        let arguments = ["serve", "--config", config.to_str().unwrap()];
        let program = Program::start_logging_to("offhook", &arguments, environment, log);
        self.served(program).await
    }
}
