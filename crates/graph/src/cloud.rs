//! Microsoft's clouds by name: where they are and what works there (reference 4.1, 7.1, rule 60).

use std::{fmt, str::FromStr};

/// A cloud. A token of one is worth nothing in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// The public cloud, and the American GCC.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGovL4,
    /// US Government L5 (DoD).
    UsGovL5,
    /// China, operated by 21Vianet.
    China,
}

/// Not the name of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no cloud {name:?}; take one of global, us_gov_l4, us_gov_l5, china")]
pub struct UnknownCloud {
    /// What was given.
    pub name: String,
}

impl Cloud {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGovL4, Self::UsGovL5, Self::China];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "us_gov_l4",
            Self::UsGovL5 => "us_gov_l5",
            Self::China => "china",
        }
    }

    /// Its sign-in service.
    pub const fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovL4 | Self::UsGovL5 => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// Its Graph.
    pub const fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovL4 => "https://graph.microsoft.us",
            Self::UsGovL5 => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// True if presence can be read and written there.
    pub const fn has_presence(self) -> bool {
        !matches!(self, Self::China)
    }

    /// True if changes of presence can be subscribed to; elsewhere the sweep alone finds them.
    pub const fn has_notifications(self) -> bool {
        matches!(self, Self::Global)
    }
}

impl fmt::Display for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Cloud {
    type Err = UnknownCloud;

    fn from_str(name: &str) -> Result<Self, UnknownCloud> {
        Self::ALL
            .into_iter()
            .find(|cloud| cloud.name() == name)
            .ok_or_else(|| UnknownCloud { name: name.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_60_what_works_where() {
        let works = |cloud: Cloud| (cloud.has_presence(), cloud.has_notifications());
        assert_eq!(
            Cloud::ALL.map(works),
            [(true, true), (true, false), (true, false), (false, false)]
        );
    }

    #[test]
    fn clouds_are_known_by_name() {
        for cloud in Cloud::ALL {
            assert_eq!(cloud.to_string().parse(), Ok(cloud));
            assert!(cloud.login().starts_with("https://login."));
            assert!(!cloud.graph().ends_with('/'));
        }
        let error = "germany".parse::<Cloud>().unwrap_err().to_string();
        assert!(
            error.contains("germany") && error.contains("us_gov_l5"),
            "{error}"
        );
    }
}
