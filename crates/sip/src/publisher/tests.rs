//! The publisher against a driven clock and a small presence server in memory.

use proptest::prelude::*;

use super::*;
use crate::{Transport, digest::Credentials, message::answer};

const SECOND: Duration = Duration::from_secs(1);

/// A publisher, and a presence server that answers as the test chooses.
struct Bench {
    now: Duration,
    publisher: Publisher,
    /// The server's publications, the latest last: document, tag and end.
    server: Vec<(Vec<u8>, String, Duration)>,
    tags: u32,
}

fn account() -> Arc<Account> {
    Arc::new(Account {
        from: "sip:offhook@pbx.test".into(),
        contact: "sip:offhook@127.0.0.1:5080".into(),
        sent_by: "127.0.0.1:5080".into(),
        transport: Transport::Udp,
        credentials: Some(Credentials {
            username: "offhook".into(),
            password: "secret".into(),
        }),
        event: "dialog".into(),
        accept: "application/dialog-info+xml".into(),
        supported: None,
        user_agent: "test".into(),
    })
}

fn document(text: &str) -> Arc<[u8]> {
    text.as_bytes().into()
}

impl Bench {
    fn new() -> Self {
        Self {
            now: SECOND,
            publisher: Publisher::new("sip:1001@pbx.test".into(), Ids::new([7; 32])),
            server: Vec::new(),
            tags: 0,
        }
    }

    fn handle(&mut self, event: Event<'_>) -> Vec<Action> {
        self.publisher.handle(self.now, event)
    }

    fn respond(&mut self, request: &[u8], code: u16, headers: &[(&str, &str)]) -> Vec<Action> {
        let request = Message::parse(request).unwrap();
        let mut response = answer(&request, code, Some("pbx"));
        for (name, value) in headers {
            response = response.header(name, value);
        }
        let bytes = response.finish().unwrap();
        let message = Message::parse(&bytes).unwrap();
        self.publisher.handle(self.now, Event::Received(&message))
    }

    /// Answers by RFC 3903 §6, and answers the requests that follow.
    fn serve(&mut self, actions: Vec<Action>) -> Vec<Action> {
        let mut told = Vec::new();
        let mut todo = actions;
        while let Some(action) = todo.pop() {
            let Action::Send(request) = action else {
                told.push(action);
                continue;
            };
            let message = Message::parse(&request).unwrap();
            let now = self.now;
            self.server.retain(|(_, _, end)| *end > now);
            let known = match message.header("SIP-If-Match") {
                None => None,
                Some(tag) => match self.server.iter().position(|(_, known, _)| *known == tag) {
                    Some(at) => Some(self.server.remove(at)),
                    None => {
                        todo.extend(self.respond(&request, 412, &[]));
                        continue;
                    }
                },
            };
            let body = match message.body() {
                [] => known.expect("a renewal of nothing").0,
                body => body.to_vec(),
            };
            let expires = message.seconds("Expires").unwrap();
            self.tags += 1;
            let tag = format!("tag{}", self.tags);
            let end = now + Duration::from_secs(expires.into());
            self.server.push((body, tag.clone(), end));
            let expires = expires.to_string();
            let headers = [("SIP-ETag", tag.as_str()), ("Expires", expires.as_str())];
            todo.extend(self.respond(&request, 200, &headers));
        }
        told
    }

    /// Moves on to the next deadline and serves the requests.
    fn pass(&mut self) -> Vec<Action> {
        self.now = self.publisher.next_deadline().expect("nothing is planned");
        let actions = self.handle(Event::Elapsed);
        self.serve(actions)
    }

    fn seen(&self) -> Vec<&str> {
        let live = self.server.iter().filter(|(_, _, end)| *end > self.now);
        live.map(|(body, _, _)| std::str::from_utf8(body).unwrap())
            .collect()
    }

    fn begin(&mut self) {
        assert_eq!(self.handle(Event::Start(account())), []);
        let actions = self.handle(Event::Publish(document("busy")));
        assert_eq!(self.serve(actions), [Action::Accepted]);
    }
}

#[test]
fn a_publication_stays_until_it_is_ended() {
    let mut bench = Bench::new();
    bench.begin();
    for _ in 0..10 {
        let before = bench.now;
        assert_eq!(bench.pass(), [Action::Accepted]);
        assert!(bench.now - before < SECOND * EXPIRES_REQUESTED);
        assert_eq!(bench.seen(), ["busy"]);
    }
    let actions = bench.handle(Event::End(document("over")));
    assert_eq!(bench.serve(actions), [Action::Accepted]);
    assert_eq!(bench.seen(), ["over"]);
    // A second call soon after replaces the first.
    let actions = bench.handle(Event::Publish(document("busy")));
    assert_eq!(bench.serve(actions), [Action::Accepted]);
    assert_eq!(bench.seen(), ["busy"]);
    let actions = bench.handle(Event::End(document("over")));
    assert_eq!(bench.serve(actions), [Action::Accepted]);
    let until = bench.now + SECOND * FINAL_EXPIRES;
    assert_eq!((bench.pass(), bench.now), (vec![], until));
    assert!(bench.seen().is_empty());
    assert!(bench.publisher.is_idle() && bench.publisher.next_deadline().is_none());
}

#[test]
fn a_publication_is_removed_at_once() {
    let mut bench = Bench::new();
    bench.begin();
    let actions = bench.handle(Event::Remove);
    assert_eq!(bench.serve(actions), [Action::Accepted]);
    assert!(bench.seen().is_empty() && bench.publisher.is_idle());
}

#[test]
fn a_document_never_published_needs_no_end() {
    let mut bench = Bench::new();
    assert_eq!(bench.handle(Event::Start(account())), []);
    assert_eq!(bench.handle(Event::End(document("over"))), []);
    assert!(bench.publisher.is_idle());
}

#[test]
fn a_server_that_has_forgotten_a_publication_gets_it_again() {
    let mut bench = Bench::new();
    bench.begin();
    bench.server.clear();
    assert_eq!(bench.pass(), [Action::Accepted]);
    assert_eq!(bench.seen(), ["busy"]);
    // The same after the link was lost in between.
    assert_eq!(bench.handle(Event::TransportLost), []);
    assert_eq!(bench.publisher.next_deadline(), None);
    bench.server.clear();
    let actions = bench.handle(Event::Start(account()));
    assert_eq!(bench.serve(actions), [Action::Accepted]);
    assert_eq!(bench.seen(), ["busy"]);
}

#[test]
fn a_challenge_is_answered_and_a_wrong_password_tried_rarely() {
    const CHALLENGE: (&str, &str) = (
        "Proxy-Authenticate",
        "Digest realm=\"pbx.test\", nonce=\"n1\", qop=\"auth\"",
    );
    let mut bench = Bench::new();
    bench.handle(Event::Start(account()));
    let send = |actions: &[Action]| match actions {
        [Action::Send(bytes)] => bytes.clone(),
        other => panic!("{other:?}"),
    };
    let first = send(&bench.handle(Event::Publish(document("busy"))));
    let second = send(&bench.respond(&first, 407, &[CHALLENGE]));
    let message = Message::parse(&second).unwrap();
    assert!(message.header("Proxy-Authorization").is_some());
    assert_eq!(message.body(), b"busy");
    let refused = bench.respond(&second, 407, &[CHALLENGE]);
    let trouble = Trouble::WrongCredentials { code: 407 };
    assert_eq!(refused, [Action::Trouble(trouble)]);
    // Changes in between do not make it try earlier.
    assert_eq!(bench.handle(Event::Publish(document("away"))), []);
    let pause = bench.publisher.next_deadline().unwrap() - bench.now;
    assert!(pause >= SECOND * 120, "{pause:?}");
    assert_eq!(bench.pass(), [Action::Accepted]);
    assert_eq!(bench.seen(), ["away"]);
}

// A1, A9
#[test]
fn an_old_nonce_and_a_second_realm_are_no_trouble() {
    let challenge =
        |realm: &str, nonce: &str| format!("Digest realm=\"{realm}\", nonce=\"{nonce}\"");
    let send = |actions: &[Action]| match actions {
        [Action::Send(bytes)] => bytes.clone(),
        other => panic!("{other:?}"),
    };
    let carries = |request: &[u8], name: &str, nonce: &str| {
        let message = Message::parse(request).unwrap();
        message
            .header(name)
            .is_some_and(|value| value.contains(nonce))
    };
    let mut bench = Bench::new();
    bench.handle(Event::Start(account()));
    let first = send(&bench.handle(Event::Publish(document("busy"))));
    let proxy = challenge("proxy", "n1");
    let second = send(&bench.respond(&first, 407, &[("Proxy-Authenticate", &proxy)]));
    let pbx = challenge("pbx", "n2");
    let third = send(&bench.respond(&second, 401, &[("WWW-Authenticate", &pbx)]));
    assert!(carries(&third, "Proxy-Authorization", "n1") && carries(&third, "Authorization", "n2"));
    assert_eq!(bench.serve(vec![Action::Send(third)]), [Action::Accepted]);
    // The renewal is refused without a challenge: the next request asks for one, under the same name.
    bench.now = bench.publisher.next_deadline().unwrap();
    let renewal = send(&bench.handle(Event::Elapsed));
    assert!(carries(&renewal, "Proxy-Authorization", "n1"));
    let again = send(&bench.respond(&renewal, 401, &[]));
    assert!(!carries(&again, "Proxy-Authorization", "") && !carries(&again, "Authorization", ""));
    assert!(carries(&again, "SIP-If-Match", ""));
    assert_eq!(bench.serve(vec![Action::Send(again)]), [Action::Accepted]);
}

#[test]
fn a_longer_interval_is_taken() {
    let mut bench = Bench::new();
    bench.handle(Event::Start(account()));
    let actions = bench.handle(Event::Publish(document("busy")));
    let [Action::Send(first)] = &actions[..] else {
        panic!("{actions:?}");
    };
    let again = bench.respond(first, 423, &[("Min-Expires", "900")]);
    assert_eq!(bench.serve(again), [Action::Accepted]);
    let (_, _, end) = &bench.server[0];
    assert_eq!(*end, bench.now + SECOND * 900);
}

#[test]
fn a_publication_that_cannot_be_renewed_is_not_published_in_a_loop() {
    let mut bench = Bench::new();
    bench.handle(Event::Start(account()));
    let actions = bench.handle(Event::Publish(document("busy")));
    let [Action::Send(first)] = &actions[..] else {
        panic!("{actions:?}");
    };
    let told = bench.respond(first, 200, &[("Expires", "120")]);
    assert_eq!(told, [Action::Trouble(Trouble::NoEntityTag)]);
    let pause = bench.publisher.next_deadline().unwrap() - bench.now;
    assert!(pause >= RETRY_INTERVAL_MAX, "{pause:?}");
}

/// An event of a publication.
#[derive(Clone, Debug)]
enum Step {
    Publish(u8),
    End,
    Pass,
    Forget,
    Lost,
    Refuse(u16),
    Silence,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0u8..3).prop_map(Step::Publish),
        Just(Step::End),
        Just(Step::Pass),
        Just(Step::Forget),
        Just(Step::Lost),
        prop::sample::select(vec![403u16, 480, 500, 503]).prop_map(Step::Refuse),
        Just(Step::Silence),
    ]
}

proptest! {
    #[test]
    fn after_any_events_the_server_has_the_wanted_document(steps in prop::collection::vec(any_step(), 0..20)) {
        let mut bench = Bench::new();
        let mut wanted: Option<String> = None;
        let mut actions = bench.handle(Event::Start(account()));
        for step in steps {
            match step {
                Step::Publish(number) => {
                    wanted = Some(format!("busy{number}"));
                    let text = wanted.clone().unwrap();
                    actions.extend(bench.handle(Event::Publish(document(&text))));
                }
                Step::End => {
                    wanted = None;
                    actions.extend(bench.handle(Event::End(document("over"))));
                }
                Step::Pass => {
                    let served = std::mem::take(&mut actions);
                    bench.serve(served);
                }
                Step::Forget => bench.server.clear(),
                Step::Lost => {
                    actions.clear();
                    bench.handle(Event::TransportLost);
                    actions.extend(bench.handle(Event::Start(account())));
                }
                Step::Refuse(code) => {
                    for action in std::mem::take(&mut actions) {
                        if let Action::Send(request) = action {
                            actions.extend(bench.respond(&request, code, &[]));
                        }
                    }
                }
                Step::Silence => {
                    actions.clear();
                    if let Some(at) = bench.publisher.next_deadline() {
                        bench.now = at;
                        actions.extend(bench.handle(Event::Elapsed));
                    }
                }
            }
        }
        bench.serve(actions);
        // Two renewals or retries later server and publisher agree.
        let until = bench.now + RETRY_INTERVAL_MAX * 3;
        while let Some(at) = bench.publisher.next_deadline().filter(|at| *at <= until) {
            bench.now = bench.now.max(at);
            let actions = bench.handle(Event::Elapsed);
            bench.serve(actions);
        }
        match wanted {
            Some(wanted) => prop_assert_eq!(bench.seen(), [&*wanted]),
            None => {
                bench.now = until;
                prop_assert!(bench.seen().is_empty());
                prop_assert!(bench.publisher.is_idle());
            }
        }
    }
}

// A5
#[test]
fn no_presence_server_causes_a_loop_of_requests() {
    type Answer = fn(&mut Bench, &[u8], u32) -> Vec<Action>;
    fn grant(bench: &mut Bench, request: &[u8], count: u32, expires: &str) -> Vec<Action> {
        let tag = count.to_string();
        bench.respond(request, 200, &[("SIP-ETag", &tag), ("Expires", expires)])
    }
    let servers: [(&str, Answer); 9] = [
        ("expires 0", |bench, request, count| {
            grant(bench, request, count, "0")
        }),
        ("expires 1", |bench, request, count| {
            grant(bench, request, count, "1")
        }),
        ("expires 4", |bench, request, count| {
            grant(bench, request, count, "4")
        }),
        ("423 that grows", |bench, request, count| {
            bench.respond(request, 423, &[("Min-Expires", &(200 + count).to_string())])
        }),
        ("423", |bench, request, _| bench.respond(request, 423, &[])),
        ("412", |bench, request, _| bench.respond(request, 412, &[])),
        ("200, then 412", |bench, request, count| match count % 2 {
            0 => bench.respond(request, 412, &[]),
            _ => grant(bench, request, count, "1"),
        }),
        ("503", |bench, request, _| {
            bench.respond(request, 503, &[("Retry-After", "0")])
        }),
        ("always stale", |bench, request, _| {
            let challenge = "Digest realm=\"r\", nonce=\"n\", stale=true";
            bench.respond(request, 401, &[("WWW-Authenticate", challenge)])
        }),
    ];
    for (name, answer) in servers {
        let mut bench = Bench::new();
        bench.handle(Event::Start(account()));
        let mut todo = bench.handle(Event::Publish(document("busy")));
        let (mut sent, mut troubles) = (Vec::new(), 0);
        while bench.now < SECOND * 7200 {
            while let Some(action) = todo.pop() {
                match action {
                    Action::Send(request) => {
                        sent.push(bench.now);
                        let count = u32::try_from(sent.len()).unwrap();
                        todo.extend(answer(&mut bench, &request, count));
                    }
                    Action::Trouble(_) => troubles += 1,
                    Action::Accepted => {}
                }
                assert!(sent.len() < 5_000, "{name}: a loop");
            }
            bench.now = bench.now.max(bench.publisher.next_deadline().unwrap());
            todo = bench.handle(Event::Elapsed);
        }
        assert!(
            sent.windows(6).all(|six| six[5] - six[0] >= SECOND),
            "{name}"
        );
        let late = sent.iter().filter(|at| **at > SECOND * 3600).count();
        assert!(
            (3..=60).contains(&late),
            "{name}: {late} in the second hour"
        );
        assert!(troubles > 0, "{name}");
    }
    // A short lease is renewed without trouble.
    let mut bench = Bench::new();
    bench.handle(Event::Start(account()));
    let mut todo = bench.handle(Event::Publish(document("busy")));
    let mut count = 0;
    while bench.now < SECOND * 600 {
        while let Some(action) = todo.pop() {
            match action {
                Action::Send(request) => {
                    count += 1;
                    todo.extend(grant(&mut bench, &request, count, "10"));
                }
                other => assert_eq!(other, Action::Accepted),
            }
        }
        let at = bench.publisher.next_deadline().unwrap();
        assert!(at < bench.now + SECOND * 10);
        bench.now = at;
        todo = bench.handle(Event::Elapsed);
    }
    assert!(count <= 120, "{count}");
}
