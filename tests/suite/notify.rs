//! Notices on their way to a real Alertmanager, and to a webhook receiver that is as unfriendly as they come.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not foresee")]

use std::process::Command;

use mailcanary::config::{AlertmanagerSettings, Secret, SecretRef, SinkKind, WebhookSettings, Wording};
use mailcanary::edge::notify::{Attempt, Outgoing, Sink};
use mailcanary::model::{Change, IncidentId, Kind, Notice, Severity, Span};
use mailcanary::watchdog::{Delivery, IncidentView};
use serde_json::json;

use crate::support::alertmanager::{Alertmanager, Received, Receiver, answer, free_port, wait_for};
use crate::support::notices::{self, Worker, out, present};

const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const KEY: &str = "0123456789abcdef0123456789abcdef";

fn cluster(urls: Vec<String>) -> SinkKind {
    SinkKind::Alertmanager(AlertmanagerSettings { urls })
}

fn sink(kind: SinkKind, secret: Option<&Secret>) -> Sink {
    notices::sink(kind, Wording::default(), &|_: &SecretRef| secret.cloned(), None)
}

fn webhook(receiver: &Receiver) -> Sink {
    let url = format!("http://{}/hooks/T0P-S3CRET?token=hunter2", receiver.address);
    let secret = Some(SecretRef::Env("HOOK".to_owned()));
    sink(SinkKind::Webhook(WebhookSettings { url, secret }), Some(&Secret::new(SECRET.to_owned())))
}

/// Signs again with a program that shares no code with ours.
fn assert_signed(received: &Received) {
    let id = received.header("webhook-id").unwrap();
    let stamp = received.header("webhook-timestamp").unwrap();
    assert!(!id.contains('.'), "{id}");
    assert!((present().as_ms() / 1000 - stamp.parse::<i64>().unwrap()).abs() < 60, "seconds, of this attempt");
    let folder = crate::support::alertmanager::Folder::new("signed");
    let text = format!("{id}.{stamp}.{}", String::from_utf8(received.body.clone()).unwrap());
    let path = folder.write("content", &text);
    let hmac = format!("openssl dgst -sha256 -mac HMAC -macopt key:{KEY} -binary '{}' | openssl base64 -A", path.display());
    let output = Command::new("sh").args(["-c", &hmac]).output().unwrap();
    assert_eq!(received.header("webhook-signature").unwrap(), format!("v1,{}", String::from_utf8(output.stdout).unwrap()));
}

#[tokio::test]
async fn a_webhook_gets_one_signed_post_a_notice() {
    let mut receiver = Receiver::start(&[]).await;
    let mut worker = Worker::start(webhook(&receiver), Vec::new());
    let sent = out(7, 3, Change::Opened);
    worker.send(sent.clone()).await;
    let received = receiver.next().await;
    assert!(received.head.starts_with("POST /hooks/T0P-S3CRET?token=hunter2 HTTP/1.1"), "{}", received.head);
    assert_eq!(received.header("content-type"), Some("application/json"));
    assert_signed(&received);
    let body = received.json();
    assert_eq!(body["type"], "incident.opened");
    assert_eq!(body["timestamp"], sent.at.rfc3339());
    assert_eq!(body["data"], serde_json::to_value(&*sent.notice).unwrap());
    assert_eq!(worker.ended().await, (7, Delivery::Delivered));
    assert_eq!(receiver.rest().len(), 0);
    worker.close().await;
}

#[tokio::test]
async fn a_webhook_without_a_secret_is_not_signed() {
    let mut receiver = Receiver::start(&[]).await;
    let url = format!("http://{}/", receiver.address);
    let sink = sink(SinkKind::Webhook(WebhookSettings { url, secret: None }), None);
    let out = out(1, 1, Change::Resolved);
    assert_eq!(sink.deliver(&out, present()).await, Attempt::Delivered);
    let received = receiver.next().await;
    assert!(received.header("webhook-id").is_some() && received.header("webhook-signature").is_none());
}

#[tokio::test]
async fn a_notice_is_tried_until_it_is_taken_and_stays_the_same() {
    let limited = answer("429 Too Many Requests", "retry-after: 1\r\n");
    let moved = answer("302 Found", "location: http://127.0.0.1:1/elsewhere\r\n");
    let script = [&answer("503 Service Unavailable", ""), &limited, &moved, "\u{0}\u{1}SSH-2.0-garbage\r\n\r\n", "HTTP/1.1 200"];
    let mut receiver = Receiver::start(&script).await;
    let mut worker = Worker::start(webhook(&receiver), Vec::new());
    worker.send(out(7, 3, Change::Opened)).await;
    let mut tries = Vec::new();
    for _ in 0..=script.len() {
        let received = receiver.next().await;
        assert_signed(&received);
        tries.push((present(), received));
    }
    assert_eq!(worker.ended().await, (7, Delivery::Delivered));
    assert!(tries.iter().all(|(_, t)| t.body == tries[0].1.body && t.header("webhook-id") == tries[0].1.header("webhook-id")));
    assert!(tries[2].0.since(tries[1].0) >= Span::from_ms(900), "Retry-After was not honoured");
    assert_eq!(receiver.rest().len(), 0);
    worker.close().await;
}

#[tokio::test]
async fn refusals_are_final_and_gone_means_gone() {
    let mut receiver = Receiver::start(&[&answer("422 Unprocessable", ""), &answer("410 Gone", "")]).await;
    let mut worker = Worker::start(webhook(&receiver), Vec::new());
    worker.send(out(1, 1, Change::Opened)).await;
    assert_eq!(worker.ended().await, (1, Delivery::Refused));
    for id in [2, 3] {
        worker.send(out(id, id, Change::Opened)).await;
        assert_eq!(worker.ended().await, (id, Delivery::Refused));
    }
    let ids: Vec<_> = [receiver.next().await, receiver.next().await].iter().map(|r| r.json()["data"]["notice"].clone()).collect();
    assert_eq!(ids, [1, 2]);
    assert_eq!(receiver.rest().len(), 0, "a sink that is gone was called again");
    worker.close().await;
}

#[tokio::test]
async fn a_receiver_that_is_being_replaced_gets_its_page_afterwards() {
    let (away, secret) = (answer("404 Not Found", ""), answer("401 Unauthorized", ""));
    let mut receiver = Receiver::start(&[&away, &secret, &away]).await;
    let mut worker = Worker::start(webhook(&receiver), Vec::new());
    worker.send(out(1, 1, Change::Opened)).await;
    assert_eq!(worker.ended().await, (1, Delivery::Delivered));
    let tries = [receiver.next().await, receiver.next().await, receiver.next().await, receiver.next().await];
    assert!(tries.iter().all(|t| t.header("webhook-id") == tries[0].header("webhook-id")));
    worker.close().await;

    let receiver = Receiver::start(&[away.as_str(); 100]).await;
    let mut worker = Worker::start(webhook(&receiver), Vec::new());
    worker.send(out(1, 1, Change::Opened)).await;
    assert_eq!(worker.ended().await, (1, Delivery::Refused), "it has gone for good");
    worker.close().await;
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_nobody_else() {
    let mut receiver = Receiver::start(&[""]).await;
    let mut worker = Worker::start(webhook(&receiver), Vec::new());
    worker.send(out(1, 1, Change::Opened)).await;
    let first = receiver.next().await;
    assert_eq!(first.json()["data"]["notice"], 1);
    worker.send(out(2, 2, Change::Opened)).await;
    assert_eq!(worker.ended().await, (2, Delivery::Delivered));
    // After the deadline of the attempt the first is tried again.
    let again = receiver.next().await;
    assert_eq!(again.json()["data"]["notice"], 2);
    let again = receiver.next().await;
    assert_eq!((again.json()["data"]["notice"].clone(), again.body), (json!(1), first.body));
    assert_eq!(worker.ended().await, (1, Delivery::Delivered));
    worker.close().await;
}

#[tokio::test]
async fn a_recovery_that_overtakes_its_unsent_page_calls_nobody() {
    let busy = answer("503 Service Unavailable", "");
    let mut receiver = Receiver::start(&[busy.as_str(); 100]).await;
    let mut worker = Worker::start(webhook(&receiver), Vec::new());
    worker.send(out(1, 1, Change::Opened)).await;
    receiver.next().await;
    worker.send(out(2, 1, Change::Resolved)).await;
    assert_eq!([worker.ended().await, worker.ended().await], [(1, Delivery::Dropped), (2, Delivery::Dropped)]);
    worker.close().await;
    assert!(receiver.rest().iter().all(|r| r.json()["type"] == "incident.opened"), "the recovery went out");
}

#[tokio::test]
async fn no_reason_holds_a_secret() {
    let moved = answer("302 Found", "location: /hooks/T0P-S3CRET?token=hunter2\r\n");
    let receiver = Receiver::start(&[&moved, "garbage", &answer("400 hunter2", ""), &answer("503 T0P-S3CRET", "")]).await;
    let there = webhook(&receiver);
    let nowhere = sink(
        SinkKind::Webhook(WebhookSettings { url: format!("http://user:hunter2@127.0.0.1:{}/T0P-S3CRET", free_port()), secret: None }),
        None,
    );
    let out = out(1, 1, Change::Opened);
    for sink in [&there, &there, &there, &there, &nowhere] {
        let attempt = sink.deliver(&out, present()).await;
        let why = attempt.why().expect("it was taken").to_owned();
        assert!(!why.contains("hunter2") && !why.contains("S3CRET") && !why.is_empty(), "{why}");
        let shown = format!("{sink:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("S3CRET") && !shown.contains("whsec"), "{shown}");
    }
}

#[tokio::test]
async fn an_alert_fires_is_sent_again_outlives_a_restart_and_resolves() {
    let mut pager = Receiver::start(&[]).await;
    let mut alertmanager = Alertmanager::start(pager.address).await;
    let dead = format!("http://127.0.0.1:{}", free_port());
    let sink = sink(cluster(vec![dead, alertmanager.url()]), None);
    let mut worker = Worker::start(sink, Vec::new());
    worker.send(out(1, 3, Change::Opened)).await;
    assert_eq!(worker.ended().await, (1, Delivery::Delivered), "one instance is enough");

    let page = pager.next().await.json();
    assert_eq!(page["status"], "firing");
    let alert = &page["alerts"][0];
    assert_eq!(alert["labels"]["culprit"], "provider:mailchimp");
    assert_eq!(alert["labels"]["severity"], "page");
    assert_eq!(alert["annotations"]["summary"], "mailchimp: none of 9 canaries arrived ‹in any inbox›");
    assert_eq!(alert["generatorURL"], "http://canary.example/incidents/3");

    let ends = async |am: &Alertmanager| am.alerts().await.first().map(|alert| alert["endsAt"].as_str().unwrap().to_owned());
    let first = ends(&alertmanager).await.unwrap();
    wait_for("a second sending", async || ends(&alertmanager).await.filter(|end| *end > first)).await;

    alertmanager.restart_empty().await;
    wait_for("the alert after a restart", async || ends(&alertmanager).await).await;

    worker.send(out(2, 3, Change::Resolved)).await;
    assert_eq!(worker.ended().await, (2, Delivery::Delivered));
    let over = loop {
        let told = pager.next().await.json();
        if told["status"] == "resolved" {
            break told;
        }
        assert_eq!(told["alerts"][0]["labels"], alert["labels"]);
    };
    assert_eq!(over["alerts"][0]["labels"], alert["labels"]);
    assert_eq!(alertmanager.alerts().await.len(), 0);
    worker.close().await;
}

#[tokio::test]
async fn a_page_waits_for_an_alertmanager_that_is_down() {
    let mut pager = Receiver::start(&[]).await;
    let mut alertmanager = Alertmanager::start(pager.address).await;
    alertmanager.kill();
    let mut worker = Worker::start(sink(cluster(vec![alertmanager.url()]), None), Vec::new());
    worker.send(out(1, 3, Change::Opened)).await;
    let louder = Notice { severity: Severity::Warn, ..(*out(2, 3, Change::Updated).notice).clone() };
    worker.send(Outgoing { notice: louder.into(), ..out(2, 3, Change::Updated) }).await;
    alertmanager.restart_empty().await;
    assert_eq!([worker.ended().await, worker.ended().await], [(1, Delivery::Delivered), (2, Delivery::Delivered)]);
    let told = loop {
        let told = pager.next().await.json();
        if told["status"] == "firing" {
            break told;
        }
    };
    assert_eq!(told["commonLabels"]["incident"], "3");
    let firing = alertmanager.alerts().await;
    assert_eq!(firing.len(), 1, "{firing:?}");
    assert_eq!(firing[0]["labels"]["severity"], "warn", "the alert that was overtaken does not fire");
    worker.close().await;
}

#[tokio::test]
async fn a_daemon_that_starts_again_keeps_its_alerts_alive() {
    let pager = Receiver::start(&[]).await;
    let alertmanager = Alertmanager::start(pager.address).await;
    let opened = out(5, 3, Change::Opened);
    let view = IncidentView {
        incident: IncidentId(3),
        kind: Kind::Stopped,
        severity: Severity::Page,
        culprit: opened.notice.culprit.clone(),
        opened_at: opened.opened_at,
        resolved_at: None,
        last: (*opened.notice).clone(),
        present: None,
        acknowledged: None,
        also: Vec::new(),
        closed: None,
        delivers: false,
        silenced_until: None,
    };
    let worker = Worker::start(sink(cluster(vec![alertmanager.url()]), None), vec![view]);
    let alerts = wait_for("the alert", async || Some(alertmanager.alerts().await).filter(|alerts| !alerts.is_empty())).await;
    assert_eq!(alerts[0]["labels"]["incident"], "3");
    worker.close().await;
}

#[tokio::test]
async fn an_alertmanager_that_refuses_says_why() {
    let refused = "HTTP/1.1 400 Bad Request\r\ncontent-length: 27\r\n\r\n\"start time must be\nbefore\"";
    let receiver = Receiver::start(&[refused]).await;
    let mut worker = Worker::start(sink(cluster(vec![format!("http://{}", receiver.address)]), None), Vec::new());
    worker.send(out(1, 3, Change::Opened)).await;
    assert_eq!(worker.ended().await, (1, Delivery::Refused));
    worker.close().await;

    let receiver = Receiver::start(&[refused]).await;
    let sink = sink(cluster(vec![format!("http://{}", receiver.address)]), None);
    let out = out(1, 3, Change::Opened);
    let attempt = sink.deliver(&out, present()).await;
    assert_eq!(attempt.why(), Some("answered 400: \"start time must be before\""));
}
