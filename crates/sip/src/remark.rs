//! Remarks: parts of a document that a reader left out while the rest counts.
//!
//! PBXs write documents with small faults: an empty state, a version that is not a number, text after the end. A reader of
//! this crate reads as much as possible and lists the other parts here, for an administrator.

use std::fmt;

/// Most remarks about one document.
pub const REMARKS_MAX: usize = 8;

/// Longest excerpt of a peer's value, in characters.
pub const EXCERPT_MAX: usize = 60;

/// A part that was left out, with the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Remark {
    /// The document ends before its outermost element does.
    #[error("it ends in the middle")]
    Cut,
    /// Text or elements follow the outermost element.
    #[error("content after its end was ignored")]
    AfterEnd,
    /// Bytes that the declared encoding does not have.
    #[error("it has bytes that are not UTF-8")]
    Encoding,
    /// An end tag without its start tag, or the reverse.
    #[error("start and end tags do not match")]
    Misnested,
    /// An element's prefix stands for no namespace; it was read as if in the document's namespace.
    #[error("the namespace prefix {0:?} is not declared")]
    Undeclared(String),
    /// A relevant element in a foreign namespace.
    #[error("<{element}> is in the namespace {namespace:?}")]
    Foreign {
        /// The element's local name.
        element: &'static str,
        /// The element's namespace.
        namespace: String,
    },
    /// An attribute or element has an unknown value.
    #[error("{what} is {value:?}")]
    Value {
        /// The attribute or element.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// A required element or attribute is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// An element that may occur once has several values.
    #[error("{0} has several values")]
    Contradiction(&'static str),
    /// More items than a reader accepts.
    #[error("it has more than {kept} {what}")]
    TooMany {
        /// The name of the items, such as dialogs.
        what: &'static str,
        /// The number of items that count.
        kept: usize,
    },
    /// A text is too long.
    #[error("{0} is too long")]
    TooLong(&'static str),
}

impl Remark {
    /// A remark about an unknown value, which is shortened.
    pub(crate) fn value(what: &'static str, value: &str) -> Self {
        Self::Value {
            what,
            value: excerpt(value),
        }
    }
}

/// The remarks about one document: at most [`REMARKS_MAX`], each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks(Vec<Remark>);

impl Remarks {
    /// Adds a remark, unless it is present or the limit is reached.
    pub fn push(&mut self, remark: Remark) {
        if self.0.len() < REMARKS_MAX && !self.0.contains(&remark) {
            self.0.push(remark);
        }
    }

    /// Whether no part was left out.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The remarks in the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = &Remark> {
        self.0.iter()
    }
}

impl fmt::Display for Remarks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, remark) in self.0.iter().enumerate() {
            let separator = if number == 0 { "" } else { "; " };
            write!(out, "{separator}{remark}")?;
        }
        Ok(())
    }
}

/// The beginning of a peer's text, safe to show to a person: at most [`EXCERPT_MAX`] characters, without control characters.
pub fn excerpt(text: &str) -> String {
    let shown = text.trim().chars().filter(|c| !c.is_control());
    shown.take(EXCERPT_MAX).collect()
}
