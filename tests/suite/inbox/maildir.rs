//! Reading a Maildir into which a real Dovecot files what LMTP brings.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use mailcanary::config::{Inbox, InboxKind, MaildirSettings};

use super::rig::inbox_of;
use super::*;
use crate::support::dovecot::USER;
use crate::support::temp_dir::TempDir;

fn inbox(path: PathBuf) -> Inbox {
    inbox_of(InboxKind::Maildir(MaildirSettings { path, junk: None }), USER)
}

fn maildir(dovecot: &Dovecot) -> PathBuf {
    dovecot.home().join("Maildir")
}

/// Every file with its name and flags.
fn files(path: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for part in ["new", "cur", ".Junk/new", ".Junk/cur"] {
        let there = std::fs::read_dir(path.join(part)).into_iter().flatten();
        all.extend(there.map(|entry| format!("{part}/{}", entry.unwrap().file_name().to_string_lossy())));
    }
    all.sort();
    all
}

#[tokio::test]
async fn a_canary_is_seen_in_inbox_and_in_junk_and_nothing_is_changed() {
    let dovecot = Dovecot::run(&Settings { sieve: true, ..Settings::default() });
    dovecot.deliver("Subject: before all\n\nhello\n");
    let mut rig = Rig::new(inbox(maildir(&dovecot))).watch();
    rig.expect_sight().await;
    let before = wall();
    dovecot.deliver(&mail(1));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary, seen.placement), (CanaryId::from_bits(1), Placement::Inbox));
    assert!(seen.arrived_at >= before && seen.arrived_at <= seen.seen_at, "to the millisecond: {seen:?} {before:?}");
    assert!(seen.received_top.is_some() && seen.copy.starts_with("INBOX/0/"), "{seen:?}");
    dovecot.deliver(&format!("X-Spam: yes\n{}", mail(2)));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary, seen.placement), (CanaryId::from_bits(2), Placement::Junk));
    assert!(seen.copy.starts_with("Junk/0/"), "{seen:?}");
    let stranger = mailcanary::canary::Key::new([9; 32]);
    dovecot.deliver(&format!("Subject: {}\n\nhi\n", token(&stranger, CanaryId::from_bits(4), wall())));
    assert_eq!(rig.next_but_reads().await, Report::Forged);
    // Somebody who has read a canary and quotes it has sent none.
    dovecot.deliver(&format!("From: ada@quoting.example\nSubject: see below\n\n> {}\n", token(&key(), CanaryId::from_bits(5), wall())));
    dovecot.deliver(&mail(6));
    assert_eq!(rig.sighting().await.canary, CanaryId::from_bits(6));
    let left = files(&maildir(&dovecot));
    assert!(left.len() == 6 && left.iter().all(|name| name.contains("new/")), "{left:?}");
}

#[tokio::test]
async fn what_came_while_nobody_looked_is_told_with_its_own_time() {
    let dovecot = Dovecot::run(&Settings::default());
    dovecot.deliver("Subject: makes the folders\n\nhello\n");
    let mut rig = Rig::new(inbox(maildir(&dovecot))).watch();
    rig.expect_sight().await;
    dovecot.deliver(&mail(1));
    let first = rig.sighting().await;
    let cursor = rig.look().await;
    drop(rig);
    dovecot.deliver(&mail(2));
    let delivered = wall();
    // A client reads it: it moves on to `cur`, with flags.
    dovecot.doveadm(&["flags", "add", "-u", USER, "\\Seen", "mailbox", "INBOX", "all"]);
    let mut rig = Rig::new(inbox(maildir(&dovecot))).with_cursor(&cursor).watch();
    let mut seen = vec![rig.sighting().await, rig.sighting().await];
    seen.sort_by_key(|seen| seen.canary);
    assert_eq!(
        (seen[0].canary, &seen[0].copy, seen[0].arrived_at),
        (first.canary, &first.copy, first.arrived_at),
        "the same copy, as before"
    );
    assert_eq!(seen[1].canary, CanaryId::from_bits(2));
    assert!(seen[1].arrived_at <= delivered, "{seen:?}");
    rig.look().await;
    assert!(rig.sighted.is_empty(), "and no more");
}

#[tokio::test]
async fn old_mail_is_not_told_at_the_first_start_and_much_of_it_holds_nothing_up() {
    let dir = TempDir::new("maildir");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir(dir.path().join(part)).unwrap();
    }
    let day = std::time::SystemTime::now() - Duration::from_secs(86_400);
    for n in 0..2000 {
        let path = dir.path().join(format!("cur/1600000000.M{n}P1.host:2,S"));
        std::fs::write(&path, mail(n)).unwrap();
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(day).unwrap();
    }
    // When they came to lie there is not to be set; so it is later that this one begins.
    let cursor = format!(r#"{{"v":1,"maildir":{}}}"#, wall().as_ms() + 600_000);
    let mut rig = Rig::new(inbox(dir.path().to_owned())).with_cursor(&cursor).watch();
    rig.expect_sight().await;
    let at = wall().as_ms();
    std::fs::write(dir.path().join("tmp/x"), mail(1)).unwrap();
    std::fs::rename(dir.path().join("tmp/x"), dir.path().join(format!("new/{}.M5P2.host", at / 1000))).unwrap();
    let seen = rig.sighting().await;
    assert_eq!((seen.canary.bits(), seen.arrived_at.as_ms() / 1000), (1, at / 1000));
}

/// A backup that is played back, or a folder that is moved, changes the disk now; what lies in it came long ago.
#[tokio::test]
async fn old_mail_that_is_put_there_now_is_no_stranger() {
    let folder = TempDir::new("restored");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(folder.path().join(part)).unwrap();
    }
    let put = |name: &str, old: bool| {
        let path = folder.path().join("new").join(name);
        std::fs::write(&path, format!("From: a@else.example\nSubject: {name}\n\nhello\n")).unwrap();
        let at = std::time::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
        if old {
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        }
    };
    put("1600000000.M1P1.host", true);
    let wanted = mailcanary::edge::inbox::Wanted { strangers: true, ..Default::default() };
    let mut rig = Rig::new(inbox(folder.path().to_path_buf())).wanting(wanted).watch();
    rig.expect_sight().await;
    put("1600000001.M2P1.host", true);
    put(&format!("{}.M3P1.host", wall().as_ms() / 1000), false);
    let told = rig.next_but_reads().await;
    assert!(matches!(&told, Report::Stranger { copy, .. } if copy.ends_with(".M3P1.host")), "{told:?}");
    rig.look().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_read_blinds_and_sight_comes_back() {
    let dir = TempDir::new("maildir");
    let path = dir.path().join("Maildir");
    let mut rig = Rig::new(inbox(path.clone())).watch();
    let (class, why) = rig.blindness().await;
    assert_eq!(class, Class::Permanent);
    assert!(why.contains("Maildir") && why.contains("No such file"), "{why}");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(path.join(part)).unwrap();
    }
    rig.expect_sight().await;
    std::fs::remove_dir(path.join("cur")).unwrap();
    std::fs::write(path.join("cur"), "no folder").unwrap();
    rig.blindness().await;
    std::fs::remove_file(path.join("cur")).unwrap();
    std::fs::create_dir(path.join("cur")).unwrap();
    rig.expect_sight().await;
}

#[tokio::test]
async fn what_is_no_message_is_passed_over() {
    let dir = TempDir::new("maildir");
    for part in ["new", "cur", "tmp", "new/folder"] {
        std::fs::create_dir_all(dir.path().join(part)).unwrap();
    }
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("new/1.link")).unwrap();
    std::fs::write(dir.path().join("new/.hidden"), mail(1)).unwrap();
    std::fs::write(dir.path().join("new/2.large"), vec![b'x'; 3_000_000]).unwrap();
    std::fs::write(dir.path().join("new/3.odd\n\u{1b}[31m"), mail(3)).unwrap();
    let status = std::process::Command::new("mkfifo").arg(dir.path().join("new/4.pipe")).status().unwrap();
    assert!(status.success());
    let mut rig = Rig::new(inbox(dir.path().to_owned())).watch();
    let seen = rig.sighting().await;
    assert_eq!((seen.canary.bits(), seen.copy.as_str()), (3, "INBOX/0/3.odd??[31m"));
    rig.look().await;
    assert!(rig.sighted.is_empty());
}

#[tokio::test]
async fn own_canaries_are_deleted_on_request_and_nothing_else() {
    let dir = TempDir::new("maildir");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir(dir.path().join(part)).unwrap();
    }
    let mut inbox = inbox(dir.path().to_owned());
    inbox.delete = true;
    let mut rig = Rig::new(inbox).watch_at(Pace { delete_after: Duration::from_millis(300), ..brisk() });
    rig.hint(true, 0);
    rig.expect_sight().await;
    std::fs::write(dir.path().join("new/1.a.h"), mail(1)).unwrap();
    std::fs::write(dir.path().join("new/2.b.h"), "Subject: somebody else's\n\nhello\n").unwrap();
    rig.sighting().await;
    std::fs::rename(dir.path().join("new/1.a.h"), dir.path().join("cur/1.a.h:2,S")).unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while files(dir.path()) != ["new/2.b.h"] {
        assert!(Instant::now() < end, "{:?}", files(dir.path()));
        rig.look().await;
    }
}

#[tokio::test]
async fn a_check_says_what_would_be_read() {
    let dovecot = Dovecot::run(&Settings { sieve: true, ..Settings::default() });
    dovecot.deliver(&format!("X-Spam: yes\n{}", mail(2)));
    let own = inbox(maildir(&dovecot));
    let dialer = mailcanary::edge::dial::Dialer::new(&own.wire).unwrap();
    let refused = log_in(&inbox("/nonexistent".into()), &Credentials::None, &dialer, &run::clock()).await.unwrap_err();
    assert_eq!(refused.class, Class::Permanent);
    dovecot.deliver(&mail(1));
    let login = log_in(&own, &Credentials::None, &dialer, &run::clock()).await.unwrap();
    assert_eq!(login.folders, [("INBOX".to_owned(), Placement::Inbox), ("Junk".to_owned(), Placement::Junk)]);
    std::fs::set_permissions(maildir(&dovecot), std::fs::Permissions::from_mode(0o700)).unwrap();
}

#[tokio::test]
async fn our_own_field_is_found_behind_megabytes_of_others() {
    let dovecot = Dovecot::run(&Settings::default());
    dovecot.deliver("Subject: makes the folders\n\nhello\n");
    let path = maildir(&dovecot);
    let mut rig = Rig::new(inbox(path.clone())).watch();
    rig.expect_sight().await;
    let token = token(&key(), CanaryId::from_bits(7), wall());
    let put = |name: &str, mail: String| {
        std::fs::write(path.join("tmp").join(name), mail).unwrap();
        std::fs::rename(path.join("tmp").join(name), path.join("new").join(name)).unwrap();
    };
    let filler = format!("X-Pad: {}\r\n", "x".repeat(900)).repeat(11_000);
    put("1.M1P1.host", format!("Subject: a\r\n{filler}X-Mailcanary:\r\n {token}\r\nX-More: b\r\n\r\nhello\r\n"));
    let seen = rig.sighting().await;
    assert_eq!(seen.canary, CanaryId::from_bits(7));
    // What stands in the text is none.
    let quoted = token.clone();
    put("2.M1P1.host", format!("From: a@quoting.example\r\n{filler}\r\nX-Mailcanary: {quoted}\r\n"));
    put("3.M1P1.host", mail(8).replace('\n', "\r\n"));
    assert_eq!(rig.sighting().await.canary, CanaryId::from_bits(8));
}
