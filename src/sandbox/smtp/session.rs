//! One SMTP conversation: bytes in, bytes out, without a socket.

use std::slice::Iter;
use std::sync::Arc;

use smtp_proto::request::receiver::{DataReceiver, DummyDataReceiver, DummyLineReceiver, LineReceiver, RequestReceiver};
use smtp_proto::{
    AUTH_LOGIN, AUTH_PLAIN, EXT_8BIT_MIME, EXT_AUTH, EXT_ENHANCED_STATUS_CODES, EXT_PIPELINING, EXT_SIZE, EhloResponse, Error, Request,
};

use super::super::message::MAX_MESSAGE;
use super::super::refusal::Phase;
use super::super::{Fault, Provider};

/// Recipients of one message.
const RECIPIENTS: usize = 100;

/// How a conversation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The connection is closed.
    Close,
    /// Nothing more is said.
    Silence,
}

/// What the next bytes are.
pub(super) enum Expect {
    Command,
    /// The rest of a line that was too long.
    RestOfLine,
    /// The answer to `334`: the credentials of AUTH PLAIN, or one half of those of AUTH LOGIN.
    Plain(LineReceiver<()>),
    Username(LineReceiver<()>),
    Password(LineReceiver<Vec<u8>>),
    Data(DataReceiver, Vec<u8>),
    /// The rest of a message that was too large.
    RestOfData(DummyDataReceiver),
}

/// One conversation.
pub(super) struct Session {
    pub(super) provider: Arc<Provider>,
    requests: RequestReceiver,
    expect: Expect,
    greeted: bool,
    pub(super) authenticated: bool,
    sender: Option<String>,
    recipients: Vec<String>,
    pub(super) mistakes: u32,
    pub(super) ending: Option<Ending>,
}

/// Appends one line.
pub(super) fn say(out: &mut Vec<u8>, line: &str) {
    out.extend_from_slice(line.as_bytes());
    out.extend_from_slice(b"\r\n");
}

impl Session {
    /// A conversation, and its greeting.
    pub(super) fn begin(provider: Arc<Provider>) -> (Self, Vec<u8>) {
        let mut out = Vec::new();
        say(&mut out, &format!("220 {} ESMTP mailcanary sandbox", provider.host()));
        let session = Self {
            provider,
            requests: RequestReceiver::default(),
            expect: Expect::Command,
            greeted: false,
            authenticated: false,
            sender: None,
            recipients: Vec::new(),
            mistakes: 0,
            ending: None,
        };
        (session, out)
    }

    /// Whether the conversation is over.
    pub(super) const fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// The client said nothing for too long.
    pub(super) fn tire(&mut self, out: &mut Vec<u8>) {
        say(out, "421 4.4.2 Timeout exceeded");
        self.ending = Some(Ending::Close);
    }

    /// Takes what came in, and appends the answers.
    pub(super) fn hear(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut bytes = bytes.iter();
        while self.ending.is_none() {
            self.expect = match std::mem::replace(&mut self.expect, Expect::Command) {
                Expect::Command => match self.requests.ingest(&mut bytes).map(Request::into_owned) {
                    Ok(request) => self.obey(request, out),
                    Err(Error::NeedsMoreData { .. }) => return,
                    Err(error) => self.complain(&error, out),
                },
                Expect::RestOfLine => {
                    if !DummyLineReceiver::default().ingest(&mut bytes) {
                        self.expect = Expect::RestOfLine;
                        return;
                    }
                    Expect::Command
                }
                Expect::Plain(mut line) => {
                    if !line.ingest(&mut bytes) {
                        self.expect = Expect::Plain(line);
                        return;
                    }
                    self.log_in_plain(&line.buf, out)
                }
                Expect::Username(mut line) => {
                    if !line.ingest(&mut bytes) {
                        self.expect = Expect::Username(line);
                        return;
                    }
                    say(out, "334 UGFzc3dvcmQ6");
                    Expect::Password(LineReceiver::new(line.buf))
                }
                Expect::Password(mut line) => {
                    if !line.ingest(&mut bytes) {
                        self.expect = Expect::Password(line);
                        return;
                    }
                    self.log_in_halves(&line.state, &line.buf, out)
                }
                data @ (Expect::Data(..) | Expect::RestOfData(_)) => match self.read_data(data, &mut bytes, out) {
                    Ok(next) => next,
                    Err(unfinished) => {
                        self.expect = unfinished;
                        return;
                    }
                },
            };
        }
    }

    /// Reads more of a message: what is expected next, or the same again for want of bytes.
    fn read_data(&mut self, data: Expect, bytes: &mut Iter<'_, u8>, out: &mut Vec<u8>) -> Result<Expect, Expect> {
        match data {
            Expect::Data(mut receiver, mut message) => {
                let whole = receiver.ingest(bytes, &mut message);
                if message.len() > MAX_MESSAGE {
                    return Ok(if whole { self.too_large(out) } else { Expect::RestOfData(DummyDataReceiver::new_data(&receiver)) });
                }
                if whole { Ok(self.take(&message, out)) } else { Err(Expect::Data(receiver, message)) }
            }
            Expect::RestOfData(mut receiver) => {
                if receiver.ingest(bytes) {
                    Ok(self.too_large(out))
                } else {
                    Err(Expect::RestOfData(receiver))
                }
            }
            other @ (Expect::Command | Expect::RestOfLine | Expect::Plain(_) | Expect::Username(_) | Expect::Password(_)) => Ok(other),
        }
    }

    fn obey(&mut self, request: Request<String>, out: &mut Vec<u8>) -> Expect {
        match request {
            Request::Ehlo { .. } => self.greet(out),
            Request::Helo { .. } => {
                self.greeted = true;
                self.reset();
                say(out, &format!("250 {}", self.provider.host()));
            }
            Request::Auth { mechanism, initial_response } => return self.authenticate(mechanism, &initial_response, out),
            Request::Mail { from } => self.mail(from.address, from.size, out),
            Request::Rcpt { to } => self.rcpt(to.address, out),
            Request::Data => return self.data(out),
            Request::Rset => {
                self.reset();
                say(out, "250 2.0.0 Ok");
            }
            Request::Noop { .. } => say(out, "250 2.0.0 Ok"),
            Request::Vrfy { .. } => say(out, "252 2.1.5 Send some mail, I will try my best"),
            Request::Help { .. } => say(out, "214 2.0.0 See RFC 5321"),
            Request::Quit => {
                say(out, "221 2.0.0 Bye");
                self.ending = Some(Ending::Close);
            }
            Request::Lhlo { .. }
            | Request::Bdat { .. }
            | Request::Expn { .. }
            | Request::Etrn { .. }
            | Request::Atrn { .. }
            | Request::Burl { .. }
            | Request::StartTls => return self.mistake("502 5.5.1 Command not implemented", out),
        }
        Expect::Command
    }

    fn greet(&mut self, out: &mut Vec<u8>) {
        self.greeted = true;
        self.reset();
        let mut response = EhloResponse::new(self.provider.host());
        response.capabilities = EXT_AUTH | EXT_SIZE | EXT_8BIT_MIME | EXT_PIPELINING | EXT_ENHANCED_STATUS_CODES;
        response.auth_mechanisms = AUTH_PLAIN | AUTH_LOGIN;
        response.size = MAX_MESSAGE;
        if response.write(&mut *out).is_err() {
            self.ending = Some(Ending::Close);
        }
    }

    fn mail(&mut self, sender: String, size: usize, out: &mut Vec<u8>) {
        if !self.greeted || self.sender.is_some() {
            self.mistake("503 5.5.1 Bad sequence of commands", out);
        } else if !self.authenticated {
            self.mistake("530 5.7.0 Authentication required", out);
        } else if size > MAX_MESSAGE {
            self.too_large(out);
        } else if !self.refused(Phase::Mail, out) {
            self.sender = Some(sender);
            say(out, "250 2.1.0 Ok");
        }
    }

    fn rcpt(&mut self, recipient: String, out: &mut Vec<u8>) {
        if self.sender.is_none() {
            self.mistake("503 5.5.1 Bad sequence of commands", out);
        } else if self.recipients.len() >= RECIPIENTS {
            say(out, "452 4.5.3 Too many recipients");
        } else if !self.refused(Phase::Rcpt, out) {
            self.recipients.push(recipient);
            say(out, "250 2.1.5 Ok");
        }
    }

    fn data(&mut self, out: &mut Vec<u8>) -> Expect {
        if self.recipients.is_empty() {
            return self.mistake("503 5.5.1 Bad sequence of commands", out);
        }
        say(out, "354 End data with <CR><LF>.<CR><LF>");
        // The receiver knows a final dot by the line end before it, which for an empty message is that of the command.
        let (mut receiver, mut message) = (DataReceiver::new(), Vec::new());
        receiver.ingest(&mut b"\r\n".iter(), &mut message);
        message.clear();
        Expect::Data(receiver, message)
    }

    fn take(&mut self, message: &[u8], out: &mut Vec<u8>) -> Expect {
        let (sender, recipients) = (self.sender.take().unwrap_or_default(), std::mem::take(&mut self.recipients));
        if self.refused(Phase::Message, out) {
            return Expect::Command;
        }
        let mut queued = Vec::new();
        for recipient in &recipients {
            let ticket = self.provider.ticket();
            if self.provider.take(&ticket, &sender, recipient, message, "ESMTPA").is_err() {
                say(out, "452 4.3.1 Insufficient system storage");
                return Expect::Command;
            }
            queued.push(ticket.id);
        }
        self.ending = match self.provider.fault() {
            Some(Fault::NoAnswer) => Some(Ending::Silence),
            Some(Fault::CutOff) => Some(Ending::Close),
            Some(_) | None => {
                say(out, &format!("250 2.0.0 Ok: queued as {}", queued.first().map_or("", String::as_str)));
                None
            }
        };
        Expect::Command
    }

    pub(super) fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }
}
