//! The interface between the presence agent and its owner: permissions and documents.

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use super::{Document, Member, Peer, Publication};
use crate::message::Message;

/// An event package (RFC 6665 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Package {
    /// The calls of an entity (RFC 4235), for BLF keys.
    Dialog,
    /// The presence of a person (RFC 3856).
    Presence,
}

impl Package {
    /// All packages.
    pub const ALL: [Self; 2] = [Self::Dialog, Self::Presence];

    /// The name in an Event header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::Presence => "presence",
        }
    }

    /// The media type of its documents.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Dialog => crate::dialog_info::CONTENT_TYPE,
            Self::Presence => crate::presence_info::CONTENT_TYPE,
        }
    }

    /// The package named by an Event header.
    pub fn of_event(value: &str) -> Option<Self> {
        let name = value.split(';').next()?.trim();
        Self::ALL
            .into_iter()
            .find(|package| package.name().eq_ignore_ascii_case(name))
    }
}

/// A resource with documents, such as a person, by the host's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource(pub u32);

/// A list of resources (RFC 4662), by the host's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId(pub u32);

/// Watchers who get the same document, by the host's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u8);

/// A watcher that the host knows, by the host's number; the agent asks for the watcher's class again when permissions change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watcher(NonZeroU32);

impl Watcher {
    /// The watcher of a number; `None` for 0, so that an unknown watcher takes no memory of its own.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The host's number.
    pub const fn number(self) -> u32 {
        self.0.get()
    }
}

/// The host's decision about a SUBSCRIBE or PUBLISH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Accepts; the watcher, if it is known, gets the documents of this class.
    Watch(Resource, Class, Option<Watcher>),
    /// Accepts a subscription to all members of a list.
    WatchList(ListId, Option<Watcher>),
    /// Asks for authentication (401): the values of the WWW-Authenticate headers.
    Challenge(Vec<String>),
    /// Refuses with this status code, such as 403 or 404.
    Refuse(u16),
}

/// The refusal of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmissionError {
    /// The sender must authenticate first (401): the values of the WWW-Authenticate headers.
    Challenge(Vec<String>),
    /// The status code of the refusal, such as 403 or 404.
    Refuse(u16),
}

impl From<AdmissionError> for Admission {
    fn from(reason: AdmissionError) -> Self {
        match reason {
            AdmissionError::Challenge(challenges) => Self::Challenge(challenges),
            AdmissionError::Refuse(code) => Self::Refuse(code),
        }
    }
}

/// The decisions and documents that the agent gets from its owner.
pub trait Host<F> {
    /// Decides whether the sender may watch the resource that the request names.
    fn admit(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        request: &Message<'_>,
        package: Package,
    ) -> Admission;

    /// The flow for NOTIFYs in the dialog that a request creates or renews; by default the flow of its answers.
    fn dialog_flow(&self, peer: Peer<F>, _request: &Message<'_>) -> F {
        peer.flow
    }

    /// Whether a peer may have any number of subscriptions, such as a proxy that subscribes for many phones.
    fn is_trusted(&self, _peer: Peer<F>) -> bool {
        false
    }

    /// The watcher's class now; `None` if the watcher may not watch any more.
    fn class(&mut self, resource: Resource, watcher: Option<Watcher>) -> Option<Class>;

    /// The document of a resource for a class of watchers; `None` if the resource no longer exists.
    fn document(
        &mut self,
        resource: Resource,
        package: Package,
        class: Class,
    ) -> Option<Arc<Document>>;

    /// The members of a list; `None` if the list does not exist or the watcher may not know it.
    fn members(&mut self, _list: ListId, _watcher: Option<Watcher>) -> Option<Vec<Member>> {
        None
    }

    /// Decides whether the sender may publish for the resource that the request names.
    fn admit_publication(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        request: &Message<'_>,
        package: Package,
    ) -> Admission;

    /// Decides whether a phone may register (RFC 3261 §10.3, steps 3 to 5).
    ///
    /// # Errors
    /// The refusal.
    fn admit_registration(
        &mut self,
        _now: Duration,
        _peer: Peer<F>,
        _request: &Message<'_>,
    ) -> Result<(), AdmissionError> {
        Err(AdmissionError::Refuse(403))
    }

    /// Applies a publication: new, changed, renewed or ended.
    ///
    /// # Errors
    /// The status code of the refusal: 400 for an unusable document, 503 for lack of room.
    fn on_publication(&mut self, now: Duration, publication: Publication<'_>) -> Result<(), u16>;
}
