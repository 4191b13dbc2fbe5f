//! Icon in the tray: visible state of the person, reports, pause, profiles, link to the board. Icon and menu follow from
//! the agent's status alone; the modules for the systems only draw them.

#[cfg_attr(target_os = "linux", path = "tray/notifier.rs")]
#[cfg_attr(not(target_os = "linux"), path = "tray/windowed.rs")]
mod drawing;
mod icon;

use i18n::Messages;
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
    control::{PendingRequest, Request, Status},
    texts,
    usage::Milliseconds,
};

/// Maximum number of clicks in the queue; further ones are dropped.
const CLICKS: usize = 8;
/// Maximum number of profiles in the menu.
const PROFILES_MAX: usize = 40;
/// Maximum length of a line in characters.
const LINE_MAX: usize = 100;
/// Maximum length of the tooltip in characters: Windows shows 127 units of UTF-16, at most two per character.
const TITLE_MAX: usize = 60;
const HOUR: Milliseconds = 3_600_000;

/// Icon, tooltip and menu.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrayView {
    icon: Icon,
    /// Tooltip.
    title: String,
    menu: Vec<Entry>,
}

/// Entry of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// Text without an action.
    Text(String),
    Separator,
    /// Label and action.
    Button(String, Action),
    /// Label, action, and true for the selected one of several.
    Choice(String, Action, bool),
    Submenu(String, Vec<Entry>),
}

/// Action of a click.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Action {
    PauseForAnHour,
    PauseUntilTomorrow,
    Resume,
    Choose(Option<String>),
    /// Address of a page to open.
    Open(String),
}

impl TrayView {
    /// Creates the view of a status at this time of day.
    fn new(status: &Status, texts: &Messages, now: &Zoned) -> Self {
        let is_told = status.connected && !status.described.shown.status.is_empty();
        let shown = shown(status, texts);
        let title = cut(shown.clone(), TITLE_MAX);
        let mut menu = vec![Entry::text(shown)];
        menu.extend(status.refused.as_ref().map(|why| {
            let why = texts.with("refused", &[("why", why)]);
            Entry::text(why)
        }));
        menu.push(Entry::Separator);
        menu.extend(reported(status, texts, now).into_iter().map(Entry::text));
        menu.push(pause(status, texts));
        if status.connected {
            menu.extend(profiles(status, texts));
        }
        if !status.server.is_empty() {
            menu.push(Entry::Separator);
            let open = Action::Open(status.server.clone());
            menu.push(Entry::Button(texts.text("board"), open));
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

/// Visible state of the person, or the reason why it is unknown.
fn shown(status: &Status, texts: &Messages) -> String {
    if let Some(why) = status.trouble.as_ref().filter(|_| !status.connected) {
        return texts.with("not-connected", &[("why", why)]);
    }
    let shown = &status.described.shown;
    if shown.status.is_empty() {
        return texts.text("shown-unknown");
    }
    let is = named(&shown.status, texts);
    let does = activity(&shown.activity, texts);
    match does.is_empty() || does == is {
        true => is,
        false => texts.with("shown-doing", &[("status", &is), ("activity", &does)]),
    }
}

fn named(status: &str, texts: &Messages) -> String {
    let known = texts.find(&format!("status-{status}"));
    known.unwrap_or_else(|| status.to_owned())
}

/// Translates an activity of the server, which is in English; names of programs stay as they are.
fn activity(label: &str, texts: &Messages) -> String {
    match label {
        "Ringing" => texts.text("activity-Ringing"),
        "On the phone" => texts.text("activity-OnThePhone"),
        "On the phone (MS Teams)" => texts.text("activity-OnThePhoneTeams"),
        "In a meeting" => texts.text("activity-InMeeting"),
        "Presenting" => texts.text("activity-Presenting"),
        // Older servers send this label for Presenting.
        "Do not disturb" => texts.text("status-DoNotDisturb"),
        other => other.to_owned(),
    }
}

/// Lines about the reports.
fn reported(status: &Status, texts: &Messages, now: &Zoned) -> Vec<String> {
    let described = &status.described;
    if let Some(left) = described.paused {
        return vec![texts.with("paused", &[("time", &until(left, now))])];
    }
    if let Some(why) = &status.microphone_trouble {
        return vec![texts.with("microphone-trouble", &[("why", why)])];
    }
    if described.rows == 0 {
        return vec![texts.text("nothing-listed")];
    }
    if described.listed.is_empty() {
        return vec![texts.text("nothing-used")];
    }
    let lines = described.listed.iter().map(|(program, is_reported)| {
        let is_reported = *is_reported && status.connected;
        let key = match is_reported {
            true => "program-reported",
            false => "program-not-reported",
        };
        texts.with(key, &[("program", program)])
    });
    lines.collect()
}

/// End of a pause: the time of day, and the date unless it is today.
fn until(left: Milliseconds, now: &Zoned) -> String {
    let left = SignedDuration::from_millis(i64::try_from(left).unwrap_or(i64::MAX));
    // Rounded up to a minute, because some milliseconds have passed since midnight was computed.
    let end = now.saturating_add(left);
    let end = end.round(Unit::Minute).unwrap_or(end);
    let is_today = end.date() == now.date();
    let format = if is_today { "%H:%M" } else { "%Y-%m-%d %H:%M" };
    end.strftime(format).to_string()
}

fn pause(status: &Status, texts: &Messages) -> Entry {
    if status.described.paused.is_some() {
        return Entry::Button(texts.text("resume"), Action::Resume);
    }
    let lengths = vec![
        Entry::Button(texts.text("pause-hour"), Action::PauseForAnHour),
        Entry::Button(texts.text("pause-tomorrow"), Action::PauseUntilTomorrow),
    ];
    Entry::Submenu(texts.text("pause"), lengths)
}

fn profiles(status: &Status, texts: &Messages) -> Option<Entry> {
    let profiles = &status.described.profiles;
    if profiles.items.is_empty() {
        return None;
    }
    let choices = profiles.items.iter().take(PROFILES_MAX).map(|profile| {
        let status = named(&profile.status, texts);
        let arguments = [("name", &*profile.name), ("status", &*status)];
        let name = match profile.name.eq_ignore_ascii_case(&status) {
            true => status,
            false => texts.with("profile-item", &arguments),
        };
        let is_chosen = profiles.chosen.as_ref() == Some(&profile.name);
        let choose = Action::Choose(Some(profile.name.clone()));
        Entry::Choice(cut(name, LINE_MAX), choose, is_chosen)
    });
    let automatic = Entry::Choice(
        texts.text("profile-automatic"),
        Action::Choose(None),
        profiles.chosen.is_none(),
    );
    let menu = std::iter::once(automatic).chain(choices);
    Some(Entry::Submenu(texts.text("profile"), menu.collect()))
}

/// Time until midnight, the end of a pause until tomorrow.
pub fn until_tomorrow(now: &Zoned) -> Milliseconds {
    let tomorrow = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
    let left = tomorrow.map(|tomorrow| now.duration_until(&tomorrow));
    // The last day of the calendar has no following midnight.
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

/// Carries out clicks until the tray is closed.
async fn act(mut clicks: Receiver<Action>, requests: Sender<PendingRequest>) {
    while let Some(action) = clicks.recv().await {
        if let Action::Open(page) = &action
            && let Err(error) = browser::open(page).await
        {
            tracing::warn!(%error, page, "the browser could not be opened");
        }
        if let Some(request) = action.request(&local_time()) {
            // The answer is not needed, because the next status shows the effect.
            let _ = requests.send((request, oneshot::channel().0)).await;
        }
    }
}

/// Shows the icon until the agent ends.
pub async fn show(statuses: watch::Receiver<Status>, requests: Sender<PendingRequest>) {
    let (clicked, clicks) = channel(CLICKS);
    tokio::spawn(act(clicks, requests));
    let views = TrayViews {
        statuses,
        texts: texts::of_this_system(),
        last: TrayView::default(),
    };
    drawing::show(views, clicked).await;
}

/// Sequence of views to draw.
struct TrayViews {
    statuses: watch::Receiver<Status>,
    texts: Messages,
    last: TrayView,
}

impl TrayViews {
    /// Waits for a changed view; `None` when the agent ends.
    async fn changed(&mut self) -> Option<TrayView> {
        loop {
            self.statuses.changed().await.ok()?;
            let status = self.statuses.borrow_and_update();
            let view = TrayView::new(&status, &self.texts, &local_time());
            if view != self.last {
                self.last = view.clone();
                return Some(view);
            }
        }
    }

    /// True when the agent ends.
    #[cfg(target_os = "linux")]
    fn are_over(&self) -> bool {
        self.statuses.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests;
