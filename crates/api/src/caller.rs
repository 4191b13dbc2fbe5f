//! The caller of a request and the caller's permissions: those of people follow from relationships, those of location
//! administrators from their location, those of API keys from their scopes.

use std::sync::Arc;

use axum::{extract::FromRequestParts, http::request::Parts};
use presence::{Permission, PersonId, Relationship};
use runtime::{
    audit::Author,
    events::VisibilityBefore,
    organisation::{ORGANISATION, Organisation, ScopeId, Snapshot},
    people_index::Person,
};
use store::{ApiKey, Attempt, Role, Session};

use crate::problem::{Problem, ProblemCode};

/// The caller of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Name for the audit log.
    pub name: String,
    /// Unique identity: names of keys and accounts may be equal.
    pub identity: String,
    /// The person of the account. A key has none.
    pub person: Option<PersonId>,
    /// The id of the account; `None` for keys and agents.
    pub account: Option<u64>,
    power: Power,
    /// The idempotency key of the request.
    attempt: Option<Arc<Attempt>>,
    /// Hash of the session cookie or key.
    session: Arc<str>,
}

/// Identity of the key in the configuration file.
const CONFIGURED: &str = "configuration";

/// Kind of access to personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading: a key needs the scope `read`.
    Read,
    /// Changing: a key needs the scope `write`.
    Change,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Power {
    /// A person: only relationships give permissions.
    Person,
    /// A location administrator: settings of the location, and names, groups and settings of its people.
    Location(ScopeId),
    /// A system administrator, or the key in the configuration file.
    System,
    /// An API key: queries routes of calls (`route`), reads everything (`read`), changes what people may change (`write`),
    /// or does everything (`admin`).
    Key {
        route: bool,
        read: bool,
        write: bool,
        admin: bool,
    },
}

impl Caller {
    /// The key in the configuration file.
    pub fn configured_key() -> Self {
        Self {
            name: "API key of the configuration".into(),
            identity: CONFIGURED.into(),
            person: None,
            account: None,
            power: Power::System,
            attempt: None,
            session: Arc::default(),
        }
    }

    /// An API key of the store.
    pub fn key(key: &ApiKey) -> Self {
        let has = |scope: &str| key.scopes.iter().any(|given| given == scope);
        Self {
            name: format!("API key {}", key.name),
            identity: format!("key {}", key.id),
            person: None,
            account: None,
            power: Power::Key {
                route: has("route") || has("read") || has("admin"),
                read: has("read") || has("admin"),
                write: has("write") || has("admin"),
                admin: has("admin"),
            },
            attempt: None,
            session: Arc::default(),
        }
    }

    /// An account, or the administrator of the installation, by a session.
    pub fn session(session: Session) -> Self {
        match session.account {
            None => Self {
                name: "administrator of the installation".into(),
                identity: "installation".into(),
                person: None,
                account: None,
                power: Power::System,
                attempt: None,
                session: Arc::default(),
            },
            Some(account) => Self {
                name: account.name,
                identity: format!("account {}", account.id),
                person: account.person,
                account: Some(account.id),
                power: match (account.role, account.location) {
                    (Role::SystemAdmin, _) => Power::System,
                    (Role::LocationAdmin, Some(location)) => Power::Location(location.into()),
                    (Role::LocationAdmin, None) | (Role::Person, _) => Power::Person,
                },
                attempt: None,
                session: Arc::default(),
            },
        }
    }

    /// A person, by a desktop agent.
    pub fn agent(person: &Person) -> Self {
        Self {
            name: format!("{}, at the desktop agent", person.name),
            identity: format!("agent of {}", person.id),
            person: Some(person.id),
            account: None,
            power: Power::Person,
            attempt: None,
            session: Arc::default(),
        }
    }

    /// Whether the caller is a program with an API key.
    pub fn is_key(&self) -> bool {
        matches!(self.power, Power::Key { .. }) || self.identity == CONFIGURED
    }

    /// Adds the hash of the session cookie or key.
    pub fn in_session(self, mark: &str) -> Self {
        Self {
            session: mark.into(),
            ..self
        }
    }

    /// Hash of the session cookie or key.
    pub fn session_mark(&self) -> &str {
        &self.session
    }

    /// Adds the idempotency key of the request.
    pub fn attempting(self, attempt: Arc<Attempt>) -> Self {
        Self {
            attempt: Some(attempt),
            ..self
        }
    }

    /// The author of changes, for the audit log.
    pub fn author(&self) -> Author {
        Author {
            name: self.name.clone(),
            attempt: self.attempt.clone(),
        }
    }

    /// Whether the caller is a system administrator.
    pub fn is_admin(&self) -> bool {
        matches!(self.power, Power::System | Power::Key { admin: true, .. })
    }

    /// Whether the caller administers the organisation or a location.
    pub fn administers(&self) -> bool {
        self.is_admin() || self.location().is_some()
    }

    /// The one location that the caller administers.
    pub fn location(&self) -> Option<&ScopeId> {
        match &self.power {
            Power::Location(location) => Some(location),
            Power::System | Power::Key { .. } | Power::Person => None,
        }
    }

    /// Whether the caller may read: keys of meeting servers and agents may lack the scope `read`.
    pub fn may_read(&self) -> bool {
        !matches!(self.power, Power::Key { read: false, .. })
    }

    /// Whether the caller may query where calls are routed.
    pub fn may_route(&self) -> bool {
        matches!(self.power, Power::System | Power::Key { route: true, .. })
    }

    /// Whether the caller may only query where calls are routed.
    pub fn only_routes(&self) -> bool {
        self.may_route()
            && !self.may_read()
            && !matches!(self.power, Power::Key { write: true, .. })
    }

    /// The relationship of the caller to the owner, which decides what the caller sees.
    pub fn level(&self, organisation: &Organisation, owner: PersonId) -> Relationship {
        self.level_by(organisation, owner, Snapshot::relationship)
    }

    /// The relationship that the caller is shown, for display only: a blocked caller must not notice the block.
    pub fn shown_level(&self, organisation: &Organisation, owner: PersonId) -> Relationship {
        self.level_by(organisation, owner, Snapshot::shown_relationship)
    }

    fn level_by(
        &self,
        organisation: &Organisation,
        owner: PersonId,
        level: impl Fn(&Snapshot, PersonId, PersonId) -> Relationship,
    ) -> Relationship {
        let sees_all = matches!(self.power, Power::System | Power::Key { read: true, .. });
        if sees_all || self.person == Some(owner) {
            return Relationship::AssistantPlus;
        }
        self.person.map_or(Relationship::Unknown, |viewer| {
            organisation.read(|snapshot| level(snapshot, owner, viewer))
        })
    }

    /// The relationship of the caller to the owner before a change of visibility; `None` if the change does not concern the
    /// caller.
    pub fn level_before(
        &self,
        organisation: &Organisation,
        owner: PersonId,
        before: &VisibilityBefore,
    ) -> Option<Relationship> {
        let sees_all = matches!(self.power, Power::System | Power::Key { read: true, .. });
        let viewer = self.person.filter(|viewer| !sees_all && *viewer != owner)?;
        match before {
            VisibilityBefore::Relationship(concerned, level) => {
                (*concerned == viewer).then_some(*level)
            }
            VisibilityBefore::Membership(place) => {
                Some(organisation.read(|snapshot| snapshot.relationship_at(place, owner, viewer)))
            }
        }
    }

    /// Refuses callers who lack a permission of the owner's assistants.
    pub fn require(
        &self,
        organisation: &Organisation,
        owner: PersonId,
        permission: Permission,
    ) -> Result<(), Problem> {
        let allowed = match &self.power {
            Power::System | Power::Key { write: true, .. } => true,
            Power::Key { .. } => false,
            Power::Location(_) | Power::Person => self.level(organisation, owner).may(permission),
        };
        self.allowed_by(allowed, permission)
    }

    /// Refuses callers who may not read what assistants with the permission read.
    pub fn require_to_read(
        &self,
        organisation: &Organisation,
        owner: PersonId,
        permission: Permission,
    ) -> Result<(), Problem> {
        self.allowed_by(self.level(organisation, owner).may(permission), permission)
    }

    fn allowed_by(&self, allowed: bool, permission: Permission) -> Result<(), Problem> {
        if allowed {
            return Ok(());
        }
        Err(Problem::forbidden(format!(
            "{} may not do that for this person; it needs the relationship {} or, for a key, the scope `write` (to read: `read`)",
            self.name,
            permission.least()
        )).with_code(ProblemCode::new("not-permitted")))
    }

    /// Whether the caller is the person, a system administrator, or a key with the scope.
    fn is_self(&self, owner: PersonId, access: Access) -> bool {
        let stands_for_everybody = match (&self.power, access) {
            (Power::System, _) => true,
            (Power::Key { read, .. }, Access::Read) => *read,
            (Power::Key { write, .. }, Access::Change) => *write,
            (Power::Location(_) | Power::Person, _) => false,
        };
        stands_for_everybody || self.person == Some(owner)
    }

    /// Refuses callers other than the person, system administrators and keys, for data that only the person sets:
    /// relationships, favourites, meetings, clients and devices. Location administrators have no access.
    pub fn require_self(&self, owner: PersonId, access: Access) -> Result<(), Problem> {
        if self.is_self(owner, access) {
            return Ok(());
        }
        Err(Problem::forbidden(format!(
            "{} is not this person; only the person, system administrators and keys with the scope `write` (to read: `read`) have that",
            self.name
        )).with_code(ProblemCode::new("not-permitted")))
    }

    /// Refuses callers who are neither the person nor an administrator of the person's location, for settings of the
    /// person.
    pub fn require_self_or_admin(
        &self,
        organisation: &Organisation,
        owner: PersonId,
        access: Access,
    ) -> Result<(), Problem> {
        match self.is_self(owner, access) {
            true => Ok(()),
            false => self.require_admin_of(organisation, owner),
        }
    }

    /// Whether the caller may see the ids of the facts that changed a person's presence: the person, administrators of the
    /// person's location, and keys with the scope `read`.
    pub fn may_see_traces(&self, organisation: &Organisation, owner: PersonId) -> bool {
        self.require_self_or_admin(organisation, owner, Access::Read)
            .is_ok()
    }

    /// Whether the caller may read secrets of a person, such as the address of a calendar feed.
    pub fn may_read_secrets(&self, owner: PersonId) -> bool {
        self.is_admin() || self.person == Some(owner)
    }

    /// Refuses callers who do not administer the person's location.
    pub fn require_admin_of(
        &self,
        organisation: &Organisation,
        owner: PersonId,
    ) -> Result<(), Problem> {
        let location = organisation.read(|snapshot| snapshot.membership(owner).location);
        self.require_admin_at(organisation, location.as_ref())
    }

    /// Refuses callers who do not administer the location or, without one, the organisation.
    pub fn require_admin_at(
        &self,
        organisation: &Organisation,
        location: Option<&ScopeId>,
    ) -> Result<(), Problem> {
        self.require_admin(organisation, location.unwrap_or(ORGANISATION))
    }

    /// Refuses callers who may not read what administrators of the scope read: administrators of the scope, and keys with
    /// the scope `read`.
    pub fn require_admin_to_read(
        &self,
        organisation: &Organisation,
        scope: &ScopeId,
    ) -> Result<(), Problem> {
        match self.power {
            Power::Key { read: true, .. } => Ok(()),
            Power::Key { .. } | Power::System | Power::Location(_) | Power::Person => {
                self.require_admin(organisation, scope)
            }
        }
    }

    /// Whether the caller may read what administrators of the person read.
    pub fn may_read_as_admin_of(&self, organisation: &Organisation, person: PersonId) -> bool {
        let location = || {
            let place = organisation.read(|snapshot| snapshot.membership(person));
            place.location
        };
        match &self.power {
            Power::System | Power::Key { read: true, .. } | Power::Key { admin: true, .. } => true,
            Power::Location(own) => location().as_ref() == Some(own),
            Power::Key { .. } | Power::Person => false,
        }
    }

    /// Refuses callers who do not administer the scope.
    pub fn require_admin(
        &self,
        organisation: &Organisation,
        scope: &ScopeId,
    ) -> Result<(), Problem> {
        let allowed = match &self.power {
            Power::System | Power::Key { admin: true, .. } => true,
            Power::Location(location) => organisation.read(|snapshot| {
                snapshot
                    .membership_of_scope(scope)
                    .is_some_and(|place| place.location.as_ref() == Some(location))
            }),
            Power::Key { .. } | Power::Person => false,
        };
        if allowed {
            return Ok(());
        }
        Err(Problem::forbidden(format!(
            "{} does not administer {scope}; ask a system administrator, or use a key with the scope `admin`",
            self.name
        ))
        .with_code(ProblemCode::new("not-permitted")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // `access::require`, which every protected route passes, adds the caller.
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(Problem::unauthorized)
    }
}
