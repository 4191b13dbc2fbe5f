//! Percentiles of measured values.

/// Sorted values.
#[derive(Debug)]
pub struct Percentiles(Vec<f64>);

impl Percentiles {
    /// Sorts the values.
    pub fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// Number of values.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Smallest value that a `share` of all values does not exceed; NaN without values.
    pub fn at(&self, share: f64) -> f64 {
        let rank = (self.0.len() as f64 * share).ceil() as usize;
        self.0
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::Percentiles;

    #[test]
    fn ranks_are_the_nearest() {
        let percentiles = Percentiles::new((1..=1_000).rev().map(f64::from).collect());
        assert_eq!(percentiles.at(0.5), 500.0);
        assert_eq!(percentiles.at(0.99), 990.0);
        assert_eq!(percentiles.at(0.999), 999.0);
        assert!(Percentiles::new(Vec::new()).at(0.5).is_nan());
    }
}
