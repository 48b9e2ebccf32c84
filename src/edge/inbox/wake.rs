//! What ends a session's rest.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::desk::Board;
use super::folders::Folder;
use super::lane::Role;
use super::pace::Pace;
use super::quick::Quick;
use super::report::Hint;
use super::session::Session;
use super::trouble::Trouble;

/// Why a session wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wake {
    /// The server says that there may be new mail in the open folder.
    Push,
    /// It is time to look.
    Sweep,
    /// Another kind of rest is better now.
    Turn,
    /// A complete read is wished for, or the slice of `IDLE` is over: everything is opened anew.
    Refresh,
    /// The session is not needed any more, or stands in the way of the other.
    Leave,
}

/// A session at rest.
pub(super) struct Waiting<'a> {
    pub(super) role: Role,
    pub(super) pace: &'a Pace,
    pub(super) hints: &'a mut watch::Receiver<Hint>,
    pub(super) board: &'a mut watch::Receiver<Board>,
    /// The junk folders that this session knows.
    pub(super) junk: Vec<Folder>,
    /// When the last complete read began.
    pub(super) read: Instant,
    /// The wishes for a read that it answered.
    pub(super) look: u64,
    /// How fast the server may be asked.
    pub(super) quick: &'a mut Quick,
}

impl Waiting<'_> {
    /// Rests in `IDLE`, if the session is at home in a folder and the server lets us; wakes with the `IDLE` ended.
    pub(super) async fn wake(
        mut self,
        session: &mut Session,
        at_home: bool,
        can_idle: &mut bool,
        fruitless: bool,
    ) -> Result<Wake, Trouble> {
        let mut idling = at_home && *can_idle;
        if idling && let Some(wake) = self.ask_quickly(session).await? {
            return Ok(wake);
        }
        if Instant::now() >= self.read + self.interval(idling) {
            return Ok(Wake::Sweep);
        }
        if session.take_news() && at_home && !fruitless {
            return Ok(Wake::Push);
        }
        if idling && !session.idle().await? {
            tracing::info!("the server offers IDLE and refuses it; looking in turns instead");
            *can_idle = false;
            idling = false;
        }
        let wake = self.rest(session, idling).await?;
        session.done().await?;
        Ok(wake)
    }

    /// Asks every now and then, while that is better than to `IDLE`.
    async fn ask_quickly(&mut self, session: &mut Session) -> Result<Option<Wake>, Trouble> {
        loop {
            let hint = *self.hints.borrow_and_update();
            self.quick.hint(hint.outstanding);
            if hint.look != self.look || self.by_board().is_some() || Instant::now() >= self.read + self.interval(true) {
                return Ok(None);
            }
            let Some(wait) = self.quick.wait() else { return Ok(None) };
            tokio::select! {
                () = sleep_until(Instant::now() + wait) => {
                    session.noop().await?;
                    if session.take_news() {
                        return Ok(Some(Wake::Push));
                    }
                }
                () = changed(self.hints) => {}
                () = changed(self.board) => {}
            }
        }
    }

    async fn rest(&mut self, session: &mut Session, idling: bool) -> Result<Wake, Trouble> {
        let slice_end = Instant::now() + self.pace.slice;
        loop {
            if self.hints.borrow_and_update().look != self.look {
                return Ok(Wake::Refresh);
            }
            if session.take_news() && idling {
                return Ok(Wake::Push);
            }
            if let Some(wake) = self.by_board() {
                return Ok(wake);
            }
            let due = self.read + self.interval(idling);
            let wake_at = due.min(slice_end);
            tokio::select! {
                heard = session.listen(), if idling => {
                    if !heard? {
                        return Ok(Wake::Sweep);
                    }
                }
                () = sleep_until(wake_at) => return Ok(if wake_at == slice_end { Wake::Refresh } else { Wake::Sweep }),
                () = changed(self.hints) => {
                    self.quick.hint(self.hints.borrow().outstanding);
                    if idling && self.quick.runs() {
                        return Ok(Wake::Turn);
                    }
                }
                () = changed(self.board) => {}
            }
        }
    }

    /// What the other session's doings mean for this one.
    fn by_board(&mut self) -> Option<Wake> {
        let board = self.board.borrow_and_update();
        match self.role {
            Role::Inbox => None,
            Role::Junk => (board.make_room || board.junk != self.junk).then_some(Wake::Leave),
        }
    }

    /// How long after the last complete read the next one begins.
    fn interval(&self, idling: bool) -> Duration {
        let outstanding = self.hints.borrow().outstanding;
        let pace = self.pace;
        let at_home = match (idling, outstanding) {
            (true, true) => pace.sweep,
            (true, false) => pace.slice,
            (false, true) => pace.poll_outstanding,
            (false, false) => pace.poll_quiet,
        };
        let board = self.board.borrow();
        let in_turns = match self.role {
            Role::Inbox => !board.junk_covered && !board.junk.is_empty(),
            Role::Junk => !idling || board.junk.len() > 1,
        };
        if in_turns { at_home.min(pace.junk_sweep) } else { at_home }
    }
}

/// Waits for a change; for ever once nobody can make one any more.
async fn changed<T>(receiver: &mut watch::Receiver<T>) {
    if receiver.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}
