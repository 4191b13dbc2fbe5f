//! How a colleague sees one's own presence: the line in the list and the reasons, as the API filters them for that colleague.

use api::explanation;
use presence::{PersonId, Relationship};

use crate::{
    pages::{
        client::Refusal,
        components::{Block, Cell},
        page_context::PageContext,
    },
    status_line::StatusLine,
};

/// The search for a colleague, and the preview if the address names one (`?q=`).
pub(super) async fn preview(request: &PageContext) -> Result<Vec<Block>, Refusal> {
    let wanted = request.query("q").unwrap_or_default();
    let mut blocks = vec![
        Block::Heading(request.say("seen-title")),
        Block::Search(request.say("seen-viewer"), wanted.to_owned()),
    ];
    if wanted.is_empty() {
        return Ok(blocks);
    }
    match request.person_named("q", wanted) {
        Ok(viewer) => blocks.extend(seen_by(request, viewer).await?),
        Err(refusal) => blocks.push(Block::Alert(refusal.detail)),
    }
    Ok(blocks)
}

/// What `viewer` sees of the caller.
async fn seen_by(request: &PageContext, viewer: PersonId) -> Result<Vec<Block>, Refusal> {
    let me = request.me()?;
    let organisation = &request.context.organisation;
    let level = match viewer == me.id {
        true => Relationship::AssistantPlus,
        false => organisation.read(|snapshot| snapshot.relationship(me.id, viewer)),
    };
    let mut seen = explanation(&request.context, &me, level).await?;
    for reason in &mut seen.reasons {
        reason.trace = None;
    }
    let presence = &seen.presence;
    let line = StatusLine::new(request.words, presence);
    let status = [&*line.lead, &line.detail, &line.below];
    let status: Vec<&str> = status.into_iter().filter(|part| !part.is_empty()).collect();
    let status = Cell::Status(presence.status.name().to_owned(), status.join(" · "));
    let mut facts = vec![(request.say("board-status"), status)];
    for (key, time) in [
        ("board-since", &presence.since),
        ("me-until-at", &presence.until),
    ] {
        facts.extend(
            time.iter()
                .map(|time| (request.say(key), Cell::Time(time.clone()))),
        );
    }
    let level = request.say(&format!("level-{level}"));
    facts.push((request.say("sharing-level"), Cell::Text(level)));
    let name = request.name_of(&viewer.to_string());
    let mut blocks = vec![
        Block::Heading(request.words.with("seen-of", "name", name.as_str())),
        Block::Facts(facts),
    ];
    if seen.reasons.is_empty() {
        blocks.push(Block::Text(request.say("seen-no-reasons")));
    } else {
        blocks.push(Block::Table(request.reasons(&seen)));
    }
    Ok(blocks)
}
