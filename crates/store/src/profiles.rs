//! Personal profiles, and the order of a person's profiles.

use std::collections::BTreeSet;

use presence::{Origin, PersonId, Profile, Target};
use serde_json::json;
use sqlx::Row;

use crate::{
    Change, Store, StoreError, Subject,
    values::{checked_name, commit_found, key, named_twice, profile_json, require_people},
};

impl Store {
    /// Adds a personal profile, or changes the one with the same name. A name never changes.
    ///
    /// # Errors
    /// The person does not exist; the profile is central; the database refused.
    pub async fn upsert_profile(
        &self,
        person: PersonId,
        profile: &Profile,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked_name(Subject::Profile, &profile.name)?;
        if profile.origin != Origin::Personal {
            let problem = "a central profile belongs to the templates; make a personal one";
            return Err(StoreError::conflict(Subject::Profile, name, problem));
        }
        require_people(&mut transaction, &[person]).await?;
        sqlx::query(
            "INSERT INTO personal_profiles (person, key, name, status, forwarding, target, text, active, position)
             SELECT ?2, ?1 ->> 'key', ?1 ->> 'name', ?1 ->> 'status', ?1 ->> 'forwarding', ?1 ->> 'target',
                    ?1 ->> 'text', ?3, coalesce(max(position) + 1, 0) FROM personal_profiles WHERE person = ?2
             ON CONFLICT (person, key) DO UPDATE SET
                status = excluded.status, forwarding = excluded.forwarding, target = excluded.target,
                text = excluded.text, active = excluded.active",
        )
        .bind(profile_json(profile, name))
        .bind(person.0.cast_signed())
        .bind(profile.active)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes a personal profile. The caller checks that nothing uses it.
    ///
    /// # Errors
    /// The person has no such profile; the database refused.
    pub async fn delete_profile(
        &self,
        person: PersonId,
        name: &str,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let deleted = sqlx::query("DELETE FROM personal_profiles WHERE person = ?1 AND key = ?2")
            .bind(person.0.cast_signed())
            .bind(key(name))
            .execute(&mut *transaction)
            .await?;
        commit_found(
            transaction,
            deleted.rows_affected(),
            Subject::PersonalProfile,
            name,
        )
        .await
    }

    /// Sets the order of My Profiles by names of central and personal profiles. Names without a profile are ignored. An
    /// empty order is the default order.
    ///
    /// # Errors
    /// The person does not exist; a name is listed twice; the database refused.
    pub async fn order_profiles(
        &self,
        person: PersonId,
        names: &[String],
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        require_people(&mut transaction, &[person]).await?;
        let mut seen = BTreeSet::new();
        if let Some(name) = names.iter().find(|name| !seen.insert(key(name))) {
            return Err(named_twice(Subject::Profile, name));
        }
        sqlx::query(
            "INSERT INTO profile_orders (person, names) VALUES (?1, ?2)
             ON CONFLICT (person) DO UPDATE SET names = excluded.names",
        )
        .bind(person.0.cast_signed())
        .bind(json!(names).to_string())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// The profiles with an invalid forwarding target, stored before targets were checked; each as a text that names the
    /// profile and its owner. They are loaded without forwarding.
    ///
    /// # Errors
    /// The database refused.
    pub async fn unusable_targets(&self) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT 'the profile ' || name || ' of the person ' || person, target FROM personal_profiles
             WHERE target IS NOT NULL
             UNION ALL SELECT 'the template ' || name || ' in ' || scope, target FROM templates
             WHERE target IS NOT NULL",
        )
        .fetch_all(&self.database.pool)
        .await?;
        let unusable = rows
            .iter()
            .filter(|row| Target::parse(row.get(1)).is_err())
            .map(|row| row.get(0));
        Ok(unusable.collect())
    }
}
