//! National clouds of Microsoft: addresses and supported features (Graph, "Microsoft Graph national cloud deployments").

use std::{fmt, str::FromStr};

/// A national cloud. Tokens of one cloud are not valid in another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Cloud {
    /// The public cloud, including US Government GCC.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGovL4,
    /// US Government L5 (DoD).
    UsGovL5,
    /// China, operated by 21Vianet.
    China,
}

/// Error for an unknown name of a cloud.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown cloud {name:?}; use one of global, us_gov_l4, us_gov_l5, china")]
pub struct UnknownCloud {
    /// The unknown name.
    pub name: String,
}

impl Cloud {
    /// All clouds.
    pub const ALL: [Self; 4] = [Self::Global, Self::UsGovL4, Self::UsGovL5, Self::China];

    /// Name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "us_gov_l4",
            Self::UsGovL5 => "us_gov_l5",
            Self::China => "china",
        }
    }

    /// Address of the sign-in service.
    pub const fn login(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovL4 | Self::UsGovL5 => "https://login.microsoftonline.us",
            Self::China => "https://login.chinacloudapi.cn",
        }
    }

    /// Address of Graph.
    pub const fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovL4 => "https://graph.microsoft.us",
            Self::UsGovL5 => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// True if Graph offers presence in this cloud.
    pub const fn has_presence(self) -> bool {
        !matches!(self, Self::China)
    }

    /// True if Graph offers presence subscriptions in this cloud; elsewhere only the sweep detects changes.
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
    fn presence_and_notifications_by_cloud() {
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
