//! People from a CSV file: `name,mail,UPN,extension`, with a header in any order and case, and `objectId` and `location`
//! where they are known. A person with several extensions has several rows.

use std::collections::BTreeMap;

/// A person to import.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportPerson {
    /// The name people see.
    pub name: String,
    /// Mail address, or empty.
    pub mail: String,
    /// Sign-in name at Microsoft, or empty.
    pub user_principal_name: String,
    /// Entra object id, if it is known; otherwise it is looked for by sign-in name and mail.
    pub teams_id: Option<String>,
    /// The name of the person's location; `None`: as it is.
    pub location: Option<String>,
    /// Telephone extensions.
    pub extensions: Vec<String>,
}

/// What is wrong with a CSV file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsvProblem {
    /// A column is missing.
    #[error(
        "line 1: the column {0} is missing; the first line must name the columns name, mail, UPN and extension, separated by commas"
    )]
    MissingColumn(&'static str),
    /// A row cannot be read.
    #[error("line {line}: {problem}")]
    Row {
        /// Line in the file, from 1.
        line: u64,
        /// What is wrong and what to do.
        problem: String,
    },
}

/// A longer value is no name and no address.
const FIELD_MAX: usize = 256;

/// Reads people from CSV text.
///
/// # Errors
/// The first problem, with its line. Nothing is imported then.
pub fn read_people_csv(text: &[u8]) -> Result<Vec<ImportPerson>, CsvProblem> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text);
    let header = reader
        .headers()
        .map_err(|error| problem(1, &error))?
        .clone();
    let column = |names: &[&str], name| {
        header
            .iter()
            .position(|title| {
                names
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(title.trim_start_matches('\u{feff}')))
            })
            .ok_or(CsvProblem::MissingColumn(name))
    };
    let name = column(&["name", "display name", "displayName"], "name")?;
    let mail = column(&["mail", "email", "e-mail"], "mail")?;
    let upn = column(&["upn", "userPrincipalName"], "UPN")?;
    let extension = column(&["extension", "phone"], "extension")?;
    let object_id = column(&["objectId", "object id", "id"], "objectId").ok();
    let location = column(&["location"], "location").ok();

    let mut people: Vec<ImportPerson> = Vec::new();
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    let mut owners: BTreeMap<String, (u64, usize)> = BTreeMap::new();
    for record in reader.records() {
        let record = record
            .map_err(|error| problem(error.position().map_or(0, csv::Position::line), &error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let row = |problem: String| CsvProblem::Row { line, problem };
        let field = |index: usize| record.get(index).unwrap_or_default().to_owned();
        let person = ImportPerson {
            name: field(name),
            mail: field(mail),
            user_principal_name: field(upn),
            teams_id: object_id.map(field).filter(|id| !id.is_empty()),
            location: location.map(field).filter(|name| !name.is_empty()),
            extensions: Vec::new(),
        };
        let extension = field(extension);
        check(&person, &extension).map_err(row)?;
        let key = if person.user_principal_name.is_empty() {
            &person.mail
        } else {
            &person.user_principal_name
        };
        let index = *rows.entry(key.to_lowercase()).or_insert(people.len());
        if index == people.len() {
            people.push(person);
        }
        if extension.is_empty() {
            continue;
        }
        if let Some((first, owner)) = owners.insert(extension.clone(), (line, index))
            && owner != index
        {
            return Err(row(format!(
                "extension {extension} is given to somebody else in line {first}; an extension belongs to one person"
            )));
        }
        if let Some(person) = people.get_mut(index)
            && !person.extensions.contains(&extension)
        {
            person.extensions.push(extension);
        }
    }
    Ok(people)
}

fn problem(line: u64, error: &csv::Error) -> CsvProblem {
    CsvProblem::Row {
        line,
        problem: format!(
            "{error}; each line needs the same columns, in UTF-8, with quotes around values that contain commas"
        ),
    }
}

fn check(person: &ImportPerson, extension: &str) -> Result<(), String> {
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
            "{name} has neither mail nor UPN; one of them is needed to find the person again"
        ));
    }
    for value in [name, mail, user_principal_name]
        .into_iter()
        .chain(&person.teams_id)
        .chain(&person.location)
    {
        if value.len() > FIELD_MAX {
            return Err(format!(
                "a value of {} bytes is too long; at most {FIELD_MAX} are allowed",
                value.len()
            ));
        }
        if value.chars().any(char::is_control) {
            return Err(format!(
                "{value:?} contains control characters; remove them"
            ));
        }
    }
    if !extension.is_empty() && !presence::is_extension(extension) {
        return Err(format!(
            "the extension {extension:?} may only have letters, digits and + * # - _ . (at most 64)"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{CsvProblem, read_people_csv};

    #[test]
    fn a_person_may_have_several_extensions_and_columns_any_order() {
        let csv = "\u{feff}Extension, UPN ,name,MAIL\n1001,anna@contoso.example,Anna,anna@contoso.example\n\
                   1002,Anna@contoso.example,Anna,\n,bert@contoso.example,Bert,\n";
        let people = read_people_csv(csv.as_bytes()).unwrap();
        assert_eq!(people.len(), 2);
        assert_eq!(people[0].extensions, ["1001", "1002"]);
        assert_eq!(people[1].extensions, [""; 0]);
    }

    #[test]
    fn object_id_and_location_are_taken_where_there_are_some() {
        let csv = "name,mail,UPN,extension,objectId,Location\nAnna,,anna@contoso.example,1,abc,Berlin\n\
                   Bert,,b@contoso.example,2,,\n";
        let people = read_people_csv(csv.as_bytes()).unwrap();
        assert_eq!(people[0].teams_id.as_deref(), Some("abc"));
        assert_eq!(people[0].location.as_deref(), Some("Berlin"));
        assert_eq!((&people[1].teams_id, &people[1].location), (&None, &None));
    }

    #[test]
    fn problems_name_line_value_and_remedy() {
        for (csv, line, word) in [
            (
                "name,mail,UPN,extension\n,a@b.example,,1\n",
                2,
                "name is empty",
            ),
            (
                "name,mail,UPN,extension\nAnna,,,1\n",
                2,
                "neither mail nor UPN",
            ),
            (
                "name,mail,UPN,extension\nA,a@b.example,,1\nB,b@b.example,,1\n",
                3,
                "in line 2",
            ),
            (
                "name,mail,UPN,extension\nA,a@b.example,,1 0\n",
                2,
                "\"1 0\"",
            ),
            (
                "name,mail,UPN,extension\nA,a@b.example\n",
                2,
                "same columns",
            ),
        ] {
            match read_people_csv(csv.as_bytes()) {
                Err(CsvProblem::Row { line: at, problem }) => {
                    assert_eq!(at, line, "{csv}");
                    assert!(problem.contains(word), "{problem}");
                }
                other => panic!("{csv}: {other:?}"),
            }
        }
        let missing = read_people_csv(b"name,mail,UPN\n").unwrap_err();
        assert_eq!(missing, CsvProblem::MissingColumn("extension"));
    }
}
