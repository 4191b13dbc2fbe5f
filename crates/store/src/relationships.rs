//! Access levels of viewers: set by owners for single viewers, and by workgroups for all their members.

use std::collections::BTreeMap;

use presence::{PersonId, Relationship};
use serde_json::json;
use sqlx::Row;

use crate::{
    Change, Store, StoreError, Subject,
    idempotency::record_made,
    values::{checked_name, commit_found, key, level, number, person_id, require_people},
};

/// A group of people who see each other at an access level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workgroup {
    /// Number, never reused.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Access level between members.
    pub level: Relationship,
    /// Members.
    pub members: Vec<PersonId>,
}

impl Store {
    /// The access levels that owners set, each as owner, viewer and level.
    ///
    /// # Errors
    /// The database refused.
    pub async fn relationships(
        &self,
    ) -> Result<Vec<(PersonId, PersonId, Relationship)>, StoreError> {
        let rows =
            sqlx::query("SELECT owner, viewer, level FROM relationships ORDER BY owner, viewer")
                .fetch_all(&self.database.pool)
                .await?;
        rows.iter()
            .map(|row| Ok((person_id(row, 0), person_id(row, 1), level(row.get(2))?)))
            .collect()
    }

    /// Sets a viewer's access level to an owner's presence. With `None` scope and workgroups determine it.
    ///
    /// # Errors
    /// Owner or viewer does not exist, or they are the same person; the database refused.
    pub async fn set_relationship(
        &self,
        owner: PersonId,
        viewer: PersonId,
        level: Option<Relationship>,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        require_people(&mut transaction, &[owner, viewer]).await?;
        if owner == viewer {
            let problem = "a person has no access level to their own presence; name another person";
            return Err(StoreError::conflict(Subject::Person, owner, problem));
        }
        let statement = match level {
            None => sqlx::query("DELETE FROM relationships WHERE owner = ?1 AND viewer = ?2"),
            Some(_) => sqlx::query(
                "INSERT INTO relationships (owner, viewer, level) VALUES (?1, ?2, ?3)
                 ON CONFLICT (owner, viewer) DO UPDATE SET level = excluded.level",
            ),
        };
        let statement = statement
            .bind(owner.0.cast_signed())
            .bind(viewer.0.cast_signed());
        match level {
            None => statement,
            Some(level) => statement.bind(level.name()),
        }
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Every workgroup, by name.
    ///
    /// # Errors
    /// The database refused.
    pub async fn workgroups(&self) -> Result<Vec<Workgroup>, StoreError> {
        let mut transaction = self.database.pool.begin().await?;
        let mut members: BTreeMap<u64, Vec<PersonId>> = BTreeMap::new();
        for row in sqlx::query("SELECT workgroup, person FROM workgroup_members ORDER BY 1, 2")
            .fetch_all(&mut *transaction)
            .await?
        {
            let workgroup = members.entry(number(&row, 0)).or_default();
            workgroup.push(person_id(&row, 1));
        }
        let rows = sqlx::query("SELECT id, name, level FROM workgroups ORDER BY key")
            .fetch_all(&mut *transaction)
            .await?;
        rows.iter()
            .map(|row| {
                let id = number(row, 0);
                Ok(Workgroup {
                    id,
                    name: row.get(1),
                    level: level(row.get(2))?,
                    members: members.remove(&id).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// Adds a workgroup, or changes the one with an id and replaces its members; returns the id.
    ///
    /// # Errors
    /// The workgroup or a member does not exist; another workgroup has the name; the database refused.
    pub async fn upsert_workgroup(
        &self,
        id: Option<u64>,
        name: &str,
        level: Relationship,
        members: &[PersonId],
        change: &Change<'_>,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked_name(Subject::Workgroup, name)?;
        require_people(&mut transaction, members).await?;
        let same = sqlx::query("SELECT 1 FROM workgroups WHERE key = ?1 AND id IS NOT ?2")
            .bind(key(name))
            .bind(id.map(u64::cast_signed))
            .fetch_optional(&mut *transaction)
            .await?;
        if same.is_some() {
            return Err(StoreError::exists(Subject::Workgroup, name));
        }
        let row = match id {
            None => sqlx::query(
                "INSERT INTO workgroups (name, key, level) VALUES (?1, ?2, ?3) RETURNING id",
            ),
            Some(_) => sqlx::query(
                "UPDATE workgroups SET name = ?1, key = ?2, level = ?3 WHERE id = ?4 RETURNING id",
            ),
        }
        .bind(name)
        .bind(key(name))
        .bind(level.name());
        let row = match id {
            None => row,
            Some(id) => row.bind(id.cast_signed()),
        }
        .fetch_optional(&mut *transaction)
        .await?
        .ok_or_else(|| StoreError::not_found(Subject::Workgroup, id.unwrap_or_default()))?;
        let id = number(&row, 0);
        let members: Vec<u64> = members.iter().map(|person| person.0).collect();
        sqlx::query("DELETE FROM workgroup_members WHERE workgroup = ?1")
            .bind(id.cast_signed())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT OR IGNORE INTO workgroup_members (workgroup, person) SELECT ?1, value FROM json_each(?2)",
        )
        .bind(id.cast_signed())
        .bind(json!(members).to_string())
        .execute(&mut *transaction)
        .await?;
        record_made(&mut transaction, change.attempt, id).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Deletes a workgroup.
    ///
    /// # Errors
    /// There is no such workgroup; the database refused.
    pub async fn delete_workgroup(&self, id: u64, change: &Change<'_>) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let deleted = sqlx::query("DELETE FROM workgroups WHERE id = ?1")
            .bind(id.cast_signed())
            .execute(&mut *transaction)
            .await?;
        commit_found(transaction, deleted.rows_affected(), Subject::Workgroup, id).await
    }
}
