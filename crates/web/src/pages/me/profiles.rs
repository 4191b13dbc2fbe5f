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
    async fn show(visit: &PageContext, back: Option<&RefusedForm>) -> Result<Page, Refusal> {
        let path = visit.mine("profiles")?;
        let profiles = visit.api.items(&path).await?;
        let mut page = Page::new(visit, visit.say("nav-profiles"))
            .text(visit.say("profiles-about"))
            .table(table(visit, &profiles));
        let edited = back.map_or_else(|| visit.query("edit"), |back| back.typed.given("key"));
        if let Some(name) =
            edited.filter(|_| back.is_none_or(|back| back.typed.one("form") == "save"))
        {
            let read = visit.api.read(&format!("{path}/{}", part(name))).await?;
            let mut form = Form::new(
                visit.words,
                "save",
                visit.words.with("profile-edit", "name", name),
            )
            .tag(&read.tag)
            .hidden("key", name);
            form.fields.extend(visit.profile_fields(&read.value));
            let form = form.field(Field::check(
                "active",
                visit.say("template-active"),
                flag(&read.value, "active"),
            ));
            page = page.form(form.button(visit.say("save")), back);
        }
        let mut form = Form::new(visit.words, "add", visit.say("profile-add")).field(
            Field::text("name", visit.say("board-name"))
                .required()
                .help(visit.say("profile-name-help")),
        );
        form.fields.extend(visit.profile_fields(&Value::Null));
        Ok(page.form(form.button(visit.say("add")), back))
    }

    async fn act(visit: &PageContext, typed: &EnteredForm) -> Result<Outcome, Refusal> {
        let path = visit.mine("profiles")?;
        let key = typed.one("key");
        let one = format!("{path}/{}", part(key));
        let said = match typed.one("form") {
            "add" => {
                let mut body = profile_body(typed);
                body["name"] = json!(typed.one("name"));
                visit.api.post(&path, body).await?;
                "added"
            }
            "save" => {
                let mut body = profile_body(typed);
                body["active"] = json!(typed.ticked("active"));
                visit.api.put(&one, body, typed.one("tag")).await?;
                "saved"
            }
            "delete" => {
                visit.api.delete(&one).await?;
                "deleted"
            }
            direction => {
                let profiles = visit.api.items(&path).await?;
                let names = profiles
                    .iter()
                    .map(|profile| text(profile, "name").to_owned());
                let names = moved(names.collect(), key, direction);
                visit.api.put(&path, json!({"names": names}), "").await?;
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
pub(in crate::pages) fn movers(visit: &PageContext, name: &str) -> [Button; 2] {
    ["up", "down"].map(|direction| {
        let label = visit.words.with(&format!("move-{direction}"), "name", name);
        let arrow = if direction == "up" { "↑" } else { "↓" };
        Button::new(direction, name, arrow.into()).label(label)
    })
}

fn table(visit: &PageContext, profiles: &[Value]) -> Table {
    let row = |profile: &Value| {
        let name = text(profile, "name");
        let is_own = text(profile, "origin") == "personal";
        let mut buttons = movers(visit, name).to_vec();
        let mut cells = vec![Cell::Text(name.to_owned())];
        if is_own {
            cells = vec![Cell::Link(
                format!("{HERE}?edit={}", part(name)),
                name.to_owned(),
            )];
            buttons.push(
                Button::new("delete", name, visit.say("delete"))
                    .label(visit.words.with("delete-of", "name", name))
                    .sure(visit.words.with("delete-sure", "name", name)),
            );
        }
        let status = text(profile, "status");
        let origin = match (is_own, flag(profile, "active")) {
            (true, true) => "card-own",
            (false, true) => "card-central",
            (true | false, false) => "profile-inactive",
        };
        cells.extend([
            Cell::Status(status.to_owned(), visit.status(status)),
            Cell::Text(visit.forwarding(profile)),
            Cell::Text(text(profile, "text").to_owned()),
            Cell::Text(visit.say(origin)),
            Cell::Buttons(buttons),
        ]);
        Row {
            key: name.to_owned(),
            cells,
        }
    };
    Table {
        id: "profiles",
        caption: visit.say("nav-profiles"),
        head: [
            "board-name",
            "board-status",
            "profile-forwarding",
            "profile-text",
            "profile-origin",
            "actions",
        ]
        .map(|key| visit.say(key))
        .to_vec(),
        rows: profiles.iter().map(row).collect(),
        empty: visit.say("profiles-none"),
        order: visit
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
