//! Problems, warnings and work in progress of every part of the server: shown by `/readyz`, logged on change.

mod part;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

pub use part::{DirectoryPart, Part, TeamsPart};
use presence::Timestamp;

use crate::clock::Clock;

/// A problem and its remedy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The problem, with names and values.
    pub what: String,
    /// The remedy.
    pub remedy: String,
}

/// The first five texts, and the number of the others.
pub fn first_few(each: impl ExactSizeIterator<Item = String>) -> String {
    const NAMED_MAX: usize = 5;
    let more = each.len().saturating_sub(NAMED_MAX);
    let mut texts: Vec<String> = each.take(NAMED_MAX).collect();
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    texts.join("; ")
}

/// A problem with its beginning.
#[derive(Clone, Debug)]
struct Reported {
    trouble: Trouble,
    /// `None` without a clock.
    since: Option<Timestamp>,
}

/// The health of every part of the server. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Health {
    parts: Arc<Mutex<BTreeMap<Part, Option<Reported>>>>,
    /// Work in progress, by part.
    progress: Arc<Mutex<BTreeMap<Part, String>>>,
    /// The clock for the beginning of problems; `None`: their beginning is not kept.
    clock: Option<Clock>,
    /// Warnings, by part.
    warnings: Arc<Mutex<BTreeMap<Part, Trouble>>>,
}

impl Health {
    /// Without parts. Problems begin by this clock.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock: Some(clock),
            ..Self::default()
        }
    }

    /// Time since which the part has a problem.
    pub fn since(&self, part: &Part) -> Option<Timestamp> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.get(part)?.as_ref()?.since
    }

    /// Reports the problem of a part; `None`: it has none. A change is logged once.
    pub fn report(&self, part: &Part, trouble: Option<Trouble>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = parts.get(part).cloned().flatten();
        let now = trouble.map(|trouble| Reported {
            since: match &before {
                Some(before) => before.since,
                None => self.clock.as_ref().map(Clock::now),
            },
            trouble,
        });
        parts.insert(part.clone(), now.clone());
        match (before, now) {
            (before, Some(now))
                if before.as_ref().map(|before| &before.trouble) != Some(&now.trouble) =>
            {
                let (part, trouble) = (part.to_string(), now.trouble);
                tracing::warn!(part, what = %trouble.what, remedy = %trouble.remedy, "problem");
            }
            (Some(_), None) => tracing::info!(part = part.to_string(), "recovered"),
            (Some(_), Some(_)) | (None, None | Some(_)) => {}
        }
    }

    /// Every part with its problem.
    pub fn parts(&self) -> BTreeMap<Part, Option<Trouble>> {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let each = parts.iter().map(|(part, reported)| {
            let trouble = reported.as_ref().map(|reported| reported.trouble.clone());
            (part.clone(), trouble)
        });
        each.collect()
    }

    /// Reports work in progress of a part; `None`: it is done.
    pub fn report_progress(&self, part: &Part, what: Option<String>) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Some(what) => progress.insert(part.clone(), what),
            None => progress.remove(part),
        };
    }

    /// Reports a warning of a part; `None`: it has none. A new warning is logged once.
    pub fn report_warning(&self, part: &Part, warning: Option<Trouble>) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(warning) = warning else {
            warnings.remove(part);
            return;
        };
        if warnings.get(part) != Some(&warning) {
            let name = part.to_string();
            tracing::warn!(part = name, what = %warning.what, remedy = %warning.remedy, "warning");
            warnings.insert(part.clone(), warning);
        }
    }

    /// The warnings, by part.
    pub fn warnings(&self) -> BTreeMap<Part, Trouble> {
        let warnings = self.warnings.lock();
        warnings.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Work in progress, by part.
    pub fn progress(&self) -> BTreeMap<Part, String> {
        let progress = self.progress.lock();
        progress.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_problem_began_when_the_part_was_well_the_last_time() {
        let start = Timestamp::from_milliseconds(1_000);
        let (clock, driver) = Clock::driven(start);
        let health = Health::new(clock);
        let trouble = |what: &str| {
            Some(Trouble {
                what: what.to_owned(),
                remedy: String::new(),
            })
        };
        health.report(&Part::Store, trouble("full"));
        driver.set(start + Duration::from_secs(60));
        health.report(&Part::Store, trouble("still full"));
        assert_eq!(health.since(&Part::Store), Some(start));
        health.report(&Part::Store, None);
        assert_eq!(health.since(&Part::Store), None);
        health.report(&Part::Store, trouble("full again"));
        assert_eq!(
            health.since(&Part::Store),
            Some(start + Duration::from_secs(60))
        );
    }
}
