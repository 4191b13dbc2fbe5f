//! Presence, its explanation and its history (`/people/{id}/presence`, `…/explanation`, `…/history`).

use std::borrow::Cow;

use presence::{Confidence, Status};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{closed_list::closed_list, core_name};

closed_list! {
    /// Kind of an activity.
    ActivityKind {
        /// An unanswered call.
        Ringing = "Ringing",
        /// A program uses the microphone.
        UsingApp = "UsingApp",
        /// A meeting with audio, outside Teams.
        InMeeting = "InMeeting",
        /// Sharing the screen in Teams.
        Presenting = "Presenting",
        /// A call, on the PBX or in Teams.
        OnThePhone = "OnThePhone",
    }
}

closed_list! {
    /// System of an activity.
    ActivitySystem {
        /// The PBX.
        Pbx = "pbx",
        /// Microsoft Teams.
        Teams = "teams",
        /// A meeting server.
        Meeting = "meeting",
        /// The desktop agent.
        Microphone = "microphone",
    }
}

/// A presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Presence)]
pub struct PresenceBody {
    /// Status with its colour.
    #[serde(with = "core_name")]
    #[schema(value_type = String)]
    pub status: Status,
    /// Activity, if the viewer may see it.
    pub activity: Option<ActivityBody>,
    /// Name of the profile in effect, if the viewer may see it.
    pub profile: Option<String>,
    /// Text beside the status.
    pub text: String,
    /// Start of the status, if it is known and the viewer may see it.
    pub since: Option<String>,
    /// The end of the status, if known: of the person's choice or of an appointment.
    pub until: Option<String>,
    /// Confidence in the sources.
    #[serde(with = "core_name")]
    #[schema(value_type = String)]
    pub confidence: Confidence,
}

/// An activity beside the status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Activity)]
pub struct ActivityBody {
    /// Kind.
    #[schema(value_type = String)]
    pub kind: ActivityKind,
    /// Words in English; for [`ActivityKind::UsingApp`] the name of the program.
    pub label: String,
    /// System in which the activity takes place.
    #[schema(value_type = String)]
    pub via: ActivitySystem,
}

impl From<&presence::Activity> for ActivityBody {
    fn from(activity: &presence::Activity) -> Self {
        use presence::Activity;
        let (kind, via) = match activity {
            Activity::Ringing => (ActivityKind::Ringing, ActivitySystem::Pbx),
            Activity::OnThePhone => (ActivityKind::OnThePhone, ActivitySystem::Pbx),
            Activity::OnThePhoneTeams => (ActivityKind::OnThePhone, ActivitySystem::Teams),
            Activity::InMeeting => (ActivityKind::InMeeting, ActivitySystem::Meeting),
            Activity::Presenting => (ActivityKind::Presenting, ActivitySystem::Teams),
            Activity::UsingApp(_) => (ActivityKind::UsingApp, ActivitySystem::Microphone),
        };
        Self {
            kind,
            label: activity.label().to_owned(),
            via,
        }
    }
}

/// A presence with all its reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// Id of the person.
    pub person: String,
    /// Name of the person.
    pub name: String,
    /// The presence.
    pub presence: PresenceBody,
    /// The reasons in the order of the rules, counted or overruled.
    pub reasons: Vec<ReasonBody>,
}

/// A reason. Parts that the viewer may not see are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Reason)]
pub struct ReasonBody {
    /// Name of the rule (docs/presence-rules.md).
    pub rule: Cow<'static, str>,
    /// Source of the signal, for example `line 1001` or `Teams`.
    pub source: String,
    /// Sentence in English.
    pub says: String,
    /// Stable code of the reason, for other languages, and its parameter.
    pub code: Cow<'static, str>,
    /// Parameter of the code.
    pub value: Option<String>,
    /// Start.
    pub since: String,
    /// Time at which the signal expires unless its source repeats it.
    pub lease_end: Option<String>,
    /// Whether the reason decided.
    pub counted: bool,
    /// Confidence in the source.
    #[serde(with = "core_name")]
    #[schema(value_type = String)]
    pub confidence: Confidence,
    /// Remark in English.
    pub note: Option<String>,
    /// The same for the note.
    pub note_code: Option<Cow<'static, str>>,
    /// Parameter of the note's code.
    pub note_value: Option<String>,
    /// Subject of an appointment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The other party of a call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
    /// Trace id of the fact that caused the reason, with `trace=true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// Past presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = History)]
pub struct HistoryBody {
    /// The changes, the oldest first.
    pub items: Vec<PastBody>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// A change of presence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Past)]
pub struct PastBody {
    /// Time of the change.
    pub at: String,
    /// The presence after it.
    pub presence: PresenceBody,
}

/// Data of the event `presence`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresenceChange {
    /// Id of the person.
    pub person: String,
    /// The new presence.
    pub presence: PresenceBody,
    /// Trace id of the fact that changed the presence: also in the log and in `client-request-id` at Graph. Absent if a
    /// deadline changed it, and for viewers who may not see it in an explanation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}
