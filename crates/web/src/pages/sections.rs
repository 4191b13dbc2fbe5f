//! Navigation among the personal pages and among the pages of the administration.

use super::components::Link;
use crate::layout::Layout;

/// The page of every account, with or without a person.
const PASSWORD: &str = "/me/password";

/// Personal pages: path and key.
const ME: [(&str, &str); 8] = [
    ("/me", "nav-me-now"),
    ("/me/profiles", "nav-profiles"),
    ("/me/appointments", "nav-appointments"),
    ("/me/sharing", "nav-sharing"),
    ("/me/settings", "nav-settings"),
    ("/me/teams", "nav-my-teams"),
    ("/me/devices", "nav-devices"),
    (PASSWORD, "nav-password"),
];

/// Pages of the administration: path, key, and whether only system administrators may open them.
const ADMIN: [(&str, &str, bool); 13] = [
    ("/admin", "nav-overview", false),
    ("/admin/people", "nav-people", false),
    ("/admin/scopes", "nav-scopes", false),
    ("/admin/templates", "nav-templates", false),
    ("/admin/microphone", "nav-microphone", false),
    ("/admin/workgroups", "nav-workgroups", true),
    ("/admin/tenants", "nav-tenants", true),
    ("/admin/telephony", "nav-telephony", true),
    ("/admin/accounts", "nav-accounts", true),
    ("/admin/keys", "nav-keys", true),
    ("/admin/audit", "nav-audit", true),
    ("/admin/backup", "nav-backup", true),
    ("/admin/work", "nav-work", true),
];

/// Title of the page's group, and links to its pages.
pub fn sections(layout: &Layout) -> (String, Vec<Link>) {
    let words = layout.words;
    let link = |to: &str, key: &str| Link {
        to: to.to_owned(),
        text: words.text(key),
        is_here: to == layout.here || (to.matches('/').count() > 1 && layout.is_in(to)),
    };
    if layout.is_in("/admin") {
        let pages = ADMIN
            .iter()
            .filter(|(_, _, system)| !system || layout.is_system_administrator);
        let links = pages.map(|(to, key, _)| link(to, key)).collect();
        return (words.text("nav-admin"), links);
    }
    if !layout.is_in("/me") {
        return (String::new(), Vec::new());
    }
    let pages = ME.iter().filter(|(to, _)| match *to {
        PASSWORD => layout.has_account,
        _ => layout.is_person,
    });
    let links = pages.map(|(to, key)| link(to, key)).collect();
    (words.text("nav-me"), links)
}
