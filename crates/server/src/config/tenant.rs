//! The tenants: `[teams]` with `[directory]` and `[notifications]`, and any number of `[[tenants]]` with these as their
//! own sections.

use std::collections::BTreeMap;

use directory::{DirectoryOptions, config::DirectorySection};
use presence::TenantName;
use runtime::config::{ConfigError, ConfigReader};
use teams::{
    SignIn, TeamsOptions,
    config::{self, NotificationsSection, TeamsSection, TenantKeys, TenantSection},
};

/// Import settings, by the names of the tenants.
type Directories = BTreeMap<TenantName, DirectoryOptions>;

/// All tenants; the tenant of `[teams]` comes first.
pub(super) fn tenants(
    reader: &ConfigReader<'_>,
    teams: Option<TeamsSection>,
    directory: DirectorySection,
    notifications: Option<NotificationsSection>,
    further: Vec<TenantSection<DirectorySection>>,
) -> Result<(Vec<TeamsOptions>, Directories), ConfigError> {
    let mut tenants = Vec::new();
    let mut directories = Directories::new();
    if let Some(teams) = teams {
        let keys = TenantKeys {
            teams: "teams.".into(),
            directory: "directory.".into(),
            notifications: "notifications.".into(),
        };
        let name = TenantName::main().clone();
        let tenant = config::tenant(reader, &keys, name, teams, notifications)?;
        let directory = directory_of(reader, &keys, &tenant, directory)?;
        directories.extend(directory.map(|directory| (tenant.name.clone(), directory)));
        tenants.push(tenant);
    }
    let mut names: Vec<TenantName> = Vec::new();
    for (at, section) in further.into_iter().enumerate() {
        let keys = TenantKeys {
            teams: format!("tenants.{at}."),
            directory: format!("tenants.{at}.directory."),
            notifications: format!("tenants.{at}.notifications."),
        };
        let key = format!("{}name", keys.teams);
        let (name, teams, notifications, directory) = section.split();
        let name = TenantName::new(&reader.segment(&key, name)?);
        let taken = match names.iter().position(|other| *other == name) {
            Some(other) => Some(format!(
                "is in {} too",
                reader.place(&format!("tenants.{other}.name"))
            )),
            None if name.is_main() => Some("is the name of [teams]".to_owned()),
            None => None,
        };
        if let Some(taken) = taken {
            let problem = format!("{:?} {taken}; take another", name.as_str());
            return Err(reader.error(&key, problem));
        }
        names.push(name.clone());
        let tenant = config::tenant(reader, &keys, name, teams, notifications)?;
        let directory = directory_of(reader, &keys, &tenant, directory)?;
        directories.extend(directory.map(|directory| (tenant.name.clone(), directory)));
        tenants.push(tenant);
    }
    Ok((tenants, directories))
}

/// Import settings of a tenant, which its people's own sign-ins do not permit.
fn directory_of(
    reader: &ConfigReader<'_>,
    keys: &TenantKeys,
    tenant: &TeamsOptions,
    section: DirectorySection,
) -> Result<Option<DirectoryOptions>, ConfigError> {
    let directory = directory::config::directory(reader, &keys.directory, section)?;
    if tenant.sign_in == SignIn::People && directory.is_some() {
        let problem = "people can be taken from Entra only with sign_in = \"application\"";
        return Err(reader.error(&format!("{}entra", keys.directory), problem));
    }
    Ok(directory)
}
