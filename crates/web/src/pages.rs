//! Personal pages and pages of the administration. The server renders them; they work without scripts, and use the API as
//! their client (`client`), so that a refusal appears beside its field with the entered value. `page_context` has the
//! request and the entered form, `components` the parts of pages; `me` and `admin` are the pages.

mod admin;
mod client;
mod components;
mod me;
pub(crate) mod page_context;
mod person;
mod picture;
mod setting;
mod timeline;
mod words;

use std::future::Future;

use api::problem::Problem;
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
use components::{Block, FilterKind, Form, RefusedForm, Table};
use page_context::{EnteredForm, PageContext};

use crate::{
    layout::{self, Layout},
    texts::Texts,
    web_state::WebState,
};

/// Prefix of the messages that confirm an action.
const DONE: &str = "done-";
/// Largest body of a refusal in bytes.
const DETAIL_MAX: usize = 16 * 1024;

/// Contents of a page.
#[derive(Debug, Template)]
#[template(path = "page.html")]
struct Page {
    layout: Layout,
    title: String,
    /// Confirmation of the last action.
    confirmation: Option<String>,
    zone: String,
    /// Whether the page can be reloaded without losing entered values.
    is_fresh: bool,
    /// Whether the script renews the page when the viewer's own status changes.
    is_live: bool,
    /// Interval in seconds at which the script reloads the tables.
    refresh: Option<u32>,
    /// What the page needs to follow the event stream; `None` for pages that do not.
    live: Option<Live>,
    blocks: Vec<Block>,
}

/// What a page needs to follow the event stream.
#[derive(Debug)]
struct Live {
    /// Revision of the contents, for the event stream.
    revision: String,
    /// File name of the page's script.
    script: &'static str,
    /// Messages for the script, as JSON.
    words: String,
}

impl Page {
    fn new(request: &PageContext, title: String) -> Self {
        // Only after a redirect: a form that is shown again has changed nothing.
        let done = request.query("done").filter(|_| request.is_get);
        let key = done.map(|done| format!("{DONE}{done}"));
        // Only a number: an address must not put words into the page.
        let count = request.query("count").and_then(|count| count.parse().ok());
        let count: u64 = count.unwrap_or_default();
        Self {
            title,
            confirmation: key
                .map(|key| (request.words.with(&key, "count", count), key))
                .filter(|(text, key)| text != key)
                .map(|(text, _)| text),
            zone: request.zone.iana_name().unwrap_or_default().to_owned(),
            is_fresh: request.is_get,
            layout: request.layout.clone(),
            is_live: false,
            refresh: None,
            live: None,
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

    /// Adds a form, with the entered values and the refusal if it was refused.
    fn form(self, form: Form, back: Option<&RefusedForm>) -> Self {
        self.add(Block::Form(form.back(back)))
    }

    /// Adds a form in a disclosure, which is open if the form was refused.
    fn folded(self, text: String, form: Form, back: Option<&RefusedForm>) -> Self {
        self.add(Block::Folded(text, form.back(back)))
    }
}

/// A completed action.
struct Done {
    to: String,
    /// Key of the confirmation, without its prefix.
    confirmation: &'static str,
    /// The number in the confirmation.
    count: Option<u64>,
    /// Cookie of a new session.
    cookie: Option<String>,
}

impl Done {
    fn new(to: impl Into<String>, confirmation: &'static str) -> Self {
        Self {
            to: to.into(),
            confirmation,
            count: None,
            cookie: None,
        }
    }

    /// Adds the number in the confirmation.
    fn count(self, count: u64) -> Self {
        Self {
            count: Some(count),
            ..self
        }
    }

    /// Adds the cookie of a new session.
    fn cookie(self, cookie: String) -> Self {
        Self {
            cookie: Some(cookie),
            ..self
        }
    }
}

/// Result of a form.
enum Outcome {
    /// Completed: redirects, so that a reload does not repeat the action.
    Done(Done),
    /// A page to show once, or before the action.
    Shown(Box<Page>),
}

impl From<Done> for Outcome {
    fn from(done: Done) -> Self {
        Self::Done(done)
    }
}

/// A page with its forms.
trait PageHandler: 'static {
    /// Shows the page. `back`: a refused form of the page.
    fn show(
        request: &PageContext,
        back: Option<&RefusedForm>,
    ) -> impl Future<Output = Result<Page, Refusal>> + Send;

    /// Carries out a form; its field `form` names the action.
    fn act(
        request: &PageContext,
        typed: &EnteredForm,
    ) -> impl Future<Output = Result<Outcome, Refusal>> + Send {
        let _ = typed;
        let path = request.layout.here.clone();
        async move { Err(Refusal::no_page(&path)) }
    }
}

async fn show<P: PageHandler>(request: PageContext) -> Result<Response, Refusal> {
    Ok(layout::render(
        StatusCode::OK,
        &P::show(&request, None).await?,
    )?)
}

async fn act<P: PageHandler>(
    request: PageContext,
    typed: EnteredForm,
) -> Result<Response, Refusal> {
    let refusal = match P::act(&request, &typed).await {
        Ok(Outcome::Done(Done {
            to,
            confirmation,
            count,
            cookie,
        })) => {
            let joint = if to.contains('?') { '&' } else { '?' };
            let count = count.map(|count| format!("&count={count}"));
            let count = count.unwrap_or_default();
            let to = format!("{to}{joint}done={confirmation}{count}");
            let cookies = cookie.map(|cookie| [(header::SET_COOKIE, cookie)]);
            return Ok((cookies, Redirect::to(&to)).into_response());
        }
        Ok(Outcome::Shown(page)) => return Ok(layout::render(StatusCode::OK, &*page)?),
        Err(refusal) => Refusal {
            detail: request
                .words
                .problem(refusal.code.as_ref(), &refusal.detail),
            ..refusal
        },
    };
    let status = refusal.status;
    let back = RefusedForm { typed, refusal };
    let mut page = P::show(&request, Some(&back)).await?;
    let is_shown = page.blocks.iter().any(|block| match block {
        Block::Form(form) | Block::Folded(_, form) => form.is_wrong(),
        _ => false,
    });
    if !is_shown {
        // Buttons in tables have no place for a refusal.
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

/// Routes of all pages in this module.
pub fn routes() -> Router<WebState> {
    Router::new()
        .merge(me::routes())
        .merge(admin::routes())
        .route("/people/{person}", page::<person::Colleague>())
        .route("/me/{*rest}", any(unknown))
        .route("/admin/{*rest}", any(unknown))
}

/// Middleware: shows problems as pages, because people follow links.
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
    let code = serde_json::from_value(body.clone()).ok();
    let detail = components::text(&body, "detail");
    let detail = layout.words.problem(code.as_ref(), detail);
    let page = Page {
        title: layout.words.text(key),
        confirmation: None,
        zone: String::new(),
        is_fresh: false,
        is_live: false,
        refresh: None,
        live: None,
        blocks: vec![Block::Alert(detail)],
        layout,
    };
    layout::render(status, &page).unwrap_or_else(Problem::into_response)
}

/// The message for yes or no.
fn yes_or_no(words: Texts, yes: bool) -> String {
    words.text(if yes { "yes" } else { "no" })
}
