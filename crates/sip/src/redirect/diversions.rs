//! The diversions of a call: Diversion (RFC 5806) and History-Info (RFC 7044), of which a PBX sends one, the other or both.

use super::{DIVERSIONS_MAX, address, same_user};
use crate::message::{Address, Message, NameAddr, split_list};

/// Most entries of History-Info that an answer repeats; a longer history is replaced by a new one.
const HISTORY_MAX: usize = 20;
/// Most bytes of these entries.
const HISTORY_BYTES_MAX: usize = 4_096;
/// The longest index of an entry.
const INDEX_MAX: usize = 40;

/// The diversions of a call before this INVITE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diversions {
    /// The addresses that diverted the call, from both headers.
    from: Vec<String>,
    count: usize,
    /// The history that the answer continues.
    history: Option<History>,
}

/// The entries of History-Info, unchanged, and the index of the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct History {
    entries: String,
    index: String,
    /// Whether the last entry is the called address; a PBX may leave that entry to the receiver (RFC 7044 §9.2).
    ends_with_called: bool,
}

impl Diversions {
    pub(super) fn of(request: &Message<'_>, called: &Address) -> Self {
        let called = called.as_str();
        let (mut from, mut counted) = (Vec::new(), 0_usize);
        for value in request.all("Diversion") {
            for entry in split_list(&value) {
                counted = counted.saturating_add(counter(entry));
                from.extend(address(entry));
            }
        }
        let values: Vec<_> = request.all("History-Info").collect();
        let entries: Vec<&str> = values.iter().flat_map(|value| split_list(value)).collect();
        let before = diverted_from(&entries, called);
        let count = counted.max(before.len());
        for address in before {
            if !from.iter().any(|known| same_user(known, &address)) {
                from.push(address);
            }
        }
        Self {
            count: count.max(from.len()),
            from,
            history: History::of(&entries, called),
        }
    }

    /// Number of diversions.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the address has diverted the call.
    pub fn include(&self, address: &str) -> bool {
        self.from.iter().any(|from| same_user(from, address))
    }

    /// The value of History-Info for a call forwarded to `target` (RFC 7044 §10.4; the cause is that of RFC 4458).
    pub(super) fn history(&self, called: &str, target: &Address) -> String {
        let (before, index) = match &self.history {
            None => (format!("<{called}>;index=1"), "1".to_owned()),
            Some(history) if history.ends_with_called => {
                (history.entries.clone(), history.index.clone())
            }
            Some(History { entries, index, .. }) => (
                format!("{entries}, <{called}>;index={index}.1"),
                format!("{index}.1"),
            ),
        };
        let target = target.as_str();
        format!("{before}, <{target};cause=302>;index={index}.1;mp={index}")
    }
}

/// Number of diversions in an entry of Diversion (RFC 5806 §6).
fn counter(entry: &str) -> usize {
    let counter = NameAddr::parse(entry).and_then(|entry| entry.parameter("counter"));
    let digits =
        counter.filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    digits.map_or(1, |digits| digits.parse().unwrap_or(DIVERSIONS_MAX).max(1))
}

/// The addresses that diverted the call. Entries of one user in a row count once: a proxy that only chooses another host
/// diverts nothing.
fn diverted_from(entries: &[&str], called: &str) -> Vec<String> {
    let mut from: Vec<String> = Vec::new();
    for address in entries.iter().filter_map(|entry| address(entry)) {
        if !from.last().is_some_and(|last| same_user(last, &address)) {
            from.push(address);
        }
    }
    if from.last().is_some_and(|last| same_user(last, called)) {
        from.pop();
    }
    from
}

impl History {
    /// The history; `None` if there is none that can be continued.
    fn of(entries: &[&str], called: &str) -> Option<Self> {
        let last = NameAddr::parse(entries.last()?)?;
        let index = last.parameter("index")?;
        let is_index = index.len() <= INDEX_MAX
            && index
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        let joined = entries.join(", ");
        // An unclosed quote would include the text added behind it.
        let is_sound = entries.iter().all(|entry| address(entry).is_some())
            && !joined.contains(char::is_control)
            && split_list(&joined) == entries;
        let fits = entries.len() <= HISTORY_MAX && joined.len() <= HISTORY_BYTES_MAX;
        (is_index && is_sound && fits).then(|| Self {
            ends_with_called: same_user(last.uri, called),
            entries: joined,
            index,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Call, DIVERSIONS_MAX},
        *,
    };
    use crate::message::Writer;

    fn call(headers: &[(&str, &str)]) -> Call {
        let mut request = Writer::request("INVITE", "sip:1002@pbx.test")
            .header("From", "<sip:1003@pbx.test>;tag=1")
            .header("To", "<sip:1002@pbx.test>");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let bytes = request.finish().unwrap();
        Call::of(&Message::parse(&bytes).unwrap()).unwrap()
    }

    // A18
    #[test]
    fn both_headers_are_read_and_counters_count() {
        let history = "<sip:1005@pbx.test>;index=1, <sip:1002@pbx.test>;index=1.1";
        for (headers, count, included) in [
            (&[("Diversion", "<sip:1005@a>;counter=5")][..], 5, "1005"),
            (
                &[("Diversion", "<sip:1005@a>;counter=5;reason=unknown")],
                5,
                "1005",
            ),
            (
                &[("Diversion", "<sip:1005@a>;counter=2, <sip:1006@a>")],
                3,
                "1006",
            ),
            (
                &[
                    ("Diversion", "<sip:1005@a>"),
                    ("Diversion", "<sip:1006@a>;counter=3"),
                ],
                4,
                "1006",
            ),
            (
                &[("Diversion", "<sip:1006@a>"), ("History-Info", history)],
                2,
                "1005",
            ),
            (
                &[("History-Info", history), ("Diversion", "<sip:1006@a>")],
                2,
                "1006",
            ),
            (
                &[("Diversion", "<sip:1005@a>"), ("History-Info", history)],
                1,
                "1005",
            ),
            (
                &[
                    ("Diversion", "<sip:1005@a>;counter=3"),
                    ("History-Info", history),
                ],
                3,
                "1005",
            ),
            // A counter that cannot be read stands for one diversion.
            (&[("Diversion", "<sip:1005@a>;counter=0")], 1, "1005"),
            (&[("Diversion", "<sip:1005@a>;counter=-5")], 1, "1005"),
            (&[("Diversion", "<sip:1005@a>;counter")], 1, "1005"),
            (&[("Diversion", "<tel:1005>;counter=\"4\"")], 4, "1005"),
            // The receiver adds what a PBX left out (RFC 7044 §9.2).
            (&[("History-Info", "<sip:1005@a>;index=1")], 1, "1005"),
        ] {
            let call = call(headers);
            assert_eq!(call.diversions.count(), count, "{headers:?}");
            let address = format!("sip:{included}@elsewhere");
            assert!(call.diversions.include(&address), "{headers:?}");
            assert!(!call.diversions.include("sip:1009@a"), "{headers:?}");
        }
        let endless = call(&[("Diversion", "<sip:1005@a>;counter=99999999999999999999999")]);
        assert!(endless.diversions.count() >= DIVERSIONS_MAX && endless.is_looping("sip:9@a"));
        let odd = call(&[(
            "Diversion",
            "nothing <, <sip:1005@a>;counter=18446744073709551615",
        )]);
        assert!(odd.is_looping("sip:9@a"));
    }

    // A18
    #[test]
    fn a_proxy_that_chose_another_host_has_diverted_nothing() {
        let same = "<sip:1002@example.com>;index=1, <sip:1002@pbx.test>;index=1.1;rc=1";
        let call = call(&[("History-Info", same)]);
        assert_eq!(
            call.diversions,
            Diversions {
                history: call.diversions.history.clone(),
                ..Diversions::default()
            }
        );
        assert!(!call.is_looping("sip:1001@pbx.test"));
    }

    // A18, A19
    #[test]
    fn a_call_that_comes_back_to_a_person_who_diverted_it_is_looping() {
        for header in ["Diversion", "History-Info"] {
            let value = match header {
                "Diversion" => "<sip:+49301234@a>, <sip:1002@pbx.test>",
                _ => "<sip:1002@a>;index=1, <sip:+49301234@a>;index=1.1, <sip:1002@a>;index=1.1.1",
            };
            assert!(
                call(&[(header, value)]).is_looping("sip:+49301234@a"),
                "{header}"
            );
            assert!(
                call(&[(header, value)]).is_looping("sip:1009@a"),
                "{header}"
            );
        }
    }

    // A18
    #[test]
    fn the_history_of_the_request_is_continued() {
        let target = Address::parse("sip:1001@pbx.test").unwrap();
        let long =
            "<sip:1002@pbx.test>;index=1, ".repeat(HISTORY_MAX) + "<sip:1002@pbx.test>;index=1.1";
        let anew = "<sip:1002@pbx.test>;index=1, <sip:1001@pbx.test;cause=302>;index=1.1;mp=1";
        for (history, wanted) in [
            (
                "<sip:1005@pbx.test>;index=1, <sip:1002@pbx.test;cause=302>;index=1.1;mp=1",
                "<sip:1005@pbx.test>;index=1, <sip:1002@pbx.test;cause=302>;index=1.1;mp=1, <sip:1001@pbx.test;cause=302>;index=1.1.1;mp=1.1",
            ),
            (
                "\"A, B\" <sip:1005@pbx.test?Privacy=history>;index=1.2;foo",
                "\"A, B\" <sip:1005@pbx.test?Privacy=history>;index=1.2;foo, <sip:1002@pbx.test>;index=1.2.1, <sip:1001@pbx.test;cause=302>;index=1.2.1.1;mp=1.2.1",
            ),
            ("<sip:1002@pbx.test>", anew),
            ("<sip:1005@a>;index=1, \"nobody;index=1.1", anew),
            (
                "nothing, <sip:1002@pbx.test>;index=1",
                "nothing, <sip:1002@pbx.test>;index=1, <sip:1001@pbx.test;cause=302>;index=1.1;mp=1",
            ),
            ("<>, <sip:1002@pbx.test>;index=1.1", anew),
            ("<sip:1002@pbx.test>;index=1..2", anew),
            ("<sip:1002@pbx.test>;index=\"1, <sip:evil@evil>\"", anew),
            (&long, anew),
        ] {
            let call = call(&[("History-Info", history)]);
            let value = call.diversions.history("sip:1002@pbx.test", &target);
            assert_eq!(value, wanted, "{history}");
        }
    }
}
