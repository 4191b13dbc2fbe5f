//! Texts for refused credentials, and for challenges that no password can answer.

use sip::{digest::ChallengeProblem, software::Software, subscriber::Trouble as T};

use super::{Trouble, TroubleTexts};

/// Status line of a refusal.
fn reason(code: u16) -> &'static str {
    match code {
        407 => "407 Proxy Authentication Required",
        403 => "403 Forbidden",
        _ => "401 Unauthorized",
    }
}

/// The remedy for a challenge that cannot be answered. The password was not checked, so no remedy is about it.
fn remedy(why: &ChallengeProblem) -> &'static str {
    match why {
        ChallengeProblem::NoChallenge => {
            "Switch on digest authentication for Offhook's address on the phone system, or allow that address there: it refuses \
             requests without asking for a login. The password was not checked."
        }
        ChallengeProblem::Scheme(_) => {
            "Let the phone system offer digest authentication (MD5 or SHA-256); Offhook sends no password in clear text."
        }
        ChallengeProblem::Algorithm(_) => {
            "Let the phone system also offer the digest algorithm MD5 or SHA-256; Offhook knows no other. The password was not \
             checked."
        }
        ChallengeProblem::Qop(_) => {
            "Let the phone system also offer qop=auth, or no qop; Offhook knows no other. The password was not checked."
        }
        ChallengeProblem::Incomplete(_) => {
            "Look for an update of the phone system, or of the proxy in front of it: a digest challenge must have realm and nonce."
        }
        ChallengeProblem::NoCredentials => {
            "Set user name and password of the phone system in Offhook's settings."
        }
        ChallengeProblem::Endless => {
            "Check the phone system's nonces: several servers behind one address must share them, and they must live longer than a \
             few seconds. Offhook tries again every few minutes."
        }
    }
}

impl TroubleTexts {
    /// Trouble of the whole account: several lines in a row were refused like this, and none was accepted in between.
    pub(in crate::sip_connector) fn account(&self, trouble: &T) -> Trouble {
        let at = format!("account {} at {}", self.username, self.domain);
        match trouble {
            T::UnusableChallenge { code, why } => Trouble {
                what: format!("{} for {at}, with {why}", reason(*code)),
                remedy: remedy(why).into(),
            },
            T::WrongCredentials { code } => Trouble {
                what: format!("{} for {at}: the password was refused", reason(*code)),
                remedy: "Correct user name and password of the phone system in Offhook's settings, or allow this \
                         account to watch extensions. Offhook tries again every few minutes, so that the account is not locked."
                    .into(),
            },
            T::Refused { code } => Trouble {
                what: format!("{} for {at}, after a login", reason(*code)),
                remedy: "Allow this account to subscribe to the extensions' dialog events (BLF) on the phone system; some phone \
                         systems answer like this to a wrong user name or password, so check these too. Offhook tries again \
                         every few minutes, so that the account is not locked."
                    .into(),
            },
            other => Trouble {
                what: format!("{at}: {other}"),
                remedy: "Offhook tries again automatically.".into(),
            },
        }
    }

    /// Trouble of a line while the same credentials are accepted for other lines.
    pub(in crate::sip_connector) fn line_alone(
        &self,
        extension: &str,
        trouble: &T,
        software: Software,
    ) -> Trouble {
        match trouble {
            T::WrongCredentials { code } => Trouble {
                what: format!(
                    "{} for extension {extension} at {}, although account {} is accepted for other extensions",
                    reason(*code),
                    self.domain,
                    self.username
                ),
                remedy: "Allow this account to watch the extension on the phone system; if another server answers for the \
                         extension, give it the same account."
                    .into(),
            },
            other => self.subscription(extension, other, software),
        }
    }

    /// Trouble of a line at its login; `None` for other troubles.
    pub(super) fn login(&self, extension: &str, trouble: &T) -> Option<Trouble> {
        let at = format!("extension {extension} at {}", self.domain);
        match trouble {
            T::WrongCredentials { code } => Some(Trouble {
                what: format!("{} for {at}", reason(*code)),
                remedy: "Correct user name and password of the phone system in Offhook's settings, or allow this account to \
                         watch the extension."
                    .into(),
            }),
            T::UnusableChallenge { code, why } => Some(Trouble {
                what: format!("{} for {at}, with {why}", reason(*code)),
                remedy: remedy(why).into(),
            }),
            _ => None,
        }
    }

    /// Trouble of a publication at its login; `None` for other troubles.
    pub(super) fn publication_login(&self, at: &str, trouble: &T) -> Option<Trouble> {
        match trouble {
            T::WrongCredentials { code } => Some(Trouble {
                what: format!(
                    "{} for account {} publishing {at}",
                    reason(*code),
                    self.username
                ),
                remedy: "Allow this account to publish for other extensions on the phone system."
                    .into(),
            }),
            T::UnusableChallenge { code, why } => Some(Trouble {
                what: format!(
                    "{} for account {} publishing {at}, with {why}",
                    reason(*code),
                    self.username
                ),
                remedy: remedy(why).into(),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> TroubleTexts {
        TroubleTexts {
            server: "pbx:5060".into(),
            domain: "pbx.test".into(),
            username: "offhook".into(),
        }
    }

    // A17: a challenge that cannot be answered is named, with a remedy of its own; the password is not to blame.
    #[test]
    fn each_obstacle_is_named_with_a_remedy_of_its_own() {
        let mut remedies = std::collections::BTreeSet::new();
        for (why, name) in [
            (ChallengeProblem::NoChallenge, "no challenge"),
            (ChallengeProblem::Scheme("Basic".into()), "Basic"),
            (ChallengeProblem::Algorithm("MD5-sess".into()), "MD5-sess"),
            (ChallengeProblem::Qop("auth-int".into()), "auth-int"),
            (ChallengeProblem::Incomplete("nonce"), "without nonce"),
            (ChallengeProblem::Endless, "one challenge after another"),
        ] {
            let trouble = T::UnusableChallenge { code: 401, why };
            let account = words().account(&trouble);
            let line = words().subscription("1001", &trouble, Software::Other);
            let published = words().publication("1001", "dialog", &trouble);
            for trouble in [&account, &line, &published] {
                assert!(trouble.what.contains(name), "{trouble:?}");
                assert!(!trouble.remedy.contains("Correct"), "{trouble:?}");
                assert!(!trouble.what.contains("password"), "{trouble:?}");
            }
            assert!(remedies.insert(account.remedy));
        }
    }

    // A2
    #[test]
    fn the_remedy_for_a_line_refused_alone_is_not_the_password() {
        let trouble = T::WrongCredentials { code: 407 };
        let alone = words().line_alone("1001", &trouble, Software::Other);
        assert!(
            alone.what.contains("1001") && alone.what.contains("accepted for other extensions")
        );
        assert!(!alone.remedy.contains("password"));
        assert!(words().account(&trouble).remedy.contains("password"));
    }
}
