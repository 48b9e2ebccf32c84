//! Our own mail server, to which real ones deliver, and strange ones too.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use mailcanary::config::{Inbox, InboxKind, MxSettings};
use mailcanary::edge::inbox::{Doors, Wanted};

use super::rig::{inbox_of, mail_at};
use super::*;
use crate::support::exim::Exim;
use crate::support::free_port::free_port;
use crate::support::postfix::{DOMAIN, Postfix};

fn seed() -> String {
    format!("seed@{DOMAIN}")
}

fn inbox(port: u16, address: &str) -> Inbox {
    let listen = ([127, 0, 0, 1], port).into();
    let settings = MxSettings { listen, host: "mx.test.example".to_owned(), certificate: None };
    Inbox { plus_address: true, ..inbox_of(InboxKind::Smtp(settings), address) }
}

/// A conversation with a server.
struct Client {
    lines: BufReader<TcpStream>,
}

impl Client {
    fn new(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let mut client = Self { lines: BufReader::new(stream) };
        let greeting = client.answer();
        assert!(greeting.starts_with("220 mx.test.example"), "{greeting}");
        client
    }

    fn write(&mut self, bytes: &[u8]) {
        // Whoever is sent away may find nobody there any more.
        let _ = self.lines.get_mut().write_all(bytes);
    }

    /// The whole of an answer; empty when the connection is closed.
    fn answer(&mut self) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            if self.lines.read_line(&mut line).unwrap_or(0) == 0 {
                return all;
            }
            all += &line;
            if line.as_bytes().get(3) == Some(&b' ') {
                return all;
            }
        }
    }

    fn say(&mut self, line: &str) -> String {
        self.write(format!("{line}\r\n").as_bytes());
        self.answer()
    }

    /// Hands a message over; the last answer.
    fn deliver(&mut self, to: &str, message: &str) -> String {
        for line in ["EHLO client.test.example", "MAIL FROM:<a@sender.example> BODY=8BITMIME", &format!("RCPT TO:<{to}>"), "DATA"] {
            let answer = self.say(line);
            if !answer.starts_with(['2', '3']) {
                return answer;
            }
        }
        let body = message.replace("\r\n", "\n").replace('\n', "\r\n").replace("\r\n.", "\r\n..");
        self.say(&format!("{body}\r\n."))
    }

    fn is_closed(&mut self) -> bool {
        self.lines.read(&mut [0; 64]).map_or(true, |n| n == 0)
    }
}

/// A real mail server that passes mail on to ours.
fn submit(port: u16, message: &str) {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut client = Client { lines: BufReader::new(stream) };
    client.answer();
    let answer = client.deliver(&seed(), message);
    assert!(answer.starts_with("250"), "{answer}");
}

#[tokio::test]
async fn a_postfix_and_an_exim_deliver_under_tls() {
    let port = free_port();
    let mut rig = Rig::new(inbox(port, &seed())).watch();
    rig.expect_sight().await;
    let postfix = Postfix::builder()
        .virtual_transport(&format!("smtp:[127.0.0.1]:{port}"))
        .setting("smtp_tls_security_level = encrypt")
        .setting("smtp_tls_loglevel = 1")
        .start();
    let before = wall();
    tokio::task::spawn_blocking({
        let (to, message) = (postfix.port(), mail(1));
        move || submit(to, &message)
    })
    .await
    .unwrap();
    let seen = rig.sighting().await;
    assert_eq!((seen.canary, seen.placement), (CanaryId::from_bits(1), Placement::Inbox), "{}", postfix.log());
    assert!(seen.arrived_at >= before && seen.arrived_at <= seen.seen_at && seen.copy.starts_with("mx/0/"), "{seen:?}");
    assert!(seen.received_top.is_some_and(|at| at.as_ms() / 1000 == seen.arrived_at.as_ms() / 1000), "its own line is the top one");

    let exim = Exim::builder().next_hop(port).start();
    tokio::task::spawn_blocking({
        let (to, message) = (exim.port(), mail(2));
        move || submit(to, &message)
    })
    .await
    .unwrap();
    assert_eq!(rig.sighting().await.canary, CanaryId::from_bits(2));
    rig.look().await;
    assert!(rig.sighted.is_empty(), "each once");
    let log = postfix.log();
    assert!(log.contains("TLS connection established") && log.contains("status=sent (250 2.0.0 Ok: taken as "), "{log}");
}

#[tokio::test]
async fn many_connections_at_once_are_served() {
    let port = free_port();
    let mut rig = Rig::new(inbox(port, &seed())).watch();
    rig.expect_sight().await;
    let to = seed();
    let args = ["-s", "8", "-m", "80", "-l", "2000", "-f", "a@sender.example", "-t", &to, &format!("127.0.0.1:{port}")].map(str::to_owned);
    let status = tokio::task::spawn_blocking(move || Command::new("smtp-source").args(args).status().unwrap()).await.unwrap();
    assert!(status.success());
    rig.look().await;
}

#[tokio::test]
async fn the_postmaster_is_written_to_and_gets_no_canaries() {
    let port = free_port();
    let wanted = Wanted { strangers: true, ..Wanted::default() };
    let mut rig = Rig::new(inbox(port, &seed())).wanting(wanted).watch();
    rig.expect_sight().await;
    let whom = [format!("PostMaster@{DOMAIN}"), "postmaster".to_owned(), "postmaster@mx.test.example".to_owned()];
    let to = whom.clone();
    tokio::task::spawn_blocking(move || {
        let mut client = Client::new(port);
        for address in to {
            let answer = client.deliver(&address, &mail(1));
            assert!(answer.starts_with("250"), "{address}: {answer}");
        }
        let elsewhere = client.deliver("postmaster@elsewhere.example", &mail(1));
        assert!(elsewhere.starts_with("550 5.1.1"), "{elsewhere}");
    })
    .await
    .unwrap();
    for address in whom {
        let told = rig.next_but_reads().await;
        assert!(matches!(&told, Report::Stranger { copy, .. } if copy.ends_with("/postmaster")), "{address}: {told:?}");
    }
}

/// Nobody sends canaries there, and whoever writes to it need not name it in the mail.
#[tokio::test]
async fn bait_is_taken_and_told_by_its_address() {
    let port = free_port();
    let wanted = Wanted { strangers: true, ..Wanted::default() };
    let baited = Inbox { baits: vec![format!("ada@{DOMAIN}"), format!("bob@{DOMAIN}")], plus_address: false, ..inbox(port, &seed()) };
    let mut rig = Rig::new(baited).wanting(wanted).watch();
    rig.expect_sight().await;
    tokio::task::spawn_blocking(move || {
        let mut client = Client::new(port);
        let spam = "From: x@spam.example\nTo: undisclosed-recipients:;\n\nBuy\n";
        for local in ["Ada", "ada+x"] {
            let answer = client.deliver(&format!("{local}@{DOMAIN}"), spam);
            assert!(answer.starts_with("250"), "{answer}");
        }
        let both = [format!("RCPT TO:<bob@{DOMAIN}>"), format!("RCPT TO:<{}>", seed())];
        client.say("MAIL FROM:<a@sender.example>");
        for line in &both {
            assert!(client.say(line).starts_with("250"));
        }
        client.say("DATA");
        assert!(client.say(&format!("{}.", spam.replace('\n', "\r\n"))).starts_with("250"));
        assert!(client.deliver(&format!("carol@{DOMAIN}"), spam).starts_with("550 5.1.1"));
    })
    .await
    .unwrap();
    let mut seen = Vec::new();
    for (address, of) in [("ada", "/ada@"), ("ada", "/ada@"), ("bob", "/bob@"), ("", "")] {
        let told = rig.next_but_reads().await;
        let Report::Stranger { copy, message: header, .. } = told else { panic!("{told:?}") };
        let header = String::from_utf8(header).unwrap();
        assert_eq!(header.contains(&format!("\tfor <{address}@{DOMAIN}>;")), !address.is_empty(), "{header}");
        assert!(copy.contains(of) && !seen.contains(&copy), "{copy}");
        seen.push(copy);
    }
}

#[tokio::test]
async fn two_inboxes_share_a_port_and_nothing_is_relayed() {
    let port = free_port();
    let doors = Doors::default();
    let (one, two) = (seed(), format!("Other@{DOMAIN}"));
    let mut first = Rig::new(inbox(port, &one)).behind(&doors).watch();
    let mut second = Rig::new(inbox(port, &two)).behind(&doors).watch();
    first.expect_sight().await;
    second.expect_sight().await;
    tokio::task::spawn_blocking(move || {
        let mut client = Client::new(port);
        assert!(client.deliver(&format!("seed+tag@{DOMAIN}"), &mail(1)).starts_with("250"));
        assert!(client.deliver(&format!("other@{DOMAIN}"), &mail(2)).starts_with("250"));
        for stranger in [format!("nobody@{DOMAIN}"), "seed@elsewhere.example".to_owned(), format!("seed%elsewhere.example@{DOMAIN}")] {
            let answer = client.deliver(&stranger, &mail(3));
            assert!(answer.starts_with("550 5.1.1"), "{stranger}: {answer}");
        }
        assert!(client.say("QUIT").starts_with("221"));
    })
    .await
    .unwrap();
    assert_eq!(first.sighting().await.canary, CanaryId::from_bits(1));
    assert_eq!(second.sighting().await.canary, CanaryId::from_bits(2));
    // Whoever holds the port goes; the other takes it over.
    drop(first);
    let gone = tokio::task::spawn_blocking(move || {
        loop {
            let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else { continue };
            stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
            let mut client = Client { lines: BufReader::new(stream) };
            if client.answer().is_empty() {
                continue;
            }
            assert!(client.deliver(&format!("other@{DOMAIN}"), &mail(4)).starts_with("250"));
            break client.deliver(&format!("seed@{DOMAIN}"), &mail(5));
        }
    });
    assert_eq!(second.sighting().await.canary, CanaryId::from_bits(4));
    assert!(gone.await.unwrap().starts_with("550"));
}

#[tokio::test]
async fn a_port_that_is_taken_blinds_and_is_had_when_it_is_free() {
    let port = free_port();
    let other = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mut rig = Rig::new(inbox(port, &seed())).watch();
    let (class, why) = rig.blindness().await;
    assert_eq!(class, Class::Permanent);
    assert!(why.contains("another mail server is there"), "{why}");
    drop(other);
    rig.expect_sight().await;
}

#[tokio::test]
async fn a_hostile_client_gets_nowhere() {
    let port = free_port();
    let mut rig = Rig::new(inbox(port, &seed())).watch();
    rig.expect_sight().await;
    tokio::task::spawn_blocking(move || {
        let opening = format!("EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{}>\r\nDATA\r\n", seed());
        // One message in another, by every odd end of a line that some server has taken for one.
        for end in ["\n.\n", "\r\n.\n", "\n.\r\n", "\r.\r", "\r\n\0.\r\n", "\r\n.\r", "\r.\r\n"] {
            let inner = mail(if end.contains('\0') { 8 } else { 9 }).replace('\n', "\r\n");
            let smuggled = format!(
                "{opening}{}{end}MAIL FROM:<x@y.example>\r\nRCPT TO:<{}>\r\nDATA\r\n{}\r\n.\r\n",
                "Subject: a\r\n\r\nb",
                seed(),
                inner
            );
            let mut client = Client::new(port);
            client.write(smuggled.as_bytes());
            let mut answers = Vec::new();
            loop {
                let answer = client.answer();
                if answer.is_empty() {
                    break;
                }
                let over = answer.starts_with("250 2.0.0 Ok: taken");
                answers.push(answer);
                if over {
                    break;
                }
            }
            let taken = answers.iter().filter(|a| a.starts_with("250 2.0.0 Ok: taken")).count();
            assert!(taken <= usize::from(end.contains('\0')), "{end:?}: {answers:?}");
        }
        let mut client = Client::new(port);
        client.write(&vec![b'x'; 40_000]);
        assert!(client.answer().starts_with("500 5.5.2 Line too long"));
        let mut client = Client::new(port);
        client.say("EHLO x");
        assert!(client.say("MAIL FROM:<a@b.example> SIZE=999999999").starts_with("552"));
        // What is said in the clear behind STARTTLS is not taken for encrypted.
        client.write(b"STARTTLS\r\nMAIL FROM:<evil@b.example>\r\n");
        assert!(client.answer().starts_with("554"));
        assert!(client.is_closed());
        let mut client = Client::new(port);
        assert!(client.say("MAIL FROM:<a@b.example>").starts_with("503"));
        let refused: Vec<String> = (0..30).map(|_| client.say("GET / HTTP/1.1")).collect();
        assert!(refused.iter().any(|answer| answer.contains("421 4.7.0 Too many mistakes")) || client.is_closed(), "{refused:?}");
        let mut client = Client::new(port);
        client.write(opening.as_bytes());
        (0..4).for_each(|_| drop(client.answer()));
        for _ in 0..480 {
            client.write(&b"0123456789012345678901234567890123456789012345678901234567890123456789\r\n".repeat(1000));
        }
        assert!(client.say("\r\n.").starts_with("552 5.3.4"));
        assert!(client.deliver(&seed(), &mail(7)).starts_with("250"), "the next one is as good as any");
    })
    .await
    .unwrap();
    rig.look().await;
    let seen: Vec<u64> = rig.sighted.iter().map(|seen| seen.canary.bits()).collect();
    assert_eq!(seen, [8, 7], "a zero byte is text as any other, and ends nothing");
}

#[tokio::test]
async fn one_address_does_not_get_all_the_connections() {
    let port = free_port();
    let mut rig = Rig::new(inbox(port, &seed())).watch();
    rig.expect_sight().await;
    tokio::task::spawn_blocking(move || {
        let held: Vec<Client> = (0..16).map(|_| Client::new(port)).collect();
        let mut more = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
        let mut line = String::new();
        more.read_line(&mut line).unwrap();
        assert!(line.starts_with("421 4.7.0"), "{line}");
        drop(held);
        drop(more);
        loop {
            let mut again = BufReader::new(TcpStream::connect(("127.0.0.1", port)).unwrap());
            line.clear();
            again.read_line(&mut line).unwrap();
            if line.starts_with("220") {
                break;
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_message_is_taken_only_when_it_is_written_down_and_is_the_same_when_it_comes_again() {
    let port = free_port();
    let mut rig = Rig::new(inbox(port, &seed())).keeping_receipts().watch();
    rig.expect_sight().await;
    let hand_over = move || {
        tokio::task::spawn_blocking(move || {
            let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            let mut client = Client { lines: BufReader::new(stream) };
            client.answer();
            client.deliver(&seed(), &mail_at(1, 1_795_000_000_000))
        })
    };
    let mut copies = Vec::new();
    // Whoever should write it down does not; then it does.
    for written in [false, true] {
        let sender = hand_over();
        let Report::Sighted { copy, .. } = rig.next_but_reads().await else { panic!("no sighting") };
        copies.push(copy);
        let Report::Receipt(receipt) = rig.next_but_reads().await else { panic!("nobody waits") };
        assert!(!sender.is_finished(), "it is not written down yet");
        let done = receipt.take().unwrap();
        if written {
            done.send(()).unwrap();
        } else {
            drop(done);
        }
        let answer = sender.await.unwrap();
        assert!(answer.starts_with(if written { "250" } else { "451" }), "{answer}");
    }
    assert_eq!(copies[0], copies[1]);
}
