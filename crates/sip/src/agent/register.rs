//! Answers REGISTER (RFC 3261 §10.3): many phones subscribe only after registration. No binding is kept, because the agent
//! sends no calls to phones: the answer repeats the bindings of the request, and a query gets none.

use std::time::Duration;

use super::{AdmissionError, Agent, Host, Peer};
use crate::{
    message::{Message, NameAddr, Writer, split_list},
    uri::is_well_formed,
};

/// Most contacts of a request: phones have one, or one for each transport.
const CONTACTS_MAX: usize = 8;

/// A contact with its duration in seconds.
struct Binding {
    uri: String,
    expires: u32,
}

impl<F: Copy + Eq + std::hash::Hash> Agent<F> {
    pub(super) fn on_register(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        request: &Message<'_>,
        host: &mut impl Host<F>,
    ) -> Writer {
        match host.admit_registration(now, peer, request) {
            Ok(()) => {}
            Err(AdmissionError::Challenge(challenges)) => {
                return self.challenge(peer, request, challenges);
            }
            Err(AdmissionError::Refuse(code)) => return self.reply(peer, request, code),
        }
        let Some(bindings) = bindings(request, self.settings.max_expires) else {
            return self.reply(peer, request, 400);
        };
        let accepted = self.reply(peer, request, 200);
        let lasting = bindings.into_iter().filter(|binding| binding.expires > 0);
        lasting.fold(accepted, |accepted, Binding { uri, expires }| {
            accepted.header("Contact", format_args!("<{uri}>;expires={expires}"))
        })
    }
}

/// The bindings of a request, none longer than `longest` seconds; `None`: the request is malformed (RFC 3261 §10.3, steps 6 and
/// 7).
fn bindings(request: &Message<'_>, longest: u32) -> Option<Vec<Binding>> {
    let lasts = request.seconds("Expires").unwrap_or(longest);
    let mut bindings = Vec::new();
    let mut all = 0;
    for value in request.all("Contact") {
        for contact in split_list(&value) {
            if bindings.len() >= CONTACTS_MAX {
                return None;
            }
            if contact == "*" {
                all += 1;
                continue;
            }
            let address = NameAddr::parse(contact)?;
            if !is_well_formed(address.uri) {
                return None;
            }
            let own = address.parameter("expires");
            // A malformed duration means the default (RFC 3261 §10.2.1.1).
            let own = own.map(|seconds| seconds.trim().parse().unwrap_or(longest));
            bindings.push(Binding {
                uri: address.uri.to_owned(),
                expires: own.unwrap_or(lasts).min(longest),
            });
        }
    }
    // The contact `*` can only remove all bindings, and must be the only one.
    let removes_all = all == 1 && bindings.is_empty() && request.seconds("Expires") == Some(0);
    (all == 0 || removes_all).then_some(bindings)
}
