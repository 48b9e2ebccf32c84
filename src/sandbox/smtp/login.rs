//! AUTH PLAIN and AUTH LOGIN.

use data_encoding::BASE64;
use smtp_proto::request::receiver::LineReceiver;
use smtp_proto::{AUTH_LOGIN, AUTH_PLAIN};

use super::session::{Expect, Session, say};
use crate::sandbox::refusal::Phase;

impl Session {
    pub(super) fn authenticate(&mut self, mechanism: u64, initial: &str, out: &mut Vec<u8>) -> Expect {
        if self.authenticated {
            return self.mistake("503 5.5.1 Already authenticated", out);
        }
        match (mechanism, initial) {
            (AUTH_PLAIN, "") => {
                say(out, "334 ");
                Expect::Plain(LineReceiver::default())
            }
            (AUTH_PLAIN, initial) => self.log_in_plain(initial.as_bytes(), out),
            (AUTH_LOGIN, "") => {
                say(out, "334 VXNlcm5hbWU6");
                Expect::Username(LineReceiver::default())
            }
            (AUTH_LOGIN, initial) => {
                say(out, "334 UGFzc3dvcmQ6");
                Expect::Password(LineReceiver::new(initial.as_bytes().to_vec()))
            }
            _ => self.mistake("504 5.5.4 Unrecognized authentication type", out),
        }
    }

    /// `authorization NUL username NUL password` (RFC 4616).
    pub(super) fn log_in_plain(&mut self, response: &[u8], out: &mut Vec<u8>) -> Expect {
        if response == b"*" {
            return self.mistake("501 5.0.0 Authentication cancelled", out);
        }
        let Ok(decoded) = BASE64.decode(response) else { return self.mistake("501 5.5.2 Invalid base64", out) };
        let mut parts = decoded.splitn(3, |b| *b == 0).skip(1);
        match (parts.next(), parts.next()) {
            (Some(username), Some(password)) => self.log_in(username, password, out),
            _ => self.mistake("501 5.5.2 Invalid credentials", out),
        }
    }

    /// User name and password, each in base64.
    pub(super) fn log_in_halves(&mut self, username: &[u8], password: &[u8], out: &mut Vec<u8>) -> Expect {
        match (BASE64.decode(username), BASE64.decode(password)) {
            (Ok(username), Ok(password)) => self.log_in(&username, &password, out),
            _ => self.mistake("501 5.5.2 Invalid base64", out),
        }
    }

    fn log_in(&mut self, username: &[u8], password: &[u8], out: &mut Vec<u8>) -> Expect {
        if self.refused(Phase::Auth, out) {
            return Expect::Command;
        }
        if username != self.provider.username().as_bytes() || password != self.provider.secret().as_bytes() {
            self.provider.count(|c| c.refused += 1);
            return self.mistake("535 5.7.8 Authentication failed: Bad username / password", out);
        }
        self.authenticated = true;
        say(out, "235 2.7.0 Authentication successful");
        Expect::Command
    }
}
