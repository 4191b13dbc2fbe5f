//! Lists of resources that are watched with one subscription (RFC 4662): they assign the documents of a body to resources.

mod read;
mod write;

use crate::remark::Remarks;

/// The media type (RFC 4662 §8.1).
pub const CONTENT_TYPE: &str = "application/rlmi+xml";
/// The option tag of the extension (RFC 4662 §8.2).
pub const EVENT_LIST: &str = "eventlist";
/// Longest document that is read, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
/// The namespace of the elements (RFC 4662 §5).
pub const NAMESPACE: &str = "urn:ietf:params:xml:ns:rlmi";
/// Most instances of a resource: one for each server behind the list.
pub const INSTANCES_MAX: usize = 16;
/// Most resources of a list that is read.
pub const RESOURCES_MAX: usize = 4_096;

/// The state of a list, or of its changed resources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceList {
    /// The address of the list.
    pub uri: String,
    /// Number of the document within its subscription.
    pub version: u32,
    /// Whether all resources are named; otherwise only the changed ones.
    pub full: bool,
    /// The resources.
    pub resources: Vec<ListedResource>,
    /// The unread parts, for an administrator.
    pub remarks: Remarks,
}

/// One resource of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedResource {
    /// The address of the resource.
    pub uri: String,
    /// The display name of the resource.
    pub name: Option<String>,
    /// The subscriptions to the resource behind the list, one for each server (RFC 4662 §5.3); none: no state yet, or no
    /// change.
    pub instances: Vec<Instance>,
}

/// The subscription to one resource, behind the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Identifies the instance within the list.
    pub id: String,
    /// Whether the subscription is active.
    pub state: InstanceState,
    /// The reason for the end, if the list has one.
    pub reason: Option<String>,
    /// The part of the body with the document.
    pub content_id: Option<String>,
}

impl Instance {
    /// An active instance with its document in this part.
    pub fn active(id: String, content_id: String) -> Self {
        Self {
            id,
            content_id: Some(content_id),
            ..Self::default()
        }
    }

    /// An instance of a resource that no longer exists (RFC 6665 §4.1.3).
    pub fn gone(id: String) -> Self {
        Self {
            id,
            state: InstanceState::Terminated,
            reason: Some("noresource".into()),
            content_id: None,
        }
    }
}

/// The state of the subscription to one resource (RFC 4662 §5.3, RFC 6665 §4.1.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InstanceState {
    /// Active; also any state that RFC 6665 does not define.
    #[default]
    Active,
    /// The subscription waits for authorization: the resource's state is unknown.
    Pending,
    /// The subscription has ended.
    Terminated,
}

/// The reason for which a list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// Longer than [`DOCUMENT_BYTES_MAX`].
    #[error("resource list of {0} bytes is longer than {DOCUMENT_BYTES_MAX}")]
    TooLong(usize),
    /// Not XML, or cut off.
    #[error("resource list is no XML: {0}")]
    Xml(String),
    /// A DOCTYPE may expand without end; real lists have none.
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
