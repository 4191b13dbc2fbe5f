//! The administrator's pages.

mod accounts;
mod audit;
mod backup;
mod connect_tenant;
mod examination;
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

use super::{client::Refusal, me::SharingOf, page_context::Visit, place};
use crate::app::Shared;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/admin", place::<overview::Overview>())
        .route("/admin/people", place::<people::People>())
        .route("/admin/people/{person}", place::<person::Person>())
        .route("/admin/people/{person}/sharing", place::<SharingOf>())
        .route("/admin/scopes", place::<scopes::Scopes>())
        .route("/admin/scopes/{scope}", place::<scopes::Scope>())
        .route(
            "/admin/scopes/{scope}/{page}",
            place::<scope_settings::ScopeSettings>(),
        )
        .route("/admin/templates", place::<templates::Templates>())
        .route("/admin/templates/{name}", place::<template::Template>())
        .route(
            "/admin/templates/{scope}/{name}",
            place::<template::Template>(),
        )
        .route("/admin/microphone", place::<microphone::Microphone>())
        .route("/admin/workgroups", place::<workgroups::Workgroups>())
        .route("/admin/tenants", place::<tenants::Tenants>())
        .route(
            "/admin/tenants/connect",
            place::<connect_tenant::ConnectTenant>(),
        )
        .route("/admin/telephony", place::<telephony::Telephony>())
        .route("/admin/accounts", place::<accounts::Accounts>())
        .route("/admin/keys", place::<keys::Keys>())
        .route("/admin/audit", place::<audit::Audit>())
        .route("/admin/audit.csv", get(audit::export))
        .route("/admin/backup", place::<backup::Backup>())
        .route("/admin/work", place::<work::AllWork>())
        .route("/admin/work/{work}", place::<work::OneWork>())
}

/// Refuses who administers nothing.
fn require_administrator(visit: &Visit) -> Result<(), Refusal> {
    if visit.caller.administers() {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "this page is for administrators; ask one of them to make you one (Accounts)",
    ))
}

/// Refuses all but system administrators.
pub(super) fn require_system_administrator(visit: &Visit) -> Result<(), Refusal> {
    if visit.caller.is_admin() {
        return Ok(());
    }
    Err(Refusal::forbidden(
        "this page is for system administrators; ask one of them",
    ))
}

/// Where a function page of a scope is.
fn settings_at(scope: &str, page: SettingsGroup) -> String {
    format!(
        "/admin/scopes/{}/{}",
        super::client::part(scope),
        page.name()
    )
}
