//! The part of a person's calendar that affects presence: appointments, meetings, focus time, and time out of office.
//!
//! Pure: its contribution is computed for a given time, never stored.

use crate::{
    duration::Milliseconds,
    value::{Activity, Availability, Shown},
};

/// The most entries of a person.
pub(crate) const ENTRIES_MAX: usize = 256;

/// The kind of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum CalendarKind {
    /// An appointment shown as busy.
    Busy,
    /// A meeting with an invitation.
    Meeting,
    /// Time shown as out of office.
    OutOfOffice,
    /// Focus time, as Viva Insights and Outlook plan it.
    Focus,
}

/// An entry of a calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Number, ascending for each person.
    pub(crate) id: u64,
    pub(crate) kind: CalendarKind,
    pub(crate) starts: Milliseconds,
    pub(crate) ends: Milliseconds,
    /// Subject; for time out of office, the automatic reply.
    pub(crate) subject: Box<str>,
}

impl Entry {
    /// Returns true if the entry is in progress.
    pub(crate) fn runs(&self, now: Milliseconds) -> bool {
        self.starts <= now && now < self.ends
    }
}

/// The calendar of a person.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    entries: Vec<Entry>,
    last: u64,
}

impl Calendar {
    /// Adds an entry; returns its id, or `None` if there are [`ENTRIES_MAX`] already.
    pub(crate) fn add(
        &mut self,
        kind: CalendarKind,
        starts: Milliseconds,
        ends: Milliseconds,
        subject: &str,
        now: Milliseconds,
    ) -> Option<u64> {
        // Entries that are over make room.
        self.entries.retain(|entry| entry.ends > now);
        if self.entries.len() >= ENTRIES_MAX {
            return None;
        }
        self.last += 1;
        self.entries.push(Entry {
            id: self.last,
            kind,
            starts,
            ends,
            subject: subject.into(),
        });
        Some(self.last)
    }

    /// Removes an entry; returns false if there is none with the id.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        self.entries.len() < before
    }

    /// All entries that are not over.
    pub(crate) fn entries(&self, now: Milliseconds) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.ends > now)
    }

    /// The pair that the calendar contributes. Focus time outranks a meeting, and a meeting outranks an appointment.
    pub(crate) fn shown(&self, now: Milliseconds) -> Option<Shown> {
        let runs = |kind| {
            self.entries
                .iter()
                .any(|entry| entry.kind == kind && entry.runs(now))
        };
        if runs(CalendarKind::Focus) {
            Some(Shown::new(Availability::DoNotDisturb, Activity::Focusing))
        } else if runs(CalendarKind::Meeting) {
            Some(Shown::new(Availability::Busy, Activity::InAMeeting))
        } else if runs(CalendarKind::Busy) {
            Some(Shown::new(Availability::Busy, Activity::Busy))
        } else {
            None
        }
    }

    /// The automatic reply while the person is out of office.
    pub(crate) fn out_of_office(&self, now: Milliseconds) -> Option<&str> {
        let mut away = self
            .entries
            .iter()
            .filter(|entry| entry.kind == CalendarKind::OutOfOffice);
        away.find(|entry| entry.runs(now))
            .map(|entry| &*entry.subject)
    }

    /// The next time at which an entry begins or ends.
    pub(crate) fn next_deadline(&self, now: Milliseconds) -> Option<Milliseconds> {
        let moments = self
            .entries
            .iter()
            .flat_map(|entry| [entry.starts, entry.ends]);
        moments.filter(|moment| *moment > now).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_count_from_their_start_to_just_before_their_end() {
        let mut calendar = Calendar::default();
        let meeting = calendar
            .add(CalendarKind::Meeting, 10, 20, "Review", 0)
            .unwrap();
        calendar
            .add(CalendarKind::Busy, 15, 30, "Focus", 0)
            .unwrap();
        calendar
            .add(CalendarKind::OutOfOffice, 25, 40, "Back on Monday", 0)
            .unwrap();
        let activity = |calendar: &Calendar, now| calendar.shown(now).map(|shown| shown.activity);
        assert_eq!(activity(&calendar, 9), None);
        assert_eq!(activity(&calendar, 10), Some(Activity::InAMeeting));
        assert_eq!(activity(&calendar, 19), Some(Activity::InAMeeting));
        assert_eq!(activity(&calendar, 20), Some(Activity::Busy));
        assert_eq!(calendar.out_of_office(25), Some("Back on Monday"));
        assert_eq!(calendar.out_of_office(40), None);
        assert_eq!(calendar.next_deadline(10), Some(15));
        assert!(calendar.remove(meeting) && !calendar.remove(meeting));
        assert_eq!(activity(&calendar, 10), None);
    }

    #[test]
    fn what_is_over_makes_room() {
        let mut calendar = Calendar::default();
        for _ in 0..ENTRIES_MAX {
            assert!(calendar.add(CalendarKind::Busy, 0, 10, "", 0).is_some());
        }
        assert!(calendar.add(CalendarKind::Busy, 0, 10, "", 0).is_none());
        assert!(calendar.add(CalendarKind::Busy, 10, 20, "", 10).is_some());
    }
}
