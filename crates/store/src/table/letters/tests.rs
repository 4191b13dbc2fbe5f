//! Names of many languages, in their own encoding and read as Windows-1252.

use super::has_wrong_letter;
use crate::table::decode_table;

// Code page 850, 437 and Mac OS Roman, read as Windows-1252.
#[test]
fn words_of_other_encodings_are_told_from_names() {
    for word in [
        "Schr”der",
        "M„rz",
        "Andr‚",
        "™sterreich",
        "Malm”",
        "Fran‡ois",
        "No‰l",
        "Bjšrn",
        "Kšln",
        "MŠrz",
        "RenŽ",
        "JŸrgen",
        "Stra§e",
        "€rger",
        "…zdemir",
        "†ber",
        "GŒrd",
        "Mu–oz",
        "S¿ren",
    ] {
        assert!(has_wrong_letter(word), "{word}");
    }
    for name in [
        "Müller",
        "O’Neill",
        "Meyer–Weiß",
        "„Annie“",
        "„Annie”",
        "“Annie”",
        "Dušan",
        "Žižek",
        "Šimić",
        "ŽIŽEK",
        "Œuvre",
        "Cœur",
        "Núñez",
        "Straße",
        "§",
        "5€",
        "€5",
        "Nº",
        "Mª",
        "GmbH®",
        "«Annie»",
        "¿Qué?",
        "Anna…",
        "L·L",
        "O´Brien",
        "Matoušek",
        "Łukasz",
    ] {
        assert!(!has_wrong_letter(name), "{name}");
    }
}

// Read as Windows-1252, from the encoding that is named.
#[test]
fn names_of_other_encodings_are_refused_one_by_one() {
    for (encoding, names) in [
        (
            encoding_rs::WINDOWS_1257,
            &[
                "Petrauskienė",
                "Žydrūnas",
                "Bērziņš",
                "Kalniņš",
                "Šarūnas",
                "Žukauskas",
                "Kļaviņš",
                "Zariņa",
                "Daškevičius",
            ][..],
        ),
        (
            encoding_rs::WINDOWS_1254,
            &[
                "Ağa", "Şahin", "Şule", "Ayşe", "Erdoğan", "Yıldız", "Kılıç", "Uğur", "Yiğit",
                "Şimşek", "Işık", "Başak",
            ],
        ),
        (
            encoding_rs::WINDOWS_1250,
            &[
                "Zieliński",
                "Kowalczyń",
                "Paweł",
                "Kwaśniewski",
                "Śliwa",
                "Petrović",
                "Čapek",
                "Kučera",
                "Dvořák",
                "Němec",
                "Ionuţ",
                "Łukasz",
                "Jaśkowiak",
            ],
        ),
        (
            encoding_rs::MACINTOSH,
            &[
                "García",
                "Noël",
                "Zoë",
                "Martínez",
                "Rodríguez",
                "Díaz",
                "Ríos",
                "Víctor",
                "Luís",
                "Martí",
                "Jesús",
                "Raúl",
                "Núñez",
                "Sørensen",
                "Müller",
                "José",
                "Gaëlle",
            ],
        ),
        (encoding_rs::WINDOWS_1251, &["Иван", "Ян", "Ольга"]),
        (encoding_rs::WINDOWS_1253, &["Νίκος"]),
    ] {
        for name in names {
            let (bytes, _, _) = encoding.encode(name);
            let read = encoding_rs::WINDOWS_1252
                .decode_without_bom_handling(&bytes)
                .0;
            assert!(has_wrong_letter(&read), "{name} as {read}");
        }
    }
    for read in ["Zo‰", "Zo‘", "Caf‚", "Jo‰l"] {
        assert!(has_wrong_letter(read), "{read}");
    }
}

/// Names that are right in Windows-1252, and what stands beside them.
const WESTERN: &[&str] = &[
    "Müller",
    "Jürgen",
    "Schröder",
    "Käthe",
    "Weiß",
    "Groß",
    "Özil",
    "Ärger",
    "Übelacker",
    "MÜLLER",
    "GRÖSSER",
    "Hélène",
    "Lefèvre",
    "François",
    "Benoît",
    "Noël",
    "Zoë",
    "Chloë",
    "Gaëlle",
    "Raphaël",
    "Anaïs",
    "Loïc",
    "Moïse",
    "Lebœuf",
    "Cœur",
    "Ève",
    "Irène",
    "Jérôme",
    "Forêt",
    "Gonçalves",
    "Françoise",
    "Brûlé",
    "Côté",
    "Aÿ",
    "FRANÇOIS",
    "Muñoz",
    "Núñez",
    "Peña",
    "Iñaki",
    "Ñíguez",
    "García",
    "Martínez",
    "Jesús",
    "Raúl",
    "José",
    "Ángel",
    "Óscar",
    "Begoña",
    "MUÑOZ",
    "João",
    "Gonçalo",
    "Simões",
    "Conceição",
    "Inês",
    "António",
    "Luís",
    "Brandão",
    "Magalhães",
    "Søren",
    "Ågård",
    "Kærgaard",
    "Bjørn",
    "Åse",
    "Øyvind",
    "Ærø",
    "Håkon",
    "Lindström",
    "Sjöberg",
    "Åkesson",
    "Þór",
    "Þorsteinn",
    "Þröstur",
    "Þuríður",
    "Eyþór",
    "Hafþór",
    "Sigurðsson",
    "Guðrún",
    "Guðmundsdóttir",
    "Davíð",
    "Heiðar",
    "Auður",
    "Þórðarson",
    "Ásgeir",
    "Sigþór",
    "Þjóðólfur",
    "GUÐMUNDUR",
    "Daði",
    "Friðrik",
    "Viðar",
    "Niccolò",
    "Mosè",
    "Mònica",
    "Llorenç",
    "Gëzim",
    "Çelik",
    "Gökçe",
    "Gençtürk",
    "Seçkin",
    "Õnne",
    "Seán",
    "O’Neill",
    "O‘Brien",
    "D’Angelo",
    "D’angelo",
    "d’Artagnan",
    "Dell’Acqua",
    "Dell’orto",
    "Sa’id",
    "N’diaye",
    "Bob’s",
    "Jones’",
    "‘Annie’",
    "‚Annie‘",
    "’t",
    "Nicolo’",
    "›Annie‹",
    "L’Hôte",
    "Štefan",
    "Mª",
    "Nº",
    "m²",
    "Meyer-Öz",
    "ä",
];

#[test]
fn names_of_western_europe_are_taken() {
    for name in WESTERN {
        assert!(!has_wrong_letter(name), "{name}");
    }
    let refused = |names: &[&str]| {
        let rows = names
            .iter()
            .map(|name| format!("{name},a@contoso.example,,1\n"));
        let table = format!("name,mail,UPN,extension\n{}", rows.collect::<String>());
        let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(&table);
        decode_table(&bytes, None).err()
    };
    let alone = WESTERN.iter().filter_map(|name| refused(&[name]));
    assert_eq!(alone.collect::<Vec<_>>(), []);
    assert_eq!(refused(WESTERN), None);
}
