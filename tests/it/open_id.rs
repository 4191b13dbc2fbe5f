//! Sign-in with OpenID Connect, at an independent provider, in a real browser.

use end_to_end::{Installation, OpenIdProvider, Walker, eventually};
use reqwest::{Method, StatusCode};
use serde_json::json;
use thirtyfour::error::WebDriverResult;

use crate::SOON;

fn section(issuer: &str) -> String {
    format!(
        "[open_id_connect]\nname = \"Contoso\"\nissuer = \"{issuer}\"\nclient_id = \"offhook\"\n\
         client_secret = \"a secret of the tests\"\n"
    )
}

/// Signs in on the provider's pages.
async fn sign_in(walker: &Walker, address: &str) -> WebDriverResult<()> {
    walker.go("/sign-in?to=/me").await?;
    walker.click("#open-id").await;
    walker.write("[name=login]", address).await;
    walker.write("[name=password]", "anything").await;
    walker.click("button[type=submit]").await;
    // The provider's consent page.
    let asks = async || walker.text("h1").await;
    eventually("the provider asks", SOON, "Authorize".to_owned(), asks).await;
    walker.click("button[type=submit]").await;
    Ok(())
}

#[tokio::test]
async fn one_signs_in_at_the_organisations_own_provider() -> WebDriverResult<()> {
    let installation = Installation::new("");
    let provider = OpenIdProvider::start(&installation.url("/sign-in/open-id/return")).await;
    installation.configure(&section(&provider.issuer));
    installation
        .import(&[("anna", "1001"), ("unchecked", "1002")])
        .await;
    let server = installation.serve().await;
    let walker = Walker::stranger(server.url()).await?;
    walker.go("/sign-in").await?;
    assert_eq!(walker.text("#open-id").await, "Sign in with Contoso");
    sign_in(&walker, "Anna@contoso.example").await?;
    let title = async || walker.text("main h1").await;
    eventually("one goes on", SOON, "My status".to_owned(), title).await;
    let who = walker.text(".account span").await;
    assert!(
        who.contains("anna@contoso.example") || who.contains("Anna@contoso.example"),
        "{who}"
    );
    let accounts = server.ok(Method::GET, "/api/v1/accounts", None).await;
    let accounts = accounts["items"].as_array().unwrap().clone();
    assert_eq!(accounts.len(), 1);
    assert_eq!(
        (&accounts[0]["role"], &accounts[0]["has_password"]),
        (&"person".into(), &false.into())
    );
    walker.browser.close().await?;

    // Again, in a new browser without a session at the provider: the same account.
    let again = Walker::stranger(server.url()).await?;
    sign_in(&again, "anna@contoso.example").await?;
    let accounts = server.ok(Method::GET, "/api/v1/accounts", None).await;
    assert_eq!(accounts["items"].as_array().unwrap().len(), 1);
    again.browser.close().await?;

    for (address, why) in [
        (
            "zoe@contoso.example",
            "No person or account matches zoe@contoso.example",
        ),
        // A person of this server, but the provider has not verified the address.
        ("unchecked@contoso.example", "has not checked"),
    ] {
        let stranger = Walker::stranger(server.url()).await?;
        sign_in(&stranger, address).await?;
        let wrong = stranger.text("#wrong").await;
        assert!(wrong.contains(why), "{wrong}");
        stranger.browser.close().await?;
    }
    Ok(())
}

/// The provider uses the standard's defaults: Basic authentication, and claims at UserInfo only.
#[tokio::test]
async fn one_signs_in_at_a_provider_with_the_standards_defaults() -> WebDriverResult<()> {
    let installation = Installation::new("");
    let redirect = installation.url("/sign-in/open-id/return");
    let provider = OpenIdProvider::with_defaults(&redirect).await;
    installation.configure(&section(&provider.issuer));
    installation
        .import(&[("anna", "1001"), ("unchecked", "1002")])
        .await;
    let server = installation.serve().await;
    let walker = Walker::stranger(server.url()).await?;
    sign_in(&walker, "anna@contoso.example").await?;
    let title = async || walker.text("main h1").await;
    eventually("one goes on", SOON, "My status".to_owned(), title).await;
    walker.browser.close().await?;
    let stranger = Walker::stranger(server.url()).await?;
    sign_in(&stranger, "unchecked@contoso.example").await?;
    let wrong = stranger.text("#wrong").await;
    assert!(wrong.contains("has not checked"), "{wrong}");
    stranger.browser.close().await
}

/// A location administrator's edit leads no sign-in to a system administrator's account.
#[tokio::test]
async fn an_edit_leads_to_no_sign_in_with_more_rights() -> WebDriverResult<()> {
    let installation = Installation::new("");
    let provider = OpenIdProvider::start(&installation.url("/sign-in/open-id/return")).await;
    installation.configure(&section(&provider.issuer));
    installation
        .import(&[("ada", "1001"), ("lea", "1002")])
        .await;
    let server = installation.serve().await;
    let location = json!({"kind": "location", "name": "Lyon"});
    server
        .ok(Method::POST, "/api/v1/scopes", Some(location))
        .await;
    let (ada, lea) = (server.person("ada").await, server.person("lea").await);
    for (person, role, location) in [
        (&ada, "system_admin", None),
        (&lea, "location_admin", Some("lyon")),
    ] {
        let place = json!({"location": "lyon", "group": null});
        let path = format!("/api/v1/people/{person}/place");
        server.ok(Method::PUT, &path, Some(place)).await;
        let account = json!({"name": role, "role": role, "person": person, "location": location,
            "password": "correct horse battery"});
        server
            .ok(Method::POST, "/api/v1/accounts", Some(account))
            .await;
    }
    let editor = server
        .sign_in("location_admin", "correct horse battery")
        .await;
    for (person, mail) in [(&lea, ""), (&ada, "lea@contoso.example")] {
        let path = format!("/api/v1/people/{person}");
        let both = json!({"mail": mail, "userPrincipalName": mail});
        let (status, problem) = editor.api(Method::PATCH, &path, Some(both)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{problem}");
    }
    let walker = Walker::stranger(server.url()).await?;
    sign_in(&walker, "lea@contoso.example").await?;
    let who = async || walker.text(".account span").await;
    let own = "Signed in as location_admin".to_owned();
    eventually("her own account", SOON, own, who).await;
    walker.browser.close().await
}

#[tokio::test]
async fn an_answer_that_was_not_asked_for_here_lets_nobody_in() {
    let installation = Installation::new("");
    let provider = OpenIdProvider::start(&installation.url("/sign-in/open-id/return")).await;
    installation.configure(&section(&provider.issuer));
    let server = installation.serve().await;
    let nobody = server.with_key("");
    let path = "/sign-in/open-id/return?code=stolen&state=guessed";
    let cookies: [&[(&str, &str)]; 2] = [&[], &[("cookie", "offhook_open_id=guessed")]];
    for headers in cookies {
        let (status, _, page) = nobody.with_headers(Method::GET, path, headers, None).await;
        assert_eq!(status.as_u16(), 401);
        assert!(
            page.contains("Start it again") && page.contains("id=\"wrong\""),
            "{page}"
        );
    }
}

#[tokio::test]
async fn without_its_provider_the_server_goes_on_and_says_what_is_wrong() {
    let port = end_to_end::free_port();
    let installation = Installation::new(&section(&format!("http://127.0.0.1:{port}")));
    let server = installation.serve().await;
    let nobody = server.with_key("");
    let (status, _, page) = nobody
        .with_headers(Method::GET, "/sign-in/open-id", &[], None)
        .await;
    assert_eq!(status.as_u16(), 401);
    assert!(
        page.contains("the provider does not answer as it should"),
        "{page}"
    );
    assert!(server.is_ready().await);
}
