//! The sample organisation.

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

/// 25 people with a Teams account and one extension each, 1001 to 1025.
pub fn people() -> Vec<ImportPerson> {
    let person = |(index, name): (usize, &&str)| {
        let first = name.split(' ').next().unwrap_or(name).to_lowercase();
        let address = format!("{first}@contoso.example");
        ImportPerson {
            name: (*name).into(),
            mail: address.clone(),
            user_principal_name: address,
            teams_id: None,
            extensions: vec![(1001 + index).to_string()],
            location: None,
        }
    };
    NAMES.iter().enumerate().map(person).collect()
}
