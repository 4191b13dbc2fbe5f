//! The agent's secret in a real keyring, and in a file without a keyring.

use end_to_end::{Agent, Keyring, eventually};
use serde_json::Value;

use crate::{HEALS, SOON, microphone::without_agent};

#[tokio::test]
async fn the_secret_is_in_the_keyring_and_leaves_it_again() {
    let (_installation, server, sound) = without_agent().await;
    let mut keyring = Keyring::start().await;
    let mut agent = Agent::new(&sound);
    agent.has(&keyring);
    let output = agent.pair(&server, server.url(), "anna").await;
    assert!(output.contains("in the system's keyring"), "{output}");
    let name = |agent: &Agent| {
        let kept: Value = serde_json::from_str(&agent.kept()).unwrap();
        assert!(!kept.to_string().contains("oha_"), "{kept}");
        kept["keyring"].as_str().unwrap().to_owned()
    };
    let first = name(&agent);
    assert!(keyring.find(&first).await.starts_with("oha_"));
    agent.restart();
    agent.connected().await;

    // The keyring starts after the agent, as at the start of a session.
    keyring.kill().await;
    agent.kill().await;
    agent.restart();
    let says = async || agent.run(&["status"]).await.1.contains("keyring");
    eventually("it says what is missing", SOON, true, says).await;
    keyring.restart().await;
    let connected = async || agent.status().await["connected"] == true;
    eventually("it finds it", HEALS, true, connected).await;

    // A locked keyring.
    keyring.kill().await;
    keyring.restart_locked().await;
    agent.kill().await;
    agent.restart();
    let says = async || {
        agent
            .run(&["status"])
            .await
            .1
            .contains("is locked; unlock it")
    };
    eventually("it says so", SOON, true, says).await;
    keyring.kill().await;
    keyring.restart().await;

    // Pairing again, and unpairing, delete the former secret.
    agent.pair(&server, server.url(), "anna").await;
    let second = name(&agent);
    assert_eq!(keyring.find(&first).await, "");
    assert!(keyring.find(&second).await.starts_with("oha_"));
    assert_eq!(agent.run(&["unpair"]).await.0, 0);
    assert_eq!(keyring.find(&second).await, "");
    assert_eq!(agent.kept(), "");
}

#[tokio::test]
async fn without_a_keyring_the_secret_is_in_a_file() {
    let (_installation, server, sound) = without_agent().await;
    let agent = Agent::new(&sound);
    let output = agent.pair(&server, server.url(), "anna").await;
    assert!(output.contains("for you only"), "{output}");
    let kept: Value = serde_json::from_str(&agent.kept()).unwrap();
    assert!(kept["token"].as_str().unwrap().starts_with("oha_"));
}
