//! My appointments: a day or a week as a chart with the list as alternative; entered appointments can be changed.

use api_types::{
    appointments::{AppointmentBody, AppointmentOrigin, NewAppointment},
    profile::ProfileBody,
};
use jiff::{
    Span, Zoned,
    civil::{Date, DateTime},
};
use presence::APPOINTMENT_PROFILE;

use super::timetable::Timetable;
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Block, Button, Cell, Choice, Field, Form, Kind, Link, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
    words::MOMENT,
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
            .items::<AppointmentBody>(&format!("{path}?from={from}"))
            .await?;
        all.retain(|appointment| {
            let start = appointment.start.parse::<jiff::Timestamp>();
            start.is_ok_and(|start| start < end.timestamp())
        });
        let profiles = request
            .api
            .items::<ProfileBody>(&request.mine("profiles")?)
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
                .read::<AppointmentBody>(&format!("{path}/{}", part(id)))
                .await?;
            let form = Form::new(request.words, "save", request.say("appointment-edit"))
                .tag(&read.tag)
                .hidden("key", id);
            page = page.form(
                fields(request, form, Some(read.value), &profiles).button(request.say("save")),
                back,
            );
        }
        let form = Form::new(request.words, "add", request.say("appointment-add"));
        Ok(page.form(
            fields(request, form, None, &profiles).button(request.say("add")),
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
        is_here,
        ..Link::new(to, request.say(key))
    });
    Ok(Block::Links(request.say("calendar-which"), links.to_vec()))
}

/// The subject of an appointment, as text.
pub(super) fn about(request: &PageContext, appointment: &AppointmentBody) -> String {
    match appointment.text.as_deref() {
        None | Some("") => request.status("Busy"),
        Some(about) => about.to_owned(),
    }
}

fn table(request: &PageContext, all: &[AppointmentBody]) -> Table {
    let row = |appointment: &AppointmentBody| {
        let id = &*appointment.id;
        let about = about(request, appointment);
        let colour = appointment.colour.clone().unwrap_or_default();
        let end = appointment
            .end
            .clone()
            .map_or_else(|| Cell::Text(request.say("appointment-open")), Cell::Time);
        let origin = appointment.origin.map(AppointmentOrigin::name);
        let origin = format!("origin-{}", origin.unwrap_or_default());
        let (change, buttons) = match appointment.origin {
            Some(AppointmentOrigin::Manual) => {
                let delete = Button::new("delete", id, request.say("delete"))
                    .label(request.words.with("delete-of", "name", about.as_str()));
                let change = Cell::Link(format!("{HERE}?edit={id}"), request.say("change"));
                (change, vec![delete])
            }
            Some(AppointmentOrigin::Calendar | AppointmentOrigin::Teams) | None => {
                (Cell::Text(String::new()), Vec::new())
            }
        };
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Colour(colour, about),
                Cell::Time(appointment.start.clone()),
                end,
                Cell::Text(appointment.profile.clone().unwrap_or_default()),
                Cell::Text(request.say(&origin)),
                change,
                Cell::Buttons(buttons),
            ],
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

/// Start and end of a new appointment as values of fields: an hour from the next full hour.
fn suggested(now: &Zoned) -> Option<[String; 2]> {
    let hour = now.date().at(now.hour(), 0, 0, 0);
    let moment = |hours: i64| {
        let moment = hour.checked_add(Span::new().hours(hours)).ok()?;
        Some(moment.strftime(MOMENT).to_string())
    };
    Some([moment(1)?, moment(2)?])
}

/// Fields of an appointment's form; `now` is `None` for a new appointment.
fn fields(
    request: &PageContext,
    form: Form,
    now: Option<AppointmentBody>,
    profiles: &[ProfileBody],
) -> Form {
    let usable = profiles.iter().filter(|profile| profile.active);
    let mut names: Vec<&str> = usable.map(|profile| &*profile.name).collect();
    let profile = now.as_ref().and_then(|now| now.profile.as_deref());
    let profile = profile.unwrap_or_else(|| {
        let usual = names.iter().find(|name| **name == APPOINTMENT_PROFILE);
        usual.or(names.first()).copied().unwrap_or_default()
    });
    if !names.contains(&profile) {
        names.push(profile);
    }
    let choices = names.iter().map(|name| Choice::new(*name, *name)).collect();
    let moment = |moment: Option<&String>| {
        moment.map_or_else(String::new, |moment| request.moment_field(moment))
    };
    let [mut start, mut end] = suggested(&request.now()).unwrap_or_default();
    if let Some(now) = &now {
        start = moment(Some(&now.start));
        end = moment(now.end.as_ref());
    }
    let text = now.as_ref().and_then(|now| now.text.clone());
    let colour = now.as_ref().and_then(|now| now.colour.as_deref());
    let is_private = now.as_ref().and_then(|now| now.private);
    let zone = request.zone.iana_name().unwrap_or("UTC");
    form.field(Field::text("text", request.say("appointment-text")).value(text.unwrap_or_default()))
        .field(
            Field::new("start", request.say("appointment-start"), Kind::Moment)
                .value(start)
                .required()
                .help(request.words.with("appointment-zone", "zone", zone)),
        )
        .field(
            Field::new("end", request.say("appointment-end"), Kind::Moment)
                .value(end)
                .required(),
        )
        .field(
            Field::new("profile", request.say("me-profile"), Kind::Select(choices)).value(profile),
        )
        .field(
            Field::new("colour", request.say("appointment-colour"), Kind::Colour)
                .value(colour.unwrap_or(COLOUR)),
        )
        .field(
            Field::check(
                "private",
                request.say("appointment-private"),
                is_private.unwrap_or_default(),
            )
            .help(request.say("appointment-private-help")),
        )
}

fn body(request: &PageContext, typed: &EnteredForm) -> Result<NewAppointment, Refusal> {
    let moment = |field: &'static str| {
        let moment = request.moment(field, typed.one(field))?;
        moment.ok_or_else(|| Refusal::of_field(field, "write a day and a time".into()))
    };
    Ok(NewAppointment {
        start: moment("start")?,
        end: moment("end")?,
        text: typed.one("text").to_owned(),
        profile: typed.given("profile").map(str::to_owned),
        colour: typed.given("colour").map(str::to_owned),
        private: typed.ticked("private"),
    })
}

#[cfg(test)]
mod tests {
    use super::suggested;

    #[test]
    fn a_new_appointment_begins_at_the_next_hour() {
        let at = |now: &str| suggested(&now.parse().unwrap()).unwrap().join(" ");
        let late = at("2026-11-23T23:40[Europe/Berlin]");
        assert_eq!(late, "2026-11-24T00:00 2026-11-24T01:00");
        // The clocks go back at 3:00: still, it ends after it begins.
        let autumn = at("2026-10-25T01:10[Europe/Berlin]");
        assert_eq!(autumn, "2026-10-25T02:00 2026-10-25T03:00");
    }
}
