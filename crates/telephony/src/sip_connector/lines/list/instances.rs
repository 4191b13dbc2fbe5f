//! The instances of one line in a list (RFC 4662 §5.3): the subscriptions to it at several servers.

use std::collections::BTreeMap;

use sip::resource_list::{INSTANCES_MAX, Instance, InstanceState, ListedResource};

use super::Whole;

/// The instances of one line, each with its name within the line.
pub(super) struct Instances<'a> {
    pub(super) all: Vec<(String, &'a Instance)>,
    pub(super) several: bool,
    /// Whether the list names all of its resources.
    whole: Whole,
    /// A resource without an instance.
    any_without: bool,
}

impl<'a> Instances<'a> {
    /// The instances of all resources that are the same line. The name combines resource, instance and a number, since an
    /// instance may be named twice, and two resources may have instances of the same name.
    pub(super) fn of(resources: &[&'a ListedResource], whole: Whole) -> Self {
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
            any_without: resources.iter().any(|of| of.instances.is_empty()),
        }
    }

    /// Whether one of the instances has a document.
    pub(super) fn have_documents(&self) -> bool {
        let mut all = self.all.iter();
        all.any(|(_, of)| of.state == InstanceState::Active && of.content_id.is_some())
    }

    /// Whether instances missing here are gone: a full list without any document leaves that open.
    pub(super) fn is_account(&self) -> bool {
        match self.whole {
            Whole::Yes => self.have_documents(),
            Whole::No => self.several,
        }
    }

    /// Whether the state of an instance is unknown: in a full list a missing document means that.
    pub(super) fn has_silent(&self) -> bool {
        let mut all = self.all.iter();
        let any = all.any(|(_, of)| of.state == InstanceState::Active && of.content_id.is_none());
        self.whole == Whole::Yes && (any || self.any_without)
    }

    pub(super) fn is_live(&self, id: &str) -> bool {
        let mut all = self.all.iter();
        all.any(|(name, of)| {
            let is_told = of.content_id.is_some() || self.whole == Whole::No;
            name == id && of.state == InstanceState::Active && is_told
        })
    }
}
