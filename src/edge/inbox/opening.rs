//! Where to begin in a folder that was just opened.

use super::cursor::{Plan, RESCAN};
use super::desk::Desk;
use super::fetch::{Item, Items, fetch};
use super::folders::Folder;
use super::session::{Opened, Session};
use super::times;
use super::trouble::Trouble;
use crate::model::Span;

/// First start: how many messages are looked at for such as arrived since we began.
const FIRST_LOOK: u32 = 50;
/// How far the receiver's clock may be behind ours.
const SLACK: Span = Span::from_secs(300);

/// Finds out where to begin in a folder that was just opened. How it is open now: it may have been opened once more.
pub(super) async fn settle_place(session: &mut Session, desk: &Desk, folder: &Folder, opened: Opened) -> Result<Opened, Trouble> {
    let opened = number_for_good(session, desk, folder, opened).await?;
    let plan = desk.positions(|p| p.plan(&folder.wire, &opened));
    let before_next = opened.uid_next.map(|next| next.saturating_sub(1));
    let tail = match plan {
        Plan::Continue => return Ok(opened),
        Plan::FromNow => FIRST_LOOK,
        Plan::Rescan => RESCAN,
    };
    let mut items = Items::new();
    if opened.exists > 0 {
        let first = opened.exists.saturating_sub(tail.saturating_sub(1)).max(1);
        items = fetch(session, "FETCH", &format!("FETCH {first}:* (UID INTERNALDATE)"), 1).await?;
    }
    let newest = items.keys().next_back().copied().or(before_next).unwrap_or(0);
    let last = match plan {
        Plan::Rescan => items.keys().next().map(|uid| uid.saturating_sub(1)).or(before_next).unwrap_or(0),
        Plan::FromNow | Plan::Continue => {
            let since = desk.begun.minus(SLACK);
            let fresh = |item: &Item| item.internal_date.as_deref().and_then(times::internal_date).is_some_and(|at| at >= since);
            items.iter().find(|(_, item)| fresh(item)).map_or(newest, |(uid, _)| uid.saturating_sub(1))
        }
    };
    tracing::info!(inbox = %desk.name, folder = folder.name(), uid_validity = opened.uid_validity, last, "reading the folder from here on");
    // What came since the last read of it is new, however it is numbered; of an earlier run's reads nothing is known but that they are over.
    let read_at = desk.positions(|p| p.read_at(&folder.wire));
    let before = (plan == Plan::Rescan).then(|| read_at.map_or(desk.begun, |at| at.minus(SLACK)));
    desk.positions(|p| p.set(&folder.wire, &opened, last, (newest, before)));
    Ok(opened)
}

/// Courier keeps no UIDs of a folder that was never opened for writing: each time that it is opened for reading they mean something else. Such a
/// folder is opened for writing once, which changes no message.
async fn number_for_good(session: &mut Session, desk: &Desk, folder: &Folder, opened: Opened) -> Result<Opened, Trouble> {
    if !desk.positions(|p| p.is_numbered_anew_again(&folder.wire, &opened, (desk.now)())) {
        return Ok(opened);
    }
    tracing::warn!(
        inbox = %desk.name, folder = folder.name(), uid_validity = opened.uid_validity,
        "the server numbers the mail of a folder anew each time that it is opened for reading, so that its latest mail is read again and again; \
         the folder is opened for writing once (SELECT), after which servers keep the numbers; nothing in it is changed"
    );
    match session.select(&folder.wire).await {
        Ok(_) | Err(Trouble::Refused { .. }) => {}
        Err(trouble) => return Err(trouble),
    }
    Ok(session.examine(&folder.wire).await?.unwrap_or(opened))
}
