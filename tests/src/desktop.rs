//! A person's desktop: a real Xfce panel on a screen that nobody sees, and a hand that reads and clicks the menu of the one
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

/// How long a panel takes to start on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);
const ITEM: &str = "/StatusNotifierItem";
const MENU: &str = "/MenuBar";

/// The desktop. Dropping it ends all of it.
pub struct Desktop {
    folder: tempfile::TempDir,
    bus: Bus,
    hand: Connection,
    panel: Option<Child>,
    display: String,
    _screen: Child,
}

/// An entry of a menu: its number, its text, whether it is marked, what is below it.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

impl Desktop {
    /// Starts a bus, a screen, and a panel with a tray.
    ///
    /// # Panics
    /// Something is missing.
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
        let mut said = BufReader::new(screen.stdout.take().unwrap()).lines();
        let number = said.next_line().await.unwrap().expect("no screen");
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

    /// Starts the panel, again after [`Self::kill_panel`].
    ///
    /// # Panics
    /// It does not start.
    pub async fn start_panel(&mut self) {
        let panel = apart("xfce4-panel", self.folder.path())
            .arg("--disable-wm-check")
            .env("DISPLAY", &self.display)
            .env("DBUS_SESSION_BUS_ADDRESS", self.bus.address())
            // Without a question at the first start.
            .env("XFCE_PANEL_MIGRATE_DEFAULT", "1")
            .spawn()
            .expect("the panel is missing: apt-get install xfce4-panel");
        self.panel = Some(panel);
        let shows = async || self.watched::<bool>("IsStatusNotifierHostRegistered").await;
        eventually("a tray", START_MAX, Some(true), shows).await;
    }

    /// Ends the panel as a crash would.
    ///
    /// # Panics
    /// It does not run.
    pub async fn kill_panel(&mut self) {
        self.panel.take().unwrap().kill().await.unwrap();
        // Its tray is a process of its own, and ends when it sees that.
        let shows = async || self.watched::<bool>("IsStatusNotifierHostRegistered").await;
        eventually("no tray", START_MAX, None, shows).await;
    }

    /// Where the session's bus is, as programs are told.
    #[must_use]
    pub fn address(&self) -> String {
        self.bus.address()
    }

    /// A folder in which `xdg-open` only remembers what it was to open, and `systemd-run` what it was to run, for the path
    /// of programs.
    ///
    /// # Panics
    /// It cannot be made.
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

    /// What was opened in the browser, a page a line.
    #[must_use]
    pub fn opened(&self) -> String {
        std::fs::read_to_string(self.opened_path()).unwrap_or_default()
    }

    /// What the panel's tray says; nothing while there is none.
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

    /// Who owns the icon in the tray.
    async fn icon_owner(&self) -> Option<String> {
        let items: Vec<String> = self.watched("RegisteredStatusNotifierItems").await?;
        let item = items.first()?;
        Some(item.split('/').next()?.to_owned())
    }

    /// Waits until there is an icon in the tray.
    ///
    /// # Panics
    /// None comes.
    pub async fn icon(&self) {
        let is_there = async || self.icon_owner().await.is_some();
        eventually("an icon in the tray", START_MAX, true, is_there).await;
    }

    /// The colour in the middle of the icon: opacity, red, green, blue.
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

    /// All entries of the menu, those of submenus too: number and text, with a star before what is marked.
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

    /// The menu as it is read, an entry a line.
    pub async fn menu(&self) -> String {
        let entries = self.entries().await.into_iter();
        entries.map(|(_, text)| format!("{text}\n")).collect()
    }

    /// The first line of the menu: how the person is shown.
    pub async fn shown(&self) -> String {
        let menu = self.menu().await;
        menu.lines().next().unwrap_or_default().to_owned()
    }

    /// Clicks the entry with this text.
    ///
    /// # Panics
    /// There is none.
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
