//! The passing failures of the day, each at one request of a hundred.

use serde_json::{Value, json};

/// Requests of a hundred that each kind hits.
const PERCENT: u8 = 1;
/// Token requests of a hundred that each kind hits: there are few.
const TOKEN_PERCENT: u8 = 5;

/// Calls that Offhook repeats after any answer: reads, writes and batches.
const CALLS: [&str; 9] = [
    "getPresencesByUserId",
    "getUser",
    "listUsers",
    "usersDelta",
    "batch",
    "setPresence",
    "clearPresence",
    "setUserPreferredPresence",
    "clearUserPreferredPresence",
];

/// All kinds, by the names that the journal has for them.
pub fn kinds() -> Vec<(&'static str, Value)> {
    let refusals = [
        (
            "302 empty",
            json!({"status": 302, "answer": "empty", "location": "/elsewhere"}),
        ),
        ("307 html", json!({"status": 307, "answer": "html"})),
        ("400 empty", json!({"status": 400, "answer": "empty"})),
        ("400 html", json!({"status": 400, "answer": "html"})),
        ("401 envelope", json!({"status": 401})),
        ("403 html", json!({"status": 403, "answer": "html"})),
        ("407 html", json!({"status": 407, "answer": "html"})),
        ("408 envelope", json!({"status": 408})),
        ("409 envelope", json!({"status": 409})),
        ("409 object", json!({"status": 409, "answer": "object"})),
        ("421 empty", json!({"status": 421, "answer": "empty"})),
        ("423 envelope", json!({"status": 423})),
        ("425 empty", json!({"status": 425, "answer": "empty"})),
        ("429 envelope", json!({"status": 429, "retryAfter": "1"})),
        ("429 empty", json!({"status": 429, "answer": "empty"})),
        ("500 envelope", json!({"status": 500})),
        ("502 html", json!({"status": 502, "answer": "html"})),
        ("503 envelope", json!({"status": 503, "retryAfter": "0.7"})),
        ("504 empty", json!({"status": 504, "answer": "empty"})),
        (
            "504 envelope, carried out",
            json!({"status": 504, "carriedOut": true}),
        ),
        ("closed", json!({"answer": "closed"})),
        (
            "closed, carried out",
            json!({"answer": "closed", "carriedOut": true}),
        ),
    ];
    refusals.to_vec()
}

/// Odd shapes of answers about many people, by the names that the journal has for them.
fn odd_answers() -> [Value; 7] {
    [
        json!({"set": {"sequenceNumber": 12345}}),
        json!({"set": {"id": null}}),
        json!({"set": {"availability": {}}}),
        json!({"remove": ["id"]}),
        json!({"replace": null}),
        json!("omit"),
        json!("repeat"),
    ]
}

/// The names of odd shapes.
pub const ODD_NAMES: [&str; 5] = [
    "odd values",
    "missing members",
    "odd element",
    "missing element",
    "element twice",
];

/// How many kinds are in force at a time; they take turns.
const AT_ONCE: usize = 4;

/// Body of `PUT /box/v1/faults` for a turn. With `only`, kinds with this text in their name.
pub fn of_turn(turn: usize, only: Option<&str>) -> Value {
    let wanted = |name: &str| only.is_none_or(|only| name.contains(only));
    let kinds: Vec<Value> = kinds()
        .into_iter()
        .filter(|(name, _)| wanted(name))
        .map(|(_, fault)| fault)
        .collect();
    let turns = kinds.len().div_ceil(AT_ONCE).max(1);
    let graph = kinds.into_iter().skip(turn % turns * AT_ONCE).take(AT_ONCE);
    let graph = graph.map(|mut fault| {
        fault["percent"] = json!(PERCENT);
        fault["operations"] = json!(CALLS);
        fault
    });
    let odd = odd_answers().into_iter().filter(|_| wanted("odd"));
    let odd = odd.map(|change| {
        json!({"change": change, "percent": PERCENT, "operations": ["getPresencesByUserId"]})
    });
    let endless =
        json!({"change": {"nextLink": "itself"}, "percent": PERCENT, "operations": ["usersDelta"]});
    // Without 429 (AADSTS50196): Offhook waits for two minutes of real time then, which are most of the driven day.
    let token = [
        json!({"code": 90033, "percent": TOKEN_PERCENT}),
        json!({"status": 502, "answer": "html", "percent": TOKEN_PERCENT}),
        json!({"answer": "closed", "percent": TOKEN_PERCENT}),
    ];
    let token = token.into_iter().filter(|_| wanted("token"));
    json!({
        "graph": graph.collect::<Vec<_>>(),
        "replies": odd.chain(wanted("odd").then_some(endless)).collect::<Vec<_>>(),
        "token": token.collect::<Vec<_>>(),
    })
}
