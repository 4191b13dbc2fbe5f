//! Free ports for programs that get their port as an argument.

use std::{
    net::{TcpListener, UdpSocket},
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// First port. Below the ports of outgoing connections in Linux (from 32768), one of which may be taken again before
/// the program listens; clear of the labs' ports and of the ports that browsers refuse.
const FIRST: u16 = 10_100;
/// Distance between the first ports of two tests.
const PER_PROCESS: u16 = 16;
/// Number of different first ports.
const PROCESSES: u32 = 300;

static TAKEN: AtomicU16 = AtomicU16::new(0);

/// A free port of UDP and TCP, outside the range of outgoing connections.
///
/// # Panics
/// All ports are taken.
pub fn free_port() -> u16 {
    // Tests run as parallel processes: each begins the search at a port of its own.
    let turn = u16::try_from(process::id() % PROCESSES).unwrap();
    let all = PER_PROCESS * u16::try_from(PROCESSES).unwrap();
    for _ in 0..all {
        let next = TAKEN.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (turn * PER_PROCESS + next) % all;
        let address = ("127.0.0.1", port);
        if UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok() {
            return port;
        }
    }
    panic!("all {all} ports from {FIRST} are taken");
}
