//! What request handlers share.

use std::{collections::BTreeMap, sync::Arc};

use ipnet::IpNet;
use presence::PersonId;
use tokio::sync::watch;

use crate::{
    access::Access,
    agents::{Agents, PairingCodes},
    api,
    board::Demo,
    calendars::Calendars,
    change_limit::ChangeLimit,
    context::Context,
    doctor::Doctor,
    entra::DirectorySync,
    jobs::Jobs,
    open_id,
    preconditions::OngoingChanges,
    restores::Restores,
    sign_in::WrongPasswords,
    teams::TeamsHandle,
};

/// Beginning of an encrypted address.
const HTTPS: &str = "https://";

/// What request handlers share.
pub(crate) type Shared = Arc<SharedState>;

#[derive(Debug)]
pub(crate) struct SharedState {
    pub(super) context: Context,
    /// The connections to the tenants of Teams.
    pub(crate) teams: TeamsHandle,
    /// Synchronisations of people with the directories of tenants, by the names of these tenants.
    pub(crate) directory_syncs: BTreeMap<Arc<str>, DirectorySync>,
    /// Calendars of people.
    pub(crate) calendars: Calendars,
    /// Connected desktop agents.
    pub(crate) agents: Agents,
    pub(crate) access: Access,
    /// The changes that are under way, so that conditional and repeated ones are one step.
    pub(crate) ongoing_changes: OngoingChanges,
    /// Who examines the installation, if anybody can.
    pub(crate) doctor: Option<Doctor>,
    /// Who restores backups, if anybody can.
    pub(crate) restores: Option<Restores>,
    /// Held while that is done.
    pub(crate) examination: tokio::sync::Mutex<()>,
    /// The organisation's own sign-in, if there is one.
    pub(crate) open_id: Option<open_id::Provider>,
    /// Those who are signing in there.
    pub(crate) open_id_attempts: open_id::Attempts,
    /// Codes by which agents come to their secrets.
    pub(crate) codes: PairingCodes,
    /// Ids of events, as viewers see them.
    pub(crate) event_tokens: api::EventTokens,
    /// What administrators started that takes long.
    pub(crate) jobs: Jobs,
    /// How fast accounts and agents change things.
    pub(crate) change_limit: ChangeLimit,
    /// Wrong passwords at signing in.
    pub(crate) wrong_passwords: WrongPasswords,
    /// Grows whenever something that lets people in stops doing so.
    pub(crate) revoked: watch::Sender<u64>,
    /// Appointments of one person are stored and put in force one change at a time; people share a few locks.
    pub(super) appointment_changes: [tokio::sync::Mutex<()>; 64],
    pub(crate) stopping: watch::Receiver<bool>,
    /// Proxies before the server.
    pub(crate) proxies: Vec<IpNet>,
    /// The address by which people open the pages, without a slash at the end.
    pub(crate) public_url: String,
    pub(crate) demo: Option<Demo>,
}

impl std::ops::Deref for SharedState {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.context
    }
}

impl SharedState {
    /// Held while an appointment of the person changes, in the store and in the engine.
    pub(crate) async fn one_appointment_change(
        &self,
        person: PersonId,
    ) -> tokio::sync::MutexGuard<'_, ()> {
        let locks = &self.appointment_changes;
        locks[person.0 as usize % locks.len()].lock().await
    }

    /// Whether people open the pages by https.
    pub(crate) fn is_https(&self) -> bool {
        let scheme = self.public_url.get(..HTTPS.len());
        scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(HTTPS))
    }

    /// The last attribute of every cookie: `Secure` where the pages are opened by https.
    pub(crate) fn cookie_end(&self) -> &'static str {
        if self.is_https() { "; Secure" } else { "" }
    }

    /// A key, an account, a session or a password opens nothing any more: whoever came in by one must come in again.
    pub(crate) fn revoke(&self) {
        self.revoked.send_modify(|revoked| *revoked += 1);
    }
}
