//! Components of pages: plain values that one template renders, so that forms, tables and refusals look and behave alike.

#![expect(
    unused_qualifications,
    reason = "what askama writes for an enum has them"
)]

use std::fmt::Write;

use askama::Template;
use serde_json::Value;

use super::{client::Refusal, page_context::EnteredForm};
pub(crate) use crate::layout::Link;
use crate::texts::Texts;

/// A block of a page.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    /// Heading of a section.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// A message that screen readers announce at once.
    Alert(String),
    /// Names and values.
    Facts(Vec<(String, Cell)>),
    /// A table.
    Table(Table),
    /// A form.
    Form(Form),
    /// A form in a disclosure.
    Folded(String, Form),
    /// A search field for this page: label and search text.
    Search(String, String),
    /// Filters of a table.
    Filter(Vec<FilterField>),
    /// A labelled list of links.
    Links(String, Vec<Link>),
    /// A chart, with a table as alternative.
    Picture(Picture),
    /// HTML from a template of its own.
    Rendered(String),
    /// Tables and charts in a disclosure.
    Details(String, Vec<Block>),
}

/// A field by which a table is filtered.
#[derive(Clone, Debug)]
pub(crate) struct FilterField {
    pub name: &'static str,
    pub label: String,
    pub value: String,
    pub(crate) kind: FilterKind,
}

/// Kind of a filter's field.
#[derive(Clone, Debug)]
pub(crate) enum FilterKind {
    Text,
    /// A day.
    Date,
    Choice(Vec<Choice>),
}

/// A chart as SVG, with a table as alternative.
#[derive(Clone, Debug, Template)]
#[template(path = "picture.html")]
pub(crate) struct Picture {
    /// Caption.
    pub(crate) caption: String,
    /// The drawing, made from numbers and escaped texts.
    pub(crate) svg: String,
    /// Label of the disclosure with the table.
    pub behind: String,
    pub table: Table,
}

/// A table.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "table.html")]
pub struct Table {
    pub id: &'static str,
    pub(crate) caption: String,
    pub(crate) head: Vec<String>,
    pub rows: Vec<Row>,
    /// Text in place of an empty table.
    pub empty: String,
    /// Address to which the script sends the order of dragged rows.
    pub order: Option<String>,
}

/// A row of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// Unique key of the row.
    pub key: String,
    pub(crate) cells: Vec<Cell>,
}

/// Content of a cell.
#[derive(Clone, Debug, Template)]
#[template(path = "cell.html")]
pub(crate) enum Cell {
    Text(String),
    /// Whether the state is good, and its text.
    Mark(bool, String),
    Link(String, String),
    /// A time (RFC 3339).
    Time(String),
    /// Steps done, steps in total (0 if unknown), and text.
    Progress(u64, u64, String),
    /// A status and its text.
    Status(String, String),
    Code(String),
    /// A colour and its meaning.
    Colour(String, String),
    Buttons(Vec<Button>),
}

impl Cell {
    /// A time (RFC 3339); an empty cell if there is none.
    pub(crate) fn time(at: Option<String>) -> Self {
        at.map_or_else(|| Self::Text(String::new()), Self::Time)
    }
}

/// A button in a form of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Button {
    pub fields: Vec<(String, String)>,
    pub text: String,
    /// Accessible label.
    pub label: String,
    /// Question to confirm first.
    pub sure: Option<String>,
}

/// A form. It is sent to its page.
#[derive(Clone, Debug, Template)]
#[template(path = "form.html")]
pub(crate) struct Form {
    /// Language of the form.
    pub words: Texts,
    /// Unique id on the page.
    pub id: String,
    pub title: String,
    /// ETag of the changed resource; empty for a new one.
    pub tag: String,
    pub hidden: Vec<(String, String)>,
    pub fields: Vec<Field>,
    /// Whether the form is sent as `multipart/form-data`, for files and long texts.
    pub(crate) is_multipart: bool,
    /// The buttons.
    pub(crate) buttons: Vec<Submit>,
    /// A refusal that concerns no single field.
    pub wrong: Option<String>,
    /// Whether another change came first.
    pub meanwhile: bool,
}

/// A button of a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Submit {
    pub name: String,
    pub value: String,
    pub text: String,
    pub(crate) pressed: Option<bool>,
}

/// A field of a form.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub name: String,
    pub label: String,
    pub(crate) help: String,
    pub kind: Kind,
    pub values: Vec<String>,
    pub required: bool,
    pub error: Option<String>,
    /// The present value, if another user has changed it since the page was read.
    pub meanwhile: Option<String>,
}

/// Kind of a field.
#[derive(Clone, Debug)]
pub enum Kind {
    Text,
    Password(&'static str), // For password managers (`autocomplete`).
    /// An integer in this range.
    Number(u32, u32),
    /// A date with time.
    Moment,
    Colour,
    /// A text of several lines.
    Area,
    /// A file.
    File,
    Check,
    Select(Vec<Choice>),
    Checks(Vec<Choice>),
    /// A value that cannot be changed.
    Shown,
}

impl Kind {
    /// Attributes of the input element.
    fn attributes(&self) -> String {
        match self {
            Self::Number(least, most) => {
                format!("type=\"number\" inputmode=\"numeric\" min=\"{least}\" max=\"{most}\"")
            }
            Self::Password(which) => format!("type=\"password\" autocomplete=\"{which}\""),
            Self::Moment => "type=\"datetime-local\"".into(),
            Self::Colour => "type=\"color\"".into(),
            Self::File => "type=\"file\"".into(),
            _ => "type=\"text\" autocomplete=\"off\"".into(),
        }
    }
}

/// An option of a selection.
#[derive(Clone, Debug)]
pub struct Choice {
    pub value: String,
    pub text: String,
}

/// A refused form, which the page shows again with the entered values.
#[derive(Clone, Debug)]
pub struct RefusedForm {
    pub(crate) typed: EnteredForm,
    pub refusal: Refusal,
}

impl Choice {
    pub fn new(value: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            text: text.into(),
        }
    }
}

impl Field {
    pub fn new(name: &str, label: String, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            label,
            help: String::new(),
            kind,
            values: Vec::new(),
            required: false,
            error: None,
            meanwhile: None,
        }
    }

    pub fn text(name: &str, label: String) -> Self {
        Self::new(name, label, Kind::Text)
    }

    pub fn check(name: &str, label: String, ticked: bool) -> Self {
        let field = Self::new(name, label, Kind::Check);
        match ticked {
            true => field.value("on"),
            false => field,
        }
    }

    pub fn value(mut self, value: impl Into<String>) -> Self {
        self.values = vec![value.into()];
        self
    }

    pub(crate) fn help(mut self, help: String) -> Self {
        self.help = help;
        self
    }

    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The only value.
    pub fn first(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    /// Whether the option is selected.
    pub fn has(&self, value: &str) -> bool {
        self.values.iter().any(|chosen| chosen == value)
    }

    /// Ids of the texts that describe the field, for screen readers.
    fn described(&self, form: &str) -> String {
        let mut attributes = String::new();
        let mut ids = Vec::new();
        if self.error.is_some() {
            attributes += " aria-invalid=\"true\"";
            ids.push("error");
        }
        if !self.help.is_empty() {
            ids.push("help");
        }
        let ids = ids.iter().map(|id| format!("{form}-{}-{id}", self.name));
        let ids: Vec<String> = ids.collect();
        if !ids.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(attributes, " aria-describedby=\"{}\"", ids.join(" "));
        }
        attributes
    }

    /// The value as text.
    fn shown(&self) -> String {
        let text = |value: &String| match &self.kind {
            Kind::Select(choices) | Kind::Checks(choices) => {
                let found = choices.iter().find(|choice| choice.value == *value);
                found.map_or_else(|| value.clone(), |choice| choice.text.clone())
            }
            _ => value.clone(),
        };
        self.values.iter().map(text).collect::<Vec<_>>().join(", ")
    }
}

impl Form {
    pub fn new(words: Texts, id: &str, title: String) -> Self {
        Self {
            words,
            id: id.to_owned(),
            title,
            tag: String::new(),
            hidden: Vec::new(),
            fields: Vec::new(),
            is_multipart: false,
            buttons: Vec::new(),
            wrong: None,
            meanwhile: false,
        }
    }

    /// Whether the form was refused.
    pub(crate) fn is_wrong(&self) -> bool {
        let has_error = self.fields.iter().any(|field| field.error.is_some());
        self.meanwhile || self.wrong.is_some() || has_error
    }

    /// Sets the ETag of the resource as it was read.
    pub fn tag(mut self, tag: &str) -> Self {
        self.tag = tag.to_owned();
        self
    }

    pub fn hidden(mut self, name: &str, value: impl Into<String>) -> Self {
        self.hidden.push((name.to_owned(), value.into()));
        self
    }

    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    pub(crate) fn button(self, text: String) -> Self {
        self.submit("", "", text)
    }

    pub(crate) fn submit(mut self, name: &str, value: &str, text: String) -> Self {
        self.buttons.push(Submit {
            name: name.to_owned(),
            value: value.to_owned(),
            text,
            pressed: None,
        });
        self
    }

    /// Adds the entered values and the refusal, if this form was refused.
    pub fn back(mut self, back: Option<&RefusedForm>) -> Self {
        let Some(back) = back.filter(|back| back.typed.one("form") == self.id) else {
            return self;
        };
        let wrong = back.refusal.field.as_deref().unwrap_or_default();
        let (wrong_field, _) = wrong.split_once('.').unwrap_or((wrong, ""));
        self.meanwhile = back.refusal.is_meanwhile();
        let mut is_shown = false;
        for field in &mut self.fields {
            let typed = back.typed.all(&field.name);
            if self.meanwhile && typed != field.values {
                field.meanwhile = Some(field.shown());
            }
            if !matches!(field.kind, Kind::Password(_) | Kind::Shown) {
                field.values = typed;
            }
            if !wrong.is_empty()
                && (field.name == wrong || (!is_shown && field.name == wrong_field))
            {
                field.error = Some(back.refusal.detail.clone());
                is_shown = true;
            }
        }
        if !is_shown && !self.meanwhile {
            self.wrong = Some(back.refusal.detail.clone());
        }
        self
    }
}

impl Button {
    /// A button that carries out the action `form` for the item `key`.
    pub fn new(form: &str, key: &str, text: String) -> Self {
        let fields = [("form", form), ("key", key)];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            fields: fields.to_vec(),
            text,
            ..Self::default()
        }
    }

    pub fn label(mut self, label: String) -> Self {
        self.label = label;
        self
    }

    pub fn sure(mut self, question: String) -> Self {
        self.sure = Some(question);
        self
    }
}

/// A text of an answer; empty if absent.
pub fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn back(typed: &[(&str, &str)], status: u16, field: Option<&str>) -> RefusedForm {
        let pairs = typed.iter().map(|(name, value)| (*name, *value));
        RefusedForm {
            typed: EnteredForm::of(pairs),
            refusal: Refusal {
                status: StatusCode::from_u16(status).unwrap(),
                detail: "is wrong".into(),
                field: field.map(str::to_owned),
                code: None,
            },
        }
    }

    fn form() -> Form {
        Form::new(Texts(i18n::Language::English), "add", String::new())
            .field(Field::text("name", "Name".into()).value("Anna"))
            .field(Field::new("password", "Key".into(), Kind::Password("")))
    }

    #[test]
    fn a_refused_form_keeps_what_was_typed_but_passwords() {
        let typed = [("form", "add"), ("name", "Berta"), ("password", "secret")];
        let shown = form().back(Some(&back(&typed, 422, Some("name"))));
        assert_eq!(shown.fields[0].first(), "Berta");
        assert_eq!(shown.fields[0].error.as_deref(), Some("is wrong"));
        assert_eq!(shown.fields[1].first(), "");
        assert_eq!(shown.wrong, None);
        let shown = form().back(Some(&back(&typed, 409, None)));
        assert_eq!(shown.wrong.as_deref(), Some("is wrong"));
    }

    #[test]
    fn another_form_of_the_page_is_left_alone() {
        let shown = form().back(Some(&back(&[("form", "other"), ("name", "X")], 422, None)));
        assert_eq!(shown.fields[0].first(), "Anna");
        assert_eq!(shown.wrong, None);
    }

    #[test]
    fn what_somebody_else_changed_stands_beside_what_was_typed() {
        let shown = form().back(Some(&back(
            &[("form", "add"), ("name", "Berta")],
            412,
            None,
        )));
        assert!(shown.meanwhile);
        assert_eq!(shown.fields[0].first(), "Berta");
        assert_eq!(shown.fields[0].meanwhile.as_deref(), Some("Anna"));
    }
}
