//! Listening: HTTP/1.1, bounded in connections, headers and time.

use std::future::{Future, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Version;
use axum::http::header::HOST;
use axum::response::Response;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;

use super::problem::Problem;
use super::{Web, clear};
use crate::edge::dial::BoxStream;

/// Connections at a time; further ones wait in the kernel's queue. People, Prometheus and a balancer need a handful.
const CONNECTIONS: usize = 64;

/// For a TLS handshake, for a whole request head, and for an idle connection to send its next.
const HEAD: Duration = Duration::from_secs(10);

/// One connection lasts no longer, so that who reads slowly, or never, gives its place back. Prometheus opens a new one. A stream lasts for
/// as long as its [`Lease`] says.
const LIFETIME: Duration = Duration::from_secs(120);

/// To end an answer that is under way.
const GRACE: Duration = Duration::from_secs(5);

/// Bytes of a request head, and lines in it. Beyond: 431.
const HEAD_BYTES: usize = 32 * 1024;
const HEAD_LINES: usize = 64;

/// After a failed accept, which is mostly a lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Where connections come in.
pub trait Door: Send {
    /// Whoever comes.
    type Knock: Knock;

    /// The next one.
    fn open(&self) -> impl Future<Output = std::io::Result<Self::Knock>> + Send;
}

/// A connection that has come, and may have to say more before it is spoken with.
pub trait Knock: Send + 'static {
    /// A connection that is spoken with.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Lets it in.
    fn admit(self) -> impl Future<Output = std::io::Result<Self::Stream>> + Send;
}

impl Door for TcpListener {
    type Knock = TcpStream;

    async fn open(&self) -> std::io::Result<TcpStream> {
        Ok(self.accept().await?.0)
    }
}

impl Door for UnixListener {
    type Knock = UnixStream;

    async fn open(&self) -> std::io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }
}

impl Knock for TcpStream {
    type Stream = Self;

    fn admit(self) -> impl Future<Output = std::io::Result<Self>> + Send {
        ready(Ok(self))
    }
}

impl Knock for UnixStream {
    type Stream = Self;

    fn admit(self) -> impl Future<Output = std::io::Result<Self>> + Send {
        ready(Ok(self))
    }
}

/// A TCP port that speaks TLS whenever the newest web configuration says so.
#[derive(Debug)]
pub struct Secured {
    /// The port.
    pub port: TcpListener,
    /// The newest web configuration, if there is one.
    pub web: watch::Receiver<Option<Web>>,
}

/// A connection to such a port, and how TLS is spoken over it.
#[derive(Debug)]
pub struct Shaking(TcpStream, Option<Arc<ServerConfig>>);

impl Door for Secured {
    type Knock = Shaking;

    async fn open(&self) -> std::io::Result<Shaking> {
        let stream = self.port.accept().await?.0;
        let tls = self.web.borrow().as_ref().and_then(|web| web.current().tls.clone());
        Ok(Shaking(stream, tls))
    }
}

impl Knock for Shaking {
    type Stream = BoxStream;

    async fn admit(self) -> std::io::Result<BoxStream> {
        let Self(stream, tls) = self;
        Ok(match tls {
            Some(_) if clear::speaks_http(&stream).await? => return Err(clear::turn_away(stream).await),
            Some(tls) => Box::new(TlsAcceptor::from(tls).accept(stream).await?),
            None => Box::new(stream),
        })
    }
}

/// How long one connection lasts. A request gets at its own.
#[derive(Debug, Default)]
pub(super) struct Lease {
    streams: AtomicBool,
    cut: Notify,
}

impl Lease {
    /// A stream ends by itself after this; its listener comes back.
    pub(super) const LONGEST: Duration = Duration::from_secs(3600);

    /// From now on it carries a stream.
    pub(super) fn stream(&self) {
        self.streams.store(true, Ordering::Relaxed);
    }

    /// It ends now, whatever is under way: who does not read would not see a better end.
    pub(super) fn cut(&self) {
        self.cut.notify_one();
    }

    fn streams(&self) -> bool {
        self.streams.load(Ordering::Relaxed)
    }

    async fn ends(&self) {
        let begun = Instant::now();
        tokio::select! {
            () = self.cut.notified() => return,
            () = sleep_until(begun + LIFETIME) => {}
        }
        if self.streams() {
            tokio::select! {
                () = self.cut.notified() => {}
                () = sleep_until(begun + LIFETIME + Self::LONGEST + GRACE) => {}
            }
        }
    }
}

/// Serves `router` at `door` until `shutdown`; what is being answered then has 5 s to end. All in this one future.
pub async fn serve<D: Door>(door: D, router: Router, shutdown: impl Future<Output = ()>) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES).max_headers(HEAD_LINES);
    let (close, closing) = watch::channel(false);
    let talk = |knock: D::Knock| {
        let (builder, router, mut closing) = (builder.clone(), router.clone(), closing.clone());
        async move {
            let admitted = async { timeout(HEAD, knock.admit()).await.ok()?.ok() };
            let stream = tokio::select! {
                stream = admitted => stream,
                _ = closing.wait_for(|closing| *closing) => None,
            };
            let Some(stream) = stream else { return };
            let (lease, inner) = (Arc::new(Lease::default()), TowerToHyperService::new(router));
            let lent = Arc::clone(&lease);
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(Arc::clone(&lent));
                let answer = (!is_unnamed(&request)).then(|| inner.call(request));
                async { if let Some(answer) = answer { answer.await } else { Ok(unnamed()) } }
            });
            let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
            tokio::select! {
                // How a connection ended concerns the client alone.
                _ = connection.as_mut() => return,
                _ = closing.wait_for(|closing| *closing) => {}
                () = lease.ends() => {}
            }
            // A stream has no end that could be waited for; its listener goes on elsewhere.
            if lease.streams() {
                return;
            }
            connection.as_mut().graceful_shutdown();
            let _ = timeout(GRACE, connection).await;
        }
    };
    let mut connections = FuturesUnordered::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            accepted = accept(&door), if connections.len() < CONNECTIONS => connections.extend(accepted.map(&talk)),
            Some(()) = connections.next(), if !connections.is_empty() => {}
            () = &mut shutdown => break,
        }
    }
    drop(door);
    close.send_replace(true);
    while connections.next().await.is_some() {}
}

/// Whether a request lacks the `Host` that HTTP/1.1 demands (RFC 9112, 3.2).
fn is_unnamed<B>(request: &Request<B>) -> bool {
    request.version() == Version::HTTP_11 && !request.headers().contains_key(HOST)
}

fn unnamed() -> Response {
    Problem::unfit("a request of HTTP/1.1 says by `Host` whom it asks").unread().into_text()
}

async fn accept<D: Door>(door: &D) -> Option<D::Knock> {
    match door.open().await {
        Ok(stream) => Some(stream),
        Err(error) => {
            tracing::warn!(%error, "accepting an HTTP connection failed");
            sleep_until(Instant::now() + PAUSE).await;
            None
        }
    }
}
