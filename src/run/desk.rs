//! Where people are let in: the control socket and the HTTP port. Both outlive a configuration; what answers there is exchanged with it.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::control;
use super::front::Front;
use super::start::StartError;
use crate::config::{Secrets, Settings, WebConfigError, in_one};
use crate::edge::post::Order;
use crate::edge::show::{self, Archive, Ask, Counter, Gate, Hub, Question, Secured, Tickets, Web, Wish};
use crate::model::Now;
use crate::watchdog::View;

/// Questions on their way to the loop.
const ASKS: usize = 64;
/// What people want, on its way to the loop.
const ORDERS: usize = 16;
/// Wishes for a reload. One that waits serves all who come meanwhile.
const WISHES: usize = 4;

/// The ways of people to the loop.
#[derive(Debug)]
pub(super) struct Desk {
    ask: Ask,
    orders: mpsc::Sender<Order>,
    wishes: mpsc::Sender<Wish>,
    archive: Archive,
    pub(super) front: Front,
    now: Present,
    router: watch::Sender<axum::Router>,
    web: watch::Sender<Option<Web>>,
    hub: Hub,
    tickets: Tickets,
    /// Where HTTP listens, once it does.
    address: OnceLock<SocketAddr>,
}

/// The present, which has no text.
struct Present(Now);

impl std::fmt::Debug for Present {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the present")
    }
}

/// The loop's ends of them.
pub(super) struct Asked {
    pub(super) asks: mpsc::Receiver<oneshot::Sender<View>>,
    pub(super) orders: mpsc::Receiver<Order>,
    pub(super) wishes: mpsc::Receiver<Wish>,
    pub(super) questions: mpsc::Receiver<Question>,
}

impl Desk {
    pub(super) fn new(now: Now) -> Result<(Self, Asked), StartError> {
        let ((ask, asks), (orders_in, orders), (wishes_in, wishes)) = (mpsc::channel(ASKS), mpsc::channel(ORDERS), mpsc::channel(WISHES));
        let (archive, questions) = Archive::new();
        let (router, _) = watch::channel(axum::Router::new());
        let tickets = Tickets::new().map_err(|error| StartError::Random(error.to_string()))?;
        let (web, hub) = (watch::Sender::new(None), Hub::new(Arc::clone(&now)));
        let (front, address, now) = (Front::new(ask.clone(), archive.clone()), OnceLock::new(), Present(now));
        let desk = Self { ask, orders: orders_in, wishes: wishes_in, archive, front, now, router, web, hub, tickets, address };
        Ok((desk, Asked { asks, orders, wishes, questions }))
    }

    /// The way for what people want.
    pub(super) fn orders(&self) -> mpsc::Sender<Order> {
        self.orders.clone()
    }

    /// The way to ask for a reload.
    pub(super) fn wishes(&self) -> mpsc::Sender<Wish> {
        self.wishes.clone()
    }

    /// People are answered from now on: on this host through the control socket, and over HTTP, if that is wanted.
    pub(super) fn answer(
        &self,
        settings: &Settings,
        secrets: &Secrets,
        posted: axum::Router,
        listener: Option<(TcpListener, SocketAddr)>,
        doors: &mut JoinSet<()>,
    ) -> Option<SocketAddr> {
        doors.spawn(self.hub.clone().watch(self.ask.clone()));
        if let Some(door) = control::listen(&settings.ledger.path) {
            doors.spawn(show::serve(door, self.speaking(Gate::socket()), std::future::pending()));
        }
        let (listener, address) = listener?;
        let _ = self.address.set(address);
        self.exchange(settings, secrets, posted);
        let door = Secured { port: listener, web: self.web.subscribe() };
        doors.spawn(show::serve(door, show::current(self.router.subscribe()), std::future::pending()));
        tracing::info!(%address, "listening at {address}");
        Some(address)
    }

    /// From now on HTTP answers by these settings, on connections that are open as well; `posted` is what others post to.
    pub(super) fn exchange(&self, settings: &Settings, secrets: &Secrets, posted: axum::Router) {
        let (Some(http), Some(address)) = (&settings.http, self.address.get()) else { return };
        let token = http.token.as_ref().and_then(|at| secrets.get(at));
        let unfit = |errors: &Vec<WebConfigError>| {
            tracing::error!(error = in_one(errors), "the web configuration cannot be used any more: nobody is let in")
        };
        let web = http.web_config.clone().map(|path| Web::open(path).inspect_err(unfit)).transpose();
        // It was fit a moment ago, and is not: what was meant to be locked stays locked.
        let Ok(web) = web else { return drop(self.router.send_replace(posted)) };
        drop(self.web.send_replace(web.clone()));
        drop(self.router.send_replace(self.speaking(Gate::of(http, address.ip(), token, web)).merge(posted)));
    }

    fn speaking(&self, gate: Gate) -> axum::Router {
        let (ask, orders, now) = (self.ask.clone(), self.orders.clone(), Arc::clone(&self.now.0));
        let archive = self.archive.clone();
        let counter = Counter { ask: ask.clone(), orders, archive: archive.clone(), gate: gate.clone(), hub: self.hub.clone(), now };
        let say = show::say(counter.clone(), self.tickets.clone());
        let reload = show::reload(self.wishes.clone(), gate.clone());
        gate.before(show::router(ask, archive).merge(show::api(counter)).merge(say).merge(reload))
    }
}

/// The HTTP port with its address, if one is wanted, and the ports that the service manager listens at for mail.
type Listening = (Option<(TcpListener, SocketAddr)>, Vec<std::net::TcpListener>);

/// Takes the HTTP port, if one is wanted: the one that the service manager listens at already, if it does. Which of its ports are for mail, the
/// inboxes say.
pub(super) async fn listen(settings: &Settings) -> Result<Listening, StartError> {
    let mail: Vec<u16> = settings.inboxes.values().filter_map(|inbox| inbox.kind.port()).collect();
    let mut handed = ListenFd::from_env();
    let all: Vec<_> = (0..handed.len()).filter_map(|n| handed.take_tcp_listener(n).ok().flatten()).collect();
    let is_mail = |listener: &std::net::TcpListener| listener.local_addr().is_ok_and(|at| mail.contains(&at.port()));
    let (mail, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_mail);
    let Some(http) = &settings.http else { return Ok((None, mail)) };
    let failed = |e| StartError::Http(http.listen, e);
    let listener = match others.into_iter().next() {
        Some(handed) => {
            handed.set_nonblocking(true).map_err(failed)?;
            TcpListener::from_std(handed).map_err(failed)?
        }
        None => TcpListener::bind(http.listen).await.map_err(failed)?,
    };
    let address = listener.local_addr().map_err(failed)?;
    Ok((Some((listener, address)), mail))
}
