//! Types of the core as their names in JSON: `#[serde(with = "core_name")]`, `#[serde(with = "core_name::optional")]`.

use presence::{ClientState, Confidence, Origin, Relationship, Status};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// A type with a fixed list of values, each with a name in JSON.
pub trait Listed: Copy + 'static {
    /// Every value.
    const ALL: &'static [Self];
    /// The name in JSON.
    fn name(self) -> &'static str;
}

/// A type of the core with a fixed list of values.
pub trait Named: Listed {
    /// Noun for errors.
    const KIND: &'static str;
}

impl Named for Status {
    const KIND: &'static str = "status";
}

impl Listed for Status {
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

impl Named for Confidence {
    const KIND: &'static str = "confidence";
}

impl Listed for Confidence {
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

impl Named for Relationship {
    const KIND: &'static str = "relationship";
}

impl Listed for Relationship {
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

impl Named for ClientState {
    const KIND: &'static str = "state of a client";
}

impl Listed for ClientState {
    const ALL: &'static [Self] = &Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }
}

impl Named for Origin {
    const KIND: &'static str = "origin of a profile";
}

impl Listed for Origin {
    const ALL: &'static [Self] = &[Self::Personal, Self::Central];

    fn name(self) -> &'static str {
        match self {
            Self::Personal => "personal",
            Self::Central => "central",
        }
    }
}

/// The names of all values.
pub fn names<T: Listed>() -> Vec<&'static str> {
    T::ALL.iter().map(|value| value.name()).collect()
}

/// The value with this name. The error lists all names.
fn parse<T: Named, E: Error>(name: &str) -> Result<T, E> {
    let found = T::ALL.iter().copied().find(|value| value.name() == name);
    found.ok_or_else(|| {
        let names = names::<T>().join(", ");
        E::custom(format!("{name:?} is no {}; there are {names}", T::KIND))
    })
}

pub(crate) fn serialize<T: Named, S: Serializer>(
    value: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.name())
}

pub(crate) fn deserialize<'de, T: Named, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    parse(&String::deserialize(deserializer)?)
}

/// The same for a value that may be null.
pub(crate) mod optional {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Listed, Named, parse};

    pub(crate) fn serialize<T: Named, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(Listed::name).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, T: Named, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let name = Option::<String>::deserialize(deserializer)?;
        name.map(|name| parse(&name)).transpose()
    }
}
