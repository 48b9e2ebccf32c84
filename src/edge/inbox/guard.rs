//! A filter below the IMAP parser: bounds what one command may bring in, and keeps from the parser what would make it panic.
//!
//! imap-proto 0.17 panics on `INTERNALDATE NIL`, on a response code followed directly by a character beyond ASCII (`[ALERT]é`) and on
//! `METADATA` values that are no UTF-8, and it recurses without limit in `BODYSTRUCTURE`. We ask for none of these, yet a server may send
//! them. One byte of each is overwritten wherever it stands: in a response that makes it an unknown word, in the text of a mail it
//! changes a letter that nobody looks at.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::edge::dial::BoxStream;

/// Most bytes that one command may bring in. A batch of headers takes less than 1 MiB; async-imap itself would buffer 512 MiB.
pub(super) const BUDGET: usize = 8 * 1024 * 1024;
/// What the parser must not see, in upper case. The last byte of each is overwritten.
const POISON: [&[u8]; 3] = [b"INTERNALDATE NIL", b"BODYSTRUCTURE", b"METADATA "];
/// The longest of them, less the byte at hand.
const MEMORY: usize = 15;

/// The server sent more than a command may bring in.
#[derive(Debug, thiserror::Error)]
#[error("more than {BUDGET} bytes in answer to one command")]
pub(super) struct OverBudget;

/// A connection whose incoming bytes are counted and cleaned.
#[derive(Debug)]
pub(super) struct Guard {
    inner: BoxStream,
    left: usize,
    recent: [u8; MEMORY],
}

impl Guard {
    /// Guards `inner`, with a full budget.
    pub(super) fn new(inner: BoxStream) -> Self {
        Self { inner, left: BUDGET, recent: [0; MEMORY] }
    }

    /// Begins a new budget.
    pub(super) const fn refill(&mut self) {
        self.left = BUDGET;
    }

    fn clean(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let upper = byte.to_ascii_uppercase();
            let poisoned =
                POISON.iter().any(|word| word.split_last().is_some_and(|(last, before)| *last == upper && self.recent.ends_with(before)));
            let after_code = *byte >= 0x80 && self.recent.last() == Some(&b']');
            if poisoned || after_code {
                *byte = b'?';
            }
            self.recent.rotate_left(1);
            if let Some(last) = self.recent.last_mut() {
                *last = byte.to_ascii_uppercase();
            }
        }
    }
}

impl AsyncRead for Guard {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(Err(io::Error::other(OverBudget)));
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut this.inner).poll_read(cx, buf);
        if let Some(new) = buf.filled_mut().get_mut(before..) {
            this.left = this.left.saturating_sub(new.len());
            this.clean(new);
        }
        result
    }
}

impl AsyncWrite for Guard {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use async_imap::imap_proto::Response;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    async fn through(sent: &[u8], chunk: usize) -> Vec<u8> {
        let (ours, mut theirs) = duplex(chunk);
        let sent = sent.to_vec();
        let feed = async move {
            theirs.write_all(&sent).await.unwrap();
            drop(theirs);
        };
        let mut guard = Guard::new(Box::new(ours));
        let mut out = Vec::new();
        let (read, ()) = tokio::join!(guard.read_to_end(&mut out), feed);
        read.unwrap();
        out
    }

    #[tokio::test]
    async fn what_would_make_the_parser_panic_never_reaches_it() {
        let deep = format!("* 1 FETCH (UID 7 bodystructure {})\r\n", "(".repeat(200_000));
        let poison: [&[u8]; 4] = [
            b"* 1 FETCH (UID 7 INTERNALDATE nil FLAGS ())\r\n",
            "* OK [ALERT]\u{e9}\u{e9} now\r\n".as_bytes(),
            b"* METADATA \"INBOX\" (/private/comment \"\xff\xfe\")\r\n",
            deep.as_bytes(),
        ];
        for sent in poison {
            for chunk in [1, 7, 65_536] {
                let clean = through(sent, chunk).await;
                assert_eq!(clean.len(), sent.len());
                // A panic or an overflow of the stack would end the test here.
                let _parsed = Response::parse(&clean).is_ok();
            }
        }
        for sent in &poison[..3] {
            let raw = std::panic::catch_unwind(|| Response::parse(sent).is_ok());
            assert!(raw.is_err(), "the parser bears it by now: {}", String::from_utf8_lossy(sent));
        }
        let clean = through(poison[0], 3).await;
        assert!(Response::parse(&clean).is_ok(), "the rest of the response is still read: {}", String::from_utf8_lossy(&clean));
    }

    #[tokio::test]
    async fn all_else_passes_unchanged() {
        let sent = "* 1 FETCH (UID 7 INTERNALDATE \" 1-Jan-2026 00:00:00 +0000\" BODY[] {4}\r\n[é])\r\n".as_bytes();
        let kept = "* 1 FETCH (UID 7 INTERNALDATE \" 1-Jan-2026 00:00:00 +0000\" BODY[] {4}\r\n[é])\r\n".as_bytes();
        assert_eq!(through(sent, 5).await, kept);
    }

    #[tokio::test]
    async fn a_budget_ends_and_begins_again() {
        const MIB: usize = 1 << 20;
        let (ours, mut theirs) = duplex(MIB);
        let mut guard = Guard::new(Box::new(ours));
        let mut block = vec![0; MIB];
        let mut taken = 0;
        let error = loop {
            if taken <= BUDGET {
                theirs.write_all(&block).await.unwrap();
            }
            match guard.read(&mut block).await {
                Ok(n) => taken += n,
                Err(e) => break e,
            }
        };
        assert!(error.get_ref().is_some_and(|inner| inner.is::<OverBudget>()), "{error:?}");
        assert_eq!(taken, BUDGET);
        guard.refill();
        assert_eq!(guard.read(&mut block).await.unwrap(), MIB);
    }
}
