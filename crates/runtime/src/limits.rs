//! Quotas by person, and lengths of lists and texts, each with its reason. Entered values are kept in memory, sent to viewers
//! and rendered on pages, which must stay usable with the largest values.

/// Names of profiles, templates, scopes, workgroups, accounts and keys, and texts of profiles, in bytes:
/// buttons, displays of phones and addresses of pages show them.
pub const NAME_MAX: usize = 200;
/// The longest name, address or extension of a person, in characters.
pub const PERSON_TEXT_MAX: usize = 255;
/// A person's own profiles. A person cannot choose among more; the page of 50, each with the longest texts, is below 200 kB.
pub const PROFILES_MAX: usize = 50;
/// Central templates of a scope: the list of every person in the scope has each.
pub const TEMPLATES_MAX: usize = 500;
/// Central templates of all scopes: an edit of one template recomputes the lists of all people.
pub const TEMPLATES_ALL_MAX: usize = 5_000;
/// Names in the order of a person's profiles: the most that organisation, location, group and person can have together.
pub const ORDER_MAX: usize = PROFILES_MAX + 3 * TEMPLATES_MAX;
/// Locations of the organisation, or groups of a location.
pub const SCOPES_MAX: usize = 1_000;
/// Scopes that a request to change a template may name. The request with more than one is refused with the remedy.
pub const OFFERS_MAX: usize = 1_000;
/// People that a template is assigned to one by one; a scope serves larger circles.
pub const TEMPLATE_PEOPLE_MAX: usize = 5_000;
/// A person's coming appointments that were entered by hand: years of a full calendar. Calendar feeds have another limit.
pub const APPOINTMENTS_MAX: usize = 2_000;
/// The text of an appointment, in bytes: a subject, not minutes.
pub const APPOINTMENT_TEXT_MAX: usize = 1_000;
/// Viewers with a relationship of their own to one owner. Workgroups and the location's default serve larger circles.
pub const RELATIONSHIPS_MAX: usize = 2_000;
/// Favourites of a person, on top of the board.
pub const FAVOURITES_MAX: usize = 1_000;
/// Members of a workgroup: visibility is computed for every pair.
pub const MEMBERS_MAX: usize = 2_000;
/// Workgroups: the visibility between two people depends on every workgroup.
pub const WORKGROUPS_MAX: usize = 1_000;
/// Names of meetings and clients that a source sends, in bytes. The engine keeps 64 of each for a person.
pub const SOURCE_NAME_MAX: usize = 200;
/// Addresses among the settings, in bytes: addresses of feeds with secrets are long.
pub const ADDRESS_MAX: usize = 2_000;

/// Changes of one account or agent at once, after a quiet time.
pub const CHANGES_BURST: f64 = 100.0;
/// Changes of one account or agent per second in the long run. A person at a page makes one or two.
pub const CHANGES_PER_SECOND: f64 = 20.0;
