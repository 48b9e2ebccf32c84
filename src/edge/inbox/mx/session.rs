//! One connection of a sender.
//!
//! Lines end with CR LF and nothing else: where two servers disagree about that, one message can be smuggled in another. Nothing lasts: a line,
//! a silence, a message and the whole connection have their limits, and whoever makes too many mistakes is sent away.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::super::gist::{Gist, Seen};
use super::Taken;
use super::door::{Door, Way};
use super::words::{Command, command};
use crate::edge::dial::BoxStream;

/// The largest message: a canary has a few KiB, but relays write what they like before it. Of a large one only the beginning is kept.
const SIZE: usize = 32 * 1024 * 1024;
/// The longest line. RFC 5321, 4.5.3.1 has 1,000 octets; some send more in a message.
const LINE: usize = 16 * 1024;
/// The longest silence.
const SILENCE: Duration = Duration::from_secs(60);
/// The longest connection.
const LIFE: Duration = Duration::from_secs(300);
/// Until what was told of a message is durable. Senders wait ten minutes for that answer (RFC 5321, 4.5.3.2.6).
const TELLING: Duration = Duration::from_secs(20);
/// Mistakes, and strange recipients, of one connection.
const MISTAKES: u32 = 20;
/// Messages of one connection.
const MESSAGES: u32 = 100;

/// How a connection ends.
enum End {
    /// Without a word.
    Gone,
    /// With these.
    Said(&'static str),
}

struct Session<'a> {
    stream: BoxStream,
    door: &'a Door,
    ip: IpAddr,
    /// What has been read and not been looked at.
    waiting: Vec<u8>,
    /// How much of it has no line end.
    searched: usize,
    hello: Option<(bool, String)>,
    tls: bool,
    sender: Option<String>,
    recipients: BTreeMap<String, Way>,
    mistakes: u32,
    messages: u32,
}

/// Holds one connection, to its end. One that is not `welcome` is told so.
pub(super) async fn hold(stream: TcpStream, ip: IpAddr, door: &Door, acceptor: &TlsAcceptor, welcome: bool) {
    let mut session = Session {
        stream: Box::new(stream),
        door,
        ip,
        waiting: Vec::new(),
        searched: 0,
        hello: None,
        tls: false,
        sender: None,
        recipients: BTreeMap::new(),
        mistakes: 0,
        messages: 0,
    };
    let talk = async {
        if !welcome {
            return session.say("421 4.7.0 Too many connections from your address").await;
        }
        session.say(&format!("220 {} ESMTP mailcanary", door.host())).await?;
        while session.next(acceptor).await? {}
        Ok(())
    };
    match timeout(LIFE, talk).await {
        Ok(Ok(()) | Err(End::Gone)) => {}
        Ok(Err(End::Said(words))) => drop(session.say(words).await),
        Err(_) => drop(session.say("421 4.4.2 This connection has lasted too long").await),
    }
}

impl Session<'_> {
    /// Does what the next line says. False: that was the last.
    async fn next(&mut self, acceptor: &TlsAcceptor) -> Result<bool, End> {
        let line = self.line().await?;
        match command(&line) {
            Command::Hello(extended, name) => {
                self.reset();
                self.hello = Some((extended, name));
                self.greet(extended).await?;
            }
            Command::Mail(..) if self.hello.is_none() || self.sender.is_some() => {
                self.mistake("503 5.5.1 Bad sequence of commands").await?
            }
            Command::Mail(_, Some(size)) if size > SIZE as u64 => self.say("552 5.3.4 Message too large").await?,
            Command::Mail(from, _) => {
                self.sender = Some(from);
                self.say("250 2.1.0 Ok").await?;
            }
            Command::Rcpt(_) if self.sender.is_none() => self.mistake("503 5.5.1 Bad sequence of commands").await?,
            Command::Rcpt(to) => match self.door.way_to(&to) {
                Some((address, way)) => {
                    self.recipients.insert(address, way);
                    self.say("250 2.1.5 Ok").await?;
                }
                None => self.mistake("550 5.1.1 No such mailbox here").await?,
            },
            Command::Data if self.recipients.is_empty() => self.mistake("503 5.5.1 Bad sequence of commands").await?,
            Command::Data => self.data().await?,
            Command::StartTls if self.tls => self.mistake("503 5.5.1 TLS is active already").await?,
            Command::StartTls => self.start_tls(acceptor).await?,
            Command::Rset => {
                self.reset();
                self.say("250 2.0.0 Ok").await?;
            }
            Command::Noop => self.say("250 2.0.0 Ok").await?,
            Command::Vrfy => self.mistake("252 2.5.2 Send some mail and see").await?,
            Command::Quit => {
                self.say("221 2.0.0 Bye").await?;
                return Ok(false);
            }
            Command::Garbled => self.mistake("501 5.5.4 Syntax error in the arguments").await?,
            Command::Parameter => self.mistake("555 5.5.4 This parameter was not offered").await?,
            Command::Unknown => self.mistake("502 5.5.2 Command not recognised").await?,
        }
        Ok(true)
    }

    async fn greet(&mut self, extended: bool) -> Result<(), End> {
        let host = self.door.host();
        if !extended {
            return self.say(&format!("250 {host}")).await;
        }
        let tls = if self.tls { "" } else { "250-STARTTLS\r\n" };
        let more =
            format!("250-{host}\r\n{tls}250-PIPELINING\r\n250-SIZE {SIZE}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES");
        self.say(&more).await
    }

    async fn start_tls(&mut self, acceptor: &TlsAcceptor) -> Result<(), End> {
        if !self.waiting.is_empty() {
            // What was sent in the clear would count as sent under TLS (CVE-2011-0411).
            return Err(End::Said("554 5.5.1 Nothing may follow STARTTLS"));
        }
        self.say("220 2.0.0 Go ahead").await?;
        let (inner, _) = tokio::io::duplex(1);
        let plain = std::mem::replace(&mut self.stream, Box::new(inner));
        match timeout(SILENCE, acceptor.accept(plain)).await {
            Ok(Ok(stream)) => self.stream = Box::new(stream),
            Ok(Err(_)) | Err(_) => return Err(End::Gone),
        }
        (self.tls, self.hello) = (true, None);
        self.reset();
        Ok(())
    }

    /// Takes a message in, and answers for it once what all whom it is for have told of it is durable.
    async fn data(&mut self) -> Result<(), End> {
        self.messages = self.messages.saturating_add(1);
        if self.messages > MESSAGES {
            return Err(End::Said("421 4.7.0 Too many messages on this connection"));
        }
        self.say("354 End data with <CR><LF>.<CR><LF>").await?;
        let Some((seen, print)) = self.message().await? else {
            self.reset();
            return self.say("552 5.3.4 Message too large").await;
        };
        let (sender, recipients) = (self.sender.take().unwrap_or_default(), std::mem::take(&mut self.recipients));
        let id = self.door.refused(&print).unwrap_or_else(|| format!("{:016x}", getrandom::u64().unwrap_or_default()));
        let (seen, hop) = (Arc::new(seen), self.hop(&id));
        for (to, way) in recipients {
            let (done, told) = oneshot::channel();
            let (seen, of) = (Arc::clone(&seen), way.of);
            let taken = Taken { seen, sender: sender.clone(), hop: hop.clone(), id: id.clone(), to, of, done };
            let handed = async { way.to.send(taken).await.is_ok() && told.await.is_ok() };
            if timeout(TELLING, handed).await != Ok(true) {
                // It may be durable yet: when it comes again it is the same mail, and no second copy.
                self.door.refuse(print, &id);
                return self.say("451 4.3.0 Not now: try again").await;
            }
        }
        self.say(&format!("250 2.0.0 Ok: taken as {id}")).await
    }

    /// `from … by … with … id …` (RFC 5321, 4.4; RFC 3848).
    fn hop(&self, id: &str) -> String {
        let (extended, name) = self.hello.as_ref().map_or((false, ""), |(extended, name)| (*extended, name.as_str()));
        let with = match (extended, self.tls) {
            (false, _) => "SMTP",
            (true, false) => "ESMTP",
            (true, true) => "ESMTPS",
        };
        let ip = match self.ip {
            IpAddr::V4(ip) => format!("[{ip}]"),
            IpAddr::V6(ip) => format!("[IPv6:{ip}]"),
        };
        let name = if name.is_empty() { "unknown" } else { name };
        format!("from {name} ({ip})\r\n\tby {} (mailcanary) with {with} id {id}", self.door.host())
    }

    /// A message up to the dot that ends it, as much as is looked at, and by what all of it is known. `None`: it is too large.
    async fn message(&mut self) -> Result<Option<(Seen, [u8; 32])>, End> {
        let (mut gist, mut print, mut length) = (Gist::default(), Sha256::new(), 0_usize);
        loop {
            let mut line = self.line().await?;
            if line == b"." {
                return Ok((length <= SIZE).then(|| (gist.end(), print.finalize().into())));
            }
            line.extend_from_slice(b"\r\n");
            let line = line.strip_prefix(b".").unwrap_or(&line);
            length = length.saturating_add(line.len());
            if length <= SIZE {
                print.update(line);
                gist.push(line);
            } else if length > 2 * SIZE {
                return Err(End::Said("552 5.3.4 Message too large"));
            }
        }
    }

    /// One line without its end.
    async fn line(&mut self) -> Result<Vec<u8>, End> {
        loop {
            let fresh = self.waiting.get(self.searched..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.waiting.drain(..=self.searched.saturating_add(at)).collect();
                self.searched = 0;
                line.pop();
                if line.pop() != Some(b'\r') || line.contains(&b'\r') {
                    return Err(End::Said("521 5.5.2 Lines end with CR LF: a bare CR or LF is not taken"));
                }
                return Ok(line);
            }
            self.searched = self.waiting.len();
            if self.searched > LINE {
                return Err(End::Said("500 5.5.2 Line too long"));
            }
            let mut chunk = [0; 4096];
            match timeout(SILENCE, self.stream.read(&mut chunk)).await {
                Ok(Ok(n)) if n > 0 => self.waiting.extend_from_slice(chunk.get(..n).unwrap_or_default()),
                Ok(Ok(_) | Err(_)) => return Err(End::Gone),
                Err(_) => return Err(End::Said("421 4.4.2 Nothing was said for too long")),
            }
        }
    }

    async fn say(&mut self, words: &str) -> Result<(), End> {
        let line = format!("{words}\r\n");
        let said = async {
            self.stream.write_all(line.as_bytes()).await?;
            self.stream.flush().await
        };
        if matches!(timeout(SILENCE, said).await, Ok(Ok(()))) { Ok(()) } else { Err(End::Gone) }
    }

    /// Says what was wrong, and ends it when that was too often.
    async fn mistake(&mut self, words: &str) -> Result<(), End> {
        self.mistakes = self.mistakes.saturating_add(1);
        self.say(words).await?;
        if self.mistakes >= MISTAKES { Err(End::Said("421 4.7.0 Too many mistakes")) } else { Ok(()) }
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }
}
