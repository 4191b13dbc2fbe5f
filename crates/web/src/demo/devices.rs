//! A person's desk phone and Teams client, as the demo's page shows them.

use std::{fmt::Debug, sync::Arc};

use api::{caller::Caller, presence_body};
use presence::{Activity, PersonId, Status, View, view};
use runtime::{context::Context, people_index::Person};

use super::Demo;
use crate::{layout::initials, status_line::StatusLine, texts::Texts};

/// Keys for colleagues on a phone.
const COLLEAGUES: usize = 3;
/// People with devices to choose: those with real names.
const CHOICES: usize = 25;

/// The phones and Teams clients of the demo's people. A key press or an action has the effect that it has on a real device:
/// the PBX signals the call, and Teams reports the state.
pub trait Devices: Debug + Send + Sync {
    /// The calls on the phone with this extension, the oldest first.
    fn calls(&self, extension: &str) -> Vec<PhoneCall>;

    /// Presses a key of the person's phone. A key without a meaning at present does nothing, as on a phone.
    fn press(&self, person: &Person, key: PhoneKey);

    /// The Teams client of the account; `None` if there is no such account.
    fn teams(&self, user: &str) -> Option<TeamsClient>;

    /// Acts in the person's Teams client. An action without a meaning at present does nothing.
    fn act(&self, person: &Person, action: TeamsAction);
}

/// A call on a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneCall {
    /// Number of the other party.
    pub other: String,
    /// Whether this phone called.
    pub is_caller: bool,
    /// Whether the call was answered.
    pub is_answered: bool,
}

/// A key of a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneKey {
    /// Calls an extension.
    Call(String),
    /// Lets an extension call this phone.
    BeCalledBy(String),
    /// Answers the ringing call.
    Answer,
    /// Ends or refuses the calls.
    HangUp,
    /// Chooses Do not disturb.
    DoNotDisturb,
    /// Ends Do not disturb.
    Automatic,
}

impl PhoneKey {
    /// The key with the name that its button sends, such as `call-1002`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name.rsplit_once('-') {
            Some(("call", extension)) => return Some(Self::Call(extension.into())),
            Some(("called-by", extension)) => return Some(Self::BeCalledBy(extension.into())),
            Some(_) | None => {}
        }
        Some(match name {
            "answer" => Self::Answer,
            "hang-up" => Self::HangUp,
            "do-not-disturb" => Self::DoNotDisturb,
            "automatic" => Self::Automatic,
            _ => return None,
        })
    }
}

/// An action in Teams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TeamsAction {
    /// Calls an account.
    Call(String),
    /// Ends the call.
    EndCall,
    /// Shares the screen.
    Share,
    /// Ends the sharing.
    StopSharing,
    /// Chooses Do not disturb.
    DoNotDisturb,
    /// Resets the status.
    Reset,
}

impl TeamsAction {
    /// The action with the name that its button sends, such as `call anna@contoso.example`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        if let Some(user) = name.strip_prefix("call ") {
            return Some(Self::Call(user.into()));
        }
        Some(match name {
            "end-call" => Self::EndCall,
            "share" => Self::Share,
            "stop-sharing" => Self::StopSharing,
            "do-not-disturb" => Self::DoNotDisturb,
            "reset" => Self::Reset,
            _ => return None,
        })
    }
}

/// What a Teams client shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamsClient {
    /// Availability in Graph's spelling.
    pub availability: String,
    /// Activity in Graph's spelling.
    pub activity: String,
    /// Whether the client is in a call.
    pub is_in_call: bool,
    /// Name of the other side of the call.
    pub with: Option<String>,
    /// Whether the client shares the screen.
    pub is_sharing: bool,
    /// Whether the status was chosen manually.
    pub is_chosen: bool,
}

/// A person to choose.
pub(super) struct Choice {
    pub id: String,
    pub name: String,
    pub is_chosen: bool,
}

impl Choice {
    pub(super) fn all(context: &Context, chosen: &str) -> Vec<Self> {
        let choice = |person: Arc<Person>| {
            let id = person.id.to_string();
            Self {
                is_chosen: id == chosen,
                name: person.name.clone(),
                id,
            }
        };
        let people = context.people.page(None, CHOICES);
        people.into_iter().map(choice).collect()
    }
}

/// State of a lamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lamp {
    Off,
    Blinks,
    On,
}

impl Lamp {
    fn of(presence: &View) -> Self {
        match (presence.status, &presence.activity) {
            (_, Some(Activity::Ringing)) => Self::Blinks,
            (Status::Busy | Status::DoNotDisturb, _) => Self::On,
            (Status::Available | Status::BeRightBack | Status::Absent | Status::Offline, _) => {
                Self::Off
            }
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Blinks => "blinks",
            Self::On => "on",
        }
    }
}

/// The key of a colleague.
pub(super) struct Colleague {
    pub name: String,
    pub extension: String,
    pub lamp: Lamp,
    /// The presence in words.
    pub line: String,
}

/// The two devices of a person.
pub(super) struct Shown {
    pub person: String,
    pub name: String,
    pub initials: String,
    pub extension: String,
    /// Text of the phone's display.
    pub display: String,
    /// State of the phone, for its lamp: `idle`, `ringing` or `talking`.
    pub state: &'static str,
    pub can_answer: bool,
    pub has_call: bool,
    pub is_do_not_disturb: bool,
    pub colleagues: Vec<Colleague>,
    pub teams: Option<TeamsClient>,
    /// The client's presence in the words of Teams.
    pub teams_words: String,
    /// Account and name of the colleague to call in Teams.
    pub partner: Option<(String, String)>,
}

impl Shown {
    pub(super) fn new(
        demo: &Demo,
        context: &Context,
        caller: &Caller,
        words: Texts,
        wanted: Option<&str>,
    ) -> Self {
        let person = person(context, wanted);
        let colleagues = person.as_ref().map(|person| colleagues(context, person));
        let colleagues = colleagues.unwrap_or_default();
        let (id, name, user) = match &person {
            Some(person) => (person.id, &*person.name, &*person.user_principal_name),
            None => (PersonId(0), "", ""),
        };
        let extension = person.as_deref().map(extension).unwrap_or_default();
        let calls = demo.devices.calls(&extension);
        let presence = |person| {
            let presence = context.events.presence(person)?;
            Some(view(&presence, caller.level(&context.organisation, person)))
        };
        let (display, state) = display(context, words, calls.first());
        let teams = demo.devices.teams(user);
        let teams_words = teams.as_ref().map(|teams| in_teams(words, teams));
        let partner = colleagues.first();
        let partner = partner.map(|one| (one.user_principal_name.clone(), one.name.clone()));
        let keys = colleagues.iter().filter_map(|one| {
            let seen = presence(one.id)?;
            let line = StatusLine::new(words, &presence_body(&seen));
            Some(Colleague {
                name: one.name.clone(),
                extension: self::extension(one),
                lamp: Lamp::of(&seen),
                line: line.lead,
            })
        });
        Self {
            person: id.to_string(),
            initials: initials(name),
            display,
            state,
            can_answer: calls
                .iter()
                .any(|call| !call.is_answered && !call.is_caller),
            has_call: !calls.is_empty(),
            is_do_not_disturb: context
                .events
                .presence(id)
                .is_some_and(|presence| presence.status == Status::DoNotDisturb),
            colleagues: keys.collect(),
            teams,
            teams_words: teams_words.unwrap_or_default(),
            partner,
            name: name.to_owned(),
            extension,
        }
    }
}

/// The person with this id, else the first one.
pub(super) fn person(context: &Context, id: Option<&str>) -> Option<Arc<Person>> {
    let known = id.and_then(|id| context.people.person(PersonId(id.parse().ok()?)));
    known.or_else(|| context.people.page(None, 1).pop())
}

fn extension(person: &Person) -> String {
    let line = person.lines.first();
    line.map(|(_, extension)| extension.to_string())
        .unwrap_or_default()
}

fn colleagues(context: &Context, person: &Person) -> Vec<Arc<Person>> {
    let people = context.people.page(None, CHOICES);
    let others = people.into_iter().filter(|one| one.id != person.id);
    others.take(COLLEAGUES).collect()
}

/// Text of a phone's display, and the phone's state.
fn display(context: &Context, words: Texts, call: Option<&PhoneCall>) -> (String, &'static str) {
    let Some(call) = call else {
        return (words.text("demo-ready"), "idle");
    };
    let known = context.people.by_extension(&call.other);
    let known = known.and_then(|(person, _)| context.people.person(person));
    let name = known.map_or_else(|| call.other.clone(), |known| known.name.clone());
    let (key, state) = match (call.is_answered, call.is_caller) {
        (true, _) => ("demo-talking", "talking"),
        (false, true) => ("demo-calling", "ringing"),
        (false, false) => ("demo-called", "ringing"),
    };
    (words.with(key, "name", name), state)
}

/// The presence of a Teams client in the words of Teams.
fn in_teams(words: Texts, client: &TeamsClient) -> String {
    let key = match &*client.activity {
        "InACall" | "OnThePhone" | "InAConferenceCall" => "demo-teams-in-call",
        "InAMeeting" => "demo-teams-in-meeting",
        "Presenting" => "demo-teams-presenting",
        _ => match &*client.availability {
            "Available" | "AvailableIdle" => "demo-teams-available",
            "Busy" | "BusyIdle" => "demo-teams-busy",
            "DoNotDisturb" => "demo-teams-do-not-disturb",
            "BeRightBack" => "demo-teams-be-right-back",
            "Away" => "demo-teams-away",
            _ => "demo-teams-offline",
        },
    };
    words.text(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_name_their_keys() {
        assert_eq!(
            PhoneKey::from_name("call-1002"),
            Some(PhoneKey::Call("1002".into()))
        );
        assert_eq!(
            PhoneKey::from_name("called-by-1002"),
            Some(PhoneKey::BeCalledBy("1002".into()))
        );
        assert_eq!(PhoneKey::from_name("hang-up"), Some(PhoneKey::HangUp));
        assert_eq!(PhoneKey::from_name("explode"), None);
        assert_eq!(
            TeamsAction::from_name("call bert@contoso.example"),
            Some(TeamsAction::Call("bert@contoso.example".into()))
        );
        assert_eq!(TeamsAction::from_name(""), None);
    }
}
