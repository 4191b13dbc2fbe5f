//! The parts of the server that report their health, and their names in `/readyz`.

use std::{cmp::Ordering, fmt, sync::Arc};

use presence::TenantName;

/// A part of the server. Sorted and shown by its name in `/readyz`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The machine's clock, compared with the last known time.
    Clock,
    /// Connections to the HTTP server.
    Connections,
    /// Records that wait for the database.
    Database,
    /// The synchronisation with a tenant's directory.
    Directory(DirectoryPart, TenantName),
    /// The loop breaker of writes to Teams.
    LoopBreaker,
    /// Stored logins of people and service accounts at Microsoft.
    Logins,
    /// A PBX, by its name in the configuration.
    Pbx(Arc<str>),
    /// Parts of a PBX's documents that could not be read.
    PbxDocuments(Arc<str>),
    /// Connections of phones.
    PhoneConnections,
    /// Untrusted addresses that ask for call routing.
    RefusedPhones,
    /// Whether the database accepts changes.
    Store,
    /// Whether the database is undamaged.
    StoreCheck,
    /// A part of the connection to a Teams tenant.
    Teams(TeamsPart, TenantName),
    /// Tenants that locations name.
    Tenants,
}

/// A part of the connection to a Teams tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TeamsPart {
    /// Matching of people and Teams accounts.
    Accounts,
    /// Writes that wait for the request limit.
    Backlog,
    /// Accounts that are missing from Microsoft's answers.
    MissingAccounts,
    /// Change notifications.
    Notifications,
    /// The sweep.
    Sweep,
    /// Accounts for which Graph refuses requests.
    UnreadableAccounts,
    /// Writes without a visible effect.
    Writes,
}

/// A part of the synchronisation with a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryPart {
    /// The synchronisation itself, and elements that could not be read.
    Whole,
    /// Graph's link to later changes.
    Link,
    /// Members of elements that could not be read.
    Members,
    /// People with the name of another account.
    Names,
    /// Changes of people that the store refused.
    Refusals,
}

impl Part {
    /// Whether the part belongs to the connection to PBXs.
    pub const fn is_of_pbx(&self) -> bool {
        matches!(self, Self::Pbx(_) | Self::PbxDocuments(_))
    }

    /// Whether the part belongs to the connection to Teams tenants.
    pub const fn is_of_tenant(&self) -> bool {
        match self {
            Self::Teams(TeamsPart::MissingAccounts | TeamsPart::UnreadableAccounts, _) => false,
            Self::Teams(..)
            | Self::Directory(..)
            | Self::LoopBreaker
            | Self::Logins
            | Self::Tenants => true,
            Self::Clock
            | Self::Connections
            | Self::Database
            | Self::Pbx(_)
            | Self::PbxDocuments(_)
            | Self::PhoneConnections
            | Self::RefusedPhones
            | Self::Store
            | Self::StoreCheck => false,
        }
    }
}

impl TeamsPart {
    const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "teams accounts",
            Self::Backlog => "teams backlog",
            Self::MissingAccounts => "missing teams accounts",
            Self::Notifications => "teams notifications",
            Self::Sweep => "teams sweep",
            Self::UnreadableAccounts => "unreadable teams accounts",
            Self::Writes => "teams writes",
        }
    }
}

impl DirectoryPart {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Whole => "",
            Self::Link => " link",
            Self::Members => " members",
            Self::Names => " names",
            Self::Refusals => " refusals",
        }
    }
}

/// The name of a tenant's part: only tenants beside the main one are named.
fn of_tenant(formatter: &mut fmt::Formatter<'_>, part: &str, tenant: &TenantName) -> fmt::Result {
    formatter.write_str(part)?;
    if !tenant.is_main() {
        write!(formatter, " ({tenant})")?;
    }
    Ok(())
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Clock => "clock",
            Self::Connections => "connections",
            Self::Database => "database",
            Self::Directory(part, tenant) => {
                of_tenant(formatter, "teams directory", tenant)?;
                part.suffix()
            }
            Self::LoopBreaker => "teams loop breaker",
            Self::Logins => "teams logins",
            Self::Pbx(name) => return write!(formatter, "pbx {name}"),
            Self::PbxDocuments(name) => return write!(formatter, "pbx {name} documents"),
            Self::PhoneConnections => "phone connections",
            Self::RefusedPhones => "phones refused",
            Self::Store => "store",
            Self::StoreCheck => "store-check",
            Self::Teams(part, tenant) => return of_tenant(formatter, part.name(), tenant),
            Self::Tenants => "tenants",
        };
        formatter.write_str(name)
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        self.to_string().cmp(&other.to_string())
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::{DirectoryPart, Part, TeamsPart};

    #[test]
    fn a_tenant_is_named_unless_it_is_the_main_one() {
        for (part, name) in [
            (Part::Teams(TeamsPart::Sweep, "main".into()), "teams sweep"),
            (
                Part::Teams(TeamsPart::Sweep, "lyon".into()),
                "teams sweep (lyon)",
            ),
            (
                Part::Directory(DirectoryPart::Whole, "main".into()),
                "teams directory",
            ),
            (
                Part::Directory(DirectoryPart::Link, "lyon".into()),
                "teams directory (lyon) link",
            ),
            (
                Part::PbxDocuments("asterisk".into()),
                "pbx asterisk documents",
            ),
        ] {
            assert_eq!(part.to_string(), name);
        }
    }
}
