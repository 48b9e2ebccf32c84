//! Submission over SMTP (RFC 5321, RFC 6409) with AUTH PLAIN and LOGIN. The grammar is smtp-proto's.

mod answer;
mod login;
mod session;

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::Provider;
use super::door::dawdle;
use session::{Ending, Session};

/// Holds one conversation. Ends with the connection, or after a silence of the world's patience.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, provider: Arc<Provider>) {
    provider.count(|c| {
        c.connections += 1;
        c.open += 1;
    });
    let _leaving = Leaving(Arc::clone(&provider));
    let patience = Duration::from(provider.setting.patience);
    let switch = provider.switch();
    let (mut session, mut out) = Session::begin(provider);
    let mut chunk = [0; 8192];
    loop {
        if !out.is_empty() {
            dawdle(&switch).await;
            if !matches!(timeout(patience, stream.write_all(&out)).await, Ok(Ok(()))) {
                return;
            }
            out.clear();
        }
        match session.ending() {
            None => {}
            Some(Ending::Close) => return,
            Some(Ending::Silence) => return until_hung_up(&mut stream).await,
        }
        match timeout(patience, stream.read(&mut chunk)).await {
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(n)) => session.hear(chunk.get(..n).unwrap_or_default(), &mut out),
            Err(_) => session.tire(&mut out),
        }
    }
}

/// Says nothing any more, and keeps the connection until the client closes it.
async fn until_hung_up<S: AsyncRead + Unpin>(stream: &mut S) {
    let mut sink = [0; 4096];
    while matches!(stream.read(&mut sink).await, Ok(n) if n > 0) {}
}

/// Counts a connection out, however it ends.
struct Leaving(Arc<Provider>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.count(|c| c.open = c.open.saturating_sub(1));
    }
}
