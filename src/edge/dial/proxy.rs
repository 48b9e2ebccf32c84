//! Getting through a proxy that we already have a connection to.

use std::future::{Ready, ready};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower_service::Service;

use super::connect::authority;
use super::error::Cause;
use crate::config::Proxy;

/// Asks `proxy` at the other end of `stream` for a connection to `host:port`.
pub(super) async fn handshake(proxy: &Proxy, stream: TcpStream, host: &str, port: u16) -> Result<TcpStream, Cause> {
    let target: Uri = authority(host, port).parse().or(Err(Cause::NoServerName))?;
    let open = Open(Some(stream));
    let done = match proxy {
        // The proxy's own address is not used: `Open` hands out the connection that is there already.
        Proxy::Socks5 { .. } => SocksV5::new(Uri::default(), open).call(target).await.map_err(|e| Cause::Proxy(e.to_string()))?,
        Proxy::Http { .. } => Tunnel::new(Uri::default(), open).call(target).await.map_err(|e| Cause::Proxy(e.to_string()))?,
    };
    Ok(done.into_inner().0)
}

/// A connector that has its connection already.
#[derive(Debug)]
struct Open(Option<TcpStream>);

impl Service<Uri> for Open {
    type Response = TokioIo<Trickle>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Response>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let stream = self.0.take().map(|stream| TokioIo::new(Trickle(stream)));
        ready(stream.ok_or_else(|| io::ErrorKind::NotConnected.into()))
    }
}

/// Reads one byte at a time. The handshakes drop what they read beyond their own answer, and mail servers speak first: their banner may
/// come in the same packet.
#[derive(Debug)]
struct Trickle(TcpStream);

impl AsyncRead for Trickle {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        let polled = Pin::new(&mut self.0).poll_read(cx, &mut one);
        if matches!(polled, Poll::Ready(Ok(()))) {
            buf.put_slice(one.filled());
        }
        polled
    }
}

impl AsyncWrite for Trickle {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
