//! People of the directory as Graph gives them, page by page (reference 8). A page of `users/delta` may carry some members of a
//! user only: what is absent keeps its value, and only `null` clears it (Graph, "Use delta query"; graph-explorer-v4#3584). An
//! odd member or element spoils nothing but itself.

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

/// What is asked for: enough to match people by id, sign-in name, mail and number, and to know guests.
pub(crate) const SELECT: &str =
    "id,userPrincipalName,mail,displayName,businessPhones,mobilePhone,accountEnabled,userType";

/// Pages of a list at most: a million users in pages of a hundred.
const PAGES_MAX: usize = 10_000;

/// A user who was looked for. What was not asked for, is not set or may not be read is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryUser {
    /// Entra object id: the only key for presence.
    pub id: String,
    /// Sign-in name.
    pub user_principal_name: Option<String>,
    /// Primary address.
    pub mail: Option<String>,
    /// Name to show.
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

/// What an element says of a member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Update<T> {
    /// Nothing: it is absent, or of an odd type.
    #[default]
    Keep,
    /// It is `null`.
    Clear,
    /// Its value.
    Set(T),
}

impl<T> Update<T> {
    /// The value, if there is one.
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

    /// Takes over a later update.
    fn merge(&mut self, later: Self) {
        match later {
            Self::Keep => {}
            Self::Clear | Self::Set(_) => *self = later,
        }
    }
}

/// The members that an element has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserUpdate {
    /// Entra object id.
    pub id: String,
    /// Sign-in name.
    pub user_principal_name: Update<String>,
    /// Primary address.
    pub mail: Update<String>,
    /// Name to show.
    pub display_name: Update<String>,
    /// Business numbers.
    pub business_phones: Update<Vec<String>>,
    /// Mobile number.
    pub mobile_phone: Update<String>,
    /// Whether the person may sign in.
    pub account_enabled: Update<bool>,
    /// `Member` or `Guest`.
    pub user_type: Update<String>,
}

impl UserUpdate {
    /// Takes over the members that a later element has. A member that no element had stays [`Update::Keep`].
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
        // In one spelling, whatever the case of the later one.
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

    /// Whether the account is a guest's, at home in another tenant: by its type, or by the mark in the sign-in name (Entra,
    /// "Properties of a Microsoft Entra B2B collaboration user").
    pub fn is_guest(&self) -> bool {
        let is_guest = |kind: &String| kind.eq_ignore_ascii_case("guest");
        let has_mark = |name: &String| name.to_ascii_uppercase().contains("#EXT#");
        self.user_type.value().is_some_and(is_guest)
            || self.user_principal_name.value().is_some_and(has_mark)
    }
}

/// A page of people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserPage {
    /// The people.
    pub users: Vec<UserUpdate>,
    /// For the next page; `None`: that was all. A page may be empty and not the last.
    pub next: Option<String>,
    /// Why elements, or members of them, were skipped.
    pub skipped: Vec<ElementFault>,
}

/// A change since the last time. The same one may come again, and so may what is known already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserChange {
    /// New or changed, with some or all members.
    Present(UserUpdate),
    /// Deleted.
    Removed {
        /// Entra object id.
        id: String,
        /// False if the account can be restored for thirty days (`changed`), true if it is gone (`deleted`).
        forever: bool,
    },
}

/// What [`crate::Client::users_delta`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// Changes, and there are more: ask with `next`.
    Page {
        /// The changes.
        changes: Vec<UserChange>,
        /// Why elements were skipped.
        skipped: Vec<ElementFault>,
        /// The link of the next page.
        next: String,
    },
    /// Changes, and that was all: keep `link` for the next time, seven days at most.
    End {
        /// The changes.
        changes: Vec<UserChange>,
        /// Why elements were skipped.
        skipped: Vec<ElementFault>,
        /// The link of the next time.
        link: String,
    },
    /// Graph refuses the link, which is too old for example: the directory is to be read from its beginning, and people who
    /// do not come any more are deleted.
    Resync,
}

/// The links of a list that were followed: a list whose links lead in a circle, or that has no end, is not read for ever.
#[derive(Debug, Default)]
pub struct PageTrail {
    /// Their hashes.
    seen: HashSet<u64>,
    hasher: RandomState,
}

impl PageTrail {
    /// Notes a link before it is followed.
    ///
    /// # Errors
    /// It was followed before, or the list has more than ten thousand pages.
    pub fn follow(&mut self, call: &'static str, link: &str) -> Result<(), GraphError> {
        let malformed = |cause: &str| GraphError::Malformed {
            call,
            cause: cause.into(),
        };
        if !self.seen.insert(self.hasher.hash_one(link)) {
            return Err(malformed(
                "its nextLink leads to a page that was read before, so that the list has no end",
            ));
        }
        if self.seen.len() >= PAGES_MAX {
            return Err(malformed("the list has more than 10000 pages"));
        }
        Ok(())
    }
}

/// A page, read element by element.
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
    /// Whether a member besides the id is of an odd type.
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
    /// Reads a page.
    ///
    /// # Errors
    /// It is no JSON, has no list `value`, or a link that is no text.
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

    /// The people of a list.
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

    /// The changes; `Err` if the page leads nowhere.
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
            (None, None) => Err("neither a nextLink nor a deltaLink in it"),
        }
    }
}

/// Reads a single user.
///
/// # Errors
/// It is no JSON, or no user.
pub(crate) fn read_user(body: &[u8]) -> Result<DirectoryUser, serde_json::Error> {
    let body = text_of(body);
    match change(serde_json::from_str(&body)?) {
        Ok((UserChange::Present(update), _)) => Ok(update.into()),
        Ok((UserChange::Removed { .. }, _)) => Err(serde_json::Error::custom("a removed user")),
        Err(fault) => Err(serde_json::Error::custom(fault.description())),
    }
}

/// Reads an element, with the fault of a member of it.
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
