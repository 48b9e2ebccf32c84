//! The one way out: TCP by family, bind address and proxy, and TLS with private authorities.
//!
//! Every adapter connects through a [`Dialer`], so that a proxy, a private authority or a bind address works everywhere alike. Each
//! operation has its deadline inside, and each error says in plain words what went wrong.

mod connect;
mod error;
mod proxy;
mod roots;

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::ClientBuilder;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

use crate::config::{Family, Proxy, Wire};
use error::Cause;
pub use error::DialError;

/// From the look-up of the name to an open connection, all addresses and the proxy's handshake included.
const CONNECT_DEADLINE: Duration = Duration::from_secs(10);
/// A TLS handshake: a handful of packets; what takes longer does not answer at all.
const TLS_DEADLINE: Duration = Duration::from_secs(10);
/// A whole HTTP request with its answer.
const HTTP_DEADLINE: Duration = Duration::from_secs(30);

/// How long a connection without a request is kept: servers keep one for a minute, mostly.
const KEPT_FOR: Duration = Duration::from_secs(40);

/// A connection to somewhere, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync + Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync + Debug> Stream for T {}

/// Any connection.
pub type BoxStream = Box<dyn Stream>;

/// Opens connections in the way that a [`Wire`] says. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Dialer {
    tls: Arc<ClientConfig>,
    /// No authority is known at all: any handshake would fail with a misleading reason.
    rootless: bool,
    proxy: Option<Proxy>,
    bind: Option<IpAddr>,
    family: Family,
}

impl Dialer {
    /// Reads the certificate authorities of `wire.ca_file`; the system's are read once a process.
    ///
    /// A system without any is no error here, since a private authority or a connection in the clear needs none: [`Dialer::tls`] says so
    /// when it matters.
    ///
    /// # Errors
    /// The `ca_file` cannot be read or holds no certificate.
    pub fn new(wire: &Wire) -> Result<Self, DialError> {
        let roots = roots::load(wire.ca_file.as_deref())?;
        let rootless = roots.is_empty();
        let tls = Arc::new(roots::client_config(roots)?);
        Ok(Self { tls, rootless, proxy: wire.proxy.clone(), bind: wire.bind, family: wire.family })
    }

    /// Opens a connection to `host:port`, through the proxy if there is one. Fails after 10 s at the latest.
    ///
    /// # Errors
    /// The name is not found, no address answers, or the proxy refuses; the class is `network`.
    pub async fn tcp(&self, host: &str, port: u16) -> Result<BoxStream, DialError> {
        let deadline = Instant::now() + CONNECT_DEADLINE;
        let Some(proxy) = &self.proxy else {
            let stream = connect::tcp(host, port, self.bind, self.family, deadline).await;
            return stream.map(|stream| Box::new(stream) as BoxStream).map_err(|cause| DialError::connecting(host, port, cause));
        };
        let (Proxy::Socks5 { host: through, port: at } | Proxy::Http { host: through, port: at }) = proxy;
        let stream = connect::tcp(through, *at, self.bind, self.family, deadline).await;
        let stream = stream.map_err(|cause| DialError::connecting_to_proxy(through, *at, cause))?;
        let handshake = timeout_at(deadline, proxy::handshake(proxy, stream, host, port)).await;
        let stream =
            handshake.unwrap_or(Err(Cause::TimedOut)).map_err(|cause| DialError::through_proxy(host, port, through, *at, cause))?;
        Ok(Box::new(stream))
    }

    /// Encrypts `stream`, and makes sure that the other side is `server_name`, a host name or an address. Fails after 10 s at the latest.
    ///
    /// # Errors
    /// The certificate is not accepted or the handshake fails; the class is `tls`.
    pub async fn tls(&self, stream: BoxStream, server_name: &str) -> Result<BoxStream, DialError> {
        if self.rootless {
            return Err(DialError::tls(server_name, Cause::NoAuthorities));
        }
        let bare = server_name.trim_start_matches('[').trim_end_matches(']');
        let name =
            ServerName::try_from(bare.to_owned()).or(Err(Cause::NoServerName)).map_err(|cause| DialError::tls(server_name, cause))?;
        let handshake = TlsConnector::from(Arc::clone(&self.tls)).connect(name, stream);
        match timeout(TLS_DEADLINE, handshake).await {
            Ok(Ok(stream)) => Ok(Box::new(stream)),
            Ok(Err(e)) => Err(DialError::tls(server_name, Cause::of_io(&e))),
            Err(_) => Err(DialError::tls(server_name, Cause::TimedOut)),
        }
    }

    /// An HTTP client with the same authorities, proxy, bind address and family.
    ///
    /// It follows no redirect, repeats nothing by itself and opens a connection for each request, so that a request is sent once or not
    /// at all; it gives up connecting after 10 s and altogether after 30 s.
    ///
    /// # Errors
    /// The proxy's address is none.
    pub fn http(&self) -> Result<reqwest::Client, DialError> {
        self.client(|builder| builder.pool_max_idle_per_host(0))
    }

    /// The same for one host, whose addresses are known already.
    ///
    /// # Errors
    /// The proxy's address is none.
    pub fn http_at(&self, host: &str, addresses: &[IpAddr]) -> Result<reqwest::Client, DialError> {
        // Port 0 stands for that of the URL.
        let sockets: Vec<SocketAddr> = addresses.iter().map(|address| SocketAddr::new(*address, 0)).collect();
        self.client(|builder| builder.pool_max_idle_per_host(0).resolve_to_addrs(host, &sockets))
    }

    /// TLS with the same authorities, for those who open their connections themselves.
    #[must_use]
    pub fn tls_config(&self) -> ClientConfig {
        ClientConfig::clone(&self.tls)
    }

    /// The same, but that a connection is kept for the next request to the same host: for who asks one server again and again.
    ///
    /// # Errors
    /// The proxy's address is none.
    pub fn lasting_http(&self) -> Result<reqwest::Client, DialError> {
        self.client(|builder| builder.pool_max_idle_per_host(1).pool_idle_timeout(KEPT_FOR))
    }

    fn client(&self, pool: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<reqwest::Client, DialError> {
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(ClientConfig::clone(&self.tls))
            .no_proxy()
            .local_address(self.local_address())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(HTTP_DEADLINE)
            .tcp_keepalive(connect::KEEPALIVE_IDLE)
            .tcp_keepalive_interval(connect::KEEPALIVE_INTERVAL)
            .tcp_keepalive_retries(connect::KEEPALIVE_RETRIES)
            .user_agent(concat!("mailcanary/", env!("CARGO_PKG_VERSION")));
        if let Some(proxy) = &self.proxy {
            let url = match proxy {
                Proxy::Socks5 { host, port } => format!("socks5h://{}", connect::authority(host, *port)),
                Proxy::Http { host, port } => format!("http://{}", connect::authority(host, *port)),
            };
            builder = builder.proxy(reqwest::Proxy::all(&url).or(Err(DialError::http_client(&url)))?);
        }
        pool(builder).build().map_err(|e| DialError::http_client(&e.to_string()))
    }

    /// The address to bind to. The unspecified one of a family keeps the HTTP client to that family.
    fn local_address(&self) -> Option<IpAddr> {
        self.bind.or(match self.family {
            Family::Any => None,
            Family::V4 => Some(Ipv4Addr::UNSPECIFIED.into()),
            Family::V6 => Some(Ipv6Addr::UNSPECIFIED.into()),
        })
    }
}

/// An HTTP client that speaks through a Unix socket, whatever the address says.
///
/// # Errors
/// No client can be made.
pub fn through(socket: &Path) -> Result<reqwest::Client, DialError> {
    let tls = roots::client_config(Arc::new(RootCertStore::empty()))?;
    let builder = reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().timeout(HTTP_DEADLINE);
    builder.unix_socket(socket).build().map_err(|e| DialError::http_client(&e.to_string()))
}
