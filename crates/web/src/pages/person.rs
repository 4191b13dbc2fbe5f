//! A colleague: presence with explanation, the last 24 hours as a chart, numbers, and the relationship.

use api_types::{
    people::{LineBody, PersonBody},
    presence::{Explanation, PastBody},
    relationships::Permissions,
};

use super::{
    Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, RefusedForm},
    page_context::PageContext,
    timeline::Timeline,
};

/// The page of a colleague.
pub(super) struct Colleague;

impl PageHandler for Colleague {
    async fn show(request: &PageContext, _: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let path = format!("/people/{}", request.path("person"));
        let person = request.api.get::<PersonBody>(&path).await?;
        let explanation = request
            .api
            .get::<Explanation>(&format!("{path}/explanation"))
            .await?;
        let history = request
            .api
            .items::<PastBody>(&format!("{path}/history"))
            .await?;
        let permissions = request
            .api
            .get::<Permissions>(&format!("{path}/permissions"))
            .await?;
        let presence = &explanation.presence;
        let mut facts = vec![
            (request.say("board-status"), request.presence(presence)),
            (
                request.say("board-text"),
                Cell::Text(request.presence_text(presence)),
            ),
            (
                request.say("board-since"),
                Cell::time(presence.since.clone()),
            ),
        ];
        for LineBody { extension } in person.lines {
            facts.push((
                request.say("person-call"),
                Cell::Link(format!("tel:{extension}"), extension),
            ));
        }
        if !person.mail.is_empty() {
            facts.push((
                request.say("person-mail"),
                Cell::Link(format!("mailto:{}", person.mail), person.mail),
            ));
        }
        if let Some(level) = permissions.level {
            let level = request.say(&format!("level-{level}"));
            facts.push((request.say("person-relationship"), Cell::Text(level)));
        }
        facts.retain(
            |(_, cell)| !matches!(cell, Cell::Text(text) | Cell::Time(text) if text.is_empty()),
        );
        Ok(Page::new(request, person.name)
            .add(Block::Facts(facts))
            .add(Block::Picture(
                Timeline::new(request, &history).picture(request, &history),
            ))
            .heading(request.say("me-why"))
            .table(request.reasons(&explanation)))
    }
}
