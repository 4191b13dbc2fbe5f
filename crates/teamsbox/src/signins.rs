//! Sign-ins in progress and their results: device codes, authorization codes, refresh tokens.
//!
//! Pure: time is an argument, and the caller generates the secrets.

use std::{collections::HashMap, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    duration::{MINUTE, Milliseconds, SECOND},
    guid::Guid,
};

/// Lifetime of a device code.
pub(crate) const DEVICE_LIFETIME: Milliseconds = 15 * MINUTE;
/// Initial polling interval of a device.
pub(crate) const POLL_INTERVAL: Milliseconds = 5 * SECOND;
/// Lifetime of an authorization code.
const CODE_LIFETIME: Milliseconds = 10 * MINUTE;
/// The most codes or tokens of each kind. The oldest ones make room.
const KEPT_MAX: usize = 10_000;

/// The consent of a user to an application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    /// Client id.
    pub(crate) app: Arc<str>,
    /// The signed-in user.
    pub(crate) user: Guid,
    /// The scopes in their short form.
    pub(crate) scopes: Vec<String>,
    /// The resource of the token.
    pub(crate) audience: String,
    /// Nonce for the identity token.
    pub(crate) nonce: Option<String>,
}

/// A device that waits for its user.
#[derive(Debug)]
struct Device {
    user_code: String,
    app: Arc<str>,
    scopes: Vec<String>,
    audience: String,
    expires: Milliseconds,
    interval: Milliseconds,
    polled: Option<Milliseconds>,
    answer: Option<Result<Guid, Declined>>,
}

/// The user declined.
#[derive(Debug, Clone, Copy)]
struct Declined;

/// The result of a device's poll.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Poll {
    /// The user has not answered yet.
    Pending,
    /// The device polls too often.
    SlowDown,
    /// The user declined.
    Declined,
    /// The code or token has expired.
    Expired,
    /// The code is unknown or belongs to another application.
    Unknown,
    /// The user allowed the sign-in.
    Granted(Grant),
}

/// An authorization code.
#[derive(Debug)]
struct Code {
    grant: Grant,
    redirect_uri: String,
    challenge: Option<String>,
    expires: Milliseconds,
    used: bool,
}

/// The reason why a code or a refresh token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantError {
    /// It is unknown or belongs to another application.
    Unknown,
    /// The code or token has expired.
    Expired,
    /// It was used before.
    Used,
    /// It was revoked by the user or an administrator.
    Revoked,
    /// The redirect URI is not the one of the authorization request.
    RedirectUri,
    /// The verifier does not match the challenge (RFC 7636).
    Verifier,
}

/// A refresh token.
#[derive(Debug)]
struct Refresh {
    grant: Grant,
    expires: Milliseconds,
    revoked: bool,
}

/// All sign-ins of a tenant.
#[derive(Debug, Default)]
pub(crate) struct SignIns {
    devices: HashMap<String, Device>,
    codes: HashMap<String, Code>,
    refresh: HashMap<String, Refresh>,
}

impl SignIns {
    /// Adds the codes of a device.
    pub(crate) fn add_device(
        &mut self,
        device_code: String,
        user_code: String,
        app: Arc<str>,
        (audience, scopes): (String, Vec<String>),
        now: Milliseconds,
    ) {
        // Expired codes stay for a while: their error differs from that of unknown codes.
        make_room(&mut self.devices, |device| device.expires);
        let device = Device {
            user_code,
            app,
            scopes,
            audience,
            expires: now + DEVICE_LIFETIME,
            interval: POLL_INTERVAL,
            polled: None,
            answer: None,
        };
        self.devices.insert(device_code, device);
    }

    /// The application and scopes of a user code that waits for an answer.
    pub(crate) fn waiting(
        &self,
        user_code: &str,
        now: Milliseconds,
    ) -> Option<(Arc<str>, Vec<String>)> {
        let device = self
            .devices
            .values()
            .find(|device| device.awaits(user_code, now))?;
        Some((Arc::clone(&device.app), device.scopes.clone()))
    }

    /// Records the user's answer; `None` declines. Returns false if no device waits with this code.
    pub(crate) fn answer(
        &mut self,
        user_code: &str,
        user: Option<Guid>,
        now: Milliseconds,
    ) -> bool {
        let device = self
            .devices
            .values_mut()
            .find(|device| device.awaits(user_code, now));
        let Some(device) = device else {
            return false;
        };
        device.answer = Some(user.ok_or(Declined));
        true
    }

    /// The result of a poll by a device.
    pub(crate) fn poll(&mut self, device_code: &str, app: &str, now: Milliseconds) -> Poll {
        let Some(device) = self
            .devices
            .get_mut(device_code)
            .filter(|device| *device.app == *app)
        else {
            return Poll::Unknown;
        };
        if now >= device.expires {
            return Poll::Expired;
        }
        let hasty = device
            .polled
            .is_some_and(|polled| now < polled + device.interval);
        device.polled = Some(now);
        if hasty {
            device.interval += 5 * SECOND;
            return Poll::SlowDown;
        }
        match device.answer {
            None => Poll::Pending,
            Some(Err(Declined)) => Poll::Declined,
            Some(Ok(user)) => {
                let grant = Grant {
                    app: Arc::clone(&device.app),
                    user,
                    scopes: device.scopes.clone(),
                    audience: device.audience.clone(),
                    nonce: None,
                };
                self.devices.remove(device_code);
                Poll::Granted(grant)
            }
        }
    }

    /// Adds an authorization code with its grant.
    pub(crate) fn add_code(
        &mut self,
        code: String,
        grant: Grant,
        redirect_uri: String,
        challenge: Option<String>,
        now: Milliseconds,
    ) {
        make_room(&mut self.codes, |code| code.expires);
        let kept = Code {
            grant,
            redirect_uri,
            challenge,
            expires: now + CODE_LIFETIME,
            used: false,
        };
        self.codes.insert(code, kept);
    }

    /// Redeems an authorization code, once.
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        app: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
        now: Milliseconds,
    ) -> Result<Grant, GrantError> {
        let code = self
            .codes
            .get_mut(code)
            .filter(|code| *code.grant.app == *app);
        let code = code.ok_or(GrantError::Unknown)?;
        if code.used {
            return Err(GrantError::Used);
        }
        if now >= code.expires {
            return Err(GrantError::Expired);
        }
        if code.redirect_uri != redirect_uri {
            return Err(GrantError::RedirectUri);
        }
        if code.challenge != verifier.map(challenge) {
            return Err(GrantError::Verifier);
        }
        code.used = true;
        Ok(code.grant.clone())
    }

    /// Adds a refresh token with its grant.
    pub(crate) fn add_refresh(&mut self, token: String, grant: Grant, expires: Milliseconds) {
        make_room(&mut self.refresh, |refresh| refresh.expires);
        let kept = Refresh {
            grant,
            expires,
            revoked: false,
        };
        self.refresh.insert(token, kept);
    }

    /// The grant of a refresh token, which stays valid.
    pub(crate) fn refresh(
        &self,
        token: &str,
        app: &str,
        now: Milliseconds,
    ) -> Result<Grant, GrantError> {
        let refresh = self
            .refresh
            .get(token)
            .filter(|refresh| *refresh.grant.app == *app);
        let refresh = refresh.ok_or(GrantError::Unknown)?;
        if refresh.revoked {
            return Err(GrantError::Revoked);
        }
        if now >= refresh.expires {
            return Err(GrantError::Expired);
        }
        Ok(refresh.grant.clone())
    }

    /// Returns true if a device code, authorization code or refresh token was issued by this tenant.
    pub(crate) fn knows(&self, secret: &str) -> bool {
        self.devices.contains_key(secret)
            || self.codes.contains_key(secret)
            || self.refresh.contains_key(secret)
    }

    /// Revokes all refresh tokens of a person; returns their number.
    pub(crate) fn revoke(&mut self, user: Guid) -> usize {
        let mut revoked = 0;
        for refresh in self.refresh.values_mut() {
            if refresh.grant.user == user && !refresh.revoked {
                refresh.revoked = true;
                revoked += 1;
            }
        }
        revoked
    }
}

impl Device {
    fn awaits(&self, user_code: &str, now: Milliseconds) -> bool {
        self.answer.is_none() && now < self.expires && same_code(&self.user_code, user_code)
    }
}

/// Compares a code with a typed one, regardless of case, blanks and hyphens.
fn same_code(code: &str, typed: &str) -> bool {
    let letters = typed
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-');
    letters
        .map(|letter| letter.to_ascii_uppercase())
        .eq(code.chars())
}

/// The S256 challenge of a verifier.
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// Removes the entry that expires first if there are [`KEPT_MAX`].
fn make_room<T>(kept: &mut HashMap<String, T>, expires: impl Fn(&T) -> Milliseconds) {
    if kept.len() >= KEPT_MAX
        && let Some(oldest) = kept
            .iter()
            .min_by_key(|(_, one)| expires(one))
            .map(|(key, _)| key.clone())
    {
        kept.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signins() -> SignIns {
        let mut signins = SignIns::default();
        let wanted = ("graph".to_owned(), vec!["Presence.Read".to_owned()]);
        signins.add_device("device".into(), "ABCD2345".into(), "app".into(), wanted, 0);
        signins
    }

    fn user() -> Guid {
        crate::DEFAULT_TENANT_ID.parse().unwrap()
    }

    #[test]
    fn row_097_a_device_waits_slows_down_and_succeeds() {
        let mut signins = signins();
        assert_eq!(signins.poll("device", "app", 5 * SECOND), Poll::Pending);
        assert_eq!(signins.poll("device", "app", 9 * SECOND), Poll::SlowDown);
        assert_eq!(signins.poll("device", "app", 19 * SECOND), Poll::Pending);
        assert!(signins.answer("abcd-2345", Some(user()), 20 * SECOND));
        assert!(
            !signins.answer("ABCD2345", None, 20 * SECOND),
            "it was answered"
        );
        assert!(matches!(
            signins.poll("device", "app", 29 * SECOND),
            Poll::Granted(_)
        ));
        assert_eq!(signins.poll("device", "app", 40 * SECOND), Poll::Unknown);
    }

    #[test]
    fn a_device_is_declined_expires_and_belongs_to_its_application() {
        let mut signins = signins();
        assert_eq!(signins.poll("device", "other", 0), Poll::Unknown);
        assert!(signins.answer("ABCD2345", None, 0));
        assert_eq!(signins.poll("device", "app", 0), Poll::Declined);
        assert_eq!(
            signins.poll("device", "app", DEVICE_LIFETIME),
            Poll::Expired
        );
    }

    #[test]
    fn row_098_the_challenge_of_the_rfc() {
        let expected = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            expected
        );
    }

    #[test]
    fn a_code_is_good_once_for_its_own_address_and_verifier() {
        let mut signins = SignIns::default();
        let grant = Grant {
            app: "app".into(),
            user: user(),
            scopes: Vec::new(),
            audience: String::new(),
            nonce: None,
        };
        signins.add_code(
            "c".into(),
            grant.clone(),
            "http://a/".into(),
            Some(challenge("v")),
            0,
        );
        let mut redeem = |app, uri, verifier, now| signins.redeem("c", app, uri, verifier, now);
        assert_eq!(
            redeem("other", "http://a/", Some("v"), 1),
            Err(GrantError::Unknown)
        );
        assert_eq!(
            redeem("app", "http://b/", Some("v"), 1),
            Err(GrantError::RedirectUri)
        );
        assert_eq!(
            redeem("app", "http://a/", Some("w"), 1),
            Err(GrantError::Verifier)
        );
        assert_eq!(
            redeem("app", "http://a/", None, 1),
            Err(GrantError::Verifier)
        );
        assert_eq!(
            redeem("app", "http://a/", Some("v"), CODE_LIFETIME),
            Err(GrantError::Expired)
        );
        assert_eq!(redeem("app", "http://a/", Some("v"), 1), Ok(grant));
        assert_eq!(
            redeem("app", "http://a/", Some("v"), 2),
            Err(GrantError::Used)
        );
    }

    #[test]
    fn refresh_tokens_last_until_they_expire_or_are_revoked() {
        let mut signins = SignIns::default();
        let grant = Grant {
            app: "app".into(),
            user: user(),
            scopes: Vec::new(),
            audience: String::new(),
            nonce: None,
        };
        signins.add_refresh("r".into(), grant.clone(), 100);
        assert_eq!(signins.refresh("r", "app", 1), Ok(grant.clone()));
        assert_eq!(signins.refresh("r", "app", 2), Ok(grant));
        assert_eq!(signins.refresh("r", "other", 2), Err(GrantError::Unknown));
        assert_eq!(signins.refresh("r", "app", 100), Err(GrantError::Expired));
        assert_eq!(signins.revoke(user()), 1);
        assert_eq!(signins.refresh("r", "app", 2), Err(GrantError::Revoked));
    }
}
