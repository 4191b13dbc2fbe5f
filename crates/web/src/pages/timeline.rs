//! The last 24 hours as a chart with a lane for each status, readable without colour.

use api_types::presence::PastBody;
use askama::Template;
use jiff::{Span, Timestamp, Zoned};
use presence::Status;

use super::{
    components::{Cell, Picture, Row, Table},
    page_context::PageContext,
};

/// Width of the names before the lanes, in pixels.
const NAMES: i64 = 110;
const WIDTH: i64 = 560;
/// Height of a lane, in pixels.
const LANE: i64 = 22;
/// Length of the chart, in minutes.
const MINUTES: i64 = 24 * 60;

/// The chart.
#[derive(Debug, Template)]
#[template(path = "timeline.html")]
pub(super) struct Timeline {
    caption: String,
    width: i64,
    height: i64,
    lanes: Vec<(i64, String)>,
    hours: Vec<(i64, String)>,
    blocks: Vec<Chart>,
}

#[derive(Clone, Debug)]
struct Chart {
    x: i64,
    y: i64,
    width: i64,
    status: String,
    title: String,
}

/// Every third full hour, backwards from the last one: minutes before now, and local time.
fn full_hours(now: &Zoned) -> impl Iterator<Item = (i64, String)> {
    // Not counted from midnight, because a change to or from summer time shifts the distance.
    let last = now.with().minute(0).second(0).subsec_nanosecond(0).build();
    (0..=24).step_by(3).filter_map(move |hour: i64| {
        let at = last
            .as_ref()
            .ok()?
            .checked_sub(Span::new().hours(hour))
            .ok()?;
        let minutes = now.timestamp().duration_since(at.timestamp()).as_mins();
        (minutes <= MINUTES).then(|| (minutes, at.strftime("%H:%M").to_string()))
    })
}

/// A period, in minutes before now, and the index of the change that began it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    from: i64,
    to: i64,
    index: usize,
}

impl Timeline {
    pub(super) fn new(request: &PageContext, history: &[PastBody]) -> Self {
        let now = request.now();
        let lanes = Status::ALL.iter().zip(0..);
        let hours = full_hours(&now).map(|(minutes, label)| (x(minutes), label));
        let moments = history.iter().map(|change| change.at.parse::<Timestamp>());
        let moments: Vec<Option<i64>> = moments
            .map(|at| Some(now.timestamp().duration_since(at.ok()?).as_mins()))
            .collect();
        let blocks = pieces(&moments).into_iter().filter_map(|piece| {
            let presence = &history.get(piece.index)?.presence;
            let lane = Status::ALL
                .iter()
                .position(|known| *known == presence.status)?;
            let at = |minutes: i64| {
                let at = now.checked_sub(Span::new().minutes(minutes));
                at.map(|at| at.strftime("%H:%M").to_string())
                    .unwrap_or_default()
            };
            let Cell::Status(status, words) = request.presence(presence) else {
                return None;
            };
            Some(Chart {
                x: x(piece.from),
                y: i64::try_from(lane).ok()? * LANE,
                width: (x(piece.to) - x(piece.from)).max(2),
                title: format!("{}–{} {words}", at(piece.from), at(piece.to)),
                status,
            })
        });
        Self {
            caption: request.say("timeline-caption"),
            width: NAMES + WIDTH + 24,
            height: LANE * 7,
            lanes: lanes
                .map(|(status, lane)| (lane * LANE, request.status(status.name())))
                .collect(),
            hours: hours.collect(),
            blocks: blocks.collect(),
        }
    }

    /// The chart with the changes in a table.
    pub(super) fn picture(self, request: &PageContext, history: &[PastBody]) -> Picture {
        let rows = history.iter().rev().map(|change| Row {
            key: change.at.clone(),
            cells: vec![
                Cell::Time(change.at.clone()),
                request.presence(&change.presence),
            ],
        });
        let table = Table {
            id: "history",
            caption: self.caption.clone(),
            head: ["board-since", "board-status"]
                .map(|key| request.say(key))
                .to_vec(),
            rows: rows.collect(),
            empty: request.say("timeline-none"),
            order: None,
        };
        Picture {
            svg: self.render().unwrap_or_default(),
            behind: request.say("as-table"),
            caption: self.caption,
            table,
        }
    }
}

/// Horizontal position of a time, in pixels.
fn x(minutes: i64) -> i64 {
    NAMES + WIDTH - minutes.clamp(0, MINUTES) * WIDTH / MINUTES
}

/// Each change lasts until the next one, the last until now. Times are minutes before now, the oldest first.
fn pieces(moments: &[Option<i64>]) -> Vec<Piece> {
    let ends = moments.iter().skip(1).copied().chain([Some(0)]);
    let both = moments.iter().zip(ends).enumerate();
    both.filter_map(|(index, (from, to))| {
        let (from, to) = (from.as_ref().copied()?, to?);
        (to < MINUTES).then_some(Piece {
            from: from.min(MINUTES),
            to: to.max(0),
            index,
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_lasts_until_the_next_and_the_last_until_now() {
        let piece = |from, to, index| Piece { from, to, index };
        assert_eq!(
            pieces(&[Some(3_000), Some(2_000), Some(600), Some(5)]),
            [piece(1_440, 600, 1), piece(600, 5, 2), piece(5, 0, 3)]
        );
        assert_eq!(pieces(&[]), []);
    }

    #[test]
    fn full_hours_lie_before_now_on_days_when_the_clocks_change() {
        let spring = "2027-03-28T10:30[Europe/Berlin]".parse::<Zoned>().unwrap();
        let autumn = "2027-10-31T10:30[Europe/Berlin]".parse::<Zoned>().unwrap();
        let labels = |now: &Zoned| -> Vec<(i64, String)> { full_hours(now).take(4).collect() };
        let expected = |hours: [&str; 4]| -> Vec<(i64, String)> {
            let minutes = [30, 210, 390, 570].into_iter();
            minutes.zip(hours.map(str::to_owned)).collect()
        };
        assert_eq!(
            labels(&spring),
            expected(["10:00", "07:00", "04:00", "00:00"])
        );
        assert_eq!(
            labels(&autumn),
            expected(["10:00", "07:00", "04:00", "02:00"])
        );
    }

    #[test]
    fn now_is_at_the_right_end() {
        assert_eq!(
            (x(0), x(MINUTES), x(MINUTES * 2)),
            (NAMES + WIDTH, NAMES, NAMES)
        );
    }
}
