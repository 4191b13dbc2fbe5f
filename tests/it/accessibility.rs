//! Pages for everybody, beyond the walks of `web.rs`: the keyboard, errors, and searches.

use end_to_end::{Demo, Walker};
use thirtyfour::error::WebDriverResult;

use crate::web;

#[tokio::test]
async fn error_pages_and_empty_searches_are_for_everybody() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let server = demo.server.signed_in_as("Anna Becker").await;
    let bert = server.person("Bert Lindqvist").await;
    for language in ["en", "de"] {
        let walker = Walker::open(&server, language).await?;
        // Unknown pages, refused ones, and searches that find nobody.
        for path in [
            "/me/none",
            "/people/0",
            "/admin",
            "/admin/keys",
            "/?q=nobody-at-all",
            "/?view=compact&sort=status&status=Busy",
            &format!("/people/{bert}"),
        ] {
            walker.go(path).await?;
            walker
                .is_accessible(&format!("{path} ({language})"))
                .await?;
        }
        walker.browser.close().await?;
    }
    Ok(())
}

#[tokio::test]
async fn tab_reaches_every_control_of_every_page() -> WebDriverResult<()> {
    let demo = Demo::start(&["--still"]).await;
    let anna = demo.server.signed_in_as("Anna Becker").await;
    let ada = demo.server.system_administrator().await;
    let colleague = format!("/people/{}", anna.person("Bert Lindqvist").await);
    let own: Vec<&str> = web::OWN.iter().copied().chain([&*colleague]).collect();
    for (server, paths) in [(&anna, &*own), (&ada, &web::ADMINISTRATION[..])] {
        let walker = Walker::open(server, "en").await?;
        for path in paths {
            walker.go(path).await?;
            walker.is_for_keyboards(path).await?;
        }
        walker.browser.close().await?;
    }
    Ok(())
}
