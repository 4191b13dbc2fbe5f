//! The core of Offhook: signals about people, and the presence that follows from them.
//!
//! Presence is *computed* from leased signals and never stored ([`Presence`], [`Signals`]). The [`Engine`] owns people
//! and their signals; the caller hands in events and the time, and gets back effects: changed presences, writes to Teams
//! and records for the store. The crate has no input or output, no clock, no randomness and no logging: the same inputs at
//! the same times give the same effects.
//!
//! The rules are in docs/presence-rules.md. In the code, start at `evaluate.rs` (the rules), then `mirror.rs` (Teams' own
//! state against the echo of our writes), then `engine.rs`.
//!
//! # Example
//!
//! Anna's desk phone is in an answered call, and her Teams account follows:
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use presence::{
//!     Action, Activity, Effect, Engine, Fact, Input, LineChange, LineId, LineState, MicrophoneLayer, PersonId, PersonPolicy, PersonRecord,
//!     Rule, Slot, Status, SyncMode, Timestamp, Timing,
//! };
//!
//! let mut engine = Engine::new(Timing::default());
//! let mut now = Timestamp::from_milliseconds(1_800_000_000_000);
//! let (anna, desk) = (PersonId(1), LineId::Watched(11));
//!
//! // Add a person, with the records that the store has of her.
//! let record = PersonRecord { lines: vec![desk], linked: true, ..PersonRecord::default() };
//! let policy = Arc::new(PersonPolicy::with_mode(SyncMode::TelephonyAndPresence));
//! engine.handle(now, Input::AddPerson(anna, Box::new(record), policy));
//!
//! // A connector reports an answered call. The state counts until the end of its lease.
//! let call = LineChange::State { state: LineState::Connected, party: None, lease: Duration::from_secs(600) };
//! for effect in engine.handle(now, Input::Person(anna, Fact::Line(desk, call))) {
//!     match effect {
//!         Effect::Store(record) => println!("commit {record:?}, before the write is sent"),
//!         Effect::Write(write) => assert_eq!((write.slot, write.action), (Slot::Session, Action::Set)),
//!         Effect::Changed { presence, .. } => assert_eq!(presence.status, Status::Busy),
//!         other => println!("{other:?}"),
//!     }
//! }
//!
//! // The explanation names the rule that decided.
//! let (presence, reasons) = engine.explain(anna, MicrophoneLayer::Included, now).unwrap();
//! assert_eq!(presence.activity, Some(Activity::OnThePhone));
//! assert!(reasons.iter().any(|reason| reason.counted && reason.rule == Rule::PbxCall));
//!
//! // The engine names the time of its next change: the lease ends without a further report.
//! while let Some(deadline) = engine.next_deadline().filter(|_| engine.presence(anna).unwrap().activity.is_some()) {
//!     now = deadline;
//!     engine.handle(now, Input::Tick);
//! }
//! assert_eq!(now, Timestamp::from_milliseconds(1_800_000_600_000));
//! ```

mod answer_order;
mod appointment;
mod effect;
mod engine;
mod evaluate;
mod extension;
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
mod trace;
mod view;
mod visible;

pub use answer_order::SequenceNumber;
pub use appointment::{
    APPOINTMENT_COLOUR, Appointment, AppointmentId, AppointmentOrigin, TEAMS_CALL_COLOUR,
};
pub use effect::{Effect, TeamsWrite};
pub use engine::{Engine, Fact, Input};
pub use extension::{Extension, ExtensionError};
pub use forwarding::{Forwarding, ForwardingError, forwarding_loop};
pub use lag::TenantLag;
pub use line::{LineChange, LineState};
pub use person::{LineId, PersonId};
pub use policy::{Automatic, PersonPolicy};
pub use presence::{AppointmentText, MicrophoneLayer, Presence};
pub use profile::{
    APPOINTMENT_PROFILE, Choice, MyProfiles, Origin, Profile, TEAMS_PROFILE, same_name,
};
pub use reason::{
    NotCounted, REASON_CODES, Reason, ReasonDetail, ReasonKind, Rule, Source, WriteState,
};
pub use record::{PersonRecord, Record, SlotRecord};
pub use relationship::{OwnerPolicy, Permission, Relationship, relationship};
pub use settings_group::{
    DecidingScope, EffectiveSettings, FeedAddress, Key, ProfileName, SETTINGS, ScopeChain, Setting,
    SettingType, SettingValues, SettingsGroup, TimeZone, UserOverride, Value, setting_keys,
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
pub use target::{Number, SipAddress, Target, TargetError};
pub use teams::{Meaning, Observation, TeamsAnswer, TeamsCall, TeamsState};
pub use teams_account::{TeamsAccount, TeamsUserId, TenantName, Unreachable};
pub use time::Timestamp;
pub use timing::{LoopBreaker, Timing};
pub use trace::TraceId;
pub use view::{View, reasons_for, view};

#[cfg(test)]
mod tests;
