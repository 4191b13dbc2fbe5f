//! Lists of resources (RFC 4662): one subscription, documents of all members, then of the changed ones.

use super::*;
use crate::{multipart, resource_list::ResourceList};

/// A host with a list of people and documents of a length chosen by the test.
struct Team {
    members: Option<Vec<u32>>,
    states: Vec<String>,
    /// The class for a member; `None`: the watcher may not see it.
    class: Option<Class>,
    made: usize,
}

/// The list has the number of a member: the two never meet.
const LIST: ListId = ListId(1);

impl Host<u8> for Team {
    fn admit(&mut self, _: Duration, _: Peer<u8>, _: &Message<'_>, _: Package) -> Admission {
        Admission::WatchList(LIST, Watcher::new(1))
    }

    fn class(&mut self, _: Resource, _: Option<Watcher>) -> Option<Class> {
        self.class
    }

    fn members(&mut self, list: ListId, _: Option<Watcher>) -> Option<Vec<Member>> {
        assert_eq!(list, LIST);
        let member = |number: &u32| Member {
            resource: Resource(*number),
            uri: format!("sip:{number}@x").into(),
            name: format!("<{number}>{}", "long name ".repeat(9)).into(),
        };
        Some(self.members.as_ref()?.iter().map(member).collect())
    }

    fn document(&mut self, resource: Resource, _: Package, class: Class) -> Option<Arc<Document>> {
        self.made += 1;
        let state = self.states.get(resource.0 as usize)?;
        let text = format!("<d version=\"0\">{state} {}</d>", class.0);
        Some(Arc::new(Document::versioned(text.into_bytes())))
    }

    fn admit_publication(
        &mut self,
        now: Duration,
        peer: Peer<u8>,
        request: &Message<'_>,
        package: Package,
    ) -> Admission {
        self.admit(now, peer, request, package)
    }

    fn on_publication(&mut self, _: Duration, _: Publication<'_>) -> Result<(), u16> {
        panic!("nobody speaks for a list")
    }
}

fn team(count: u32, state: &str) -> Team {
    Team {
        members: Some((0..count).collect()),
        states: vec![state.to_owned(); count as usize],
        class: Some(Class(3)),
        made: 0,
    }
}

fn watch(call_id: &str) -> Vec<u8> {
    let request = subscribe(call_id, "dialog", 600, "<sip:1001@pbx.test>");
    request
        .header("Supported", "foo, eventlist")
        .finish()
        .unwrap()
}

fn receive_all(agent: &mut Agent<u8>, host: &mut Team, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Outbox::default();
    agent.receive(
        SECOND,
        PEER,
        &Message::parse(bytes).unwrap(),
        host,
        &mut out,
    );
    sent(&out)
}

/// Content of a NOTIFY: whether it names all members, and each member's document, empty without one.
fn content_of(notify: &[u8]) -> (bool, Vec<(String, Option<String>)>) {
    let notify = Message::parse(notify).unwrap();
    assert_eq!(notify.header("Require").as_deref(), Some("eventlist"));
    let content_type = notify.header("Content-Type").unwrap();
    let parts = multipart::parse(&content_type, notify.body()).unwrap();
    assert_eq!(parts[0].content_type, "application/rlmi+xml");
    let list = ResourceList::parse(&parts[0].body).unwrap();
    assert_eq!(list.uri, "sip:1001@pbx.test");
    let document = |id: &str| {
        let part = parts.iter().find(|part| part.id == id).unwrap();
        assert_eq!(part.content_type, "application/dialog-info+xml");
        String::from_utf8_lossy(&part.body).into_owned()
    };
    let resources = list.resources.iter().map(|resource| {
        let instance = resource.instances.first();
        let said = instance.map(|i| i.content_id.as_deref().map(document).unwrap_or_default());
        (resource.uri.clone(), said)
    });
    (list.full, resources.collect())
}

fn yes(agent: &mut Agent<u8>, host: &mut Team, notify: &[u8]) -> Vec<Vec<u8>> {
    let notify = Message::parse(notify).unwrap();
    let answer = crate::message::answer(&notify, 200, None).finish().unwrap();
    receive_all(agent, host, &answer)
}

fn touch(agent: &mut Agent<u8>, host: &mut Team, resource: u32) -> Vec<Vec<u8>> {
    let mut out = Outbox::default();
    agent.notify_watchers(SECOND, Resource(resource), host, &mut out);
    sent(&out)
}

#[test]
fn all_members_are_sent_first_and_then_the_changed_ones() {
    let (mut agent, mut host) = (agent(), team(3, "idle"));
    let sent = receive_all(&mut agent, &mut host, &watch("a"));
    let accepted = Message::parse(&sent[0]).unwrap();
    assert_eq!(accepted.code(), Some(200));
    assert_eq!(accepted.header("Require").as_deref(), Some("eventlist"));
    let (full, members) = content_of(&sent[1]);
    assert!(full && members.len() == 3);
    assert!(
        members
            .iter()
            .all(|(_, said)| said.as_deref() == Some("<d version=\"0\"         >idle 3</d>"))
    );
    assert!(yes(&mut agent, &mut host, &sent[1]).is_empty());

    host.states[1] = "busy".into();
    host.made = 0;
    let sent = touch(&mut agent, &mut host, 1);
    let (full, members) = content_of(&sent[0]);
    assert_eq!(host.made, 1, "others are not looked at");
    assert_eq!((full, &*members[0].0, members.len()), (false, "sip:1@x", 1));
    assert!(members[0].1.as_ref().unwrap().contains("busy"));
    // Before the answer another member changes, and one changes to the same document: both wait for the answer, the latter
    // is not sent.
    host.states[2] = "busy".into();
    assert!(touch(&mut agent, &mut host, 2).is_empty());
    assert!(touch(&mut agent, &mut host, 0).is_empty());
    let sent = yes(&mut agent, &mut host, &sent[0]);
    let (_, members) = content_of(&sent[0]);
    assert_eq!((&*members[0].0, members.len()), ("sip:2@x", 1));
    assert!(yes(&mut agent, &mut host, &sent[0]).is_empty());
    assert!(touch(&mut agent, &mut host, 0).is_empty());
}

#[test]
fn documents_that_do_not_fit_into_a_datagram_follow() {
    let (mut agent, mut host) = (agent(), team(40, &"x".repeat(900)));
    // Documents of 8 KiB at a time.
    let mut sent = receive_all(&mut agent, &mut host, &watch("a")).split_off(1);
    let mut seen = std::collections::BTreeSet::new();
    let mut messages = 0;
    while let Some(notify) = sent.pop() {
        messages += 1;
        let (full, members) = content_of(&notify);
        assert_eq!(full, messages == 1);
        if full {
            assert_eq!(members.len(), 40, "all are named at once");
        }
        assert!(notify.len() < 16 * 1024, "{}", notify.len());
        seen.extend(
            members
                .into_iter()
                .filter(|(_, said)| said.is_some())
                .map(|(uri, _)| uri),
        );
        sent = yes(&mut agent, &mut host, &notify);
    }
    assert!(
        seen.len() == 40 && (5..12).contains(&messages),
        "{messages}"
    );
}

#[test]
fn a_watcher_without_list_support_is_refused() {
    let (mut agent, mut host) = (agent(), team(1, "idle"));
    let request = subscribe("a", "dialog", 600, "<sip:w>").finish().unwrap();
    let sent = receive_all(&mut agent, &mut host, &request);
    let refused = Message::parse(&sent[0]).unwrap();
    assert_eq!(refused.code(), Some(421));
    assert_eq!(refused.header("Require").as_deref(), Some("eventlist"));
    host.members = None;
    let sent = receive_all(&mut agent, &mut host, &watch("b"));
    assert_eq!(Message::parse(&sent[0]).unwrap().code(), Some(404));
    assert!(agent.is_empty());
}

#[test]
fn others_join_and_leave_and_some_may_not_be_seen_any_more() {
    let (mut agent, mut host) = (agent(), team(3, "idle"));
    host.members = Some(vec![0, 1]);
    let sent = receive_all(&mut agent, &mut host, &watch("a"));
    yes(&mut agent, &mut host, &sent[1]);
    host.members = Some(vec![1, 2]);
    let mut out = Outbox::default();
    agent.list_changed(SECOND, LIST, &mut host, &mut out);
    let (full, members) = content_of(&super::sent(&out)[0]);
    let uris: Vec<&str> = members.iter().map(|(uri, _)| &**uri).collect();
    assert_eq!((full, uris), (true, vec!["sip:1@x", "sip:2@x"]));
    yes(&mut agent, &mut host, &super::sent(&out)[0]);
    host.states[0] = "busy".into();
    assert!(
        touch(&mut agent, &mut host, 0).is_empty(),
        "no member any more"
    );

    host.class = None;
    let mut out = Outbox::default();
    agent.reclassify(SECOND, Resource(2), &mut host, &mut out);
    let (_, members) = content_of(&super::sent(&out)[0]);
    assert_eq!(members, [("sip:2@x".into(), Some(String::new()))]);
    yes(&mut agent, &mut host, &super::sent(&out)[0]);

    host.members = None;
    let mut out = Outbox::default();
    agent.list_changed(SECOND, LIST, &mut host, &mut out);
    let ended = super::sent(&out);
    let ended = Message::parse(&ended[0]).unwrap();
    assert_eq!(
        ended.header("Subscription-State").as_deref(),
        Some("terminated;reason=noresource")
    );
}

/// The largest list with long names and documents, on a connection as well.
#[test]
fn a_list_of_any_length_is_sent() {
    let mut host = team(MEMBERS_MAX as u32 + 10, &"y".repeat(400));
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut agent = agent();
        let peer = Peer { transport, ..PEER };
        let mut out = Outbox::default();
        let request = watch(transport.via_name());
        let message = Message::parse(&request).unwrap();
        agent.receive(SECOND, peer, &message, &mut host, &mut out);
        let mut sent = sent(&out).split_off(1);
        let mut seen = 0;
        while let Some(notify) = sent.pop() {
            let (_, members) = content_of(&notify);
            seen += members.iter().filter(|(_, said)| said.is_some()).count();
            sent = yes(&mut agent, &mut host, &notify);
        }
        assert_eq!(seen, MEMBERS_MAX);
    }
}
