//! Servers that misbehave, each as one was seen to or may.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mailcanary::config::{InboxKind, Tls};
use mailcanary::edge::inbox::{Pace, Report};
use mailcanary::model::{CanaryId, Class, Placement};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout};

use crate::inbox::{Rig, brisk, inbox_at, mail};
use crate::support::fake_imap::{Answer, Command, Fake, Mail, one, say};

pub const DATE: &str = "08-Aug-2022 19:30:00 +0000";

/// A reader of this server.
pub fn reader(fake: &Fake) -> Rig {
    Rig::new(inbox_at(fake.port, Tls::None)).watch()
}

/// A canary as it lies in a mailbox.
pub fn canary(uid: u32, n: u64) -> Mail {
    let text = mail(n).replace('\n', "\r\n");
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    Mail { uid, date: DATE.to_owned(), header: format!("{header}\r\n\r\n").into_bytes(), body: body.as_bytes().to_vec() }
}

/// Somebody else's mail.
fn other(uid: u32, subject: &[u8]) -> Mail {
    let header = [b"Subject: ", subject, b"\r\n\r\n"].concat();
    Mail { uid, date: DATE.to_owned(), header, body: b"hello\r\n".to_vec() }
}

fn starts(command: &Command, start: &str) -> bool {
    command.line.starts_with(start)
}

#[tokio::test]
async fn a_greeting_that_never_comes_or_says_good_bye() {
    for (answer, class) in [
        (Answer::Hang, Class::Network),
        (Answer::Close, Class::Network),
        (say("* BYE Too many connections from your IP\r\n"), Class::Rate),
        (say("* BYE Server down for maintenance\r\n"), Class::Transient),
        (say("220 smtp.example.net ESMTP\r\n"), Class::Unknown),
        (Answer::Say(vec![b'x'; 100_000]), Class::Unknown),
    ] {
        let answered = answer.clone();
        let fake = Fake::run(move |c| if c.line == "GREETING" { answered.clone() } else { Answer::Usual }).await;
        let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).watch_at(Pace { greeting: Duration::from_millis(300), ..brisk() });
        let (told, why) = rig.blindness().await;
        assert_eq!(told, class, "{answer:?}: {why}");
        fake.wait_for("GREETING", 2).await;
    }
}

#[tokio::test]
async fn refusals_have_their_class_and_their_words() {
    for (at, answer, class, words) in [
        ("LOGIN", "TAG NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n", Class::Auth, "Invalid credentials"),
        ("LOGIN", "TAG NO [ALERT] Too many simultaneous connections. (Failure)\r\n", Class::Rate, "Too many simultaneous"),
        ("LOGIN", "TAG NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded\r\n", Class::Rate, "Maximum number"),
        ("LOGIN", "TAG BAD\r\n", Class::Auth, "LOGIN was refused"),
        ("LIST", "TAG BAD User is authenticated but not connected.\r\n", Class::Auth, "authenticated but not connected"),
        ("EXAMINE", "TAG BAD User is authenticated but not connected.\r\n", Class::Auth, "authenticated but not connected"),
        ("EXAMINE", "TAG BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n", Class::Rate, "throttled"),
        ("EXAMINE", "TAG NO [INUSE] locked\r\n", Class::Transient, "EXAMINE was refused"),
        ("EXAMINE", "* BYE Session expired, please login again\r\n", Class::Transient, "Session expired"),
        ("EXAMINE", "* 1 NONSENSE (((\r\n", Class::Unknown, "cannot be understood"),
    ] {
        let fake = Fake::run(move |c| if starts(c, at) { say(answer) } else { Answer::Usual }).await;
        let mut rig = reader(&fake);
        let (told, why) = rig.blindness().await;
        assert_eq!(told, class, "{answer}: {why}");
        assert!(why.contains(words), "{why}");
    }
}

#[tokio::test]
async fn a_server_that_will_not_be_told_who_asks_is_read_all_the_same() {
    for answer in ["TAG NO [CANNOT] not here\r\n", "TAG BAD Error in IMAP command ID\r\n"] {
        let fake = Fake::run(move |c| if starts(c, "ID ") { say(answer) } else { Answer::Usual }).await;
        *fake.capability.lock().unwrap() = "IMAP4rev1 IDLE ID".to_owned();
        fake.folder("INBOX", |f| f.mail.push(other(1, b"old")));
        let mut rig = reader(&fake);
        rig.expect_sight().await;
        assert!(fake.count("ID ") > 0);
    }
}

#[tokio::test]
async fn a_throttled_reader_stays_away_as_long_as_it_is_told() {
    let throttle = "TAG BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n";
    let fake = Fake::run(move |c| if starts(c, "EXAMINE") { say(throttle) } else { Answer::Usual }).await;
    let pace = Pace { rate_max: Duration::from_secs(300), ..brisk() };
    let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).watch_at(pace);
    rig.blindness().await;
    assert!(timeout(Duration::from_secs(2), fake.wait_for("GREETING", 2)).await.is_err(), "it came back within two seconds");
}

#[tokio::test]
async fn folders_without_uidnext_or_uidvalidity_are_read() {
    let fake = Fake::run(|_| Answer::Usual).await;
    for name in ["INBOX", "Junk"] {
        fake.folder(name, |f| {
            f.uid_validity = 0;
            f.no_uid_next = true;
            f.mail = (1..=120).map(|uid| other(uid, b"old")).collect();
        });
    }
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    assert_eq!(fake.count("UID FETCH 1:"), 0, "old mail is left alone");
    fake.put("INBOX", canary(121, 1));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary, seen.copy.as_str()), (CanaryId::from_bits(1), "INBOX/0/121"));
    assert_eq!(seen.arrived_at.rfc3339(), "2022-08-08T19:30:00.000Z");
}

#[tokio::test]
async fn other_uids_than_yesterday_mean_a_new_look_at_the_latest_mail() {
    let fake = Fake::run(|_| Answer::Usual).await;
    fake.folder("INBOX", |f| f.mail = (1..=300).map(|uid| canary(uid, u64::from(uid))).collect());
    // An earlier run stood under another UIDVALIDITY, or further than UIDNEXT now is.
    for cursor in [r#"{"v":1,"folders":{"INBOX":[6,300],"Junk":[8,0]}}"#, r#"{"v":1,"folders":{"INBOX":[7,4000],"Junk":[8,0]}}"#] {
        let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).with_cursor(cursor).watch();
        let first = rig.sighting().await;
        assert_eq!(first.copy, "INBOX/7/101", "the last 200");
        for n in 102..=300 {
            assert_eq!(rig.sighting().await.canary.bits(), n);
        }
        let cursor = rig.look().await;
        assert!(cursor.contains(r#""INBOX":[7,300]"#), "{cursor}");
    }
}

#[tokio::test]
async fn without_idle_or_with_one_that_is_refused_there_are_looks() {
    let fake = Fake::run(|c| if c.line == "IDLE" { say("TAG BAD\r\n") } else { Answer::Usual }).await;
    for (capability, n) in [("IMAP4rev1", 1), ("IMAP4rev1 IDLE", 2)] {
        *fake.capability.lock().unwrap() = capability.to_owned();
        let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).watch_at(Pace { quick: Duration::from_secs(9), ..brisk() });
        rig.expect_sight().await;
        if n == 2 {
            fake.wait_for("IDLE", 2).await;
        }
        fake.folder("INBOX", |f| f.mail.push(canary(n, u64::from(n))));
        assert_eq!(rig.sighting().await.canary.bits(), u64::from(n));
        rig.look().await;
    }
    assert_eq!(fake.count("IDLE"), 2, "each session asked once");
}

#[tokio::test]
async fn an_idle_that_never_pushes_is_made_up_for_by_sweeps() {
    let fake = Fake::run(|c| if c.line == "PUSH" { say("* OK Still here\r\n") } else { Answer::Usual }).await;
    let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).watch_at(Pace { quick: Duration::from_secs(9), ..brisk() });
    rig.hint(true, 0);
    rig.expect_sight().await;
    fake.wait_for("IDLING", 2).await;
    fake.put("INBOX", canary(1, 1));
    assert_eq!(rig.sighting().await.placement, Placement::Inbox);
    fake.put("Junk", canary(1, 2));
    assert_eq!(rig.sighting().await.placement, Placement::Junk);
}

#[tokio::test]
async fn a_push_is_followed_at_once_and_one_that_comes_too_early_again() {
    let early = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&early);
    let fake = Fake::run(move |c| {
        // The first two looks after the push do not find what was announced.
        let hidden = starts(c, "UID FETCH 1:") && count.load(Ordering::SeqCst) == 1;
        if hidden && count.fetch_add(1, Ordering::SeqCst) < 3 { say("TAG OK nothing yet\r\n") } else { Answer::Usual }
    })
    .await;
    let slow = Duration::from_secs(100);
    let pace = Pace { sweep: slow, slice: slow, junk_sweep: slow, quick: slow, ..brisk() };
    let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).watch_at(pace);
    rig.expect_sight().await;
    fake.wait_for("IDLING", 2).await;
    early.store(1, Ordering::SeqCst);
    let pushed = Instant::now();
    fake.put("INBOX", canary(1, 1));
    rig.sighting().await;
    println!("a push that came too early: seen after {:?}", pushed.elapsed());
}

#[tokio::test]
async fn done_that_is_never_answered_and_good_bye_in_idle_cost_one_connection() {
    for (at, answer) in
        [("DONE", Answer::Hang), ("IDLING", say("* BYE Session expired, please login again\r\n")), ("IDLING", Answer::Close)]
    {
        let fake = Fake::run(move |c| if c.line == at && c.connection == 0 { answer.clone() } else { Answer::Usual }).await;
        let mut rig = reader(&fake);
        rig.expect_sight().await;
        fake.put("INBOX", canary(1, 1));
        assert_eq!(rig.sighting().await.canary.bits(), 1);
    }
}

/// Passes bytes on until told to swallow them, without ever closing.
async fn relay(to: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let swallowed = Arc::new(AtomicUsize::new(0));
    let upto = Arc::clone(&swallowed);
    tokio::spawn(async move {
        for number in 1.. {
            let (near, _) = listener.accept().await.unwrap();
            let far = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
            let ((mut a, mut b), (mut c, mut d)) = (near.into_split(), far.into_split());
            let dead = Arc::clone(&upto);
            let pass = async move |from: &mut tokio::net::tcp::OwnedReadHalf, into: &mut tokio::net::tcp::OwnedWriteHalf| {
                let mut block = [0; 4096];
                while let Ok(n) = from.read(&mut block).await {
                    if n == 0 || dead.load(Ordering::SeqCst) >= number {
                        std::future::pending::<()>().await;
                    }
                    let _ = into.write_all(&block[..n]).await;
                }
            };
            let pass = Arc::new(pass);
            let back = Arc::clone(&pass);
            tokio::spawn(async move { pass(&mut a, &mut d).await });
            tokio::spawn(async move { back(&mut c, &mut b).await });
        }
    });
    (port, swallowed)
}

#[tokio::test]
async fn a_connection_that_dies_in_idle_without_a_word_is_found_dead() {
    let fake = Fake::run(|_| Answer::Usual).await;
    let (port, swallowed) = relay(fake.port).await;
    let mut rig = Rig::new(inbox_at(port, Tls::None)).watch();
    rig.expect_sight().await;
    fake.wait_for("IDLING", 2).await;
    swallowed.store(2, Ordering::SeqCst);
    let died = Instant::now();
    fake.put("INBOX", canary(1, 1));
    fake.put("Junk", canary(1, 2));
    let mut seen = [rig.sighting().await.canary.bits(), rig.sighting().await.canary.bits()];
    seen.sort_unstable();
    assert_eq!(seen, [1, 2]);
    println!("a dead connection: found and replaced after {:?}, with a sweep every 0.7 s and 0.5 s for DONE", died.elapsed());
}

#[tokio::test]
async fn answers_in_single_bytes_and_headers_beyond_ascii_are_read() {
    let fake = Fake::run(|c| {
        if !starts(c, "UID FETCH") {
            return Answer::Usual;
        }
        let mut mail = canary(2, 2);
        mail.header = [b"Subject: \xff\xfe\xe9 [x]\xe9\xe9\r\n", &mail.header[..]].concat();
        Answer::Drip([&one(1, &other(1, b"old"), &c.line)[..], &one(2, &mail, &c.line), b"TAG OK done\r\n"].concat())
    })
    .await;
    fake.folder("INBOX", |f| f.mail = vec![other(1, b"old")]);
    let mut rig = reader(&fake);
    assert_eq!(rig.sighting().await.canary.bits(), 2);
}

/// A server whose answer for UID 2 is `bad`, whenever 2 is asked for.
async fn with_bad_second(bad: &'static [u8]) -> Arc<Fake> {
    let fake = Fake::run(move |c| {
        let set = c.line.split(' ').nth(2).unwrap_or_default();
        let asks =
            starts(c, "UID FETCH") && (set == "2" || set.split(',').any(|s| s == "2") || set.starts_with("1:") || set.starts_with("2:"));
        if asks && c.line.contains("HEADER") {
            let first = if set.starts_with('1') { one(1, &canary(1, 1), &c.line) } else { Vec::new() };
            return Answer::Say([&first[..], bad].concat());
        }
        Answer::Usual
    })
    .await;
    fake.folder("INBOX", |f| f.mail = vec![canary(1, 1), other(2, b"bad"), canary(3, 3)]);
    fake.folders.lock().unwrap().remove("Junk");
    fake
}

#[tokio::test]
async fn one_message_that_cannot_be_read_does_not_hide_the_next() {
    let huge = b"* 2 FETCH (UID 2 BODY[HEADER.FIELDS (SUBJECT)] {400000000}\r\n";
    let flood: &'static [u8] = Box::leak([&huge[..], &vec![b'x'; 9 << 20]].concat().into_boxed_slice());
    let bad: [&'static [u8]; 6] = [
        b"* 2 FETCH (UID 2 INTERNALDATE \0 oops\r\nTAG OK done\r\n",
        b"* 2 FETCH (UID 2 BODY[HEADER.FIELDS (SUBJECT)] \"unclosed\r\nTAG OK done\r\n",
        b"TAG NO [SERVERBUG] Internal error occurred\r\n",
        b"* 2 FETCH (UID 2 INTERNALDATE NIL BODY[HEADER.FIELDS (SUBJECT)] NIL)\r\nTAG OK done\r\n",
        b"* BYE Internal error occurred\r\n",
        flood,
    ];
    for answer in bad {
        let fake = with_bad_second(answer).await;
        let cursor = r#"{"v":1,"folders":{"INBOX":[7,0],"Junk":[8,0]}}"#;
        let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).with_cursor(cursor).watch();
        let mut seen = vec![rig.sighting().await.canary.bits()];
        while *seen.last().unwrap() != 3 {
            seen.push(rig.sighting().await.canary.bits());
        }
        assert!(seen.contains(&1), "{seen:?} with {}", String::from_utf8_lossy(&answer[..answer.len().min(60)]));
        println!("{}: {seen:?}", String::from_utf8_lossy(&answer[..answer.len().min(60)]));
        let cursor = rig.look().await;
        assert!(cursor.contains(r#""INBOX":[7,3]"#), "{cursor}");
    }
}

#[tokio::test]
async fn a_fetch_that_is_refused_or_cut_off_is_no_complete_read() {
    for answer in [say("TAG NO [OVERQUOTA] Account exceeded command or bandwidth limits\r\n"), Answer::Close] {
        let fake = Fake::run(move |c| if starts(c, "UID FETCH") { answer.clone() } else { Answer::Usual }).await;
        let mut rig = reader(&fake);
        for _ in 0..3 {
            let report = rig.next().await;
            assert!(matches!(report, Report::Blind { .. }), "{report:?}");
            if timeout(Duration::from_millis(500), rig.reports.recv()).await.is_err() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn several_junk_folders_and_one_without_a_mark_are_read() {
    let fake = Fake::run(|_| Answer::Usual).await;
    {
        let mut folders = fake.folders.lock().unwrap();
        let junk = folders["Junk"].clone();
        folders.insert("Bulk".to_owned(), junk);
    }
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    fake.put("Bulk", canary(1, 1));
    assert_eq!(rig.sighting().await.copy, "Bulk/8/1");
    fake.put("Junk", canary(1, 2));
    assert_eq!(rig.sighting().await.copy, "Junk/8/1");
    drop(rig);

    let fake = Fake::run(|_| Answer::Usual).await;
    {
        let mut folders = fake.folders.lock().unwrap();
        let mut junk = folders.remove("Junk").unwrap();
        junk.attributes = "";
        folders.insert("Correo no deseado".to_owned(), junk);
    }
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    fake.put("Correo no deseado", canary(1, 3));
    assert_eq!(rig.sighting().await.placement, Placement::Junk);
}

#[tokio::test]
async fn configured_junk_folders_need_no_list_and_may_come_later() {
    let fake =
        Fake::run(
            |c| if c.line.starts_with("LIST") { say("* LIST (\\X) \"/\" a (\"OLDNAME\" (\"b\"))\r\nTAG OK\r\n") } else { Answer::Usual },
        )
        .await;
    let mut inbox = inbox_at(fake.port, Tls::None);
    let InboxKind::Imap(imap) = &mut inbox.kind else { panic!("no IMAP") };
    imap.junk = Some(vec!["Спам".to_owned()]);
    let mut rig = Rig::new(inbox).watch();
    rig.expect_sight().await;
    {
        let mut folders = fake.folders.lock().unwrap();
        let mut late = folders["Junk"].clone();
        late.mail = vec![canary(1, 1)];
        folders.insert("&BCEEPwQwBDw-".to_owned(), late);
    }
    let seen = rig.sighting().await;
    assert_eq!((seen.placement, seen.copy.as_str()), (Placement::Junk, "&BCEEPwQwBDw-/8/1"));
}

#[tokio::test]
async fn a_folder_that_refuses_the_second_session_is_read_by_the_first() {
    let fake = Fake::run(|c| {
        let second = c.connection > 0 && starts(c, "LOGIN");
        if second { say("TAG NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded\r\n") } else { Answer::Usual }
    })
    .await;
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    fake.put("Junk", canary(1, 1));
    assert_eq!(rig.sighting().await.placement, Placement::Junk);
    rig.look().await;
}

#[tokio::test]
async fn what_a_read_found_is_told_before_the_read_and_the_horizon_waits_for_junk() {
    let fake = Fake::run(|c| if starts(c, "EXAMINE \"Junk\"") && c.connection == 0 { Answer::Hang } else { Answer::Usual }).await;
    fake.folder("INBOX", |f| f.mail = vec![canary(1, 1)]);
    let cursor = r#"{"v":1,"folders":{"INBOX":[7,0],"Junk":[8,0]}}"#;
    let pace = Pace { command: Duration::from_millis(400), ..brisk() };
    let mut rig = Rig::new(inbox_at(fake.port, Tls::None)).with_cursor(cursor).watch_at(pace);
    assert!(matches!(rig.next().await, Report::Blind { class: Class::Network, .. }), "junk was never read");
    assert!(matches!(rig.next().await, Report::Sighted { .. }));
    assert_eq!(rig.next().await, Report::Sight);
    assert!(matches!(rig.next().await, Report::Read { .. }));
}

#[tokio::test]
async fn the_body_is_asked_for_only_when_the_header_says_nothing() {
    let fake = Fake::run(|_| Answer::Usual).await;
    let mut rig = reader(&fake);
    rig.expect_sight().await;
    fake.put("INBOX", canary(1, 1));
    rig.sighting().await;
    assert_eq!(fake.count("UID FETCH 1 (UID BODY.PEEK[]"), 0);
    let mut late = other(2, b"plain");
    late.date = String::new();
    late.body = canary(2, 2).header;
    fake.put("INBOX", late);
    let seen = rig.sighting().await;
    assert_eq!(seen.arrived_at, seen.seen_at, "no date at all: when we saw it");
    assert_eq!(fake.count("UID FETCH 2 (UID BODY.PEEK[]<0.65536>)"), 1);
    let all = fake.log.lock().unwrap();
    assert!(all.iter().all(|c| !c.line.contains("BODY[") && !c.line.starts_with("SELECT")), "nothing is changed");
}

/// What was asked to be deleted for good, message by message.
fn expunged(fake: &Fake) -> Vec<String> {
    let log = fake.log.lock().unwrap();
    log.iter().filter_map(|c| c.line.strip_prefix("UID EXPUNGE ").map(str::to_owned)).collect()
}

#[tokio::test]
async fn a_cleaning_that_fails_goes_on_where_it_was() {
    let failures = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&failures);
    let fake = Fake::run(move |c| match c.line.as_str() {
        // The first time it breaks in the middle; then one message is never handed out.
        line if line.starts_with("UID EXPUNGE") && count.fetch_add(1, Ordering::SeqCst) == 0 => Answer::Close,
        line if line.starts_with("UID FETCH 3 (UID INTERNALDATE") => say("TAG NO not that one\r\n"),
        line if line.starts_with("UID FETCH 1,2,3,4") => say("TAG NO not that one\r\n"),
        _ => Answer::Usual,
    })
    .await;
    let mut inbox = inbox_at(fake.port, Tls::None);
    inbox.delete = true;
    fake.folder("INBOX", |f| f.mail = (1..=4).map(|uid| canary(uid, u64::from(uid))).collect());
    let pace = Pace { delete_after: Duration::ZERO, delete_every: Duration::from_millis(50), ..brisk() };
    let cursor = r#"{"v":1,"folders":{"INBOX":[7,4],"Junk":[8,0]},"clean":{"INBOX":0,"Junk":0}}"#;
    let mut rig = Rig::new(inbox).with_cursor(cursor).watch_at(pace);
    rig.expect_sight().await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while expunged(&fake).last().map(String::as_str) != Some("4") {
        assert!(Instant::now() < deadline, "{:?}", expunged(&fake));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(expunged(&fake), ["1", "1", "2", "4"], "the first again, since its end was not seen; never the one that cannot be proved");
    let mut cursor = rig.look().await;
    while !cursor.contains(r#""clean":{"INBOX":4"#) {
        assert!(Instant::now() < deadline, "{cursor}");
        cursor = rig.look().await;
    }
}

#[tokio::test]
async fn without_uidplus_canaries_are_marked_and_nothing_is_expunged() {
    let fake = Fake::run(|_| Answer::Usual).await;
    *fake.capability.lock().unwrap() = "IMAP4rev1 IDLE".to_owned();
    let mut inbox = inbox_at(fake.port, Tls::None);
    inbox.delete = true;
    let pace = Pace { delete_after: Duration::ZERO, delete_every: Duration::from_millis(50), ..brisk() };
    let mut rig = Rig::new(inbox).watch_at(pace);
    rig.hint(true, 0);
    rig.expect_sight().await;
    fake.put("INBOX", canary(1, 1));
    rig.sighting().await;
    fake.wait_for("UID STORE 1 +FLAGS.SILENT (\\Deleted)", 1).await;
    assert_eq!((fake.count("UID EXPUNGE"), fake.count("EXPUNGE"), fake.count("CLOSE")), (0, 0, 0));
}
