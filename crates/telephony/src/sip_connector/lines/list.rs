//! All lines by one subscription to each list of them (RFC 4662), where the telephone system has lists.
//!
//! A list is a line of its own, named by its address, which no extension is; the lines themselves subscribe to nothing. A line
//! belongs to the first list whose NOTIFY names it, until that list names it no more or its subscription is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use presence::LineState;
use sip::dialog_info::Completeness;
use sip::multipart::{self, Part};
use sip::order::Order;
use sip::remark::{Remark, Remarks};
use sip::resource_list::{
    self, INSTANCES_MAX, Instance, InstanceState, ListedResource, ResourceList,
};
use sip::subscriber::{Event, Subscriber};
use sip::uri::user;

use super::{Line, Lines, Output, Received};

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
    pub(super) fn understand_list(
        &mut self,
        received: &Received<'_>,
        list: &Arc<str>,
        out: &mut Vec<Output>,
    ) {
        if received.first {
            // Documents come later for some; all of them begin to count anew.
            self.restart_dialogs(list);
            if let Some(line) = self.lines.get_mut(list) {
                line.order = Order::default();
            }
        }
        // An empty body: the list is there, and nothing is known of anybody yet.
        if received.body.trim_ascii().is_empty() {
            return;
        }
        // How many lines are known is part of health.
        self.changed = true;
        let received = Received {
            first: false,
            ..*received
        };
        let mut told = Told::default();
        let whole = match self.take_list(&received, list, 0, &mut told, out) {
            Ok(whole) => whole,
            Err(error) => {
                // What was in it is not known: nothing that was known before may be renewed.
                for extension in self.of_list(list) {
                    self.forget_state(&extension, out);
                }
                self.set_trouble(list, Some(self.words.list(list, &error)));
                return self.doubt(received.now, list, out);
            }
        };
        self.set_trouble(list, self.list_trouble(list, &told));
        let is_read = told.faults.is_empty();
        for extension in self.of_list(list) {
            if told.named.contains(&extension) || (is_read && whole == Whole::No) {
                continue;
            }
            // The unread part may be about this line, or the list has it no more.
            self.forget_state(&extension, out);
            if let Some(line) = self.lines.get_mut(&extension).filter(|_| is_read) {
                line.list = None;
            }
        }
        self.lose_the_unlisted(out);
        if is_read && told.continues == Continues::Yes {
            // What did not change lives as long as the subscription.
            self.renew_lines(received.now, list, received.lease, out);
        } else {
            // A part is missing, or a list document.
            self.ask_again(received.now, list, Event::Incomplete, out);
        }
    }

    /// What is wrong with a list after a NOTIFY that could be read.
    fn list_trouble(&self, list: &Arc<str>, told: &Told) -> Option<super::Trouble> {
        if !told.faults.is_empty() {
            return Some(self.words.list(list, &told.faults.join("; ")));
        }
        if told.never_whole {
            return Some(self.words.list(list, "it never comes as a whole"));
        }
        let remarks = Some(&told.remarks).filter(|remarks| !remarks.is_empty())?;
        Some(self.words.list_remarks(list, remarks))
    }

    /// Takes a list and the lists within it.
    fn take_list(
        &mut self,
        received: &Received<'_>,
        name: &Arc<str>,
        depth: usize,
        told: &mut Told,
        out: &mut Vec<Output>,
    ) -> Result<Whole, String> {
        let (parts, list) = read(received.content_type, received.body)?;
        if depth == 0 {
            self.admit_list(name, &list, told);
        }
        let mut whole = if list.full { Whole::Yes } else { Whole::No };
        for remark in list.remarks.iter() {
            match remark {
                Remark::Cut | Remark::TooMany { .. } => told.fault(remark.to_string()),
                other => told.remarks.push(other.clone()),
            }
        }
        let part_of = |instance: &Instance| {
            let wanted = multipart::content_id(instance.content_id.as_deref()?);
            parts.iter().find(|part| part.id == wanted)
        };
        let mut lines: BTreeMap<Arc<str>, Vec<&ListedResource>> = BTreeMap::new();
        let mut lists: BTreeMap<&str, &Part<'_>> = BTreeMap::new();
        for resource in &list.resources {
            if let Some(extension) = self.line_of(resource) {
                lines.entry(extension).or_default().push(resource);
            } else {
                let within = resource.instances.iter().filter_map(part_of);
                let within = within.filter(|part| multipart::is_multipart(&part.full_type));
                lists.extend(within.map(|part| (&*part.id, part)));
            }
        }
        for (extension, resources) in lines {
            if self.claim(&extension, name) {
                let instances = Instances::of(&resources, whole);
                self.take_instances(received, name, &extension, instances, part_of, out);
                told.named.insert(extension);
            }
        }
        for part in lists.into_values() {
            if depth == DEPTH_MAX {
                told.fault("lists within lists are nested too deep".into());
                continue;
            }
            let within = Received {
                content_type: &part.full_type,
                body: &part.body,
                ..*received
            };
            match self.take_list(&within, name, depth + 1, told, out) {
                Ok(Whole::Yes) => {}
                // Lines that are not named may be those of it that did not change.
                Ok(Whole::No) => whole = Whole::No,
                Err(error) => told.fault(format!("a list within it: {error}")),
            }
        }
        Ok(whole)
    }

    /// Takes the instances of one line: it is their union.
    fn take_instances<'a>(
        &mut self,
        received: &Received<'_>,
        list: &Arc<str>,
        extension: &Arc<str>,
        instances: Instances<'_>,
        part_of: impl Fn(&Instance) -> Option<&'a Part<'a>>,
        out: &mut Vec<Output>,
    ) {
        if let Some(line) = self.lines.get_mut(extension)
            && instances.is_account()
        {
            line.dialogs.retain_instances(|id| instances.is_live(id));
        }
        let mut remarks = Remarks::default();
        let (mut is_told, mut is_active) = (false, false);
        let mut troubles = Vec::new();
        for (id, instance) in instances.all {
            match (instance.state, part_of(instance)) {
                (InstanceState::Active, Some(part)) => {
                    is_active = true;
                    let within = Received {
                        content_type: &part.full_type,
                        body: &part.body,
                        ..*received
                    };
                    let line = self.lines.get(extension);
                    let is_known = line.is_some_and(|line| line.dialogs.has_instance(&id));
                    let id = (instances.several || is_known).then_some(&*id);
                    match self.take_document(&within, extension, id, out) {
                        Some(read) => {
                            is_told = true;
                            read.iter().cloned().for_each(|remark| remarks.push(remark));
                        }
                        None => {
                            let line = self.lines.get(extension);
                            troubles.extend(line.and_then(|line| line.trouble.clone()));
                        }
                    }
                }
                (InstanceState::Active, None) if instance.content_id.is_some() => {
                    troubles.push(self.words.part_missing(extension, list));
                }
                // Subscribed, and nothing is known yet, or nothing is new.
                (InstanceState::Active, None) => is_active = true,
                (InstanceState::Pending, _) => {
                    troubles.push(self.words.list_pending(extension, list));
                }
                (InstanceState::Terminated, _) => {
                    let reason = instance.reason.as_deref().unwrap_or("no reason");
                    troubles.push(self.words.list_ended(extension, list, reason));
                }
            }
        }
        if is_told {
            self.tell(received, extension, &remarks, out);
        }
        let Some(line) = self.lines.get_mut(extension) else {
            return;
        };
        let Some(trouble) = troubles.into_iter().next() else {
            return;
        };
        let in_call = line.state.is_some_and(|state| state != LineState::Idle);
        if (is_told || is_active) && in_call {
            // One instance knows of a call: the others cannot take it away.
            return self.set_trouble(extension, Some(trouble));
        }
        if !is_active {
            line.dialogs.restart();
        }
        if line.state.is_none() && line.trouble.as_ref() == Some(&trouble) {
            // Its document has been refused already.
            return;
        }
        self.lose(extension, trouble, out);
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

    /// Notes whether a list document continues the one before it. A list that never comes as a whole becomes trouble.
    fn admit_list(&mut self, name: &Arc<str>, list: &ResourceList, told: &mut Told) {
        let is_full_due = self.is_full_due(name);
        let Some(line) = self.lines.get_mut(name) else {
            return;
        };
        let completeness = match list.full {
            true => Completeness::Full,
            false => Completeness::Partial,
        };
        if is_full_due && completeness == Completeness::Partial {
            line.order.begin_without_full();
        }
        let version = Some(list.version.into());
        if line.order.admit(version, completeness) {
            told.continues = Continues::Yes;
        }
        let is_next = told.continues == Continues::Yes;
        told.never_whole = line.order == Order::NeverFull || (is_full_due && !is_next);
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

/// Deepest list within a list that is followed.
const DEPTH_MAX: usize = 4;

/// Most faults of one NOTIFY that are named.
const FAULTS_MAX: usize = 8;

/// Whether a list names all of its resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whole {
    Yes,
    No,
}

/// Whether a list document continues the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Continues {
    Yes,
    #[default]
    No,
}

/// The result of a NOTIFY for the list, with the lists within it.
#[derive(Default)]
struct Told {
    continues: Continues,
    /// The list comes in parts only, also when it is asked for.
    never_whole: bool,
    named: BTreeSet<Arc<str>>,
    /// Parts that were left out without harm to a line.
    remarks: Remarks,
    /// Parts that were not read and may have had news of any line.
    faults: Vec<String>,
}

impl Told {
    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

/// The instances of one line, each with its name within the line.
struct Instances<'a> {
    all: Vec<(String, &'a Instance)>,
    several: bool,
    /// Whether the list that they are in names all of its resources.
    whole: Whole,
}

impl<'a> Instances<'a> {
    /// The instances of all resources that are the same line. A name is of the resource, the instance and a number, since the same
    /// instance may be named twice, and two resources may each have one of the same name.
    fn of(resources: &[&'a ListedResource], whole: Whole) -> Self {
        let mut all: Vec<(String, &Instance)> = Vec::new();
        let mut repeats: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let instances = resources.iter().flat_map(|resource| {
            let instances = resource.instances.iter();
            instances.map(|instance| (&*resource.uri, instance))
        });
        for (uri, instance) in instances.take(INSTANCES_MAX) {
            let repeat = repeats.entry((uri, &instance.id)).or_default();
            all.push((format!("{uri} {} {repeat}", instance.id), instance));
            *repeat += 1;
        }
        let several = all.len() > 1;
        Self {
            all,
            several,
            whole,
        }
    }

    /// Whether instances that are not among these are gone: a full list without any document says nothing of them yet.
    fn is_account(&self) -> bool {
        match self.whole {
            Whole::Yes => self.all.iter().any(|(_, of)| of.content_id.is_some()),
            Whole::No => self.several,
        }
    }

    fn is_live(&self, id: &str) -> bool {
        let mut all = self.all.iter();
        all.any(|(name, instance)| name == id && instance.state == InstanceState::Active)
    }
}

/// The parts of a body, and the list that assigns them to resources. A list alone has no part.
fn read<'a>(content_type: &str, body: &'a [u8]) -> Result<(Vec<Part<'a>>, ResourceList), String> {
    if !multipart::is_multipart(content_type) {
        let list = ResourceList::parse(body).map_err(|error| error.to_string())?;
        return Ok((Vec::new(), list));
    }
    let parts = multipart::parse(content_type, body).map_err(|error| error.to_string())?;
    let named = |kind: &str| parts.iter().find(|part| part.content_type == kind);
    let root = named(resource_list::CONTENT_TYPE)
        .or_else(|| named("application/xml"))
        .or_else(|| named("text/xml"));
    let root = root.ok_or("there is no list (application/rlmi+xml) in it")?;
    let list = ResourceList::parse(&root.body).map_err(|error| error.to_string())?;
    Ok((parts, list))
}

#[cfg(test)]
mod tests;
