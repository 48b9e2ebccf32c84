//! Reading, with async-imap: pushes, deaths and other sessions.

use std::time::Duration;

use async_imap::extensions::idle::IdleResponse;
use futures::TryStreamExt;
use mailcanary::model::{At, Placement};
use mailcanary::sandbox::{Fault, InboxPlan, World};
use tokio::time::{Instant, timeout};

use super::people::{in_time, name, plan, read, soon, submit, try_read, world};

/// From the mailbox to the client that idles: printed, for it is a figure; bounded, for it is a promise.
#[tokio::test(flavor = "multi_thread")]
async fn idle_pushes_at_once() {
    let world = world();
    let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("box").unwrap());
    let mut session = read(inbox).await;
    session.examine("INBOX").await.unwrap();
    let mut slowest = Duration::ZERO;
    for n in 1..=20_u32 {
        let mut idle = session.idle();
        in_time(idle.init()).await.unwrap();
        assert_eq!(inbox.counts().idling, 1);
        submit(relay, inbox.address(), "push").await.unwrap();
        soon(inbox.watch(), |c| c.delivered == u64::from(n)).await;
        let begin = Instant::now();
        let (push, _stop) = idle.wait_with_timeout(Duration::from_secs(10));
        assert!(matches!(in_time(push).await.unwrap(), IdleResponse::NewData(_)));
        slowest = slowest.max(begin.elapsed());
        session = in_time(idle.done()).await.unwrap();
        let mails: Vec<_> = in_time(
            session.uid_fetch(format!("{n}:*"), "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER])").await.unwrap().try_collect(),
        )
        .await
        .unwrap();
        let mails: Vec<async_imap::types::Fetch> = mails;
        assert_eq!((mails.len(), mails[0].uid), (1, Some(n)));
        assert!(String::from_utf8_lossy(mails[0].header().unwrap()).contains("Subject: push\r\n"));
        assert!(mails[0].internal_date().is_some());
    }
    println!("slowest of 20 pushes: {slowest:?}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    in_time(session.logout()).await.unwrap();
    soon(inbox.watch(), |c| c.open == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_and_so_is_a_right_one_when_told() {
    let world = world();
    let inbox = world.inbox("box").unwrap();
    assert!(try_read(inbox, "wrong").await.unwrap_err().to_string().contains("AUTHENTICATIONFAILED"));
    inbox.set(Fault::WrongPassword).unwrap();
    assert!(try_read(inbox, inbox.password()).await.unwrap_err().to_string().contains("AUTHENTICATIONFAILED"));
    inbox.clear();
    try_read(inbox, inbox.password()).await.unwrap();
    assert_eq!((inbox.counts().logins, inbox.counts().refused_logins), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mute_idle_never_pushes_and_still_ends() {
    let world = world();
    let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("box").unwrap());
    inbox.set(Fault::IdleMute).unwrap();
    let mut session = read(inbox).await;
    session.examine("INBOX").await.unwrap();
    let mut idle = session.idle();
    in_time(idle.init()).await.unwrap();
    submit(relay, inbox.address(), "unseen").await.unwrap();
    soon(inbox.watch(), |c| c.delivered == 1).await;
    let (push, _stop) = idle.wait_with_timeout(Duration::from_millis(300));
    assert_eq!(in_time(push).await.unwrap(), IdleResponse::Timeout);
    let mut session = in_time(idle.done()).await.unwrap();
    let mails: Vec<async_imap::types::Fetch> = in_time(session.uid_fetch("1:*", "(UID)").await.unwrap().try_collect()).await.unwrap();
    assert_eq!(mails.len(), 1, "a sweep finds it");
}

/// As when a router forgets the connection: no push, no answer, no FIN, and never again, whatever becomes of the fault.
#[tokio::test(flavor = "multi_thread")]
async fn a_dead_idle_stays_dead() {
    let world = world();
    let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("box").unwrap());
    let mut session = read(inbox).await;
    session.examine("INBOX").await.unwrap();
    let mut idle = session.idle();
    in_time(idle.init()).await.unwrap();
    inbox.set(Fault::IdleDead).unwrap();
    submit(relay, inbox.address(), "unseen").await.unwrap();
    soon(inbox.watch(), |c| c.delivered == 1).await;
    let (push, _stop) = idle.wait_with_timeout(Duration::from_millis(300));
    assert_eq!(in_time(push).await.unwrap(), IdleResponse::Timeout);
    let mut other = read(inbox).await;
    assert_eq!(in_time(other.examine("INBOX")).await.unwrap().exists, 1, "a new connection is served");
    drop(other);
    inbox.clear();
    assert!(timeout(Duration::from_millis(300), idle.done()).await.is_err(), "DONE is not answered, and the connection stays");
    soon(inbox.watch(), |c| c.open == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uids_can_be_given_anew() {
    let world = world();
    let inbox = world.inbox("box").unwrap();
    for n in 0..3 {
        inbox.append(Placement::Inbox, At::from_ms(1_659_987_000_000 + n), b"Subject: old\r\n\r\n");
    }
    let mut session = read(inbox).await;
    let before = session.select("INBOX").await.unwrap();
    let _: Vec<async_imap::types::Fetch> = session.uid_store("1", "+FLAGS (\\Deleted)").await.unwrap().try_collect().await.unwrap();
    let _: Vec<u32> = session.expunge().await.unwrap().try_collect().await.unwrap();
    let mut other = read(inbox).await;
    other.select("INBOX").await.unwrap();
    let mut idle = other.idle();
    in_time(idle.init()).await.unwrap();
    inbox.renumber();
    assert!(in_time(idle.done()).await.is_err(), "who has the folder open is sent away");
    let after = session.select("INBOX").await.unwrap();
    assert_eq!((before.uid_next, before.exists, after.uid_next, after.exists), (Some(4), 3, Some(3), 2));
    assert!(after.uid_validity > before.uid_validity);
    let mails: Vec<async_imap::types::Fetch> = session.uid_fetch("2", "(INTERNALDATE)").await.unwrap().try_collect().await.unwrap();
    assert_eq!(mails[0].internal_date().unwrap().timestamp(), 1_659_987_000);
}

/// A mailbox is bounded: the oldest go, and whoever has it open is told.
#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_go_when_it_is_over_capacity() {
    let world = World::start(plan().inbox(name("small"), InboxPlan { capacity: 10, ..InboxPlan::default() })).unwrap();
    let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("small").unwrap());
    let mut session = read(inbox).await;
    session.examine("INBOX").await.unwrap();
    for n in 0..15 {
        submit(relay, inbox.address(), &format!("mail {n}")).await.unwrap();
    }
    soon(inbox.watch(), |c| c.delivered == 15).await;
    in_time(session.noop()).await.unwrap();
    let mails: Vec<async_imap::types::Fetch> = in_time(session.fetch("1:*", "(UID)").await.unwrap().try_collect()).await.unwrap();
    let uids: Vec<u32> = mails.iter().filter_map(|m| m.uid).collect();
    assert_eq!(uids, (6..=15).collect::<Vec<_>>());
    assert_eq!(mails[0].message, 1);
}

/// A whole mailbox can be fetched at once, though that is more than is ever queued.
#[tokio::test(flavor = "multi_thread")]
async fn much_can_be_fetched_at_once() {
    let world = world();
    let inbox = world.inbox("box").unwrap();
    let body = format!("Subject: large\r\n\r\n{}", "0123456789abcdef\r\n".repeat(10_000));
    for _ in 0..50 {
        inbox.append(Placement::Junk, At::from_ms(0), body.as_bytes());
    }
    let mut session = read(inbox).await;
    session.examine("Junk").await.unwrap();
    let mails: Vec<async_imap::types::Fetch> =
        in_time(session.uid_fetch("1:*", "(BODY.PEEK[])").await.unwrap().try_collect()).await.unwrap();
    assert_eq!(mails.len(), 50);
    assert!(mails.iter().all(|m| m.body() == Some(body.as_bytes())));
}
