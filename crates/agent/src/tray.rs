//! The icon in the tray: how the person is shown, what is reported, a pause, a profile, the way to the board. What it looks
//! like follows from the agent's status alone; the systems only draw it.

#[cfg_attr(target_os = "linux", path = "tray/notifier.rs")]
#[cfg_attr(not(target_os = "linux"), path = "tray/windowed.rs")]
mod drawing;
mod icon;

use jiff::{SignedDuration, Unit, Zoned};
use serde::{Deserialize, Serialize};
use tokio::sync::{
    mpsc::{Receiver, Sender, channel},
    oneshot, watch,
};

use self::icon::Icon;
use crate::{
    browser,
    clock::{local_time, milliseconds},
    control::{Asked, Request, Status},
    i18n::Words,
    usage::Milliseconds,
};

/// Clicks that wait to be done; who clicks faster than that clicks again.
const CLICKS: usize = 8;
/// Nobody chooses among more.
const PROFILES_MAX: usize = 40;
/// A longer line is cut, in characters.
const LINE_MAX: usize = 100;
/// Windows shows no more beside the pointer than 127 units of UTF-16, of which a character takes at most two.
const TITLE_MAX: usize = 60;
const HOUR: Milliseconds = 3_600_000;

/// What the tray shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    icon: Icon,
    /// What stands beside the pointer.
    title: String,
    menu: Vec<Entry>,
}

/// An entry of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// Only to be read.
    Text(String),
    Separator,
    /// To be clicked.
    Button(String, Action),
    /// To be clicked; one of several holds.
    Choice(String, Action, bool),
    Submenu(String, Vec<Entry>),
}

/// What a click does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Action {
    PauseForAnHour,
    PauseUntilTomorrow,
    Resume,
    Choose(Option<String>),
    /// The address of a page.
    Open(String),
}

impl Look {
    /// How it looks at this time of day.
    fn new(status: &Status, words: &Words, now: &Zoned) -> Self {
        let is_told = status.connected && !status.described.shown.status.is_empty();
        let shown = shown(status, words);
        let title = cut(shown.clone(), TITLE_MAX);
        let mut menu = vec![Entry::text(shown)];
        menu.extend(status.refused.as_ref().map(|why| {
            let why = words.with("refused", &[("why", why)]);
            Entry::text(why)
        }));
        menu.push(Entry::Separator);
        menu.extend(reported(status, words, now).into_iter().map(Entry::text));
        menu.push(pause(status, words));
        if status.connected {
            menu.extend(profiles(status, words));
        }
        if !status.server.is_empty() {
            menu.push(Entry::Separator);
            let open = Action::Open(status.server.clone());
            menu.push(Entry::Button(words.say("board"), open));
        }
        let icon = match is_told {
            true => Icon::of_status(&status.described.shown.status),
            false => Icon::Unknown,
        };
        Self { icon, title, menu }
    }
}

impl Entry {
    fn text(text: String) -> Self {
        Self::Text(cut(text, LINE_MAX))
    }
}

fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// How the person is shown, or why nobody knows.
fn shown(status: &Status, words: &Words) -> String {
    if let Some(why) = status.trouble.as_ref().filter(|_| !status.connected) {
        return words.with("not-connected", &[("why", why)]);
    }
    let shown = &status.described.shown;
    if shown.status.is_empty() {
        return words.say("shown-unknown");
    }
    let is = named(&shown.status, words);
    let does = activity(&shown.activity, words);
    match does.is_empty() || does == is {
        true => is,
        false => words.with("shown-doing", &[("status", &is), ("activity", &does)]),
    }
}

fn named(status: &str, words: &Words) -> String {
    let known = words.known(&format!("status-{status}"));
    known.unwrap_or_else(|| status.to_owned())
}

/// The server says activities in English; a program's name is the same in every language.
fn activity(label: &str, words: &Words) -> String {
    match label {
        "Ringing" => words.say("activity-Ringing"),
        "On the phone" => words.say("activity-OnThePhone"),
        "On the phone (MS Teams)" => words.say("activity-OnThePhoneTeams"),
        "In a meeting" => words.say("activity-InMeeting"),
        "Presenting" => words.say("activity-Presenting"),
        // The label of Presenting that older servers send.
        "Do not disturb" => words.say("status-DoNotDisturb"),
        other => other.to_owned(),
    }
}

/// What is reported.
fn reported(status: &Status, words: &Words, now: &Zoned) -> Vec<String> {
    let described = &status.described;
    if let Some(left) = described.paused {
        return vec![words.with("paused", &[("time", &until(left, now))])];
    }
    if let Some(why) = &status.microphone_trouble {
        return vec![words.with("microphone-trouble", &[("why", why)])];
    }
    if described.rows == 0 {
        return vec![words.say("nothing-listed")];
    }
    if described.listed.is_empty() {
        return vec![words.say("nothing-used")];
    }
    let lines = described.listed.iter().map(|(program, is_reported)| {
        let is_reported = *is_reported && status.connected;
        let key = match is_reported {
            true => "program-reported",
            false => "program-not-reported",
        };
        words.with(key, &[("program", program)])
    });
    lines.collect()
}

/// When a pause ends: the time of day, and the date if that is another.
fn until(left: Milliseconds, now: &Zoned) -> String {
    let left = SignedDuration::from_millis(i64::try_from(left).unwrap_or(i64::MAX));
    // Milliseconds pass between two looks at the clock: midnight must not become the minute before it.
    let end = now.saturating_add(left);
    let end = end.round(Unit::Minute).unwrap_or(end);
    let is_today = end.date() == now.date();
    let format = if is_today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    end.strftime(format).to_string()
}

fn pause(status: &Status, words: &Words) -> Entry {
    if status.described.paused.is_some() {
        return Entry::Button(words.say("resume"), Action::Resume);
    }
    let lengths = vec![
        Entry::Button(words.say("pause-hour"), Action::PauseForAnHour),
        Entry::Button(words.say("pause-tomorrow"), Action::PauseUntilTomorrow),
    ];
    Entry::Submenu(words.say("pause"), lengths)
}

fn profiles(status: &Status, words: &Words) -> Option<Entry> {
    let profiles = &status.described.profiles;
    if profiles.items.is_empty() {
        return None;
    }
    let choices = profiles.items.iter().take(PROFILES_MAX).map(|profile| {
        let status = named(&profile.status, words);
        let texts = [("name", &*profile.name), ("status", &*status)];
        let name = match profile.name.eq_ignore_ascii_case(&status) {
            true => status,
            false => words.with("profile-item", &texts),
        };
        let is_chosen = profiles.chosen.as_ref() == Some(&profile.name);
        let choose = Action::Choose(Some(profile.name.clone()));
        Entry::Choice(cut(name, LINE_MAX), choose, is_chosen)
    });
    let automatic = Entry::Choice(
        words.say("profile-automatic"),
        Action::Choose(None),
        profiles.chosen.is_none(),
    );
    let menu = std::iter::once(automatic).chain(choices);
    Some(Entry::Submenu(words.say("profile"), menu.collect()))
}

/// For how long a pause until tomorrow lasts: the person's day ends at midnight.
pub fn until_tomorrow(now: &Zoned) -> Milliseconds {
    let tomorrow = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
    let left = tomorrow.map(|tomorrow| now.duration_until(&tomorrow));
    // There is no midnight only where time itself ends.
    let left = left.unwrap_or(SignedDuration::from_hours(24));
    milliseconds(left.unsigned_abs())
}

impl Action {
    fn request(&self, now: &Zoned) -> Option<Request> {
        match self {
            Self::PauseForAnHour => Some(Request::Pause(HOUR)),
            Self::PauseUntilTomorrow => Some(Request::Pause(until_tomorrow(now))),
            Self::Resume => Some(Request::Pause(0)),
            Self::Choose(profile) => Some(Request::Choose(profile.clone())),
            Self::Open(_) => None,
        }
    }
}

/// Does what is clicked, until nobody clicks any more.
async fn act(mut clicks: Receiver<Action>, asked: Sender<Asked>) {
    while let Some(action) = clicks.recv().await {
        if let Action::Open(page) = &action
            && let Err(error) = browser::open(page).await
        {
            tracing::warn!(%error, page, "no browser can be opened");
        }
        if let Some(request) = action.request(&local_time()) {
            // How it is then, the next look tells.
            let _ = asked.send((request, oneshot::channel().0)).await;
        }
    }
}

/// Shows the icon until the agent ends.
pub async fn show(statuses: watch::Receiver<Status>, asked: Sender<Asked>) {
    let (clicked, clicks) = channel(CLICKS);
    tokio::spawn(act(clicks, asked));
    let looks = Looks {
        statuses,
        words: Words::of_this_system(),
        last: Look::default(),
    };
    drawing::show(looks, clicked).await;
}

/// What there is to be drawn, one after the other.
struct Looks {
    statuses: watch::Receiver<Status>,
    words: Words,
    last: Look,
}

impl Looks {
    /// Waits until it looks otherwise; `None`: the agent ends.
    async fn changed(&mut self) -> Option<Look> {
        loop {
            self.statuses.changed().await.ok()?;
            let status = self.statuses.borrow_and_update();
            let look = Look::new(&status, &self.words, &local_time());
            if look != self.last {
                self.last = look.clone();
                return Some(look);
            }
        }
    }

    /// Whether the agent ends.
    #[cfg(target_os = "linux")]
    fn are_over(&self) -> bool {
        self.statuses.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests;
