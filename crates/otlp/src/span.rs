//! A finished span.

/// A span, as the collector receives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) trace: u128,
    pub(crate) id: u64,
    /// `None`: the first span of its trace.
    pub(crate) parent: Option<u64>,
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    /// Nanoseconds since 1970.
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) attributes: Vec<(&'static str, Value)>,
    /// The failure of the operation.
    pub(crate) error: Option<String>,
}

/// Kind of a span, by its number in the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    Internal = 1,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

/// Value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Integer(i64),
    Truth(bool),
}
