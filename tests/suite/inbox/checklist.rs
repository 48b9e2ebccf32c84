//! What is left of the list of servers that were seen: each a test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mailcanary::edge::inbox::Wanted;
use tokio::io::{AsyncReadExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::*;
use crate::inbox_hostile::{DATE, canary, reader};
use crate::support::fake_imap::{Answer, Fake, Mail, say};

#[tokio::test]
async fn a_late_greeting_is_waited_for_and_nothing_is_said_before_it() {
    let fake = Fake::run(|_| Answer::Usual).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut rig = Rig::new(inbox_at(port, Tls::None)).watch_at(Pace { greeting: Duration::from_secs(20), ..brisk() });
    let (mut client, _) = listener.accept().await.unwrap();
    let spoke = timeout(Duration::from_millis(300), client.read(&mut [0; 64])).await;
    assert!(spoke.is_err(), "{spoke:?}");
    let relay = async {
        loop {
            let mut server = TcpStream::connect(("127.0.0.1", fake.port)).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
            client = listener.accept().await.unwrap().0;
        }
    };
    tokio::select! {
        () = relay => {}
        () = rig.expect_sight() => {}
    }
    assert_eq!(fake.count("LOGIN"), 1);
}

#[tokio::test]
async fn a_slow_login_is_waited_for_and_one_that_never_ends_is_not() {
    let fake = Fake::run(|c| if c.line.starts_with("LOGIN") { Answer::Hang } else { Answer::Usual }).await;
    let pace = Pace { login: Duration::from_millis(300), ..brisk() };
    let (class, why) = Rig::new(inbox_at(fake.port, Tls::None)).watch_at(pace).blindness().await;
    assert_eq!(class, Class::Network);
    assert!(why.contains("no answer to LOGIN"), "{why}");
    assert_eq!(Pace::default().login, Duration::from_secs(60));
}

#[tokio::test]
async fn a_server_that_says_that_it_is_still_there_is_believed() {
    // Between any two of them a sweep: a connection that only chatters is no proof.
    let fake = Fake::run(|c| if c.line == "IDLING" { say("* OK Still here\r\n* OK Still here\r\n") } else { Answer::Usual }).await;
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    fake.put("INBOX", canary(1, 1));
    assert_eq!(rig.sighting().await.canary.bits(), 1);
    assert_eq!(fake.count("GREETING"), 2, "one connection a folder, kept");
}

#[tokio::test]
async fn responses_that_nobody_asked_for_do_no_harm() {
    let fake = Fake::run(|c| match c.line.as_str() {
        "NOOP" => say("* 1 EXPUNGE\r\n* 3 FETCH (FLAGS (\\Seen))\r\n* 5 RECENT\r\n* FLAGS (\\Seen)\r\nTAG OK done\r\n"),
        _ => Answer::Usual,
    })
    .await;
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    fake.put("INBOX", canary(1, 1));
    assert_eq!(rig.sighting().await.canary.bits(), 1);
    rig.look().await;
    assert!(rig.sighted.is_empty());
}

#[tokio::test]
async fn uids_that_go_down_mean_one_new_look() {
    let fake = Fake::run(|_| Answer::Usual).await;
    fake.folder("INBOX", |f| f.mail = vec![canary(3, 3)]);
    // An earlier run stood behind a UID that is not there any more.
    let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).with_cursor(r#"{"v":1,"folders":{"INBOX":[7,40],"Junk":[8,0]}}"#).watch();
    assert_eq!(rig.sighting().await.canary.bits(), 3);
    fake.put("INBOX", canary(4, 4));
    assert_eq!(rig.sighting().await.canary.bits(), 4);
}

/// A mail of somebody else that came just now.
fn strange(uid: u32) -> Mail {
    let header = format!("Message-ID: <{uid}@else.example>\r\nFrom: a@else.example\r\nSubject: hello\r\n\r\n").into_bytes();
    Mail { uid, date: today(), header, body: Vec::new() }
}

/// `INTERNALDATE` of what comes now.
fn today() -> String {
    chrono::DateTime::from_timestamp_millis(wall().as_ms()).unwrap().format("%d-%b-%Y %H:%M:%S +0000").to_string()
}

/// Courier's, until the folder was opened for writing once; and one that never learns.
#[tokio::test]
async fn a_folder_that_is_numbered_anew_at_each_opening_has_its_mail_handed_over_once() {
    for renews in [1, usize::MAX] {
        let fake = Fake::run(|_| Answer::Usual).await;
        // Without IDLE every look opens it.
        *fake.capability.lock().unwrap() = "IMAP4rev1 UIDPLUS".to_owned();
        fake.folder("INBOX", |f| {
            (f.renews, f.no_uid_next) = (renews, true);
            f.mail = vec![Mail { date: DATE.to_owned(), ..strange(1) }, Mail { date: DATE.to_owned(), ..canary(2, 2) }];
        });
        let wanted = Wanted { messages: Some(Arc::new(|_| true)), strangers: true };
        let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).wanting(wanted).watch();
        rig.expect_sight().await;
        rig.look().await;
        fake.folder("INBOX", |f| f.mail.push(Mail { date: today(), ..canary(3, 3) }));
        fake.folder("INBOX", |f| f.mail.push(strange(4)));
        let (mut handed, mut strangers, mut looks) = (Vec::new(), Vec::new(), 0);
        for look in 1..=6 {
            rig.hint(true, 100 + look);
            while looks < look {
                match rig.next().await {
                    Report::Mail { canary, .. } => handed.push(canary.bits()),
                    Report::Stranger { message, .. } => strangers.push(String::from_utf8_lossy(&message).contains("<4@")),
                    Report::Read { .. } => looks += 1,
                    Report::Blind { why, .. } => panic!("{why}"),
                    Report::Sighted { .. } | Report::Sight | Report::Receipt(_) | Report::Mismatched { .. } | Report::Forged => {}
                }
            }
        }
        assert!(fake.count("EXAMINE \"INBOX\"") >= 3, "{:?}", fake.log.lock().unwrap());
        assert_eq!((handed, strangers), (vec![3], vec![true]), "{renews}: old mail is left alone, and new mail told once");
        assert_eq!(fake.count("SELECT"), 1);
    }
}

/// A mailbox that was rebuilt: what lay there before we began is nobody's news.
#[tokio::test]
async fn a_mailbox_that_was_numbered_anew_once_makes_no_strangers_of_old_mail() {
    let fake = Fake::run(|_| Answer::Usual).await;
    fake.folder("INBOX", |f| f.mail = (1..=20).map(|uid| Mail { date: DATE.to_owned(), ..strange(uid) }).collect());
    let wanted = Wanted { messages: Some(Arc::new(|_| true)), strangers: true };
    let cursor = r#"{"v":1,"folders":{"INBOX":[6,20],"Junk":[8,0]}}"#;
    let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).wanting(wanted).with_cursor(cursor).watch();
    rig.expect_sight().await;
    fake.put("INBOX", strange(21));
    let told = rig.next_but_reads().await;
    assert!(matches!(&told, Report::Stranger { copy, .. } if copy == "INBOX/7/21"), "{told:?}");
    // And while we look on.
    fake.folder("INBOX", |f| f.uid_validity = 9);
    fake.put("INBOX", strange(22));
    let told = rig.next_but_reads().await;
    assert!(matches!(&told, Report::Stranger { copy, .. } if copy.ends_with("/22")), "{told:?}");
    let opened = fake.count("EXAMINE \"INBOX\"");
    fake.wait_for("EXAMINE \"INBOX\"", opened + 2).await;
    fake.put("INBOX", strange(23));
    let told = rig.next_but_reads().await;
    assert!(matches!(&told, Report::Stranger { copy, .. } if copy == "INBOX/9/23"), "{told:?}");
}

#[tokio::test]
async fn a_message_that_moves_to_junk_is_told_of_there_too() {
    let fake = Fake::run(|_| Answer::Usual).await;
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    fake.put("INBOX", canary(1, 1));
    assert_eq!(rig.sighting().await.placement, Placement::Inbox);
    fake.folder("INBOX", |f| f.mail.clear());
    fake.put("Junk", canary(1, 1));
    let seen = rig.sighting().await;
    assert_eq!((seen.placement, seen.copy.as_str()), (Placement::Junk, "Junk/8/1"));
}

#[tokio::test]
async fn two_copies_are_two_and_a_clock_that_is_ahead_is_told_as_it_is() {
    let fake = Fake::run(|_| Answer::Usual).await;
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    fake.put("INBOX", canary(1, 1));
    let mut ahead = canary(2, 1);
    ahead.date = "08-Aug-2092 22:30:00 +0000".to_owned();
    fake.put("INBOX", ahead);
    let (first, second) = (rig.sighting().await, rig.sighting().await);
    assert_eq!((first.canary, first.copy.as_str()), (second.canary, "INBOX/7/1"));
    assert_eq!(second.copy, "INBOX/7/2");
    assert!(second.arrived_at > second.seen_at, "the watchdog judges by it, and says that the clock is off");
}

#[tokio::test]
async fn a_header_that_was_rewritten_is_read() {
    let fake = Fake::run(|_| Answer::Usual).await;
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    let token = token(&key(), CanaryId::from_bits(5), wall());
    let encoded = data_encoding::BASE64.encode(format!("Neu {token}").as_bytes());
    let mut folded = canary(1, 1);
    folded.header = format!("sUBJECT:\r\n =?utf-8?B?{encoded}?=\r\n\r\n").into_bytes();
    fake.put("INBOX", folded);
    assert_eq!(rig.sighting().await.canary.bits(), 5);
}

#[tokio::test]
async fn fifty_thousand_old_messages_are_not_fetched() {
    let fake = Fake::run(|_| Answer::Usual).await;
    let old = |uid| Mail { uid, date: DATE.to_owned(), header: b"Subject: old\r\n\r\n".to_vec(), body: Vec::new() };
    fake.folder("INBOX", |f| f.mail = (1..=50_000).map(old).collect());
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    fake.put("INBOX", canary(50_001, 1));
    assert_eq!(rig.sighting().await.canary.bits(), 1);
    let log = fake.log.lock().unwrap();
    let sets: Vec<&str> =
        log.iter().filter(|c| c.line.contains("FETCH")).filter_map(|c| c.line.split(' ').find(|w| w.contains(":*"))).collect();
    assert!(sets.iter().all(|set| set.split(':').next().unwrap().parse::<u32>().unwrap() > 49_000 || set.starts_with("1:")), "{sets:?}");
}

#[tokio::test]
async fn a_server_that_hangs_up_after_refusals_is_called_again_with_pauses() {
    let refusals = AtomicUsize::new(0);
    let fake = Fake::run(move |c| match c.line.as_str() {
        line if line.starts_with("EXAMINE") && refusals.fetch_add(1, Ordering::SeqCst) < 3 => {
            say("TAG BAD Error in IMAP command\r\n* BYE Too many bad commands\r\n")
        }
        _ => Answer::Usual,
    })
    .await;
    let mut rig = reader(&fake);
    rig.blindness().await;
    rig.expect_sight().await;
    assert!(fake.count("GREETING") >= 3);
}

#[tokio::test]
async fn an_expired_certificate_blinds() {
    let authority = Authority::new();
    let expired = authority.issue_expired(&["localhost"]);
    let dovecot = Dovecot::run(&Settings { tls: Some((expired.cert, expired.key)), ..Settings::default() });
    let mut rig = Rig::new(inbox_at(dovecot.imaps, Tls::Implicit)).trusting(&authority.file()).watch();
    let (class, why) = rig.blindness().await;
    assert_eq!(class, Class::Tls);
    assert!(why.contains("expired"), "{why}");
}
