//! The server accepts every configuration that the documents print.

use std::path::Path;

use super::{Config, Environment};

const PAGES: [(&str, &str); 3] = [
    (
        "connect-pbx.md",
        include_str!("../../../../docs/connect-pbx.md"),
    ),
    (
        "connect-asterisk.md",
        include_str!("../../../../docs/connect-asterisk.md"),
    ),
    (
        "connect-freeswitch.md",
        include_str!("../../../../docs/connect-freeswitch.md"),
    ),
];

/// The block with a value instead of each secret file, and with the required keys that an example of one key omits.
fn completed(block: &str) -> String {
    let with_secrets: String = block
        .lines()
        .map(|line| match line.starts_with("password_file") {
            true => "password = \"secret\"\n".into(),
            false => format!("{line}\n"),
        })
        .collect();
    let is_whole = !with_secrets.starts_with("[[pbx]]") || with_secrets.contains("server =");
    let rest = "server = \"pbx.test\"\ndomain = \"pbx.test\"\nusername = \"u\"\npassword = \"p\"\n";
    match is_whole {
        true => with_secrets,
        false => with_secrets + rest,
    }
}

#[test]
fn every_printed_configuration_is_taken() {
    for (page, text) in PAGES {
        let blocks: Vec<&str> = text.split("```toml\n").skip(1).collect();
        assert!(!blocks.is_empty(), "{page}");
        for block in blocks {
            let block = completed(block.split("```").next().unwrap());
            let environment = Environment::new([]);
            let config = Config::parse(Path::new("offhook.toml"), &block, &environment);
            if let Err(error) = config {
                panic!("{page}: {error}\n{block}");
            }
        }
    }
}
