//! The desktop: the real binary, a real session bus, and a real notification daemon on a real screen.

use std::os::unix::fs::PermissionsExt;

use mailcanary::model::{Class, Name, Span};
use mailcanary::run;
use mailcanary::sandbox::{Fault, InboxPlan, Plan, ProviderPlan, Transport, World};

use crate::support::daemon::Daemon;
use crate::support::desktop::Desktop;
use crate::support::temp_dir::TempDir;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn world() -> World {
    let mut plan = Plan::new(run::clock(), 7);
    plan.every = Span::from_secs(1);
    plan = plan.provider(name("relay"), ProviderPlan::new(Transport::Smtp)).inbox(name("one"), InboxPlan::default());
    World::start(plan.stream(name("reset"), "Reset your password", Span::from_secs(600))).unwrap()
}

fn daemon(world: &World, bus: &str) -> Daemon {
    Daemon::new(|folder| {
        let accounts = world.accounts(folder.path()).unwrap();
        format!(
            "[watch]\nevery = \"1s\"\ninstance = \"test\"\n\n[stream.reset]\nsubject = \"Reset your password\"\ndeadline = \"10m\"\n{accounts}\n\
             [sink.mine.desktop]\n"
        )
    })
    .with("DBUS_SESSION_BUS_ADDRESS", bus)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_one_notification_that_is_replaced_and_ends() {
    let (world, mut desktop) = (world(), Desktop::new());
    let mut daemon = daemon(&world, &desktop.bus);
    let folder = TempDir::new("opener");
    let (opener, opened) = (folder.path().join("xdg-open"), folder.path().join("opened"));
    std::fs::write(&opener, format!("#!/bin/sh\necho \"$1\" > {}.new && mv {0}.new {0}\n", opened.display())).unwrap();
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    daemon = daemon.with("PATH", &format!("{}:/usr/bin:/bin", folder.path().display()));
    // The session is there before somebody shows notifications: what is told meanwhile is shown later.
    daemon.start().await;
    daemon.wait_for("a word that nobody is reached", async |d| d.log().contains("this sink reaches nobody").then_some(())).await;
    desktop.show().await;
    daemon.wait_for_arrivals(5.0).await;
    let (empty, _) = desktop.screenshot("empty.png");
    world.provider("relay").unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    daemon.wait_for("the notification", async |_| (desktop.displayed() == 1).then_some(())).await;
    let (shown, colours) = desktop.screenshot("shown.png");
    assert!(colours > 10, "{colours} colours: nothing is on the screen");
    assert_ne!(std::fs::read(&empty).unwrap(), std::fs::read(&shown).unwrap());

    world.provider("relay").unwrap().clear();
    daemon.wait_for("an empty screen", async |_| (desktop.displayed() == 0).then_some(())).await;
    let history = desktop.history();
    assert!(history.len() == 1 && history[0].starts_with("RESOLVED: provider relay"), "it was not replaced in place: {history:?}");

    world.provider("relay").unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    daemon.wait_for("the next notification", async |_| (desktop.displayed() == 1).then_some(())).await;
    desktop.ctl(&["action"]);
    let page = daemon.wait_for("the page", async |_| std::fs::read_to_string(&opened).ok()).await;
    let (_, path) = page.trim().split_once("/incidents/").unwrap();
    assert_eq!(path, "2");
    let (status, shown) = daemon.get("/incidents/2").await.unwrap();
    assert!(
        page.starts_with("http://127.0.0.1:") && status == 200 && shown.contains("relay"),
        "nobody has said where people reach it: {page}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_session_it_says_so_and_watches_all_the_same() {
    let world = world();
    let mut daemon = daemon(&world, "unix:path=/nowhere/at-all");
    daemon.start().await;
    daemon.wait_for_arrivals(3.0).await;
    let log = daemon.log();
    let line = log.lines().find(|line| line.contains("this sink reaches nobody")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("no notifications in this session") && line.contains("systemctl --user"), "{line}");
    let output = daemon.command("check").arg("--live").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.lines().any(|line| line.starts_with("FAILED  sink mine: ") && line.contains("no notifications in this session")),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(1));
}
