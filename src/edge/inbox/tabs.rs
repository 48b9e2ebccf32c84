//! Gmail's tabs: all of them are `INBOX` over IMAP, and only a search of Gmail's own tells in which a message lies (`X-GM-RAW`, behind
//! `X-GM-EXT-1`).

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::time::{Instant, sleep_until};

use super::desk::Desk;
use super::folders::Folder;
use super::session::Session;
use super::trouble::Trouble;
use crate::model::{Class, Placement};

/// What says that a server knows the search.
pub(super) const CAPABILITY: &str = "X-GM-EXT-1";
/// Gmail's words for its tabs, the most usual of transactional mail first.
const TABS: [(&str, Placement); 5] = [
    ("primary", Placement::Inbox),
    ("updates", Placement::Updates),
    ("promotions", Placement::Promotions),
    ("social", Placement::Social),
    ("forums", Placement::Forums),
];
/// How often a message is looked for that is in no tab yet: Gmail indexes what it has delivered a little later.
const LOOKS: u32 = 4;
/// A mailbox in which so many messages in a row were in no tab has none.
const TABLESS: u32 = 3;
/// A search that fails so often is done without: to say that a canary came matters more than to say in which tab it lies.
const FAILURES: u32 = 2;

/// What is known of the tabs of one mailbox.
#[derive(Debug, Default)]
pub(super) struct Tabs {
    /// Tabs that count as junk.
    as_junk: Vec<Placement>,
    /// Messages in a row that were in no tab.
    unknown: AtomicU32,
    /// Searches that failed.
    failed: AtomicU32,
    /// Questions after labels that failed.
    labels_failed: AtomicU32,
}

impl Tabs {
    /// None is known yet; `as_junk` count as junk.
    pub(super) fn new(as_junk: &[Placement]) -> Self {
        Self { as_junk: as_junk.to_vec(), ..Self::default() }
    }

    /// A question after labels has failed.
    pub(super) fn labels_failed(&self) {
        self.labels_failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether nobody asks after them any more.
    pub(super) fn are_labels_failing(&self) -> bool {
        self.labels_failed.load(Ordering::Relaxed) >= FAILURES
    }

    fn placed(&self, placement: Placement) -> Placement {
        if self.as_junk.contains(&placement) { Placement::Junk } else { placement }
    }
}

/// Where the message `uid` of the open folder lies: its folder's placement, or a tab's where there are tabs.
pub(super) async fn placement(session: &mut Session, desk: &Desk, folder: &Folder, uid: u32) -> Result<Placement, Trouble> {
    let tabs = &desk.tabs;
    let in_tabs = folder.placement == Placement::Inbox && session.capabilities.has(CAPABILITY);
    if !in_tabs || tabs.failed.load(Ordering::Relaxed) >= FAILURES {
        return Ok(folder.placement);
    }
    let looks = if tabs.unknown.load(Ordering::Relaxed) >= TABLESS { 1 } else { LOOKS };
    let mut wait = session.pace.settle;
    for look in 0..looks {
        if look > 0 {
            sleep_until(Instant::now() + wait).await;
            wait = wait.saturating_mul(2);
        }
        match tab(session, uid).await {
            Ok(Some(placement)) => {
                tabs.unknown.store(0, Ordering::Relaxed);
                return Ok(tabs.placed(placement));
            }
            Ok(None) => {}
            Err(trouble) => {
                tabs.failed.fetch_add(1, Ordering::Relaxed);
                let goes_on = matches!(trouble, Trouble::Refused { .. }) && !matches!(trouble.class(), Class::Rate | Class::Auth);
                tracing::debug!(inbox = %desk.name, why = trouble.why(), "the server does not say in which tab a message lies");
                return if goes_on { Ok(folder.placement) } else { Err(trouble) };
            }
        }
    }
    tabs.unknown.fetch_add(1, Ordering::Relaxed);
    Ok(folder.placement)
}

/// The tab in which the message lies. `None`: in none, as far as the server knows.
async fn tab(session: &mut Session, uid: u32) -> Result<Option<Placement>, Trouble> {
    for (word, placement) in TABS {
        if session.search(&format!("UID {uid} X-GM-RAW \"category:{word}\"")).await?.contains(&uid) {
            return Ok(Some(placement));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tab_is_looked_for_and_some_may_count_as_junk() {
        let mut others = Placement::ALL.into_iter().filter(|p| !matches!(p, Placement::Junk | Placement::Other));
        assert!(others.all(|placement| TABS.iter().any(|(_, of)| *of == placement)));
        let tabs = Tabs::new(&[Placement::Promotions]);
        assert_eq!(tabs.placed(Placement::Promotions), Placement::Junk);
        assert_eq!(tabs.placed(Placement::Updates), Placement::Updates);
    }
}
