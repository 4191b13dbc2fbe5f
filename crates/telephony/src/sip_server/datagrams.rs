//! Datagrams in batches.

use std::net::SocketAddr;

use tokio::net::UdpSocket;

/// Datagrams handled before other work gets its turn.
const BATCH_MAX: usize = 256;
/// Longest datagram.
const DATAGRAM_MAX: usize = 64 * 1024;

/// A UDP socket with its buffers.
#[derive(Debug)]
pub(super) struct Datagrams {
    socket: UdpSocket,
    buffer: Vec<u8>,
}

impl Datagrams {
    pub(super) fn new(socket: UdpSocket) -> Self {
        Self {
            socket,
            buffer: vec![0; DATAGRAM_MAX],
        }
    }

    pub(super) async fn readable(&self) -> std::io::Result<()> {
        self.socket.readable().await
    }

    /// Reads the datagrams that have arrived.
    pub(super) fn receive(&mut self, mut take: impl FnMut(SocketAddr, &[u8])) {
        for _ in 0..BATCH_MAX {
            let Ok((length, from)) = self.socket.try_recv_from(&mut self.buffer) else {
                return;
            };
            take(from, self.buffer.get(..length).unwrap_or_default());
        }
    }

    /// Sends one datagram, now or with the others at the next flush. A full buffer drops it; SIP repeats it after half a
    /// second.
    pub(super) fn queue(&mut self, to: SocketAddr, bytes: &[u8]) {
        let _ = self.socket.try_send_to(bytes, to);
    }

    pub(super) fn flush(&mut self) {}
}
