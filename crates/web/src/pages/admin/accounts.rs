//! Accounts: names, roles and people.

use api_types::{
    accounts::{Account, AccountChange, NewAccount, NewPassword, Role},
    scopes::{Scope, ScopeKind},
};

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::Refusal,
    components::{Button, Cell, Choice, Field, Form, Kind, RefusedForm, Row, Table},
    page_context::{EnteredForm, PageContext},
    setting::scope_name,
};

const HERE: &str = "/admin/accounts";

/// The page of accounts.
pub(super) struct Accounts;

impl PageHandler for Accounts {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        request.require_system_administrator()?;
        let accounts = request.api.items("/accounts").await?;
        let scopes: Vec<Scope> = request.api.items("/scopes").await?;
        let mut page = Page::new(request, request.say("nav-accounts"))
            .text(request.say("accounts-about"))
            .table(table(request, &accounts));
        let edited = back.map_or_else(|| request.query("edit"), |back| back.typed.given("key"));
        if let Some(id) = edited {
            let read = request
                .api
                .read::<Account>(&format!("/accounts/{id}"))
                .await?;
            let name = &read.value.name;
            let mut form = Form::new(
                request.words,
                "save",
                request.words.with("profile-edit", "name", name),
            )
            .tag(&read.tag)
            .hidden("key", id);
            form.fields
                .extend(fields(request, Some(&read.value), &scopes));
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
        form.fields.extend(fields(request, None, &scopes));
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
                let body = NewAccount {
                    name: typed.one("name").to_owned(),
                    role: typed.one("role").to_owned(),
                    person: person(request, typed)?,
                    location: typed.given("location").map(str::to_owned),
                    password: typed.given("password").map(str::to_owned),
                };
                request.api.post("/accounts", body).await?;
                "added"
            }
            "save" => {
                let body = AccountChange {
                    role: Some(typed.one("role").to_owned()),
                    person: Some(person(request, typed)?),
                    location: Some(typed.given("location").map(str::to_owned)),
                };
                request.api.patch(&one, body, typed.one("tag")).await?;
                "saved"
            }
            "password" => {
                let body = NewPassword {
                    old_password: None,
                    password: typed.one("password").to_owned(),
                };
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

/// The fields of an account; `None`: a new one.
fn fields(request: &PageContext, account: Option<&Account>, scopes: &[Scope]) -> [Field; 3] {
    let roles = Role::ALL
        .iter()
        .map(|role| Choice::new(role.name(), request.say(&format!("role-{}", role.name()))));
    let role = account.map_or(Role::Person, |account| account.role);
    let person = account.and_then(|account| account.person.as_deref());
    let location = account.and_then(|account| account.location.as_deref());
    let mut locations = vec![Choice::new("", request.say("card-nothing"))];
    let known = scopes.iter();
    let known = known.filter(|scope| scope.kind == ScopeKind::Location);
    locations.extend(known.map(|scope| Choice::new(&*scope.id, &*scope.name)));
    [
        Field::new(
            "role",
            request.say("account-role"),
            Kind::Select(roles.collect()),
        )
        .value(role.name()),
        Field::text("person", request.say("account-person"))
            .value(request.as_text(person))
            .help(request.say("account-person-help")),
        Field::new(
            "location",
            request.say("account-location"),
            Kind::Select(locations),
        )
        .value(location.unwrap_or_default())
        .help(request.say("account-location-help")),
    ]
}

/// The id of the entered person.
fn person(request: &PageContext, typed: &EnteredForm) -> Result<Option<String>, Refusal> {
    let person = typed.given("person");
    let person = person.map(|person| request.person_named("person", person));
    Ok(person.transpose()?.map(|person| person.to_string()))
}

fn table(request: &PageContext, accounts: &[Account]) -> Table {
    let row = |account: &Account| {
        let (id, name) = (&*account.id, &*account.name);
        let delete = Button::new("delete", id, request.say("delete"))
            .label(request.words.with("delete-of", "name", name))
            .sure(request.words.with("delete-sure", "name", name));
        let person = account.person.as_deref().map(|id| request.name_of(id));
        let location = account.location.as_deref();
        let location = location.map(|location| scope_name(request, location));
        let owner: Vec<String> = person.into_iter().chain(location).collect();
        let has_password = match account.has_password {
            true => "yes",
            false => "no",
        };
        Row {
            key: id.to_owned(),
            cells: vec![
                Cell::Link(format!("{HERE}?edit={id}"), name.to_owned()),
                Cell::Text(request.say(&format!("role-{}", account.role.name()))),
                Cell::Text(owner.join(", ")),
                Cell::Mark(account.has_password, request.say(has_password)),
                Cell::Time(account.created_at.clone()),
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
