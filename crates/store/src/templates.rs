//! Central templates: profiles that administrators offer to scopes and assign to people, in one order for all.

use std::collections::BTreeMap;

use presence::{Origin, PersonId, Profile};
use serde_json::json;
use sqlx::{Row, Sqlite, Transaction};

use crate::{
    Change, Store, StoreError,
    values::{
        PROFILE, arranged, checked_name, commit_found, decoded, key, person_id, profile,
        profile_json, require_people, require_scopes,
    },
};

/// A central template and to whom it is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The profile; its origin is central.
    pub profile: Profile,
    /// The scopes that it is offered to.
    pub offers: Vec<String>,
    /// The people that it is assigned to besides.
    pub people: Vec<PersonId>,
}

impl Store {
    /// Every template, in the administrator's order.
    ///
    /// # Errors
    /// The database refused.
    pub async fn templates(&self) -> Result<Vec<Template>, StoreError> {
        let mut transaction = self.pool.begin().await?;
        let mut offers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in sqlx::query("SELECT template, scope FROM template_offers ORDER BY 1, 2")
            .fetch_all(&mut *transaction)
            .await?
        {
            offers.entry(row.get(0)).or_default().push(row.get(1));
        }
        let mut people: BTreeMap<String, Vec<PersonId>> = BTreeMap::new();
        for row in sqlx::query("SELECT template, person FROM template_people ORDER BY 1, 2")
            .fetch_all(&mut *transaction)
            .await?
        {
            people
                .entry(row.get(0))
                .or_default()
                .push(person_id(&row, 1));
        }
        let statement =
            format!("SELECT key, active <> 0, {PROFILE} FROM templates ORDER BY position, key");
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .fetch_all(&mut *transaction)
            .await?;
        let template = |row: &sqlx::sqlite::SqliteRow| {
            let key: &str = row.get(0);
            let active = row.get::<i64, _>(1) != 0;
            Ok(Template {
                profile: profile(decoded(row.get(2))?, Origin::Central { active })?,
                offers: offers.remove(key).unwrap_or_default(),
                people: people.remove(key).unwrap_or_default(),
            })
        };
        rows.iter().map(template).collect()
    }

    /// Adds a template at the end of the order (`is_new`), or changes the one of that name. A name never changes.
    ///
    /// # Errors
    /// A new one has the name of another, or there is none to change; it is offered to a scope or assigned to a person
    /// who is not there; its profile is a personal one; the database refused.
    pub async fn put_template(
        &self,
        template: &Template,
        is_new: bool,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked_name("template", &template.profile.name)?;
        let Origin::Central { active } = template.profile.origin else {
            let problem = "a template is a central profile, and this one is personal";
            return Err(StoreError::conflict("template", name, problem));
        };
        let present = sqlx::query("SELECT 1 FROM templates WHERE key = ?1")
            .bind(key(name))
            .fetch_optional(&mut *transaction)
            .await?;
        match (present, is_new) {
            (Some(_), true) => return Err(StoreError::exists("template", name)),
            (None, false) => return Err(StoreError::not_found("template", name)),
            _ => {}
        }
        sqlx::query(
            "INSERT INTO templates (key, name, status, forwarding, target, text, active, position)
             SELECT ?1 ->> 'key', ?1 ->> 'name', ?1 ->> 'status', ?1 ->> 'forwarding', ?1 ->> 'target', ?1 ->> 'text',
                    ?2, coalesce(max(position) + 1, 0) FROM templates WHERE true
             ON CONFLICT (key) DO UPDATE SET
                status = excluded.status, forwarding = excluded.forwarding, target = excluded.target,
                text = excluded.text, active = excluded.active",
        )
        .bind(profile_json(&template.profile, name))
        .bind(active)
        .execute(&mut *transaction)
        .await?;
        put_offers(&mut transaction, &key(name), template).await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes a template. Whether something uses it is the caller's to check.
    ///
    /// # Errors
    /// There is no such template; the database refused.
    pub async fn delete_template(&self, name: &str, change: &Change<'_>) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let deleted = sqlx::query("DELETE FROM templates WHERE key = ?1")
            .bind(key(name))
            .execute(&mut *transaction)
            .await?;
        commit_found(transaction, deleted.rows_affected(), "template", name).await
    }

    /// Puts the named templates first, in that order; the others follow as they were.
    ///
    /// # Errors
    /// A name is unknown or there twice; the database refused. The order is as before.
    pub async fn order_templates(
        &self,
        names: &[String],
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let present = sqlx::query("SELECT key FROM templates ORDER BY position, key")
            .fetch_all(&mut *transaction)
            .await?;
        let present = present.iter().map(|row| row.get(0)).collect();
        let order = arranged("template", present, names)?;
        sqlx::query(
            "UPDATE templates SET position = place.key FROM json_each(?1) AS place WHERE place.value = templates.key",
        )
        .bind(json!(order).to_string())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
}

/// Makes the offers and assignments exactly those given.
async fn put_offers(
    transaction: &mut Transaction<'_, Sqlite>,
    key: &str,
    template: &Template,
) -> Result<(), StoreError> {
    let scopes: Vec<&str> = template.offers.iter().map(String::as_str).collect();
    require_scopes(transaction, &scopes).await?;
    require_people(transaction, &template.people).await?;
    let people: Vec<u64> = template.people.iter().map(|person| person.0).collect();
    for (statement, rows) in [
        ("DELETE FROM template_offers WHERE template = ?1", None),
        ("DELETE FROM template_people WHERE template = ?1", None),
        (
            "INSERT OR IGNORE INTO template_offers (template, scope) SELECT ?1, value FROM json_each(?2)",
            Some(json!(scopes)),
        ),
        (
            "INSERT OR IGNORE INTO template_people (template, person) SELECT ?1, value FROM json_each(?2)",
            Some(json!(people)),
        ),
    ] {
        let query = sqlx::query(statement).bind(key);
        match rows {
            None => query,
            Some(rows) => query.bind(rows.to_string()),
        }
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}
