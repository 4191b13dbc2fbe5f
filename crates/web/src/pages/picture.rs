//! Bar charts with numbers, readable without colour, with a table as alternative.

use askama::Template;
use runtime::metrics::Histogram;

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

/// Number of people by status; each is a name and a number.
pub(super) fn statuses(request: &PageContext, numbers: &[(String, u64)]) -> Picture {
    let caption = request.say("overview-statuses");
    let head = [request.say("board-status"), request.say("nav-people")];
    Picture {
        svg: bars(&caption, numbers),
        behind: request.say("as-table"),
        table: table("statuses", &caption, head, numbers),
        caption,
    }
}

/// A latency with its percentiles.
pub(super) fn latency(request: &PageContext, name: &str, histogram: &Histogram) -> Picture {
    let caption = if histogram.count() == 0 {
        request.words.with("latency-none", "name", name)
    } else {
        let of = |percent| {
            let bound = histogram.percentile(percent);
            bound.map(duration).unwrap_or_default()
        };
        let percentiles = request.words.of_two(
            "latency-percentiles",
            ("count", &of(50)),
            ("value", &of(99)),
        );
        request
            .words
            .of_two("latency-is", ("name", name), ("value", &percentiles))
    };
    let buckets: Vec<(f64, u64)> = histogram.buckets().collect();
    let has_observations = |(_, count): &(f64, u64)| *count > 0;
    let first = buckets.iter().position(has_observations).unwrap_or(0);
    let last = buckets.iter().rposition(has_observations);
    let end = last.map_or(0, |last| last + 1);
    let numbers: Vec<(String, u64)> = buckets
        .get(first..end)
        .unwrap_or_default()
        .iter()
        .map(|(bound, count)| (format!("≤ {}", duration(*bound)), *count))
        .collect();
    let head = [request.say("latency-bound"), request.say("latency-count")];
    Picture {
        svg: bars(&caption, &numbers),
        behind: request.say("as-table"),
        table: table("latency", &caption, head, &numbers),
        caption,
    }
}

/// A duration with a fitting unit.
pub(super) fn duration(seconds: f64) -> String {
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
    fn durations_have_a_fitting_unit() {
        let texts = [0.0005, 0.0075, 0.1, 2.0, f64::INFINITY].map(duration);
        assert_eq!(texts, ["0.5 ms", "7.5 ms", "100 ms", "2 s", "∞"]);
    }

    #[test]
    fn names_in_a_chart_are_no_markup() {
        let drawn = bars("a", &[("<script>".into(), 3)]);
        assert!(!drawn.contains("<script>"), "{drawn}");
    }
}
