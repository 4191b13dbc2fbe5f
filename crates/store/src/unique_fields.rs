//! Values that only one person can have. A change that gives a person a value of another person is refused; the error names
//! the owner.

use sqlx::{Row, Sqlite, Transaction};

use crate::{StoreError, UniqueField};

/// A kind of unique value, with the statement that finds its owner other than a person.
pub(crate) struct UniqueColumn {
    field: UniqueField,
    owner: &'static str,
    /// The statement that removes the value from people who have left the directory; `None` if they keep it.
    free: Option<&'static str>,
}

pub(crate) const TEAMS_ACCOUNT: UniqueColumn = UniqueColumn {
    field: UniqueField::TeamsAccount,
    owner: "SELECT name FROM people WHERE teams_id = ?1 AND id <> ?2",
    free: None,
};
pub(crate) const SIGN_IN_NAME: UniqueColumn = UniqueColumn {
    field: UniqueField::SignInName,
    owner: "SELECT name FROM people WHERE user_principal_name = ?1 AND user_principal_name <> '' AND id <> ?2",
    free: Some(
        "UPDATE people SET user_principal_name = ''
         WHERE user_principal_name = ?1 AND user_principal_name <> '' AND gone_at IS NOT NULL AND id <> ?2",
    ),
};
pub(crate) const MAIL: UniqueColumn = UniqueColumn {
    field: UniqueField::MailAddress,
    owner: "SELECT name FROM people WHERE mail = ?1 AND mail <> '' AND id <> ?2",
    free: Some(
        "UPDATE people SET mail = '' WHERE mail = ?1 AND mail <> '' AND gone_at IS NOT NULL AND id <> ?2",
    ),
};
pub(crate) const EXTENSION: UniqueColumn = UniqueColumn {
    field: UniqueField::Extension,
    owner: "SELECT people.name FROM lines JOIN people ON people.id = person WHERE extension = ?1 AND person <> ?2",
    free: None,
};

/// The number that stands for a person who is not stored yet.
pub(crate) const NEW_PERSON: i64 = -1;

/// Refuses a value of a person other than `person`; [`NEW_PERSON`] stands for a person who is not stored yet.
pub(crate) async fn refuse_owned(
    transaction: &mut Transaction<'_, Sqlite>,
    kind: UniqueColumn,
    value: &str,
    person: i64,
) -> Result<(), StoreError> {
    let owner = sqlx::query(kind.owner)
        .bind(value)
        .bind(person)
        .fetch_optional(&mut **transaction)
        .await?;
    match owner {
        None => Ok(()),
        Some(owner) => Err(StoreError::Taken {
            field: kind.field,
            value: value.to_owned(),
            owner: owner.get(0),
        }),
    }
}

/// Refuses a value of another person. People who have left the directory lose the value: administrators do not see them
/// and could not remove it.
pub(crate) async fn refuse_kept(
    transaction: &mut Transaction<'_, Sqlite>,
    kind: UniqueColumn,
    value: &str,
    person: i64,
) -> Result<(), StoreError> {
    let free = kind.free;
    let Err(taken) = refuse_owned(transaction, kind, value, person).await else {
        return Ok(());
    };
    let Some(free) = free else {
        return Err(taken);
    };
    let released = sqlx::query(free)
        .bind(value)
        .bind(person)
        .execute(&mut **transaction)
        .await?;
    match released.rows_affected() {
        0 => Err(taken),
        _ => Ok(()),
    }
}
