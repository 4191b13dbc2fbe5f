//! Central templates: profiles that administrators offer to all people of a scope or assign to single people. One order of
//! names applies to all scopes.

use std::collections::BTreeMap;

use presence::{Origin, PersonId, Profile};
use serde_json::json;
use sqlx::{Row, Sqlite, Transaction};

use crate::{
    Change, ScopeId, Store, StoreError, Subject,
    values::{
        PROFILE, arranged, checked_name, commit_found, decoded, key, person_id, profile,
        profile_json, require_people, require_scopes,
    },
};

/// The people who have a template without an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// All people of the template's scope.
    Everyone,
    /// No other people.
    Assigned,
}

impl Audience {
    const ALL: [Self; 2] = [Self::Everyone, Self::Assigned];

    const fn name(self) -> &'static str {
        match self {
            Self::Everyone => "everyone",
            Self::Assigned => "assigned",
        }
    }

    /// The audience called `name`. The schema allows the two names only.
    fn from_name(name: &str) -> Self {
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        found.unwrap_or(Self::Assigned)
    }
}

/// A central template, identified by scope and name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The profile; its origin is central.
    pub profile: Profile,
    /// Id of the template's scope.
    pub scope: ScopeId,
    /// The people who have the template without an assignment.
    pub audience: Audience,
    /// The people with an assignment of the template.
    pub people: Vec<PersonId>,
}

impl Store {
    /// Every template, in the administrator's order.
    ///
    /// # Errors
    /// The database refused.
    pub async fn templates(&self) -> Result<Vec<Template>, StoreError> {
        let mut transaction = self.database.pool.begin().await?;
        let mut people: BTreeMap<(String, String), Vec<PersonId>> = BTreeMap::new();
        for row in
            sqlx::query("SELECT scope, template, person FROM template_people ORDER BY 1, 2, 3")
                .fetch_all(&mut *transaction)
                .await?
        {
            people
                .entry((row.get(0), row.get(1)))
                .or_default()
                .push(person_id(&row, 2));
        }
        let statement = format!(
            "SELECT scope, key, audience, active <> 0, {PROFILE} FROM templates ORDER BY position, key, scope"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .fetch_all(&mut *transaction)
            .await?;
        let template = |row: &sqlx::sqlite::SqliteRow| {
            let (scope, key): (String, String) = (row.get(0), row.get(1));
            let active = row.get::<i64, _>(3) != 0;
            let people = people.remove(&(scope.clone(), key)).unwrap_or_default();
            Ok(Template {
                profile: Profile {
                    active,
                    ..profile(decoded(row.get(4))?, Origin::Central)?
                },
                scope: scope.into(),
                audience: Audience::from_name(row.get(2)),
                people,
            })
        };
        rows.iter().map(template).collect()
    }

    /// Adds a template. Its place in the order is that of the templates with the same name, else the end.
    ///
    /// # Errors
    /// The scope has a template with the name; the scope or a person does not exist; the profile is personal; the database
    /// refused.
    pub async fn add_template(
        &self,
        template: &Template,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked(template)?;
        require_scopes(&mut transaction, &[&template.scope]).await?;
        refuse_present(&mut transaction, &template.scope, name).await?;
        sqlx::query(
            "INSERT INTO templates (scope, key, name, status, forwarding, target, text, active, audience, position)
             SELECT ?2, ?1 ->> 'key', ?1 ->> 'name', ?1 ->> 'status', ?1 ->> 'forwarding', ?1 ->> 'target',
                    ?1 ->> 'text', ?3, ?4,
                    coalesce(max(position) FILTER (WHERE key = ?1 ->> 'key'), max(position) + 1, 0)
             FROM templates",
        )
        .bind(profile_json(&template.profile, name))
        .bind(template.scope.as_str())
        .bind(template.profile.active)
        .bind(template.audience.name())
        .execute(&mut *transaction)
        .await?;
        assign(&mut transaction, template).await?;
        Ok(transaction.commit().await?)
    }

    /// Changes the template in `scope` that has the name of `template`. Moves it if `template` names another scope. A name
    /// never changes.
    ///
    /// # Errors
    /// The template, the new scope or a person does not exist; the new scope has a template with the name; the profile is
    /// personal; the database refused.
    pub async fn change_template(
        &self,
        scope: &ScopeId,
        template: &Template,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let name = checked(template)?;
        require_scopes(&mut transaction, &[&template.scope]).await?;
        if template.scope != *scope {
            refuse_present(&mut transaction, &template.scope, name).await?;
        }
        let changed = sqlx::query(
            "UPDATE templates SET scope = ?3, status = ?1 ->> 'status', forwarding = ?1 ->> 'forwarding',
                target = ?1 ->> 'target', text = ?1 ->> 'text', active = ?4, audience = ?5
             WHERE scope = ?2 AND key = ?1 ->> 'key'",
        )
        .bind(profile_json(&template.profile, name))
        .bind(scope.as_str())
        .bind(template.scope.as_str())
        .bind(template.profile.active)
        .bind(template.audience.name())
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Err(StoreError::not_found(
                Subject::Template,
                within(name, scope),
            ));
        }
        assign(&mut transaction, template).await?;
        Ok(transaction.commit().await?)
    }

    /// Deletes the template with a name in a scope. The caller checks that nothing uses it.
    ///
    /// # Errors
    /// There is no such template; the database refused.
    pub async fn delete_template(
        &self,
        scope: &ScopeId,
        name: &str,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let deleted = sqlx::query("DELETE FROM templates WHERE scope = ?1 AND key = ?2")
            .bind(scope.as_str())
            .bind(key(name))
            .execute(&mut *transaction)
            .await?;
        let named = within(name.trim(), scope);
        commit_found(
            transaction,
            deleted.rows_affected(),
            Subject::Template,
            named,
        )
        .await
    }

    /// Moves the templates with these names to the front, in this order. The others follow in their present order.
    ///
    /// # Errors
    /// A name is unknown or listed twice; the database refused. The order is unchanged then.
    pub async fn order_templates(
        &self,
        names: &[String],
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let present =
            sqlx::query("SELECT key FROM templates GROUP BY key ORDER BY min(position), key")
                .fetch_all(&mut *transaction)
                .await?;
        let present = present.iter().map(|row| row.get(0)).collect();
        let order = arranged(Subject::Template, present, names)?;
        sqlx::query(
            "UPDATE templates SET position = place.key FROM json_each(?1) AS place WHERE place.value = templates.key",
        )
        .bind(json!(order).to_string())
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
}

/// Name and scope of a template, for errors.
fn within(name: &str, scope: &ScopeId) -> String {
    format!("{name} in {scope}")
}

/// Checks a template; returns its trimmed name.
fn checked(template: &Template) -> Result<&str, StoreError> {
    let name = checked_name(Subject::Template, &template.profile.name)?;
    match template.profile.origin {
        Origin::Central => Ok(name),
        Origin::Personal => {
            let problem = "a template is a central profile, and this one is personal";
            Err(StoreError::conflict(Subject::Template, name, problem))
        }
    }
}

async fn refuse_present(
    transaction: &mut Transaction<'_, Sqlite>,
    scope: &ScopeId,
    name: &str,
) -> Result<(), StoreError> {
    let present = sqlx::query("SELECT 1 FROM templates WHERE scope = ?1 AND key = ?2")
        .bind(scope.as_str())
        .bind(key(name))
        .fetch_optional(&mut **transaction)
        .await?;
    match present {
        Some(_) => Err(StoreError::exists(Subject::Template, &within(name, scope))),
        None => Ok(()),
    }
}

/// Replaces the assignments of a template.
async fn assign(
    transaction: &mut Transaction<'_, Sqlite>,
    template: &Template,
) -> Result<(), StoreError> {
    require_people(transaction, &template.people).await?;
    let people: Vec<u64> = template.people.iter().map(|person| person.0).collect();
    sqlx::query("DELETE FROM template_people WHERE scope = ?1 AND template = ?2")
        .bind(template.scope.as_str())
        .bind(key(&template.profile.name))
        .execute(&mut **transaction)
        .await?;
    sqlx::query(
        "INSERT OR IGNORE INTO template_people (scope, template, person)
         SELECT ?1, ?2, value FROM json_each(?3)",
    )
    .bind(template.scope.as_str())
    .bind(key(&template.profile.name))
    .bind(json!(people).to_string())
    .execute(&mut **transaction)
    .await?;
    Ok(())
}
