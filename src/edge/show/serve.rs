//! Listening: HTTP/1.1, bounded in connections, headers and time.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// Connections at a time; further ones wait in the kernel's queue. People, Prometheus and a balancer need a handful.
const CONNECTIONS: usize = 64;

/// For a whole request head, and for an idle connection to send its next.
const HEAD: Duration = Duration::from_secs(10);

/// One connection lasts no longer, so that who reads slowly, or never, gives its place back. Prometheus opens a new one.
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
    /// A connection.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next one.
    fn open(&self) -> impl Future<Output = std::io::Result<Self::Stream>> + Send;
}

impl Door for TcpListener {
    type Stream = TcpStream;

    async fn open(&self) -> std::io::Result<TcpStream> {
        Ok(self.accept().await?.0)
    }
}

impl Door for UnixListener {
    type Stream = UnixStream;

    async fn open(&self) -> std::io::Result<UnixStream> {
        Ok(self.accept().await?.0)
    }
}

/// Serves `router` at `door` until `shutdown`; what is being answered then has 5 s to end. All in this one future.
pub async fn serve<D: Door>(door: D, router: Router, shutdown: impl Future<Output = ()>) {
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(HEAD_BYTES).max_headers(HEAD_LINES);
    let (close, closing) = watch::channel(false);
    let talk = |stream: D::Stream| {
        let (builder, router, mut closing) = (builder.clone(), router.clone(), closing.clone());
        async move {
            let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
            tokio::select! {
                // How a connection ended concerns the client alone.
                _ = connection.as_mut() => return,
                _ = closing.wait_for(|closing| *closing) => {}
                () = sleep_until(Instant::now() + LIFETIME) => {}
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

async fn accept<D: Door>(door: &D) -> Option<D::Stream> {
    match door.open().await {
        Ok(stream) => Some(stream),
        Err(error) => {
            tracing::warn!(%error, "accepting an HTTP connection failed");
            sleep_until(Instant::now() + PAUSE).await;
            None
        }
    }
}
