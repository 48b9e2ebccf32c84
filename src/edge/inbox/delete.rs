//! Deletes own canaries, on request, some time after they were seen.
//!
//! In a session of its own, since the reading ones must not be able to change anything; by UID, under the same `UIDVALIDITY`, and only
//! after the message has been fetched once more and proved to be that canary. A failure leaves mail in the mailbox and nothing worse.

use std::collections::BTreeMap;

use tokio::time::{Instant, sleep_until};

use super::desk::{Board, Desk, Doomed};
use super::fetch;
use super::link::Link;
use super::session::Session;
use super::trouble::Trouble;
use crate::canary::{Found, recognise};
use crate::model::Span;

/// What is fetched to be sure: what a token may stand in.
const PROOF: &str = "(UID BODY.PEEK[HEADER.FIELDS (X-MAILCANARY SUBJECT CONTENT-TYPE TO)] BODY.PEEK[]<0.65536>)";

/// Deletes what is ripe, from time to time, for ever.
pub(super) async fn keep_clean(desk: &Desk, link: &Link) {
    let mut board = desk.board.subscribe();
    loop {
        sleep_until(Instant::now() + link.pace.delete_every).await;
        if board.wait_for(|board: &Board| board.inbox_up).await.is_err() {
            return;
        }
        let ripe = desk.ripe((desk.now)().minus(Span::from(link.pace.delete_after)));
        if ripe.is_empty() {
            continue;
        }
        let count = ripe.len();
        match delete(desk, link, ripe).await {
            Ok(deleted) => tracing::debug!(inbox = %desk.name, deleted, of = count, "own canaries deleted"),
            Err(trouble) => tracing::warn!(inbox = %desk.name, why = trouble.why(), left = count, "own canaries stay in the inbox"),
        }
    }
}

async fn delete(desk: &Desk, link: &Link, ripe: Vec<Doomed>) -> Result<usize, Trouble> {
    let mut by_folder: BTreeMap<(String, u32), Vec<Doomed>> = BTreeMap::new();
    for doomed in ripe {
        by_folder.entry((doomed.folder.clone(), doomed.uid_validity)).or_default().push(doomed);
    }
    let mut session = link.session().await?;
    let mut deleted = 0_usize;
    for ((folder, uid_validity), doomed) in by_folder {
        match session.select(&folder).await? {
            Some(opened) if opened.uid_validity == uid_validity => {}
            Some(_) | None => continue,
        }
        for one in doomed {
            if is_still(&mut session, desk, &one).await? {
                session.command("UID STORE", &format!("UID STORE {} +FLAGS.SILENT (\\Deleted)", one.uid), |_| Ok(())).await?;
                if session.capabilities.has("UIDPLUS") {
                    session.command("UID EXPUNGE", &format!("UID EXPUNGE {}", one.uid), |_| Ok(())).await?;
                }
                deleted = deleted.saturating_add(1);
            }
        }
    }
    session.end(link.pace.done).await;
    Ok(deleted)
}

/// Whether the message is still there and still that canary.
async fn is_still(session: &mut Session, desk: &Desk, one: &Doomed) -> Result<bool, Trouble> {
    let line = format!("UID FETCH {} {PROOF}", one.uid);
    let mut items = fetch::fetch(session, "FETCH", &line, one.uid).await?;
    let Some(item) = items.remove(&one.uid) else { return Ok(false) };
    let proves = |bytes: Option<Vec<u8>>| {
        bytes.is_some_and(|bytes| matches!(recognise(&desk.key, &bytes), Found::Ours { canary, .. } if canary == one.canary))
    };
    Ok(proves(item.header) || proves(item.body))
}
