//! Answers PUBLISH: the event state compositor of RFC 3903 §6. The host keeps the published documents; this module keeps the
//! entity tags and expiries.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use super::{Admission, Agent, Host, Package, Peer, Resource};
use crate::message::{Message, Writer};

/// Identifies a publication from its beginning to its end; its entity tag changes with each PUBLISH.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicationId(pub u64);

/// A publication as reported to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publication<'a> {
    /// The resource that the document is about.
    pub resource: Resource,
    /// The package of the document.
    pub package: Package,
    /// Identifies the publication over all its PUBLISHes.
    pub entity: PublicationId,
    /// The document; empty: unchanged, only renewed; `None`: the publication has ended.
    pub body: Option<&'a [u8]>,
    /// End of the publication unless it is renewed.
    pub until: Duration,
}

/// All publications that have not expired.
#[derive(Debug)]
pub(super) struct Publications {
    limit: usize,
    by_tag: HashMap<u64, StoredPublication>,
    expiries: BTreeSet<(Duration, u64)>,
    next: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct StoredPublication {
    resource: Resource,
    package: Package,
    entity: PublicationId,
    until: Duration,
}

impl StoredPublication {
    /// The report of the publication's end.
    pub(super) fn gone(&self) -> Publication<'static> {
        Publication {
            resource: self.resource,
            package: self.package,
            entity: self.entity,
            body: None,
            until: self.until,
        }
    }
}

impl Publications {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            by_tag: HashMap::new(),
            expiries: BTreeSet::new(),
            next: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_tag.len()
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.expiries.first().map(|(at, _)| *at)
    }

    pub(super) fn expired(&mut self, now: Duration) -> Vec<StoredPublication> {
        let mut gone = Vec::new();
        while let Some((at, tag)) = self.expiries.first().copied() {
            if at > now {
                break;
            }
            gone.extend(self.remove(tag));
        }
        gone
    }

    fn remove(&mut self, tag: u64) -> Option<StoredPublication> {
        let stored = self.by_tag.remove(&tag)?;
        self.expiries.remove(&(stored.until, tag));
        Some(stored)
    }

    fn insert(&mut self, tag: u64, stored: StoredPublication) {
        self.expiries.insert((stored.until, tag));
        self.by_tag.insert(tag, stored);
    }
}

impl<F: Copy + Eq + std::hash::Hash> Agent<F> {
    pub(super) fn on_publish(
        &mut self,
        now: Duration,
        peer: Peer<F>,
        request: &Message<'_>,
        host: &mut impl Host<F>,
    ) -> Writer {
        // A publication has no dialog. Proxies forward a request that claims to be in one without authenticating its sender.
        if request.to_tag().is_some() {
            return self.reply(peer, request, 481);
        }
        let event = request.header("Event").unwrap_or_default();
        let package = Package::of_event(&event);
        let Some(package) = package.filter(|p| self.settings.packages.contains(p)) else {
            let allowed = self.allow_events();
            return self
                .reply(peer, request, 489)
                .header("Allow-Events", allowed);
        };
        let requested = request
            .seconds("Expires")
            .unwrap_or(self.settings.max_publication);
        if requested > 0 && requested < self.settings.min_expires {
            let minimum = self.settings.min_expires;
            return self
                .reply(peer, request, 423)
                .header("Min-Expires", minimum);
        }
        let expires = requested.min(self.settings.max_publication);
        let resource = match host.admit_publication(now, peer, request, package) {
            Admission::Watch(resource, ..) => resource,
            Admission::Challenge(challenges) => return self.challenge(peer, request, challenges),
            Admission::Refuse(code) => return self.reply(peer, request, code),
            // Publications for a list are refused.
            Admission::WatchList(..) => return self.reply(peer, request, 403),
        };
        if !request.body().is_empty() && !is_of(request, package) {
            let offered = package.content_type();
            return self.reply(peer, request, 415).header("Accept", offered);
        }
        let publish = AdmittedPublish {
            peer,
            request,
            expires,
        };
        let tag = request.header("SIP-If-Match").map(|tag| {
            u64::from_str_radix(tag.trim(), 16)
                .ok()
                .filter(|tag| self.is_of(*tag, resource, package))
        });
        match tag {
            // An unknown entity tag (RFC 3903 §6, step 4).
            Some(None) => self.reply(peer, request, 412),
            Some(Some(tag)) => self.replace(now, &publish, tag, host),
            None => self.publish(now, &publish, resource, package, host),
        }
    }

    fn is_of(&self, tag: u64, resource: Resource, package: Package) -> bool {
        let stored = self.publications.by_tag.get(&tag);
        stored.is_some_and(|stored| stored.resource == resource && stored.package == package)
    }

    fn publish(
        &mut self,
        now: Duration,
        admitted: &AdmittedPublish<'_, F>,
        resource: Resource,
        package: Package,
        host: &mut impl Host<F>,
    ) -> Writer {
        let AdmittedPublish {
            peer,
            request,
            expires,
        } = *admitted;
        if request.body().is_empty() {
            return self.reply(peer, request, 400);
        }
        if self.publications.len() >= self.publications.limit {
            return self.reply(peer, request, 503);
        }
        let stored = StoredPublication {
            resource,
            package,
            entity: PublicationId(self.publications.next),
            until: now + Duration::from_secs(expires.into()),
        };
        self.publications.next += 1;
        self.keep(now, admitted, stored, None, host)
    }

    fn replace(
        &mut self,
        now: Duration,
        admitted: &AdmittedPublish<'_, F>,
        tag: u64,
        host: &mut impl Host<F>,
    ) -> Writer {
        let AdmittedPublish {
            peer,
            request,
            expires,
        } = *admitted;
        let Some(stored) = self.publications.by_tag.get(&tag).copied() else {
            return self.reply(peer, request, 412);
        };
        if expires == 0 {
            if let Err(code) = host.on_publication(now, stored.gone()) {
                return self.reply(peer, request, code);
            }
            self.publications.remove(tag);
            return self.reply(peer, request, 200).header("Expires", 0);
        }
        let stored = StoredPublication {
            until: now + Duration::from_secs(expires.into()),
            ..stored
        };
        self.keep(now, admitted, stored, Some(tag), host)
    }

    fn keep(
        &mut self,
        now: Duration,
        admitted: &AdmittedPublish<'_, F>,
        stored: StoredPublication,
        before: Option<u64>,
        host: &mut impl Host<F>,
    ) -> Writer {
        let AdmittedPublish {
            peer,
            request,
            expires,
        } = *admitted;
        let publication = Publication {
            body: Some(request.body()),
            ..stored.gone()
        };
        // An unusable document changes nothing: the publication before it stays.
        if let Err(code) = host.on_publication(now, publication) {
            return self.reply(peer, request, code);
        }
        if let Some(before) = before {
            self.publications.remove(before);
        }
        let tag = self.ids.number();
        if expires > 0 {
            self.publications.insert(tag, stored);
        } else {
            let _ = host.on_publication(now, stored.gone());
        }
        self.reply(peer, request, 200)
            .header("SIP-ETag", format_args!("{tag:016x}"))
            .header("Expires", expires)
    }
}

/// An admitted PUBLISH, with the granted seconds.
struct AdmittedPublish<'a, F> {
    peer: Peer<F>,
    request: &'a Message<'a>,
    expires: u32,
}

fn is_of(request: &Message<'_>, package: Package) -> bool {
    let kind = request.header("Content-Type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case(package.content_type())
}
