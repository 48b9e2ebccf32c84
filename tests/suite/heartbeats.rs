//! Each kind of heartbeat, against who takes it: services as documented, and a real Alertmanager.

use std::process::Command;
use std::sync::Arc;

use mailcanary::config::{
    self, AlertmanagerBeat, HealthchecksBeat, HeartbeatKind, KumaBeat, OnCallBeat, OpsgenieBeat, Secret, SecretRef, Wire,
};
use mailcanary::edge::beat::{Heartbeat, Proof, work};
use mailcanary::edge::notify::Attempt;
use mailcanary::model::{Name, Pulse, Span};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::support::alertmanager::{Alertmanager, PATIENCE, Receiver, free_port, wait_for};
use crate::support::notices::present;
use crate::support::service::{Service, Told};
use crate::support::watchers::{CHECK, GENIE_KEY, INTEGRATION, PUSH, Watchers, watchers};

/// Where a secret is said to be, in tests: the secret itself is the name.
fn at(secret: &str) -> SecretRef {
    SecretRef::Env(secret.to_owned())
}

fn heartbeat_every(every: Span, kind: HeartbeatKind) -> Heartbeat {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let secrets = |at: &SecretRef| if let SecretRef::Env(text) = at { Some(Secret::new(text.clone())) } else { None };
    let settings = config::Heartbeat { every, kind, wire: Wire::default() };
    Heartbeat::new(&Name::new("watcher").unwrap(), &settings, "test.example", &secrets).unwrap()
}

fn heartbeat(kind: HeartbeatKind) -> Heartbeat {
    heartbeat_every(Span::from_secs(60), kind)
}

/// Every kind that has one address, at `base`.
fn kinds(base: &str) -> Vec<HeartbeatKind> {
    let url = |path: &str| at(&format!("{base}{path}"));
    vec![
        HeartbeatKind::Healthchecks(HealthchecksBeat { url: url(CHECK) }),
        HeartbeatKind::Kuma(KumaBeat { url: url(&format!("{PUSH}?status=up&msg=OK&ping=")) }),
        HeartbeatKind::Opsgenie(OpsgenieBeat { heartbeat: "mail/canary".to_owned(), api_key: at(GENIE_KEY), base_url: base.to_owned() }),
        HeartbeatKind::OnCall(OnCallBeat { url: url(&format!("{INTEGRATION}/")) }),
    ]
}

fn proof() -> Proof {
    let now = present();
    Proof { at: now, written: now.minus(Span::from_ms(1500)), read: now.minus(Span::from_ms(400)) }
}

#[tokio::test]
async fn every_kind_beats_as_its_documents_have_it() {
    let service = Service::<Watchers>::start(watchers).await;
    let proof = proof();
    for kind in kinds(&service.base) {
        assert_eq!(heartbeat(kind.clone()).beat(&proof, present()).await, Attempt::Delivered, "{kind:?}");
    }
    service.look(|state| {
        assert_eq!(state.beats, 4);
        let version = env!("CARGO_PKG_VERSION");
        let body = format!("mailcanary {version} on test.example: ledger written {}, inbox read {}\n", proof.written, proof.read);
        assert_eq!(state.last["healthchecks"], body);
        assert_eq!(state.last["kuma"], format!("status=up&msg=mailcanary+{version}+on+test.example&ping=1500"), "each of them once");
    });
}

#[tokio::test]
async fn a_success_that_is_none_is_told_from_one() {
    let service = Service::<Watchers>::start(watchers).await;
    let now = present();
    let doubtful = |attempt: Attempt| if let Attempt::Doubtful { why } = attempt { why } else { panic!("{attempt:?}") };
    let check = heartbeat(kinds(&service.base).remove(0));
    service.instead([Told::text(200, "OK (not found)"), Told::text(200, "OK (rate limited)"), Told::text(404, "not found")]);
    assert_eq!(doubtful(check.beat(&proof(), now).await), "answered 200: OK (not found)");
    assert_eq!(doubtful(check.beat(&proof(), now).await), "answered 200: OK (rate limited)");
    assert_eq!(doubtful(check.beat(&proof(), now).await), "answered 404: not found");
    let push = heartbeat(HeartbeatKind::Kuma(KumaBeat { url: at(&format!("{}/api/push/gone", service.base)) }));
    assert_eq!(doubtful(push.beat(&proof(), now).await), "answered 404: Monitor not found or not active.");
    service.instead([Told::json(200, &serde_json::json!({ "ok": false, "msg": "paused" }))]);
    assert_eq!(doubtful(push.beat(&proof(), now).await), "answered 200, and not that it is ok: paused");
    let base_url = service.base.clone();
    let genie = OpsgenieBeat { heartbeat: "mail/canary".to_owned(), api_key: at("wrong"), base_url };
    let why = doubtful(heartbeat(HeartbeatKind::Opsgenie(genie)).beat(&proof(), now).await);
    assert_eq!(why, "answered 401: Could not authenticate");
}

#[tokio::test]
async fn nothing_that_is_said_of_a_beat_holds_its_secret() {
    let service = Service::<Watchers>::start(watchers).await;
    for (kind, secret) in kinds(&service.base).into_iter().zip([CHECK, PUSH, GENIE_KEY, INTEGRATION]) {
        let echo = format!("\u{1b}[31m no: {secret} {}", secret.rsplit('/').next().unwrap());
        for status in [200, 400, 404, 500] {
            service.instead([Told::json(status, &serde_json::json!({ "ok": false, "msg": echo, "message": echo }))]);
            let heartbeat = heartbeat(kind.clone());
            let said = format!("{:?} {heartbeat:?}", heartbeat.beat(&proof(), present()).await);
            let told = ["S3CRET", "5bf66975", GENIE_KEY].into_iter().any(|secret| said.contains(secret));
            assert!(!told && !said.contains("\\u{1b}"), "{said}");
        }
    }
}

#[tokio::test]
async fn nobody_there_and_redirects_are_failures() {
    let gone = format!("http://127.0.0.1:{}", free_port());
    let service = Service::<Watchers>::start(watchers).await;
    for (gone, there) in kinds(&gone).into_iter().zip(kinds(&service.base)) {
        assert!(matches!(heartbeat(gone).beat(&proof(), present()).await, Attempt::Retry { .. }));
        service.instead([Told::text(302, "").with("location", "http://127.0.0.1:1/")]);
        assert!(matches!(heartbeat(there).beat(&proof(), present()).await, Attempt::Retry { .. }));
    }
}

/// A heartbeat at work.
struct Worker {
    proofs: mpsc::Sender<Proof>,
    shown: watch::Receiver<Pulse>,
}

impl Worker {
    fn start(heartbeat: Heartbeat) -> Self {
        let (proofs, inbound) = mpsc::channel(1);
        let (state, shown) = watch::channel(Pulse::default());
        tokio::spawn(work(heartbeat, inbound, state, Arc::new(present)));
        Self { proofs, shown }
    }

    async fn beat(&mut self, proof: Proof) -> Pulse {
        self.proofs.send(proof).await.unwrap();
        timeout(PATIENCE, self.shown.changed()).await.expect("nothing came of it").unwrap();
        self.shown.borrow_and_update().clone()
    }
}

#[tokio::test]
async fn a_lost_beat_is_tried_again_and_an_old_one_is_not() {
    let mut service = Service::<Watchers>::start(watchers).await;
    let mut worker = Worker::start(heartbeat(kinds(&service.base).remove(0)));
    service.instead([Told::text(503, ""), Told::text(500, "")]);
    let fresh = proof();
    let pulse = worker.beat(fresh).await;
    assert_eq!((pulse.last, pulse.failures, pulse.failing), (Some(fresh.at), 0, None));
    assert_eq!(service.rest(), 3);
    service.instead([Told::text(404, "not found")]);
    let pulse = worker.beat(proof()).await;
    assert_eq!((pulse.last, pulse.failures, pulse.failing.as_deref()), (Some(fresh.at), 1, Some("answered 404: not found")));
    // As after a stop of the process in the middle of it.
    let old = Proof { at: present().minus(Span::from_secs(60)), ..proof() };
    service.instead([Told::text(503, "")]);
    let pulse = worker.beat(old).await;
    assert_eq!((pulse.failures, service.rest()), (2, 2), "one try each");
    let pulse = worker.beat(proof()).await;
    assert!(pulse.failing.is_none() && pulse.last > Some(fresh.at), "{pulse:?}");
}

#[tokio::test]
async fn the_alert_fires_for_as_long_as_it_is_sent_again() {
    let mut receiver = Receiver::start(&[]).await;
    let real = Alertmanager::start(receiver.address).await;
    let urls = vec![format!("http://127.0.0.1:{}", free_port()), real.url()];
    let heartbeat = heartbeat_every(Span::from_secs(3), HeartbeatKind::Alertmanager(AlertmanagerBeat { urls }));
    assert_eq!(heartbeat.beat(&proof(), present()).await, Attempt::Delivered, "one instance that has it is enough");
    let amtool = || {
        let mut amtool = Command::new("amtool");
        let said = amtool.args(["--alertmanager.url", &real.url(), "alert", "query", "-o", "json", "alertname=Watchdog"]).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        serde_json::from_slice::<Vec<serde_json::Value>>(&said.stdout).unwrap()
    };
    let first = amtool();
    assert_eq!(first.len(), 1, "{first:?}");
    assert_eq!(first[0]["labels"]["instance"], "test.example");
    assert_eq!(heartbeat.beat(&proof(), present()).await, Attempt::Delivered);
    let again = amtool();
    assert_eq!((again.len(), &again[0]["startsAt"]), (1, &first[0]["startsAt"]), "it is the same alert");
    assert_ne!(again[0]["endsAt"], first[0]["endsAt"]);
    assert_eq!(receiver.next().await.json()["status"], "firing");
    // Nobody sends it again.
    wait_for("the alert to end", async || amtool().is_empty().then_some(())).await;
    assert_eq!(receiver.next().await.json()["status"], "resolved");
}
