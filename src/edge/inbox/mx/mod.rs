//! Our own mail server for a domain of ours: an inbox without a mailbox.
//!
//! It takes mail to the seeded addresses, to honeytokens, to `postmaster` and to no other, keeps nothing and passes nothing on. A message counts as taken only when what the
//! inbox has told of it is durable; the sender tries again otherwise. What arrives while nobody listens waits at the sender, as with any mail server.
//!
//! ```text
//! watch (one inbox) ← door (one port; all inboxes behind it) → session (one connection) → words (one line)
//! ```

mod door;
mod session;
mod tls;
mod words;

use std::io;
use std::time::Duration;

use chrono::DateTime;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::desk::{Desk, Part};
use super::gist::Seen;
use super::login::Login;
use super::report::{Hint, Receipt, Report};
use super::trouble::Trouble;
use super::whole::{self, LOOKED_AT, Mail};
use crate::config::{Inbox, MxSettings};
use crate::model::{At, Class, Placement};
pub use door::Doors;
use door::State;

/// Messages on their way to one inbox.
const WAITING: usize = 16;
/// Between two reports that all was read, while a canary is outstanding.
const OFTEN: Duration = Duration::from_millis(500);
/// The same while none is.
const SELDOM: Duration = Duration::from_secs(5);

/// A message that a sender has handed over.
#[derive(Debug)]
struct Taken {
    /// The message.
    seen: std::sync::Arc<Seen>,
    /// Who it is from, as the sender said.
    sender: String,
    /// `from … by … with … id …`.
    hop: String,
    /// Its number here.
    id: String,
    /// The address here that it is for.
    to: String,
    /// What that is.
    of: Of,
    /// What was told of it is durable.
    done: tokio::sync::oneshot::Sender<()>,
}

/// Whom an address belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// A seed, to which canaries go.
    Seed,
    /// One provider alone, in whose list it stands as bait.
    Bait,
    /// Whoever runs the server, and no seed.
    Postmaster,
}

/// Takes mail until nobody listens any more.
pub(super) async fn watch(desk: &Desk, inbox: &Inbox, settings: &MxSettings, doors: &Doors, mut hints: watch::Receiver<Hint>) {
    let door = doors.at(settings);
    let (mails_in, mut mails) = mpsc::channel(WAITING);
    let seeds = inbox.addresses().map(|address| (address, Of::Seed));
    let baits = inbox.baits.iter().map(|address| (address.as_str(), Of::Bait));
    // What stands behind the `+` of bait is the sender's, whatever is done with tokens.
    let plus = |of| inbox.plus_address || of == Of::Bait;
    let _seats: Vec<_> = seeds.chain(baits).map(|(address, of)| door.seat(address, of, plus(of), mails_in.clone())).collect();
    drop(mails_in);
    let mut state = door.state();
    let mut open = state.borrow_and_update().clone();
    let serving = door.serve();
    tokio::pin!(serving);
    loop {
        let outstanding = hints.borrow_and_update().outstanding;
        let rest = Instant::now() + if outstanding { OFTEN } else { SELDOM };
        // In this order: what has been taken before an instant is told of before it is said that all was.
        let told = tokio::select! {
            biased;
            mail = mails.recv() => match mail {
                Some(mail) => take(desk, mail).await,
                None => return,
            },
            () = &mut serving => return,
            changed = state.changed() => {
                if changed.is_err() {
                    return;
                }
                open = state.borrow_and_update().clone();
                say(desk, &open).await
            }
            changed = hints.changed() => if changed.is_err() { return } else { say(desk, &open).await },
            () = sleep_until(rest) => say(desk, &open).await,
        };
        if told.is_err() {
            return;
        }
    }
}

/// Says how the door stands: blind, or all that came has been told.
async fn say(desk: &Desk, state: &State) -> Result<(), Trouble> {
    match state {
        State::Closed => Ok(()),
        State::Open => desk.read_to(Part::All, (desk.now)(), Some(String::new())).await,
        State::Failed(class, why) => desk.blind(&Trouble::Here { class: *class, why: why.clone() }).await,
    }
}

/// Tells of one message. It arrives at this moment, and says so.
async fn take(desk: &Desk, mail: Taken) -> Result<(), Trouble> {
    let arrived_at = (desk.now)();
    let mut raw = envelope(&mail, arrived_at).into_bytes();
    raw.extend_from_slice(&mail.seen.raw);
    let cut = mail.seen.cut || raw.len() > LOOKED_AT;
    raw.truncate(LOOKED_AT);
    let copy = match mail.of {
        Of::Seed => format!("mx/0/{}", mail.id),
        // A mail to a seed and to its bait is two.
        Of::Bait => format!("mx/0/{}/{}", mail.id, mail.to),
        Of::Postmaster => format!("mx/0/{}/postmaster", mail.id),
    };
    let message = Mail { raw: &raw, cut, placement: Placement::Inbox, arrived_at, copy, before: false };
    if mail.of == Of::Postmaster {
        // No canary goes there, whatever it carries.
        whole::foreign(desk, message).await?;
    } else {
        whole::tell(desk, message).await?;
    }
    desk.tell(Report::Receipt(Receipt::new(mail.done))).await
}

/// What a receiver puts before a message (RFC 5321, 4.4).
fn envelope(mail: &Taken, at: At) -> String {
    let date = DateTime::from_timestamp_millis(at.as_ms()).map(|date| date.to_rfc2822()).unwrap_or_default();
    // Bait may have been written to without being named in the mail. What is for the postmaster is written as its sender writes it.
    let to = if mail.of == Of::Bait { format!("\r\n\tfor <{}>", mail.to) } else { String::new() };
    format!("Return-Path: <{}>\r\nReceived: {}{to};\r\n\t{date}\r\n", mail.sender, mail.hop)
}

/// What stands in the way of a port.
fn failure(settings: &MxSettings, error: &io::Error) -> (Class, String) {
    let listen = settings.listen;
    let why = if error.kind() == io::ErrorKind::PermissionDenied {
        "ports below 1024 need a socket unit or CAP_NET_BIND_SERVICE".to_owned()
    } else if error.kind() == io::ErrorKind::AddrInUse {
        "another mail server is there".to_owned()
    } else {
        error.to_string()
    };
    (Class::Permanent, format!("listening on `{listen}`: {why}"))
}

/// Whether mail could be taken, for `check --live`. A port that is taken may well be taken by the daemon.
pub(super) async fn look_around(settings: &MxSettings) -> Result<Login, Trouble> {
    tls::acceptor(settings).map_err(|why| Trouble::Here { class: Class::Tls, why })?;
    let capabilities = match TcpListener::bind(settings.listen).await {
        Ok(_) => Vec::new(),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => vec!["IN USE"],
        Err(error) => {
            let (class, why) = failure(settings, &error);
            return Err(Trouble::Here { class, why });
        }
    };
    Ok(Login { folders: vec![("INBOX".to_owned(), Placement::Inbox)], capabilities })
}
