//! Reading a real Cyrus over IMAP, with both of its ways to name folders.

use super::*;
use crate::support::cyrus::{Cyrus, Naming};

fn rig_at(cyrus: &Cyrus) -> rig::Plan {
    Rig::new(inbox_at(cyrus.imap, Tls::None))
}

#[tokio::test]
async fn a_canary_is_seen_in_inbox_and_in_junk_below_it() {
    let cyrus = Cyrus::run(Naming::Dots, "Quarantine");
    let mut rig = rig_at(&cyrus).watch();
    rig.expect_sight().await;
    let before = wall();
    cyrus.deliver(&mail(1));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary, seen.placement), (CanaryId::from_bits(1), Placement::Inbox));
    assert!(seen.arrived_at.as_ms() / 1000 >= before.as_ms() / 1000 && seen.arrived_at <= seen.seen_at, "{seen:?}");
    // It is known by its mark alone, which Cyrus writes in lower case.
    cyrus.deliver(&format!("X-Spam: yes\n{}", mail(2)));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary, seen.placement), (CanaryId::from_bits(2), Placement::Junk));
    assert!(seen.copy.starts_with("INBOX.Quarantine/"), "{seen:?}");

    let cursor = rig.look().await;
    drop(rig);
    cyrus.deliver(&mail(3));
    let mut again = rig_at(&cyrus).with_cursor(&cursor).watch();
    assert_eq!(again.sighting().await.canary.bits(), 3, "and none that was told of before");
    let seen = cyrus.imap_says(&["EXAMINE INBOX", "FETCH 1:* (FLAGS)"]);
    let fetched: Vec<&str> = seen.lines().filter(|line| line.contains(" FETCH ")).collect();
    assert!(fetched.len() == 2 && !fetched.concat().contains("\\Seen"), "{seen}");
}

#[tokio::test]
async fn with_slashes_folders_are_made_anew_and_read_again() {
    let cyrus = Cyrus::run(Naming::Slashes, "Junk");
    let mut rig = rig_at(&cyrus).watch();
    rig.expect_sight().await;
    cyrus.deliver(&format!("X-Spam: yes\n{}", mail(1)));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary.bits(), seen.placement), (1, Placement::Junk));
    let first = seen.copy;
    assert!(first.starts_with("Junk/"), "{first}");
    // The folder is made anew: another UIDVALIDITY, and the UIDs begin again.
    let said = cyrus.imap_says(&["DELETE Junk", "CREATE Junk (USE (\\Junk))"]);
    assert_eq!(said.matches(" OK ").count(), 3, "{said}");
    cyrus.deliver(&format!("X-Spam: yes\n{}", mail(2)));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary.bits(), seen.placement), (2, Placement::Junk));
    let numbering = |copy: &str| copy.rsplit_once('/').map(|(numbering, _)| numbering.to_owned());
    assert_ne!(numbering(&seen.copy), numbering(&first));
}

#[tokio::test]
async fn with_idle_it_is_told_at_once() {
    let cyrus = Cyrus::run(Naming::Dots, "Junk");
    let minute = Duration::from_secs(60);
    let pace = Pace { sweep: minute, slice: minute, poll_outstanding: minute, poll_quiet: minute, quick: minute, ..brisk() };
    let mut rig = rig_at(&cyrus).watch_at(pace);
    rig.expect_sight().await;
    for n in 1..=3 {
        cyrus.deliver(&mail(n));
        assert_eq!(rig.sighting().await.canary.bits(), n);
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_live_check() {
    let cyrus = Cyrus::run(Naming::Dots, "Spam");
    let (class, why) = rig_at(&cyrus).with_password("wrong").watch().blindness().await;
    assert_eq!(class, Class::Auth, "{why}");
    let inbox = inbox_at(cyrus.imap, Tls::None);
    let dialer = mailcanary::edge::dial::Dialer::new(&inbox.wire).unwrap();
    let credentials = Credentials::Password(Secret::new(PASSWORD.to_owned()));
    let login = log_in(&inbox, &credentials, &dialer, &run::clock()).await.unwrap();
    assert_eq!(login.folders, [("INBOX".to_owned(), Placement::Inbox), ("INBOX.Spam".to_owned(), Placement::Junk)]);
    assert!(login.capabilities.contains(&"IDLE"));
}
