//! What a service manager hears of the daemon: readiness, reloads, the beats of the loop, and the end.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use super::life::{Mount, daemon_with, fill, world};
use crate::support::alertmanager::Receiver;

/// The other end of `NOTIFY_SOCKET`.
struct Manager(UnixDatagram);

impl Manager {
    /// The next message that `wanted` is true of. Others are passed over.
    fn hears(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let mut buffer = [0; 4096];
        let mut passed = Vec::new();
        loop {
            let Ok(length) = self.0.recv(&mut buffer) else { panic!("waiting for {what}, heard {passed:?}") };
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            if wanted(&text) {
                return text;
            }
            passed.push(text);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_manager_is_told_what_happens_and_fed_by_the_loop() {
    let (world, mut hook) = (world(), Receiver::start(&[]).await);
    let daemon = daemon_with("", &world, &hook);
    let at = daemon.folder.path().join("notify.sock");
    let manager = Manager(UnixDatagram::bind(&at).unwrap());
    manager.0.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut daemon = daemon.with("NOTIFY_SOCKET", at.to_str().unwrap()).with("WATCHDOG_USEC", "8000000");
    let ledger = daemon.folder.path().join("ledger");
    std::fs::create_dir(&ledger).unwrap();
    let mount = Mount::small(&ledger);
    daemon.spawn();
    manager.hears("readiness", |text| text.contains("READY=1"));
    assert!(daemon.get("/-/healthy").await.is_some(), "HTTP listens by then");
    manager.hears("a beat", |text| text.contains("WATCHDOG=1"));
    manager.hears("how it stands", |text| text.contains("STATUS=All 4 routes deliver."));
    assert_eq!(daemon.say(&["reload"]).0, Some(0));
    let reloading = manager.hears("a reload", |text| text.contains("RELOADING=1"));
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    manager.hears("its end", |text| text.contains("READY=1"));
    // A full disk stops the watch, of which people are told; it is no reason to start anew.
    fill(&ledger.join("filler"));
    assert!(hook.next().await.json()["data"]["summary"].as_str().unwrap().contains("ledger"));
    manager.hears("how it stands", |text| text.contains("STATUS=mailcanary watches nothing"));
    for _ in 0..3 {
        manager.hears("a beat", |text| text.contains("WATCHDOG=1"));
    }
    let (code, _, err) = daemon.say(&["reload"]);
    assert!(code == Some(1) && err.contains("when the ledger can be written"), "{err}");
    std::fs::remove_file(ledger.join("filler")).unwrap();
    assert_eq!(hook.next().await.json()["type"], "incident.resolved");
    assert_eq!(daemon.stop().await, Some(0));
    manager.hears("the end", |text| text.contains("STOPPING=1"));
    drop(mount);
}
