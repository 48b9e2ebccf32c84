//! What the sessions of one inbox share: where they stand, what was read, and the line to the watchdog.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, watch};

use super::cursor::Positions;
use super::folders::Folder;
use super::report::Report;
use super::tabs::Tabs;
use super::trouble::Trouble;
use super::{Looks, Senders, Wanted};
use crate::canary::{Found, Key, recognise};
use crate::model::{At, Class, Name, Now, on_a_line};

/// Messages that are remembered as told of: more than are ever read again.
const TOLD: usize = 512;

/// What the two sessions tell each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Board {
    /// The junk folders.
    pub(super) junk: Vec<Folder>,
    /// The session on `INBOX` has read everything once and is alive.
    pub(super) inbox_up: bool,
    /// The session on the junk folders is alive and keeps them read.
    pub(super) junk_covered: bool,
    /// The server refuses the session on `INBOX` for there being too many: the other one has to go.
    pub(super) make_room: bool,
}

/// Part of an inbox that one session reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// `INBOX` alone.
    Inbox,
    /// The junk folders alone.
    Junk,
    /// Everything.
    All,
}

#[derive(Debug, Default)]
struct Book {
    positions: Positions,
    inbox_up_to: Option<At>,
    junk_up_to: Option<At>,
    told: Option<At>,
    /// The newest messages that were told of, each in short.
    messages: VecDeque<u64>,
    /// Nothing was told yet; `Ok`: sight; `Err`: blind, of this kind.
    sight: Option<Result<(), Class>>,
}

/// Shared by the sessions of one inbox. The lock is never held while waiting.
pub(super) struct Desk {
    /// The inbox.
    pub(super) name: Name,
    /// Knows our tokens.
    key: Key,
    /// Knows what others' mail looks like.
    pub(super) looks: Looks,
    senders: Senders,
    /// What more is told of mail.
    pub(super) wanted: Wanted,
    /// Our clock.
    pub(super) now: Now,
    /// Whether own canaries are deleted.
    pub(super) delete: bool,
    /// What is known of the mailbox's tabs.
    pub(super) tabs: Tabs,
    /// When the reader began.
    pub(super) begun: At,
    /// What the sessions tell each other.
    pub(super) board: watch::Sender<Board>,
    reports: mpsc::Sender<Report>,
    book: Mutex<Book>,
}

impl Desk {
    /// A desk for the inbox `name`.
    pub(super) fn new(
        name: Name,
        key: Key,
        (looks, senders, wanted): (Looks, Senders, Wanted),
        now: Now,
        delete: bool,
        cursor: Option<&str>,
        reports: mpsc::Sender<Report>,
    ) -> Self {
        let book = Mutex::new(Book { positions: Positions::parse(cursor, delete), ..Book::default() });
        let begun = now();
        let tabs = Tabs::default();
        Self { name, key, looks, senders, wanted, now, delete, tabs, begun, board: watch::Sender::new(Board::default()), reports, book }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // A panic elsewhere cannot leave it half-changed: every change is one assignment after another.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a message, or its header, is to us.
    pub(super) fn recognise(&self, message: &[u8]) -> Found {
        // What another's mail has to look like is known to the letter, its sender too: what is wrong with it is told.
        recognise(&self.key, message, &|canary, from| (self.looks)(canary).is_some() || (self.senders)(canary, from))
    }

    /// Looks at, or changes, where the reader stands.
    pub(super) fn positions<T>(&self, f: impl FnOnce(&mut Positions) -> T) -> T {
        f(&mut self.book().positions)
    }

    /// Whether a message is among the newest that were told of.
    pub(super) fn was_told(&self, key: u64) -> bool {
        self.book().messages.contains(&key)
    }

    /// A message was told of.
    pub(super) fn note_told(&self, key: u64) {
        let mut book = self.book();
        if book.messages.len() >= TOLD {
            book.messages.pop_front();
        }
        book.messages.push_back(key);
    }

    /// Tells one thing.
    pub(super) async fn tell(&self, report: Report) -> Result<(), Trouble> {
        self.reports.send(report).await.or(Err(Trouble::Closed))
    }

    /// Waits until nobody listens any more.
    pub(super) async fn closed(&self) {
        self.reports.closed().await;
    }

    /// A part was read completely: all that lay there at `up_to` has been told. Tells sight, and how far the whole inbox is read.
    pub(super) async fn read(&self, part: Part, up_to: At) -> Result<(), Trouble> {
        self.read_to(part, up_to, None).await
    }

    /// The same where something else than UIDs says where the reader stands.
    pub(super) async fn read_to(&self, part: Part, up_to: At, cursor: Option<String>) -> Result<(), Trouble> {
        let (sight, read) = self.note_read(part, up_to, cursor);
        if sight {
            tracing::info!(inbox = %self.name, "inbox {} can be read", self.name);
            self.tell(Report::Sight).await?;
        }
        match read {
            Some((up_to, cursor)) => self.tell(Report::Read { up_to, cursor }).await,
            None => Ok(()),
        }
    }

    fn note_read(&self, part: Part, up_to: At, cursor: Option<String>) -> (bool, Option<(At, String)>) {
        let mut book = self.book();
        if matches!(part, Part::Inbox | Part::All) {
            book.inbox_up_to = Some(up_to);
        }
        if matches!(part, Part::Junk | Part::All) {
            book.junk_up_to = Some(up_to);
        }
        let (Some(inbox), Some(junk)) = (book.inbox_up_to, book.junk_up_to) else { return (false, None) };
        book.positions.settle();
        // A junk session that still reads is no proof that INBOX can be read.
        let sight = book.sight != Some(Ok(())) && part != Part::Junk;
        if sight {
            book.sight = Some(Ok(()));
        }
        let up_to = inbox.min(junk);
        if book.told == Some(up_to) {
            return (sight, None);
        }
        book.told = Some(up_to);
        (sight, Some((up_to, cursor.unwrap_or_else(|| book.positions.cursor()))))
    }

    /// The inbox cannot be read. Told again only when the kind of failure changes.
    pub(super) async fn blind(&self, trouble: &Trouble) -> Result<(), Trouble> {
        let class = trouble.class();
        let news = self.book().sight.replace(Err(class)) != Some(Err(class));
        if !news {
            return Ok(());
        }
        let why = trouble.why();
        tracing::warn!(inbox = %self.name, class = %class, why, "inbox {} cannot be read: {}", self.name, on_a_line(&why));
        self.tell(Report::Blind { class, why }).await
    }
}
