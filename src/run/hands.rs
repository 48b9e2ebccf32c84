//! The loop's hands: what begins the effects. Nothing here decides, and nothing here waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::lookups::Lookups;
use super::standing::{self, Standing, Trouble};
use crate::canary::{self, Key};
use crate::config::Settings;
use crate::edge::inbox::Hint;
use crate::edge::notify::{Ended, Handed, Outgoing, Replies};
use crate::edge::submit::{After, Answer, Finding, Hooks, Submitter, Unread};
use crate::model::{At, CanaryId, IncidentId, Name, NoticeId, Severity, on_a_line};
use crate::watchdog::{Delivery, Effect, Event, Watchdog};

/// Everything that effects need.
#[derive(Debug)]
pub(super) struct Hands {
    pub(super) settings: Arc<Settings>,
    pub(super) key: Key,
    pub(super) submitters: BTreeMap<Name, Arc<Submitter>>,
    pub(super) sinks: BTreeMap<Name, SinkHand>,
    pub(super) hints: BTreeMap<Name, watch::Sender<Hint>>,
    /// What providers tell by themselves.
    pub(super) hooks: Arc<Hooks>,
    /// What people say at sinks.
    pub(super) replies: Arc<Replies>,
    /// Who asks the DNS.
    pub(super) lookups: Lookups,
    pub(super) events: mpsc::Sender<Event>,
    /// What was told without a record.
    pub(super) standing: Standing,
    /// Canaries that are being handed over.
    pub(super) submissions: JoinSet<()>,
    /// Questions that are being asked. A stop does not wait for them.
    pub(super) questions: JoinSet<()>,
}

/// The way to one sink's worker.
#[derive(Debug)]
pub(super) struct SinkHand {
    pub(super) severities: Vec<Severity>,
    pub(super) worker: mpsc::Sender<Handed>,
    /// What did not fit into the worker's channel yet. The outbox has it too.
    pub(super) waiting: VecDeque<Handed>,
}

impl SinkHand {
    fn hand(&mut self, what: Handed) {
        self.waiting.push_back(what);
        self.flush();
    }

    fn tell(&mut self, out: Outgoing) {
        self.hand(Handed::Notice(Box::new(out)));
    }

    fn flush(&mut self) {
        while let Some(what) = self.waiting.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(what)) = self.worker.try_send(what) {
                self.waiting.push_front(what);
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
                Effect::Trace { canary, provider, inbox, sent_at, message_id } => {
                    self.trace(canary, &provider, &inbox, sent_at, message_id, now)
                }
                Effect::Poll { provider } => self.poll(dog, provider, now),
                Effect::Notify(notice) => self.notify(dog, notice.notice),
                Effect::Look { inbox } => self.look(&inbox),
            }
        }
        for (inbox, hint) in &self.hints {
            let outstanding = dog.expects(inbox);
            hint.send_if_modified(|h| std::mem::replace(&mut h.outstanding, outstanding) != outstanding);
        }
        self.sinks.values_mut().for_each(SinkHand::flush);
        self.lookups.turn(dog, now, &self.events);
        // Collects what has finished; nothing is waited for.
        while self.submissions.try_join_next().is_some() {}
        while self.questions.try_join_next().is_some() {}
    }

    /// Hands the notices to their sinks' workers that a former life left unsent.
    pub(super) fn resume(&mut self, dog: &Watchdog, unsent: Vec<NoticeId>, now: At) {
        self.let_go(now);
        for notice in unsent {
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
        let (events, hooks, provider) = (self.events.clone(), Arc::clone(&self.hooks), provider.clone());
        self.submissions.spawn(async move {
            let answer = submitter.submit(&mail, canary, now).await;
            drop(mail);
            tracing::debug!(%canary, outcome = answer.outcome.as_str(), "answered");
            let Answer { outcome, reply, hint, message_id, legs, retry_after } = answer;
            let event = Event::Answered { canary, outcome, reply, hint, message_id: message_id.clone(), legs, retry_after };
            // The loop is gone only when the process ends; the next start calls the canary orphaned.
            drop(events.send(event).await);
            if let Some(id) = message_id {
                hooks.learn(&provider, &id, canary);
            }
        });
    }

    fn trace(&mut self, canary: CanaryId, provider: &Name, inbox: &Name, sent_at: At, message_id: Option<String>, now: At) {
        let (Some(submitter), Some(to)) = (self.submitters.get(provider).cloned(), self.settings.inboxes.get(inbox)) else { return };
        let (events, provider, recipient) = (self.events.clone(), provider.clone(), to.address.clone());
        self.questions.spawn(async move {
            let after = After { message_id: message_id.as_deref(), recipient: &recipient, sent_at };
            let Some(Finding { fate, words }) = submitter.trace(after, now).await else { return };
            tracing::info!(%canary, %provider, fate = fate.as_str(), "a provider said what became of a canary");
            // The loop is gone only when the process ends; the next start asks again.
            drop(events.send(Event::Traced { canary, fate, words: Some(words) }).await);
        });
    }

    /// Asks how an account stands. Who does not answer delays nobody, and is asked again when it is due.
    fn poll(&mut self, dog: &Watchdog, provider: Name, now: At) {
        let Some(submitter) = self.submitters.get(&provider).cloned() else { return };
        let (events, was_unread) = (self.events.clone(), dog.is_unread(&provider));
        self.questions.spawn(async move {
            let event = match submitter.signs(now).await {
                Some(Ok(signs)) => {
                    if was_unread {
                        tracing::info!(%provider, "provider {provider} says again how the account stands");
                    }
                    Event::Signs { provider, signs }
                }
                Some(Err(Unread { class, why, retry_after })) => {
                    if !was_unread {
                        let class = class.as_str();
                        tracing::warn!(%provider, class, "provider {provider} does not say how the account stands ({class}); the status page has its words");
                    }
                    Event::NoSigns { provider, class, why, retry_after }
                }
                None => return,
            };
            // The loop is gone only when the process ends; the next life asks when it is due.
            drop(events.send(event).await);
        });
    }

    fn notify(&mut self, dog: &Watchdog, notice: NoticeId) {
        let Some(pending) = dog.pending(notice) else { return };
        for sink in &pending.sinks {
            if let Some(hand) = self.sinks.get_mut(sink) {
                hand.tell(Outgoing {
                    notice: Arc::clone(&pending.notice),
                    opened_at: pending.opened_at,
                    at: pending.at,
                    perhaps_told: false,
                });
            }
        }
    }

    fn look(&self, inbox: &Name) {
        if let Some(hint) = self.hints.get(inbox) {
            hint.send_modify(|h| h.look = h.look.wrapping_add(1));
        }
    }

    /// Has every inbox read whole, now.
    pub(super) fn look_everywhere(&self) {
        self.hints.keys().for_each(|inbox| self.look(inbox));
    }

    /// Tells the sinks that the ledger cannot be written, and `why`; or that it is `writable` again, if that was told in this life or an
    /// earlier one. This page goes out without a record: the alternative is silence.
    pub(super) fn cry(&mut self, why: Option<&str>, writable: bool, now: At) {
        let out = match why {
            Some(why) => {
                let evidence = serde_json::json!({
                    "why": why,
                    "path": self.settings.ledger.path.display().to_string(),
                    "next_step": "make room on the disk or mend the ledger's folder; mailcanary goes on by itself",
                });
                let summary = format!("mailcanary cannot write its ledger and watches nothing until it can: {why}");
                self.standing.opened(Trouble { incident: standing::LEDGER, severity: Severity::Page, summary, evidence }, now)
            }
            None if writable => self.standing.over(standing::LEDGER, "mailcanary can write its ledger again", now),
            None => None,
        };
        self.tell_all(out);
    }

    /// Says in the log that a sink refused a notice: the watchdog tells the others.
    pub(super) fn heard(&self, ended: &Ended) {
        if ended.outcome == Delivery::Refused {
            let (sink, why) = (&ended.sink, ended.why.as_deref().unwrap_or("it is closed"));
            tracing::error!(%sink, why, notice = ended.notice.0, "a sink refused a notice for good: {sink}: {}", on_a_line(why));
        }
    }

    /// Lets the worker of `sink` know that the end of `notice` is durable.
    pub(super) fn written(&mut self, sink: &Name, notice: NoticeId) {
        if let Some(hand) = self.sinks.get_mut(sink) {
            hand.hand(Handed::Written(notice));
        }
    }

    /// Somebody has seen an incident: what only asks for that need not be told any more.
    pub(super) fn seen(&mut self, incident: IncidentId) {
        self.sinks.values_mut().for_each(|hand| hand.hand(Handed::Seen(incident)));
    }

    /// Ends what an earlier version told of without a record, and what is kept in the ledger by now.
    fn let_go(&mut self, now: At) {
        let gone: Vec<IncidentId> = self.standing.views().map(|v| v.incident).filter(|id| *id != standing::LEDGER).collect();
        for incident in gone {
            let out = self.standing.over(incident, "it is told of under another number from now on, if it goes on", now);
            self.tell_all(out);
        }
    }

    fn tell_all(&mut self, out: Option<Outgoing>) {
        let Some(out) = out else { return };
        for hand in self.sinks.values_mut().filter(|h| h.severities.contains(&out.notice.severity)) {
            hand.tell(out.clone());
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
