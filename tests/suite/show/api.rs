//! The API over a view that stands still: pages, and what is not as it should be.

use std::collections::BTreeSet;

use super::*;

/// Status and JSON.
async fn get(shown: &Shown, path: &str) -> (u16, Value) {
    let (status, text) = shown.get(path).await;
    (status, serde_json::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}: {text}")))
}

/// Follows the pages of a list to its end.
async fn all(shown: &Shown, path: &str, list: &str) -> Vec<Value> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, page) = get(shown, &format!("{path}{cursor}")).await;
        assert_eq!(status, 200, "{page}");
        found.extend(page[list].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return found };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn a_sink_that_refuses_stops_no_mail() {
    let mut view = fixture(1, 1, 2);
    let evidence = json!({ "sink": "pager", "why": "answered 401" });
    view.incidents = vec![incident(1, Kind::Blind, Culprit::Watcher {}, "sink `pager` refuses notices (answered 401)", evidence)];
    let (_, status) = get(&Shown::start(view.clone()).await, "/api/v1/status").await;
    assert_eq!(status["tone"], "degraded", "{status}");
    // Of two that are as loud the one of mail is told first.
    view.incidents.insert(0, incident(2, Kind::Stopped, Culprit::Provider(name("provider-0")), "provider `provider-0` stopped", json!({})));
    let (_, status) = get(&Shown::start(view).await, "/api/v1/status").await;
    assert!(status["tone"] == "stopped" && status.to_string().contains("provider `provider-0` stopped (1 more open)"), "{status}");
}

/// What the pages have besides verdicts.
#[tokio::test]
async fn deadlines_and_the_end_of_log_ins_are_told() {
    let mut view = fixture(1, 1, 2);
    view.inboxes[1].expires = Some(at(7200));
    view.routes[0].deadline = Span::from_secs(900);
    let shown = Shown::start(view).await;
    let (_, inboxes) = get(&shown, "/api/v1/inboxes").await;
    let ends: Vec<&Value> = inboxes["inboxes"].as_array().unwrap().iter().map(|inbox| &inbox["login_ends_at"]).collect();
    assert_eq!(ends, [&Value::Null, &json!(at(7200).rfc3339())]);
    let (_, route) = get(&shown, "/api/v1/routes/provider-0/stream-0/inbox-0").await;
    assert_eq!(route["deadline_seconds"], 900.0, "{route}");
}

#[tokio::test]
async fn lists_are_walked_by_page_without_a_gap_and_without_a_repeat() {
    let mut view = fixture(3, 2, 3);
    view.routes[4].verdict = Verdict::Stopped;
    view.incidents = (1..=25).map(|n| incident(n, Kind::Loss, Culprit::Provider(name("provider-0")), "x", json!({}))).collect();
    for old in &mut view.incidents[..5] {
        old.resolved_at = Some(at(3200));
    }
    let shown = Shown::start(view).await;
    for limit in [1, 4, 18, 1000] {
        let routes = all(&shown, &format!("/api/v1/routes?limit={limit}"), "routes").await;
        let names: BTreeSet<String> = routes.iter().map(|r| format!("{}/{}/{}", r["provider"], r["stream"], r["inbox"])).collect();
        assert_eq!((routes.len(), names.len()), (18, 18), "{limit}");
    }
    assert_eq!(all(&shown, "/api/v1/routes?verdict=stopped", "routes").await.len(), 1);
    assert_eq!(all(&shown, "/api/v1/routes?provider=provider-1&inbox=inbox-2&limit=1", "routes").await.len(), 2);
    let canaries = all(&shown, "/api/v1/routes/provider-0/stream-0/inbox-0/canaries?limit=7", "canaries").await;
    let times: Vec<&str> = canaries.iter().map(|c| c["sent_at"].as_str().unwrap()).collect();
    assert!(canaries.len() == 50 && times.is_sorted_by(|a, b| a > b), "the newest first");
    let id = canaries[9]["canary"].as_str().unwrap();
    assert_eq!(get(&shown, &format!("/api/v1/canaries/{id}")).await, (200, canaries[9].clone()));
    let numbers = |all: Vec<Value>| all.iter().map(|i| i["incident"].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(numbers(all(&shown, "/api/v1/incidents?limit=4", "incidents").await), (1..=25).rev().collect::<Vec<_>>());
    assert_eq!(numbers(all(&shown, "/api/v1/incidents?open=false&limit=2", "incidents").await), (1..=5).rev().collect::<Vec<_>>());
    assert!(all(&shown, "/api/v1/incidents?kind=dns", "incidents").await.is_empty());
    assert_eq!(all(&shown, "/api/v1/incidents?severity=page&kind=loss&open=true", "incidents").await.len(), 20);
    for path in
        ["streams", "inboxes", "sinks", "heartbeats", "accounts", "configuration", "maintenance", "silences", "drill", "status", "events"]
    {
        assert_eq!(get(&shown, &format!("/api/v1/{path}")).await.0, 200, "{path}");
    }
    // What there is, with or without the slash.
    let (status, index) = get(&shown, "/api/v1").await;
    let paths: Vec<&str> = index["operations"].as_array().unwrap().iter().map(|one| one["path"].as_str().unwrap()).collect();
    assert!(status == 200 && paths.contains(&"/api/v1/history") && paths.contains(&"/api/v1/incidents/{incident}/ack"), "{index}");
    assert_eq!(get(&shown, "/api/v1/").await, (200, index));
}

#[tokio::test]
async fn what_is_not_as_it_should_be_is_one_shape() {
    let shown = Shown::start(fixture(1, 1, 1)).await;
    for (path, expected) in [
        ("/api", 404),
        ("/api/", 404),
        ("/api/v1?x", 400),
        ("/api/v1/status/", 404),
        ("/api/v1//status", 404),
        ("/api/v2/status", 404),
        ("/api/v1/%FF", 404),
        ("/api/v1/incidents/%00", 404),
        ("/api/v1/incidents/99999999999999999999999", 404),
        ("/api/v1/incidents/-1", 404),
        ("/api/v1/incidents/+1", 404),
        ("/api/v1/incidents/1%2Fack", 404),
        ("/api/v1/canaries/000000000001000A", 404),
        ("/api/v1/routes/provider-0/stream-0", 404),
        ("/api/v1/routes/provider-0%2Fstream-0%2Finbox-0", 404),
        ("/api/v1/incidents?open=1", 400),
        ("/api/v1/incidents?open=true&open=true", 400),
        ("/api/v1/incidents?opne=true", 400),
        ("/api/v1/incidents?limit=0", 400),
        ("/api/v1/incidents?limit=1001", 400),
        ("/api/v1/incidents?cursor=x", 400),
        ("/api/v1/incidents?kind=%FF", 400),
        ("/api/v1/incidents?kind", 400),
        ("/api/v1/status?x", 400),
        ("/api/v1/routes?cursor=a/b", 400),
        ("/api/v1/incidents?&&open=true&", 200),
    ] {
        let (status, said) = get(&shown, path).await;
        assert_eq!(status, expected, "{path} {said}");
        if expected != 200 {
            assert_eq!((said["status"].as_u64(), said["type"].as_str()), (Some(expected.into()), Some("about:blank")), "{path} {said}");
        }
    }
    let send = async |method: &str, path: &str, accept: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let answer = http().request(method, format!("http://{}{path}", shown.address)).header("accept", accept).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
        (answer.status().as_u16(), header("allow"), header("content-type"))
    };
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ODD"] {
        let problem = (405, "GET, HEAD".to_owned(), "application/problem+json".to_owned());
        assert_eq!(send(method, "/api/v1/status", "*/*").await, problem, "{method}");
        assert_eq!(send(method, "/api/v1/nowhere", "*/*").await.0, 404);
    }
    assert_eq!(send("PUT", "/api/v1/silences", "*/*").await.1, "GET, HEAD, POST");
    assert_eq!(send("HEAD", "/api/v1/status", "*/*").await, (200, String::new(), "application/json".to_owned()));
    assert_eq!(send("GET", "/api/v1/status", "text/html").await.0, 406);
    assert_eq!(send("GET", "/api/v1/events", "text/html").await.0, 406);
    let raw = shown.raw(b"GET /api/v1/status\x80 HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    assert!(raw.starts_with("HTTP/1.1 400") || raw.starts_with("HTTP/1.1 404"), "{raw}");
}
