//! The connector against the simulated telephone system, over real sockets on loopback.

mod bench;
mod calls;
mod faults;
