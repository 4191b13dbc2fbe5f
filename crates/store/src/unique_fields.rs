//! Names that are one person's: whoever wants one that somebody else has is refused, and told whose it is.

use sqlx::{Row, Sqlite, Transaction};

use crate::{StoreError, UniqueField};

/// A kind of name: what it is called, its field in the API, and who has one besides a person.
pub(crate) struct Owned {
    field: UniqueField,
    owner: &'static str,
    /// Takes it from people who are gone from the directory; `None`: they keep it.
    free: Option<&'static str>,
}

pub(crate) const TEAMS_ACCOUNT: Owned = Owned {
    field: UniqueField::TeamsAccount,
    owner: "SELECT name FROM people WHERE teams_id = ?1 AND id <> ?2",
    free: None,
};
pub(crate) const SIGN_IN_NAME: Owned = Owned {
    field: UniqueField::SignInName,
    owner: "SELECT name FROM people WHERE user_principal_name = ?1 AND user_principal_name <> '' AND id <> ?2",
    free: Some(
        "UPDATE people SET user_principal_name = ''
         WHERE user_principal_name = ?1 AND user_principal_name <> '' AND gone_at IS NOT NULL AND id <> ?2",
    ),
};
pub(crate) const MAIL: Owned = Owned {
    field: UniqueField::MailAddress,
    owner: "SELECT name FROM people WHERE mail = ?1 AND mail <> '' AND id <> ?2",
    free: Some(
        "UPDATE people SET mail = '' WHERE mail = ?1 AND mail <> '' AND gone_at IS NOT NULL AND id <> ?2",
    ),
};
pub(crate) const EXTENSION: Owned = Owned {
    field: UniqueField::Extension,
    owner: "SELECT people.name FROM lines JOIN people ON people.id = person WHERE extension = ?1 AND person <> ?2",
    free: None,
};

/// The number of somebody new.
pub(crate) const NOBODY: i64 = -1;

/// Refuses a name that somebody other than `person` has; [`NOBODY`] stands for somebody new.
pub(crate) async fn refuse_owned(
    transaction: &mut Transaction<'_, Sqlite>,
    kind: Owned,
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

/// Refuses an address of another person. People who are gone from the directory give theirs up: no administrator could
/// remove it from them.
pub(crate) async fn refuse_kept(
    transaction: &mut Transaction<'_, Sqlite>,
    kind: Owned,
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
