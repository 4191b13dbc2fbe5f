//! Callers of Graph and the permissions of their tokens.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    duration::{Milliseconds, SECOND},
    guid::Guid,
};

/// Declares the emulated permissions, in Graph's spelling.
macro_rules! permissions {
    ($($variant:ident => $name:literal),+ $(,)?) => {
        /// A permission of Graph.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Permission { $($variant),+ }

        impl Permission {
            /// All emulated permissions.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in the claims `roles` and `scp`.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

permissions! {
    PresenceRead => "Presence.Read",
    PresenceReadAll => "Presence.Read.All",
    PresenceReadWrite => "Presence.ReadWrite",
    PresenceReadWriteAll => "Presence.ReadWrite.All",
    UserRead => "User.Read",
    UserReadBasicAll => "User.ReadBasic.All",
    UserReadAll => "User.Read.All",
    DirectoryReadAll => "Directory.Read.All",
    GroupReadAll => "Group.Read.All",
    GroupMemberReadAll => "GroupMember.Read.All",
}

/// The claims of an access token, in the form of version 1.0, which Graph's own tokens have.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Claims {
    /// Audience.
    pub(crate) aud: String,
    /// Issuer.
    pub(crate) iss: String,
    /// Issued at, in seconds.
    pub(crate) iat: i64,
    /// Not valid before, in seconds.
    pub(crate) nbf: i64,
    /// Expires, in seconds.
    pub(crate) exp: i64,
    /// Client id.
    pub(crate) appid: String,
    /// `app` or `user`.
    pub(crate) idtyp: String,
    /// Object id of the service principal or of the user.
    pub(crate) oid: String,
    /// Application permissions; left out if there are none, as in Entra.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    /// Delegated permissions, separated by blanks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scp: Option<String>,
    /// Display name of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    /// Sign-in name of the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) upn: Option<String>,
    /// Subject.
    pub(crate) sub: String,
    /// Tenant.
    pub(crate) tid: String,
    /// Unique id of the token.
    pub(crate) uti: String,
    /// Version.
    pub(crate) ver: String,
}

/// The caller of a Graph request.
#[derive(Debug)]
pub(crate) struct Caller {
    /// Client id.
    pub(crate) app: Arc<str>,
    /// Tenant.
    pub(crate) tenant: Guid,
    /// The signed-in user; `None` for a token with application permissions.
    pub(crate) user: Option<Guid>,
    /// Expiry of the token.
    pub(crate) valid_until: Milliseconds,
    valid_from: Milliseconds,
    /// A bit for each permission.
    permissions: u32,
}

impl Caller {
    /// The caller of a token's claims; `None` if they lack tenant or user.
    pub(crate) fn of(claims: Claims) -> Option<Self> {
        let scopes = claims.scp.as_deref().unwrap_or_default();
        let names = claims
            .roles
            .iter()
            .map(String::as_str)
            .chain(scopes.split(' '));
        let granted =
            |permission: &&Permission, name: &str| permission.name().eq_ignore_ascii_case(name);
        let permissions = names
            .filter_map(|name| {
                Permission::ALL
                    .iter()
                    .find(|permission| granted(permission, name))
            })
            .fold(0, |bits, permission| bits | 1 << *permission as u32);
        let user = match claims.scp {
            Some(_) => Some(claims.oid.parse().ok()?),
            None => None,
        };
        Some(Self {
            tenant: claims.tid.parse().ok()?,
            user,
            permissions,
            app: claims.appid.into(),
            valid_from: claims.nbf.saturating_mul(SECOND),
            valid_until: claims.exp.saturating_mul(SECOND),
        })
    }

    /// Returns true if the token has a permission.
    pub(crate) fn has(&self, permission: Permission) -> bool {
        self.permissions & 1 << permission as u32 != 0
    }

    /// Returns true if the token has at least one of several permissions.
    pub(crate) fn has_any(&self, permissions: &[Permission]) -> bool {
        permissions.iter().any(|permission| self.has(*permission))
    }

    /// Returns true if the token has not expired.
    pub(crate) fn valid_at(&self, now: Milliseconds) -> bool {
        now >= self.valid_from && now < self.valid_until
    }

    /// Returns true if the caller can read the presence of a person.
    pub(crate) fn reads(&self, target: Guid) -> bool {
        use Permission::{PresenceRead, PresenceReadAll, PresenceReadWriteAll};
        match self.user {
            None => self.has_any(&[PresenceReadAll, PresenceReadWriteAll]),
            Some(user) => self.has(PresenceReadAll) || user == target && self.has(PresenceRead),
        }
    }

    /// Returns true if the caller can read the presence of all people.
    pub(crate) fn reads_all(&self) -> bool {
        use Permission::{PresenceReadAll, PresenceReadWriteAll};
        self.has(PresenceReadAll) || self.user.is_none() && self.has(PresenceReadWriteAll)
    }

    /// Returns true if the caller can write the presence of a person.
    pub(crate) fn writes(&self, target: Guid) -> bool {
        match self.user {
            None => self.has(Permission::PresenceReadWriteAll),
            Some(user) => user == target && self.has(Permission::PresenceReadWrite),
        }
    }

    /// Returns true if the token has a permission to write presence.
    pub(crate) fn writes_some(&self) -> bool {
        let needed = if self.user.is_some() {
            Permission::PresenceReadWrite
        } else {
            Permission::PresenceReadWriteAll
        };
        self.has(needed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: &str = "fa8bf3dc-eca7-46b7-bad1-db199b62afc3";

    fn caller(roles: &[&str], scp: Option<&str>) -> Caller {
        let claims = Claims {
            oid: ANNA.to_owned(),
            tid: crate::DEFAULT_TENANT_ID.to_owned(),
            roles: roles.iter().map(ToString::to_string).collect(),
            scp: scp.map(str::to_owned),
            ..Claims::default()
        };
        Caller::of(claims).unwrap()
    }

    #[test]
    fn rule_10_who_may_read_and_write_whom() {
        let (anna, ben) = (
            ANNA.parse().unwrap(),
            crate::DEFAULT_TENANT_ID.parse().unwrap(),
        );
        for (roles, scp, reads, writes) in [
            (
                &["Presence.Read.All"][..],
                None,
                [true, true],
                [false, false],
            ),
            (
                &["Presence.ReadWrite.All"],
                None,
                [true, true],
                [true, true],
            ),
            (&[], None, [false, false], [false, false]),
            (&[], Some("Presence.Read"), [true, false], [false, false]),
            (
                &[],
                Some("User.Read Presence.Read.All"),
                [true, true],
                [false, false],
            ),
            (
                &[],
                Some("Presence.ReadWrite"),
                [false, false],
                [true, false],
            ),
            (&[], Some("presence.read"), [true, false], [false, false]),
        ] {
            let caller = caller(roles, scp);
            assert_eq!(
                [caller.reads(anna), caller.reads(ben)],
                reads,
                "{roles:?} {scp:?}"
            );
            assert_eq!(
                [caller.writes(anna), caller.writes(ben)],
                writes,
                "{roles:?} {scp:?}"
            );
        }
    }
}
