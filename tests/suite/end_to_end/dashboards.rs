//! Every expression of the dashboards and of the rules, asked of a real Prometheus that has scraped a real daemon through an outage.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post};
use mailcanary::edge::show::grafana;
use mailcanary::model::Span;
use mailcanary::run;
use mailcanary::sandbox::{Fault, InboxPlan, Plan, ProviderPlan, Transport, World};
use serde_json::{Value, json};

use super::life::name;
use crate::grafana::{boards, panels, text};
use crate::support::alertmanager::{Folder, Receiver};
use crate::support::daemon::Daemon;
use crate::support::prometheus::Prometheus;
use crate::support::service::Service;
use crate::support::watchers::{CHECK, Watchers, watchers};

/// What Grafana fills in, and what is chosen at the head.
const FILLED: [(&str, &str); 13] = [
    // What is chosen alone is matched as it is: here each of them in turn.
    ("=\"$provider\"", "=~\".*\""),
    ("=\"$inbox\"", "=~\".*\""),
    ("${provider:regex}", ".*"),
    ("${inbox:regex}", ".*"),
    ("$__rate_interval", "10s"),
    ("$__interval", "5s"),
    ("$window", "30s"),
    ("$objective", "0.99"),
    ("$instance", ".*"),
    ("$provider", ".*"),
    ("$stream", ".*"),
    ("$inbox", ".*"),
    ("$__all", ".*"),
];
/// So far back it is looked, in seconds.
const BACK: u64 = 120;

/// An expression as it is asked.
fn filled(expr: &str) -> String {
    let filled = FILLED.iter().fold(expr.to_owned(), |expr, (variable, value)| expr.replace(variable, value));
    assert!(!filled.contains('$'), "nobody fills in {filled}");
    filled
}

/// An account at SendGrid that says what is left of its quota, and keeps the mail that it takes.
async fn grid() -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let credits =
        || async { json!({ "remain": 9000, "total": 10_000, "overage": 0, "used": 1000, "reset_frequency": "monthly" }).to_string() };
    let send = || async { (StatusCode::ACCEPTED, [("x-message-id", "14c5d75ce93")]) };
    let router = Router::new().route("/v3/user/credits", get(credits)).route("/v3/mail/send", post(send));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// Every table that has metrics of its own: budgets, a webhook, an account with a quota, a heartbeat, a sink that is tried, and one that tells who acknowledged what.
fn configuration(folder: &Folder, world: &World, hook: &Receiver, grid: SocketAddr) -> String {
    let accounts = world.accounts(folder.path()).unwrap();
    let secret = |name: &str, text: &str| folder.write(name, text).display().to_string();
    let (key, signed) = (secret("grid.key", "SG.key"), secret("hook.key", "a webhook's key"));
    let accounts = accounts
        .replace(
            "[provider.api.mandrill]\n",
            &format!("[provider.api.mandrill]\nwebhook_secret = {{ file = \"{signed}\" }}\nsigns_every = \"5s\"\n"),
        )
        .replace("[provider.relay.smtp]\n", "[provider.relay.smtp]\ncanaries_per_day = 1000000\n")
        .replace("[inbox.one.imap]\n", "[inbox.one.imap]\ncanaries_per_day = 1000000\nexpires = \"2099-12-31\"\n");
    format!(
        "[watch]\nevery = \"1s\"\ninstance = \"test\"\n\n[stream.reset]\nsubject = \"Reset your password\"\ndeadline = \"8s\"\n{accounts}\n\
         [provider.grid.sendgrid]\nfrom = \"no-reply@shop.example\"\nbase_url = \"http://{grid}\"\napi_key = {{ file = \"{key}\" }}\nevery = \"5s\"\nsigns_every = \"5s\"\n\n\
         [sink.hook.webhook]\nurl = \"http://{0}/\"\ntry_at = \"00:00-24:00\"\n\n\
         [sink.oncall.pagerduty]\nbase_url = \"http://{0}\"\nrouting_key = {{ file = \"{key}\" }}\nacknowledgements = {{ file = \"{signed}\" }}\nkinds = [\"dns\"]\n\n\
         [heartbeat.w.healthchecks]\nurl = {{ env = \"PING_URL\" }}\nevery = \"15s\"\n",
        hook.address
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_expression_has_data_after_an_outage() {
    let mut plan = Plan::new(run::clock(), 7);
    plan.every = Span::from_secs(1);
    plan = plan.provider(name("api"), ProviderPlan::new(Transport::Mandrill)).provider(name("relay"), ProviderPlan::new(Transport::Smtp));
    plan = plan.inbox(name("one"), InboxPlan::default()).inbox(name("two"), InboxPlan::default());
    let world = World::start(plan.stream(name("reset"), "Reset your password", Span::from_secs(8))).unwrap();
    let (mut hook, grid) = (Receiver::start(&[]).await, grid().await);
    let watcher = Service::<Watchers>::start(watchers).await;
    let mut daemon = Daemon::with_http("public_url = \"https://canary.example\"", |folder| configuration(folder, &world, &hook, grid))
        .with("PING_URL", &format!("{}{CHECK}", watcher.base));
    daemon.start().await;
    let target = SocketAddr::from(([127, 0, 0, 1], daemon.port));
    // What is recorded seldom is, in this short world, as often as everything else.
    let often: String =
        grafana::alert_rules().lines().filter(|line| !line.starts_with("    interval: ")).map(|line| format!("{line}\n")).collect();
    assert_eq!(grafana::alert_rules().lines().count(), often.lines().count() + 2);
    let prometheus = Prometheus::start_with(target, Some(&often)).await;
    daemon.wait_for_arrivals(40.0).await;
    world.provider("api").unwrap().set(Fault::Junk(0.5)).unwrap();
    let junk = "mailcanary_incident_severity{culprit=~\".*api.*\"} offset 5s < 3";
    daemon.wait_for("Prometheus to see a warning", async |_| (!prometheus.query(junk).await.is_empty()).then_some(())).await;
    world.provider("relay").unwrap().set(Fault::Swallow).unwrap();
    let culprit = json!({ "provider": "relay" });
    hook.notice(Duration::from_secs(60), |told| told["culprit"] == culprit && told["severity"] == "page").await;
    daemon.wait_for("lost canaries", async |d| (d.sum("mailcanary_canaries_lost_total").await? >= 10.0).then_some(())).await;
    let beaten = "mailcanary_heartbeat_last_success_timestamp_seconds";
    daemon.wait_for("a heartbeat", async |d| (d.sum(beaten).await? > 0.0).then_some(())).await;
    // Five seconds ago, too: the last step of a range is older than now.
    let said = "count(mailcanary_account_read_timestamp_seconds offset 5s > 0) == 2";
    daemon.wait_for("both accounts to be read", async |_| (!prometheus.query(said).await.is_empty()).then_some(())).await;
    let page = "mailcanary_incident_severity{kind=\"stopped\",culprit=\"provider:relay\"} offset 5s == 3";
    daemon.wait_for("Prometheus to see the page", async |_| (!prometheus.query(page).await.is_empty()).then_some(())).await;

    let mut wrong = expressions(&prometheus).await;
    wrong.extend(variables(&prometheus).await);
    wrong.extend(rules(&prometheus).await);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    matrix_says_who_failed(&prometheus).await;
    assert_eq!(daemon.stop().await, Some(0));
}

/// Every target of every panel, and the annotations, asked as Grafana would.
async fn expressions(prometheus: &Prometheus) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (file, board) in boards() {
        let annotations = board["annotations"]["list"].as_array().unwrap().iter().map(|a| ("annotations", &a["target"]));
        let targets = panels(&board).into_iter().flat_map(|p| p["targets"].as_array().unwrap().iter().map(|t| (text(p, "title"), t)));
        for (title, target) in targets.chain(annotations) {
            count += 1;
            // A step of a day is longer than this world: its last one alone.
            let step = (target["range"] == true && target["interval"] != "1d").then_some(5);
            match prometheus.figures(&filled(text(target, "expr")), BACK, step).await {
                Ok(figures) if figures.is_empty() => wrong.push(format!("{file}, `{title}`: no data: {}", text(target, "expr"))),
                Ok(_) => {}
                Err(error) => wrong.push(format!("{file}, `{title}`: {error}: {}", text(target, "expr"))),
            }
        }
    }
    assert!(count > 80, "only {count} expressions");
    wrong
}

/// The variables at the head have something to choose from.
async fn variables(prometheus: &Prometheus) -> Vec<String> {
    let mut wrong = Vec::new();
    for (file, board) in boards() {
        for variable in board["templating"]["list"].as_array().unwrap().iter().filter(|v| v["type"] == "query") {
            let query = text(&variable["query"], "query");
            let (series, label) = query.strip_prefix("label_values(").and_then(|q| q.strip_suffix(')')?.rsplit_once(", ")).unwrap();
            let found = prometheus.query(&filled(series)).await;
            if found.is_empty() || found.iter().any(|series| series["metric"][label].as_str().is_none_or(str::is_empty)) {
                wrong.push(format!("{file}: variable `{}` has no values: {query}", text(variable, "name")));
            }
        }
    }
    wrong
}

/// The rules are evaluated, what they record is there, and the figures of alerts are, whether they fire or not.
async fn rules(prometheus: &Prometheus) -> Vec<String> {
    let mut wrong = Vec::new();
    let groups = prometheus.ask("rules", "").await.unwrap();
    let mut firing = Vec::new();
    for rule in groups["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap()) {
        if rule["health"] != "ok" {
            wrong.push(format!("{}: {}", rule["name"], rule["lastError"]));
        }
        for alert in rule["alerts"].as_array().into_iter().flatten().filter(|alert| alert["state"] == "firing") {
            firing.push(text(&alert["labels"], "alertname").to_owned());
            let said = alert["annotations"].to_string();
            let whole = !said.contains("<error") && !said.contains("<no value>") && !said.contains("{{");
            wrong.extend((!whole).then(|| format!("{}: {said}", rule["name"])));
            let of_incident = text(rule, "name").starts_with("MailcanaryIncident");
            let number = alert["annotations"]["url"].as_str().and_then(|url| url.strip_prefix("https://canary.example/incidents/"));
            let runbook = format!("https://canary.example/runbooks/{}", alert["labels"]["kind"].as_str().unwrap_or_default());
            let leads = number.is_some_and(|number| number.parse::<u64>().is_ok()) && alert["annotations"]["runbook_url"] == *runbook;
            wrong.extend((of_incident != leads).then(|| format!("{}: its page is not linked: {said}", rule["name"])));
        }
    }
    assert!(firing.contains(&"MailcanaryIncident".to_owned()), "{firing:?}");
    for recording in grafana::recordings() {
        if prometheus.figures(&recording.name, BACK, None).await.is_ok_and(|figures| figures.is_empty()) {
            wrong.push(format!("{}: nothing is recorded", recording.name));
        }
    }
    for alert in grafana::alerts() {
        match prometheus.figures(&alert.value, BACK, None).await {
            Ok(figures) if figures.is_empty() => wrong.push(format!("{}: no figure: {}", alert.name, alert.value)),
            Ok(_) => {}
            Err(error) => wrong.push(format!("{}: {error}", alert.name)),
        }
    }
    wrong
}

/// The squares of the matrix say what happened.
async fn matrix_says_who_failed(prometheus: &Prometheus) {
    let overview = &boards()[0].1;
    let matrix = panels(overview).into_iter().find(|panel| text(panel, "title") == "Provider × inbox").unwrap();
    let squares = prometheus.query(&filled(text(&matrix["targets"][0], "expr"))).await;
    let square = |provider: &str, inbox: &str| -> &Value {
        let at = |s: &&Value| s["metric"] == json!({ "provider": provider, "inbox": inbox });
        &squares.iter().find(at).unwrap_or_else(|| panic!("no {provider} × {inbox} in {squares:?}"))["value"][1]
    };
    assert_eq!(squares.len(), 6, "{squares:?}");
    assert_eq!((square("relay", "one"), square("relay", "two")), (&json!("3"), &json!("3")), "stopped");
    let open = panels(overview).into_iter().find(|panel| text(panel, "title") == "Open incidents" && panel["type"] == "table").unwrap();
    let rows = prometheus.query(&filled(text(&open["targets"][0], "expr"))).await;
    let relay = rows.iter().find(|row| row["metric"]["culprit"] == "provider:relay").unwrap();
    assert_eq!(relay["metric"]["url"], "https://canary.example", "where the number leads");
}
