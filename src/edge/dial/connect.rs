//! From a name to an open socket.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};

use super::error::Cause;
use crate::config::Family;

/// Silence after which the kernel asks whether the other side still lives. Shorter than the idle limit of any usual NAT.
pub(super) const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
/// Between two such questions.
pub(super) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
/// Questions without an answer before the connection counts as dead: 60 s + 4 × 15 s after the last packet.
pub(super) const KEEPALIVE_RETRIES: u32 = 4;
/// Sent data may stay unacknowledged for this long (`TCP_USER_TIMEOUT`); the kernel's own limit is about 15 minutes.
const UNACKNOWLEDGED: Duration = Duration::from_secs(75);
/// A name may resolve to any number of addresses; more than these are not tried.
const MAX_ADDRESSES: usize = 8;

/// Opens a connection to the first address of `host` that answers, by `deadline`. Each address gets a fair share of what time is left, so
/// that one which swallows packets does not take the turn of the others.
pub(super) async fn tcp(host: &str, port: u16, bind: Option<IpAddr>, family: Family, deadline: Instant) -> Result<TcpStream, Cause> {
    let addresses = resolve(host, port, bind, family, deadline).await?;
    let mut last = Cause::NoAddress;
    let count = addresses.len();
    for (tried, address) in addresses.into_iter().enumerate() {
        let now = Instant::now();
        let left = u32::try_from(count.saturating_sub(tried)).unwrap_or(1).max(1);
        let until = now + deadline.saturating_duration_since(now) / left;
        match timeout_at(until, open(address, bind)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(e)) => last = Cause::of_io(&e),
            Err(_) => last = Cause::TimedOut,
        }
    }
    Err(last)
}

/// The addresses of `host` that `bind` and `family` allow, in the resolver's order. Never empty.
async fn resolve(host: &str, port: u16, bind: Option<IpAddr>, family: Family, deadline: Instant) -> Result<Vec<SocketAddr>, Cause> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = match timeout_at(deadline, lookup_host((bare, port))).await {
        Ok(Ok(found)) => found,
        Ok(Err(e)) => return Err(Cause::of_lookup(&e)),
        Err(_) => return Err(Cause::LookupTimedOut),
    };
    let fits = |address: &SocketAddr| {
        let by_family = match family {
            Family::Any => true,
            Family::V4 => address.is_ipv4(),
            Family::V6 => address.is_ipv6(),
        };
        by_family && bind.is_none_or(|bind| bind.is_ipv4() == address.is_ipv4())
    };
    let addresses: Vec<_> = found.filter(fits).take(MAX_ADDRESSES).collect();
    if addresses.is_empty() { Err(Cause::NoAddress) } else { Ok(addresses) }
}

async fn open(address: SocketAddr, bind: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(bind) = bind {
        socket.bind(SocketAddr::new(bind, 0))?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL).with_retries(KEEPALIVE_RETRIES);
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&keepalive)?;
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(stream)
}

/// `host:port`, with brackets around an IPv6 address.
pub(super) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
