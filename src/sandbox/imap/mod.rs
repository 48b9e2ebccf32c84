//! IMAP4rev1 (RFC 3501) with IDLE (RFC 2177), UIDPLUS (RFC 4315), ID (RFC 2971), SASL-IR and UNSELECT. The protocol flow and its grammar
//! are imap-next's.

mod change;
mod fetch;
mod folders;
mod login;
mod say;
mod section;
mod session;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use imap_next::server::Event;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until, timeout};

use super::door::{Switch, dawdle};
use super::{Fault, Inbox};
use session::Session;
use wire::{Heard, Wire};

/// RFC 3501, 5.4: an autologout timer is at least 30 minutes.
const AUTOLOGOUT: Duration = Duration::from_secs(30 * 60);

/// How often an idling client hears that we are still here. As Dovecot.
const STILL_HERE: Duration = Duration::from_secs(120);

/// Holds one session, until logout, hang-up, too many mistakes or too long a silence.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, inbox: Arc<Inbox>) {
    let mut switch = inbox.switch();
    let mut changes = inbox.mailbox.watch();
    let mut session = Session::begin(Arc::clone(&inbox));
    let mut wire = Wire::new(stream, session.greeting(), inbox.setting.patience.into());
    loop {
        if session.over() {
            // Said or not, the session ends.
            drop(wire.settle().await);
            return;
        }
        if session.idling() && *switch.borrow_and_update() == Some(Fault::IdleDead) {
            return fall_dead(&mut wire).await;
        }
        let limit = if session.authenticated() { AUTOLOGOUT } else { inbox.setting.patience.into() };
        tokio::select! {
            biased;
            changed = switch.changed() => if changed.is_err() { return },
            changed = changes.changed(), if session.idling() => match changed {
                Ok(()) if *switch.borrow() == Some(Fault::IdleMute) => {}
                Ok(()) => session.catch_up(&mut wire),
                Err(_) => return,
            },
            () = sleep_until(Instant::now() + STILL_HERE), if session.idling() => wire.say(say::note("Still here")),
            heard = timeout(limit, wire.hear()) => match heard {
                Ok(Ok(heard)) => act(&mut session, &mut wire, heard, &switch).await,
                Ok(Err(_)) => return,
                Err(_) => session.leave(&mut wire, "Autologout; idle for too long"),
            },
        }
    }
}

/// Does what was asked.
async fn act<S: AsyncRead + AsyncWrite + Unpin>(session: &mut Session, wire: &mut Wire<S>, heard: Heard, switch: &Switch) {
    dawdle(switch).await;
    match heard {
        Heard::Event(Event::CommandReceived { command }) => session.obey(wire, command).await,
        Heard::Event(Event::CommandAuthenticateReceived { command_authenticate }) => session.authenticate(wire, command_authenticate),
        Heard::Event(Event::AuthenticateDataReceived { authenticate_data }) => session.authenticate_more(wire, authenticate_data),
        Heard::Event(Event::IdleCommandReceived { tag }) => session.idle(wire, tag),
        Heard::Event(Event::IdleDoneReceived) => session.done(wire),
        // What we said ourselves.
        Heard::Event(Event::GreetingSent { .. } | Event::ResponseSent { .. }) => {}
        Heard::Nonsense(bytes) => session.complain(wire, &bytes),
    }
}

/// The session stands still for ever, whatever becomes of the fault: nothing is said, not even FIN, until the client closes.
async fn fall_dead<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>) {
    if wire.settle().await.is_ok() {
        wire.until_hung_up().await;
    }
}
