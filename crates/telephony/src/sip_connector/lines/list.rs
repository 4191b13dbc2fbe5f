//! Lines watched by one subscription to each list (RFC 4662), for phone systems with lists.
//!
//! A list is stored as a line of its own, named by its address, which is never an extension; its lines have no subscription.
//! A line belongs to the first list that names it in a NOTIFY, until that list no longer names it or loses its subscription.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use presence::{LineChange, LineState};
use sip::{
    dialog_info::Completeness,
    multipart::{self, Part},
    order::Order,
    remark::{Remark, Remarks},
    resource_list::{self, Instance, InstanceState, ListedResource, ResourceList},
    subscriber::{Event, Subscriber},
    uri::user,
};

use super::{Line, Lines, NotifyContent, Output};

mod instances;
mod moves;
mod silence;

use instances::Instances;

impl Lines {
    /// The line or list with the subscription that watches this extension.
    pub(super) fn subscribed_for(&self, extension: &Arc<str>) -> Arc<str> {
        let line = self.lines.get(extension);
        let list = line.and_then(|line| line.list.as_ref());
        list.unwrap_or(extension).clone()
    }

    /// Whether the name is that of a list.
    pub(super) fn is_list(&self, name: &Arc<str>) -> bool {
        self.lists.contains(name)
    }

    /// Adds the lists, or removes them when no line is left.
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
            // A new line may have been reported before Offhook watched it.
            self.queue(&list, super::pace::Job::Refresh);
        } else if let Some(line) = self.lines.get_mut(&list) {
            line.leaving = true;
            self.run(now, &list, Event::Stop, out);
        }
    }

    fn of_list(&self, list: &Arc<str>) -> Vec<Arc<str>> {
        let lines = self.lines.iter();
        let own = lines.filter(|(_, line)| line.list.as_ref() == Some(list));
        own.map(|(name, _)| name.clone()).collect()
    }

    /// Applies a NOTIFY of a list: each document goes to its line. Lines on no list are in trouble.
    pub(super) fn understand_list(
        &mut self,
        received: &NotifyContent<'_>,
        list: &Arc<str>,
        out: &mut Vec<Output>,
    ) {
        if received.first {
            // The documents of some lines come later; all of them start counting again.
            self.restart_dialogs(list);
            if let Some(line) = self.lines.get_mut(list) {
                line.order = Order::default();
            }
        }
        // An empty body: the list exists, and no state is known yet.
        if received.body.trim_ascii().is_empty() {
            for extension in self.of_list(list) {
                self.await_state(received.now, &extension);
            }
            return self.await_unknown(received.now, list);
        }
        // The number of known lines is part of health.
        self.changed = true;
        let received = NotifyContent {
            first: false,
            ..*received
        };
        let mut report = ListReport::default();
        let whole = match self.apply_list(&received, list, 0, &mut report, out) {
            Ok(whole) => whole,
            Err(error) => {
                // The content of the unreadable list is unknown: no earlier state may be renewed.
                for extension in self.of_list(list) {
                    self.forget_state(received.now, &extension, out);
                }
                self.set_trouble(list, Some(self.words.list(list, &error)));
                return self.doubt(received.now, list, out);
            }
        };
        if whole == Whole::Yes || self.is_full_due(list) {
            self.has_answered(list);
        }
        self.set_trouble(list, self.list_trouble(list, &report));
        let is_read = report.faults.is_empty();
        let mut lost = Vec::new();
        for extension in self.of_list(list) {
            match report.named.get(&extension) {
                Some(News::Silent) => {
                    self.await_state(received.now, &extension);
                    continue;
                }
                Some(News::Reported) => continue,
                None if is_read && whole == Whole::No => continue,
                None => {}
            }
            // The unread part may be about this line, or the list no longer has the line.
            self.forget_state(received.now, &extension, out);
            if let Some(line) = self.lines.get_mut(&extension).filter(|_| is_read) {
                line.list = None;
                lost.push(extension);
            }
        }
        self.refresh_other_lists(received.now, list, &lost, out);
        self.lose_unlisted(out);
        self.await_unknown(received.now, list);
        if is_read && report.continues == Continues::Yes {
            // Unchanged states live as long as the subscription.
            self.renew_lines(received.now, list, received.lease, out);
        } else {
            // A part or a list document is missing.
            self.run(received.now, list, Event::Incomplete, out);
        }
    }

    /// Trouble of a list after a readable NOTIFY.
    fn list_trouble(&self, list: &Arc<str>, report: &ListReport) -> Option<super::Trouble> {
        if !report.faults.is_empty() {
            return Some(self.words.list(list, &report.faults.join("; ")));
        }
        if report.never_whole {
            return Some(self.words.list(list, "it never comes as a whole"));
        }
        let remarks = Some(&report.remarks).filter(|remarks| !remarks.is_empty())?;
        Some(self.words.list_remarks(list, remarks))
    }

    /// Applies a list and the lists within it.
    fn apply_list(
        &mut self,
        received: &NotifyContent<'_>,
        name: &Arc<str>,
        depth: usize,
        report: &mut ListReport,
        out: &mut Vec<Output>,
    ) -> Result<Whole, String> {
        let (parts, list) = read(received.content_type, received.body)?;
        if depth == 0 {
            self.admit_list(name, &list, report);
        }
        let mut whole = if list.full { Whole::Yes } else { Whole::No };
        for remark in list.remarks.iter() {
            match remark {
                Remark::Cut | Remark::TooMany { .. } => report.fault(remark.to_string()),
                other => report.remarks.push(other.clone()),
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
            let instances = Instances::of(&resources, whole);
            if self.claim(&extension, name, &instances) {
                let news =
                    self.apply_instances(received, name, &extension, instances, part_of, out);
                report.name(extension, news);
            }
        }
        for part in lists.into_values() {
            if depth == DEPTH_MAX {
                report.fault("lists within lists are nested too deep".into());
                continue;
            }
            let within = NotifyContent {
                content_type: &part.full_type,
                body: &part.body,
                ..*received
            };
            match self.apply_list(&within, name, depth + 1, report, out) {
                Ok(Whole::Yes) => {}
                // Lines that a partial list does not name may be unchanged.
                Ok(Whole::No) => whole = Whole::No,
                Err(error) => report.fault(format!("a list within it: {error}")),
            }
        }
        Ok(whole)
    }

    /// Applies the instances of one line: its state is their union.
    fn apply_instances<'a>(
        &mut self,
        received: &NotifyContent<'_>,
        list: &Arc<str>,
        extension: &Arc<str>,
        instances: Instances<'_>,
        part_of: impl Fn(&Instance) -> Option<&'a Part<'a>>,
        out: &mut Vec<Output>,
    ) -> News {
        if let Some(line) = self.lines.get_mut(extension)
            && instances.is_account()
        {
            line.dialogs.retain_instances(|id| instances.is_live(id));
        }
        let mut remarks = Remarks::default();
        let (mut is_told, mut is_active) = (false, false);
        let is_silent = instances.has_silent();
        let mut troubles = Vec::new();
        for (id, instance) in instances.all {
            match (instance.state, part_of(instance)) {
                (InstanceState::Active, Some(part)) => {
                    is_active = true;
                    let within = NotifyContent {
                        content_type: &part.full_type,
                        body: &part.body,
                        ..*received
                    };
                    let line = self.lines.get(extension);
                    let is_known = line.is_some_and(|line| line.dialogs.has_instance(&id));
                    let id = (instances.several || is_known).then_some(&*id);
                    match self.apply_document(&within, extension, id, out) {
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
                    self.forget_instance(extension, Some(&id));
                    troubles.push(self.words.part_missing(extension, list));
                }
                // The subscription is active without a document: no state yet, or no change.
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
        let news = match is_told || !is_silent {
            true => News::Reported,
            false => News::Silent,
        };
        if is_told && is_silent {
            // All other instances have reported: this one may have an unknown call.
            troubles.push(
                self.words
                    .without_state(extension, std::slice::from_ref(list)),
            );
        }
        let Some(line) = self.lines.get_mut(extension) else {
            return news;
        };
        let Some(trouble) = troubles.into_iter().next() else {
            if is_told {
                self.report_state(received, extension, &remarks, out);
            }
            return news;
        };
        if is_told {
            // One instance has a call, which the others cannot end. Without a call the silent ones may have one.
            match line.dialogs.state() {
                None | Some(LineState::Idle) => self.lose(extension, trouble, out),
                Some(LineState::Ringing | LineState::Held | LineState::Connected) => {
                    self.report_state(received, extension, &remarks, out);
                    self.set_trouble(extension, Some(trouble));
                }
            }
            return news;
        }
        let in_call = line.state.is_some_and(|state| state != LineState::Idle);
        if is_active && in_call {
            // No report of an instance with a call: the others cannot end the call.
            self.set_trouble(extension, Some(trouble));
            return news;
        }
        if !is_active {
            line.dialogs.restart();
        }
        if line.state.is_none() && line.trouble.as_ref() == Some(&trouble) {
            // The document of this instance was refused before.
            return news;
        }
        self.lose(extension, trouble, out);
        news
    }

    /// Checks whether a list document continues the one before it. A list that never comes complete becomes trouble.
    fn admit_list(&mut self, name: &Arc<str>, list: &ResourceList, report: &mut ListReport) {
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
            report.continues = Continues::Yes;
        }
        let is_next = report.continues == Continues::Yes;
        report.never_whole = line.order == Order::NeverFull || (is_full_due && !is_next);
    }

    fn restart_dialogs(&mut self, list: &Arc<str>) {
        for extension in self.of_list(list) {
            if let Some(line) = self.lines.get_mut(&extension) {
                line.dialogs.restart();
            }
        }
    }

    /// Ends the state of a line.
    fn forget_state(&mut self, now: Duration, extension: &Arc<str>, out: &mut Vec<Output>) {
        self.await_state(now, extension);
        if let Some(line) = self.lines.get_mut(extension) {
            line.state = None;
            line.dialogs.restart();
        }
        out.push(Output::Line {
            extension: Arc::clone(extension),
            change: LineChange::Stale,
        });
    }

    fn line_of(&self, resource: &ListedResource) -> Option<Arc<str>> {
        let user = user(&resource.uri)?;
        let (name, _) = self.lines.get_key_value(&*user)?;
        Some(name.clone())
    }
}

/// Deepest nesting of lists that is followed.
const DEPTH_MAX: usize = 4;

/// Most faults of one NOTIFY that the trouble names.
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

/// The report of a NOTIFY about a line that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    /// A state, the reason for none, or no change.
    Reported,
    /// No state, although the list names all of its resources with their states.
    Silent,
}

/// The result of a NOTIFY for the list, with the lists within it.
#[derive(Default)]
struct ListReport {
    continues: Continues,
    /// The list comes in parts only, even in answer to a refresh.
    never_whole: bool,
    named: BTreeMap<Arc<str>, News>,
    /// Parts left out without harm to a line.
    remarks: Remarks,
    /// Unread parts that may concern any line.
    faults: Vec<String>,
}

impl ListReport {
    /// Records the report of one of the lists about a line; two lists may name the same line.
    fn name(&mut self, extension: Arc<str>, news: News) {
        let named = self.named.entry(extension).or_insert(news);
        if news == News::Reported {
            *named = News::Reported;
        }
    }

    fn fault(&mut self, fault: String) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }
}

/// The parts of a body, and the list that assigns them to resources. A plain list document has no parts.
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
