//! Sends SUBSCRIBE: the first one, renewals, and the one that ends the subscription (RFC 6665 §4.1.2).

use std::time::Duration;

use super::{
    Action, Deferred, EXPIRES_REQUESTED, Pending, Phase, RETRY_INTERVAL_MAX, Subscriber, Trouble,
};
use crate::{
    message::{Address, Message, NameAddr, Writer, split_list, uri_has_parameter},
    transaction::{ClientTransaction, TIMEOUT},
    uri::without_headers,
};

impl Subscriber {
    /// Begins a new subscription: new Call-ID, new tag, no dialog.
    pub(super) fn begin(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.forget(out);
        self.call_id = self.ids.call_id();
        self.from_tag = self.ids.tag();
        self.cseq = 0;
        self.redirect = None;
        self.redirects = 0;
        self.begun_at = now;
        self.phase = Phase::Subscribing;
        self.subscribe(now, out);
    }

    /// Continues the attempt under a new Call-ID, so that a NOTIFY that ends the refused request (FreeSWITCH sends one) does not
    /// end the new one.
    pub(super) fn retry_with_new_call_id(
        &mut self,
        now: Duration,
        expires: u32,
        out: &mut Vec<Action>,
    ) {
        self.forget(out);
        self.call_id = self.ids.call_id();
        self.from_tag = self.ids.tag();
        self.cseq = 0;
        self.send_subscribe(now, expires, out);
    }

    /// Subscribes or renews with the usual duration.
    pub(super) fn subscribe(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.refresh_at = None;
        self.authentication.begin();
        let expires = EXPIRES_REQUESTED.max(self.min_expires.unwrap_or_default());
        self.send_subscribe(now, expires, out);
    }

    /// Sends one SUBSCRIBE, within the dialog if there is one, now or when the floor allows it.
    pub(super) fn send_subscribe(&mut self, now: Duration, expires: u32, out: &mut Vec<Action>) {
        let Some(account) = self.account.clone() else {
            return;
        };
        if self.floor.free_at() > now {
            let at = self.floor.defer(now, &mut self.ids);
            self.deferred = Some(Deferred { at, expires });
            return;
        }
        self.cseq += 1;
        let branch = self.ids.branch();
        let (uri, routes) = self.destination();
        let mut request = Writer::request("SUBSCRIBE", &uri)
            .header(
                "Via",
                format_args!(
                    "SIP/2.0/{} {};rport;branch={branch}",
                    account.transport.via_name(),
                    account.sent_by
                ),
            )
            .header("Max-Forwards", 70);
        for route in &routes {
            request = request.header("Route", route);
        }
        request = request.header(
            "From",
            format_args!("<{}>;tag={}", account.from, self.from_tag),
        );
        request = match &self.dialog {
            Some(dialog) if !dialog.remote_tag.is_empty() => request.header(
                "To",
                format_args!("<{}>;tag={}", self.target, dialog.remote_tag),
            ),
            _ => request.header("To", format_args!("<{}>", self.target)),
        };
        request = request
            .header("Call-ID", &self.call_id)
            .header("CSeq", format_args!("{} SUBSCRIBE", self.cseq))
            .header("Contact", format_args!("<{}>", account.contact))
            .header("Event", &account.event)
            .header("Accept", &account.accept)
            .header("Expires", expires)
            .header("User-Agent", &account.user_agent);
        if let Some(supported) = &account.supported {
            request = request.header("Supported", supported);
        }
        if let Some(credentials) = &account.credentials {
            let authentication = &mut self.authentication;
            let answers = authentication.authorize(credentials, "SUBSCRIBE", &uri, &mut self.ids);
            for (name, value) in answers {
                request = request.header(name, value);
            }
        }
        match request.finish() {
            Ok(bytes) => {
                let transaction =
                    ClientTransaction::new(now, account.transport, branch, bytes.clone(), TIMEOUT);
                self.pending = Some(Pending {
                    transaction,
                    expires,
                    confirmed: false,
                });
                self.floor.count(now);
                out.push(Action::Send(bytes));
            }
            // A retry is useless: a name in the configuration has a control character.
            Err(error) if self.phase != Phase::Stopping => {
                self.lose(
                    now,
                    Trouble::Unwritable(error.to_string()),
                    RETRY_INTERVAL_MAX,
                    out,
                );
            }
            Err(_) => self.end(out),
        }
    }

    /// Request-URI and Route headers (RFC 3261 §12.2.1.1), also for a strict router at the front.
    pub(super) fn destination(&self) -> (String, Vec<String>) {
        let Some(dialog) = &self.dialog else {
            let target = self.redirect.as_ref().unwrap_or(&self.target);
            return (target.clone(), Vec::new());
        };
        let first = dialog.routes.first().and_then(|r| NameAddr::parse(r));
        match first.filter(|first| !uri_has_parameter(first.uri, "lr")) {
            Some(strict) => {
                let uri = without_headers(strict.uri).to_owned();
                let last = format!("<{}>", dialog.target);
                let routes = dialog.routes.iter().skip(1).cloned().chain([last]);
                (uri, routes.collect())
            }
            None => (dialog.target.clone(), dialog.routes.clone()),
        }
    }
}

/// The Contact of a message as a target for requests: a writable SIP address without the headers that a Request-URI cannot
/// have (RFC 3261 §19.1.1). `None` otherwise, also for `*`.
pub(super) fn remote_target(message: &Message<'_>) -> Option<String> {
    let contact = message.contact()?;
    is_sip(&contact).then(|| without_headers(&contact).to_owned())
}

/// The route set: the Record-Route entries, reversed for the side that sent the request (RFC 3261 §12.1).
pub(super) fn route_set(message: &Message<'_>, reversed: bool) -> Vec<String> {
    let mut routes = Vec::new();
    for value in message.all("Record-Route") {
        let sound = split_list(&value).into_iter().filter_map(route);
        routes.extend(sound);
    }
    if reversed {
        routes.reverse();
    }
    routes
}

/// One entry of a route set. Without angle brackets its parameters belong to the address, since only addresses have `lr`.
fn route(entry: &str) -> Option<String> {
    let address = NameAddr::parse(entry)?;
    let is_bare = !entry.contains('<');
    let route = match is_bare {
        true => format!("<{}>", entry.trim()),
        false => entry.to_owned(),
    };
    is_sip(address.uri).then_some(route)
}

fn is_sip(uri: &str) -> bool {
    let (scheme, rest) = uri.split_once(':').unwrap_or_default();
    let host = rest.rsplit('@').next().unwrap_or_default();
    let names_host = host.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
    let is_scheme = ["sip", "sips"]
        .iter()
        .any(|sip| scheme.eq_ignore_ascii_case(sip));
    is_scheme && names_host && Address::parse(uri).is_some()
}
