//! What needs attention: problems and warnings of the server's parts, and settings that are missing.

use runtime::{
    clock::rfc3339,
    health::{Part, Trouble},
};

use super::{Attention, DETAILS};
use crate::pages::page_context::PageContext;

/// A row for each part with a problem.
pub(super) fn troubles(request: &PageContext) -> Vec<Attention> {
    let parts = request.context.health.parts().into_iter();
    let troubled = parts.filter_map(|(part, trouble)| Some((part, trouble?)));
    let rows = troubled.map(|(part, trouble)| {
        let since = request.context.health.since(&part).map(rfc3339);
        let (title, button, to) = place(request, &part);
        Attention {
            since,
            is_urgent: true,
            ..row(title, &trouble, button, to)
        }
    });
    rows.collect()
}

/// A row for each warning.
pub(super) fn warnings(request: &PageContext) -> Vec<Attention> {
    let warnings = request.context.health.warnings().into_iter();
    let rows = warnings.map(|(part, warning)| {
        let name = part.to_string();
        let title = request.words.with("home-warning", "name", name);
        let (_, button, to) = place(request, &part);
        row(title, &warning, button, to)
    });
    rows.collect()
}

fn row(title: String, trouble: &Trouble, button: String, to: &'static str) -> Attention {
    Attention {
        title,
        about: trouble.what.clone(),
        is_english: true,
        since: None,
        button,
        to,
        is_urgent: false,
    }
}

/// Title of a part's problem, and the button that leads to its remedy.
fn place(request: &PageContext, part: &Part) -> (String, String, &'static str) {
    let words = request.words;
    let (title, button, to) = match part {
        Part::Pbx(name) | Part::PbxDocuments(name) => (
            words.with("home-problem-pbx", "name", &**name),
            "home-check-pbx",
            "/admin/telephony",
        ),
        Part::Teams(_, tenant) => (
            words.with("home-problem-teams", "name", tenant.as_str()),
            "home-check-teams",
            "/admin/tenants",
        ),
        Part::Directory(_, tenant) => (
            words.with("home-problem-directory", "name", tenant.as_str()),
            "home-check-teams",
            "/admin/tenants",
        ),
        Part::LoopBreaker | Part::Logins | Part::Tenants => (
            words.with("home-problem-server", "name", part.to_string()),
            "home-check-teams",
            "/admin/tenants",
        ),
        Part::Clock
        | Part::Connections
        | Part::Database
        | Part::PhoneConnections
        | Part::RefusedPhones
        | Part::Store
        | Part::StoreCheck => (
            words.with("home-problem-server", "name", part.to_string()),
            "home-check",
            DETAILS,
        ),
    };
    (title, request.say(button), to)
}

pub(super) fn missing_zone(request: &PageContext) -> Attention {
    Attention {
        title: request.say("home-zone"),
        about: request.say("home-zone-about"),
        is_english: false,
        since: None,
        button: request.say("home-zone-set"),
        to: "#zone",
        is_urgent: false,
    }
}
