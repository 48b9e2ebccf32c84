//! Whom to ask: the system's name servers, or those that are named, over UDP and TCP, TLS or HTTPS.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;
use trust_dns_resolver::TokioResolver;
use trust_dns_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use trust_dns_resolver::net::NetError;
use trust_dns_resolver::net::runtime::TokioRuntimeProvider;

use crate::config::{Carrier, NameServer, Upstream};
use crate::edge::dial::{DialError, Dialer};

/// One try ends by then.
const TRY: Duration = Duration::from_secs(3);
/// Addresses of a name server that is named by its name.
const ADDRESSES: usize = 4;

/// Name servers cannot be asked as the system or the configuration has them.
#[derive(Debug, thiserror::Error)]
pub enum ResolverError {
    /// The system's configuration.
    #[error("the system's name servers (`/etc/resolv.conf`): {0}")]
    System(#[source] NetError),
    /// The authorities that certificates are checked with.
    #[error("the authorities for `[dns]`: {0}")]
    Authorities(#[source] DialError),
}

/// Some name servers. Those with names are looked up when they are first asked; clones share what was found, and the connections.
#[derive(Clone)]
pub(super) struct Servers {
    named: Arc<[Upstream]>,
    dialer: Dialer,
    cached: bool,
    resolver: Arc<OnceCell<TokioResolver>>,
}

impl Servers {
    pub(super) fn new(server: &NameServer, dialer: Dialer, cached: bool) -> Result<Self, ResolverError> {
        let (named, resolver): (Arc<[Upstream]>, _) = match server {
            NameServer::System | NameServer::Off => ([].into(), OnceCell::new_with(Some(system(&dialer, cached)?))),
            NameServer::Servers(named) => {
                let addresses: Option<Vec<_>> = named.iter().map(|server| Some(configured(server, *server.host.as_ref().ok()?))).collect();
                let built = addresses.map(|servers| build(servers, &dialer, cached)).transpose()?;
                (named.as_slice().into(), OnceCell::new_with(built))
            }
        };
        Ok(Self { named, dialer, cached, resolver: Arc::new(resolver) })
    }

    /// Who can be asked.
    pub(super) async fn reach(&self) -> Result<&TokioResolver, NetError> {
        self.resolver.get_or_try_init(|| self.look_up()).await
    }

    async fn look_up(&self) -> Result<TokioResolver, NetError> {
        let failed = |error: ResolverError| NetError::from(error.to_string());
        let system = system(&self.dialer, true).map_err(failed)?;
        let (mut servers, mut last) = (Vec::new(), None);
        for server in self.named.iter() {
            match &server.host {
                Ok(address) => servers.push(configured(server, *address)),
                Err(name) => match system.lookup_ip(format!("{name}.")).await {
                    Ok(found) => servers.extend(found.iter().take(ADDRESSES).map(|address| configured(server, address))),
                    Err(error) => last = Some(error),
                },
            }
        }
        match (servers.is_empty(), last) {
            (true, Some(error)) => Err(error),
            (true, None) => Err(NetError::from("the name servers have no address")),
            (false, _) => build(servers, &self.dialer, self.cached).map_err(failed),
        }
    }
}

fn configured(server: &Upstream, address: IpAddr) -> NameServerConfig {
    let name: Arc<str> = server.name.as_str().into();
    let mut connections = match server.carrier {
        Carrier::Plain => vec![ConnectionConfig::udp(), ConnectionConfig::tcp()],
        Carrier::Tcp => vec![ConnectionConfig::tcp()],
        Carrier::Tls => vec![ConnectionConfig::tls(name)],
        Carrier::Https => vec![ConnectionConfig::https(name, Some(server.path.as_str().into()))],
    };
    connections.iter_mut().for_each(|connection| connection.port = server.port);
    NameServerConfig::new(address, true, connections)
}

fn system(dialer: &Dialer, cached: bool) -> Result<TokioResolver, ResolverError> {
    let mut builder = TokioResolver::builder_tokio().map_err(ResolverError::System)?;
    limit(builder.options_mut(), cached);
    builder.with_tls_config(dialer.tls_config()).build().map_err(ResolverError::System)
}

fn build(servers: Vec<NameServerConfig>, dialer: &Dialer, cached: bool) -> Result<TokioResolver, ResolverError> {
    let mut builder = TokioResolver::builder_with_config(ResolverConfig::from_name_servers(servers), TokioRuntimeProvider::default());
    limit(builder.options_mut(), cached);
    builder.with_tls_config(dialer.tls_config()).build().map_err(ResolverError::System)
}

fn limit(options: &mut ResolverOpts, cached: bool) {
    options.timeout = TRY;
    options.attempts = 2;
    // A truncated answer is asked for again over TCP.
    options.try_tcp_on_error = true;
    if !cached {
        options.cache_size = 0;
    }
}
