//! Every fault that the doctor can name, with its meaning and remedy. docs/doctor.md has the same table.

macro_rules! faults {
    ($($fault:ident $code:literal $means:literal $remedy:literal)*) => {
        /// A fault that the doctor names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $(#[doc = $means] $fault,)*
        }

        impl Fault {
            /// Every fault.
            #[cfg(test)]
            pub const ALL: &[Self] = &[$(Self::$fault,)*];

            /// Stable name for programs and for docs/doctor.md.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$fault => $code,)* }
            }

            /// Meaning, as a sentence.
            pub const fn means(self) -> &'static str {
                match self { $(Self::$fault => $means,)* }
            }

            /// Remedy, as a sentence.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$fault => $remedy,)* }
            }
        }
    };
}

faults! {
    ConfigurationMissing "configuration.missing"
        "The configuration file cannot be read."
        "Name it with --config or OFFHOOK_CONFIG, and let this user read it."
    ConfigurationWrong "configuration.wrong"
        "A key or value of the configuration cannot work."
        "Correct the line that the message names; docs/configuration.md has every key."
    SecretReadable "secret.readable"
        "A file with a secret can be read by other users of this machine."
        "chmod 600 the file."
    SecretsKey "secrets.key"
        "The key of the sealed secrets is missing, invalid or a different one: restore the old key, or people must sign in again."
        "Configure the right key (secrets.key_file, OFFHOOK_SECRETS_KEY or the systemd credential offhook-secrets-key), or re-encrypt with offhook rewrap OLD_KEY."
    DataUnwritable "data.unwritable"
        "The data folder cannot be created or written."
        "Set `data` or OFFHOOK_DATA to a folder that this user owns."
    DatabaseDamaged "database.damaged"
        "The file is no SQLite database, or parts of it are damaged."
        "Restore a backup: offhook restore FILE --force keeps the current database beside it."
    DatabaseNewer "database.newer"
        "The database was created by a newer or another version of Offhook."
        "Run that version, or restore a backup made with this one."
    NobodyImported "people.none"
        "There are no people yet."
        "Run offhook import people.csv, or synchronise people from Entra."
    NothingCrosses "people.mode_none"
        "Synchronisation is off for all people."
        "Set the mode of the organisation, a location or a person: docs/connect-teams.md, step 5."
    PortTaken "server.port_taken"
        "Another program already listens at Offhook's address and port."
        "Stop that program, or set http.listen to another port."
    ServerTrouble "server.trouble"
        "The running server reports a problem with one of its parts."
        "See the part and its remedy in the detail."
    ServerWarning "server.warning"
        "The running server reports a warning."
        "See the part and its remedy in the detail."
    TeamsMissing "teams.missing"
        "The configuration has no tenant: Teams is neither read nor written."
        "Add [teams]: docs/connect-teams.md."
    SignInName "sign_in.name"
        "The name of the sign-in service cannot be resolved."
        "Check teams.login_url and this machine's DNS."
    SignInUnreachable "sign_in.unreachable"
        "The sign-in service does not answer."
        "Allow outgoing connections to it on port 443, or set a proxy in HTTPS_PROXY."
    SignInCertificate "sign_in.certificate"
        "The sign-in service's certificate is not trusted: a proxy inspects TLS, or this machine's root certificates are outdated."
        "Install the proxy's root certificate on this machine, or exclude Offhook from inspection."
    SignInStranger "sign_in.stranger"
        "The answering server is not Microsoft's sign-in service."
        "Check teams.login_url; a captive portal or a proxy may answer in its place."
    SignInFailing "sign_in.failing"
        "Microsoft's sign-in service fails."
        "Wait and check https://status.cloud.microsoft. Offhook retries automatically."
    TenantUnknown "tenant.unknown"
        "Microsoft does not know the tenant (AADSTS90002)."
        "Correct teams.tenant: the directory id, or a domain of the tenant."
    ApplicationUnknown "application.unknown"
        "The application is not known in this tenant (AADSTS700016)."
        "Correct teams.client_id, or consent as an administrator of this tenant."
    ApplicationDisabled "application.disabled"
        "The application is disabled in this tenant (AADSTS7000112), or Microsoft Graph is (AADSTS500014)."
        "Switch on \"Enabled for users to sign in\" under Enterprise applications, Properties; renew the Microsoft 365 subscription if it has lapsed."
    SecretWrong "secret.wrong"
        "The client secret is wrong (AADSTS7000215). Often the secret's id was copied instead of its value."
        "Copy the value from Certificates & secrets; create a new secret if it is no longer shown."
    SecretExpired "secret.expired"
        "The client secret has expired (AADSTS7000222)."
        "Create a new secret and enter it in the configuration."
    CertificateWrong "certificate.wrong"
        "Microsoft does not accept the signature (AADSTS700027): the certificate is not the application's."
        "Upload the certificate of teams.certificate_file to the application, or configure the right one."
    AccessBlocked "access.blocked"
        "Conditional Access blocks the application (AADSTS53003)."
        "Exclude the application from the policy, or allow this machine's address."
    SignInRefused "sign_in.refused"
        "The sign-in service refuses the application for another reason."
        "Look up the AADSTS code in Microsoft's list of error codes."
    TokenForeign "token.foreign"
        "The token belongs to another tenant than the configured one."
        "Set teams.tenant to the directory id."
    ClockSkewed "clock.skewed"
        "This machine's clock is wrong by more than a minute; from five minutes on, tokens and requests fail."
        "Synchronise the clock: timedatectl set-ntp true."
    GraphName "graph.name"
        "The name of Microsoft Graph cannot be resolved."
        "Check teams.graph_url and this machine's DNS."
    GraphUnreachable "graph.unreachable"
        "Microsoft Graph does not answer."
        "Allow outgoing connections to it on port 443."
    GraphStranger "graph.stranger"
        "The answering server is not Microsoft Graph."
        "Check teams.graph_url, which has no path and no /v1.0."
    RolesNone "roles.none"
        "The token has no permissions: admin consent is missing."
        "Add the application permissions and press Grant admin consent: docs/connect-teams.md, step 2."
    RolesRead "roles.no_presence"
        "The application may not read presence."
        "Add the application permission Presence.ReadWrite.All and consent."
    RolesWrite "roles.no_write"
        "The application may read presence but not write it: PBX calls will not show in Teams."
        "Add the application permission Presence.ReadWrite.All and consent."
    RolesDirectory "roles.no_directory"
        "The application may not look up people: import them with their object ids, or add the permission."
        "Add the application permission User.ReadBasic.All (or User.Read.All) and consent."
    ReadForbidden "read.forbidden"
        "Graph forbids reading presence although the token names the permission."
        "Consent again and wait some minutes; check that no application access policy restricts it."
    Unauthorized "graph.unauthorized"
        "Graph refuses a new token: the sign-in service and Graph belong to different clouds."
        "Set teams.login_url and teams.graph_url to the same cloud, or set only teams.cloud."
    Throttled "graph.throttled"
        "Graph throttles: the tenant's request limit is exceeded."
        "Check whether another program uses the same application; lower teams.requests_per_30_seconds."
    GraphFailing "graph.failing"
        "Microsoft Graph fails."
        "Wait and check https://status.cloud.microsoft. Offhook retries automatically."
    GraphIntercepted "graph.intercepted"
        "A proxy, a firewall or a captive portal answers in place of Graph."
        "Allow access to Graph without a sign-in page or inspection; set a proxy's user name and password in HTTPS_PROXY. Without a proxy, check teams.graph_url."
    ReadEmpty "read.empty"
        "Graph returns no presence for the person: no Teams licence, or a deleted account."
        "Check the account and its licence in Entra."
    NobodyLinked "people.unlinked"
        "People have no Teams account: the tenant knows neither their user principal name nor their mail address."
        "Correct the UPN or mail address of the people listed, or import their object ids."
    TestPersonUnknown "test_person.unknown"
        "The test person does not exist in Offhook, or has no Teams account."
        "Name a person with a Teams account, by mail address, UPN or id."
    TestPersonBusy "test_person.busy"
        "Offhook has a write in force for the test person in Teams, which a test would end."
        "Choose a person without a call or Do not disturb."
    WriteRefused "write.refused"
        "Graph refuses to write the presence."
        "Add the application permission Presence.ReadWrite.All and consent; see the detail."
    WriteHidden "write.hidden"
        "The presence was written but does not show: the person chose a status by hand in Teams, or is not signed in there."
        "Have the person reset the status in Teams, then run the doctor again."
    ClearRefused "write.not_cleared"
        "The test presence could not be cleared; it expires after five minutes."
        "Run the doctor again; see the detail."
    NotificationsUnreachable "notifications.unreachable"
        "The public address for notifications cannot be reached from this machine. Some networks block the way back to their own public address; Microsoft may still reach it."
        "Check that the name resolves and that the proxy in front forwards to this server; test from outside as in docs/connect-teams.md. Polling goes on without notifications."
    NotificationsStranger "notifications.stranger"
        "Another server answers at the public address for notifications: Graph's handshake fails there."
        "Forward the address to /teams/notifications of the running server, with the query unchanged."
    NotificationsAccount "notifications.no_account"
        "No service account is signed in, which Graph requires for subscriptions to presences."
        "Run offhook service-account add."
    PbxMissing "pbx.missing"
        "The configuration has no PBX: no lines are watched."
        "Add [[pbx]]: docs/configuration.md."
    PbxName "pbx.name"
        "The PBX's name cannot be resolved."
        "Check pbx.server and this machine's DNS."
    PbxUnusable "pbx.unusable"
        "This machine cannot use the PBX's configuration."
        "Correct the key named in the detail."
    PbxSilent "pbx.silent"
        "The PBX does not answer, or closes its connections."
        "See the detail; check that the PBX runs, that host, port and transport are right, and that no firewall is in between."
    PbxPassword "pbx.password"
        "The PBX refuses user name or password."
        "Correct pbx.username and pbx.password; the account must be allowed to subscribe to extensions."
    PbxLogin "pbx.login"
        "The PBX refuses the account, although the password may be right."
        "See the detail for reason and remedy."
    PbxNoLines "pbx.no_lines"
        "No person has an extension: there are no lines to watch."
        "Import people with extensions."
    PbxLines "pbx.lines"
        "The PBX refuses some lines."
        "See the detail for lines and reasons."
    PbxRemarks "pbx.remarks"
        "The lines are watched, but the PBX sends parts that Offhook does not understand and skips."
        "See the detail; the line may lack a call."
    PbxUnregistered "pbx.unregistered"
        "The PBX accepts these extensions but reports no registered phone: the phone is switched off, or the extension is wrong."
        "Correct a wrong extension; a phone that is switched off needs no action."
    SipPortTaken "sip.port_taken"
        "Another program uses the address for phones, or this user may not use the port."
        "Stop that program, or set another port at the key named in the detail."
    SipForeign "sip.foreign"
        "The address for phones does not exist on this machine."
        "Set the key named in the detail to an address of this machine."
    SipNobody "sip.nobody"
        "Phones are served, but none may subscribe: no address is trusted, and no phone has an account."
        "Add the PBX to sip.trusted, or add a [[sip.account]] for each phone."
    SipExtension "sip.extension"
        "The extension of a [[sip.account]] belongs to no person: its phone has only the rights of sip.others."
        "Give the extension to a person, or correct it; a phone in a lobby needs no action."
    SipLoopback "sip.loopback"
        "Phones are served on this machine only, although other machines are configured."
        "Set sip.listen to an address that other machines reach."
    SipDomain "sip.domain"
        "Phones are served under another domain than the PBX's."
        "Set sip.domain and pbx.domain to the same value, unless addresses are rewritten in between."
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Fault;

    #[test]
    fn every_fault_is_in_the_documentation_with_its_remedy() {
        let text = include_str!("../../../../docs/doctor.md");
        let mut codes = BTreeSet::new();
        for fault in Fault::ALL {
            assert!(codes.insert(fault.code()), "{} twice", fault.code());
            let row = format!(
                "| `{}` | {} | {} |",
                fault.code(),
                fault.means(),
                fault.remedy()
            );
            assert!(text.contains(&row), "docs/doctor.md lacks\n{row}");
        }
        assert!(codes.len() >= 30);
    }
}
