//! Nonsense crashes nothing, hangs nothing, and keeps nobody else from being served.

use mailcanary::sandbox::World;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::people::{in_time, read, soon, submit, world};

/// Both providers and the inbox still do their work.
async fn all_is_well(world: &World) {
    let inbox = world.inbox("box").unwrap();
    let before = inbox.counts().delivered;
    for provider in world.providers() {
        submit(provider, inbox.address(), "well").await.unwrap();
    }
    soon(inbox.watch(), |c| c.delivered == before + 2).await;
    let mut session = read(inbox).await;
    session.examine("INBOX").await.unwrap();
    in_time(session.logout()).await.unwrap();
}

fn sockets(world: &World) -> Vec<std::net::SocketAddr> {
    world.providers().map(|p| p.socket()).chain(world.inboxes().map(|i| i.socket())).collect()
}

/// Sends bytes, and reads until `end` has come or the other side has closed.
async fn ask(socket: std::net::SocketAddr, bytes: &[u8], end: &str) -> String {
    let mut stream = in_time(TcpStream::connect(socket)).await.unwrap();
    // The other side may close in the middle.
    drop(in_time(stream.write_all(bytes)).await);
    let mut answer = String::new();
    let mut chunk = [0; 4096];
    while !answer.contains(end) {
        match in_time(stream.read(&mut chunk)).await {
            Ok(n) if n > 0 => answer.push_str(&String::from_utf8_lossy(&chunk[..n])),
            _ => break,
        }
    }
    answer
}

/// Sends bytes, and leaves without waiting for an answer.
async fn throw(socket: std::net::SocketAddr, bytes: &[u8]) {
    let mut stream = in_time(TcpStream::connect(socket)).await.unwrap();
    drop(in_time(stream.write_all(bytes)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_do_no_harm() {
    let world = world();
    let mut seed = 0x9e37_79b9_u32;
    for socket in sockets(&world) {
        for length in [1, 100, 10_000, 300_000] {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    seed ^= seed << 13;
                    seed ^= seed >> 17;
                    seed ^= seed << 5;
                    seed.to_le_bytes()[0]
                })
                .collect();
            throw(socket, &bytes).await;
        }
    }
    all_is_well(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_lines_are_refused() {
    let world = world();
    let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("box").unwrap());
    let mut line = vec![b'a'; 1 << 20];
    for socket in sockets(&world) {
        throw(socket, &line).await;
    }
    line.extend_from_slice(b"\r\nNOOP\r\n");
    let answer = ask(relay.socket(), &line, " Ok\r\n").await;
    assert!(answer.contains("500 5.5.2 Line too long\r\n250 2.0.0 Ok\r\n"), "{answer}");
    let line = [b"a ".as_slice(), &line[..1 << 20], b"\r\nb NOOP\r\n"].concat();
    let answer = ask(inbox.socket(), &line, "Noop completed\r\n").await;
    assert!(answer.contains("a BAD Command not understood\r\nb OK Noop completed\r\n"), "{answer}");
    // A literal of 4 GiB is announced, and not waited for.
    let answer = ask(inbox.socket(), b"a LOGIN {4294967295}\r\nb NOOP\r\n", "Noop completed\r\n").await;
    assert!(answer.contains("a BAD"), "{answer}");
    assert!(answer.contains("b OK Noop completed\r\n"), "{answer}");
    // So many mistakes are no client.
    let answer = ask(relay.socket(), &b"FOO\r\n".repeat(100), "errors\r\n").await;
    assert!(answer.ends_with("421 4.7.0 Too many errors\r\n"), "{answer}");
    let answer = ask(inbox.socket(), &b"a FOO\r\n".repeat(100), "commands\r\n").await;
    assert!(answer.ends_with("* BYE Too many invalid commands\r\n"), "{answer}");
    all_is_well(&world).await;
}

/// A hundred connections that say half a word and wait: the others are served, and these are hung up on.
#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_are_hung_up_on() {
    let world = world();
    let mut idlers = Vec::new();
    for socket in sockets(&world) {
        for word in ["", "EHL", "POST /api/1.0/messages/send HTTP/1.1\r\nContent-Length: 100\r\n", "a LOGIN {5}\r\nab"] {
            for _ in 0..25 {
                let mut stream = in_time(TcpStream::connect(socket)).await.unwrap();
                stream.write_all(word.as_bytes()).await.unwrap();
                idlers.push(stream);
            }
        }
    }
    all_is_well(&world).await;
    for mut stream in idlers {
        let mut sink = Vec::new();
        // Closed, or reset: either way over.
        drop(in_time(stream.read_to_end(&mut sink)).await);
    }
    soon(world.inbox("box").unwrap().watch(), |c| c.open == 0).await;
    for provider in world.providers() {
        soon(provider.watch(), |c| c.open == 0).await;
    }
}

/// Commands in the wrong order, and many at once.
#[tokio::test(flavor = "multi_thread")]
async fn the_wrong_order_is_told() {
    let world = world();
    let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("box").unwrap());
    let answer = ask(
        relay.socket(),
        b"MAIL FROM:<a@b>\r\nEHLO x\r\nRCPT TO:<c@d>\r\nDATA\r\nAUTH PLAIN\r\n*\r\nAUTH PLAIN !!\r\nAUTH NTLM\r\nQUIT\r\n",
        "Bye\r\n",
    )
    .await;
    let codes: Vec<&str> = answer.lines().filter(|l| l.as_bytes().get(3) == Some(&b' ')).map(|l| &l[..3]).collect();
    assert_eq!(codes, ["220", "503", "250", "503", "503", "334", "501", "501", "504", "221"], "{answer}");
    let lines = b"a IDLE\r\nb SELECT INBOX\r\nc AUTHENTICATE PLAIN\r\n*\r\nd AUTHENTICATE CRAM-MD5\r\ne FETCH 1 FLAGS\r\nf LOGOUT\r\n";
    let answer = ask(inbox.socket(), lines, "Logout completed\r\n").await;
    let ends: Vec<&str> = answer.lines().filter(|l| !l.starts_with(['*', '+'])).map(|l| &l[..5]).collect();
    assert_eq!(ends, ["a BAD", "b BAD", "c BAD", "d NO ", "e BAD", "f OK "], "{answer}");
    all_is_well(&world).await;
}
