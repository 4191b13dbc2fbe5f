//! Line states during calls, over both transports.

use std::time::Duration;

use presence::{
    LineChange,
    LineState::{Connected, Held, Idle, Ringing},
};
use telephony::{
    connector::{Connector, LineEvent},
    sip_connector::Transport,
};

use crate::bench::{Bench, config, extensions, pbx};

async fn a_call_is_seen_from_both_ends(transport: Transport) {
    let pbx = pbx(3).await;
    let mut bench = Bench::start(config(pbx.address(), transport), extensions(3)).await;
    bench.until("1001", Idle).await;
    bench.until("1002", Idle).await;
    let call = pbx.ring("1001", "1002").unwrap();
    bench.until("1001", Ringing).await;
    bench.until("1002", Ringing).await;
    assert!(pbx.answer(call));
    bench.until("1001", Connected).await;
    bench.until("1002", Connected).await;
    assert!(pbx.hold(call, "1002"));
    bench.until("1002", Held).await;
    assert_eq!(bench.known["1001"], Some(Connected));
    // A second call beside the held one counts more.
    let second = pbx.ring("outside", "1002").unwrap();
    assert!(pbx.answer(second));
    bench.until("1002", Connected).await;
    assert!(pbx.hang_up(second));
    bench.until("1002", Held).await;
    assert!(pbx.resume(call, "1002"));
    bench.until("1002", Connected).await;
    assert!(pbx.hang_up(call));
    bench.until("1001", Idle).await;
    bench.until("1002", Idle).await;
    assert!(!pbx.hang_up(call) && !pbx.answer(call) && pbx.ring("x", "y").is_err());
    let health = bench.health(|h| h.active == 3).await;
    assert!(health.reachable && health.trouble.is_none() && health.line_trouble.is_empty());
    bench.connector.stop().await;
}

#[tokio::test]
async fn a_call_is_seen_from_both_ends_over_udp() {
    a_call_is_seen_from_both_ends(Transport::Udp).await;
}

#[tokio::test]
async fn a_call_is_seen_from_both_ends_over_tcp() {
    a_call_is_seen_from_both_ends(Transport::Tcp).await;
}

#[tokio::test]
async fn a_refresh_of_all_reports_every_line_again() {
    let pbx = pbx(50).await;
    let mut bench = Bench::start(config(pbx.address(), Transport::Udp), extensions(50)).await;
    bench.health(|h| h.active == 50).await;
    while bench.events.try_recv().is_ok() {}
    bench.connector.refresh_all().await;
    let mut told = std::collections::BTreeSet::new();
    while let Ok(LineEvent {
        extension,
        change: LineChange::State { lease, .. },
        ..
    }) = bench.events.try_recv()
    {
        assert!(lease > Duration::from_secs(590) && lease <= Duration::from_secs(600));
        told.insert(extension);
    }
    assert_eq!(told.len(), 50);
}

#[tokio::test]
async fn the_set_of_extensions_can_change() {
    let pbx = pbx(4).await;
    let mut bench = Bench::start(config(pbx.address(), Transport::Udp), extensions(2)).await;
    bench.until("1002", Idle).await;
    bench
        .connector
        .change_extensions(vec!["1004".into()], vec!["1001".into()])
        .await;
    bench.until("1004", Idle).await;
    bench.until("1001", None).await;
    let health = bench.health(|h| h.active == 2).await;
    assert_eq!(health.lines, 2);
    // An extension that left and comes back is subscribed again.
    let unwatch = vec!["1002".into(), "1004".into()];
    bench
        .connector
        .change_extensions(extensions(1), unwatch)
        .await;
    bench.until("1001", Idle).await;
}

#[tokio::test]
async fn thousands_of_lines_are_subscribed_and_followed() {
    const LINES: usize = 2000;
    let pbx = pbx(LINES).await;
    let mut bench = Bench::start(config(pbx.address(), Transport::Udp), extensions(LINES)).await;
    let all = extensions(LINES);
    while bench.known.len() < LINES {
        bench.next().await;
    }
    let calls: Vec<_> = all
        .chunks(2)
        .map(|pair| pbx.ring(&pair[0], &pair[1]).unwrap())
        .collect();
    while bench.known.values().any(|s| *s != Some(Ringing)) {
        bench.next().await;
    }
    for call in calls {
        pbx.hang_up(call);
    }
    while bench.known.values().any(|s| *s != Some(Idle)) {
        bench.next().await;
    }
}

#[tokio::test]
async fn a_slow_owner_gets_the_latest_state_of_each_line() {
    let pbx = pbx(20).await;
    let (sender, mut events) = tokio::sync::mpsc::channel(1);
    let connector = Connector::Sip(config(pbx.address(), Transport::Udp))
        .start(extensions(20), sender)
        .unwrap();
    let mut health = connector.health();
    health.wait_for(|h| h.active == 20).await.unwrap();
    let call = pbx.ring("1001", "1002").unwrap();
    pbx.answer(call);
    connector.refresh_all().await;
    let mut known = std::collections::BTreeMap::new();
    while known.len() < 20 || known.get("1001") != Some(&Connected) {
        let event = events.recv().await.unwrap();
        match event.change {
            LineChange::State { state, .. } => known.insert(event.extension.to_string(), state),
            LineChange::Stale => panic!("nothing was lost"),
        };
    }
}

#[tokio::test]
async fn a_phone_lists_its_calls() {
    let pbx = pbx(2).await;
    assert_eq!(pbx.calls_of("1001"), []);
    let call = pbx.ring("1001", "1002").unwrap();
    let calls = |extension| {
        let calls = pbx.calls_of(extension).into_iter();
        calls
            .map(|call| (call.other.to_string(), call.is_caller, call.is_answered))
            .collect::<Vec<_>>()
    };
    assert_eq!(calls("1001"), [("1002".to_owned(), true, false)]);
    assert!(pbx.answer(call));
    assert_eq!(calls("1002"), [("1001".to_owned(), false, true)]);
    assert!(pbx.hang_up(call));
    assert_eq!(calls("1002"), []);
}
