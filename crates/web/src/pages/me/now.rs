//! My presence: the explained presence, profiles to choose, the state in Teams.

use api::problem::ProblemCode;
use api_types::{
    choice::{ChoiceBody, CurrentChoice},
    presence::Explanation,
    profile::ProfileBody,
    teams_account::{TeamsAccount, TenantSignIn},
};
use jiff::{
    Span, Zoned,
    civil::{Date, Time},
};

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, Choice, Field, Form, Kind, RefusedForm},
    page_context::{EnteredForm, PageContext},
};
use crate::{layout, own_status::profile_text};

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
        let profile = presence.profile.as_deref().unwrap_or_default();
        let mut facts = vec![(request.say("board-status"), request.presence(presence))];
        if presence.text != presence.status.words() {
            let text = Cell::Text(request.presence_text(presence));
            facts.push((request.say("board-text"), text));
        }
        facts.extend([
            (
                request.say("me-profile"),
                Cell::Text(profile_text(request.words, profile)),
            ),
            (
                request.say("board-since"),
                Cell::Time(presence.since.clone().unwrap_or_default()),
            ),
            (
                request.say("nav-my-teams"),
                Cell::Link("/me/teams".into(), teams(request, &account)),
            ),
        ]);
        let mut page = Page::new(request, request.say("nav-me-now"))
            .add(Block::Facts(facts))
            .form(choose(request, &profiles, &choice), back);
        if let Some(chosen) = &choice.profile {
            let form =
                Form::new(request.words, "automatic", String::new()).button(request.words.with(
                    "me-automatic",
                    "profile",
                    profile_text(request.words, chosen),
                ));
            page = page.form(form, back);
        }
        page.is_live = true;
        Ok(page
            .heading(request.say("me-why"))
            .table(request.reasons(&explanation)))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let path = request.mine("profile")?;
        if typed.one("form") == "automatic" {
            request.api.delete(&path).await?;
            return Ok(Done::new(way_on(typed), "automatic").into());
        }
        let until = until(request, typed)?;
        let body = ChoiceBody {
            profile: Some(typed.one("profile").to_owned()),
            until,
        };
        request.api.put(&path, body, "").await?;
        Ok(Done::new(way_on(typed), "chosen").into())
    }
}

/// The page that sent the form from its bar, else this page.
fn way_on(typed: &EnteredForm) -> String {
    let from = typed.given("to").unwrap_or("/me");
    layout::local(Some(from)).to_owned()
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
        let text = profile_text(request.words, name);
        let status = request.status(profile.status.name());
        let text = match text == status {
            true => text,
            false => format!("{text} ({status})"),
        };
        form = form.submit("profile", name, text);
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
        "" | "at" if typed.given("time").is_some() => {
            return clock_end(&now, typed.one("time")).map(Some);
        }
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

/// The next moment at which clocks show the typed time of day.
fn clock_end(now: &Zoned, typed: &str) -> Result<String, Refusal> {
    let wrong = |error: jiff::Error| Refusal::of_field("until", error.to_string());
    let time = typed.parse::<Time>().map_err(wrong)?;
    let on = |date: Date| date.to_datetime(time).to_zoned(now.time_zone().clone());
    let today = on(now.date()).map_err(wrong)?;
    let end = match today > *now {
        true => today,
        false => now.date().tomorrow().and_then(on).map_err(wrong)?,
    };
    Ok(end.timestamp().to_string())
}

#[cfg(test)]
mod tests {
    use super::clock_end;

    #[test]
    fn a_time_of_day_is_the_next_one() {
        let now = "2026-11-23T10:00[Europe/Berlin]".parse().unwrap();
        let end = |typed| clock_end(&now, typed).ok();
        assert_eq!(end("15:00").as_deref(), Some("2026-11-23T14:00:00Z"));
        assert_eq!(end("09:30").as_deref(), Some("2026-11-24T08:30:00Z"));
        assert_eq!(end("later"), None);
    }
}
