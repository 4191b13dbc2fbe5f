//! Sample organisation.

use presence::Extension;
use store::ImportPerson;

const NAMES: [&str; 25] = [
    "Anna Becker",
    "Bert Lindqvist",
    "Carla Moreno",
    "David Okafor",
    "Elif Yılmaz",
    "Farid Haddad",
    "Greta Hofmann",
    "Hugo Lambert",
    "Ines Carvalho",
    "Jonas Weber",
    "Katrin Vogel",
    "Liam Byrne",
    "Mei Tanaka",
    "Noah Fischer",
    "Olga Petrenko",
    "Paul Novak",
    "Quinn Harper",
    "Rosa Conti",
    "Samir Patel",
    "Tove Nilsen",
    "Ulrich Kern",
    "Vera Kowalska",
    "Wim de Vries",
    "Xenia Papadaki",
    "Yara Cohen",
];

/// Number of people with real names.
pub const NAMED: usize = NAMES.len();

/// Creates people with a Teams account and one extension each, from 1001 on. The first 25 have real names, the others
/// numbers.
pub fn people(count: usize) -> Vec<ImportPerson> {
    (0..count).map(person).collect()
}

fn person(index: usize) -> ImportPerson {
    let number = index + 1;
    let (name, first) = match NAMES.get(index) {
        Some(name) => {
            let first = name.split(' ').next().unwrap_or(name).to_lowercase();
            ((*name).to_owned(), first)
        }
        None => (format!("Person {number}"), format!("person{number}")),
    };
    let address = format!("{first}@contoso.example");
    ImportPerson {
        name,
        mail: address.clone(),
        user_principal_name: address,
        line: None,
        extension_lines: Vec::new(),
        teams_id: None,
        extensions: vec![Extension::stored((1000 + number).to_string())],
        location: None,
    }
}
