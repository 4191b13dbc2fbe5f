//! All lines by one subscription to each list of them (RFC 4662), where the telephone system has lists.
//!
//! A list is a line of its own, named by its address, which no extension is; the lines themselves subscribe to nothing. A line
//! belongs to the first list whose NOTIFY names it, until that list names it no more or its subscription is lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sip::dialog_info::Completeness;
use sip::multipart::{self, Part};
use sip::order::Order;
use sip::resource_list::{self, ListedResource, ResourceList};
use sip::subscriber::{Event, Subscriber};
use sip::uri::user;

use super::{Line, Lines, Output};

impl Lines {
    /// The line that is subscribed to for this one.
    pub(super) fn subscribed_for(&self, extension: &Arc<str>) -> Arc<str> {
        let line = self.lines.get(extension);
        let list = line.and_then(|line| line.list.as_ref());
        list.unwrap_or(extension).clone()
    }

    /// Whether this is a list itself.
    pub(super) fn is_list(&self, name: &Arc<str>) -> bool {
        self.lists.contains(name)
    }

    /// Begins with the lists, or ends with them when there is no line left.
    pub(super) fn keep_lists(&mut self, now: Duration, out: &mut Vec<Output>) {
        let is_wanted = self
            .lines
            .iter()
            .any(|(n, line)| !self.is_list(n) && !line.leaving);
        for list in self.lists.clone() {
            self.keep_list(now, list, is_wanted, out);
        }
    }

    fn keep_list(&mut self, now: Duration, list: Arc<str>, is_wanted: bool, out: &mut Vec<Output>) {
        let is_there = self.lines.get(&list).is_some_and(|line| !line.leaving);
        if is_wanted && !is_there {
            self.forget(&list);
            let subscriber = Subscriber::new(list.to_string(), self.ids.fork());
            self.lines.insert(list.clone(), Line::new(subscriber));
            if self.account.is_some() {
                self.queue(&list, super::pace::Job::Start);
            }
        } else if is_wanted {
            // Who is new among the lines may have been told of before anybody asked.
            self.queue(&list, super::pace::Job::Refresh);
        } else if let Some(line) = self.lines.get_mut(&list) {
            line.leaving = true;
            self.run(now, &list, Event::Stop, out);
        }
    }

    /// The lines of this list.
    fn of_list(&self, list: &Arc<str>) -> Vec<Arc<str>> {
        let lines = self.lines.iter();
        let own = lines.filter(|(_, line)| line.list.as_ref() == Some(list));
        own.map(|(name, _)| name.clone()).collect()
    }

    /// The list's subscription is lost: another list may have its lines. Returns them.
    pub(super) fn leave_list(&mut self, list: &Arc<str>) -> Vec<Arc<str>> {
        let left = self.of_list(list);
        for extension in &left {
            if let Some(line) = self.lines.get_mut(extension) {
                line.list = None;
            }
        }
        left
    }

    /// Lines that no list has, once each list has said what it has.
    fn lose_the_unlisted(&mut self, out: &mut Vec<Output>) {
        let is_told = |list: &Arc<str>| {
            let line = self.lines.get(list);
            line.is_some_and(|line| line.subscriber.is_active() && line.trouble.is_none())
        };
        if !self.lists.iter().all(is_told) {
            return;
        }
        let lines = self.lines.iter();
        let unlisted = lines.filter(|(name, line)| line.list.is_none() && !self.is_list(name));
        let unlisted: Vec<Arc<str>> = unlisted.map(|(name, _)| name.clone()).collect();
        for extension in unlisted {
            let trouble = self.words.not_listed(&extension, &self.lists);
            self.lose(&extension, trouble, out);
        }
    }

    /// Takes a NOTIFY of a list: each document to its line. Lines that no list has are in trouble.
    #[allow(
        clippy::too_many_arguments,
        reason = "the fields of one NOTIFY, taken apart once at the caller"
    )]
    pub(super) fn understand_list(
        &mut self,
        now: Duration,
        list: &Arc<str>,
        content_type: Option<&str>,
        body: &[u8],
        lease: Duration,
        first: bool,
        out: &mut Vec<Output>,
    ) {
        if first {
            // Documents come later for some; all of them begin to count anew.
            self.restart_dialogs(list);
            if let Some(line) = self.lines.get_mut(list) {
                line.order = Order::default();
            }
        }
        // An empty body: the list is there, and nothing is known of anybody yet.
        if body.trim_ascii().is_empty() {
            return;
        }
        let (parts, told) = match read(content_type.unwrap_or_default(), body) {
            Ok(read) => read,
            Err(error) => {
                // What was in it is not known: nothing that was known before may be renewed.
                for extension in self.of_list(list) {
                    self.forget_state(&extension, out);
                }
                let trouble = self.words.list(list, &error);
                self.changed = true;
                self.set_trouble(list, Some(trouble));
                return self.doubt(now, list, out);
            }
        };
        let is_next = self.admit_list(list, &told);
        let mut named = BTreeSet::new();
        for resource in &told.resources {
            let Some(extension) = self.line_of(resource) else {
                continue;
            };
            if !self.claim(&extension, list) {
                continue;
            }
            named.insert(extension.clone());
            let Some(instance) = &resource.instance else {
                continue;
            };
            let content = instance.content_id.as_deref();
            let part = parts.iter().find(|part| Some(&*part.id) == content);
            match part {
                Some(part) if instance.active => {
                    let kind = Some(&*part.content_type);
                    self.understand(now, &extension, kind, part.body, lease, false, out);
                }
                // Subscribed, and nothing is known yet.
                None if instance.active => {}
                _ => {
                    let trouble = self
                        .words
                        .not_listed(&extension, std::slice::from_ref(list));
                    self.lose(&extension, trouble, out);
                    if let Some(line) = self.lines.get_mut(&extension) {
                        line.dialogs.restart();
                        line.list = None;
                    }
                }
            }
        }
        if told.full {
            for extension in self.of_list(list) {
                if !named.contains(&extension) {
                    self.forget_state(&extension, out);
                    if let Some(line) = self.lines.get_mut(&extension) {
                        line.list = None;
                    }
                }
            }
        }
        self.lose_the_unlisted(out);
        if is_next {
            // What did not change lives as long as the subscription.
            self.renew_lines(now, list, lease, out);
        } else {
            // A list document is missing.
            self.ask_again(now, list, Event::Incomplete, out);
        }
        // How many lines are known is part of health.
        self.changed = true;
    }

    /// Whether documents of this line are taken from this list: a line that is on two would be told twice, in versions that
    /// do not follow one another.
    fn claim(&mut self, extension: &Arc<str>, list: &Arc<str>) -> bool {
        let Some(line) = self.lines.get_mut(extension) else {
            return false;
        };
        if line.list.is_none() {
            line.list = Some(list.clone());
            line.dialogs.restart();
        }
        line.list.as_ref() == Some(list)
    }

    /// Whether a list document continues the one before it. A list that never comes as a whole becomes trouble.
    fn admit_list(&mut self, list: &Arc<str>, told: &ResourceList) -> bool {
        let is_full_due = self.is_full_due(list);
        let Some(line) = self.lines.get_mut(list) else {
            return false;
        };
        let completeness = match told.full {
            true => Completeness::Full,
            false => Completeness::Partial,
        };
        if is_full_due && completeness == Completeness::Partial {
            line.order.begin_without_full();
        }
        let is_next = line.order.admit(Some(told.version.into()), completeness);
        let in_parts = line.order == Order::NeverFull || (is_full_due && !is_next);
        let trouble = in_parts.then(|| self.words.list(list, "it never comes as a whole"));
        self.set_trouble(list, trouble);
        is_next
    }

    fn restart_dialogs(&mut self, list: &Arc<str>) {
        for extension in self.of_list(list) {
            if let Some(line) = self.lines.get_mut(&extension) {
                line.dialogs.restart();
            }
        }
    }

    /// What was known of a line does not count any more.
    fn forget_state(&mut self, extension: &Arc<str>, out: &mut Vec<Output>) {
        if let Some(line) = self.lines.get_mut(extension) {
            line.state = None;
            line.dialogs.restart();
        }
        out.push(Output::Stale {
            extension: Arc::clone(extension),
        });
    }

    fn line_of(&self, resource: &ListedResource) -> Option<Arc<str>> {
        let user = user(&resource.uri)?;
        let (name, _) = self.lines.get_key_value(&*user)?;
        Some(name.clone())
    }

    /// The list's subscription was renewed, and so is what is known of its lines.
    pub(super) fn renew_lines(
        &mut self,
        now: Duration,
        list: &Arc<str>,
        remaining: Duration,
        out: &mut Vec<Output>,
    ) {
        for extension in self.of_list(list) {
            let renewed = self.lines.get(&extension);
            if renewed.is_some_and(|line| line.lease_until < now + remaining) {
                self.renew(now, &extension, remaining, out);
            }
        }
    }
}

/// The parts of a body, and the list that says whose they are.
fn read<'a>(content_type: &str, body: &'a [u8]) -> Result<(Vec<Part<'a>>, ResourceList), String> {
    let parts = multipart::parse(content_type, body).map_err(|error| error.to_string())?;
    let root = parts
        .iter()
        .find(|part| part.content_type == resource_list::CONTENT_TYPE);
    let root = root.ok_or("there is no list (application/rlmi+xml) in it")?;
    let list = ResourceList::parse(root.body).map_err(|error| error.to_string())?;
    Ok((parts, list))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SECOND, account, respond, sent};
    use super::*;
    use crate::sip_connector::trouble::Words;
    use presence::LineState;
    use sip::ids::Ids;
    use sip::message::{Message, Writer};

    const LISTS: [&str; 2] = ["sip:a@pbx.test", "sip:b@pbx.test"];

    /// Two lists and the lines 1001 to 1003, and the SUBSCRIBE for each list, answered.
    fn subscribed() -> (Lines, [Vec<u8>; 2]) {
        let words = Words {
            server: "pbx:5060".into(),
            domain: "pbx.test".into(),
            username: "u".into(),
        };
        let mut lines = Lines::new(words, LISTS.map(Arc::from), Ids::new([1; 32]));
        let extensions = ["1001", "1002", "1003"].map(Arc::from).to_vec();
        lines.change(SECOND, extensions, Vec::new());
        let out = lines.transport_up(SECOND, account());
        let subscribes: [Vec<u8>; 2] = sent(&out).try_into().unwrap();
        for subscribe in &subscribes {
            respond(&mut lines, SECOND, subscribe, 200, &[("Expires", "600")]);
        }
        (lines, subscribes)
    }

    /// A whole list with these lines, each with a call or without.
    fn notify(
        lines: &mut Lines,
        subscribe: &[u8],
        cseq: u32,
        members: &[(&str, &str)],
    ) -> Vec<Output> {
        let subscribe = Message::parse(subscribe).unwrap();
        let (mut resources, mut parts) = (String::new(), String::new());
        for (user, state) in members {
            resources += &format!(
                "<resource uri=\"sip:{user}@pbx.test\"><instance id=\"1\" state=\"active\" cid=\"{user}@pbx\"/></resource>"
            );
            parts += &format!(
                "--b\r\nContent-ID: <{user}@pbx>\r\nContent-Type: application/dialog-info+xml\r\n\r\n\
                 <dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{cseq}\" state=\"full\" \
                 entity=\"sip:{user}@pbx.test\"><dialog id=\"1\"><state>{state}</state></dialog></dialog-info>\r\n"
            );
        }
        let body = format!(
            "--b\r\nContent-ID: <root@pbx>\r\nContent-Type: application/rlmi+xml\r\n\r\n\
             <list xmlns=\"urn:ietf:params:xml:ns:rlmi\" uri=\"sip:x@pbx.test\" version=\"{cseq}\" \
             fullState=\"true\">{resources}</list>\r\n{parts}--b--\r\n"
        );
        let kind =
            "multipart/related;type=\"application/rlmi+xml\";start=\"<root@pbx>\";boundary=\"b\"";
        let bytes = Writer::request("NOTIFY", "sip:u@h")
            .header("Via", format_args!("SIP/2.0/TCP pbx;branch=n{cseq}"))
            .header("From", "<sip:x@pbx.test>;tag=pbx")
            .header("To", subscribe.header("From").unwrap())
            .header("Call-ID", subscribe.call_id().unwrap())
            .header("CSeq", format_args!("{cseq} NOTIFY"))
            .header("Event", "dialog")
            .header("Subscription-State", "active;expires=600")
            .body(kind, body.as_bytes())
            .unwrap();
        lines.receive(SECOND, &Message::parse(&bytes).unwrap())
    }

    fn states(lines: &Lines) -> [Option<LineState>; 3] {
        ["1001", "1002", "1003"].map(|extension| lines.lines[extension].state)
    }

    // A22
    #[test]
    fn a_line_is_on_any_of_several_lists_and_is_missed_when_all_have_spoken() {
        use LineState::{Connected, Idle};
        let (mut lines, [a, b]) = subscribed();
        notify(&mut lines, &a, 1, &[("1001", "confirmed")]);
        assert_eq!(states(&lines), [Some(Connected), None, None]);
        assert!(
            lines.line_trouble().is_empty(),
            "the other list may have it"
        );
        notify(&mut lines, &b, 1, &[("1002", "terminated")]);
        assert_eq!(states(&lines), [Some(Connected), Some(Idle), None]);
        assert_eq!((lines.len(), lines.active()), (3, 2));
        let trouble = &lines.line_trouble()["1003"];
        assert!(
            trouble.what.contains("sip:a@pbx.test, sip:b@pbx.test"),
            "{trouble:?}"
        );
        notify(
            &mut lines,
            &b,
            2,
            &[("1002", "confirmed"), ("1003", "confirmed")],
        );
        assert_eq!(states(&lines), [Some(Connected); 3]);
        assert!(lines.line_trouble().is_empty());
    }

    // A22
    #[test]
    fn of_two_lists_with_the_same_line_one_counts_until_it_is_lost() {
        use LineState::{Connected, Idle};
        let (mut lines, [a, b]) = subscribed();
        notify(&mut lines, &a, 1, &[("1001", "confirmed")]);
        notify(&mut lines, &b, 7, &[("1001", "terminated")]);
        assert_eq!(states(&lines)[0], Some(Connected));
        // The first list has it no more: the other one may have it.
        let out = notify(&mut lines, &a, 2, &[("1002", "terminated")]);
        assert!(out.contains(&Output::Stale {
            extension: "1001".into()
        }));
        notify(&mut lines, &b, 8, &[("1001", "terminated")]);
        assert_eq!(states(&lines), [Some(Idle), Some(Idle), None]);
    }

    // A22
    #[test]
    fn a_list_that_is_too_large_is_named_with_what_to_do() {
        let (mut lines, [_, b]) = subscribed();
        notify(&mut lines, &b, 1, &[("1001", "terminated")]);
        lines.elapse(SECOND * 60);
        let trouble = &lines.line_trouble()[LISTS[0]];
        assert!(trouble.what.contains("sip:a@pbx.test"), "{trouble:?}");
        assert!(trouble.what.contains("too large"), "{trouble:?}");
        assert!(trouble.remedy.contains("at most 100"), "{trouble:?}");
        // What the other list has stays.
        assert_eq!(states(&lines)[0], Some(LineState::Idle));
    }
}
