//! The configuration file as parsed. The crates that use a section declare it.

use std::path::PathBuf;

use api::open_id::OpenIdSection;
use directory::config::DirectorySection;
use gateway::config::{CalendarSection, OutsideSection};
use phones::config::{PbxSection, SipSection};
use runtime::retention::AuditSection;
use secrecy::SecretString;
use serde::Deserialize;
use teams::config::{NotificationsSection, TeamsSection, TenantSection};

/// Keys that may be arrays of tables.
pub(super) const ARRAYS_OF_TABLES: [&str; 3] = ["pbx", "sip.account", "tenants"];

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) data: Option<PathBuf>,
    #[serde(default)]
    pub(super) http: RawHttp,
    #[serde(default)]
    pub(super) access: RawAccess,
    #[serde(default)]
    pub(super) log: RawLog,
    #[serde(default)]
    pub(super) audit: AuditSection,
    #[serde(default)]
    pub(super) secrets: RawSecrets,
    pub(super) teams: Option<TeamsSection>,
    #[serde(default)]
    pub(super) directory: DirectorySection,
    pub(super) notifications: Option<NotificationsSection>,
    #[serde(default)]
    pub(super) tenants: Vec<TenantSection<DirectorySection>>,
    pub(super) open_id_connect: Option<OpenIdSection>,
    pub(super) sip: Option<SipSection>,
    #[serde(default)]
    pub(super) outside: OutsideSection,
    #[serde(default)]
    pub(super) calendar: CalendarSection,
    #[serde(default)]
    pub(super) pbx: Vec<PbxSection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttp {
    pub(super) listen: Option<String>,
    pub(super) public_url: Option<String>,
    #[serde(default)]
    pub(super) proxies: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAccess {
    pub(super) api_key: Option<SecretString>,
    pub(super) api_key_file: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub(super) format: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSecrets {
    pub(super) key_file: Option<PathBuf>,
}
