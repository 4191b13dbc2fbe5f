//! Passwords of local accounts: Argon2id with the parameters that the crate's authors recommend (OWASP's second choice: 19
//! MiB, two passes). A hash takes a core for tens of milliseconds: hashes run on threads of their own, `PARALLEL_HASHES`
//! at a time, each in a block of memory that is reused. The queue of passwords is bounded, in total and by network.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version,
    password_hash::{Ident, Output, ParamsString, PasswordHash, SaltString},
};
use subtle::ConstantTimeEq;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Hashes at a time: more would slow down calls, and each needs 19 MiB.
const PARALLEL_HASHES: usize = 2;
/// Largest number of passwords that wait to be checked, from all networks.
const WAITING_MAX: usize = 256;
/// The same from one network, so that one network cannot block the others.
const WAITING_OF_ADDRESS_MAX: usize = 8;
/// Seconds after which a refused sign-in may be repeated.
pub const BUSY_SECONDS: u32 = 2;
/// Least length in bytes (NIST SP 800-63B).
pub const LENGTH_MIN: usize = 8;
/// Largest length in bytes.
pub const LENGTH_MAX: usize = 256;

static TURNS: Semaphore = Semaphore::const_new(PARALLEL_HASHES);
/// Free blocks of memory.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());
static QUEUE: Mutex<Queue> = Mutex::new(Queue {
    all: 0,
    by_address: BTreeMap::new(),
});

/// Why a password could not be hashed or checked.
#[derive(Debug, thiserror::Error)]
#[error("the password could not be hashed: {0}; try again")]
pub struct HashError(String);

/// Too many passwords wait to be checked.
#[derive(Debug, PartialEq, Eq)]
pub struct Busy;

#[derive(Debug)]
struct Queue {
    all: usize,
    by_address: BTreeMap<IpAddr, usize>,
}

/// A place in the queue of passwords to check; released when dropped.
#[derive(Debug)]
pub struct QueueTicket(IpAddr);

/// Joins the queue for a network.
///
/// # Errors
/// The queue is full.
pub fn queue(network: IpAddr) -> Result<QueueTicket, Busy> {
    let mut queue = lock(&QUEUE);
    let of_address = queue.by_address.get(&network).copied().unwrap_or_default();
    if queue.all >= WAITING_MAX || of_address >= WAITING_OF_ADDRESS_MAX {
        return Err(Busy);
    }
    queue.all += 1;
    queue.by_address.insert(network, of_address + 1);
    Ok(QueueTicket(network))
}

impl Drop for QueueTicket {
    fn drop(&mut self) {
        let mut queue = lock(&QUEUE);
        queue.all -= 1;
        if let Some(count) = queue.by_address.get_mut(&self.0) {
            *count -= 1;
            if *count == 0 {
                queue.by_address.remove(&self.0);
            }
        }
    }
}

impl QueueTicket {
    /// Whether the password matches the hash. Without a hash the check takes as long and fails, so that the time does not
    /// reveal which accounts exist.
    ///
    /// # Errors
    /// The hash is not one of [`hash`].
    pub async fn verify(self, password: String, hash: Option<String>) -> Result<bool, HashError> {
        aside(move |memory| {
            let _until_done = self;
            match hash {
                Some(hash) => is_of(&password, &hash, memory),
                None => {
                    derive(&params()?, password.as_bytes(), &[0; 16], memory)?;
                    Ok(false)
                }
            }
        })
        .await
    }
}

/// The hash to store.
///
/// # Errors
/// No random numbers or no memory.
pub async fn hash(password: String) -> Result<String, HashError> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| HashError(error.to_string()))?;
    aside(move |memory| {
        let params = params()?;
        let hash = derive(&params, password.as_bytes(), &salt, memory)?;
        let salt = SaltString::encode_b64(&salt).map_err(failed)?;
        let stored = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(failed)?,
            salt: Some(salt.as_salt()),
            hash: Some(Output::new(&hash).map_err(failed)?),
        };
        Ok(stored.to_string())
    })
    .await
}

fn is_of(password: &str, stored: &str, memory: &mut Vec<Block>) -> Result<bool, HashError> {
    let stored = PasswordHash::new(stored).map_err(failed)?;
    let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
        return Err(HashError("the stored hash has no salt or no hash".into()));
    };
    let is_ours: bool = stored.algorithm == Ident::from(Algorithm::Argon2id)
        && stored.version == Some(Version::V0x13.into());
    let params = Params::try_from(&stored).map_err(failed)?;
    if !is_ours || params.block_count() > self::params()?.block_count() {
        return Err(HashError("the stored hash is of another kind".into()));
    }
    let mut bytes = [0; 64];
    let salt = salt.decode_b64(&mut bytes).map_err(failed)?;
    let computed = derive(&params, password.as_bytes(), salt, memory)?;
    Ok(computed.ct_eq(expected.as_bytes()).into())
}

fn params() -> Result<Params, HashError> {
    let (memory, passes, lanes) = (
        Params::DEFAULT_M_COST,
        Params::DEFAULT_T_COST,
        Params::DEFAULT_P_COST,
    );
    Params::new(memory, passes, lanes, Some(Params::DEFAULT_OUTPUT_LEN)).map_err(failed)
}

fn derive(
    params: &Params,
    password: &[u8],
    salt: &[u8],
    memory: &mut Vec<Block>,
) -> Result<Vec<u8>, HashError> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        let more = blocks - memory.len();
        memory.try_reserve_exact(more).map_err(failed)?;
        memory.resize(blocks, Block::default());
    }
    let mut hash = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, salt, &mut hash, memory.as_mut_slice())
        .map_err(failed)?;
    Ok(hash)
}

fn failed(error: impl ToString) -> HashError {
    HashError(error.to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn aside<T: Send + 'static>(
    work: impl FnOnce(&mut Vec<Block>) -> Result<T, HashError> + Send + 'static,
) -> Result<T, HashError> {
    // The semaphore is never closed; if it were, no memory would be given out.
    let turn: SemaphorePermit<'static> = TURNS.acquire().await.map_err(failed)?;
    tokio::task::spawn_blocking(move || {
        // Held here, because the hash continues if the request is cancelled.
        let _turn = turn;
        let mut memory = lock(&MEMORY).pop().unwrap_or_default();
        let done = work(&mut memory);
        lock(&MEMORY).push(memory);
        done
    })
    .await
    .map_err(failed)?
}

#[cfg(test)]
mod tests {
    use argon2::PasswordHasher;

    use super::*;

    async fn verify(password: &str, hash: Option<&str>) -> Result<bool, HashError> {
        let place = queue([192, 0, 2, 1].into()).unwrap();
        place.verify(password.into(), hash.map(str::to_owned)).await
    }

    #[tokio::test]
    async fn only_the_right_password_opens() {
        let stored = hash("correct horse".into()).await.unwrap();
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert!(!stored.contains("correct"));
        assert!(verify("correct horse", Some(&stored)).await.unwrap());
        assert!(!verify("wrong horse", Some(&stored)).await.unwrap());
        assert!(!verify("correct horse", None).await.unwrap());
        assert!(verify("x", Some("nonsense")).await.is_err());
    }

    #[tokio::test]
    async fn hashes_are_those_of_the_crate() {
        let salt = SaltString::encode_b64(&[7; 16]).unwrap();
        let stored = Argon2::default()
            .hash_password(b"correct horse", &salt)
            .unwrap()
            .to_string();
        assert!(verify("correct horse", Some(&stored)).await.unwrap());
        let larger = stored.replace("m=19456", "m=4000000");
        assert!(verify("correct horse", Some(&larger)).await.is_err());
    }

    #[tokio::test]
    async fn memory_is_used_again_also_by_requests_that_are_given_up() {
        for _ in 0..4 {
            let many = (0..4).map(|_| verify("wrong", None));
            let all = futures_util::future::join_all(many);
            let _ = tokio::time::timeout(std::time::Duration::from_millis(1), all).await;
        }
        assert!(!verify("wrong", None).await.unwrap());
        assert!(lock(&MEMORY).len() <= PARALLEL_HASHES);
    }

    #[test]
    fn one_address_does_not_fill_the_queue() {
        let [here, there] = [[192, 0, 2, 20].into(), [192, 0, 2, 21].into()];
        let places: Vec<QueueTicket> = (0..100).filter_map(|_| queue(here).ok()).collect();
        assert_eq!(places.len(), WAITING_OF_ADDRESS_MAX);
        assert!(queue(there).is_ok());
        drop(places);
        assert!(queue(here).is_ok());
        assert!(!lock(&QUEUE).by_address.contains_key(&here));
    }
}
