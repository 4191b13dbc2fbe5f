//! My presence: the explained presence, profiles to choose, the state in Teams.

use jiff::Span;
use serde_json::{Value, json};

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, Choice, Field, Form, Kind, RefusedForm, flag, text},
    page_context::{EnteredForm, PageContext},
};

/// My presence.
pub(super) struct Now;

impl PageHandler for Now {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let explanation = request
            .api
            .get::<Value>(&request.mine("explanation")?)
            .await?;
        let profiles = request
            .api
            .items::<Value>(&request.mine("profiles")?)
            .await?;
        let choice = request.api.get::<Value>(&request.mine("profile")?).await?;
        let account = request
            .api
            .get::<Value>(&request.mine("teams-account")?)
            .await?;
        let presence = explanation.get("presence").unwrap_or(&Value::Null);
        let facts = vec![
            (request.say("board-status"), request.presence(presence)),
            (
                request.say("board-text"),
                Cell::Text(request.presence_text(presence)),
            ),
            (
                request.say("me-profile"),
                Cell::Text(text(presence, "profile").to_owned()),
            ),
            (
                request.say("board-since"),
                Cell::Time(text(presence, "since").to_owned()),
            ),
            (
                request.say("nav-my-teams"),
                Cell::Link("/me/teams".into(), teams(request, &account)),
            ),
        ];
        let mut page = Page::new(request, request.say("nav-me-now"))
            .add(Block::Facts(facts))
            .form(choose(request, &profiles, &choice), back);
        if let Some(chosen) = choice.get("profile").and_then(Value::as_str) {
            let form = Form::new(request.words, "automatic", String::new())
                .button(request.words.with("me-automatic", "profile", chosen));
            page = page.form(form, back);
        }
        Ok(page
            .heading(request.say("me-why"))
            .table(request.reasons(&explanation)))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let path = request.mine("profile")?;
        if typed.one("form") == "automatic" {
            request.api.delete(&path).await?;
            return Ok(Done::new("/me", "automatic").into());
        }
        let until = until(request, typed)?;
        let body = json!({"profile": typed.one("profile"), "until": until});
        request.api.put(&path, body, "").await?;
        Ok(Done::new("/me", "chosen").into())
    }
}

/// State of the account at Microsoft, in short.
fn teams(request: &PageContext, account: &Value) -> String {
    let is_linked = account
        .get("account")
        .is_some_and(|account| !account.is_null());
    let own_login = text(account, "sign_in") == "people";
    match (is_linked, own_login && !flag(account, "signed_in")) {
        (false, _) => request.say("teams-not-connected"),
        (true, true) => request.say("me-teams-sign-in"),
        (true, false) => request.say("me-teams-connected"),
    }
}

fn choose(request: &PageContext, profiles: &[Value], choice: &Value) -> Form {
    let lengths = ["", "30", "60", "120", "today", "at"].map(|length| {
        Choice::new(
            length,
            request.say(&format!(
                "until-{}",
                if length.is_empty() { "changed" } else { length }
            )),
        )
    });
    let mut form = Form::new(request.words, "choose", request.say("me-choose"))
        .field(Field::new(
            "for",
            request.say("me-until"),
            Kind::Select(lengths.to_vec()),
        ))
        .field(
            Field::new("until", request.say("me-until-at"), Kind::Moment)
                .help(request.say("me-until-help")),
        );
    let chosen = text(choice, "profile");
    let active = profiles.iter().filter(|profile| flag(profile, "active"));
    for profile in active {
        let name = text(profile, "name");
        form = form.submit(
            "profile",
            name,
            format!("{name} ({})", request.status(text(profile, "status"))),
        );
        if let Some(button) = form.buttons.last_mut() {
            button.pressed = Some(name == chosen);
        }
    }
    form
}

/// The end of the choice.
fn until(request: &PageContext, typed: &EnteredForm) -> Result<Option<String>, Refusal> {
    let now = request.now();
    let end = match typed.one("for") {
        "" => return request.moment("until", typed.one("until")),
        "at" => {
            let moment = request.moment("until", typed.one("until"))?;
            let missing =
                || Refusal::of_field("until", "say until when, or choose another length".into());
            return moment.map(Some).ok_or_else(missing);
        }
        "today" => now.end_of_day(),
        minutes => {
            let minutes = minutes.parse::<i64>().unwrap_or(30).clamp(1, 24 * 60);
            now.checked_add(Span::new().minutes(minutes))
        }
    };
    let end = end.map_err(|error| Refusal::of_field("until", error.to_string()))?;
    Ok(Some(end.timestamp().to_string()))
}
