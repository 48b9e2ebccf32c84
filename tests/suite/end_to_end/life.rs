//! A daemon's life and deaths, over the embedded world: killed in an outage, without a disk, stopped in the middle.

use mailcanary::model::Name;
use mailcanary::model::Span;
use mailcanary::run;
use mailcanary::sandbox::{Fault, InboxPlan, Plan, ProviderPlan, Transport, World};

use crate::support::alertmanager::{Receiver, answer};
use crate::support::daemon::Daemon;

pub fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// Two providers, two inboxes, a canary a second over each of the four routes.
pub fn world() -> World {
    let mut plan = Plan::new(run::clock(), 7);
    plan.every = Span::from_secs(1);
    plan = plan.provider(name("api"), ProviderPlan::new(Transport::Mandrill)).provider(name("relay"), ProviderPlan::new(Transport::Smtp));
    plan = plan.inbox(name("one"), InboxPlan::default()).inbox(name("two"), InboxPlan::default());
    World::start(plan.stream(name("reset"), "Reset your password", Span::from_secs(600))).unwrap()
}

fn daemon(world: &World, hook: &Receiver) -> Daemon {
    daemon_with("", world, hook)
}

/// The same, with further lines of `[http]`.
pub fn daemon_with(http: &str, world: &World, hook: &Receiver) -> Daemon {
    built(http, "", world, hook)
}

/// The same, with further tables.
pub fn daemon_beside(tables: &str, world: &World, hook: &Receiver) -> Daemon {
    built("", tables, world, hook)
}

fn built(http: &str, tables: &str, world: &World, hook: &Receiver) -> Daemon {
    let address = hook.address;
    Daemon::with_http(http, |folder| {
        let accounts = world.accounts(folder.path()).unwrap();
        format!(
            "[watch]\nevery = \"1s\"\ninstance = \"test\"\n\n[stream.reset]\nsubject = \"Reset your password\"\ndeadline = \"10m\"\n{accounts}\n[sink.hook.webhook]\nurl = \"http://{address}/\"\n{tables}"
        )
    })
}

const OPEN: &str = "mailcanary_incident_open{kind=\"stopped\",culprit=\"provider:relay\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_an_outage_it_keeps_the_incident_and_pages_nobody_twice() {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let mut daemon = daemon(&world, &hook);
    daemon.start().await;
    assert_eq!(daemon.sum("mailcanary_incident_open").await, Some(0.0), "every series is there from the first scrape");
    daemon.wait_for_arrivals(60.0).await;
    world.provider("relay").unwrap().set(Fault::Hold).unwrap();
    let opened = hook.next().await;
    assert_eq!(opened.json()["type"], "incident.opened");
    assert_eq!(opened.json()["data"]["culprit"], serde_json::json!({ "provider": "relay" }));
    assert_eq!(daemon.metric(OPEN).await, Some(1.0));
    // Killed until it has happened in the middle of something, too.
    for _ in 0..3 {
        let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
        daemon.kill();
        let sent: u32 = daemon.ledger("SELECT count(*) FROM canaries");
        daemon.start().await;
        assert_eq!(daemon.metric(OPEN).await, Some(1.0), "the same incident is open");
        assert!(daemon.sum("mailcanary_canaries_arrived_total").await.unwrap() >= arrived, "counters go on");
        assert!(daemon.sum("mailcanary_canaries_submitted_total").await.unwrap() <= f64::from(sent + 8));
        daemon.wait_for_arrivals(arrived + 10.0).await;
    }
    // A notice that was in flight may come again, under the same id.
    for again in hook.rest() {
        assert_eq!(again.header("webhook-id"), opened.header("webhook-id"), "{:?}", again.json());
    }
    assert_eq!(daemon.ledger::<u32>("SELECT count(*) FROM incidents"), 1);
    // What is held comes late; it was in flight all the time, over every kill.
    let held = world.provider("relay").unwrap().counts().held;
    assert!(held > 0);
    world.provider("relay").unwrap().clear();
    world.provider("relay").unwrap().release();
    let resolved = hook.next().await;
    assert_eq!(resolved.json()["type"], "incident.resolved");
    assert_eq!(resolved.json()["data"]["incident"], opened.json()["data"]["incident"]);
    daemon
        .wait_for("all that was held to be seen", async |d| {
            let missing: u32 = d.ledger("SELECT count(*) FROM canaries WHERE provider = 'relay' AND outcome = 'accepted' AND arrived_at IS NULL AND sent_at < (SELECT opened_at FROM incidents)");
            (missing == 0).then_some(())
        })
        .await;
    assert_eq!(daemon.metric(OPEN).await, Some(0.0));
    assert_eq!(daemon.stop().await, Some(0));
    assert!(hook.rest().is_empty(), "one page, one recovery");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_no_sink_took_is_sent_by_the_next_life() {
    let world = world();
    let busy = answer("503 Service Unavailable", "retry-after: 2\r\n");
    let mut hook = Receiver::start(&[busy.as_str(); 3]).await;
    let mut daemon = daemon(&world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(40.0).await;
    world.provider("relay").unwrap().set(Fault::Refuse(mailcanary::model::Class::Suspended)).unwrap();
    let first = hook.next().await;
    assert_eq!(first.json()["data"]["kind"], "refused", "{}", first.json());
    daemon.kill();
    daemon.start().await;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let again = hook.next().await;
        assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
        assert_eq!(again.body, first.body, "a repeat is the same to the byte");
        seen.push(again);
    }
    daemon
        .wait_for("the notice to be delivered", async |d| {
            (d.metric("mailcanary_notices_total{sink=\"hook\",outcome=\"delivered\"}").await? >= 1.0).then_some(())
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_a_page_and_not_silence() {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let mut daemon = daemon(&world, &hook);
    let ledger = daemon.folder.path().join("ledger");
    std::fs::create_dir(&ledger).unwrap();
    let mount = Mount::small(&ledger);
    daemon.start().await;
    daemon.wait_for_arrivals(20.0).await;
    let filler = ledger.join("filler");
    fill(&filler);
    let page = hook.next().await.json();
    assert_eq!(page["data"]["severity"], "page", "{page}");
    assert_eq!(page["data"]["culprit"], serde_json::json!({ "watcher": {} }));
    assert!(page["data"]["summary"].as_str().unwrap().contains("ledger"), "{page}");
    let (status, text) = daemon.get("/-/ready").await.unwrap();
    assert_eq!(status, 503, "{text}");
    assert_eq!(daemon.metric("mailcanary_ledger_writable").await, Some(0.0));
    let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
    std::fs::remove_file(&filler).unwrap();
    let over = hook.next().await.json();
    assert_eq!(over["type"], "incident.resolved", "{over}");
    daemon.wait_for_arrivals(arrived + 20.0).await;
    assert!(hook.rest().is_empty(), "nobody else is blamed");
    daemon.kill();
    drop(mount);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_for_a_full_disk_ends_in_the_next_life() {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let mut daemon = daemon(&world, &hook);
    let ledger = daemon.folder.path().join("ledger");
    std::fs::create_dir(&ledger).unwrap();
    let mount = Mount::small(&ledger);
    daemon.start().await;
    daemon.wait_for_arrivals(8.0).await;
    let filler = ledger.join("filler");
    fill(&filler);
    let page = hook.next().await.json();
    assert_eq!(page["type"], "incident.opened", "{page}");
    assert!(daemon.get("/incidents/0").await.unwrap().1.contains("cannot write its ledger"), "the page can be looked up");
    daemon.kill();
    std::fs::remove_file(&filler).unwrap();
    daemon.start().await;
    let over = hook.next().await.json();
    assert_eq!((&over["type"], &over["data"]["incident"]), (&serde_json::json!("incident.resolved"), &page["data"]["incident"]), "{over}");
    daemon.kill();
    daemon.start().await;
    daemon.wait_for_arrivals(16.0).await;
    assert!(hook.rest().is_empty(), "it ended once");
    daemon.kill();
    drop(mount);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_of_some_seconds_pages_nobody_and_a_long_one_does() {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let mut daemon = daemon(&world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(8.0).await;
    let file = daemon.folder.path().join("ledger/ledger.sqlite");
    let lock = || {
        let connection = rusqlite::Connection::open(&file).unwrap();
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        connection
    };
    let locked = lock();
    daemon.wait_for("the lock to be noticed", async |d| (d.metric("mailcanary_ledger_writable").await? == 0.0).then_some(())).await;
    tokio::time::sleep(std::time::Duration::from_secs(8)).await;
    assert!(hook.rest().is_empty(), "nobody is paged for a moment");
    drop(locked);
    let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
    daemon.wait_for_arrivals(arrived + 8.0).await;
    let locked = lock();
    let begun = tokio::time::Instant::now();
    let page = hook.next_within(std::time::Duration::from_secs(60)).await.json();
    assert!(begun.elapsed() > std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(page["data"]["summary"].as_str().unwrap().contains("locked by another program"), "{page}");
    drop(locked);
    assert_eq!(hook.next().await.json()["type"], "incident.resolved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_process_blames_nobody_when_it_wakes() {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let mut daemon = daemon(&world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(40.0).await;
    daemon.signal("STOP");
    tokio::time::sleep(std::time::Duration::from_secs(35)).await;
    daemon.signal("CONT");
    // The first answer may be lost: a connection that was kept open is closed by now.
    let arrived = daemon.wait_for("an answer", async |d| d.sum("mailcanary_canaries_arrived_total").await).await;
    daemon.wait_for_arrivals(arrived + 40.0).await;
    assert!(hook.rest().is_empty(), "nobody is paged for a sleep");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_it_from_starting_is_said_in_one_line() {
    let world = world();
    let hook = Receiver::start(&[]).await;
    let mut first = daemon(&world, &hook);
    first.start().await;
    // A second daemon on the same folder.
    let output = first.command("run").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let ledger = first.folder.path().join("ledger");
    assert!(text.contains(&ledger.display().to_string()), "{text}");
    first.kill();
    // A damaged ledger.
    std::fs::write(ledger.join("ledger.sqlite"), b"this is no database, whatever its name says, and never was one").unwrap();
    let output = first.command("run").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("ledger.sqlite") && !text.contains("panicked"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_beside_the_daemon_disturbs_nothing() {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let mut daemon = daemon(&world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(8.0).await;
    let output = daemon.command("probe").arg("--output").arg("nagios").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.starts_with("MAILCANARY OK - 4 of 4 canaries arrived | "), "{text}");
    let output = daemon.command("probe").args(["--route", "relay/reset/one", "--output", "json"]).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(told[0]["end"]["arrived"]["after_ms"].is_u64(), "{told}");
    world.provider("api").unwrap().set(Fault::Refuse(mailcanary::model::Class::Auth)).unwrap();
    let output = daemon.command("probe").args(["--route", "api/*", "--output", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told[0]["end"]["refused"], "auth", "{told}");
    for inbox in ["one", "two"] {
        assert_eq!(daemon.metric(&format!("mailcanary_canaries_forged_total{{inbox=\"{inbox}\"}}")).await, Some(0.0));
        assert_eq!(daemon.metric(&format!("mailcanary_canaries_replayed_total{{inbox=\"{inbox}\"}}")).await, Some(0.0));
    }
    assert_eq!(hook.next().await.json()["data"]["kind"], "refused", "the daemon saw it, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_before_the_first_start_is_no_mail_that_nobody_sent() {
    let world = world();
    let hook = Receiver::start(&[]).await;
    let mut daemon = daemon(&world, &hook);
    let probed = |daemon: &Daemon| {
        let output = daemon.command("probe").output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        assert!(output.status.success() && out.contains("4 of 4 canaries arrived"), "{out}\n{err}");
        err
    };
    assert!(probed(&daemon).contains("made the key of this installation's canaries in "), "what is left behind is said");
    daemon.start().await;
    daemon.wait_for_arrivals(12.0).await;
    assert!(!probed(&daemon).contains("made the key"));
    let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
    daemon.wait_for_arrivals(arrived + 8.0).await;
    for family in ["strange_mails_total", "canaries_forged_total", "canaries_replayed_total", "incident_open"] {
        assert_eq!(daemon.sum(&format!("mailcanary_{family}")).await, Some(0.0), "{family}");
    }
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_without_the_daemons_key_sends_nothing_unless_it_is_told_to_and_is_no_forger() {
    let world = world();
    let hook = Receiver::start(&[]).await;
    let mut daemon = daemon(&world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(8.0).await;
    let other = daemon.folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("canary.key"), "nonsense").unwrap();
    let config = std::fs::read_to_string(daemon.folder.path().join("mailcanary.toml")).unwrap();
    let config = daemon.folder.write("other.toml", &config.replace("/ledger\"", "/other\""));
    let probe = |words: &[&str]| {
        let mut probe = std::process::Command::new(env!("CARGO_BIN_EXE_mailcanary"));
        let output = probe.arg("probe").arg("-c").arg(&config).args(words).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), out, err)
    };
    let (code, out, err) = probe(&[]);
    assert!(code == Some(1) && out.is_empty() && err.contains("canary.key` is no key"), "{out}{err}");
    assert!(err.contains("hint: nothing was sent; ") && err.contains("--own-key"), "{err}");
    let (code, out, _) = probe(&["--output", "nagios"]);
    assert!(code == Some(3) && out.starts_with("MAILCANARY UNKNOWN - `") && out.contains("is no key"), "{out}");
    let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
    daemon.wait_for_arrivals(arrived + 8.0).await;
    assert_eq!(daemon.sum("mailcanary_strange_mails_total").await, Some(0.0), "nothing was sent");
    let (code, out, err) = probe(&["--own-key"]);
    assert!(code == Some(0) && out.contains("4 of 4 canaries arrived") && err.contains("warns of mail in your name"), "{out}{err}");
    assert_eq!(std::fs::read_to_string(other.join("canary.key")).unwrap(), "nonsense", "what is there is left alone");
    let strange = async |d: &Daemon| (d.sum("mailcanary_strange_mails_total").await? >= 4.0).then_some(());
    daemon.wait_for("the mail to be weighed as anybody's", strange).await;
    assert_eq!(daemon.sum("mailcanary_canaries_forged_total").await, Some(0.0));
    assert_eq!(daemon.sum("mailcanary_canaries_replayed_total").await, Some(0.0));
}

/// A small file system of its own.
pub struct Mount(std::path::PathBuf);

impl Mount {
    pub fn small(at: &std::path::Path) -> Self {
        let status = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"]).arg(at).status().unwrap();
        assert!(status.success(), "mounting a small tmpfs needs root");
        Self(at.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// Takes all the room there is, to the last page.
pub fn fill(path: &std::path::Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    for size in [64 * 1024, 4096, 512] {
        while file.write_all(&vec![0; size]).and_then(|()| file.flush()).is_ok() {}
    }
}
