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

/// Pages of all administrators: path and key.
const ADMIN: [(&str, &str); 5] = [
    ("/admin", "nav-overview"),
    ("/admin/people", "nav-people"),
    ("/admin/scopes", "nav-scopes"),
    ("/admin/templates", "nav-templates"),
    ("/admin/microphone", "nav-microphone"),
];

/// Pages of system administrators: path and key.
const SYSTEM: [(&str, &str); 8] = [
    ("/admin/workgroups", "nav-workgroups"),
    ("/admin/tenants", "nav-tenants"),
    ("/admin/telephony", "nav-telephony"),
    ("/admin/accounts", "nav-accounts"),
    ("/admin/keys", "nav-keys"),
    ("/admin/audit", "nav-audit"),
    ("/admin/backup", "nav-backup"),
    ("/admin/work", "nav-work"),
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
        let system = SYSTEM.iter().filter(|_| layout.is_system_administrator);
        let pages = ADMIN.iter().chain(system);
        let links = pages.map(|(to, key)| link(to, key)).collect();
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
