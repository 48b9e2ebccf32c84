//! How a conversation says no.

use std::borrow::Cow;

use smtp_proto::Error;

use super::session::{Ending, Expect, Session, say};
use crate::sandbox::Fault;
use crate::sandbox::refusal::{self, Phase};

/// Commands that may go wrong before the connection is closed.
const MISTAKES: u32 = 20;

impl Session {
    /// Says no if the fault says so at this point.
    pub(super) fn refused(&self, phase: Phase, out: &mut Vec<u8>) -> bool {
        let Some(Fault::Refuse(class)) = self.provider.fault() else { return false };
        let (when, line) = refusal::smtp(class);
        if when == phase {
            self.provider.count(|c| c.refused += 1);
            say(out, line);
        }
        when == phase
    }

    pub(super) fn too_large(&mut self, out: &mut Vec<u8>) -> Expect {
        self.reset();
        say(out, "552 5.3.4 Message size exceeds fixed limit");
        Expect::Command
    }

    pub(super) fn complain(&mut self, error: &Error, out: &mut Vec<u8>) -> Expect {
        let line: Cow<'_, str> = match error {
            Error::ResponseTooLong => {
                self.mistake("500 5.5.2 Line too long", out);
                return Expect::RestOfLine;
            }
            Error::UnknownCommand | Error::NeedsMoreData { .. } | Error::InvalidResponse { .. } => {
                "500 5.5.2 Command not recognized".into()
            }
            Error::InvalidSenderAddress => "501 5.1.7 Bad sender address syntax".into(),
            Error::InvalidRecipientAddress => "501 5.1.3 Bad recipient address syntax".into(),
            Error::SyntaxError { syntax } => format!("501 5.5.2 Syntax: {syntax}").into(),
            Error::InvalidParameter { param } => format!("501 5.5.4 Invalid parameter: {param}").into(),
            Error::UnsupportedParameter { .. } => "555 5.5.4 Unsupported parameter".into(),
        };
        self.mistake(&line, out)
    }

    /// Says what was wrong, and closes when it was too much.
    pub(super) fn mistake(&mut self, line: &str, out: &mut Vec<u8>) -> Expect {
        self.mistakes += 1;
        say(out, line);
        if self.mistakes >= MISTAKES {
            say(out, "421 4.7.0 Too many errors");
            self.ending = Some(Ending::Close);
        }
        Expect::Command
    }
}
