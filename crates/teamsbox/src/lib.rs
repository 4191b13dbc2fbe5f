//! A Microsoft Teams tenant in a box: Entra and Microsoft Graph presence, emulated.
//!
//! Programs that read and write Teams presence run against it unchanged; a control plane under `/box/v1` and a page at
//! `/` do what people do in Teams. As a library it starts in-process ([`Teamsbox::start`]) and shares its clock, so
//! that tests cover days in milliseconds.
//!
//! The state is pure (`tenant`, `user`, `session`, `aggregate`, `calendar`, `signins`, `throttle`, `notify::outbox`, …):
//! time is an argument and facts are returned. Around it lies a thin shell (`estate`, `shell`, `graph`, `entra`,
//! `control`, `page`, `courier`); only `clock` reads the operating system's time. Tenants share an `estate` and
//! nothing else.

mod actions;
mod aggregate;
mod calendar;
mod calls;
mod certificate;
mod change;
mod clock;
mod config;
mod connection;
mod control;
mod courier;
mod directory;
mod duration;
mod entra;
mod error;
mod estate;
mod faults;
mod graph;
mod guid;
mod journal;
mod keys;
mod knobs;
mod notify;
mod page;
mod permissions;
mod preferred;
mod random;
mod registrations;
mod rules;
mod server;
mod session;
mod shell;
mod signins;
mod state;
mod status;
mod tenant;
mod throttle;
mod tls;
mod user;
mod value;
#[cfg(test)]
mod vectors;
mod wording;

pub use self::calendar::CalendarKind;
pub use self::clock::{Clock, Follower, Step};
pub use self::config::{
    App, ClockMode, Config, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_DOMAIN,
    DEFAULT_PASSWORD, DEFAULT_TENANT_ID, NewTenant, NewUser, StartError, sample_users,
};
pub use self::error::{ControlError, ControlErrorKind};
pub use self::knobs::{
    CalendarAlone, CalendarPairs, Cloud, DeltaItems, EchoActivity, ExpiredDelta, ExpiresIn,
    Focusing, IdenticalWrite, Knobs, LongExpiry, Policy, PrincipalName, RetryAfter, Spread,
    TieBreak, TokenStyle, UnknownId, ValueList, WithoutTeams,
};
pub use self::server::Teamsbox;
pub use self::state::{
    CalendarState, CallState, Moment, PreferredState, SessionKind, SessionState, UserState,
    UserSummary, Views,
};
pub use self::user::CallKind;
pub use self::value::{Activity, Availability, Device, IdleSpelling, Shown, UnknownWord};
