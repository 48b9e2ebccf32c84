//! What is kept of a message that streams by: a bounded beginning of its header and of its text, in which nothing is missing that matters.
//!
//! Nobody knows how large a message is before it ends, and whoever writes one may put megabytes before what is looked for.

use super::fetch::HEADERS;
use super::whole::{LOOKED_AT, OWN};

/// Bytes of a header that are kept as they stand. What stands behind them is kept only as far as it is a field that matters: of all those so much…
const HEAD: usize = 128 * 1024;
const MORE: usize = 48 * 1024;
/// …and of our own, and of one line, so much.
const LINE: usize = 16 * 1024;
/// A header that goes on for longer than this has no end.
const FAR: usize = 32 * 1024 * 1024;

/// A message, or the beginning of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// At most [`LOOKED_AT`].
    pub(super) raw: Vec<u8>,
    /// There is more of it.
    pub(super) cut: bool,
}

/// Whoever sees a message stream by.
#[derive(Debug)]
pub(super) struct Gist {
    /// A header that goes on for longer is not waited for.
    far: usize,
    head: Vec<u8>,
    own: Vec<u8>,
    more: Vec<u8>,
    /// The empty line, and the text.
    text: Vec<u8>,
    in_text: bool,
    /// The line of the header that has not ended, as far as it is kept.
    line: Vec<u8>,
    /// The header is too long to be kept as it stands.
    full: bool,
    /// Whether the field at hand is kept all the same, and whether it is our own.
    keeps: bool,
    is_own: bool,
    read: usize,
    /// Something of the header was left out, or of the text.
    cut: bool,
    spilt: bool,
}

impl Default for Gist {
    fn default() -> Self {
        Self::up_to(FAR)
    }
}

impl Gist {
    /// Where a header has so many bytes at most.
    pub(super) fn up_to(far: usize) -> Self {
        let [head, own, more, text, line] = <[Vec<u8>; 5]>::default();
        Self {
            far,
            head,
            own,
            more,
            text,
            in_text: false,
            line,
            full: false,
            keeps: false,
            is_own: false,
            read: 0,
            cut: false,
            spilt: false,
        }
    }

    /// Whether the text has begun.
    pub(super) const fn has_text(&self) -> bool {
        self.in_text
    }

    /// Takes in what comes next, in pieces of any length.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !self.in_text && !rest.is_empty() {
            let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at.saturating_add(1));
            let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
            self.in_header(piece);
            rest = after;
        }
        let kept = [&self.head, &self.own, &self.more, &self.text].iter().map(|part| part.len()).sum::<usize>();
        let room = LOOKED_AT.saturating_sub(kept).min(rest.len());
        self.spilt |= room < rest.len();
        self.text.extend_from_slice(rest.get(..room).unwrap_or_default());
    }

    /// Whether nothing that comes now would be kept.
    pub(super) const fn is_full(&self) -> bool {
        self.spilt || self.read > self.far
    }

    /// What was kept.
    pub(super) fn end(mut self) -> Seen {
        if !self.in_text {
            self.end_line();
            self.cut |= self.read > self.far;
        }
        Seen { raw: [self.head, self.own, self.more, self.text].concat(), cut: self.cut || self.spilt }
    }

    fn in_header(&mut self, piece: &[u8]) {
        self.read = self.read.saturating_add(piece.len());
        let ends = piece.ends_with(b"\n");
        let room = LINE.saturating_sub(self.line.len()).min(piece.len());
        self.cut |= room < piece.len();
        self.line.extend_from_slice(piece.get(..room).unwrap_or_default());
        if ends {
            if room < piece.len() {
                self.line.extend_from_slice(b"\r\n");
            }
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if matches!(line.as_slice(), b"\n" | b"\r\n") {
            (self.in_text, self.text) = (true, line);
            return;
        }
        let begins = !matches!(line.first(), Some(b' ' | b'\t'));
        self.full |= self.head.len().saturating_add(line.len()) > HEAD;
        if !self.full {
            self.head.extend_from_slice(&line);
            return;
        }
        if begins {
            let name = line.split(|byte| *byte == b':').next().unwrap_or_default().trim_ascii();
            (self.is_own, self.keeps) = (name.eq_ignore_ascii_case(OWN.as_bytes()), matters(name));
        }
        let (part, most) = if self.is_own { (&mut self.own, LINE) } else { (&mut self.more, MORE) };
        if (self.is_own || self.keeps) && part.len().saturating_add(line.len()) <= most {
            part.extend_from_slice(&line);
        } else {
            self.cut = true;
        }
    }
}

/// Whether a field is one of those that servers are asked for, too.
fn matters(name: &[u8]) -> bool {
    let asked = HEADERS.split_once("FIELDS (").and_then(|(_, rest)| rest.split(')').next()).unwrap_or_default();
    asked.split_ascii_whitespace().any(|field| name.eq_ignore_ascii_case(field.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(message: &[u8], piece: usize) -> Seen {
        let mut gist = Gist::default();
        message.chunks(piece).for_each(|piece| gist.push(piece));
        gist.end()
    }

    #[test]
    fn what_is_not_large_is_kept_as_it_is() {
        for mail in ["A: 1\r\n 2\r\n\r\ntext\r\n.\r\n\r\n", "A: 1\n\n\ntext", "A: 1", "", "\r\n\r\ntext", "A: 1\r\n \r\nB: 2\r\n\r\n"] {
            for piece in [1, 2, 7, 4096] {
                assert_eq!(seen(mail.as_bytes(), piece), Seen { raw: mail.as_bytes().to_vec(), cut: false }, "{mail:?}");
            }
        }
    }

    #[test]
    fn of_a_long_header_what_matters_is_kept_and_the_text_begins() {
        let pad = format!("X-Pad: {}\r\n", "x".repeat(900)).repeat(12_000);
        let mail = format!(
            "Subject: a\r\n{pad}x-mailcanary:\r\n token\r\nReply-To: <spy@evil.example>\r\nX-More: b\r\n\r\nhello {}",
            "y".repeat(500_000)
        );
        for piece in [999, 65_536] {
            let Seen { raw, cut } = seen(mail.as_bytes(), piece);
            let text = String::from_utf8(raw).unwrap();
            assert!(cut && text.len() <= LOOKED_AT && text.starts_with("Subject: a\r\nX-Pad"), "{}", text.len());
            assert!(
                text.contains("\r\nx-mailcanary:\r\n token\r\nReply-To: <spy@evil.example>\r\n\r\nhello yyy") && !text.contains("X-More")
            );
        }
    }

    #[test]
    fn nothing_is_unbounded() {
        let mut gist = Gist::default();
        let mut pushed = 0;
        while !gist.is_full() {
            gist.push(&[b'x'; 8192]);
            pushed += 8192;
            assert!(pushed <= FAR + 8192);
        }
        let Seen { raw, cut } = gist.end();
        assert!(cut && raw.len() <= LINE + 2);
        let flood = ["From: a@b.example\r\n".repeat(100_000), "X-Mailcanary: t\r\n\r\nhello".to_owned()].concat();
        let Seen { raw, cut } = seen(flood.as_bytes(), 4096);
        assert!(cut && raw.len() <= LOOKED_AT && raw.ends_with(b"\r\n\r\nhello"));
        assert!(raw.windows(17).any(|part| part == b"\nX-Mailcanary: t\r"), "ours has room of its own");
        let mut gist = Gist::default();
        gist.push(b"A: 1\r\n\r\n");
        while !gist.is_full() {
            gist.push(&[b'y'; 8192]);
        }
        assert_eq!(gist.end().raw.len(), LOOKED_AT);
    }
}
