//! Lists in pages: `limit` items, and a cursor for the next page. A cursor is the last item's position in the order of the
//! list, so that items added or removed between two pages make no other item missing or double.

use std::str::FromStr;

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::Deserialize;

use crate::{Query, problem::Problem};

/// Items of a page by default.
pub(super) const ROWS: usize = 200;
/// Largest number of items of a page.
pub(super) const ROWS_MAX: usize = 1_000;

/// Query of a page of a list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// `next` of the previous page.
    cursor: Option<String>,
    /// Largest number of items, 1 to 1,000; default: 200.
    limit: Option<usize>,
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(paging) = Query::from_request_parts(parts, state).await?;
        Ok(paging)
    }
}

impl Paging {
    pub fn new(cursor: Option<String>, limit: Option<usize>) -> Self {
        Self { cursor, limit }
    }

    /// Number of items.
    pub fn limit(&self) -> Result<usize, Problem> {
        let limit = self.limit.unwrap_or(ROWS);
        if (1..=ROWS_MAX).contains(&limit) {
            return Ok(limit);
        }
        let detail = format!("limit is {limit}; it must be from 1 to {ROWS_MAX}");
        Err(Problem::invalid("limit", detail))
    }

    /// Position after which the page begins.
    pub fn after<P: FromStr>(&self) -> Result<Option<P>, Problem> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        cursor.parse().map(Some).map_err(|_| {
            let detail = format!("{cursor:?} is no cursor; take it from `next` of the page before");
            Problem::invalid("cursor", detail)
        })
    }

    /// The page of a list of items with positions, and the cursor for the next page. Items of the same position stay on one
    /// page.
    pub fn page<P, T>(
        &self,
        rows: impl IntoIterator<Item = (P, T)>,
    ) -> Result<(Vec<T>, Option<String>), Problem>
    where
        P: Ord + FromStr + ToString,
    {
        let (limit, after) = (self.limit()?, self.after::<P>()?);
        let is_after = |(place, _): &(P, T)| after.as_ref().is_none_or(|after| place > after);
        let mut rows: Vec<(P, T)> = rows.into_iter().filter(is_after).collect();
        rows.sort_by(|(one, _), (other, _)| one.cmp(other));
        let last = rows.get(limit - 1).map(|(last, _)| last);
        let end = last.map_or(rows.len(), |last| {
            rows.partition_point(|(place, _)| place <= last)
        });
        let next = last.filter(|_| end < rows.len()).map(ToString::to_string);
        rows.truncate(end);
        Ok((rows.into_iter().map(|(_, row)| row).collect(), next))
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::Paging;

    proptest! {
        #[test]
        fn pages_one_after_the_other_are_the_whole_list_in_order(
            mut rows in vec((0_i64..20, 0_u32..1_000), 0..60),
            limit in 1_usize..9,
        ) {
            let (mut seen, mut cursor) = (Vec::new(), None);
            loop {
                let paging = Paging::new(cursor, Some(limit));
                let (page, next) = paging.page(rows.clone()).unwrap();
                prop_assert!(next.is_none() || page.len() >= limit);
                seen.extend(page);
                cursor = next;
                if cursor.is_none() {
                    break;
                }
            }
            rows.sort_by_key(|(place, _)| *place);
            let all: Vec<u32> = rows.into_iter().map(|(_, row)| row).collect();
            prop_assert_eq!(seen, all);
        }
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for limit in [0, 1_001] {
            let paging = Paging::new(None, Some(limit));
            assert!(paging.page([(1_u64, ())]).is_err(), "{limit}");
        }
        let paging = Paging::new(Some("Anna".into()), None);
        assert!(paging.page([(1_u64, ())]).is_err());
    }
}
