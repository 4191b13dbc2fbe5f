//! Several tenants: each has its people, by the location that belongs to it; a person who moves leaves nothing behind.

use end_to_end::{Installation, Server, Teamsbox, eventually};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::HEALS;

const FABRIKAM: &str = "/tenants/fabrikam.example";

fn tenants(url: &str) -> String {
    let further = Installation::teams(url)
        .replace("[teams]", "[[tenants]]\nname = \"fabrikam\"")
        .replace("contoso.example", "fabrikam.example");
    let directory = "[tenants.directory]\nentra = true\nlocation = \"Bonn\"\n";
    format!("{}{further}{directory}", Installation::teams(url))
}

async fn add_to_fabrikam(teamsbox: &Teamsbox, name: &str) {
    let body = json!({
        "displayName": name,
        "userPrincipalName": format!("{name}@fabrikam.example"),
        "clients": ["desktop"],
    });
    let path = format!("{FABRIKAM}/users");
    teamsbox.control(Method::POST, &path, Some(body)).await;
}

/// The presence of a user in the other tenant.
async fn fabrikam_shows(teamsbox: &Teamsbox, name: &str) -> String {
    let path = format!("{FABRIKAM}/users/{name}@fabrikam.example");
    let state = teamsbox.control(Method::GET, &path, None).await;
    format!(
        "{}/{}",
        state["availability"].as_str().unwrap(),
        state["activity"].as_str().unwrap()
    )
}

async fn meet(server: &Server, name: &str) {
    let person = server.person(name).await;
    let path = format!("/api/v1/people/{person}/meetings/daily");
    server
        .ok(Method::PUT, &path, Some(json!({"audio": true})))
        .await;
}

async fn stage() -> (Teamsbox, Installation, Server) {
    let teamsbox = Teamsbox::start(0).await;
    let domain = Some(json!({"domain": "fabrikam.example"}));
    teamsbox.control(Method::POST, "/tenants", domain).await;
    teamsbox.add_user("anna").await;
    teamsbox.add_user("eve").await;
    add_to_fabrikam(&teamsbox, "paul").await;
    add_to_fabrikam(&teamsbox, "eve").await;
    let installation = Installation::new(&tenants(teamsbox.url()));
    let csv = "name,mail,UPN,extension\nanna,anna@contoso.example,anna@contoso.example,\n\
               eve,eve@fabrikam.example,eve@contoso.example,\n";
    let file = installation.file("people.csv");
    std::fs::write(&file, csv).unwrap();
    let (code, _, errors) = installation.run("import", &[file.to_str().unwrap()]).await;
    assert_eq!(code, 0, "{errors}");
    let server = installation.serve().await;
    server.set_mode("telephony_and_presence").await;
    (teamsbox, installation, server)
}

#[tokio::test]
async fn each_tenant_has_its_people_and_its_writes() {
    let (teamsbox, installation, server) = stage().await;
    // Imported from the other tenant, into its location.
    let paul = async || {
        let people = server.ok(Method::GET, "/api/v1/people", None).await;
        people.to_string().contains("paul")
    };
    eventually("paul comes from fabrikam", HEALS, true, paul).await;
    let scopes = server.ok(Method::GET, "/api/v1/scopes", None).await;
    let bonn = &scopes["items"].as_array().unwrap()[1];
    assert_eq!(
        (&bonn["id"], &bonn["tenant"]),
        (&json!("bonn"), &json!("fabrikam"))
    );

    meet(&server, "anna").await;
    meet(&server, "paul").await;
    let shown = async || {
        (
            teamsbox.shown("anna").await,
            fabrikam_shows(&teamsbox, "paul").await,
        )
    };
    let busy = "Busy/InACall".to_owned();
    eventually("both are in a call", HEALS, (busy.clone(), busy), shown).await;

    // And back.
    for name in ["anna", "paul"] {
        let person = server.person(name).await;
        let path = format!("/api/v1/people/{person}/meetings/daily");
        server.ok(Method::DELETE, &path, None).await;
    }
    let path = format!("{FABRIKAM}/users/paul@fabrikam.example/manual");
    let choice = json!({"availability": "DoNotDisturb"});
    teamsbox.control(Method::PUT, &path, Some(choice)).await;
    eventually("paul", HEALS, "DoNotDisturb".to_owned(), || {
        server.shown("paul")
    })
    .await;

    let (code, out, errors) = installation.run("doctor", &[]).await;
    assert_eq!(code, 0, "{out}{errors}");
    assert!(out.contains("fabrikam: the presence of"), "{out}");
    let dry = installation
        .run("directory", &["--dry-run", "--tenant", "fabrikam"])
        .await;
    assert!(dry.1.contains("accounts in the directory"), "{dry:?}");
    let refused = installation.run("directory", &["--tenant", "main"]).await;
    assert!(refused.2.contains("fabrikam"), "{refused:?}");
    assert!(server.is_ready().await, "{:?}", server.troubles().await);
}

#[tokio::test]
async fn who_comes_to_another_tenant_is_taken_back_in_the_old_one() {
    let (teamsbox, _installation, server) = stage().await;
    meet(&server, "eve").await;
    eventually("eve is in a call", HEALS, "Busy/InACall".into(), || {
        teamsbox.shown("eve")
    })
    .await;

    let bonn = async || {
        let scopes = server.ok(Method::GET, "/api/v1/scopes", None).await;
        scopes.to_string().contains("bonn")
    };
    eventually("the location of fabrikam", HEALS, true, bonn).await;
    // The import of the other tenant must not have treated eve's account as a new person: her mail address is unique.
    let people = server.ok(Method::GET, "/api/v1/people", None).await;
    assert!(
        !people
            .to_string()
            .contains("eve@fabrikam.example\",\"userPrincipalName\":\"eve@fabrikam"),
        "{people}"
    );
    let eve = server.person("eve").await;
    let place = Some(json!({"location": "bonn", "group": null}));
    let path = format!("/api/v1/people/{eve}/place");
    server.ok(Method::PUT, &path, place).await;
    let shown = async || {
        meet(&server, "eve").await;
        (
            teamsbox.shown("eve").await,
            teamsbox.app_sessions("eve").await,
            fabrikam_shows(&teamsbox, "eve").await,
        )
    };
    let wanted = (
        "Available/Available".to_owned(),
        0,
        "Busy/InACall".to_owned(),
    );
    eventually("eve is in fabrikam", HEALS, wanted, shown).await;
}

#[tokio::test]
async fn a_location_names_only_tenants_that_there_are() {
    let (_teamsbox, _installation, server) = stage().await;
    let ulm = json!({"kind": "location", "name": "Ulm"});
    server.ok(Method::POST, "/api/v1/scopes", Some(ulm)).await;
    let path = "/api/v1/scopes/ulm";
    let unknown = Some(json!({"tenant": "northwind"}));
    let (status, body) = server.api(Method::PATCH, path, unknown).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = body["detail"].as_str().unwrap();
    assert!(
        detail.contains("northwind") && detail.contains("fabrikam"),
        "{detail}"
    );
    let change = json!({"tenant": "fabrikam", "name": "Neu-Ulm"});
    let changed = server.ok(Method::PATCH, path, Some(change)).await;
    assert_eq!(
        (&changed["tenant"], &changed["name"]),
        (&json!("fabrikam"), &json!("Neu-Ulm"))
    );
    let audit: Value = server
        .ok(Method::GET, "/api/v1/audit?what=scope.change", None)
        .await;
    assert!(audit.to_string().contains("fabrikam"), "{audit}");
    let main = Some(json!({"tenant": "main"}));
    server.ok(Method::PATCH, path, main).await;
    // The form of a location sends its empty field.
    let empty = Some(json!({"tenant": "", "name": "Ulm"}));
    let changed = server.ok(Method::PATCH, path, empty).await;
    assert_eq!(
        (&changed["tenant"], &changed["name"]),
        (&Value::Null, &json!("Ulm"))
    );
    let nowhere = Some(json!({"name": "Nowhere"}));
    let (status, _) = server
        .api(Method::PATCH, "/api/v1/scopes/ghent", nowhere)
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
