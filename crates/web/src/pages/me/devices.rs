//! My computers: machines with a desktop agent, their reports, pauses and pairing.

use std::time::Duration;

use runtime::clock::rfc3339;
use serde_json::{Value, json};

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Block, Button, Cell, Form, Link, RefusedForm, Row, Table, text, texts},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/me/devices";
const HOUR: Duration = Duration::from_secs(3600);
/// Interval in seconds at which the table is reloaded.
const REFRESH: u32 = 2;

/// My computers.
pub(super) struct Devices;

impl PageHandler for Devices {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let devices = request
            .api
            .items::<Value>(&request.mine("devices")?)
            .await?;
        let form = Form::new(request.words, "pair", request.say("device-pair"));
        let mut page = Page::new(request, request.say("nav-devices"))
            .text(request.say("devices-about"))
            .table(table(request, &devices))
            .form(form.button(request.say("device-code")), back);
        page.refresh = Some(REFRESH);
        Ok(page)
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let all = request.mine("devices")?;
        let one = format!("{all}/{}", part(typed.one("key")));
        let pause = |lasting: Option<Duration>| {
            let until = lasting.map(|lasting| rfc3339(request.context.clock.now() + lasting));
            request.api.patch(&one, json!({"paused_until": until}), "")
        };
        match typed.one("form") {
            "pair" => {
                let code: Value = request.api.post(&all, json!({})).await?.json()?;
                let page = Page::new(request, request.say("device-pair"))
                    .text(request.say("device-pair-about"))
                    .add(Block::Facts(vec![
                        (
                            request.say("device-code-is"),
                            Cell::Code(text(&code, "code").to_owned()),
                        ),
                        (
                            request.say("device-command"),
                            Cell::Code(text(&code, "command").to_owned()),
                        ),
                        (
                            request.say("device-code-until"),
                            Cell::Time(text(&code, "until").to_owned()),
                        ),
                    ]))
                    .add(Block::Links(
                        request.say("nav-devices"),
                        vec![Link::new(HERE, request.say("nav-devices"))],
                    ));
                return Ok(Outcome::Shown(Box::new(page)));
            }
            "remove" => {
                request.api.delete(&one).await?;
                return Ok(Done::new(HERE, "deleted").into());
            }
            "hour" => pause(Some(HOUR)).await?,
            "tomorrow" => pause(Some(until_tomorrow(request))).await?,
            _ => pause(None).await?,
        };
        Ok(Done::new(HERE, "saved").into())
    }
}

/// Time until the next day begins in the person's time zone.
fn until_tomorrow(request: &PageContext) -> Duration {
    let now = request.context.clock.now().milliseconds();
    let left = jiff::Timestamp::from_millisecond(now).ok().and_then(|now| {
        let here = now.to_zoned(request.zone.clone());
        let midnight = here.tomorrow().ok()?.start_of_day().ok()?;
        let left = midnight.timestamp().duration_since(now);
        Duration::try_from(left).ok()
    });
    left.unwrap_or(HOUR * 12)
}

fn table(request: &PageContext, devices: &[Value]) -> Table {
    let row = |device: &Value| {
        let (id, name) = (text(device, "id"), text(device, "name"));
        let paused = text(device, "paused_until");
        let since = text(device, "connected_since");
        let reporting = texts(device, "reporting");
        let does = match (since.is_empty(), paused.is_empty(), reporting.is_empty()) {
            (true, ..) => request.say("device-away"),
            (_, false, _) => request.say("device-paused"),
            (_, _, true) => request.say("device-nothing"),
            _ => reporting.join(", "),
        };
        let button = |form: &str| {
            Button::new(form, id, request.say(&format!("device-{form}"))).label(
                request.words.of_two(
                    "device-does",
                    ("name", name),
                    ("value", &request.say(&format!("device-{form}"))),
                ),
            )
        };
        let mut buttons = match (since.is_empty(), paused.is_empty()) {
            (true, _) => Vec::new(),
            (_, true) => vec![button("hour"), button("tomorrow")],
            (_, false) => vec![button("resume")],
        };
        buttons.push(
            Button::new("remove", id, request.say("delete"))
                .label(request.words.with("delete-of", "name", name))
                .sure(request.words.with("delete-sure", "name", name)),
        );
        let until = match paused {
            "" => Cell::Text(String::new()),
            until => Cell::Time(until.to_owned()),
        };
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Text(name.to_owned()),
                Cell::Text(text(device, "system").to_owned()),
                Cell::Mark(!since.is_empty(), does),
                until,
                Cell::Buttons(buttons),
            ],
        }
    };
    Table {
        id: "devices",
        caption: request.say("nav-devices"),
        head: [
            "board-name",
            "device-system",
            "device-reports",
            "device-paused-until",
            "actions",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: devices.iter().map(row).collect(),
        empty: request.say("devices-none"),
        order: None,
    }
}
