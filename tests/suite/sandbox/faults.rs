//! Every fault of the way and of the wire, seen from outside.

use std::time::Duration;

use lettre::AsyncTransport;
use mailcanary::model::{Placement, Span};
use mailcanary::sandbox::Fault;
use tokio::time::Instant;

use super::people::{in_time, read, soon, submit, transport, try_read, world};

#[tokio::test(flavor = "multi_thread")]
async fn providers_lose_hold_delay_and_junk() {
    let world = world();
    let inbox = world.inbox("box").unwrap();
    let mut arrived = 0;
    for provider in world.providers() {
        provider.set(Fault::Swallow).unwrap();
        submit(provider, inbox.address(), "swallowed").await.unwrap();
        assert_eq!(provider.counts().lost, 1);

        provider.set(Fault::Hold).unwrap();
        submit(provider, inbox.address(), "held").await.unwrap();
        assert_eq!((provider.counts().held, inbox.counts().delivered), (1, arrived));
        assert_eq!(provider.release(), 1);
        arrived = soon(inbox.watch(), |c| c.delivered == arrived + 1).await.delivered;

        provider.set(Fault::Delay(Span::from_ms(300))).unwrap();
        let begin = Instant::now();
        submit(provider, inbox.address(), "delayed").await.unwrap();
        arrived = soon(inbox.watch(), |c| c.delivered == arrived + 1).await.delivered;
        assert!(begin.elapsed() >= Duration::from_millis(300));

        provider.set(Fault::AddHeader { name: "Reply-To".into(), value: "x@foreign.test".into() }).unwrap();
        submit(provider, inbox.address(), "foreign").await.unwrap();
        arrived = soon(inbox.watch(), |c| c.delivered == arrived + 1).await.delivered;
        let mail = inbox.messages(Placement::Inbox).pop().unwrap();
        assert!(String::from_utf8_lossy(&mail.bytes).contains("\r\nReply-To: x@foreign.test\r\n"));

        let junked = inbox.counts().junked;
        provider.set(Fault::Junk(1.0)).unwrap();
        submit(provider, inbox.address(), "junked").await.unwrap();
        soon(inbox.watch(), |c| c.junked == junked + 1).await;
        provider.clear();
    }
    let mut session = read(inbox).await;
    assert_eq!(session.examine("Junk").await.unwrap().exists, 2);
    assert_eq!(session.examine("INBOX").await.unwrap().exists, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn inboxes_lose_hold_delay_junk_and_fill() {
    let world = world();
    let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("box").unwrap());
    inbox.set(Fault::Swallow).unwrap();
    submit(relay, inbox.address(), "swallowed").await.unwrap();
    soon(inbox.watch(), |c| c.lost == 1).await;
    inbox.set(Fault::Lose(1.0)).unwrap();
    submit(relay, inbox.address(), "lost").await.unwrap();
    soon(inbox.watch(), |c| c.lost == 2).await;
    inbox.set(Fault::Hold).unwrap();
    submit(relay, inbox.address(), "held").await.unwrap();
    soon(inbox.watch(), |c| c.held == 1).await;
    assert_eq!((inbox.release(), inbox.counts().delivered, inbox.counts().held), (1, 1, 0));
    inbox.set(Fault::Delay(Span::from_ms(300))).unwrap();
    let begin = Instant::now();
    submit(relay, inbox.address(), "delayed").await.unwrap();
    soon(inbox.watch(), |c| c.delivered == 2).await;
    assert!(begin.elapsed() >= Duration::from_millis(300));
    inbox.set(Fault::Junk(1.0)).unwrap();
    submit(relay, inbox.address(), "junked").await.unwrap();
    soon(inbox.watch(), |c| c.junked == 1).await;
    inbox.set(Fault::Full).unwrap();
    submit(relay, inbox.address(), "deferred").await.unwrap();
    soon(inbox.watch(), |c| c.deferred >= 2).await;
    assert_eq!((inbox.counts().delivered, world.under_way()), (2, 1));
    inbox.clear();
    soon(inbox.watch(), |c| c.delivered == 3).await;
}

/// Refused while down, served again at the same port after.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_down_refuses_connections_and_comes_back() {
    let world = world();
    let inbox = world.inbox("box").unwrap();
    let mut session = read(inbox).await;
    inbox.set(Fault::Down).unwrap();
    in_time(async { while session.noop().await.is_ok() {} }).await;
    in_time(async { while !try_read(inbox, inbox.password()).await.is_err_and(|e| e.to_string().contains("refused")) {} }).await;
    inbox.clear();
    soon(inbox.watch(), |c| c.open == 0).await;
    in_time(async { while try_read(inbox, inbox.password()).await.is_err() {} }).await;
    for provider in world.providers() {
        provider.set(Fault::Down).unwrap();
        in_time(async { while !submit(provider, inbox.address(), "no").await.is_err_and(|e| e.contains("refused")) {} }).await;
        provider.clear();
        in_time(async { while submit(provider, inbox.address(), "yes").await.is_err() {} }).await;
    }
}

/// Open, and without a word: only a deadline of the client's own helps.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_mute_holds_the_line() {
    let world = world();
    let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("box").unwrap());
    let mut session = read(inbox).await;
    inbox.set(Fault::Mute).unwrap();
    relay.set(Fault::Mute).unwrap();
    let noop = async { tokio::time::timeout(Duration::from_millis(300), session.noop()).await };
    assert!(noop.await.is_err(), "neither an answer nor an end");
    let mail = lettre::Message::builder().from("a@b.test".parse().unwrap()).to("c@d.test".parse().unwrap()).body(String::new()).unwrap();
    let sent = async { tokio::time::timeout(Duration::from_millis(300), transport(relay).send(mail)).await };
    assert!(sent.await.is_err(), "neither an answer nor an end");
    inbox.clear();
    relay.clear();
    submit(relay, inbox.address(), "again").await.unwrap();
    read(inbox).await.noop().await.unwrap();
}

/// After the data the sender cannot know: the mail is there all the same.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_can_fail_to_come() {
    let world = world();
    let inbox = world.inbox("box").unwrap();
    let mut arrived = 0;
    for provider in world.providers() {
        provider.set(Fault::CutOff).unwrap();
        submit(provider, inbox.address(), "cut off").await.unwrap_err();
        arrived = soon(inbox.watch(), |c| c.delivered == arrived + 1).await.delivered;
        provider.set(Fault::NoAnswer).unwrap();
        let (address, accepted) = (inbox.address(), provider.watch());
        tokio::select! {
            answer = submit(provider, address, "no answer") => panic!("answered: {answer:?}"),
            _ = async { soon(accepted, |c| c.accepted == 2).await; tokio::time::timeout(Duration::from_millis(200), std::future::pending::<()>()).await } => {}
        }
        arrived = soon(inbox.watch(), |c| c.delivered == arrived + 1).await.delivered;
        provider.clear();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_slow_answers_late() {
    let world = world();
    let inbox = world.inbox("box").unwrap();
    let mut session = read(inbox).await;
    inbox.set(Fault::Slow(Span::from_ms(250))).unwrap();
    let begin = Instant::now();
    in_time(session.noop()).await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(250));
    for provider in world.providers() {
        provider.set(Fault::Slow(Span::from_ms(100))).unwrap();
        let begin = Instant::now();
        submit(provider, inbox.address(), "slow").await.unwrap();
        assert!(begin.elapsed() >= Duration::from_millis(100));
    }
}
