//! Users of the directory, parsed page by page. A page of `users/delta` may contain only some members of a user: an absent
//! member keeps its value, and only `null` clears it (Graph, "Use delta query to track changes in Microsoft Graph data";
//! graph-explorer-v4#3584). A malformed member or element does not affect the others.

use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::BuildHasher,
};

use serde::{Deserialize, de::Error};
use serde_json::value::RawValue;

use crate::{
    ElementFault, GraphError,
    member::{Member, object, text_of},
};

/// Requested properties: enough to match people by id, sign-in name, mail and number, and to recognise guests.
pub(crate) const SELECT: &str =
    "id,userPrincipalName,mail,displayName,businessPhones,mobilePhone,accountEnabled,userType";

/// Maximum number of pages of a list: a million users in pages of a hundred.
const PAGES_MAX: usize = 10_000;

/// A user found by a lookup. A property that is unset, unreadable or not requested is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryUser {
    /// Entra object id, the only key for presence.
    pub id: String,
    /// Sign-in name.
    pub user_principal_name: Option<String>,
    /// Primary mail address.
    pub mail: Option<String>,
    /// Display name.
    pub display_name: Option<String>,
}

impl From<UserUpdate> for DirectoryUser {
    fn from(update: UserUpdate) -> Self {
        Self {
            id: update.id,
            user_principal_name: update.user_principal_name.into_value(),
            mail: update.mail.into_value(),
            display_name: update.display_name.into_value(),
        }
    }
}

/// Update of a property by an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Update<T> {
    /// The member is absent or has a wrong type.
    #[default]
    Keep,
    /// The member is `null`.
    Clear,
    /// New value.
    Set(T),
}

impl<T> Update<T> {
    /// New value, if any.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Keep | Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    fn into_value(self) -> Option<T> {
        match self {
            Self::Keep | Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }

    /// Applies a later update.
    fn merge(&mut self, later: Self) {
        match later {
            Self::Keep => {}
            Self::Clear | Self::Set(_) => *self = later,
        }
    }
}

/// Update of a user: the members of an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserUpdate {
    /// Entra object id.
    pub id: String,
    /// Sign-in name.
    pub user_principal_name: Update<String>,
    /// Primary mail address.
    pub mail: Update<String>,
    /// Display name.
    pub display_name: Update<String>,
    /// Business phone numbers.
    pub business_phones: Update<Vec<String>>,
    /// Mobile phone number.
    pub mobile_phone: Update<String>,
    /// True if the person may sign in.
    pub account_enabled: Update<bool>,
    /// `Member` or `Guest`.
    pub user_type: Update<String>,
}

impl UserUpdate {
    /// Applies a later element about the same user. A member that no element contained stays [`Update::Keep`].
    pub fn merge(&mut self, later: Self) {
        let Self {
            id,
            user_principal_name,
            mail,
            display_name,
            business_phones,
            mobile_phone,
            account_enabled,
            user_type,
        } = later;
        // Ids differ in case only: keep the first spelling.
        if !self.id.eq_ignore_ascii_case(&id) {
            self.id = id;
        }
        self.user_principal_name.merge(user_principal_name);
        self.mail.merge(mail);
        self.display_name.merge(display_name);
        self.business_phones.merge(business_phones);
        self.mobile_phone.merge(mobile_phone);
        self.account_enabled.merge(account_enabled);
        self.user_type.merge(user_type);
    }

    /// True for an account of a guest from another tenant: by its type, or by `#EXT#` in the sign-in name (Entra,
    /// "Properties of a Microsoft Entra B2B collaboration user").
    pub fn is_guest(&self) -> bool {
        let is_guest = |kind: &String| kind.eq_ignore_ascii_case("guest");
        let has_mark = |name: &String| name.to_ascii_uppercase().contains("#EXT#");
        self.user_type.value().is_some_and(is_guest)
            || self.user_principal_name.value().is_some_and(has_mark)
    }
}

/// A page of users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPage {
    /// Users of the page.
    pub users: Vec<UserUpdate>,
    /// Link to the next page; `None` on the last page. A page may be empty without being the last.
    pub next: Option<String>,
    /// Reasons for skipped elements and members.
    pub skipped: Vec<ElementFault>,
}

/// A change since the last round. Graph may repeat changes, and report values that have not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserChange {
    /// A new or changed user, with some or all members.
    Present(UserUpdate),
    /// A deleted user.
    Removed {
        /// Entra object id.
        id: String,
        /// True if the account is deleted for good (`deleted`), false if it can be restored for 30 days (`changed`).
        forever: bool,
    },
}

/// Page of changes from [`crate::Client::users_delta`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// Changes, with more to follow.
    Page {
        /// Changes of the page.
        changes: Vec<UserChange>,
        /// Reasons for skipped elements and members.
        skipped: Vec<ElementFault>,
        /// Link to the next page.
        next: String,
    },
    /// The last changes of the round.
    End {
        /// Changes of the page.
        changes: Vec<UserChange>,
        /// Reasons for skipped elements and members.
        skipped: Vec<ElementFault>,
        /// Link for the next round, valid for at most seven days.
        link: String,
    },
    /// Graph refuses the link, for example because it is too old: read the directory from its beginning; users who are
    /// missing then were deleted.
    Resync,
}

/// Links of a list that were followed. Detects lists without an end and links that form a circle.
#[derive(Debug, Default)]
pub struct PageTrail {
    /// Hashes of the links.
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl PageTrail {
    /// Records a link before it is followed.
    ///
    /// # Errors
    /// The link was followed before, or the list has more than 10,000 pages.
    pub fn follow(&mut self, call: &'static str, link: &str) -> Result<(), GraphError> {
        let malformed = |cause: &str| GraphError::Malformed {
            call,
            cause: cause.into(),
        };
        if !self.seen.insert(self.hasher.hash_one(link)) {
            return Err(malformed(
                "its nextLink leads to a page that was read before, and the list has no end",
            ));
        }
        if self.seen.len() >= PAGES_MAX {
            return Err(malformed("the list has more than 10,000 pages"));
        }
        Ok(())
    }
}

/// A parsed page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    changes: Vec<UserChange>,
    skipped: Vec<ElementFault>,
    next: Option<String>,
    delta: Option<String>,
}

#[derive(Deserialize)]
struct PageWire<'a> {
    #[serde(borrow)]
    value: Vec<&'a RawValue>,
    #[serde(default, rename = "@odata.nextLink")]
    next: Option<String>,
    #[serde(default, rename = "@odata.deltaLink")]
    delta: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserWire {
    #[serde(default)]
    id: Member,
    #[serde(default)]
    user_principal_name: Member,
    #[serde(default)]
    mail: Member,
    #[serde(default)]
    display_name: Member,
    #[serde(default)]
    business_phones: Member,
    #[serde(default)]
    mobile_phone: Member,
    #[serde(default)]
    account_enabled: Member,
    #[serde(default)]
    user_type: Member,
    #[serde(default, rename = "@removed")]
    removed: Option<RemovedWire>,
}

impl UserWire {
    /// True if a member other than the id has a wrong type.
    fn has_mistyped_member(&self) -> bool {
        let texts = [
            &self.user_principal_name,
            &self.mail,
            &self.display_name,
            &self.mobile_phone,
            &self.user_type,
        ];
        let is_odd_text =
            |member: &&Member| !matches!(member, Member::Absent | Member::Null | Member::Text(_));
        let has_odd_numbers = !matches!(
            self.business_phones,
            Member::Absent | Member::Null | Member::List(_, false)
        );
        let has_odd_state = !matches!(
            self.account_enabled,
            Member::Absent | Member::Null | Member::Flag(_)
        );
        texts.iter().any(is_odd_text) || has_odd_numbers || has_odd_state
    }
}

#[derive(Deserialize)]
struct RemovedWire {
    #[serde(default)]
    reason: Member,
}

impl Page {
    /// Parses a page.
    ///
    /// # Errors
    /// The body is not JSON, has no list `value`, or has a link that is not a string.
    pub(crate) fn read(body: &[u8]) -> Result<Self, serde_json::Error> {
        let body = text_of(body);
        let wire: PageWire = object(&body)?;
        let mut page = Self {
            changes: Vec::with_capacity(wire.value.len()),
            skipped: Vec::new(),
            next: wire.next,
            delta: wire.delta,
        };
        for element in wire.value {
            match change(element) {
                Ok((change, fault)) => {
                    page.changes.push(change);
                    page.skipped.extend(fault);
                }
                Err(fault) => page.skipped.push(fault),
            }
        }
        Ok(page)
    }

    /// Users of a page without deletions.
    pub(crate) fn users(self) -> UserPage {
        let users = self.changes.into_iter().filter_map(|change| match change {
            UserChange::Present(update) => Some(update),
            UserChange::Removed { .. } => None,
        });
        UserPage {
            users: users.collect(),
            next: self.next,
            skipped: self.skipped,
        }
    }

    /// Changes of a page of `users/delta`; an error if the page has no link.
    pub(crate) fn delta(self) -> Result<Delta, &'static str> {
        let Self {
            changes,
            skipped,
            next,
            delta,
        } = self;
        match (next, delta) {
            (Some(next), _) => Ok(Delta::Page {
                changes,
                skipped,
                next,
            }),
            (None, Some(link)) => Ok(Delta::End {
                changes,
                skipped,
                link,
            }),
            (None, None) => Err("it has neither a nextLink nor a deltaLink"),
        }
    }
}

/// Parses a single user.
///
/// # Errors
/// The body is not JSON, or not a user.
pub(crate) fn read_user(body: &[u8]) -> Result<DirectoryUser, serde_json::Error> {
    let body = text_of(body);
    match change(serde_json::from_str(&body)?) {
        Ok((UserChange::Present(update), _)) => Ok(update.into()),
        Ok((UserChange::Removed { .. }, _)) => Err(serde_json::Error::custom("a deleted user")),
        Err(fault) => Err(serde_json::Error::custom(fault.description())),
    }
}

/// Parses an element, with the fault of a skipped member.
fn change(element: &RawValue) -> Result<(UserChange, Option<ElementFault>), ElementFault> {
    let user: UserWire = object(element.get()).map_err(|_| ElementFault::NoObject)?;
    let fault = user
        .has_mistyped_member()
        .then_some(ElementFault::MistypedMember);
    let id = user.id.into_text().ok_or(ElementFault::NoId)?;
    if let Some(removed) = user.removed {
        let forever = removed.reason == Member::Text("deleted".into());
        return Ok((UserChange::Removed { id, forever }, None));
    }
    let update = UserUpdate {
        id,
        user_principal_name: text(user.user_principal_name),
        mail: text(user.mail),
        display_name: text(user.display_name),
        business_phones: match user.business_phones {
            Member::Null => Update::Clear,
            Member::List(numbers, _) => Update::Set(numbers),
            Member::Absent
            | Member::Text(_)
            | Member::Integer(_)
            | Member::Flag(_)
            | Member::Other => Update::Keep,
        },
        mobile_phone: text(user.mobile_phone),
        account_enabled: match user.account_enabled {
            Member::Null => Update::Clear,
            Member::Flag(is_enabled) => Update::Set(is_enabled),
            Member::Absent
            | Member::Text(_)
            | Member::Integer(_)
            | Member::List(..)
            | Member::Other => Update::Keep,
        },
        user_type: text(user.user_type),
    };
    Ok((UserChange::Present(update), fault))
}

fn text(member: Member) -> Update<String> {
    match member {
        Member::Null => Update::Clear,
        Member::Text(text) => Update::Set(text),
        Member::Absent
        | Member::Integer(_)
        | Member::Flag(_)
        | Member::List(..)
        | Member::Other => Update::Keep,
    }
}

#[cfg(test)]
mod tests;
