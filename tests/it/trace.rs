//! One trace id from a NOTIFY to the request at Graph, the event stream, the explanation, the log and a collector.

use std::{fs, time::Duration};

use end_to_end::{Collector, Demo, Installation, Lab, Server, Teamsbox, eventually};
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{
    SOON,
    telephone::{PEOPLE, everybody_certain},
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// Data of the first event of a stream that matches.
async fn event(stream: &mut Response, matches: impl Fn(&Value) -> bool) -> Value {
    let mut text = String::new();
    loop {
        let chunk = tokio::time::timeout(SOON, stream.chunk()).await;
        let chunk = chunk.expect("no such event").unwrap();
        text += std::str::from_utf8(&chunk.expect("the stream ended")).unwrap();
        let complete = text.rfind("\n\n").unwrap_or(0);
        let data = text[..complete]
            .lines()
            .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok());
        if let Some(found) = data.into_iter().find(&matches) {
            return found;
        }
    }
}

/// Trace id of the reason that a call explains a person's presence with.
async fn trace_of_call(server: &Server, person: &str) -> String {
    let path = format!("/api/v1/people/{person}/explanation?trace=true");
    let explanation = server.ok(Method::GET, &path, None).await;
    let reasons = explanation["reasons"].as_array().unwrap();
    let call = reasons
        .iter()
        .find(|reason| reason["rule"] == "activity: call on the telephone system");
    let trace = call.and_then(|call| call["trace"].as_str());
    trace.unwrap_or_else(|| panic!("{explanation}")).to_owned()
}

fn guid(trace: &str) -> String {
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|group| &trace[group]);
    groups.join("-")
}

#[tokio::test]
async fn one_id_leads_from_a_notify_to_graph_and_to_clients() {
    let (lab, teamsbox, mut collector) = (
        Lab::up(16),
        Teamsbox::start(0).await,
        Collector::start().await,
    );
    for (name, _) in PEOPLE {
        teamsbox.add_user(name).await;
    }
    let rest = [
        Installation::teams(teamsbox.url()),
        Installation::pbx(lab.port(), "udp", "pw1003"),
        "[log]\nformat = \"json\"\n".into(),
    ];
    let installation = Installation::new(&rest.concat());
    installation.import(&PEOPLE).await;
    let log = installation.file("log");
    let environment = [
        ("OFFHOOK_LOG", "info,phones=debug,runtime=debug,teams=debug"),
        (ENDPOINT, &*collector.url),
    ];
    let server = installation.serve_logging_with(&environment, &log).await;
    server.set_mode("telephony_and_presence").await;
    everybody_certain(&server).await;
    let anna = server.person("anna").await;

    let mut stream = server.events().await;
    lab.call("1001", "1002");
    eventually("anna", SOON, "Busy/InACall".into(), || {
        teamsbox.shown("anna")
    })
    .await;

    let trace = trace_of_call(&server, &anna).await;
    assert_eq!(trace.len(), 32);
    let untraced = server.explanation("anna").await;
    assert!(!untraced.contains(&trace), "only on request: {untraced}");
    let printed = installation.run("explain", &["--trace", "anna"]).await.1;
    assert!(printed.contains(&format!("trace {trace}")), "{printed}");

    let busy = event(&mut stream, |data| {
        data["person"] == *anna && data["presence"]["status"] == "Busy"
    });
    assert_eq!(busy.await["trace"], *trace);

    let journal = teamsbox
        .control(Method::GET, "/journal?limit=10000", None)
        .await;
    let requests = journal["entries"].as_array().unwrap().iter();
    let of_trace: Vec<&str> = requests
        .map(|entry| &entry["detail"])
        .filter(|detail| detail["clientRequestId"] == guid(&trace))
        .map(|detail| detail["path"].as_str().unwrap())
        .collect();
    let [path] = of_trace.as_slice() else {
        panic!("{of_trace:?} of {trace} in {journal}");
    };
    assert!(path.ends_with("/presence/setPresence"), "{path}");

    let lines = fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let said = |span: &str, message: &str| {
        lines.iter().any(|line| {
            line["message"] == message
                && line["span"]["name"] == span
                && line["span"]["trace_id"] == *trace
        })
    };
    assert!(said("pbx.notify", "line state received"), "{lines:#?}");
    assert!(said("engine", "presence changed"), "{lines:#?}");
    assert!(said("engine", "write to Teams"), "{lines:#?}");
    assert!(
        said("graph.write", "write acknowledged by Graph"),
        "{lines:#?}"
    );

    // The second half of the trace id is the id of its first span.
    let first = trace[16..].to_owned();
    for (name, parent) in [
        ("pbx.notify", String::new()),
        ("engine", first.clone()),
        ("graph.write", first.clone()),
        ("client.event", first),
    ] {
        collector.wait_for(&trace, name, &parent).await;
    }
    assert_eq!(server.terminate().await, 0);
}

#[tokio::test]
async fn colleagues_see_no_trace_ids() {
    let demo = Demo::start(&["--still"]).await;
    let anna = demo.server.person("Anna Becker").await;
    let own = demo.server.signed_in_as("Anna Becker").await;
    let colleague = demo.server.signed_in_as("Bert Lindqvist").await;
    let mut streams = Vec::new();
    for server in [&demo.server, &own, &colleague] {
        streams.push(server.events().await);
    }
    demo.server.choose("Anna Becker", "Busy").await;
    let mut seen = Vec::new();
    for stream in &mut streams {
        let busy = event(stream, |data| {
            data["person"] == *anna && data["presence"]["status"] == "Busy"
        });
        seen.push(busy.await["trace"].is_string());
    }
    assert_eq!(seen, [true, true, false], "administrator, Anna, Bert");
    let path = format!("/api/v1/people/{anna}/explanation?trace=true");
    let explained = colleague.ok(Method::GET, &path, None).await.to_string();
    assert!(!explained.contains("\"trace\""), "{explained}");
    let path = path.replace("true", "1");
    let (status, problem) = demo.server.api(Method::GET, &path, None).await;
    assert_eq!(status, 400);
    assert!(problem["detail"].is_string(), "{problem}");
}

/// The collector accepts connections and never answers.
#[tokio::test]
async fn a_silent_collector_delays_neither_writes_nor_the_end() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let teamsbox = Teamsbox::start(0).await;
    teamsbox.add_user("anna").await;
    let installation = Installation::new(&Installation::teams(teamsbox.url()));
    installation.import(&[("anna", "")]).await;
    let server = installation.serve_with(&[(ENDPOINT, &url)]).await;
    server.set_mode("telephony_and_presence").await;
    server.choose("anna", "Do not disturb").await;
    eventually("anna", SOON, "DoNotDisturb/DoNotDisturb".into(), || {
        teamsbox.shown("anna")
    })
    .await;
    let end = tokio::time::timeout(Duration::from_secs(15), server.terminate()).await;
    assert_eq!(end, Ok(0));
}

/// Its headers may be secrets: they go to no other host.
#[tokio::test]
async fn a_redirection_of_the_collector_is_not_followed() {
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let location = format!("http://{}/v1/traces", elsewhere.local_addr().unwrap());
    let redirecting = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", redirecting.local_addr().unwrap());
    let installation = Installation::new("");
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "x-api-key=secret");
    installation.import(&[("anna", "")]).await;
    let server = installation.serve_with(&[(ENDPOINT, &url), headers]).await;
    server.choose("anna", "Busy").await;
    let (mut stream, _) = tokio::time::timeout(SOON, redirecting.accept())
        .await
        .expect("no request")
        .unwrap();
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: {location}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    let mut head = [0; 1024];
    assert!(stream.read(&mut head).await.unwrap() > 0);
    stream.write_all(answer.as_bytes()).await.unwrap();
    // The export ends with the server: whatever it sends has been sent then.
    assert_eq!(server.terminate().await, 0);
    elsewhere.set_nonblocking(true).unwrap();
    assert!(elsewhere.accept().is_err(), "a request came");
}
