//! PagerDuty, Opsgenie, Jira Service Management and Grafana: one incident is one alert, and a recovery ends it.

use mailcanary::config::{GrafanaSettings, JiraSettings, OpsgenieSettings, PagerDutySettings};
use serde_json::json;

use super::*;
use crate::support::pagers::{GENIE_KEY, GRAFANA_PATH, Grafana, Opsgenie, PagerDuty, ROUTING_KEY, grafana, opsgenie, pagerduty};
use crate::support::service::{Service, Told};

const KEY: &str = "mailcanary/test.example/3";

fn pager(service: &Service<PagerDuty>, key: &str) -> SinkKind {
    SinkKind::PagerDuty(PagerDutySettings { routing_key: at(key), acknowledgements: None, base_url: service.base.clone() })
}

fn genie(service: &Service<Opsgenie>, key: &str) -> SinkKind {
    SinkKind::Opsgenie(OpsgenieSettings { api_key: at(key), base_url: service.base.clone() })
}

#[tokio::test]
async fn pagerduty_is_called_once_an_incident() {
    let service = Service::<PagerDuty>::start(pagerduty).await;
    let mut worker = Worker::start(sink(pager(&service, ROUTING_KEY)), Vec::new());
    worker.send(out(1, 3, Change::Opened)).await;
    assert_eq!(worker.ended().await, (1, Delivery::Delivered));
    service.look(|state| {
        let event = &state.open[KEY];
        assert_eq!(event["payload"]["severity"], "critical");
        assert_eq!(event["payload"]["source"], "test.example");
        assert_eq!(event["client_url"], "http://canary.example/incidents/3");
    });
    for (id, change) in [(2, Change::Updated), (3, Change::Reminder)] {
        worker.send(out(id, 3, change)).await;
        assert_eq!(worker.ended().await, (id, Delivery::Delivered));
    }
    worker.send(out(4, 8, Change::Opened)).await;
    assert_eq!(worker.ended().await, (4, Delivery::Delivered));
    service.look(|state| assert_eq!((state.open.len(), state.pages, state.log), (2, 2, 4)));
    worker.send(out(5, 3, Change::Resolved)).await;
    assert_eq!(worker.ended().await, (5, Delivery::Delivered));
    service.look(|state| assert!(!state.open.contains_key(KEY)));
    worker.close().await;
}

#[tokio::test]
async fn what_grows_after_it_was_acknowledged_calls_again_where_that_would_be_silent() {
    let service = Service::<PagerDuty>::start(pagerduty).await;
    let mut worker = Worker::start(sink(pager(&service, ROUTING_KEY)), Vec::new());
    for (notice, keys, pages) in [
        (out(1, 3, Change::Opened), vec![KEY.to_owned()], 1),
        (calling(2, 3, Change::Updated, 1), vec![format!("{KEY}/1")], 2),
        (calling(3, 3, Change::Reminder, 1), vec![format!("{KEY}/1")], 2),
        (calling(4, 3, Change::Updated, 2), vec![format!("{KEY}/2")], 3),
        (calling(5, 3, Change::Resolved, 2), vec![], 3),
    ] {
        let id = notice.notice.notice.0;
        worker.send(notice).await;
        assert_eq!(worker.ended().await, (id, Delivery::Delivered));
        service.look(|state| assert_eq!((state.open.keys().cloned().collect::<Vec<_>>(), state.pages), (keys, pages), "{id}"));
    }
    // The update was overtaken: nothing stays open.
    for notice in [out(6, 9, Change::Opened), calling(7, 9, Change::Resolved, 1)] {
        let id = notice.notice.notice.0;
        worker.send(notice).await;
        assert_eq!(worker.ended().await, (id, Delivery::Delivered));
    }
    service.look(|state| assert!(state.open.is_empty(), "{:?}", state.open.keys()));
    worker.close().await;
}

#[tokio::test]
async fn pagerduty_says_what_is_wrong_and_nothing_of_the_key() {
    let service = Service::<PagerDuty>::start(pagerduty).await;
    let attempt = deliver(&sink(pager(&service, "too-short")), &out(1, 3, Change::Opened)).await;
    let why = "answered 400: Event object is invalid; 'routing_key' is missing or wrong";
    assert_eq!(attempt, Attempt::Refused { why: why.to_owned() });
    let sink = sink(pager(&service, ROUTING_KEY));
    // A proxy's page, which is no acceptance; and a limit without a time.
    service.instead([Told::text(202, "<html>hello</html>"), Told::json(429, &json!({ "message": ROUTING_KEY }))]);
    let attempt = deliver(&sink, &out(1, 3, Change::Opened)).await;
    assert!(matches!(attempt, Attempt::Retry { unclear: true, .. }), "{attempt:?}");
    let attempt = deliver(&sink, &out(1, 3, Change::Opened)).await;
    let Attempt::Retry { after: Some(after), why, .. } = attempt else { panic!("{attempt:?}") };
    assert!(after.as_ms() == 30_000 && !why.contains(ROUTING_KEY), "{why}");
    assert_eq!(deliver(&sink, &nasty(Change::Opened)).await, Attempt::Delivered);
    service.look(|state| assert_eq!(state.pages, 1));
}

#[tokio::test]
async fn opsgenie_is_asked_what_became_of_it() {
    let service = Service::<Opsgenie>::start(opsgenie).await;
    let mut worker = Worker::start(sink(genie(&service, GENIE_KEY)), Vec::new());
    worker.send(out(1, 3, Change::Opened)).await;
    assert_eq!(worker.ended().await, (1, Delivery::Delivered));
    service.look(|state| {
        let alert = &state.open["mailcanary:test.example:3"];
        assert_eq!((&alert["priority"], &alert["message"]), (&json!("P1"), &json!("PAGE: provider mailchimp, stopped")));
        assert!(alert["description"].as_str().unwrap().ends_with("\n\nhttp://canary.example/incidents/3"));
    });
    worker.send(out(2, 3, Change::Updated)).await;
    worker.ended().await;
    service.look(|state| assert_eq!((state.created, state.open.len()), (1, 1)));
    worker.send(out(3, 3, Change::Resolved)).await;
    assert_eq!(worker.ended().await, (3, Delivery::Delivered));
    service.look(|state| assert!(state.open.is_empty()));
    // Nothing is open any more: that is as closed as can be.
    worker.send(out(4, 3, Change::Resolved)).await;
    assert_eq!(worker.ended().await, (4, Delivery::Delivered));
    worker.close().await;
}

#[tokio::test]
async fn opsgenie_that_takes_it_and_does_nothing_has_not_taken_it() {
    let service = Service::<Opsgenie>::start(opsgenie).await;
    service.look(|state| state.broken = true);
    let attempt = deliver(&sink(genie(&service, GENIE_KEY)), &out(1, 3, Change::Opened)).await;
    assert_eq!(attempt, Attempt::Doubtful { why: "taken, and then not done: Alert creation failed: team not found".to_owned() });
    let attempt = deliver(&sink(genie(&service, "hunter2")), &out(1, 3, Change::Opened)).await;
    assert_eq!(attempt, Attempt::Doubtful { why: "answered 403: You are not authorized".to_owned() });
}

#[tokio::test]
async fn jira_speaks_the_same_elsewhere() {
    let mut service = Service::<Opsgenie>::start(opsgenie).await;
    let base_url = format!("{}/jsm/ops/integration", service.base);
    let sink = sink(SinkKind::Jira(JiraSettings { api_key: at(GENIE_KEY), base_url }));
    assert_eq!(deliver(&sink, &nasty(Change::Opened)).await, Attempt::Delivered);
    assert_eq!(service.next().await.path, "/jsm/ops/integration/v2/alerts");
    assert_eq!(deliver(&sink, &nasty(Change::Resolved)).await, Attempt::Delivered);
    service.look(|state| assert_eq!((state.created, state.open.len()), (1, 0)));
}

#[tokio::test]
async fn grafana_groups_by_incident_and_resolves() {
    let service = Service::<Grafana>::start(grafana).await;
    let url = at(&format!("{}{GRAFANA_PATH}", service.base));
    let mut worker = Worker::start(sink(SinkKind::Grafana(GrafanaSettings { url })), Vec::new());
    worker.send(out(1, 3, Change::Opened)).await;
    worker.ended().await;
    service.look(|state| assert_eq!(state.groups[KEY]["state"], "alerting"));
    live(&mut worker).await;
    service.look(|state| {
        assert_eq!((state.groups.len(), &state.groups[KEY]["state"]), (1, &json!("ok")));
        assert_eq!(state.groups[KEY]["link_to_upstream_details"], "http://canary.example/incidents/3");
    });
    worker.close().await;
}
