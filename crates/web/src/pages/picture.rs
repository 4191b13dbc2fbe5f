//! Bar charts with numbers, readable without colour, with a table as alternative.

use askama::Template;

use super::{
    components::{Cell, Picture, Row, Table},
    page_context::PageContext,
};

/// Width of the longest bar, and height of a bar with its distance, in pixels.
const WIDTH: u64 = 320;
const LINE: u64 = 24;

#[derive(Debug, Template)]
#[template(path = "bars.html")]
struct Bars {
    caption: String,
    height: u64,
    bars: Vec<Bar>,
}

#[derive(Debug)]
struct Bar {
    y: u64,
    name: String,
    width: u64,
    number: String,
}

/// Bars with names and numbers.
fn bars(caption: &str, numbers: &[(String, u64)]) -> String {
    let most = numbers
        .iter()
        .map(|(_, number)| *number)
        .max()
        .unwrap_or(0)
        .max(1);
    let bars = numbers
        .iter()
        .zip(0_u64..)
        .map(|((name, number), line)| Bar {
            y: line * LINE,
            name: name.clone(),
            width: (number * WIDTH / most).max(u64::from(*number > 0)),
            number: number.to_string(),
        });
    let bars = Bars {
        caption: caption.to_owned(),
        height: LINE * numbers.len() as u64,
        bars: bars.collect(),
    };
    bars.render().unwrap_or_default()
}

fn table(id: &'static str, caption: &str, head: [String; 2], numbers: &[(String, u64)]) -> Table {
    let rows = numbers.iter().map(|(name, number)| Row {
        key: name.clone(),
        cells: vec![Cell::Text(name.clone()), Cell::Text(number.to_string())],
    });
    Table {
        id,
        caption: caption.to_owned(),
        head: head.to_vec(),
        rows: rows.collect(),
        ..Table::default()
    }
}

/// Number of people by status.
pub(super) fn shares(request: &PageContext, counted: &[(&str, String, usize)]) -> Picture {
    let caption = request.say("overview-statuses");
    let numbers: Vec<(String, u64)> = counted
        .iter()
        .map(|(_, name, count)| (name.clone(), *count as u64))
        .collect();
    let head = [request.say("board-status"), request.say("nav-people")];
    Picture {
        svg: bars(&caption, &numbers),
        behind: request.say("as-table"),
        table: table("statuses", &caption, head, &numbers),
        caption,
    }
}

/// A histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histogram(Vec<(f64, u64)>);

impl Histogram {
    /// Reads a histogram from the metrics in OpenMetrics text, with cumulative buckets.
    pub(super) fn read(metrics: &str, name: &str) -> Self {
        let beginning = format!("{name}_bucket{{le=\"");
        let buckets = metrics.lines().filter_map(|line| {
            let (bound, count) = line.strip_prefix(&beginning)?.split_once("\"} ")?;
            let bound = if bound == "+Inf" {
                f64::INFINITY
            } else {
                bound.parse().ok()?
            };
            Some((bound, count.split(' ').next()?.parse().ok()?))
        });
        Self(buckets.collect())
    }

    /// Number of observations.
    fn count(&self) -> u64 {
        self.0.last().map_or(0, |(_, count)| *count)
    }

    /// The least bound that `percent` of all observations do not exceed.
    fn percentile(&self, percent: u64) -> Option<f64> {
        let wanted = (self.count() * percent).div_ceil(100).max(1);
        let found = self.0.iter().find(|(_, count)| *count >= wanted);
        found.map(|(bound, _)| *bound)
    }

    /// Each bound with the number of observations between it and the previous bound.
    fn steps(&self) -> Vec<(f64, u64)> {
        let mut before = 0;
        let step = |(bound, count): &(f64, u64)| {
            let step = (*bound, count.saturating_sub(before));
            before = *count;
            step
        };
        self.0.iter().map(step).collect()
    }

    /// The chart with percentiles.
    pub(super) fn picture(&self, request: &PageContext, name: &str) -> Picture {
        let caption = if self.count() == 0 {
            request.words.with("latency-none", "name", name)
        } else {
            let of = |percent| self.percentile(percent).map(duration).unwrap_or_default();
            let percentiles = request.words.of_two(
                "latency-percentiles",
                ("count", &of(50)),
                ("value", &of(99)),
            );
            request
                .words
                .of_two("latency-is", ("name", name), ("value", &percentiles))
        };
        let steps = self.steps();
        let happened = |(_, count): &(f64, u64)| *count > 0;
        let first = steps.iter().position(happened).unwrap_or(0);
        let last = steps.iter().rposition(happened).map_or(0, |last| last + 1);
        let numbers: Vec<(String, u64)> = steps
            .get(first..last)
            .unwrap_or_default()
            .iter()
            .copied()
            .map(|(bound, count)| (format!("≤ {}", duration(bound)), count))
            .collect();
        let head = [request.say("latency-bound"), request.say("latency-count")];
        Picture {
            svg: bars(&caption, &numbers),
            behind: request.say("as-table"),
            table: table("latency", &caption, head, &numbers),
            caption,
        }
    }
}

fn duration(seconds: f64) -> String {
    if seconds.is_infinite() {
        "∞".into()
    } else if seconds < 1.0 {
        format!("{} ms", (seconds * 100_000.0).round() / 100.0)
    } else {
        format!("{seconds} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_read_from_the_metrics_and_has_percentiles() {
        let text = "x_seconds_bucket{le=\"0.001\"} 90\nx_seconds_bucket{le=\"0.0075\"} 99\n\
                    y_seconds_bucket{le=\"1.0\"} 7\nx_seconds_bucket{le=\"+Inf\"} 100\n";
        let histogram = Histogram::read(text, "x_seconds");
        assert_eq!(histogram.count(), 100);
        assert_eq!(histogram.percentile(50), Some(0.001));
        assert_eq!(histogram.percentile(99), Some(0.0075));
        assert_eq!(histogram.percentile(100), Some(f64::INFINITY));
        let counts: Vec<u64> = histogram.steps().iter().map(|(_, count)| *count).collect();
        assert_eq!(counts, [90, 9, 1]);
        assert_eq!(Histogram::read("", "x").percentile(99), None);
    }

    #[test]
    fn what_the_metrics_print_can_be_read() {
        let metrics = runtime::metrics::Metrics::default();
        metrics.pbx_to_graph.observe(tokio::time::Instant::now());
        let text = metrics.text();
        let histogram = Histogram::read(&text, "offhook_pbx_event_to_graph_request_seconds");
        assert_eq!(histogram.count(), 1);
    }

    #[test]
    fn durations_are_told_in_their_own_unit() {
        let told = [0.0005, 0.0075, 0.1, 2.0, f64::INFINITY].map(duration);
        assert_eq!(told, ["0.5 ms", "7.5 ms", "100 ms", "2 s", "∞"]);
    }

    #[test]
    fn names_in_a_chart_are_no_markup() {
        let drawn = bars("a", &[("<script>".into(), 3)]);
        assert!(!drawn.contains("<script>"), "{drawn}");
    }
}
