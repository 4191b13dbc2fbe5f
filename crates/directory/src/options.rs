//! Settings of the synchronisation with a directory.

/// Settings of taking people from a tenant's directory (`[directory]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryOptions {
    /// The accounts to take.
    pub from: PeopleFrom,
    /// Name of the location for new people. A missing location is added, with this tenant.
    pub location: Option<String>,
}

/// The accounts to take from a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeopleFrom {
    /// All accounts that may sign in; of guests only those of known people.
    Everybody,
    /// The members of a group and of the groups in it, by the group's object id.
    Group(String),
}
