//! Logs: fields to the journal under systemd, JSON lines elsewhere.

use std::io::IsTerminal as _;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Begins to log. `MAILCANARY_LOG` narrows or widens it, in the syntax of `RUST_LOG`; by default INFO and above.
pub(super) fn begin() {
    let filter = EnvFilter::builder().with_env_var("MAILCANARY_LOG").with_default_directive(LevelFilter::INFO.into()).from_env_lossy();
    // async-imap traces every line that a server sends: mails stand in them.
    let filter = match "async_imap=info".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    };
    let journal = (!std::io::stderr().is_terminal()).then(under_systemd).flatten();
    let lines = journal.is_none().then(|| tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr));
    // A second subscriber in one process is a test's doing: the first stays.
    drop(tracing_subscriber::registry().with(filter).with(journal).with(lines).try_init());
}

/// The journal, if standard error leads there: systemd sets `JOURNAL_STREAM` for its services.
fn under_systemd() -> Option<tracing_journald::Layer> {
    std::env::var_os("JOURNAL_STREAM")?;
    tracing_journald::layer().ok()
}
