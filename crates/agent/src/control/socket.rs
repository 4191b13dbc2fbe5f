//! The door on Unix: a socket in a folder that is this user's alone.

use std::{
    io,
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

use super::taken;

/// Where a running agent hears. The socket goes when it is dropped: whoever asks then is told that no agent is running.
#[derive(Debug)]
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
}

impl Door {
    /// Opens it. A socket that nobody listens to any more is replaced.
    ///
    /// # Errors
    /// Another agent of this user is running; the socket cannot be made.
    pub async fn open(path: &Path) -> io::Result<Self> {
        if connect(path).await.is_ok() {
            return Err(taken());
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

impl Drop for Door {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

pub(super) async fn connect(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}
