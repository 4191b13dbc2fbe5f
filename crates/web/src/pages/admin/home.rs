//! Home of the administration: what needs attention, the first steps, figures, calls of the last day, recent changes. Location
//! administrators see the figures of their people only.

mod attention;

use api::problem::Problem;
use api_types::settings::ScopeSettingsChange;
use askama::Template;
use i18n::FluentValue;
use presence::{Confidence, setting_keys};
use runtime::health::Part;
use serde_json::{Map, Value};

use self::attention::{missing_zone, troubles, warnings};
use super::{audit, overview::administered, require_administrator};
use crate::{
    pages::{
        Done, Outcome, Page, PageHandler,
        client::Refusal,
        components::{Block, Field, Form, RefusedForm},
        page_context::{EnteredForm, PageContext},
        picture::duration,
    },
    texts::Texts,
};

/// Interval in seconds at which the script reads the page again.
const REFRESH: u32 = 5;
/// Recent changes.
const RECENT: usize = 6;
/// Hours of the chart.
const HOURS: usize = 24;
const HOUR_MILLISECONDS: i64 = 3_600_000;
/// Geometry of the chart: left edge, distance of bars, base line and height of the highest bar.
const LEFT: usize = 26;
const STEP: usize = 19;
const BASE: usize = 110;
const HEIGHT: usize = 104;
/// Path of the page with the details of problems.
const DETAILS: &str = "/admin/health";

/// The home page.
pub(super) struct Home;

impl PageHandler for Home {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        require_administrator(request)?;
        let is_system = request.caller.is_admin();
        let steps = if is_system {
            steps(request)
        } else {
            Vec::new()
        };
        let done = steps.iter().filter(|step| step.is_done).count();
        let people = People::of(request);
        let mut problems = Vec::new();
        let mut figures = Vec::new();
        if is_system {
            problems = troubles(request);
            figures.push(status(request, &steps, problems.len()));
            problems.extend(warnings(request));
            if !has_zone(request) {
                problems.push(missing_zone(request));
            }
        }
        figures.push(people.figure(request));
        problems.extend(people.problems(request));
        if is_system {
            figures.extend([latency(request), budget(request)]);
        }
        let (bars, most, calls) = if is_system {
            bars(request)
        } else {
            (Vec::new(), 0, 0)
        };
        let view = HomeView {
            words: request.words,
            figures,
            problems,
            done,
            steps: if done == steps.len() {
                Vec::new()
            } else {
                steps
            },
            bars,
            most,
            calls,
            is_system,
            recent: if is_system {
                audit::recent(request, RECENT).await?
            } else {
                Vec::new()
            },
        };
        let view = view.render();
        let view = view.map_err(|error| Problem::unavailable(&error.to_string()))?;
        let mut page = Page::new(request, request.say("nav-overview")).add(Block::Rendered(view));
        if is_system && !has_zone(request) {
            page = page.form(zone_form(request), back);
        }
        page.refresh = Some(REFRESH);
        Ok(page)
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        require_administrator(request)?;
        let key = setting_keys::TIME_ZONE.name;
        let change = ScopeSettingsChange {
            values: Map::from_iter([(key.to_owned(), Value::from(typed.one(key)))]),
            ..ScopeSettingsChange::default()
        };
        let path = "/scopes/organisation/settings/calendar";
        request.api.put(path, change, "").await?;
        Ok(Done::new("/admin", "zone").into())
    }
}

#[derive(Debug, Template)]
#[template(path = "home.html")]
struct HomeView {
    words: Texts,
    figures: Vec<Figure>,
    problems: Vec<Attention>,
    steps: Vec<Step>,
    /// Number of completed steps.
    done: usize,
    bars: Vec<Bar>,
    /// Calls in the hour with the most.
    most: usize,
    /// Calls of the day.
    calls: usize,
    /// Whether the viewer is a system administrator, who sees the chart and the changes.
    is_system: bool,
    /// Sentences and times of the last changes.
    recent: Vec<(String, String)>,
}

#[derive(Debug)]
struct Figure {
    label: String,
    number: String,
    about: String,
    /// Page with the reason of the figure.
    to: Option<String>,
    is_bad: bool,
}

/// A row of "Needs attention".
#[derive(Debug)]
struct Attention {
    title: String,
    about: String,
    /// Whether `about` is a text of the API, which is English.
    is_english: bool,
    since: Option<String>,
    button: String,
    to: &'static str,
    is_urgent: bool,
}

#[derive(Debug)]
struct Step {
    name: String,
    to: &'static str,
    is_done: bool,
    is_next: bool,
}

/// A bar of the chart: an hour.
#[derive(Debug)]
struct Bar {
    name: String,
    calls: usize,
    x: usize,
    y: usize,
    height: usize,
}

/// The people in the viewer's administration.
struct People {
    all: usize,
    /// With a Teams account, in a scope that synchronises.
    synchronised: usize,
    /// In a scope that synchronises, without a Teams account.
    unmatched: usize,
    /// With missing updates.
    silent: usize,
}

impl People {
    fn of(request: &PageContext) -> Self {
        let (context, views) = (&request.context, administered(request));
        let mut people = Self {
            all: views.len(),
            synchronised: 0,
            unmatched: 0,
            silent: 0,
        };
        for (id, view) in &views {
            people.silent += usize::from(view.confidence == Confidence::Stale);
            if context.organisation.syncs(*id) {
                let person = context.people.person(*id);
                match person.is_some_and(|person| person.teams_id.is_some()) {
                    true => people.synchronised += 1,
                    false => people.unmatched += 1,
                }
            }
        }
        people
    }

    fn figure(&self, request: &PageContext) -> Figure {
        let words = request.words;
        let missing = self.all - self.synchronised;
        let number = [
            ("count", self.synchronised.into()),
            ("value", self.all.into()),
        ];
        Figure {
            label: request.say("home-synchronised"),
            number: words.of("home-of", number),
            about: match (self.all, missing) {
                (0, _) => request.say("home-nobody"),
                (_, 0) => request.say("home-all-synchronised"),
                _ => words.with("home-why-not", "count", missing),
            },
            to: (missing > 0).then(|| format!("{DETAILS}#unmatched")),
            is_bad: false,
        }
    }

    fn problems(&self, request: &PageContext) -> Vec<Attention> {
        let row = |count: usize, key: &str, about: &str, to| Attention {
            title: request.words.with(key, "count", count),
            about: match about {
                "" => String::new(),
                key => request.say(key),
            },
            is_english: false,
            since: None,
            button: request.say("home-review"),
            to,
            is_urgent: false,
        };
        let mut rows = Vec::new();
        if self.unmatched > 0 {
            let to = "/admin/health#unmatched";
            rows.push(row(
                self.unmatched,
                "home-unmatched",
                "home-unmatched-about",
                to,
            ));
        }
        if self.silent > 0 {
            rows.push(row(self.silent, "home-silent", "", "/admin/health#silent"));
        }
        rows
    }
}

/// The figure of the server's state. An installation without people or connections is not set up, not well.
fn status(request: &PageContext, steps: &[Step], troubles: usize) -> Figure {
    let words = request.words;
    let parts = request.context.health.parts().len();
    // Microsoft Teams and people come first.
    let missing = steps.iter().take(2).find(|step| !step.is_done);
    let (number, about, to) = match (troubles, missing) {
        (0, Some(step)) => (
            request.say("home-not-set-up"),
            words.with("home-next", "name", step.name.as_str()),
            step.to,
        ),
        (0, None) => (
            request.say("home-works"),
            words.with("home-works-about", "count", parts),
            DETAILS,
        ),
        _ => (
            words.with("health-problems", "count", troubles),
            request.say("home-check"),
            DETAILS,
        ),
    };
    Figure {
        label: request.say("home-status"),
        number,
        about,
        to: Some(to.to_owned()),
        is_bad: troubles > 0,
    }
}

/// Time from a PBX event to the request to Microsoft, in the last hour.
fn latency(request: &PageContext) -> Figure {
    let histogram = request.context.metrics.pbx_to_graph.last_hour();
    let bound = |percent| histogram.percentile(percent).map(duration);
    let (number, about) = match (bound(50), bound(99)) {
        (Some(half), Some(most)) => {
            let values: [(&str, FluentValue<'_>); 2] =
                [("value", most.into()), ("count", histogram.count().into())];
            (
                format!("≤ {half}"),
                request.words.of("home-latency-about", values),
            )
        }
        (_, None) | (None, Some(_)) => ("–".to_owned(), request.say("home-latency-none")),
    };
    Figure {
        label: request.say("home-latency"),
        number,
        about,
        to: Some(DETAILS.to_owned()),
        is_bad: false,
    }
}

/// The tenant that has used the largest part of its request budget.
fn budget(request: &PageContext) -> Figure {
    let metrics = &request.context.metrics;
    let names = request.parts().teams.clients.names();
    let shares = names.iter().map(|tenant| {
        let (sent, limit) = metrics.budget(tenant);
        let share = match limit {
            0 => 0,
            limit => (sent * 100 + limit / 2) / limit,
        };
        (share, tenant)
    });
    let (number, about) = match shares.max() {
        Some((share, tenant)) => {
            let interval = format!("{:.1} s", metrics.sweep_interval(tenant));
            let interval = ("value", interval.as_str());
            let tenant = ("tenant", tenant.as_str());
            let about = request.words.of_two("home-budget-about", tenant, interval);
            (format!("{share} %"), about)
        }
        None => ("–".to_owned(), request.say("home-budget-none")),
    };
    Figure {
        label: request.say("home-budget"),
        number,
        about,
        to: None,
        is_bad: false,
    }
}

/// The first steps of an installation.
fn steps(request: &PageContext) -> Vec<Step> {
    let context = &request.context;
    let people = context.people.count();
    let parts = context.health.parts();
    let has_scopes = context
        .organisation
        .read(|snapshot| !snapshot.scopes.is_empty());
    let has_tenant = !request.parts().teams.clients.names().is_empty();
    let synchronised = context
        .people
        .people(|person| context.organisation.syncs(person.id));
    let step = |key: &str, to, is_done| Step {
        name: request.say(key),
        to,
        is_done,
        is_next: false,
    };
    let tenants = match has_tenant {
        true => "/admin/tenants",
        false => "/admin/tenants/connect",
    };
    let mut steps = vec![
        step("home-step-teams", tenants, has_tenant),
        step("home-step-people", "/admin/people", people > 0),
        step("home-step-scopes", "/admin/scopes", has_scopes),
        step(
            "home-step-pbx",
            "/admin/telephony",
            parts.keys().any(Part::is_of_pbx),
        ),
        step("home-step-pilot", "/admin/scopes", !synchronised.is_empty()),
        step(
            "home-step-agents",
            "/admin/microphone",
            request.parts().agents.count() > 0,
        ),
    ];
    if let Some(step) = steps.get_mut(1).filter(|_| people > 0) {
        step.name = request
            .words
            .with("home-step-people-count", "count", people);
    }
    if let Some(next) = steps.iter_mut().find(|step| !step.is_done) {
        next.is_next = true;
    }
    steps
}

/// Bars of the last 24 hours, the number of the highest, and the number of all calls.
fn bars(request: &PageContext) -> (Vec<Bar>, usize, usize) {
    let now = request.context.clock.now();
    let mut hours = [0_usize; HOURS];
    for call in request.context.events.calls(now) {
        let ago = (now.milliseconds() - call.milliseconds()).max(0) / HOUR_MILLISECONDS;
        let ago = usize::try_from(ago).unwrap_or(HOURS);
        if let Some(hour) = hours.iter_mut().rev().nth(ago) {
            *hour += 1;
        }
    }
    let most = hours.iter().copied().max().unwrap_or(0);
    let all = hours.iter().sum();
    let bars = hours.into_iter().enumerate().map(|(index, calls)| {
        let ago = HOURS - index - 1;
        let height = (calls * HEIGHT).div_ceil(most.max(1));
        Bar {
            name: match ago {
                0 => request.say("home-now"),
                ago => request.words.with("home-day-axis", "count", ago),
            },
            calls,
            x: LEFT + index * STEP,
            y: BASE - height,
            height,
        }
    });
    (bars.collect(), most, all)
}

/// Whether an administrator has set the organisation's time zone.
fn has_zone(request: &PageContext) -> bool {
    let organisation = &request.context.organisation;
    organisation.read(|snapshot| snapshot.chosen_zone().is_some())
}

/// Form for the organisation's time zone: by default that of the browser, else the server's.
fn zone_form(request: &PageContext) -> Form {
    let of_browser = request.zone.iana_name().filter(|zone| *zone != "UTC");
    let zone = of_browser.map_or_else(
        || {
            let organisation = &request.context.organisation;
            organisation.read(|snapshot| snapshot.zone().to_owned())
        },
        str::to_owned,
    );
    let field = Field::text(
        setting_keys::TIME_ZONE.name,
        request.say("zone-question-label"),
    )
    .value(zone)
    .help(request.say("zone-question-help"))
    .required();
    Form::new(request.words, "zone", request.say("zone-question"))
        .field(field)
        .button(request.say("save"))
}
