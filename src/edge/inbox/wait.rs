//! Deadlines, and what a broken connection says.

use std::future::Future;
use std::io::{self, ErrorKind};
use std::time::Duration;

use tokio::time::timeout;

use super::guard::OverBudget;
use super::trouble::Trouble;

/// What `work` gives, unless it takes longer than `after`.
pub(super) async fn within<T>(after: Duration, what: &'static str, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    timeout(after, work).await.unwrap_or(Err(Trouble::Deadline { what, after }))
}

/// What the I/O error of a connection means. The parser's own errors come as [`ErrorKind::Other`] and quote the whole buffer, so their
/// text is dropped.
pub(super) fn lost(what: &'static str, error: &io::Error) -> Trouble {
    if error.get_ref().is_some_and(|inner| inner.is::<OverBudget>()) {
        return Trouble::Flood { what };
    }
    #[expect(clippy::wildcard_enum_match_arm, reason = "the kinds are open-ended; their own words do for the rest")]
    match error.kind() {
        ErrorKind::Other => Trouble::Garbled { what },
        ErrorKind::UnexpectedEof => Trouble::Lost { what, why: String::new() },
        kind => Trouble::Lost { what, why: kind.to_string() },
    }
}
