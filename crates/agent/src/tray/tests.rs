//! Views of the tray by status, and actions of its entries.

use agent_protocol::{Profile, Profiles, VisibleState};
use jiff::{civil::date, tz::TimeZone};
use proptest::prelude::*;

use super::*;
use crate::{agent::StatusDetails, texts::in_language};

fn noon() -> Zoned {
    // A fixed zone with the rules of Central Europe, where the clock goes back on 25 October 2026.
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    date(2026, 10, 24).at(12, 0, 0, 0).to_zoned(zone).unwrap()
}

fn connected() -> Status {
    let profile = |name: &str, status: &str| Profile {
        name: name.into(),
        status: status.into(),
    };
    Status {
        person: "Anna".into(),
        server: "https://offhook.example".into(),
        connected: true,
        described: StatusDetails {
            rows: 17,
            listed: vec![("Zoom Meeting".into(), true)],
            shown: VisibleState {
                status: "Busy".into(),
                activity: "Zoom Meeting".into(),
                profile: "Available".into(),
            },
            profiles: Profiles {
                items: vec![
                    profile("Available", "Available"),
                    profile("Lunch", "BeRightBack"),
                ],
                chosen: Some("Lunch".into()),
            },
            ..StatusDetails::default()
        },
        ..Status::default()
    }
}

fn view(status: &Status) -> TrayView {
    TrayView::new(status, &in_language("en"), &noon())
}

/// Menu as text, with submenus in brackets.
fn read(menu: &[Entry]) -> Vec<String> {
    let line = |entry: &Entry| match entry {
        Entry::Text(text) => text.clone(),
        Entry::Separator => "-".into(),
        Entry::Button(text, _) | Entry::Choice(text, _, false) => format!("[{text}]"),
        Entry::Choice(text, _, true) => format!("[*{text}]"),
        Entry::Submenu(text, entries) => format!("[{text}: {}]", read(entries).join("")),
    };
    menu.iter().map(line).collect()
}

#[test]
fn the_menu_shows_the_state_and_the_possible_actions() {
    let view = view(&connected());
    assert_eq!(view.icon, Icon::Busy);
    assert_eq!(view.title, "Busy – Zoom Meeting");
    assert_eq!(
        read(&view.menu),
        [
            "Busy – Zoom Meeting",
            "-",
            "Zoom Meeting uses the microphone: reported",
            "[Pause reporting: [For 1 hour][Until tomorrow]]",
            "[Profile: [Automatic][Available][*Lunch (Be right back)]]",
            "-",
            "[Open board]",
        ]
    );
}

#[test]
fn it_speaks_the_language_of_the_desktop() {
    let mut status = connected();
    status.described.shown.activity = "On the phone".into();
    let view = TrayView::new(&status, &in_language("de"), &noon());
    assert_eq!(view.title, "Beschäftigt – Am Telefon");
    let menu = read(&view.menu).concat();
    assert!(
        menu.contains("Lunch (Bin gleich zurück)") && menu.contains("Übersicht öffnen"),
        "{menu}"
    );
    status.described.shown = VisibleState {
        status: "DoNotDisturb".into(),
        activity: "Do not disturb".into(),
        profile: String::new(),
    };
    let view = TrayView::new(&status, &in_language("de"), &noon());
    assert_eq!(view.title, "Bitte nicht stören", "not twice");
    status.described.shown.activity = "Presenting".into();
    let view = TrayView::new(&status, &in_language("de"), &noon());
    assert_eq!(view.title, "Bitte nicht stören – Präsentiert");
}

#[test]
fn without_a_connection_the_reason_is_shown_and_no_old_presence() {
    let status = Status {
        connected: false,
        trouble: Some("offhook.example cannot be reached: refused".into()),
        ..connected()
    };
    let view = view(&status);
    assert_eq!(view.icon, Icon::Unknown);
    let menu = read(&view.menu);
    assert!(menu[0].contains("cannot be reached"), "{menu:?}");
    let menu = menu.concat();
    assert!(menu.contains("not reported"), "{menu}");
    assert!(
        !menu.contains("Busy") && !menu.contains("Profile"),
        "{menu}"
    );
}

#[test]
fn a_computer_that_is_not_paired_has_no_board() {
    let status = Status {
        trouble: Some("this device is not paired".into()),
        ..Status::default()
    };
    let menu = read(&view(&status).menu).concat();
    assert!(
        menu.contains("not paired") && !menu.contains("board"),
        "{menu}"
    );
}

#[test]
fn a_pause_shows_its_end_and_can_be_ended() {
    let mut status = connected();
    let paused = |status: &Status| read(&view(status).menu)[2..4].to_vec();
    status.described.paused = Some(HOUR);
    let today = "Reporting paused until 13:00";
    assert_eq!(paused(&status), [today, "[Resume reporting]"]);
    for left in [12 * HOUR - 2, 12 * HOUR, 12 * HOUR + 2] {
        status.described.paused = Some(left);
        assert!(
            paused(&status)[0].contains("until 2026-10-25 00:00"),
            "not at 23:59"
        );
    }
    status.described.paused = Some(24 * HOUR);
    assert!(
        paused(&status)[0].contains("until 2026-10-25 11:00"),
        "the clock goes back"
    );
    status.described.paused = Some(u64::MAX);
    assert!(
        paused(&status)[0].starts_with("Reporting paused"),
        "no panic"
    );
}

#[test]
fn problems_are_shown() {
    let mut status = connected();
    status.microphone_trouble = Some("there is no sound server".into());
    status.refused = Some("calls would run in a circle".into());
    let menu = read(&view(&status).menu);
    assert!(
        menu[1].contains("Profile not changed: calls would run in a circle"),
        "{menu:?}"
    );
    assert!(
        menu[3].contains("not available: there is no sound server"),
        "{menu:?}"
    );
    status.microphone_trouble = None;
    status.described.rows = 0;
    assert!(read(&view(&status).menu)[3].contains("is off"));
}

#[test]
fn until_tomorrow_ends_at_midnight_also_when_the_clock_goes_back() {
    assert_eq!(until_tomorrow(&noon()), 12 * HOUR);
    let long = noon().tomorrow().unwrap().start_of_day().unwrap();
    assert_eq!(until_tomorrow(&long), 25 * HOUR);
}

#[test]
fn clicks_ask_the_agent() {
    let asks = |action: Action| action.request(&noon());
    assert_eq!(asks(Action::PauseForAnHour), Some(Request::Pause(HOUR)));
    assert_eq!(
        asks(Action::PauseUntilTomorrow),
        Some(Request::Pause(12 * HOUR))
    );
    assert_eq!(asks(Action::Resume), Some(Request::Pause(0)));
    let lunch = Some("Lunch".to_owned());
    assert_eq!(
        asks(Action::Choose(lunch.clone())),
        Some(Request::Choose(lunch))
    );
    assert_eq!(asks(Action::Open("https://o.example".into())), None);
}

proptest! {
    #[test]
    fn whatever_names_there_are_the_menu_stays_short(
        name in ".{0,300}",
        count in 0usize..200,
        paused in proptest::option::of(any::<u64>()),
    ) {
        let mut status = connected();
        status.described.listed = vec![(name.clone(), true); 3];
        status.described.shown.activity = name.clone();
        status.described.paused = paused;
        let profile = Profile { name, status: "Busy".into() };
        status.described.profiles.items = vec![profile; count];
        let view = view(&status);
        prop_assert!(view.title.encode_utf16().count() < 128, "longer than Windows allows");
        let mut entries = view.menu;
        while let Some(entry) = entries.pop() {
            match entry {
                Entry::Text(text) | Entry::Button(text, _) | Entry::Choice(text, _, _) => {
                    prop_assert!(text.chars().count() <= LINE_MAX + 1);
                }
                Entry::Submenu(_, below) => {
                    prop_assert!(below.len() <= PROFILES_MAX + 1);
                    entries.extend(below);
                }
                Entry::Separator => {}
            }
        }
    }
}
