//! The day as one bar in local time: the statuses so far, and the appointments ahead.

use api_types::{appointments::AppointmentBody, presence::PastBody};
use askama::Template;
use jiff::{Span, Timestamp, Zoned};
use presence::Status;

use crate::pages::page_context::PageContext;

/// The hours that the bar always has, in local time.
const HOURS: [i8; 2] = [7, 19];
/// Hours between two marks.
const STEP: usize = 3;

/// The bar.
#[derive(Debug, Template)]
#[template(path = "day.html")]
pub(super) struct Day {
    caption: String,
    /// Marks: place in percent, and local time.
    marks: Vec<(String, String)>,
    pieces: Vec<Piece>,
    /// Place of now in percent.
    now: String,
}

/// A part of the bar, in percent of it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    x: String,
    width: String,
    status: String,
    title: String,
    is_ahead: bool,
}

/// First and last moment of the bar.
#[derive(Clone, Debug)]
struct Window {
    from: Zoned,
    to: Zoned,
}

impl Window {
    /// The working day of `now`, and the hours around `now` if they are outside it.
    fn of(now: &Zoned) -> Option<Self> {
        let [first, last] = HOURS;
        let from = full_hour(now, first.min(now.hour()))?;
        let to = match now.hour() >= last {
            true => now.start_of_day().ok()?.tomorrow().ok()?,
            false => full_hour(now, last)?,
        };
        Some(Self { from, to })
    }

    /// Place of a moment, in ten thousandths of the bar.
    fn place(&self, at: Timestamp) -> i64 {
        let all = self.seconds(self.to.timestamp()).max(1);
        self.seconds(at).clamp(0, all) * 10_000 / all
    }

    fn seconds(&self, at: Timestamp) -> i64 {
        at.duration_since(self.from.timestamp()).as_secs()
    }

    fn marks(&self) -> Vec<(String, String)> {
        let hours = (1_i64..24).step_by(STEP);
        let times = hours.filter_map(|hour| self.from.checked_add(Span::new().hours(hour)).ok());
        times
            .take_while(|at| *at < self.to)
            .map(|at| {
                let label = at.strftime("%H:%M").to_string();
                (percent(self.place(at.timestamp())), label)
            })
            .collect()
    }
}

fn full_hour(now: &Zoned, hour: i8) -> Option<Zoned> {
    let built = now
        .with()
        .hour(hour)
        .minute(0)
        .second(0)
        .subsec_nanosecond(0);
    built.build().ok()
}

/// Ten thousandths as percent for SVG.
fn percent(place: i64) -> String {
    format!("{}.{:02}%", place / 100, place % 100)
}

impl Day {
    pub(super) fn new(
        request: &PageContext,
        history: &[PastBody],
        ahead: &[AppointmentBody],
    ) -> Option<Self> {
        let now = request.now();
        let span = Window::of(&now)?;
        let mut pieces = Vec::new();
        let mut add = |from: Timestamp, to: Timestamp, status: &str, words: &str, is_ahead| {
            let (start, end) = (span.place(from), span.place(to));
            if end > start {
                let clock = |at: Timestamp| {
                    at.to_zoned(now.time_zone().clone())
                        .strftime("%H:%M")
                        .to_string()
                };
                pieces.push(Piece {
                    x: percent(start),
                    width: percent(end - start),
                    status: status.to_owned(),
                    title: format!("{}–{} {words}", clock(from), clock(to)),
                    is_ahead,
                });
            }
        };
        let ends = history.iter().skip(1).map(|change| &*change.at);
        let ends = ends
            .map(|at| at.parse().ok())
            .chain([Some(now.timestamp())]);
        for (change, end) in history.iter().zip(ends) {
            let (Ok(from), Some(to)) = (change.at.parse::<Timestamp>(), end) else {
                continue;
            };
            let status = change.presence.status.name();
            add(from, to, status, &request.status(status), false);
        }
        for appointment in ahead {
            let end = appointment.end.as_deref().and_then(|end| end.parse().ok());
            let (Ok(from), Some(to)) = (appointment.start.parse::<Timestamp>(), end) else {
                continue;
            };
            let status = Status::Busy.name();
            let subject = appointment.text.clone();
            let words = subject.unwrap_or_else(|| request.status(status));
            add(from.max(now.timestamp()), to, status, &words, true);
        }
        Some(Self {
            caption: request.say("person-today"),
            marks: span.marks(),
            pieces,
            now: percent(span.place(now.timestamp())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(now: &str) -> Window {
        Window::of(&now.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_bar_has_the_working_day_and_always_now() {
        let hours = |now| {
            let Window { from, to } = span(now);
            (from.hour(), to.hour(), to.date() == from.date())
        };
        assert_eq!(hours("2026-12-01T09:45[Europe/Berlin]"), (7, 19, true));
        assert_eq!(hours("2026-12-01T05:10[Europe/Berlin]"), (5, 19, true));
        assert_eq!(hours("2026-12-01T19:30[Europe/Berlin]"), (7, 0, false));
    }

    #[test]
    fn places_are_parts_of_the_bar_also_when_the_clocks_change() {
        let day = span("2026-12-01T09:45[Europe/Berlin]");
        let place = |at: &str| percent(day.place(at.parse().unwrap()));
        assert_eq!(place("2026-12-01T12:00:00Z"), "50.00%");
        assert_eq!(place("2026-11-30T12:00:00Z"), "0.00%");
        assert_eq!(place("2026-12-02T12:00:00Z"), "100.00%");
        let labels: Vec<String> = span("2027-03-28T01:30[Europe/Berlin]")
            .marks()
            .into_iter()
            .map(|(_, label)| label)
            .collect();
        assert_eq!(
            labels,
            ["03:00", "06:00", "09:00", "12:00", "15:00", "18:00"]
        );
    }
}
