//! The pages and the metrics, as a browser, a real Prometheus and people with bad intentions meet them.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at what it did not foresee")]

mod accounts;
mod api;
mod asked;
mod pages;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use mailcanary::edge::show;
use mailcanary::model::past::Became;
use mailcanary::model::{
    At, CanaryId, Change, Class, Culprit, HookCounts, IncidentId, Kind, Leg, Loaded, Name, Notice, NoticeId, Now, Own, Placement, Pulse,
    Route, Severity, Sign, Span, Standing, Verdict,
};
use mailcanary::model::{Mark, Part};
use mailcanary::watchdog::count::Histogram;
use mailcanary::watchdog::{AccountView, CanaryView, Delivery, InboxView, IncidentView, PartyView, RouteCounts, RouteView, Traffic, View};
use mailcanary::watchdog::{IdentityView, MarkView};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::support::alertmanager::{PATIENCE, http, wait_for};
use crate::support::prometheus::{Prometheus, complaints};

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn at(secs: u64) -> At {
    At::from_ms(1_659_987_000_000).plus(Span::from_secs(secs))
}

fn route_view(route: Route, number: u64) -> RouteView {
    let mut latency = Histogram::default();
    latency.observe(Span::from_ms(4100));
    latency.observe(Span::from_ms(60_000));
    let recent = (0..50).map(|n| CanaryView {
        canary: CanaryId::from_bits(number << 16 | n),
        sent_at: at(3000 - n * 60),
        became: Became::Arrived,
        latency: Some(Span::from_ms(4100)),
        placement: Some(Placement::Inbox),
        state: "arrived in 4.1s".to_owned(),
    });
    RouteView {
        route,
        verdict: Verdict::Delivering,
        reason: "9 of the last 9 canaries arrived in time; the newest took 4.1s, the slowest of the hour 41s".to_owned(),
        own: Own::Delivering,
        own_reason: "the newest canaries arrived".to_owned(),
        incident: None,
        suspicion: 0.25,
        deadline: Span::from_secs(900),
        in_flight: 2,
        last_arrival: Some(at(3590)),
        recent: recent.collect(),
        counts: RouteCounts {
            accepted: 9,
            refused: BTreeMap::from([(Class::Auth, 2), (Class::Rate, 1)]),
            unknown: 1,
            arrived: BTreeMap::from([(Placement::Inbox, 7), (Placement::Junk, 1)]),
            lost: 3,
            late: 1,
            duplicate: 4,
            mismatched: 0,
            in_time: 7,
            missed: 5,
        },
        latency,
    }
}

fn party(text: &str) -> PartyView {
    let (last_sent, last_arrival) = (Some(at(3580)), Some(at(3590)));
    let traffic = Traffic { standby: false, every: Span::from_secs(60), last_sent, last_arrival, budget: None, held_until: None };
    PartyView { name: name(text), verdict: Verdict::Delivering, reason: "all its routes deliver".to_owned(), traffic }
}

/// An account of which everything is known, and that is well.
fn account() -> AccountView {
    let signs = vec![
        Sign::Standing { state: Standing::Good, word: "active".to_owned() },
        Sign::Quota { remaining: 9000, limit: Some(10_000), renews_at: None },
        Sign::Backlog { waiting: 3 },
        Sign::Reputation { percent: 97 },
    ];
    AccountView {
        every: Span::from_secs(900),
        read_at: Some(at(3000)),
        signs,
        standing: Some(Standing::Good),
        read: 4,
        ..AccountView::default()
    }
}

/// An installation in which all is well, with this many providers, streams and inboxes.
fn fixture(providers: usize, streams: usize, inboxes: usize) -> View {
    let named = |word: &str, n: usize| (0..n).map(|n| format!("{word}-{n}")).collect::<Vec<_>>();
    let (ps, ss, is) = (named("provider", providers), named("stream", streams), named("inbox", inboxes));
    let triples =
        ps.iter().flat_map(|p| ss.iter().flat_map(|s| is.iter().map(|i| Route { provider: name(p), stream: name(s), inbox: name(i) })));
    let routes = (1..).zip(triples.collect::<Vec<_>>()).map(|(number, route)| route_view(route, number)).collect();
    let inbox = |text: &String| InboxView {
        name: name(text),
        verdict: Verdict::Delivering,
        reason: "all its routes deliver".to_owned(),
        sight: Some(true),
        horizon: Some(at(3599)),
        forged: 1,
        replayed: 2,
        budget: None,
        expires: None,
    };
    View {
        at: at(3600),
        instance: "mx1.example".to_owned(),
        url: Some("https://canary.example".to_owned()),
        began: at(0),
        trouble: None,
        cut_off_since: None,
        next: Some((at(3640), "canary down provider-0/stream-0/inbox-0".to_owned())),
        suspicion_threshold: 9.5,
        routes,
        providers: ps.iter().map(|p| party(p)).collect(),
        accounts: ps.iter().map(|p| (name(p), account())).collect(),
        streams: ps.iter().flat_map(|p| ss.iter().map(|s| (name(p), party(s)))).collect(),
        inboxes: is.iter().map(inbox).collect(),
        identities: vec![identity()],
        dns: mailcanary::watchdog::DnsView::default(),
        strangers: BTreeMap::from([((name("inbox-0"), "nothing"), 4)]),
        silences: Vec::new(),
        maintenance: Vec::new(),
        trials: Vec::new(),
        refusing: Vec::new(),
        drill: None,
        drilled: None,
        incidents: Vec::new(),
        notices: Delivery::ALL.into_iter().map(|how| ((name("oncall"), how), 5)).collect(),
        notices_pending: BTreeMap::from([(name("oncall"), 1)]),
        submissions: 3,
        unexamined: 6,
        hooks: ps.iter().map(|p| (name(p), HookCounts::default())).collect(),
        replies: BTreeMap::from([(name("oncall"), HookCounts::default())]),
        heartbeats: BTreeMap::from([(name("watcher"), Pulse { every: Span::from_secs(60), last: Some(at(3590)), ..Pulse::default() })]),
        configuration: Loaded { at: Some(at(0)), file: Some("/srv/mail watch/canary.toml".to_owned()), refused: None },
        travels: BTreeMap::new(),
        legs: Leg::ALL.into_iter().map(|leg| (leg, Histogram::default())).collect(),
    }
}

/// What the mail of a stream looks like, with something foreign in it.
fn identity() -> IdentityView {
    let mark = |value: &str, foreign| MarkView {
        mark: Mark { part: Part::ReplyTo, value: value.to_owned() },
        since: at(100),
        last: at(3000),
        foreign,
        approved: false,
        told: false,
        mails: 4,
        canaries: foreign.then(|| (2, CanaryId::from_bits(7), name("inbox-0"))),
        inboxes: Vec::new(),
        not_in: Vec::new(),
        words: None,
    };
    IdentityView {
        provider: name("provider-0"),
        stream: name("stream-0"),
        known: true,
        seen: 10,
        written: 34,
        at: at(3000),
        marks: vec![mark("help@example.com", false), mark("<script>@arxxwalls.example", true)],
        varying: BTreeSet::new(),
        hosts: Vec::new(),
        checks: Vec::new(),
    }
}

fn incident(id: u64, kind: Kind, culprit: Culprit, summary: &str, evidence: Value) -> IncidentView {
    let last = Notice {
        notice: NoticeId(id),
        incident: IncidentId(id),
        change: Change::Opened,
        kind,
        severity: Severity::Page,
        culprit: culprit.clone(),
        summary: summary.to_owned(),
        evidence,
    };
    IncidentView {
        incident: IncidentId(id),
        kind,
        severity: Severity::Page,
        culprit,
        opened_at: at(3000),
        resolved_at: None,
        last,
        present: None,
        acknowledged: None,
        also: Vec::new(),
        closed: None,
        delivers: false,
        silenced_until: None,
    }
}

/// The pages of a view that can be changed, or taken away: then nobody answers.
struct Shown {
    address: SocketAddr,
    view: Arc<Mutex<Option<View>>>,
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<()>,
}

impl Shown {
    async fn start(view: View) -> Self {
        Self::with(view, show::Archive::closed()).await
    }

    /// The same, with a past.
    #[expect(clippy::disallowed_methods, reason = "the test stands in for the loop")]
    async fn with(view: View, archive: show::Archive) -> Self {
        let view = Arc::new(Mutex::new(Some(view)));
        let (ask, mut asked) = mpsc::channel::<oneshot::Sender<View>>(4);
        let answers = Arc::clone(&view);
        tokio::spawn(async move {
            let mut ignored = Vec::new();
            while let Some(answer) = asked.recv().await {
                let view = answers.lock().unwrap().clone();
                match view {
                    Some(view) => _ = answer.send(view),
                    None => ignored.push(answer),
                }
            }
        });
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let now: Now = Arc::new(|| at(3600));
        let (orders, _) = mpsc::channel(1);
        let hub = show::Hub::new(Arc::clone(&now));
        let (asks, gate) = (ask.clone(), show::Gate::socket());
        let counter = show::Counter { ask: asks, orders, archive: archive.clone(), gate, hub, now };
        let router = show::router(ask, archive).merge(show::api(counter));
        let task = tokio::spawn(show::serve(listener, router, async { _ = stopped.await }));
        Self { address, view, stop, task }
    }

    fn change(&self, change: impl FnOnce(&mut View)) {
        change(self.view.lock().unwrap().as_mut().unwrap());
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let answer = http().get(format!("http://{}{path}", self.address)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Sends `bytes` and reads until the connection ends.
    async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let mut answer = Vec::new();
        // The server may answer and close before it has read all.
        let _ = stream.write_all(bytes).await;
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("the connection stays open");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// The value of one series.
fn sample(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
}

#[test]
fn metrics_say_what_the_view_says() {
    let mut view = fixture(2, 1, 2);
    view.routes[0].verdict = Verdict::Stopped;
    view.routes[0].last_arrival = None;
    view.inboxes[1].sight = None;
    (view.providers[0].traffic.budget, view.inboxes[1].budget) = (Some((500, 212)), Some((900, 30)));
    view.incidents = vec![
        incident(1, Kind::Stopped, Culprit::Provider(name("provider-0")), "", json!({})),
        IncidentView { resolved_at: Some(at(3100)), ..incident(2, Kind::Dns, Culprit::Provider(name("provider-0")), "", json!({})) },
    ];
    let text = show::render(&view);
    let route = r#"provider="provider-0",stream="stream-0",inbox="inbox-0""#;
    let expected = [
        (format!("mailcanary_canaries_submitted_total{{{route},outcome=\"accepted\"}}"), 9.0),
        (format!("mailcanary_canaries_submitted_total{{{route},outcome=\"refused\"}}"), 3.0),
        (format!("mailcanary_canaries_submitted_total{{{route},outcome=\"unknown\"}}"), 1.0),
        ("mailcanary_canaries_refused_total{provider=\"provider-1\",class=\"auth\"}".to_owned(), 4.0),
        ("mailcanary_canaries_refused_total{provider=\"provider-1\",class=\"suspended\"}".to_owned(), 0.0),
        (format!("mailcanary_canaries_arrived_total{{{route},placement=\"inbox\"}}"), 7.0),
        (format!("mailcanary_canaries_arrived_total{{{route},placement=\"other\"}}"), 0.0),
        (format!("mailcanary_canaries_lost_total{{{route}}}"), 3.0),
        (format!("mailcanary_canaries_late_total{{{route}}}"), 1.0),
        (format!("mailcanary_canaries_duplicate_total{{{route}}}"), 4.0),
        ("mailcanary_canaries_replayed_total{inbox=\"inbox-0\"}".to_owned(), 2.0),
        ("mailcanary_canaries_forged_total{inbox=\"inbox-0\"}".to_owned(), 1.0),
        (format!("mailcanary_canaries_in_flight{{{route}}}"), 2.0),
        (format!("mailcanary_delivery_latency_seconds_bucket{{{route},le=\"4\"}}"), 0.0),
        (format!("mailcanary_delivery_latency_seconds_bucket{{{route},le=\"8\"}}"), 1.0),
        (format!("mailcanary_delivery_latency_seconds_bucket{{{route},le=\"60\"}}"), 2.0),
        (format!("mailcanary_delivery_latency_seconds_bucket{{{route},le=\"+Inf\"}}"), 2.0),
        (format!("mailcanary_delivery_latency_seconds_sum{{{route}}}"), 64.1),
        ("mailcanary_leg_duration_seconds_count{leg=\"observation\"}".to_owned(), 0.0),
        (format!("mailcanary_last_arrival_timestamp_seconds{{{route}}}"), 0.0),
        (
            "mailcanary_last_arrival_timestamp_seconds{provider=\"provider-1\",stream=\"stream-0\",inbox=\"inbox-0\"}".to_owned(),
            1_659_990_590.0,
        ),
        (format!("mailcanary_route_verdict{{{route},verdict=\"stopped\"}}"), 1.0),
        (format!("mailcanary_route_verdict{{{route},verdict=\"delivering\"}}"), 0.0),
        ("mailcanary_provider_verdict{provider=\"provider-0\",verdict=\"delivering\"}".to_owned(), 1.0),
        ("mailcanary_inbox_sight{inbox=\"inbox-0\"}".to_owned(), 1.0),
        ("mailcanary_provider_budget_limit{provider=\"provider-0\"}".to_owned(), 500.0),
        ("mailcanary_provider_budget_spent{provider=\"provider-0\"}".to_owned(), 212.0),
        ("mailcanary_inbox_budget_limit{inbox=\"inbox-1\"}".to_owned(), 900.0),
        ("mailcanary_inbox_budget_spent{inbox=\"inbox-1\"}".to_owned(), 30.0),
        ("mailcanary_inbox_sight{inbox=\"inbox-1\"}".to_owned(), 0.0),
        (format!("mailcanary_suspicion{{{route}}}"), 0.25),
        ("mailcanary_suspicion_threshold".to_owned(), 9.5),
        ("mailcanary_incident_open{kind=\"stopped\",culprit=\"provider:provider-0\"}".to_owned(), 1.0),
        ("mailcanary_incident_open{kind=\"refused\",culprit=\"provider:provider-0\"}".to_owned(), 0.0),
        ("mailcanary_incident_number{kind=\"stopped\",culprit=\"provider:provider-0\"}".to_owned(), 1.0),
        ("mailcanary_incident_severity{kind=\"stopped\",culprit=\"provider:provider-0\"}".to_owned(), 3.0),
        ("mailcanary_incident_opened_timestamp_seconds{kind=\"stopped\",culprit=\"provider:provider-0\"}".to_owned(), 1_659_990_000.0),
        ("mailcanary_status_page_info{url=\"https://canary.example\"}".to_owned(), 1.0),
        (format!("mailcanary_canaries_decided_total{{{route},outcome=\"in_time\"}}"), 7.0),
        (format!("mailcanary_canaries_decided_total{{{route},outcome=\"missed\"}}"), 5.0),
        ("mailcanary_incident_open{kind=\"dns\",culprit=\"provider:provider-0\"}".to_owned(), 0.0),
        ("mailcanary_incident_open{kind=\"blind\",culprit=\"inbox:inbox-1\"}".to_owned(), 0.0),
        ("mailcanary_incident_open{kind=\"cut_off\",culprit=\"watcher\"}".to_owned(), 0.0),
        ("mailcanary_incident_open{kind=\"loss\",culprit=\"route:provider-0/stream-0/inbox-0\"}".to_owned(), 0.0),
        ("mailcanary_notices_total{sink=\"oncall\",outcome=\"delivered\"}".to_owned(), 5.0),
        ("mailcanary_notices_pending{sink=\"oncall\"}".to_owned(), 1.0),
        ("mailcanary_submissions_in_progress".to_owned(), 3.0),
        (format!("mailcanary_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")), 1.0),
    ];
    for (series, value) in expected {
        assert!((sample(&text, &series) - value).abs() < 1e-9, "{series} is {} and not {value}", sample(&text, &series));
    }
    assert!(sample(&text, "process_resident_memory_bytes") > 1e6);
    assert!(!text.contains("mailcanary_incident_number{kind=\"dns\""), "it is over");
}

#[test]
fn metrics_say_what_mail_says() {
    let text = show::render(&fixture(2, 1, 2));
    let stream = r#"provider="provider-0",stream="stream-0""#;
    for (series, value) in [
        (format!("mailcanary_foreign_values{{{stream}}}"), 1.0),
        (format!("mailcanary_checks_broken{{{stream}}}"), 0.0),
        ("mailcanary_foreign_values{provider=\"provider-1\",stream=\"stream-0\"}".to_owned(), 0.0),
        ("mailcanary_strange_mails_total{inbox=\"inbox-0\",claim=\"nothing\"}".to_owned(), 4.0),
        ("mailcanary_mails_unexamined_total".to_owned(), 6.0),
        ("mailcanary_mails_unexamined_total".to_owned(), 6.0),
    ] {
        assert!((sample(&text, &series) - value).abs() < 1e-9, "{series} is {} and not {value}", sample(&text, &series));
    }
}

#[test]
fn promtool_has_no_complaints() {
    let mut view = fixture(3, 2, 2);
    view.incidents.push(incident(1, Kind::Stopped, Culprit::Watcher {}, "\"quoted\" \\ \n", json!({})));
    assert_eq!(complaints(&show::render(&view)), None);
    assert!(complaints("mailcanary_bad_total_counter 1\n").is_some(), "promtool complains of nothing");
}

#[test]
fn every_series_is_there_before_anything_happened() {
    let series = |view: &View| -> BTreeSet<String> {
        let text = show::render(view);
        text.lines().filter(|l| !l.starts_with('#')).map(|l| l.rsplit_once(' ').unwrap().0.to_owned()).collect()
    };
    let busy = fixture(2, 2, 2);
    let mut fresh = busy.clone();
    for route in &mut fresh.routes {
        (route.counts, route.latency, route.last_arrival) = (RouteCounts::default(), Histogram::default(), None);
    }
    for inbox in &mut fresh.inboxes {
        (inbox.sight, inbox.horizon) = (None, None);
    }
    (fresh.next, fresh.suspicion_threshold) = (None, 0.0);
    let mut ill = busy.clone();
    ill.incidents.push(incident(1, Kind::Stopped, Culprit::Stream(name("provider-1"), name("stream-0")), "", json!({})));
    assert_eq!(series(&fresh), series(&busy));
    // What an incident is known by is there while it is open.
    let open: Vec<String> = series(&ill).difference(&series(&busy)).cloned().collect();
    let of_it = |metric| format!("mailcanary_incident_{metric}{{kind=\"stopped\",culprit=\"stream:provider-1/stream-0\"}}");
    assert_eq!(open, ["number", "opened_timestamp_seconds", "severity"].map(of_it));
    assert!(series(&busy).is_subset(&series(&ill)));
}

#[test]
fn the_documentation_has_every_metric() {
    let documented = include_str!("../../README.md");
    assert!(documented.contains(&show::reference()), "README.md is to hold:\n{}", show::reference());
    let text = show::render(&fixture(1, 1, 1));
    let named = |line: &str| line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')).map(|(name, _)| name.to_owned());
    let shown: Vec<String> = text.lines().filter_map(named).collect();
    assert!(shown.len() > 20 && shown.iter().all(|name| documented.contains(&format!("| `{name}` |"))), "{shown:?}");
}

#[tokio::test]
async fn prometheus_scrapes_it() {
    let shown = Shown::start(fixture(2, 2, 2)).await;
    let prometheus = Prometheus::start(shown.address).await;
    assert_eq!(prometheus.value("up").await, 1.0);
    assert_eq!(prometheus.value("sum(mailcanary_canaries_submitted_total{outcome=\"accepted\"})").await, 72.0);
    assert_eq!(prometheus.value("count(mailcanary_route_verdict == 1)").await, 8.0);
    let quantile = "histogram_quantile(0.5, sum by (le) (mailcanary_delivery_latency_seconds_bucket))";
    assert!((4.0..=60.0).contains(&prometheus.value(quantile).await));
    shown.change(|view| view.incidents.push(incident(1, Kind::Stopped, Culprit::Provider(name("provider-1")), "", json!({}))));
    wait_for("the open incident", async || {
        let open = prometheus.query("mailcanary_incident_open == 1").await;
        (open.len() == 1 && open[0]["metric"]["culprit"] == "provider:provider-1").then_some(())
    })
    .await;
    // A loop that does not answer is an outage of the watchdog, not a flat line.
    *shown.view.lock().unwrap() = None;
    wait_for("the failed scrape", async || prometheus.query("up == 0").await.first().map(|_| ())).await;
}

#[tokio::test]
async fn health_readiness_and_providers() {
    let shown = Shown::start(fixture(3, 1, 2)).await;
    assert_eq!(shown.get("/-/healthy").await, (200, "healthy\n".to_owned()));
    assert_eq!(shown.get("/-/ready").await, (200, "ready\n".to_owned()));
    shown.change(|view| view.inboxes[0].sight = Some(false));
    assert_eq!(shown.get("/-/ready").await.0, 200, "a blind inbox was tried");
    shown.change(|view| view.inboxes[1].sight = None);
    assert_eq!(shown.get("/-/ready").await, (503, "not read yet: inbox-1\n".to_owned()));
    shown.change(|view| view.next = None);
    assert_eq!(shown.get("/-/ready").await, (503, "the schedule has not begun\n".to_owned()));
    shown.change(|view| view.next = Some((at(0), "canary".to_owned())));
    let (code, why) = shown.get("/-/ready").await;
    assert!(code == 503 && why.starts_with("the schedule stands still"), "{why}");

    let verdicts = [Verdict::Stopped, Verdict::Unknown, Verdict::Degraded];
    shown.change(|view| view.providers.iter_mut().zip(verdicts).for_each(|(p, v)| p.verdict = v));
    let (code, text) = shown.get("/api/v1/providers").await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &answer["as_of"]), (200, &json!("2022-08-08T20:30:00.000Z")));
    let healthy: Vec<_> = answer["providers"].as_array().unwrap().iter().map(|p| p["healthy"].clone()).collect();
    assert_eq!(healthy, [false, true, false]);
    let health = |name: &str, healthy: bool, verdict: &str| {
        json!({
            "name": name, "healthy": healthy, "verdict": verdict, "reason": "all its routes deliver", "stale": false,
            "last_arrival": "2022-08-08T20:29:50.000Z", "age_seconds": 10.0, "fresh_for_seconds": 300.0,
        })
    };
    let mut first = health("provider-0", false, "stopped");
    let more = json!({
        "standby": false, "every_seconds": 60.0, "last_sent": "2022-08-08T20:29:40.000Z", "held_until": null, "incidents": [],
        "streams": [health("stream-0", true, "delivering")], "budget": null,
        "account": {
            "read_at": "2022-08-08T20:20:00.000Z", "age_seconds": 600.0, "every_seconds": 900.0, "warns": [], "unread": null,
            "signs": [
                { "standing": { "state": "good", "word": "active" } }, { "quota": { "remaining": 9000, "limit": 10_000, "renews_at": null } },
                { "backlog": { "waiting": 3 } }, { "reputation": { "percent": 97 } },
            ],
        },
    });
    first.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    assert_eq!(answer["providers"][0], first);
}

#[tokio::test]
async fn what_is_known_of_a_provider_says_how_old_it_is() {
    let mut view = fixture(2, 1, 1);
    let culprit = Culprit::Stream(name("provider-1"), name("stream-0"));
    view.incidents.push(incident(7, Kind::Stopped, culprit, "stream-0 stopped", json!({})));
    view.incidents.push(incident(8, Kind::Blind, Culprit::Inbox(name("inbox-0")), "it cannot be read", json!({})));
    view.incidents[1].resolved_at = None;
    for party in &mut view.providers {
        party.traffic = Traffic { standby: true, every: Span::from_secs(900), budget: Some((100, 99)), ..party.traffic.clone() };
    }
    let shown = Shown::start(view).await;
    let provider = async |n: usize| serde_json::from_str::<Value>(&shown.get("/api/v1/providers").await.1).unwrap()["providers"][n].clone();
    let fresh = provider(1).await;
    assert_eq!(
        (&fresh["standby"], &fresh["stale"], &fresh["budget"]),
        (&json!(true), &json!(false), &json!({"canaries_per_day": 100, "spent": 99}))
    );
    assert_eq!(
        (fresh["incidents"].as_array().unwrap().len(), &fresh["incidents"][0]["incident"]),
        (1, &json!(7)),
        "an inbox's is not its own"
    );
    shown.change(|view| view.providers[1].traffic.budget = Some((100, 100)));
    assert_eq!(provider(1).await["reason"], "all its routes deliver; its 100 canaries of 24 hours are used up");
    shown.change(|view| view.providers[0].traffic.held_until = Some(at(4200)));
    assert_eq!(provider(0).await["held_until"], at(4200).rfc3339());
    shown.change(|view| view.providers.iter_mut().for_each(|p| p.traffic.last_arrival = Some(at(600))));
    let stale = provider(0).await;
    assert_eq!((&stale["healthy"], &stale["stale"], &stale["age_seconds"]), (&json!(true), &json!(true), &json!(3000.0)));
    assert_eq!(stale["reason"], "not known to be so now: the newest canary arrived 50m ago; all its routes deliver");
    shown.change(|view| view.providers.iter_mut().for_each(|p| p.traffic.last_arrival = None));
    let unseen = provider(0).await;
    assert_eq!((&unseen["stale"], &unseen["age_seconds"], &unseen["incidents"]), (&json!(true), &Value::Null, &json!([])));
    assert_eq!(unseen["reason"], "not known: no canary has arrived yet; all its routes deliver");
    assert!(shown.get("/").await.1.contains("provider-0</a> (stand-by)"));
}

#[tokio::test]
async fn a_loop_that_does_not_answer_is_an_error_everywhere() {
    let shown = Arc::new(Shown::start(fixture(1, 1, 1)).await);
    *shown.view.lock().unwrap() = None;
    let paths = ["/", "/metrics", "/-/healthy", "/-/ready", "/api/v1/providers", "/incidents/1", "/canaries/0000000000010000"];
    for (code, text) in futures::future::join_all(paths.map(|path| shown.get(path))).await {
        assert!(code == 503 && text.contains("the watchdog did not answer within 5 s"), "{text}");
    }
}

#[tokio::test]
async fn answers_carry_what_protects_the_reader() {
    let shown = Shown::start(fixture(1, 1, 1)).await;
    for path in ["/", "/nowhere", "/metrics", "/-/ready"] {
        let answer = http().get(format!("http://{}{path}", shown.address)).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-")
                && policy.contains("; script-src 'sha256-")
                && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!((header("x-content-type-options").as_str(), header("referrer-policy").as_str()), ("nosniff", "same-origin"));
        match path {
            "/metrics" => assert_eq!(header("content-type"), "text/plain; version=0.0.4; charset=utf-8"),
            "/-/ready" => assert_eq!(header("content-type"), "text/plain; charset=utf-8"),
            _ => assert_eq!(header("content-type"), "text/html; charset=utf-8"),
        }
    }
    // The hash in the policy is that of the style sheet in the page.
    let (_, page) = shown.get("/").await;
    let style = page.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).unwrap().0;
    let answer = http().head(format!("http://{}/", shown.address)).send().await.unwrap();
    let hash = data_encoding::BASE64.encode(&<sha2::Sha256 as sha2::Digest>::digest(style));
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains(&format!("'sha256-{hash}'")));
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.text().await.unwrap(), "", "HEAD has no body");
    for method in [reqwest::Method::POST, reqwest::Method::PUT, reqwest::Method::DELETE] {
        let answer = http().request(method, format!("http://{}/metrics", shown.address)).body("x").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers()["allow"].to_str().unwrap()), (405, "GET,HEAD"));
    }
}

#[tokio::test]
async fn nonsense_and_slowness_take_no_place_for_ever() {
    let shown = Shown::start(fixture(1, 1, 1)).await;
    assert!(shown.raw(b"\x16\x03\x01\x02\x00\x01\x00").await.starts_with("HTTP/1.1 400"));
    let long = format!("GET /{} HTTP/1.1\r\n", "a".repeat(200_000));
    let answer = shown.raw(long.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(500));
    let answer = shown.raw(many.as_bytes()).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");

    // As many as are served at a time begin a request and never end it: who comes after is served when their time is up.
    let mut slow = Vec::new();
    for _ in 0..64 {
        let mut stream = TcpStream::connect(shown.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nx: ").await.unwrap();
        slow.push(stream);
    }
    assert_eq!(timeout(PATIENCE, shown.get("/-/healthy")).await.expect("slow clients keep others out").0, 200);
}

#[tokio::test]
async fn it_ends_when_told_to() {
    let shown = Shown::start(fixture(1, 1, 1)).await;
    let idle = TcpStream::connect(shown.address).await.unwrap();
    assert_eq!(shown.get("/-/healthy").await.0, 200);
    shown.stop.send(()).unwrap();
    timeout(PATIENCE, shown.task).await.expect("it does not end").unwrap();
    assert!(TcpStream::connect(shown.address).await.is_err());
    drop(idle);
}
