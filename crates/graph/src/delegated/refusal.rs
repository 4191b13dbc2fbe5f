//! What a person or an administrator should do when Entra refuses a person's sign-in (reference 7.2, 7.7).

/// What to do about a refusal: by Entra's number where it is known, else by OAuth's word.
pub fn user_remedy(error: &str, codes: &[u32]) -> &'static str {
    codes
        .iter()
        .find_map(|code| by_code(*code))
        .unwrap_or(match error {
            "invalid_grant" | "interaction_required" | "login_required" => {
                "the stored login is not valid any more: sign in again"
            }
            "consent_required" => CONSENT,
            "access_denied" | "authorization_declined" => DECLINED,
            "unauthorized_client" | "invalid_client" => {
                "check the application's registration: its platform, its redirect address and its secret or certificate"
            }
            "invalid_scope" => "check that the sign-in and Graph addresses belong to the same cloud",
            _ => "begin the sign-in anew",
        })
}

const CONSENT: &str =
    "an administrator must consent to the delegated permissions of the application";
const DECLINED: &str = "begin the sign-in anew and accept what is asked";
const ELSEWHERE: &str = "the account signs in at another identity provider (federated), and a login of it cannot be taken over: sign in with the device code in a browser, or use an account of the tenant itself";
const SECOND_FACTOR: &str =
    "the account needs a second factor: sign in with the device code in a browser";

fn by_code(code: u32) -> Option<&'static str> {
    Some(match code {
        50_020 | 50_107 | 50_008 | 51_004 | 81_016 => ELSEWHERE,
        50_126 => {
            "name or password were not accepted; Offhook never asks for a password: sign in with the device code in a browser"
        }
        50_072 | 50_074 | 50_076 | 50_079 | 50_158 => SECOND_FACTOR,
        50_034 => "the account is not known in this tenant: check the sign-in name and the tenant",
        50_053 => "the account is locked for now: try again later",
        50_055 => "the password has expired: change it in a browser, then sign in again",
        50_057 => "the account is disabled: let an administrator enable it, or take another",
        50_105 => "the application is restricted: assign the account to it in Entra",
        50_173 | 70_043 | 700_082 | 700_084 | 700_003 => {
            "the login was ended by a new password, a rule of the tenant or long rest: sign in again"
        }
        53_000 | 53_001 | 53_003 | 53_004 | 530_034 => {
            "Conditional Access blocks this sign-in: exclude the account from the policy, or sign in from a device that meets it"
        }
        54_005 | 70_008 => "the code was used or has expired: begin the sign-in anew",
        50_148 | 501_481 => "the sign-in was begun in another browser or twice: begin it anew",
        50_011 => {
            "the return address is not registered with the application: add it under Authentication"
        }
        65_001 | 90_094 | 90_095 => CONSENT,
        65_004 => DECLINED,
        7_000_218 => {
            "the application does not allow device codes: switch on \"Allow public client flows\" under Authentication"
        }
        7_000_215 | 7_000_222 => "the client secret is wrong or has expired: create a new one",
        700_016 => "the application is not known in this tenant: check client_id and tenant",
        90_002 => "the tenant is not known: check the tenant id or domain",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::user_remedy;

    #[test]
    fn row_100_accounts_of_elsewhere_and_second_factors_are_pointed_to_the_device_code() {
        for code in [50_107, 50_126, 50_076, 50_079, 50_020] {
            let text = user_remedy("invalid_grant", &[code]);
            assert!(text.contains("device code"), "{code}: {text}");
        }
        assert!(user_remedy("invalid_grant", &[50_107]).contains("federated"));
    }

    #[test]
    fn the_number_says_more_than_the_word() {
        assert!(user_remedy("invalid_grant", &[700_082]).contains("long rest"));
        assert!(user_remedy("invalid_grant", &[1, 50_057]).contains("disabled"));
        assert!(user_remedy("invalid_grant", &[]).contains("sign in again"));
        assert!(user_remedy("something", &[]).contains("anew"));
    }
}
