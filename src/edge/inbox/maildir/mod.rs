//! A Maildir on this machine.
//!
//! It is looked at again and again, which costs a few system calls while nothing changes, and works the same on every file system. Nothing
//! is moved from `new` to `cur` and no flag is touched: that is for whoever's mailbox it is.
//!
//! ```text
//! watch (looks again and again) → scan (what is new on the disk) → folders (where to look)
//! ```

mod folders;
mod names;
mod place;
mod scan;

use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until, timeout};

use super::desk::{Desk, Part};
use super::login::Login;
use super::pace::Pace;
use super::report::Hint;
use super::trouble::Trouble;
use super::whole::{self, Mail};
use crate::config::MaildirSettings;
use crate::model::{At, Class, Placement, Span};
use place::Place;
use scan::{Fresh, Looked, Scan};

/// Between two looks while a canary is outstanding.
const OFTEN: Duration = Duration::from_millis(200);
/// The same while none is.
const SELDOM: Duration = Duration::from_secs(2);
/// Between two reports that all was read, when nothing was found.
const TELLING: Span = Span::from_secs(1);

/// Watches the Maildir until nobody listens any more.
pub(super) async fn watch(desk: &Desk, settings: MaildirSettings, pace: Pace, cursor: Option<&str>, mut hints: watch::Receiver<Hint>) {
    let place = Place::parse(cursor, desk.begun, desk.delete.then(|| Span::from(pace.delete_after)));
    let delete_after = desk.delete.then(|| Span::from(pace.delete_after));
    let mut scan = Scan::new(settings, place.since, delete_after);
    let mut told = None;
    loop {
        let hint = *hints.borrow_and_update();
        let up_to = (desk.now)();
        let Some((back, looked)) = look(desk, scan, up_to, pace.command).await else { return };
        scan = back;
        if tell(desk, &mut scan, looked, up_to, &place, &mut told).await.is_err() {
            return;
        }
        let rest = Instant::now() + if hint.outstanding { OFTEN } else { SELDOM };
        tokio::select! {
            () = sleep_until(rest) => {}
            changed = hints.changed() => if changed.is_err() { sleep_until(rest).await },
        }
    }
}

/// One look at the disk. A disk that does not answer blinds us, and is not asked twice. `None`: the process ends.
async fn look(desk: &Desk, mut scan: Scan, now: At, patience: Duration) -> Option<(Scan, Looked)> {
    let mut work = spawn_blocking(move || {
        let looked = scan.look(now);
        (scan, looked)
    });
    if let Ok(done) = timeout(patience, &mut work).await {
        return done.ok();
    }
    desk.blind(&Trouble::Deadline { what: "reading the Maildir", after: patience }).await.ok()?;
    work.await.ok()
}

/// Tells of what was found, and that all was read, if it was.
async fn tell(desk: &Desk, scan: &mut Scan, looked: Looked, up_to: At, place: &Place, told: &mut Option<At>) -> Result<(), Trouble> {
    let found = !looked.fresh.is_empty();
    for Fresh { folder, base, placement, arrived_at, changed_at, seen } in looked.fresh {
        // What came long ago and was moved or restored since is nobody's news.
        let before = changed_at <= place.read_to || arrived_at < place.since;
        let mail = Mail { raw: &seen.raw, cut: seen.cut, placement, arrived_at, copy: copy_name(&folder, &base), before };
        if whole::tell(desk, mail).await? {
            scan.note_own(&folder, &base, up_to);
        }
    }
    if let Some(error) = looked.undeleted {
        tracing::warn!(inbox = %desk.name, %error, "own canaries cannot be deleted and stay in the Maildir");
    }
    if let Some(error) = looked.failed {
        return desk.blind(&of_io(scan.path(), &error)).await;
    }
    if looked.withheld {
        return Ok(());
    }
    // What was found is durable with the next report of this kind.
    if found || told.is_none_or(|at| up_to.since(at) >= TELLING) {
        *told = Some(up_to);
        desk.read_to(Part::All, up_to, Some(Place::cursor(up_to))).await?;
    }
    Ok(())
}

/// Names a copy for ever: the folder numbers nothing, so that there is one numbering.
fn copy_name(folder: &str, base: &str) -> String {
    let plain = |text: &str| text.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect::<String>();
    format!("{}/0/{}", plain(folder), plain(base))
}

/// What an error of the file system means.
fn of_io(path: &std::path::Path, error: &io::Error) -> Trouble {
    let class = if error.kind() == ErrorKind::PermissionDenied { Class::Auth } else { Class::Permanent };
    Trouble::Here { class, why: format!("reading `{}`: {error}", path.display()) }
}

/// What would be read, for `check --live`.
pub(super) async fn look_around(settings: &MaildirSettings) -> Result<Login, Trouble> {
    let (path, settings) = (settings.path.clone(), settings.clone());
    let found = spawn_blocking(move || folders::folders(&settings)).await;
    let found = found.unwrap_or_else(|e| Err(io::Error::other(e))).map_err(|e| of_io(&path, &e))?;
    for folder in &found {
        scan::names(folder).map_err(|e| of_io(&folder.path, &e))?;
    }
    let folders = found.into_iter().map(|folder| (folder.name, folder.placement)).collect::<Vec<(String, Placement)>>();
    Ok(Login { folders, capabilities: Vec::new() })
}
