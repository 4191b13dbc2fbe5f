//! Valid and invalid configurations, and the messages for the invalid ones.

mod places;

use std::path::Path;

use sip::digest::Algorithm;

use super::{Config, Environment, LogFormat, raw::Raw};

const GOOD: &str = r#"
data = "data"

[http]
listen = "127.0.0.1:9000"

[teams]
tenant = "contoso.example"
client_id = "22553876-f5ab-4529-bffb-cfe50aa89f87"
client_secret = "s3cret"

[[pbx]]
name = "main"
server = "127.0.0.1:5060"
transport = "tcp"
domain = "pbx.test"
username = "1003"
password = "pw1003"
"#;

fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()));
    Config::parse(
        Path::new("folder/offhook.toml"),
        text,
        &Environment::new(environment),
    )
    .map_err(|error| error.to_string())
}

#[test]
fn a_good_file_is_taken_and_paths_are_beside_it() {
    let config = parse(GOOD, &[]).unwrap();
    assert_eq!(config.data, Path::new("folder/data"));
    assert_eq!(config.listen.port(), 9_000);
    let teams = &config.tenants[0];
    assert_eq!(teams.client.graph, "https://graph.microsoft.com");
    assert_eq!(teams.requests_per_30_seconds, Some(1_500));
    assert_eq!(config.pbxs[0].connector.servers(), ["127.0.0.1:5060"]);
}

#[test]
fn the_log_has_one_of_two_formats() {
    let format = |text: &str, environment| parse(text, environment).map(|config| config.log);
    assert_eq!(format("", &[]), Ok(LogFormat::Text));
    let json = "[log]\nformat = \"json\"";
    assert_eq!(format(json, &[]), Ok(LogFormat::Json));
    let text = [("OFFHOOK__LOG__FORMAT", "text")];
    assert_eq!(format(json, &text), Ok(LogFormat::Text));
    let refused = format("[log]\nformat = \"xml\"", &[]).unwrap_err();
    let expected = "log.format: \"xml\" is no format; expected text or json";
    assert!(refused.contains(expected), "{refused}");
}

#[test]
fn the_audit_log_goes_back_two_years_or_as_said() {
    let days = |text: &str| {
        let kept = parse(text, &[])?.audit_kept;
        let days = [kept.all, kept.own_changes].map(|kept| kept.as_secs() / 86_400);
        Ok::<_, String>(days)
    };
    assert_eq!(days(""), Ok([730, 30]));
    let both = "[audit]\ndays = 90\nown_changes_days = 7";
    assert_eq!(days(both), Ok([90, 7]));
    for key in ["days", "own_changes_days"] {
        let refused = days(&format!("[audit]\n{key} = 0")).unwrap_err();
        let expected = format!("audit.{key}: 0 is out of range");
        assert!(refused.contains(&expected), "{refused}");
    }
}

#[test]
fn what_people_enter_reaches_public_addresses_and_no_files_unless_configured() {
    let outside = parse("", &[]).unwrap().outside;
    assert!(outside.allow.is_empty() && outside.proxy.is_none());
    assert_eq!(outside.calendar_folder, None);
    let text = "[outside]\nallow = [\"10.1.0.0/16\", \"::1\"]\nproxy = \"http://proxy:3128\"\n[calendar]\nfolder = \"cal\"";
    let outside = parse(text, &[]).unwrap().outside;
    assert_eq!(outside.allow.len(), 2);
    assert_eq!(
        outside.calendar_folder.as_deref(),
        Some(Path::new("folder/cal"))
    );
    for (bad, words) in [
        ("[outside]\nallow = [\"10\"]", "outside.allow: \"10\""),
        (
            "[outside]\nproxy = \"http://u:s3cret@proxy\"",
            "outside.proxy: is no address",
        ),
        (
            "[calendar]\nfolder = \".\"",
            "calendar.folder: folder/. holds",
        ),
        (
            "data = \"d\"\n[calendar]\nfolder = \"d/cal\"",
            "calendar.folder: folder/d/cal holds",
        ),
    ] {
        let refused = parse(bad, &[]).unwrap_err();
        assert!(
            refused.contains(words) && !refused.contains("s3cret"),
            "{refused}"
        );
    }
}

#[test]
fn an_empty_file_listens_on_loopback_only() {
    let config = parse("", &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8200");
    assert!(config.tenants.is_empty() && config.pbxs.is_empty());
}

#[test]
fn the_environment_overrides_the_file() {
    let environment = [
        ("OFFHOOK_DATA", "elsewhere"),
        ("OFFHOOK__HTTP__LISTEN", "127.0.0.1:9001"),
        ("OFFHOOK__TEAMS__REQUESTS_PER_30_SECONDS", "10000"),
        ("OFFHOOK__PBX__0__PASSWORD", "12345"),
        ("OFFHOOK__HTTP__PROXIES", r#"["127.0.0.1", "10.0.0.0/8"]"#),
        ("HOME", "unrelated"),
    ];
    let config = parse(GOOD, &environment).unwrap();
    assert_eq!(config.data, Path::new("elsewhere"));
    assert_eq!(config.listen.port(), 9_001);
    assert_eq!(config.proxies.len(), 2);
    assert_eq!(config.tenants[0].requests_per_30_seconds, Some(10_000));
    let error = parse(GOOD, &[("OFFHOOK__HTTP__LISTNE", "x")]).unwrap_err();
    assert!(
        error.contains("OFFHOOK__HTTP__LISTNE") && error.contains("listen"),
        "{error}"
    );
    let error = parse(GOOD, &[("OFFHOOK__TEAMS__REQUESTS_PER_30_SECONDS", "many")]).unwrap_err();
    assert!(error.contains("wrong kind"), "{error}");
    let error = parse(GOOD, &[("OFFHOOK__PBX__0__SERVER", "pbx:sip")]).unwrap_err();
    assert!(
        error.contains("OFFHOOK__PBX__0__SERVER") && error.contains("host with a port"),
        "{error}"
    );
}

#[test]
fn what_is_wrong_is_named_with_file_line_key_and_expectation() {
    for (text, words) in [
        (
            "[http]\nlistne = \"x\"\n",
            vec!["folder/offhook.toml:2:", "http.listne", "listen"],
        ),
        (
            "\n\nhttp = 3\n",
            vec!["folder/offhook.toml:3:", "http", "expected"],
        ),
        (
            "[teams]\nrequests_per_30_seconds = \"x\"\n",
            vec![":2:", "teams.requests_per_30_seconds", "expected u32"],
        ),
        ("[teams]\ntenant = contoso\n", vec![":2:", "teams.tenant"]),
        (
            "[http]\nproxies = [\"127.0.0.1\", \"nginx\"]\n",
            vec![":2: http.proxies", "\"nginx\"", "192.0.2.0/24"],
        ),
        (
            "[http]\nlisten = \"everywhere\"\n",
            vec![":2: http.listen", "\"everywhere\"", "127.0.0.1:8200"],
        ),
        (
            "[teams]\ntenant = \"t\"\n",
            vec!["teams.client_", "missing"],
        ),
        (
            "[access]\napi_key = \"short\"\n",
            vec!["access.api_key", "20 characters"],
        ),
        (
            "[[pbx]]\nserver = [\"pbx\", \"pbx:0\"]\n",
            vec!["pbx.server", "\"pbx:0\"", "host with a port"],
        ),
        (
            "[sip]\nlisten = \"0.0.0.0:5080\"\ndomain = \"pbx.test\"\n",
            vec!["sip.address", "missing", "192.0.2.20:5080"],
        ),
        (
            "[sip]\ndomain = \"pbx.test\"\ntrusted = [\"the pbx\"]\n",
            vec!["sip.trusted", "\"the pbx\"", "192.0.2.0/24"],
        ),
        (
            "[sip]\ndomain = \"pbx.test\"\nothers = \"Friend\"\n",
            vec!["sip.others", "\"Friend\"", "Employee"],
        ),
        (
            "[sip]\ndomain = \"pbx.test\"\nalgorithms = [\"SHA-512\"]\n",
            vec!["sip.algorithms", "\"SHA-512\"", "MD5, SHA-256"],
        ),
        (
            "[sip]\ndomain = \"pbx.test\"\nalgorithms = []\n",
            vec!["sip.algorithms", "empty", "MD5, SHA-256"],
        ),
        (
            "[sip]\ndomain = \"pbx.test\"\nalgorithms = [\"md5\", \"MD5\"]\n",
            vec!["sip.algorithms", "twice", "MD5, SHA-256"],
        ),
        (
            "[sip]\ndomain = \"pbx.test\"\nalgorithms = 5\n",
            vec!["sip.algorithms", "a list of such texts"],
        ),
        (
            "[teams]\nclient_secret_file = \"missing.txt\"\n",
            vec!["teams.client_secret_file", "missing.txt"],
        ),
    ] {
        let error = parse(text, &[]).unwrap_err();
        for word in words {
            assert!(error.contains(word), "{text}: {error}");
        }
    }
    let publish = format!("{GOOD}publish = \"everything\"\n");
    assert!(parse(&publish, &[]).unwrap_err().contains("pbx.publish"));
    let plain = GOOD.replace("[[pbx]]", "graph_url = \"http://graph.example\"\n[[pbx]]");
    assert!(parse(&plain, &[]).unwrap_err().contains("teams.graph_url"));
    let transport = GOOD.replace("\"tcp\"", "\"carrier pigeon\"");
    assert!(
        parse(&transport, &[])
            .unwrap_err()
            .contains("carrier pigeon")
    );
}

#[test]
fn a_wrong_address_is_named_with_the_right_form() {
    let pbx = |line: &str| {
        let rest = "username = \"u\"\npassword = \"p\"\n";
        let server = "server = \"pbx.test\"\n";
        let domain = "domain = \"pbx.test\"\n";
        let has = |key: &str| line.starts_with(key);
        let server = if has("server") { "" } else { server };
        let domain = if has("domain") { "" } else { domain };
        format!("[[pbx]]\n{line}\n{server}{domain}{rest}")
    };
    for (text, expected) in [
        (
            pbx("list = \"blf\""),
            ":2: pbx.list: \"blf\" is no SIP address; expected for example \"sip:blf@pbx.test\"",
        ),
        (
            pbx("list = [\"sip:a@pbx.test\", \"a b\"]"),
            "example \"sip:blf@pbx.test\"",
        ),
        (pbx("list = 3"), ":2: pbx.list: expected a text in quotes"),
        (
            pbx("server = \"sip:pbx.test:5060;transport=tcp\""),
            ":2: pbx.server: \"sip:pbx.test:5060;transport=tcp\" is neither a host with a port nor a name; expected \"pbx.test:5060\"",
        ),
        (pbx("server = \"sip:pbx.test\""), "expected \"pbx.test\""),
        (pbx("server = \"http://pbx.test\""), "pbx.example.com:5060"),
        (
            pbx("domain = \"sip:1001@pbx.test\""),
            ":2: pbx.domain: \"sip:1001@pbx.test\" is no domain; expected the part behind the @ alone, for example \"pbx.test\"",
        ),
        (
            "[sip]\ndomain = \"sip:pbx.test\"\n".into(),
            ":2: sip.domain: \"sip:pbx.test\" is no domain",
        ),
        ("[pbx]\nserver = \"x\"\n".into(), ":1: pbx: "),
        ("[pbx]\nserver = \"x\"\n".into(), "write [[pbx]]"),
        (
            "[sip]\ndomain = \"x\"\n[sip.account]\nusername = \"1\"\n".into(),
            "write [[sip.account]]",
        ),
    ] {
        let error = parse(&text, &[]).unwrap_err();
        assert!(error.contains(expected), "{expected}\n{text}\n{error}");
    }
    for line in [
        "server = [\"192.0.2.10\", \"[2001:db8::1]:5060\", \"[2001:db8::1]\", \"p_b-x.test\"]",
        "domain = \"[2001:db8::1]:5060\"",
        "list = [\"sips:b%20lf@pbx.test\", \"SIP:blf@pbx.test\"]",
    ] {
        assert!(parse(&pbx(line), &[]).is_ok(), "{line}");
    }
    let one = "[sip]\ndomain = \"pbx.test\"\nalgorithms = \"MD5\"\n";
    let phones = parse(one, &[]).unwrap().phones.unwrap();
    assert_eq!(phones.algorithms, Some(vec![Algorithm::Md5]));
}

#[test]
fn phones_sign_in_by_names_and_algorithms_of_their_own() {
    let sip = "[sip]\ndomain = \"pbx.test\"\n";
    let account = "[[sip.account]]\nusername = \"1001\"\npassword = \"p\"\n";
    let desk = "[[sip.account]]\nusername = \"desk\"\nextension = \"1001\"\npassword = \"p\"\nalgorithms = [\"md5\"]\n";
    let phones = parse(&format!("{GOOD}{sip}{account}{desk}"), &[]);
    let phones = phones.unwrap().phones.unwrap();
    assert_eq!(phones.algorithms, None);
    let accounts: Vec<_> = phones.accounts.iter().collect();
    let names = accounts
        .iter()
        .map(|a| (&*a.credentials.username, &*a.extension));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [("1001", "1001"), ("desk", "1001")]
    );
    let own: Vec<_> = accounts.iter().map(|a| a.algorithms.clone()).collect();
    assert_eq!(own, [None, Some(vec![Algorithm::Md5])]);
    let order = format!("{GOOD}{sip}algorithms = [\"SHA-256\", \"MD5\"]\n");
    let phones = parse(&order, &[]).unwrap().phones.unwrap();
    let order = vec![Algorithm::Sha256, Algorithm::Md5];
    assert_eq!(phones.algorithms, Some(order));
}

#[test]
fn a_secret_never_appears_in_a_message() {
    for text in [
        "[teams]\nclient_secret = 98765\n",
        "[[pbx]]\npassword = 98765\n",
        "[access]\napi_key = 98765\n",
    ] {
        let error = parse(text, &[]).unwrap_err();
        assert!(!error.contains("98765"), "{error}");
        assert!(error.contains(":2:"), "{error}");
    }
    let secrets = "[access]\napi_key = \"canary-key-of-20-characters\"\n[open_id_connect]\nissuer = \"https://login.example.com\"\nclient_id = \"c\"\nclient_secret = \"canary\"\n[sip]\ndomain = \"pbx.test\"\n[[sip.account]]\nusername = \"1001\"\npassword = \"canary\"\n[[tenants]]\nname = \"x\"\ntenant = \"t\"\nclient_id = \"c\"\nclient_secret = \"canary\"\n";
    let text = format!("{GOOD}{secrets}").replace("s3cret", "canary");
    let text = text.replace("pw1003", "canary");
    let config = parse(&text, &[]).unwrap();
    let raw: Raw = toml::from_str(&text).unwrap();
    let variable = ("OFFHOOK__PBX__0__PASSWORD".into(), "canary".into());
    let environment = Environment::new([variable]);
    let printed = format!("{config:?} {raw:?} {environment:?}");
    assert!(!printed.contains("canary"), "{printed}");
    assert!(printed.contains("REDACTED") && printed.contains("OFFHOOK__PBX__0__PASSWORD"));
}

#[test]
fn the_issuer_is_taken_as_administrators_copy_it() {
    let options = |keys: &str| {
        let section =
            format!("[open_id_connect]\nclient_id = \"offhook\"\nclient_secret = \"s\"\n{keys}");
        parse(&section, &[]).map(|config| config.open_id.unwrap())
    };
    let plain = "https://authentik.example.com/application/o/offhook";
    for copied in [
        plain.to_owned(),
        format!("{plain}/"),
        format!(" {plain}/ "),
        format!("{plain}/.well-known/openid-configuration"),
    ] {
        let issuer = options(&format!("issuer = \"{copied}\"")).unwrap().issuer;
        assert_eq!(issuer, plain, "{copied}");
    }
    let with_version = "https://login.example.com/v1.0";
    let issuer = options(&format!("issuer = \"{with_version}\""))
        .unwrap()
        .issuer;
    assert_eq!(issuer, with_version);
    for wrong in [
        "accounts.google.com",
        "http://login.example.com",
        "https://login.example.com/?p=sign-in",
        "https://login.microsoftonline.com/{tenantid}/v2.0",
    ] {
        let error = options(&format!("issuer = \"{wrong}\"")).unwrap_err();
        assert!(error.contains("open_id_connect.issuer"), "{error}");
        assert!(
            error.contains(wrong) && error.contains("expected"),
            "{error}"
        );
    }
    let scopes = |keys: &str| {
        let keys = format!("issuer = \"{plain}\"\n{keys}");
        options(&keys).unwrap().scopes.join(" ")
    };
    assert_eq!(scopes(""), "openid email profile");
    assert_eq!(scopes("scopes = [\"staff\"]"), "openid staff");
}
