//! A colleague: presence with explanation, the last 24 hours as a chart, numbers, and the relationship.

use serde_json::Value;

use super::{
    Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, RefusedForm, text},
    page_context::PageContext,
    timeline::Timeline,
};

/// The page of a colleague.
pub(super) struct Colleague;

impl PageHandler for Colleague {
    async fn show(request: &PageContext, _: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let path = format!("/people/{}", request.path("person"));
        let person = request.api.get::<Value>(&path).await?;
        let explanation = request
            .api
            .get::<Value>(&format!("{path}/explanation"))
            .await?;
        let history = request
            .api
            .items::<Value>(&format!("{path}/history"))
            .await?;
        let permissions = request
            .api
            .get::<Value>(&format!("{path}/permissions"))
            .await?;
        let presence = explanation.get("presence").unwrap_or(&Value::Null);
        let mut facts = vec![
            (request.say("board-status"), request.presence(presence)),
            (
                request.say("board-text"),
                Cell::Text(request.presence_text(presence)),
            ),
            (
                request.say("board-since"),
                Cell::Time(text(presence, "since").to_owned()),
            ),
        ];
        let lines = person.get("lines").and_then(Value::as_array);
        for line in lines.into_iter().flatten() {
            let number = text(line, "extension");
            facts.push((
                request.say("person-call"),
                Cell::Link(format!("tel:{number}"), number.to_owned()),
            ));
        }
        let mail = text(&person, "mail");
        if !mail.is_empty() {
            facts.push((
                request.say("person-mail"),
                Cell::Link(format!("mailto:{mail}"), mail.to_owned()),
            ));
        }
        let level = text(&permissions, "level");
        if !level.is_empty() {
            let level = request.say(&format!("level-{level}"));
            facts.push((request.say("person-relationship"), Cell::Text(level)));
        }
        facts.retain(
            |(_, cell)| !matches!(cell, Cell::Text(text) | Cell::Time(text) if text.is_empty()),
        );
        Ok(Page::new(request, text(&person, "name").to_owned())
            .add(Block::Facts(facts))
            .add(Block::Picture(
                Timeline::new(request, &history).picture(request, &history),
            ))
            .heading(request.say("me-why"))
            .table(request.reasons(&explanation)))
    }
}
