//! Appointments made from occurrences of a calendar.

use calendar::{FreeBusy, Occurrence};
use presence::{
    APPOINTMENT_COLOUR, Appointment, AppointmentId, AppointmentOrigin, EffectiveSettings, Status,
    Timestamp, setting_keys,
};

/// The appointment of an occurrence: none if the occurrence is free, or tentative and the settings ignore tentative ones. Busy
/// and out of office have profiles of their own.
pub(super) fn appointment(
    occurrence: &Occurrence,
    page: &EffectiveSettings,
) -> Option<Appointment> {
    let (key, fallback) = match occurrence.free_busy {
        FreeBusy::Free => return None,
        FreeBusy::Tentative if !page.get(setting_keys::TENTATIVE_IS_BUSY) => return None,
        FreeBusy::Tentative | FreeBusy::Busy => (setting_keys::BUSY_PROFILE, Status::Busy),
        FreeBusy::OutOfOffice => (setting_keys::OUT_OF_OFFICE_PROFILE, Status::Absent),
    };
    let profile = page.get(key)?;
    let text = if page.get(setting_keys::APPOINTMENT_TEXTS) {
        occurrence.summary.as_str()
    } else {
        ""
    };
    // An appointment without a duration has no effect.
    (occurrence.end > occurrence.start).then(|| Appointment {
        id: AppointmentId(0),
        start: Timestamp::from_milliseconds(occurrence.start),
        end: Timestamp::from_milliseconds(occurrence.end),
        text: text.into(),
        colour: APPOINTMENT_COLOUR.into(),
        profile: profile.into(),
        fallback,
        private: occurrence.private,
        origin: AppointmentOrigin::Calendar,
    })
}

#[cfg(test)]
mod tests {
    use calendar::{FreeBusy, Occurrence};
    use presence::{ScopeChain, SettingValues, SettingsGroup, Status};
    use serde_json::json;

    use super::appointment;

    fn occurrence(free_busy: FreeBusy) -> Occurrence {
        Occurrence {
            uid: "1".into(),
            start: 1_000,
            end: 2_000,
            summary: "Review".into(),
            private: false,
            free_busy,
            all_day: false,
        }
    }

    #[test]
    fn free_and_busy_choose_the_profile() {
        let mut settings = SettingValues::default();
        let page = |settings: &SettingValues| {
            let way = ScopeChain {
                organisation: Some(settings),
                ..ScopeChain::default()
            };
            way.resolve(SettingsGroup::Calendar, None)
        };
        let made = |free_busy, settings: &SettingValues| {
            let made = appointment(&occurrence(free_busy), &page(settings))?;
            Some((made.profile.to_string(), made.fallback))
        };
        let busy = Some(("Appointment".to_owned(), Status::Busy));
        assert_eq!(made(FreeBusy::Free, &settings), None);
        assert_eq!(made(FreeBusy::Tentative, &settings), None);
        assert_eq!(made(FreeBusy::Busy, &settings), busy);
        assert_eq!(
            made(FreeBusy::OutOfOffice, &settings),
            Some(("Absent".to_owned(), Status::Absent))
        );
        let body = json!({"tentative": true, "texts": false, "out_of_office": null});
        let body = body.as_object().unwrap().clone();
        runtime::values::merge(SettingsGroup::Calendar, body, &mut settings).unwrap();
        assert_eq!(made(FreeBusy::Tentative, &settings), busy);
        assert_eq!(made(FreeBusy::OutOfOffice, &settings), None);
        let silent = appointment(&occurrence(FreeBusy::Busy), &page(&settings));
        assert_eq!(&*silent.unwrap().text, "");
    }
}
