//! What stands between the loop and the world, built of one configuration: it is built whole before anything of it begins.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::examine::{self, Examiner, Job, Jobs};
use super::hands::SinkHand;
use super::headers::Headers;
use super::hooks::{hooks, replies};
use super::lookups::Lookups;
use super::pulse::{self, Pulse};
use super::standing::Standing;
use super::start::StartError;
use crate::canary::{Expected, Key};
use crate::config::{Http, Inbox, Provider, ProviderKind, SecretRef, Secrets, Settings};
use crate::edge::beat::Heartbeat;
use crate::edge::dial::Dialer;
use crate::edge::inbox::{Credentials, Doors, Hint, Looks, Report, Senders, Watch};
use crate::edge::notify::{self, Ended, Origin, Pace, Replies, Sink};
use crate::edge::post::Order;
use crate::edge::submit::{Hooks, Submitter, Told};
use crate::model::{self, At, Name, Now, Part, on_a_line};
use crate::watchdog::{Event, IncidentView, Watchdog};

/// Notices on their way to one sink's worker; what does not fit waits in the outbox.
const NOTICES: usize = 64;

/// What outlives a configuration: the key, the clock, and the ways to the loop.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) key: Key,
    pub(super) now: Now,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) told: mpsc::Sender<Told>,
    pub(super) ended: mpsc::Sender<Ended>,
    /// What people want, as those who answer sinks' notices say it.
    pub(super) orders: mpsc::Sender<Order>,
    /// The ports at which mail is taken.
    pub(super) doors: Doors,
    /// Of the newest mails.
    pub(super) headers: Headers,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// Everything that a configuration asks for; nothing of it has begun.
#[derive(Debug)]
pub(super) struct Adapters {
    submitters: BTreeMap<Name, Submitter>,
    readers: Vec<Watch>,
    examiner: Examiner,
    sinks: Vec<Sink>,
    heartbeats: Vec<Heartbeat>,
    hooks: Hooks,
    replies: Replies,
    lookups: Lookups,
}

/// What earlier work has left that is shown or told of.
pub(super) struct Past<'a> {
    pub(super) standing: &'a Standing,
    pub(super) pulses: BTreeMap<Name, model::Pulse>,
    /// What was told before this may have been sent.
    pub(super) until: At,
}

/// The same at work.
#[derive(Debug)]
pub(super) struct AtWork {
    pub(super) submitters: BTreeMap<Name, Arc<Submitter>>,
    pub(super) sinks: BTreeMap<Name, SinkHand>,
    pub(super) hints: BTreeMap<Name, watch::Sender<Hint>>,
    pub(super) hooks: Arc<Hooks>,
    pub(super) replies: Arc<Replies>,
    pub(super) lookups: Lookups,
    pub(super) pulse: Pulse,
    pub(super) staff: Staff,
}

/// Who works for one configuration, and ends with it.
#[derive(Debug, Default)]
pub(super) struct Staff {
    /// Who may be ended at any moment.
    pub(super) workers: JoinSet<()>,
    /// The sinks' workers, who end by themselves when nothing comes any more: what is just being told would be told again.
    pub(super) tellers: JoinSet<()>,
}

impl Adapters {
    /// Builds all of it. Opens no connection.
    ///
    /// # Errors
    /// [`StartError`], the first that is met.
    pub(super) fn build(settings: &Settings, secrets: &Secrets, shared: &Shared, dog: &Watchdog) -> Result<Self, StartError> {
        Ok(Self {
            submitters: submitters(settings, secrets)?,
            examiner: Examiner::new(settings, shared, dog),
            readers: readers(settings, secrets, shared, dog)?,
            sinks: sinks(settings, secrets, dog)?,
            heartbeats: pulse::heartbeats(settings, secrets)?,
            hooks: hooks(settings, secrets, &shared.key, &shared.now, dog, shared.told.clone())?,
            replies: replies(settings, secrets, origin(settings, dog), shared.orders.clone(), &shared.now)?,
            lookups: Lookups::new(settings, secrets),
        })
    }

    /// The same, with what the webhooks of a former configuration have learnt and counted, and what its sinks' have.
    pub(super) fn after(mut self, hooks: &Hooks, replies: &Replies, lookups: &Lookups) -> Self {
        (self.hooks, self.replies) = (self.hooks.after(hooks), self.replies.after(replies));
        self.lookups = self.lookups.after(lookups);
        self
    }

    /// Lets all of it begin. Nothing of that can fail.
    pub(super) fn begin(mut self, settings: &Settings, shared: &Shared, dog: &Watchdog, past: &Past<'_>) -> AtWork {
        let mut staff = Staff::default();
        let known = dog.view((shared.now)()).incidents;
        let seen = |sink: &Name| {
            let heard = known.iter().filter(|i| dog.has_told(sink, i.incident));
            heard.chain(past.standing.views()).cloned().collect()
        };
        let sinks = notifying(settings, self.sinks, shared, (past.until, seen), &mut staff.tellers);
        let pulse = Pulse::begin(self.heartbeats, &past.pulses, &shared.now, &mut staff.workers);
        let jobs = self.examiner.begin(&mut staff.workers);
        self.lookups.tell(jobs.clone());
        let hints = reading(self.readers, shared, &jobs, &mut staff.workers);
        let submitters = tended(self.submitters, &mut staff.workers);
        // What came back from sinks is shown to people from now on.
        let replies = Arc::new(self.replies);
        let shown = Arc::clone(&replies);
        staff.workers.spawn(async move { shown.tend().await });
        AtWork { submitters, sinks, hints, hooks: Arc::new(self.hooks), replies, lookups: self.lookups, pulse, staff }
    }
}

pub(super) fn submitters(settings: &Settings, secrets: &Secrets) -> Result<BTreeMap<Name, Submitter>, StartError> {
    let lookup = |at: &SecretRef| secrets.get(at).cloned();
    let build = |(name, provider): (&Name, &Provider)| match Submitter::new(provider, &lookup) {
        Ok(submitter) => Ok((name.clone(), submitter)),
        Err(e) => Err(StartError::Provider(name.clone(), e)),
    };
    settings.providers.iter().map(build).collect()
}

/// The submitters, each with a worker who closes the connections that it needs no more.
fn tended(submitters: BTreeMap<Name, Submitter>, workers: &mut JoinSet<()>) -> BTreeMap<Name, Arc<Submitter>> {
    let tend = |(name, submitter): (Name, Submitter)| {
        let submitter = Arc::new(submitter.pooled());
        let tended = Arc::clone(&submitter);
        workers.spawn(async move { tended.tend().await });
        (name, submitter)
    };
    submitters.into_iter().map(tend).collect()
}

/// What the mail of each provider looks like that is not ours.
pub(super) fn expected(settings: &Settings) -> BTreeMap<Name, Arc<Expected>> {
    let of = |(name, provider): (&Name, &Provider)| {
        let ProviderKind::HttpTrigger(trigger) = &provider.kind else { return None };
        Some((name.clone(), Arc::new(Expected { from: provider.from.address.clone(), look: trigger.mail.clone() })))
    };
    settings.providers.iter().filter_map(of).collect()
}

/// The same by canary.
fn looks(settings: &Settings, dog: &Watchdog) -> Looks {
    let expected = expected(settings);
    let by_route: BTreeMap<u32, Arc<Expected>> =
        dog.routes().filter_map(|(key, route)| Some((key, Arc::clone(expected.get(&route.provider)?)))).collect();
    Arc::new(move |canary| by_route.get(&u32::try_from(canary.bits() >> 32).ok()?).cloned())
}

/// Who canaries are from, by canary: what its provider sends them with, and what its mail has had so far.
fn senders(settings: &Settings, dog: &Watchdog) -> Senders {
    let mut known: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
    for (name, provider) in &settings.providers {
        known.entry(name.clone()).or_default().insert(provider.from.address.to_lowercase());
    }
    for (name, mark) in dog.marks().filter(|(_, mark)| mark.part == Part::From) {
        known.entry(name.clone()).or_default().insert(mark.value);
    }
    let of: BTreeMap<u32, Name> = dog.routes().map(|(key, route)| (key, route.provider.clone())).collect();
    Arc::new(move |canary, from| {
        let provider = u32::try_from(canary.bits() >> 32).ok().and_then(|route| of.get(&route));
        let is_its = |address: &String| match provider {
            Some(provider) => known.get(provider).is_some_and(|all| all.contains(address)),
            // A probe's, or one of a route that is no more.
            None => known.values().any(|all| all.contains(address)),
        };
        !from.is_empty() && from.iter().all(is_its)
    })
}

/// One reader for each inbox, none of which reads yet.
fn readers(settings: &Settings, secrets: &Secrets, shared: &Shared, dog: &Watchdog) -> Result<Vec<Watch>, StartError> {
    let (looks, senders, wanted) = (looks(settings, dog), senders(settings, dog), examine::wanted(&shared.now));
    let mut built = Vec::new();
    for (name, inbox) in &settings.inboxes {
        let dialer = Dialer::new(&inbox.wire).map_err(|e| StartError::Wire(name.clone(), e))?;
        built.push(Watch {
            name: name.clone(),
            inbox: inbox.clone(),
            credentials: credentials(name, inbox, secrets, &dialer)?,
            doors: shared.doors.clone(),
            key: shared.key.clone(),
            looks: Arc::clone(&looks),
            senders: Arc::clone(&senders),
            wanted: wanted.clone(),
            dialer,
            now: Arc::clone(&shared.now),
            cursor: dog.cursor(name).map(str::to_owned),
        });
    }
    Ok(built)
}

/// What an inbox is logged in to with.
pub(super) fn credentials(name: &Name, inbox: &Inbox, secrets: &Secrets, dialer: &Dialer) -> Result<Credentials, StartError> {
    let lookup = |at: &SecretRef| secrets.get(at).cloned();
    Credentials::new(inbox, &lookup, dialer).map_err(|e| StartError::Inbox(name.clone(), e))
}

/// Lets the readers read; what they are told by comes back.
fn reading(readers: Vec<Watch>, shared: &Shared, jobs: &Jobs, workers: &mut JoinSet<()>) -> BTreeMap<Name, watch::Sender<Hint>> {
    let mut hints = BTreeMap::new();
    for watch in readers {
        let name = watch.name.clone();
        let (hint_in, hint) = watch::channel(Hint::default());
        let (reports_in, reports) = mpsc::channel(64);
        workers.spawn(watch.watch(reports_in, hint));
        workers.spawn(translate(name.clone(), reports, shared.clone(), jobs.clone()));
        hints.insert(name, hint_in);
    }
    hints
}

/// What a reader reports, in the watchdog's words.
async fn translate(inbox: Name, mut reports: mpsc::Receiver<Report>, shared: Shared, jobs: Jobs) {
    while let Some(report) = reports.recv().await {
        let inbox = inbox.clone();
        let event = match report {
            Report::Sighted { canary, placement, arrived_at, seen_at, copy, header, .. } => {
                shared.headers.hold(canary, header);
                Event::Sighted { inbox, canary, placement, arrived_at, seen_at: Some(seen_at), copy: Some(copy) }
            }
            Report::Mismatched { canary, why } => {
                tracing::warn!(%canary, %inbox, why, "a mail came in a canary's stead to inbox {inbox} that is not as expected: {}", on_a_line(&why));
                Event::Mismatched { inbox, canary, why }
            }
            Report::Mail { canary, issued_at, message, cut } => {
                jobs.offer(Job { inbox, canary, issued_at, message, cut });
                continue;
            }
            Report::Stranger { placement, arrived_at, copy, message, cut } => {
                let Some(event) = jobs.weigh(inbox, (&message, cut), placement, arrived_at, copy) else { continue };
                event
            }
            Report::Forged => Event::Forged { inbox },
            Report::Blind { class, why } => Event::Blind { inbox, class: Some(class), why: Some(why) },
            Report::Sight => Event::Sight { inbox },
            Report::Read { up_to, cursor } => Event::Read { inbox, up_to: Some(up_to), cursor: Some(cursor) },
            Report::Receipt(receipt) => {
                // The loop takes in what is told this way only when no event waits, and so after all that was sent before.
                if let Some(done) = receipt.take()
                    && shared.told.send(Told { events: Vec::new(), done }).await.is_err()
                {
                    return;
                }
                continue;
            }
        };
        if shared.events.send(event).await.is_err() {
            return;
        }
    }
}

/// Who speaks to sinks.
fn origin(settings: &Settings, dog: &Watchdog) -> Origin {
    Origin {
        instance: settings.watch.instance.clone(),
        installation: format!("{:016x}", dog.seed()),
        public_url: settings.http.as_ref().and_then(|h| h.public_url.clone()),
        own_url: settings.http.as_ref().and_then(Http::url),
        runbooks: settings.runbooks(),
    }
}

/// Every sink, none of which is told anything yet.
fn sinks(settings: &Settings, secrets: &Secrets, dog: &Watchdog) -> Result<Vec<Sink>, StartError> {
    let origin = origin(settings, dog);
    let mut built = Vec::new();
    for (name, sink) in &settings.sinks {
        let lookup = |at: &SecretRef| secrets.get(at).cloned();
        built.push(Sink::new(name, sink, &lookup, &origin, Some(&settings.ledger.path))?);
    }
    Ok(built)
}

/// Lets a worker for each sink begin; the ways to them come back. `seen` is what each has heard of incidents.
fn notifying(
    settings: &Settings,
    sinks: Vec<Sink>,
    shared: &Shared,
    (until, seen): (At, impl Fn(&Name) -> Vec<IncidentView>),
    tellers: &mut JoinSet<()>,
) -> BTreeMap<Name, SinkHand> {
    let mut hands = BTreeMap::new();
    for sink in sinks {
        let name = sink.name().clone();
        let severities = settings.sinks.get(&name).map_or_else(Vec::new, |s| s.takes.severities.clone());
        let (worker, notices) = mpsc::channel(NOTICES);
        tellers.spawn(notify::work(sink, notices, shared.ended.clone(), (until, Arc::clone(&shared.now)), seen(&name), Pace::default()));
        hands.insert(name, SinkHand { severities, worker, waiting: VecDeque::new() });
    }
    hands
}
