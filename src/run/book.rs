//! The ledger in the loop's hands: what could not be written stays, and is tried again, and nothing begins before it is durable.

use tokio::task::block_in_place;

use super::headers::Wanted;
use super::told;
use crate::config::LedgerSettings;
use crate::ledger::{Hops, Ledger, LedgerError};
pub(super) use crate::model::chained as chain;
use crate::model::{At, CanaryId, Span};
use crate::watchdog::{Effect, Record};

/// Between two tries to write what could not be written.
const RETRY: Span = Span::from_secs(5);
/// The same while another program holds the file locked: it may let go any moment.
const RETRY_LOCKED: Span = Span::from_secs(1);
/// A lock that lasts this long is worth a page: an operator's `sqlite3` or a backup is done within seconds.
const LOCK_PATIENCE: Span = Span::from_secs(30);
/// After so many records a checkpoint keeps the next start short.
const CHECKPOINT_AFTER: u64 = 5_000;
/// Between two rounds of pruning; each is bounded.
const PRUNE_EVERY: Span = Span::from_secs(60);

/// Headers that wait to be written down, at most.
const HEADERS: usize = 200;

/// Mails whose hops wait to be written down, at most.
const HOPS: usize = 512;

/// After the wall clock was set, nothing is pruned for this long.
const DISTRUST: Span = Span::from_secs(3600);

/// The ledger, and what waits for it.
#[derive(Debug)]
pub(super) struct Book {
    ledger: Ledger,
    settings: LedgerSettings,
    records: Vec<Record>,
    effects: Vec<Effect>,
    /// What people will want to see of mails that arrived.
    headers: Vec<(CanaryId, String)>,
    /// What was found in mails whose headers are kept.
    mails: Vec<(CanaryId, String)>,
    /// By which hosts the mails of canaries came, and what filters wrote of them.
    hops: Vec<Hops>,
    pruned_at: Option<At>,
    /// Since when another program has kept us from writing, if that is why the last try failed.
    locked_since: Option<At>,
    /// Something is to be written, even if there are no records.
    proof_wanted: bool,
    /// When something was last written and the disk had it.
    pub(super) written_at: Option<At>,
    /// Why the last try failed.
    pub(super) trouble: Option<String>,
}

impl Book {
    pub(super) const fn new(ledger: Ledger, settings: LedgerSettings) -> Self {
        Self {
            ledger,
            settings,
            records: Vec::new(),
            effects: Vec::new(),
            headers: Vec::new(),
            mails: Vec::new(),
            hops: Vec::new(),
            pruned_at: None,
            locked_since: None,
            proof_wanted: false,
            written_at: None,
            trouble: None,
        }
    }

    /// From now on keeps what these settings say. Their path is the ledger's.
    pub(super) fn keep_by(&mut self, settings: LedgerSettings) {
        self.settings = settings;
    }

    /// Takes in what a step put out.
    pub(super) fn add(&mut self, records: Vec<Record>, effects: Vec<Effect>) {
        self.records.extend(records);
        self.effects.extend(effects);
    }

    /// Takes in the headers of canaries, and what was found in their mails.
    pub(super) fn add_headers(&mut self, Wanted { headers, mails }: Wanted) {
        self.headers.extend(headers);
        self.headers.truncate(HEADERS);
        self.mails.extend(mails);
        self.mails.truncate(HEADERS);
    }

    /// Takes in by which hosts the mail of a canary came, and what a filter wrote of it. What is too much is left out: it is for show.
    pub(super) fn add_hops(&mut self, hops: Hops) {
        if self.hops.len() < HOPS {
            self.hops.push(hops);
        }
    }

    /// Lets the next [`Book::write`] write something, so that it shows whether the ledger can be written.
    pub(super) const fn want_proof(&mut self) {
        self.proof_wanted = true;
    }

    /// Makes all records durable, and only then hands out the effects. After a failure both stay, and [`Book::trouble`] says why.
    pub(super) fn write(&mut self, now: At) -> Vec<Effect> {
        if let Err(error) = block_in_place(|| self.put_down(now)) {
            let text = chain(&error);
            if !matches!(error, LedgerError::Busy { .. }) {
                if self.trouble.is_none() || self.locked_since.is_some() {
                    tracing::error!(error = %text, "the ledger cannot be written; no canary is sent until it can: {text}");
                }
                self.locked_since = None;
            } else if self.trouble.is_none() {
                tracing::warn!(error = %text, "waiting for another program to let go of the ledger; no canary is sent meanwhile: {text}");
                self.locked_since = Some(now);
            }
            self.trouble = Some(text);
            return Vec::new();
        }
        self.locked_since = None;
        if self.trouble.take().is_some() {
            tracing::info!("the ledger can be written again");
        }
        told::log(&self.records);
        self.records.clear();
        self.hops.clear();
        let headers = std::mem::take(&mut self.headers);
        let mails = std::mem::take(&mut self.mails);
        let kept = block_in_place(|| self.ledger.keep_headers(now, &headers).and_then(|()| self.ledger.keep_mails(&mails)));
        if let Err(error) = kept {
            tracing::warn!(error = %chain(&error), "the headers of some mails could not be written down");
        }
        std::mem::take(&mut self.effects)
    }

    fn put_down(&mut self, now: At) -> Result<(), LedgerError> {
        if !self.records.is_empty() || !self.hops.is_empty() {
            self.ledger.append_with(&self.records, &self.hops)?;
        } else if self.proof_wanted {
            self.ledger.prove(now)?;
        } else {
            return Ok(());
        }
        self.proof_wanted = false;
        self.written_at = Some(now);
        Ok(())
    }

    /// Why somebody has to get up, if so: a lock alone is waited for first.
    pub(super) fn worth_a_page(&self, now: At) -> Option<&str> {
        let waits = self.locked_since.is_some_and(|since| now.since(since) < LOCK_PATIENCE);
        self.trouble.as_deref().filter(|_| !waits)
    }

    /// How long to wait before the next try.
    pub(super) const fn retry_after(&self) -> Span {
        if self.locked_since.is_some() { RETRY_LOCKED } else { RETRY }
    }

    /// Whether the next start would have much to read.
    pub(super) const fn wants_checkpoint(&self) -> bool {
        self.ledger.since_checkpoint() >= CHECKPOINT_AFTER && self.trouble.is_none()
    }

    /// Keeps the state, so that a start need not read every record. A failure is not fatal: the records have it all.
    pub(super) fn checkpoint(&mut self, state: &str) {
        if let Err(error) = block_in_place(|| self.ledger.checkpoint(state)) {
            tracing::warn!(error = %chain(&error), "the ledger took no checkpoint; the next start takes longer");
        }
    }

    /// Lets go of what is older than the settings keep, a little at a time.
    pub(super) fn prune(&mut self, now: At) {
        if self.trouble.is_some() || self.pruned_at.is_some_and(|at| now.since(at) < PRUNE_EVERY) {
            return;
        }
        self.pruned_at = Some(now);
        match block_in_place(|| self.ledger.prune(now, self.settings.keep, self.settings.keep_failures)) {
            // There is more than one step's worth: the next turn goes on.
            Ok(pruned) if pruned.more => self.pruned_at = None,
            Ok(_) => {}
            Err(error) => tracing::warn!(error = %chain(&error), "old entries of the ledger could not be removed"),
        }
    }

    /// A clock that was just set may be wrong, and what it calls old may be young: nothing is removed for a while.
    pub(super) const fn distrust(&mut self, now: At) {
        self.pruned_at = Some(now.plus(DISTRUST));
    }
}
