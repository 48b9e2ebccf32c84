//! Reading inboxes: over IMAP or JMAP (`jmap/`), from a Maildir (`maildir/`), or as the mail server that they are for (`mx/`).
//!
//! [`watch`](Watch::watch) logs in, reads what is new in `INBOX` and in the junk folders, and tells of the canaries in it. It changes
//! nothing in the mailbox: folders are opened with `EXAMINE` and read with `BODY.PEEK`. `IDLE` only makes it faster; what it promises
//! rests on reading everything again and again, and on saying so when it cannot.
//!
//! A whole message that lies before us (`whole.rs`) is told of in one place, whatever brought it.
//!
//! ```text
//! lane (one session's life) → greet → session → folders → fetch → desk (what is told)
//!                           ↘ wake (what ends a rest)         ↘ cursor (where we stand)
//! ```

mod backoff;
mod credentials;
mod cursor;
mod delete;
mod desk;
mod fetch;
mod folders;
mod gist;
mod greet;
mod guard;
mod header;
mod idle;
mod jmap;
mod junk_names;
mod labels;
mod lane;
mod link;
mod login;
mod maildir;
mod mutf7;
mod mx;
mod opening;
mod pace;
mod quick;
mod report;
mod sasl;
mod session;
mod tabs;
mod times;
mod trouble;
mod wait;
mod wake;
mod whole;

use std::fmt;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

pub use credentials::Credentials;
pub use login::{Blindness, Login, log_in};
pub use mx::Doors;
pub use pace::Pace;
pub use report::{Hint, Receipt, Report};

use crate::canary::{Expected, Key};
use crate::config::{self, InboxKind};
use crate::edge::dial::Dialer;
use crate::model::{CanaryId, Name, Now};
use desk::Desk;
use lane::{Lane, Role};
use link::Link;
use tabs::Tabs;

/// What the mail of a canary looks like, where it is not ours; a canary that it does not know looks as it may.
pub type Looks = Arc<dyn Fn(CanaryId) -> Option<Arc<Expected>> + Send + Sync>;

/// Who may be the sender of a canary that is known by nothing but its words: anybody can quote those.
pub type Senders = Arc<dyn Fn(CanaryId, &[String]) -> bool + Send + Sync>;

/// What of mail is told of besides that it came. By default nothing.
#[derive(Clone, Default)]
pub struct Wanted {
    /// Whether the message of a canary is wanted; absent: of none.
    pub messages: Option<Arc<dyn Fn(CanaryId) -> bool + Send + Sync>>,
    /// Whether mail that is no canary is.
    pub strangers: bool,
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wanted").field("messages", &self.messages.is_some()).field("strangers", &self.strangers).finish()
    }
}

impl Wanted {
    fn message(&self, canary: CanaryId) -> bool {
        self.messages.as_ref().is_some_and(|wanted| wanted(canary))
    }
}

/// One inbox to be watched.
pub struct Watch {
    /// Its name.
    pub name: Name,
    /// Its settings.
    pub inbox: config::Inbox,
    /// What it is logged in to with.
    pub credentials: Credentials,
    /// The ports at which mail is taken.
    pub doors: Doors,
    /// Knows our tokens.
    pub key: Key,
    /// Knows what others' mail looks like.
    pub looks: Looks,
    /// Knows who canaries are from.
    pub senders: Senders,
    /// What more is told of mail.
    pub wanted: Wanted,
    /// The way out.
    pub dialer: Dialer,
    /// Our clock.
    pub now: Now,
    /// Where an earlier run stood, from its last [`Report::Read`]. `None`: the first start, mail that is older than it is not read.
    pub cursor: Option<String>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("name", &self.name).field("inbox", &self.inbox).field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

impl Watch {
    /// Watches the inbox until nobody listens to `reports` any more, or the future is dropped.
    pub async fn watch(self, reports: mpsc::Sender<Report>, hints: watch::Receiver<Hint>) {
        self.watch_at(Pace::default(), reports, hints).await;
    }

    /// The same, at another pace.
    pub async fn watch_at(self, pace: Pace, reports: mpsc::Sender<Report>, hints: watch::Receiver<Hint>) {
        let cursor = self.cursor.as_deref();
        let uids = cursor.filter(|_| matches!(self.inbox.kind, InboxKind::Imap(_)));
        let mut desk = Desk::new(
            self.name,
            self.key,
            (self.looks, self.senders, self.wanted),
            Now::clone(&self.now),
            self.inbox.delete,
            uids,
            reports,
        );
        let imap = match &self.inbox.kind {
            InboxKind::Imap(imap) => imap.clone(),
            InboxKind::Maildir(maildir) => return until_closed(&desk, maildir::watch(&desk, maildir.clone(), pace, cursor, hints)).await,
            InboxKind::Jmap(jmap) => {
                let reader = jmap::Reader::new(&desk, jmap.clone(), &self.dialer, self.credentials, pace);
                return until_closed(&desk, reader.watch(cursor, hints)).await;
            }
            InboxKind::Smtp(mx) => return until_closed(&desk, mx::watch(&desk, &self.inbox, mx, &self.doors, hints)).await,
        };
        let idle = imap.preset.map_or(pace.slice, |preset| preset.idle);
        let pace = Pace { slice: pace.slice.min(idle), ..pace };
        desk.tabs = Tabs::new(&imap.junk_tabs);
        let link = Link { dialer: self.dialer, imap, credentials: self.credentials, pace, now: self.now };
        let lane = |role| Lane { role, desk: &desk, link: &link, hints: hints.clone(), board: desk.board.subscribe(), looked_up: false };
        let cleaning = async {
            if desk.delete {
                delete::keep_clean(&desk, &link).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = lane(Role::Inbox).run() => {}
            () = async { lane(Role::Junk).run().await; std::future::pending().await } => {}
            () = cleaning => {}
            () = desk.closed() => {}
        }
    }
}

/// Lets `work` go on as long as anybody listens.
async fn until_closed(desk: &Desk, work: impl Future<Output = ()>) {
    // On the heap, so that the readers of other kinds need no room for it.
    let work = Box::pin(work);
    tokio::select! {
        () = work => {}
        () = desk.closed() => {}
    }
}
