//! A reader under test: what it is given, and what it tells.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailcanary::canary::{Key, token};
use mailcanary::config::{Budget, ImapSettings, Inbox, InboxKind, Proof, Secret, SecretRef, Tls, Wire};
use mailcanary::edge::dial::Dialer;
use mailcanary::edge::inbox::{Credentials, Doors, Hint, Looks, Pace, Report, Senders, Wanted, Watch};
use mailcanary::model::{At, CanaryId, Class, Name, Placement};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use crate::support::dovecot::{PASSWORD, USER};

/// What a test waits for comes within this time or never.
const PATIENCE: Duration = Duration::from_secs(30);

/// The installation's key in these tests.
pub fn key() -> Key {
    Key::new([7; 32])
}

/// The clock on the wall.
pub fn wall() -> At {
    At::from_ms(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap())
}

/// A canary's mail.
pub fn mail(n: u64) -> String {
    mail_with(n, "")
}

/// A canary's mail from somebody else.
pub fn mail_from(from: &str, n: u64) -> String {
    mail(n).replace("a@example.test", from)
}

/// A canary's mail with further header fields, each with its line end.
pub fn mail_with(n: u64, fields: &str) -> String {
    mail_of(n, fields, wall())
}

/// The same, with a token that was made at this instant, in milliseconds.
pub fn mail_at(n: u64, at: i64) -> String {
    mail_of(n, "", At::from_ms(at))
}

fn mail_of(n: u64, fields: &str, at: At) -> String {
    let token = token(&key(), CanaryId::from_bits(n), at);
    format!("{fields}From: a@example.test\nTo: {USER}\nSubject: Reset your password {token}\nX-Mailcanary: {token}\n\nClick here.\n")
}

/// An inbox at `localhost:port`.
pub fn inbox_at(port: u16, tls: Tls) -> Inbox {
    let imap = ImapSettings {
        host: "localhost".to_owned(),
        port,
        tls,
        username: USER.to_owned(),
        proof: Proof::Password(SecretRef::Env("UNUSED".to_owned())),
        expires: None,
        junk: None,
        junk_tabs: Vec::new(),
        preset: None,
    };
    Inbox {
        honeytoken_of: None,
        address: USER.to_owned(),
        aliases: Vec::new(),
        baits: Vec::new(),
        plus_address: false,
        delete: false,
        budget: Budget::default(),
        kind: InboxKind::Imap(imap),
        wire: Wire::default(),
    }
}

/// An inbox of another kind.
pub fn inbox_of(kind: InboxKind, address: &str) -> Inbox {
    Inbox {
        baits: Vec::new(),
        address: address.to_owned(),
        aliases: Vec::new(),
        plus_address: false,
        delete: false,
        honeytoken_of: None,
        budget: Budget::default(),
        kind,
        wire: Wire::default(),
    }
}

/// A pace for tests: what takes seconds or minutes takes a fraction of a second.
pub fn brisk() -> Pace {
    let ms = Duration::from_millis;
    Pace {
        greeting: ms(2000),
        done: ms(500),
        sweep: ms(700),
        junk_sweep: ms(300),
        poll_outstanding: ms(100),
        poll_quiet: ms(300),
        settle: ms(30),
        relist: ms(1000),
        retry: ms(50),
        retry_max: ms(400),
        auth: ms(100),
        auth_max: ms(400),
        rate: ms(100),
        rate_max: ms(400),
        ..Pace::default()
    }
}

/// A sighting's parts.
#[derive(Clone, Debug)]
pub struct Seen {
    pub canary: CanaryId,
    pub placement: Placement,
    pub arrived_at: At,
    pub seen_at: At,
    pub copy: String,
    pub received_top: Option<At>,
}

/// A reader to be.
pub struct Plan {
    watch: Watch,
    /// Receipts are told of, instead of being given at once.
    keeps_receipts: bool,
}

/// A reader at work. Ends with its value.
pub struct Rig {
    pub reports: mpsc::Receiver<Report>,
    pub hints: watch::Sender<Hint>,
    /// What [`Rig::look`] came upon on its way.
    pub sighted: Vec<Seen>,
    looks: u64,
    task: JoinHandle<()>,
}

impl Rig {
    #[expect(clippy::new_ret_no_self, reason = "what is made is told how to be before it runs")]
    pub fn new(inbox: Inbox) -> Plan {
        let dialer = Dialer::new(&inbox.wire).unwrap();
        let name = Name::new("seed").unwrap();
        let credentials = Credentials::Password(Secret::new(PASSWORD.to_owned()));
        let (looks, now, doors): (Looks, _, _) = (Arc::new(|_| None), Arc::new(wall), Doors::default());
        let senders: Senders = Arc::new(|_, from| !from.iter().any(|address| address.ends_with("@quoting.example")));
        Plan {
            watch: Watch {
                name,
                inbox,
                credentials,
                doors,
                key: key(),
                looks,
                senders,
                wanted: Wanted::default(),
                dialer,
                now,
                cursor: None,
            },
            keeps_receipts: false,
        }
    }

    /// The next report.
    pub async fn next(&mut self) -> Report {
        timeout(PATIENCE, self.reports.recv()).await.expect("a report").expect("the reader runs")
    }

    /// The next report that is neither a completed read nor sight.
    pub async fn next_but_reads(&mut self) -> Report {
        loop {
            match self.next().await {
                Report::Read { .. } | Report::Sight => {}
                other @ (Report::Sighted { .. }
                | Report::Mail { .. }
                | Report::Stranger { .. }
                | Report::Mismatched { .. }
                | Report::Forged
                | Report::Receipt(_)
                | Report::Blind { .. }) => return other,
            }
        }
    }

    /// The next sighting; blindness on the way is let pass.
    pub async fn sighting(&mut self) -> Seen {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no sighting");
            match self.next().await {
                Report::Sighted { canary, placement, arrived_at, seen_at, copy, received_top, .. } => {
                    return Seen { canary, placement, arrived_at, seen_at, copy, received_top };
                }
                Report::Forged => panic!("forged"),
                Report::Mismatched { why, .. } => panic!("{why}"),
                Report::Mail { .. }
                | Report::Stranger { .. }
                | Report::Blind { .. }
                | Report::Sight
                | Report::Receipt(_)
                | Report::Read { .. } => {}
            }
        }
    }

    /// Waits for sight.
    pub async fn expect_sight(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.next().await != Report::Sight {
            assert!(Instant::now() < deadline, "no sight");
        }
    }

    /// Waits for blindness.
    pub async fn blindness(&mut self) -> (Class, String) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "it still sees");
            if let Report::Blind { class, why } = self.next().await {
                return (class, why);
            }
        }
    }

    /// Sets the hint.
    pub fn hint(&self, outstanding: bool, look: u64) {
        self.hints.send_replace(Hint { outstanding, look });
    }

    /// Asks for a complete read and waits for it; its cursor. Sightings on the way are kept.
    pub async fn look(&mut self) -> String {
        let asked = wall();
        self.looks += 1;
        let outstanding = self.hints.borrow().outstanding;
        self.hint(outstanding, self.looks);
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "no complete read");
            match self.next().await {
                Report::Read { up_to, cursor } if up_to >= asked => return cursor,
                Report::Sighted { canary, placement, arrived_at, seen_at, copy, received_top, .. } => {
                    self.sighted.push(Seen { canary, placement, arrived_at, seen_at, copy, received_top });
                }
                Report::Read { .. }
                | Report::Mail { .. }
                | Report::Stranger { .. }
                | Report::Sight
                | Report::Blind { .. }
                | Report::Mismatched { .. }
                | Report::Receipt(_)
                | Report::Forged => {}
            }
        }
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Plan {
    pub fn with_cursor(mut self, cursor: &str) -> Self {
        self.watch.cursor = Some(cursor.to_owned());
        self
    }

    pub fn with_password(mut self, password: &str) -> Self {
        self.watch.credentials = Credentials::Password(Secret::new(password.to_owned()));
        self
    }

    /// With tokens from where the inbox says; `secrets` are theirs.
    pub fn with_tokens(mut self, secrets: impl Fn(&SecretRef) -> Option<Secret>) -> Self {
        self.watch.credentials = Credentials::new(&self.watch.inbox, &secrets, &self.watch.dialer).unwrap();
        self
    }

    /// Behind the ports of others.
    pub fn behind(mut self, doors: &Doors) -> Self {
        self.watch.doors = doors.clone();
        self
    }

    /// As if nothing became durable by itself.
    pub fn keeping_receipts(mut self) -> Self {
        self.keeps_receipts = true;
        self
    }

    pub fn wanting(mut self, wanted: Wanted) -> Self {
        self.watch.wanted = wanted;
        self
    }

    pub fn trusting(mut self, ca_file: &Path) -> Self {
        let wire = Wire { ca_file: Some(ca_file.to_owned()), ..Wire::default() };
        self.watch.dialer = Dialer::new(&wire).unwrap();
        self
    }

    /// Begins, briskly, with a canary outstanding.
    pub fn watch(self) -> Rig {
        let rig = self.watch_at(brisk());
        rig.hint(true, 0);
        rig
    }

    /// Begins, with none outstanding.
    pub fn watch_at(self, pace: Pace) -> Rig {
        let _ = tracing_subscriber::fmt().with_env_filter("mailcanary=debug").with_test_writer().try_init();
        let (reports_tx, mut reported) = mpsc::channel(64);
        let (relayed, reports) = mpsc::channel(1024);
        let (hints, hints_rx) = watch::channel(Hint::default());
        let (watching, keeps) = (self.watch.watch_at(pace, reports_tx, hints_rx), self.keeps_receipts);
        let relaying = async move {
            while let Some(report) = reported.recv().await {
                match report {
                    Report::Receipt(receipt) if !keeps => drop(receipt.take().map(|done| done.send(()))),
                    other => relayed.send(other).await.unwrap_or_default(),
                }
            }
        };
        let task = tokio::spawn(async { tokio::join!(watching, relaying).0 });
        Rig { reports, hints, sighted: Vec::new(), looks: 0, task }
    }
}
