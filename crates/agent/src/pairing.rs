//! Pairing: a short code from the web application is exchanged for this device's secret.

use agent_protocol::{PAIR_PATH, PairRequest, PairResponse};
use reqwest::{Client, StatusCode, Url};

use crate::{connection::innermost, problem};

/// Why a device was not paired.
#[derive(Debug, thiserror::Error)]
pub enum PairingError {
    /// No address of a server.
    #[error(
        "{0:?} is no address of a server; write it as in the browser, for example https://offhook.example"
    )]
    Address(String),
    /// What is said there could be heard on the way.
    #[error("{0} is not encrypted, and is not on this machine; use https")]
    Unencrypted(String),
    /// It cannot be reached.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, String),
    /// The server refuses.
    #[error("{0} refuses: {1}")]
    Refused(String, String),
}

/// The address of a server, without a path.
///
/// # Errors
/// It is none, or secrets would go there in the clear.
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

/// Exchanges a code for the device's secret.
///
/// # Errors
/// The server cannot be reached, or refuses.
pub async fn pair(
    client: &Client,
    server: &str,
    code: &str,
    name: &str,
) -> Result<PairResponse, PairingError> {
    let wish = PairRequest {
        code: code.to_owned(),
        name: name.to_owned(),
        system: std::env::consts::OS.into(),
    };
    let unreachable =
        |error: reqwest::Error| PairingError::Unreachable(server.to_owned(), innermost(&error));
    let request = client.post(format!("{server}{PAIR_PATH}")).json(&wish);
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    if status == StatusCode::OK {
        return response.json().await.map_err(unreachable);
    }
    let detail = problem::detail(response).await;
    let detail = detail.unwrap_or_else(|| format!("it answers {status}; is it Offhook?"));
    Err(PairingError::Refused(server.to_owned(), detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_only_where_nobody_else_hears_them() {
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
