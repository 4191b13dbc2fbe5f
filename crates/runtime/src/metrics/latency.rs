//! Latencies as histograms.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};
use tokio::time::Instant;

/// Upper bounds in seconds: the target is 10 ms at p99, a busy tenant waits for seconds.
const BOUNDS: [f64; 14] = [
    0.0005,
    0.001,
    0.002,
    0.003,
    0.005,
    0.0075,
    0.01,
    0.02,
    0.05,
    0.1,
    0.5,
    2.0,
    10.0,
    f64::INFINITY,
];

/// A latency as a histogram. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Latency(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    histogram: Histogram,
    /// Sum of all observations in seconds.
    sum: f64,
    /// Every value, for a benchmark that asked for them.
    samples: Option<Vec<f64>>,
}

impl Latency {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Observes the time from `began` until now.
    pub fn observe(&self, began: Instant) {
        self.observe_duration(began.elapsed());
    }

    /// Observes a duration.
    pub fn observe_duration(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let mut inner = self.lock();
        inner.sum += seconds;
        inner.histogram.observe(seconds);
        if let Some(samples) = &mut inner.samples {
            samples.push(seconds);
        }
    }

    /// Begins to keep every value, or returns the values kept so far.
    pub fn record_samples(&self) -> Vec<f64> {
        let samples = self.lock().samples.replace(Vec::new());
        samples.unwrap_or_default()
    }

    /// The observations so far.
    pub fn histogram(&self) -> Histogram {
        self.lock().histogram
    }
}

impl EncodeMetric for Latency {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let (histogram, sum) = {
            let inner = self.lock();
            (inner.histogram, inner.sum)
        };
        let buckets: Vec<(f64, u64)> = histogram.buckets().collect();
        encoder.encode_histogram::<NoLabelSet>(sum, histogram.count(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// Observations of a latency by upper bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram([u64; BOUNDS.len()]);

impl Histogram {
    fn observe(&mut self, seconds: f64) {
        let mut buckets = BOUNDS.iter().zip(&mut self.0);
        if let Some((_, count)) = buckets.find(|(bound, _)| seconds <= **bound) {
            *count += 1;
        }
    }

    /// Each bound in seconds, with the number of observations between it and the bound before. The last bound is infinite.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        BOUNDS.into_iter().zip(self.0)
    }

    /// Number of observations.
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The least bound in seconds that `percent` of all observations do not exceed; `None` without observations.
    pub fn percentile(&self, percent: u64) -> Option<f64> {
        let wanted = (self.count() * percent).div_ceil(100).max(1);
        let mut sum = 0;
        let found = self.buckets().find(|(_, count)| {
            sum += count;
            sum >= wanted
        });
        found.map(|(bound, _)| bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_bound_of_its_bucket() {
        let latency = Latency::default();
        assert_eq!(latency.histogram().percentile(99), None);
        for (microseconds, times) in [(900, 90), (7_500, 9), (20_000_000, 1)] {
            for _ in 0..times {
                latency.observe_duration(Duration::from_micros(microseconds));
            }
        }
        let histogram = latency.histogram();
        assert_eq!(histogram.count(), 100);
        assert_eq!(histogram.percentile(50), Some(0.001));
        assert_eq!(histogram.percentile(99), Some(0.0075));
        assert_eq!(histogram.percentile(100), Some(f64::INFINITY));
    }

    #[test]
    fn the_text_has_cumulative_buckets() {
        let metrics = crate::metrics::Metrics::default();
        for milliseconds in [1, 1, 300] {
            let latency = Duration::from_millis(milliseconds);
            metrics.pbx_to_graph.observe_duration(latency);
        }
        let text = metrics.text();
        for line in [
            "_sum 0.302",
            "_count 3",
            "_bucket{le=\"0.0005\"} 0",
            "_bucket{le=\"0.001\"} 2",
            "_bucket{le=\"0.1\"} 2",
            "_bucket{le=\"0.5\"} 3",
            "_bucket{le=\"+Inf\"} 3",
        ] {
            let line = format!("\noffhook_pbx_event_to_graph_request_seconds{line}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
    }
}
