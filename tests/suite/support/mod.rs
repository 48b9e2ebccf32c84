//! Private instances of real servers on loopback, each in a folder of its own.
#![allow(dead_code, reason = "a kit: what one test needs, another may not")]

pub(crate) mod alertmanager;
pub mod apis;
pub mod application;
pub mod browser;
pub mod certs;
pub mod chats;
pub mod container;
pub mod cyrus;
pub mod daemon;
pub mod desktop;
pub mod dovecot;
pub mod exim;
pub mod fake_imap;
pub mod fake_jmap;
pub mod free_port;
pub mod gate;
pub mod group;
pub mod https;
pub mod knot;
mod maildir;
pub mod notices;
pub mod opendkim;
pub mod opensmtpd;
pub mod pagers;
pub mod postfix;
pub mod postmark;
pub(crate) mod prometheus;
pub mod refuser;
pub mod rooted;
pub mod sendgrid;
pub mod service;
pub mod sparkpost;
pub mod temp_dir;
pub mod tmux;
pub mod tokens;
pub mod unbound;
pub mod watchers;

use mailcanary::config::{Budget, ImapSettings, Inbox, InboxKind, Proof, SecretRef, Tls, Wire};

/// An inbox with this address that nobody reads.
pub fn inbox(address: &str, plus_address: bool) -> Inbox {
    let settings = ImapSettings {
        host: "imap.example".to_owned(),
        port: 993,
        tls: Tls::Implicit,
        username: "seed".to_owned(),
        proof: Proof::Password(SecretRef::Env("NONE".to_owned())),
        expires: None,
        junk: None,
        junk_tabs: Vec::new(),
        preset: None,
    };
    Inbox {
        honeytoken_of: None,
        address: address.to_owned(),
        aliases: Vec::new(),
        baits: Vec::new(),
        plus_address,
        delete: false,
        budget: Budget::default(),
        kind: InboxKind::Imap(settings),
        wire: Wire::default(),
    }
}
