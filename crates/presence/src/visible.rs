//! Comparison of presences by what viewers see: the history has one row for one visible state.

use crate::{Presence, View};

impl Presence {
    /// Whether every viewer sees the same state: status, activity, profile and text, with and without
    /// programs at the microphone. Confidence and times do not matter; nor does forwarding, which no viewer
    /// sees.
    pub fn looks_like(&self, other: &Self) -> bool {
        let without = (
            self.without_microphone.as_deref(),
            other.without_microphone.as_deref(),
        );
        let without_alike = match without {
            (Some(own), Some(others)) => own.looks_like(others),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        without_alike
            && self.status == other.status
            && self.activity == other.activity
            && self.profile == other.profile
            && self.appointment == other.appointment
    }
}

impl View {
    /// Whether the viewer sees the same state: status, activity, profile and text.
    pub fn looks_like(&self, other: &Self) -> bool {
        self.status == other.status
            && self.activity == other.activity
            && self.profile == other.profile
            && self.text == other.text
    }
}
