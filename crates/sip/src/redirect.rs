//! The answers of a redirect server to an INVITE (RFC 3261 §8.3, §21.3): forward, refuse, or leave the call unchanged.
//!
//! A PBX must not ask about one call without end. The answer "unchanged" adds a mark to the address, and an INVITE with the
//! mark is answered 482. A PBX that drops the mark is recognised by [`Repeats`], the only state that is kept.

mod diversions;
mod repeats;

use std::net::SocketAddr;

pub use diversions::Diversions;
pub use repeats::Repeats;

use crate::{
    message::{Address, Message, NameAddr, StartLine, Writer, answer_to, parameters},
    request::asserted_identities,
    uri::{decoded, plain, uri_parameters, user, without_headers},
};

/// The mark, a URI parameter: the PBX has asked about this call before.
pub const LOOP_MARK: &str = "offhook=asked";
/// Most diversions of a call; a call with more runs in a circle.
pub const DIVERSIONS_MAX: usize = 5;
/// Most addresses in P-Asserted-Identity: one `sip:` or `sips:` and one `tel:` (RFC 3325 §9.1).
const ASSERTED_MAX: usize = 2;

/// The decision about a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The call goes to this address.
    Forward(Address),
    /// The call is refused with this status code: 480 or 486.
    Refuse(u16),
    /// The call rings at its original target.
    Unchanged,
    /// The PBX asks about one call again and again: the call rings at its original target, as without Offhook.
    Repeat,
}

/// The called and the calling address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The Request-URI.
    pub called: Address,
    /// The caller's addresses: those of P-Asserted-Identity if there are any, else From.
    pub callers: Vec<String>,
    /// The earlier diversions of the call.
    pub diversions: Diversions,
}

impl Call {
    /// Reads an INVITE; `None` if it has no caller or its Request-URI is not a SIP address.
    pub fn of(request: &Message<'_>) -> Option<Self> {
        let StartLine::Request { uri, .. } = request.start() else {
            return None;
        };
        let called = Address::parse(uri)?;
        let mut callers = asserted_identities(request);
        callers.truncate(ASSERTED_MAX);
        if callers.is_empty() {
            callers.push(address(&request.header("From")?)?);
        }
        Some(Self {
            diversions: Diversions::of(request, &called),
            called,
            callers,
        })
    }

    /// Whether the call has been diverted too often, or returns to a person who has diverted it.
    pub fn is_looping(&self, to: &str) -> bool {
        let called = self.called.as_str();
        self.diversions.count() >= DIVERSIONS_MAX
            || self.diversions.include(to)
            || self.diversions.include(called)
            || same_user(called, to)
    }
}

fn address(value: &str) -> Option<String> {
    NameAddr::parse(value).map(|address| address.uri.to_owned())
}

/// Whether two addresses have the same user part; hosts differ within one PBX.
fn same_user(one: &str, other: &str) -> bool {
    user(one).is_some_and(|one| Some(one) == user(other))
}

/// The answer to an INVITE. A call with the mark is not sent back a second time, because the PBX would ask without end (RFC
/// 3261 §21.4.19).
pub fn respond(
    request: &Message<'_>,
    source: SocketAddr,
    call: &Call,
    decision: &Decision,
    to_tag: &str,
) -> Writer {
    let answer = |code| answer_to(request, code, Some(to_tag), Some(source));
    match decision {
        Decision::Refuse(code) => answer(*code),
        Decision::Unchanged if has_loop_mark(call.called.as_str()) => with_warning(answer(482)),
        // Unlike 482, every 5xx lets a PBX go on without Offhook if it is configured to, and no rule takes it for a refusal.
        Decision::Repeat => with_warning(answer(500)),
        Decision::Unchanged => answer(302).header(
            "Contact",
            format_args!("<{}>", with_loop_mark(call.called.as_str())),
        ),
        Decision::Forward(target) => {
            let called = plain(call.called.as_str());
            let counter = call.diversions.count() + 1;
            let history = call.diversions.history(&called, target);
            answer(302)
                .header("Contact", target)
                .header(
                    "Diversion",
                    format_args!("<{called}>;reason=unconditional;counter={counter}"),
                )
                .header("History-Info", history)
        }
    }
}

/// Adds the reason, for administrators who read a trace of the call (RFC 3261 §20.43).
fn with_warning(answer: Writer) -> Writer {
    let warning = "399 offhook \"was asked about already: let it ring without asking again\"";
    answer.header("Warning", warning)
}

fn with_loop_mark(uri: &str) -> String {
    format!("{};{LOOP_MARK}", without_headers(uri))
}

/// Whether the address has the mark. Only the Request-URI counts: other headers come from the caller, who could avoid Do not
/// disturb with a mark there.
pub fn has_loop_mark(uri: &str) -> bool {
    let (name, value) = LOOP_MARK.split_once('=').unwrap_or_default();
    parameters(uri_parameters(uri)).any(|(found, given)| {
        decoded(found).eq_ignore_ascii_case(name) && decoded(&given).eq_ignore_ascii_case(value)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::split_list;

    const SOURCE: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5_060);

    fn invite(uri: &str, more: &[(&str, &str)]) -> Vec<u8> {
        let mut request = Writer::request("INVITE", uri)
            .header("Via", "SIP/2.0/UDP pbx;branch=z9hG4bK1")
            .header("From", "\"Carl, the 2nd\" <sip:1003@pbx.test>;tag=1")
            .header("To", "<sip:1002@pbx.test>")
            .header("Call-ID", "c")
            .header("CSeq", "1 INVITE");
        for (name, value) in more {
            request = request.header(name, value);
        }
        request.finish().unwrap()
    }

    fn answered(request: &[u8], decision: &Decision) -> String {
        let request = Message::parse(request).unwrap();
        let call = Call::of(&request).unwrap();
        let bytes = respond(&request, SOURCE, &call, decision, "t")
            .finish()
            .unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_call_goes_elsewhere_with_its_history() {
        let request = invite("sip:1002@pbx.test;user=phone", &[]);
        let text = answered(
            &request,
            &Decision::Forward(Address::parse("sip:1001@pbx.test").unwrap()),
        );
        for line in [
            "SIP/2.0 302 Moved Temporarily\r\n",
            "Contact: <sip:1001@pbx.test>\r\n",
            "Diversion: <sip:1002@pbx.test>;reason=unconditional;counter=1\r\n",
            "History-Info: <sip:1002@pbx.test>;index=1, <sip:1001@pbx.test;cause=302>;index=1.1;mp=1\r\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
    }

    #[test]
    fn a_call_that_nothing_is_to_be_done_with_goes_back_and_is_known_again() {
        let request = invite("sip:1002@pbx.test", &[]);
        let text = answered(&request, &Decision::Unchanged);
        assert!(
            text.contains("Contact: <sip:1002@pbx.test;offhook=asked>\r\n"),
            "{text}"
        );
        assert!(
            !has_loop_mark("sip:1002@pbx.test;offhook=no") && !has_loop_mark("sip:1002@pbx.test")
        );
        let refused = answered(&request, &Decision::Refuse(486));
        assert!(
            refused.starts_with("SIP/2.0 486 Busy Here\r\n"),
            "{refused}"
        );
    }

    // A19
    #[test]
    fn a_call_that_bears_the_mark_is_not_sent_back_again() {
        for uri in [
            "sip:1002@pbx.test;offhook=asked",
            "sip:1002@pbx.test;offhook=asked;offhook=asked",
            "sip:1002@pbx.test;OffHook=ASKED;transport=udp",
            "sip:1002@pbx.test;transport=udp;%6Fffhook=%61sked",
            "sips:1002;a=b@[::1]:5061;offhook=asked?Subject=x",
            "sip:1002@pbx.test;offhook=no;offhook=asked",
            "sip:1002@pbx.test; offhook = asked",
            "tel:1002;offhook=asked",
        ] {
            assert!(has_loop_mark(uri), "{uri}");
            if uri.contains(' ') {
                continue;
            }
            let text = answered(&invite(uri, &[]), &Decision::Unchanged);
            assert!(text.starts_with("SIP/2.0 482 Loop Detected\r\n"), "{text}");
            assert!(!text.contains("Contact"), "{text}");
            assert!(text.contains("Warning: 399 offhook"), "{text}");
        }
        // A caller could add the mark to avoid a refusal.
        let request = invite(
            "sip:1002@pbx.test",
            &[("To", "<sip:1002@pbx.test;offhook=asked>")],
        );
        let text = answered(&request, &Decision::Unchanged);
        assert!(text.starts_with("SIP/2.0 302 "), "{text}");
    }

    // A18
    #[test]
    fn every_asserted_address_is_read() {
        for (headers, callers) in [
            (
                &[(
                    "P-Asserted-Identity",
                    "<tel:+4930>, \"A, B\" <sip:1001@pbx.test>",
                )][..],
                &["tel:+4930", "sip:1001@pbx.test"][..],
            ),
            (
                &[
                    ("P-Asserted-Identity", "<tel:+4930>"),
                    ("P-Asserted-Identity", "sip:1001@pbx.test"),
                ],
                &["tel:+4930", "sip:1001@pbx.test"],
            ),
            // RFC 3325 §9.1 allows two.
            (
                &[("P-Asserted-Identity", "<sip:1@a>, <sip:2@a>, <sip:3@a>")],
                &["sip:1@a", "sip:2@a"],
            ),
            (
                &[("P-Asserted-Identity", "\"nobody")],
                &["sip:1003@pbx.test"],
            ),
            (&[], &["sip:1003@pbx.test"]),
        ] {
            let request = invite("sip:1002@pbx.test", headers);
            let call = Call::of(&Message::parse(&request).unwrap()).unwrap();
            assert_eq!(call.callers, callers, "{headers:?}");
        }
    }

    #[test]
    fn a_user_part_is_compared_by_meaning_and_without_the_password() {
        let request = invite("sip:%31002;a=b:pw@pbx.test;user=phone", &[]);
        let target = Address::parse("sip:1001@pbx.test").unwrap();
        let text = answered(&request, &Decision::Forward(target));
        assert!(!text.contains("pw"), "{text}");
        for line in [
            "Diversion: <sip:%31002;a=b@pbx.test>;reason=",
            "History-Info: <sip:%31002;a=b@pbx.test>;index=1, ",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        let call = Call::of(&Message::parse(&request).unwrap()).unwrap();
        assert!(call.is_looping("sip:1002@pbx.test"));
        assert!(
            !has_loop_mark("sip:1002;offhook=asked@pbx.test"),
            "the user part"
        );
    }

    #[test]
    fn callers_and_diversions_are_read_and_circles_are_seen() {
        let diversions = [
            (
                "P-Asserted-Identity",
                "\"A\" <sip:+4930@pbx.test>, <tel:+4930>",
            ),
            (
                "Diversion",
                "<sip:1005@pbx.test>;reason=user-busy, <sip:1006@pbx.test>",
            ),
        ];
        let request = invite("sip:1002@pbx.test", &diversions);
        let call = Call::of(&Message::parse(&request).unwrap()).unwrap();
        assert_eq!(call.callers, ["sip:+4930@pbx.test", "tel:+4930"]);
        assert_eq!(call.diversions.count(), 2);
        assert!(call.is_looping("sip:1006@elsewhere") && call.is_looping("sip:1002@x"));
        assert!(!call.is_looping("sip:1001@pbx.test"));
        let history = [(
            "History-Info",
            "<sip:1005@pbx.test>;index=1, <sip:1002@pbx.test>;index=1.1",
        )];
        let request = invite("sip:1002@pbx.test", &history);
        let call = Call::of(&Message::parse(&request).unwrap()).unwrap();
        assert_eq!(call.diversions.count(), 1);
        assert!(call.diversions.include("sip:1005@pbx.test"));
        let many = "<sip:1@a>,".repeat(DIVERSIONS_MAX);
        let request = invite("sip:1002@pbx.test", &[("Diversion", &many)]);
        let call = Call::of(&Message::parse(&request).unwrap()).unwrap();
        assert!(call.is_looping("sip:9@a"));
    }

    proptest! {
        // A18
        #[test]
        fn no_diversion_breaks_the_answer(
            name in "Diversion|History-Info|P-Asserted-Identity",
            value in "([<>,;\"=.?@ 0-9a-c]|sip:1002@a|index=1|counter=){0,40}|\\PC{0,40}",
            again in "(<sip:1005@a>;index=1(\\.1){0,3},?){0,25}",
        ) {
            let request = invite("sip:1002@pbx.test", &[(&name, &value), ("History-Info", &again)]);
            let request = Message::parse(&request).unwrap();
            let call = Call::of(&request).unwrap();
            let target = Address::parse("sip:1001@pbx.test").unwrap();
            let forward = Decision::Forward(target.clone());
            let bytes = respond(&request, SOURCE, &call, &forward, "t").finish().unwrap();
            let answer = Message::parse(&bytes).unwrap();
            prop_assert_eq!(answer.contact(), Some(target.as_str().to_owned()));
            prop_assert_eq!(answer.all("Diversion").count(), 1);
            let history = answer.header("History-Info").unwrap();
            let last = split_list(&history).pop().unwrap_or_default().to_owned();
            prop_assert!(last.starts_with("<sip:1001@pbx.test;cause=302>;index="), "{}", history);
        }

        #[test]
        fn no_address_breaks_the_answer(uri in "[!-~]{1,40}", target in "sip:.{0,40}") {
            let request = invite(&uri, &[]);
            if let Ok(request) = Message::parse(&request)
                && let Some(call) = Call::of(&request)
            {
                // The answer has one Contact for every target.
                if let Some(target) = Address::parse(&target) {
                    let forward = Decision::Forward(target.clone());
                    let forward = respond(&request, SOURCE, &call, &forward, "t").finish();
                    let forward = forward.unwrap();
                    let answer = Message::parse(&forward).unwrap();
                    prop_assert_eq!(answer.contact(), Some(target.as_str().to_owned()));
                    prop_assert_eq!(answer.all("Contact").count(), 1);
                }
                let back = respond(&request, SOURCE, &call, &Decision::Unchanged, "t").finish();
                prop_assert!(back.is_err() || Message::parse(&back.unwrap()).is_ok());
            }
        }
    }
}
