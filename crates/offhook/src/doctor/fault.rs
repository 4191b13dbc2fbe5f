//! Every fault that the doctor can name, with what it means and what to do. docs/doctor.md has the same table.

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

            /// Its name, for programs and for looking it up.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$fault => $code,)* }
            }

            /// What it means.
            pub const fn means(self) -> &'static str {
                match self { $(Self::$fault => $means,)* }
            }

            /// What to do.
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
        "Correct the line that is named; docs/configuration.md has every key."
    SecretReadable "secret.readable"
        "A file with a secret can be read by other users of this machine."
        "chmod 600 the file."
    SecretsKey "secrets.key"
        "The key of the sealed secrets is missing, is no key, or is another one: people must sign in again, or the old key must come back."
        "Name the right key (secrets.key_file, OFFHOOK_SECRETS_KEY or the systemd credential offhook-secrets-key), or offhook rewrap OLD_KEY."
    DataUnwritable "data.unwritable"
        "The data folder cannot be made or written."
        "Set `data` or OFFHOOK_DATA to a folder of this user's."
    DatabaseDamaged "database.damaged"
        "The database is no database, or parts of it are damaged."
        "Restore a backup: offhook restore FILE --force keeps the present one beside it."
    DatabaseNewer "database.newer"
        "The database was made by a newer or another version of Offhook."
        "Run that version, or restore a backup of this one."
    NobodyImported "people.none"
        "There are no people yet."
        "offhook import people.csv, or fetch them from Entra."
    NothingCrosses "people.mode_none"
        "Synchronisation is off for everybody."
        "Set the mode of the organisation, a location or a person: docs/connect-teams.md, step 5."
    PortTaken "server.port_taken"
        "Another program listens where Offhook shall listen."
        "Stop that program, or set http.listen to another port."
    ServerTrouble "server.trouble"
        "The running server reports trouble with one of its parts."
        "See the part and its own remedy beside."
    ServerWarning "server.warning"
        "The running server reports something that may be wrong."
        "See the part and its own remedy beside."
    TeamsMissing "teams.missing"
        "The configuration has no tenant: Teams is neither read nor written."
        "Add [teams]: docs/connect-teams.md."
    SignInName "sign_in.name"
        "The name of the sign-in service cannot be resolved."
        "Check teams.login_url and this machine's DNS."
    SignInUnreachable "sign_in.unreachable"
        "Nothing answers at the sign-in service's address."
        "Let this machine make outgoing connections to it on port 443; a proxy is taken from HTTPS_PROXY."
    SignInCertificate "sign_in.certificate"
        "The sign-in service's certificate is not trusted: something stands between, or this machine's roots are old."
        "Install the roots of your proxy on this machine, or let Offhook go past it."
    SignInStranger "sign_in.stranger"
        "What answers is not Microsoft's sign-in service."
        "Check teams.login_url; a captive portal or a proxy's own page answers like this."
    SignInFailing "sign_in.failing"
        "The sign-in service itself fails."
        "Wait; Microsoft tells at https://status.cloud.microsoft. Offhook tries again by itself."
    TenantUnknown "tenant.unknown"
        "Microsoft does not know the tenant (AADSTS90002)."
        "Correct teams.tenant: the directory id, or a domain of it."
    ApplicationUnknown "application.unknown"
        "The application is not known in this tenant (AADSTS700016)."
        "Correct teams.client_id, or consent as an administrator of this tenant."
    ApplicationDisabled "application.disabled"
        "The application is disabled in this tenant (AADSTS7000112), or Microsoft Graph is (AADSTS500014)."
        "Switch on \"Enabled for users to sign in\" under Enterprise applications, Properties; renew the Microsoft 365 subscription if it has lapsed."
    SecretWrong "secret.wrong"
        "The client secret is wrong (AADSTS7000215). Often the secret's id was copied instead of its value."
        "Copy the value from Certificates & secrets; make a new secret if it is no longer shown."
    SecretExpired "secret.expired"
        "The client secret's time is over (AADSTS7000222)."
        "Make a new one and put it into the configuration."
    CertificateWrong "certificate.wrong"
        "Microsoft does not accept the signature (AADSTS700027): the certificate is not the application's."
        "Upload the certificate of teams.certificate_file at the application, or name the right one."
    AccessBlocked "access.blocked"
        "Conditional Access blocks the application (AADSTS53003)."
        "Exclude the application from the policy, or allow this machine's address."
    SignInRefused "sign_in.refused"
        "The sign-in service refuses the application for another reason."
        "Look up the AADSTS number in Microsoft's list of error codes."
    TokenForeign "token.foreign"
        "The token is of another tenant than the configured one."
        "Write the directory id into teams.tenant."
    ClockSkewed "clock.skewed"
        "This machine's clock is off by more than a minute; from five minutes on tokens and calls fail."
        "Synchronise the clock: timedatectl set-ntp true."
    GraphName "graph.name"
        "The name of Microsoft Graph cannot be resolved."
        "Check teams.graph_url and this machine's DNS."
    GraphUnreachable "graph.unreachable"
        "Nothing answers at Microsoft Graph's address."
        "Let this machine make outgoing connections to it on port 443."
    GraphStranger "graph.stranger"
        "What answers is not Microsoft Graph."
        "Check teams.graph_url; it has no path, and no /v1.0."
    RolesNone "roles.none"
        "The token carries no permissions: nobody has consented."
        "Add the application permissions and press Grant admin consent: docs/connect-teams.md, step 2."
    RolesRead "roles.no_presence"
        "The application may not read presence."
        "Add the application permission Presence.ReadWrite.All and consent."
    RolesWrite "roles.no_write"
        "The application may read presence but not write it: telephone calls will not show in Teams."
        "Add the application permission Presence.ReadWrite.All and consent."
    RolesDirectory "roles.no_directory"
        "The application may not look people up: they must be imported with their object ids."
        "Add the application permission User.ReadBasic.All (or User.Read.All) and consent."
    ReadForbidden "read.forbidden"
        "Graph forbids reading presence although the token names the permission."
        "Consent again and wait some minutes; check that no application access policy narrows it."
    Unauthorized "graph.unauthorized"
        "Graph refuses a fresh token: sign-in and Graph are of different clouds."
        "Let teams.login_url and teams.graph_url belong to one cloud, or set teams.cloud alone."
    Throttled "graph.throttled"
        "Graph throttles: more is asked than the tenant is allowed."
        "See whether another program uses the same application; lower teams.requests_per_30_seconds."
    GraphFailing "graph.failing"
        "Graph itself fails."
        "Wait; Microsoft tells at https://status.cloud.microsoft. Offhook tries again by itself."
    GraphIntercepted "graph.intercepted"
        "A proxy, a firewall or a captive portal answers in place of Graph."
        "Let this machine reach Graph without a sign-in page or inspection; a proxy's user name and password belong into HTTPS_PROXY. If there is none, check teams.graph_url."
    ReadEmpty "read.empty"
        "Graph tells nothing of the person asked for: no Teams licence, or deleted."
        "Check the account in Entra and its licence."
    NobodyLinked "people.unlinked"
        "People have no Teams account: neither their sign-in name nor their mail is known in the tenant."
        "Correct the UPN or mail of those named, or import their object ids."
    TestPersonUnknown "test_person.unknown"
        "The person to test with is not known here, or has no Teams account."
        "Name somebody by mail, sign-in name or id who has one."
    TestPersonBusy "test_person.busy"
        "Offhook holds a state of the person in Teams right now; a test would end it."
        "Choose somebody who is in no call."
    WriteRefused "write.refused"
        "Graph does not let the presence be written."
        "Add the application permission Presence.ReadWrite.All and consent; the text beside says more."
    WriteHidden "write.hidden"
        "The presence was written but does not show: the person chose a state by hand in Teams, or nobody is signed in there."
        "Let the person reset their status in Teams and try again."
    ClearRefused "write.not_cleared"
        "What was written could not be taken back; it ends by itself after five minutes."
        "Run the doctor again; the text beside says more."
    NotificationsUnreachable "notifications.unreachable"
        "The public address for notifications cannot be reached from here. Some networks do not lead their own machines there; then Microsoft may all the same."
        "Let the name resolve and the proxy in front lead to this server; try from outside as docs/connect-teams.md says. Presences are read all the same."
    NotificationsStranger "notifications.stranger"
        "What answers at the public address for notifications is not this server: Graph's handshake fails there."
        "Let the address lead to /teams/notifications of the running server, with the query unchanged."
    NotificationsAccount "notifications.no_account"
        "No service account is signed in: Graph lets nobody subscribe to presences without one."
        "offhook service-account add"
    PbxMissing "pbx.missing"
        "The configuration has no telephone system: no lines are watched."
        "Add [[pbx]]: docs/configuration.md."
    PbxName "pbx.name"
        "The telephone system's name cannot be resolved."
        "Check pbx.server and this machine's DNS."
    PbxUnusable "pbx.unusable"
        "The connection's configuration cannot work on this machine."
        "Correct what is named."
    PbxSilent "pbx.silent"
        "The telephone system does not answer, or its connection does not last."
        "See the text beside; check that it runs, that host, port and transport are right, and that no firewall is between."
    PbxPassword "pbx.password"
        "The telephone system refuses user name or password."
        "Correct pbx.username and pbx.password; the account must be allowed to watch extensions."
    PbxLogin "pbx.login"
        "The phone system refuses the account, and nothing proves that the password is wrong."
        "The text beside names the reason and the remedy."
    PbxNoLines "pbx.no_lines"
        "Nobody has an extension: there is nothing to watch."
        "Import people with their extensions."
    PbxLines "pbx.lines"
        "The telephone system refuses some lines."
        "The text beside names them with the reason."
    PbxRemarks "pbx.remarks"
        "The lines are watched, but the phone system sends parts that Offhook does not understand and leaves out."
        "See the text beside; what the line shows may lack a call."
    PbxUnregistered "pbx.unregistered"
        "The phone system accepts these extensions, but says that no phone is registered for them: they are switched off, or the number is wrong."
        "Correct the extension where it is wrong; a phone that is switched off needs nothing."
    SipPortTaken "sip.port_taken"
        "Another program listens where phones are to be served, or the port is not this user's to take."
        "Stop that program, or set another port at the key that is named."
    SipForeign "sip.foreign"
        "Phones are to be served at an address that this machine does not have."
        "Set the key that is named to an address of this machine."
    SipNobody "sip.nobody"
        "Telephones are served, but nobody may ask: no address is trusted, and no telephone has a password."
        "Name the telephone system in sip.trusted, or add a [[sip.account]] for each telephone."
    SipExtension "sip.extension"
        "The extension of a [[sip.account]] is nobody's: its phone sees only what sip.others allows."
        "Give the extension to a person, or correct it; a phone in a lobby needs nothing."
    SipLoopback "sip.loopback"
        "Telephones are served to this machine only, but others are to ask."
        "Set sip.listen to an address that they reach."
    SipDomain "sip.domain"
        "Telephones are served for another domain than the telephone system has."
        "Give sip.domain and pbx.domain the same value, unless addresses are rewritten between."
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
