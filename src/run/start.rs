//! A start: everything that can be wrong is found before anything begins.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::book::{Book, chain};
use super::clock::Clock;
use super::control;
use super::hands::{Hands, SinkHand};
use super::headers::Headers;
use super::hooks::{hooks, posted, replies};
use super::pulse::{self, Pulse};
use super::standing::Standing;
use super::turn::Loop;
use crate::canary::{Expected, Key};
use crate::config::{InboxKind, Provider, ProviderKind, SecretRef, Secrets, Settings};
use crate::edge::beat::BeatError;
use crate::edge::dial::{DialError, Dialer};
use crate::edge::inbox::{Hint, Looks, Report, Watch};
use crate::edge::notify::{self, Ended, Origin, Pace, Sink, SinkError};
use crate::edge::show;
use crate::edge::submit::{SetUpError, Submitter};
use crate::ledger::{KeyError, Ledger, LedgerError, Recovered, Slate};
use crate::model::{Name, NoticeId, Now};
use crate::watchdog::{Event, IncidentView, Reads, Watchdog};

/// Events on their way to the loop. A full channel holds the readers back: nothing is lost, what they saw is told later.
const EVENTS: usize = 1024;
/// Notices on their way to one sink's worker; what does not fit waits in the outbox.
const NOTICES: usize = 64;
/// Posts of providers on their way to the loop; what does not fit is told again.
const TOLD: usize = 16;
/// What people want, on its way to the loop.
const ORDERS: usize = 16;

/// Why the daemon does not start. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The ledger's state is of a shape that this version does not read, and its records are not complete.
    #[error("the ledger's state cannot be read by this version of mailcanary")]
    State(#[source] serde_json::Error),
    /// The key of the canaries.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A proxy, a bind address or a private authority.
    #[error("`{0}`")]
    Wire(Name, #[source] DialError),
    /// A provider.
    #[error("provider `{0}`")]
    Provider(Name, #[source] SetUpError),
    /// A sink.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A heartbeat.
    #[error(transparent)]
    Heartbeat(#[from] BeatError),
    /// A secret that the settings name and that was not resolved.
    #[error("`{0}`: its password was not resolved")]
    Secret(Name),
    /// The HTTP port.
    #[error("listening on `{0}`: is another mailcanary running, or another service on this port? Change `[http] listen`")]
    Http(SocketAddr, #[source] std::io::Error),
    /// No randomness for the installation's seed.
    #[error("the operating system gives no random numbers: {0}")]
    Random(String),
}

/// A daemon that is ready to run.
#[derive(Debug)]
pub struct Daemon {
    turn: Loop,
    workers: JoinSet<()>,
    address: Option<SocketAddr>,
}

impl Daemon {
    /// Opens the ledger, replays it, builds every adapter, listens; and only when nothing of that can fail any more logs in anywhere.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`StartError`], the first that is met.
    pub async fn start(settings: Settings, secrets: &Secrets) -> Result<Self, StartError> {
        let settings = Arc::new(settings);
        let clock = Clock::new();
        let (ledger, recovered) = Ledger::open(&settings.ledger.path, clock.now())?;
        let key = own_key(&settings)?;
        let (slate, told) = Slate::open(&settings.ledger.path)?;
        let standing = Standing::new(slate, &told);
        let mut dog = replay(&settings, &ledger, &recovered)?;
        let mut book = Book::new(ledger, settings.ledger.clone());
        // What the first facts of this life tell goes out with them, once they are durable.
        let unsent: Vec<NoticeId> = dog.outbox().iter().map(|p| p.notice.notice).collect();
        begin(&mut dog, &mut book, &clock)?;
        let (events_in, events) = mpsc::channel(EVENTS);
        let now = clock.hand_out();
        let submitters = submitters(&settings, secrets)?;
        let readers = readers(&settings, secrets, &key, &now, &dog)?;
        let sinks = sinks(&settings, secrets, &dog)?;
        let heartbeats = pulse::heartbeats(&settings, secrets)?;
        let (told_in, told) = mpsc::channel(TOLD);
        let hooks = hooks(&settings, secrets, &key, &now, &dog, told_in)?;
        let (orders_in, orders) = mpsc::channel(ORDERS);
        let replies = replies(&settings, secrets, origin(&settings, &dog), orders_in.clone(), &now)?;
        let listener = listen(&settings).await?;
        // From here on nothing fails, and what was built begins.
        let mut workers = JoinSet::new();
        let (ask, asks) = mpsc::channel(64);
        let speaking = |guard: show::Guard| show::router(ask.clone()).merge(show::words(orders_in.clone(), guard, Arc::clone(&now)));
        let door = posted(&hooks, &replies, &mut workers);
        let address = answer(&settings, secrets, listener, speaking, door, &mut workers);
        let known = dog.view(now()).incidents;
        let heard = |sink: &Name| known.iter().filter(|i| dog.has_told(sink, i.incident)).chain(standing.views()).cloned().collect();
        let (sinks, ended) = notifying(&settings, sinks, &now, heard, &mut workers);
        let pulse = Pulse::begin(heartbeats, &now, &mut workers);
        let (hints, headers) = reading(readers, &events_in, &mut workers);
        let submitters = tended(submitters, &mut workers);
        let mut hands = Hands {
            settings,
            key,
            submitters,
            sinks,
            hints,
            hooks,
            replies,
            events: events_in,
            standing,
            submissions: JoinSet::new(),
            questions: JoinSet::new(),
        };
        hands.resume(&dog, unsent, clock.now());
        Ok(Self {
            turn: Loop {
                dog,
                book,
                clock,
                headers,
                hands,
                pulse,
                events,
                told,
                written: Vec::new(),
                orders,
                ordered: Vec::new(),
                ended,
                ends: Vec::new(),
                asks,
            },
            workers,
            address,
        })
    }

    /// Where HTTP listens.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Runs until `stop` is ready; then finishes what is being handed over, within seconds.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { turn, mut workers, .. } = self;
        turn.turn_until(stop).await;
        workers.shutdown().await;
    }
}

/// The watchdog as the last life left it.
fn replay(settings: &Settings, ledger: &Ledger, recovered: &Recovered) -> Result<Watchdog, StartError> {
    if let Some(warning) = &recovered.warning {
        tracing::warn!(warning, "the ledger was recovered");
    }
    let checkpoint = recovered.checkpoint.as_ref().map(|(_, state)| state.as_str());
    Watchdog::replay(settings, checkpoint, &recovered.tail).or_else(|error| {
        // A checkpoint of another version: the records say the same at greater length, if all are still there.
        tracing::warn!(%error, "the checkpoint is of another version; reading every record");
        let records = ledger.records_after(0).map_err(|gone| {
            tracing::error!(error = %chain(&gone), "the records are not complete");
            StartError::State(error)
        })?;
        Watchdog::replay(settings, None, &records).map_err(StartError::State)
    })
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

/// One reader for each inbox, none of which reads yet.
fn readers(settings: &Settings, secrets: &Secrets, key: &Key, now: &Now, dog: &Watchdog) -> Result<Vec<Watch>, StartError> {
    let looks = looks(settings, dog);
    let mut built = Vec::new();
    for (name, inbox) in &settings.inboxes {
        let InboxKind::Imap(imap) = &inbox.kind;
        built.push(Watch {
            name: name.clone(),
            inbox: inbox.clone(),
            password: secrets.get(&imap.password).cloned().ok_or_else(|| StartError::Secret(name.clone()))?,
            key: key.clone(),
            looks: Arc::clone(&looks),
            dialer: Dialer::new(&inbox.wire).map_err(|e| StartError::Wire(name.clone(), e))?,
            now: Arc::clone(now),
            cursor: dog.cursor(name).map(str::to_owned),
        });
    }
    Ok(built)
}

/// Lets the readers read; what they are told by comes back.
fn reading(readers: Vec<Watch>, events: &mpsc::Sender<Event>, workers: &mut JoinSet<()>) -> (BTreeMap<Name, watch::Sender<Hint>>, Headers) {
    let (mut hints, headers) = (BTreeMap::new(), Headers::default());
    for watch in readers {
        let name = watch.name.clone();
        let (hint_in, hint) = watch::channel(Hint::default());
        let (reports_in, reports) = mpsc::channel(64);
        workers.spawn(watch.watch(reports_in, hint));
        workers.spawn(translate(name.clone(), reports, events.clone(), headers.clone()));
        hints.insert(name, hint_in);
    }
    (hints, headers)
}

/// What a reader reports, in the watchdog's words.
async fn translate(inbox: Name, mut reports: mpsc::Receiver<Report>, events: mpsc::Sender<Event>, headers: Headers) {
    while let Some(report) = reports.recv().await {
        let inbox = inbox.clone();
        let event = match report {
            Report::Sighted { canary, placement, arrived_at, seen_at, copy, header, .. } => {
                headers.hold(canary, header);
                Event::Sighted { inbox, canary, placement, arrived_at, seen_at: Some(seen_at), copy: Some(copy) }
            }
            Report::Mismatched { canary, why } => {
                tracing::warn!(%canary, %inbox, why, "a mail came in a canary's stead that is not as expected");
                Event::Mismatched { inbox, canary, why }
            }
            Report::Forged => Event::Forged { inbox },
            Report::Blind { class, why } => Event::Blind { inbox, class: Some(class), why: Some(why) },
            Report::Sight => Event::Sight { inbox },
            Report::Read { up_to, cursor } => Event::Read { inbox, up_to: Some(up_to), cursor: Some(cursor) },
        };
        if events.send(event).await.is_err() {
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

/// Lets a worker for each sink begin; the ways to them come back, and how notices end. `seen` is what each has heard of incidents.
fn notifying(
    settings: &Settings,
    sinks: Vec<Sink>,
    now: &Now,
    seen: impl Fn(&Name) -> Vec<IncidentView>,
    workers: &mut JoinSet<()>,
) -> (BTreeMap<Name, SinkHand>, mpsc::Receiver<Ended>) {
    let (ended_in, ended) = mpsc::channel(NOTICES);
    let mut hands = BTreeMap::new();
    for sink in sinks {
        let name = sink.name().clone();
        let severities = settings.sinks.get(&name).map_or_else(Vec::new, |s| s.takes.severities.clone());
        let (worker, notices) = mpsc::channel(NOTICES);
        workers.spawn(notify::work(sink, notices, ended_in.clone(), Arc::clone(now), seen(&name), Pace::default()));
        hands.insert(name, SinkHand { severities, worker, waiting: VecDeque::new() });
    }
    (hands, ended)
}

/// The key of this installation's canaries, made at the first start.
fn own_key(settings: &Settings) -> Result<Key, StartError> {
    let (key, made) = Key::load_or_create(&settings.ledger.path)?;
    if made {
        tracing::info!(path = %settings.ledger.path.display(), "made the key of this installation's canaries");
    }
    Ok(key)
}

/// People are answered from now on: on this host through the control socket, and over HTTP, if that is wanted.
fn answer(
    settings: &Settings,
    secrets: &Secrets,
    listener: Option<(TcpListener, SocketAddr)>,
    speaking: impl Fn(show::Guard) -> axum::Router,
    posted: axum::Router,
    workers: &mut JoinSet<()>,
) -> Option<SocketAddr> {
    if let Some(door) = control::listen(&settings.ledger.path) {
        workers.spawn(show::serve(door, speaking(show::Guard::Everyone), std::future::pending()));
    }
    let token = settings.http.as_ref().and_then(|http| secrets.get(http.token.as_ref()?).cloned());
    let (listener, address) = listener?;
    workers.spawn(show::serve(listener, speaking(show::Guard::Token(token)).merge(posted), std::future::pending()));
    tracing::info!(%address, "listening");
    Some(address)
}

/// Takes the HTTP port, if one is wanted.
async fn listen(settings: &Settings) -> Result<Option<(TcpListener, SocketAddr)>, StartError> {
    let Some(http) = &settings.http else { return Ok(None) };
    let listener = TcpListener::bind(http.listen).await.map_err(|e| StartError::Http(http.listen, e))?;
    let address = listener.local_addr().map_err(|e| StartError::Http(http.listen, e))?;
    Ok(Some((listener, address)))
}

/// The first facts of this life: the installation's beginning, or what the last life left open. They are written with the first turn.
fn begin(dog: &mut Watchdog, book: &mut Book, clock: &Clock) -> Result<(), StartError> {
    let mut events: Vec<Event> = dog.unanswered().into_iter().map(|canary| Event::Orphaned { canary }).collect();
    if !dog.has_begun() {
        let seed = getrandom::u64().map_err(|e| StartError::Random(e.to_string()))?;
        events.push(Event::Started { seed, reads: Reads::Explicit });
    }
    for event in events {
        match dog.step(clock.now(), event) {
            Ok(step) => book.add(step.records, step.effects),
            Err(unfit) => tracing::warn!(%unfit, "an event of the start was not taken in"),
        }
    }
    Ok(())
}
