//! Senders of requests: the accounts that a request may belong to, and the identities that a trusted peer asserts.

use sip::{
    message::{Message, NameAddr},
    remark::excerpt,
    request::asserted_identities,
    uri::{names, user},
};

use super::options::PhoneAccount;

/// The account of this authentication name.
pub(super) fn account<'a>(
    accounts: &'a [PhoneAccount],
    username: &str,
) -> Option<&'a PhoneAccount> {
    let mut accounts = accounts.iter();
    accounts.find(|account| account.credentials.username == username)
}

/// The address in a header.
fn address(request: &Message<'_>, header: &str) -> Option<String> {
    let value = request.header(header)?;
    Some(NameAddr::parse(&value)?.uri.to_owned())
}

/// The address of the sender, as the sender gives it.
fn sender(request: &Message<'_>) -> Option<String> {
    address(request, "From")
}

/// Whether the sender gives the extension or the authentication name of an account: phones have one or both.
fn is_from(request: &Message<'_>, account: &PhoneAccount) -> bool {
    is_named(sender(request), account)
}

/// Whether a request to register is for an account.
fn is_for(request: &Message<'_>, account: &PhoneAccount) -> bool {
    is_named(address(request, "To"), account)
}

/// The extension that a request speaks for and that is not the account's: that of the sender, or of the phone that is to be
/// registered (RFC 3261 §10.3, step 4). A phone speaks for itself and registers itself only.
pub(super) fn foreign_extension(request: &Message<'_>, account: &PhoneAccount) -> Option<String> {
    let named = match request.method() == Some("REGISTER") && !is_for(request, account) {
        true => address(request, "To"),
        false if is_from(request, account) => return None,
        false => sender(request),
    };
    let name = named.and_then(|named| user(&named)).unwrap_or_default();
    Some(excerpt(&name))
}

fn is_named(address: Option<String>, account: &PhoneAccount) -> bool {
    address.is_some_and(|address| {
        names(&address, &account.extension) || names(&address, &account.credentials.username)
    })
}

/// The authentication names that a phone may have before it has shown that it knows the password: the one that it gives, that
/// of the sender, or those of the sender's extension.
pub(super) fn usernames<'a>(
    accounts: &'a [PhoneAccount],
    given: Option<&str>,
    request: &Message<'_>,
) -> Vec<&'a str> {
    let username = |account: &'a PhoneAccount| account.credentials.username.as_str();
    if let Some(account) = given.and_then(|given| account(accounts, given)) {
        return vec![username(account)];
    }
    let sender = sender(request).unwrap_or_default();
    let own = accounts
        .iter()
        .find(|account| names(&sender, username(account)));
    match own {
        Some(account) => vec![username(account)],
        None => {
            let of_extension = accounts
                .iter()
                .filter(|account| names(&sender, &account.extension));
            of_extension.map(username).collect()
        }
    }
}

/// The addresses that a trusted peer asserts (RFC 3325 §9.1), or without any the sender's.
pub(super) fn identities(request: &Message<'_>) -> Vec<String> {
    let asserted = asserted_identities(request);
    match asserted.is_empty() {
        true => sender(request).into_iter().collect(),
        false => asserted,
    }
}

#[cfg(test)]
mod tests {
    use presence::Extension;
    use sip::digest::{Algorithm, Credentials};

    use super::*;

    fn phone(username: &str, extension: &str) -> PhoneAccount {
        PhoneAccount {
            credentials: Credentials {
                username: username.into(),
                password: "p".into(),
            },
            extension: Extension::stored(extension),
            algorithms: Some(vec![Algorithm::Md5]),
        }
    }

    fn with(headers: &str) -> Vec<u8> {
        format!("SUBSCRIBE sip:1002@pbx.test SIP/2.0\r\n{headers}\r\n\r\n").into_bytes()
    }

    #[test]
    fn the_account_that_will_sign_in_is_guessed_from_the_sender() {
        let accounts = [
            phone("1001", "1001"),
            phone("desk-a", "1002"),
            phone("desk-b", "1002"),
            // The name of one is the extension of others.
            phone("1002", "1003"),
        ];
        for (given, from, expected) in [
            (None, "sip:%31001@pbx.test", vec!["1001"]),
            (None, "sip:desk-a@pbx.test", vec!["desk-a"]),
            (None, "sip:1003@pbx.test", vec!["1002"]),
            (None, "sip:1002@pbx.test", vec!["1002"]),
            (None, "sip:pbx.test", vec![]),
            (Some("desk-b"), "sip:1002@pbx.test", vec!["desk-b"]),
            (Some("nobody"), "sip:1001@pbx.test", vec!["1001"]),
        ] {
            let request = with(&format!("From: <{from}>;tag=1"));
            let request = Message::parse(&request).unwrap();
            let found = usernames(&accounts, given, &request);
            assert_eq!(found, expected, "{given:?} {from}");
        }
        let request = with("From: <sip:1002@pbx.test>;tag=1");
        let request = Message::parse(&request).unwrap();
        let others = accounts.get(..3).unwrap();
        assert_eq!(usernames(others, None, &request), ["desk-a", "desk-b"]);
        let may_speak: Vec<bool> = accounts.iter().map(|a| is_from(&request, a)).collect();
        assert_eq!(may_speak, [false, true, true, true]);
    }

    // A18
    #[test]
    fn a_phone_registers_itself_and_no_other() {
        let account = phone("desk-a", "1002");
        for (to, is_own) in [
            ("<sip:1002@pbx.test>", true),
            ("<sip:%31002@192.0.2.1:5080>", true),
            ("sip:desk-a@pbx.test", true),
            ("<sip:1001@pbx.test>", false),
            ("<sip:pbx.test>", false),
            ("<sip:1002%00@pbx.test>", false),
        ] {
            let request = with(&format!("From: <sip:1002@pbx.test>;tag=1\r\nTo: {to}"));
            let request = Message::parse(&request).unwrap();
            assert_eq!(is_for(&request, &account), is_own, "{to}");
        }
        let register = |from: &str, to: &str| {
            let request = format!(
                "REGISTER sip:pbx.test SIP/2.0\r\nFrom: <sip:{from}@pbx.test>;tag=1\r\nTo: <sip:{to}@pbx.test>\r\n\r\n"
            );
            foreign_extension(&Message::parse(request.as_bytes()).unwrap(), &account)
        };
        assert_eq!(register("1002", "desk-a"), None);
        assert_eq!(register("1002", "1001").as_deref(), Some("1001"));
        assert_eq!(register("1003", "1002").as_deref(), Some("1003"));
        let long = "1".repeat(90);
        assert_eq!(
            register("1002", &long).unwrap().len(),
            sip::remark::EXCERPT_MAX
        );
    }

    // A18
    #[test]
    fn all_asserted_identities_are_read() {
        let from = "From: <sip:9@pbx.test>;tag=1";
        for (more, expected) in [
            ("", vec!["sip:9@pbx.test"]),
            (
                "\r\nP-Asserted-Identity: <tel:+4930123>, \"A, B\" <sip:1001@pbx.test>",
                vec!["tel:+4930123", "sip:1001@pbx.test"],
            ),
            (
                "\r\nP-Asserted-Identity: tel:+4930123\r\nP-Asserted-Identity: <sip:1001@pbx.test>",
                vec!["tel:+4930123", "sip:1001@pbx.test"],
            ),
        ] {
            let request = with(&format!("{from}{more}"));
            let request = Message::parse(&request).unwrap();
            assert_eq!(identities(&request), expected, "{more}");
        }
    }
}
