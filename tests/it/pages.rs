//! The pages in a real browser.

use end_to_end::{Browser, Demo, eventually};
use reqwest::Method;
use serde_json::json;
use thirtyfour::{By, Key, error::WebDriverResult};

use crate::SOON;

/// An attribute of an element; empty while the page is loading.
async fn attribute(browser: &Browser, selector: &str, name: &str) -> String {
    match browser.page.find(By::Css(selector)).await {
        Ok(found) => found.attr(name).await.ok().flatten().unwrap_or_default(),
        Err(_) => String::new(),
    }
}

async fn text(browser: &Browser, selector: &str) -> String {
    match browser.page.find(By::Css(selector)).await {
        Ok(found) => found.text().await.unwrap_or_default(),
        Err(_) => String::new(),
    }
}

#[tokio::test]
async fn the_board_is_live_and_says_why() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let browser = Browser::open().await?;
    let page = &browser.page;
    page.goto(&demo.server.board).await?;
    eventually("live", SOON, "live".into(), || {
        attribute(&browser, "#connection", "data-state")
    })
    .await;
    let person = demo.server.person("Anna Becker").await;
    let row = format!("[data-person=\"{person}\"]");
    assert_eq!(attribute(&browser, &row, "data-status").await, "Available");
    demo.teamsbox
        .call("anna@contoso.example", "video", "bert@contoso.example")
        .await;
    eventually("busy", SOON, "Busy".into(), || {
        attribute(&browser, &row, "data-status")
    })
    .await;
    assert_eq!(
        text(&browser, &format!("{row} .line")).await,
        "On the phone · Teams call"
    );
    demo.teamsbox.share("anna@contoso.example", None).await;
    eventually("presenting", SOON, "DoNotDisturb".into(), || {
        attribute(&browser, &row, "data-status")
    })
    .await;
    assert_eq!(
        text(&browser, &format!("{row} .line")).await,
        "Do not disturb · Presenting"
    );

    page.find(By::Css(format!("{row} .name")))
        .await?
        .click()
        .await?;
    let reasons = async || {
        text(&browser, "#reasons")
            .await
            .contains("Teams: screen shared in Teams")
    };
    eventually("explained", SOON, true, reasons).await;
    page.find(By::Css("#card form button"))
        .await?
        .click()
        .await?;

    let filter = page.find(By::Id("filter")).await?;
    filter.send_keys("becker").await?;
    eventually("filtered", SOON, "1 of 25 people".into(), || {
        text(&browser, "#summary")
    })
    .await;
    filter.send_keys(Key::Escape).await?;

    let day = page.find(By::Id("day")).await?;
    day.click().await?;
    eventually("the day goes on", SOON, "true".into(), || {
        attribute(&browser, "#day", "aria-pressed")
    })
    .await;
    day.click().await?;
    eventually("paused", SOON, "false".into(), || {
        attribute(&browser, "#day", "aria-pressed")
    })
    .await;
    browser.close().await
}

#[tokio::test]
async fn a_card_has_profiles_appointments_and_what_is_locked() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    // In Lyon, where an administrator decides the status of a locked screen.
    let david = demo.server.person("David Okafor").await;
    let path = format!("/api/v1/people/{david}/appointments");
    let review =
        json!({"start": "2026-01-01T10:00:00Z", "end": "2099-01-01T10:00:00Z", "text": "Review"});
    demo.server.ok(Method::POST, &path, Some(review)).await;
    let browser = Browser::open().await?;
    let page = &browser.page;
    page.goto(&demo.server.board).await?;
    let why = format!("[data-person=\"{david}\"] .name");
    page.find(By::Css(why)).await?.click().await?;
    let appointments = async || text(&browser, "#appointments").await.contains("Review");
    eventually("the appointment", SOON, true, appointments).await;
    let automatic = text(&browser, "#automatic").await;
    assert!(
        automatic.contains("When the screen is locked: Absent"),
        "{automatic}"
    );
    assert!(
        text(&browser, "#automatic .locked")
            .await
            .contains("set by the administrator (lyon)")
    );
    let busy = "//ul[@id='profiles']//button[text()='Do not disturb']";
    page.find(By::XPath(busy)).await?.click().await?;
    // A change of another person's presence needs a confirmation.
    let question = page.get_alert_text().await?;
    assert!(question.contains("for David Okafor?"), "{question}");
    page.dismiss_alert().await?;
    page.find(By::XPath(busy)).await?.click().await?;
    page.accept_alert().await?;
    // Read in one script, because the page may rebuild the list at any time.
    let chosen = async || {
        let script =
            "return document.querySelector('#profiles [aria-pressed=true]')?.textContent ?? ''";
        let found = page.execute(script, Vec::new()).await.unwrap();
        found.convert::<String>().unwrap()
    };
    eventually("chosen", SOON, "Do not disturb".into(), chosen).await;
    assert_eq!(demo.server.shown("David Okafor").await, "DoNotDisturb");
    browser.close().await
}

#[tokio::test]
async fn one_acts_as_a_teams_user_on_the_teams_page() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let browser = Browser::open().await?;
    let page = &browser.page;
    page.goto(demo.teamsbox.url()).await?;
    let anna = demo.teamsbox.state("anna@contoso.example").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let row = format!("[data-user=\"{anna}\"]");
    let listed = async || page.find(By::Css(&row)).await.is_ok();
    eventually("listed", SOON, true, listed).await;
    page.find(By::Css(&row)).await?.click().await?;
    let enabled = async || {
        page.find(By::Id("call-audio"))
            .await
            .unwrap()
            .is_enabled()
            .await
            .unwrap()
    };
    eventually("ready to call", SOON, true, enabled).await;
    page.find(By::Id("call-audio")).await?.click().await?;
    eventually("in a call", SOON, "InACall".into(), || {
        attribute(&browser, &row, "data-activity")
    })
    .await;
    let shown = || demo.server.shown("Anna Becker");
    eventually(
        "the board follows",
        SOON,
        "Busy OnThePhone teams".into(),
        shown,
    )
    .await;
    assert!(text(&browser, "#sessions").await.contains("desktop"));
    page.find(By::Id("call-end")).await?.click().await?;
    eventually("ended", SOON, "Available".into(), || {
        demo.server.shown("Anna Becker")
    })
    .await;
    browser.close().await
}

#[tokio::test]
async fn one_signs_in_in_ones_own_language_and_out_everywhere() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let elsewhere = demo.server.signed_in_as("Anna Becker").await;
    let browser = Browser::open().await?;
    let page = &browser.page;
    page.goto(demo.server.url()).await?;
    page.find(By::Css(".languages [value=de]"))
        .await?
        .click()
        .await?;
    let title = async || text(&browser, "main h1").await;
    eventually("the language", SOON, "Anmelden".to_owned(), title).await;
    let sign_in = async |password: &str| -> WebDriverResult<()> {
        let name = page.find(By::Id("name")).await?;
        name.clear().await?;
        name.send_keys("Anna Becker").await?;
        let field = page.find(By::Id("password")).await?;
        field.send_keys(password).await?;
        field.send_keys(Key::Return + "").await
    };
    sign_in("wrong").await?;
    let wrong = async || text(&browser, "#wrong").await.contains("ist falsch");
    eventually("refused", SOON, true, wrong).await;
    assert_eq!(attribute(&browser, "#name", "value").await, "Anna Becker");
    assert_eq!(attribute(&browser, "#password", "value").await, "");
    sign_in("correct horse battery").await?;
    eventually("live", SOON, "live".into(), || {
        attribute(&browser, "#connection", "data-state")
    })
    .await;
    assert_eq!(text(&browser, "#connection").await, "Live");
    demo.teamsbox
        .call("bert@contoso.example", "audio", "anna@contoso.example")
        .await;
    let bert = demo.server.person("Bert Lindqvist").await;
    let row = format!("[data-person=\"{bert}\"]");
    let status = async || {
        text(&browser, &format!("{row} .status"))
            .await
            .contains("Am Telefon")
    };
    eventually("busy", SOON, true, status).await;
    page.find(By::Css("[popovertarget=account-menu]"))
        .await?
        .click()
        .await?;
    page.find(By::Css(".account [name=everywhere]"))
        .await?
        .click()
        .await?;
    let title = async || text(&browser, "main h1").await;
    eventually("signed out", SOON, "Anmelden".to_owned(), title).await;
    let (status, _) = elsewhere.api(Method::GET, "/api/v1/session", None).await;
    assert_eq!(status.as_u16(), 401);
    browser.close().await
}

#[tokio::test]
async fn each_status_has_its_colour_and_do_not_disturb_its_bar() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let browser = Browser::open().await?;
    browser.page.goto(&demo.server.board).await?;
    // Computed by the browser: the colour of each status, and of each named colour.
    let script = r#"
        const row = document.querySelector(".person");
        const status = row.querySelector(".status");
        return ["Available", "BeRightBack", "Busy", "DoNotDisturb", "Absent", "Offline"].map(name => {
            row.dataset.status = name;
            const [red, green, blue] = getComputedStyle(status).color.match(/\d+/g).map(Number);
            const badge = getComputedStyle(row.querySelector(".avatar"), "::after");
            const mark = `${badge.content} ${badge.borderRadius.startsWith("50") ? "round" : "square"}`;
            const grey = Math.max(red, green, blue) - Math.min(red, green, blue) < 40;
            const hue = grey ? "grey" : green > red ? "green" : green > 2 * blue ? "yellow" : "red";
            return `${name} ${hue} ${mark}`;
        });"#;
    let seen = browser.page.execute(script, Vec::new()).await?;
    let seen: Vec<String> = seen.convert()?;
    assert_eq!(
        seen,
        [
            "Available green \"✓\" round",
            "BeRightBack yellow \"◔\" round",
            "Busy red \"\" square",
            "DoNotDisturb red \"–\" round",
            "Absent grey \"◐\" round",
            "Offline grey \"○\" round",
        ]
    );
    browser.close().await
}
