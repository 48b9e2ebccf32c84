//! The loop's hands: what begins the effects. Nothing here decides, and nothing here waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::canary::{self, Key};
use crate::config::Settings;
use crate::edge::inbox::Hint;
use crate::edge::notify::Outgoing;
use crate::edge::submit::Submitter;
use crate::model::{At, CanaryId, Change, Culprit, IncidentId, Kind, Name, Notice, NoticeId, Severity};
use crate::watchdog::{Effect, Event, Watchdog};

/// The number of the incident that stands for the ledger itself: it cannot be written down, so it has none of its own.
const LEDGER_INCIDENT: IncidentId = IncidentId(0);

/// Whether a notice stands in no ledger: it told of the ledger itself.
pub(super) const fn is_unrecorded(notice: NoticeId) -> bool {
    // Numbered by the milliseconds of its time; those in the ledger count from 1.
    notice.0 > 1 << 40
}

/// Everything that effects need.
#[derive(Debug)]
pub(super) struct Hands {
    pub(super) settings: Arc<Settings>,
    pub(super) key: Key,
    pub(super) submitters: BTreeMap<Name, Arc<Submitter>>,
    pub(super) sinks: BTreeMap<Name, SinkHand>,
    pub(super) hints: BTreeMap<Name, watch::Sender<Hint>>,
    pub(super) events: mpsc::Sender<Event>,
    /// Canaries that are being handed over.
    pub(super) submissions: JoinSet<()>,
}

/// The way to one sink's worker.
#[derive(Debug)]
pub(super) struct SinkHand {
    pub(super) severities: Vec<Severity>,
    pub(super) worker: mpsc::Sender<Outgoing>,
    /// What did not fit into the worker's channel yet. The outbox has it too.
    pub(super) waiting: VecDeque<Outgoing>,
}

impl SinkHand {
    fn hand(&mut self, out: Outgoing) {
        self.waiting.push_back(out);
        self.flush();
    }

    fn flush(&mut self) {
        while let Some(out) = self.waiting.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(out)) = self.worker.try_send(out) {
                self.waiting.push_front(out);
                return;
            }
        }
    }
}

impl Hands {
    /// Begins `effects`. Their records are durable.
    pub(super) fn begin(&mut self, dog: &Watchdog, effects: Vec<Effect>, now: At) {
        for effect in effects {
            match effect {
                Effect::Submit { canary, provider, stream, inbox, .. } => self.submit(canary, &provider, &stream, &inbox, now),
                Effect::Notify(notice) => self.notify(dog, notice.notice),
                Effect::Look { inbox } => self.look(&inbox),
            }
        }
        for (inbox, hint) in &self.hints {
            let outstanding = dog.expects(inbox);
            hint.send_if_modified(|h| std::mem::replace(&mut h.outstanding, outstanding) != outstanding);
        }
        self.sinks.values_mut().for_each(SinkHand::flush);
        // Collects what has finished; nothing is waited for.
        while self.submissions.try_join_next().is_some() {}
    }

    /// Hands the notices to their sinks' workers that a former life left unsent.
    pub(super) fn resume(&mut self, dog: &Watchdog) {
        let pending: Vec<NoticeId> = dog.outbox().iter().map(|p| p.notice.notice).collect();
        for notice in pending {
            self.notify(dog, notice);
        }
    }

    fn submit(&mut self, canary: CanaryId, provider: &Name, stream: &Name, inbox: &Name, now: At) {
        let (Some(submitter), Some(by), Some(kind), Some(to)) = (
            self.submitters.get(provider).cloned(),
            self.settings.providers.get(provider),
            self.settings.streams.get(stream),
            self.settings.inboxes.get(inbox),
        ) else {
            return;
        };
        let mail = canary::compose(&self.key, canary, now, stream, kind, &by.from, to);
        let events = self.events.clone();
        self.submissions.spawn(async move {
            let answer = submitter.submit(&mail, canary, now).await;
            tracing::debug!(%canary, outcome = answer.outcome.as_str(), "answered");
            let event =
                Event::Answered { canary, outcome: answer.outcome, reply: answer.reply, message_id: answer.message_id, legs: answer.legs };
            // The loop is gone only when the process ends; the next start calls the canary orphaned.
            drop(events.send(event).await);
        });
    }

    fn notify(&mut self, dog: &Watchdog, notice: NoticeId) {
        let Some(pending) = dog.outbox().into_iter().find(|p| p.notice.notice == notice) else { return };
        for sink in &pending.sinks {
            if let Some(hand) = self.sinks.get_mut(sink) {
                hand.hand(Outgoing { notice: pending.notice.clone(), opened_at: pending.opened_at, at: pending.at });
            }
        }
    }

    fn look(&self, inbox: &Name) {
        if let Some(hint) = self.hints.get(inbox) {
            hint.send_modify(|h| h.look = h.look.wrapping_add(1));
        }
    }

    /// Tells the sinks that the ledger cannot be written, or can again. This one page goes out without a record: the alternative is silence.
    pub(super) fn cry(&mut self, was_stuck: bool, trouble: Option<&str>, now: At) {
        let (change, summary) = match (was_stuck, trouble) {
            (false, Some(why)) => (Change::Opened, format!("mailcanary cannot write its ledger and watches nothing until it can: {why}")),
            (true, None) => (Change::Resolved, "mailcanary can write its ledger again".to_owned()),
            _ => return,
        };
        let notice = Notice {
            notice: NoticeId(u64::try_from(now.as_ms()).unwrap_or(0)),
            incident: LEDGER_INCIDENT,
            change,
            kind: Kind::Blind,
            severity: Severity::Page,
            culprit: Culprit::Watcher {},
            summary,
            evidence: serde_json::json!({
                "why": trouble,
                "path": self.settings.ledger.path.display().to_string(),
                "next_step": "make room on the disk or mend the ledger's folder; mailcanary goes on by itself",
            }),
        };
        for hand in self.sinks.values_mut().filter(|h| h.severities.contains(&Severity::Page)) {
            hand.hand(Outgoing { notice: notice.clone(), opened_at: now, at: now });
        }
    }

    /// Whether nothing is being handed over.
    pub(super) fn idle(&self) -> bool {
        self.submissions.is_empty()
    }

    /// Waits for one submission to end; for ever, if there is none.
    pub(super) async fn finish_one(&mut self) {
        if self.submissions.join_next().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}
