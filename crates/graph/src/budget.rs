//! Request budget of one tenant: a token bucket under Microsoft's limit, in which writes precede reads.
//!
//! All requests draw from one bucket, each purpose down to its own level: writes may empty it, reads of single people leave
//! a third of a full bucket, the sweep over all people leaves two thirds. Reads get exactly the tokens that writes leave
//! over, and a burst of writes finds tokens, without a forecast of the load. A small flow of tokens is reserved for the
//! sweep, which must not stop while writes could use all tokens ([`Budget::guarantee_sweep`]).

use std::time::Duration;

/// Window over which Microsoft counts presence requests (Graph, "Microsoft Graph service-specific throttling limits").
const WINDOW_MILLISECONDS: i64 = 30_000;
/// Share of the limit that may be spent at once. The rest flows in over the window: no window of 30 seconds ever holds more
/// requests than the limit.
const BURST_SHARE: f64 = 0.05;
/// Maximum number of tokens reserved for the sweep, where the bucket is large enough.
const GUARANTEED_MAX: f64 = 3.0;
/// Tolerance for rounding in sums of many small fractions.
const TOLERANCE: f64 = 1e-6;

/// Purpose of a request, in the order of priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A write of presence.
    Write,
    /// Reads of single people: watched, ringing, in a call, or with a notification to verify.
    ReadFew,
    /// The sweep: reads of all people in turn.
    ReadAll,
    /// Requests that can wait, such as account lookups.
    Other,
}

/// Token bucket. Times are milliseconds on any clock that does not run backwards.
#[derive(Clone, Debug)]
pub struct Budget {
    /// Requests per 30 seconds; `None`: no limit.
    limit: Option<u32>,
    available: f64,
    filled_at: i64,
    /// Tokens among `available` that are reserved for the sweep.
    guaranteed: f64,
    /// Tokens per millisecond that are reserved for the sweep.
    guaranteed_rate: f64,
    /// End of the pause that the service asked for.
    paused_until: i64,
    /// Numbers of requests sent in the last window, by step: number of the step, count.
    sent: [(i64, u32); STEPS],
}

/// Number of steps in which the requests of a window are counted.
const STEPS: usize = 10;
const STEP_MILLISECONDS: i64 = WINDOW_MILLISECONDS / STEPS as i64;

impl Budget {
    /// Creates a full budget of `limit` requests per 30 seconds, or an unlimited one.
    pub fn new(limit: Option<u32>, now: i64) -> Self {
        Self {
            limit,
            available: limit.map_or(0.0, burst),
            filled_at: now,
            guaranteed: 0.0,
            guaranteed_rate: 0.0,
            paused_until: now,
            sent: [(0, 0); STEPS],
        }
    }

    /// Reserves `requests` per `period` for the sweep from now on, independent of writes; at most half of the limit.
    pub fn guarantee_sweep(&mut self, now: i64, requests: usize, period: Duration) {
        let Some(limit) = self.limit else { return };
        self.fill(limit, now);
        let wanted = requests as f64 / (period.as_secs_f64() * 1e3).max(1.0);
        self.guaranteed_rate = wanted.min(rate(limit) / 2.0);
    }

    /// Takes one token.
    ///
    /// # Errors
    /// No request may be sent now: the time to wait for a token, at most 300 seconds.
    pub fn try_acquire(&mut self, now: i64, purpose: Purpose) -> Result<(), Duration> {
        if now < self.paused_until {
            return Err(milliseconds((self.paused_until - now) as f64));
        }
        if let Some(limit) = self.limit {
            self.fill(limit, now);
            let missing = match purpose {
                Purpose::Write => self.missing_to_write(limit),
                Purpose::ReadFew => self.missing_above(limit, 1.0 / 3.0),
                Purpose::ReadAll => self.missing_to_sweep(limit),
                Purpose::Other => self.missing_above(limit, 2.0 / 3.0),
            };
            if missing > 0.0 {
                return Err(milliseconds(missing));
            }
            self.available = (self.available - 1.0).max(0.0);
            if purpose == Purpose::ReadAll {
                self.guaranteed = (self.guaranteed - 1.0).max(0.0);
            }
        }
        self.count(now);
        Ok(())
    }

    fn fill(&mut self, limit: u32, now: i64) {
        let elapsed = now.saturating_sub(self.filled_at).max(0) as f64;
        self.filled_at = now;
        self.available = (self.available + elapsed * rate(limit)).min(burst(limit));
        self.guaranteed =
            (self.guaranteed + elapsed * self.guaranteed_rate).min(guaranteed_max(limit));
    }

    /// Milliseconds until there is a token that is not reserved for the sweep.
    fn missing_to_write(&self, limit: u32) -> f64 {
        let missing = |tokens: f64, rate: f64| positive(tokens - self.available) / rate;
        // The reserve grows during the wait, up to its maximum.
        let growing = missing(1.0 + self.guaranteed, rate(limit) - self.guaranteed_rate);
        growing.min(missing(1.0 + guaranteed_max(limit), rate(limit)))
    }

    /// Milliseconds until there is a token above a share of the bucket that is kept for more urgent requests.
    fn missing_above(&self, limit: u32, share: f64) -> f64 {
        // A small bucket must be able to hold that token.
        let level = (burst(limit) * share).min(burst(limit) - 1.0);
        positive(1.0 + level - self.available) / rate(limit)
    }

    /// Milliseconds until there is a reserved token, or one that writes do not need.
    fn missing_to_sweep(&self, limit: u32) -> f64 {
        let guaranteed = match positive(1.0 - self.guaranteed) {
            0.0 => 0.0,
            missing if self.guaranteed_rate > 0.0 => missing / self.guaranteed_rate,
            _ => f64::INFINITY,
        };
        let guaranteed = guaranteed.max(self.missing_above(limit, 0.0));
        guaranteed.min(self.missing_above(limit, 2.0 / 3.0))
    }

    fn count(&mut self, now: i64) {
        let step = now.div_euclid(STEP_MILLISECONDS);
        if let Some(sent) = self.sent.get_mut(step.rem_euclid(STEPS as i64) as usize) {
            let before = if sent.0 == step { sent.1 } else { 0 };
            *sent = (step, before + 1);
        }
    }

    /// Number of requests sent in the last 30 seconds, with a precision of three seconds.
    pub fn sent(&self, now: i64) -> u32 {
        let step = now.div_euclid(STEP_MILLISECONDS);
        let recent = self
            .sent
            .iter()
            .filter(|(at, _)| *at > step - STEPS as i64 && *at <= step);
        recent.map(|(_, count)| count).sum()
    }

    /// Limit in requests per 30 seconds; `None`: no limit.
    pub fn limit(&self) -> Option<u32> {
        self.limit
    }

    /// Pauses all requests for `wait`, because Graph counts requests during the pause that it asked for.
    pub fn pause(&mut self, now: i64, wait: Duration) {
        let until = now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        self.paused_until = self.paused_until.max(until);
    }

    /// Remaining pause that the service asked for (`Retry-After`).
    pub fn pause_left(&self, now: i64) -> Option<Duration> {
        (now < self.paused_until).then(|| milliseconds((self.paused_until - now) as f64))
    }
}

/// Tokens of a full bucket: at least one for a read and one for a write.
fn burst(limit: u32) -> f64 {
    let limit = f64::from(limit);
    (limit * BURST_SHARE).max(2.0).min(limit / 2.0).max(1.0)
}

/// Tokens per millisecond that flow into a bucket: a full bucket and 30 seconds of inflow add up to the limit.
fn rate(limit: u32) -> f64 {
    let flows = f64::from(limit) - burst(limit);
    flows.max(0.5) / WINDOW_MILLISECONDS as f64
}

/// Maximum number of tokens reserved for the sweep at a time: at least one token of a full bucket is for writes.
fn guaranteed_max(limit: u32) -> f64 {
    GUARANTEED_MAX.min(burst(limit) - 1.0)
}

/// Zero for values within the tolerance.
fn positive(tokens: f64) -> f64 {
    if tokens > TOLERANCE { tokens } else { 0.0 }
}

/// Rounds a wait up to whole milliseconds, from 1 millisecond to 300 seconds.
fn milliseconds(wait: f64) -> Duration {
    Duration::from_millis(wait.ceil().clamp(1.0, 300_000.0) as u64)
}

#[cfg(test)]
mod tests;
