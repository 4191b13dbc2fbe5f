//! A real browser: Debian's Chromium, driven by ChromeDriver.

use std::{process::Stdio, time::Duration};

use thirtyfour::{
    ChromiumLikeCapabilities, DesiredCapabilities, WebDriver, error::WebDriverResult,
};
use tokio::process::{Child, Command};

use crate::free_port;

/// Chromium's arguments to run without a screen and without network requests of its own.
pub const CHROMIUM: [&str; 8] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser window. [`Browser::close`] closes it; dropping it kills the driver.
pub struct Browser {
    /// The window.
    pub page: WebDriver,
    driver: Child,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Opens a window without a screen.
    ///
    /// # Errors
    /// The driver refuses.
    ///
    /// # Panics
    /// Chromium or its driver is not installed.
    pub async fn open() -> WebDriverResult<Self> {
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver is missing: apt-get install chromium chromium-driver");
        let profile = tempfile::tempdir().unwrap();
        let mut wanted = DesiredCapabilities::chrome();
        for argument in CHROMIUM {
            wanted.add_arg(argument)?;
        }
        wanted.add_arg("--window-size=1280,1000")?;
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        let url = format!("http://127.0.0.1:{port}");
        let mut tries = 0;
        let page = loop {
            match WebDriver::new(&url, wanted.clone()).await {
                Ok(page) => break page,
                Err(error) if tries > 100 => return Err(error),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        Ok(Self {
            page,
            driver,
            _profile: profile,
        })
    }

    /// Closes the window and ends the driver.
    ///
    /// # Errors
    /// The driver refuses.
    pub async fn close(mut self) -> WebDriverResult<()> {
        self.page.quit().await?;
        let _ = self.driver.kill().await;
        Ok(())
    }
}
