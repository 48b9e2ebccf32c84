//! One logged-in IMAP session.
//!
//! async-imap parses what comes in; the commands are written here. Its own ones would do wrong for a watchdog: `uid_fetch` takes a `NO` at
//! its end, and a connection that closes in the middle, for success, so that a read that saw nothing would count as a read of everything;
//! `idle().init()` panics on a `BAD` without text and waits for ever on a `NO`.

#![expect(clippy::wildcard_enum_match_arm, reason = "imap-proto's lists are open-ended, and what we did not ask for does not matter")]

use std::time::Duration;

use async_imap::Client;
use async_imap::imap_proto::{MailboxDatum, NameAttribute, Outcome, Response, ResponseCode, Status};
use tokio::io::AsyncWriteExt;

use super::folders::Listed;
use super::greet::{Capabilities, quoted};
use super::guard::Guard;
use super::pace::Pace;
use super::trouble::{Trouble, plain};
use super::wait::{lost, within};
use crate::edge::dial::BoxStream;

/// Folders beyond these are not looked at.
const LIST_MAX: usize = 5000;

/// What is searched for is one message: more than these are no answer.
const FOUND_MAX: usize = 1000;

/// What a server says when it opens a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Opened {
    /// `UIDVALIDITY`; 0 if the server does not say.
    pub(super) uid_validity: u32,
    /// `UIDNEXT`, if the server says.
    pub(super) uid_next: Option<u32>,
    /// How many messages there are.
    pub(super) exists: u32,
}

/// A logged-in session. After any [`Trouble`] but a refusal it must be dropped.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) client: Client<Guard>,
    /// What the server can do.
    pub(super) capabilities: Capabilities,
    pub(super) pace: Pace,
    tags: u32,
    /// The tag of a running `IDLE`.
    pub(super) idle: Option<String>,
    /// Whether `EXISTS` came since somebody last asked: it may stand anywhere, also before the `+` of an `IDLE`.
    news: bool,
}

impl Session {
    /// One that is logged in, and has said nothing more yet.
    pub(super) fn begin(stream: BoxStream, capabilities: Capabilities, pace: &Pace) -> Self {
        Self { client: Client::new(Guard::new(stream)), capabilities, pace: *pace, tags: 0, idle: None, news: false }
    }

    pub(super) async fn write(&mut self, what: &'static str, line: &str) -> Result<(), Trouble> {
        let stream = self.client.get_mut();
        stream.refill();
        let line = format!("{line}\r\n");
        stream.write_all(line.as_bytes()).await.map_err(|e| lost(what, &e))?;
        stream.flush().await.map_err(|e| lost(what, &e))
    }

    pub(super) fn tag(&mut self) -> String {
        self.tags = self.tags.wrapping_add(1);
        format!("c{}", self.tags)
    }

    /// What `see` makes of the next response. Cancelling it loses nothing: what has arrived stays in the parser's buffer.
    pub(super) async fn next<T>(&mut self, what: &'static str, see: impl FnOnce(&Response<'_>) -> T + Send) -> Result<T, Trouble> {
        match self.client.read_response().await {
            Ok(Some(response)) => match response.parsed() {
                Response::Data { status: Status::Bye, outcome } => Err(Trouble::Bye { text: words(outcome) }),
                other => {
                    self.news |= matches!(other, Response::MailboxData(MailboxDatum::Exists(_)));
                    Ok(see(other))
                }
            },
            Ok(None) => Err(Trouble::Lost { what, why: String::new() }),
            Err(e) => Err(lost(what, &e)),
        }
    }

    /// Sends `line` and hands every response before its end to `each`.
    pub(super) async fn command(
        &mut self,
        what: &'static str,
        line: &str,
        each: impl FnMut(&Response<'_>) -> Result<(), Trouble> + Send,
    ) -> Result<(), Trouble> {
        let tag = self.tag();
        let after = self.pace.command;
        within(after, what, async {
            self.write(what, &format!("{tag} {line}")).await?;
            self.finish(what, &tag, each).await
        })
        .await
    }

    pub(super) async fn finish(
        &mut self,
        what: &'static str,
        tag: &str,
        mut each: impl FnMut(&Response<'_>) -> Result<(), Trouble> + Send,
    ) -> Result<(), Trouble> {
        loop {
            let ended = self
                .next(what, |response| match response {
                    Response::Done { tag: answered, status: Status::Ok, .. } if answered.0 == tag => Ok(true),
                    Response::Done { tag: answered, outcome, .. } if answered.0 == tag => {
                        Err(Trouble::Refused { what, text: words(outcome), login: false })
                    }
                    other => each(other).map(|()| false),
                })
                .await??;
            if ended {
                return Ok(());
            }
        }
    }

    /// Opens a folder for reading only. `None`: there is no such folder.
    pub(super) async fn examine(&mut self, wire: &str) -> Result<Option<Opened>, Trouble> {
        self.open("EXAMINE", wire).await
    }

    /// Opens a folder for changing it.
    pub(super) async fn select(&mut self, wire: &str) -> Result<Option<Opened>, Trouble> {
        self.open("SELECT", wire).await
    }

    async fn open(&mut self, what: &'static str, wire: &str) -> Result<Option<Opened>, Trouble> {
        let mut opened = Opened::default();
        let line = format!("{what} {}", quoted(wire));
        let answer = self
            .command(what, &line, |response| {
                match response {
                    Response::Data { outcome: Outcome { code: Some(ResponseCode::UidValidity(n)), .. }, .. } => opened.uid_validity = *n,
                    Response::Data { outcome: Outcome { code: Some(ResponseCode::UidNext(n)), .. }, .. } => opened.uid_next = Some(*n),
                    Response::MailboxData(MailboxDatum::Exists(n)) => opened.exists = *n,
                    _ => {}
                }
                Ok(())
            })
            .await;
        match answer {
            Ok(()) => Ok(Some(opened)),
            Err(Trouble::Refused { text, .. }) if no_such_folder(&text) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Every folder of the account.
    pub(super) async fn list(&mut self) -> Result<Vec<Listed>, Trouble> {
        let mut listed = Vec::new();
        self.command("LIST", "LIST \"\" \"*\"", |response| {
            if let Response::MailboxData(MailboxDatum::List(data)) = response
                && listed.len() < LIST_MAX
            {
                let spam = |a: &NameAttribute<'_>| matches!(a, NameAttribute::Extension(e) if e.eq_ignore_ascii_case("\\Spam"));
                let all = |a: &NameAttribute<'_>| matches!(a, NameAttribute::Extension(e) if e.eq_ignore_ascii_case("\\AllMail"));
                let gone = |a: &NameAttribute<'_>| matches!(a, NameAttribute::Extension(e) if e.eq_ignore_ascii_case("\\NonExistent"));
                listed.push(Listed {
                    wire: unescaped(&data.name),
                    delimiter: data.delimiter.as_deref().map(unescaped),
                    junk: data.name_attributes.iter().any(|a| *a == NameAttribute::Junk || spam(a)),
                    all: data.name_attributes.iter().any(|a| *a == NameAttribute::All || all(a)),
                    selectable: !data.name_attributes.iter().any(|a| *a == NameAttribute::NoSelect || gone(a)),
                });
            }
            Ok(())
        })
        .await?;
        Ok(listed)
    }

    /// The UIDs of the messages in the open folder that `what` says.
    pub(super) async fn search(&mut self, what: &str) -> Result<Vec<u32>, Trouble> {
        let mut found = Vec::new();
        self.command("SEARCH", &format!("UID SEARCH {what}"), |response| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response
                && found.len() < FOUND_MAX
            {
                found.extend(uids.iter().take(FOUND_MAX));
            }
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// Has the server bring its view of the open folder up to date. A live server answers that at once, so it has the short deadline.
    pub(super) async fn noop(&mut self) -> Result<(), Trouble> {
        let after = self.pace.done;
        within(after, "NOOP", self.command("NOOP", "NOOP", |_| Ok(()))).await
    }

    /// Whether there may be new mail; asking clears it.
    pub(super) const fn take_news(&mut self) -> bool {
        std::mem::replace(&mut self.news, false)
    }

    /// Says good-bye, for at most `after`. The connection is gone either way.
    pub(super) async fn end(mut self, after: Duration) {
        // The answer does not matter: the connection is dropped.
        let _ended = within(after, "LOGOUT", self.command("LOGOUT", "LOGOUT", |_| Ok(()))).await;
    }
}

/// The words of a status response. imap-proto leaves most codes in them; of those that it takes out, one matters here.
fn words(outcome: &Outcome<'_>) -> String {
    let text = plain(outcome.information.as_deref().unwrap_or_default());
    if outcome.code == Some(ResponseCode::TryCreate) { format!("[TRYCREATE] {text}") } else { text }
}

/// imap-proto leaves the escapes in quoted strings.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    out
}

/// Dovecot: `[NONEXISTENT] Mailbox doesn't exist`. Cyrus: `Mailbox does not exist`. Gmail: `[NONEXISTENT] Unknown Mailbox`.
fn no_such_folder(text: &str) -> bool {
    const SIGNS: [&str; 6] = ["[nonexistent]", "[trycreate]", "doesn't exist", "not exist", "unknown mailbox", "no such"];
    let text = text.to_lowercase();
    SIGNS.iter().any(|sign| text.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_taken_out() {
        assert_eq!(unescaped(r#"a\"b\\c"#), r#"a"b\c"#);
        assert_eq!(unescaped(r"\\"), r"\");
    }

    #[test]
    fn a_missing_folder_is_told_from_a_refusal() {
        assert!(no_such_folder("[NONEXISTENT] Unknown Mailbox: Spam (now in authenticated state) (Failure)"));
        assert!(no_such_folder("Mailbox doesn't exist: Junk (0.001 + 0.000 secs)."));
        assert!(!no_such_folder("[INUSE] Mailbox is locked"));
        assert!(!no_such_folder("User is authenticated but not connected."));
    }
}
