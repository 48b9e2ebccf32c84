//! Reading over JMAP: a real Cyrus, which has no push in Debian's version, and servers with other manners.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mailcanary::config::{Inbox, InboxKind, JmapSettings, OAuth, Proof, SecretRef};
use mailcanary::edge::dial::Dialer;
use mailcanary::edge::inbox::Wanted;

use super::rig::inbox_of;
use super::*;
use crate::support::cyrus::{Cyrus, Naming};
use crate::support::dovecot::USER;
use crate::support::fake_jmap::{FakeJmap, Odd};

/// An inbox that is read over JMAP there.
pub(super) fn inbox(url: &str) -> Inbox {
    let settings = JmapSettings {
        url: url.to_owned(),
        username: USER.to_owned(),
        proof: Proof::Password(SecretRef::Env("UNUSED".to_owned())),
        expires: None,
        account: None,
        junk: None,
        preset: None,
    };
    inbox_of(InboxKind::Jmap(settings), USER)
}

fn at_cyrus(cyrus: &Cyrus) -> Inbox {
    inbox(&format!("http://127.0.0.1:{}", cyrus.http))
}

/// Where nothing but push is fast.
fn pushed() -> Pace {
    let minute = Duration::from_secs(60);
    Pace { sweep: minute, slice: minute, poll_outstanding: minute, poll_quiet: minute, ..brisk() }
}

async fn started(fake: &FakeJmap) -> Rig {
    let mut rig = Rig::new(inbox(&fake.base)).watch();
    rig.expect_sight().await;
    rig
}

fn answers(status: u16, kind: &'static str, body: &str) -> Odd {
    Odd::Answer(status, vec![("content-type", kind.to_owned())], body.as_bytes().to_vec())
}

#[tokio::test]
async fn at_a_real_cyrus_a_canary_is_seen_in_inbox_and_in_junk() {
    let cyrus = Cyrus::run(Naming::Dots, "Quarantine");
    let mut rig = Rig::new(at_cyrus(&cyrus)).wanting(Wanted { messages: Some(Arc::new(|_| true)), strangers: true }).watch();
    rig.expect_sight().await;
    let before = wall();
    cyrus.deliver(&mail(1));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary, seen.placement), (CanaryId::from_bits(1), Placement::Inbox));
    assert!(seen.arrived_at.as_ms() / 1000 >= before.as_ms() / 1000 && seen.arrived_at <= seen.seen_at, "{seen:?}");
    assert!(seen.received_top.is_some() && seen.copy.contains("/0/"), "{seen:?}");
    let Report::Mail { canary, message, .. } = rig.next_but_reads().await else { panic!("no message") };
    assert!(canary.bits() == 1 && String::from_utf8_lossy(&message).contains("Click here."));
    cyrus.deliver(&format!("X-Spam: yes\n{}", mail(2)));
    let first = seen.copy;
    let seen = rig.sighting().await;
    assert_eq!((seen.canary, seen.placement), (CanaryId::from_bits(2), Placement::Junk));
    rig.next_but_reads().await;
    cyrus.deliver("From: x@example.org\nSubject: hello\n\nnobody's\n");
    assert!(matches!(rig.next_but_reads().await, Report::Stranger { .. }));

    let cursor = rig.look().await;
    drop(rig);
    cyrus.deliver(&mail(3));
    let mut again = Rig::new(at_cyrus(&cyrus)).with_cursor(&cursor).watch();
    assert_eq!(again.sighting().await.canary.bits(), 3, "and none that was told of before");
    // Somebody reads it: that is no other copy.
    cyrus.imap_says(&["SELECT INBOX", "STORE 1:* +FLAGS (\\Seen)"]);
    again.look().await;
    assert!(again.sighted.iter().all(|seen| seen.copy == first), "{:?}", again.sighted);
    let state = r#"{"v":1,"jmap":["seed@example.test","not a state",0]}"#;
    let mut lost = Rig::new(at_cyrus(&cyrus)).with_cursor(state).watch();
    let found = [lost.sighting().await, lost.sighting().await, lost.sighting().await].map(|seen| seen.canary.bits());
    assert_eq!(found.iter().sum::<u64>(), 6, "{found:?}");
}

#[tokio::test]
async fn at_a_real_cyrus_own_canaries_are_deleted_and_a_wrong_password_is_told() {
    let cyrus = Cyrus::run(Naming::Slashes, "Junk");
    cyrus.deliver("From: x@example.org\nSubject: keep me\n\nmine\n");
    let inbox = Inbox { delete: true, ..at_cyrus(&cyrus) };
    let pace = Pace { delete_after: Duration::from_millis(100), delete_every: Duration::ZERO, ..brisk() };
    let mut rig = Rig::new(inbox.clone()).watch_at(pace);
    rig.expect_sight().await;
    cyrus.deliver(&mail(1));
    rig.sighting().await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while !cyrus.imap_says(&["STATUS INBOX (MESSAGES)"]).contains("MESSAGES 1)") {
        assert!(Instant::now() < deadline, "{}", cyrus.imap_says(&["STATUS INBOX (MESSAGES)"]));
        rig.look().await;
    }
    let (class, why) = Rig::new(inbox.clone()).with_password("wrong").watch().blindness().await;
    assert!(class == Class::Auth && why.contains("HTTP 401"), "{why}");

    let dialer = Dialer::new(&inbox.wire).unwrap();
    let (credentials, now) = (Credentials::Password(Secret::new(PASSWORD.to_owned())), run::clock());
    let login = log_in(&inbox, &credentials, &dialer, &now).await.unwrap();
    assert_eq!(login.folders, [("Inbox".to_owned(), Placement::Inbox), ("Junk".to_owned(), Placement::Junk)]);
    assert!(login.capabilities.is_empty(), "this one has no push");
}

#[tokio::test]
async fn with_push_a_canary_is_seen_at_once_and_nobody_is_polled() {
    let fake = FakeJmap::run(|_| Odd::Usual).await;
    let mut rig = Rig::new(inbox(&fake.base)).watch_at(pushed());
    rig.expect_sight().await;
    fake.wait_for("GET /events/", 1).await;
    for n in 1..=3 {
        fake.put(&n.to_string(), if n == 2 { "junk" } else { "in" }, &mail(n));
        let seen = rig.sighting().await;
        let placement = if n == 2 { Placement::Junk } else { Placement::Inbox };
        assert_eq!((seen.canary.bits(), seen.placement), (n, placement));
    }
    assert!(fake.count("Email/changes") <= 12, "{}", fake.count("Email/changes"));
    let (inbox, credentials, now) = (inbox(&fake.base), Credentials::Password(Secret::new("x".to_owned())), run::clock());
    let login = log_in(&inbox, &credentials, &Dialer::new(&inbox.wire).unwrap(), &now).await.unwrap();
    assert_eq!((login.folders[1].0.as_str(), login.capabilities), ("Müll", vec!["PUSH"]));
}

#[tokio::test]
async fn an_event_source_that_falls_silent_is_opened_anew() {
    let fake = FakeJmap::with(|_| Odd::Usual, false).await;
    let pace = Pace { slice: Duration::from_secs(1), sweep: Duration::from_secs(60), ..brisk() };
    let mut rig = Rig::new(inbox(&fake.base)).watch_at(pace);
    rig.expect_sight().await;
    fake.wait_for("GET /events/", 3).await;
    fake.put("1", "in", &mail(1));
    assert_eq!(rig.sighting().await.canary.bits(), 1);
}

#[tokio::test]
async fn without_push_and_with_narrow_limits_everything_is_read_all_the_same() {
    let fake = FakeJmap::run(|asked| if asked.starts_with("GET /events") { answers(204, "", "") } else { Odd::Usual }).await;
    fake.store(|store| (store.get_most, store.calls_most) = (1, 1));
    // Older than we are, and none of ours to tell of.
    fake.put_at("old", "in", &mail(9), wall().as_ms() / 1000 - 7000);
    let mut rig = started(&fake).await;
    for n in 1..=4 {
        fake.put(&n.to_string(), "in", &mail(n));
    }
    let mut found = Vec::new();
    while found.len() < 4 {
        found.push(rig.sighting().await.canary.bits());
    }
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3, 4]);
    assert_eq!(fake.count("GET /events"), 1, "who says that there is none is not asked again");
    fake.change("old", "in");
    fake.change("1", "in");
    rig.look().await;
    assert!(rig.sighted.is_empty(), "marks are no sightings");
    fake.change("1", "junk");
    assert_eq!(rig.sighting().await.placement, Placement::Junk);
    fake.put("far", "old", &mail(7));
    rig.look().await;
    assert!(rig.sighted.is_empty(), "the archive is not read");
}

#[tokio::test]
async fn a_server_that_forgot_what_changed_is_read_again() {
    let fake = FakeJmap::run(|_| Odd::Usual).await;
    let mut rig = started(&fake).await;
    fake.store(|store| store.forgetful_before = 1000);
    fake.put("1", "junk", &mail(1));
    let seen = rig.sighting().await;
    assert_eq!((seen.canary.bits(), seen.placement, seen.copy.as_str()), (1, Placement::Junk, "junk/0/1"));
}

#[tokio::test]
async fn what_a_server_says_of_its_refusal_is_understood() {
    let problem = "application/problem+json";
    let cases: [(u16, &'static str, &str, Class, &str); 7] = [
        (429, problem, r#"{"type":"urn:ietf:params:jmap:error:limit","limit":"requests"}"#, Class::Rate, "HTTP 429: limit"),
        (400, problem, r#"{"type":"urn:ietf:params:jmap:error:limit","detail":"too\nfast"}"#, Class::Rate, "limit: too fast"),
        (400, problem, r#"{"type":"urn:ietf:params:jmap:error:unknownCapability"}"#, Class::Permanent, "unknownCapability"),
        (403, "text/html", "<h1>no</h1>", Class::Auth, "HTTP 403 Forbidden"),
        (500, "text/plain", "oops", Class::Transient, "HTTP 500"),
        (200, "application/json", "{\"methodResponses\":[[]]}", Class::Unknown, "cannot be understood"),
        (200, "text/html", "<h1>hello</h1>", Class::Unknown, "cannot be understood"),
    ];
    for (status, kind, body, class, words) in cases {
        let body = body.to_owned();
        let fake = FakeJmap::run(move |asked| if asked == "Mailbox/get" { answers(status, kind, &body) } else { Odd::Usual }).await;
        let (found, why) = Rig::new(inbox(&fake.base)).watch().blindness().await;
        assert!(found == class && why.contains(words), "{status}: {found} {why}");
    }
}

#[tokio::test]
async fn who_asks_for_a_rest_gets_it_and_is_read_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let fake = FakeJmap::run(move |what| {
        let busy = what == "GET /session" && counted.fetch_add(1, Ordering::SeqCst) == 0;
        let retry = vec![("retry-after", "1".to_owned())];
        if busy { Odd::Answer(503, retry, Vec::new()) } else { Odd::Usual }
    })
    .await;
    let mut rig = Rig::new(inbox(&fake.base)).watch_at(Pace { rate_max: Duration::from_secs(300), ..brisk() });
    let begun = Instant::now();
    assert_eq!(rig.blindness().await.0, Class::Rate);
    rig.expect_sight().await;
    assert!(begun.elapsed() >= Duration::from_secs(1) && asked.load(Ordering::SeqCst) == 2);
}

#[tokio::test]
async fn answers_without_an_end_are_cut_off() {
    let fake = FakeJmap::run(|asked| if asked == "Mailbox/get" { Odd::Endless("[[\"x\",") } else { Odd::Usual }).await;
    let (class, why) = Rig::new(inbox(&fake.base)).watch().blindness().await;
    assert!(class == Class::Unknown && why.contains("too large"), "{why}");
    let fake = FakeJmap::run(|asked| if asked == "GET /session" { Odd::Endless(" ") } else { Odd::Usual }).await;
    assert_eq!(Rig::new(inbox(&fake.base)).watch().blindness().await.0, Class::Unknown);
    let fake = FakeJmap::run(|asked| if asked.starts_with("GET /blob/u1/B1/") { Odd::Endless("y: z\r\n") } else { Odd::Usual }).await;
    let mut rig = started(&fake).await;
    fake.put("1", "in", &mail(1));
    fake.put("2", "in", &mail(2));
    assert_eq!(rig.sighting().await.canary.bits(), 2);
    let fake = FakeJmap::run(|asked| if asked == "Email/get" { Odd::Silence } else { Odd::Usual }).await;
    let pace = Pace { command: Duration::from_millis(300), ..brisk() };
    let (class, why) = Rig::new(inbox(&fake.base)).watch_at(pace).blindness().await;
    assert!(class == Class::Network && why.contains("no answer"), "{why}");
}

#[tokio::test]
async fn a_message_that_is_not_handed_out_hides_no_other() {
    for status in [404, 500] {
        let fake = FakeJmap::run(
            move |asked| {
                if asked.starts_with("GET /blob/u1/B1/") { answers(status, "text/plain", "no") } else { Odd::Usual }
            },
        )
        .await;
        let mut rig = started(&fake).await;
        fake.put("1", "in", &mail(1));
        fake.put("2", "in", &mail(2));
        assert_eq!(rig.sighting().await.canary.bits(), 2);
        rig.look().await;
        assert!(fake.count("GET /blob/u1/B1/") <= 7, "it is given up");
    }
}

#[tokio::test]
async fn of_a_large_message_the_header_is_enough() {
    let fake = FakeJmap::run(|asked| if asked.starts_with("GET /blob") { answers(500, "", "") } else { Odd::Usual }).await;
    let mut rig = started(&fake).await;
    fake.put("1", "in", &format!("{}{}", mail(1), "x".repeat(1 << 20)));
    assert_eq!(rig.sighting().await.canary.bits(), 1);
}

#[tokio::test]
async fn nothing_that_we_log_in_with_is_shown_at_another_site() {
    let elsewhere = FakeJmap::run(|_| Odd::Usual).await;
    let other = elsewhere.base.replace("127.0.0.1", "localhost");
    let to = vec![("location", format!("{other}/session"))];
    let fake = FakeJmap::run(move |asked| if asked.contains("well-known") { Odd::Answer(301, to.clone(), Vec::new()) } else { Odd::Usual });
    let fake = fake.await;
    let (class, why) = Rig::new(inbox(&fake.base)).watch().blindness().await;
    assert!(class == Class::Policy && why.contains("another site"), "{why}");
    assert_eq!(elsewhere.count("GET"), 0);
    let round = FakeJmap::run(|_| Odd::Answer(302, vec![("location", "/again".to_owned())], Vec::new())).await;
    assert_eq!(Rig::new(inbox(&round.base)).watch().blindness().await.0, Class::Permanent);
}

#[tokio::test]
async fn a_bearer_token_is_shown_as_one() {
    let fake = FakeJmap::run(|_| Odd::Usual).await;
    let mut inbox = inbox(&fake.base);
    if let InboxKind::Jmap(jmap) = &mut inbox.kind {
        jmap.proof = Proof::OAuth(OAuth::Token(SecretRef::Env("TOKEN".to_owned())));
    }
    let mut rig = Rig::new(inbox).with_tokens(|_| Some(Secret::new("fmu1-token".to_owned()))).watch();
    rig.expect_sight().await;
    let shown = fake.store(|store| store.shown.clone());
    assert!(!shown.is_empty() && shown.iter().all(|shown| shown == "Bearer fmu1-token"), "{}", shown.len());
}
