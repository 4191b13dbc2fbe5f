//! The pages in which people arrange what is theirs and administrators the rest. They are rendered by the server, work
//! without scripts, and are the first client of the API (`client`): what it refuses stands beside the field, with what was
//! typed. `visit` is who comes and what they typed, `kit` what pages are made of; `me` and `admin` are the pages.

mod admin;
mod client;
mod components;
mod me;
mod page_context;
mod person;
mod picture;
mod sections;
mod setting;
mod timeline;
mod words;

use std::future::Future;

use askama::Template;
use axum::{
    Router,
    body::to_bytes,
    extract::{FromRequestParts, Request},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
    routing::{MethodRouter, any, get},
};

use client::Refusal;
pub use client::Routes;
pub(crate) use components::Link;
use components::{Back, Block, Form, Table};
use page_context::{PageContext, Typed};
pub(crate) use sections::sections;

use crate::{
    i18n::Language,
    layout::{self, Layout},
    problem::Problem,
    web_state::WebState,
};

/// A sentence about what was done begins with this in the words.
const DONE: &str = "done-";
/// What a refusal says is a sentence.
const DETAIL_MAX: usize = 16 * 1024;

/// What a page shows.
#[derive(Debug, Template)]
#[template(path = "page.html")]
struct Page {
    layout: Layout,
    title: String,
    /// The words for the pages beside this one.
    area: String,
    sections: Vec<Link>,
    /// What was just done.
    said: Option<String>,
    zone: String,
    /// Nothing is lost if the page is loaded again.
    is_fresh: bool,
    /// Seconds after which its tables are read anew by themselves.
    refresh: Option<u32>,
    blocks: Vec<Block>,
}

impl Page {
    fn new(visit: &PageContext, title: String) -> Self {
        let (area, sections) = sections(&visit.layout);
        // Of the visit before: a form that is shown again has done nothing.
        let said = visit.query("done").filter(|_| visit.is_get);
        let said = said.map(|key| format!("{DONE}{key}"));
        Self {
            title,
            area,
            sections,
            said: said
                .map(|key| (visit.say(&key), key))
                .filter(|(said, key)| said != key)
                .map(|(said, _)| said),
            zone: visit.zone.iana_name().unwrap_or_default().to_owned(),
            is_fresh: visit.is_get,
            layout: visit.layout.clone(),
            refresh: None,
            blocks: Vec::new(),
        }
    }

    fn add(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    fn text(self, text: String) -> Self {
        self.add(Block::Text(text))
    }

    fn heading(self, text: String) -> Self {
        self.add(Block::Heading(text))
    }

    fn table(self, table: Table) -> Self {
        self.add(Block::Table(table))
    }

    /// A form, which was perhaps refused.
    fn form(self, form: Form, back: Option<&Back>) -> Self {
        self.add(Block::Form(form.back(back)))
    }

    /// A form that one opens first; it is open if it was refused.
    fn folded(self, text: String, form: Form, back: Option<&Back>) -> Self {
        self.add(Block::Folded(text, form.back(back)))
    }
}

/// Where one goes when something was done.
struct Done {
    to: String,
    /// Key of what is said there, without its beginning.
    said: &'static str,
    /// The cookie of a new session.
    cookie: Option<String>,
}

impl Done {
    fn new(to: impl Into<String>, said: &'static str) -> Self {
        Self {
            to: to.into(),
            said,
            cookie: None,
        }
    }

    /// With a new session.
    fn cookie(self, cookie: String) -> Self {
        Self {
            cookie: Some(cookie),
            ..self
        }
    }
}

/// What a form leads to.
enum Outcome {
    /// It is done: a reload must not do it again.
    Done(Done),
    /// Something to be seen once, or before it is done.
    Shown(Box<Page>),
}

impl From<Done> for Outcome {
    fn from(done: Done) -> Self {
        Self::Done(done)
    }
}

/// A page with its forms.
trait PageHandler: 'static {
    /// What is there now. `back`: one of its forms was refused.
    fn show(
        visit: &PageContext,
        back: Option<&Back>,
    ) -> impl Future<Output = Result<Page, Refusal>> + Send;

    /// Does what a form says; `form` in what was typed tells which.
    fn act(
        visit: &PageContext,
        typed: &Typed,
    ) -> impl Future<Output = Result<Outcome, Refusal>> + Send {
        let _ = typed;
        let path = visit.layout.here.clone();
        async move { Err(Refusal::no_page(&path)) }
    }
}

async fn show<P: PageHandler>(visit: PageContext) -> Result<Response, Refusal> {
    Ok(layout::render(
        StatusCode::OK,
        &P::show(&visit, None).await?,
    )?)
}

async fn act<P: PageHandler>(visit: PageContext, typed: Typed) -> Result<Response, Refusal> {
    let refusal = match P::act(&visit, &typed).await {
        Ok(Outcome::Done(Done { to, said, cookie })) => {
            let joint = if to.contains('?') { '&' } else { '?' };
            let to = format!("{to}{joint}done={said}");
            let cookies = cookie.map(|cookie| [(header::SET_COOKIE, cookie)]);
            return Ok((cookies, Redirect::to(&to)).into_response());
        }
        Ok(Outcome::Shown(page)) => return Ok(layout::render(StatusCode::OK, &*page)?),
        Err(refusal) => refusal,
    };
    let status = refusal.status;
    let back = Back { typed, refusal };
    let mut page = P::show(&visit, Some(&back)).await?;
    let is_told = page.blocks.iter().any(|block| match block {
        Block::Form(form) | Block::Folded(_, form) => form.is_wrong(),
        _ => false,
    });
    if !is_told {
        // A button in a table has no place of its own for a refusal.
        page.blocks.insert(0, Block::Alert(back.refusal.detail));
    }
    Ok(layout::render(status, &page)?)
}

fn page<P: PageHandler>() -> MethodRouter<WebState> {
    get(show::<P>).post(act::<P>)
}

async fn unknown(layout: Layout) -> Refusal {
    Refusal::no_page(&layout.here)
}

/// All pages.
pub fn routes() -> Router<WebState> {
    Router::new()
        .merge(me::routes())
        .merge(admin::routes())
        .route("/people/{person}", page::<person::Colleague>())
        .route("/me/{*rest}", any(unknown))
        .route("/admin/{*rest}", any(unknown))
}

/// A refusal as a page: whoever came by a link is no program.
pub async fn dress(request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let layout = Layout::from_request_parts(&mut parts, &()).await;
    let response = next.run(Request::from_parts(parts, body)).await;
    let kind = response.headers().get(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| kind != "application/problem+json") {
        return response;
    }
    let layout: Layout = match layout {
        Ok(layout) => layout,
        Err(never) => match never {},
    };
    let status = response.status();
    let body = to_bytes(response.into_body(), DETAIL_MAX).await;
    let body: serde_json::Value =
        serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
    let key = match status {
        StatusCode::NOT_FOUND => "refused-not-found",
        StatusCode::FORBIDDEN => "refused-forbidden",
        _ => "refused-other",
    };
    let page = Page {
        title: layout.words.text(key),
        area: String::new(),
        sections: Vec::new(),
        said: None,
        zone: String::new(),
        is_fresh: false,
        refresh: None,
        blocks: vec![Block::Alert(components::text(&body, "detail").to_owned())],
        layout,
    };
    layout::render(status, &page).unwrap_or_else(Problem::into_response)
}

/// The words for a yes and a no.
fn yes_or_no(words: Language, yes: bool) -> String {
    words.text(if yes { "yes" } else { "no" })
}
