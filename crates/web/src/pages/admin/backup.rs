//! Backups: list, new backup, restoration.

use api_types::backups::{Backup as BackupBody, Backups};
use serde_json::json;

use super::work;
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{JobAnswer, Refusal, part},
    components::{Button, Cell, Form, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/backup";

/// The page of backups.
pub(super) struct Backup;

impl PageHandler for Backup {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let Backups { folder, items } = request.api.get("/backups").await?;
        let form =
            Form::new(request.words, "make", String::new()).button(request.say("backup-now"));
        Ok(Page::new(request, request.say("nav-backup"))
            .text(request.words.with("backup-about", "folder", folder))
            .form(form, back)
            .table(table(request, &items))
            .text(request.say("backup-restore-about")))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        request.require_system_administrator()?;
        let backup = format!("/backups/{}", part(typed.one("key")));
        match typed.one("form") {
            "delete" => {
                request.api.delete(&backup).await?;
                return Ok(Done::new(HERE, "backup-deleted").into());
            }
            "restore" => {
                let restore = format!("{backup}/restore");
                let restored: BackupBody = request.api.post(&restore, json!({})).await?.json()?;
                return Ok(Outcome::Shown(Box::new(restoring(request, &restored.name))));
            }
            _ => {}
        }
        Ok(match request
            .api
            .begin::<BackupBody>("/backups", json!({}))
            .await?
        {
            JobAnswer::Done(backup) => Done::new(HERE, "backup").count(backup.bytes.div_ceil(1024)),
            JobAnswer::UnderWay(id) => work::open(&id),
        }
        .into())
    }
}

/// The page after a restoration began: the server restarts, and the restored database may not have the viewer's account.
fn restoring(request: &PageContext, name: &str) -> Page {
    Page::new(request, request.say("backup-restoring")).text(request.words.with(
        "backup-restoring-about",
        "name",
        name,
    ))
}

fn table(request: &PageContext, backups: &[BackupBody]) -> Table {
    let row = |backup: &BackupBody| {
        let name = &*backup.name;
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
                Cell::Time(backup.at.clone()),
                Cell::Text(format!("{} KiB", backup.bytes.div_ceil(1024))),
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
        rows: backups.iter().map(row).collect(),
        empty: request.say("backup-none"),
        order: None,
    }
}
