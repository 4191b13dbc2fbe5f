//! A Microsoft Teams tenant in a box: Entra and Microsoft Graph presence, emulated.
//!
//! Programs that read and write Teams presence run against it unchanged. A control plane under `/box/v1` and a page at `/`
//! perform the actions of people in Teams. As a library it starts in-process ([`Teamsbox::start`]) and shares its clock,
//! so that tests cover days in milliseconds.
//!
//! The state of a tenant is pure (`tenant`, `user`, `session`, `aggregate`, `calendar`, `signins`, `throttle`,
//! `notify::outbox`): time is an argument, and changes are returned. `world` holds this state, `shell` a world behind its lock with
//! its tasks, `tenants` has the shells of all tenants. `graph`, `entra`, `control` and `page` answer requests, and
//! `courier` sends notifications. Only `clock` reads the operating system's time. Tenants share a `host` (clock, keys,
//! address) and nothing else.
//!
//! # Example
//!
//! A test creates a person, puts the person into a call, reads the presence that others see, and moves the clock.
//!
//! ```
//! use std::time::Duration;
//!
//! use teamsbox::{Activity, Availability, CallKind, ClockMode, Config, Device, NewUser, Teamsbox};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config {
//!     clock: ClockMode::Manual,
//!     ..Config::default()
//! };
//! let teamsbox = Teamsbox::start(config).await?;
//! let anna = teamsbox.create_user(&NewUser {
//!     display_name: "Anna Bauer".into(),
//!     user_principal_name: "anna@contoso.example".into(),
//!     clients: vec![Device::Desktop],
//!     ..NewUser::default()
//! })?;
//! assert_eq!(anna.availability, Availability::Available);
//!
//! let anna = teamsbox.start_call("anna@contoso.example", CallKind::Audio, None)?;
//! assert_eq!(anna.activity, Activity::InACall);
//!
//! // Programs read the same presence through Graph at this address.
//! assert!(teamsbox.url().starts_with("http://127.0.0.1:"));
//!
//! // An hour passes at once; the call goes on.
//! teamsbox.clock().advance(Duration::from_secs(3600)).await;
//! let anna = teamsbox.user_state("anna@contoso.example")?;
//! assert_eq!(anna.activity, Activity::InACall);
//! teamsbox.stop().await;
//! # Ok(())
//! # }
//! ```

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

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
mod faults;
mod graph;
mod guid;
mod host;
mod journal;
mod keys;
mod knobs;
mod notices;
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
mod tenants;
mod throttle;
mod tls;
mod user;
mod value;
#[cfg(test)]
mod vectors;
mod wording;
mod world;

pub use self::{
    calendar::CalendarKind,
    clock::{Clock, Follower, Step},
    config::{
        App, ClockMode, Config, DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET, DEFAULT_DOMAIN,
        DEFAULT_PASSWORD, DEFAULT_TENANT_ID, NewTenant, NewUser, StartError, sample_users,
    },
    error::{ControlError, ControlErrorKind},
    knobs::{
        CalendarAlone, CalendarPairs, Cloud, DeltaItems, EchoActivity, ExpiredDelta, ExpiresIn,
        Focusing, IdenticalWrite, Knobs, LongExpiry, Policy, PrincipalName, RetryAfter, Spread,
        TieBreak, TokenStyle, UnknownId, ValueList, WithoutTeams,
    },
    server::Teamsbox,
    state::{
        CalendarState, CallState, Moment, PreferredState, SessionKind, SessionState, UserState,
        UserSummary, Views,
    },
    user::CallKind,
    value::{Activity, Availability, Device, IdleSpelling, Shown, UnknownWord},
};
