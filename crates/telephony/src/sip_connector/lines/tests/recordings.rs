//! Plays the recorded and written sequences of `tests/recordings` against all lines of a connector, on a driven clock.

mod script;

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
};

use script::Step;
use sip::{
    message::{Message, NameAddr},
    uri::user,
};

use super::super::notifier::{Answer, Notifier, Notify};

/// The state of a run besides the PBX: the numbering of its documents.
struct Player {
    pbx: Notifier,
    versions: BTreeMap<String, u64>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings")
}

#[test]
fn recorded_and_written_sequences_amount_to_the_states_in_their_tables() {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "steps")
        })
        .collect();
    names.sort();
    assert!(names.len() > 20, "the sequences are missing");
    let mut wrong = Vec::new();
    for path in names {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let played = std::panic::catch_unwind(AssertUnwindSafe(|| play(&text)));
        if let Err(panic) = played {
            let why = panic.downcast_ref::<String>().cloned();
            wrong.push(format!(
                "{name}: {}",
                why.unwrap_or_else(|| "panicked".into())
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Plays one file.
fn play(text: &str) {
    let steps = script::steps(text);
    let of = |name: &str| steps.iter().find(|step| step.word(0) == name);
    let lines = &of("lines").expect("the file names its lines").words[1..];
    let mut player = Player {
        pbx: Notifier::new(lines, of("list").map(|step| step.word(1))),
        versions: BTreeMap::new(),
    };
    for step in &steps {
        player.step(step);
    }
}

impl Player {
    fn step(&mut self, step: &Step) {
        match step.word(0) {
            "lines" | "list" => {}
            "software" => self.pbx.software = Some(step.rest(1)),
            "connect" => self.pbx.connect(),
            "document" => {
                let notify = match step.word(2) {
                    "none" => None,
                    _ => Some(self.notify(step)),
                };
                self.pbx.set_document(step.word(1), notify);
            }
            "notify" => {
                let notify = self.notify(step);
                self.pbx.notify(step.word(1), &notify);
            }
            "answer" => {
                let answer = Answer {
                    code: step.word(2).parse().unwrap(),
                    headers: step.headers(),
                };
                match step.word(3) {
                    "once" => self.pbx.answer_once(step.word(1), answer),
                    "always" => self.pbx.answer_always(step.word(1), Some(answer)),
                    other => panic!("line {}: {other:?} is neither once nor always", step.number),
                }
            }
            "elapse" => self.pbx.elapse(script::time(step.word(1))),
            "canary" => self.pbx.canary(),
            "play" => self.play_recording(step),
            "expect" => self.expect(step),
            other => panic!("line {}: {other:?} is no step", step.number),
        }
    }

    /// The NOTIFY of a step: its block is the whole body, or the dialogs of a numbered document.
    fn notify(&mut self, step: &Step) -> Notify {
        let body = match step.word(2) {
            "empty" => Vec::new(),
            "raw" => step.text().into_bytes(),
            completeness @ ("full" | "partial") => {
                let line = step.word(1);
                let version = self.versions.entry(line.to_owned()).or_default();
                *version += 1;
                let written = step
                    .option("version")
                    .map_or(version.to_string(), str::to_owned);
                format!(
                    "<?xml version=\"1.0\"?>\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{written}\" state=\"{completeness}\" entity=\"sip:{line}@pbx.test\">\n{}\n</dialog-info>",
                    step.text()
                )
                .into_bytes()
            }
            other => panic!("line {}: {other:?} is no kind of document", step.number),
        };
        let mut notify = Notify::new(body);
        notify.cseq = step.option("cseq").map(|value| value.parse().unwrap());
        notify.from_tag = step.option("from-tag").map(str::to_owned);
        if let Some(event) = step.option("event") {
            notify.event = event.to_owned();
        }
        if let Some(state) = step.option("state") {
            notify.subscription_state = state.replace(',', ";");
        }
        if let Some(content_type) = step.option("type") {
            notify.content_type = content_type.replace(',', "; ");
        }
        if let Some(encoding) = step.option("encoding") {
            let header = ("Content-Transfer-Encoding".to_owned(), encoding.to_owned());
            notify.headers.push(header);
        }
        notify
    }

    /// Plays the dialog NOTIFYs of a recording; the block is its table: line and state after each.
    fn play_recording(&mut self, step: &Step) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../sip/tests/data")
            .join(step.word(1));
        let recording = std::fs::read_to_string(path).expect("the recording is there");
        let mut rows = Vec::new();
        let mut tags: BTreeMap<String, String> = BTreeMap::new();
        for part in recorded(&recording) {
            if !part.contains("\nEvent: dialog") {
                continue;
            }
            let message = Message::parse(part.as_bytes()).expect("a recorded NOTIFY can be read");
            let from = message.header("From").expect("From").into_owned();
            let from = NameAddr::parse(&from).expect("an address in From");
            let line = user(from.uri).expect("a line");
            // Only the first of several recorded subscriptions to a line.
            let tag = message.from_tag().unwrap_or_default();
            if *tags.entry(line.clone()).or_insert_with(|| tag.clone()) != tag {
                continue;
            }
            let header = |name: &str| message.header(name).map(|value| value.into_owned());
            let notify = Notify {
                cseq: None,
                from_tag: None,
                event: "dialog".into(),
                subscription_state: header("Subscription-State").unwrap_or_default(),
                content_type: header("Content-Type").unwrap_or_default(),
                headers: Vec::new(),
                body: message.body().to_vec(),
            };
            self.pbx.software = header("User-Agent").or(header("Server"));
            // A refresh would bring the same document again.
            let refreshed = Notify {
                subscription_state: "active;expires=600".into(),
                ..notify.clone()
            };
            self.pbx.set_document(&line, Some(refreshed));
            self.pbx.notify(&line, &notify);
            let state = self.pbx.state(&line);
            let word = state.map_or("Unknown".to_owned(), |state| format!("{state:?}"));
            rows.push(format!("{line} {word}"));
        }
        let wanted: Vec<&str> = step.block.iter().map(|row| row.trim()).collect();
        let wanted: Vec<&str> = wanted
            .into_iter()
            .filter(|row| !row.starts_with('#'))
            .collect();
        assert_eq!(
            rows,
            wanted,
            "the states after each NOTIFY\n{}",
            rows.join("\n")
        );
    }

    fn expect(&self, step: &Step) {
        let (line, number) = (step.word(1), step.number);
        match step.word(2) {
            "trouble" => {
                let trouble = self.pbx.trouble(line);
                let wanted = step.rest(3);
                let found = trouble.as_deref().unwrap_or_default();
                assert!(
                    !found.is_empty() && found.contains(&wanted),
                    "line {number}: the trouble of {line} is {trouble:?}"
                );
            }
            "well" => assert_eq!(self.pbx.trouble(line), None, "line {number}"),
            "requests" => {
                let count = self.pbx.requests(line).len();
                let most: usize = step.word(3).parse().unwrap();
                assert!(
                    count <= most,
                    "line {number}: {count} SUBSCRIBEs for {line}"
                );
            }
            "answered" => {
                let last = self.pbx.answered.last();
                assert_eq!(last, Some(&step.word(3).parse().unwrap()), "line {number}");
            }
            wanted => {
                let wanted = script::state(wanted);
                assert_eq!(self.pbx.state(line), wanted, "line {number}: {line}");
            }
        }
    }
}

/// The NOTIFYs of a recording, without the marks between them.
fn recorded(recording: &str) -> Vec<String> {
    let mut all = Vec::new();
    let text = format!("\n{recording}");
    for part in text.split("\nNOTIFY ").skip(1) {
        let whole = format!("NOTIFY {part}");
        let end = whole.find("\n## ").unwrap_or(whole.len());
        all.push(whole[..end].to_owned());
    }
    all
}

// A17
#[test]
fn an_unreadable_notify_is_named_and_causes_a_refresh() {
    let call = "<dialog-info xmlns='urn:ietf:params:xml:ns:dialog-info' version='1' state='full' entity='x'><dialog id='1'><state>confirmed</state></dialog></dialog-info>";
    for (from, to) in [
        ("Content-Length: ", "Content-Length: 9"),
        ("Event: dialog", "Event: dialog;id=7"),
        ("Event: dialog\r\n", ""),
        ("Subscription-State: active;expires=600\r\n", ""),
        ("CSeq: 2 NOTIFY", "CSeq: 4294967301 NOTIFY"),
        ("From: <", "From: \"A B <"),
        ("Event: dialog", "Event dialog"),
        ("NOTIFY sip:", "notify sip:"),
        ("SIP/2.0\r\n", "SIP/2.1\r\n"),
    ] {
        let mut pbx = Notifier::new(&["1001".to_owned()], None);
        let idle = call.replace("confirmed", "terminated");
        pbx.set_document("1001", Some(Notify::new(idle.into_bytes())));
        pbx.connect();
        pbx.elapse(std::time::Duration::from_secs(30));
        assert_eq!(pbx.state("1001"), Some(presence::LineState::Idle), "{from}");
        let call = Notify::new(call.into());
        pbx.set_document("1001", Some(call.clone()));
        pbx.notify_changed("1001", &call, from, to);
        pbx.elapse(std::time::Duration::from_secs(1));
        assert_eq!(
            pbx.state("1001"),
            Some(presence::LineState::Connected),
            "{from} -> {to}"
        );
    }
}
