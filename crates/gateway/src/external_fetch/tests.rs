//! Tests of the allowed addresses, and of the waits that servers ask for.

use std::time::Duration;

use presence::Timestamp;
use reqwest::{Client, Url};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{FetchError, Fetched, Outside, OutsideError, retry_after, validators::Validators};

async fn fetched(client: &Outside, url: Url) -> Result<Fetched, OutsideError> {
    let now = Timestamp::from_milliseconds(0);
    let fetched = client.fetch(url, 10, &Validators::default(), now).await;
    fetched.map_err(|error| error.error)
}

#[test]
fn retry_after_is_seconds_or_a_date_and_at_most_a_day() {
    // Wed, 21 Oct 2026 07:28:00 GMT is 90 seconds later.
    let now = Timestamp::from_milliseconds(1_792_567_590_000);
    let day = 24 * 3600;
    for (value, seconds) in [
        ("10", Some(10)),
        (" 7200 ", Some(7200)),
        ("0", Some(0)),
        ("99999999999999999999999", Some(day)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", Some(90)),
        ("Wed, 21 Oct 2026 07:00:00 GMT", Some(0)),
        ("Thu, 21 Oct 2027 07:28:00 GMT", Some(day)),
        ("-1", None),
        ("NaN", None),
        ("soon", None),
        ("", None),
    ] {
        let wait = retry_after(value, now);
        assert_eq!(wait, seconds.map(Duration::from_secs), "{value}");
    }
}

#[test]
fn addresses_are_taken_as_people_copy_them() {
    let client = outside(&[]);
    for text in [
        "webcal://example.com/a.ics",
        "webcals://example.com/a.ics",
        "WEBCAL://example.com/a.ics",
        "HTTPS://example.com/a.ics",
        "  https://example.com/a.ics\n",
        "\u{a0}webcal://example.com/a.ics",
    ] {
        let url = client.address(text).map(|url| url.to_string());
        assert_eq!(url.as_deref(), Ok("https://example.com/a.ics"), "{text}");
    }
    let private = client.address("webcal://127.0.0.1/a.ics");
    assert_eq!(private, Err(OutsideError::Address));
}

fn outside(allow: &[&str]) -> Outside {
    let allow: Vec<_> = allow.iter().map(|text| text.parse().unwrap()).collect();
    Outside::new(&allow, None).unwrap()
}

#[test]
fn addresses_that_are_not_public_are_refused_in_every_spelling() {
    let client = outside(&[]);
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "%31%32%37.0.0.1",
        "127。0。0。1",
        "①②⑦.0.0.1",
        "0",
        "10.0.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "100.64.0.1",
        "192.168.0.1.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::10.0.0.1]",
        "[2002:7f00:1::]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
    ] {
        let url = format!("https://{host}/a.ics");
        assert_eq!(client.address(&url), Err(OutsideError::Address), "{url}");
    }
    for url in [
        "https://user:secret@example.com/",
        "https://user@example.com/",
        "https://example.com:25/",
        "https://example.com:22/",
        "https://",
        "https:///",
        "nonsense",
        "https://[fe80::1%25eth0]/",
    ] {
        assert_eq!(client.address(url), Err(OutsideError::Address), "{url}");
    }
    for url in [
        "http://example.com/",
        "file:///etc/passwd",
        "ftp://example.com/",
        "data:text/calendar,x",
    ] {
        assert_eq!(client.address(url), Err(OutsideError::Redirect), "{url}");
    }
    for url in [
        "https://example.com/a.ics",
        "https://example.com:8443/",
        "HTTPS://EXAMPLE.COM",
        "https://1.1.1.1/",
        "https://[2606:4700::1111]/",
        "https://[64:ff9b::1.1.1.1]/",
    ] {
        assert!(client.address(url).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn names_of_this_machine_are_refused_after_they_were_looked_up() {
    for name in ["localhost", "LOCALHOST", "localhost."] {
        let client = outside(&[]);
        let url = client
            .address(&format!("https://{name}:8443/a.ics"))
            .unwrap();
        assert_eq!(
            fetched(&client, url).await,
            Err(OutsideError::Address),
            "{name}"
        );
    }
    // An unknown name gives the same error as a private one.
    let client = outside(&[]);
    let url = client.address("https://nowhere.invalid/").unwrap();
    assert_eq!(fetched(&client, url).await, Err(OutsideError::Address));
}

#[tokio::test]
async fn a_closed_port_and_a_port_that_speaks_no_tls_are_told_alike() {
    let client = outside(&["127.0.0.0/8", "::1/128"]);
    let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = |listener: &TcpListener| listener.local_addr().unwrap().port();
    let (open_port, closed_port) = (at(&open), at(&closed));
    drop(closed);
    let greeting = tokio::spawn(async move {
        while let Ok((mut stream, _)) = open.accept().await {
            let _ = AsyncWriteExt::write_all(&mut stream, b"220 secret\r\n").await;
        }
    });
    for port in [open_port, closed_port] {
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let url = client.address(&format!("https://{host}:{port}/")).unwrap();
            assert_eq!(fetched(&client, url).await, Err(OutsideError::NoAnswer));
        }
    }
    greeting.abort();
}

#[test]
fn behind_a_proxy_names_of_the_own_network_are_refused() {
    let proxy = "http://10.0.0.1:3128".parse().unwrap();
    let client = Outside::new(&[], Some(&proxy)).unwrap();
    for name in ["localhost", "intranet", "a.localhost.", "db.internal"] {
        let url = format!("https://{name}/");
        assert_eq!(client.address(&url), Err(OutsideError::Address), "{url}");
    }
    assert!(client.address("https://example.com/").is_ok());
}

/// Answers one request after another, and returns the requests.
async fn ask(answer: &[u8], known: &Validators) -> (String, Result<Fetched, FetchError>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a.ics", listener.local_addr().unwrap());
    let client = Outside {
        client: Client::builder()
            .user_agent(super::USER_AGENT)
            .no_proxy()
            .build()
            .unwrap(),
        rules: outside(&[]).rules,
    };
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(answer).await.unwrap();
        String::from_utf8(asked).unwrap().to_ascii_lowercase()
    };
    let now = Timestamp::from_milliseconds(0);
    let fetch = client.get(url.parse().unwrap(), 100, known, now);
    tokio::join!(serve, fetch)
}

#[tokio::test]
async fn requests_name_the_program_and_what_is_already_known() {
    let answer =
        b"HTTP/1.1 200 OK\r\nETag: W/\"7\"\r\nLast-Modified: Wed, 21 Oct 2026 07:28:00 GMT\r\n\
                   Content-Type: text/calendar; charset=ISO-8859-1\r\nContent-Length: 2\r\n\r\nab";
    let (asked, fetched) = ask(answer, &Validators::default()).await;
    assert!(asked.contains("user-agent: offhook/"), "{asked}");
    assert!(asked.contains("accept-encoding: gzip"), "{asked}");
    assert!(!asked.contains("if-"), "{asked}");
    let Ok(Fetched::Body {
        bytes,
        charset,
        validators,
    }) = fetched
    else {
        panic!("{fetched:?}")
    };
    assert_eq!(
        (bytes.as_slice(), charset.as_deref()),
        (&b"ab"[..], Some("ISO-8859-1"))
    );

    let unchanged = b"HTTP/1.1 304 Not Modified\r\n\r\n";
    let (asked, fetched) = ask(unchanged, &validators).await;
    assert!(asked.contains("if-none-match: w/\"7\""), "{asked}");
    assert!(
        asked.contains("if-modified-since: wed, 21 oct 2026 07:28:00 gmt"),
        "{asked}"
    );
    assert_eq!(fetched, Ok(Fetched::Unchanged));
    // Nothing was asked that could be unchanged.
    let (_, fetched) = ask(unchanged, &Validators::default()).await;
    assert_eq!(fetched.unwrap_err().error, OutsideError::Refused);
}

#[tokio::test]
async fn answers_that_pass_are_no_refusals() {
    for (status, wait, error, patience) in [
        (
            "429 Too Many",
            "Retry-After: 3600\r\n",
            OutsideError::ServerError,
            Some(3600),
        ),
        (
            "503 Later",
            "Retry-After: 99999999\r\n",
            OutsideError::ServerError,
            Some(86_400),
        ),
        ("408 Slow", "", OutsideError::ServerError, None),
        (
            "410 Gone",
            "Retry-After: 3600\r\n",
            OutsideError::Refused,
            None,
        ),
        (
            "200 OK",
            "Content-Encoding: br\r\n",
            OutsideError::Packing,
            None,
        ),
        (
            "200 OK",
            "Content-Encoding: deflate\r\n",
            OutsideError::Packing,
            None,
        ),
    ] {
        let answer = format!("HTTP/1.1 {status}\r\n{wait}Content-Length: 0\r\n\r\n");
        let (_, fetched) = ask(answer.as_bytes(), &Validators::default()).await;
        let refused = fetched.unwrap_err();
        assert_eq!(refused.error, error, "{status}");
        assert_eq!(
            refused.retry_after,
            patience.map(Duration::from_secs),
            "{status}"
        );
    }
}
