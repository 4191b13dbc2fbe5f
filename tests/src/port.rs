//! Ports for programs that are told where to listen.

use std::{
    net::{TcpListener, UdpSocket},
    process,
    sync::atomic::{AtomicU16, Ordering},
};

/// Where the ports begin. Below those that Linux gives outgoing connections (from 32768): a free one of those may be
/// somebody's connection by the time the program listens. Clear of the labs' ports and of those that browsers refuse.
const FIRST: u16 = 10_100;
/// How many ports each test begins with.
const PER_PROCESS: u16 = 16;
/// How many tests begin at ports of their own.
const PROCESSES: u32 = 300;

static TAKEN: AtomicU16 = AtomicU16::new(0);

/// A port that nobody has, by UDP or TCP, and that no outgoing connection will take.
///
/// # Panics
/// All are taken.
pub fn free_port() -> u16 {
    // Tests run as processes side by side: each looks first where the others do not.
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
