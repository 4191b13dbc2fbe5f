//! The client's side of digest (RFC 3261 §22, RFC 7616 §3.4): answers challenges and interprets refusals.
//!
//! A 401 or 407 proves wrong credentials only if it rejects the response to a challenge of the same realm and the same attempt, and
//! not with `stale=true`. Any other 401 or 407 means an expired nonce, a second realm that needs an answer too, or a server that
//! has restarted.

use super::{Challenge, ChallengeProblem, Challenges, Credentials, Session};
use crate::{ids::Ids, message::Message};

/// Most realms answered in one request, such as a proxy and a PBX. The oldest is forgotten first.
const SPACES_MAX: usize = 4;

/// Challenges that are answered in one attempt: two realms with an old nonce each need four at most.
const ROUNDS_MAX: u8 = 5;

/// The next step after a 401 or 407.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Send the request again, with responses to the new challenges.
    Answer,
    /// Send the request again, without credentials: the server no longer knows the nonce of an earlier attempt and sent no
    /// new one.
    RetryWithoutCredentials,
    /// The response to a challenge of this attempt was refused, without another challenge: wrong credentials, or within a dialog
    /// one that the server no longer knows.
    RefusedWithoutChallenge,
    /// The response to a challenge of this attempt was rejected.
    WrongCredentials,
    /// No password can answer the challenge.
    Unusable(ChallengeProblem),
}

/// Conclusion about user name and password from a final answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The credentials were accepted, or none are required.
    Accepted,
    /// 403 to a request with credentials: some servers answer 403 to a wrong password, others to missing rights.
    Forbidden,
}

/// Age of a nonce, and whether the server has accepted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nonce {
    /// From an earlier attempt; it may have expired.
    Earlier,
    /// From this attempt, not accepted yet.
    Fresh,
    /// From this attempt, and accepted: the next challenge came from another realm.
    Accepted,
}

#[derive(Clone, Debug)]
struct Space {
    session: Session,
    nonce: Nonce,
}

/// The challenges of one client that are being answered, one for each realm of a server or proxy.
///
/// The owner calls [`Self::begin`] before the first request of an attempt, [`Self::authorize`] for each request, and
/// [`Self::on_refused`] for each 401 and 407. An attempt ends after at most six requests.
#[derive(Clone, Debug, Default)]
pub struct ClientAuthentication {
    spaces: Vec<Space>,
    rounds: u8,
    /// A nonce of an earlier attempt was refused: further attempts begin without credentials. That costs a round trip; an
    /// expired nonce may cost the whole dialog (FreeSWITCH).
    starts_without_credentials: bool,
}

impl ClientAuthentication {
    /// Begins an attempt: all known nonces count as possibly expired.
    pub fn begin(&mut self) {
        self.rounds = 0;
        if self.starts_without_credentials {
            self.spaces.clear();
        }
        for space in &mut self.spaces {
            space.nonce = Nonce::Earlier;
        }
    }

    /// Forgets every nonce: the next request carries no credentials.
    pub fn forget(&mut self) {
        self.spaces.clear();
    }

    /// Whether the last request carried a nonce of an earlier attempt, which may have expired.
    pub fn has_earlier_nonces(&self) -> bool {
        self.spaces.iter().any(|one| one.nonce == Nonce::Earlier)
    }

    /// Names and values of the headers that answer the challenges for one request: one for each realm (RFC 3261 §22.3).
    pub fn authorize(
        &mut self,
        credentials: &Credentials,
        method: &str,
        uri: &str,
        ids: &mut Ids,
    ) -> Vec<(&'static str, String)> {
        let answer = |space: &mut Space| {
            let session = &mut space.session;
            session.authorize(credentials, method, uri, &ids.nonce())
        };
        self.spaces.iter_mut().map(answer).collect()
    }

    /// Evidence about the credentials in a final answer; `None` for 401 and 407, for server errors, and for a refused request
    /// without credentials.
    pub fn evidence(&self, code: u16) -> Option<Evidence> {
        let has_credentials = !self.spaces.is_empty();
        match code {
            200..=299 => Some(Evidence::Accepted),
            403 if has_credentials => Some(Evidence::Forbidden),
            401 | 403 | 407 | 408 => None,
            400..=499 | 600..=699 if has_credentials => Some(Evidence::Accepted),
            _ => None,
        }
    }

    /// Applies the challenges of a 401 or 407 and returns the next step. `credentials` are the account's.
    pub fn on_refused(
        &mut self,
        response: &Message<'_>,
        credentials: Option<&Credentials>,
    ) -> Verdict {
        self.rounds = self.rounds.saturating_add(1);
        let verdict = self.judge(&Challenges::of(response), credentials.is_some());
        match verdict {
            Verdict::Answer => {}
            Verdict::RetryWithoutCredentials
            | Verdict::RefusedWithoutChallenge
            | Verdict::WrongCredentials
            | Verdict::Unusable(_) => self.forget(),
        }
        verdict
    }

    fn judge(&mut self, challenges: &Challenges, has_credentials: bool) -> Verdict {
        let obstacle = challenges.obstacle();
        if self.rounds > ROUNDS_MAX {
            return Verdict::Unusable(obstacle.cloned().unwrap_or(ChallengeProblem::Endless));
        }
        if challenges.usable.is_empty() && obstacle.is_none() {
            return self.judge_without_challenge();
        }
        if !has_credentials {
            return Verdict::Unusable(obstacle.cloned().unwrap_or(ChallengeProblem::NoCredentials));
        }
        if self.answer_all(&challenges.usable) {
            return Verdict::Answer;
        }
        match obstacle {
            Some(why) => Verdict::Unusable(why.clone()),
            None => Verdict::WrongCredentials,
        }
    }

    fn judge_without_challenge(&mut self) -> Verdict {
        if self.spaces.is_empty() {
            return Verdict::Unusable(ChallengeProblem::NoChallenge);
        }
        if self.has_earlier_nonces() {
            self.starts_without_credentials = true;
            return Verdict::RetryWithoutCredentials;
        }
        Verdict::RefusedWithoutChallenge
    }

    /// Applies the challenges; returns whether one of them is new, so that another request may be accepted.
    fn answer_all(&mut self, challenges: &[Challenge]) -> bool {
        self.accept_others(challenges);
        let mut best: Vec<&Challenge> = Vec::new();
        for challenge in challenges {
            match best.iter().position(|one| one.is_same_space(challenge)) {
                // The first of the best of its realm: servers list them by their own preference.
                Some(at) if challenge.algorithm > best[at].algorithm => best[at] = challenge,
                Some(_) => {}
                None if best.len() < SPACES_MAX => best.push(challenge),
                None => {}
            }
        }
        let mut is_new = false;
        for challenge in best {
            is_new |= self.answer(challenge);
        }
        is_new
    }

    /// Marks responses as accepted when another realm sends the next challenge: its server is further down the path. A proxy's
    /// challenge proves nothing about a server behind the proxy.
    fn accept_others(&mut self, challenges: &[Challenge]) {
        let is_from_server = challenges.iter().any(|challenge| !challenge.proxy);
        for space in &mut self.spaces {
            let challenge = &space.session.challenge;
            let is_asked = challenges.iter().any(|c| c.is_same_space(challenge));
            let is_passed = !is_asked && (challenge.proxy || is_from_server);
            if space.nonce == Nonce::Fresh && is_passed {
                space.nonce = Nonce::Accepted;
            }
        }
    }

    /// Answers one challenge from now on; returns whether it is more than the rejection of an answer.
    fn answer(&mut self, challenge: &Challenge) -> bool {
        let fresh = Space {
            session: Session::new(challenge.clone()),
            nonce: Nonce::Fresh,
        };
        let is_same = |space: &&mut Space| space.session.challenge.is_same_space(challenge);
        if let Some(space) = self.spaces.iter_mut().find(is_same) {
            let is_rejected = space.nonce == Nonce::Fresh && !challenge.stale;
            self.starts_without_credentials |= space.nonce == Nonce::Earlier;
            *space = fresh;
            return !is_rejected;
        }
        // FreeSWITCH answers an old Proxy-Authorization with WWW-Authenticate of the same realm.
        self.spaces.retain(|space| {
            let is_replaced = space.session.challenge.realm == challenge.realm;
            !(is_replaced && space.nonce == Nonce::Earlier)
        });
        if self.spaces.len() >= SPACES_MAX {
            self.spaces.remove(0);
        }
        self.spaces.push(fresh);
        true
    }
}

#[cfg(test)]
mod tests;
