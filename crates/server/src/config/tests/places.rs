//! The places that messages about invalid values name: lines of the file and variables of the environment.

use super::parse;

/// An invalid value is reported at its own line, in any table of an array.
#[test]
fn a_wrong_value_is_reported_at_its_own_line() {
    let pbx = |name: &str, rest: &str| {
        format!(
            "[[pbx]]\nname = \"{name}\"\nserver = \"127.0.0.1:5060\"\ndomain = \"pbx.test\"\nusername = \"u\"\npassword = \"p\"\nextensions = [\"2\"]\n{rest}"
        )
    };
    let (first, second) = (pbx("a", ""), pbx("b", "transport = \"pigeon\"\n"));
    let tenant = |cloud: &str| {
        format!(
            "[[tenants]]\nname = \"x{cloud}\"\nsign_in = \"people\"\ntenant = \"t\"\nclient_id = \"c\"\ncloud = \"{cloud}\"\n"
        )
    };
    let account = "[[sip.account]]\nusername = \"u\"\npassword = \"p\"\n";
    let sip = "[sip]\ndomain = \"pbx.test\"\n";
    for (text, expected) in [
        // An invalid value in the second table, in the first, in both.
        (format!("{first}{second}"), ":15: pbx.transport: "),
        (format!("{second}{first}"), ":8: pbx.transport: "),
        (format!("{second}{second}"), ":8: pbx.transport: "),
        // A key that only the second table lacks: the line of the second table.
        (format!("{first}[[pbx]]\nname = \"b\"\n"), ":8: pbx.server: "),
        // A duplicate name.
        (format!("{first}{first}"), ":9: pbx.name: "),
        // Comments, other sections and text that looks like a key.
        (
            format!("# transport = 1\n{first}[audit]\ndays = 9\n\n{second}"),
            ":19: pbx.transport: ",
        ),
        // Inline tables and a dotted key.
        (
            "pbx = [\n{ server = \"a\", domain = \"d\", username = \"u\", password = \"p\", extensions = [\"1\"] },\n{ server = \"b:x\" }]".into(),
            ":3: pbx.server: ",
        ),
        ("teams.tenant = \"t\"\nteams.cloud = \"moon\"\n".into(), ":2: teams.cloud: "),
        // Other arrays.
        (format!("{}{}", tenant("global"), tenant("moon")), ":12: tenants.cloud: "),
        (format!("{sip}{account}[[sip.account]]\nusername = \"u\"\n"), ":6: sip.account.password: "),
        (format!("{sip}{account}algorithms = [\"MD4\"]\n"), ":6: sip.account.algorithms: "),
        (format!("{sip}{account}extension = \"10 01\"\n"), ":6: sip.account.extension: "),
        (format!("{sip}{account}{account}"), ":7: sip.account.username: "),
        // A value of the wrong type, an unknown key, and a duplicate key in one table.
        (format!("{first}{}", pbx("b", "list = 3\n")), ":15: pbx.list: "),
        (
            format!("{first}{}", pbx("b", "list = [\"sip:a@x\", \"sip:a@x\"]\n")),
            ":15: pbx.list: ",
        ),
        (format!("{first}{}", pbx("b", "lst = 3\n")), ":15: pbx.lst: "),
        (format!("{first}{}", pbx("b", "name = \"c\"\n")), ":15:"),
    ] {
        let error = parse(&text, &[]).unwrap_err();
        assert!(error.contains(expected), "{expected}\n{text}\n{error}");
    }
    // An invalid value of the environment names its variable, without a line.
    let both = format!("{first}{}", pbx("b", ""));
    for variable in ["OFFHOOK__PBX__0__TRANSPORT", "OFFHOOK__PBX__1__TRANSPORT"] {
        let error = parse(&both, &[(variable, "pigeon")]).unwrap_err();
        assert!(
            error.contains(variable) && !error.contains("toml:"),
            "{error}"
        );
    }
    // A table that only the environment sets.
    let error = parse(&pbx("a", ""), &[("OFFHOOK__PBX__1__NAME", "b")]).unwrap_err();
    assert!(error.contains("pbx.1.server: is missing"), "{error}");
}

/// A value that may be there once is reported with both of its places.
#[test]
fn a_duplicate_value_is_reported_with_both_places() {
    let pbx = |name: &str, extensions: &str| {
        format!(
            "[[pbx]]\nname = \"{name}\"\nserver = \"pbx.test\"\ndomain = \"pbx.test\"\nusername = \"u\"\npassword = \"p\"\n{extensions}\n"
        )
    };
    let (two, rest) = ("extensions = [\"1\", \"2\"]", "");
    let tenant =
        "[[tenants]]\nname = \"x\"\nsign_in = \"people\"\ntenant = \"t\"\nclient_id = \"c\"\n";
    let account = "[[sip.account]]\nusername = \"u\"\npassword = \"p\"\n";
    let sip = "[sip]\ndomain = \"pbx.test\"\n";
    for (text, expected) in [
        (
            pbx("a", two) + &pbx("b", "extensions = [\"30\", \"2\"]"),
            ":14: pbx.extensions: \"2\" is in line 7 too; give each prefix to one [[pbx]]",
        ),
        (
            pbx("a", rest) + &pbx("b", two) + &pbx("c", rest),
            ":15: pbx.extensions: is missing, and in line 1 too; ",
        ),
        (
            pbx("a", two) + &pbx("a", two),
            ":9: pbx.name: \"a\" is in line 2 too; give each [[pbx]] a name of its own",
        ),
        (
            // The name of a PBX without one is its first server.
            pbx("pbx.test", two) + &pbx("", two).replace("name = \"\"\n", ""),
            ":8: pbx.name: \"pbx.test\" is in line 2 too; ",
        ),
        (
            format!("{tenant}{tenant}"),
            ":7: tenants.name: \"x\" is in line 2 too; ",
        ),
        (
            tenant.replace("\"x\"", "\"main\""),
            ":2: tenants.name: \"main\" is the name of [teams]; ",
        ),
        (
            format!("{sip}{account}{account}"),
            ":7: sip.account.username: \"u\" is in line 4 too; ",
        ),
    ] {
        let error = parse(&text, &[]).unwrap_err();
        assert!(error.contains(expected), "{expected}\n{text}\n{error}");
    }
    // The same prefix twice in one list names no other PBX; a longer prefix belongs to another PBX.
    let fits = pbx("a", "extensions = [\"2\", \"2\"]") + &pbx("b", "extensions = [\"20\"]");
    assert!(parse(&fits, &[]).is_ok());
    let files = pbx("a", two) + &pbx("b", "extensions = [\"3\"]");
    for (variable, value, expected) in [
        (
            "OFFHOOK__PBX__0__EXTENSIONS",
            "[\"3\"]",
            ":14: pbx.extensions: \"3\" is in OFFHOOK__PBX__0__EXTENSIONS too; ",
        ),
        (
            "OFFHOOK__PBX__1__EXTENSIONS",
            "[\"1\"]",
            "environment variable OFFHOOK__PBX__1__EXTENSIONS: \"1\" is in line 7 too; ",
        ),
        (
            "OFFHOOK__pbx__1__name",
            "a",
            "environment variable OFFHOOK__pbx__1__name: \"a\" is in line 2 too; ",
        ),
    ] {
        let error = parse(&files, &[(variable, value)]).unwrap_err();
        assert!(error.contains(expected), "{expected}\n{error}");
    }
}
