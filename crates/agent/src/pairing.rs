//! Pairing: exchanges a code from the web application for the secret of this device.

use agent_protocol::{PAIR_PATH, PairRequest, PairResponse};
use reqwest::{Client, StatusCode, Url};

use crate::{connection::innermost, problem};

/// Reason why a device was not paired.
#[derive(Debug, thiserror::Error)]
pub enum PairingError {
    /// The text is not the address of a server.
    #[error(
        "{0:?} is not the address of a server; write it as in the browser, for example https://offhook.example"
    )]
    Address(String),
    /// The connection would not be encrypted.
    #[error("the connection to {0} is not encrypted; use https")]
    Unencrypted(String),
    /// The server cannot be reached.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, String),
    /// The server refuses the code.
    #[error("{0} refused the code: {1}")]
    Refused(String, String),
}

/// Normalises the address of a server, without a path.
///
/// # Errors
/// The text is not an address, or the connection would not be encrypted.
pub fn server(address: &str) -> Result<String, PairingError> {
    let wrong = || PairingError::Address(address.to_owned());
    let url = Url::parse(address).map_err(|_| wrong())?;
    let host = url.host_str().ok_or_else(wrong)?;
    let is_local = host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => {}
        "http" if is_local => {}
        "http" => return Err(PairingError::Unencrypted(address.to_owned())),
        _ => return Err(wrong()),
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Exchanges a code for the secret of the device.
///
/// # Errors
/// The server cannot be reached or refuses the code.
pub async fn pair(
    client: &Client,
    server: &str,
    code: &str,
    name: &str,
) -> Result<PairResponse, PairingError> {
    let request_body = PairRequest {
        code: code.to_owned(),
        name: name.to_owned(),
        system: std::env::consts::OS.into(),
    };
    let unreachable =
        |error: reqwest::Error| PairingError::Unreachable(server.to_owned(), innermost(&error));
    let request = client
        .post(format!("{server}{PAIR_PATH}"))
        .json(&request_body);
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    if status == StatusCode::OK {
        return response.json().await.map_err(unreachable);
    }
    let detail = problem::detail(response).await;
    let detail =
        detail.unwrap_or_else(|| format!("it answered {status}; check that it is Offhook"));
    Err(PairingError::Refused(server.to_owned(), detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_sent_over_encrypted_connections_only() {
        assert_eq!(server("https://o.example/").unwrap(), "https://o.example");
        for local in [
            "http://localhost:8200",
            "http://127.0.0.1:8200",
            "http://[::1]:8200",
        ] {
            assert_eq!(server(local).unwrap(), local);
        }
        assert!(matches!(
            server("http://o.example"),
            Err(PairingError::Unencrypted(_))
        ));
        for wrong in ["", "o.example", "ftp://o.example", "https://"] {
            assert!(
                matches!(server(wrong), Err(PairingError::Address(_))),
                "{wrong}"
            );
        }
    }
}
