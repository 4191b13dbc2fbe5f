//! Stream of a connection: records what the peer sends and reads, and fails when the connection is to be closed.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::Instant,
};

use super::Link;

/// Stream of a connection. Dropping it removes the connection from the table.
#[derive(Debug)]
pub(super) struct Stream {
    stream: TcpStream,
    link: Arc<Link>,
}

impl Stream {
    pub(super) fn new(stream: TcpStream, link: Arc<Link>) -> Self {
        Self { stream, link }
    }

    fn ended() -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, "the server closes the connection")
    }

    /// Records the result of a write.
    fn record_write(
        &self,
        context: &Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Pending => {
                self.link.state().stalled(Instant::now());
                if self.link.poll_ended(context).is_ready() {
                    return Poll::Ready(Err(Self::ended()));
                }
            }
            Poll::Ready(Ok(bytes)) => self.link.state().peer_read(*bytes),
            Poll::Ready(Err(_)) => {}
        }
        result
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.link.is_ended() {
            return Poll::Ready(Err(Self::ended()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        match &read {
            Poll::Pending if self.link.poll_ended(context).is_ready() => {
                return Poll::Ready(Err(Self::ended()));
            }
            Poll::Ready(Ok(())) => {
                let bytes = buffer.filled().len() - before;
                if bytes > 0 {
                    let now = Instant::now();
                    let mut state = self.link.state();
                    // While the state is locked: bytes are never subtracted before they are added.
                    let unfinished = state.read(bytes, now);
                    let are_too_many = self.link.connections.add_unfinished(unfinished);
                    drop(state);
                    if are_too_many {
                        self.link.connections.close_unfinished(now);
                    }
                }
            }
            Poll::Pending | Poll::Ready(Err(_)) => {}
        }
        read
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.record_write(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.record_write(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.link.state().caught_up();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.link.connections.remove(&self.link);
    }
}
