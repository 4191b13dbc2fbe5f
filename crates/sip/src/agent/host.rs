//! What the presence agent asks its owner: who may watch what, and the documents about it.

use std::sync::Arc;
use std::time::Duration;

use super::{Document, Member, Peer, Publication};
use crate::message::Message;

/// An event package (RFC 6665 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Package {
    /// What calls an entity has (RFC 4235): busy lamp fields.
    Dialog,
    /// What a person is doing (RFC 3856).
    Presence,
}

impl Package {
    /// All of them.
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

    /// The package that an Event header names.
    pub fn of_event(value: &str) -> Option<Self> {
        let name = value.split(';').next()?.trim();
        Self::ALL
            .into_iter()
            .find(|package| package.name().eq_ignore_ascii_case(name))
    }
}

/// Something that can be watched, by a number of the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource(pub u32);

/// Watchers who are told the same, by a number of the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u8);

/// Who watches, by a number of the host's: to find the class again when what people may see has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Watcher(pub u32);

/// What comes of the wish to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Watch this, and be told what this class is told.
    Watch(Resource, Class, Watcher),
    /// Watch all that are on this list.
    WatchList(Resource, Watcher),
    /// Say first who you are: the values of the WWW-Authenticate headers.
    Challenge(Vec<String>),
    /// No: 403, 404 and the like.
    Refuse(u16),
}

/// Why a request is not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdmissionError {
    /// The sender must sign in first: the values of the WWW-Authenticate headers.
    Challenge(Vec<String>),
    /// No: 403, 404 and the like.
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

/// What the agent asks its owner.
pub trait Host<F> {
    /// Whether somebody may watch what the request names.
    fn admit(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        request: &Message<'_>,
        package: Package,
    ) -> Admission;

    /// Where the NOTIFYs of the dialog that a request makes or renews are sent: where its answers are sent, if the owner knows no
    /// better.
    fn dialog_flow(&self, peer: Peer<F>, _request: &Message<'_>) -> F {
        peer.flow
    }

    /// Whether a peer may have any number of subscriptions: a proxy that asks for others.
    fn is_trusted(&self, _peer: Peer<F>) -> bool {
        false
    }

    /// What class a watcher belongs to now; `None`: it may not watch any more.
    fn class(&mut self, resource: Resource, watcher: Watcher) -> Option<Class>;

    /// What a class of watchers is told of a resource; `None` if there is no such resource any more.
    fn document(
        &mut self,
        resource: Resource,
        package: Package,
        class: Class,
    ) -> Option<Arc<Document>>;

    /// Who is on a list; `None`: there is no such list, or the watcher may not know.
    fn members(&mut self, _list: Resource, _watcher: Watcher) -> Option<Vec<Member>> {
        None
    }

    /// Whether somebody may publish for what the request names.
    fn admit_publication(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        request: &Message<'_>,
        package: Package,
    ) -> Admission;

    /// Whether a phone may register (RFC 3261 §10.3, steps 3 to 5).
    ///
    /// # Errors
    /// Why not.
    fn admit_registration(
        &mut self,
        _now: Duration,
        _peer: Peer<F>,
        _request: &Message<'_>,
    ) -> Result<(), AdmissionError> {
        Err(AdmissionError::Refuse(403))
    }

    /// Something was published, changed or removed (`None`).
    ///
    /// # Errors
    /// The code of the refusal: the document makes no sense (400), or there is no room now (503).
    fn on_publication(&mut self, now: Duration, publication: Publication<'_>) -> Result<(), u16>;
}
