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
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let explanation = visit.api.get(&visit.mine("explanation")?).await?;
        let profiles = visit.api.items(&visit.mine("profiles")?).await?;
        let choice = visit.api.get(&visit.mine("profile")?).await?;
        let account = visit.api.get(&visit.mine("teams-account")?).await?;
        let presence = explanation.get("presence").unwrap_or(&Value::Null);
        let facts = vec![
            (visit.say("board-status"), visit.presence(presence)),
            (
                visit.say("board-text"),
                Cell::Text(visit.presence_text(presence)),
            ),
            (
                visit.say("me-profile"),
                Cell::Text(text(presence, "profile").to_owned()),
            ),
            (
                visit.say("board-since"),
                Cell::Time(text(presence, "since").to_owned()),
            ),
            (
                visit.say("nav-my-teams"),
                Cell::Link("/me/teams".into(), teams(visit, &account)),
            ),
        ];
        let mut page = Page::new(visit, visit.say("nav-me-now"))
            .add(Block::Facts(facts))
            .form(choose(visit, &profiles, &choice), back);
        if let Some(chosen) = choice.get("profile").and_then(Value::as_str) {
            let form = Form::new(visit.words, "automatic", String::new()).button(visit.words.with(
                "me-automatic",
                "profile",
                chosen,
            ));
            page = page.form(form, back);
        }
        Ok(page
            .heading(visit.say("me-why"))
            .table(visit.reasons(&explanation)))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let path = visit.mine("profile")?;
        if typed.one("form") == "automatic" {
            visit.api.delete(&path).await?;
            return Ok(Done::new("/me", "automatic").into());
        }
        let until = until(visit, typed)?;
        let body = json!({"profile": typed.one("profile"), "until": until});
        visit.api.put(&path, body, "").await?;
        Ok(Done::new("/me", "chosen").into())
    }
}

/// State of the account at Microsoft, in short.
fn teams(visit: &PageContext, account: &Value) -> String {
    let is_linked = account
        .get("account")
        .is_some_and(|account| !account.is_null());
    let own_login = text(account, "sign_in") == "people";
    match (is_linked, own_login && !flag(account, "signed_in")) {
        (false, _) => visit.say("teams-not-connected"),
        (true, true) => visit.say("me-teams-sign-in"),
        (true, false) => visit.say("me-teams-connected"),
    }
}

fn choose(visit: &PageContext, profiles: &[Value], choice: &Value) -> Form {
    let lengths = ["", "30", "60", "120", "today", "at"].map(|length| {
        Choice::new(
            length,
            visit.say(&format!(
                "until-{}",
                if length.is_empty() { "changed" } else { length }
            )),
        )
    });
    let mut form = Form::new(visit.words, "choose", visit.say("me-choose"))
        .field(Field::new(
            "for",
            visit.say("me-until"),
            Kind::Select(lengths.to_vec()),
        ))
        .field(
            Field::new("until", visit.say("me-until-at"), Kind::Moment)
                .help(visit.say("me-until-help")),
        );
    let chosen = text(choice, "profile");
    let active = profiles.iter().filter(|profile| flag(profile, "active"));
    for profile in active {
        let name = text(profile, "name");
        form = form.submit(
            "profile",
            name,
            format!("{name} ({})", visit.status(text(profile, "status"))),
        );
        if let Some(button) = form.buttons.last_mut() {
            button.pressed = Some(name == chosen);
        }
    }
    form
}

/// The end of the choice.
fn until(visit: &PageContext, typed: &EnteredForm) -> Result<Option<String>, Refusal> {
    let now = visit.now();
    let end = match typed.one("for") {
        "" => return visit.moment("until", typed.one("until")),
        "at" => {
            let moment = visit.moment("until", typed.one("until"))?;
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
