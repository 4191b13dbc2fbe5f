//! Lists of resources that are watched with one subscription (RFC 4662): what says which document of a body is about whom.

mod read;
mod write;

use crate::remark::Remarks;

/// The media type (RFC 4662 §8.1).
pub const CONTENT_TYPE: &str = "application/rlmi+xml";
/// The option tag of the extension (RFC 4662 §8.2).
pub const EVENT_LIST: &str = "eventlist";
/// Longest document that is read.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// The namespace of the elements (RFC 4662 §5).
pub const NAMESPACE: &str = "urn:ietf:params:xml:ns:rlmi";
/// Most instances of a resource: one for each server that was asked for it.
pub const INSTANCES_MAX: usize = 16;
/// Most resources of a list that is read.
pub const RESOURCES_MAX: usize = 4_096;

/// What is told about a list, or about those of it that have changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceList {
    /// The address of the list.
    pub uri: String,
    /// Counts what is told within one subscription.
    pub version: u32,
    /// All resources are here; otherwise only those that have changed.
    pub full: bool,
    /// The resources.
    pub resources: Vec<ListedResource>,
    /// The parts that the reader left out, for an administrator.
    pub remarks: Remarks,
}

/// One resource of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedResource {
    /// Its address.
    pub uri: String,
    /// What people call it.
    pub name: Option<String>,
    /// The subscriptions to it behind the list, one for each server (RFC 4662 §5.3); none: no state yet, or no news.
    pub instances: Vec<Instance>,
}

/// The subscription to one resource, behind the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Its name within the list.
    pub id: String,
    /// Whether it goes on.
    pub state: InstanceState,
    /// Why it has ended, if told.
    pub reason: Option<String>,
    /// The part of the body with the document.
    pub content_id: Option<String>,
}

impl Instance {
    /// One that goes on, with its document in this part.
    pub fn active(id: String, content_id: String) -> Self {
        Self {
            id,
            content_id: Some(content_id),
            ..Self::default()
        }
    }

    /// One whose resource does not exist any more (RFC 6665 §4.1.3).
    pub fn gone(id: String) -> Self {
        Self {
            id,
            state: InstanceState::Terminated,
            reason: Some("noresource".into()),
            content_id: None,
        }
    }
}

/// Where the subscription to one resource is (RFC 4662 §5.3, RFC 6665 §4.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InstanceState {
    /// It goes on; also a state that RFC 6665 does not know.
    #[default]
    Active,
    /// It waits for authorization: nothing is known of the resource.
    Pending,
    /// It has ended.
    Terminated,
}

/// Why a list was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    #[error("resource list of {0} bytes is longer than {DOCUMENT_BYTES_MAX}")]
    TooLong(usize),
    /// No XML, or not to its end.
    #[error("resource list is no XML: {0}")]
    Xml(String),
    /// A DOCTYPE may expand without end; lists have none.
    #[error("resource list has a DOCTYPE")]
    Doctype,
    /// The outermost element is not `list`.
    #[error("resource list begins with <{0}>")]
    Root(String),
    /// The outermost element is in another namespace than [`NAMESPACE`].
    #[error("resource list is in the namespace {0:?}, not in {NAMESPACE}")]
    Namespace(String),
}

#[cfg(test)]
mod tests;
