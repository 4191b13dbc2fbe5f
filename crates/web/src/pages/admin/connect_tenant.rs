//! Assistant for the first connection of a tenant. Each step has instructions, a section of the configuration file and a
//! check of the installation.

use api::problem::ProblemCode;
use api_types::doctor::{Finding, Verdict};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use store::is_guid;

use super::examination;
use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Block, Cell, Field, Form, Link, RefusedForm},
    page_context::{EnteredForm, PageContext},
};

const HERE: &str = "/admin/tenants/connect";

/// Checks of each step.
const CHECKS: [&[&str]; 5] = [
    &["configuration", "secrets", "database"],
    &["tenant", "sign-in", "clock", "token"],
    &["permissions", "graph", "read"],
    // The check of the database includes the number of people.
    &["database", "people", "accounts"],
    &["server", "people", "mode"],
];

/// The current step, and values entered before.
struct Step {
    number: usize,
    tenant: String,
    client: String,
}

impl Step {
    fn of(request: &PageContext) -> Self {
        let step = request.query("step").and_then(|step| step.parse().ok());
        let text = |name| request.query(name).unwrap_or_default().to_owned();
        Self {
            number: step.unwrap_or(1).clamp(1, CHECKS.len()),
            tenant: text("tenant"),
            client: text("client"),
        }
    }

    fn is_known(&self) -> bool {
        is_guid(&self.tenant) && is_guid(&self.client)
    }

    fn path(&self, step: usize) -> String {
        let [tenant, client] = [&self.tenant, &self.client]
            .map(|text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string());
        format!("{HERE}?step={step}&tenant={tenant}&client={client}")
    }
}

/// The page of a step.
pub(super) struct ConnectTenant;

impl PageHandler for ConnectTenant {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let step = Step::of(request);
        let page = page(request, &step);
        Ok(match step.number {
            1 => page.form(ids(request, &step), back),
            _ => page
                .form(examine_form(request), back)
                .add(neighbours(request, &step)),
        })
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        request.require_system_administrator()?;
        let mut step = Step::of(request);
        if step.number == 1 {
            step.tenant = entered_id("tenant", typed)?;
            step.client = entered_id("client", typed)?;
        }
        let mut findings = examination::findings(request).await?;
        let checks = CHECKS.get(step.number - 1).copied().unwrap_or_default();
        findings.retain(|finding| checks.contains(&&*finding.check));
        let is_complete = is_complete(&findings);
        if step.number == 1 && is_complete {
            return Ok(Done::new(step.path(2), "step").into());
        }
        let verdict = match is_complete {
            true => "connect-complete",
            false => "connect-incomplete",
        };
        let page = page(request, &step)
            .add(Block::Facts(vec![(
                request.say("doctor"),
                Cell::Mark(is_complete, request.say(verdict)),
            )]))
            .table(examination::table(request, &findings))
            .form(examine_form(request), None)
            .add(neighbours(request, &step));
        Ok(Outcome::Shown(Box::new(page)))
    }
}

/// Instructions of a step.
fn page(request: &PageContext, step: &Step) -> Page {
    let of = |key: &str| format!("connect-{}-{key}", step.number);
    let number = step.number.to_string();
    let title = request.words.of_two(
        "connect-step",
        ("count", &number),
        ("name", &request.say(&of("title"))),
    );
    let mut page = Page::new(request, title).text(request.say(&of("about")));
    let mut facts = Vec::new();
    match step.number {
        2 => {
            let make = "openssl req -x509 -newkey rsa:2048 -nodes -days 730 -subj /CN=offhook \
                        -keyout offhook.key -out offhook.crt && chmod 600 offhook.key";
            facts.push((request.say("connect-command"), Cell::Code(make.to_owned())));
            facts.push((
                request.say("connect-file"),
                Cell::Code(section(
                    step,
                    !request.parts().teams.clients.names().is_empty(),
                )),
            ));
        }
        3 => {
            let consent = format!(
                "https://login.microsoftonline.com/{}/adminconsent?client_id={}",
                step.tenant, step.client
            );
            if step.is_known() {
                let link = Cell::Link(consent, request.say("connect-consent-now"));
                facts.push((request.say("connect-consent"), link));
            }
        }
        4 => facts.push((
            request.say("connect-command"),
            Cell::Code("offhook import people.csv".into()),
        )),
        5 => {
            let to = super::settings_at(
                runtime::organisation::ORGANISATION.as_str(),
                presence::SettingsGroup::Teams,
            );
            facts.push((
                request.say("connect-switch"),
                Cell::Link(to, request.say("page-teams")),
            ));
        }
        _ => {}
    }
    if !facts.is_empty() {
        page = page.add(Block::Facts(facts));
    }
    page
}

/// The section of the configuration file from the values of the first step. Further tenants have names.
fn section(step: &Step, is_further: bool) -> String {
    let (tenant, client) = match step.is_known() {
        true => (&*step.tenant, &*step.client),
        false => ("…", "…"),
    };
    let begin = match is_further {
        true => "[[tenants]]\nname = \"…\"",
        false => "[teams]",
    };
    format!(
        "{begin}\ntenant = \"{tenant}\"\nclient_id = \"{client}\"\ncertificate_file = \"offhook.crt\"\nprivate_key_file = \"offhook.key\""
    )
}

/// Form for the two ids of an application in Entra.
fn ids(request: &PageContext, step: &Step) -> Form {
    let field = |name: &str, value: &str| {
        Field::text(name, request.say(&format!("connect-{name}")))
            .required()
            .help(request.say("connect-id-help"))
            .value(value)
    };
    Form::new(request.words, "ids", String::new())
        .field(field("tenant", &step.tenant))
        .field(field("client", &step.client))
        .button(request.say("connect-examine"))
}

fn examine_form(request: &PageContext) -> Form {
    Form::new(request.words, examination::FORM, String::new())
        .button(request.say("connect-examine"))
}

/// Links to the neighbouring steps.
fn neighbours(request: &PageContext, step: &Step) -> Block {
    let mut links = vec![Link::new(
        step.path(step.number.saturating_sub(1).max(1)),
        request.say("connect-before"),
    )];
    links.push(match step.number < CHECKS.len() {
        true => Link::new(step.path(step.number + 1), request.say("connect-next")),
        false => Link::new("/admin/tenants", request.say("nav-tenants")),
    });
    Block::Links(request.say("connect-ways"), links)
}

/// An entered id.
fn entered_id(field: &str, typed: &EnteredForm) -> Result<String, Refusal> {
    let id = typed.one(field).trim().to_lowercase();
    if is_guid(&id) {
        return Ok(id);
    }
    let code = ProblemCode::new("not-an-id").with("value", id);
    Err(Refusal::of_code(field, code))
}

/// Whether the checks of a step found no fault, and at least one was carried out.
fn is_complete(findings: &[Finding]) -> bool {
    let faultless = |finding: &Finding| match finding.verdict {
        Verdict::Fine | Verdict::Skipped => true,
        Verdict::Warning | Verdict::Failed => false,
    };
    let is_fine = |finding: &Finding| finding.verdict == Verdict::Fine;
    findings.iter().all(faultless) && findings.iter().any(is_fine)
}

#[cfg(test)]
mod tests {
    use super::is_guid;

    #[test]
    fn an_id_is_one_as_entra_shows_it() {
        assert!(is_guid("11111111-2222-4333-8444-55555555555f"));
        for wrong in [
            "",
            "contoso.com",
            "11111111222243338444555555555555",
            "11111111-2222-4333-8444-55555555555g",
            "11111111-2222-4333-8444-555555555555\"\nclient_secret = \"x",
        ] {
            assert!(!is_guid(wrong), "{wrong}");
        }
    }
}
