//! Backups: list, new backup, restoration.

use serde_json::{Value, json};

use super::work;
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{JobAnswer, Refusal, part},
    components::{Button, Cell, Form, RefusedForm, Row, Table, text},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/backup";

/// The page of backups.
pub(super) struct Backup;

impl PageHandler for Backup {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let list = request.api.get::<Value>("/backups").await?;
        let form =
            Form::new(request.words, "make", String::new()).button(request.say("backup-now"));
        Ok(Page::new(request, request.say("nav-backup"))
            .text(
                request
                    .words
                    .with("backup-about", "folder", text(&list, "folder")),
            )
            .form(form, back)
            .table(table(request, &list))
            .text(request.say("backup-restore-about")))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        request.require_system_administrator()?;
        let backup = format!("/backups/{}", part(typed.one("key")));
        match typed.one("form") {
            "delete" => {
                request.api.delete(&backup).await?;
                return Ok(Done::new(HERE, "deleted").into());
            }
            "restore" => {
                let restore = format!("{backup}/restore");
                let restored: Value = request.api.post(&restore, json!({})).await?.json()?;
                return Ok(Outcome::Shown(Box::new(restoring(request, &restored))));
            }
            _ => {}
        }
        Ok(
            match request.api.begin::<Value>("/backups", json!({})).await? {
                JobAnswer::Done(_) => Done::new(HERE, "saved"),
                JobAnswer::UnderWay(id) => work::look(&id),
            }
            .into(),
        )
    }
}

/// The page after a restoration began: the server restarts, and the restored database may not have the viewer's account.
fn restoring(request: &PageContext, backup: &Value) -> Page {
    let name = text(backup, "name");
    Page::new(request, request.say("backup-restoring")).text(request.words.with(
        "backup-restoring-about",
        "name",
        name,
    ))
}

fn table(request: &PageContext, list: &Value) -> Table {
    let items = list.get("items").and_then(Value::as_array);
    let row = |backup: &Value| {
        let name = text(backup, "name");
        let bytes = backup
            .get("bytes")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let delete = Button::new("delete", name, request.say("delete"))
            .label(request.words.with("delete-of", "name", name))
            .sure(request.words.with("delete-sure", "name", name));
        let restore = Button::new("restore", name, request.say("backup-restore"))
            .label(request.words.with("backup-restore-of", "name", name))
            .sure(request.words.with("backup-restore-sure", "name", name));
        Row {
            key: name.to_owned(),
            cells: vec![
                Cell::Code(name.to_owned()),
                Cell::Time(text(backup, "at").to_owned()),
                Cell::Text(format!("{} KiB", bytes.div_ceil(1024))),
                Cell::Buttons(vec![restore, delete]),
            ],
        }
    };
    Table {
        id: "backups",
        caption: request.say("nav-backup"),
        head: ["board-name", "audit-at", "backup-size", "actions"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: items.into_iter().flatten().map(row).collect(),
        empty: request.say("backup-none"),
        order: None,
    }
}
