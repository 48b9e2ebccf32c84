//! Beside a daemon that runs, and after it has ended.

use mailcanary::model::{Name, Span};
use mailcanary::run;
use mailcanary::sandbox::{Fault, InboxPlan, Plan, ProviderPlan, Transport, World};
use serde_json::Value;

use super::{files, said};
use crate::support::alertmanager::Receiver;
use crate::support::daemon::Daemon;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_daemon_is_not_disturbed_and_its_stop_is_found_again() {
    let mut plan = Plan::new(run::clock(), 7);
    plan.every = Span::from_secs(1);
    plan = plan.provider(name("api"), ProviderPlan::new(Transport::Mandrill)).provider(name("relay"), ProviderPlan::new(Transport::Smtp));
    plan = plan.inbox(name("one"), InboxPlan::default()).inbox(name("two"), InboxPlan::default());
    let world = World::start(plan.stream(name("reset"), "Reset your password", Span::from_secs(600))).unwrap();
    let mut hook = Receiver::start(&[]).await;
    let address = hook.address;
    let mut daemon = Daemon::new(|folder| {
        let accounts = world.accounts(folder.path()).unwrap();
        format!(
            "[watch]\nevery = \"1s\"\ninstance = \"test\"\n\n[stream.reset]\nsubject = \"Reset your password\"\ndeadline = \"10m\"\n{accounts}\n[sink.hook.webhook]\nurl = \"http://{address}/\"\n"
        )
    });
    daemon.start().await;
    daemon.wait_for_arrivals(80.0).await;
    world.provider("relay").unwrap().set(Fault::Hold).unwrap();
    assert_eq!(hook.next().await.json()["data"]["culprit"]["provider"], "relay");
    let (code, out, err) = said(daemon.command("backtest").args(["--output", "json"]));
    assert_eq!(code, 0, "{err}");
    let found: Value = serde_json::from_str(&out).unwrap();
    assert!(found["routine"].as_u64().is_some_and(|n| n > 60), "{found:#}");
    let [stop] = found["hindsight"]["incidents"].as_array().unwrap().as_slice() else { panic!("{found:#}") };
    assert_eq!((&stop["culprit"]["provider"], &stop["until"]), (&"relay".into(), &Value::Null), "{found:#}");
    assert!(stop["told_then"]["later_by_secs"].as_f64().is_some_and(|s| s.abs() < 5.0), "{stop:#}");
    // It goes on as if nothing had been.
    world.provider("relay").unwrap().clear();
    world.provider("relay").unwrap().release();
    assert_eq!(hook.next().await.json()["type"], "incident.resolved");
    assert!(!daemon.log().contains("\"ERROR\"") && !daemon.log().contains("waiting for another program"), "{}", daemon.log());
    let folder = daemon.folder.path().join("ledger");
    // Killed, its last words stand beside the file; ended, all stands in it.
    daemon.kill();
    assert_eq!(said(&mut daemon.command("backtest")).0, 0);
    daemon.start().await;
    assert_eq!(daemon.stop().await, Some(0));
    let before = files(&folder);
    let (code, out, err) = said(&mut daemon.command("backtest"));
    assert!(code == 0 && out.contains("provider:relay"), "{code} {out} {err}");
    assert_eq!(files(&folder), before, "nothing is made and nothing is changed");
}
