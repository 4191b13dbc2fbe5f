//! The table of answers over the corpus: each file is an answer recorded in the field, with its expected verdict for each
//! kind of request.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use graph::{
    Blame, Body, Client, GraphError, Operation, RequestKind, Side, Verdict, WriteSuccess, judge,
};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use crate::script::{Script, client, ok, token};

const CORPUS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/corpus/graph-answers"
);

#[derive(Deserialize)]
struct Recorded {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Expected {
    set: String,
    clear: String,
    batch: String,
    read: String,
    directory_link: String,
    create_subscription: String,
    change_subscription: String,
    delete_subscription: String,
}

impl Expected {
    fn of(&self, kind: RequestKind) -> &str {
        match kind {
            RequestKind::Set => &self.set,
            RequestKind::Clear => &self.clear,
            RequestKind::Batch => &self.batch,
            RequestKind::Read => &self.read,
            RequestKind::DirectoryLink => &self.directory_link,
            RequestKind::CreateSubscription => &self.create_subscription,
            RequestKind::ChangeSubscription => &self.change_subscription,
            RequestKind::DeleteSubscription => &self.delete_subscription,
        }
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Done => "done",
        Verdict::NothingThere => "nothing there",
        Verdict::Exists => "exists",
        Verdict::StartOver => "start over",
        Verdict::Token => "token",
        Verdict::Administrator => "administrator",
        Verdict::Final => "final",
        Verdict::Passing(Side::Microsoft) => "passing: Microsoft",
        Verdict::Passing(Side::Intermediary) => "passing: intermediary",
    }
}

/// All answers of the corpus with their expectations. Fails if one of the two is missing.
fn corpus() -> Vec<(String, Recorded, Expected)> {
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let mut answers = BTreeSet::new();
    let mut expectations = BTreeSet::new();
    for entry in std::fs::read_dir(CORPUS).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        match file.strip_suffix(".expected.json") {
            Some(name) => expectations.insert(name.to_owned()),
            None => answers.insert(file.strip_suffix(".json").unwrap().to_owned()),
        };
    }
    assert_eq!(answers, expectations, "answers and their expectations");
    let found: Vec<_> = answers
        .into_iter()
        .map(|name| {
            let path = Path::new(CORPUS).join(&name);
            let recorded = read(&path.with_extension("json"));
            let expected = read(&path.with_extension("expected.json"));
            (
                name,
                serde_json::from_str(&recorded).unwrap(),
                serde_json::from_str(&expected).unwrap(),
            )
        })
        .collect();
    assert!(found.len() > 50, "{}", found.len());
    found
}

#[test]
fn every_answer_of_the_corpus_has_its_verdict() {
    for (file, recorded, expected) in corpus() {
        for kind in RequestKind::ALL {
            let body = Body::of(recorded.body.as_bytes());
            let verdict = name(judge(kind, recorded.status, &body));
            assert_eq!(verdict, expected.of(kind), "{file} {kind:?}");
        }
    }
}

/// Outcome of a request as its verdict's name.
fn outcome<T>(result: Result<T, GraphError>, success: impl Fn(&T) -> &'static str) -> String {
    match result {
        Ok(value) => success(&value).into(),
        Err(GraphError::Forbidden { .. }) => "administrator".into(),
        Err(GraphError::NotFound { .. }) => "final".into(),
        Err(GraphError::Refused { status: 409, .. }) => "exists".into(),
        Err(GraphError::Refused { .. }) => "final".into(),
        Err(GraphError::LinkEnded { .. }) => "start over".into(),
        Err(GraphError::Unauthorized { .. } | GraphError::Service { status: 401, .. }) => {
            "token".into()
        }
        Err(GraphError::Intercepted { .. }) => "passing: intermediary".into(),
        Err(error) => {
            assert_eq!(error.blame(), Blame::Service, "{error}");
            "passing: Microsoft".into()
        }
    }
}

async fn answering(recorded: &Recorded) -> (Client, Script) {
    let wait = recorded.headers.get("retry-after");
    let wait: Option<&'static str> = wait.map(|wait| &*wait.clone().leak());
    let answer = (recorded.status, wait, recorded.body.clone());
    client([token(), answer.clone(), token(), answer]).await
}

fn written(written: &WriteSuccess) -> &'static str {
    match written {
        WriteSuccess::Done => "done",
        WriteSuccess::NothingToClear => "nothing there",
    }
}

#[tokio::test]
async fn a_single_write_meets_every_answer_of_the_corpus_with_its_verdict() {
    for (file, recorded, expected) in corpus() {
        for operation in [
            Operation::SetSession,
            Operation::RenewSession,
            Operation::ClearSession,
            Operation::SetDoNotDisturb,
            Operation::ClearDoNotDisturb,
        ] {
            let (client, _) = answering(&recorded).await;
            let result = client.write("anna", operation).await;
            let wait = result.as_ref().err().and_then(GraphError::retry_after);
            let verdict = outcome(result, written);
            assert_eq!(
                verdict,
                expected.of(operation.kind()),
                "{file} {operation:?}"
            );
            if let Some(asked) = recorded.headers.get("retry-after") {
                let asked = Duration::from_secs(asked.parse().unwrap());
                assert_eq!(wait, Some(asked), "{file}");
            }
        }
    }
}

#[tokio::test]
async fn an_item_of_a_batch_is_judged_like_a_single_request() {
    for (file, recorded, expected) in corpus() {
        // Inside a batch there is no byte order mark.
        let body = match serde_json::from_str(recorded.body.trim_start_matches('\u{feff}')) {
            Ok(body) => body,
            Err(_) => json!(recorded.body),
        };
        let item = |id: &str| json!({ "id": id, "status": recorded.status, "headers": recorded.headers, "body": body });
        let answer = json!({ "responses": [item("1"), item("0")] });
        let (client, _) = client([token(), ok(&answer.to_string())]).await;
        let operations = [Operation::SetSession, Operation::ClearDoNotDisturb];
        let writes = operations.map(|operation| ("anna", operation));
        let results = client.write_batch(&writes).await.unwrap();
        for (operation, result) in operations.into_iter().zip(results) {
            let verdict = outcome(result, written);
            assert_eq!(
                verdict,
                expected.of(operation.kind()),
                "{file} {operation:?}"
            );
        }
    }
}

// The fate of the items is unknown, and no item is refused for good.
#[tokio::test]
async fn a_batch_that_is_refused_as_a_whole_refuses_no_item() {
    for (file, recorded, _) in corpus() {
        let (client, _) = answering(&recorded).await;
        let writes = [("anna", Operation::SetSession)];
        match client.write_batch(&writes).await {
            Ok(results) => panic!("{file}: {results:?}"),
            Err(error) => assert_eq!(error.blame(), Blame::Service, "{file}: {error}"),
        }
    }
}

#[tokio::test]
async fn subscriptions_use_the_same_table() {
    let token = SecretString::from("x");
    for (file, recorded, expected) in corpus() {
        let (client, _) = client([(recorded.status, None, recorded.body.clone())]).await;
        let deleted = client.delete_subscription(&token, "s").await;
        let verdict = match outcome(deleted, |()| "done") {
            // The two are the same for the caller.
            done if done == "done" && expected.delete_subscription == "nothing there" => {
                "nothing there".into()
            }
            verdict => verdict,
        };
        assert_eq!(verdict, expected.delete_subscription, "{file}");
    }
}

// The remedy of an intercepted answer is for the administrator.
#[tokio::test]
async fn an_intercepted_answer_is_named_with_its_remedy() {
    for (status, body, text) in [
        (302, "", "captive portal"),
        (407, "", "HTTPS_PROXY"),
        (403, "<html>", "without inspection"),
        (200, "<html>", "without inspection"),
    ] {
        let (client, _) = client([token(), (status, None, body.into())]).await;
        let error = client
            .write("anna", Operation::ClearDoNotDisturb)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(text), "{status}: {error}");
        assert!(!error.contains("<html>"), "{error}");
    }
}
