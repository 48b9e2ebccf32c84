//! Whoever acknowledges at PagerDuty has acknowledged: with a real daemon, over a restart.

use data_encoding::HEXLOWER;
use mailcanary::model::Class;
use mailcanary::sandbox::Fault;
use serde_json::{Value, json};

use super::life::world;
use crate::hooks::sign::hmac;
use crate::support::alertmanager::{Receiver, http};
use crate::support::daemon::Daemon;
use crate::support::pagers::{PagerDuty, ROUTING_KEY, pagerduty};
use crate::support::service::Service;

const SECRET: &str = "the secret of the subscription";

/// Posts what somebody did with the alert of `key`; the status.
async fn posted(daemon: &Daemon, secret: &str, kind: &str, at: &str, key: &str) -> u16 {
    let agent = json!({ "type": "user_reference", "summary": "Jane <b>\u{1b}[31m" });
    let event = json!({ "event_type": kind, "occurred_at": at, "agent": agent, "data": { "type": "incident", "incident_key": key } });
    let body = json!({ "event": event }).to_string();
    let tag = format!("v1={}", HEXLOWER.encode(&hmac("sha256", secret.as_bytes(), body.as_bytes())));
    let url = format!("http://127.0.0.1:{}/hooks/sinks/oncall", daemon.port);
    http().post(url).header("x-pagerduty-signature", tag).body(body).send().await.unwrap().status().as_u16()
}

fn acknowledged(daemon: &Daemon, id: &str) -> Value {
    let (code, out, err) = daemon.say(&["incident", "show", id, "--json"]);
    assert_eq!(code, Some(0), "{err}");
    serde_json::from_str::<Value>(&out).unwrap()["acknowledged"]["by"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_acknowledges_at_pagerduty_is_heard_and_nobody_else_is_called() {
    let world = world();
    let service = Service::<PagerDuty>::start(pagerduty).await;
    let mut boss = Receiver::start(&[]).await;
    let mut daemon = Daemon::new(|folder| {
        let accounts = world.accounts(folder.path()).unwrap();
        let [key, secret] =
            [("routing.key", ROUTING_KEY), ("hook.secret", SECRET)].map(|(name, text)| folder.write(name, text).display().to_string());
        format!(
            "[watch]\nevery = \"1s\"\ninstance = \"test\"\n\n[stream.reset]\nsubject = \"Reset your password\"\ndeadline = \"10m\"\n{accounts}\n\
            [sink.oncall.pagerduty]\nrouting_key = {{ file = \"{key}\" }}\nbase_url = \"{}\"\nacknowledgements = {{ file = \"{secret}\" }}\n\
            [sink.boss.webhook]\nurl = \"http://{}/\"\nafter = \"20s\"\n",
            service.base, boss.address
        )
    });
    daemon.start().await;
    daemon.wait_for_arrivals(20.0).await;
    world.provider("relay").unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    let key = daemon.wait_for("the alert", async |_| service.look(|state| state.open.keys().next().cloned())).await;
    let id = key.strip_prefix("mailcanary/test/").unwrap();
    let [seen, back] = ["incident.acknowledged", "incident.unacknowledged"];
    assert_eq!(posted(&daemon, "another", seen, "2026-01-01T00:00:01Z", &key).await, 401);
    assert_eq!(posted(&daemon, SECRET, seen, "2026-01-01T00:00:00Z", "mailcanary/test/999").await, 200);
    assert_eq!(acknowledged(&daemon, id), Value::Null);
    assert_eq!(posted(&daemon, SECRET, seen, "2026-01-01T00:00:01Z", &key).await, 200);
    assert_eq!(acknowledged(&daemon, id), "pagerduty: Jane <b> [31m");
    let (_, page) = daemon.get(&format!("/incidents/{id}")).await.unwrap();
    assert!(page.contains("pagerduty: Jane &lt;b&gt;") && !page.contains('\u{1b}'), "{page}");
    for (outcome, count) in [("refused", 1.0), ("taken", 2.0)] {
        let name = format!("mailcanary_sink_reply_requests_total{{sink=\"oncall\",outcome=\"{outcome}\"}}");
        assert_eq!(daemon.metric(&name).await, Some(count), "{outcome}");
    }
    daemon.kill();
    daemon.start().await;
    assert_eq!(acknowledged(&daemon, id), "pagerduty: Jane <b> [31m", "a restart forgets nothing");
    // Four canaries a second: it would have been called by now.
    let sent = daemon.sum("mailcanary_canaries_submitted_total").await.unwrap();
    daemon.wait_for("time", async |d| (d.sum("mailcanary_canaries_submitted_total").await? >= sent + 100.0).then_some(())).await;
    assert!(boss.rest().is_empty(), "nobody is called");
    // They do not see to it any more; a repeat of what was said before changes nothing.
    assert_eq!(posted(&daemon, SECRET, back, "2026-01-01T00:00:02Z", &key).await, 200);
    assert_eq!(posted(&daemon, SECRET, seen, "2026-01-01T00:00:01Z", &key).await, 200);
    assert_eq!(acknowledged(&daemon, id), Value::Null);
    let called = boss.next().await.json();
    assert!(called["data"]["summary"].as_str().unwrap().starts_with("ESCALATION, nobody has acknowledged this for 20s"), "{called}");
    assert_eq!(service.look(|state| state.pages), 1);
    let said: u32 = daemon.ledger("SELECT count(*) FROM people WHERE who LIKE 'pagerduty: Jane%'");
    assert_eq!(said, 3);
    assert_eq!(daemon.stop().await, Some(0));
}
