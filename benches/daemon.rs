//! How fast a canary is seen in a real Dovecot, and what an idle daemon weighs. Prints figures; asserts nothing.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, and stops at what it did not foresee"
)]

#[path = "../tests/suite/support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use mailcanary::canary::{Key, token};
use mailcanary::config::{Budget, Family, ImapSettings, Inbox, InboxKind, Proof, SecretRef, Tls, Wire};
use mailcanary::edge::dial::Dialer;
use mailcanary::edge::inbox::{Credentials, Doors, Hint, Report, Wanted, Watch};
use mailcanary::model::{CanaryId, Name};
use mailcanary::run;
use mailcanary::sandbox::{InboxPlan, Plan, ProviderPlan, Transport, World};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use support::daemon::Daemon;
use support::dovecot::{self, Dovecot};

const SAMPLES: u64 = 100;

#[tokio::main]
async fn main() {
    sightings().await;
    memory().await;
}

/// From the moment that Dovecot's LMTP says that a message is stored to the reader's report of it.
async fn sightings() {
    let server = Dovecot::run(&dovecot::Settings::default());
    let now = run::clock();
    let key = Key::new([7; 32]);
    let imap = ImapSettings {
        host: "127.0.0.1".to_owned(),
        port: server.imap,
        tls: Tls::None,
        username: dovecot::USER.to_owned(),
        proof: Proof::Password(SecretRef::Env("UNUSED".to_owned())),
        expires: None,
        junk: None,
        junk_tabs: Vec::new(),
        preset: None,
    };
    let wire = Wire { family: Family::V4, ..Wire::default() };
    let kind = InboxKind::Imap(imap);
    let inbox = Inbox {
        honeytoken_of: None,
        address: dovecot::USER.to_owned(),
        aliases: Vec::new(),
        baits: Vec::new(),
        plus_address: false,
        delete: false,
        budget: Budget::default(),
        kind,
        wire: wire.clone(),
    };
    let reader = Watch {
        name: Name::new("seed").unwrap(),
        inbox,
        credentials: Credentials::Password(mailcanary::config::Secret::new(dovecot::PASSWORD.to_owned())),
        doors: Doors::default(),
        key: key.clone(),
        looks: Arc::new(|_| None),
        senders: Arc::new(|_, _| true),
        wanted: Wanted::default(),
        dialer: Dialer::new(&wire).unwrap(),
        now: now.clone(),
        cursor: None,
    };
    let (reports_in, mut reports) = mpsc::channel(64);
    let (_hint, hints) = watch::channel(Hint { outstanding: true, look: 0 });
    tokio::spawn(reader.watch(reports_in, hints));
    while !matches!(next(&mut reports).await, Report::Read { .. }) {}
    let mut lags: Vec<u64> = Vec::new();
    for number in 1..=SAMPLES {
        let text = token(&key, CanaryId::from_bits(number), now());
        let message = format!("From: a@example.test\r\nTo: {}\r\nSubject: Reset [{text}]\r\n\r\n{text}\r\n", dovecot::USER);
        tokio::task::block_in_place(|| server.deliver(&message));
        let stored = now();
        loop {
            if let Report::Sighted { canary, seen_at, .. } = next(&mut reports).await
                && canary.bits() == number
            {
                lags.push(seen_at.since(stored).as_ms());
                break;
            }
        }
    }
    lags.sort_unstable();
    let at = |share: usize| lags[(lags.len() * share / 100).min(lags.len() - 1)];
    println!(
        "sighting after a message is readable in Dovecot (IDLE, {SAMPLES} messages): median {} ms, 90th {} ms, 99th {} ms",
        at(50),
        at(90),
        at(99)
    );
}

async fn next(reports: &mut mpsc::Receiver<Report>) -> Report {
    timeout(Duration::from_secs(60), reports.recv()).await.expect("a report within a minute").expect("the reader lives")
}

/// A daemon with nine routes and a canary a minute on each, after its first round.
async fn memory() {
    let name = |text: &str| Name::new(text).unwrap();
    let mut plan = Plan::new(run::clock(), 1);
    for (provider, transport) in [("a", Transport::Mandrill), ("b", Transport::Smtp), ("c", Transport::Smtp)] {
        plan = plan.provider(name(provider), ProviderPlan::new(transport));
    }
    for inbox in ["x", "y", "z"] {
        plan = plan.inbox(name(inbox), InboxPlan::default());
    }
    let world = World::start(plan).unwrap();
    let mut daemon = Daemon::new(|folder| {
        format!("[watch]\nevery = \"1m\"\n\n[stream.reset]\ndeadline = \"15m\"\n{}", world.accounts(folder.path()).unwrap())
    });
    daemon.start().await;
    let fresh = daemon.resident();
    daemon.wait_for_arrivals(9.0).await;
    println!(
        "resident memory with 9 routes: {} KiB when ready, {} KiB after the first round ({} canaries a minute)",
        fresh,
        daemon.resident(),
        9
    );
}
