//! Active lists without the state of a line (A13, A22).

use super::{
    documents::{full, notifier, reported_state, trouble},
    lists::{DOCUMENT, body, listed},
    *,
};

/// A PBX with one list, on a driven clock.
struct Pbx {
    lines: Lines,
    subscribe: Vec<u8>,
    now: Duration,
    number: u32,
    /// Number of times that each line became unknown.
    stale: BTreeMap<Arc<str>, u32>,
}

impl Pbx {
    fn new(extensions: &[&str]) -> Self {
        let (lines, subscribe) = listed(extensions);
        Self {
            lines,
            subscribe,
            now: SECOND,
            number: 0,
            stale: BTreeMap::new(),
        }
    }

    fn notify(&mut self, body: &str) -> Vec<Output> {
        self.number += 1;
        let version = format!("version='{}' fullState", self.number);
        let mut pbx = notifier(&self.subscribe);
        pbx.cseq = self.number;
        pbx.content_type = "multipart/related;type=\"application/rlmi+xml\";boundary=b";
        let body = body.replace("fullState", &version);
        let out = pbx.send(&mut self.lines, self.now, &body);
        self.apply(&out);
        out
    }

    fn apply(&mut self, out: &[Output]) {
        for output in out {
            if let Output::Line {
                extension,
                change: LineChange::Stale,
            } = output
            {
                *self.stale.entry(Arc::clone(extension)).or_default() += 1;
            }
        }
    }

    /// Moves the clock on. Each refresh is answered with 200 and these NOTIFYs, each with its delay after the one before.
    fn run_until(&mut self, until: Duration, answers: &[(Duration, &str)]) {
        let mut due: Vec<(Duration, &str)> = Vec::new();
        loop {
            let deadline = self.lines.next_deadline();
            let next = due.first().map(|(at, _)| *at);
            let at = [deadline, next].into_iter().flatten().min();
            let Some(at) = at.filter(|at| *at <= until) else {
                self.now = until;
                return;
            };
            self.now = self.now.max(at);
            let mut out = self.lines.elapse(self.now);
            self.apply(&out);
            if due.first().is_some_and(|(at, _)| *at <= self.now) {
                let (_, body) = due.remove(0);
                out.extend(self.notify(body));
            }
            let asked = sent(&out).into_iter();
            for request in asked.filter(|bytes| bytes.starts_with(b"SUBSCRIBE")) {
                let expires = [("Expires", "600")];
                let out = respond(&mut self.lines, self.now, &request, 200, &expires);
                self.apply(&out);
                let mut at = self.now;
                due.extend(answers.iter().map(|(after, body)| {
                    at += *after;
                    (at, *body)
                }));
            }
        }
    }

    fn states(&self) -> [Option<LineState>; 2] {
        self.states_of(["1001", "1002"])
    }

    fn states_of<const N: usize>(&self, extensions: [&str; N]) -> [Option<LineState>; N] {
        extensions.map(|extension| self.lines.lines[extension].state)
    }
}

/// Two resources, each with this content.
fn resources(content: &str) -> String {
    let resource = |line: &str| format!("<resource uri='sip:{line}@x'>{content}</resource>");
    resource("1001") + &resource("1002")
}

/// A full list with the documents of both: in a call, idle.
fn with_documents() -> String {
    let (call, idle) = (full(1, &[("a", "confirmed")]), full(1, &[]));
    let listed = resources("<instance id='1' state='active' cid='c'/>");
    let listed = listed.replacen("'c'", "'d'", 1);
    let parts = [("d", DOCUMENT, &*call), ("c", DOCUMENT, &*idle)];
    body(true, &listed, &parts)
}

/// NOTIFYs without the state of any line.
fn silent() -> [String; 3] {
    [
        body(true, &resources(""), &[]),
        body(true, &resources("<instance id='1' state='active'/>"), &[]),
        String::new(),
    ]
}

const KNOWN: [Option<LineState>; 2] = [Some(LineState::Connected), Some(LineState::Idle)];
const HOURS: Duration = Duration::from_secs(7200);

// A13
#[test]
fn a_state_missing_in_its_list_counts_for_half_a_minute() {
    for silent in silent() {
        let mut pbx = Pbx::new(&["1001", "1002"]);
        pbx.notify(&with_documents());
        pbx.now = SECOND * 100;
        pbx.notify(&silent);
        assert_eq!(pbx.states(), KNOWN, "documents may follow");
        let answers = [(SECOND / 10, &*silent)];
        pbx.run_until(SECOND * 131, &answers);
        assert_eq!((pbx.states(), pbx.stale.len()), (KNOWN, 0), "{silent}");
        pbx.run_until(SECOND * 133, &answers);
        assert_eq!(pbx.states(), [None, None], "{silent}");
        pbx.run_until(HOURS, &answers);
        assert_eq!(pbx.states(), [None, None], "{silent}");
        for extension in ["1001", "1002"] {
            let trouble = trouble(&pbx.lines, extension);
            let named = format!("has no state of extension {extension}");
            assert!(trouble.contains(&named), "{silent}: {trouble}");
            assert_eq!(pbx.stale[extension], 1, "{silent}");
        }
        assert_eq!(pbx.lines.active(), 0);
        pbx.notify(&with_documents());
        assert_eq!((pbx.states(), pbx.lines.line_trouble().len()), (KNOWN, 0));
    }
}

// A13, A22
#[test]
fn a_line_without_a_state_in_its_list_is_awaited_and_then_named() {
    for silent in silent() {
        let mut pbx = Pbx::new(&["1001", "1002"]);
        pbx.notify(&silent);
        let answers = [(SECOND / 10, &*silent)];
        pbx.run_until(SECOND * 32, &answers);
        let troubles = pbx.lines.line_trouble().len();
        assert_eq!((pbx.lines.pending(), troubles), (2, 0), "{silent}");
        for seconds in [34, 7200] {
            pbx.run_until(SECOND * seconds, &answers);
            assert_eq!((pbx.lines.active(), pbx.lines.pending()), (0, 0));
            for extension in ["1001", "1002"] {
                let trouble = trouble(&pbx.lines, extension);
                let named = format!("has no state of extension {extension}");
                assert!(trouble.contains(&named), "{silent}: {trouble}");
            }
        }
        // Hardly more requests than in a healthy subscription.
        assert!(pbx.number < 60, "{silent}: {} NOTIFYs", pbx.number);
    }
}

// A13: Kamailio sends the list first, and the documents when it has them.
#[test]
fn documents_that_follow_the_list_leave_no_gap() {
    for silent in silent() {
        let mut pbx = Pbx::new(&["1001", "1002"]);
        let documents = with_documents();
        let answers = [(SECOND / 10, &*silent), (SECOND * 5, &*documents)];
        pbx.notify(&silent);
        pbx.notify(&documents);
        for hour in 1..=2 {
            pbx.run_until(SECOND * 3600 * hour, &answers);
            assert_eq!((pbx.states(), pbx.stale.len()), (KNOWN, 0), "{silent}");
        }
        assert!(pbx.lines.line_trouble().is_empty());
        assert!(pbx.number < 60, "{silent}: {} NOTIFYs", pbx.number);
    }
}

// A13: a partial list does not mention a line that did not change.
#[test]
fn no_news_in_a_partial_list_is_no_change() {
    for listed in [
        String::new(),
        resources(""),
        resources("<instance id='1' state='active'/>"),
    ] {
        let mut pbx = Pbx::new(&["1001", "1002"]);
        pbx.notify(&with_documents());
        let partial = body(false, &listed, &[]);
        pbx.run_until(HOURS, &[(SECOND / 10, &*partial)]);
        assert_eq!((pbx.states(), pbx.stale.len()), (KNOWN, 0), "{listed}");
        assert!(pbx.lines.line_trouble().is_empty(), "{listed}");
    }
}

// A13: the call of an instance without a document does not stay, and the line is not idle either.
#[test]
fn an_instance_without_news_beside_others_is_named() {
    let (call, idle) = (
        full(1, &[("a", "confirmed")]),
        full(1, &[("a", "terminated")]),
    );
    let listed = |resources: &str, of_a: &str, of_b: &str| {
        let parts = [("a", DOCUMENT, of_a), ("b", DOCUMENT, of_b)];
        body(true, resources, &parts)
    };
    let one = "<resource uri='sip:1001@x'><instance id='1' state='active' cid='a'/><instance id='2' state='active' cid='b'/></resource>";
    let two = "<resource uri='sip:1001@x'><instance id='1' state='active' cid='a'/></resource><resource uri='sip:1001@x:5060'><instance id='1' state='active' cid='b'/></resource>";
    let without = two.replace("<instance id='1' state='active' cid='b'/>", "");
    for (both, silent) in [
        (one, one.replace(" cid='b'", "")),
        (two, two.replace(" cid='b'", "")),
        (two, without),
    ] {
        let mut pbx = Pbx::new(&["1001"]);
        pbx.notify(&listed(both, &idle, &call));
        let out = pbx.notify(&listed(&silent, &idle, &idle));
        assert_eq!(reported_state(&out, "1001"), Some(None), "{silent}");
        let is_state = |output: &Output| is_line_state(output);
        assert!(!out.iter().any(is_state), "not idle for a moment");
        assert!(trouble(&pbx.lines, "1001").contains("has no state"));
        let out = pbx.notify(&listed(&silent, &call, &idle));
        let state = reported_state(&out, "1001");
        assert_eq!(state, Some(Some(LineState::Connected)), "{silent}");
        assert!(trouble(&pbx.lines, "1001").contains("has no state"));
        let out = pbx.notify(&listed(both, &idle, &idle));
        assert_eq!(
            reported_state(&out, "1001"),
            Some(Some(LineState::Idle)),
            "{silent}"
        );
        assert_eq!(trouble(&pbx.lines, "1001"), "");
    }
}

// A13: the call of an instance ends when its document is unreadable or missing.
#[test]
fn the_old_call_of_an_instance_without_a_document_does_not_stay() {
    let call = full(1, &[("a", "confirmed")]);
    let idle = full(1, &[("a", "terminated")]);
    let listed = "<resource uri='sip:1001@x'><instance id='1' state='active' cid='a'/><instance id='2' state='active' cid='b'/></resource>";
    let a = ("a", DOCUMENT, &*idle);
    for (parts, what) in [
        (vec![a, ("b", DOCUMENT, "<")], "cannot be understood"),
        (vec![a], "lacks the document"),
    ] {
        let mut pbx = Pbx::new(&["1001"]);
        pbx.notify(&body(true, listed, &[a, ("b", DOCUMENT, &call)]));
        assert_eq!(pbx.states_of(["1001"]), [Some(LineState::Connected)]);
        let out = pbx.notify(&body(true, listed, &parts));
        assert_eq!(reported_state(&out, "1001"), Some(None), "{what}");
        assert_eq!(pbx.states_of(["1001"]), [None], "{what}");
        let trouble = trouble(&pbx.lines, "1001");
        assert!(trouble.contains(what), "{trouble}");
        let out = pbx.notify(&body(true, listed, &[a, ("b", DOCUMENT, &idle)]));
        assert_eq!(
            reported_state(&out, "1001"),
            Some(Some(LineState::Idle)),
            "{what}"
        );
    }
}
