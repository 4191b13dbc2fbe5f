//! The phones and Teams clients of the demo's people. They act on the simulated PBX, on teamsbox and, as the action URL of
//! a phone's function key, on the API; the board shows the product's reaction.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use presence::{PersonId, Status};
use runtime::people_index::Person;
use teamsbox::{CallKind, Teamsbox};
use telephony::simulated::{CallId, SimulatedPbx};
use web::demo::{PhoneCall, PhoneKey, TeamsAction, TeamsClient};

/// Time after which the called colleague answers.
const ANSWERED_AFTER: Duration = Duration::from_secs(2);

/// The devices.
pub struct Devices {
    pub teamsbox: Arc<Teamsbox>,
    pub pbx: Arc<SimulatedPbx>,
    pub api_key: String,
    /// Base address of the API; unset until the server listens.
    pub api: OnceLock<String>,
    pub http: reqwest::Client,
}

impl std::fmt::Debug for Devices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Devices").finish_non_exhaustive()
    }
}

impl web::demo::Devices for Devices {
    fn calls(&self, extension: &str) -> Vec<PhoneCall> {
        let calls = self.pbx.calls_of(extension).into_iter();
        let shown = calls.map(|call| PhoneCall {
            other: call.other.to_string(),
            is_caller: call.is_caller,
            is_answered: call.is_answered,
        });
        shown.collect()
    }

    fn press(&self, person: &Person, key: PhoneKey) {
        let Some((_, own)) = person.lines.first() else {
            return;
        };
        match key {
            PhoneKey::Call(other) => {
                if let Ok(call) = self.pbx.ring(own, &other) {
                    tokio::spawn(answer_later(self.pbx.clone(), call));
                }
            }
            PhoneKey::BeCalledBy(other) => {
                // A number that is no extension calls from outside, so the PBX takes any.
                let _ = self.pbx.ring(&other, own);
            }
            PhoneKey::Answer => {
                let calls = self.pbx.calls_of(own);
                let rings = calls
                    .iter()
                    .find(|call| !call.is_answered && !call.is_caller);
                if let Some(call) = rings {
                    self.pbx.answer(call.id);
                }
            }
            PhoneKey::HangUp => {
                for call in self.pbx.calls_of(own) {
                    self.pbx.hang_up(call.id);
                }
            }
            PhoneKey::DoNotDisturb => self.choose(person.id, Some(Status::DoNotDisturb)),
            PhoneKey::Automatic => self.choose(person.id, None),
        }
    }

    fn teams(&self, user: &str) -> Option<TeamsClient> {
        let state = self.teamsbox.user_state(user).ok()?;
        let with = state.call.as_ref().and_then(|call| call.with.as_ref());
        let with = with.and_then(|with| self.teamsbox.user_state(with).ok());
        Some(TeamsClient {
            availability: state.availability.to_string(),
            activity: state.activity.to_string(),
            is_in_call: state
                .call
                .as_ref()
                .is_some_and(|call| call.kind != CallKind::Sharing),
            is_sharing: state.call.as_ref().is_some_and(|call| call.sharing),
            is_chosen: state.preferred.is_some(),
            with: with.map(|with| with.display_name),
        })
    }

    fn act(&self, person: &Person, action: TeamsAction) {
        let user = &*person.user_principal_name;
        let done = match action {
            TeamsAction::Call(other) => {
                self.teamsbox
                    .start_call(user, CallKind::Audio, Some(&other))
            }
            TeamsAction::EndCall => self.teamsbox.end_call(user),
            TeamsAction::Share => self.teamsbox.start_sharing(user, None),
            TeamsAction::StopSharing => self.teamsbox.stop_sharing(user),
            TeamsAction::DoNotDisturb => self.teamsbox.set_manual(user, "DoNotDisturb", None, None),
            TeamsAction::Reset => self.teamsbox.clear_manual(user),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "the demo's Teams client could not do this");
        }
    }
}

impl Devices {
    /// Requests the address that the phone's function key has: chooses a status, or ends the choice.
    fn choose(&self, person: PersonId, status: Option<Status>) {
        let Some(api) = self.api.get() else {
            return;
        };
        let address = format!("{api}/api/v1/people/{person}/profile");
        let request = match status {
            Some(status) => {
                let body = serde_json::json!({"profile": status.words()});
                self.http.put(address).json(&body)
            }
            None => self.http.delete(address),
        };
        let request = request.bearer_auth(&self.api_key);
        tokio::spawn(async move {
            let answer = request.send().await;
            if let Err(error) = answer.and_then(reqwest::Response::error_for_status) {
                tracing::warn!(%error, "the demo's phone could not choose a status");
            }
        });
    }
}

/// Answers a call, unless it ended before.
async fn answer_later(pbx: Arc<SimulatedPbx>, call: CallId) {
    tokio::time::sleep(ANSWERED_AFTER).await;
    pbx.answer(call);
}
