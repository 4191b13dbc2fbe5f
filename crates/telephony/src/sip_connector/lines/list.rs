//! All lines by one subscription (RFC 4662), where the telephone system has a list of them.
//!
//! The list is a line of its own, named by its address, which no extension is; the lines themselves subscribe to nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use sip::multipart::{self, Part};
use sip::resource_list::{self, ListedResource, ResourceList};
use sip::subscriber::{Event, Subscriber};
use sip::uri::user;

use super::{Line, Lines, Output};

impl Lines {
    /// The line that is subscribed to for this one.
    pub(super) fn subscribed_for(&self, extension: &Arc<str>) -> Arc<str> {
        self.list.as_ref().unwrap_or(extension).clone()
    }

    /// Whether this is the list itself.
    pub(super) fn is_list(&self, name: &Arc<str>) -> bool {
        self.list.as_ref() == Some(name)
    }

    /// Begins with the list, or ends with it when there is nobody left.
    pub(super) fn keep_list(&mut self, now: Duration, out: &mut Vec<Output>) {
        let Some(list) = self.list.clone() else {
            return;
        };
        let is_wanted = self
            .lines
            .iter()
            .any(|(n, line)| !self.is_list(n) && !line.leaving);
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

    /// All lines but the list.
    pub(super) fn of_list(&self) -> Vec<Arc<str>> {
        let lines = self.lines.keys().filter(|name| !self.is_list(name));
        lines.cloned().collect()
    }

    /// Takes what is told of the list: each document to its line. Lines that a whole list does not have are in trouble.
    pub(super) fn understand_list(
        &mut self,
        now: Duration,
        content_type: Option<&str>,
        body: &[u8],
        lease: Duration,
        first: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(list) = self.list.clone() else {
            return;
        };
        if first {
            // Documents come later for some; all of them begin to count anew.
            self.restart_dialogs();
        }
        // An empty body: the list is there, and nothing is known of anybody yet.
        if body.trim_ascii().is_empty() {
            return;
        }
        let (parts, told) = match read(content_type.unwrap_or_default(), body) {
            Ok(read) => read,
            Err(error) => {
                // What was in it is not known: nothing that was known before may be renewed.
                for extension in self.of_list() {
                    self.forget_state(&extension, out);
                }
                let trouble = self.words.list(&list, &error);
                self.changed = true;
                return self.set_trouble(&list, Some(trouble));
            }
        };
        self.set_trouble(&list, None);
        let mut named = BTreeSet::new();
        for resource in &told.resources {
            let Some(extension) = self.line_of(resource) else {
                continue;
            };
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
                    let trouble = self.words.not_listed(&extension, &list);
                    self.lose(&extension, trouble, out);
                    if let Some(line) = self.lines.get_mut(&extension) {
                        line.dialogs.restart();
                    }
                }
            }
        }
        if told.full {
            for extension in self.of_list() {
                if !named.contains(&extension) {
                    let trouble = self.words.not_listed(&extension, &list);
                    self.lose(&extension, trouble, out);
                }
            }
        }
        // What did not change lives as long as the subscription.
        self.renew_lines(now, lease, out);
        // How many lines are known is part of health.
        self.changed = true;
    }

    fn restart_dialogs(&mut self) {
        for extension in self.of_list() {
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
        remaining: Duration,
        out: &mut Vec<Output>,
    ) {
        for extension in self.of_list() {
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
