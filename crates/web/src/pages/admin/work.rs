//! Jobs: imports, synchronisations with directories, backups; progress and cancellation.

use serde_json::Value;

use super::import;
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Block, Cell, Form, Link, RefusedForm, Row, Table, text},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/work";
/// Interval in seconds at which the page is reloaded.
const REFRESH: u32 = 1;
/// Largest number of listed changes; the API answers all.
const DEEDS_MAX: usize = 1_000;

/// The page of running and recently finished jobs.
pub(super) struct AllWork;

impl PageHandler for AllWork {
    async fn show(request: &PageContext, _: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let works = request.api.items::<Value>("/work").await?;
        let mut page = Page::new(request, request.say("nav-work"))
            .text(request.say("work-about"))
            .table(table(request, &works));
        page.refresh = works.iter().any(is_running).then_some(REFRESH);
        Ok(page)
    }
}

/// The page of a job.
pub(super) struct OneWork;

impl PageHandler for OneWork {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let work = request.api.get::<Value>(&at(request)).await?;
        let mut page = Page::new(
            request,
            request.say(&format!("work-{}", text(&work, "what"))),
        )
        .table(table(request, std::slice::from_ref(&work)));
        if is_running(&work) {
            page.refresh = Some(REFRESH);
            let cancel = Form::new(request.words, "cancel", String::new());
            return Ok(page
                .text(request.say("work-goes-on"))
                .form(cancel.button(request.say("work-cancel")), back));
        }
        let problem = text(&work, "problem");
        if !problem.is_empty() {
            page = page.add(Block::Alert(problem.to_owned()));
        }
        let result = work.get("result").unwrap_or(&Value::Null);
        let to = match text(&work, "what") {
            "import" => {
                let comments = result.pointer("/table/comments").and_then(Value::as_u64);
                page = page.text(import::comments(request, comments.unwrap_or_default()));
                page = deeds_of(page, request, result, "difference");
                Link::new("/admin/people", request.say("nav-people"))
            }
            "directory" => {
                page = deeds_of(page, request, result, "reason");
                Link::new("/admin/tenants", request.say("nav-tenants"))
            }
            _ => Link::new("/admin/backup", request.say("nav-backup")),
        };
        let all = Link::new(HERE, request.say("nav-work"));
        Ok(page.add(Block::Links(request.say("work-on"), vec![to, all])))
    }

    async fn act(request: &PageContext, _: &EnteredForm) -> Result<Outcome, Refusal> {
        request.require_system_administrator()?;
        request.api.delete(&at(request)).await?;
        Ok(Done::new(
            format!("{HERE}/{}", part(request.path("work"))),
            "cancelled",
        )
        .into())
    }
}

/// Opens the page of a job.
pub(super) fn look(id: &str) -> Done {
    Done::new(format!("{HERE}/{}", part(id)), "begun")
}

fn at(request: &PageContext) -> String {
    format!("/work/{}", part(request.path("work")))
}

fn is_running(work: &Value) -> bool {
    text(work, "state") == "running"
}

fn table(request: &PageContext, works: &[Value]) -> Table {
    let row = |work: &Value| {
        let number = |key: &str| work.get(key).and_then(Value::as_u64).unwrap_or_default();
        let what = request.say(&format!("work-{}", text(work, "what")));
        let state = request.say(&format!("work-state-{}", text(work, "state")));
        let id = text(work, "id");
        let cells = vec![
            Cell::Link(format!("{HERE}/{}", part(id)), what.clone()),
            Cell::Mark(text(work, "state") != "failed", state),
            Cell::Progress(number("done"), number("total"), what),
            Cell::Text(text(work, "who").to_owned()),
            Cell::Time(text(work, "begun").to_owned()),
        ];
        let key = id.to_owned();
        Row { key, cells }
    };
    Table {
        id: "work",
        caption: request.say("nav-work"),
        head: [
            "work-what",
            "health-state",
            "work-progress",
            "work-who",
            "work-begun",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: works.iter().map(row).collect(),
        empty: request.say("work-none"),
        order: None,
    }
}

fn deeds_of(page: Page, request: &PageContext, result: &Value, why: &'static str) -> Page {
    match result {
        Value::Null => page,
        result => page.table(deeds(request, result, why)),
    }
}

/// Changes of an import or a synchronisation; `why` is the key of the last column's heading.
pub(super) fn deeds(request: &PageContext, outcome: &Value, why: &'static str) -> Table {
    let items = outcome.get("items").and_then(Value::as_array);
    let row = |deed: &Value| {
        let line = deed.get("line").and_then(Value::as_u64);
        let line = line.map(|line| format!("{} {line}: ", request.say("change-line")));
        Row {
            key: text(deed, "name").to_owned(),
            cells: vec![
                Cell::Text(line.unwrap_or_default() + text(deed, "name")),
                Cell::Text(request.say(&format!("change-{}", text(deed, "what")))),
                Cell::Text(text(deed, why).to_owned()),
            ],
        }
    };
    Table {
        id: "deeds",
        caption: request.say("changes-caption"),
        head: ["board-name", "change-what", &format!("change-{why}")]
            .map(|key| request.say(key))
            .to_vec(),
        rows: items
            .into_iter()
            .flatten()
            .take(DEEDS_MAX)
            .map(row)
            .collect(),
        empty: request.say("changes-none"),
        order: None,
    }
}
