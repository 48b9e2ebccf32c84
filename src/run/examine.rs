//! Looks at the mail itself, off the way of everything else: a sighting is told before its mail is looked at, and never waits for it.
//!
//! One worker reads canaries' mail, and asks name servers about a few at once. What is too much is left out, counted, and told once: it is
//! examination, not evidence. Where no name server answers, it is not asked for every mail. What is no canary asks nobody, and is weighed at
//! once by whoever brings it: a flood of it waits at the mailbox, and nothing in it is lost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::adapters::Shared;
use super::headers::Headers;
use crate::canary::{Envelope, Head, Key, Known, Ours, Receiver, compose, examine};
use crate::config::{NameServer, Settings, Wire};
use crate::edge::dns::Resolver;
use crate::edge::inbox::Wanted;
use crate::model::{At, CanaryId, Check, Examination, Finding, Name, Now, Placement, Route, Span};
use crate::watchdog::{Event, Watchdog};

/// Mails that wait. Of 256 KiB each at most, and nearly all of a few.
const WAITING: usize = 128;
/// Mails that name servers are asked about at the same time.
const AT_ONCE: usize = 8;
/// Checks of one mail.
const CHECKS: usize = 16;
/// Every canary is looked at up to so many a second; beyond that one of each route in [`APART`].
const PER_SECOND: usize = 50;
const APART: Span = Span::from_secs(60);
/// So many mails without any answer in a row, and no name server is asked for [`REST`].
const UNANSWERED: u32 = 3;
const REST: Span = Span::from_secs(60);

/// A canary's mail that waits to be looked at.
pub(super) struct Job {
    /// Where it was seen.
    pub(super) inbox: Name,
    /// Which.
    pub(super) canary: CanaryId,
    /// When its token was made.
    pub(super) issued_at: At,
    /// The message.
    pub(super) message: Vec<u8>,
    /// There is more of it.
    pub(super) cut: bool,
}

/// How many canaries' mails were not looked at, since the process started. Cloned, it is the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Unexamined(Arc<AtomicU64>);

impl Unexamined {
    /// So many.
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self) {
        if self.0.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(
                "a canary's mail is not looked at: too many wait. From now on that is only counted, in mailcanary_mails_unexamined_total"
            );
        }
    }
}

/// The way to the worker, and what is known of us.
#[derive(Clone)]
pub(super) struct Jobs {
    worker: mpsc::Sender<Job>,
    ours: Arc<RwLock<Ours>>,
    settings: Arc<Settings>,
    unexamined: Unexamined,
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

impl Jobs {
    /// Mail for a domain goes to these hosts, by its MX records.
    pub(super) fn learn_exchangers(&self, domain: &str, written: &str) {
        self.ours.write().unwrap_or_else(PoisonError::into_inner).learn_exchangers(domain, written);
    }

    /// Leaves a mail to be looked at, unless too many wait: who brings it has sightings to tell.
    pub(super) fn offer(&self, job: Job) {
        if self.worker.try_send(job).is_err() {
            self.unexamined.add();
        }
    }

    /// What a mail that is no canary has to do with us, of which there may be more (`cut`); nothing if its inbox is none of the settings'.
    pub(super) fn weigh(
        &self,
        inbox: Name,
        (message, cut): (&[u8], bool),
        placement: Placement,
        arrived_at: At,
        copy: String,
    ) -> Option<Event> {
        let settings = self.settings.inboxes.get(&inbox)?;
        let ours = self.ours.read().unwrap_or_else(PoisonError::into_inner);
        let mut mail = ours.weigh(&inbox, settings, message, placement, arrived_at, Some(copy));
        mail.cut |= cut;
        Some(Event::Strange { inbox, mail })
    }
}

/// Whoever looks at mail, before it begins.
pub(super) struct Examiner {
    settings: Arc<Settings>,
    key: Key,
    now: Now,
    events: mpsc::Sender<Event>,
    headers: Headers,
    routes: BTreeMap<u32, Route>,
    ours: Arc<RwLock<Ours>>,
    unexamined: Unexamined,
    resolver: Option<Resolver>,
    unanswered: u32,
    rests_until: Option<At>,
}

impl std::fmt::Debug for Examiner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Examiner").finish_non_exhaustive()
    }
}

/// A canary's mail whose signatures are being checked.
struct Verified {
    inbox: Name,
    canary: CanaryId,
    mail: Examination,
    checks: Vec<Check>,
}

impl Examiner {
    /// Opens no connection.
    pub(super) fn new(settings: &Settings, shared: &Shared, dog: &Watchdog) -> Self {
        let settings = Arc::new(settings.clone());
        let mut ours = Ours::new(Arc::clone(&settings));
        dog.marks().for_each(|(provider, mark)| ours.learn(provider, &[mark]));
        dog.receivers().for_each(|inbox| ours.learn_writer(inbox));
        dog.exchangers().for_each(|(domain, written)| ours.learn_exchangers(domain, written));
        dog.ways().for_each(|(provider, way)| ours.learn_way(provider, way));
        Self {
            key: shared.key.clone(),
            now: Arc::clone(&shared.now),
            events: shared.events.clone(),
            headers: shared.headers.clone(),
            routes: dog.routes().map(|(key, route)| (key, route.clone())).collect(),
            ours: Arc::new(RwLock::new(ours)),
            unexamined: shared.headers.unexamined.clone(),
            resolver: resolver(&settings.name_server, &settings.records.wire),
            settings,
            unanswered: 0,
            rests_until: None,
        }
    }

    /// Lets it begin.
    pub(super) fn begin(self, workers: &mut JoinSet<()>) -> Jobs {
        let (jobs_in, jobs) = mpsc::channel(WAITING);
        let (ours, settings, unexamined) = (Arc::clone(&self.ours), Arc::clone(&self.settings), self.unexamined.clone());
        workers.spawn(self.work(jobs));
        Jobs { worker: jobs_in, ours, settings, unexamined }
    }

    async fn work(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut asking: JoinSet<Verified> = JoinSet::new();
        loop {
            let event = tokio::select! {
                Some(Ok(verified)) = asking.join_next() => Some(self.judge(verified)),
                job = jobs.recv(), if asking.len() < AT_ONCE => match job {
                    Some(job) => self.look(job, &mut asking),
                    None => return,
                },
            };
            if let Some(Event::Examined { canary, mail, .. }) = &event {
                self.headers.hold_mail(*canary, mail);
            }
            if let Some(event) = event
                && self.events.send(event).await.is_err()
            {
                return;
            }
        }
    }

    /// Looks at one mail; what is to be told of it, if no name server is asked first.
    fn look(&mut self, job: Job, asking: &mut JoinSet<Verified>) -> Option<Event> {
        let head = Head::read(&job.message).at(&self.receiver(&job.inbox));
        let mail = self.examined(&job, &head)?;
        let Job { inbox, canary, message, .. } = job;
        match self.asks() {
            // What was cut has lost what was signed.
            Some(resolver) if !mail.cut => {
                asking.spawn(verify(resolver, message, head.envelope(), inbox, canary, mail));
                None
            }
            Some(_) | None => Some(Event::Examined { inbox, canary, mail }),
        }
    }

    /// Whose hosts receive the mail of an inbox.
    fn receiver(&self, inbox: &Name) -> Receiver {
        let ours = self.ours.read().unwrap_or_else(PoisonError::into_inner);
        self.settings.inboxes.get(inbox).map(|inbox| ours.receiver(inbox)).unwrap_or_default()
    }

    fn examined(&self, job: &Job, head: &Head) -> Option<Examination> {
        let Job { inbox, canary, issued_at, message, cut } = job;
        let (canary, issued_at) = (*canary, *issued_at);
        let route = self.routes.get(&u32::try_from(canary.bits() >> 32).ok()?)?;
        let settings = self.settings.inboxes.get(&route.inbox)?;
        let by = self.settings.providers.get(&route.provider)?;
        let stream = self.settings.streams.get(&route.stream)?;
        let sent =
            by.is_written_here(&route.stream).then(|| compose(&self.key, canary, issued_at, &route.stream, stream, &by.from, settings));
        let seen_in = self.settings.inboxes.get(inbox)?;
        let own: Vec<&str> = settings.addresses().collect();
        let known = Known { sent_at: Some(issued_at), sent: sent.as_ref(), inbox_domain: seen_in.domain(), own: &own, cut: *cut };
        let mut mail = examine(message, head, &known);
        let mut ours = self.ours.write().unwrap_or_else(PoisonError::into_inner);
        ours.learn(&route.provider, &mail.marks);
        ours.learn_receiver(inbox, &mail.checks);
        mail.way = mail.way.filter(|_| ours.is_own_relay(&route.provider));
        mail.way.iter().for_each(|way| ours.learn_way(&route.provider, way));
        Some(mail)
    }

    /// Who is asked now, if anybody.
    fn asks(&self) -> Option<Resolver> {
        let rests = self.rests_until.is_some_and(|until| (self.now)() < until);
        self.resolver.clone().filter(|_| !rests)
    }

    /// Puts the checks to the rest, and notes whether anybody answers.
    fn judge(&mut self, verified: Verified) -> Event {
        let Verified { inbox, canary, mut mail, checks } = verified;
        if !checks.is_empty() && checks.iter().all(|check| matches!(check.finding, Finding::Unsure | Finding::None)) {
            let silent = checks.iter().any(|check| check.finding == Finding::Unsure);
            self.unanswered = if silent { self.unanswered.saturating_add(1) } else { 0 };
        } else {
            self.unanswered = 0;
        }
        if self.unanswered >= UNANSWERED {
            if self.rests_until.is_none() {
                tracing::warn!("no name server answers: what arrives is not checked by ourselves meanwhile");
            }
            self.rests_until = Some((self.now)().plus(REST));
        } else if self.unanswered == 0 && self.rests_until.take().is_some() {
            tracing::info!("name servers answer again: what arrives is checked");
        }
        let by_receiver = std::mem::take(&mut mail.checks);
        mail.checks = checks.into_iter().chain(by_receiver).take(CHECKS).collect();
        Event::Examined { inbox, canary, mail }
    }
}

async fn verify(
    resolver: Resolver,
    message: Vec<u8>,
    envelope: Option<Envelope>,
    inbox: Name,
    canary: CanaryId,
    mail: Examination,
) -> Verified {
    let checks = resolver.verify(&message, envelope.as_ref()).await;
    Verified { inbox, canary, mail, checks }
}

fn resolver(server: &NameServer, wire: &Wire) -> Option<Resolver> {
    if *server == NameServer::Off {
        return None;
    }
    match Resolver::asking(server, wire) {
        Ok(resolver) => Some(resolver),
        Err(error) => {
            tracing::warn!(%error, "what arrives is not checked by ourselves");
            None
        }
    }
}

/// What is wanted of every inbox: mail that is no canary, and of canaries as many as [`PER_SECOND`] and [`APART`] say, over all of them.
pub(super) fn wanted(now: &Now) -> Wanted {
    let (pace, now) = (Mutex::new(Pace::default()), Arc::clone(now));
    let wants = move |canary| pace.lock().unwrap_or_else(PoisonError::into_inner).wants(canary, now());
    Wanted { messages: Some(Arc::new(wants)), strangers: true }
}

/// Which canaries were looked at lately.
#[derive(Default)]
struct Pace {
    lately: VecDeque<At>,
    of_route: BTreeMap<u64, At>,
}

impl Pace {
    fn wants(&mut self, canary: CanaryId, now: At) -> bool {
        let second = Span::from_secs(1);
        while self.lately.front().is_some_and(|at| now.since(*at) >= second) {
            self.lately.pop_front();
        }
        let last = self.of_route.get(&(canary.bits() >> 32));
        let wanted = self.lately.len() < PER_SECOND || last.is_none_or(|at| now.since(*at) >= APART);
        if wanted {
            self.lately.push_back(now);
            self.of_route.insert(canary.bits() >> 32, now);
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_looked_at_until_it_is_too_much_and_then_one_of_each_route() {
        let mut pace = Pace::default();
        let (at, canary) = (At::from_ms, |route: u64, n: u64| CanaryId::from_bits(route << 32 | n));
        assert!((0..50).all(|n| pace.wants(canary(1, n), at(1000))));
        assert!(!pace.wants(canary(1, 50), at(1500)), "one of its route was");
        assert!(pace.wants(canary(2, 1), at(1500)), "none of this route was");
        assert!(!pace.wants(canary(2, 2), at(1600)));
        assert!(pace.wants(canary(1, 51), at(2500)), "a second later");
    }
}
