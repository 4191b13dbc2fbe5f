//! Checks of the pages in the browser: axe-core finds no problem, all texts are in the page's language, and the page
//! fits a desktop screen and a phone's.

use std::{process::Stdio, time::Duration};

use serde_json::{Value, json};
use thirtyfour::{Cookie, error::WebDriverResult};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::{Browser, Server, eventually, repository, watchers::node_packages};

/// An independent OpenID Connect provider. Dropping it ends the provider.
pub struct OpenIdProvider {
    /// The issuer's URL.
    pub issuer: String,
    _child: Child,
    // The pipe must stay open, or the provider ends at its next output.
    _lines: Lines<BufReader<ChildStdout>>,
}

impl OpenIdProvider {
    /// Starts a provider with a client for this redirect address.
    ///
    /// # Panics
    /// The provider cannot be fetched or does not start.
    pub async fn start(redirect: &str) -> Self {
        Self::start_with(redirect, &[]).await
    }

    /// Starts a provider with the standard's defaults: the client secret as Basic authentication, claims at UserInfo
    /// only.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub async fn with_defaults(redirect: &str) -> Self {
        Self::start_with(redirect, &["defaults"]).await
    }

    async fn start_with(redirect: &str, more: &[&str]) -> Self {
        let lab = repository().join("tests/lab/web");
        let folder = node_packages("web-node", &lab.join("package.json")).await;
        Self::run(
            Command::new("node")
                .arg(lab.join("provider.mjs"))
                .arg(folder)
                .arg(redirect)
                .args(more),
        )
        .await
    }

    /// Starts a small provider that plays the folders of the corpus, `plain` first.
    ///
    /// # Panics
    /// The provider does not start.
    pub async fn of_corpus() -> Self {
        let tests = repository().join("tests");
        Self::run(
            Command::new("node")
                .arg(tests.join("lab/web/corpus-provider.mjs"))
                .arg(tests.join("corpus")),
        )
        .await
    }

    /// Switches the small provider to a folder of the corpus.
    ///
    /// # Panics
    /// The provider does not answer.
    pub async fn play(&self, folder: &str) {
        let url = format!("{}/play/{folder}", self.issuer);
        let answer = reqwest::Client::new().post(url).send().await.unwrap();
        answer.error_for_status().unwrap();
    }

    async fn run(command: &mut Command) -> Self {
        let mut child = command
            .env("NODE_NO_WARNINGS", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await;
        let issuer = line.expect("the provider says nothing").unwrap();
        Self {
            issuer: issuer.expect("the provider has ended"),
            _child: child,
            _lines: lines,
        }
    }
}

/// A browser on the pages of a server.
pub struct Walker {
    /// The browser window.
    pub browser: Browser,
    url: String,
    /// The script of axe-core.
    pub(crate) axe: String,
}

impl Walker {
    /// Opens a browser in a language, with the session of `server`.
    ///
    /// # Errors
    /// The driver refuses.
    ///
    /// # Panics
    /// axe-core cannot be fetched.
    pub async fn open(server: &Server, language: &str) -> WebDriverResult<Self> {
        let wanted = repository().join("tests/lab/web/package.json");
        let folder = node_packages("web-node", &wanted).await;
        let axe = std::fs::read_to_string(folder.join("node_modules/axe-core/axe.min.js"));
        let browser = Browser::open().await?;
        let page = &browser.page;
        page.goto(&format!("{}/sign-in", server.url())).await?;
        let (name, value) = server.cookie().split_once('=').unwrap();
        page.add_cookie(Cookie::new(name, value)).await?;
        page.add_cookie(Cookie::new("offhook_language", language))
            .await?;
        Ok(Self {
            browser,
            url: server.url().to_owned(),
            axe: axe.unwrap(),
        })
    }

    /// Opens a browser without a session.
    ///
    /// # Errors
    /// The driver refuses.
    pub async fn stranger(url: &str) -> WebDriverResult<Self> {
        Ok(Self {
            browser: Browser::open().await?,
            url: url.to_owned(),
            axe: String::new(),
        })
    }

    /// Opens a page.
    ///
    /// # Errors
    /// The driver refuses.
    pub async fn go(&self, path: &str) -> WebDriverResult<()> {
        self.browser.page.goto(&format!("{}{path}", self.url)).await
    }

    /// The return value of a script.
    ///
    /// # Panics
    /// The script fails.
    pub async fn script(&self, script: &str) -> Value {
        let done = self.browser.page.execute(script, Vec::new()).await;
        done.unwrap().json().clone()
    }

    /// The text of an element, also of folded parts; empty without an element.
    pub async fn text(&self, selector: &str) -> String {
        let script = format!(
            "const found = document.querySelector({}); return found?.innerText || found?.textContent || ''",
            json!(selector)
        );
        match self.browser.page.execute(script, Vec::new()).await {
            Ok(found) => found.json().as_str().unwrap_or_default().to_owned(),
            Err(_) => String::new(),
        }
    }

    /// Clicks an element, and waits for the next page.
    ///
    /// # Panics
    /// The element is missing, or no page follows.
    pub async fn click(&self, selector: &str) {
        let script = format!(
            "window.isOld = true; const found = document.querySelector({0}); if (!found) throw new Error({0}); found.click()",
            json!(selector)
        );
        self.script(&script).await;
        let come = async || {
            let script = "return window.isOld !== true && document.readyState === 'complete'";
            let done = self.browser.page.execute(script, Vec::new()).await;
            done.is_ok_and(|done| done.json() == &json!(true))
        };
        eventually("the next page", Duration::from_secs(10), true, come).await;
    }

    /// Clicks an element that changes the page in place.
    ///
    /// # Panics
    /// The element is missing.
    pub async fn press(&self, selector: &str) {
        let script = format!(
            "const found = document.querySelector({0}); if (!found) throw new Error({0}); found.focus(); found.click()",
            json!(selector)
        );
        self.script(&script).await;
    }

    /// Types into a field, or selects an option.
    ///
    /// # Panics
    /// The field is missing.
    pub async fn write(&self, selector: &str, value: &str) {
        let script = format!(
            "const field = document.querySelector({0}); if (!field) throw new Error({0}); field.value = {1}",
            json!(selector),
            json!(value)
        );
        self.script(&script).await;
    }

    /// Checks the open page: it was found, no translation is missing, and all that [`Self::is_accessible`] checks.
    ///
    /// # Errors
    /// The driver refuses.
    ///
    /// # Panics
    /// A check fails.
    pub async fn look(&self, path: &str) -> WebDriverResult<()> {
        let status = "return performance.getEntriesByType('navigation')[0].responseStatus";
        assert_eq!(self.script(status).await, 200, "{path}");
        let keys = "return document.body.innerText.match(/\\b(nav|done|setting|page|mode|level|policy|rule|deed|role|kind|\
                    until|origin|forwarding|key|program|status|activity|person|scope)-[a-z_-]+\\b/g)";
        assert_eq!(
            self.script(keys).await,
            Value::Null,
            "{path}: keys instead of words"
        );
        self.is_accessible(path).await
    }
}
