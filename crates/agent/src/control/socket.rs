//! Listener on Unix: a socket in a private folder of this user.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use super::already_running;

/// Listener of a running agent. The socket is removed with it, so that later commands report that no agent is running.
#[derive(Debug)]
pub struct Listener {
    listener: UnixListener,
    path: PathBuf,
}

impl Listener {
    /// Creates the socket, and replaces one without a listener.
    ///
    /// # Errors
    /// Another agent of this user is running, or the socket cannot be created.
    pub async fn open(path: &Path) -> io::Result<Self> {
        if connect(path).await.is_ok() {
            return Err(already_running());
        }
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        Ok(Self {
            listener: UnixListener::bind(path)?,
            path: path.to_owned(),
        })
    }

    pub(super) async fn accept(&mut self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept().await?;
        Ok(stream)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

pub(super) async fn connect(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}
