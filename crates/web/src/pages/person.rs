//! A colleague: what the person does now, ways to reach the person, the day, and why the presence is what it is.

mod day;
mod sentence;

use api_types::{
    appointments::AppointmentBody,
    people::PersonBody,
    presence::{Explanation, PastBody},
    relationships::Permissions,
};
use askama::Template;
use day::Day;
use jiff::Timestamp;
use presence::{PersonId, Status};
use sentence::{Sentence, sentence};

use super::{
    Live, Page, PageHandler,
    client::Refusal,
    components::{Block, RefusedForm},
    page_context::PageContext,
    timeline::Timeline,
};
use crate::{layout::initials, texts::Texts, viewer_groups::ViewerGroups};

/// Keys of the messages for the script.
const SCRIPT_WORDS: &[&str] = &["bell-set", "bell-free", "bell-denied"];

/// A person as the viewer sees the person.
#[derive(Clone, Debug, Template)]
#[template(path = "person.html")]
struct Shown {
    words: Texts,
    initials: String,
    /// Groups, location and extensions.
    place: String,
    status: String,
    sentence: Sentence,
    /// Whether the viewer is the person.
    is_own: bool,
    /// The bar of the day as SVG.
    day: Option<String>,
    why: Vec<Why>,
    /// The viewer's access level; may be empty.
    level: String,
    person: PersonBody,
}

/// A reason in plain words.
#[derive(Clone, Debug)]
struct Why {
    says: String,
    since: Option<String>,
    verdict: String,
    decides: bool,
}

/// The page of a colleague.
pub(super) struct Colleague;

impl PageHandler for Colleague {
    async fn show(request: &PageContext, _: Option<&RefusedForm>) -> Result<Page, Refusal> {
        // Before everything else: later changes come as events.
        let live = Live {
            revision: request.revision(),
            script: "person.js",
            words: request.words.for_script(SCRIPT_WORDS),
        };
        let path = format!("/people/{}", request.path("person"));
        let api = &request.api;
        let person = api.get::<PersonBody>(&path).await?;
        let explanation = api
            .get::<Explanation>(&format!("{path}/explanation"))
            .await?;
        let history = api.items::<PastBody>(&format!("{path}/history")).await?;
        let appointments = api
            .items::<AppointmentBody>(&format!("{path}/appointments"))
            .await?;
        let permissions = api
            .get::<Permissions>(&format!("{path}/permissions"))
            .await?;
        let name = person.name.clone();
        let level = permissions.level;
        let level = level.map(|level| request.say(&format!("level-{level}")));
        // The API has no time of people who are offline.
        let is_offline = explanation.presence.status == Status::Offline;
        let day = Day::new(request, &history, &appointments).filter(|_| !is_offline);
        let shown = Shown {
            words: request.words,
            initials: initials(&name),
            place: place(request, &person),
            status: explanation.presence.status.name().to_owned(),
            sentence: told(request, &explanation, &appointments),
            is_own: request
                .caller
                .person
                .is_some_and(|own| own.to_string() == person.id),
            day: day.and_then(|day| day.render().ok()),
            why: why(request, &explanation),
            level: level.unwrap_or_default(),
            person,
        };
        let rendered = shown.render().unwrap_or_default();
        let mut page = Page::new(request, name)
            .add(Block::Rendered(rendered))
            .add(Block::Details(
                request.say("person-technical"),
                vec![
                    Block::Table(request.reasons(&explanation)),
                    Block::Picture(Timeline::new(request, &history).picture(request, &history)),
                ],
            ));
        page.live = Some(live);
        Ok(page)
    }
}

/// Groups, location and extensions, separated by middle dots.
fn place(request: &PageContext, person: &PersonBody) -> String {
    let id = person.id.parse().ok().map(PersonId);
    let (context, caller) = (&request.context, &request.caller);
    let places = id.map(|id| ViewerGroups::of(context, caller).places(context, caller, id));
    let lines = person.lines.iter().map(|line| line.extension.clone());
    let parts = [
        places.unwrap_or_default().join(", "),
        lines.collect::<Vec<_>>().join(", "),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" · ")
}

fn told(
    request: &PageContext,
    explanation: &Explanation,
    appointments: &[AppointmentBody],
) -> Sentence {
    let now = request.now();
    let is_ahead = |appointment: &&AppointmentBody| {
        let start = appointment.start.parse::<Timestamp>();
        start.is_ok_and(|start| start > now.timestamp())
    };
    let is_chosen = explanation
        .reasons
        .iter()
        .any(|reason| reason.counted && reason.code == "chose");
    sentence(
        request.words,
        &explanation.presence,
        appointments.iter().find(is_ahead),
        is_chosen,
        &now,
    )
}

/// The reasons in the order of their weight; none for a person who is offline, as the viewer sees it.
fn why(request: &PageContext, explanation: &Explanation) -> Vec<Why> {
    let is_offline = explanation.presence.status == Status::Offline;
    let now = request.now();
    let reasons = PageContext::ordered_reasons(explanation).into_iter();
    let reasons = reasons.map(|(reason, verdict)| {
        let since = sentence::clock(&reason.since, &now).filter(|_| !is_offline);
        Why {
            says: request.sentence(reason),
            since: since.map(|time| request.words.with("person-since", "time", time)),
            verdict: request.say(verdict),
            decides: reason.counted,
        }
    });
    reasons.collect()
}
