//! A subscriber with a driven clock, and functions for the notifier's messages.

use crate::{
    message::{Writer, answer},
    subscriber::*,
};

/// A subscriber and its clock.
pub(super) struct Bench {
    pub(super) now: Duration,
    pub(super) subscriber: Subscriber,
    pub(super) transport: Transport,
}

pub(super) const SECOND: Duration = Duration::from_secs(1);

/// The single message that was sent.
pub(super) fn sent(actions: &[Action]) -> Vec<u8> {
    let mut all = actions.iter().filter_map(|a| match a {
        Action::Send(bytes) => Some(bytes.clone()),
        _ => None,
    });
    let first = all.next().expect("nothing was sent");
    assert_eq!(all.next(), None, "more than one message was sent");
    first
}

pub(super) fn field(bytes: &[u8], name: &str) -> String {
    Message::parse(bytes)
        .unwrap()
        .header(name)
        .unwrap_or_default()
        .into_owned()
}

pub(super) fn code(actions: &[Action]) -> u16 {
    Message::parse(&sent(actions)).unwrap().code().unwrap()
}

pub(super) fn troubles(actions: &[Action]) -> Vec<Trouble> {
    actions
        .iter()
        .filter_map(|a| {
            if let Action::Trouble(t) = a {
                Some(t.clone())
            } else {
                None
            }
        })
        .collect()
}

impl Bench {
    pub(super) fn new(transport: Transport) -> Self {
        Self {
            now: SECOND,
            subscriber: Subscriber::new("sip:1001@pbx.test".into(), Ids::new([3; 32])),
            transport,
        }
    }

    /// Passes one event, and then lets a new subscription begin that needs no pause.
    pub(super) fn handle(&mut self, event: Event<'_>) -> Vec<Action> {
        let mut actions = self.subscriber.handle(self.now, event);
        if self.subscriber.phase == Phase::Waiting(self.now) {
            actions.extend(self.subscriber.handle(self.now, Event::Elapsed));
        }
        actions
    }

    pub(super) fn start(&mut self) -> Vec<u8> {
        sent(&self.begin())
    }

    pub(super) fn begin(&mut self) -> Vec<Action> {
        let account = Account {
            from: "sip:1003@pbx.test".into(),
            contact: "sip:1003@127.0.0.1:5080".into(),
            sent_by: "127.0.0.1:5080".into(),
            transport: self.transport,
            credentials: Some(Credentials {
                username: "1003".into(),
                password: "pw1003".into(),
            }),
            event: "dialog".into(),
            accept: "application/dialog-info+xml".into(),
            supported: None,
            user_agent: "test".into(),
        };
        self.handle(Event::Start(Arc::new(account)))
    }

    pub(super) fn respond(
        &mut self,
        request: &[u8],
        code: u16,
        headers: &[(&str, &str)],
    ) -> Vec<Action> {
        let request = Message::parse(request).unwrap();
        let mut response = answer(&request, code, Some("pbx"));
        for (name, value) in headers {
            response = response.header(name, value);
        }
        let bytes = response.finish().unwrap();
        self.handle(Event::Received(&Message::parse(&bytes).unwrap()))
    }

    pub(super) fn accept(&mut self, request: &[u8]) -> Vec<Action> {
        self.respond(
            request,
            200,
            &[("Expires", "600"), ("Contact", "<sip:10.0.0.1:5060>")],
        )
    }

    /// A NOTIFY in the dialog of `subscribe`.
    pub(super) fn notify(
        &mut self,
        subscribe: &[u8],
        cseq: u32,
        state: &str,
        tag: &str,
        branch: &str,
    ) -> Vec<Action> {
        let bytes = Writer::request("NOTIFY", "sip:1003@127.0.0.1:5080")
            .header("Via", format_args!("SIP/2.0/UDP pbx;branch={branch}"))
            .header("From", format_args!("<sip:1001@pbx.test>;tag={tag}"))
            .header("To", field(subscribe, "From"))
            .header("Call-ID", field(subscribe, "Call-ID"))
            .header("CSeq", format_args!("{cseq} NOTIFY"))
            .header("Event", "dialog")
            .header("Subscription-State", state)
            .body("application/dialog-info+xml", b"<x/>")
            .unwrap();
        self.handle(Event::Received(&Message::parse(&bytes).unwrap()))
    }

    pub(super) fn active(&mut self) -> Vec<u8> {
        let subscribe = self.start();
        self.accept(&subscribe);
        let actions = self.notify(&subscribe, 2, "active;expires=600", "pbx", "z9hG4bK2");
        assert!(matches!(actions[1], Action::Notified { first: true, .. }));
        assert!(self.subscriber.is_active());
        subscribe
    }

    /// Moves on to the next deadline; returns the actions.
    pub(super) fn wait(&mut self) -> Vec<Action> {
        self.now = self.subscriber.next_deadline().expect("nothing is planned");
        self.handle(Event::Elapsed)
    }

    /// Moves on until a new SUBSCRIBE (not a repetition) is sent; returns the time it took and the request.
    pub(super) fn wait_for_subscribe(&mut self) -> (Duration, Vec<u8>) {
        let since = self.now;
        loop {
            let pending = self.subscriber.is_pending();
            let actions = self.wait();
            if !pending && actions.iter().any(|a| matches!(a, Action::Send(_))) {
                return (self.now - since, sent(&actions));
            }
        }
    }
}
