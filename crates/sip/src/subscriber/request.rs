//! Sending SUBSCRIBE: the first one, renewals, and the one that ends it (RFC 6665 §4.1.2).

use std::time::Duration;

use super::{Action, EXPIRES_ASKED, PAUSE_MAX, Pending, Phase, Subscriber, Trouble};
use crate::message::{NameAddr, Writer, uri_has_parameter};
use crate::transaction::{ClientTransaction, TIMEOUT};

impl Subscriber {
    /// A new subscription: new Call-ID, new tag, no dialog.
    pub(super) fn begin(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.forget(out);
        self.call_id = self.ids.call_id();
        self.from_tag = self.ids.tag();
        self.cseq = 0;
        self.begun_at = now;
        self.phase = Phase::Subscribing;
        self.subscribe(now, out);
    }

    /// Continues the attempt under a new Call-ID, so that a NOTIFY that ends the refused request (FreeSWITCH sends one) does not
    /// end the new one.
    pub(super) fn ask_again(&mut self, now: Duration, expires: u32, out: &mut Vec<Action>) {
        self.forget(out);
        self.call_id = self.ids.call_id();
        self.from_tag = self.ids.tag();
        self.cseq = 0;
        self.send_subscribe(now, expires, out);
    }

    /// Asks for, or renews, with the usual time.
    pub(super) fn subscribe(&mut self, now: Duration, out: &mut Vec<Action>) {
        self.refresh_at = None;
        self.authentication.begin();
        self.send_subscribe(now, EXPIRES_ASKED.max(self.min_expires), out);
    }

    /// Sends one SUBSCRIBE within the dialog if there is one.
    pub(super) fn send_subscribe(&mut self, now: Duration, expires: u32, out: &mut Vec<Action>) {
        let Some(account) = self.account.clone() else {
            return;
        };
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
                });
                out.push(Action::Send(bytes));
            }
            // Not to be mended by trying: a name from the configuration holds a control character.
            Err(error) if self.phase != Phase::Stopping => {
                self.lose(now, Trouble::Unwritable(error.to_string()), PAUSE_MAX, out);
            }
            Err(_) => self.end(out),
        }
    }

    /// Request-URI and Route headers (RFC 3261 §12.2.1.1), also for a strict router at the front.
    fn destination(&self) -> (String, Vec<String>) {
        let Some(dialog) = &self.dialog else {
            return (self.target.clone(), Vec::new());
        };
        let strict = dialog
            .routes
            .first()
            .and_then(|r| NameAddr::parse(r))
            .filter(|r| !uri_has_parameter(r.uri, "lr"))
            .map(|r| r.uri.to_owned());
        match strict {
            Some(first) => {
                let mut routes = dialog.routes[1..].to_vec();
                routes.push(format!("<{}>", dialog.target));
                (first, routes)
            }
            None => (dialog.target.clone(), dialog.routes.clone()),
        }
    }
}
