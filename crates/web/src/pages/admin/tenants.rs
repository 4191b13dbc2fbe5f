//! Tenants: connections, last synchronisations with directories, synchronisation now.

use api_types::directory::{Directory, DirectorySynchronisation};
use presence::TenantName;

use super::{
    examination,
    overview::{connected, health},
    work::{self, Changes},
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
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let mut parts = request.context.health.parts();
        parts.retain(|part, _| part.is_of_tenant());
        let mut page =
            Page::new(request, request.say("nav-tenants")).text(request.say("tenants-about"));
        page.blocks.extend(connected(request, &parts));
        page = page
            .table(tenants(request))
            .table(health(request, &parts))
            .heading(request.say("tenant-connect"))
            .text(request.say("tenant-connect-about"))
            .add(Block::Links(
                request.say("tenant-connect"),
                vec![Link::new(
                    "/admin/tenants/connect",
                    request.say("tenant-connect-now"),
                )],
            ));
        page = page.form(examination::form(request), back);
        for tenant in request.parts().directory_syncs.keys() {
            let last: Option<Directory> = request
                .api
                .get(&format!("/directory?tenant={}", part(tenant.as_str())))
                .await?;
            let form = Form::new(
                request.words,
                tenant.as_str(),
                request
                    .words
                    .with("directory-of", "tenant", tenant.as_str()),
            )
            .submit("dry_run", "yes", request.say("directory-dry-run"))
            .submit("dry_run", "no", request.say("directory-now"));
            page = page.form(form, back);
            if let Some(last) = last {
                page = page
                    .text(accounts(request, &last))
                    .table(Changes::from(&last).table(request));
            }
        }
        Ok(page)
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        request.require_system_administrator()?;
        if typed.one("form") == examination::FORM {
            return examination::examine(request).await;
        }
        let dry_run = typed.one("dry_run") != "no";
        let body = DirectorySynchronisation {
            tenant: Some(typed.one("form").to_owned()),
            dry_run,
        };
        let done = match request
            .api
            .begin::<Directory>("/directory/synchronise", body)
            .await?
        {
            JobAnswer::Done(done) => done,
            JobAnswer::UnderWay(id) => return Ok(work::open(&id).into()),
        };
        if !dry_run {
            return Ok(Done::new(HERE, "synchronised").into());
        }
        let form = Form::new(request.words, typed.one("form"), String::new()).submit(
            "dry_run",
            "no",
            request.say("directory-now"),
        );
        let shown = Page::new(request, request.say("directory-dry-run"))
            .text(accounts(request, &done))
            .table(Changes::from(&done).table(request))
            .add(Block::Form(form));
        Ok(Outcome::Shown(Box::new(shown)))
    }
}

/// The number of accounts in a directory as a sentence.
fn accounts(request: &PageContext, directory: &Directory) -> String {
    let words = request.words;
    words.with("directory-accounts", "count", directory.accounts)
}

/// The tenants with their numbers of people and of accounts.
fn tenants(request: &PageContext) -> Table {
    let people = request.context.people.page(None, usize::MAX);
    let row = |name: &TenantName| {
        let mine: Vec<_> = request.context.organisation.read(|snapshot| {
            let of_tenant = people
                .iter()
                .filter(|person| snapshot.tenant(person.id) == name);
            of_tenant.collect()
        });
        let linked = mine
            .iter()
            .filter(|person| person.teams_id.is_some())
            .count();
        Row {
            key: name.to_string(),
            cells: vec![
                Cell::Text(name.to_string()),
                Cell::Text(mine.len().to_string()),
                Cell::Mark(linked == mine.len(), linked.to_string()),
            ],
        }
    };
    Table {
        id: "tenants",
        caption: request.say("nav-tenants"),
        head: ["tenant", "nav-people", "tenant-linked"]
            .map(|key| request.say(key))
            .to_vec(),
        rows: request
            .parts()
            .teams
            .clients
            .names()
            .iter()
            .map(row)
            .collect(),
        empty: request.say("tenants-none"),
        order: None,
    }
}
