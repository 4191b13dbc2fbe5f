//! My Profiles: their order, and personal profiles.

use serde_json::{Value, json};

use crate::pages::{
    Done, Outcome, Page, PageHandler,
    client::{Refusal, part},
    components::{Button, Cell, Field, Form, RefusedForm, Row, Table, flag, text},
    page_context::{EnteredForm, PageContext},
    words::profile_body,
};

const HERE: &str = "/me/profiles";

/// My Profiles.
pub(super) struct Profiles;

impl PageHandler for Profiles {
    async fn show(request: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let path = request.mine("profiles")?;
        let profiles = request.api.items::<Value>(&path).await?;
        let mut page = Page::new(request, request.say("nav-profiles"))
            .text(request.say("profiles-about"))
            .table(table(request, &profiles));
        let edited = back.map_or_else(|| request.query("edit"), |back| back.typed.given("key"));
        if let Some(name) =
            edited.filter(|_| back.is_none_or(|back| back.typed.one("form") == "save"))
        {
            let read = request
                .api
                .read::<Value>(&format!("{path}/{}", part(name)))
                .await?;
            let mut form = Form::new(
                request.words,
                "save",
                request.words.with("profile-edit", "name", name),
            )
            .tag(&read.tag)
            .hidden("key", name);
            form.fields.extend(request.profile_fields(&read.value));
            let form = form.field(Field::check(
                "active",
                request.say("template-active"),
                flag(&read.value, "active"),
            ));
            page = page.form(form.button(request.say("save")), back);
        }
        let mut form = Form::new(request.words, "add", request.say("profile-add")).field(
            Field::text("name", request.say("board-name"))
                .required()
                .help(request.say("profile-name-help")),
        );
        form.fields.extend(request.profile_fields(&Value::Null));
        Ok(page.form(form.button(request.say("add")), back))
    }

    async fn act(request: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let path = request.mine("profiles")?;
        let key = typed.one("key");
        let one = format!("{path}/{}", part(key));
        let said = match typed.one("form") {
            "add" => {
                let mut body = profile_body(typed);
                body["name"] = json!(typed.one("name"));
                request.api.post(&path, body).await?;
                "added"
            }
            "save" => {
                let mut body = profile_body(typed);
                body["active"] = json!(typed.ticked("active"));
                request.api.put(&one, body, typed.one("tag")).await?;
                "saved"
            }
            "delete" => {
                request.api.delete(&one).await?;
                "deleted"
            }
            direction => {
                let profiles = request.api.items::<Value>(&path).await?;
                let names = profiles
                    .iter()
                    .map(|profile| text(profile, "name").to_owned());
                let names = moved(names.collect(), key, direction);
                request.api.put(&path, json!({"names": names}), "").await?;
                "ordered"
            }
        };
        Ok(Done::new(HERE, said).into())
    }
}

/// The names after one has moved up or down by one position.
pub(in crate::pages) fn moved(mut names: Vec<String>, name: &str, direction: &str) -> Vec<String> {
    let Some(at) = names.iter().position(|known| known == name) else {
        return names;
    };
    let other = if direction == "up" {
        at.checked_sub(1)
    } else {
        Some(at + 1)
    };
    if let Some(other) = other.filter(|other| *other < names.len()) {
        names.swap(at, other);
    }
    names
}

/// Buttons that move a row up and down.
pub(in crate::pages) fn movers(request: &PageContext, name: &str) -> [Button; 2] {
    ["up", "down"].map(|direction| {
        let label = request
            .words
            .with(&format!("move-{direction}"), "name", name);
        let arrow = if direction == "up" { "↑" } else { "↓" };
        Button::new(direction, name, arrow.into()).label(label)
    })
}

fn table(request: &PageContext, profiles: &[Value]) -> Table {
    let row = |profile: &Value| {
        let name = text(profile, "name");
        let is_own = text(profile, "origin") == "personal";
        let mut buttons = movers(request, name).to_vec();
        let mut cells = vec![Cell::Text(name.to_owned())];
        if is_own {
            cells = vec![Cell::Link(
                format!("{HERE}?edit={}", part(name)),
                name.to_owned(),
            )];
            buttons.push(
                Button::new("delete", name, request.say("delete"))
                    .label(request.words.with("delete-of", "name", name))
                    .sure(request.words.with("delete-sure", "name", name)),
            );
        }
        let status = text(profile, "status");
        let origin = match (is_own, flag(profile, "active")) {
            (true, true) => "card-own",
            (false, true) => "card-central",
            (true | false, false) => "profile-inactive",
        };
        cells.extend([
            Cell::Status(status.to_owned(), request.status(status)),
            Cell::Text(request.forwarding(profile)),
            Cell::Text(text(profile, "text").to_owned()),
            Cell::Text(request.say(origin)),
            Cell::Buttons(buttons),
        ]);
        Row {
            key: name.to_owned(),
            cells,
        }
    };
    Table {
        id: "profiles",
        caption: request.say("nav-profiles"),
        head: [
            "board-name",
            "board-status",
            "profile-forwarding",
            "profile-text",
            "profile-origin",
            "actions",
        ]
        .map(|key| request.say(key))
        .to_vec(),
        rows: profiles.iter().map(row).collect(),
        empty: request.say("profiles-none"),
        order: request
            .mine("profiles")
            .ok()
            .map(|path| format!("/api/v1{path}")),
    }
}

#[cfg(test)]
mod tests {
    use super::moved;

    #[test]
    fn a_name_goes_up_or_down_and_not_beyond_the_ends() {
        let order = |name: &str, direction: &str| {
            let names = ["a", "b", "c"].map(str::to_owned).to_vec();
            moved(names, name, direction).concat()
        };
        assert_eq!(order("b", "up"), "bac");
        assert_eq!(order("b", "down"), "acb");
        assert_eq!(order("a", "up"), "abc");
        assert_eq!(order("c", "down"), "abc");
        assert_eq!(order("x", "up"), "abc");
    }
}
