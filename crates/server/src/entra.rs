//! People from Entra: the tenant's directory is read, compared with who is known, and the difference is carried out.

mod matching;

pub use matching::{By, EntraAccount, Known, Plan, plan};
