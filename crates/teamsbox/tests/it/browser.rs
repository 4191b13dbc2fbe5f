//! The pages in a real browser: Debian's Chromium, driven by its own driver.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::{By, Key, WebElement, error::WebDriverResult};

use crate::support::{ANNA, BEN, Tenant, X};

/// Timeout for a change on the page.
const SOON: Duration = Duration::from_secs(20);

/// A window of the browser that the end-to-end tests use too.
struct Browser(end_to_end::Browser);

impl Browser {
    async fn open() -> WebDriverResult<Self> {
        Ok(Self(end_to_end::Browser::open().await?))
    }

    async fn close(self) -> WebDriverResult<()> {
        self.0.close().await
    }

    async fn find(&self, selector: &str) -> WebElement {
        self.0.page.find(By::Css(selector)).await.unwrap()
    }

    async fn press(&self, id: &str) {
        self.find(&format!("#{id}")).await.click().await.unwrap();
    }

    async fn choose(&self, id: &str, value: &str) {
        self.find(&format!("#{id} option[value='{value}']"))
            .await
            .click()
            .await
            .unwrap();
    }

    /// Waits until an element of this kind has the focus.
    async fn focused(&self, selector: &str) -> WebElement {
        let deadline = tokio::time::Instant::now() + SOON;
        let selector = format!("{selector}:focus");
        loop {
            if let Ok(found) = self.0.page.find(By::Css(selector.as_str())).await {
                return found;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "nothing has the focus as {selector}"
            );
        }
    }

    /// Waits until an element has a text.
    async fn shows(&self, selector: &str, expected: &str) {
        let deadline = tokio::time::Instant::now() + SOON;
        loop {
            let text = match self.0.page.find(By::Css(selector)).await {
                Ok(found) => found.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            if text.contains(expected) {
                return;
            }
            assert!(
                tokio::time::Instant::now() < deadline,
                "{selector} shows {text:?}, not {expected:?}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_acts_on_the_page() -> WebDriverResult<()> {
    let tenant = Tenant::start().await;
    let browser = Browser::open().await?;
    browser.0.page.goto(&tenant.url).await?;
    browser.shows("#person-name", "Anna").await;
    browser.shows("#aggregate", "Offline/Offline").await;
    for (device, button, expected) in [
        ("desktop", "sign-in", "Available/Available"),
        ("desktop", "attend-idle", "AvailableIdle/Inactive"),
        ("mobile", "sign-in", "Available/Available"),
        ("mobile", "attend-locked", "AvailableIdle/Inactive"),
        ("desktop", "attend-locked", "Away/Away"),
        ("web", "sign-in", "Available/Available"),
        ("web", "call-audio", "Busy/InACall"),
        ("web", "share-start", "DoNotDisturb/Presenting"),
        ("web", "share-stop", "Busy/InACall"),
        ("web", "call-end", "Available/Available"),
        ("web", "call-meeting", "Busy/InACall"),
        ("web", "call-end", "Available/Available"),
    ] {
        browser.choose("device", device).await;
        browser.press(button).await;
        browser.shows("#aggregate", expected).await;
    }
    // The page shows a meeting without another side.
    browser.press("call-meeting").await;
    browser.shows("#call-state", "In a meeting").await;
    browser.press("share-start").await;
    browser
        .shows("#call-state", "In a meeting, sharing the screen")
        .await;
    let with_ben = json!({ "kind": "meeting", "with": BEN });
    tenant
        .ok(Method::PUT, &format!("users/{ANNA}/call"), Some(with_ben))
        .await;
    browser.shows("#call-state", "Meeting with Ben").await;
    browser.press("call-end").await;
    browser.shows("#call-state", "No call").await;
    browser.choose("manual", "DoNotDisturb").await;
    browser.press("manual-set").await;
    browser
        .shows("#aggregate", "DoNotDisturb/DoNotDisturb")
        .await;
    browser
        .shows("#preferred", "Do not disturb, ends in 1 d")
        .await;
    browser.press("manual-reset").await;
    browser.press("calendar-add").await;
    browser.shows("#aggregate", "Busy/InAMeeting").await;
    browser.find("#calendar button").await.click().await?;
    browser.shows("#aggregate", "Available/Available").await;
    // Other people's clients follow after two minutes on a desktop, five on the web, ten on a phone.
    browser.press("call-video").await;
    browser.shows("#aggregate", "Busy/InACall").await;
    browser.find("[data-advance=PT1M]").await.click().await?;
    browser.find("[data-advance=PT1M]").await.click().await?;
    browser.shows("#view-desktop", "In a call").await;
    browser.shows("#view-phone", "Offline").await;
    browser.find("[data-advance=PT5M]").await.click().await?;
    browser.shows("#view-web", "In a call").await;
    // Faults affect programs, not the page.
    browser.choose("fault", "Graph answers 503").await;
    browser.press("fault-on").await;
    browser.shows("#fault-state", "503").await;
    let path = format!("users/{ANNA}/presence");
    assert_eq!(
        tenant.graph(X, Method::GET, &path, None).await.status(),
        503
    );
    browser.press("fault-off").await;
    browser.shows("#fault-state", "None").await;
    assert_eq!(tenant.reads(ANNA).await, "Busy/InACall");
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_live_and_works_by_keyboard() -> WebDriverResult<()> {
    let tenant = Tenant::start().await;
    let browser = Browser::open().await?;
    browser.0.page.goto(&tenant.url).await?;
    browser.shows("#person-name", "Anna").await;
    tenant
        .ok(Method::POST, &format!("users/{BEN}/clients"), None)
        .await;
    browser
        .shows(&format!("[data-user='{BEN}'] .words"), "Available")
        .await;
    let list = browser.find("#people button[tabindex='0']").await;
    list.send_keys(Key::Down + Key::Enter).await?;
    let focused = browser.focused("#people button").await;
    focused.send_keys(Key::Enter).await?;
    browser.shows("#person-name", "Ben").await;
    let call = browser.find("#call-audio").await;
    call.focus().await?;
    call.send_keys(Key::Enter).await?;
    browser.shows("#aggregate", "Busy/InACall").await;
    assert_eq!(tenant.reads(BEN).await, "Busy/InACall");
    tenant
        .ok(Method::DELETE, &format!("users/{BEN}"), None)
        .await;
    browser.shows("#count", "1 people").await;
    // Every field and button has a name.
    let unnamed = browser
        .0
        .page
        .execute(
            "return [...document.querySelectorAll('input, select, button')].filter((one) => \
             !(one.labels?.length || one.textContent.trim() || one.getAttribute('aria-label'))).map((one) => one.id)",
            Vec::new(),
        )
        .await?;
    assert_eq!(*unnamed.json(), json!([]));
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_allowed_on_its_page() -> WebDriverResult<()> {
    let tenant = Tenant::start().await;
    let form = [("client_id", X), ("scope", "Presence.Read openid")];
    let url = format!("{}/contoso.example/oauth2/v2.0/devicecode", tenant.url);
    let started: Value = tenant
        .http
        .post(url)
        .form(&form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let browser = Browser::open().await?;
    browser
        .0
        .page
        .goto(started["verification_uri"].as_str().unwrap())
        .await?;
    // The field of the code has the focus without a click: `autofocus` takes effect after the page is loaded.
    let field = browser.focused("input").await;
    field
        .send_keys(started["user_code"].as_str().unwrap().to_owned() + Key::Enter)
        .await?;
    browser.shows("h1", "Allow the sign-in?").await;
    browser.choose("user", "ben@contoso.example").await;
    browser.find("button[value=allow]").await.click().await?;
    browser.shows("h1", "Signed in").await;
    let code = started["device_code"].as_str().unwrap();
    let form = [
        ("grant_type", "device_code"),
        ("client_id", X),
        ("device_code", code),
    ];
    let url = format!("{}/contoso.example/oauth2/v2.0/token", tenant.url);
    let granted = tenant.http.post(url).form(&form).send().await.unwrap();
    assert_eq!(granted.status(), 200);
    browser.close().await
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_back_to_the_application() -> WebDriverResult<()> {
    let tenant = Tenant::start().await;
    let browser = Browser::open().await?;
    // The page of the emulator takes the role of the application.
    let url = format!("{}/contoso.example/oauth2/v2.0/authorize", tenant.url);
    let back = format!("{}/", tenant.url);
    let wanted = [
        ("client_id", X),
        ("response_type", "code"),
        ("redirect_uri", back.as_str()),
        ("scope", "openid"),
        ("state", "s1"),
        ("login_hint", "ben@contoso.example"),
    ];
    let url = reqwest::Url::parse_with_params(&url, wanted).unwrap();
    browser.0.page.goto(url.as_str()).await?;
    browser.shows("h1", "Sign in").await;
    let chosen = browser.find("#user option:checked").await;
    assert_eq!(
        chosen.attr("value").await?.as_deref(),
        Some("ben@contoso.example")
    );
    browser.find("button[value=allow]").await.click().await?;
    browser.shows("h1", "Teamsbox").await;
    let address = browser.0.page.current_url().await?;
    let parameters: std::collections::HashMap<_, _> = address.query_pairs().collect();
    assert!(
        parameters.contains_key("code") && parameters["state"] == "s1",
        "{address}"
    );
    browser.close().await
}
