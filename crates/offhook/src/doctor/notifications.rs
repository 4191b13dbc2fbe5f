//! Change notifications: the public address, tried as Graph tries it, and the accounts that subscribe.

use server::NotificationOptions;

use super::{Fault, Report};

const CHECK: &str = "notifications";
/// What Graph would send; any text will do.
const TOKEN: &str = "offhook doctor was here";

/// Plays Graph's handshake against the public address. A server must run behind it.
pub(super) async fn check(
    report: &mut Report,
    options: &NotificationOptions,
    service_accounts: usize,
) {
    let url = &options.url;
    let request = reqwest::Client::new()
        .post(format!("{url}?validationToken={}", TOKEN.replace(' ', "+")))
        .timeout(super::CONNECT);
    match request.send().await {
        Err(error) => {
            let what = format!("{url}: {}", error.without_url());
            report.warn(CHECK, Fault::NotificationsUnreachable, what);
        }
        Ok(answer) => {
            let status = answer.status();
            let body = answer.text().await.unwrap_or_default();
            if status == reqwest::StatusCode::OK && body == TOKEN {
                report.fine(CHECK, format!("{url} answers as Graph wants it"));
            } else {
                let what = format!("{url} answers {status}");
                report.fail(CHECK, Fault::NotificationsStranger, what);
            }
        }
    }
    if service_accounts == 0 {
        report.warn(
            CHECK,
            Fault::NotificationsAccount,
            "no service account is signed in",
        );
    } else {
        let what = format!("{service_accounts} service accounts are signed in");
        report.fine(CHECK, what);
    }
}
