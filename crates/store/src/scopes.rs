//! The tree of scopes: organisation, location, configuration group. The organisation always exists and is not listed.

use std::collections::BTreeSet;

use presence::TenantName;
use sqlx::{Row, Sqlite, SqliteConnection, Transaction};

use crate::{
    Change, Store, StoreError, Subject,
    idempotency::record_made,
    scope_id::{ORGANISATION, ScopeId},
    values::{checked_name, commit_found, key},
};

/// The kinds of scope below the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeKind {
    /// A location of the organisation.
    Location,
    /// A configuration group of a location.
    Group,
}

impl ScopeKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Location, Self::Group];

    /// The name in API and database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Location => "location",
            Self::Group => "group",
        }
    }

    pub(crate) const fn subject(self) -> Subject {
        match self {
            Self::Location => Subject::Location,
            Self::Group => Subject::Group,
        }
    }

    /// The kind called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A stored scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredScope {
    /// Id.
    pub id: ScopeId,
    /// Location or group.
    pub kind: ScopeKind,
    /// Id of the parent: the organisation for a location, the location for a group.
    pub parent: ScopeId,
    /// Display name.
    pub name: String,
    /// Name of the location's tenant. A group has the tenant of its location.
    pub tenant: Option<TenantName>,
}

/// The most uses of a scope that an error names. Further uses are counted.
const USES_MAX: usize = 20;
/// The most bytes of an id that is derived from a name.
const SLUG_MAX: usize = 48;

impl Store {
    /// Every scope but the organisation: locations by name, then groups by name.
    ///
    /// # Errors
    /// The database refused.
    pub async fn scopes(&self) -> Result<Vec<StoredScope>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, kind, parent, name, tenant FROM scopes WHERE parent IS NOT NULL
             ORDER BY kind = 'group', key, id",
        )
        .fetch_all(&self.database.pool)
        .await?;
        let scope = |row: &sqlx::sqlite::SqliteRow| {
            Some(StoredScope {
                id: row.get::<&str, _>(0).into(),
                kind: ScopeKind::from_name(row.get(1))?,
                parent: row.get::<&str, _>(2).into(),
                name: row.get(3),
                tenant: row.get::<Option<&str>, _>(4).map(TenantName::new),
            })
        };
        Ok(rows.iter().filter_map(scope).collect())
    }

    /// Adds a location to the organisation or a group to a location; returns its id, which is the name in lower case, with
    /// a number if that is taken.
    ///
    /// # Errors
    /// The parent does not exist or has the wrong kind; it has a scope with the name; the database refused.
    pub async fn add_scope(
        &self,
        kind: ScopeKind,
        parent: &ScopeId,
        name: &str,
        change: &Change<'_>,
    ) -> Result<ScopeId, StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked_name(Subject::Scope, name)?;
        let above = sqlx::query("SELECT kind FROM scopes WHERE id = ?1")
            .bind(parent.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
        let wanted = match kind {
            ScopeKind::Location => ORGANISATION.as_str(),
            ScopeKind::Group => "location",
        };
        match above {
            None => return Err(StoreError::not_found(Subject::Scope, parent)),
            Some(row) if row.get::<&str, _>(0) != wanted => {
                let problem = format!(
                    "a {} belongs to a scope of the kind {wanted}, and {parent} has another kind; choose another parent",
                    kind.name()
                );
                return Err(StoreError::conflict(Subject::Scope, name, problem));
            }
            Some(_) => {}
        }
        let id = insert_scope(&mut transaction, kind, parent, name).await?;
        record_made(&mut transaction, change.attempt, id.as_str()).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Renames a location or group. Its id stays.
    ///
    /// # Errors
    /// The scope does not exist; its parent has another scope with the name; the database refused.
    pub async fn rename_scope(
        &self,
        id: &ScopeId,
        name: &str,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked_name(Subject::Scope, name)?;
        let other = sqlx::query(
            "SELECT 1 FROM scopes WHERE parent = (SELECT parent FROM scopes WHERE id = ?1) AND key = ?2 AND id <> ?1",
        )
        .bind(id.as_str())
        .bind(key(name))
        .fetch_optional(&mut *transaction)
        .await?;
        if other.is_some() {
            return Err(StoreError::exists(Subject::Scope, name));
        }
        let renamed = sqlx::query(
            "UPDATE scopes SET name = ?2, key = ?3 WHERE id = ?1 AND parent IS NOT NULL",
        )
        .bind(id.as_str())
        .bind(name)
        .bind(key(name))
        .execute(&mut *transaction)
        .await?;
        commit_found(
            transaction,
            renamed.rows_affected(),
            Subject::LocationOrGroup,
            id,
        )
        .await
    }

    /// Sets or clears the tenant of a location.
    ///
    /// # Errors
    /// There is no such location; the database refused.
    pub async fn name_tenant(
        &self,
        location: &ScopeId,
        tenant: Option<&TenantName>,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let named =
            sqlx::query("UPDATE scopes SET tenant = ?2 WHERE id = ?1 AND kind = 'location'")
                .bind(location.as_str())
                .bind(tenant.map(TenantName::as_str))
                .execute(&mut *transaction)
                .await?;
        commit_found(
            transaction,
            named.rows_affected(),
            Subject::Location,
            location,
        )
        .await
    }

    /// Deletes a location or group with its settings.
    ///
    /// # Errors
    /// The scope does not exist; people, groups, accounts or templates use it; the database refused.
    pub async fn delete_scope(&self, id: &ScopeId, change: &Change<'_>) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let uses = uses(&mut transaction, id).await?;
        if !uses.is_empty() {
            return Err(StoreError::InUse {
                subject: Subject::Scope,
                value: id.to_string(),
                uses,
            });
        }
        let deleted = sqlx::query("DELETE FROM scopes WHERE id = ?1 AND parent IS NOT NULL")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        commit_found(
            transaction,
            deleted.rows_affected(),
            Subject::LocationOrGroup,
            id,
        )
        .await
    }
}

/// The uses of a scope: the first [`USES_MAX`] by name, then the number of the others.
async fn uses(
    transaction: &mut Transaction<'_, Sqlite>,
    id: &ScopeId,
) -> Result<Vec<String>, StoreError> {
    const USES: &str = "
        SELECT 1 AS sort, 'group ' || name AS thing FROM scopes WHERE parent = ?1
        UNION ALL SELECT 2, 'template ' || name FROM templates WHERE scope = ?1
        UNION ALL SELECT 3, 'account ' || name FROM accounts WHERE location = ?1
        UNION ALL SELECT 4, 'person ' || name FROM people WHERE location = ?1
        UNION ALL SELECT 4, 'person ' || name FROM people WHERE configuration_group = ?1";
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "WITH uses AS ({USES}) SELECT thing, (SELECT count(*) FROM uses) FROM uses ORDER BY sort, thing LIMIT ?2"
    )))
    .bind(id.as_str())
    .bind(i64::try_from(USES_MAX).unwrap_or(i64::MAX))
    .fetch_all(&mut **transaction)
    .await?;
    let total = rows.first().map_or(0, |row| row.get::<i64, _>(1));
    let more = usize::try_from(total)
        .unwrap_or(0)
        .saturating_sub(rows.len());
    let mut uses: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    if more > 0 {
        uses.push(format!("and {more} more"));
    }
    Ok(uses)
}

/// The id of the location called `name`, created if it is missing.
pub(crate) async fn location_called(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<ScopeId, StoreError> {
    let found = sqlx::query("SELECT id FROM scopes WHERE parent = 'organisation' AND key = ?1")
        .bind(key(name))
        .fetch_optional(&mut *connection)
        .await?;
    match found {
        Some(row) => Ok(row.get::<&str, _>(0).into()),
        None => insert_scope(connection, ScopeKind::Location, ORGANISATION, name).await,
    }
}

async fn insert_scope(
    connection: &mut SqliteConnection,
    kind: ScopeKind,
    parent: &ScopeId,
    name: &str,
) -> Result<ScopeId, StoreError> {
    let same = sqlx::query("SELECT 1 FROM scopes WHERE parent = ?1 AND key = ?2")
        .bind(parent.as_str())
        .bind(key(name))
        .fetch_optional(&mut *connection)
        .await?;
    if same.is_some() {
        return Err(StoreError::exists(kind.subject(), name));
    }
    let slug = slug(name, kind.name());
    // A slug contains no wildcards of GLOB.
    let taken = sqlx::query("SELECT id FROM scopes WHERE id = ?1 OR id GLOB ?1 || '-*'")
        .bind(&slug)
        .fetch_all(&mut *connection)
        .await?;
    let taken: BTreeSet<String> = taken.iter().map(|row| row.get(0)).collect();
    let id = free_id(&slug, &taken);
    sqlx::query("INSERT INTO scopes (id, kind, parent, name, key) VALUES (?1, ?2, ?3, ?4, ?5)")
        .bind(&id)
        .bind(kind.name())
        .bind(parent.as_str())
        .bind(name.trim())
        .bind(key(name))
        .execute(&mut *connection)
        .await?;
    Ok(id.into())
}

/// `slug`, or `slug-N` with the first number from 2 that is not taken.
fn free_id(slug: &str, taken: &BTreeSet<String>) -> String {
    let numbered = (2_u64..).map(|number| format!("{slug}-{number}"));
    std::iter::once(slug.to_owned())
        .chain(numbered)
        .find(|id| !taken.contains(id))
        .unwrap_or_default()
}

/// The name in lower-case ASCII letters and digits with single hyphens, for use in addresses; `otherwise` if none remain.
fn slug(name: &str, otherwise: &str) -> String {
    let mut slug = String::new();
    for character in name.to_lowercase().chars() {
        match character {
            'a'..='z' | '0'..='9' => slug.push(character),
            'ä' => slug.push_str("ae"),
            'ö' => slug.push_str("oe"),
            'ü' => slug.push_str("ue"),
            'ß' => slug.push_str("ss"),
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
        if slug.len() >= SLUG_MAX {
            break;
        }
    }
    match slug.trim_end_matches('-') {
        "" => otherwise.to_owned(),
        slug => slug.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{prop_assert, proptest};

    use super::{free_id, slug};

    #[test]
    fn a_slug_reads_like_the_name() {
        for (name, wanted) in [
            ("Berlin", "berlin"),
            ("  Köln – Süd (2)", "koeln-sued-2"),
            ("Großenhain", "grossenhain"),
            ("東京", "location"),
        ] {
            assert_eq!(slug(name, "location"), wanted);
        }
    }

    proptest! {
        #[test]
        fn ids_are_unique_and_fit_for_addresses(names in proptest::collection::vec(".{0,60}|[ab -]{1,3}", 1..40)) {
            let mut taken = BTreeSet::from(["organisation".to_owned()]);
            for name in names {
                let id = free_id(&slug(&name, "group"), &taken);
                prop_assert!(id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
                prop_assert!(!id.starts_with('-') && !id.ends_with('-') && id.len() < 64);
                prop_assert!(taken.insert(id));
            }
        }
    }
}
