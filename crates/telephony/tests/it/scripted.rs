//! A PBX with answers chosen by the test, over UDP, TCP and TLS, that counts its requests.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use sip::{
    agent::{Outbox, Peer},
    message::{Message, Writer, answer},
};
use telephony::{
    sip_server::{Core, Flow, Sockets, Wake, serve},
    tls::Identity,
};
use tokio::sync::watch;

use crate::bench::PATIENCE;

/// The messages sent for one request.
pub type Script = fn(&Message<'_>) -> Vec<Vec<u8>>;

/// Requests by method and value of Expires.
type Counts = BTreeMap<(String, Option<u32>), usize>;

struct Scripted {
    script: Script,
    counts: watch::Sender<Counts>,
}

impl Core for Scripted {
    fn receive(&mut self, _: Duration, peer: Peer<Flow>, bytes: &[u8], out: &mut Outbox<Flow>) {
        let message = Message::parse(bytes).unwrap();
        let Some(method) = message.method() else {
            return;
        };
        let key = (method.to_owned(), message.seconds("Expires"));
        self.counts
            .send_modify(|counts| *counts.entry(key).or_default() += 1);
        for bytes in (self.script)(&message) {
            out.push(peer.flow, &bytes);
        }
    }

    fn on_wake(&mut self, _: Duration, _: &mut Outbox<Flow>) -> bool {
        false
    }

    fn elapse(&mut self, _: Duration, _: &mut Outbox<Flow>) {}

    fn next_deadline(&self) -> Option<Duration> {
        None
    }

    fn flow_lost(&mut self, _: Flow) {}

    fn is_authenticated(&self, _: Flow) -> bool {
        true
    }
}

/// A running PBX. Dropping it ends it.
pub struct ScriptedPbx {
    pub address: SocketAddr,
    pub tls_address: Option<SocketAddr>,
    counts: watch::Receiver<Counts>,
    task: tokio::task::JoinHandle<()>,
}

impl ScriptedPbx {
    pub async fn start(identity: Option<&Identity>, script: Script) -> Self {
        let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let mut sockets = Sockets::bind(listen).await.unwrap();
        let mut tls_address = None;
        if let Some(identity) = identity {
            let added = sockets.add_tls(listen, identity.clone()).await;
            tls_address = Some(added.unwrap());
        }
        let address = sockets.address().unwrap();
        let (sender, counts) = watch::channel(Counts::new());
        let core = Scripted {
            script,
            counts: sender,
        };
        let task = tokio::spawn(async {
            serve(core, sockets, Wake::default()).await;
        });
        Self {
            address,
            tls_address,
            counts,
            task,
        }
    }

    /// Number of requests of this method with this Expires.
    pub fn count(&self, method: &str, expires: impl Into<Option<u32>>) -> usize {
        let key = (method.to_owned(), expires.into());
        self.counts.borrow().get(&key).copied().unwrap_or_default()
    }

    /// Waits for at least `number` requests of this method with this Expires.
    pub async fn until(&self, method: &str, expires: impl Into<Option<u32>>, number: usize) {
        let key = (method.to_owned(), expires.into());
        let mut counts = self.counts.clone();
        let have_come = counts.wait_for(|counts| counts.get(&key).is_some_and(|n| *n >= number));
        let waited = tokio::time::timeout(PATIENCE, have_come).await;
        assert!(waited.is_ok(), "{key:?}: {:?}", self.counts.borrow());
    }
}

impl Drop for ScriptedPbx {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Accepts a request.
pub fn accept(request: &Message<'_>) -> Vec<u8> {
    let response = answer(request, 200, Some("pbx")).header("Contact", "<sip:pbx.test>");
    let expires = request.seconds("Expires").unwrap_or_default();
    let response = response.header("Expires", expires);
    response.header("SIP-ETag", "t").finish().unwrap()
}

/// The NOTIFY that follows a SUBSCRIBE: no call.
pub fn notify(subscribe: &Message<'_>) -> Vec<u8> {
    notify_with(subscribe, "application/dialog-info+xml", b"")
}

/// The NOTIFY that follows a SUBSCRIBE, with this document.
pub fn notify_with(subscribe: &Message<'_>, content_type: &str, body: &[u8]) -> Vec<u8> {
    let state = match subscribe.seconds("Expires") {
        Some(0) => "terminated;reason=timeout",
        _ => "active;expires=600",
    };
    let cseq = subscribe.cseq().unwrap().number;
    Writer::request("NOTIFY", "sip:watcher@offhook")
        .header("Via", format_args!("SIP/2.0/TCP pbx;branch=z9hG4bKn{cseq}"))
        .header("From", "<sip:x@pbx.test>;tag=pbx")
        .header("To", subscribe.header("From").unwrap())
        .header("Call-ID", subscribe.call_id().unwrap())
        .header("CSeq", format_args!("{cseq} NOTIFY"))
        .header("Event", subscribe.header("Event").unwrap())
        .header("Subscription-State", state)
        .body(content_type, body)
        .unwrap()
}

/// Accepts everything and sends a NOTIFY for each SUBSCRIBE.
pub fn ordinary(request: &Message<'_>) -> Vec<Vec<u8>> {
    match request.method() {
        Some("SUBSCRIBE") => vec![accept(request), notify(request)],
        _ => vec![accept(request)],
    }
}
