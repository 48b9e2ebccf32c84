//! Who is told of what: a sink that waits for the others, over a restart, and maintenance that comes back.

use mailcanary::model::{Class, Span};
use mailcanary::run;
use mailcanary::sandbox::{Fault, World};

use super::life::world;
use crate::support::alertmanager::{PATIENCE, Receiver, answer};
use crate::support::daemon::Daemon;

/// A daemon over the embedded world, with these tables besides.
fn daemon(world: &World, tables: &str) -> Daemon {
    Daemon::new(|folder| {
        let accounts = world.accounts(folder.path()).unwrap();
        format!(
            "[watch]\nevery = \"1s\"\ninstance = \"test\"\n\n[stream.reset]\nsubject = \"Reset your password\"\ndeadline = \"10m\"\n{accounts}\n{tables}\n"
        )
    })
}

fn sink(name: &str, hook: &Receiver, keys: &str) -> String {
    format!("[sink.{name}.webhook]\nurl = \"http://{}/\"\n{keys}\n", hook.address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_nobody_acknowledges_is_escalated_once_over_a_restart() {
    let world = world();
    let (mut first, mut boss) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let mut daemon = daemon(&world, &(sink("first", &first, "") + &sink("boss", &boss, "after = \"5s\"")));
    daemon.start().await;
    daemon.wait_for_arrivals(20.0).await;
    world.provider("relay").unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    let opened = first.next().await.json();
    assert_eq!(opened["data"]["kind"], "refused", "{opened}");
    daemon.kill();
    assert!(boss.rest().is_empty(), "it waits");
    daemon.start().await;
    let called = boss.next().await.json();
    assert_eq!((&called["type"], &called["data"]["incident"]), (&"incident.opened".into(), &opened["data"]["incident"]), "{called}");
    assert!(called["data"]["summary"].as_str().unwrap().starts_with("ESCALATION, nobody has acknowledged this for "), "{called}");
    assert!(called["data"]["evidence"]["escalation"]["paged_at"].is_string(), "{called}");
    world.provider("relay").unwrap().clear();
    let over = boss.notice(PATIENCE, |told| told["change"] == "resolved").await;
    assert_eq!(over["incident"], opened["data"]["incident"], "who was called hears the end");
    first.notice(PATIENCE, |told| told["change"] == "resolved").await;
    assert!(first.rest().is_empty() && boss.rest().is_empty(), "once");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_maintenance_nobody_is_told_before_it_is_over() {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let now = run::clock()();
    let clock = |at: mailcanary::model::At| at.rfc3339()[11..16].to_owned();
    let window = format!(
        "[maintenance.move]\nevery = \"{}-{}\"\nprovider = \"relay\"\nby = \"ann\"\nreason = \"they move <b>house\"\n",
        clock(now.minus(Span::from_secs(3600))),
        clock(now.plus(Span::from_secs(3 * 3600)))
    );
    let mut daemon = daemon(&world, &(sink("hook", &hook, "") + &window));
    daemon.start().await;
    daemon.wait_for_arrivals(20.0).await;
    world.provider("relay").unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    daemon.wait_for("the incident", async |d| (d.sum("mailcanary_incident_open").await? >= 1.0).then_some(())).await;
    let (code, list, err) = daemon.say(&["silence", "list"]);
    assert!(code == Some(0) && list.contains("maintenance move, provider relay: ") && list.contains("now until"), "{list}{err}");
    let (_, page) = daemon.get("/").await.unwrap();
    assert!(page.contains("move: provider relay") && page.contains("they move &lt;b&gt;house"), "{page}");
    let (_, api) = daemon.get("/api/v1/silences").await.unwrap();
    assert!(api.contains("\"name\":\"move\""), "{api}");
    assert!(hook.rest().is_empty(), "nobody is told");
    assert_eq!(daemon.stop().await, Some(0));
    // The window is taken out: what is still open is told.
    let file = daemon.folder.path().join("mailcanary.toml");
    let without = std::fs::read_to_string(&file).unwrap().replace(&window, "");
    daemon.folder.write("mailcanary.toml", &without);
    daemon.start().await;
    let told = hook.next().await.json();
    assert_eq!((&told["type"], &told["data"]["kind"]), (&"incident.opened".into(), &"refused".into()), "{told}");
    assert!(told["data"]["summary"].as_str().unwrap().contains("a silence kept this back"), "{told}");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sinks_are_tried_and_one_that_refuses_is_told_of_to_the_others() {
    let world = world();
    let gone = answer("410 Gone", "");
    let (mut fine, mut dead) = (Receiver::start(&[]).await, Receiver::start(&[gone.as_str()]).await);
    let tried = "try_at = \"00:00-24:00\"";
    let mut daemon = daemon(&world, &(sink("fine", &fine, tried) + &sink("dead", &dead, tried)));
    daemon.start().await;
    assert_eq!(dead.next().await.json()["data"]["evidence"]["test"], "dead");
    let mut told = Vec::new();
    while told.len() < 3 {
        let body = fine.next().await.json();
        told.push(format!("{}: {}", body["data"]["change"].as_str().unwrap(), body["data"]["summary"].as_str().unwrap()));
    }
    told.sort();
    let begins =
        ["opened: TEST, nothing is wrong: sink `fine`", "opened: sink `dead` refuses notices", "resolved: TEST, over: sink `fine`"];
    assert!(told.iter().zip(begins).all(|(told, begin)| told.starts_with(begin)), "{told:#?}");
    let success = async |d: &Daemon, sink: &str| d.metric(&format!("mailcanary_sink_trial_success{{sink=\"{sink}\"}}")).await;
    assert_eq!((success(&daemon, "fine").await, success(&daemon, "dead").await), (Some(1.0), Some(0.0)));
    daemon.kill();
    daemon.start().await;
    daemon.wait_for_arrivals(10.0).await;
    assert!(!fine.rest().iter().any(|again| again.json()["data"]["evidence"]["test"] == "fine"), "once, over a restart");
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_being_called_when_somebody_comes_hears_who_has_it_and_is_not_called_again() {
    let world = world();
    // The first call gets no answer: it may have been heard.
    let (mut first, mut boss) = (Receiver::start(&[]).await, Receiver::start(&[""]).await);
    let mut daemon = daemon(&world, &(sink("first", &first, "") + &sink("boss", &boss, "after = \"2s\"")));
    daemon.start().await;
    daemon.wait_for_arrivals(20.0).await;
    world.provider("relay").unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    let opened = first.next().await.json();
    let called = boss.next().await.json();
    assert!(called["data"]["summary"].as_str().unwrap().starts_with("ESCALATION"), "{called}");
    let id = opened["data"]["incident"].to_string();
    assert_eq!(daemon.say(&["incident", "ack", &id, "--by", "ann"]).0, Some(0));
    let told = boss.next().await.json();
    assert_eq!((&told["type"], &told["data"]["incident"]), (&"incident.acknowledged".into(), &opened["data"]["incident"]), "{told}");
    assert!(told["data"]["summary"].as_str().unwrap().starts_with("acknowledged by ann at "), "{told}");
    world.provider("relay").unwrap().clear();
    boss.notice(PATIENCE, |told| told["change"] == "resolved").await;
    first.notice(PATIENCE, |told| told["change"] == "resolved").await;
    assert!(first.rest().is_empty() && boss.rest().is_empty(), "nobody else hears of it, and nobody twice");
    assert_eq!(daemon.stop().await, Some(0));
}
