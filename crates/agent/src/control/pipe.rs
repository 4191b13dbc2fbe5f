//! The door on Windows: a named pipe. Windows lets others read from it at most, so that only this user and administrators can
//! ask anything; none comes from another machine.

use std::{io, path::Path};

use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};

use super::taken;

/// Where a running agent hears.
#[derive(Debug)]
pub struct Door {
    name: String,
    /// Open already: whoever comes finds one at any time.
    waiting: NamedPipeServer,
}

impl Door {
    /// Opens it.
    ///
    /// # Errors
    /// Another agent of this user is running; the pipe cannot be made.
    pub async fn open(path: &Path) -> io::Result<Self> {
        let name = name(path);
        // Wine lets several servers have one name, so whether one answers is asked too.
        if connect(path).await.is_ok() {
            return Err(taken());
        }
        let waiting = ServerOptions::new()
            .first_pipe_instance(true)
            .create(&name)
            .map_err(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => taken(),
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

/// A pipe's name has no backslashes of its own.
fn name(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    format!(r"\\.\pipe\offhook-agent/{path}")
}
