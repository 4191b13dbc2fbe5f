//! Lists of resources that are watched with one subscription (RFC 4662): what says which document of a body is about whom.

mod read;
mod write;

/// The media type (RFC 4662 §8.1).
pub const CONTENT_TYPE: &str = "application/rlmi+xml";
/// The option tag of the extension (RFC 4662 §8.2).
pub const EVENT_LIST: &str = "eventlist";
/// Longest document that is read.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024;
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
}

/// One resource of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListedResource {
    /// Its address.
    pub uri: String,
    /// What people call it.
    pub name: Option<String>,
    /// What is known of it; `None`: nothing yet, or nothing new.
    pub instance: Option<Instance>,
}

/// The subscription to one resource, behind the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// Its name within the list.
    pub id: String,
    /// It goes on: `active` or `pending`; otherwise it is `terminated`.
    pub active: bool,
    /// The part of the body with the document.
    pub content_id: Option<String>,
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
    /// More than [`RESOURCES_MAX`] resources.
    #[error("resource list has more than {RESOURCES_MAX} resources")]
    TooMany,
}

#[cfg(test)]
mod tests;
