//! What only the ledger knows, asked for by the API.

use serde_json::Value;

use super::{TOKEN, daemon, outage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_ledger_keeps_can_be_asked_for() {
    let (world, _hook, mut daemon, _token) = daemon("").await;
    let id = outage(&world, &mut daemon).await;
    daemon.post(&format!("/api/v1/incidents/{id}/ack"), Some(TOKEN), r#"{"by": "ann", "note": "on it"}"#).await;
    let get = async |path: &str| -> Value {
        let (status, text) = daemon.get(&format!("/api/v1/{path}")).await.unwrap();
        assert_eq!(status, 200, "{path} {text}");
        serde_json::from_str(&text).unwrap()
    };
    let points = get("routes/api/reset/one/points").await;
    let arrived = points["points"].as_array().unwrap().iter().find(|point| point["became"] == "arrived").unwrap();
    assert!(arrived["latency_seconds"].is_number() && arrived["placement"] == "inbox", "{arrived}");
    let way = get(&format!("canaries/{}/way", arrived["canary"].as_str().unwrap())).await;
    assert_eq!(
        (&way["answer"]["outcome"], &way["provider"], &way["reason"]),
        (&"accepted".into(), &"api".into(), &"routine".into()),
        "{way}"
    );
    let none = get("routes/api/reset/one/points?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00%2B02:00").await;
    assert_eq!(none["points"].as_array().map(Vec::len), Some(0));
    let history = get("history?limit=1").await;
    assert_eq!(history["incidents"][0]["incident"].to_string(), id, "{history}");
    assert_eq!(get("history?party=relay&open=true").await["incidents"].as_array().map(Vec::len), Some(1));
    assert_eq!(get("history?kind=dns").await["incidents"].as_array().map(Vec::len), Some(0));
    let timeline = get(&format!("incidents/{id}/timeline")).await;
    assert!(timeline["notices"][0]["change"] == "opened" && timeline["words"][0]["by"] == "ann", "{timeline}");
    let (days, seen) = (get("providers/relay/days").await, get("inboxes/one/days").await);
    let today = &days["days"][89];
    assert!(days["days"].as_array().unwrap().len() == 90 && days["days"][0]["verdict"] == "unknown", "{days}");
    assert!(today["verdict"] == "stopped" && today["trouble_seconds"].as_f64() > Some(0.0), "{days}");
    assert!(days["well_ratio"].as_f64() < Some(1.0) && days["watched_seconds"].as_f64() > days["trouble_seconds"].as_f64(), "{days}");
    assert!(seen["well_ratio"] == 1.0 && seen["days"][89]["verdict"] == "delivering", "another's failure is not the inbox's: {seen}");
    for (path, status) in [
        ("providers/nobody/days", 404),
        ("inboxes/relay/days", 404),
        ("canaries/00000000ffffffff/way", 404),
        ("incidents/99/timeline", 404),
        ("routes/api/reset/nowhere/points", 404),
        ("routes/api/reset/one/points?from=yesterday", 400),
        ("history?limit=0", 400),
    ] {
        assert_eq!(daemon.get(&format!("/api/v1/{path}")).await.unwrap().0, status, "{path}");
    }
    assert_eq!(daemon.stop().await, Some(0));
}
