//! The core of Offhook: what is known of people, and what follows from it.
//!
//! Presence is *computed* from leased signals and never stored ([`Presence`], [`Signals`]). The [`Engine`] owns people
//! and their signals; the caller hands in what happened and the time, and gets back what changed, what is to be written
//! to Teams and what must be remembered. There is no input or output in this crate, no clock, no randomness, no
//! logging: the same inputs at the same times give the same effects.
//!
//! Start reading at `evaluate.rs` (the rules), then `mirror.rs` (Teams' own state against the echo of ours), then
//! `engine.rs`.

mod answer_order;
mod appointment;
mod effect;
mod engine;
mod evaluate;
mod forwarding;
mod lag;
mod line;
mod mirror;
mod person;
mod policy;
mod presence;
mod profile;
mod reason;
mod record;
mod relationship;
mod requests;
mod settings_group;
mod signals;
mod slot;
mod status;
mod sync_mode;
mod target;
mod teams;
mod teams_account;
mod time;
mod timing;
mod view;
mod visible;

pub use answer_order::SequenceNumber;
pub use appointment::{
    APPOINTMENT_COLOUR, Appointment, AppointmentId, AppointmentOrigin, TEAMS_CALL_COLOUR,
};
pub use effect::{Effect, TeamsWrite};
pub use engine::{Engine, Fact, Input};
pub use forwarding::{Forwarding, ForwardingError, forwarding_loop};
pub use lag::TenantLag;
pub use line::LineState;
pub use person::{LineId, PersonId};
pub use policy::{Automatic, PersonPolicy};
pub use presence::{AppointmentText, Presence};
pub use profile::{
    APPOINTMENT_PROFILE, Choice, MyProfiles, Origin, Profile, TEAMS_PROFILE, same_name,
};
pub use reason::{
    NotCounted, REASON_CODES, Reason, ReasonDetail, ReasonKind, Rule, Source, WriteState,
};
pub use record::{PersonRecord, Record, SlotRecord};
pub use relationship::{OwnerPolicy, Permission, Relationship, relationship};
pub use settings_group::{
    DecidingScope, EffectiveSettings, SETTINGS, ScopeChain, Setting, SettingValues, SettingsGroup,
    UserOverride, Value,
};
pub use signals::{
    ClientId, ClientSignal, ClientState, LineKnowledge, LineSignal, MeetingSignal, ProgramSignal,
    Signals,
};
pub use slot::{
    Action, ClearAnswer, Echo, ReleaseReason, Slot, SlotClear, SlotRelease, SlotState, SlotWrite,
};
pub use status::{Activity, Confidence, Status};
pub use sync_mode::SyncMode;
pub use target::{Number, SipAddress, Target, TargetError, is_extension};
pub use teams::{Meaning, Observation, TeamsAnswer, TeamsCall, TeamsState};
pub use teams_account::{TeamsAccount, Unreachable};
pub use time::Timestamp;
pub use timing::{LoopBreaker, Timing};
pub use view::{View, reasons_for, view};

#[cfg(test)]
mod tests;
