//! Documents about one person: the watchers of a changed person are notified one after the other, with the same few documents.

use std::{collections::HashMap, sync::Arc};

use sip::agent::{Class, Document, Package, Resource};

/// The documents about the person that was last watched or changed.
#[derive(Default)]
pub(super) struct DocumentCache {
    about: Option<Resource>,
    documents: HashMap<(Package, Class), Arc<Document>>,
}

impl DocumentCache {
    /// Drops the documents about a changed person.
    pub(super) fn forget(&mut self, resource: Resource) {
        if self.about == Some(resource) {
            *self = Self::default();
        }
    }

    /// The document about a person for a class of watchers.
    pub(super) fn get(
        &self,
        resource: Resource,
        package: Package,
        class: Class,
    ) -> Option<Arc<Document>> {
        let documents = (self.about == Some(resource)).then_some(&self.documents)?;
        documents.get(&(package, class)).cloned()
    }

    /// Adds a document about a person, and drops those about any other person.
    pub(super) fn insert(
        &mut self,
        resource: Resource,
        package: Package,
        class: Class,
        document: &Arc<Document>,
    ) {
        if self.about != Some(resource) {
            self.about = Some(resource);
            self.documents.clear();
        }
        self.documents.insert((package, class), document.clone());
    }
}
