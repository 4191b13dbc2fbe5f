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
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let accounts = request.api.items::<Value>("/accounts").await?;
        let locations = request.api.items::<Value>("/scopes").await?;
        let mut page = Page::new(request, request.say("nav-accounts"))
            .text(request.say("accounts-about"))
            .table(table(request, &accounts));
        let edited = back.map_or_else(|| request.query("edit"), |back| back.typed.given("key"));
        if let Some(id) = edited {
            let read = request
                .api
                .read::<Value>(&format!("/accounts/{id}"))
                .await?;
            let name = text(&read.value, "name");
            let mut form = Form::new(
                request.words,
                "save",
                request.words.with("profile-edit", "name", name),
            )
            .tag(&read.tag)
            .hidden("key", id);
            form.fields.extend(fields(request, &read.value, &locations));
            let password = Form::new(
                request.words,
                "password",
                request.words.with("account-password-of", "name", name),
            )
            .hidden("key", id)
            .field(password(request).required())
            .button(request.say("save"));
            page = page
                .form(form.button(request.say("save")), back)
                .form(password, back);
        }
        let mut form = Form::new(request.words, "add", request.say("account-add"))
            .field(Field::text("name", request.say("sign-in-name")).required());
        form.fields
            .extend(fields(request, &Value::Null, &locations));
        Ok(page.form(
            form.field(password(request)).button(request.say("add")),
            back,
        ))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        request.require_system_administrator()?;
        let one = format!("/accounts/{}", typed.one("key"));
        let said = match typed.one("form") {
            "add" => {
                let mut body = body(request, typed)?;
                body["name"] = json!(typed.one("name"));
                body["password"] = json!(typed.given("password"));
                request.api.post("/accounts", body).await?;
                "added"
            }
            "save" => {
                request
                    .api
                    .patch(&one, body(request, typed)?, typed.one("tag"))
                    .await?;
                "saved"
            }
            "password" => {
                let body = json!({"password": typed.one("password")});
                request
                    .api
                    .put(&format!("{one}/password"), body, "")
                    .await?;
                "saved"
            }
            _ => {
                request.api.delete(&one).await?;
                "deleted"
            }
        };
        Ok(Done::new(HERE, said).into())
    }
}

fn password(request: &PageContext) -> Field {
    let field = Field::new(
        "password",
        request.say("sign-in-password"),
        Kind::Password("new-password"),
    );
    field.help(
        request
            .words
            .with("account-password-help", "count", api::password::LENGTH_MIN),
    )
}

fn fields(request: &PageContext, account: &Value, scopes: &[Value]) -> [Field; 3] {
    let roles = Role::ALL
        .map(|role| Choice::new(role.name(), request.say(&format!("role-{}", role.name()))));
    let role = Some(text(account, "role")).filter(|role| !role.is_empty());
    let person = Some(text(account, "person")).filter(|person| !person.is_empty());
    let mut locations = vec![Choice::new("", request.say("card-nothing"))];
    for scope in scopes
        .iter()
        .filter(|scope| text(scope, "kind") == "location")
    {
        locations.push(Choice::new(text(scope, "id"), text(scope, "name")));
    }
    [
        Field::new(
            "role",
            request.say("account-role"),
            Kind::Select(roles.to_vec()),
        )
        .value(role.unwrap_or("person")),
        Field::text("person", request.say("account-person"))
            .value(
                person
                    .map(|id| request.as_text([json!(id)].iter()))
                    .unwrap_or_default(),
            )
            .help(request.say("account-person-help")),
        Field::new(
            "location",
            request.say("account-location"),
            Kind::Select(locations),
        )
        .value(text(account, "location"))
        .help(request.say("account-location-help")),
    ]
}

fn body(request: &PageContext, typed: &EnteredForm) -> Result<Value, Refusal> {
    let person = typed.given("person");
    let person = person
        .map(|person| request.person_named("person", person))
        .transpose()?;
    Ok(json!({
        "role": typed.one("role"),
        "person": person.map(|person| person.to_string()),
        "location": typed.given("location"),
    }))
}

fn table(request: &PageContext, accounts: &[Value]) -> Table {
    let row = |account: &Value| {
        let (id, name) = (text(account, "id"), text(account, "name"));
        let person = text(account, "person");
        let location = text(account, "location");
        let has_password = flag(account, "has_password");
        let delete = Button::new("delete", id, request.say("delete"))
            .label(request.words.with("delete-of", "name", name))
            .sure(request.words.with("delete-sure", "name", name));
        let whose = match (person, location) {
            ("", "") => String::new(),
            ("", location) => scope_name(request, location),
            (person, "") => request.name_of(person),
            (person, location) => {
                format!(
                    "{}, {}",
                    request.name_of(person),
                    scope_name(request, location)
                )
            }
        };
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Link(format!("{HERE}?edit={id}"), name.to_owned()),
                Cell::Text(request.say(&format!("role-{}", text(account, "role")))),
                Cell::Text(whose),
                Cell::Mark(
                    has_password,
                    request.say(if has_password { "yes" } else { "no" }),
                ),
                Cell::Time(text(account, "created_at").to_owned()),
                Cell::Buttons(vec![delete]),
            ],
        }
    };
    Table {
        id: "accounts",
        caption: request.say("nav-accounts"),
        head: [
            "sign-in-name",
            "account-role",
            "account-whose",
            "sign-in-password",
            "board-since",
            "actions",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: accounts.iter().map(row).collect(),
        empty: request.say("accounts-none"),
        order: None,
    }
}
