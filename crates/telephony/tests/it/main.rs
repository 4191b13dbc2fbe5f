//! The connector against the simulated PBX over real sockets on loopback.

#[cfg(test)]
mod bench;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod dns;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod list;
#[cfg(test)]
mod places;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod strangers;
#[cfg(test)]
mod websocket;
