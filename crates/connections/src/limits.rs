//! Numbers of connections that the operating system's limit of open files allows.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Most connections: more than people, programs and devices of one installation need.
const CONNECTIONS_MAX: usize = 50_000;
/// Open files that stay for the database, Graph, calendars, PBXs and files, where the limit is high enough.
const RESERVE: usize = 256;

/// The most connections that may be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open files that the operating system allows.
    pub(crate) descriptors: usize,
    /// Connections to the HTTP server.
    pub http: usize,
    /// Of these, connections from one address.
    pub(crate) http_by_address: usize,
    /// Connections to the SIP server.
    pub sip: usize,
}

impl Limits {
    /// Limits for a number of open files: an eighth is a reserve, at least 256, or half where there are few; of the others,
    /// three quarters are for HTTP and one quarter for SIP.
    pub fn new(descriptors: usize) -> Self {
        let reserve = (descriptors / 8).max(RESERVE.min(descriptors / 2));
        let connections = descriptors.saturating_sub(reserve);
        let http = (connections / 4 * 3).clamp(1, CONNECTIONS_MAX);
        Self {
            descriptors,
            http,
            http_by_address: (http / 2).max(1),
            sip: (connections / 4).max(1),
        }
    }
}

/// Raises the soft limit of open files to the hard one. Returns the limit in force.
pub fn raise_descriptor_limit() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    let limit = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum,
        Err(error) => {
            // The present limit holds: `Limits` allows fewer connections.
            tracing::warn!(%error, "the limit of open files cannot be raised");
            current
        }
    };
    limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_keeps_a_reserve() {
        let http_and_sip = |descriptors| {
            let limits = Limits::new(descriptors);
            (limits.http, limits.sip)
        };
        assert_eq!(http_and_sip(64), (24, 8));
        assert_eq!(http_and_sip(1_024), (576, 192));
        assert_eq!(http_and_sip(20_000), (13_125, 4_375));
        assert_eq!(http_and_sip(524_288).0, CONNECTIONS_MAX);
        assert_eq!(http_and_sip(usize::MAX).0, CONNECTIONS_MAX);
        assert_eq!(http_and_sip(3), (1, 1));
    }
}
