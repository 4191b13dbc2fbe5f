//! Change notifications: the public URL, validated like Graph does, and the accounts that subscribe.

use teams::NotificationOptions;

use super::{Fault, Report};

const CHECK: &str = "notifications";
/// Validation token; any text is valid.
const TOKEN: &str = "offhook doctor was here";

/// Performs Graph's validation of the public URL, behind which a server must run.
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
