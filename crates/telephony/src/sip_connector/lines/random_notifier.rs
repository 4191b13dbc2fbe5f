//! A PBX driven by the bytes of a fuzz target or a property test, in well-formed messages: renewals, versions, CSeq,
//! restarts, forks, refusals. Four lines get random behaviour, a fifth is served well. The connector checks one line every
//! 20 s, as after each answered OPTIONS.
//!
//! Invariants:
//! - at most five requests a second for a line,
//! - a line without a document for longer than the longest subscription is unknown,
//! - the line that is served well is known at all times, with the right state.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken invariant ends the fuzz target"
)]

use std::{collections::BTreeMap, time::Duration};

use presence::LineState;

use super::notifier::{Answer, Notifier, Notify};

/// Lines with random behaviour.
const MOODY: [&str; 4] = ["1001", "1002", "1004", "1005"];
/// The line that is served well.
const SERVED: &str = "1003";

/// Most requests for one line within a second.
const REQUESTS_MAX: usize = 5;

/// The longest subscription that this PBX grants, plus the time within which the NOTIFY after a renewal must come (timer N,
/// RFC 6665 §4.1.2.4).
const UNCONFIRMED_MAX: Duration = Duration::from_secs(600 + 40);

/// Time between two checks of one line.
const CANARY_INTERVAL: Duration = Duration::from_secs(20);

/// Actions of one run.
const ACTIONS_MAX: usize = 200;

const STATES: [&str; 6] = [
    "trying",
    "proceeding",
    "early",
    "confirmed",
    "terminated",
    "hold",
];

/// Reads numbers out of the bytes.
struct Numbers<'a>(std::slice::Iter<'a, u8>);

impl Numbers<'_> {
    /// A number below `end`; `None` at the end of the bytes.
    fn below(&mut self, end: usize) -> Option<usize> {
        self.0.next().map(|byte| usize::from(*byte) % end)
    }

    fn of<'t, T>(&mut self, all: &'t [T]) -> Option<&'t T> {
        let at = self.below(all.len())?;
        all.get(at)
    }
}

/// Runs the behaviour encoded in the bytes.
///
/// # Panics
/// An invariant is broken.
pub fn play(bytes: &[u8]) {
    let lines: Vec<String> = MOODY
        .iter()
        .chain([&SERVED])
        .map(|line| (*line).to_owned())
        .collect();
    let mut run = Run {
        pbx: Notifier::new(&lines, None),
        versions: BTreeMap::new(),
        confirmed: BTreeMap::new(),
        served: LineState::Idle,
        next_canary: CANARY_INTERVAL,
    };
    run.serve(LineState::Idle);
    for line in MOODY {
        let document = run.document(line, "full", 4);
        run.pbx.set_document(line, Some(document));
    }
    run.pbx.connect();
    let mut numbers = Numbers(bytes.iter());
    for _ in 0..ACTIONS_MAX {
        if run.act(&mut numbers).is_none() {
            break;
        }
        run.check();
    }
    run.elapse(Duration::from_secs(3_600));
    run.check();
}

struct Run {
    pbx: Notifier,
    versions: BTreeMap<&'static str, u32>,
    /// When the line was last known, and since when without a break.
    confirmed: BTreeMap<&'static str, Duration>,
    served: LineState,
    next_canary: Duration,
}

impl Run {
    /// Performs the next action; `None` at the end of the bytes.
    fn act(&mut self, numbers: &mut Numbers<'_>) -> Option<()> {
        let line = *numbers.of(&MOODY)?;
        match numbers.below(16)? {
            0..=2 => self.notify(line, numbers)?,
            3 => {
                let version = numbers.below(4)?;
                self.versions
                    .insert(line, u32::try_from(version).unwrap_or(0));
            }
            4 => {
                let mut notify = self.document(line, "full", numbers.below(STATES.len())?);
                notify.cseq = Some(u32::try_from(numbers.below(8)?).unwrap_or(0));
                self.send(line, &notify);
            }
            5 => {
                let answer = self.answer(line, numbers)?;
                self.pbx.answer_once(line, answer);
            }
            6 => {
                let answer = self.answer(line, numbers)?;
                let stays = numbers.below(2)? == 0;
                self.pbx.answer_always(line, stays.then_some(answer));
            }
            7 => {
                let mut notify = self.document(line, "full", 4);
                let reasons = [
                    "",
                    ";reason=deactivated",
                    ";reason=noresource",
                    ";reason=timeout",
                    ";reason=giveup;retry-after=0",
                    ";reason=rejected",
                    ";reason=probation;retry-after=1",
                ];
                notify.subscription_state = format!("terminated{}", numbers.of(&reasons)?);
                self.send(line, &notify);
            }
            8 => {
                let mut notify = self.document(line, "full", numbers.below(STATES.len())?);
                let times = [0, 1, 2, 10, 60, 600];
                notify.subscription_state = format!("active;expires={}", numbers.of(&times)?);
                self.send(line, &notify);
            }
            9 | 10 => {
                let times = [1, 100, 900, 5_000, 20_000, 61_000, 310_000, 599_000];
                self.elapse(Duration::from_millis(*numbers.of(&times)?));
            }
            11 => self.pbx.canary(),
            12 => {
                let mut notify = self.document(line, "full", numbers.below(STATES.len())?);
                notify.from_tag = Some((*numbers.of(&["a", "b"])?).to_owned());
                self.send(line, &notify);
            }
            13 => {
                let notify = Notify::new(Vec::new());
                self.send(line, &notify);
            }
            14 => {
                self.pbx.notifies_first = numbers.below(2)? == 0;
                let none = numbers.below(2)? == 0;
                let document = self.document(line, "full", numbers.below(STATES.len())?);
                self.pbx
                    .set_document(line, Some(document).filter(|_| !none));
            }
            _ => {
                // A call that rings for five minutes ends.
                let states = [LineState::Idle, LineState::Connected];
                let state = *numbers.of(&states)?;
                self.serve(state);
                let document = Self::served_document(state);
                self.pbx.notify(SERVED, &document);
            }
        }
        Some(())
    }

    fn notify(&mut self, line: &'static str, numbers: &mut Numbers<'_>) -> Option<()> {
        let completeness = *numbers.of(&["full", "full", "partial"])?;
        let document = self.document(line, completeness, numbers.below(STATES.len())?);
        self.send(line, &document);
        Some(())
    }

    fn send(&mut self, line: &'static str, notify: &Notify) {
        self.pbx.notify(line, notify);
    }

    /// A numbered document with one dialog.
    fn document(&mut self, line: &'static str, completeness: &str, state: usize) -> Notify {
        let version = self.versions.entry(line).or_default();
        let body = format!(
            "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" state=\"{completeness}\" entity=\"sip:{line}@pbx.test\"><dialog id=\"{line}\"><state>{}</state></dialog></dialog-info>",
            STATES.get(state).copied().unwrap_or_default()
        );
        *version += 1;
        Notify::new(body.into_bytes())
    }

    fn served_document(state: LineState) -> Notify {
        let word = match state {
            LineState::Idle => "terminated",
            LineState::Ringing => "early",
            LineState::Held | LineState::Connected => "confirmed",
        };
        // Without versions documents count in the order of CSeq.
        Notify::new(format!("<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" state=\"full\" entity=\"sip:{SERVED}@pbx.test\"><dialog id=\"c\"><state>{word}</state></dialog></dialog-info>").into_bytes())
    }

    /// Sets the state of the line that is served well.
    fn serve(&mut self, state: LineState) {
        self.served = state;
        self.pbx
            .set_document(SERVED, Some(Self::served_document(state)));
    }

    fn answer(&mut self, line: &'static str, numbers: &mut Numbers<'_>) -> Option<Answer> {
        let header = |name: &str, value: String| vec![(name.to_owned(), value)];
        let nonce = numbers.below(256)?;
        let digest =
            format!("Digest realm=\"pbx.test\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"");
        let (code, headers) = match numbers.below(20)? {
            0 => (200, header("Expires", "0".into())),
            1 => (200, header("Expires", "1".into())),
            2 => (200, header("Expires", nonce.to_string())),
            3 => (202, Vec::new()),
            4 => (401, Vec::new()),
            5 => (401, header("WWW-Authenticate", digest)),
            6 => (407, header("Proxy-Authenticate", digest)),
            7 => (
                401,
                header("WWW-Authenticate", format!("{digest}, stale=true")),
            ),
            8 => (407, Vec::new()),
            9 => (403, Vec::new()),
            10 => (404, Vec::new()),
            11 => (423, header("Min-Expires", (600 + nonce).to_string())),
            12 => (423, Vec::new()),
            13 => (481, Vec::new()),
            14 => (500, header("Retry-After", "0".into())),
            15 => (503, header("Retry-After", nonce.to_string())),
            16 => (
                302,
                header("Contact", format!("<sip:{line}@192.0.2.{nonce}>")),
            ),
            17 => (489, Vec::new()),
            18 => (408, Vec::new()),
            _ => (603, Vec::new()),
        };
        Some(Answer { code, headers })
    }

    /// Moves the clock on in small steps, so that no state in between is missed.
    fn elapse(&mut self, time: Duration) {
        let mut left = time;
        while !left.is_zero() {
            let step = left.min(Duration::from_secs(5));
            self.pbx.elapse(step);
            if self.pbx.now >= self.next_canary {
                self.next_canary = self.pbx.now + CANARY_INTERVAL;
                self.pbx.canary();
            }
            self.check();
            left -= step;
        }
    }

    fn check(&mut self) {
        let now = self.pbx.now;
        for line in MOODY.iter().chain([&SERVED]) {
            let requests = self.pbx.requests(line);
            let burst = requests
                .windows(REQUESTS_MAX + 1)
                .find(|burst| match burst {
                    [first, .., last] => *last - *first < Duration::from_secs(1),
                    _ => false,
                });
            assert!(
                burst.is_none(),
                "more than {REQUESTS_MAX} requests within a second for {line}: {burst:?}"
            );
            let confirmed = self.confirmed.entry(line).or_insert(now);
            if let Some(at) = self.pbx.last_document(line) {
                *confirmed = at;
            }
            let known = self.pbx.known(line);
            assert!(
                known.is_none() || now - *confirmed <= UNCONFIRMED_MAX,
                "{line} is still {known:?} at {now:?}, its last document came at {confirmed:?}"
            );
        }
        assert_eq!(
            self.pbx.state(SERVED),
            Some(self.served),
            "the line that is served well is disturbed"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::play;

    proptest! {
        #[test]
        fn nothing_that_a_pbx_does_floods_it_or_leaves_an_old_state(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            play(&bytes);
        }
    }

    #[test]
    fn the_corpus_of_the_fuzz_target_is_right() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/notifier");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            play(&std::fs::read(path).unwrap());
            count += 1;
        }
        assert!(count > 0, "the corpus is missing");
    }
}
