//! Conversion of rows to people: rows of the same person are joined, and contradictory rows are refused.

use std::collections::HashMap;

use presence::{Extension, ExtensionError};

use super::{
    ColumnUse, CsvProblem, ImportPerson,
    columns::Head,
    quoted,
    records::Record,
    values::{
        address_problem, cut_problem, error_problem, extension_problem, invisible_problem, is_guid,
        is_nil, rounded_problem, unprotected, without_scheme,
    },
};

/// The most bytes of a name or an address.
const FIELD_MAX: usize = 256;

/// A kind of value that belongs to one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    SignInName,
    Mail,
    ObjectId,
}

impl Key {
    const ALL: [Self; 3] = [Self::SignInName, Self::Mail, Self::ObjectId];

    fn name(self) -> &'static str {
        match self {
            Self::SignInName => "UPN",
            Self::Mail => "mail",
            Self::ObjectId => "objectId",
        }
    }

    /// The person's value of this kind; empty without one.
    fn of(self, person: &ImportPerson) -> &str {
        match self {
            Self::SignInName => &person.user_principal_name,
            Self::Mail => &person.mail,
            Self::ObjectId => person.teams_id.as_deref().unwrap_or_default(),
        }
    }
}

/// The people of the rows so far.
#[derive(Debug)]
pub(super) struct People<'a> {
    head: &'a Head,
    people: Vec<ImportPerson>,
    /// Index of the person who has a value, and its line. Values are in lower case for ASCII letters only, as in the
    /// database.
    owners: HashMap<(Key, String), (usize, u64)>,
    extensions: HashMap<Extension, (usize, u64)>,
    /// Lines that were skipped as comments.
    comments: usize,
}

impl<'a> People<'a> {
    pub(super) fn new(head: &'a Head) -> Self {
        Self {
            head,
            people: Vec::new(),
            owners: HashMap::new(),
            extensions: HashMap::new(),
            comments: 0,
        }
    }

    /// The people, and the number of lines that were skipped as comments.
    pub(super) fn done(self) -> (Vec<ImportPerson>, usize) {
        (self.people, self.comments)
    }

    /// Adds a row.
    pub(super) fn add(&mut self, record: &Record) -> Result<(), CsvProblem> {
        let row = |problem| CsvProblem::at(record.line, problem);
        if record.is_blank() {
            return Ok(());
        }
        if self.is_comment(record).map_err(row)? {
            self.comments += 1;
            return Ok(());
        }
        self.refuse_other_width(record).map_err(row)?;
        let person = self.read(record);
        check(&person).map_err(row)?;
        let extension = self.extension(record).map_err(row)?;
        let index = self.find_or_add(person, record.line).map_err(row)?;
        let Some(extension) = extension else {
            return Ok(());
        };
        let owner = self.extensions.entry(extension.clone());
        let (owner, first) = *owner.or_insert((index, record.line));
        if owner != index {
            return Err(row(format!(
                "extension {extension} is given to another person in line {first}; an extension belongs to one person"
            )));
        }
        if let Some(person) = self.people.get_mut(index)
            && !person.extensions.contains(&extension)
        {
            person.extensions.push(extension);
            person.extension_lines.push(record.line);
        }
        Ok(())
    }

    /// Returns true if a row is a comment; refuses a row that may also be a person.
    fn is_comment(&self, record: &Record) -> Result<bool, String> {
        let first = record.fields.first().map_or("", String::as_str);
        if !first.starts_with('#') || record.is_first_quoted {
            return Ok(false);
        }
        let title = self.head.columns.first().and_then(|column| column.used_for);
        if title == Some(ColumnUse::Extension) && Extension::parse(first).is_ok() {
            return Ok(false);
        }
        if record.fields.iter().any(|value| value.contains('\n')) {
            return Err("it begins with # like a comment, and a quotation mark in it opens a value that ends in a further line; delete the quotation mark or the line".into());
        }
        let is_value = |value: &&String| !value.is_empty();
        let values = record.fields.iter().filter(is_value).count();
        let has_address = record.fields.iter().any(|value| value.contains('@'));
        match values > 1 && (has_address || self.fits(record)) {
            true => Err("it begins with # like a comment, and has the fields of a person; delete the line, or put its first value in quotes".into()),
            false => Ok(true),
        }
    }

    /// Returns true if a row has the columns of the header. Excel leaves out separators at the end of a line: optional columns
    /// may be missing there. Further columns must be empty.
    fn fits(&self, record: &Record) -> bool {
        let (columns, fields) = (&self.head.columns, &record.fields);
        let mut missing = columns.iter().skip(fields.len());
        let mut beyond = fields.iter().skip(columns.len());
        !missing.any(|column| column.used_for.is_some_and(ColumnUse::is_required))
            && beyond.all(String::is_empty)
    }

    fn refuse_other_width(&self, record: &Record) -> Result<(), String> {
        if self.fits(record) {
            return Ok(());
        }
        let (wanted, found) = (self.head.columns.len(), record.fields.len());
        let fields = if found == 1 { "field" } else { "fields" };
        Err(format!(
            "it has {found} {fields} instead of the {wanted} of line {}; each line needs the same columns, with quotes around values that contain the separator",
            self.head.line
        ))
    }

    /// A field of the table, unchanged; empty if the row lacks it.
    fn field<'b>(&self, record: &'b Record, wanted: ColumnUse) -> &'b str {
        let place = self.head.place(wanted);
        let value = place.and_then(|place| record.fields.get(place));
        value.map_or("", String::as_str)
    }

    /// The extension of a row, if it has one.
    fn extension(&self, record: &Record) -> Result<Option<Extension>, String> {
        let raw = self.field(record, ColumnUse::Extension);
        let extension = unprotected(raw);
        let problem = error_problem(extension).or_else(|| extension_problem(extension));
        // A value that is protected from being read as a number was not changed as one.
        if let Some(problem) = problem.or_else(|| cut_problem(raw)) {
            return Err(format!("the extension {} {problem}", quoted(extension)));
        }
        if extension.is_empty() {
            return Ok(None);
        }
        match Extension::parse(extension) {
            Ok(extension) => Ok(Some(extension)),
            Err(ExtensionError) => Err(format!(
                "the extension {} may only have letters, digits and + * # - _ . (at most 64)",
                quoted(extension)
            )),
        }
    }

    /// The person of a row, without the extension.
    fn read(&self, record: &Record) -> ImportPerson {
        let value = |wanted| unprotected(self.field(record, wanted)).to_owned();
        let given = |wanted| Some(value(wanted)).filter(|value| !value.is_empty());
        let address = |wanted| without_scheme(&value(wanted)).to_owned();
        ImportPerson {
            line: Some(record.line),
            name: value(ColumnUse::Name),
            mail: address(ColumnUse::Mail),
            user_principal_name: address(ColumnUse::SignInName),
            teams_id: given(ColumnUse::ObjectId),
            location: given(ColumnUse::Location),
            extensions: Vec::new(),
            extension_lines: Vec::new(),
        }
    }

    /// The index of the row's person: one of an earlier row, or a new one.
    fn find_or_add(&mut self, person: ImportPerson, line: u64) -> Result<usize, String> {
        let key_of = |key: Key| (key, key.of(&person).to_ascii_lowercase());
        let mut found: Option<(Key, usize, u64)> = None;
        for key in Key::ALL {
            let owner = self.owners.get(&key_of(key)).copied();
            match (found, owner) {
                (_, None) => {}
                (None, Some((index, first))) => found = Some((key, index, first)),
                (Some((other, known, _)), Some((index, first))) if known != index => {
                    let known = self
                        .people
                        .get(known)
                        .and_then(|person| person.line)
                        .unwrap_or(line);
                    return Err(format!(
                        "its {} is that of line {known} and its {} that of line {first}, which are two people; correct one of them",
                        other.name(),
                        key.name()
                    ));
                }
                (Some(_), Some(_)) => {}
            }
        }
        let keys: Vec<_> = Key::ALL
            .into_iter()
            .map(key_of)
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let index = match found {
            None => {
                self.people.push(person);
                self.people.len() - 1
            }
            Some((key, index, first)) => {
                if let Some(known) = self.people.get_mut(index) {
                    join(known, person, (key, first))?;
                }
                index
            }
        };
        for key in keys {
            self.owners.entry(key).or_insert((index, line));
        }
        Ok(index)
    }
}

/// Adds the values of a further row of a person; refuses contradictions to the rows before. `first`: the line that has the
/// same key.
fn join(
    known: &mut ImportPerson,
    row: ImportPerson,
    (key, first): (Key, u64),
) -> Result<(), String> {
    let contradiction = |what: &str, now: &str, before: &str| {
        format!(
            "its {} {} is also in line {first}, where the {what} is {} and not {}; rows of one person must agree, and two people need different values",
            key.name(),
            quoted(key.of(&row)),
            quoted(before),
            quoted(now)
        )
    };
    // Names of people and locations, which are no keys, are compared regardless of case.
    let is_other_name = |now: &str, before: &str| now.to_lowercase() != before.to_lowercase();
    if is_other_name(&row.name, &known.name) {
        return Err(contradiction("name", &row.name, &known.name));
    }
    let location = |person: &ImportPerson| person.location.clone().unwrap_or_default();
    let values = Key::ALL.map(|key| {
        (
            key.name(),
            key.of(&row).to_owned(),
            key.of(known).to_owned(),
        )
    });
    for (what, now, before) in values {
        if !now.is_empty() && !before.is_empty() && !now.eq_ignore_ascii_case(&before) {
            return Err(contradiction(what, &now, &before));
        }
    }
    let (now, before) = (location(&row), location(known));
    if !now.is_empty() && !before.is_empty() && is_other_name(&now, &before) {
        return Err(contradiction("location", &now, &before));
    }
    if known.user_principal_name.is_empty() {
        known.user_principal_name = row.user_principal_name;
    }
    if known.mail.is_empty() {
        known.mail = row.mail;
    }
    known.teams_id = known.teams_id.take().or(row.teams_id);
    known.location = known.location.take().or(row.location);
    Ok(())
}

fn check(person: &ImportPerson) -> Result<(), String> {
    let ImportPerson {
        name,
        mail,
        user_principal_name,
        ..
    } = person;
    if name.is_empty() {
        return Err("the name is empty; every person needs one".into());
    }
    if mail.is_empty() && user_principal_name.is_empty() {
        return Err(format!(
            "{} has neither mail nor UPN; one of them is needed to find the person again",
            quoted(name)
        ));
    }
    let values = [name, mail, user_principal_name].into_iter();
    for value in values.chain(&person.teams_id).chain(&person.location) {
        if value.len() > FIELD_MAX {
            return Err(format!(
                "a value of {} bytes is too long; at most {FIELD_MAX} are allowed",
                value.len()
            ));
        }
        if value.chars().any(char::is_control) {
            return Err(format!(
                "{} contains a line break or another control character; remove it",
                quoted(value)
            ));
        }
        if let Some(problem) = error_problem(value).or_else(|| rounded_problem(value)) {
            return Err(format!("{} {problem}", quoted(value)));
        }
    }
    for value in [name].into_iter().chain(&person.location) {
        if let Some(problem) = invisible_problem(value) {
            return Err(format!("{} {problem}", quoted(value)));
        }
    }
    for (what, address) in [("mail", mail), ("UPN", user_principal_name)] {
        if let Some(problem) = address_problem(address) {
            return Err(format!("the {what} {} {problem}", quoted(address)));
        }
    }
    if let Some(id) = person.teams_id.as_deref().filter(|id| !is_guid(id)) {
        return Err(format!(
            "the objectId {} is no GUID such as 8f2c7e11-0000-4abc-9def-0123456789ab; copy it from Entra, or leave it empty",
            quoted(id)
        ));
    }
    if let Some(id) = person.teams_id.as_deref().filter(|id| is_nil(id)) {
        return Err(format!(
            "the objectId {} has only zeros and is of no account; copy it from Entra, or leave it empty",
            quoted(id)
        ));
    }
    Ok(())
}
