//! Who watches the watchdog hears of it for as long as it works, and no longer.

use std::time::Duration;

use mailcanary::sandbox::{Fault, World};
use tokio::time::{Instant, sleep, timeout};

use super::life::{Mount, daemon_beside, fill, world};
use crate::support::alertmanager::{Alertmanager, Receiver};
use crate::support::daemon::Daemon;
use crate::support::service::{Asked, Service, Told};
use crate::support::watchers::{CHECK, Watchers, watchers};

const LAST: &str = "mailcanary_heartbeat_last_success_timestamp_seconds{heartbeat=\"w\"}";
const HELD: &str = "mailcanary_heartbeat_held{heartbeat=\"w\"}";
/// So long nothing comes when heartbeats have stopped: two intervals, and some.
const SILENCE: Duration = Duration::from_secs(35);

/// The interval, and some.
const FULL_ALREADY: Duration = Duration::from_secs(18);

/// A daemon that beats every 15 s at `watcher`.
fn beating(world: &World, hook: &Receiver, watcher: &str, more: &str) -> Daemon {
    let url = format!("{watcher}{CHECK}");
    daemon_beside(&format!("[heartbeat.w.healthchecks]\nurl = {{ env = \"PING_URL\" }}\nevery = \"15s\"\n{more}"), world, hook)
        .with("PING_URL", &url)
}

async fn silent<T: Default + Send + 'static>(service: &mut Service<T>) {
    // One cycle may have been full already: its beat still comes.
    sleep(FULL_ALREADY).await;
    service.rest();
    sleep(SILENCE).await;
    assert_eq!(service.rest(), 0, "it beats and does not work");
}

async fn next(service: &mut Service<Watchers>) -> (Asked, Instant) {
    let asked = timeout(Duration::from_secs(60), service.next()).await.expect("no beat");
    (asked, Instant::now())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beats_flow_stop_with_a_full_disk_and_flow_again() {
    let (world, mut hook) = (world(), Receiver::start(&[]).await);
    let mut service = Service::<Watchers>::start(watchers).await;
    let mut daemon = beating(&world, &hook, &service.base, "");
    let ledger = daemon.folder.path().join("ledger");
    std::fs::create_dir(&ledger).unwrap();
    let mount = Mount::small(&ledger);
    daemon.start().await;
    let (first, at) = next(&mut service).await;
    assert!(String::from_utf8_lossy(&first.body).contains("on test: ledger written"), "{first:?}");
    let (_, again) = next(&mut service).await;
    let apart = again - at;
    assert!(apart > Duration::from_secs(14) && apart < Duration::from_secs(25), "{apart:?}");
    assert!(daemon.metric(LAST).await.unwrap() > 1.6e9);
    let (_, page) = daemon.get("/").await.unwrap();
    assert!(page.contains("Heartbeats") && page.contains("✓ </span>beats"), "{page}");
    let filler = ledger.join("filler");
    fill(&filler);
    assert_eq!(hook.next().await.json()["data"]["severity"], "page");
    silent(&mut service).await;
    daemon.wait_for("beats to be kept back", async |d| (d.metric(HELD).await? == 1.0).then_some(())).await;
    assert!(daemon.get("/").await.unwrap().1.contains("kept back</span>: the ledger is not written"));
    std::fs::remove_file(&filler).unwrap();
    next(&mut service).await;
    daemon.wait_for("beats to go on", async |d| (d.metric(HELD).await? == 0.0).then_some(())).await;
    assert!(!daemon.log().contains(CHECK), "a secret is in the log");
    daemon.kill();
    drop(mount);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beats_stop_when_no_inbox_can_be_read_and_go_on_with_one() {
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let mut service = Service::<Watchers>::start(watchers).await;
    let mut daemon = beating(&world, &hook, &service.base, "");
    daemon.start().await;
    next(&mut service).await;
    for inbox in ["one", "two"] {
        world.inbox(inbox).unwrap().set(Fault::Down).unwrap();
    }
    daemon.wait_for("the inboxes to be blind", async |d| (d.sum("mailcanary_inbox_sight").await? == 0.0).then_some(())).await;
    silent(&mut service).await;
    daemon.wait_for("beats to be kept back", async |d| (d.metric(HELD).await? == 1.0).then_some(())).await;
    assert!(daemon.log().contains("no inbox is read"));
    assert_eq!(service.rest(), 0);
    world.inbox("two").unwrap().clear();
    next(&mut service).await;
    assert_eq!(daemon.metric("mailcanary_inbox_sight{inbox=\"one\"}").await, Some(0.0), "one is enough");
    daemon.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beats_stop_with_the_process_and_a_failing_one_pages_nobody() {
    let (world, mut hook) = (world(), Receiver::start(&[]).await);
    let alertmanager = Alertmanager::start(hook.address).await;
    let mut service = Service::<Watchers>::start(watchers).await;
    let more = format!("[heartbeat.dog.alertmanager]\nurls = [\"{}\"]\nevery = \"15s\"\n", alertmanager.url());
    let mut daemon = beating(&world, &hook, &service.base, &more);
    daemon.start().await;
    next(&mut service).await;
    let firing = hook.next().await.json();
    assert_eq!((&firing["status"], &firing["commonLabels"]["alertname"]), (&"firing".into(), &"Watchdog".into()), "{firing}");
    daemon.signal("STOP");
    silent(&mut service).await;
    let ended = hook.next_within(Duration::from_secs(60)).await.json();
    assert_eq!((&ended["status"], &ended["commonLabels"]["alertname"]), (&"resolved".into(), &"Watchdog".into()), "{ended}");
    service.instead(std::iter::repeat_n(Told::text(404, "not found"), 2));
    daemon.signal("CONT");
    daemon
        .wait_for("a failure", async |d| (d.metric("mailcanary_heartbeat_failures_total{heartbeat=\"w\"}").await? >= 2.0).then_some(()))
        .await;
    daemon.wait_for("a success", async |d| d.log().contains("heartbeat works again").then_some(())).await;
    assert_eq!(daemon.log().matches("heartbeat fails").count(), 1, "said once");
    let told = hook.rest();
    assert!(told.iter().all(|told| told.json()["commonLabels"]["alertname"] == "Watchdog"), "{told:?}");
    daemon.kill();
}
