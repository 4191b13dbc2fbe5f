//! Independent programs watch people: SIP.js over a WebSocket, PJSIP over TLS.

use std::path::Path;

use end_to_end::{Watching, certify, free_port};

use crate::phones::stage;

/// A self-signed certificate for 127.0.0.1, with its private key in the same file.
fn certificate(folder: &Path) -> std::path::PathBuf {
    let (file, key) = (folder.join("sip.pem"), folder.join("key.pem"));
    certify("IP:127.0.0.1", &file, &key);
    let both = [std::fs::read(&file).unwrap(), std::fs::read(&key).unwrap()].concat();
    std::fs::write(&file, both).unwrap();
    file
}

#[tokio::test]
async fn browsers_and_telephones_with_tls_show_calls_in_teams() {
    let folder = tempfile::tempdir().unwrap();
    let file = certificate(folder.path());
    let (tls, websocket) = (free_port(), free_port());
    let section = format!(
        "tls_listen = \"127.0.0.1:{tls}\"\nwebsocket_listen = \"127.0.0.1:{websocket}\"\n\
         certificate_file = \"{}\"\n\
         [[sip.account]]\nusername = \"1001\"\npassword = \"of a browser\"\n\
         [[sip.account]]\nusername = \"1003\"\npassword = \"of a telephone\"\n",
        file.display()
    );
    let (teamsbox, _installation, _server, _) = stage(&section, "").await;
    let server = format!("wss://127.0.0.1:{websocket}");
    let mut browser = Watching::sip_js(&server, ("1001", "of a browser"), "1002").await;
    let mut telephone = Watching::pjsip(tls, &file, ("1003", "of a telephone"), "1002").await;
    browser.shows("terminated Available").await;
    // A7, A18: with the default algorithms, both clients authenticate, and a phone registers first.
    telephone.shows("registered 200").await;
    telephone.shows("online unknown Available").await;

    teamsbox.call("bert", "audio", "carl").await;
    browser.shows("confirmed On the phone (MS Teams)").await;
    telephone.shows("online busy On the phone (MS Teams)").await;

    teamsbox.end_call("bert").await;
    browser.shows("terminated Available").await;
    telephone.shows("online unknown Available").await;
}
