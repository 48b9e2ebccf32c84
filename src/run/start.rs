//! A start: everything that can be wrong is found before anything begins.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::adapters::{Adapters, AtWork, Past, Shared};
use super::book::{Book, chain};
use super::clock::Clock;
use super::desk::{Asked, Desk, listen};
use super::front;
use super::hands::Hands;
use super::headers::Headers;
use super::hooks::posted;
use super::manager::Manager;
use super::past;
use super::reload::{Reloading, Source};
use super::standing::Standing;
use super::turn::{Loop, Moments};
use crate::canary::Key;
use crate::config::{Secrets, Settings};
use crate::edge::beat::BeatError;
use crate::edge::dial::DialError;
use crate::edge::inbox::Doors;
use crate::edge::notify::SinkError;
use crate::edge::show::Wish;
use crate::edge::submit::SetUpError;
use crate::ledger::{KEY_FILE, KeyError, Ledger, LedgerError, Recovered, Slate};
use crate::model::{At, Loaded, Name, NoticeId, on_a_line};
use crate::watchdog::{Event, Reads, Watchdog};

/// Events on their way to the loop. A full channel holds the readers back: nothing is lost, what they saw is told later.
const EVENTS: usize = 1024;
/// Ends of notices on their way to the loop.
const ENDED: usize = 64;
/// Posts of providers on their way to the loop; what does not fit is told again.
const TOLD: usize = 16;

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
    /// What an inbox is logged in to with.
    #[error("inbox `{0}`")]
    Inbox(Name, #[source] SetUpError),
    /// The HTTP port.
    #[error("listening on `{0}`: {hint} `[http] listen`", hint = barred(*.0, .1))]
    Http(SocketAddr, #[source] std::io::Error),
    /// The port of the page for everybody.
    #[error("listening on `{0}` for everybody: {hint} `[public] listen`", hint = barred(*.0, .1))]
    Public(SocketAddr, #[source] std::io::Error),
    /// No randomness for the installation's seed.
    #[error("the operating system gives no random numbers: {0}")]
    Random(String),
}

/// Why a port may not be had, and what to do.
fn barred(address: SocketAddr, error: &std::io::Error) -> &'static str {
    let kind = error.kind();
    if kind == ErrorKind::PermissionDenied && address.port() < 1024 {
        "ports below 1024 are root's: let systemd listen there and hand it over (`mailcanary.socket`, docs/operating.md), put a proxy before it, or change"
    } else if kind == ErrorKind::AddrNotAvailable {
        "this host does not have that address: change"
    } else {
        "is another mailcanary running, or another service on this port? Change"
    }
}

/// A daemon that is ready to run.
#[derive(Debug)]
pub struct Daemon {
    turn: Loop,
    /// Who lets people in, and looks at the configuration file: as long as the process lives.
    doors: JoinSet<()>,
    address: Option<SocketAddr>,
}

impl Daemon {
    /// Opens the ledger, replays it, builds every adapter, listens; and only when nothing of that can fail any more logs in anywhere.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`StartError`], the first that is met.
    pub async fn start(settings: Settings, secrets: &Secrets) -> Result<Self, StartError> {
        let (settings, clock) = (Arc::new(settings), Clock::new());
        let (ledger, recovered) = Ledger::open(&settings.ledger.path, clock.now())?;
        let (key, standing) = (own_key(&settings, &recovered)?, standing(&settings)?);
        let mut dog = replay(&settings, &ledger, &recovered)?;
        let mut book = Book::new(ledger, settings.ledger.clone());
        // What the first facts of this life tell goes out with them, once they are durable.
        let unsent: Vec<NoticeId> = dog.outbox().iter().map(|p| p.notice.notice).collect();
        let until = begin(&mut dog, &mut book, &clock)?;
        let ((events_in, events), (told_in, told), (ended_in, ended)) = (mpsc::channel(EVENTS), mpsc::channel(TOLD), mpsc::channel(ENDED));
        let (desk, Asked { asks, orders, wishes, questions }) = Desk::new(clock.hand_out())?;
        let (orders_in, headers) = (desk.orders(), Headers::default());
        let (listener, handed) = listen(&settings).await?;
        let shared = Shared {
            key,
            doors: Doors::with(handed),
            now: clock.hand_out(),
            events: events_in,
            told: told_in,
            ended: ended_in,
            orders: orders_in,
            headers: headers.clone(),
        };
        let adapters = Adapters::build(&settings, secrets, &shared, &dog)?;
        let public = front::listen(&settings).await?;
        // From here on nothing fails, and what was built begins.
        let AtWork { submitters, sinks, hints, hooks, replies, lookups, pulse, staff } =
            adapters.begin(&settings, &shared, &dog, &Past { standing: &standing, pulses: BTreeMap::new(), until });
        let mut doors = past::beside(&settings.ledger.path, questions, clock.hand_out());
        desk.front.answer(&settings, public, &mut doors);
        let address = desk.answer(&settings, secrets, posted(&hooks, &replies), listener, &mut doors);
        let mut hands = Hands {
            settings,
            key: shared.key.clone(),
            submitters,
            sinks,
            hints,
            hooks,
            replies,
            lookups,
            events: shared.events.clone(),
            standing,
            submissions: JoinSet::new(),
            questions: JoinSet::new(),
        };
        hands.resume(&dog, unsent, clock.now());
        let loaded = Loaded { at: Some(clock.now()), ..Loaded::default() };
        Ok(Self {
            turn: Loop {
                dog,
                book,
                clock,
                headers,
                hands,
                pulse,
                events,
                moments: Moments::default(),
                told,
                written: Vec::new(),
                orders,
                ordered: Vec::new(),
                ended,
                ends: Vec::new(),
                asks,
                wishes,
                reloading: Reloading { source: None, shared, desk, staff, loaded },
                manager: Manager::find(),
            },
            doors,
            address,
        })
    }

    /// The same, whose settings came out of a file: they can be read again ([`Wish`]), and are when the file changes.
    #[must_use]
    pub fn reloading_from(mut self, source: Source) -> Self {
        self.doors.spawn(source.clone().watch(self.wishes()));
        self.turn.reloading.source = Some(source);
        self
    }

    /// The way to ask for a reload.
    #[must_use]
    pub fn wishes(&self) -> mpsc::Sender<Wish> {
        self.turn.reloading.desk.wishes()
    }

    /// Where HTTP listens.
    #[must_use]
    pub const fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Runs until `stop` is ready; then finishes what is being handed over, within seconds.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Self { turn, mut doors, .. } = self;
        turn.turn_until(stop).await;
        doors.shutdown().await;
    }
}

/// The watchdog as the last life left it.
fn replay(settings: &Settings, ledger: &Ledger, recovered: &Recovered) -> Result<Watchdog, StartError> {
    if let Some(warning) = &recovered.warning {
        tracing::warn!(warning, "the ledger was recovered: {}", on_a_line(warning));
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

/// What was told without a record, and is not over.
fn standing(settings: &Settings) -> Result<Standing, StartError> {
    let (slate, told) = Slate::open(&settings.ledger.path)?;
    Ok(Standing::new(slate, &told))
}

/// The key of this installation's canaries, made at the first start. Beside a ledger that was used it was there, and is lost.
fn own_key(settings: &Settings, recovered: &Recovered) -> Result<Key, StartError> {
    let used = recovered.checkpoint.is_some() || !recovered.tail.is_empty();
    let (key, made) = Key::load_or_create(&settings.ledger.path)?;
    let path = settings.ledger.path.join(KEY_FILE);
    if made && used {
        tracing::warn!(
            path = %path.display(),
            "the key of this installation's canaries was gone, and a new one was made: canaries that were in flight count as forged. \
             If there is a backup of it, stop mailcanary and put it back"
        );
    } else if made {
        tracing::info!(path = %path.display(), "made the key of this installation's canaries");
    }
    Ok(key)
}

/// The first facts of this life: the installation's beginning, or what the last life left open. They are written with the first turn. When that was.
fn begin(dog: &mut Watchdog, book: &mut Book, clock: &Clock) -> Result<At, StartError> {
    let began = clock.now();
    let mut events: Vec<Event> = dog.unanswered().into_iter().map(|canary| Event::Orphaned { canary }).collect();
    if !dog.has_begun() {
        let seed = getrandom::u64().map_err(|e| StartError::Random(e.to_string()))?;
        events.push(Event::Started { seed, reads: Reads::Explicit });
    }
    events.extend(dog.fresh_start());
    for event in events {
        match dog.step(clock.now(), event) {
            Ok(step) => book.add(step.records, step.effects),
            Err(unfit) => tracing::warn!(%unfit, "an event of the start was not taken in"),
        }
    }
    Ok(began)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_cannot_be_had_says_what_to_do() {
        let said = |port: u16, kind: ErrorKind| StartError::Http(SocketAddr::from(([127, 0, 0, 1], port)), kind.into()).to_string();
        assert!(said(80, ErrorKind::PermissionDenied).contains("`mailcanary.socket`"), "{}", said(80, ErrorKind::PermissionDenied));
        assert!(said(9825, ErrorKind::AddrInUse).contains("another mailcanary running"));
        assert!(said(9825, ErrorKind::AddrNotAvailable).contains("does not have that address"));
    }
}
