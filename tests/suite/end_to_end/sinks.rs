//! Sinks that refuse: who hears of it.

use std::net::SocketAddr;

use mailcanary::model::{Class, Name, Span};
use mailcanary::run;
use mailcanary::sandbox::{Fault, InboxPlan, Plan, ProviderPlan, Transport, World};

use crate::support::alertmanager::{Folder, PATIENCE, Receiver, answer};
use crate::support::daemon::Daemon;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A relay, an inbox, and a canary a second between them.
fn world() -> World {
    let mut plan = Plan::new(run::clock(), 7);
    plan.every = Span::from_secs(1);
    plan = plan.provider(name("relay"), ProviderPlan::new(Transport::Smtp)).inbox(name("one"), InboxPlan::default());
    World::start(plan.stream(name("reset"), "Reset your password", Span::from_secs(600))).unwrap()
}

/// That world's configuration, with these webhooks.
fn configured(world: &World, folder: &Folder, sinks: &[(&str, SocketAddr)]) -> String {
    let accounts = world.accounts(folder.path()).unwrap();
    let sinks: String = sinks.iter().map(|(name, address)| format!("[sink.{name}.webhook]\nurl = \"http://{address}/\"\n")).collect();
    format!(
        "[watch]\nevery = \"1s\"\ninstance = \"test\"\n\n[stream.reset]\nsubject = \"Reset your password\"\ndeadline = \"10m\"\n{accounts}\n{sinks}"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_that_refuses_is_told_of_to_the_others_once() {
    let world = world();
    // The second refuses what it hears of the first, which must not be told of again.
    let never = answer("422 Unprocessable Entity", "");
    let mut broken = Receiver::start(&[&never]).await;
    let mut sound = Receiver::start(&[]).await;
    let (a, b) = (broken.address, sound.address);
    let mut daemon = Daemon::new(|folder| configured(&world, folder, &[("broken", a), ("sound", b)]));
    daemon.start().await;
    daemon.wait_for_arrivals(5.0).await;
    world.provider("relay").unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    let refused = broken.next().await.json();
    let told = [sound.next().await.json(), sound.next().await.json()];
    let (page, trouble) =
        if told[0]["data"]["incident"] == refused["data"]["incident"] { (&told[0], &told[1]) } else { (&told[1], &told[0]) };
    assert_eq!(page["data"]["kind"], "refused", "{page}");
    assert_eq!((&trouble["type"], &trouble["data"]["severity"]), (&"incident.opened".into(), &page["data"]["severity"]), "{trouble}");
    assert!(trouble["data"]["summary"].as_str().unwrap().starts_with("sink `broken` refuses notices (answered 422)"), "{trouble}");
    assert_eq!(trouble["data"]["evidence"]["refused"]["incident"], refused["data"]["incident"]);
    let (_, status) = daemon.get("/").await.unwrap();
    assert!(status.contains("broken</bdi></code> refuses notices") && status.contains(">Sinks</h2>"), "{status}");
    // Killed, it does not tell it again, and knows that it is to be ended. What is not written down yet would be repeated.
    let delivered = "mailcanary_notices_total{sink=\"sound\",outcome=\"delivered\"}";
    daemon.wait_for("the page to be written down", async |d| (d.metric(delivered).await? >= 1.0).then_some(())).await;
    daemon.kill();
    daemon.start().await;
    // It may have been mended meanwhile: what is open is told once more, and its end only because that was taken.
    let again = broken.next().await.json();
    assert_eq!((&again["type"], &again["data"]["incident"]), (&"incident.opened".into(), &refused["data"]["incident"]), "{again}");
    assert!(again["data"]["summary"].as_str().unwrap().ends_with("this sink has refused what it was told of it"), "{again}");
    let taken = "mailcanary_notices_total{sink=\"broken\",outcome=\"delivered\"}";
    daemon.wait_for("it to be taken", async |d| (d.metric(taken).await? >= 1.0).then_some(())).await;
    world.provider("relay").unwrap().clear();
    let over = [sound.next().await.json(), sound.next().await.json()];
    for incident in [&refused["data"]["incident"], &trouble["data"]["incident"]] {
        assert!(over.iter().any(|o| o["type"] == "incident.resolved" && o["data"]["incident"] == *incident), "{over:?}");
    }
    assert_eq!(broken.next().await.json()["type"], "incident.resolved");
    assert!(sound.rest().is_empty() && broken.rest().is_empty());
}

/// A sink that answers at once that it takes nothing: whoever is killed, or gets another configuration, between two tries knows that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_sink_did_not_take_is_not_told_when_it_is_over_however_often_it_was_started() {
    let world = world();
    let busy = answer("503 Service Unavailable", "");
    let mut down = Receiver::start(&vec![busy.as_str(); 1000]).await;
    let address = down.address;
    let mut daemon = Daemon::new(|folder| configured(&world, folder, &[("down", address)]));
    daemon.start().await;
    daemon.wait_for_arrivals(5.0).await;
    world.provider("relay").unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    down.next().await;
    let known = "[\"untaken\",\"[1]\"]";
    let knows =
        async |d: &Daemon| std::fs::read_to_string(d.folder.path().join("ledger/sink-down.queue.json")).ok()?.contains(known).then_some(());
    daemon.wait_for("the answer to be written down", knows).await;
    daemon.kill();
    daemon.start().await;
    down.next().await;
    assert_eq!(daemon.say(&["reload"]).0, Some(0));
    down.next().await;
    world.provider("relay").unwrap().clear();
    let dropped = "mailcanary_notices_total{sink=\"down\",outcome=\"dropped\"}";
    daemon.wait_for("all of it to be dropped", async |d| (d.metric(dropped).await? >= 2.0).then_some(())).await;
    let told: Vec<_> = down.rest().iter().map(|one| one.json()["type"].clone()).collect();
    assert!(!told.contains(&"incident.resolved".into()), "{told:?}");
    assert_eq!(daemon.stop().await, Some(0));
}

/// A sink that is mended is tried by hand: the daemon that holds it for refusing does not wait until its own next trial.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_works_when_it_is_tried_by_hand_is_tried_by_the_daemon_too() {
    let world = world();
    let never = answer("422 Unprocessable Entity", "");
    let (mut mended, mut sound) = (Receiver::start(&[&never]).await, Receiver::start(&[]).await);
    let (a, b) = (mended.address, sound.address);
    let mut daemon = Daemon::new(|folder| configured(&world, folder, &[("mended", a), ("sound", b)]));
    daemon.start().await;
    daemon.wait_for_arrivals(5.0).await;
    world.provider("relay").unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    let refused = mended.next().await.json();
    sound.notice(PATIENCE, |told| told["evidence"]["sink"] == "mended").await;
    let output = daemon.command("check").args(["--live", "--resolver", "127.0.0.1:9"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let line = |sink: &str| said.lines().find(|line| line.contains(&format!("sink {sink}: took a test notice"))).unwrap_or_default();
    let tells = "; the daemon that runs holds it for refusing: it was told, and tries it now";
    assert!(line("mended").ends_with(tells) && !line("sound").contains("daemon"), "{said}");
    let again = mended.notice(PATIENCE, |told| told["incident"] == refused["data"]["incident"]).await;
    assert_eq!(again["change"], "opened", "what it refused it is told again: {again}");
    sound.notice(PATIENCE, |told| told["summary"] == "sink `mended` takes notices again").await;
    assert_eq!(daemon.stop().await, Some(0));
}
