//! Bodies of the administration read what the API answers and write it again unchanged.

use api_types::{
    accounts::{AccountChange, Accounts, Role},
    audit::AuditPage,
    backups::Backups,
    directory::{Directory, DirectoryActionKind},
    doctor::{Findings, Verdict},
    import::{ColumnUse, ImportEffect, Imported},
    keys::Keys,
    programs::Programs,
    readiness::Readiness,
    scopes::{ScopeChange, ScopeKind, Scopes},
    teams_account::{TeamsAccount, TenantSignIn},
    templates::{TeamsState, TemplateChange, Templates},
    work::{WorkKind, WorkList, WorkState},
};
use serde_json::json;

use super::{refused, round_trip};

const TIME: &str = "2026-11-23T09:00:00Z";

#[test]
fn accounts_and_keys() {
    round_trip::<Accounts>(json!({"items": [
        {"id": "1", "name": "anna", "role": "location_admin", "person": "7", "location": "berlin",
            "has_password": true, "created_at": TIME}], "next": null}));
    let keys =
        json!({"items": [{"id": "a", "name": "phone", "scopes": ["read"], "created_at": TIME}]});
    round_trip::<Keys>(keys);
    let misspelt = json!({"name": "a", "rolle": "person"});
    assert!(refused::<Role>(json!("chief")).contains("chief"));
    assert!(refused::<AccountChange>(misspelt).contains("name"));
}

#[test]
fn scopes_and_programs() {
    let scopes: Scopes = round_trip(json!({"items": [
        {"id": "organisation", "kind": "organisation", "parent": null, "name": "Organisation", "tenant": null},
        {"id": "berlin", "kind": "location", "parent": "organisation", "name": "Berlin", "tenant": "main"}],
        "next": "berlin"}));
    assert_eq!(scopes.items[1].kind, ScopeKind::Location);
    // Absent fields of a change stay absent.
    round_trip::<ScopeChange>(json!({"name": "Hamburg"}));
    round_trip::<Programs>(
        json!({"individual": true, "decided_by": "berlin", "items": [
        {"process": "zoom", "also": ["us.zoom.xos"], "alias": "Zoom", "active": true, "softphone": false,
            "ignore_after_hours": null}]}),
    );
}

#[test]
fn jobs_and_their_results() {
    let work: WorkList = round_trip(json!({"items": [
        {"id": "3", "what": "import", "who": "admin", "begun": TIME, "state": "failed", "done": 1, "total": 2,
            "result": null, "problem": "the disk is full"}]}));
    let kind_and_state = (work.items[0].what, work.items[0].state);
    assert_eq!(kind_and_state, (WorkKind::Import, WorkState::Failed));
    let imported: Imported = round_trip(
        json!({"dry_run": true, "added": 1, "updated": 0, "unchanged": 0,
        "conflicts": 0, "items": [{"line": 2, "what": "added", "name": "Anna", "difference": "mail: a"}],
        "warnings": [], "table": {"encoding": "UTF-8", "separator": ";", "columns": [
            {"title": "UPN", "used_for": "UPN"}, {"title": "shoe size", "used_for": null}],
            "missing": ["objectId"], "comments": 1}}),
    );
    assert_eq!(imported.items[0].what, ImportEffect::Added);
    assert_eq!(imported.table.missing, [ColumnUse::ObjectId]);
    let directory: Directory = round_trip(
        json!({"at": TIME, "dry_run": false, "accounts": 3, "items": [
        {"what": "ambiguous", "person": null, "name": "anna", "reason": "two people match"}], "warnings": []}),
    );
    assert_eq!(directory.items[0].what, DirectoryActionKind::Ambiguous);
    round_trip::<Backups>(
        json!({"folder": "/var", "items": [{"name": "a.db", "at": TIME, "bytes": 7}]}),
    );
}

#[test]
fn templates() {
    let templates: Templates = round_trip(json!({"items": [
        {"name": "Teams", "status": "Busy", "forwarding": {"kind": "off"}, "text": null, "origin": "central",
            "active": true, "scope": "berlin", "offers": ["berlin"], "people": ["7"], "uses": [],
            "teams_uses": [{"use": "do_not_disturb", "scopes": ["berlin"], "people": 2}]}],
        "names": ["Teams"]}));
    let uses = templates.items[0].teams_uses.as_deref().unwrap();
    assert_eq!(uses[0].state, TeamsState::DoNotDisturb);
    // Null clears the text; an absent forwarding stays.
    let change: TemplateChange = round_trip(json!({"text": null}));
    assert_eq!((change.text, change.forwarding), (Some(None), None));
}

#[test]
fn state_of_the_installation() {
    let findings: Findings = round_trip(
        json!({"items": [{"check": "clock", "verdict": "fine", "what": "",
        "fault": null, "means": null, "remedy": null}]}),
    );
    assert_eq!(findings.items[0].verdict, Verdict::Fine);
    round_trip::<Readiness>(json!({"ready": true}));
    round_trip::<Readiness>(json!({"ready": false, "parts": [
        {"part": "store", "ready": true}, {"part": "pbx", "ready": false, "what": "silent", "remedy": "wait"}],
        "warnings": [{"part": "clock", "what": "late", "remedy": "NTP"}]}));
    let account: TeamsAccount = round_trip(
        json!({"tenant": "main", "sign_in": "people", "account": null,
        "sign_in_name": null, "display_name": null, "signed_in": false, "remembered": true, "trouble": null,
        "waiting": {"user_code": "A", "verification_uri": "https://microsoft.com/devicelogin", "until": TIME},
        "question": null}),
    );
    assert_eq!(account.sign_in, Some(TenantSignIn::People));
    round_trip::<AuditPage>(
        json!({"items": [{"id": "1", "at": TIME, "who": "admin", "what": "scope.add",
        "target": "Berlin", "before": null, "after": {"name": "Berlin"}, "own": false}], "next": null}),
    );
}
