//! Listener on Windows: a named pipe. By default other users can at most read from it, so that only this user and
//! administrators can send requests, and none come from other computers.

use std::{io, path::Path};

use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};

use super::already_running;

/// Listener of a running agent.
#[derive(Debug)]
pub struct Listener {
    name: String,
    /// Next instance of the pipe, open before a client connects.
    waiting: NamedPipeServer,
}

impl Listener {
    /// Creates the pipe.
    ///
    /// # Errors
    /// Another agent of this user is running, or the pipe cannot be created.
    pub async fn open(path: &Path) -> io::Result<Self> {
        let name = name(path);
        // Wine lets several servers share a name, so the pipe is also tried as a client.
        if connect(path).await.is_ok() {
            return Err(already_running());
        }
        let waiting = ServerOptions::new()
            .first_pipe_instance(true)
            .create(&name)
            .map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => already_running(),
                _ => error,
            })?;
        Ok(Self { name, waiting })
    }

    pub(super) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
        self.waiting.connect().await?;
        let next = ServerOptions::new().create(&self.name)?;
        Ok(std::mem::replace(&mut self.waiting, next))
    }
}

pub(super) async fn connect(path: &Path) -> io::Result<NamedPipeClient> {
    ClientOptions::new().open(name(path))
}

/// A pipe's name must not contain backslashes.
fn name(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    format!(r"\\.\pipe\offhook-agent/{path}")
}
