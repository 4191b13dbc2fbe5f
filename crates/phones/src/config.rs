//! The sections of phones: `[[pbx]]`, and `[sip]` with its `[[sip.account]]`.

mod pbx;
mod sip;

pub use pbx::{PbxSection, pbxs};
use presence::Relationship;
use runtime::config::{ConfigError, ConfigReader};
use serde::Deserialize;

pub use self::sip::{SipSection, presence_server};

/// One text, or a list of them.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a text in quotes, or a list of such texts"
)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn into_list(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// A relationship by its name in the configuration.
fn relationship(
    reader: &ConfigReader<'_>,
    key: &str,
    name: &str,
) -> Result<Relationship, ConfigError> {
    let known = Relationship::ALL
        .into_iter()
        .find(|level| level.name() == name);
    known.ok_or_else(|| {
        let names: Vec<&str> = Relationship::ALL.iter().map(|l| l.name()).collect();
        let problem = format!("{name:?} is none of {}", names.join(", "));
        reader.error(key, problem)
    })
}
