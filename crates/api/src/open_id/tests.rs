//! Every provider of the corpus signs in, or is refused with the words that are expected.

mod played;

use played::{Folder, folders, sign_in};

/// Each folder of tests/corpus/identity-providers is a provider's documented shape, or one kind of deviation.
#[tokio::test]
async fn every_provider_of_the_corpus_signs_in_as_expected() {
    let folders = folders();
    assert!(folders.len() > 40, "{} folders", folders.len());
    let mut problems = Vec::new();
    for path in folders {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let folder = Folder(path);
        let expected = folder.json("expected.json");
        let (found, seen) = sign_in(folder).await;
        let fits = match (&found, expected["identity"].as_str()) {
            (Ok(identity), Some(expected)) => identity == expected,
            (Err(error), None) => {
                let words = expected["refused"].as_array();
                let words = words.unwrap_or_else(|| panic!("{name}: expected.json is missing"));
                let all = words
                    .iter()
                    .all(|word| error.contains(word.as_str().unwrap()));
                all && !words.is_empty()
            }
            (Ok(_), None) | (Err(_), Some(_)) => false,
        };
        let ways = expected["client_authentication"].as_array();
        let ways_fit = ways.is_none_or(|ways| *ways == seen.authentication);
        let asked = expected["user_info_requests"].as_u64();
        let asked_fits = asked.is_none_or(|asked| asked == seen.user_info as u64);
        if !(fits && ways_fit && asked_fits) {
            problems.push(format!("{name}: {found:?} {seen:?}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
