//! A Microsoft Teams tenant in a box: Entra and Microsoft Graph presence, emulated.
//!
//! Programs that read and write Teams presence run against it unchanged; a control plane under `/box/v1` and a page at
//! `/` do what people do in Teams. As a library it starts in-process ([`Teamsbox::start`]) and shares its clock, so
//! that tests cover days in milliseconds.
//!
//! The state is pure (`tenant`, `user`, `session`, `aggregate`, `preferred`, `calls`): time is an argument and facts
//! are returned. Around it lies a thin shell (`shell`, `graph`, `entra`, `control`, `page`); only `clock` reads the
//! operating system's time.

mod actions;
mod aggregate;
mod calls;
mod change;
mod clock;
mod config;
mod control;
mod duration;
mod entra;
mod error;
mod faults;
mod graph;
mod guid;
mod journal;
mod keys;
mod page;
mod preferred;
mod registrations;
mod server;
mod session;
mod shell;
mod state;
mod tenant;
mod user;
mod value;

pub use self::clock::{Clock, Follower, Step};
pub use self::config::{
    App, ClockMode, Config, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_TENANT_ID, Knobs,
    NewUser, StartError, sample_users,
};
pub use self::error::{ControlError, ControlErrorKind};
pub use self::server::Teamsbox;
pub use self::state::{
    CallState, Moment, PreferredState, SessionKind, SessionState, UserState, UserSummary,
};
pub use self::user::CallKind;
pub use self::value::{Activity, Availability, Device, IdleSpelling, Shown, UnknownWord};
