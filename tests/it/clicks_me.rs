//! How many clicks an employee needs, with a real mouse from the page that is kept open, and the own status in the bar.

use std::cell::Cell;

use end_to_end::{Demo, Server, Walker, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::{By, error::WebDriverResult};

use crate::SOON;

/// Clicks as a person does, and counts them.
struct Mouse<'a> {
    walker: &'a Walker,
    clicks: Cell<usize>,
}

impl<'a> Mouse<'a> {
    /// Begins at the list of people.
    async fn at_people(walker: &'a Walker) -> WebDriverResult<Self> {
        walker.go("/").await?;
        Ok(Self {
            walker,
            clicks: Cell::new(0),
        })
    }

    async fn click(&self, selector: &str) -> WebDriverResult<()> {
        let found = self.walker.browser.page.find(By::Css(selector)).await?;
        self.clicks.set(self.clicks.get() + 1);
        found.click().await
    }

    /// Clicks a link or a button after which another page is there.
    async fn click_to(&self, selector: &str, come: &str) -> WebDriverResult<()> {
        self.click(selector).await?;
        let here = async || !self.walker.text(come).await.is_empty();
        eventually(come, SOON, true, here).await;
        Ok(())
    }
}

/// What the API tells of Anna's choice.
async fn choice(server: &Server, anna: &str) -> (Value, Value) {
    let path = format!("/api/v1/people/{anna}/profile");
    let choice = server.ok(Method::GET, &path, None).await;
    (choice["profile"].clone(), choice["until"].clone())
}

#[tokio::test]
async fn the_own_status_is_set_in_the_bar_and_live_in_every_tab() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    let anna = &server.person("Anna Becker").await;
    let walker = Walker::open(&server, "en").await?;
    let mouse = Mouse::at_people(&walker).await?;

    mouse.click(".account-button").await?;
    mouse.click("#own-choose [name=time]").await?;
    walker
        .script("const time = document.querySelector('#own-choose [name=time]'); time.value = '15:00'; time.dispatchEvent(new Event('input', { bubbles: true }))")
        .await;
    mouse
        .click("#own-choose [name=profile][value='Do not disturb']")
        .await?;
    let shown = async || walker.text(".account-button .label strong").await;
    eventually(
        "the choice in the bar",
        SOON,
        "Do not disturb".into(),
        shown,
    )
    .await;
    assert!(mouse.clicks.get() <= 3, "{}", mouse.clicks.get());
    let (profile, until) = choice(&server, anna).await;
    assert_eq!(profile, "Do not disturb");
    // The end is a full hour of the browser's zone, and shown.
    let at = "return new Date(arguments[0] ?? document.querySelector('.account-button time').dateTime).getHours()";
    assert_eq!(walker.script(at).await, 15);
    assert_eq!(
        walker
            .script("return document.querySelector('.account-button time').dateTime")
            .await,
        until
    );
    let tab =
        "return [document.title, new URL(document.querySelector('link[rel=icon]').href).pathname]";
    let disturbed = json!(["(Do not disturb) Offhook", "/icon/DoNotDisturb.svg"]);
    assert_eq!(walker.script(tab).await, disturbed);

    // Another page that stays open, without the board's script: Anna changes her status elsewhere.
    walker.go("/me").await?;
    walker.script("window.isTheSamePage = true").await;
    let path = format!("/api/v1/people/{anna}/profile");
    let busy = json!({"profile": "Busy", "until": null});
    server.ok(Method::PUT, &path, Some(busy)).await;
    eventually("the bar", SOON, "Busy".into(), shown).await;
    let page = async || {
        walker
            .script("return [window.isTheSamePage, document.title, document.querySelector('main dl dd').textContent.trim(), document.querySelector('#choose [aria-pressed=true]')?.value]")
            .await
    };
    let live = json!([true, "(Busy) My status – Offhook", "Busy", "Busy"]);
    eventually("the page", SOON, live, page).await;

    let mouse = Mouse::at_people(&walker).await?;
    mouse.click(".account-button").await?;
    mouse.click("#own-automatic button").await?;
    let chosen = async || choice(&server, anna).await.0;
    eventually("automatic", SOON, Value::Null, chosen).await;
    assert!(mouse.clicks.get() <= 2, "{}", mouse.clicks.get());
    let gone = async || walker.text("#own-automatic").await.is_empty();
    eventually("no more to go back from", SOON, true, gone).await;

    // Without a connection, the menu says so and keeps what was entered.
    walker
        .script("window.fetch = () => Promise.reject(new TypeError()); document.querySelector('#own-choose [name=for][value=\"30\"]').checked = true; document.querySelector('#own-choose [name=profile]').click()")
        .await;
    let problem = async || walker.text("#own-problem").await.starts_with("Not saved");
    eventually("the problem", SOON, true, problem).await;
    let kept = "return document.querySelector('#own-choose [name=for]:checked').value";
    assert_eq!(walker.script(kept).await, "30");
    walker.browser.close().await
}

#[tokio::test]
async fn what_employees_do_often_takes_few_clicks() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    let anna = &server.person("Anna Becker").await;
    let of_anna = |rest: &str| format!("/api/v1/people/{anna}/{rest}");
    let walker = Walker::open(&server, "en").await?;

    // Voicemail during Teams calls.
    let mouse = Mouse::at_people(&walker).await?;
    mouse
        .click_to(".rail a[href='/me/profiles']", "#teams-calls")
        .await?;
    let voicemail = "#teams-calls [value=voicemail]";
    mouse.click_to(voicemail, "#done").await?;
    assert!(mouse.clicks.get() <= 4, "{}", mouse.clicks.get());
    let profiles = server.ok(Method::GET, &of_anna("profiles"), None).await;
    let own = profiles["items"].as_array().unwrap().iter();
    let own: Vec<&Value> = own
        .filter(|profile| profile["origin"] == "personal")
        .collect();
    let forwarding = json!({"kind": "all", "target": "voicemail"});
    assert_eq!(own.len(), 1, "{profiles}");
    assert_eq!(
        (&own[0]["name"], &own[0]["forwarding"]),
        (&json!("MS Teams"), &forwarding)
    );
    mouse.click_to("#teams-calls [value=ring]", "#done").await?;
    let pressed = "return document.querySelector('#teams-calls [aria-pressed=true]').value";
    let ring = async || walker.script(pressed).await;
    eventually("calls ring", SOON, json!("ring"), ring).await;

    // An appointment, whose subject is typed and whose times are suggested.
    let mouse = Mouse::at_people(&walker).await?;
    mouse
        .click_to(".rail a[href='/me/appointments']", "#add")
        .await?;
    walker.write("#add-text", "Dentist").await;
    mouse.click_to("#add .submit button", "#done").await?;
    assert!(mouse.clicks.get() <= 3, "{}", mouse.clicks.get());
    let kept = server.ok(Method::GET, &of_anna("appointments"), None).await;
    assert_eq!(kept["items"][0]["text"], "Dentist", "{kept}");

    // Hidden from a colleague.
    let mouse = Mouse::at_people(&walker).await?;
    mouse
        .click_to(".rail a[href='/me/sharing']", "#hide")
        .await?;
    walker.write("#hide-viewer", "Carla").await;
    mouse.click_to("#hide .submit button", "#done").await?;
    assert!(mouse.clicks.get() <= 4, "{}", mouse.clicks.get());
    let carla = server.person("Carla Moreno").await;
    let hidden = server
        .ok(Method::GET, &of_anna("relationships"), None)
        .await;
    assert_eq!(hidden["items"][0]["viewer"], json!(carla));
    assert_eq!(hidden["items"][0]["level"], "Blocked");
    // The preview tells what Carla and Bert see of Anna, who is busy with something private.
    let profile = json!({"profile": "Busy", "until": null});
    server
        .ok(Method::PUT, &of_anna("profile"), Some(profile))
        .await;
    for (name, status, reasons) in [("Carla", "Offline", 0), ("Bert", "Busy", 1)] {
        walker.go(&format!("/me/sharing?q={name}")).await?;
        assert_eq!(walker.text("main dl dd").await, status, "{name}");
        let rows = "return document.querySelectorAll('#reasons tbody tr').length";
        let rows = walker.script(rows).await.as_u64().unwrap();
        assert!(rows.min(1) == reasons, "{name}: {rows}");
    }

    // A computer, paired by the code that the page then shows.
    let mouse = Mouse::at_people(&walker).await?;
    mouse
        .click_to(".rail a[href='/me/devices']", "#pair")
        .await?;
    mouse.click_to("#pair button", "main dl code").await?;
    assert!(mouse.clicks.get() <= 3, "{}", mouse.clicks.get());
    walker.browser.close().await
}
