//! One port, and the inboxes behind it.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener as Handed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::{Of, Taken, failure, session, tls};
use crate::config::MxSettings;
use crate::model::Class;

/// Connections at once. More wait in the system's queue.
const CONNECTIONS: usize = 64;
/// Connections at once from one address: a provider's outgoing server has a few.
const FROM_ONE: u32 = 16;
/// Between two tries to take the port.
const RETRY: Duration = Duration::from_millis(500);
/// So many tries are not worth a word: after a reload the one before may not have let go yet.
const QUIET_TRIES: u32 = 6;
/// After a connection that could not be taken: the process has too many files open.
const BREATH: Duration = Duration::from_millis(100);

/// Messages that are known when they come again.
const REFUSED: usize = 256;

/// All ports of one process, and those that the service manager has handed over. Cheap to clone.
#[derive(Clone, Default)]
pub struct Doors {
    handed: Arc<Vec<(SocketAddr, Handed)>>,
    open: Arc<Mutex<BTreeMap<SocketAddr, Weak<Door>>>>,
}

impl fmt::Debug for Doors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doors").field("handed", &self.handed).finish_non_exhaustive()
    }
}

impl Doors {
    /// With ports that the service manager listens at already.
    #[must_use]
    pub fn with(handed: Vec<Handed>) -> Self {
        let addressed = handed.into_iter().filter_map(|listener| Some((listener.local_addr().ok()?, listener)));
        Self { handed: Arc::new(addressed.collect()), open: Arc::default() }
    }

    /// The one at the address that `settings` say. Inboxes that share it share the host's name and certificate of the first.
    pub(super) fn at(&self, settings: &MxSettings) -> Arc<Door> {
        let mut open = lock(&self.open);
        if let Some(door) = open.get(&settings.listen).and_then(Weak::upgrade) {
            return door;
        }
        // A socket unit may say `[::]:25` for both families.
        let same =
            |(at, _): &&(SocketAddr, Handed)| *at == settings.listen || (at.ip().is_unspecified() && at.port() == settings.listen.port());
        let handed = self.handed.iter().find(same).and_then(|(_, listener)| listener.try_clone().ok());
        let door = Arc::new(Door {
            settings: settings.clone(),
            handed,
            seats: Mutex::default(),
            guests: Mutex::default(),
            serving: tokio::sync::Mutex::default(),
            state: watch::Sender::new(State::Closed),
            refused: Mutex::default(),
        });
        open.insert(settings.listen, Arc::downgrade(&door));
        door
    }
}

/// How a door stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not tried yet.
    Closed,
    /// Mail is taken.
    Open,
    /// It cannot be opened.
    Failed(Class, String),
}

/// Where a recipient's mail goes.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The way to the inbox.
    pub(super) to: mpsc::Sender<Taken>,
    /// Whose address it is.
    pub(super) of: Of,
}

/// An inbox behind the door.
#[derive(Debug)]
struct Seat {
    of: Of,
    plus: bool,
    to: mpsc::Sender<Taken>,
}

/// One port.
#[derive(Debug)]
pub(super) struct Door {
    settings: MxSettings,
    handed: Option<Handed>,
    /// By address, in lower case.
    seats: Mutex<BTreeMap<String, Seat>>,
    /// Connections by where they come from.
    guests: Mutex<BTreeMap<IpAddr, u32>>,
    /// Whoever holds it serves for all.
    serving: tokio::sync::Mutex<()>,
    state: watch::Sender<State>,
    /// Messages that were not answered for, by what they consist of, and their numbers.
    refused: Mutex<VecDeque<([u8; 32], String)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is one step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A seat that is taken; it is free again with the end of this value.
#[derive(Debug)]
pub(super) struct Taking<'a> {
    door: &'a Door,
    address: String,
}

impl Drop for Taking<'_> {
    fn drop(&mut self) {
        lock(&self.door.seats).remove(&self.address);
    }
}

/// A connection that is counted; it is counted out with the end of this value.
#[derive(Debug)]
struct Counted<'a>(&'a Door, IpAddr);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let mut guests = lock(&self.0.guests);
        if let Some(count) = guests.get_mut(&self.1) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                guests.remove(&self.1);
            }
        }
    }
}

impl Door {
    /// What the server calls itself.
    pub(super) fn host(&self) -> &str {
        &self.settings.host
    }

    /// How it stands, and how that changes.
    pub(super) fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Mail to `address` goes to `to` from now on.
    pub(super) fn seat(&self, address: &str, of: Of, plus: bool, to: mpsc::Sender<Taken>) -> Taking<'_> {
        let address = address.to_ascii_lowercase();
        lock(&self.seats).insert(address.clone(), Seat { of, plus, to });
        Taking { door: self, address }
    }

    /// The inbox of a recipient, if there is one: its address, and the way to it.
    ///
    /// What is for `postmaster`, alone or at a domain of ours, has to be taken (RFC 5321, 4.5.1): the first inbox there hears of it.
    pub(super) fn way_to(&self, recipient: &str) -> Option<(String, Way)> {
        let address = recipient.to_ascii_lowercase();
        let seats = lock(&self.seats);
        let way = |seat: &Seat, of| Way { to: seat.to.clone(), of };
        if let Some(seat) = seats.get(&address) {
            return Some((address, way(seat, seat.of)));
        }
        let (local, domain) = address.rsplit_once('@').unwrap_or((&address, ""));
        if local == "postmaster" {
            let anywhere = domain.is_empty() || domain.eq_ignore_ascii_case(self.host());
            let at = |seat: &str| anywhere || seat.rsplit_once('@').is_some_and(|(_, of)| of == domain);
            let seat = seats.iter().find(|(seat, _)| at(seat)).map(|(_, seat)| seat)?;
            return Some((address, way(seat, Of::Postmaster)));
        }
        let plain = format!("{}@{domain}", local.split_once('+')?.0);
        let seat = seats.get(&plain).filter(|seat| seat.plus)?;
        Some((plain, way(seat, seat.of)))
    }

    /// The number of a message that came before and was not answered for.
    pub(super) fn refused(&self, print: &[u8; 32]) -> Option<String> {
        lock(&self.refused).iter().find(|(known, _)| known == print).map(|(_, id)| id.clone())
    }

    /// A message cannot be answered for now.
    pub(super) fn refuse(&self, print: [u8; 32], id: &str) {
        let mut refused = lock(&self.refused);
        refused.retain(|(known, _)| *known != print);
        refused.push_back((print, id.to_owned()));
        if refused.len() > REFUSED {
            refused.pop_front();
        }
    }

    /// Takes the port and serves, as long as this future lives; waits while another inbox's does so.
    pub(super) async fn serve(&self) {
        let _turn = self.serving.lock().await;
        let mut failures: u32 = 0;
        loop {
            let why = match tls::acceptor(&self.settings) {
                Ok(acceptor) => match self.listener().await {
                    Ok(listener) => return self.let_in(&listener, &acceptor).await,
                    Err(error) => failure(&self.settings, &error),
                },
                Err(why) => (Class::Tls, why),
            };
            failures = failures.saturating_add(1);
            if failures >= QUIET_TRIES {
                self.state.send_if_modified(|state| {
                    let failed = State::Failed(why.0, why.1);
                    std::mem::replace(state, failed.clone()) != failed
                });
            }
            sleep_until(Instant::now() + RETRY).await;
        }
    }

    async fn listener(&self) -> io::Result<TcpListener> {
        let Some(handed) = &self.handed else { return TcpListener::bind(self.settings.listen).await };
        let handed = handed.try_clone()?;
        handed.set_nonblocking(true)?;
        TcpListener::from_std(handed)
    }

    async fn let_in(&self, listener: &TcpListener, acceptor: &tokio_rustls::TlsAcceptor) {
        // Where another inbox served until now, nothing changes.
        if self.state.send_replace(State::Open) != State::Open {
            tracing::info!(listen = %self.settings.listen, host = self.host(), "mail is taken");
        }
        let mut talks = FuturesUnordered::new();
        loop {
            tokio::select! {
                came = listener.accept(), if talks.len() < CONNECTIONS => match came {
                    Ok((stream, from)) => talks.push(async move {
                        let ip = from.ip().to_canonical();
                        let welcome = self.count_in(ip);
                        session::hold(stream, ip, self, acceptor, welcome.is_some()).await;
                    }),
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        sleep_until(Instant::now() + BREATH).await;
                    }
                },
                Some(()) = talks.next(), if !talks.is_empty() => {}
            }
        }
    }

    fn count_in(&self, ip: IpAddr) -> Option<Counted<'_>> {
        let mut guests = lock(&self.guests);
        let count = guests.entry(ip).or_insert(0);
        if *count >= FROM_ONE {
            return None;
        }
        *count = count.saturating_add(1);
        Some(Counted(self, ip))
    }
}
