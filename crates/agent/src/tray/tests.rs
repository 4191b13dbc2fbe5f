//! What the tray shows of which status, and what its entries do.

use agent_protocol::{Profile, Profiles, VisibleState};
use jiff::{civil::date, tz::TimeZone};
use proptest::prelude::*;

use super::*;
use crate::agent::Described;

fn noon() -> Zoned {
    // Not a zone of the machine's: Central Europe's rules, in which the clock goes back on 25 October 2026.
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
        described: Described {
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
            ..Described::default()
        },
        ..Status::default()
    }
}

fn look(status: &Status) -> Look {
    Look::new(status, &Words::in_language("en"), &noon())
}

/// The menu as it is read, with submenus in brackets.
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
fn the_menu_tells_what_is_and_offers_what_can_be_done() {
    let look = look(&connected());
    assert_eq!(look.icon, Icon::Busy);
    assert_eq!(look.title, "Busy – Zoom Meeting");
    assert_eq!(
        read(&look.menu),
        [
            "Busy – Zoom Meeting",
            "-",
            "Zoom Meeting uses the microphone: reported",
            "[Pause: [For an hour][Until tomorrow]]",
            "[Profile: [Automatic][Available][*Lunch (Be right back)]]",
            "-",
            "[Open the board]",
        ]
    );
}

#[test]
fn it_speaks_the_language_of_the_desktop() {
    let mut status = connected();
    status.described.shown.activity = "On the phone".into();
    let look = Look::new(&status, &Words::in_language("de"), &noon());
    assert_eq!(look.title, "Beschäftigt – Im Gespräch");
    let menu = read(&look.menu).concat();
    assert!(
        menu.contains("Lunch (Gleich zurück)") && menu.contains("Übersicht öffnen"),
        "{menu}"
    );
    status.described.shown = VisibleState {
        status: "DoNotDisturb".into(),
        activity: "Do not disturb".into(),
        profile: String::new(),
    };
    let look = Look::new(&status, &Words::in_language("de"), &noon());
    assert_eq!(look.title, "Nicht stören", "not twice");
    // P11
    status.described.shown.activity = "Presenting".into();
    let look = Look::new(&status, &Words::in_language("de"), &noon());
    assert_eq!(look.title, "Nicht stören – Präsentiert");
}

#[test]
fn who_is_not_connected_sees_why_and_no_presence_of_before() {
    let status = Status {
        connected: false,
        trouble: Some("offhook.example cannot be reached: refused".into()),
        ..connected()
    };
    let look = look(&status);
    assert_eq!(look.icon, Icon::Unknown);
    let menu = read(&look.menu);
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
    let menu = read(&look(&status).menu).concat();
    assert!(
        menu.contains("not paired") && !menu.contains("board"),
        "{menu}"
    );
}

#[test]
fn a_pause_says_when_it_ends_and_can_be_ended() {
    let mut status = connected();
    let paused = |status: &Status| read(&look(status).menu)[2..4].to_vec();
    status.described.paused = Some(HOUR);
    let today = "Paused until 13:00: nothing is reported";
    assert_eq!(paused(&status), [today, "[Go on reporting]"]);
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
    assert!(paused(&status)[0].starts_with("Paused"), "no panic");
}

#[test]
fn troubles_are_told() {
    let mut status = connected();
    status.microphone_trouble = Some("there is no sound server".into());
    status.refused = Some("calls would run in a circle".into());
    let menu = read(&look(&status).menu);
    assert!(
        menu[1].contains("Not chosen: calls would run in a circle"),
        "{menu:?}"
    );
    assert!(
        menu[3].contains("not watched: there is no sound server"),
        "{menu:?}"
    );
    status.microphone_trouble = None;
    status.described.rows = 0;
    assert!(read(&look(&status).menu)[3].contains("is off"));
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
        let look = look(&status);
        prop_assert!(look.title.encode_utf16().count() < 128, "longer than Windows takes");
        let mut entries = look.menu;
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
