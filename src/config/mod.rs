//! TOML text → settings that cannot be wrong. Every complaint at once, with line, value and hint.
//!
//! Two layers: the text is walked with its positions, and what comes out is [`Settings`], whose fields need no further check.

mod secret;
mod settings;

pub use secret::{Secret, SecretRef};
pub use settings::{
    Family, Http, ImapSettings, Inbox, InboxKind, LedgerSettings, Mailbox, MandrillSettings, Provider, ProviderKind, Proxy, Settings, Sink,
    SinkKind, SmtpSettings, Stream, Tls, Watch, Wire,
};
