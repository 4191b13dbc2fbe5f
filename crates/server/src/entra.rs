//! People from Entra: the tenant's directory is read, compared with who is known, and the difference is carried out.

mod matching;
mod sync;

pub use matching::{By, EntraAccount, Known, Plan, plan};
pub(crate) use sync::{DirectorySync, Inbox, Outcome, run};

/// Whom to take from the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleFrom {
    /// Every account that may sign in, but guests' only if they are known here.
    Everybody,
    /// The members of a group and of the groups in it; its object id.
    Group(String),
}
