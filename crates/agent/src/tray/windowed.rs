//! Windows and macOS: the icon belongs to the one thread that may draw, which receives views and sends clicks.

use std::cell::RefCell;

use tokio::sync::mpsc::Sender;
use tray_icon::{
    Icon, TrayIcon, TrayIconBuilder,
    menu::{IsMenuItem, Menu, MenuEvent, MenuItem, PredefinedMenuItem, Submenu},
};

use super::{Action, Entry, TrayView, TrayViews};

/// Size of the icon in pixels; the systems scale it.
const SIZE: u16 = 32;

thread_local! {
    /// Owned by the thread that may draw.
    static TRAY: RefCell<Option<TrayIcon>> = const { RefCell::new(None) };
}

/// Shows the icon until the agent ends.
pub(super) async fn show(mut views: TrayViews, clicked: Sender<Action>) {
    MenuEvent::set_event_handler(Some(move |event: MenuEvent| click(&event, &clicked)));
    #[cfg(windows)]
    let screen = match agent_windows::screen::Screen::start() {
        Ok(screen) => screen,
        Err(error) => {
            tracing::warn!(%error, "no tray icon");
            return;
        }
    };
    while let Some(view) = views.changed().await {
        let work = move || match draw(&view) {
            Ok(()) => tracing::debug!("tray icon drawn"),
            Err(error) => tracing::warn!(%error, "the tray icon could not be drawn"),
        };
        #[cfg(windows)]
        screen.run(work);
        #[cfg(target_os = "macos")]
        agent_macos::screen::run(work);
    }
}

/// The id of an entry is its action.
fn click(event: &MenuEvent, clicked: &Sender<Action>) {
    if let Ok(action) = serde_json::from_str(event.id().as_ref()) {
        let _ = clicked.try_send(action);
    }
}

fn draw(view: &TrayView) -> anyhow::Result<()> {
    let menu = Menu::new();
    append(&view.menu, &mut |item| menu.append(item))?;
    let icon = Icon::from_rgba(view.icon.rgba(SIZE), SIZE.into(), SIZE.into())?;
    TRAY.with_borrow_mut(|tray| {
        if let Some(there) = tray {
            there.set_menu(Some(Box::new(menu.clone())));
            let changed = there.set_icon(Some(icon.clone()));
            if changed
                .and_then(|()| there.set_tooltip(Some(&view.title)))
                .is_ok()
            {
                return Ok(());
            }
            // Without a taskbar, only a new icon appears once there is one.
            *tray = None;
        }
        let new = TrayIconBuilder::new()
            .with_icon(icon)
            .with_tooltip(&view.title)
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
                // Check items would toggle at a click before the choice is confirmed, so the mark is part of the text.
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

/// Escapes ampersands, which mark access keys.
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
    fn a_click_carries_out_its_action() {
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
