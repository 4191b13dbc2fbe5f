//! Appointments that people enter and that calendar feeds contain. Teams meetings in progress are stored with the Teams
//! calls.

use std::collections::BTreeMap;

use presence::{Appointment, AppointmentId, AppointmentOrigin, PersonId, Timestamp};
use serde_json::json;
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use crate::{
    Change, Store, StoreError, Subject,
    database::IMMEDIATE,
    idempotency::record_made,
    values::{commit_found, decoded, require_people, status},
};

/// The columns of an appointment, in the order of [`AppointmentRow`].
pub(crate) const APPOINTMENT: &str =
    "json_array(id, starts_at, ends_at, text, colour, profile, fallback, private, origin)";

/// Id, start, end, text, colour, profile, fallback, private, origin.
pub(crate) type AppointmentRow = (u64, i64, i64, String, String, String, String, i64, String);

/// An appointment from the columns [`APPOINTMENT`].
pub(crate) fn appointment(
    (id, start, end, text, colour, profile, fallback, private, origin): AppointmentRow,
) -> Result<Appointment, StoreError> {
    Ok(Appointment {
        id: AppointmentId(id),
        start: Timestamp::from_milliseconds(start),
        end: Timestamp::from_milliseconds(end),
        text: text.into(),
        colour: colour.into(),
        profile: profile.into(),
        fallback: status(&fallback)?,
        private: private != 0,
        origin: if origin == AppointmentOrigin::Calendar.name() {
            AppointmentOrigin::Calendar
        } else {
            AppointmentOrigin::Manual
        },
    })
}

fn all_of(rows: &[SqliteRow]) -> Result<Vec<Appointment>, StoreError> {
    rows.iter()
        .map(|row| appointment(decoded(row.get(0))?))
        .collect()
}

impl Store {
    /// Adds an appointment; returns its id. `appointment.id` is ignored.
    ///
    /// # Errors
    /// The person does not exist; the appointment ends before it begins; the database refused.
    pub async fn add_appointment(
        &self,
        person: PersonId,
        appointment: &Appointment,
        change: &Change<'_>,
    ) -> Result<AppointmentId, StoreError> {
        let mut transaction = self.change(change).await?;
        require_people(&mut transaction, &[person]).await?;
        let id = insert(&mut transaction, person, appointment).await?;
        record_made(&mut transaction, change.attempt, id.0).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// Changes the appointment with the id `appointment.id`.
    ///
    /// # Errors
    /// The person has no such appointment; the appointment ends before it begins; the database refused.
    pub async fn change_appointment(
        &self,
        person: PersonId,
        appointment: &Appointment,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        check(appointment)?;
        let changed = sqlx::query(
            "UPDATE appointments SET starts_at = ?3 ->> 'start', ends_at = ?3 ->> 'end', text = ?3 ->> 'text',
                colour = ?3 ->> 'colour', profile = ?3 ->> 'profile', fallback = ?3 ->> 'fallback',
                private = ?3 ->> 'private', origin = ?3 ->> 'origin'
             WHERE id = ?1 AND person = ?2",
        )
        .bind(appointment.id.0.cast_signed())
        .bind(person.0.cast_signed())
        .bind(appointment_json(appointment))
        .execute(&mut *transaction)
        .await?;
        let id = appointment.id.0;
        commit_found(
            transaction,
            changed.rows_affected(),
            Subject::Appointment,
            id,
        )
        .await
    }

    /// Deletes an appointment.
    ///
    /// # Errors
    /// The person has no such appointment; the database refused.
    pub async fn delete_appointment(
        &self,
        person: PersonId,
        id: AppointmentId,
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.change(change).await?;
        let deleted = sqlx::query("DELETE FROM appointments WHERE id = ?1 AND person = ?2")
            .bind(id.0.cast_signed())
            .bind(person.0.cast_signed())
            .execute(&mut *transaction)
            .await?;
        commit_found(
            transaction,
            deleted.rows_affected(),
            Subject::Appointment,
            id.0,
        )
        .await
    }

    /// Replaces the appointments of a person's calendar feed; returns the new ones with their ids. An unchanged
    /// appointment keeps its id. Writes no audit row: the change was made in the calendar.
    ///
    /// # Errors
    /// The person does not exist; an appointment does not come from a calendar or ends before it begins; the database
    /// refused. Nothing was written.
    pub async fn replace_calendar(
        &self,
        person: PersonId,
        appointments: &[Appointment],
    ) -> Result<Vec<Appointment>, StoreError> {
        // After a power failure the calendar is read again: the commit need not wait for the disk.
        let mut transaction = self.database.quick.begin_with(IMMEDIATE).await?;
        require_people(&mut transaction, &[person]).await?;
        let statement = format!(
            "SELECT {APPOINTMENT} FROM appointments WHERE person = ?1 AND origin = 'calendar' ORDER BY id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(person.0.cast_signed())
            .fetch_all(&mut *transaction)
            .await?;
        // Grouped by start, so that the comparison takes linear time.
        let mut old: BTreeMap<Timestamp, Vec<Appointment>> = BTreeMap::new();
        for known in all_of(&rows)? {
            old.entry(known.start).or_default().push(known);
        }
        let mut new = Vec::with_capacity(appointments.len());
        for wanted in appointments {
            if wanted.origin != AppointmentOrigin::Calendar {
                let problem = "only appointments of a calendar are replaced with it";
                return Err(StoreError::conflict(
                    Subject::Appointment,
                    &wanted.text,
                    problem,
                ));
            }
            let same = |old: &Appointment| {
                let id = old.id;
                *old == Appointment {
                    id,
                    ..wanted.clone()
                }
            };
            let then = old.entry(wanted.start).or_default();
            let id = match then.iter().position(same) {
                Some(index) => then.swap_remove(index).id,
                None => insert(&mut transaction, person, wanted).await?,
            };
            new.push(Appointment {
                id,
                ..wanted.clone()
            });
        }
        let gone: Vec<u64> = old
            .values()
            .flatten()
            .map(|appointment| appointment.id.0)
            .collect();
        sqlx::query("DELETE FROM appointments WHERE id IN (SELECT value FROM json_each(?1))")
            .bind(json!(gone).to_string())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(new)
    }

    /// A person's appointments that overlap the time from `from` to `to`, ordered by their start.
    ///
    /// # Errors
    /// The database refused.
    pub async fn appointments(
        &self,
        person: PersonId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Appointment>, StoreError> {
        let statement = format!(
            "SELECT {APPOINTMENT} FROM appointments WHERE person = ?1 AND ends_at > ?2 AND starts_at < ?3
             ORDER BY starts_at, id"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(person.0.cast_signed())
            .bind(from.milliseconds())
            .bind(to.milliseconds())
            .fetch_all(&self.database.pool)
            .await?;
        all_of(&rows)
    }

    /// Deletes the appointments that ended before a time; returns their number.
    ///
    /// # Errors
    /// The database refused; nothing was deleted.
    pub async fn forget_appointments(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.forget("DELETE FROM appointments WHERE ends_at < ?1", before)
            .await
    }
}

fn check(appointment: &Appointment) -> Result<(), StoreError> {
    if appointment.end > appointment.start {
        return Ok(());
    }
    let problem = "it ends before it begins; let the end be later than the start";
    Err(StoreError::conflict(
        Subject::Appointment,
        &appointment.text,
        problem,
    ))
}

async fn insert(
    connection: &mut SqliteConnection,
    person: PersonId,
    appointment: &Appointment,
) -> Result<AppointmentId, StoreError> {
    check(appointment)?;
    let inserted = sqlx::query(
        "INSERT INTO appointments (person, starts_at, ends_at, text, colour, profile, fallback, private, origin)
         VALUES (?1, ?2 ->> 'start', ?2 ->> 'end', ?2 ->> 'text', ?2 ->> 'colour', ?2 ->> 'profile',
                 ?2 ->> 'fallback', ?2 ->> 'private', ?2 ->> 'origin')",
    )
    .bind(person.0.cast_signed())
    .bind(appointment_json(appointment))
    .execute(connection)
    .await?;
    Ok(AppointmentId(inserted.last_insert_rowid().unsigned_abs()))
}

fn appointment_json(appointment: &Appointment) -> String {
    json!({
        "start": appointment.start.milliseconds(),
        "end": appointment.end.milliseconds(),
        "text": &*appointment.text,
        "colour": &*appointment.colour,
        "profile": &*appointment.profile,
        "fallback": appointment.fallback.name(),
        "private": appointment.private,
        "origin": appointment.origin.name(),
    })
    .to_string()
}
