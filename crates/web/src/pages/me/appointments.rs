//! My appointments: a day or a week as a chart with the list as alternative; entered appointments can be changed.

use jiff::{
    Span, Zoned,
    civil::{Date, DateTime},
};
use serde_json::{Value, json};

use super::timetable::Timetable;
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{
        Block, Button, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table, flag, text,
    },
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/me/appointments";
/// Default colour of an appointment.
const COLOUR: &str = "#0b5cad";

/// My appointments.
pub(super) struct Appointments;

/// The shown days.
struct Span7 {
    first: Date,
    days: i32,
}

impl PageHandler for Appointments {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let shown = shown(request)?;
        let path = request.mine("appointments")?;
        let begin = midnight(request, shown.first)?;
        let end = midnight(request, after(shown.first, shown.days)?)?;
        let from = part(&begin.timestamp().to_string()).into_owned();
        let mut all = request
            .api
            .items::<Value>(&format!("{path}?from={from}"))
            .await?;
        all.retain(|appointment| {
            let start = text(appointment, "start").parse::<jiff::Timestamp>();
            start.is_ok_and(|start| start < end.timestamp())
        });
        let profiles = request
            .api
            .items::<Value>(&request.mine("profiles")?)
            .await?;
        let timetable = Timetable::new(request, shown.first, shown.days, &all);
        let mut page = Page::new(request, request.say("nav-appointments"))
            .add(links(request, &shown)?)
            .add(Block::Picture(
                timetable.picture(request, table(request, &all)),
            ));
        let edited = match back {
            None => request.query("edit"),
            Some(back) if back.typed.one("form") == "save" => back.typed.given("key"),
            Some(_) => None,
        };
        if let Some(id) = edited {
            let read = request
                .api
                .read::<Value>(&format!("{path}/{}", part(id)))
                .await?;
            let form = Form::new(request.words, "save", request.say("appointment-edit"))
                .tag(&read.tag)
                .hidden("key", id);
            page = page.form(
                fields(request, form, &read.value, &profiles).button(request.say("save")),
                back,
            );
        }
        let form = Form::new(request.words, "add", request.say("appointment-add"));
        Ok(page.form(
            fields(request, form, &Value::Null, &profiles).button(request.say("add")),
            back,
        ))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let path = request.mine("appointments")?;
        let one = format!("{path}/{}", part(typed.one("key")));
        let done = match typed.one("form") {
            "delete" => {
                request.api.delete(&one).await?;
                Done::new(HERE, "deleted")
            }
            "save" => {
                request
                    .api
                    .put(&one, body(request, typed)?, typed.one("tag"))
                    .await?;
                Done::new(week_of_start(typed), "saved")
            }
            _ => {
                request.api.post(&path, body(request, typed)?).await?;
                Done::new(week_of_start(typed), "added")
            }
        };
        Ok(done.into())
    }
}

/// The page of the week in which the entered appointment starts.
fn week_of_start(typed: &EnteredForm) -> String {
    match typed.one("start").trim().parse::<DateTime>() {
        Ok(start) => format!("{HERE}?from={}", start.date()),
        Err(_) => HERE.to_owned(),
    }
}

fn shown(request: &PageContext) -> Result<Span7, Refusal> {
    let today = request.now().date();
    let day = match request.query("from") {
        None => today,
        Some(from) => from.parse::<Date>().map_err(|_| {
            Refusal::of_field(
                "from",
                format!("{from:?} is no day; write it like 2026-11-23"),
            )
        })?,
    };
    if request.query("view") == Some("day") {
        return Ok(Span7 {
            first: day,
            days: 1,
        });
    }
    let since_monday = i32::from(day.weekday().to_monday_zero_offset());
    Ok(Span7 {
        first: after(day, -since_monday)?,
        days: 7,
    })
}

fn after(day: Date, days: i32) -> Result<Date, Refusal> {
    day.checked_add(Span::new().days(days))
        .map_err(|error| Refusal::of_field("from", error.to_string()))
}

fn midnight(request: &PageContext, day: Date) -> Result<Zoned, Refusal> {
    day.to_zoned(request.zone.clone())
        .map_err(|error| Refusal::of_field("from", error.to_string()))
}

fn links(request: &PageContext, shown: &Span7) -> Result<Block, Refusal> {
    let view = if shown.days == 1 { "day" } else { "week" };
    let to = |day: Date, view: &str| format!("{HERE}?view={view}&from={day}");
    let ways = [
        (
            to(after(shown.first, -shown.days)?, view),
            "calendar-before",
            false,
        ),
        (to(request.now().date(), view), "calendar-today", false),
        (
            to(after(shown.first, shown.days)?, view),
            "calendar-after",
            false,
        ),
        (to(shown.first, "day"), "calendar-day", view == "day"),
        (to(shown.first, "week"), "calendar-week", view == "week"),
    ];
    let links = ways.map(|(to, key, is_here)| Link {
        to,
        text: request.say(key),
        is_here,
    });
    Ok(Block::Links(request.say("calendar-which"), links.to_vec()))
}

/// The subject of an appointment, as text.
pub(super) fn about(request: &PageContext, appointment: &Value) -> String {
    match text(appointment, "text") {
        "" => request.status("Busy"),
        about => about.to_owned(),
    }
}

fn table(request: &PageContext, all: &[Value]) -> Table {
    let row =
        |appointment: &Value| {
            let id = text(appointment, "id");
            let about = about(request, appointment);
            let mut cells = vec![
                Cell::Colour(text(appointment, "colour").to_owned(), about.clone()),
                Cell::Time(text(appointment, "start").to_owned()),
            ];
            cells.push(match text(appointment, "end") {
                "" => Cell::Text(request.say("appointment-open")),
                end => Cell::Time(end.to_owned()),
            });
            let origin = text(appointment, "origin");
            cells.push(Cell::Text(text(appointment, "profile").to_owned()));
            cells.push(Cell::Text(request.say(&format!("origin-{origin}"))));
            let delete = Button::new("delete", id, request.say("delete"))
                .label(request.words.with("delete-of", "name", about.as_str()));
            cells.push(match origin {
                "manual" => Cell::Link(format!("{HERE}?edit={id}"), request.say("change")),
                _ => Cell::Text(String::new()),
            });
            cells.push(Cell::Buttons(if origin == "manual" {
                vec![delete]
            } else {
                Vec::new()
            }));
            Row {
                key: id.to_owned(),
                cells,
            }
        };
    Table {
        id: "appointments",
        caption: request.say("nav-appointments"),
        head: [
            "board-text",
            "appointment-start",
            "appointment-end",
            "me-profile",
            "profile-origin",
            "change",
            "actions",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: all.iter().map(row).collect(),
        empty: request.say("appointments-none"),
        order: None,
    }
}

fn fields(request: &PageContext, form: Form, now: &Value, profiles: &[Value]) -> Form {
    let usable = profiles.iter().filter(|profile| flag(profile, "active"));
    let mut names: Vec<&str> = usable.map(|profile| text(profile, "name")).collect();
    let profile = match text(now, "profile") {
        "" => names
            .iter()
            .find(|name| **name == "Appointment")
            .or(names.first())
            .copied()
            .unwrap_or_default(),
        profile => profile,
    };
    if !names.contains(&profile) {
        names.push(profile);
    }
    let choices = names.iter().map(|name| Choice::new(*name, *name)).collect();
    let colour = text(now, "colour");
    let zone = request.zone.iana_name().unwrap_or("UTC");
    form.field(Field::text("text", request.say("appointment-text")).value(text(now, "text")))
        .field(
            Field::new("start", request.say("appointment-start"), Kind::Moment)
                .value(request.moment_field(text(now, "start")))
                .required()
                .help(request.words.with("appointment-zone", "zone", zone)),
        )
        .field(
            Field::new("end", request.say("appointment-end"), Kind::Moment)
                .value(request.moment_field(text(now, "end")))
                .required(),
        )
        .field(
            Field::new("profile", request.say("me-profile"), Kind::Select(choices)).value(profile),
        )
        .field(
            Field::new("colour", request.say("appointment-colour"), Kind::Colour)
                .value(if colour.is_empty() { COLOUR } else { colour }),
        )
        .field(
            Field::check(
                "private",
                request.say("appointment-private"),
                flag(now, "private"),
            )
            .help(request.say("appointment-private-help")),
        )
}

fn body(request: &PageContext, typed: &EnteredForm) -> Result<Value, Refusal> {
    let moment = |field: &'static str| {
        let moment = request.moment(field, typed.one(field))?;
        moment.ok_or_else(|| Refusal::of_field(field, "write a day and a time".into()))
    };
    Ok(json!({
        "text": typed.one("text"),
        "start": moment("start")?,
        "end": moment("end")?,
        "profile": typed.given("profile"),
        "colour": typed.given("colour"),
        "private": typed.ticked("private"),
    }))
}
