//! What comes back from PagerDuty and Slack over real HTTP: who is believed, what is understood, and what it becomes. Signatures are
//! OpenSSL's, or stand in the documents.

use std::sync::{Arc, Mutex};

use data_encoding::HEXLOWER;
use mailcanary::config::{self, Secret, SecretRef, Settings};
use mailcanary::edge::notify::{Origin, Replies};
use mailcanary::edge::post::Order;
use mailcanary::edge::show;
use mailcanary::model::{At, HookCounts, IncidentId, Knock, Name, Tiding};
use mailcanary::watchdog::{Event, Unfit};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::hooks::sign::hmac;
use crate::support::alertmanager::{PATIENCE, http};
use crate::support::service::{Asked, Service, Told};

/// The second of Slack's own example.
const NOW: i64 = 1_531_420_618;
/// Its secret.
const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const KEY: &str = "mailcanary/test.example/7";

type Heard = Arc<Mutex<Vec<Event>>>;

/// Three sinks that call back and one that does not, served over HTTP beside a loop that knows incident 7; what it was told.
struct Rig {
    port: u16,
    replies: Arc<Replies>,
    heard: Heard,
    /// What Slack was asked to show.
    shown: Arc<Service<Vec<Value>>>,
    http: reqwest::Client,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn settings() -> Settings {
    let text = "[stream.s]\n[provider.p.mandrill]\nfrom = \"a@example.com\"\napi_key = { env = \"KEY\" }\n\
        [inbox.i.imap]\naddress = \"seed@example.org\"\nhost = \"imap.example.org\"\nusername = \"u\"\npassword = { env = \"P\" }\n\
        [sink.pager.pagerduty]\nrouting_key = { env = \"R\" }\nacknowledgements = { env = \"ACK\" }\n\
        [sink.chat.slack]\nurl = { env = \"U\" }\nacknowledgements = { env = \"ACK\" }\n\
        [sink.bot.slack-bot]\ntoken = { env = \"T\" }\nchannel = \"C1\"\nacknowledgements = { env = \"ACK\" }\n\
        [sink.bare.pagerduty]\nrouting_key = { env = \"R\" }\n";
    config::parse(text, "test.example").unwrap_or_else(|complaints| panic!("{complaints:?}")).settings
}

/// What comes back by the settings; `home` is where Slack is.
fn replies(home: String, orders: mpsc::Sender<Order>) -> Replies {
    let lookup = move |at: &SecretRef| match at {
        SecretRef::Env(name) if name == "ACK" => Some(Secret::new(format!("{SECRET}\n"))),
        SecretRef::Env(name) if name == "U" => Some(Secret::new(home.clone())),
        _ => None,
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let origin =
        Origin { instance: "test.example".to_owned(), installation: "1".to_owned(), public_url: None, own_url: None, runbooks: None };
    let now = Arc::new(|| At::from_ms(NOW * 1000));
    Replies::new(&settings(), &lookup, origin, orders, now).unwrap()
}

impl Rig {
    async fn new() -> Self {
        let (orders, mut given) = mpsc::channel::<Order>(4);
        let heard = Heard::default();
        let kept = Arc::clone(&heard);
        let watchdog = mailcanary::watchdog::Watchdog::new(&settings());
        let loop_ = tokio::spawn(async move {
            while let Some(Order { event, done }) = given.recv().await {
                let known = event.incident() == Some(IncidentId(7));
                if known {
                    kept.lock().unwrap().push(event);
                }
                let answer = if known { Ok(watchdog.view(At::from_ms(NOW * 1000))) } else { Err(Unfit::UnknownIncident(IncidentId(9))) };
                done.send(answer).unwrap();
            }
        });
        Self::serve(orders, heard, vec![loop_]).await
    }

    async fn serve(orders: mpsc::Sender<Order>, heard: Heard, mut tasks: Vec<JoinHandle<()>>) -> Self {
        let shown = Arc::new(Service::<Vec<Value>>::start(show_it).await);
        let home = format!("{}/services/T0/B0/S3CRET", shown.base);
        let replies = Arc::new(replies(home, orders));
        assert!(!format!("{replies:?}").contains("8f742231"), "{replies:?}");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ask, _) = mpsc::channel(1);
        let router = show::router(ask, show::Archive::closed()).merge(Arc::clone(&replies).router());
        tasks.push(tokio::spawn(show::serve(listener, router, std::future::pending())));
        let tended = Arc::clone(&replies);
        tasks.push(tokio::spawn(async move { tended.tend().await }));
        Self { port, replies, heard, shown, http: http(), tasks }
    }

    /// Posts to a sink; the status. Nothing stands in the answer.
    async fn post(&self, sink: &str, post: &Post) -> u16 {
        let mut request = self.http.post(format!("http://127.0.0.1:{}/hooks/sinks/{sink}", self.port)).body(post.body.clone());
        for (name, value) in &post.headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        assert!(status == 404 || answer.text().await.unwrap().is_empty());
        status
    }

    fn heard(&self) -> Vec<Event> {
        std::mem::take(&mut *self.heard.lock().unwrap())
    }

    fn counts(&self, sink: &str) -> HookCounts {
        self.replies.counts().remove(&Name::new(sink).unwrap()).unwrap()
    }
}

fn show_it(shown: &mut Vec<Value>, asked: &Asked) -> Told {
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/actions/T0/1/x"));
    shown.push(asked.json());
    Told::text(200, "ok")
}

#[derive(Clone, Debug)]
struct Post {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn sign(secret: &str, parts: &[&[u8]]) -> String {
    HEXLOWER.encode(&hmac("sha256", secret.as_bytes(), &parts.concat()))
}

/// As PagerDuty posts an event; there may be two signatures while a secret is replaced.
fn pagerduty(event: &Value) -> Post {
    let body = json!({ "event": event }).to_string().into_bytes();
    let tags = format!("v1={},v1={}", sign("the old one", &[&body]), sign(SECRET, &[&body]));
    Post { headers: vec![("x-pagerduty-signature", tags), ("content-type", "application/json".to_owned())], body }
}

/// An event of an incident, as its documents show one.
fn incident(kind: &str, key: &str, agent: &Value) -> Value {
    json!({
        "id": "5ac64822-4adc-4fda-ade0-410becf0de4f", "event_type": kind, "resource_type": "incident",
        "occurred_at": "2018-07-12T18:36:00.123Z", "agent": agent, "client": { "name": "PagerDuty" },
        "data": {
            "id": "PT4KHLK", "type": "incident", "number": 1234, "status": "acknowledged", "incident_key": key,
            "created_at": "2018-07-12T18:30:00Z", "title": "mail has stopped", "urgency": "high",
            "service": { "id": "PIJ90N7", "summary": "Mail", "type": "service_reference" }, "assignees": [], "priority": null,
        },
    })
}

fn jane() -> Value {
    json!({ "id": "PXPGF42", "summary": "Jane", "type": "user_reference" })
}

/// As Slack posts what somebody pressed.
fn slack(payload: &Value, secs: i64, secret: &str) -> Post {
    let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload.to_string()).finish();
    let tag = sign(secret, &[format!("v0:{secs}:").as_bytes(), body.as_bytes()]);
    let form = "application/x-www-form-urlencoded".to_owned();
    let headers = vec![("content-type", form), ("x-slack-request-timestamp", secs.to_string()), ("x-slack-signature", format!("v0={tag}"))];
    Post { headers, body: body.into_bytes() }
}

/// An interaction, as its documents show one.
fn pressed(key: &str, action: &str) -> Value {
    json!({
        "type": "block_actions", "token": "9s8d9as89d8as9d8as989", "api_app_id": "AABA1ABCD", "trigger_id": "12321423423.333649436676.d8c1",
        "user": { "id": "UA8RXUSPL", "username": "jtorrance", "name": "jtorrance", "team_id": "T9TK3CUKW" },
        "container": { "type": "message", "message_ts": "1531420000.000100", "channel_id": "CBR2V3XEX", "is_ephemeral": false },
        "response_url": "https://hooks.example/actions/AABA1ABCD/1232321423432/D09sSasdasdAS9091209",
        "actions": [{ "action_id": action, "block_id": "=qXel", "type": "button", "value": key, "action_ts": "1531420610.840180",
            "text": { "type": "plain_text", "text": "Acknowledge" } }],
    })
}

const BUTTON: &str = "mailcanary_acknowledge";

#[tokio::test]
async fn the_signature_of_slacks_own_example_is_right() {
    let rig = Rig::new().await;
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&\
        user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2F\
        commands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
        trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let tag = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    let headers = vec![("x-slack-request-timestamp", NOW.to_string()), ("x-slack-signature", tag.to_owned())];
    // It is from Slack, and no button.
    assert_eq!(rig.post("chat", &Post { headers, body: body.as_bytes().to_vec() }).await, 400);
    assert_eq!(rig.counts("chat").requests[&Knock::Unreadable], 1);
}

#[tokio::test]
async fn who_acknowledges_takes_back_or_resolves_there_does_so_here() {
    let rig = Rig::new().await;
    let occurred = At::from_rfc3339("2018-07-12T18:36:00.123Z");
    assert!(occurred.is_some());
    let (incident_7, by) = (IncidentId(7), "pagerduty: Jane".to_owned());
    for (kind, expected) in [
        (
            "incident.acknowledged",
            Event::Acknowledged { incident: incident_7, by: by.clone(), note: None, said_at: occurred, via: Name::new("pager").ok() },
        ),
        ("incident.unacknowledged", Event::Unacknowledged { incident: incident_7, by: by.clone(), said_at: occurred }),
        ("incident.resolved", Event::Closed { incident: incident_7, by, note: None }),
    ] {
        // The key that an incident has after it has called again is its own, too.
        for key in [KEY, "mailcanary/test.example/7/2"] {
            assert_eq!(rig.post("pager", &pagerduty(&incident(kind, key, &jane()))).await, 200, "{kind}");
            assert_eq!(rig.heard(), std::slice::from_ref(&expected), "{kind}");
        }
    }
    for sink in ["chat", "bot"] {
        assert_eq!(rig.post(sink, &slack(&pressed(KEY, BUTTON), NOW, SECRET)).await, 200);
        let word = if sink == "chat" { "slack" } else { "slack-bot" };
        let said_at = Some(At::from_ms(1_531_420_610_840));
        let expected =
            Event::Acknowledged { incident: incident_7, by: format!("{word}: jtorrance"), note: None, said_at, via: Name::new(sink).ok() };
        assert_eq!(rig.heard(), [expected], "{sink}");
    }
    let counts = rig.counts("pager");
    assert_eq!((counts.requests[&Knock::Taken], counts.events[&Tiding::Finding]), (6, 6));
}

#[tokio::test]
async fn what_does_not_concern_us_is_taken_and_nothing_follows() {
    let rig = Rig::new().await;
    let ping = json!({ "id": "1", "event_type": "pagey.ping", "resource_type": "pagey", "occurred_at": "2018-07-12T18:36:00Z",
        "agent": null, "client": null, "data": { "message": "Hello from your friend Pagey!", "type": "ping" } });
    let ourselves = json!({ "id": "P1", "summary": "Events API v2", "type": "events_api_v2_inbound_integration_reference" });
    let mute = [
        ping,
        incident("incident.triggered", KEY, &jane()),
        incident("incident.resolved", KEY, &ourselves),
        incident("incident.resolved", KEY, &Value::Null),
        json!({ "event_type": "incident.acknowledged" }),
    ];
    for event in &mute {
        assert_eq!(rig.post("pager", &pagerduty(event)).await, 200, "{event}");
    }
    let foreign = [
        "mailcanary/test.example/99",
        "mailcanary/other.example/7",
        "mailcanary/test.example/",
        "mailcanary/test.example/-7",
        "7",
        "",
        "mailcanary/test.example/18446744073709551616",
        "mailcanary/test.example/7\u{0}",
    ];
    for key in foreign {
        assert_eq!(rig.post("pager", &pagerduty(&incident("incident.acknowledged", key, &jane()))).await, 200, "{key}");
        assert_eq!(rig.post("chat", &slack(&pressed(key, BUTTON), NOW, SECRET)).await, 200, "{key}");
    }
    for payload in [pressed(KEY, "somebody_elses"), json!({ "type": "view_submission" }), json!({ "actions": [7, null, {}] })] {
        assert_eq!(rig.post("chat", &slack(&payload, NOW, SECRET)).await, 200, "{payload}");
    }
    assert_eq!(rig.heard(), []);
    let [pager, chat] = ["pager", "chat"].map(|sink| rig.counts(sink).events);
    assert_eq!((pager[&Tiding::Mute], pager[&Tiding::Foreign], pager[&Tiding::Finding]), (5, 8, 0));
    assert_eq!((chat[&Tiding::Mute], chat[&Tiding::Foreign]), (3, 8));
}

#[tokio::test]
async fn who_does_not_sign_is_refused_and_learns_nothing() {
    let rig = Rig::new().await;
    let ours =
        [("pager", pagerduty(&incident("incident.acknowledged", KEY, &jane()))), ("chat", slack(&pressed(KEY, BUTTON), NOW, SECRET))];
    for (sink, good) in &ours {
        let mut bad = vec![Post { headers: Vec::new(), ..good.clone() }];
        bad.push(Post { body: [&good.body[..], b" "].concat(), ..good.clone() });
        for at in (0..good.headers.len()).filter(|at| good.headers[*at].0 != "content-type") {
            let value = &good.headers[at].1;
            let cut = if *sink == "pager" { value.replace('v', "") } else { value[1..].to_owned() };
            for hostile in ["", "v0=", "v1=", "v0=zz", "é", &"a".repeat(20_000), &cut, &value[..value.len() - 1]] {
                let mut post = good.clone();
                post.headers[at].1 = hostile.to_owned();
                bad.push(post);
            }
        }
        for post in &bad {
            assert_eq!(rig.post(sink, post).await, 401, "{sink}: {:.200?}", post.headers);
        }
        assert_eq!((rig.heard(), rig.counts(sink).requests[&Knock::Refused]), (Vec::new(), bad.len() as u64), "{sink}");
    }
    // Another key; the other sink's way of signing; a signature of another day.
    assert_eq!(rig.post("chat", &slack(&pressed(KEY, BUTTON), NOW, "another")).await, 401);
    assert_eq!(rig.post("chat", &ours[0].1).await, 401);
    for (ago, status) in [(0, 200), (300, 200), (301, 401), (86_400, 401), (-300, 200), (-302, 401), (NOW + 1, 401)] {
        assert_eq!(rig.post("chat", &slack(&pressed(KEY, BUTTON), NOW - ago, SECRET)).await, status, "{ago}");
    }
    for sink in ["bare", "nobody", "", "pager/", "%ff"] {
        assert_eq!(rig.post(sink, &ours[0].1).await, 404, "{sink}");
    }
}

#[tokio::test]
async fn another_configuration_goes_on_counting() {
    let rig = Rig::new().await;
    assert_eq!(rig.post("chat", &slack(&pressed(KEY, BUTTON), NOW, "another")).await, 401);
    assert_eq!(rig.post("chat", &slack(&pressed("another/9", BUTTON), NOW, SECRET)).await, 200);
    let (orders, _given) = mpsc::channel(1);
    let next = replies("https://hooks.example/services/T0/B0/S3CRET".to_owned(), orders).after(&rig.replies);
    assert_eq!(rig.post("chat", &slack(&pressed(KEY, BUTTON), NOW, "a third")).await, 401);
    let counts = next.counts().remove(&Name::new("chat").unwrap()).unwrap();
    assert_eq!((counts.requests[&Knock::Refused], counts.requests[&Knock::Taken], counts.events[&Tiding::Foreign]), (2, 1, 1));
}

#[tokio::test]
async fn nonsense_floods_and_long_names_end_here() {
    let rig = Rig::new().await;
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    for text in ["", "null", "7", "[]", "{}", "<html>", "{\"event\":", "{\"event\":[]}", &deep("[", "]"), &deep("{\"event\":", "}")] {
        let tag = format!("v1={}", sign(SECRET, &[text.as_bytes()]));
        let post = Post { headers: vec![("x-pagerduty-signature", tag)], body: text.as_bytes().to_vec() };
        assert_eq!(rig.post("pager", &post).await, 400, "{text:.20}");
    }
    assert_eq!(rig.post("pager", &pagerduty(&json!({ "event_type": ["x"], "agent": 7 }))).await, 400);
    for payload in [json!(null), json!([]), json!("x")] {
        assert_eq!(rig.post("chat", &slack(&payload, NOW, SECRET)).await, 400);
    }
    for sink in ["pager", "chat"] {
        let large = Post { headers: Vec::new(), body: vec![b' '; 10 << 20] };
        assert_eq!(rig.post(sink, &large).await, 413);
        assert_eq!(rig.counts(sink).requests[&Knock::TooLarge], 1);
    }
    let actions = vec![pressed(KEY, BUTTON)["actions"][0].clone(); 17];
    assert_eq!(rig.post("chat", &slack(&json!({ "actions": actions }), NOW, SECRET)).await, 413);
    assert_eq!(rig.heard(), []);
    let agent = json!({ "type": "user_reference", "summary": format!("\u{1b}[31m<b>@everyone\u{202e}\r\n{}", "ü".repeat(10_000)) });
    assert_eq!(rig.post("pager", &pagerduty(&incident("incident.acknowledged", KEY, &agent))).await, 200);
    let heard = rig.heard();
    let [Event::Acknowledged { by, .. }] = &heard[..] else { panic!("{heard:?}") };
    assert!(by.starts_with("pagerduty: [31m<b>@everyone ü") && by.len() < 100 && by.ends_with('…'), "{by}");
    assert!(!by.contains(|c: char| c.is_control() || c == '\u{202e}'), "{by:?}");
}

#[tokio::test]
async fn what_nobody_writes_down_is_to_be_told_again() {
    // The loop is gone; it dies before it has written; it does not come to it.
    let word = slack(&pressed(KEY, BUTTON), NOW, SECRET);
    let (orders, _) = mpsc::channel(1);
    let rig = Rig::serve(orders, Heard::default(), Vec::new()).await;
    assert_eq!(rig.post("chat", &word).await, 503);
    let (orders, mut given) = mpsc::channel(1);
    let rig = Rig::serve(orders, Heard::default(), Vec::new()).await;
    let (status, ()) = tokio::join!(rig.post("chat", &word), async { drop(given.recv().await.unwrap()) });
    assert_eq!(status, 503);
    let begun = tokio::time::Instant::now();
    assert_eq!(rig.post("chat", &word).await, 503);
    assert!(begun.elapsed().as_secs_f64() < 3.0, "Slack waits no longer");
    assert_eq!(rig.counts("chat").requests[&Knock::Busy], 2);
}

#[tokio::test]
async fn whoever_presses_the_button_sees_that_it_worked_and_nobody_else_is_called_for_it() {
    let rig = Rig::new().await;
    let press = async |key: &str, to: &str| {
        let mut payload = pressed(key, BUTTON);
        payload["response_url"] = to.into();
        payload["user"]["name"] = "<!channel> jane".into();
        assert_eq!(rig.post("chat", &slack(&payload, NOW, SECRET)).await, 200);
    };
    let port = rig.port;
    for elsewhere in [&format!("http://127.0.0.1:{port}/x"), "http://hooks.slack.com.evil.example/x", "file:///etc/passwd", "x", ""] {
        press(KEY, elsewhere).await;
    }
    press(KEY, &format!("{}/actions/T0/1/x", rig.shown.base)).await;
    press("mailcanary/test.example/99", &format!("{}/actions/T0/1/x", rig.shown.base)).await;
    let both = async {
        while rig.shown.look(|shown| shown.len()) < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, both).await.unwrap();
    let shown = rig.shown.look(|shown| shown.clone());
    assert_eq!((&shown[0]["response_type"], &shown[1]["response_type"]), (&json!("in_channel"), &json!("ephemeral")));
    let text = shown[0]["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(text.starts_with("Incident 7: &lt;!channel&gt; jane has acknowledged it."), "{text}");
    assert!(shown.iter().all(|message| message["replace_original"] == json!(false)));
}
