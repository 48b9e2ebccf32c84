//! Deletes own canaries, on request, some time after they were seen.
//!
//! In a session of its own, since the reading ones must not be able to change anything; by UID, under the same `UIDVALIDITY`, and only
//! what has been fetched once more and proved to be a canary of ours. How far a folder is clean stands in the cursor, so that neither a
//! restart nor a failure forgets what waits. A failure leaves mail in the mailbox and nothing worse.

use std::collections::{BTreeMap, VecDeque};

use tokio::time::{Instant, sleep_until};

use super::cursor::Position;
use super::desk::{Board, Desk};
use super::fetch::{self, BODY, HEADERS, Item};
use super::link::Link;
use super::session::Session;
use super::trouble::Trouble;
use crate::canary::Found;
use crate::model::{At, Class, Span};

/// What is larger than this is somebody's attachment, unless its header proves that it is ours.
const BODY_WORTH: u32 = 1024 * 1024;
/// Messages that are looked at by one command.
const BATCH: usize = 50;

/// What the cleaning remembers between two sessions.
#[derive(Debug, Default)]
struct Broom {
    /// How far each folder was read, and when that was noted: what was read long enough ago may go.
    notes: BTreeMap<(String, u32), VecDeque<(At, u32)>>,
    /// Messages are looked at one by one, since a batch failed.
    careful: bool,
    /// That the server cannot expunge by UID has been said.
    said: bool,
}

/// What a session did.
#[derive(Debug, Default)]
struct Swept {
    deleted: usize,
    trouble: Option<Trouble>,
}

/// Deletes what is ripe, from time to time, for ever.
pub(super) async fn keep_clean(desk: &Desk, link: &Link) {
    let mut board = desk.board.subscribe();
    let mut broom = Broom::default();
    loop {
        sleep_until(Instant::now() + link.pace.delete_every).await;
        if board.wait_for(|board: &Board| board.inbox_up).await.is_err() {
            return;
        }
        let now = (desk.now)();
        let ripe = broom.ripe(desk.positions(|p| p.places()), now, now.minus(Span::from(link.pace.delete_after)));
        if ripe.is_empty() {
            continue;
        }
        let swept = broom.sweep(desk, link, &ripe).await;
        broom.careful = swept.trouble.is_some();
        match swept.trouble {
            None => tracing::debug!(inbox = %desk.name, deleted = swept.deleted, "own canaries deleted"),
            Some(trouble) => {
                tracing::warn!(inbox = %desk.name, why = trouble.why(), deleted = swept.deleted, "own canaries stay in the inbox until the next try");
            }
        }
    }
}

impl Broom {
    /// The folders in which something waits: the place where cleaning stands, and up to which message it may go.
    fn ripe(&mut self, places: Vec<(String, Position)>, now: At, until: At) -> Vec<(String, Position, u32)> {
        let here: Vec<(String, u32)> = places.iter().map(|(folder, place)| (folder.clone(), place.uid_validity)).collect();
        self.notes.retain(|folder, _| here.contains(folder));
        let mut ripe = Vec::new();
        for (folder, place) in places {
            let notes = self.notes.entry((folder.clone(), place.uid_validity)).or_default();
            if notes.back().is_none_or(|(_, last)| *last < place.last) {
                notes.push_back((now, place.last));
            }
            // A clock that was set back makes all of them wait anew, and none for ever.
            while notes.get(1).is_some_and(|(at, _)| *at <= until) {
                notes.pop_front();
            }
            if let Some((_, last)) = notes.front().filter(|(at, last)| *at <= until && *last > place.cleaned) {
                ripe.push((folder, place, *last));
            }
        }
        ripe
    }

    async fn sweep(&mut self, desk: &Desk, link: &Link, ripe: &[(String, Position, u32)]) -> Swept {
        let mut swept = Swept::default();
        let mut session = match link.session().await {
            Ok(session) => session,
            Err(trouble) => return Swept { trouble: Some(trouble), ..swept },
        };
        if !session.capabilities.has("UIDPLUS") && !self.said {
            self.said = true;
            tracing::warn!(inbox = %desk.name, "the server cannot expunge single messages (no UIDPLUS): own canaries are only marked as deleted, and stay until somebody empties the folder");
        }
        for (folder, place, to) in ripe {
            if let Err(trouble) = self.folder(&mut session, desk, folder, place, *to, &mut swept.deleted).await {
                return Swept { trouble: Some(trouble), ..swept };
            }
        }
        session.end(link.pace.done).await;
        swept
    }

    /// Cleans one folder, from where it is clean up to the message `to`.
    async fn folder(
        &self,
        session: &mut Session,
        desk: &Desk,
        folder: &str,
        place: &Position,
        to: u32,
        deleted: &mut usize,
    ) -> Result<(), Trouble> {
        let Some(opened) = session.select(folder).await? else { return Ok(()) };
        if opened.uid_validity != place.uid_validity {
            // The reading session will notice, and begin anew.
            return Ok(());
        }
        let from = place.cleaned.saturating_add(1);
        let there = fetch::fetch(session, "FETCH", &format!("UID FETCH {from}:{to} (UID)"), from).await?;
        let uids: Vec<u32> = there.into_keys().filter(|uid| *uid <= to).collect();
        for batch in uids.chunks(if self.careful { 1 } else { BATCH }) {
            let done = batch.last().copied().unwrap_or(to);
            match clean(session, desk, batch).await {
                Ok(count) => *deleted = deleted.saturating_add(count),
                Err(trouble) => {
                    if self.careful && is_its_own_fault(&trouble) {
                        tracing::warn!(inbox = %desk.name, folder, uid = done, "a message cannot be read and stays in the inbox");
                        desk.positions(|p| p.clean_up_to(folder, place.uid_validity, done));
                    }
                    return Err(trouble);
                }
            }
            desk.positions(|p| p.clean_up_to(folder, place.uid_validity, done));
        }
        desk.positions(|p| p.clean_up_to(folder, place.uid_validity, to));
        Ok(())
    }
}

/// Whether a failure with one message is likely to come again with it.
fn is_its_own_fault(trouble: &Trouble) -> bool {
    match trouble {
        Trouble::Garbled { .. } | Trouble::Flood { .. } => true,
        Trouble::Refused { .. } => !matches!(trouble.class(), Class::Rate | Class::Auth),
        Trouble::Lost { .. }
        | Trouble::Deadline { .. }
        | Trouble::Bye { .. }
        | Trouble::Dial(_)
        | Trouble::Unfit { .. }
        | Trouble::NoToken { .. }
        | Trouble::Here { .. }
        | Trouble::Answered { .. }
        | Trouble::Closed => false,
    }
}

/// Deletes those of `batch` that are ours; how many they were.
async fn clean(session: &mut Session, desk: &Desk, batch: &[u32]) -> Result<usize, Trouble> {
    let set = listed(batch);
    let items = fetch::fetch(session, "FETCH", &format!("UID FETCH {set} {HEADERS}"), 1).await?;
    let mut ours = Vec::new();
    for (uid, item) in items.into_iter().filter(|(uid, _)| batch.contains(uid)) {
        if is_ours(session, desk, uid, item).await? {
            ours.push(uid);
        }
    }
    if ours.is_empty() {
        return Ok(0);
    }
    let set = listed(&ours);
    session.command("UID STORE", &format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)"), |_| Ok(())).await?;
    if session.capabilities.has("UIDPLUS") {
        session.command("UID EXPUNGE", &format!("UID EXPUNGE {set}"), |_| Ok(())).await?;
    }
    Ok(ours.len())
}

fn listed(uids: &[u32]) -> String {
    uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}

/// Whether a message is a canary of ours.
async fn is_ours(session: &mut Session, desk: &Desk, uid: u32, item: Item) -> Result<bool, Trouble> {
    let proves = |bytes: Option<Vec<u8>>| bytes.is_some_and(|bytes| matches!(desk.recognise(&bytes), Found::Ours { .. }));
    let worth = item.size.is_none_or(|size| size <= BODY_WORTH);
    if proves(item.header) {
        return Ok(true);
    }
    if !worth {
        return Ok(false);
    }
    let mut items = fetch::fetch(session, "FETCH", &format!("UID FETCH {uid} {BODY}"), uid).await?;
    Ok(proves(items.remove(&uid).and_then(|item| item.body)))
}
