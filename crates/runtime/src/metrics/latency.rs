//! Latencies as histograms.

use std::{
    collections::VecDeque,
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

/// Length of the recent past.
const HOUR: Duration = Duration::from_secs(3_600);
/// Interval at which the histogram is kept for the recent past.
const STEP: Duration = Duration::from_secs(300);

/// A latency as a histogram. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Latency(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    histogram: Histogram,
    /// Sum of all observations in seconds.
    sum: f64,
    /// The histogram before each step of the last hour.
    steps: VecDeque<(Instant, Histogram)>,
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
        let now = Instant::now();
        let mut inner = self.lock();
        inner.observe(now, seconds);
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

    /// The observations of the last hour, in steps of five minutes.
    pub fn last_hour(&self) -> Histogram {
        let now = Instant::now();
        self.lock().last_hour(now)
    }
}

impl Inner {
    fn observe(&mut self, now: Instant, seconds: f64) {
        self.step(now);
        self.sum += seconds;
        self.histogram.observe(seconds);
    }

    fn last_hour(&self, now: Instant) -> Histogram {
        let mut steps = self.steps.iter();
        let first = steps.find(|(at, _)| now.duration_since(*at) < HOUR);
        first.map_or_else(Histogram::default, |(_, before)| {
            self.histogram.since(before)
        })
    }

    /// Keeps the histogram before the first observation of a step, and forgets the steps of more than an hour ago.
    fn step(&mut self, now: Instant) {
        let last = self.steps.back();
        if last.is_none_or(|(at, _)| now.duration_since(*at) >= STEP) {
            self.steps.push_back((now, self.histogram));
        }
        while let Some((at, _)) = self.steps.front()
            && now.duration_since(*at) >= HOUR
        {
            self.steps.pop_front();
        }
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

    /// The observations after an earlier state of the same histogram.
    fn since(&self, earlier: &Self) -> Self {
        let mut counts = self.0;
        for (count, before) in counts.iter_mut().zip(earlier.0) {
            *count = count.saturating_sub(before);
        }
        Self(counts)
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
    fn the_last_hour_forgets_what_came_before() {
        let (mut latency, start) = (Inner::default(), Instant::now());
        assert_eq!(latency.last_hour(start).count(), 0);
        latency.observe(start, 1.0);
        let later = start + HOUR / 2;
        latency.observe(later, 0.001);
        assert_eq!(latency.last_hour(later).count(), 2);
        let recent = latency.last_hour(later + HOUR / 2 + STEP);
        assert_eq!((recent.count(), recent.percentile(99)), (1, Some(0.001)));
        assert_eq!(latency.last_hour(later + HOUR).count(), 0);
        assert_eq!(latency.histogram.count(), 2);
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
