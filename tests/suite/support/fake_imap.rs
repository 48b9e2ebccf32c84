//! An IMAP server that does what a test wants: mostly a well-behaved one, with single answers replaced.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// What a scripted answer does with a command.
#[derive(Clone, Debug)]
pub enum Answer {
    /// These bytes, with the last `TAG` replaced by the command's tag.
    Say(Vec<u8>),
    /// The same, one byte at a time.
    Drip(Vec<u8>),
    /// Nothing at all.
    Hang,
    /// The connection is closed.
    Close,
    /// As a well-behaved server.
    Usual,
}

/// Shortens a script.
pub fn say(text: &str) -> Answer {
    Answer::Say(text.as_bytes().to_vec())
}

/// A message in a folder.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Its UID.
    pub uid: u32,
    /// What `INTERNALDATE` says, without quotes; empty: it is left out.
    pub date: String,
    /// The header, raw, with an empty line at its end.
    pub header: Vec<u8>,
    /// What follows.
    pub body: Vec<u8>,
}

/// One folder.
#[derive(Clone, Debug, Default)]
pub struct Box_ {
    /// Attributes in `LIST`.
    pub attributes: &'static str,
    /// `UIDVALIDITY`; 0: the server does not say.
    pub uid_validity: u32,
    /// Whether `UIDNEXT` is told.
    pub no_uid_next: bool,
    /// How often it has to be `SELECT`ed before `UIDVALIDITY` is the same at two `EXAMINE`s.
    pub renews: usize,
    /// Its mail, by UID.
    pub mail: Vec<Mail>,
}

type Script = dyn Fn(&Command) -> Answer + Send + Sync;

/// A command that came in.
#[derive(Clone, Debug)]
pub struct Command {
    /// On which connection, counted from 0.
    pub connection: usize,
    /// Its tag.
    pub tag: String,
    /// The rest of the line. `GREETING`, `DONE` and `IDLING` (after the `+`) are asked for as well.
    pub line: String,
}

/// State that the connections share.
pub struct Fake {
    /// The folders by name on the wire.
    pub folders: Mutex<BTreeMap<String, Box_>>,
    /// Every command so far.
    pub log: Mutex<Vec<Command>>,
    /// Capabilities.
    pub capability: Mutex<String>,
    script: Box<Script>,
    pushes: Notify,
    said: Notify,
    /// Where it listens.
    pub port: u16,
}

impl Fake {
    /// Starts one. `script` may replace any answer.
    pub async fn run(script: impl Fn(&Command) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inbox = Box_ { uid_validity: 7, ..Box_::default() };
        let junk = Box_ { uid_validity: 8, attributes: "\\Junk", ..Box_::default() };
        let fake = Arc::new(Self {
            folders: Mutex::new([("INBOX".to_owned(), inbox), ("Junk".to_owned(), junk)].into()),
            log: Mutex::default(),
            capability: Mutex::new("IMAP4rev1 IDLE UIDPLUS".to_owned()),
            script: Box::new(script),
            pushes: Notify::new(),
            said: Notify::new(),
            port: listener.local_addr().unwrap().port(),
        });
        let server = Arc::clone(&fake);
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(Arc::clone(&server).serve(stream, connection));
            }
        });
        fake
    }

    /// Changes a folder.
    pub fn folder<T>(&self, name: &str, f: impl FnOnce(&mut Box_) -> T) -> T {
        f(self.folders.lock().unwrap().get_mut(name).unwrap())
    }

    /// Puts mail into a folder, and tells those who wait in `IDLE`.
    pub fn put(&self, name: &str, mail: Mail) {
        self.folder(name, |folder| folder.mail.push(mail));
        self.pushes.notify_waiters();
    }

    /// How many commands so far begin with `start`.
    pub fn count(&self, start: &str) -> usize {
        self.log.lock().unwrap().iter().filter(|c| c.line.starts_with(start)).count()
    }

    /// Waits until `n` commands that begin with `start` have come.
    pub async fn wait_for(&self, start: &str, n: usize) {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let said = self.said.notified();
            if self.count(start) >= n {
                return;
            }
            timeout_at(deadline, said).await.unwrap_or_else(|_| panic!("no {n} × {start}: {:?}", self.log.lock().unwrap()));
        }
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, connection: usize) {
        stream.set_nodelay(true).unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read);
        let mut open = None;
        if self.answer(&mut write, connection, "*", "GREETING", b"* OK ready\r\n".to_vec()).await.is_none() {
            // Hangs until the other side goes.
            let _ = lines.read_to_end(&mut Vec::new()).await;
            return;
        }
        loop {
            let mut line = String::new();
            match lines.read_line(&mut line).await {
                Ok(n) if n > 0 => {}
                _ => return,
            }
            // What goes on with a command has no tag.
            let line = line.trim_end_matches(['\r', '\n']);
            let (tag, command) = line.split_once(' ').unwrap_or(("", line));
            let (tag, command) = (tag.to_owned(), command.to_owned());
            let usual = self.usual(&tag, &command, &mut open);
            let Some(as_usual) = self.answer(&mut write, connection, &tag, &command, usual).await else {
                let _ = lines.read_to_end(&mut Vec::new()).await;
                return;
            };
            if command == "LOGOUT" {
                return;
            }
            if command == "IDLE" && as_usual && self.idle(&mut lines, &mut write, connection, &tag, open.as_deref()).await.is_none() {
                return;
            }
        }
    }

    /// Sends the scripted answer or the usual one; whether it was the usual one. `None`: nothing more is said on this connection.
    async fn answer(
        &self,
        write: &mut (impl AsyncWriteExt + Unpin),
        connection: usize,
        tag: &str,
        line: &str,
        usual: Vec<u8>,
    ) -> Option<bool> {
        let command = Command { connection, tag: tag.to_owned(), line: line.to_owned() };
        self.log.lock().unwrap().push(command.clone());
        self.said.notify_waiters();
        let fill = |bytes: Vec<u8>| match bytes.windows(3).rposition(|window| window == b"TAG") {
            Some(at) => [&bytes[..at], tag.as_bytes(), &bytes[at + 3..]].concat(),
            None => bytes,
        };
        match (self.script)(&command) {
            Answer::Say(bytes) => write.write_all(&fill(bytes)).await.ok().map(|()| false),
            Answer::Drip(bytes) => {
                for byte in fill(bytes) {
                    write.write_all(&[byte]).await.ok()?;
                    tokio::task::yield_now().await;
                }
                Some(false)
            }
            Answer::Hang => None,
            Answer::Close => {
                let _ = write.shutdown().await;
                None
            }
            Answer::Usual => write.write_all(&usual).await.ok().map(|()| true),
        }
    }

    async fn idle(
        &self,
        lines: &mut (impl AsyncBufReadExt + Unpin),
        write: &mut (impl AsyncWriteExt + Unpin),
        connection: usize,
        tag: &str,
        open: Option<&str>,
    ) -> Option<()> {
        self.answer(write, connection, tag, "IDLING", Vec::new()).await?;
        let mut line = String::new();
        let exists = || open.map_or(0, |name| self.folder(name, |f| f.mail.len()));
        let mut before = exists();
        loop {
            let pushed = self.pushes.notified();
            tokio::select! {
                read = lines.read_line(&mut line) => {
                    if read.ok()? == 0 {
                        return None;
                    }
                    if line.trim_end() == "DONE" {
                        return self.answer(write, connection, tag, "DONE", format!("{tag} OK done\r\n").into_bytes()).await.map(|_| ());
                    }
                    return None;
                }
                () = pushed => {
                    let now = exists();
                    if now != before {
                        before = now;
                        self.answer(write, connection, tag, "PUSH", format!("* {now} EXISTS\r\n").into_bytes()).await?;
                    }
                }
            }
        }
    }

    fn usual(&self, tag: &str, line: &str, open: &mut Option<String>) -> Vec<u8> {
        let word = line.split(' ').next().unwrap().to_owned();
        let capability = self.capability.lock().unwrap().clone();
        let ok = format!("{tag} OK done\r\n").into_bytes();
        match word.as_str() {
            "LOGIN" => format!("{tag} OK [CAPABILITY {capability}] in\r\n").into_bytes(),
            "CAPABILITY" => [format!("* CAPABILITY {capability}\r\n").into_bytes(), ok].concat(),
            "LIST" => {
                let folders = self.folders.lock().unwrap();
                let line = |(name, f): (&String, &Box_)| format!("* LIST ({}) \"/\" \"{name}\"\r\n", f.attributes).into_bytes();
                [folders.iter().flat_map(line).collect(), ok].concat()
            }
            "EXAMINE" | "SELECT" => self.open(tag, line, open),
            "IDLE" => b"+ idling\r\n".to_vec(),
            "FETCH" | "UID" if line.contains("FETCH") => {
                let mut out = Vec::new();
                if let Some(name) = open {
                    self.folder(name, |folder| fetch(folder, line, &mut out));
                }
                [out, ok].concat()
            }
            _ => ok,
        }
    }

    fn open(&self, tag: &str, line: &str, open: &mut Option<String>) -> Vec<u8> {
        let name = line.split_once(' ').unwrap().1.trim_matches('"').to_owned();
        let mut folders = self.folders.lock().unwrap();
        let Some(folder) = folders.get_mut(&name) else {
            *open = None;
            return format!("{tag} NO [NONEXISTENT] Unknown Mailbox\r\n").into_bytes();
        };
        if folder.renews > 0 {
            folder.uid_validity += 1;
            folder.renews -= usize::from(line.starts_with("SELECT"));
        }
        let mut out = format!("* FLAGS (\\Seen)\r\n* {} EXISTS\r\n* 0 RECENT\r\n", folder.mail.len());
        if folder.uid_validity > 0 {
            out += &format!("* OK [UIDVALIDITY {}] valid\r\n", folder.uid_validity);
        }
        if !folder.no_uid_next {
            out += &format!("* OK [UIDNEXT {}] next\r\n", folder.mail.last().map_or(1, |m| m.uid + 1));
        }
        *open = Some(name);
        format!("{out}{tag} OK [READ-ONLY] open\r\n").into_bytes()
    }
}

/// As a server would: `n:*` names the last message even if its UID is below `n`.
fn fetch(folder: &Box_, line: &str, out: &mut Vec<u8>) {
    let by_uid = line.starts_with("UID");
    let set = line.split(' ').nth(if by_uid { 2 } else { 1 }).unwrap();
    let last = folder.mail.len();
    for (index, mail) in folder.mail.iter().enumerate() {
        let (number, max) = if by_uid { (mail.uid, folder.mail[last - 1].uid) } else { (index as u32 + 1, last as u32) };
        let hit = set.split(',').any(|part| match part.split_once(':') {
            Some((from, "*")) => number >= from.parse::<u32>().unwrap().min(max),
            Some((from, to)) => (from.parse().unwrap()..=to.parse().unwrap()).contains(&number),
            None => part.parse() == Ok(number),
        });
        if hit {
            out.extend(one(index + 1, mail, line));
        }
    }
}

/// The answer for one message.
pub fn one(sequence: usize, mail: &Mail, line: &str) -> Vec<u8> {
    let mut out = format!("* {sequence} FETCH (UID {}", mail.uid).into_bytes();
    if line.contains("INTERNALDATE") && !mail.date.is_empty() {
        out.extend(format!(" INTERNALDATE \"{}\"", mail.date).bytes());
    }
    if line.contains("RFC822.SIZE") {
        out.extend(format!(" RFC822.SIZE {}", mail.header.len() + mail.body.len()).bytes());
    }
    if line.contains("HEADER.FIELDS") {
        out.extend(format!(" BODY[HEADER.FIELDS (SUBJECT)] {{{}}}\r\n", mail.header.len()).bytes());
        out.extend(&mail.header);
    }
    if line.contains("BODY.PEEK[]") {
        let whole = [mail.header.clone(), mail.body.clone()].concat();
        out.extend(format!(" BODY[]<0> {{{}}}\r\n", whole.len()).bytes());
        out.extend(whole);
    }
    out.extend(b")\r\n");
    out
}
