//! Typed keys: a misspelt key does not compile, and a value is read as the type of its setting.

use std::{marker::PhantomData, time::Duration};

use super::{SettingsGroup, Value};
use crate::{OwnerPolicy, Relationship, SyncMode};

/// The key of a setting with values of type `T`; [`crate::setting_keys`] has one for each setting.
#[derive(Debug)]
pub struct Key<T> {
    /// The setting's group.
    pub group: SettingsGroup,
    /// The setting's name in the group.
    pub name: &'static str,
    value: PhantomData<T>,
}

// Not derived: a key is `Copy` whatever the type of its values.
impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> Key<T> {
    pub(super) const fn new(group: SettingsGroup, name: &'static str) -> Self {
        Self {
            group,
            name,
            value: PhantomData,
        }
    }
}

impl<T: SettingType> Key<T> {
    /// Value of the setting on a fresh installation.
    pub fn default<'a>(self) -> T::Read<'a> {
        let setting = self.group.setting(self.name);
        let value = setting.and_then(|setting| T::read(&setting.default));
        value.unwrap_or_default()
    }
}

/// A type of settings' values.
pub trait SettingType {
    /// A value that is read. Its default stands for a value of another type, which no setting in the table has.
    type Read<'a>: Default;

    /// The value, if it is of this type.
    fn read(value: &Value) -> Option<Self::Read<'_>>;

    /// The value to store.
    fn value(read: Self::Read<'_>) -> Value;
}

/// Implements [`SettingType`] for types that are their own values.
macro_rules! plain_types {
    ($($type:ty: $variant:ident,)*) => {$(
        impl SettingType for $type {
            type Read<'a> = Self;

            fn read(value: &Value) -> Option<Self> {
                let Value::$variant(value) = value else {
                    return None;
                };
                Some(*value)
            }

            fn value(read: Self) -> Value {
                Value::$variant(read)
            }
        }
    )*};
}

plain_types! {
    bool: Flag,
    Duration: Duration,
    SyncMode: Mode,
    Relationship: Level,
    OwnerPolicy: Policy,
}

/// Declares types whose values are optional texts.
macro_rules! text_types {
    ($($(#[$doc:meta])* $type:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $type {}

        impl SettingType for $type {
            type Read<'a> = Option<&'a str>;

            fn read(value: &Value) -> Option<Option<&str>> {
                let Value::$type(text) = value else {
                    return None;
                };
                Some(text.as_deref())
            }

            fn value(read: Option<&str>) -> Value {
                Value::$type(read.map(|text| text.to_owned().into()))
            }
        }
    )*};
}

text_types! {
    /// The type of settings that name a profile; `None`: no profile.
    ProfileName,
    /// The type of settings with a time zone of the IANA database; `None`: that of the organisation.
    TimeZone,
    /// The type of settings with the address (https, webcal) or file of a calendar feed; `None`: no feed.
    FeedAddress,
}
