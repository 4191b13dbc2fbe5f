//! My Profiles: their order, and personal profiles.

use api_types::profile::{ForwardingBody, NewProfile, OrderBody, ProfileBody};
use presence::{Forwarding, Origin, Status, TEAMS_PROFILE, same_name};

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Button, Cell, Field, Form, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
    words::new_profile,
};

const HERE: &str = "/me/profiles";
/// Target of calls that go to the voicemail, and the button that sends them there.
const VOICEMAIL: &str = "voicemail";

/// My Profiles.
pub(super) struct Profiles;

impl PageHandler for Profiles {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let path = request.mine("profiles")?;
        let profiles = request.api.items::<ProfileBody>(&path).await?;
        let mut page = Page::new(request, request.say("nav-profiles"))
            .text(request.say("profiles-about"))
            .form(teams_calls(request, &profiles), back)
            .table(table(request, &profiles));
        let edited = back.map_or_else(|| request.query("edit"), |back| back.typed.given("key"));
        if let Some(name) =
            edited.filter(|_| back.is_none_or(|back| back.typed.one("form") == "save"))
        {
            let read = request
                .api
                .read::<ProfileBody>(&format!("{path}/{}", part(name)))
                .await?;
            let mut form = Form::new(
                request.words,
                "save",
                request.words.with("profile-edit", "name", name),
            )
            .tag(&read.tag)
            .hidden("key", name);
            form.fields
                .extend(request.profile_fields(Some(&read.value)));
            let form = form.field(Field::check(
                "active",
                request.say("template-active"),
                read.value.active,
            ));
            page = page.form(form.button(request.say("save")), back);
        }
        let mut form = Form::new(request.words, "add", request.say("profile-add")).field(
            Field::text("name", request.say("board-name"))
                .required()
                .help(request.say("profile-name-help")),
        );
        form.fields.extend(request.profile_fields(None));
        Ok(page.form(form.button(request.say("add")), back))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let path = request.mine("profiles")?;
        let key = typed.one("key");
        let one = format!("{path}/{}", part(key));
        let said = match typed.one("form") {
            "add" => {
                let body = NewProfile {
                    name: Some(typed.one("name").to_owned()),
                    ..new_profile(typed)
                };
                request.api.post(&path, body).await?;
                "added"
            }
            "save" => {
                let body = NewProfile {
                    active: Some(typed.ticked("active")),
                    ..new_profile(typed)
                };
                request.api.put(&one, body, typed.one("tag")).await?;
                "saved"
            }
            "delete" => {
                request.api.delete(&one).await?;
                "deleted"
            }
            "teams-calls" => {
                save_teams_calls(request, typed.one("calls")).await?;
                "saved"
            }
            direction => {
                let profiles = request.api.items::<ProfileBody>(&path).await?;
                let names = profiles.into_iter().map(|profile| profile.name);
                let names = moved(names.collect(), key, direction);
                request.api.put(&path, OrderBody { names }, "").await?;
                "ordered"
            }
        };
        Ok(Done::new(HERE, said).into())
    }
}

/// The profile of a Teams call: the person's own precedes the central one.
fn teams_profile(profiles: &[ProfileBody]) -> Option<&ProfileBody> {
    let named = || {
        let usable = profiles.iter().filter(|profile| profile.active);
        usable.filter(|profile| same_name(&profile.name, TEAMS_PROFILE))
    };
    let own = named().find(|profile| profile.origin == Origin::Personal);
    own.or_else(|| named().next())
}

/// What happens to other calls during a Teams call, by one button each.
fn teams_calls(request: &PageContext, profiles: &[ProfileBody]) -> Form {
    let forwarding = teams_profile(profiles).map(|profile| &profile.forwarding);
    let is_off = forwarding.is_none_or(|forwarding| forwarding.kind == Forwarding::Off.kind());
    let voicemail = forwarding.and_then(|forwarding| forwarding.target.as_deref());
    let mut form = Form::new(request.words, "teams-calls", request.say("own-teams-calls"));
    for (value, is_pressed) in [("ring", is_off), (VOICEMAIL, voicemail == Some(VOICEMAIL))] {
        form = form.submit("calls", value, request.say(&format!("own-calls-{value}")));
        if let Some(button) = form.buttons.last_mut() {
            button.pressed = Some(is_pressed);
        }
    }
    form
}

/// Changes the forwarding of the person's own profile of a Teams call, which is made if there is none.
async fn save_teams_calls(request: &PageContext, calls: &str) -> Result<(), Refusal> {
    let path = request.mine("profiles")?;
    let profiles = request.api.items::<ProfileBody>(&path).await?;
    let now = teams_profile(&profiles);
    let own = now.filter(|profile| profile.origin == Origin::Personal);
    let is_voicemail = calls == VOICEMAIL;
    let body = NewProfile {
        name: Some(TEAMS_PROFILE.to_owned()).filter(|_| own.is_none()),
        status: now
            .map_or(Status::Busy, |profile| profile.status)
            .name()
            .to_owned(),
        forwarding: Some(ForwardingBody {
            kind: if is_voicemail {
                "all"
            } else {
                Forwarding::Off.kind()
            }
            .to_owned(),
            target: is_voicemail.then(|| VOICEMAIL.to_owned()),
        }),
        text: now.and_then(|profile| profile.text.clone()),
        active: None,
    };
    match own {
        Some(own) => {
            let one = format!("{path}/{}", part(&own.name));
            request.api.put(&one, body, "").await?;
        }
        None => {
            request.api.post(&path, body).await?;
        }
    }
    Ok(())
}

/// The names after one has moved up or down by one position.
pub(in crate::pages) fn moved(mut names: Vec<String>, name: &str, direction: &str) -> Vec<String> {
    let Some(at) = names.iter().position(|known| known == name) else {
        return names;
    };
    let other = if direction == "up" {
        at.checked_sub(1)
    } else {
        Some(at + 1)
    };
    if let Some(other) = other.filter(|other| *other < names.len()) {
        names.swap(at, other);
    }
    names
}

/// Buttons that move a row up and down.
pub(in crate::pages) fn movers(request: &PageContext, name: &str) -> [Button; 2] {
    ["up", "down"].map(|direction| {
        let label = request
            .words
            .with(&format!("move-{direction}"), "name", name);
        let arrow = if direction == "up" { "↑" } else { "↓" };
        Button::new(direction, name, arrow.into()).label(label)
    })
}

fn table(request: &PageContext, profiles: &[ProfileBody]) -> Table {
    let row = |profile: &ProfileBody| {
        let name = &*profile.name;
        let is_own = profile.origin == Origin::Personal;
        let mut buttons = movers(request, name).to_vec();
        let mut cells = vec![Cell::Text(name.to_owned())];
        if is_own {
            cells = vec![Cell::Link(
                format!("{HERE}?edit={}", part(name)),
                name.to_owned(),
            )];
            buttons.push(
                Button::new("delete", name, request.say("delete"))
                    .label(request.words.with("delete-of", "name", name))
                    .sure(request.words.with("delete-sure", "name", name)),
            );
        }
        let status = profile.status.name();
        let origin = match (is_own, profile.active) {
            (true, true) => "card-own",
            (false, true) => "card-central",
            (true | false, false) => "profile-inactive",
        };
        cells.extend([
            Cell::Status(status.to_owned(), request.status(status)),
            Cell::Text(request.forwarding(&profile.forwarding)),
            Cell::Text(profile.text.clone().unwrap_or_default()),
            Cell::Text(request.say(origin)),
            Cell::Buttons(buttons),
        ]);
        Row {
            key: name.to_owned(),
            cells,
        }
    };
    Table {
        id: "profiles",
        caption: request.say("nav-profiles"),
        head: [
            "board-name",
            "board-status",
            "profile-forwarding",
            "profile-text",
            "profile-origin",
            "actions",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: profiles.iter().map(row).collect(),
        empty: request.say("profiles-none"),
        order: request
            .mine("profiles")
            .ok()
            .map(|path| format!("/api/v1{path}")),
    }
}

#[cfg(test)]
mod tests {
    use super::moved;

    #[test]
    fn a_name_goes_up_or_down_and_not_beyond_the_ends() {
        let order = |name: &str, direction: &str| {
            let names = ["a", "b", "c"].map(str::to_owned).to_vec();
            moved(names, name, direction).concat()
        };
        assert_eq!(order("b", "up"), "bac");
        assert_eq!(order("b", "down"), "acb");
        assert_eq!(order("a", "up"), "abc");
        assert_eq!(order("c", "down"), "abc");
        assert_eq!(order("x", "up"), "abc");
    }
}
