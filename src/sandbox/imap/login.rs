//! LOGIN and AUTHENTICATE PLAIN.

use std::borrow::Cow;

use imap_next::imap_types::auth::{AuthMechanism, AuthenticateData};
use imap_next::imap_types::core::{AString, Tag};
use imap_next::imap_types::response::{Code, CommandContinuationRequest, Status};
use imap_next::types::CommandAuthenticate;
use tokio::io::{AsyncRead, AsyncWrite};

use super::say;
use super::session::Session;
use super::wire::Wire;

impl Session {
    pub(super) fn log_in<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        wire: &mut Wire<S>,
        tag: Tag<'static>,
        username: &AString<'static>,
        password: &AString<'static>,
    ) {
        if self.authenticated {
            return self.mistake(wire, Some(tag), "Already logged in");
        }
        let status = self.admit(tag, username.as_ref(), password.as_ref());
        wire.say(status);
    }

    /// The answer to a pair of credentials.
    fn admit(&mut self, tag: Tag<'static>, username: &[u8], password: &[u8]) -> Status<'static> {
        if !self.inbox.admits(username, password) {
            return say::no_with(tag, "AUTHENTICATIONFAILED", "Authentication failed.");
        }
        self.authenticated = true;
        say::ok_with(tag, Code::Capability(self.capabilities()), "Logged in")
    }

    pub(super) fn authenticate<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, command: CommandAuthenticate) {
        let CommandAuthenticate { tag, mechanism, initial_response } = command;
        if self.authenticated {
            finish(wire, say::bad(Some(tag), "Already logged in"));
        } else if mechanism != AuthMechanism::Plain {
            finish(wire, say::no(tag, "Unsupported authentication mechanism"));
        } else if let Some(response) = initial_response {
            let status = self.admit_plain(tag, response.declassify());
            finish(wire, status);
        } else {
            self.authenticating = Some(tag);
            // imap-next has just said that it waits for this.
            drop(wire.server.authenticate_continue(CommandContinuationRequest::base64(Cow::Borrowed(b"".as_slice()))));
        }
    }

    pub(super) fn authenticate_more<S: AsyncRead + AsyncWrite + Unpin>(&mut self, wire: &mut Wire<S>, data: AuthenticateData<'static>) {
        let Some(tag) = self.authenticating.take() else { return };
        let status = match data {
            AuthenticateData::Continue(response) => self.admit_plain(tag, response.declassify()),
            AuthenticateData::Cancel => say::bad(Some(tag), "Authentication cancelled"),
        };
        finish(wire, status);
    }

    /// `authorization NUL username NUL password` (RFC 4616).
    fn admit_plain(&mut self, tag: Tag<'static>, response: &[u8]) -> Status<'static> {
        let mut parts = response.splitn(3, |b| *b == 0).skip(1);
        match (parts.next(), parts.next()) {
            (Some(username), Some(password)) => self.admit(tag, username, password),
            _ => say::bad(Some(tag), "Invalid credentials"),
        }
    }
}

fn finish<S: AsyncRead + AsyncWrite + Unpin>(wire: &mut Wire<S>, status: Status<'static>) {
    // It is waiting for this: imap-next has just said so.
    drop(wire.server.authenticate_finish(status));
}
