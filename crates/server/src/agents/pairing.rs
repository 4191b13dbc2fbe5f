//! How an agent comes to its secret: the web application shows a short code to the person, and the agent exchanges it.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use agent_protocol::{PairRequest, PairResponse};
use axum::extract::{ConnectInfo, State};
use presence::{PersonId, Timestamp};
use store::SecretHash;
use tokio::time::Instant;

use crate::{
    api::Json,
    app::Shared,
    audit::Own,
    pace::Pace,
    problem::Problem,
    secrets::{hash, new_secret},
    sign_in_record::{Outcome, Way},
};

/// How long a code is good.
const LIFETIME: Duration = Duration::from_secs(10 * 60);
/// Codes that wait at once; nobody needs more.
const CODES_MAX: usize = 100_000;
/// Characters that nobody takes for another.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
/// Characters of a code: 40 random bits.
const LENGTH: usize = 8;
/// Wrong codes from one address at once, then one in ten seconds.
const ATTEMPTS: f64 = 30.0;
const PER_SECOND: f64 = 0.1;
/// A longer name is no machine's, in characters.
const NAME_MAX: usize = 100;
/// The systems that agents run on.
pub(crate) const SYSTEMS: [&str; 3] = ["linux", "macos", "windows"];

/// The codes that wait to be typed.
#[derive(Debug)]
pub(crate) struct Codes {
    began: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    waiting: HashMap<SecretHash, (PersonId, Timestamp)>,
    wrong: Pace<std::net::IpAddr>,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            inner: Mutex::new(Inner {
                waiting: HashMap::new(),
                wrong: Pace::new(ATTEMPTS, PER_SECOND),
            }),
        }
    }
}

impl Codes {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new code for a person, and until when it is good. An older one is worth nothing any more.
    pub(crate) fn new_code(
        &self,
        person: PersonId,
        now: Timestamp,
    ) -> Result<(String, Timestamp), Problem> {
        let mut random = [0; LENGTH];
        getrandom::fill(&mut random)?;
        let letters = random.map(|byte| char::from(LETTERS[usize::from(byte) % LETTERS.len()]));
        let code: String = letters.iter().collect();
        let until = now + LIFETIME;
        let mut inner = self.lock();
        inner
            .waiting
            .retain(|_, (of, until)| *of != person && *until > now);
        if inner.waiting.len() >= CODES_MAX {
            return Err(Problem::unavailable(
                "too many codes wait to be typed; try again in some minutes",
            ));
        }
        inner.waiting.insert(hash(&code), (person, until));
        let (one, other) = code.split_at(LENGTH / 2);
        Ok((format!("{one}-{other}"), until))
    }

    /// Whose code it is; it is used up then.
    fn redeem(&self, code: &str, now: Timestamp) -> Option<PersonId> {
        let code: String = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_uppercase())
            .collect();
        let (person, until) = self.lock().waiting.remove(&hash(&code))?;
        (until > now).then_some(person)
    }

    /// Whether an address may try; each try counts until it was right.
    fn may_try(&self, address: std::net::IpAddr) -> bool {
        self.lock().wrong.take(self.began.elapsed(), address, 1.0)
    }

    /// The code of a try was right. Only this try is given back: a code of one's own does not pay for guesses at others'.
    fn was_right(&self, address: &std::net::IpAddr) {
        self.lock().wrong.give_back(address, 1.0);
    }
}

/// `POST /agent/v1/pair`: exchanges a code for the secret of a new device.
pub(crate) async fn pair(
    State(shared): State<Shared>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Json(wish): Json<PairRequest>,
) -> Result<axum::Json<PairResponse>, Problem> {
    let address = sip::network(from.ip());
    let note = async |outcome, name: &str| {
        let (way, from) = (Way::AgentCode, from.ip());
        shared.note_sign_in(way, outcome, from, name).await;
    };
    if !shared.codes.may_try(address) {
        note(Outcome::TooMany, "").await;
        return Err(Problem::too_many_attempts(10));
    }
    let name = wish.name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.contains(char::is_control) {
        let detail = format!("must be one line of at most {NAME_MAX} characters");
        return Err(Problem::invalid("name", detail));
    }
    if !SYSTEMS.contains(&wish.system.as_str()) {
        let detail = format!("{:?} is none of {}", wish.system, SYSTEMS.join(", "));
        return Err(Problem::invalid("system", detail));
    }
    let now = shared.clock.now();
    let wrong = || {
        let detail = "is wrong, used or older than ten minutes; get a new one in Offhook under \"My computers\"";
        Problem::invalid("code", detail)
    };
    let person = shared.codes.redeem(&wish.code, now);
    let Some(person) = person.and_then(|person| shared.directory.person(person)) else {
        note(Outcome::Wrong, "").await;
        return Err(wrong());
    };
    shared.codes.was_right(&address);
    let token = format!("oha_{}", new_secret()?);
    let owner = person.id.to_string();
    let change = Own::DeviceAdd.change(now, "the person, by a code", &owner);
    let device = (person.id, &hash(&token));
    let added = shared.store.add_device(device, name, &wish.system, &change);
    added.await?;
    note(Outcome::SignedIn, &person.name).await;
    Ok(axum::Json(PairResponse {
        token,
        person: person.name.clone(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_milliseconds(1_000);
    const ANNA: PersonId = PersonId(1);

    #[test]
    fn a_code_is_good_once_for_ten_minutes_however_it_is_typed() {
        let codes = Codes::default();
        let (code, until) = codes.new_code(ANNA, NOW).unwrap();
        assert_eq!((code.len(), until), (9, NOW + LIFETIME));
        let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
        assert_eq!(codes.redeem(&typed, NOW), Some(ANNA));
        assert_eq!(codes.redeem(&code, NOW), None, "used");
        let (code, until) = codes.new_code(ANNA, NOW).unwrap();
        assert_eq!(codes.redeem(&code, until), None, "too old");
    }

    #[test]
    fn a_new_code_takes_the_place_of_the_old_one() {
        let codes = Codes::default();
        let (old, _) = codes.new_code(ANNA, NOW).unwrap();
        let (other, _) = codes.new_code(PersonId(2), NOW).unwrap();
        let (new, _) = codes.new_code(ANNA, NOW).unwrap();
        assert_eq!(codes.redeem(&old, NOW), None);
        assert_eq!(codes.redeem(&other, NOW), Some(PersonId(2)));
        assert_eq!(codes.redeem(&new, NOW), Some(ANNA));
    }

    #[test]
    fn nobody_guesses_for_long() {
        let codes = Codes::default();
        let address = "192.0.2.1".parse().unwrap();
        let tries = (0..100).filter(|_| codes.may_try(address)).count();
        assert!(tries <= 31, "{tries}");
        assert!(codes.may_try("192.0.2.2".parse().unwrap()));
    }

    // S12, L2
    #[test]
    fn a_code_of_ones_own_pays_for_no_guesses_at_others() {
        let codes = Codes::default();
        let address = "192.0.2.1".parse().unwrap();
        let guesses = (0..100).filter(|_| {
            if codes.may_try(address) {
                codes.was_right(&address);
            }
            codes.may_try(address)
        });
        let guesses = guesses.count();
        assert!((29..=31).contains(&guesses), "{guesses}");
    }
}
