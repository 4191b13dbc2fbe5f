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
            [group.querySelector('.title').textContent, group.querySelectorAll('.person').length])";
        walker.script(script).await
    };
    assert_eq!(groups().await, json!([["Sales", 5], ["All people", 20]]));
    let farid = server.person("Farid Haddad").await;
    // The page is not loaded again: what it knows stays, and so does the focus.
    walker.script("window.isTheSamePage = true").await;
    walker
        .press(&format!("[data-person='{farid}'] .star"))
        .await;
    let favourite = json!([["Favourites", 1], ["Sales", 5], ["All people", 19]]);
    let is_favourite = async || groups().await == favourite;
    eventually("the favourite's group", SOON, true, is_favourite).await;
    let focused = "return [window.isTheSamePage, document.activeElement.className, document.activeElement.closest('.person').dataset.person]";
    assert_eq!(walker.script(focused).await, json!([true, "star", farid]));
    // The rail counts the favourites and shows them alone, and everybody again at a second press.
    let rail = async || {
        let script = "return Array.from(document.querySelectorAll('#groups a:not([hidden])'), (link) => link.textContent)";
        walker.script(script).await
    };
    let counted = json!(["★ Favourites 1", "Sales 5"]);
    let is_counted = async || rail().await == counted;
    eventually("the rail's favourites", SOON, true, is_counted).await;
    let shown =
        "return [document.querySelectorAll('.person:not([hidden])').length, location.search]";
    walker.press("#groups [data-group='★']").await;
    assert_eq!(walker.script(shown).await, json!([1, "?group=%E2%98%85"]));
    walker.press("#groups [data-group='★']").await;
    assert_eq!(walker.script(shown).await, json!([25, ""]));
    let page = server.page("/?group=%E2%98%85").await;
    assert_eq!(
        page.matches("<div role=\"row\" class=\"person\"").count(),
        25
    );
    assert!(
        page.contains("aria-current=\"true\">★ Favourites <small>1"),
        "{page}"
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
        .press(&format!("[data-person='{farid}'] .star"))
        .await;
    let none = json!([["Sales", 5], ["All people", 20]]);
    let is_none = async || groups().await == none;
    eventually("the old group", SOON, true, is_none).await;
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
        let script = "return document.activeElement.id || document.activeElement.textContent";
        walker.script(script).await
    };
    press("/").await;
    assert_eq!(focused().await, "filter");
    press("er").await;
    let shown = "return Array.from(document.querySelectorAll('.person:not([hidden]) .name'), (name) => name.textContent)";
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
    let found = "return Array.from(document.querySelectorAll('.person:not([hidden]) .name'), (name) => name.textContent)";
    for (search, names) in [
        ("yilmaz", json!(["Elif Yılmaz"])),
        ("MORENO carla", json!(["Carla Moreno"])),
        ("1003", json!(["Carla Moreno"])),
        ("carla@", json!(["Carla Moreno"])),
        ("lyon okafor", json!(["David Okafor"])),
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
        let rows = page.split("class=\"person\"").skip(1);
        let is_shown = |row: &&str| !row.split('>').next().unwrap().contains(" hidden");
        let shown = rows.filter(is_shown).count();
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
            "document.querySelector('[data-person=\"{bert}\"] .name').click()"
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

#[tokio::test]
async fn filters_are_in_the_address_and_new_people_come_in_without_a_reload() -> WebDriverResult<()>
{
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    demo.server.choose("Bert Lindqvist", "Busy").await;
    let walker = Walker::open(&server, "en").await?;
    walker.go("/").await?;
    let shown = async || {
        let script = "return Array.from(document.querySelectorAll('.person:not([hidden]) .name'), (name) => name.textContent)";
        walker.script(script).await
    };
    walker.press("#chips [data-status='Busy']").await;
    assert_eq!(shown().await, json!(["Bert Lindqvist"]));
    let address = "return location.pathname + location.search";
    assert_eq!(walker.script(address).await, "/?status=Busy");
    walker.script("window.isTheSamePage = true").await;
    // Rows come and go as their people change, also a new one's.
    let zoe = json!({"name": "Zoë Quist", "mail": "zoe@contoso.example", "lines": [{"extension": "1099"}]});
    let zoe = demo
        .server
        .ok(Method::POST, "/api/v1/people", Some(zoe))
        .await;
    demo.server.choose("Carla Moreno", "Busy").await;
    let both = json!(["Bert Lindqvist", "Carla Moreno"]);
    let is_shown = async || shown().await == both;
    eventually("Carla's row", SOON, true, is_shown).await;
    walker.press("#chips [data-status='']").await;
    let row = format!("[data-person='{}']", zoe["id"].as_str().unwrap());
    let place = format!("return document.querySelector(\"{row} .place\")?.textContent");
    let is_there = async || walker.script(&place).await == "1099";
    eventually("Zoë's row", SOON, true, is_there).await;
    let renamed = json!({"name": "Aaron Quist"});
    let path = format!("/api/v1/people/{}", zoe["id"].as_str().unwrap());
    demo.server.ok(Method::PATCH, &path, Some(renamed)).await;
    // Sorted in by the new name, before everybody else's of the group.
    let first = "return document.querySelector('.group:last-child .person .name').textContent";
    let is_first = async || walker.script(first).await == "Aaron Quist";
    eventually("the new name", SOON, true, is_first).await;
    demo.server.ok(Method::DELETE, &path, None).await;
    let is_gone = async || walker.script(first).await != "Aaron Quist";
    eventually("the row's end", SOON, true, is_gone).await;
    assert_eq!(walker.script("return window.isTheSamePage").await, true);
    // The server shows the same for the address.
    let page = server.page("/?status=Busy&group=Lyon").await;
    assert!(page.contains("<option selected>Lyon</option>"), "{page}");
    walker.go("/?group=Lyon&view=compact").await?;
    let lyon = shown().await;
    assert!(
        lyon.as_array().unwrap().contains(&json!("David Okafor")),
        "{lyon}"
    );
    assert!(
        !lyon.as_array().unwrap().contains(&json!("Anna Becker")),
        "{lyon}"
    );
    walker.browser.close().await
}

#[tokio::test]
async fn a_row_tells_no_more_than_the_viewer_may_see() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    let (anna, bert) = (
        server.person("Anna Becker").await,
        server.person("Bert Lindqvist").await,
    );
    let row = async |person: &str| {
        let rows = server.page(&format!("/rows?people={person}")).await;
        assert_eq!(rows.matches("class=\"person\"").count(), 1, "{rows}");
        rows
    };
    assert!(row(&bert).await.contains("1002 · Sales, Berlin"));
    // A blocked viewer sees an ordinary Offline: the place as before, no time.
    let relationship = format!("/api/v1/people/{bert}/relationships/{anna}");
    let level = |level: &str| Some(json!({"level": level}));
    demo.server
        .ok(Method::PUT, &relationship, level("Blocked"))
        .await;
    let blocked = row(&bert).await;
    assert!(blocked.contains("data-status=\"Offline\""), "{blocked}");
    assert!(blocked.contains("1002 · Sales, Berlin"), "{blocked}");
    assert!(!blocked.contains("<time"), "{blocked}");
    // An external viewer does not see where a person works.
    demo.server
        .ok(Method::PUT, &relationship, level("External"))
        .await;
    let external = row(&bert).await;
    assert!(!external.contains("Berlin"), "{external}");
    Ok(())
}
