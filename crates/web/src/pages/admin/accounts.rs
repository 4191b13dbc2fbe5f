//! Accounts: names, roles and people.

use serde_json::{Value, json};
use store::Role;

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Button, Cell, Choice, Field, Form, Kind, RefusedForm, Row, Table, flag, text},
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
};

const HERE: &str = "/admin/accounts";

/// The page of accounts.
pub(super) struct Accounts;

impl PageHandler for Accounts {
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        visit.require_system_administrator()?;
        let accounts = visit.api.items("/accounts").await?;
        let locations = visit.api.items("/scopes").await?;
        let mut page = Page::new(visit, visit.say("nav-accounts"))
            .text(visit.say("accounts-about"))
            .table(table(visit, &accounts));
        let edited = back.map_or_else(|| visit.query("edit"), |back| back.typed.given("key"));
        if let Some(id) = edited {
            let read = visit.api.read(&format!("/accounts/{id}")).await?;
            let name = text(&read.value, "name");
            let mut form = Form::new(
                visit.words,
                "save",
                visit.words.with("profile-edit", "name", name),
            )
            .tag(&read.tag)
            .hidden("key", id);
            form.fields.extend(fields(visit, &read.value, &locations));
            let password = Form::new(
                visit.words,
                "password",
                visit.words.with("account-password-of", "name", name),
            )
            .hidden("key", id)
            .field(password(visit).required())
            .button(visit.say("save"));
            page = page
                .form(form.button(visit.say("save")), back)
                .form(password, back);
        }
        let mut form = Form::new(visit.words, "add", visit.say("account-add"))
            .field(Field::text("name", visit.say("sign-in-name")).required());
        form.fields.extend(fields(visit, &Value::Null, &locations));
        Ok(page.form(form.field(password(visit)).button(visit.say("add")), back))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        visit.require_system_administrator()?;
        let one = format!("/accounts/{}", typed.one("key"));
        let said = match typed.one("form") {
            "add" => {
                let mut body = body(visit, typed)?;
                body["name"] = json!(typed.one("name"));
                body["password"] = json!(typed.given("password"));
                visit.api.post("/accounts", body).await?;
                "added"
            }
            "save" => {
                visit
                    .api
                    .patch(&one, body(visit, typed)?, typed.one("tag"))
                    .await?;
                "saved"
            }
            "password" => {
                let body = json!({"password": typed.one("password")});
                visit.api.put(&format!("{one}/password"), body, "").await?;
                "saved"
            }
            _ => {
                visit.api.delete(&one).await?;
                "deleted"
            }
        };
        Ok(Done::new(HERE, said).into())
    }
}

fn password(visit: &PageContext) -> Field {
    let field = Field::new(
        "password",
        visit.say("sign-in-password"),
        Kind::Password("new-password"),
    );
    field.help(
        visit
            .words
            .with("account-password-help", "count", api::password::LENGTH_MIN),
    )
}

fn fields(visit: &PageContext, account: &Value, scopes: &[Value]) -> [Field; 3] {
    let roles =
        Role::ALL.map(|role| Choice::new(role.name(), visit.say(&format!("role-{}", role.name()))));
    let role = Some(text(account, "role")).filter(|role| !role.is_empty());
    let person = Some(text(account, "person")).filter(|person| !person.is_empty());
    let mut locations = vec![Choice::new("", visit.say("card-nothing"))];
    for scope in scopes
        .iter()
        .filter(|scope| text(scope, "kind") == "location")
    {
        locations.push(Choice::new(text(scope, "id"), text(scope, "name")));
    }
    [
        Field::new(
            "role",
            visit.say("account-role"),
            Kind::Select(roles.to_vec()),
        )
        .value(role.unwrap_or("person")),
        Field::text("person", visit.say("account-person"))
            .value(
                person
                    .map(|id| visit.as_text([json!(id)].iter()))
                    .unwrap_or_default(),
            )
            .help(visit.say("account-person-help")),
        Field::new(
            "location",
            visit.say("account-location"),
            Kind::Select(locations),
        )
        .value(text(account, "location"))
        .help(visit.say("account-location-help")),
    ]
}

fn body(visit: &PageContext, typed: &EnteredForm) -> Result<Value, Refusal> {
    let person = typed.given("person");
    let person = person
        .map(|person| visit.person_named("person", person))
        .transpose()?;
    Ok(json!({
        "role": typed.one("role"),
        "person": person.map(|person| person.to_string()),
        "location": typed.given("location"),
    }))
}

fn table(visit: &PageContext, accounts: &[Value]) -> Table {
    let row = |account: &Value| {
        let (id, name) = (text(account, "id"), text(account, "name"));
        let person = text(account, "person");
        let location = text(account, "location");
        let has_password = flag(account, "has_password");
        let delete = Button::new("delete", id, visit.say("delete"))
            .label(visit.words.with("delete-of", "name", name))
            .sure(visit.words.with("delete-sure", "name", name));
        let whose = match (person, location) {
            ("", "") => String::new(),
            ("", location) => scope_name(visit, location),
            (person, "") => visit.name_of(person),
            (person, location) => {
                format!("{}, {}", visit.name_of(person), scope_name(visit, location))
            }
        };
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Link(format!("{HERE}?edit={id}"), name.to_owned()),
                Cell::Text(visit.say(&format!("role-{}", text(account, "role")))),
                Cell::Text(whose),
                Cell::Mark(
                    has_password,
                    visit.say(if has_password { "yes" } else { "no" }),
                ),
                Cell::Time(text(account, "created_at").to_owned()),
                Cell::Buttons(vec![delete]),
            ],
        }
    };
    Table {
        id: "accounts",
        caption: visit.say("nav-accounts"),
        head: [
            "sign-in-name",
            "account-role",
            "account-whose",
            "sign-in-password",
            "board-since",
            "actions",
        ]
        .map(|key| visit.say(key))
        .to_vec(),
        rows: accounts.iter().map(row).collect(),
        empty: visit.say("accounts-none"),
        order: None,
    }
}
