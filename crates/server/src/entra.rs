//! People from Entra: the tenant's directory is read, compared with who is known, and the difference is carried out.

mod difference;
mod matching;
mod reading;
mod sync;

pub use matching::{By, EntraAccount, Known, Plan, plan};
pub(crate) use sync::{DirectorySync, Failure, Outcome, run};

/// Taking people from a tenant's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryOptions {
    /// Whom.
    pub from: PeopleFrom,
    /// The name of the location that new people come to; it is made if it is missing, and names the tenant.
    pub location: Option<String>,
}

/// Whom to take from the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleFrom {
    /// Every account that may sign in, but guests' only if they are known here.
    Everybody,
    /// The members of a group and of the groups in it; its object id.
    Group(String),
}
