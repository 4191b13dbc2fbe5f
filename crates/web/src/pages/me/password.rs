//! Password of the signed-in account.

use api::password::LENGTH_MIN;
use serde_json::json;

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Field, Form, Kind, RefusedForm},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/me/password";
/// `autocomplete` value of new passwords (HTML standard).
const NEW: &str = "new-password";

/// The page for a new password of one's own account.
pub(super) struct Password;

impl PageHandler for Password {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let account = account(visit)?;
        let account = visit.context.store.account(account).await;
        let account = account.map_err(api::problem::Problem::from)?;
        let has_password = account.is_some_and(|account| account.password_hash.is_some());
        let mut form = Form::new(visit.words, "password", visit.say("password-change"));
        if has_password {
            let label = visit.say("password-old");
            form = form.field(
                Field::new("old_password", label, Kind::Password("current-password")).required(),
            );
        }
        let new = Field::new("password", visit.say("password-new"), Kind::Password(NEW)).required();
        let help = visit.words.with("password-help", "count", LENGTH_MIN);
        let again =
            Field::new("again", visit.say("password-again"), Kind::Password(NEW)).required();
        Ok(Page::new(visit, visit.say("nav-password"))
            .text(visit.say("password-about"))
            .form(
                form.field(new.help(help))
                    .field(again)
                    .button(visit.say("password-change")),
                back,
            ))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let account = account(visit)?;
        if typed.one("password") != typed.one("again") {
            let detail = visit.say("password-differs");
            return Err(Refusal::of_field("again", detail));
        }
        let body = json!({
            "old_password": typed.given("old_password"),
            "password": typed.one("password"),
        });
        let path = format!("/accounts/{account}/password");
        visit.api.put(&path, body, "").await?;
        // All sessions of the account have ended, including this one.
        let cookie = visit.parts().sessions.begin(Some(account)).await?;
        Ok(Done::new(HERE, "password").cookie(cookie).into())
    }
}

fn account(visit: &PageContext) -> Result<u64, Refusal> {
    let none = "this page is for accounts: sign in to one with a name, or open a link of one";
    visit.caller.account.ok_or_else(|| Refusal::forbidden(none))
}
