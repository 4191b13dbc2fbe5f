//! Links of the rail beside the content, of the account's menu, and of the bar on narrow screens.

use super::Layout;

/// A link of the navigation.
#[derive(Clone, Debug)]
pub struct Link {
    /// Path and query.
    pub to: String,
    /// Text of the link.
    pub text: String,
    /// Whether the link leads to the open page.
    pub is_here: bool,
    /// Number beside the text, with its accessible text.
    pub(crate) count: Option<(usize, String)>,
}

impl Link {
    /// A link to another page.
    pub(crate) fn new(to: impl Into<String>, text: String) -> Self {
        Self {
            to: to.into(),
            text,
            is_here: false,
            count: None,
        }
    }
}

/// Links of the rail under a heading.
#[derive(Debug)]
pub(crate) struct Group {
    pub heading: Option<String>,
    pub links: Vec<Link>,
}

/// Callers who may open a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Audience {
    Administrators,
    SystemAdministrators,
}
use Audience::{Administrators, SystemAdministrators};

/// A page of the administration.
#[derive(Clone, Copy, Debug)]
struct AdminPage {
    path: &'static str,
    key: &'static str,
    audience: Audience,
}

const fn page(path: &'static str, key: &'static str, audience: Audience) -> AdminPage {
    AdminPage {
        path,
        key,
        audience,
    }
}

const BOARD: (&str, &str) = ("/", "nav-board");
const MY_STATUS: (&str, &str) = ("/me", "nav-me-now");
const MY_CALENDAR: (&str, &str) = ("/me/appointments", "nav-appointments");

/// Personal pages of the rail: path and key.
const ME: [(&str, &str); 5] = [
    MY_STATUS,
    MY_CALENDAR,
    ("/me/profiles", "nav-profiles"),
    ("/me/sharing", "nav-sharing"),
    ("/me/devices", "nav-devices"),
];

/// Personal pages of the account's menu: path and key.
const ACCOUNT: [(&str, &str); 2] = [
    ("/me/settings", "nav-settings"),
    ("/me/teams", "nav-my-teams"),
];

/// The page of every account, with or without a person.
const PASSWORD: (&str, &str) = ("/me/password", "nav-password");

const ADMIN_HOME: (&str, &str) = ("/admin", "nav-overview");

/// Headings of the administration with their pages.
const ADMIN: [(&str, &[AdminPage]); 5] = [
    (
        "nav-group-people",
        &[
            page("/admin/people", "nav-people", Administrators),
            page("/admin/workgroups", "nav-workgroups", SystemAdministrators),
        ],
    ),
    (
        "nav-group-organisation",
        &[
            page("/admin/scopes", "nav-scopes", Administrators),
            page("/admin/templates", "nav-templates", Administrators),
            page("/admin/microphone", "nav-microphone", Administrators),
        ],
    ),
    (
        "nav-group-connections",
        &[
            page("/admin/tenants", "nav-tenants", SystemAdministrators),
            page("/admin/telephony", "nav-telephony", SystemAdministrators),
        ],
    ),
    (
        "nav-group-access",
        &[
            page("/admin/accounts", "nav-accounts", SystemAdministrators),
            page("/admin/keys", "nav-keys", SystemAdministrators),
        ],
    ),
    (
        "nav-group-operations",
        &[
            page("/admin/health", "nav-health", Administrators),
            page("/admin/audit", "nav-audit", SystemAdministrators),
            page("/admin/backup", "nav-backup", SystemAdministrators),
            page("/admin/work", "nav-work", SystemAdministrators),
        ],
    ),
];

impl Layout {
    /// The rail: people and personal pages, and the administration's headings; in the administration all its pages.
    pub(crate) fn rail(&self) -> Vec<Group> {
        let heading = |key: &str| Some(self.words.text(key));
        let mut own = vec![self.link(BOARD)];
        if self.is_in("/admin") {
            let mut groups = vec![Group {
                heading: None,
                links: own,
            }];
            groups.push(Group {
                heading: heading("nav-admin"),
                links: vec![self.home()],
            });
            groups.extend(ADMIN.iter().map(|(key, pages)| Group {
                heading: heading(key),
                links: self.allowed(pages).map(|page| self.link(page)).collect(),
            }));
            groups.retain(|group| !group.links.is_empty());
            return groups;
        }
        if self.is_person {
            own.extend(ME.map(|page| self.link(page)));
        }
        let mut groups = vec![Group {
            heading: None,
            links: own,
        }];
        if self.is_administrator {
            let first = ADMIN.iter().filter_map(|(key, pages)| {
                let (to, _) = self.allowed(pages).next()?;
                Some(self.link((to, key)))
            });
            groups.push(Group {
                heading: heading("nav-admin"),
                links: std::iter::once(self.home()).chain(first).collect(),
            });
        }
        groups
    }

    /// Links of the account's menu.
    pub(crate) fn own_pages(&self) -> Vec<Link> {
        let own = ACCOUNT.iter().filter(|_| self.is_person);
        let password = std::iter::once(&PASSWORD).filter(|_| self.has_account);
        own.chain(password).map(|page| self.link(*page)).collect()
    }

    /// Links of the bar on narrow screens, beside the button that opens the rail.
    pub(crate) fn below(&self) -> Vec<Link> {
        let mut links = vec![self.link(BOARD)];
        if self.is_person {
            links.extend([MY_STATUS, MY_CALENDAR].map(|page| self.link(page)));
        }
        if self.is_administrator && !self.is_person {
            links.push(self.link(ADMIN_HOME));
        }
        links
    }

    /// Paths and keys of the pages that the caller may open.
    fn allowed<'a>(
        &self,
        pages: &'a [AdminPage],
    ) -> impl Iterator<Item = (&'static str, &'static str)> + use<'a> {
        let is_system_administrator = self.is_system_administrator;
        let may_open =
            move |page: &&AdminPage| page.audience == Administrators || is_system_administrator;
        let allowed = pages.iter().filter(may_open);
        allowed.map(|page| (page.path, page.key))
    }

    /// The link to the administration's home page, with the number of problems.
    fn home(&self) -> Link {
        let problems = self.problems;
        let text = || self.words.with("health-problems", "count", problems);
        Link {
            count: (problems > 0).then(|| (problems, text())),
            ..self.link(ADMIN_HOME)
        }
    }

    fn link(&self, (to, key): (&str, &str)) -> Link {
        let is_parent = to.matches('/').count() > 1 && self.is_in(to);
        Link {
            to: to.to_owned(),
            text: self.words.text(key),
            is_here: to == self.here || is_parent,
            count: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use i18n::Language;

    use crate::{layout::Layout, texts::Texts};

    fn layout(here: &str) -> Layout {
        Layout {
            words: Texts(Language::English),
            name: Some("Anna Becker".to_owned()),
            is_person: true,
            is_administrator: false,
            is_system_administrator: false,
            has_account: true,
            problems: 0,
            own: None,
            here: here.to_owned(),
        }
    }

    fn paths(layout: &Layout) -> Vec<String> {
        let groups = layout.rail();
        groups
            .into_iter()
            .flat_map(|group| group.links)
            .map(|link| link.to)
            .collect()
    }

    #[test]
    fn the_rail_has_only_pages_that_the_caller_may_open() {
        let employee = paths(&layout("/me"));
        assert!(employee.contains(&"/me/sharing".to_owned()));
        assert!(
            !employee.iter().any(|path| path.starts_with("/admin")),
            "{employee:?}"
        );
        let location = Layout {
            is_administrator: true,
            ..layout("/admin/people")
        };
        assert_eq!(
            paths(&location),
            [
                "/",
                "/admin",
                "/admin/people",
                "/admin/scopes",
                "/admin/templates",
                "/admin/microphone",
                "/admin/health"
            ]
        );
        let elsewhere = Layout {
            here: "/".to_owned(),
            ..location.clone()
        };
        let headings = paths(&elsewhere);
        assert_eq!(
            headings[6..],
            ["/admin", "/admin/people", "/admin/scopes", "/admin/health"]
        );
        let system = Layout {
            is_system_administrator: true,
            ..elsewhere
        };
        assert_eq!(paths(&system).len(), 6 + 1 + 5);
    }

    #[test]
    fn problems_are_counted_beside_the_home_page() {
        let counts = |problems| {
            let layout = Layout {
                is_administrator: true,
                problems,
                ..layout("/me")
            };
            let groups = layout.rail().into_iter();
            let links: Vec<_> = groups.flat_map(|group| group.links).collect();
            let counted = links
                .into_iter()
                .filter_map(|link| Some((link.to, link.count?)));
            counted.collect::<Vec<_>>()
        };
        assert_eq!(counts(0), []);
        assert_eq!(
            counts(2),
            [("/admin".to_owned(), (2, "2 problems".to_owned()))]
        );
    }

    #[test]
    fn initials_are_those_of_the_first_and_last_name() {
        let initials = |name: &str| {
            let name = Some(name.to_owned());
            Layout {
                name,
                ..layout("/")
            }
            .initials()
        };
        assert_eq!(initials("Anna Becker"), "AB");
        assert_eq!(initials("Elif Su Yılmaz"), "EY");
        assert_eq!(initials("çağla"), "Ç");
        assert_eq!(initials("  "), "");
    }
}
