//! The board as a person uses it: order of people, keyboard, details on the card.

use end_to_end::{Demo, Walker, eventually};
use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;

use crate::SOON;

#[tokio::test]
async fn favourites_stand_on_top_and_then_the_workgroups() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    let walker = Walker::open(&server, "en").await?;
    walker.go("/").await?;
    let groups = async || {
        let script = "return Array.from(document.querySelectorAll('.group'), (group) =>
            [group.querySelector('.section')?.textContent, group.querySelectorAll('.person').length])";
        walker.script(script).await
    };
    assert_eq!(groups().await, json!([["Sales", 5], ["All people", 20]]));
    let farid = server.person("Farid Haddad").await;
    walker
        .click(&format!("[data-person='{farid}'] .star"))
        .await;
    assert_eq!(
        groups().await,
        json!([["Favourites", 1], ["Sales", 5], ["All people", 19]])
    );
    let anna = server.person("Anna Becker").await;
    let path = format!("/api/v1/people/{anna}/favourites");
    let kept = server.ok(Method::GET, &path, None).await;
    assert_eq!(kept, json!({"people": [farid]}));
    // Favourites are Anna's: other people neither see nor change them.
    let bert = demo.server.signed_in_as("Bert Lindqvist").await;
    assert_eq!(bert.api(Method::GET, &path, None).await.0.as_u16(), 403);
    assert_eq!(
        bert.api(Method::PUT, &path, Some(kept)).await.0.as_u16(),
        403
    );
    walker
        .click(&format!("[data-person='{farid}'] .star"))
        .await;
    assert_eq!(groups().await, json!([["Sales", 5], ["All people", 20]]));
    walker.browser.close().await
}

#[tokio::test]
async fn the_keyboard_leads_from_the_filter_to_a_person_and_on() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    let walker = Walker::open(&server, "en").await?;
    walker.go("/").await?;
    let press = async |key: &str| {
        let key = match key {
            "down" => thirtyfour::Key::Down + "",
            "up" => thirtyfour::Key::Up + "",
            other => other.to_owned().into(),
        };
        let active = walker.browser.page.active_element().await.unwrap();
        active.send_keys(key).await.unwrap();
    };
    let focused = async || {
        let script =
            "return document.activeElement.getAttribute('aria-label') ?? document.activeElement.id";
        walker.script(script).await
    };
    press("/").await;
    assert_eq!(focused().await, "filter");
    press("er").await;
    let shown = "return Array.from(document.querySelectorAll('.person:not([hidden]) .why'), (why) => why.ariaLabel)";
    let shown = walker.script(shown).await;
    let shown: Vec<&Value> = shown.as_array().unwrap().iter().collect();
    assert!(shown.len() > 1 && shown.len() < 25, "{shown:?}");
    press("down").await;
    assert_eq!(&focused().await, shown[0]);
    press("down").await;
    assert_eq!(&focused().await, shown[1]);
    press("up").await;
    press("up").await;
    assert_eq!(&focused().await, shown[0]);
    walker.browser.close().await
}

#[tokio::test]
async fn the_search_ignores_accents_case_and_the_order_of_words() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let walker = Walker::open(&demo.server.signed_in_as("Anna Becker").await, "en").await?;
    let found = "return Array.from(document.querySelectorAll('.person:not([hidden]) .name'), (name) => name.firstChild.textContent.trim())";
    for (search, names) in [
        ("yilmaz", json!(["Elif Yılmaz"])),
        ("MORENO carla", json!(["Carla Moreno"])),
        ("1003", json!(["Carla Moreno"])),
        ("carla yilmaz", json!([])),
    ] {
        // Of the address, which the server searches for too, and typed.
        walker.go(&format!("/?q={search}")).await?;
        assert_eq!(walker.script(found).await, names, "{search}");
        walker.go("/").await?;
        let typed = format!(
            "const filter = document.getElementById('filter'); filter.value = '{search}'; filter.dispatchEvent(new Event('input')); {found}"
        );
        assert_eq!(walker.script(&typed).await, names, "{search}");
        let page = demo.server.page(&format!("/?q={search}")).await;
        let shown = page.matches("class=\"person\"").count() - page.matches("\" hidden>").count();
        assert_eq!(shown, names.as_array().unwrap().len(), "{search}");
    }
    walker.browser.close().await
}

#[tokio::test]
async fn a_card_tells_the_number_the_day_and_the_rules_in_the_language_of_the_page()
-> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    demo.server.choose("Bert Lindqvist", "Busy").await;
    let bert = server.person("Bert Lindqvist").await;
    let walker = Walker::open(&server, "de").await?;
    walker.go("/").await?;
    walker
        .script(&format!(
            "document.querySelector('[data-person=\"{bert}\"] .why').click()"
        ))
        .await;
    let says = "Von Hand: Busy wurde gewählt";
    let reasons = async || walker.text("#reasons").await.contains(says);
    eventually("the reason", SOON, true, reasons).await;
    let number = "return document.querySelector('#card-links a').href";
    assert_eq!(walker.script(number).await, "tel:1002");
    let drawn = async || {
        let script =
            "return document.querySelectorAll('#card-timeline [data-status=Busy] rect').length > 0";
        walker.script(script).await == json!(true)
    };
    eventually("the timeline", SOON, true, drawn).await;
    walker.browser.close().await
}
