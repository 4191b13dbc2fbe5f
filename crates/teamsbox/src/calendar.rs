//! A person's calendar as far as presence minds it: appointments, meetings, and time out of office.
//!
//! Pure: what it contributes at a given moment is computed, never stored.

use crate::duration::Milliseconds;
use crate::value::{Activity, Availability, Shown};

/// Entries per person.
pub(crate) const ENTRIES_MAX: usize = 256;

/// What an entry says about the person.
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

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Counts up per person.
    pub(crate) id: u64,
    pub(crate) kind: CalendarKind,
    pub(crate) starts: Milliseconds,
    pub(crate) ends: Milliseconds,
    /// What it is called; of time out of office, the automatic reply.
    pub(crate) subject: Box<str>,
}

impl Entry {
    /// Whether it runs.
    pub(crate) fn runs(&self, now: Milliseconds) -> bool {
        self.starts <= now && now < self.ends
    }
}

/// All entries of a person.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    entries: Vec<Entry>,
    last: u64,
}

impl Calendar {
    /// Adds an entry and returns its id; `None` when there are too many.
    pub(crate) fn add(
        &mut self,
        kind: CalendarKind,
        starts: Milliseconds,
        ends: Milliseconds,
        subject: &str,
        now: Milliseconds,
    ) -> Option<u64> {
        // What is over contributes nothing any more and makes room.
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

    /// Removes an entry; `false` when there is none of that id.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        self.entries.len() < before
    }

    /// All entries that are not over.
    pub(crate) fn entries(&self, now: Milliseconds) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.ends > now)
    }

    /// The pair it asks for: focus time outranks all, a meeting is more specific than an appointment.
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

    /// When it next says something else.
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
