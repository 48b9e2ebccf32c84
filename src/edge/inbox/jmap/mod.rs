//! A mailbox over JMAP (RFC 8620, RFC 8621).
//!
//! One request asks what has changed since the state that is known, in all folders at once; it is asked again and again, and at once when
//! the server says so (`push.rs`). Nothing in the mailbox is changed, but that own canaries are destroyed where that is wanted.
//!
//! ```text
//! watch (a session's life) → session (where everything is) → read (what is new) → folders, place (where we stand)
//!                          ↘ push (what the server says by itself)             ↘ method (calls) → wire (one HTTP request)
//! ```

mod clean;
mod folders;
mod method;
mod place;
mod push;
mod read;
mod session;
mod wire;

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::backoff::Backoff;
use super::credentials::Credentials;
use super::desk::{Desk, Part};
use super::login::Login;
use super::pace::Pace;
use super::report::Hint;
use super::trouble::Trouble;
use crate::config::JmapSettings;
use crate::edge::dial::Dialer;
use crate::model::Now;
use clean::Cleaning;
use method::Api;
use place::Place;
use push::Signal;
use read::Reading;
use session::Session;
use wire::Wire;

/// A session whose state is not the server's any more is asked for anew, and not more often than this.
const RENEW: Duration = Duration::from_secs(60);

/// Reads one mailbox.
pub(super) struct Reader<'a> {
    desk: &'a Desk,
    settings: JmapSettings,
    wire: Result<Wire, Trouble>,
    pace: Pace,
}

impl<'a> Reader<'a> {
    /// One that has connected to nothing yet.
    pub(super) fn new(desk: &'a Desk, settings: JmapSettings, dialer: &Dialer, credentials: Credentials, pace: Pace) -> Self {
        let wire = Wire::new(dialer, credentials, &settings.username, Now::clone(&desk.now), &pace);
        Self { desk, settings, wire, pace }
    }

    /// Watches the mailbox until nobody listens any more.
    pub(super) async fn watch(self, cursor: Option<&str>, mut hints: watch::Receiver<Hint>) {
        let mut place = Place::parse(cursor, self.desk.begun);
        let mut backoff = Backoff::new(&self.desk.name);
        loop {
            let mut begun = None;
            let Err(trouble) = self.session(&mut place, &mut hints, &mut begun).await else { continue };
            if trouble == Trouble::Closed {
                return;
            }
            let lived = begun.map_or(Duration::ZERO, |at: Instant| at.elapsed());
            let wait = backoff.after(&trouble, lived, &self.pace);
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            tracing::debug!(inbox = %self.desk.name, why = trouble.why(), wait_ms, "a session with the inbox ended");
            // A proven session that broke is tried again at once: only if that fails are we blind.
            if !wait.is_zero() && self.desk.blind(&trouble).await.is_err() {
                return;
            }
            sleep_until(Instant::now() + wait).await;
        }
    }

    /// One session, to its end. `Ok`: the server has another one for us.
    async fn session(&self, place: &mut Place, hints: &mut watch::Receiver<Hint>, begun: &mut Option<Instant>) -> Result<(), Trouble> {
        let wire = self.wire.as_ref().map_err(Trouble::clone)?;
        let session = Session::discover(wire, &self.settings).await?;
        *begun = Some(Instant::now());
        place.of_account(&session.account);
        let (told, mut signals) = watch::channel(Signal::default());
        let api = Api { wire, session: &session };
        tokio::select! {
            ended = self.rounds(&api, place, hints, &mut signals) => ended,
            never = push::listen(wire, &session, &self.pace, &told) => match never {},
        }
    }

    /// Reads and rests, in turns.
    async fn rounds(
        &self,
        api: &Api<'_>,
        place: &mut Place,
        hints: &mut watch::Receiver<Hint>,
        signals: &mut watch::Receiver<Signal>,
    ) -> Result<(), Trouble> {
        let begun = Instant::now();
        let mut cleaning = Cleaning::default();
        let mut fruitless = 0_u32;
        loop {
            let look = hints.borrow_and_update().look;
            let pushed = signals.borrow_and_update().news;
            let (up_to, asked) = ((self.desk.now)(), Instant::now());
            let reading = Reading { desk: self.desk, api, junk: self.settings.junk.as_deref() };
            let haul = reading.read(place).await?;
            if !haul.withheld {
                place.read(up_to);
                self.desk.read_to(Part::All, up_to, Some(place.cursor())).await?;
            }
            if self.desk.delete {
                cleaning.clean(self.desk, api, place, &self.pace).await?;
            }
            if api.session.is_stale() && begun.elapsed() >= RENEW {
                return Ok(());
            }
            fruitless = if haul.seen == 0 { fruitless.saturating_add(1).min(8) } else { 0 };
            // A server that calls for nothing is heard less and less; one that is right is heard at once.
            let calm = self.pace.settle.saturating_mul(1 << fruitless.min(4)).min(self.pace.poll_outstanding);
            let resting = Resting { pace: &self.pace, look, pushed, asked, heard_from: asked + calm };
            resting.rest(hints, signals).await;
        }
    }
}

/// Between two reads.
struct Resting<'a> {
    pace: &'a Pace,
    /// The wishes for a read that the last one answered.
    look: u64,
    /// What the server had said before it.
    pushed: u64,
    /// When it began.
    asked: Instant,
    /// From when on the server is heard.
    heard_from: Instant,
}

impl Resting<'_> {
    /// Until the next read is due.
    async fn rest(&self, hints: &mut watch::Receiver<Hint>, signals: &mut watch::Receiver<Signal>) {
        loop {
            let (hint, signal) = (*hints.borrow_and_update(), *signals.borrow_and_update());
            if hint.look != self.look {
                return;
            }
            let due = self.asked + self.interval(signal.live, hint.outstanding);
            let due = if signal.news == self.pushed { due } else { due.min(self.heard_from) };
            tokio::select! {
                () = sleep_until(due) => return,
                () = changed(hints) => {}
                () = changed(signals) => {}
            }
        }
    }

    /// How long after the beginning of a read the next one begins, if nobody calls.
    const fn interval(&self, live: bool, outstanding: bool) -> Duration {
        match (live, outstanding) {
            (true, true) => self.pace.sweep,
            (true, false) => self.pace.slice,
            (false, true) => self.pace.poll_outstanding,
            (false, false) => self.pace.poll_quiet,
        }
    }
}

/// Waits for a change; for ever once nobody can make one any more.
async fn changed<T>(receiver: &mut watch::Receiver<T>) {
    if receiver.changed().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Logs in and looks around, for `check --live`.
pub(super) async fn look_around(settings: &JmapSettings, dialer: &Dialer, credentials: &Credentials, now: &Now) -> Result<Login, Trouble> {
    let wire = Wire::new(dialer, credentials.clone(), &settings.username, Now::clone(now), &Pace::default())?;
    let session = Session::discover(&wire, settings).await?;
    let api = Api { wire: &wire, session: &session };
    let folders = folders::read(&api, settings.junk.as_deref()).await?;
    let found = folders.iter().map(|folder| (folder.name.clone(), folder.placement)).collect();
    let pushes = push::open(&wire, &session, PING_TRIED).await?.is_some();
    Ok(Login { folders: found, capabilities: if pushes { vec!["PUSH"] } else { Vec::new() } })
}

/// The ping that is asked for when it is only tried whether there is push.
const PING_TRIED: Duration = Duration::from_secs(60);
