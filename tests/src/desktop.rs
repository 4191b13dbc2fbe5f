//! A person's desktop: a real Xfce panel on a virtual screen, with functions that read and click the menu of the only
//! icon in its tray.

use std::{collections::HashMap, path::PathBuf, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Child,
};
use zbus::{
    Connection, Proxy,
    zvariant::{OwnedValue, Value},
};

use crate::{bus::Bus, eventually, program::apart};

/// Longest start of a panel on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);
const ITEM: &str = "/StatusNotifierItem";
const MENU: &str = "/MenuBar";

/// The desktop. Dropping it ends all its processes.
pub struct Desktop {
    folder: tempfile::TempDir,
    bus: Bus,
    hand: Connection,
    panel: Option<Child>,
    display: String,
    _screen: Child,
}

/// A menu entry in com.canonical.dbusmenu: id, properties (label, toggle state), children.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl Desktop {
    /// Starts a bus, a screen, and a panel with a tray.
    ///
    /// # Panics
    /// A program is not installed or does not start.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut screen = apart("Xvfb", folder.path())
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1024x600x24",
                "-nolisten",
                "tcp",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .expect("Xvfb is missing: apt-get install xvfb");
        let mut output = BufReader::new(screen.stdout.take().unwrap()).lines();
        let number = output.next_line().await.unwrap().expect("no screen");
        let bus = Bus::with_services().await;
        let hand = bus.connect().await;
        let mut desktop = Self {
            folder,
            bus,
            hand,
            panel: None,
            display: format!(":{}", number.trim()),
            _screen: screen,
        };
        desktop.start_panel().await;
        desktop
    }

    /// Starts the panel; after [`Self::kill_panel`], once more.
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_panel(&mut self) {
        let panel = apart("xfce4-panel", self.folder.path())
            .arg("--disable-wm-check")
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus.address())
            // Suppresses the question of the panel's first start.
            .env("XFCE_PANEL_MIGRATE_DEFAULT", "1")
            .spawn()
            .expect("the panel is missing: apt-get install xfce4-panel");
        self.panel = Some(panel);
        let shows = async || self.watched::<bool>("IsStatusNotifierHostRegistered").await;
        eventually("a tray", START_MAX, Some(true), shows).await;
    }

    /// Kills the panel, like a crash.
    ///
    /// # Panics
    /// It does not run.
    pub async fn kill_panel(&mut self) {
        self.panel.take().unwrap().kill().await.unwrap();
        // The tray is a process of its own, which ends when the panel is gone.
        let shows = async || self.watched::<bool>("IsStatusNotifierHostRegistered").await;
        eventually("no tray", START_MAX, None, shows).await;
    }

    /// Address of the session bus.
    #[must_use]
    pub fn address(&self) -> String {
        self.bus.address()
    }

    /// A folder for `PATH`: its `xdg-open` and `systemd-run` only record their arguments.
    ///
    /// # Panics
    /// The folder cannot be written.
    #[must_use]
    pub fn browser(&self) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let folder = self.folder.path().join("bin");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, page) in [("xdg-open", "$1"), ("systemd-run", "$*")] {
            let program = folder.join(name);
            let opened = self.opened_path().display().to_string();
            let script = format!("#!/bin/sh\necho \"{page}\" >> {opened}\n");
            std::fs::write(&program, script).unwrap();
            std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
        }
        folder
    }

    fn opened_path(&self) -> PathBuf {
        self.folder.path().join("opened")
    }

    /// The pages opened in the browser, one per line.
    #[must_use]
    pub fn opened(&self) -> String {
        std::fs::read_to_string(self.opened_path()).unwrap_or_default()
    }

    /// A property of the panel's StatusNotifierWatcher; `None` without a tray.
    async fn watched<T: TryFrom<OwnedValue>>(&self, property: &str) -> Option<T> {
        let name = "org.kde.StatusNotifierWatcher";
        self.property(name, "/StatusNotifierWatcher", name, property)
            .await
    }

    async fn property<T: TryFrom<OwnedValue>>(
        &self,
        owner: &str,
        path: &str,
        interface: &str,
        property: &str,
    ) -> Option<T> {
        let properties = zbus::fdo::PropertiesProxy::new(&self.hand, owner, path)
            .await
            .ok()?;
        let interface = interface.try_into().unwrap();
        let value = properties.get(interface, property).await.ok()?;
        T::try_from(value).ok()
    }

    /// Bus name of the icon in the tray.
    async fn icon_owner(&self) -> Option<String> {
        let items: Vec<String> = self.watched("RegisteredStatusNotifierItems").await?;
        let item = items.first()?;
        Some(item.split('/').next()?.to_owned())
    }

    /// Waits for an icon in the tray.
    ///
    /// # Panics
    /// No icon appears.
    pub async fn icon(&self) {
        let is_there = async || self.icon_owner().await.is_some();
        eventually("an icon in the tray", START_MAX, true, is_there).await;
    }

    /// The colour in the middle of the icon: alpha, red, green, blue.
    ///
    /// # Panics
    /// There is no icon.
    pub async fn colour(&self) -> [u8; 4] {
        let owner = self.icon_owner().await.unwrap();
        let interface = "org.kde.StatusNotifierItem";
        let property =
            self.property::<Vec<(i32, i32, Vec<u8>)>>(&owner, ITEM, interface, "IconPixmap");
        let pictures = property.await.unwrap();
        let (width, height, data) = pictures.last().unwrap();
        let middle = usize::try_from(4 * (height / 2 * width + width / 2)).unwrap();
        data[middle..middle + 4].try_into().unwrap()
    }

    async fn menu_proxy(&self) -> Option<Proxy<'static>> {
        let owner = self.icon_owner().await?;
        let proxy = Proxy::new(&self.hand, owner, MENU, "com.canonical.dbusmenu").await;
        proxy.ok()
    }

    /// Ids and labels of all menu entries, including submenus; a star precedes the label of a checked entry.
    async fn entries(&self) -> Vec<(i32, String)> {
        let Some(proxy) = self.menu_proxy().await else {
            return Vec::new();
        };
        let everything = (0, -1, Vec::<String>::new());
        let asked = proxy.call::<_, _, (u32, Layout)>("GetLayout", &everything);
        let Ok((_, root)) = asked.await else {
            return Vec::new();
        };
        let mut entries = Vec::new();
        read(root, &mut entries);
        entries
    }

    /// The labels of the menu, one entry per line.
    pub async fn menu(&self) -> String {
        let entries = self.entries().await.into_iter();
        entries.map(|(_, text)| format!("{text}\n")).collect()
    }

    /// The first entry of the menu: the person's presence.
    pub async fn shown(&self) -> String {
        let menu = self.menu().await;
        menu.lines().next().unwrap_or_default().to_owned()
    }

    /// Clicks the entry with this label.
    ///
    /// # Panics
    /// No entry has it.
    pub async fn click(&self, text: &str) {
        let entries = self.entries().await;
        let entry = entries
            .iter()
            .find(|(_, label)| label.trim_start_matches('*') == text);
        let (number, _) = entry.unwrap_or_else(|| panic!("no {text:?} among {entries:?}"));
        let proxy = self.menu_proxy().await.unwrap();
        let clicked = (*number, "clicked", Value::from(0), 0_u32);
        proxy.call::<_, _, ()>("Event", &clicked).await.unwrap();
    }
}

fn read((number, properties, below): Layout, entries: &mut Vec<(i32, String)>) {
    let text = |key: &str| {
        properties
            .get(key)
            .and_then(|value| <&str>::try_from(value).ok())
    };
    let is_marked = properties
        .get("toggle-state")
        .and_then(|state| i32::try_from(state).ok())
        == Some(1);
    if let Some(label) = text("label") {
        let mark = if is_marked { "*" } else { "" };
        entries.push((number, format!("{mark}{}", label.replace("__", "_"))));
    }
    for entry in below {
        if let Ok(entry) = Layout::try_from(entry) {
            read(entry, entries);
        }
    }
}
