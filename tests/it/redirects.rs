//! PBXs that ask by INVITE where a call goes, as scripted peers: each follows redirects like the real PBX. The test
//! checks the phone that finally rings, and the number of requests.

use std::net::UdpSocket;

use end_to_end::{Server, eventually};
use reqwest::Method;
use serde_json::json;

use crate::{SOON, phones::stage};

/// Requests after which a call counts as a loop; far more than the server allows.
const ASKED_MAX: usize = 40;

/// Causes after which the rule of docs/connect-freeswitch.md continues without Offhook.
pub const CONTINUE_ON_FAIL: &str = "NORMAL_TEMPORARY_FAILURE,RECOVERY_ON_TIMER_EXPIRE,NO_ROUTE_DESTINATION,EXCHANGE_ROUTING_ERROR,PROGRESS_TIMEOUT,DESTINATION_OUT_OF_ORDER,CALL_REJECTED";

/// How a PBX follows a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pbx {
    /// Asterisk, `redirect_method=user`: dials the user of the Contact in the context `after-offhook`.
    AsteriskUser,
    /// Asterisk, `redirect_method=uri_core`: sends the INVITE to the Contact.
    AsteriskUriCore,
    /// FreeSWITCH with the rule of docs/connect-freeswitch.md: transfers the caller to the user of the Contact, and
    /// asks once.
    FreeSwitch,
    /// FreeSWITCH with a plain bridge: the transfer reaches the same rule, which asks again, without the mark.
    FreeSwitchPlain,
    /// Kamailio with the rule of docs/connect-pbx.md.
    Kamailio,
    /// A PBX that follows 302 by its dialplan and names the diverting user.
    Diverting,
}

/// End of a call.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Rings(String),
    Refused(u16),
}

struct Caller {
    name: String,
    socket: UdpSocket,
    port: u16,
    asked: usize,
}

impl Caller {
    fn new(name: &str, port: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(SOON)).unwrap();
        Self {
            name: name.into(),
            socket,
            port,
            asked: 0,
        }
    }

    /// Sends an INVITE; returns code, Contact and Diversion of the response.
    fn ask(
        &mut self,
        uri: &str,
        call_id: &str,
        diversion: Option<&str>,
    ) -> (u16, String, Option<String>) {
        self.asked += 1;
        let (number, from) = (self.asked, self.socket.local_addr().unwrap());
        let caller = &self.name;
        let diversion = diversion.map_or_else(String::new, |by| format!("Diversion: {by}\r\n"));
        let request = format!(
            "INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {from};rport;branch=z9hG4bK{call_id}{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{caller}@pbx.test>;tag=1\r\nTo: <{uri}>\r\nCall-ID: {call_id}\r\n\
             CSeq: {number} INVITE\r\nContact: <sip:{caller}@{from}>\r\n{diversion}Content-Length: 0\r\n\r\n"
        );
        let to = ("127.0.0.1", self.port);
        self.socket.send_to(request.as_bytes(), to).unwrap();
        let mut buffer = [0; 4_096];
        let length = self.socket.recv(&mut buffer).unwrap();
        let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
        let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let header = |name: &str| {
            let line = answer.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::to_owned)
        };
        let contact = header("Contact: <").unwrap_or_default();
        let contact = contact.trim_end_matches('>').to_owned();
        (code, contact, header("Diversion: "))
    }
}

/// True if the rule continues after a code, by FreeSWITCH's cause for the code.
fn freeswitch_goes_on(code: u16) -> bool {
    let cause = match code {
        400 | 481 | 500 | 503 => "NORMAL_TEMPORARY_FAILURE",
        401..=403 | 407 | 603 => "CALL_REJECTED",
        404 | 485 | 604 => "NO_ROUTE_DESTINATION",
        408 | 504 => "RECOVERY_ON_TIMER_EXPIRE",
        482 | 483 => "EXCHANGE_ROUTING_ERROR",
        486 | 600 => "USER_BUSY",
        _ => "NORMAL_UNSPECIFIED",
    };
    CONTINUE_ON_FAIL.split(',').any(|listed| listed == cause)
}

/// Runs a call through a PBX.
fn call(pbx: Pbx, called: &str, caller: &mut Caller) -> End {
    let (mut number, mut diversion) = (called.to_owned(), None);
    let mut uri = format!("sip:{called}@pbx.test");
    for attempt in 0..ASKED_MAX {
        // FreeSWITCH starts a new call for each bridge.
        let from = caller.socket.local_addr().unwrap();
        let call_id = match pbx {
            Pbx::FreeSwitchPlain => format!("{from}-{attempt}"),
            _ => from.to_string(),
        };
        let (code, contact, by) = caller.ask(&uri, &call_id, diversion.as_deref());
        let user = contact.trim_start_matches("sip:").split('@').next();
        let user = user.unwrap_or_default().replace("+4930", "");
        match (code, pbx) {
            (302, Pbx::AsteriskUser | Pbx::FreeSwitch | Pbx::Kamailio) => return End::Rings(user),
            // A Contact at Offhook returns to Offhook; a target is at the PBX's domain.
            (302, Pbx::AsteriskUriCore) if contact.contains("offhook=") => uri = contact,
            (302, Pbx::AsteriskUriCore) => return End::Rings(user),
            (302, Pbx::FreeSwitchPlain | Pbx::Diverting) => {
                uri = format!("sip:{user}@pbx.test");
                if pbx == Pbx::Diverting {
                    if contact.contains("offhook=asked") {
                        return End::Rings(user);
                    }
                    diversion = by;
                }
                number = user;
            }
            (482 | 500, Pbx::AsteriskUriCore | Pbx::Diverting) => return End::Rings(number),
            (_, Pbx::AsteriskUser) if code >= 500 => {
                return End::Rings(number);
            }
            (_, Pbx::FreeSwitch | Pbx::FreeSwitchPlain) if freeswitch_goes_on(code) => {
                return End::Rings(number);
            }
            (400 | 403 | 408 | 482 | 500.., Pbx::Kamailio) => return End::Rings(number),
            _ => return End::Refused(code),
        }
    }
    panic!("{pbx:?} asks for ever");
}

/// Creates profiles for bert: calls ring, are refused, go to carl, or go to a number that leads back to bert.
async fn arrange(server: &Server) {
    let path = format!("/api/v1/people/{}/profiles", server.person("bert").await);
    for (name, forwarding) in [
        ("Open", json!({"kind": "off"})),
        ("Quiet", json!({"kind": "do_not_disturb"})),
        ("Carl", json!({"kind": "all", "target": "1003"})),
        ("Round", json!({"kind": "all", "target": "+49301002"})),
    ] {
        let body = json!({"name": name, "status": "Busy", "forwarding": forwarding});
        server.ok(Method::POST, &path, Some(body)).await;
    }
}

const PBXS: [Pbx; 6] = [
    Pbx::AsteriskUser,
    Pbx::AsteriskUriCore,
    Pbx::FreeSwitch,
    Pbx::FreeSwitchPlain,
    Pbx::Kamailio,
    Pbx::Diverting,
];

#[tokio::test]
async fn no_pbx_asks_about_a_call_for_ever() {
    let (_teamsbox, _installation, server, port) = stage("trusted = [\"127.0.0.0/8\"]\n", "").await;
    arrange(&server).await;
    let rings = |number: &str| End::Rings(number.into());
    for (profile, end, most) in [
        ("Open", rings("1002"), 2),
        ("Carl", rings("1003"), 3),
        ("Quiet", End::Refused(486), 1),
        // The PBX that names the diverting user is stopped at once, the other one after ten requests.
        ("Round", rings("1002"), 12),
    ] {
        server.choose("bert", profile).await;
        for (index, pbx) in PBXS.into_iter().enumerate() {
            let name = format!("+4940{index}{}", profile.len());
            let mut caller = Caller::new(&name, port);
            let ended = call(pbx, "1002", &mut caller);
            assert_eq!(ended, end, "{profile} {pbx:?}");
            assert!(caller.asked <= most, "{profile} {pbx:?}: {}", caller.asked);
            if (profile, pbx) == ("Round", Pbx::Diverting) {
                assert_eq!(caller.asked, 2);
            }
            // The same person calls again at once: the documented rules treat both calls alike.
            if profile != "Round" {
                let mut redialled = Caller::new(&name, port);
                let ended = call(Pbx::Kamailio, "1002", &mut redialled);
                assert_eq!(ended, end, "{profile} {pbx:?}");
            }
        }
    }
    // A few seconds later, a redialled call gets the first answer again.
    server.choose("bert", "Open").await;
    // Each caller has a new socket; its port becomes the Call-ID.
    let redialled = async || {
        let mut caller = Caller::new("1001", port);
        let call_id = caller.socket.local_addr().unwrap().to_string();
        caller.ask("sip:1002@pbx.test", &call_id, None).0
    };
    eventually("a person redials", SOON, 302, redialled).await;
}
