//! Reading of people with all their stored data: all of them at the start, later the changed ones.
//!
//! An installation may have a million people. They are read in blocks, and each table's rows of a block as one JSON array:
//! sqlx needs about 3 µs for a single row, which would be most of the start.

use presence::{
    Appointment, Choice, Extension, LineId, Origin, PersonId, PersonRecord, Profile, ReleaseReason,
    Slot, SlotRecord, TeamsCall, TeamsUserId, TenantName, Timestamp,
};
use serde::de::DeserializeOwned;
use sqlx::{Row, Sqlite, Transaction};

use crate::{
    ScopeId, Store, StoreError,
    appointments::{APPOINTMENT, AppointmentRow, appointment},
    values::{PROFILE, ProfileRow, decoded, number, person_id, profile},
};

/// A stored person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPerson {
    /// Number, never reused.
    pub id: PersonId,
    /// Display name.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name (UPN), or empty.
    pub user_principal_name: String,
    /// The linked Teams account; `None` if no account is linked.
    pub teams_id: Option<TeamsUserId>,
    /// Tenant of the linked account.
    pub teams_tenant: TenantName,
    /// Scope id of the location.
    pub location: Option<ScopeId>,
    /// Scope id of the configuration group.
    pub group: Option<ScopeId>,
    /// Lines with their extensions.
    pub lines: Vec<(LineId, Extension)>,
    /// Personal profiles, in the order of their creation.
    pub personal: Vec<Profile>,
    /// The order of My Profiles: names of central and personal ones; empty for the default order.
    pub order: Vec<String>,
    /// Appointments that have not ended, ordered by their start.
    pub appointments: Vec<Appointment>,
    /// The engine's record: lines, writes to Teams, and the chosen profile.
    pub record: PersonRecord,
}

/// The people who changed after a revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeopleChanges {
    /// Revision of the latest of these changes, with which the next call continues.
    pub revision: u64,
    /// Each changed person once, with the present state, ordered by number. `None` if the person was deleted or left the
    /// directory.
    pub people: Vec<(PersonId, Option<StoredPerson>)>,
}

/// People of a block: enough to make the cost of a statement negligible, few enough to keep its JSON small.
const BLOCK: usize = 4096;

impl Store {
    /// All people, ordered by number. A chosen profile that has ended is left out.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people(&self, now: Timestamp) -> Result<Vec<StoredPerson>, StoreError> {
        // One transaction, so that all blocks and tables are a consistent snapshot.
        let mut transaction = self.database.pool.begin().await?;
        let mut people: Vec<StoredPerson> = Vec::new();
        loop {
            let first = people.last().map_or(0, |last| last.id.0.cast_signed() + 1);
            let block = Block::read(&mut transaction, (first, i64::MAX), now).await?;
            let is_last = block.len() < BLOCK;
            people.extend(block);
            if is_last {
                return Ok(people);
            }
        }
    }

    /// The person with a number; `None` if there is none.
    ///
    /// # Errors
    /// The database refused.
    pub async fn person(
        &self,
        id: PersonId,
        now: Timestamp,
    ) -> Result<Option<StoredPerson>, StoreError> {
        let mut transaction = self.database.pool.begin().await?;
        let id = id.0.cast_signed();
        Ok(Block::read(&mut transaction, (id, id), now).await?.pop())
    }

    /// The revision of the latest change of any person; 0 if nothing changed yet. Every change increases it, also one by
    /// another process.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people_revision(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("SELECT coalesce(max(revision), 0) FROM people_changes")
            .fetch_one(&self.database.pool)
            .await?;
        Ok(number(&row, 0))
    }

    /// The people who changed after a revision, with their present state. Takes time in proportion to the changed people,
    /// not to all people.
    ///
    /// # Errors
    /// The database refused.
    pub async fn people_changed_since(
        &self,
        revision: u64,
        now: Timestamp,
    ) -> Result<PeopleChanges, StoreError> {
        let mut transaction = self.database.pool.begin().await?;
        let rows = sqlx::query(
            "SELECT person, revision FROM people_changes WHERE revision > ?1 ORDER BY person",
        )
        .bind(revision.cast_signed())
        .fetch_all(&mut *transaction)
        .await?;
        let latest = rows.iter().map(|row| number(row, 1)).max();
        let changed: Vec<PersonId> = rows.iter().map(|row| person_id(row, 0)).collect();
        let mut people = Vec::with_capacity(changed.len());
        for (first, last) in ranges(&changed) {
            let mut stored = Vec::new();
            let mut from = first.0;
            while from <= last.0 {
                let range = (from.cast_signed(), last.0.cast_signed());
                let block = Block::read(&mut transaction, range, now).await?;
                from = match block.last() {
                    Some(person) if block.len() == BLOCK => person.id.0 + 1,
                    Some(_) | None => last.0 + 1,
                };
                stored.extend(block);
            }
            let mut stored = stored.into_iter().peekable();
            people.extend((first.0..=last.0).map(|number| {
                let id = PersonId(number);
                (id, stored.next_if(|person| person.id == id))
            }));
        }
        Ok(PeopleChanges {
            revision: latest.unwrap_or(revision),
            people,
        })
    }
}

/// Groups ascending numbers into ranges without gaps, each as first and last number: an import changes people with
/// consecutive numbers.
fn ranges(people: &[PersonId]) -> Vec<(PersonId, PersonId)> {
    let mut ranges: Vec<(PersonId, PersonId)> = Vec::new();
    for &person in people {
        match ranges.last_mut() {
            Some((_, last)) if last.0 + 1 == person.0 => *last = person,
            Some(_) | None => ranges.push((person, person)),
        }
    }
    ranges
}

/// A block of people, ordered by number, while the rows of all tables are joined.
struct Block<'a, 't> {
    transaction: &'a mut Transaction<'t, Sqlite>,
    now: Timestamp,
    people: Vec<StoredPerson>,
}

impl<'a, 't> Block<'a, 't> {
    /// Reads the first [`BLOCK`] people with numbers in a range.
    async fn read(
        transaction: &'a mut Transaction<'t, Sqlite>,
        range: (i64, i64),
        now: Timestamp,
    ) -> Result<Vec<StoredPerson>, StoreError> {
        const PEOPLE: &str = "
            SELECT json_group_array(json_array(id, name, mail, user_principal_name, teams_id, location,
                                               configuration_group, teams_tenant) ORDER BY id)
            FROM (SELECT * FROM people WHERE id BETWEEN ?1 AND ?2 AND gone_at IS NULL ORDER BY id LIMIT ?3)";
        let row = sqlx::query(PEOPLE)
            .bind(range.0)
            .bind(range.1)
            .bind(i64::try_from(BLOCK).unwrap_or(i64::MAX))
            .fetch_one(&mut **transaction)
            .await?;
        let rows: Vec<PersonRow> = decoded(row.get(0))?;
        let mut block = Self {
            transaction,
            now,
            people: rows.into_iter().map(person).collect(),
        };
        block.join().await?;
        Ok(block.people)
    }

    async fn join(&mut self) -> Result<(), StoreError> {
        let extension = "json_array(id, extension)";
        self.table("lines", extension, "", "id", add_line).await?;
        let choice = "json_array(profile, since, until)";
        let alive = "AND (until IS NULL OR until > ?3)";
        self.table("choices", choice, alive, "person", add_choice)
            .await?;
        let call = "json_array(since, confirmed_at)";
        self.table("teams_calls", call, "", "person", add_call)
            .await?;
        let own = "json_array(slot, written_at, expires_at, acknowledged, cleared_at, yielded)";
        self.table("teams_writes", own, "", "person", add_own)
            .await?;
        let profile = format!("json_array(active <> 0, {PROFILE})");
        self.table("personal_profiles", &profile, "", "position", add_profile)
            .await?;
        self.table("profile_orders", "json(names)", "", "person", add_order)
            .await?;
        let ahead = "AND ends_at > ?3";
        self.table(
            "appointments",
            APPOINTMENT,
            ahead,
            "starts_at, id",
            add_appointment,
        )
        .await
    }

    /// Reads the rows of a table and adds each to its person.
    async fn table<R: DeserializeOwned>(
        &mut self,
        table: &str,
        columns: &str,
        only: &str,
        order: &str,
        add: fn(&mut StoredPerson, R) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (Some(first), Some(last)) = (self.people.first(), self.people.last()) else {
            return Ok(());
        };
        let statement = format!(
            "SELECT json_group_array(json_array(person, {columns}) ORDER BY person, {order})
             FROM {table} WHERE person BETWEEN ?1 AND ?2 {only}"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(statement))
            .bind(first.id.0.cast_signed())
            .bind(last.id.0.cast_signed())
            .bind(self.now.milliseconds())
            .fetch_one(&mut **self.transaction)
            .await?;
        let rows: Vec<(u64, R)> = decoded(row.get(0))?;
        // People and rows are ordered by the person's number.
        let mut people = self.people.iter_mut().peekable();
        for (id, row) in rows {
            while people.next_if(|person| person.id.0 < id).is_some() {}
            if let Some(person) = people.peek_mut().filter(|person| person.id.0 == id) {
                add(person, row)?;
            }
        }
        Ok(())
    }
}

type PersonRow = (
    u64,
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    String,
);

fn person(
    (id, name, mail, user_principal_name, teams_id, location, group, teams_tenant): PersonRow,
) -> StoredPerson {
    StoredPerson {
        id: PersonId(id),
        name,
        mail,
        user_principal_name,
        location: location.map(ScopeId::from),
        group: group.map(ScopeId::from),
        lines: Vec::new(),
        personal: Vec::new(),
        order: Vec::new(),
        appointments: Vec::new(),
        record: PersonRecord {
            linked: teams_id.is_some(),
            ..PersonRecord::default()
        },
        teams_id: teams_id.as_deref().map(TeamsUserId::new),
        teams_tenant: TenantName::new(&teams_tenant),
    }
}

fn add_line(person: &mut StoredPerson, (id, extension): (u64, String)) -> Result<(), StoreError> {
    let extension = Extension::stored(extension);
    person.lines.push((LineId::Watched(id), extension));
    person.record.lines.push(LineId::Watched(id));
    Ok(())
}

fn add_choice(
    person: &mut StoredPerson,
    (profile, since, until): (String, i64, Option<i64>),
) -> Result<(), StoreError> {
    person.record.choice = Some(Choice {
        profile: profile.into(),
        since: Timestamp::from_milliseconds(since),
        until: until.map(Timestamp::from_milliseconds),
    });
    Ok(())
}

fn add_call(
    person: &mut StoredPerson,
    (since, confirmed_at): (i64, i64),
) -> Result<(), StoreError> {
    person.record.teams_call = Some(TeamsCall {
        since: Timestamp::from_milliseconds(since),
        confirmed_at: Timestamp::from_milliseconds(confirmed_at),
    });
    Ok(())
}

type OwnRow = (String, i64, i64, i64, Option<i64>, Option<String>);

fn add_own(
    person: &mut StoredPerson,
    (slot, written_at, expires_at, acknowledged, cleared_at, yielded): OwnRow,
) -> Result<(), StoreError> {
    let slot = Slot::ALL.into_iter().find(|known| known.name() == slot);
    if let Some(own) = slot.and_then(|slot| person.record.slots.get_mut(slot as usize)) {
        *own = Some(SlotRecord {
            written_at: Timestamp::from_milliseconds(written_at),
            expires_at: Timestamp::from_milliseconds(expires_at),
            acknowledged: acknowledged != 0,
            cleared_at: cleared_at.map(Timestamp::from_milliseconds),
            released: ReleaseReason::ALL
                .into_iter()
                .find(|reason| Some(reason.name()) == yielded.as_deref()),
        });
    }
    Ok(())
}

fn add_profile(person: &mut StoredPerson, row: (u8, ProfileRow)) -> Result<(), StoreError> {
    let (active, row) = row;
    person.personal.push(Profile {
        active: active != 0,
        ..profile(row, Origin::Personal)?
    });
    Ok(())
}

fn add_order(person: &mut StoredPerson, names: Vec<String>) -> Result<(), StoreError> {
    person.order = names;
    Ok(())
}

fn add_appointment(person: &mut StoredPerson, row: AppointmentRow) -> Result<(), StoreError> {
    person.appointments.push(appointment(row)?);
    Ok(())
}
