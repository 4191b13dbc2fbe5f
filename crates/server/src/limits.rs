//! Quotas by person, lengths of lists and of texts, each with its reason. Entered values are kept in memory, sent to
//! viewers and rendered on pages, which must stay usable with the largest of them.

/// Names of profiles, templates, scopes, workgroups, accounts and keys, and texts of profiles, in bytes: they stand on
/// buttons, in phones' displays and in addresses of pages.
pub const NAME_MAX: usize = 200;
/// The longest name, address or extension of a person, in characters.
pub const PERSON_TEXT_MAX: usize = 255;
/// A person's own profiles. Choosing among more is no choice any more; the page of all of them, each with the longest
/// texts, is below 200 kB.
pub const PROFILES_MAX: usize = 50;
/// Central templates of a scope: each is in the list of every person there.
pub const TEMPLATES_MAX: usize = 500;
/// Central templates of all scopes: an edit of one arranges the lists of all people anew.
pub const TEMPLATES_ALL_MAX: usize = 5_000;
/// Names in the order of a person's profiles: all that a person can have from the organisation, a location and a group.
pub const ORDER_MAX: usize = PROFILES_MAX + 3 * TEMPLATES_MAX;
/// Locations of the organisation, or groups of a location.
pub const SCOPES_MAX: usize = 1_000;
/// Scopes that a template names in a list. More than one are refused with the remedy.
pub const OFFERS_MAX: usize = 1_000;
/// People whom a template names one by one; more of them are a scope.
pub const TEMPLATE_PEOPLE_MAX: usize = 5_000;
/// A person's appointments that are not over and are entered by hand: years of a full calendar. Those that a calendar
/// brings have a limit of their own.
pub const APPOINTMENTS_MAX: usize = 2_000;
/// The text of an appointment, in bytes: a subject, not a protocol.
pub const APPOINTMENT_TEXT_MAX: usize = 1_000;
/// Viewers for whom an owner sets a level. Workgroups and the location's default serve larger circles.
pub const RELATIONSHIPS_MAX: usize = 2_000;
/// People on top of one's board.
pub const FAVOURITES_MAX: usize = 1_000;
/// Members of a workgroup: each sees every other, and both sides are computed.
pub const MEMBERS_MAX: usize = 2_000;
/// Workgroups: each is looked through for every pair of people.
pub const WORKGROUPS_MAX: usize = 1_000;
/// Names of meetings and clients that a source sends, in bytes. The engine keeps 64 of each for a person.
pub const SOURCE_NAME_MAX: usize = 200;
/// Addresses among the settings, in bytes: feeds with secrets in them are long.
pub const ADDRESS_MAX: usize = 2_000;

/// Changes that one account or agent makes without a pause.
pub const CHANGES_BURST: f64 = 100.0;
/// Changes a second that it makes in the long run. A person at a page makes one or two.
pub const CHANGES_PER_SECOND: f64 = 20.0;
