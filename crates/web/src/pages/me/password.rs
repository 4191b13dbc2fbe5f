//! Password of the signed-in account.

use api::password::LENGTH_MIN;
use api_types::accounts::NewPassword;

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
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let account = account(request)?;
        let account = request.context.store.account(account).await;
        let account = account.map_err(api::problem::Problem::from)?;
        let has_password = account.is_some_and(|account| account.password_hash.is_some());
        let mut form = Form::new(request.words, "password", request.say("password-change"));
        if has_password {
            let label = request.say("password-old");
            form = form.field(
                Field::new("old_password", label, Kind::Password("current-password")).required(),
            );
        }
        let new =
            Field::new("password", request.say("password-new"), Kind::Password(NEW)).required();
        let help = request.words.with("password-help", "count", LENGTH_MIN);
        let again =
            Field::new("again", request.say("password-again"), Kind::Password(NEW)).required();
        Ok(Page::new(request, request.say("nav-password"))
            .text(request.say("password-about"))
            .form(
                form.field(new.help(help))
                    .field(again)
                    .button(request.say("password-change")),
                back,
            ))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let account = account(request)?;
        if typed.one("password") != typed.one("again") {
            let detail = request.say("password-differs");
            return Err(Refusal::of_field("again", detail));
        }
        let body = NewPassword {
            old_password: typed.given("old_password").map(str::to_owned),
            password: typed.one("password").to_owned(),
        };
        let path = format!("/accounts/{account}/password");
        request.api.put(&path, body, "").await?;
        // All sessions of the account have ended, including this one.
        let cookie = request.parts().sessions.begin(Some(account)).await?;
        Ok(Done::new(HERE, "password").cookie(cookie).into())
    }
}

fn account(request: &PageContext) -> Result<u64, Refusal> {
    request
        .caller
        .account
        .ok_or_else(|| Refusal::forbidden("accounts-only"))
}
