//! Entra's error numbers (`AADSTS…`): party that can end the refusal, remedies for the application and for a person, and
//! the page that documents the number. Numbers without a source are not in the table; OAuth's error code decides on them.

use super::{Judgement, SignInFault as Fault};

/// Microsoft's list of error numbers.
pub(super) const PAGE: &str =
    "https://learn.microsoft.com/entra/identity-platform/reference-error-codes";
const TIME_RANGE: &str =
    "https://github.com/AzureAD/microsoft-authentication-library-for-dotnet/issues/4951";
const ASSERTION_TIME: &str = "https://github.com/MicrosoftDocs/azure-docs/issues/16399";
const CERTIFICATE_TIME: &str = "https://github.com/AzureAD/microsoft-identity-web/issues/2834";
const NO_DOMAIN: &str = "https://github.com/microsoft/Analysis-Services/issues/194";
const OLD_TLS: &str = "https://github.com/MicrosoftDocs/azure-docs/issues/96851";
const NO_PRINCIPAL: &str =
    "https://github.com/Azure/Commercial-Marketplace-SaaS-Accelerator/issues/830";
const NO_DEVICE: &str =
    "https://github.com/AzureAD/azure-activedirectory-library-for-java/issues/294";
const RESOURCE_DISABLED: &str = "learn.microsoft.com, SharePoint troubleshooting: Microsoft Forms shows \"Sorry, something went wrong\"";

pub(super) const TEMPORARY: &str = "Microsoft's sign-in service has a temporary problem: Offhook retries automatically; see https://status.cloud.microsoft for longer outages";
pub(super) const ONE_CLOUD: &str = "the scope is not valid here: check that the sign-in and Graph addresses belong to the same cloud";
pub(super) const DECLINED: &str = "the person declined, or a policy or a proxy forbids the sign-in: start the sign-in again and accept the requested permissions, or let an administrator allow it";

const CLOCK: &str = "this server's clock is wrong: synchronise it (timedatectl set-ntp true)";
const SECRET_WRONG: &str =
    "the client secret is wrong: copy the secret's value, not its id, from Certificates & secrets";
const SECRET_EXPIRED: &str =
    "the client secret has expired: create a new one and put it into the configuration";
const CERTIFICATE: &str = "the certificate is not the one that Entra has for this application: upload its public part under Certificates & secrets";
const CERTIFICATE_OLD: &str = "the certificate has expired or is not valid yet: create a new one, upload its public part under Certificates & secrets and put it into the configuration; if it should be valid, check this server's clock";
const APPLICATION: &str = "the application is not known in this tenant: check client_id and tenant, and consent as an administrator";
const PRINCIPAL: &str = "the application is registered but missing among the tenant's enterprise applications: grant admin consent, which adds it";
pub(super) const TENANT: &str = "the tenant is not known: check the tenant id or domain";
const CLOUD: &str = "the tenant belongs to another national cloud: set teams.cloud to it";
const GRAPH_UNKNOWN: &str = "Microsoft Graph is not known in this tenant at this address: check that tenant, sign-in address and Graph address belong to the same cloud";
const GRAPH_UNLISTED: &str = "Microsoft Graph is missing among the application's API permissions: add the permissions there and grant admin consent";
const GRAPH_DISABLED: &str = "Microsoft Graph is disabled in this tenant, or the tenant's Microsoft 365 subscription has lapsed: renew it, or switch on \"Enabled for users to sign in\" of Microsoft Graph under Enterprise applications";
const SUBSCRIPTION: &str = "the organisation has no subscription for a service that the application asks for: check the tenant's Microsoft 365 subscription and the application's API permissions";
const TLS: &str = "a proxy on the way to Microsoft uses TLS 1.0, TLS 1.1 or 3DES: let it use TLS 1.2 or later, or let this server past it";
const ONE_TENANT: &str =
    "the application is registered for one tenant: write that tenant's id instead of common";
const PUBLIC: &str = "the application is registered as a public client and takes neither secret nor certificate: register a web or daemon application";
const DISABLED: &str = "the application is disabled in this tenant: switch on \"Enabled for users to sign in\" under Enterprise applications, Properties";
const RESTRICTED: &str = "a proxy of this network or an access policy between tenants restricts sign-ins to other tenants: allow this tenant there";
const LOOP: &str = "too many sign-ins in a short time: Offhook waits automatically; check that no other program signs in with this application repeatedly";
const SIGN_IN_AGAIN: &str = "the login has ended because of a new password, a policy of the tenant or inactivity: sign in again";
const RESTART: &str = "the code was used or has expired: start the sign-in again";
const FEDERATED: &str = "the account signs in at another identity provider (federated), and its login cannot be redirected here: sign in with the device code in a browser, or use an account of the tenant itself";
const OTHER_TENANT: &str = "the account does not belong to this tenant: sign in with an account of the tenant, or invite this one as a guest";
const SECOND_FACTOR: &str =
    "the account needs a second factor: sign in with the device code in a browser";

/// Missing consent.
pub(super) const CONSENT: Judgement = Judgement {
    fault: Fault::Consent,
    application: "an administrator must consent to the application permissions: API permissions, Grant admin consent",
    person: "an administrator must consent to the delegated permissions of the application",
};
const BLOCKED: Judgement = Judgement {
    fault: Fault::Policy,
    application: "Conditional Access blocks the application: exclude it from the policy",
    person: "Conditional Access blocks this sign-in: exclude the account from the policy, or sign in from a device that meets it",
};
const NO_CREDENTIAL: Judgement = Judgement {
    fault: Fault::Configuration,
    application: "the application's secret or certificate is missing: name one in the configuration",
    person: "the application does not allow device codes: switch on \"Allow public client flows\" under Authentication",
};

const fn same(fault: Fault, remedy: &'static str) -> Judgement {
    Judgement {
        fault,
        application: remedy,
        person: remedy,
    }
}

/// Error numbers with the same meaning, their judgement, and its source.
#[rustfmt::skip]
const TABLE: &[(&[u32], Judgement, &str)] = &[
    (&[700_024], same(Fault::Clock, CLOCK), TIME_RANGE),
    (&[500_133], same(Fault::Clock, CLOCK), ASSERTION_TIME),

    (&[7_000_215], same(Fault::Credential, SECRET_WRONG), PAGE),
    (&[7_000_222], same(Fault::Credential, SECRET_EXPIRED), PAGE),
    (&[1_000_502], same(Fault::Credential, CERTIFICATE_OLD), CERTIFICATE_TIME),
    (&[700_027, 50_012], same(Fault::Credential, CERTIFICATE), PAGE),

    (&[700_016, 700_011], same(Fault::Configuration, APPLICATION), PAGE),
    (&[7_000_229], same(Fault::Configuration, PRINCIPAL), NO_PRINCIPAL),
    (&[90_002, 50_059, 50_128, 90_019], same(Fault::Configuration, TENANT), PAGE),
    (&[900_023], same(Fault::Configuration, TENANT), NO_DOMAIN),
    (&[90_038], same(Fault::Configuration, CLOUD), PAGE),
    (&[70_011], same(Fault::Configuration, ONE_CLOUD), PAGE),
    (&[500_011, 50_001], same(Fault::Configuration, GRAPH_UNKNOWN), PAGE),
    (&[650_056, 650_057, 65_005], same(Fault::Configuration, GRAPH_UNLISTED), PAGE),
    (&[650_052], same(Fault::Configuration, SUBSCRIPTION), PAGE),
    (&[50_194, 9_001_023], same(Fault::Configuration, ONE_TENANT), PAGE),
    (&[700_025], same(Fault::Configuration, PUBLIC), PAGE),
    (&[7_000_218], NO_CREDENTIAL, PAGE),
    (&[1_002_016], same(Fault::Configuration, TLS), OLD_TLS),
    (&[50_011], same(Fault::Configuration, "the return address is not registered with the application: add it under Authentication"), PAGE),

    (&[7_000_112, 70_001], same(Fault::Disabled, DISABLED), PAGE),
    (&[500_014], same(Fault::Disabled, GRAPH_DISABLED), RESOURCE_DISABLED),

    (&[65_001, 90_008, 90_094, 90_095, 90_099], CONSENT, PAGE),

    (&[53_000, 53_001, 53_002, 53_003, 53_004, 53_011, 530_032, 530_034, 530_035, 50_005, 50_131], BLOCKED, PAGE),
    (&[50_002, 500_021, 500_022, 500_212, 500_213], same(Fault::Policy, RESTRICTED), PAGE),

    (&[50_034], same(Fault::Account, "the account is not known in this tenant: check the sign-in name and the tenant"), PAGE),
    (&[50_053], same(Fault::Locked, "the account or its network is locked for some minutes after wrong passwords: wait, or let an administrator reset the password"), PAGE),
    (&[50_055, 50_144], same(Fault::Account, "the password has expired: change it in a browser, then sign in again"), PAGE),
    (&[50_057], same(Fault::Account, "the account is disabled: let an administrator enable it, or use another one"), PAGE),
    (&[50_105], same(Fault::Policy, "the application is restricted: assign the account to it in Entra"), PAGE),
    (&[50_126], same(Fault::Account, "name or password were not accepted; Offhook never asks for a password: sign in with the device code in a browser"), PAGE),
    (&[50_020, 50_107, 50_008, 51_004], same(Fault::Account, FEDERATED), PAGE),
    (&[16_000, 16_003, 50_014, 90_072, 500_208], same(Fault::Account, OTHER_TENANT), PAGE),

    (&[50_072, 50_074, 50_076, 50_078, 50_079, 50_158], same(Fault::Person, SECOND_FACTOR), PAGE),
    (&[50_089, 50_132, 50_133, 50_173, 70_000, 70_008, 70_043, 700_082, 700_084], same(Fault::Person, SIGN_IN_AGAIN), PAGE),
    (&[700_003], same(Fault::Person, "the device with which the person signed in was removed from the tenant: sign in again"), NO_DEVICE),
    (&[54_005, 70_019], same(Fault::Person, RESTART), PAGE),
    (&[501_481], same(Fault::Person, "the sign-in was started in another browser or twice: start it again"), PAGE),
    (&[700_005], same(Fault::Person, "the code belongs to another tenant: start the sign-in again with an account of this tenant"), PAGE),
    (&[65_004], same(Fault::Person, DECLINED), PAGE),

    (&[50_196], same(Fault::Loop, LOOP), PAGE),
    (&[40_010, 50_000, 50_033, 50_087, 70_012, 90_006, 90_012, 90_024, 90_033, 90_055, 90_090, 90_091], same(Fault::Microsoft, TEMPORARY), PAGE),
];

/// Judgement on an error number; `None` if the table does not contain it.
pub(super) fn find(code: u32) -> Option<Judgement> {
    let line = TABLE.iter().find(|(codes, ..)| codes.contains(&code));
    line.map(|(_, judgement, _)| *judgement)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_number_is_there_once_with_a_remedy_and_a_source() {
        let mut all = BTreeSet::new();
        for (codes, judgement, source) in TABLE {
            for code in *codes {
                assert!(all.insert(code), "{code} twice");
            }
            assert!(!judgement.application.is_empty() && !judgement.person.is_empty());
            assert!(
                source.contains("learn.microsoft.com") || source.starts_with("https://github.com/")
            );
        }
        assert!(all.len() > 80, "{}", all.len());
    }
}
