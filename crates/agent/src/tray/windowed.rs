//! Windows and macOS: the icon belongs to the one thread that may draw; looks go there, clicks come from there.

use std::cell::RefCell;

use tokio::sync::mpsc::Sender;
use tray_icon::{
    Icon, TrayIcon, TrayIconBuilder,
    menu::{IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu},
};

use super::{Action, Entry, Look, Looks};

/// The systems scale it to what they need.
const SIZE: u16 = 32;

thread_local! {
    /// Of the thread that may draw.
    static TRAY: RefCell<Option<TrayIcon>> = const { RefCell::new(None) };
}

/// Shows the icon until the agent ends.
pub(super) async fn show(mut looks: Looks, clicked: Sender<Action>) {
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| click(&event, &clicked)));
    #[cfg(windows)]
    let screen = match agent_windows::screen::Screen::start() {
        Ok(screen) => screen,
        Err(error) => {
            tracing::warn!(%error, "there is no tray icon");
            return;
        }
    };
    while let Some(look) = looks.changed().await {
        let work = move || match draw(&look) {
            Ok(()) => tracing::debug!("the tray icon is drawn"),
            Err(error) => tracing::warn!(%error, "the tray icon cannot be drawn"),
        };
        #[cfg(windows)]
        screen.run(work);
        #[cfg(target_os = "macos")]
        agent_macos::screen::run(work);
    }
}

/// An entry's name is what it does.
fn click(event: &MenuEvent, clicked: &Sender<Action>) {
    if let Ok(action) = serde_json::from_str(event.id().as_ref()) {
        let _ = clicked.try_send(action);
    }
}

fn draw(look: &Look) -> anyhow::Result<()> {
    let menu = Menu::new();
    append(&look.menu, &mut |item| menu.append(item))?;
    let icon = Icon::from_rgba(look.icon.rgba(SIZE), SIZE.into(), SIZE.into())?;
    TRAY.with_borrow_mut(|tray| {
        if let Some(there) = tray {
            there.set_menu(Some(Box::new(menu.clone())));
            let changed = there.set_icon(Some(icon.clone()));
            if changed
                .and_then(|()| there.set_tooltip(Some(&look.title)))
                .is_ok()
            {
                return Ok(());
            }
            // Without a taskbar only a new icon remembers what it is to look like when there is one.
            *tray = None;
        }
        let new = TrayIconBuilder::new()
            .with_icon(icon)
            .with_tooltip(&look.title)
            .with_menu(Box::new(menu));
        *tray = Some(new.build()?);
        Ok(())
    })
}

type Append<'a> = &'a mut dyn FnMut(&dyn IsMenuItem) -> tray_icon::menu::Result<()>;

fn append(entries: &[Entry], to: Append<'_>) -> anyhow::Result<()> {
    for entry in entries {
        match entry {
            Entry::Separator => to(&PredefinedMenuItem::separator())?,
            Entry::Text(text) => to(&MenuItem::new(label(text), false, None))?,
            Entry::Button(text, action) => {
                let name = serde_json::to_string(action)?;
                to(&MenuItem::with_id(name, label(text), true, None))?;
            }
            Entry::Choice(text, action, is_chosen) => {
                let name = serde_json::to_string(action)?;
                // What can be checked there checks itself when it is clicked, whatever comes of it.
                let mark = if *is_chosen { "● " } else { "○ " };
                let text = format!("{mark}{}", label(text));
                to(&MenuItem::with_id(name, text, true, None))?;
            }
            Entry::Submenu(text, entries) => {
                let submenu = Submenu::new(label(text), true);
                append(entries, &mut |item| submenu.append(item))?;
                to(&submenu)?;
            }
        }
    }
    Ok(())
}

/// Ampersands mark keys there.
fn label(text: &str) -> String {
    text.replace('&', "&&")
}

#[cfg(all(test, windows))]
mod tests {
    use tokio::sync::mpsc::channel;
    use tray_icon::menu::{MenuId, MenuItemKind};

    use super::*;

    fn names(items: Vec<MenuItemKind>) -> Vec<MenuId> {
        let name = |item: MenuItemKind| match item {
            MenuItemKind::Submenu(submenu) => names(submenu.items()),
            item => vec![item.id().clone()],
        };
        items.into_iter().flat_map(name).collect()
    }

    #[test]
    fn whatever_is_clicked_is_what_is_done() {
        let actions = [
            Action::Resume,
            Action::Choose(None),
            Action::Choose(Some("Lunch & \"more\"".into())),
        ];
        let [resume, automatic, lunch] = actions.clone();
        let entries = [
            Entry::Text("Busy".into()),
            Entry::Separator,
            Entry::Button("Go on".into(), resume),
            Entry::Submenu(
                "Profile".into(),
                vec![
                    Entry::Choice("Automatic".into(), automatic, true),
                    Entry::Choice("Lunch & \"more\"".into(), lunch, false),
                ],
            ),
        ];
        let menu = Menu::new();
        append(&entries, &mut |item| menu.append(item)).unwrap();
        let (clicked, mut clicks) = channel(actions.len());
        for id in names(menu.items()) {
            click(&MenuEvent { id }, &clicked);
        }
        drop(clicked);
        let done = std::iter::from_fn(|| clicks.try_recv().ok());
        assert_eq!(done.collect::<Vec<_>>(), actions);
    }
}
