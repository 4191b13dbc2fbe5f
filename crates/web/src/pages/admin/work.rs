//! Jobs: imports, synchronisations with directories, backups; progress and cancellation.

use api_types::{
    directory::Directory,
    import::Imported,
    work::{Work, WorkKind, WorkState},
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::import;
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Block, Cell, Form, Link, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/work";
/// Interval in seconds at which the page is reloaded.
const REFRESH: u32 = 1;
/// Largest number of listed changes; the API answers all.
const CHANGES_MAX: usize = 1_000;

/// The page of running and recently finished jobs.
pub(super) struct AllWork;

impl PageHandler for AllWork {
    async fn show(request: &PageContext, _: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let works: Vec<Work> = request.api.items("/work").await?;
        let mut page = Page::new(request, request.say("nav-work"))
            .text(request.say("work-about"))
            .table(table(request, &works));
        let is_running = |work: &Work| work.state == WorkState::Running;
        page.refresh = works.iter().any(is_running).then_some(REFRESH);
        Ok(page)
    }
}

/// The page of a job.
pub(super) struct OneWork;

impl PageHandler for OneWork {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let work: Work = request.api.get(&at(request)).await?;
        let mut page = Page::new(request, request.say(&format!("work-{}", work.what.name())))
            .table(table(request, std::slice::from_ref(&work)));
        if work.state == WorkState::Running {
            page.refresh = Some(REFRESH);
            let cancel = Form::new(request.words, "cancel", String::new());
            return Ok(page
                .text(request.say("work-goes-on"))
                .form(cancel.button(request.say("work-cancel")), back));
        }
        page.blocks.extend(work.problem.map(Block::Alert));
        let to = match work.what {
            WorkKind::Import => {
                if let Some(imported) = result::<Imported>(work.result)? {
                    page = page
                        .text(import::comments(request, imported.table.comments))
                        .table(Changes::from(&imported).table(request));
                }
                Link::new("/admin/people", request.say("nav-people"))
            }
            WorkKind::Directory => {
                if let Some(directory) = result::<Directory>(work.result)? {
                    page = page.table(Changes::from(&directory).table(request));
                }
                Link::new("/admin/tenants", request.say("nav-tenants"))
            }
            WorkKind::Backup => Link::new("/admin/backup", request.say("nav-backup")),
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
pub(super) fn open(id: &str) -> Done {
    Done::new(format!("{HERE}/{}", part(id)), "begun")
}

fn at(request: &PageContext) -> String {
    format!("/work/{}", part(request.path("work")))
}

/// The result of a finished job; `None` for a failed or cancelled one.
fn result<T: DeserializeOwned>(result: Option<Value>) -> Result<Option<T>, Refusal> {
    let read = result.map(serde_json::from_value).transpose();
    read.map_err(|error| Refusal::unreadable(&error))
}

fn table(request: &PageContext, works: &[Work]) -> Table {
    let row = |work: &Work| {
        let what = request.say(&format!("work-{}", work.what.name()));
        let state = request.say(&format!("work-state-{}", work.state.name()));
        let cells = vec![
            Cell::Link(format!("{HERE}/{}", part(&work.id)), what.clone()),
            Cell::Mark(work.state != WorkState::Failed, state),
            Cell::Progress(work.done, work.total, what),
            Cell::Text(work.who.clone()),
            Cell::Time(work.begun.clone()),
        ];
        let key = work.id.clone();
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

/// Changes by an import or a synchronisation.
pub(super) struct Changes<'a> {
    /// Key of the heading of the last column.
    detail: &'static str,
    rows: Vec<Change<'a>>,
}

/// A change of a person, or its refusal.
struct Change<'a> {
    /// Line of the imported table.
    line: Option<u64>,
    name: &'a str,
    kind: &'static str,
    /// Differences or reason.
    detail: &'a str,
}

impl<'a> From<&'a Imported> for Changes<'a> {
    fn from(imported: &'a Imported) -> Self {
        let rows = imported.items.iter().map(|row| Change {
            line: row.line,
            name: &row.name,
            kind: row.what.name(),
            detail: &row.difference,
        });
        Self {
            detail: "change-difference",
            rows: rows.collect(),
        }
    }
}

impl<'a> From<&'a Directory> for Changes<'a> {
    fn from(directory: &'a Directory) -> Self {
        let rows = directory.items.iter().map(|action| Change {
            line: None,
            name: &action.name,
            kind: action.what.name(),
            detail: &action.reason,
        });
        Self {
            detail: "change-reason",
            rows: rows.collect(),
        }
    }
}

impl Changes<'_> {
    /// The first changes as a table.
    pub(super) fn table(&self, request: &PageContext) -> Table {
        let row = |change: &Change<'_>| {
            let line = change.line;
            let line = line.map(|line| format!("{} {line}: ", request.say("change-line")));
            Row {
                key: change.name.to_owned(),
                cells: vec![
                    Cell::Text(line.unwrap_or_default() + change.name),
                    Cell::Text(request.say(&format!("change-{}", change.kind))),
                    Cell::Text(change.detail.to_owned()),
                ],
            }
        };
        Table {
            id: "changes",
            caption: request.say("changes-caption"),
            head: ["board-name", "change-what", self.detail]
                .map(|key| request.say(key))
                .to_vec(),
            rows: self.rows.iter().take(CHANGES_MAX).map(row).collect(),
            empty: request.say("changes-none"),
            order: None,
        }
    }
}
