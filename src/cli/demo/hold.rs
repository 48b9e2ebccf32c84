//! The outage held until somebody has looked at it.

use std::future::Future;
use std::net::SocketAddr;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::pager::Page;
use super::{DemoError, line, story};
use crate::model::IncidentId;

/// How the waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The story goes on.
    Go,
    /// Nobody wants to see more.
    End,
}

/// Holds the outage until Enter is pressed or `SIGUSR1` comes. What the pager gets meanwhile is shown.
pub(super) async fn hold(pages: &mut mpsc::Receiver<Page>, address: Option<SocketAddr>, incident: IncidentId) -> Result<Next, DemoError> {
    let mut usr1 = signal(SignalKind::user_defined1()).map_err(DemoError::Signal)?;
    line("");
    if let Some(address) = address {
        line(format_args!("The outage goes on. See it at http://{address}/ and http://{address}/incidents/{incident},"));
        line(format_args!("or in another terminal: mailcanary top --url http://{address}"));
    }
    line(format_args!("Press Enter to give Mailchimp its account back (or: kill -USR1 {}); interrupt to end here.", std::process::id()));
    let go = until_told(|line| std::io::stdin().read_line(line), async { _ = usr1.recv().await });
    let watched = async {
        loop {
            match pages.recv().await {
                Some(page) => story::show(&page),
                None => return Err(DemoError::Silent),
            }
        }
    };
    let ended = async { _ = tokio::signal::ctrl_c().await };
    tokio::select! {
        () = go => Ok(Next::Go),
        () = ended => Ok(Next::End),
        failed = watched => failed,
    }
}

/// Waits for a line, or for the other sign. Where nobody can write a line, for that alone.
async fn until_told(lines: impl FnOnce(&mut String) -> std::io::Result<usize> + Send + 'static, other: impl Future<Output = ()>) {
    let written = async {
        let read = spawn_blocking(move || lines(&mut String::new())).await;
        if !matches!(read, Ok(Ok(1..))) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = written => {}
        () = other => {}
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    #[tokio::test]
    async fn a_line_goes_on_and_where_nobody_writes_one_the_signal_does() {
        until_told(|_| Ok(1), pending()).await;
        until_told(|_| Ok(0), ready(())).await;
        // Nobody can press anything: it waits on.
        let waits = until_told(|_| Ok(0), pending());
        let (ended, end) = tokio::sync::oneshot::channel();
        tokio::select! {
            biased;
            () = waits => panic!("an empty input is no line"),
            () = async { spawn_blocking(move || ended.send(())).await.unwrap().unwrap(); end.await.unwrap() } => {}
        }
    }
}
