//! Linux: a StatusNotifierItem on the session's bus, as KDE, Xfce, GNOME with its extension and others show it
//! (<https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/>). It waits for a panel and survives its end.

use std::time::Duration;

use ksni::{
    Handle, MenuItem, OfflineReason, ToolTip, Tray, TrayMethods,
    menu::{CheckmarkItem, StandardItem, SubMenu},
};
use tokio::sync::mpsc::Sender;

use super::{Action, Entry, Look, Looks};

/// Where there is no session's bus, it is looked for again after so long.
const RETRY: Duration = Duration::from_secs(60);
/// What panels draw without scaling.
const SIZES: [u16; 3] = [16, 22, 44];

/// Shows the icon until the agent ends.
pub(super) async fn show(mut looks: Looks, clicked: Sender<Action>) {
    let mut tray: Option<Handle<Item>> = None;
    while let Some(look) = looks.changed().await {
        match &tray {
            Some(tray) if !tray.is_closed() => {
                tray.update(|item| item.look = look).await;
            }
            _ => tray = begin(&look, &clicked, &looks).await,
        }
    }
}

/// Begins to show it, as soon as there is a bus; `None`: the agent ends.
async fn begin(look: &Look, clicked: &Sender<Action>, looks: &Looks) -> Option<Handle<Item>> {
    while !looks.are_over() {
        let item = Item {
            look: look.clone(),
            clicked: clicked.clone(),
        };
        // A panel may come later than the agent, or never.
        match item.assume_sni_available(true).spawn().await {
            Ok(tray) => return Some(tray),
            Err(error) => tracing::debug!(%error, "there is no tray"),
        }
        tokio::time::sleep(RETRY).await;
    }
    None
}

/// What panels ask.
struct Item {
    look: Look,
    clicked: Sender<Action>,
}

impl Tray for Item {
    const MENU_ON_ACTIVATE: bool = true;

    fn id(&self) -> String {
        "offhook-agent".into()
    }

    fn title(&self) -> String {
        "Offhook".into()
    }

    fn icon_pixmap(&self) -> Vec<ksni::Icon> {
        let icons = SIZES.map(|size| {
            let mut data = self.look.icon.rgba(size);
            for point in data.chunks_exact_mut(4) {
                // Opacity stands first.
                point.rotate_right(1);
            }
            ksni::Icon {
                width: size.into(),
                height: size.into(),
                data,
            }
        });
        icons.into()
    }

    fn tool_tip(&self) -> ToolTip {
        ToolTip {
            title: "Offhook".into(),
            description: plain(&self.look.title),
            ..ToolTip::default()
        }
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        self.look.menu.iter().map(item).collect()
    }

    fn watcher_offline(&self, reason: OfflineReason) -> bool {
        tracing::debug!(?reason, "no panel shows the tray icon");
        true
    }
}

impl Item {
    fn click(&mut self, action: Action) {
        let _ = self.clicked.try_send(action);
    }
}

fn item(entry: &Entry) -> MenuItem<Item> {
    match entry {
        Entry::Separator => MenuItem::Separator,
        Entry::Text(text) => StandardItem {
            label: label(text),
            enabled: false,
            ..StandardItem::default()
        }
        .into(),
        Entry::Button(text, action) => {
            let action = action.clone();
            StandardItem {
                label: label(text),
                activate: Box::new(move |item: &mut Item| item.click(action.clone())),
                ..StandardItem::default()
            }
            .into()
        }
        Entry::Choice(text, action, is_chosen) => {
            let action = action.clone();
            CheckmarkItem {
                label: label(text),
                checked: *is_chosen,
                activate: Box::new(move |item: &mut Item| item.click(action.clone())),
                ..CheckmarkItem::default()
            }
            .into()
        }
        Entry::Submenu(text, entries) => SubMenu {
            label: label(text),
            submenu: entries.iter().map(item).collect(),
            ..SubMenu::default()
        }
        .into(),
    }
}

/// Underscores mark keys there.
fn label(text: &str) -> String {
    text.replace('_', "__")
}

/// Panels read HTML there.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
