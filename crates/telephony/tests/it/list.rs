//! All lines watched by one subscription to a list (RFC 4662).

use presence::LineState::{Connected, Idle, Ringing};
use telephony::{
    connector::{Connector, StartError},
    sip_connector::{SipConnectorConfig, Transport},
};

use crate::bench::{Bench, config, extensions, pbx, pbx_at};

fn with_list(server: impl ToString, transport: Transport) -> SipConnectorConfig {
    SipConnectorConfig {
        lists: vec!["sip:all@pbx.test".into()],
        ..config(server, transport)
    }
}

#[tokio::test]
async fn one_subscription_reports_all_lines_and_recovers_after_a_restart() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let pbx = pbx(60).await;
        let address = pbx.address();
        let mut bench = Bench::start(with_list(address, transport), extensions(60)).await;
        bench.health(|health| health.active == 60).await;
        let call = pbx.ring("1001", "1060").unwrap();
        bench.until("1060", Ringing).await;
        pbx.answer(call);
        for line in ["1001", "1060"] {
            bench.until(line, Connected).await;
        }
        bench.connector.refresh_all().await;
        assert_eq!(bench.known["1002"], Some(Idle));

        pbx.stop().await;
        let pbx = pbx_at(address, 60).await;
        bench.connector.refresh_all().await;
        bench.until("1060", None).await;
        bench.until("1060", Idle).await;
        let health = bench.health(|health| health.active == 60).await;
        assert_eq!((health.lines, health.trouble), (60, None));
        pbx.ring("1002", "1003").unwrap();
        bench.until("1003", Ringing).await;
    }
}

#[tokio::test]
async fn a_line_missing_in_the_list_is_named_and_a_new_one_is_reported() {
    let pbx = pbx(3).await;
    let config = with_list(pbx.address(), Transport::Udp);
    let mut bench = Bench::start(config, extensions(2)).await;
    bench.health(|health| health.active == 2).await;
    pbx.ring("1003", "0049").unwrap();
    let new = vec!["1003".into(), "2001".into()];
    bench.connector.change_extensions(new, Vec::new()).await;
    bench.until("1003", Ringing).await;
    let health = bench.health(|health| !health.line_trouble.is_empty()).await;
    let (line, trouble) = health.line_trouble.first_key_value().unwrap();
    assert_eq!((&**line, health.active), ("2001", 3));
    assert!(
        trouble.what.contains("sip:all@pbx.test"),
        "{}",
        trouble.what
    );
    let unwatch = vec!["1002".into(), "1003".into(), "2001".into()];
    bench.connector.change_extensions(Vec::new(), unwatch).await;
    let health = bench.health(|health| health.lines == 1).await;
    assert!(health.line_trouble.is_empty());
}

#[tokio::test]
async fn an_unreadable_list_is_named_with_a_remedy() {
    let pbx = pbx(1).await;
    let config = SipConnectorConfig {
        lists: vec!["sip:nothing@pbx.test".into()],
        ..config(pbx.address(), Transport::Udp)
    };
    let mut bench = Bench::start(config.clone(), extensions(1)).await;
    let health = bench.health(|health| !health.line_trouble.is_empty()).await;
    let trouble = health.line_trouble.values().next().unwrap();
    assert!(
        trouble.what.contains("no list sip:nothing@pbx.test"),
        "{trouble:?}"
    );
    assert!(trouble.remedy.contains("key list"), "{trouble:?}");
    for list in ["blf", "sip:a b@c", "sip:pbx"] {
        let (sender, _events) = tokio::sync::mpsc::channel(1);
        let config = SipConnectorConfig {
            lists: vec![list.into()],
            ..config.clone()
        };
        let refused = Connector::Sip(config).start(vec![], sender);
        let refused = refused.unwrap_err();
        assert!(matches!(refused, StartError::Name { field: "list", .. }));
    }
}
