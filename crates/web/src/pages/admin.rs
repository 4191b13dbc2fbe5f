//! Pages of the administration.

mod accounts;
mod audit;
mod backup;
mod connect_tenant;
mod examination;
mod home;
mod import;
mod keys;
mod members;
mod microphone;
mod overview;
mod people;
mod person;
mod scope_settings;
mod scopes;
mod teams_profiles;
mod telephony;
mod template;
mod templates;
mod tenants;
mod work;
mod workgroups;

use axum::{Router, routing::get};
use presence::SettingsGroup;

use super::{client::Refusal, me::SharingOf, page, page_context::PageContext};
use crate::web_state::WebState;

pub(super) fn routes() -> Router<WebState> {
    Router::new()
        .route("/admin", page::<home::Home>())
        .route("/admin/health", page::<overview::Overview>())
        .route("/admin/people", page::<people::People>())
        .route("/admin/people/{person}", page::<person::Person>())
        .route("/admin/people/{person}/sharing", page::<SharingOf>())
        .route("/admin/scopes", page::<scopes::Scopes>())
        .route("/admin/scopes/{scope}", page::<scopes::Scope>())
        .route(
            "/admin/scopes/{scope}/{page}",
            page::<scope_settings::ScopeSettingsPage>(),
        )
        .route("/admin/templates", page::<templates::Templates>())
        .route("/admin/templates/{name}", page::<template::Template>())
        .route(
            "/admin/templates/{scope}/{name}",
            page::<template::Template>(),
        )
        .route("/admin/microphone", page::<microphone::Microphone>())
        .route("/admin/workgroups", page::<workgroups::Workgroups>())
        .route("/admin/tenants", page::<tenants::Tenants>())
        .route(
            "/admin/tenants/connect",
            page::<connect_tenant::ConnectTenant>(),
        )
        .route("/admin/telephony", page::<telephony::Telephony>())
        .route("/admin/accounts", page::<accounts::Accounts>())
        .route("/admin/keys", page::<keys::Keys>())
        .route("/admin/audit", page::<audit::Audit>())
        .route("/admin/audit.csv", get(audit::export))
        .route("/admin/backup", page::<backup::Backup>())
        .route("/admin/work", page::<work::AllWork>())
        .route("/admin/work/{work}", page::<work::OneWork>())
}

/// Refuses callers who are no administrators.
fn require_administrator(request: &PageContext) -> Result<(), Refusal> {
    if request.caller.administers() {
        return Ok(());
    }
    Err(Refusal::forbidden("administrators-only"))
}

/// Path of a scope's settings page.
fn settings_at(scope: &str, page: SettingsGroup) -> String {
    format!(
        "/admin/scopes/{}/{}",
        super::client::part(scope),
        page.name()
    )
}
