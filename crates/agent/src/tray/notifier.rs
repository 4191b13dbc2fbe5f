//! Linux: a StatusNotifierItem on the session bus, supported by KDE, Xfce, GNOME with an extension and others
//! (<https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/>). Waits for a panel, and for its restart.

use std::time::Duration;

use ksni::{
    Handle, MenuItem, OfflineReason, ToolTip, Tray, TrayMethods,
    menu::{CheckmarkItem, StandardItem, SubMenu},
};
use tokio::sync::mpsc::Sender;

use super::{Action, Entry, TrayView, TrayViews};

/// Interval between attempts to find a session bus.
const RETRY: Duration = Duration::from_secs(60);
/// Sizes that panels draw without scaling.
const SIZES: [u16; 3] = [16, 22, 44];

/// Shows the icon until the agent ends.
pub(super) async fn show(mut views: TrayViews, clicked: Sender<Action>) {
    let mut tray: Option<Handle<Item>> = None;
    while let Some(view) = views.changed().await {
        match &tray {
            Some(tray) if !tray.is_closed() => {
                tray.update(|item| item.view = view).await;
            }
            _ => tray = begin(&view, &clicked, &views).await,
        }
    }
}

/// Registers the icon as soon as there is a bus; `None` when the agent ends.
async fn begin(
    view: &TrayView,
    clicked: &Sender<Action>,
    views: &TrayViews,
) -> Option<Handle<Item>> {
    while !views.are_over() {
        let item = Item {
            view: view.clone(),
            clicked: clicked.clone(),
        };
        // A panel may start later than the agent, or never.
        match item.assume_sni_available(true).spawn().await {
            Ok(tray) => return Some(tray),
            Err(error) => tracing::debug!(%error, "no tray"),
        }
        tokio::time::sleep(RETRY).await;
    }
    None
}

/// Item that panels query.
struct Item {
    view: TrayView,
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
            let mut data = self.view.icon.rgba(size);
            for point in data.chunks_exact_mut(4) {
                // The specification puts opacity first.
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
            description: plain(&self.view.title),
            ..ToolTip::default()
        }
    }

    fn menu(&self) -> Vec<MenuItem<Self>> {
        self.view.menu.iter().map(item).collect()
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

/// Escapes underscores, which mark access keys.
fn label(text: &str) -> String {
    text.replace('_', "__")
}

/// Escapes HTML, which panels interpret.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
