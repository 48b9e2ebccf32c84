//! A port of the world: takes connections, and can be shut or struck dumb while the world goes on.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::pin::pin;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::Fault;

/// Connections that one door holds at once; one more is closed at once.
const CONNECTIONS: usize = 512;

/// How long to wait when the system has no listener or no connection to give (out of descriptors).
const BREATH: Duration = Duration::from_millis(50);

/// The fault that is set, as its readers see it.
pub(super) type Switch = watch::Receiver<Option<Fault>>;

/// A port on 127.0.0.1.
#[derive(Debug)]
pub(super) struct Door {
    /// Bound, and never listened on: keeps the port ours while the door is shut, so that connections are refused and not served by a stranger.
    _reserved: TcpSocket,
    listener: Option<TcpListener>,
    address: SocketAddr,
}

fn bound(port: u16) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)))?;
    Ok(socket)
}

impl Door {
    /// Opens it on `port`, or on any free one for 0. Clients can connect from now on.
    pub(super) fn open(port: u16) -> std::io::Result<Self> {
        let reserved = bound(port)?;
        let address = reserved.local_addr()?;
        let listener = Some(bound(address.port())?.listen(256)?);
        Ok(Self { _reserved: reserved, listener, address })
    }

    /// Where it is.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves every connection with `serve` until the world ends. [`Fault::Down`] shuts the door, [`Fault::Mute`] stops the conversations.
    pub(super) async fn keep<F>(mut self, mut switch: Switch, serve: impl Fn(TcpStream) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut guests = JoinSet::new();
        loop {
            if matches!(*switch.borrow_and_update(), Some(Fault::Down)) {
                self.listener = None;
                guests.shutdown().await;
                if switch.changed().await.is_err() {
                    return;
                }
                continue;
            }
            let Some(listener) = self.listener.take().or_else(|| bound(self.address.port()).and_then(|s| s.listen(256)).ok()) else {
                sleep_until(Instant::now() + BREATH).await;
                continue;
            };
            tokio::select! {
                changed = switch.changed() => if changed.is_err() { return },
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) if guests.len() < CONNECTIONS => {
                        // Answers are small and awaited: never hold one back to fill a segment.
                        if stream.set_nodelay(true).is_ok() {
                            guests.spawn(while_it_speaks(switch.clone(), serve(stream)));
                        }
                    }
                    Ok(_) => {}
                    Err(_) => sleep_until(Instant::now() + BREATH).await,
                },
                Some(_) = guests.join_next() => {}
            }
            self.listener = Some(listener);
        }
    }
}

/// Drives `work`, except while the fault is [`Fault::Mute`]: then it stands still and its socket stays open, as when the cable is cut.
async fn while_it_speaks(mut switch: Switch, work: impl Future<Output = ()>) {
    let mut work = pin!(work);
    loop {
        if matches!(*switch.borrow_and_update(), Some(Fault::Mute)) {
            if switch.changed().await.is_err() {
                return;
            }
            continue;
        }
        tokio::select! {
            biased;
            changed = switch.changed() => if changed.is_err() { return },
            () = &mut work => return,
        }
    }
}

/// Waits as long as the fault says that answers take.
pub(super) async fn dawdle(switch: &Switch) {
    let slowness = switch.borrow().as_ref().and_then(Fault::slowness);
    if let Some(span) = slowness {
        sleep_until(Instant::now() + Duration::from(span)).await;
    }
}
