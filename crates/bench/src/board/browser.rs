//! Chromium, and its measurements of frames.

use std::{net::TcpListener, process::Stdio, time::Duration};

use anyhow::Context;
use runtime::clock::Clock;
use serde_json::Value;
use thirtyfour::{ChromiumLikeCapabilities, Cookie, DesiredCapabilities, WebDriver};
use tokio::process::{Child, Command};

/// Timeout for the start of the driver, and for a change on the screen.
const STEP_TIMEOUT: Duration = Duration::from_secs(20);

/// Window of the browser.
pub(super) struct Browser {
    page: WebDriver,
    driver: Child,
    _profile: tempfile::TempDir,
}

/// Milliseconds since 1970, as a number of JavaScript.
pub(super) fn now() -> f64 {
    Clock::system().now().milliseconds() as f64
}

impl Browser {
    pub(super) async fn open() -> anyhow::Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("chromedriver: apt-get install chromium chromium-driver")?;
        let profile = tempfile::tempdir()?;
        let mut wanted = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--window-size=1280,1000",
        ] {
            wanted.add_arg(argument)?;
        }
        wanted.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        let url = format!("http://127.0.0.1:{port}");
        let opened = async {
            loop {
                match WebDriver::new(&url, wanted.clone()).await {
                    Ok(page) => break page,
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        };
        let page = tokio::time::timeout(STEP_TIMEOUT, opened)
            .await
            .context("chromedriver does not answer")?;
        page.set_script_timeout(STEP_TIMEOUT).await?;
        Ok(Self {
            page,
            driver,
            _profile: profile,
        })
    }

    pub(super) async fn go(&self, url: &str) -> anyhow::Result<()> {
        Ok(self.page.goto(url).await?)
    }

    pub(super) async fn cookie(&self, cookie: &str) -> anyhow::Result<()> {
        let (name, value) = cookie.split_once('=').context("no cookie")?;
        Ok(self.page.add_cookie(Cookie::new(name, value)).await?)
    }

    async fn script(&self, script: &str) -> anyhow::Result<Value> {
        let done = self.page.execute(script, Vec::new()).await?;
        Ok(done.json().clone())
    }

    /// Result of an asynchronous script, which passes it to the function `done`.
    async fn promised(&self, script: &str) -> anyhow::Result<Value> {
        let script = format!("const done = arguments[arguments.length - 1]; {script}");
        let done = self.page.execute_async(script, Vec::new()).await?;
        Ok(done.json().clone())
    }

    /// Milliseconds from the request of a page to its first paint.
    pub(super) async fn first_paint(&self) -> anyhow::Result<f64> {
        let script =
            "const paint = () => performance.getEntriesByName('first-contentful-paint')[0];
            const look = () => paint() ? done(paint().startTime) : setTimeout(look, 5); look();";
        self.promised(script).await?.as_f64().context("no picture")
    }

    /// Milliseconds from the request of the board until it is live.
    pub(super) async fn live(&self) -> anyhow::Result<f64> {
        let script =
            "const is = () => document.getElementById('connection').dataset.state === 'live';
            const look = () => is() ? done(performance.now()) : setTimeout(look, 5); look();";
        self.promised(script).await?.as_f64().context("not live")
    }

    /// Deletes the files that the browser has kept, so that it opens a page as for the first time.
    pub(super) async fn forget_files(&self) -> anyhow::Result<()> {
        let tools = self.page.cdp();
        tools
            .send_raw("Network.clearBrowserCache", serde_json::json!({}))
            .await?;
        Ok(())
    }

    /// Kilobytes of the page and its files as they travelled.
    pub(super) async fn kilobytes(&self) -> anyhow::Result<f64> {
        let script = "const sent = ['navigation', 'resource'].flatMap((kind) => performance.getEntriesByType(kind));
            return sent.reduce((sum, entry) => sum + entry.transferSize, 0) / 1000";
        self.script(script).await?.as_f64().context("no sizes")
    }

    /// How much the content has moved since the page was opened (cumulative layout shift; 0 is not at all).
    pub(super) async fn layout_shift(&self) -> anyhow::Result<f64> {
        let script = "let sum = 0;
            const add = (entries) => { for (const entry of entries) { sum += entry.value; } };
            const observer = new PerformanceObserver((list) => add(list.getEntries()));
            observer.observe({ type: 'layout-shift', buffered: true });
            setTimeout(() => { add(observer.takeRecords()); done(sum); }, 500);";
        self.promised(script).await?.as_f64().context("no shifts")
    }

    /// Milliseconds from the input of this text into the search until its picture: the time of the script, and of the
    /// frame in which the browser shows the result.
    pub(super) async fn keystroke(&self, text: &str) -> anyhow::Result<f64> {
        let script = format!(
            "const field = document.getElementById('filter');
            setTimeout(() => {{
                const begun = performance.now();
                field.value = {};
                field.dispatchEvent(new InputEvent('input', {{ bubbles: true }}));
                requestAnimationFrame(() => {{
                    // The first task after a frame.
                    const {{ port1, port2 }} = new MessageChannel();
                    port1.onmessage = () => done(performance.now() - begun);
                    port2.postMessage(0);
                }});
            }}, Math.random() * 16);",
            serde_json::json!(text)
        );
        self.promised(&script).await?.as_f64().context("no picture")
    }

    /// Starts to observe the status of a person's row. Ages are written when a row comes into view: they are no change.
    pub(super) async fn expect_change(&self, person: u64) -> anyhow::Result<()> {
        let script = format!(
            "window.changedAt = undefined;
            const row = document.querySelector('[data-person=\"{person}\"]');
            row.scrollIntoView({{block: 'center'}});
            const observer = new MutationObserver(() => {{
                observer.disconnect();
                requestAnimationFrame(() => setTimeout(() => {{ window.changedAt = Date.now(); }}));
            }});
            observer.observe(row, {{attributeFilter: ['data-status']}});"
        );
        self.script(&script).await?;
        Ok(())
    }

    /// Time at which the change was on the screen.
    pub(super) async fn changed_at(&self) -> anyhow::Result<f64> {
        let script = "const look = () => window.changedAt ? done(window.changedAt) : setTimeout(look, 2); look();";
        self.promised(script).await?.as_f64().context("no change")
    }

    /// Starts to measure the time between frames.
    pub(super) async fn watch_frames(&self) -> anyhow::Result<()> {
        let script = "window.gaps = []; let last = performance.now();
            const next = (now) => { window.gaps.push(now - last); last = now; requestAnimationFrame(next); };
            requestAnimationFrame((now) => { last = now; requestAnimationFrame(next); });";
        self.script(script).await?;
        Ok(())
    }

    /// Milliseconds between the frames since the start.
    pub(super) async fn gaps(&self) -> anyhow::Result<Vec<f64>> {
        let gaps = self.script("return window.gaps").await?;
        let gaps = gaps.as_array().context("no pictures")?;
        Ok(gaps.iter().filter_map(Value::as_f64).collect())
    }

    pub(super) async fn close(mut self) -> anyhow::Result<()> {
        self.page.quit().await?;
        self.driver.kill().await?;
        Ok(())
    }
}
