//! Sign-in to a local account by name and password, for the API and the sign-in page.

mod attempts;

use std::net::{IpAddr, SocketAddr};

pub use attempts::{SECONDS_EACH, Target, WrongPasswords};
use runtime::{
    context::Context,
    sign_in_record::{Outcome, Way},
};
use store::Account;

use crate::{password, problem::Problem};

/// Reason for refusing a sign-in.
pub enum Refusal {
    /// Name or password are wrong.
    Wrong,
    /// Too many wrong passwords: another attempt is allowed in [`SECONDS_EACH`].
    TooMany,
    /// Too many passwords wait to be checked: another attempt is allowed in [`password::BUSY_SECONDS`].
    Busy,
    /// Another failure.
    Problem(Problem),
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Problem(error.into())
    }
}

/// Returns the account of a name and a password. Records the sign-in.
///
/// # Errors
/// See [`Refusal`].
pub async fn check(
    context: &Context,
    wrong_passwords: &WrongPasswords,
    from: SocketAddr,
    name: &str,
    given: String,
) -> Result<Account, Refusal> {
    let account = context.store.account_by_name(name).await?;
    let attempt = Attempt {
        way: Way::Password,
        address: from.ip(),
        target: Target::new(account.as_ref(), name),
        name,
    };
    attempt
        .check(context, wrong_passwords, account, given)
        .await
}

/// An attempt to sign in to an account, or to confirm its password.
pub struct Attempt<'a> {
    /// The kind of the sign-in.
    pub way: Way,
    /// Address of the client.
    pub address: IpAddr,
    /// The account, or the name if no account has it.
    pub target: Target,
    /// The name of the account, as entered.
    pub name: &'a str,
}

impl Attempt<'_> {
    /// Returns the account if the password is right. Records success and wrong passwords.
    pub async fn check(
        self,
        context: &Context,
        wrong_passwords: &WrongPasswords,
        account: Option<Account>,
        given: String,
    ) -> Result<Account, Refusal> {
        let checked = checked(wrong_passwords, &self, account, given).await;
        let (outcome, name) = match &checked {
            // The person is already signed in: nothing to record.
            Ok(_) if self.way == Way::PresentPassword => return checked,
            Ok(account) => (Outcome::SignedIn, account.name.as_str()),
            Err(Refusal::Wrong) => (Outcome::Wrong, self.name),
            Err(Refusal::TooMany) => (Outcome::TooMany, self.name),
            // The password was not checked.
            Err(Refusal::Busy | Refusal::Problem(_)) => return checked,
        };
        context
            .record_sign_in(self.way, outcome, self.address, name)
            .await;
        checked
    }
}

async fn checked(
    wrong: &WrongPasswords,
    attempt: &Attempt<'_>,
    account: Option<Account>,
    given: String,
) -> Result<Account, Refusal> {
    let (network, target) = (sip::network(attempt.address), &attempt.target);
    // Joins the queue before counting: a password that is not checked is no attempt.
    let place = password::queue(network).map_err(|password::Busy| Refusal::Busy)?;
    if !wrong.begin(wrong.now(), target, network) {
        return Err(Refusal::TooMany);
    }
    let hash = account
        .as_ref()
        .and_then(|account| account.password_hash.clone());
    let too_long = given.len() > password::LENGTH_MAX;
    let right = !too_long
        && place
            .verify(given, hash)
            .await
            .map_err(|error| Problem::unavailable(&error.to_string()))?;
    let account = account.filter(|_| right).ok_or(Refusal::Wrong)?;
    wrong.succeeded(target, network);
    Ok(account)
}
