//! One session: who is logged in, what is selected, and which command goes where.

use std::num::NonZeroU32;
use std::sync::Arc;

use imap_next::imap_types::auth::AuthMechanism;
use imap_next::imap_types::command::{Command, CommandBody};
use imap_next::imap_types::core::{Tag, Text, Vec1};
use imap_next::imap_types::response::{Capability, Code, CommandContinuationRequest, Data, Greeting, GreetingKind};
use tokio::io::{AsyncRead, AsyncWrite};

use super::say;
use super::wire::Wire;
use crate::sandbox::{Fault, Inbox};

/// Commands that may go wrong before the connection is closed, as with Dovecot.
const MISTAKES: u32 = 20;

/// The folder that is selected, as the client knows it: message `n` is the `n`th UID of the view (RFC 3501, 2.3.1.2), whatever other
/// sessions did meanwhile.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) folder: usize,
    pub(super) validity: u32,
    pub(super) read_only: bool,
    pub(super) view: Vec<u32>,
}

/// One session.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) inbox: Arc<Inbox>,
    pub(super) authenticated: bool,
    /// The tag of an AUTHENTICATE that waits for the client.
    pub(super) authenticating: Option<Tag<'static>>,
    pub(super) selected: Option<Selected>,
    idling: Option<Tag<'static>>,
    mistakes: u32,
    over: bool,
}

impl Session {
    /// A session with a client that has just connected.
    pub(super) fn begin(inbox: Arc<Inbox>) -> Self {
        inbox.count(|c| {
            c.connections += 1;
            c.open += 1;
        });
        Self { inbox, authenticated: false, authenticating: None, selected: None, idling: None, mistakes: 0, over: false }
    }

    pub(super) fn greeting(&self) -> Greeting<'static> {
        let code = Some(Code::Capability(self.capabilities()));
        Greeting { kind: GreetingKind::Ok, code, text: Text::unvalidated("mailcanary sandbox ready") }
    }

    /// What we can do, before and after login.
    pub(super) fn capabilities(&self) -> Vec1<Capability<'static>> {
        let mut all = vec![Capability::Imap4Rev1, Capability::SaslIr, Capability::Id, Capability::Idle];
        if self.authenticated {
            all.extend([Capability::UidPlus, Capability::Unselect]);
        } else {
            all.push(Capability::Auth(AuthMechanism::Plain));
        }
        Vec1::unvalidated(all)
    }

    pub(super) const fn authenticated(&self) -> bool {
        self.authenticated
    }

    pub(super) const fn idling(&self) -> bool {
        self.idling.is_some()
    }

    pub(super) const fn over(&self) -> bool {
        self.over
    }

    /// Says goodbye: the session is over when it is said.
    pub(super) fn leave<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, text: &'static str) {
        wire.say(say::bye(text));
        self.over = true;
    }

    /// What was no command: the answer has its tag if it has one, so that the client does not wait for ever.
    pub(super) fn complain<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, line: &[u8]) {
        let first = line.split(|b| *b == b' ').next().unwrap_or_default();
        let tag = std::str::from_utf8(first).ok().filter(|t| t.len() <= 64).and_then(|t| Tag::try_from(t.to_owned()).ok());
        self.mistake(wire, tag, "Command not understood");
    }

    pub(super) fn mistake<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, tag: Option<Tag<'static>>, text: &'static str) {
        self.mistakes += 1;
        wire.say(say::bad(tag, text));
        if self.mistakes >= MISTAKES {
            self.leave(wire, "Too many invalid commands");
        }
    }

    /// Does what a command says.
    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever is not served here gets one answer")]
    pub(super) async fn obey<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, command: Command<'static>) {
        let Command { tag, body } = command;
        match body {
            CommandBody::Capability => {
                wire.tell(Data::Capability(self.capabilities()));
                wire.say(say::ok(tag, "Capability completed"));
            }
            CommandBody::Noop => {
                self.catch_up(wire);
                wire.say(say::ok(tag, "Noop completed"));
            }
            CommandBody::Id { .. } => {
                wire.tell(Data::Id { parameters: None });
                wire.say(say::ok(tag, "Id completed"));
            }
            CommandBody::Logout => {
                self.leave(wire, "Logging out");
                wire.say(say::ok(tag, "Logout completed"));
            }
            CommandBody::Login { username, password } => self.log_in(wire, tag, &username, password.declassify()),
            body if self.authenticated => self.obey_member(wire, tag, body).await,
            _ => self.mistake(wire, Some(tag), "Log in first"),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever is not served here gets one answer")]
    async fn obey_member<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, tag: Tag<'static>, body: CommandBody<'static>) {
        match body {
            CommandBody::List { reference, mailbox_wildcard } => self.list(wire, tag, &reference, &mailbox_wildcard, false),
            CommandBody::Lsub { reference, mailbox_wildcard } => self.list(wire, tag, &reference, &mailbox_wildcard, true),
            CommandBody::Status { mailbox, item_names } => self.status(wire, tag, mailbox, &item_names),
            CommandBody::Select { mailbox } => self.select(wire, tag, &mailbox, false),
            CommandBody::Examine { mailbox } => self.select(wire, tag, &mailbox, true),
            CommandBody::Subscribe { .. } | CommandBody::Unsubscribe { .. } => wire.say(say::ok(tag, "Completed")),
            _ if self.stale() => self.leave(wire, "The folder was restored from a backup"),
            body if self.selected.is_some() => self.obey_in_folder(wire, tag, body).await,
            _ => self.mistake(wire, Some(tag), "Not supported, or no folder selected"),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever is not served here gets one answer")]
    async fn obey_in_folder<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        tag: Tag<'static>,
        body: CommandBody<'static>,
    ) {
        match body {
            CommandBody::Check => {
                self.catch_up(wire);
                wire.say(say::ok(tag, "Check completed"));
            }
            CommandBody::Close => {
                self.close();
                wire.say(say::ok(tag, "Close completed"));
            }
            CommandBody::Unselect => {
                self.selected = None;
                wire.say(say::ok(tag, "Unselect completed"));
            }
            CommandBody::Expunge => self.expunge(wire, tag, None),
            CommandBody::ExpungeUid { sequence_set } => self.expunge(wire, tag, Some(&sequence_set)),
            CommandBody::Search { criteria, uid, .. } => self.search(wire, tag, criteria.as_ref(), uid),
            CommandBody::Fetch { sequence_set, macro_or_item_names, uid } => {
                self.fetch(wire, tag, &sequence_set, macro_or_item_names, uid).await;
            }
            CommandBody::Store { sequence_set, kind, response, flags, uid } => {
                self.store(wire, tag, &sequence_set, (kind, response, &flags), uid);
            }
            _ => self.mistake(wire, Some(tag), "Not supported"),
        }
    }

    /// Begins IDLE.
    pub(super) fn idle<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, tag: Tag<'static>) {
        if !self.authenticated {
            // It is in the state to be rejected in: imap-next has just said so.
            drop(wire.server.idle_reject(say::bad(Some(tag), "Log in first")));
            return;
        }
        let text = Text::unvalidated("idling, at your service");
        if let Ok(request) = CommandContinuationRequest::basic(None, text) {
            drop(wire.server.idle_accept(request));
            self.idling = Some(tag);
            if self.inbox.fault() != Some(Fault::IdleMute) {
                self.catch_up(wire);
            }
            self.inbox.count(|c| c.idling += 1);
        }
    }

    /// Ends IDLE.
    pub(super) fn done<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) {
        if let Some(tag) = self.idling.take() {
            self.inbox.count(|c| c.idling = c.idling.saturating_sub(1));
            self.catch_up(wire);
            wire.say(say::ok(tag, "Idle completed"));
        }
    }

    /// Whether the UIDs of the view mean nothing any more.
    fn stale(&self) -> bool {
        let validity = |s: &Selected| self.inbox.mailbox.look_at(s.folder, |f| f.validity) != Some(s.validity);
        self.selected.as_ref().is_some_and(validity)
    }

    /// Tells the client what changed in its folder since it last heard.
    pub(super) fn catch_up<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>) {
        if self.stale() {
            return self.leave(wire, "The folder was restored from a backup");
        }
        let Some(selected) = &mut self.selected else { return };
        let now: Vec<u32> = self.inbox.mailbox.look_at(selected.folder, |f| f.messages.keys().copied().collect()).unwrap_or_default();
        // From the last to the first, so that no number moves before it is told.
        for n in (0..selected.view.len()).rev() {
            if selected.view.get(n).is_some_and(|uid| now.binary_search(uid).is_err()) {
                selected.view.remove(n);
                if let Some(number) = number(n) {
                    wire.tell(Data::Expunge(number));
                }
            }
        }
        if now.len() > selected.view.len() {
            wire.tell(Data::Exists(u32::try_from(now.len()).unwrap_or(u32::MAX)));
            wire.tell(Data::Recent(0));
        }
        selected.view = now;
    }
}

/// The sequence number of the `n`th message, counted from 0.
pub(super) fn number(n: usize) -> Option<NonZeroU32> {
    NonZeroU32::new(u32::try_from(n).ok()?.checked_add(1)?)
}

/// Counts the session out, however it ends.
impl Drop for Session {
    fn drop(&mut self) {
        let idling = self.idling.is_some();
        self.inbox.count(|c| {
            c.open = c.open.saturating_sub(1);
            c.idling = c.idling.saturating_sub(u64::from(idling));
        });
    }
}
