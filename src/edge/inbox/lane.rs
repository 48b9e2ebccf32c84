//! One session's life: connect, read, wait, read again; and when it breaks, how long to stay away.
//!
//! An inbox has two lanes. One rests on `INBOX`, and also goes through the junk folders whenever nobody else keeps them read. The other
//! rests on the junk folders, so that they are seen as fast; it comes only after the first has read everything once, and where the server
//! does not bear two sessions, nothing is lost but speed. So whether the inbox can be read is decided by the first alone.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::desk::{Board, Desk, Part};
use super::fetch::{self, Ask, Haul};
use super::folders::{self, Folder};
use super::link::Link;
use super::opening;
use super::quick::Quick;
use super::report::Hint;
use super::session::Session;
use super::tabs;
use super::trouble::Trouble;
use super::wake::{Waiting, Wake};
use crate::config::ImapSettings;
use crate::model::{Class, Placement};

/// So many new UIDs at most, one answer holds without a look at how many messages there are.
const FEW: u32 = 50;

/// Which of the two lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Rests on `INBOX`.
    Inbox,
    /// Rests on the junk folders.
    Junk,
}

/// One lane.
pub(super) struct Lane<'a> {
    pub(super) role: Role,
    pub(super) desk: &'a Desk,
    pub(super) link: &'a Link,
    pub(super) hints: watch::Receiver<Hint>,
    pub(super) board: watch::Receiver<Board>,
    /// Whether the folders were looked up before.
    pub(super) looked_up: bool,
}

/// What one session remembers besides its connection.
struct Round {
    /// Where it rests.
    home: Option<Folder>,
    /// The folder that is open, if it is home.
    at_home: bool,
    /// When the folders were last looked up.
    listed: Option<Instant>,
    /// When the last complete read began.
    read: Instant,
    /// The wishes for a read that this read answers.
    look: u64,
    /// Whether the server lets us `IDLE`.
    can_idle: bool,
    /// How fast the server may be asked.
    quick: Quick,
    /// The last push brought nothing: the next word of it is not believed before the server has had a rest.
    fruitless: bool,
}

impl Lane<'_> {
    /// Runs until nobody listens to the reports any more.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::new(&self.desk.name);
        loop {
            if self.role == Role::Junk && !self.wait_for_turn().await {
                return;
            }
            let mut begun = None;
            let Err(trouble) = self.session(&mut begun).await else { continue };
            let lived = begun.map_or(Duration::ZERO, |at: Instant| at.elapsed());
            if trouble == Trouble::Closed {
                return;
            }
            let wait = backoff.after(&trouble, lived, &self.link.pace);
            if self.fell(&trouble, wait).await.is_err() {
                return;
            }
            sleep_until(Instant::now() + wait).await;
        }
    }

    /// The junk lane's turn comes when the other one has read everything once and there are junk folders. False: it never will.
    async fn wait_for_turn(&mut self) -> bool {
        let room_asked = self.board.borrow().make_room;
        if room_asked {
            sleep_until(Instant::now() + self.link.pace.rate_max).await;
            self.desk.board.send_modify(|board| board.make_room = false);
        }
        self.board.wait_for(|board| board.inbox_up && !board.junk.is_empty()).await.is_ok()
    }

    /// Tells the others that this lane is down, and the watchdog if that matters.
    async fn fell(&self, trouble: &Trouble, wait: Duration) -> Result<(), Trouble> {
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::debug!(inbox = %self.desk.name, role = ?self.role, why = trouble.why(), wait_ms, "a session with the inbox ended");
        match self.role {
            Role::Inbox => {
                self.desk.board.send_modify(|board| {
                    board.inbox_up = false;
                    board.make_room |= board.junk_covered && trouble.class() == Class::Rate;
                });
                // A proven session that broke is tried again at once: only if that fails are we blind.
                if wait.is_zero() { Ok(()) } else { self.desk.blind(trouble).await }
            }
            Role::Junk => {
                self.desk.board.send_modify(|board| board.junk_covered = false);
                Ok(())
            }
        }
    }

    /// One session, to its end. `Ok`: it ended because the junk folders changed or the other lane needs the room.
    async fn session(&mut self, begun: &mut Option<Instant>) -> Result<(), Trouble> {
        let mut session = self.link.session().await?;
        let now = Instant::now();
        *begun = Some(now);
        let can_idle = session.capabilities.has("IDLE");
        let quick = Quick::new(&self.link.pace);
        let mut round = Round { home: None, at_home: false, listed: None, read: now, look: 0, can_idle, quick, fruitless: false };
        let mut wake = Wake::Refresh;
        loop {
            match wake {
                Wake::Push => self.pushed(&mut session, &mut round).await?,
                Wake::Sweep => self.read(&mut session, &mut round, false).await?,
                Wake::Refresh => self.read(&mut session, &mut round, true).await?,
                Wake::Turn => {}
                Wake::Leave => {
                    session.end(self.link.pace.done).await;
                    self.desk.board.send_modify(|board| board.junk_covered = false);
                    return Ok(());
                }
            }
            wake = self.wait(&mut session, &mut round).await?;
        }
    }

    async fn wait(&mut self, session: &mut Session, round: &mut Round) -> Result<Wake, Trouble> {
        let junk = self.board.borrow().junk.clone();
        let waiting = Waiting {
            role: self.role,
            pace: &self.link.pace,
            hints: &mut self.hints,
            board: &mut self.board,
            junk,
            read: round.read,
            look: round.look,
            quick: &mut round.quick,
        };
        waiting.wake(session, round.at_home, &mut round.can_idle, round.fruitless).await
    }

    /// Reads the open folder after a push. The message may not be there yet: then a few times more.
    async fn pushed(&self, session: &mut Session, round: &mut Round) -> Result<(), Trouble> {
        let Some(home) = &round.home else { return Ok(()) };
        let mut haul = fetch::new_mail(session, self.desk, home, Ask::Push).await?;
        let mut wait = self.link.pace.settle;
        for _ in 0..3 {
            round.fruitless = haul.seen == 0 || haul.withheld;
            if !round.fruitless {
                round.quick.begin();
                return Ok(());
            }
            sleep_until(Instant::now() + wait).await;
            wait = wait.saturating_mul(2);
            session.noop().await?;
            haul = fetch::new_mail(session, self.desk, home, Ask::Push).await?;
        }
        round.fruitless = haul.seen == 0;
        Ok(())
    }

    /// Reads everything that is this lane's. `anew`: opens the folder at home again, which shows what a mere NOOP may not.
    async fn read(&mut self, session: &mut Session, round: &mut Round, anew: bool) -> Result<(), Trouble> {
        round.look = self.hints.borrow_and_update().look;
        round.read = Instant::now();
        round.fruitless = false;
        let up_to = (self.desk.now)();
        let mut anew = anew || !round.can_idle;
        if self.role == Role::Inbox && round.listed.is_none_or(|at| anew || at.elapsed() >= self.link.pace.relist) {
            self.look_up_folders(session).await?;
            round.listed = Some(Instant::now());
            anew = true;
        }
        let (part, home, others) = self.share();
        if round.home.as_ref() != Some(&home) {
            round.home = Some(home.clone());
            round.at_home = false;
        }
        let mut withheld = false;
        for folder in &others {
            round.at_home = false;
            withheld |= self.visit(session, folder).await?.is_some_and(|haul| haul.withheld);
        }
        let haul = if round.at_home && !anew {
            let asked = Instant::now();
            session.noop().await?;
            round.quick.answered_after(asked.elapsed());
            Some(fetch::new_mail(session, self.desk, &home, Ask::Rest).await?)
        } else {
            let asked = Instant::now();
            let haul = self.visit(session, &home).await?;
            // More than one command, so an upper bound.
            round.quick.answered_after(asked.elapsed());
            round.at_home = haul.is_some();
            haul
        };
        if withheld || haul.is_some_and(|haul| haul.withheld) {
            return Ok(());
        }
        self.desk.read(part, up_to).await?;
        self.desk.board.send_if_modified(|board| {
            let flag = if self.role == Role::Inbox { &mut board.inbox_up } else { &mut board.junk_covered };
            !std::mem::replace(flag, true)
        });
        Ok(())
    }

    /// What this lane reads now: the part it makes complete, its home, and the folders besides.
    fn share(&self) -> (Part, Folder, Vec<Folder>) {
        let board = self.board.borrow();
        match self.role {
            Role::Inbox if board.junk_covered => (Part::Inbox, Folder::inbox(), Vec::new()),
            Role::Inbox => (Part::All, Folder::inbox(), board.junk.clone()),
            Role::Junk => {
                let mut junk = board.junk.clone();
                let home = junk.pop().unwrap_or_else(Folder::inbox);
                (Part::Junk, home, junk)
            }
        }
    }

    /// Opens a folder and reads what is new in it. `None`: it is not there.
    async fn visit(&self, session: &mut Session, folder: &Folder) -> Result<Option<Haul>, Trouble> {
        let Some(opened) = session.examine(&folder.wire).await? else {
            if *folder == Folder::inbox() {
                return Err(Trouble::Refused { what: "EXAMINE", text: "there is no INBOX".to_owned(), login: false });
            }
            return Ok(None);
        };
        let opened = opening::settle_place(session, self.desk, folder, opened).await?;
        let last = self.desk.positions(|p| p.at(&folder.wire)).map_or(0, |place| place.last);
        let few = opened.uid_next.is_some_and(|next| next.saturating_sub(last) <= FEW);
        fetch::new_mail(session, self.desk, folder, if few { Ask::Rest } else { Ask::Bulk }).await.map(Some)
    }

    /// Finds the junk folders and writes them on the board.
    async fn look_up_folders(&mut self, session: &mut Session) -> Result<(), Trouble> {
        let junk = folders_besides(session, &self.link.imap).await?;
        let known = |wire: &str| wire == Folder::inbox().wire || junk.iter().any(|f| f.wire == wire);
        self.desk.positions(|p| p.retain(known));
        let changed = self.desk.board.send_if_modified(|board| {
            let changed = board.junk != junk;
            board.junk.clone_from(&junk);
            changed
        });
        if junk.iter().all(|folder| folder.placement != Placement::Junk) && (changed || !self.looked_up) {
            tracing::warn!(inbox = %self.desk.name, "no junk folder found: mail that is filed as junk cannot be told from lost mail");
        } else if changed {
            let names: Vec<_> = junk.iter().map(Folder::name).collect();
            tracing::info!(inbox = %self.desk.name, junk = ?names, "folders that are read besides INBOX");
        }
        self.looked_up = true;
        Ok(())
    }
}

/// The folders that are read besides `INBOX`: those of junk first, and at Gmail the one that has all mail.
pub(super) async fn folders_besides(session: &mut Session, imap: &ImapSettings) -> Result<Vec<Folder>, Trouble> {
    let has_labels = session.capabilities.has(tabs::CAPABILITY);
    let listed = if imap.junk.is_none() || has_labels { session.list().await? } else { Vec::new() };
    let mut found = imap.junk.as_ref().map_or_else(|| folders::junk(&listed), |names| folders::configured(names));
    found.extend(folders::all_mail(&listed).filter(|all| has_labels && found.iter().all(|folder| folder.wire != all.wire)));
    Ok(found)
}
