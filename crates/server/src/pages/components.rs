//! What pages are made of: plain values that one template renders, so that every form, table and refusal looks and behaves
//! alike everywhere.

#![expect(
    unused_qualifications,
    reason = "what askama writes for an enum has them"
)]

use std::fmt::Write;

use askama::Template;
use serde_json::Value;

use super::{client::Refusal, page_context::Typed};
use crate::i18n::Language;

/// A part of a page.
#[derive(Clone, Debug)]
pub(crate) enum Block {
    /// Begins a section.
    Heading(String),
    /// A paragraph.
    Text(String),
    /// Something to be told at once.
    Alert(String),
    /// Names and what they are.
    Facts(Vec<(String, Cell)>),
    /// A table.
    Table(Table),
    /// A form.
    Form(Form),
    /// A form that one opens first.
    Folded(String, Form),
    /// A field that looks for something on this page: its label and what was looked for.
    Search(String, String),
    /// Fields that choose among the rows of a table: name, label, what was looked for.
    Filter(Vec<(String, String, String)>),
    /// Ways on, and what they are.
    Links(String, Vec<Link>),
    /// A picture that the server drew, with a table behind it.
    Picture(Picture),
}

/// A way on.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) to: String,
    pub(crate) text: String,
    /// It leads to where one is.
    pub(crate) is_here: bool,
}

impl Link {
    /// A way to another page.
    pub(crate) fn new(to: impl Into<String>, text: String) -> Self {
        Self {
            to: to.into(),
            text,
            is_here: false,
        }
    }
}

/// A picture as SVG, and the same in words.
#[derive(Clone, Debug)]
pub(crate) struct Picture {
    /// What it shows.
    pub(crate) caption: String,
    /// The drawing; made by the server from numbers and escaped words.
    pub(crate) svg: String,
    /// The words above the table behind it.
    pub(crate) behind: String,
    pub(crate) table: Table,
}

/// A table.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "table.html")]
pub(crate) struct Table {
    pub(crate) id: &'static str,
    pub(crate) caption: String,
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// What stands there instead of no rows.
    pub(crate) empty: String,
    /// Where the order of the rows goes when they are dragged.
    pub(crate) order: Option<String>,
}

/// A row of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Row {
    /// Tells it from the others.
    pub(crate) key: String,
    pub(crate) cells: Vec<Cell>,
}

/// What stands in a cell.
#[derive(Clone, Debug, Template)]
#[template(path = "cell.html")]
pub(crate) enum Cell {
    Text(String),
    /// Whether all is well, and the words.
    Mark(bool, String),
    Link(String, String),
    /// A moment, RFC 3339.
    Time(String),
    /// How much is done of how much, 0 if that is not known; and what.
    Progress(u64, u64, String),
    /// A presence: its status, and the words.
    Status(String, String),
    Code(String),
    /// A colour and what it belongs to.
    Colour(String, String),
    Buttons(Vec<Button>),
}

/// A button with a form of its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Button {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) text: String,
    /// What it says to those who do not see where it stands.
    pub(crate) label: String,
    /// Asked before it is done.
    pub(crate) sure: Option<String>,
}

/// A form. It goes to the page that it stands on.
#[derive(Clone, Debug, Template)]
#[template(path = "form.html")]
pub(crate) struct Form {
    /// In which language it speaks.
    pub(crate) words: Language,
    /// Tells it from the others of the page.
    pub(crate) id: String,
    pub(crate) title: String,
    /// The ETag of what is changed; empty for what is made.
    pub(crate) tag: String,
    pub(crate) hidden: Vec<(String, String)>,
    pub(crate) fields: Vec<Field>,
    /// Whether it is sent as `multipart/form-data`: with files as they are, and long text without escapes.
    pub(crate) is_multipart: bool,
    /// Name and value that the button adds, its words, whether it is pressed.
    pub(crate) buttons: Vec<Submit>,
    /// A refusal that belongs to no field.
    pub(crate) wrong: Option<String>,
    /// Somebody has changed it since it was read.
    pub(crate) meanwhile: bool,
}

/// A button of a form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Submit {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) text: String,
    pub(crate) pressed: Option<bool>,
}

/// A field of a form.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) help: String,
    pub(crate) kind: Kind,
    pub(crate) values: Vec<String>,
    pub(crate) required: bool,
    pub(crate) error: Option<String>,
    /// What stands there now, if somebody has changed it since the page was read.
    pub(crate) meanwhile: Option<String>,
}

/// How a field looks.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Text,
    Password(&'static str), // For password managers (`autocomplete`).
    /// A whole number from … to ….
    Number(u32, u32),
    /// A day and a time of day.
    Moment,
    Colour,
    /// Several lines.
    Area,
    /// The contents of a file.
    File,
    Check,
    Select(Vec<Choice>),
    Checks(Vec<Choice>),
    /// Only shown.
    Shown,
}

impl Kind {
    /// What tells a browser how the field looks.
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

/// Something to choose.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) text: String,
}

/// A form that was refused: the page shows it again with what was typed.
#[derive(Clone, Debug)]
pub(crate) struct Back {
    pub(crate) typed: Typed,
    pub(crate) refusal: Refusal,
}

impl Choice {
    pub(crate) fn new(value: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            text: text.into(),
        }
    }
}

impl Field {
    pub(crate) fn new(name: &str, label: String, kind: Kind) -> Self {
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

    pub(crate) fn text(name: &str, label: String) -> Self {
        Self::new(name, label, Kind::Text)
    }

    pub(crate) fn check(name: &str, label: String, ticked: bool) -> Self {
        let field = Self::new(name, label, Kind::Check);
        match ticked {
            true => field.value("on"),
            false => field,
        }
    }

    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.values = vec![value.into()];
        self
    }

    pub(crate) fn help(mut self, help: String) -> Self {
        self.help = help;
        self
    }

    pub(crate) fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The only value.
    pub(crate) fn first(&self) -> &str {
        self.values.first().map_or("", String::as_str)
    }

    /// Whether this choice is among the values.
    pub(crate) fn has(&self, value: &str) -> bool {
        self.values.iter().any(|chosen| chosen == value)
    }

    /// Which words belong to it, for those who do not see where they stand.
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
        let ids: Vec<String> = ids
            .iter()
            .map(|id| format!("{form}-{}-{id}", self.name))
            .collect();
        if !ids.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(attributes, " aria-describedby=\"{}\"", ids.join(" "));
        }
        attributes
    }

    /// What stands there, in words.
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
    pub(crate) fn new(words: Language, id: &str, title: String) -> Self {
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

    /// Whether it was refused.
    pub(crate) fn is_wrong(&self) -> bool {
        self.meanwhile
            || self.wrong.is_some()
            || self.fields.iter().any(|field| field.error.is_some())
    }

    /// Changes what had this ETag when it was read.
    pub(crate) fn tag(mut self, tag: &str) -> Self {
        self.tag = tag.to_owned();
        self
    }

    pub(crate) fn hidden(mut self, name: &str, value: impl Into<String>) -> Self {
        self.hidden.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn field(mut self, field: Field) -> Self {
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

    /// If it was this form that was refused: what was typed, and the refusal beside its field.
    pub(crate) fn back(mut self, back: Option<&Back>) -> Self {
        let Some(back) = back.filter(|back| back.typed.one("form") == self.id) else {
            return self;
        };
        let wrong = back.refusal.field.as_deref().unwrap_or_default();
        let (wrong_field, _) = wrong.split_once('.').unwrap_or((wrong, ""));
        self.meanwhile = back.refusal.is_meanwhile();
        let mut told = false;
        for field in &mut self.fields {
            let typed = back.typed.all(&field.name);
            if self.meanwhile && typed != field.values {
                field.meanwhile = Some(field.shown());
            }
            if !matches!(field.kind, Kind::Password(_) | Kind::Shown) {
                field.values = typed;
            }
            if !wrong.is_empty() && (field.name == wrong || (!told && field.name == wrong_field)) {
                field.error = Some(back.refusal.detail.clone());
                told = true;
            }
        }
        if !told && !self.meanwhile {
            self.wrong = Some(back.refusal.detail.clone());
        }
        self
    }
}

impl Button {
    /// A button that does `form` with the thing of this name.
    pub(crate) fn new(form: &str, key: &str, text: String) -> Self {
        let fields = [("form", form), ("key", key)];
        Self {
            fields: fields
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            text,
            ..Self::default()
        }
    }

    pub(crate) fn label(mut self, label: String) -> Self {
        self.label = label;
        self
    }

    pub(crate) fn sure(mut self, question: String) -> Self {
        self.sure = Some(question);
        self
    }
}

/// A text of an answer; empty if there is none.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The texts of a list in an answer.
pub(crate) fn texts(value: &Value, key: &str) -> Vec<String> {
    let list = value.get(key).and_then(Value::as_array);
    let texts = list.into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// A yes or no of an answer.
pub(crate) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    fn back(typed: &[(&str, &str)], status: u16, field: Option<&str>) -> Back {
        let pairs = typed.iter().map(|(name, value)| (*name, *value));
        Back {
            typed: Typed::of(pairs),
            refusal: Refusal {
                status: StatusCode::from_u16(status).unwrap(),
                detail: "is wrong".into(),
                field: field.map(str::to_owned),
            },
        }
    }

    fn form() -> Form {
        Form::new(Language::English, "add", String::new())
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
