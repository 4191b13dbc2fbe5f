//! My presence: the explained presence, profiles to choose, the state in Teams.

use api::problem::ProblemCode;
use api_types::{
    choice::{ChoiceBody, CurrentChoice},
    presence::Explanation,
    profile::ProfileBody,
    teams_account::{TeamsAccount, TenantSignIn},
};
use jiff::Span;

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, Choice, Field, Form, Kind, RefusedForm},
    page_context::{EnteredForm, PageContext},
};

/// My presence.
pub(super) struct Now;

impl PageHandler for Now {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let explanation = request
            .api
            .get::<Explanation>(&request.mine("explanation")?)
            .await?;
        let profiles = request
            .api
            .items::<ProfileBody>(&request.mine("profiles")?)
            .await?;
        let choice = request
            .api
            .get::<CurrentChoice>(&request.mine("profile")?)
            .await?;
        let account = request
            .api
            .get::<TeamsAccount>(&request.mine("teams-account")?)
            .await?;
        let presence = &explanation.presence;
        let facts = vec![
            (request.say("board-status"), request.presence(presence)),
            (
                request.say("board-text"),
                Cell::Text(request.presence_text(presence)),
            ),
            (
                request.say("me-profile"),
                Cell::Text(presence.profile.clone().unwrap_or_default()),
            ),
            (
                request.say("board-since"),
                Cell::Time(presence.since.clone().unwrap_or_default()),
            ),
            (
                request.say("nav-my-teams"),
                Cell::Link("/me/teams".into(), teams(request, &account)),
            ),
        ];
        let mut page = Page::new(request, request.say("nav-me-now"))
            .add(Block::Facts(facts))
            .form(choose(request, &profiles, &choice), back);
        if let Some(chosen) = &choice.profile {
            let form = Form::new(request.words, "automatic", String::new())
                .button(request.words.with("me-automatic", "profile", &**chosen));
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
        let body = ChoiceBody {
            profile: Some(typed.one("profile").to_owned()),
            until,
        };
        request.api.put(&path, body, "").await?;
        Ok(Done::new("/me", "chosen").into())
    }
}

/// State of the account at Microsoft, in short.
fn teams(request: &PageContext, account: &TeamsAccount) -> String {
    let own_login = account.sign_in == Some(TenantSignIn::People);
    let is_signed_in = account.signed_in.unwrap_or_default();
    match (account.account.is_some(), own_login && !is_signed_in) {
        (false, _) => request.say("teams-not-connected"),
        (true, true) => request.say("me-teams-sign-in"),
        (true, false) => request.say("me-teams-connected"),
    }
}

fn choose(request: &PageContext, profiles: &[ProfileBody], choice: &CurrentChoice) -> Form {
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
    for profile in profiles.iter().filter(|profile| profile.active) {
        let name = &profile.name;
        let status = request.status(profile.status.name());
        form = form.submit("profile", name, format!("{name} ({status})"));
        if let Some(button) = form.buttons.last_mut() {
            button.pressed = Some(choice.profile.as_ref() == Some(name));
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
            let missing = || Refusal::of_code("until", ProblemCode::new("missing-time"));
            return moment.map(Some).ok_or_else(missing);
        }
        "today" => now.end_of_day(),
        minutes => {
            let minutes = minutes.parse::<i64>().unwrap_or(30).clamp(1, 24 * 60);
            now.checked_add(Span::new().minutes(minutes))
        }
    };
    let end = end.map_err(|_| Refusal::of_code("until", ProblemCode::new("out-of-range")))?;
    Ok(Some(end.timestamp().to_string()))
}
