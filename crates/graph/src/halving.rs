//! Finds the ids for which Graph refuses a whole request, or makes its answer too large, by halving the request until these
//! ids are alone.

use std::ops::Range;

/// Answer to the request about a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartAnswer {
    /// Graph answered.
    Read,
    /// Graph refused the request for good, because of one of its ids.
    Refused,
    /// The answer was too large to read; answers about smaller parts may be readable.
    TooLarge,
}

/// Part of the list of ids.
#[derive(Clone, Debug)]
enum Part {
    /// No request about this part was answered.
    Unknown(Range<usize>),
    /// Graph refuses at least one id of this part.
    Refused(Range<usize>),
}

/// Search in one list of ids. One refused id among 650 takes 10 to 20 requests; several take fewer each.
#[derive(Clone, Debug)]
pub struct Halving {
    /// Stack; the last part is next.
    parts: Vec<Part>,
    /// Second half of the part while its first half is being requested.
    rest: Option<Range<usize>>,
    asked: Option<Range<usize>>,
    refused: Vec<usize>,
    has_read: bool,
}

impl Halving {
    /// Begins a search among `ids` ids after the answer about all of them.
    pub fn new(ids: usize, answer: PartAnswer) -> Self {
        let mut halving = Self {
            parts: Vec::new(),
            rest: None,
            asked: None,
            refused: Vec::new(),
            has_read: false,
        };
        halving.asked = Some(0..ids);
        halving.on_answer(answer);
        halving
    }

    /// Returns the part to request next; `None` when every id is read or refused.
    pub fn next_part(&mut self) -> Option<Range<usize>> {
        if let Some(asked) = &self.asked {
            return Some(asked.clone());
        }
        self.rest = None;
        let asked = match self.parts.pop()? {
            Part::Unknown(part) => part,
            Part::Refused(part) => {
                let middle = part.start + part.len() / 2;
                self.rest = Some(middle..part.end);
                part.start..middle
            }
        };
        self.asked = Some(asked.clone());
        Some(asked)
    }

    /// Records the answer about the part that [`Self::next_part`] returned.
    pub fn on_answer(&mut self, answer: PartAnswer) {
        let Some(asked) = self.asked.take() else {
            return;
        };
        let rest = self.rest.take();
        match (answer, rest) {
            (PartAnswer::Read, rest) => {
                self.has_read = true;
                match rest {
                    // This half holds the refused id, unless the refusal has ended since; a single id is requested alone
                    // before it counts as refused.
                    Some(rest) if rest.len() > 1 => self.parts.push(Part::Refused(rest)),
                    Some(rest) => self.parts.push(Part::Unknown(rest)),
                    None => {}
                }
            }
            (PartAnswer::Refused, rest) => {
                self.refuse(asked);
                // Request the other half first: most of its people are read at once.
                self.parts.extend(rest.map(Part::Unknown));
            }
            (PartAnswer::TooLarge, rest) => {
                self.split(asked);
                self.parts.extend(rest.map(Part::Unknown));
            }
        }
    }

    fn refuse(&mut self, part: Range<usize>) {
        match part.len() {
            0 => {}
            1 => self.refused.push(part.start),
            _ => self.parts.push(Part::Refused(part)),
        }
    }

    fn split(&mut self, part: Range<usize>) {
        let middle = part.start + part.len() / 2;
        match part.len() {
            0 => {}
            1 => self.refused.push(part.start),
            _ => {
                self.parts.push(Part::Unknown(middle..part.end));
                self.parts.push(Part::Unknown(part.start..middle));
            }
        }
    }

    /// Indices of the ids that Graph refuses, or answers at too great length, when requested alone.
    pub fn refused(&self) -> &[usize] {
        &self.refused
    }

    /// True if Graph answered about any part: a refusal then concerns the ids and not the tenant.
    pub fn has_read(&self) -> bool {
        self.has_read
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::{Halving, PartAnswer};

    /// Searches with at most `requests` requests. Returns the read ids, the refused ids and the number of requests.
    fn search(
        ids: usize,
        bad: &BTreeSet<usize>,
        requests: usize,
    ) -> (BTreeSet<usize>, BTreeSet<usize>, usize) {
        let (mut halving, mut read, mut sent) =
            (Halving::new(ids, PartAnswer::Refused), BTreeSet::new(), 0);
        while sent < requests {
            let Some(part) = halving.next_part() else {
                break;
            };
            sent += 1;
            let refused = part.clone().any(|id| bad.contains(&id));
            if !refused {
                for id in part {
                    assert!(read.insert(id), "{id} is read twice");
                }
            }
            halving.on_answer(match refused {
                true => PartAnswer::Refused,
                false => PartAnswer::Read,
            });
        }
        let refused = halving.refused().iter().copied().collect();
        (read, refused, sent)
    }

    #[test]
    fn one_refused_id_is_found_with_twenty_requests_at_most() {
        for bad in 0..650 {
            let (read, refused, sent) = search(650, &BTreeSet::from([bad]), 1_000);
            assert_eq!((read.len(), refused), (649, BTreeSet::from([bad])));
            assert!((10..=20).contains(&sent), "{bad}: {sent}");
        }
    }

    #[test]
    fn a_bound_on_requests_finds_some_each_time() {
        let all: BTreeSet<usize> = (0..650).collect();
        let (read, refused, _) = search(650, &all, 40);
        assert!(read.is_empty() && refused.len() >= 10, "{refused:?}");
        let (read, refused, sent) = search(650, &all, 10_000);
        assert_eq!((read.len(), refused.len()), (0, 650));
        assert!(sent < 1_300);
    }

    // Long automatic replies.
    #[test]
    fn an_answer_that_is_too_large_is_read_in_parts() {
        // Size of each answer, limit, maximum number of requests.
        for (sizes, requests) in [([50; 650], 2), ([120; 650], 6)] {
            assert_eq!(search_sizes(&sizes, 20_000), (650, vec![], requests));
        }
        let mut one = [1; 650];
        one[412] = 30_000;
        let (read, refused, requests) = search_sizes(&one, 20_000);
        assert_eq!((read, refused), (649, vec![412]));
        assert!(requests <= 20, "{requests}");
    }

    fn search_sizes(sizes: &[usize], max: usize) -> (usize, Vec<usize>, usize) {
        let mut halving = Halving::new(sizes.len(), PartAnswer::TooLarge);
        let (mut read, mut sent) = (0, 0);
        while let Some(part) = halving.next_part() {
            sent += 1;
            assert!(sent < 10_000);
            let size: usize = sizes[part.clone()].iter().sum();
            if size > max {
                halving.on_answer(PartAnswer::TooLarge);
            } else {
                read += part.len();
                halving.on_answer(PartAnswer::Read);
            }
        }
        (read, halving.refused().to_vec(), sent)
    }

    // A refusal that ended during the search excludes no id.
    #[test]
    fn where_nothing_is_refused_any_more_all_are_read() {
        let (read, refused, sent) = search(650, &BTreeSet::new(), 100);
        assert_eq!((read.len(), refused.len()), (650, 0));
        assert!(sent <= 11, "{sent}");
        let (read, refused, _) = search(1, &BTreeSet::new(), 100);
        assert_eq!(
            (read.len(), refused.len()),
            (0, 1),
            "asked for alone already"
        );
    }

    proptest! {
        #[test]
        fn every_id_is_read_or_refused(
            ids in 1_usize..700, bad in prop::collection::btree_set(0_usize..700, 1..12),
        ) {
            let bad: BTreeSet<usize> = bad.into_iter().map(|id| id % ids).collect();
            let (read, refused, sent) = search(ids, &bad, 10_000);
            prop_assert_eq!(&refused, &bad);
            prop_assert_eq!(read.len() + refused.len(), ids);
            prop_assert!(sent <= bad.len() * 20);
        }
    }
}
