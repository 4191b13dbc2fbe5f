//! Tenants: connections, last synchronisations with directories, synchronisation now.

use serde_json::{Value, json};

use super::{
    examination,
    overview::{connected, health},
    work::{self, deeds},
};
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{JobAnswer, Refusal, part},
    components::{Block, Cell, Form, Link, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/tenants";

/// The page of tenants.
pub(super) struct Tenants;

impl PageHandler for Tenants {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        visit.require_system_administrator()?;
        let mut parts = visit.context.health.parts();
        parts.retain(|part, _| part.starts_with("teams") || part.starts_with("tenant"));
        let mut page = Page::new(visit, visit.say("nav-tenants")).text(visit.say("tenants-about"));
        page.blocks.extend(connected(visit, &parts));
        page = page
            .table(tenants(visit))
            .table(health(visit, &parts))
            .heading(visit.say("tenant-connect"))
            .text(visit.say("tenant-connect-about"))
            .add(Block::Links(
                visit.say("tenant-connect"),
                vec![Link::new(
                    "/admin/tenants/connect",
                    visit.say("tenant-connect-now"),
                )],
            ));
        page = page.form(examination::form(visit), back);
        for tenant in visit.parts().directory_syncs.keys() {
            let last = visit
                .api
                .get(&format!("/directory?tenant={}", part(tenant)))
                .await?;
            let form = Form::new(
                visit.words,
                tenant,
                visit.words.with("directory-of", "tenant", &**tenant),
            )
            .submit("dry_run", "yes", visit.say("directory-dry-run"))
            .submit("dry_run", "no", visit.say("directory-now"));
            page = page.form(form, back);
            if !last.is_null() {
                page = page
                    .text(
                        visit
                            .words
                            .with("directory-accounts", "count", accounts(&last)),
                    )
                    .table(deeds(visit, &last, "reason"));
            }
        }
        Ok(page)
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        visit.require_system_administrator()?;
        if typed.one("form") == examination::FORM {
            return examination::examine(visit).await;
        }
        let dry_run = typed.one("dry_run") != "no";
        let body = json!({"tenant": typed.one("form"), "dry_run": dry_run});
        let done = match visit.api.begin("/directory/synchronise", body).await? {
            JobAnswer::Done(done) => done,
            JobAnswer::UnderWay(id) => return Ok(work::look(&id).into()),
        };
        if !dry_run {
            return Ok(Done::new(HERE, "synchronised").into());
        }
        let form = Form::new(visit.words, typed.one("form"), String::new()).submit(
            "dry_run",
            "no",
            visit.say("directory-now"),
        );
        let shown = Page::new(visit, visit.say("directory-dry-run"))
            .text(
                visit
                    .words
                    .with("directory-accounts", "count", accounts(&done)),
            )
            .table(deeds(visit, &done, "reason"))
            .add(Block::Form(form));
        Ok(Outcome::Shown(Box::new(shown)))
    }
}

fn accounts(outcome: &Value) -> u64 {
    outcome
        .get("accounts")
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

/// The tenants with their numbers of people and of accounts.
fn tenants(visit: &PageContext) -> Table {
    let people = visit.context.people.page(None, usize::MAX);
    let row = |name: &str| {
        let mine: Vec<_> = visit.context.organisation.read(|tables| {
            let of_tenant = people
                .iter()
                .filter(|person| tables.tenant(person.id) == name);
            of_tenant.collect()
        });
        let linked = mine
            .iter()
            .filter(|person| person.teams_id.is_some())
            .count();
        Row {
            key: name.to_owned(),
            cells: vec![
                Cell::Text(name.to_owned()),
                Cell::Text(mine.len().to_string()),
                Cell::Mark(linked == mine.len(), linked.to_string()),
            ],
        }
    };
    Table {
        id: "tenants",
        caption: visit.say("nav-tenants"),
        head: ["tenant", "nav-people", "tenant-linked"]
            .map(|key| visit.say(key))
            .to_vec(),
        rows: visit
            .parts()
            .teams
            .clients
            .names()
            .iter()
            .map(|name| row(name))
            .collect(),
        empty: visit.say("tenants-none"),
        order: None,
    }
}
