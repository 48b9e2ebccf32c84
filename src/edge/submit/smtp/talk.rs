//! Commands out, replies in: every reply bounded, every wait with a deadline.

use std::fmt::Display;
use std::io::ErrorKind;
use std::time::Duration;

use futures::FutureExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::edge::dial::BoxStream;

/// A reply may have many lines; RFC 5321 allows 512 bytes a line, and no server has as many extensions as would fill this.
const MAX_REPLY: usize = 64 * 1024;

/// A connection on which lines are spoken.
#[derive(Debug)]
pub(super) struct Talk {
    stream: BoxStream,
    /// Read, and not yet understood.
    pending: Vec<u8>,
    /// Nothing is waited for beyond this.
    deadline: Instant,
}

/// One reply of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// All lines as they came, the code in each, joined by `\n`.
    pub(super) text: String,
}

impl Reply {
    /// What stands behind the code in each line.
    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        self.text.lines().map(|line| line.get(4..).unwrap_or_default())
    }
}

/// There is no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    #[error("no answer within {:.0} s", .0.as_secs_f64())]
    TimedOut(Duration),
    #[error("the server closed the connection")]
    Closed,
    #[error("connection reset")]
    Reset,
    #[error("{0}")]
    Io(String),
    #[error("the server does not speak SMTP: `{0}`")]
    Garbage(String),
    #[error("the server's reply is longer than {} KiB", MAX_REPLY / 1024)]
    TooLong,
}

impl Lost {
    /// Whether bytes came that are no answer.
    pub(super) const fn is_nonsense(&self) -> bool {
        matches!(self, Self::Garbage(_) | Self::TooLong)
    }
}

impl Talk {
    pub(super) const fn new(stream: BoxStream, deadline: Instant) -> Self {
        Self { stream, pending: Vec::new(), deadline }
    }

    /// The same conversation, with another end to all waiting.
    pub(super) fn until_then(self, deadline: Instant) -> Self {
        Self { deadline, ..self }
    }

    /// Whether the other side still listens, and has said nothing that it was not asked for.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.pending.is_empty() && self.stream.read(&mut [0; 1]).now_or_never().is_none()
    }

    /// The connection, to be encrypted; nothing if the server said something that it was not asked for, which would then count as having
    /// come through the encryption.
    pub(super) fn into_stream(self) -> Option<BoxStream> {
        self.pending.is_empty().then_some(self.stream)
    }

    /// Sends `command`, which ends its own line, and waits for the reply.
    pub(super) async fn command(&mut self, command: impl Display, patience: Duration) -> Result<Reply, Lost> {
        let sent = self.send(command.to_string().as_bytes(), patience).await;
        // A server that closes says why before it does: its words are worth more than our failure to write.
        let read = self.reply(patience).await;
        if read.is_err() { sent.and(read) } else { read }
    }

    /// Sends `bytes`.
    pub(super) async fn send(&mut self, bytes: &[u8], patience: Duration) -> Result<(), Lost> {
        let until = self.until(patience);
        let sent = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout_at(until, sent).await {
            Ok(sent) => sent.map_err(|e| lost(&e)),
            Err(_) => Err(Lost::TimedOut(patience)),
        }
    }

    /// Waits for a reply.
    pub(super) async fn reply(&mut self, patience: Duration) -> Result<Reply, Lost> {
        let (begun, until) = (Instant::now(), self.until(patience));
        loop {
            if let Some((reply, used)) = parse(&self.pending)? {
                self.pending.drain(..used);
                return Ok(reply);
            }
            if self.pending.len() >= MAX_REPLY {
                return Err(Lost::TooLong);
            }
            let mut chunk = [0; 4096];
            let read = match timeout_at(until, self.stream.read(&mut chunk)).await {
                Ok(read) => read.map_err(|e| lost(&e))?,
                Err(_) => return Err(Lost::TimedOut(begun.elapsed())),
            };
            if read == 0 {
                return Err(Lost::Closed);
            }
            self.pending.extend_from_slice(chunk.get(..read).unwrap_or_default());
        }
    }

    fn until(&self, patience: Duration) -> Instant {
        self.deadline.min(Instant::now() + patience)
    }
}

fn lost(error: &std::io::Error) -> Lost {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are open-ended; the rest speaks for itself")]
    match error.kind() {
        ErrorKind::UnexpectedEof => Lost::Closed,
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted => Lost::Reset,
        _ => Lost::Io(error.to_string()),
    }
}

/// The reply that `bytes` begin with and its length; nothing if it is not complete yet. A line ends with LF, as sloppy servers have it.
fn parse(bytes: &[u8]) -> Result<Option<(Reply, usize)>, Lost> {
    let mut used = 0_usize;
    let mut lines = Vec::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some(bare) = line.strip_suffix(b"\n") else {
            // Not a whole line yet, but it can be seen early that it will be none.
            return if head(line).is_some() { Ok(None) } else { Err(garbage(line)) };
        };
        used = used.saturating_add(line.len());
        let bare = bare.strip_suffix(b"\r").unwrap_or(bare);
        let Some((code, last)) = head(bare).filter(|_| bare.len() >= 3) else { return Err(garbage(bare)) };
        lines.push(String::from_utf8_lossy(bare).into_owned());
        if last {
            return Ok(Some((Reply { code, text: lines.join("\n") }, used)));
        }
    }
    Ok(None)
}

/// The code at the start of a line, or what is there of it, and whether the line is the last; nothing if it cannot be a reply's.
fn head(line: &[u8]) -> Option<(u16, bool)> {
    let digits = line.get(..3).unwrap_or(line);
    let code = digits.iter().try_fold(0_u16, |code, byte| {
        let digit = char::from(*byte).to_digit(10).and_then(|digit| u16::try_from(digit).ok())?;
        Some(code.saturating_mul(10).saturating_add(digit))
    })?;
    match line.get(3) {
        Some(b'-') => Some((code, false)),
        None | Some(b' ' | b'\t' | b'\r') => Some((code, true)),
        Some(_) => None,
    }
}

fn garbage(line: &[u8]) -> Lost {
    Lost::Garbage(String::from_utf8_lossy(line.get(..80).unwrap_or(line)).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> Option<(u16, String, usize)> {
        parse(bytes).unwrap().map(|(reply, used)| (reply.code, reply.text, used))
    }

    #[test]
    fn replies_are_read_whole() {
        assert_eq!(text(b"220 hi\r\n"), Some((220, "220 hi".to_owned(), 8)));
        assert_eq!(text(b"250-a\r\n250-b\n250 c\r\nrest"), Some((250, "250-a\n250-b\n250 c".to_owned(), 20)));
        assert_eq!(text(b"354\r\n"), Some((354, "354".to_owned(), 5)));
        assert_eq!(text(b"550 gr\xfc\xdfe\r\n").unwrap().1, "550 gr\u{fffd}\u{fffd}e");
        for part in [&b""[..], b"2", b"22", b"220", b"220 x", b"250-a\r\n", b"250-a\r\n25"] {
            assert_eq!(text(part), None);
        }
    }

    #[test]
    fn what_is_no_reply_is_seen_at_once() {
        for bytes in [&b"HTTP/1.1 400 Bad\r\n"[..], b"H", b"\x16\x03\x01", b"25O ok\r\n", b"250_ok\r\n", b"\r\n", b"25\r\n", b"250-a\r\nx"]
        {
            assert!(matches!(parse(bytes), Err(Lost::Garbage(_))), "{bytes:?}");
        }
    }

    #[test]
    fn lines_come_without_their_code() {
        let (reply, _) = parse(b"250-mail.example\r\n250-\r\n250 \r\n").unwrap().unwrap();
        assert_eq!(reply.lines().collect::<Vec<_>>(), ["mail.example", "", ""]);
    }
}
