//! Kinds of OpenID Connect providers: a small provider plays those folders of the corpus (tests/corpus) that depend on
//! the whole program. The unit tests play all folders.

use end_to_end::{Installation, OpenIdProvider, Server};
use reqwest::{Client, StatusCode, Url, header, redirect::Policy};

/// The page after a sign-in; `Err`: the page of a refusal.
async fn sign_in(server: &Server) -> Result<String, String> {
    let browser = Client::builder().redirect(Policy::none()).build().unwrap();
    let begin = format!("{}/sign-in/open-id?to=/me", server.url());
    let begun = browser.get(begin).send().await.unwrap();
    if begun.status() == StatusCode::UNAUTHORIZED {
        return Err(begun.text().await.unwrap());
    }
    let header = |response: &reqwest::Response, name| {
        let value = response.headers().get(name).unwrap();
        value.to_str().unwrap().to_owned()
    };
    let cookie = header(&begun, header::SET_COOKIE);
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let at_provider = header(&begun, header::LOCATION);
    let back = browser.get(at_provider).send().await.unwrap();
    let mut url: Url = header(&back, header::LOCATION).parse().unwrap();
    // The public host name may differ from the listening address.
    let own: Url = server.url().parse().unwrap();
    url.set_port(own.port()).unwrap();
    let request = browser.get(url).header(header::COOKIE, cookie);
    let returned = request.send().await.unwrap();
    match returned.status() {
        StatusCode::SEE_OTHER => Ok(header(&returned, header::LOCATION)),
        _ => Err(returned.text().await.unwrap()),
    }
}

async fn installed(provider: &OpenIdProvider) -> (Installation, Server) {
    let installation = Installation::new("");
    installation.configure(&format!(
        "[open_id_connect]\nissuer = \"{}\"\nclient_id = \"offhook\"\nclient_secret = \"GOCSPX-p_~.*+ /&=%:ü\"\n",
        provider.issuer
    ));
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    (installation, server)
}

/// In one running server, so that the provider's keys change while the server runs.
#[tokio::test]
async fn conformant_providers_let_their_people_in_and_others_do_not() {
    let provider = OpenIdProvider::of_corpus().await;
    let (_installation, server) = installed(&provider).await;
    for (folder, refused) in [
        ("plain", None),
        ("authentication-not-listed-and-only-post", None),
        ("userinfo-has-the-address", None),
        ("userinfo-signed", None),
        ("email-verified-text-true", None),
        ("exp-with-a-fraction", None),
        ("dates-as-text", None),
        ("token-type-in-upper-case", None),
        ("keys-of-one-id-for-encryption", None),
        ("keys-rotated", None),
        ("keys-rotated-under-one-id", None),
        ("keys-of-every-type", None),
        ("keys-of-tomorrow", None),
        ("audience-array-with-azp", None),
        ("nbf-in-the-future", Some("does not hold yet: nbf is in")),
        ("userinfo-of-another-sub", Some("another account")),
        ("email-verified-text-false", Some("has not checked")),
        ("algorithm-none", Some("RS256")),
        ("algorithm-hs256-with-the-public-key", Some("RS256")),
        ("audience-of-another", Some("another application")),
        // A conformant provider again.
        ("plain", None),
    ] {
        provider.play(folder).await;
        match (sign_in(&server).await, refused) {
            (Ok(page), None) => assert_eq!(page, "/me", "{folder}"),
            (Err(page), Some(words)) => assert!(page.contains(words), "{folder}: {page}"),
            (found, _) => panic!("{folder}: {found:?}"),
        }
    }
}

/// The discovery document, which the server reads once, names the client's authentication methods.
#[tokio::test]
async fn a_provider_says_how_clients_authenticate() {
    for (folder, refused) in [
        ("authentication-basic-only", None),
        ("authentication-post-only", None),
        (
            "authentication-private-key-jwt-only",
            Some("private_key_jwt"),
        ),
        ("authentication-none-only", Some("client_secret_basic or")),
    ] {
        let provider = OpenIdProvider::of_corpus().await;
        provider.play(folder).await;
        let (_installation, server) = installed(&provider).await;
        match (sign_in(&server).await, refused) {
            (Ok(page), None) => assert_eq!(page, "/me", "{folder}"),
            (Err(page), Some(words)) => assert!(page.contains(words), "{folder}: {page}"),
            (found, _) => panic!("{folder}: {found:?}"),
        }
    }
}
