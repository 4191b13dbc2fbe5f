//! Connecting a tenant and a PBX on the pages: the doctor's results at each step, with the current configuration file.

use end_to_end::{Demo, Installation, Teamsbox, free_port};
use reqwest::Method;

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
const CLIENT: &str = "22553876-f5ab-4529-bffb-cfe50aa89f87";

#[tokio::test]
async fn a_tenant_is_connected_step_by_step_and_each_is_examined() {
    let teamsbox = Teamsbox::start(0).await;
    let installation = Installation::new("");
    installation.import(&[("anna", "1001")]).await;
    let server = installation.serve().await;
    let ada = server.system_administrator().await;
    let start = "/admin/tenants/connect";
    let send = async |path: &str, fields: &[(&str, &str)]| {
        let (status, page) = ada.form(path, fields).await;
        (status.as_u16(), page)
    };
    let ids = |client| [("form", "ids"), ("tenant", TENANT), ("client", client)];
    let (status, page) = send(start, &ids("Offhook")).await;
    assert_eq!(status, 422);
    assert!(
        page.contains("is not an ID") && page.contains(TENANT),
        "{page}"
    );
    let (status, page) = send(start, &ids(CLIENT)).await;
    assert!(status == 200 && page.contains("Step 2 of 5"), "{page}");
    let section = format!("client_id = &#34;{CLIENT}&#34;");
    assert!(
        page.contains(&section) && page.contains("[teams]"),
        "{page}"
    );

    let step = |number| format!("{start}?step={number}&tenant={TENANT}&client={CLIENT}");
    let examine = async |number| send(&step(number), &[("form", "doctor")]).await.1;
    let page = examine(2).await;
    assert!(page.contains("This step is not complete"), "{page}");
    assert!(page.contains("no [teams] in the configuration"), "{page}");
    assert!(
        !page.contains("no [[pbx]]"),
        "only what belongs to the step"
    );
    assert!(examine(3).await.contains("complete the previous steps"));
    // The doctor tries the configuration file before the server uses it.
    installation.configure(&Installation::teams(teamsbox.url()));
    for number in [2, 3] {
        let page = examine(number).await;
        assert!(page.contains("This step is complete"), "{number}: {page}");
    }
    let (_, _, page) = ada.with_headers(Method::GET, &step(3), &[], None).await;
    let consent =
        format!("https://login.microsoftonline.com/{TENANT}/adminconsent?client_id={CLIENT}");
    assert!(page.contains(&consent), "{page}");
    // The server has not searched the tenant for accounts; it does after the restart.
    let page = examine(4).await;
    assert!(
        page.contains("1 people") && page.contains("accounts"),
        "{page}"
    );
    let page = examine(5).await;
    assert!(
        page.contains("This step is not complete"),
        "nothing is switched on: {page}"
    );
}

#[tokio::test]
async fn the_doctor_examines_what_the_configuration_says_now() {
    let installation = Installation::new("");
    let server = installation.serve().await;
    let ada = server.system_administrator().await;
    let examine = async |path: &str| {
        let (status, page) = ada.form(path, &[("form", "doctor")]).await;
        assert_eq!(status.as_u16(), 200, "{page}");
        page
    };
    let page = examine("/admin/tenants").await;
    assert!(page.contains("no [teams] in the configuration"), "{page}");
    // The configuration file changes while the server runs: the doctor tries the new configuration, which the server
    // does not use yet.
    let port = free_port();
    installation.configure(&Installation::pbx(port, "tcp", "wrong"));
    let page = examine("/admin/telephony").await;
    assert!(page.contains(&port.to_string()), "{page}");
    assert!(
        page.contains("Warning") && page.contains("take effect after a restart"),
        "{page}"
    );
    assert!(!page.contains("wrong</td>"), "no secret is shown");
    let rows = ada
        .ok(Method::GET, "/api/v1/audit?what=doctor.examine", None)
        .await;
    assert_eq!(rows["items"].as_array().unwrap().len(), 2);
    // The page reports that the demo has nothing to examine.
    let demo = Demo::start(&["--still"]).await;
    let ada = demo.server.system_administrator().await;
    // A further tenant has a section with a name in the file.
    let connect = "/admin/tenants/connect?step=2";
    let (_, _, page) = ada.with_headers(Method::GET, connect, &[], None).await;
    assert!(
        page.contains("[[tenants]]") && !page.contains("[teams]"),
        "{page}"
    );
    let (status, page) = ada.form("/admin/tenants", &[("form", "doctor")]).await;
    assert_eq!(status.as_u16(), 409);
    assert!(page.contains("without a configuration file"), "{page}");
}
