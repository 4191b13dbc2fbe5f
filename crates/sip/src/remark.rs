//! Parts of a document that a reader left out while the rest counts.
//!
//! PBXs write documents with small faults: an empty state, a version that is no number, text after the end. A reader of this
//! crate takes everything that it can read and lists the other parts here, so that an administrator learns of them.

use std::fmt;

/// Most remarks about one document; further ones say nothing new.
pub const REMARKS_MAX: usize = 8;

/// Most characters of a peer's value that are repeated.
pub const EXCERPT_MAX: usize = 60;

/// One part that was left out, and why.
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
    /// An element's prefix stands for no namespace; it was read as if it stood for the document's.
    #[error("the namespace prefix {0:?} is not declared")]
    Undeclared(String),
    /// An element that matters, in a namespace that is not its own.
    #[error("<{element}> is in the namespace {namespace:?}")]
    Foreign {
        /// The element's local name.
        element: &'static str,
        /// The namespace that it is in.
        namespace: String,
    },
    /// An attribute or element has a value that its specification does not know.
    #[error("{what} is {value:?}")]
    Value {
        /// Which attribute or element.
        what: &'static str,
        /// Its value.
        value: String,
    },
    /// An element or attribute that decides about the meaning is missing.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// An element that may stand once has several values.
    #[error("{0} has several values")]
    Contradiction(&'static str),
    /// More than a reader takes.
    #[error("it has more than {kept} {what}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// How many of them count.
        kept: usize,
    },
    /// A text of absurd length.
    #[error("{0} is too long")]
    TooLong(&'static str),
}

impl Remark {
    /// A value that is not known, shortened.
    pub(crate) fn value(what: &'static str, value: &str) -> Self {
        Self::Value {
            what,
            value: excerpt(value),
        }
    }
}

/// The remarks about one document, at most [`REMARKS_MAX`], none twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks(Vec<Remark>);

impl Remarks {
    /// Adds a remark, unless it is there already or there are enough.
    pub fn push(&mut self, remark: Remark) {
        if self.0.len() < REMARKS_MAX && !self.0.contains(&remark) {
            self.0.push(remark);
        }
    }

    /// Whether nothing was left out.
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

/// The beginning of a peer's text, as it may be repeated to a person: at most [`EXCERPT_MAX`] characters, none of them a control
/// character.
pub fn excerpt(text: &str) -> String {
    let shown = text.trim().chars().filter(|c| !c.is_control());
    shown.take(EXCERPT_MAX).collect()
}
