//! Thousands of damaged conversations: none may panic or hang. A panic in a connection's task would end the process of a release build.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};
use tokio::time::timeout;

use super::chance::Chance;
use super::{InboxPlan, Plan, ProviderPlan, Transport, World, imap, smtp};
use crate::model::{At, Name, Placement, Span};

const SMTP: &[&str] = &[
    "EHLO client.example.com\r\n",
    "AUTH PLAIN {plain}\r\n",
    "AUTH LOGIN\r\nYWJj\r\nZGVm\r\n",
    "MAIL FROM:<a@example.com> SIZE=100 BODY=8BITMIME AUTH=<> RET=FULL ENVID=x HOLDFOR=9 BY=1;R\r\n",
    "RCPT TO:<\"a b\"@[127.0.0.1]> NOTIFY=NEVER ORCPT=rfc822;a@b RRVS=2014-04-03T23:01:00Z\r\n",
    "RCPT TO:<c@example.com>\r\nDATA\r\nSubject: x\r\n\r\n..\r\n.\r\n",
    "BDAT 10 LAST\r\n0123456789",
    "VRFY x\r\nEXPN y\r\nHELP\r\nNOOP z\r\nRSET\r\nETRN q\r\nATRN a,b\r\nSTARTTLS\r\nBURL u LAST\r\n",
];

const IMAP: &[&str] = &[
    "a LOGIN {user} {password}\r\n",
    "b SELECT INBOX\r\n",
    "c UID FETCH 1:*,3:2,* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (X-A \"B\")]<0.9>)\r\n",
    "d FETCH 1:* (BODY[TEXT] RFC822 RFC822.HEADER RFC822.TEXT BODY.PEEK[HEADER.FIELDS.NOT (A)])\r\n",
    "e UID STORE 1 +FLAGS.SILENT (\\Deleted \\Seen keyword)\r\nf UID EXPUNGE 1:4294967295\r\n",
    "g LIST \"\" \"*\"\r\nh LSUB \"\" %\r\ni STATUS Junk (MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT)\r\n",
    "j IDLE\r\nDONE\r\nk ID (\"name\" \"x\" \"y\" NIL)\r\nl NOOP\r\n",
    "m SEARCH OR SEEN NOT (UID 1:* SINCE 1-Jan-2022)\r\nn UID SEARCH ALL\r\n",
    "o AUTHENTICATE PLAIN AGEAYg==\r\np LOGIN {3}\r\nabc {3+}\r\ndef\r\n",
    "q APPEND INBOX (\\Seen) \" 1-Jan-2022 00:00:00 +0000\" {3}\r\nabc\r\nr CREATE &AOQ-\r\ns CLOSE\r\n",
];

/// Some of the lines, in any order, a few bytes changed, doubled or gone.
fn damaged(lines: &[String], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        if chance.hits(0.8) {
            bytes.extend_from_slice(line.as_bytes());
        }
    }
    for _ in 0..chance.bits() % 6 {
        let at = (chance.bits() as usize) % bytes.len().max(1);
        let Some(byte) = bytes.get_mut(at) else { break };
        match chance.bits() % 4 {
            0 => *byte = chance.bits().to_le_bytes()[0],
            1 => *byte ^= 1 << (chance.bits() % 8),
            2 => drop(bytes.remove(at)),
            _ => {
                let piece = bytes[at..(at + 9).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn world() -> World {
    let name = |text| Name::new(text).unwrap();
    let plan = Plan { patience: Span::from_secs(5), ..Plan::new(Arc::new(|| At::from_ms(1_659_987_000_000)), 3) };
    World::start(
        plan.provider(name("relay"), ProviderPlan::new(Transport::Smtp))
            .inbox(name("box"), InboxPlan { capacity: 5, ..InboxPlan::default() }),
    )
    .unwrap()
}

/// How many conversations; more when asked, for a long look.
fn rounds() -> u64 {
    option_env!("MAILCANARY_NONSENSE_ROUNDS").and_then(|n| n.parse().ok()).unwrap_or(2_000)
}

#[tokio::test]
async fn damaged_smtp_is_survived() {
    let world = world();
    let relay = world.provider("relay").unwrap();
    let plain = data_encoding::BASE64.encode(format!("\0{}\0{}", relay.username(), relay.secret()).as_bytes());
    let lines: Vec<String> = SMTP.iter().map(|line| line.replace("{plain}", &plain)).collect();
    for round in 0..rounds() {
        let bytes = damaged(&lines, &mut Chance::of(1, "smtp", round, "nonsense"));
        let (client, server) = duplex(1 << 16);
        let (mut reader, mut writer) = split(client);
        let talk = async move {
            drop(writer.write_all(&bytes).await);
            drop(writer.shutdown().await);
            let mut answer = Vec::new();
            drop(reader.read_to_end(&mut answer).await);
            assert!(answer.starts_with(b"220 "));
        };
        let both = async { tokio::join!(smtp::serve(server, Arc::clone(relay)), talk) };
        timeout(Duration::from_secs(10), both).await.unwrap_or_else(|_| panic!("round {round} hangs"));
    }
    assert_eq!(relay.counts().open, 0);
    assert!(relay.counts().accepted > 0, "some of it was whole");
}

#[tokio::test]
async fn damaged_imap_is_survived() {
    let world = world();
    let inbox = world.inbox("box").unwrap();
    let user = |line: &&str| line.replace("{user}", inbox.address()).replace("{password}", inbox.password());
    let lines: Vec<String> = IMAP.iter().map(user).collect();
    for round in 0..rounds() {
        inbox.append(Placement::Inbox, At::from_ms(0), b"X-A: 1\r\nFolded: a\r\n\tb\r\n\r\nbody");
        let bytes = damaged(&lines, &mut Chance::of(1, "imap", round, "nonsense"));
        let (client, server) = duplex(1 << 20);
        let (mut reader, mut writer) = split(client);
        let talk = async move {
            drop(writer.write_all(&bytes).await);
            drop(writer.shutdown().await);
            let mut answer = Vec::new();
            drop(reader.read_to_end(&mut answer).await);
            assert!(answer.starts_with(b"* OK "));
        };
        let both = async { tokio::join!(imap::serve(server, Arc::clone(inbox)), talk) };
        timeout(Duration::from_secs(10), both).await.unwrap_or_else(|_| panic!("round {round} hangs"));
    }
    assert_eq!((inbox.counts().open, inbox.counts().idling), (0, 0));
    assert!(inbox.counts().logins > 0, "some of it was whole");
}
