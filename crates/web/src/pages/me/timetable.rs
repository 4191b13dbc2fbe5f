//! Timetable: days as columns, appointments as blocks with colour and text.

use api_types::appointments::AppointmentBody;
use askama::Template;
use jiff::{Span, Timestamp, civil::Date, tz::TimeZone};

use super::appointments::about;
use crate::pages::{
    components::{Picture, Table},
    page_context::PageContext,
};

/// Width of a day and of the column of hours, in pixels.
const DAY: i64 = 128;
const HOURS: i64 = 44;
/// Height of an hour and of the line of days, in pixels.
const HOUR: i64 = 22;
const HEAD: i64 = 24;
/// Least height of an appointment, in pixels: a line of text.
const LEAST: i64 = 16;
/// Width of a letter and of the margin before the text, in pixels.
const LETTER: i64 = 7;
const BEFORE: i64 = 10;

/// The chart.
#[derive(Debug, Template)]
#[template(path = "timetable.html")]
pub(super) struct Timetable {
    caption: String,
    width: i64,
    height: i64,
    days: Vec<(i64, String)>,
    hours: Vec<(i64, String)>,
    blocks: Vec<Chart>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Chart {
    x: i64,
    y: i64,
    width: i64,
    height: i64,
    colour: String,
    words: String,
    title: String,
}

/// The part of an appointment on one day, in minutes since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    day: i64,
    from: i64,
    to: i64,
    /// Index of the appointment.
    index: usize,
}

impl Timetable {
    pub(super) fn new(
        request: &PageContext,
        first: Date,
        days: i32,
        all: &[AppointmentBody],
    ) -> Self {
        let days = i64::from(days);
        let names = (0..days).filter_map(|day| {
            let date = first.checked_add(Span::new().days(day)).ok()?;
            let weekday = request.say(&format!(
                "weekday-{}",
                date.weekday().to_monday_one_offset()
            ));
            Some((
                HOURS + day * DAY + 4,
                format!("{weekday} {}", date.strftime("%d.%m.")),
            ))
        });
        let hours = (0..24)
            .step_by(2)
            .map(|hour| (HEAD + hour * HOUR, format!("{hour:02}:00")));
        let now = request.now().timestamp();
        let pieces = all.iter().enumerate().flat_map(|(index, appointment)| {
            pieces(appointment, index, (first, days), &request.zone, now)
        });
        let lanes = lanes(pieces.collect());
        let blocks = lanes.into_iter().filter_map(|(piece, lane, count)| {
            let appointment = all.get(piece.index)?;
            let about = about(request, appointment);
            let width = (DAY - 6) / count;
            let letters = usize::try_from((width - BEFORE) / LETTER).unwrap_or(0);
            Some(Chart {
                x: HOURS + piece.day * DAY + 2 + lane * width,
                y: HEAD + piece.from * HOUR / 60,
                width: width - 2,
                height: ((piece.to - piece.from) * HOUR / 60).max(LEAST),
                colour: appointment.colour.clone().unwrap_or_default(),
                words: about.chars().take(letters).collect(),
                title: format!("{}–{} {about}", clock(piece.from), clock(piece.to)),
            })
        });
        Self {
            caption: request.say("calendar-caption"),
            width: HOURS + days * DAY,
            height: HEAD + 24 * HOUR,
            days: names.collect(),
            hours: hours.collect(),
            blocks: blocks.collect(),
        }
    }

    /// The chart with the table as alternative.
    pub(super) fn picture(self, request: &PageContext, table: Table) -> Picture {
        Picture {
            caption: self.caption.clone(),
            svg: self.render().unwrap_or_default(),
            behind: request.say("calendar-list"),
            table,
        }
    }
}

fn clock(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The parts of an appointment on the shown days.
fn pieces(
    appointment: &AppointmentBody,
    index: usize,
    (first, days): (Date, i64),
    zone: &TimeZone,
    now: Timestamp,
) -> Vec<Piece> {
    let Ok(start) = appointment.start.parse::<Timestamp>() else {
        return Vec::new();
    };
    let end = appointment.end.as_ref().and_then(|end| end.parse().ok());
    // A call in Teams has no end yet.
    let end = end.unwrap_or(now.max(start));
    let piece = |day: i64| {
        let date = first.checked_add(Span::new().days(day)).ok()?;
        let midnight = date.to_zoned(zone.clone()).ok()?.timestamp();
        let next = date
            .tomorrow()
            .ok()?
            .to_zoned(zone.clone())
            .ok()?
            .timestamp();
        let (from, to) = (start.max(midnight), end.min(next));
        if from > to || to == midnight {
            return None;
        }
        let minutes = |at: Timestamp| {
            let there = at.to_zoned(zone.clone());
            if there.date() == date {
                i64::from(there.hour()) * 60 + i64::from(there.minute())
            } else {
                24 * 60
            }
        };
        let (from, to) = (minutes(from), minutes(to));
        (from < 24 * 60).then_some(Piece {
            day,
            from,
            to,
            index,
        })
    };
    (0..days).filter_map(piece).collect()
}

/// Lanes for overlapping parts: each with its lane and their number.
fn lanes(mut pieces: Vec<Piece>) -> Vec<(Piece, i64, i64)> {
    pieces.sort_by_key(|piece| (piece.day, piece.from, piece.index));
    let mut placed: Vec<(Piece, i64, i64)> = Vec::new();
    let mut group = 0;
    let mut ends: Vec<i64> = Vec::new();
    let mut last = (-1, 0);
    let least = LEAST * 60 / HOUR;
    for piece in pieces {
        if piece.day != last.0 || piece.from >= last.1 {
            group = placed.len();
            ends.clear();
            last = (piece.day, 0);
        }
        let end = piece.to.max(piece.from + least);
        let lane = match ends.iter().position(|free| *free <= piece.from) {
            Some(lane) => {
                ends[lane] = end;
                lane
            }
            None => {
                ends.push(end);
                ends.len() - 1
            }
        };
        last.1 = last.1.max(end);
        placed.push((piece, lane.try_into().unwrap_or(0), 1));
        let count = ends.len().try_into().unwrap_or(1);
        for (_, _, lanes) in placed.iter_mut().skip(group) {
            *lanes = count;
        }
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    fn appointment(start: &str, end: &str) -> AppointmentBody {
        AppointmentBody {
            id: "1".into(),
            start: start.into(),
            end: Some(end.into()),
            text: None,
            colour: None,
            profile: None,
            private: None,
            origin: None,
        }
    }

    fn of(start: &str, end: &str) -> Vec<(i64, i64, i64)> {
        let appointment = appointment(start, end);
        let first = Date::constant(2026, 11, 23);
        let pieces = pieces(&appointment, 0, (first, 7), &zone(), Timestamp::UNIX_EPOCH);
        pieces
            .iter()
            .map(|piece| (piece.day, piece.from, piece.to))
            .collect()
    }

    #[test]
    fn an_appointment_stands_on_its_day_in_the_zone_of_whoever_looks() {
        assert_eq!(
            of("2026-11-24T08:00:00Z", "2026-11-24T09:30:00Z"),
            [(1, 540, 630)]
        );
        // In Berlin the next day has begun.
        assert_eq!(
            of("2026-11-24T23:30:00Z", "2026-11-25T00:00:00Z"),
            [(2, 30, 60)]
        );
        assert_eq!(of("2026-12-24T08:00:00Z", "2026-12-24T09:30:00Z"), []);
    }

    #[test]
    fn over_midnight_it_stands_on_both_days() {
        let both = of("2026-11-24T21:00:00Z", "2026-11-25T01:00:00Z");
        assert_eq!(both, [(1, 1320, 1440), (2, 0, 120)]);
        assert_eq!(
            of("2026-11-24T22:00:00Z", "2026-11-24T23:00:00Z"),
            [(1, 1380, 1440)]
        );
    }

    #[test]
    fn the_day_on_which_clocks_go_back_is_drawn_by_the_clock() {
        let appointment = appointment("2026-10-25T08:00:00Z", "2026-10-25T09:00:00Z");
        let first = Date::constant(2026, 10, 25);
        let pieces = pieces(&appointment, 0, (first, 1), &zone(), Timestamp::UNIX_EPOCH);
        assert_eq!((pieces[0].from, pieces[0].to), (540, 600));
    }

    #[test]
    fn what_overlaps_stands_side_by_side() {
        let piece = |from: i64, to: i64, index: usize| Piece {
            day: 0,
            from,
            to,
            index,
        };
        let placed = lanes(vec![
            piece(60, 180, 0),
            piece(120, 240, 1),
            piece(190, 260, 2),
            piece(600, 660, 3),
        ]);
        let lanes: Vec<(usize, i64, i64)> = placed
            .iter()
            .map(|(piece, lane, count)| (piece.index, *lane, *count))
            .collect();
        assert_eq!(lanes, [(0, 0, 2), (1, 1, 2), (2, 0, 2), (3, 0, 1)]);
    }
}
