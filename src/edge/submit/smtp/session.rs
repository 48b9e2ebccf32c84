//! One conversation, from the connection to the answer.

use std::time::Duration;

use data_encoding::BASE64;
use lettre::Address;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Quit, Rcpt, Starttls};
use tokio::time::Instant;

use super::message::stuffed;
use super::pool::Idle;
use super::talk::{Lost, Reply, Talk};
use super::{Credentials, Login, Smtp};
use crate::config::{Secret, Tls};
use crate::edge::dial::DialError;
use crate::edge::submit::api::{Cut, hint};
use crate::edge::submit::classify::{Phase, classify};
use crate::edge::submit::oauth::{Access, Tokens};
use crate::model::{At, Class, Leg, Outcome, Span};

/// The first line: some servers wait on purpose, to see who speaks too early.
const FOR_BANNER: Duration = Duration::from_secs(20);
/// Any command that needs no work.
const FOR_COMMAND: Duration = Duration::from_secs(15);
/// Servers answer a wrong password late, to slow down who guesses.
const FOR_AUTH: Duration = Duration::from_secs(20);
/// Content filters run while we wait; RFC 5321 allows ten minutes, the whole submission has less.
const FOR_ANSWER: Duration = Duration::from_secs(60);
/// A courtesy: the answer is there already.
const FOR_QUIT: Duration = Duration::from_secs(1);

/// What to look at where a token is not taken, and nobody says why.
const TOKEN: &str = "see that the access token is of the account that `username` names, has the scope to send over SMTP and, where a file holds it, is renewed; and that SMTP AUTH is on for the mailbox";

/// Why there is no acceptance.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) outcome: Outcome,
    /// The server's words, or ours.
    pub(super) words: String,
    /// What to mend first, where that is plain.
    pub(super) hint: Option<String>,
}

impl Failure {
    fn refused(class: Class, words: String) -> Self {
        let hint = hint(class, &words).map(str::to_owned);
        Self { outcome: Outcome::Refused(class), words, hint }
    }

    fn unknown(words: String) -> Self {
        Self { outcome: Outcome::Unknown, words, hint: None }
    }
}

impl From<DialError> for Failure {
    fn from(error: DialError) -> Self {
        Self::refused(error.class, error.to_string())
    }
}

impl From<Cut> for Failure {
    fn from(cut: Cut) -> Self {
        Self { outcome: cut.outcome, words: cut.words, hint: cut.hint }
    }
}

/// A conversation and what it took.
#[derive(Debug)]
pub(super) struct Session<'a> {
    smtp: &'a Smtp,
    /// When it began, by the clock of the world.
    at: At,
    deadline: Instant,
    /// The access tokens that were shown.
    shown: Vec<Secret>,
    talk: Option<Talk>,
    /// When it was opened, if that was for an earlier canary, and how many it has taken.
    before: Option<(Instant, u32)>,
    /// When the current leg began, and which it is.
    leg: (Leg, Instant),
    legs: Vec<(Leg, Span)>,
}

impl<'a> Session<'a> {
    pub(super) fn new(smtp: &'a Smtp, at: At, deadline: Instant) -> Self {
        Self { smtp, at, deadline, shown: Vec::new(), talk: None, before: None, leg: (Leg::Connect, Instant::now()), legs: Vec::new() }
    }

    /// How long each leg took, the current one as far as it came.
    pub(super) fn legs(&mut self) -> Vec<(Leg, Span)> {
        self.begin(Leg::Data);
        std::mem::take(&mut self.legs)
    }

    /// Ends the current leg and begins `next`. The banner and the first `EHLO` belong to whatever came before them.
    fn begin(&mut self, next: Leg) {
        let (leg, since) = std::mem::replace(&mut self.leg, (next, Instant::now()));
        let took = Span::from(since.elapsed());
        match self.legs.iter_mut().find(|(known, _)| *known == leg) {
            Some((_, sum)) => *sum = *sum + took,
            None => self.legs.push((leg, took)),
        }
    }

    /// Connects, encrypts and authenticates. Gives the last reply.
    pub(super) async fn open(&mut self) -> Result<Reply, Failure> {
        let smtp = self.smtp;
        let deadline = self.deadline;
        let connected = tokio::time::timeout_at(deadline, smtp.dialer.tcp(&smtp.host, smtp.port)).await;
        let mut stream = connected.or(Err(Failure::refused(Class::Network, "no connection in time".to_owned())))??;
        if smtp.tls == Tls::Implicit {
            self.begin(Leg::Tls);
            stream = smtp.dialer.tls(stream, &smtp.host).await?;
        }
        let talk = self.talk.insert(Talk::new(stream, deadline));
        let banner = talk.reply(FOR_BANNER).await;
        expect(Phase::Banner, banner, 220)?;
        let mut offers = self.command(Phase::Hello, Ehlo::new(smtp.hello.clone()), FOR_COMMAND, 250).await?;
        if smtp.tls == Tls::StartTls {
            offers = self.start_tls(&offers).await?;
        }
        match &smtp.login {
            Some(login) => self.authenticate(login, &offers).await,
            None => Ok(offers),
        }
    }

    /// Encrypts the conversation. Whatever goes wrong, it does not go on in the clear.
    async fn start_tls(&mut self, offers: &Reply) -> Result<Reply, Failure> {
        let smtp = self.smtp;
        self.begin(Leg::Tls);
        if !offers.lines().any(|line| line.trim().eq_ignore_ascii_case("STARTTLS")) {
            return Err(Failure::refused(Class::Tls, format!("the server does not offer STARTTLS\n{}", offers.text)));
        }
        self.command(Phase::StartTls, Starttls, FOR_COMMAND, 220).await?;
        let injected = || Failure::refused(Class::Tls, "the server spoke between STARTTLS and the handshake".to_owned());
        let stream = self.talk.take().and_then(Talk::into_stream).ok_or_else(injected)?;
        let stream = smtp.dialer.tls(stream, &smtp.host).await?;
        self.talk = Some(Talk::new(stream, self.deadline));
        self.command(Phase::Hello, Ehlo::new(smtp.hello.clone()), FOR_COMMAND, 250).await
    }

    /// By XOAUTH2 with a token; by PLAIN with a password if it is offered, else by LOGIN, whose prompts are not read: they come in every
    /// language, and always in this order.
    async fn authenticate(&mut self, login: &Login, offers: &Reply) -> Result<Reply, Failure> {
        self.begin(Leg::Auth);
        let offered = mechanisms(offers);
        let has = |wanted: &str| offered.iter().any(|name| name == wanted);
        match &login.credentials {
            Credentials::Password(password) if has("PLAIN") => {
                let proof = plain(&login.user, password.expose());
                self.command(Phase::Auth, format!("AUTH PLAIN {proof}\r\n"), FOR_AUTH, 235).await
            }
            Credentials::Password(password) if has("LOGIN") => {
                let (user, password) = (BASE64.encode(login.user.as_bytes()), BASE64.encode(password.expose().as_bytes()));
                self.command(Phase::Auth, "AUTH LOGIN\r\n", FOR_AUTH, 334).await?;
                self.command(Phase::Auth, format!("{user}\r\n"), FOR_AUTH, 334).await?;
                self.command(Phase::Auth, format!("{password}\r\n"), FOR_AUTH, 235).await
            }
            Credentials::Password(_) => {
                Err(Failure::refused(Class::Auth, format!("the server offers neither AUTH PLAIN nor LOGIN\n{}", offers.text)))
            }
            Credentials::Token { tokens, http } if has("XOAUTH2") => self.show_token(&login.user, tokens, http).await,
            Credentials::Token { .. } => {
                Err(Failure::refused(Class::Auth, format!("the server does not offer AUTH XOAUTH2\n{}", offers.text)))
            }
        }
    }

    /// By XOAUTH2. Where a kept token is not taken any more, once again with a new one.
    async fn show_token(&mut self, user: &str, tokens: &Tokens, http: &reqwest::Client) -> Result<Reply, Failure> {
        let access = tokens.get(http, self.at, self.deadline).await?;
        let kept = access.kept;
        let refusal = match self.show(user, access, tokens).await {
            Err(refusal) if kept && refusal.outcome == Outcome::Refused(Class::Auth) => refusal,
            shown => return shown,
        };
        let access = tokens.get(http, self.at, self.deadline).await?;
        // Of a server that hangs up between the two, the first is its answer.
        let hung_up = |again: &Failure| again.outcome == Outcome::Refused(Class::Network);
        self.show(user, access, tokens).await.map_err(|again| if hung_up(&again) { refusal } else { again })
    }

    /// Shows one token: a refusal first comes as a challenge that says why, and as a reply once that is acknowledged.
    async fn show(&mut self, user: &str, access: Access, tokens: &Tokens) -> Result<Reply, Failure> {
        let proof = xoauth2(user, access.token.expose());
        self.shown.push(access.token.clone());
        let Some(talk) = &mut self.talk else { return Err(no_connection()) };
        let reply = talk.command(format!("AUTH XOAUTH2 {proof}\r\n"), FOR_AUTH).await;
        let Ok(Reply { code: 334, text }) = &reply else {
            if reply.as_ref().is_ok_and(|reply| reply.code / 100 == 5) {
                tokens.reject(&access.token).await;
            }
            return expect(Phase::Auth, reply, 235);
        };
        tokens.reject(&access.token).await;
        let challenge = text.get(3..).map(str::trim).unwrap_or_default();
        let why = BASE64.decode(challenge.as_bytes()).map(|why| String::from_utf8_lossy(&why).into_owned()).unwrap_or_default();
        let ended = self.command(Phase::Auth, "\r\n", FOR_AUTH, 235).await;
        ended.map_err(|failure| {
            let hint = failure.hint.or_else(|| (failure.outcome == Outcome::Refused(Class::Auth)).then(|| TOKEN.to_owned()));
            Failure { words: format!("{}\n{why}", failure.words), hint, ..failure }
        })
    }

    /// Hands `message` over, on `idle` if it still serves.
    pub(super) async fn submit(&mut self, idle: Option<Idle>, from: &Address, to: &Address, message: &[u8]) -> Result<Reply, Failure> {
        if let Some(idle) = idle {
            self.resume(idle);
            // Whatever it says, it may be said of the session alone: it is old, or had canaries enough.
            if self.announce(from, to).await.is_ok() {
                return self.hand_over(message).await;
            }
            self.leave().await;
            *self = Self::new(self.smtp, self.at, self.deadline);
        }
        self.open().await?;
        self.begin(Leg::Data);
        self.announce(from, to).await?;
        self.hand_over(message).await
    }

    /// Goes on with a session of an earlier canary.
    pub(super) fn resume(&mut self, idle: Idle) {
        self.leg = (Leg::Data, Instant::now());
        self.shown = idle.shown;
        self.before = Some((idle.born, idle.canaries));
        self.talk = Some(idle.talk.until_then(self.deadline));
    }

    /// The session, to wait for the next canary; `begun` is when it was opened unless that was for an earlier one.
    pub(super) fn idle(&mut self, begun: Instant) -> Option<Idle> {
        let talk = self.talk.take()?;
        let (born, canaries) = self.before.unwrap_or((begun, 0));
        Some(Idle { talk, shown: self.shown.clone(), born, canaries: canaries.saturating_add(1) })
    }

    /// Says from whom to whom, up to the point where the message itself is due.
    async fn announce(&mut self, from: &Address, to: &Address) -> Result<(), Failure> {
        self.command(Phase::Mail, Mail::new(Some(from.clone()), Vec::new()), FOR_COMMAND, 250).await?;
        self.command(Phase::Rcpt, Rcpt::new(to.clone(), Vec::new()), FOR_COMMAND, 250).await?;
        self.command(Phase::Data, Data, FOR_COMMAND, 354).await?;
        Ok(())
    }

    /// Sends the message itself, once.
    async fn hand_over(&mut self, message: &[u8]) -> Result<Reply, Failure> {
        let Some(talk) = &mut self.talk else { return Err(no_connection()) };
        if let Err(lost) = talk.send(&stuffed(message), FOR_ANSWER).await {
            // Without its final dot the message does not exist; the server may have said why it wants no more of it.
            let why = talk.reply(FOR_QUIT).await.or(Err(lost));
            return expect(Phase::EndOfData, why, 0);
        }
        // From here on nobody but the server knows whether it has the message.
        let answer = match talk.send(b".\r\n", FOR_ANSWER).await {
            Ok(()) => talk.reply(FOR_ANSWER).await,
            Err(lost) => talk.reply(FOR_QUIT).await.or(Err(lost)),
        };
        match answer {
            Ok(reply) if (200..300).contains(&reply.code) => Ok(reply),
            Ok(reply) if (400..700).contains(&reply.code) => expect(Phase::EndOfData, Ok(reply), 250),
            Ok(reply) => Err(Failure::unknown(reply.text)),
            Err(lost) => Err(Failure::unknown(format!("after the message: {lost}"))),
        }
    }

    /// Says good-bye, if there is still anybody to say it to.
    pub(super) async fn quit(&mut self) {
        if let Some(talk) = &mut self.talk {
            // The answer is known; what becomes of the connection changes nothing.
            let _ = talk.command(Quit, FOR_QUIT).await;
        }
    }

    /// Says good-bye, and does not wait for an answer.
    async fn leave(&mut self) {
        if let Some(mut talk) = self.talk.take() {
            // What becomes of it changes nothing.
            drop(talk.send(Quit.to_string().as_bytes(), FOR_QUIT).await);
        }
    }

    /// What must not be kept of the server's words, in every form that went over the wire.
    pub(super) fn secrets(&self) -> Vec<String> {
        let Some(login) = &self.smtp.login else { return Vec::new() };
        match &login.credentials {
            Credentials::Password(password) => {
                let password = password.expose();
                vec![password.to_owned(), BASE64.encode(password.as_bytes()), plain(&login.user, password)]
            }
            Credentials::Token { tokens, .. } => {
                let shown = self.shown.iter().flat_map(|token| [token.expose().to_owned(), xoauth2(&login.user, token.expose())]);
                shown.chain(tokens.secrets()).collect()
            }
        }
    }

    async fn command(&mut self, phase: Phase, command: impl std::fmt::Display, patience: Duration, wanted: u16) -> Result<Reply, Failure> {
        let Some(talk) = &mut self.talk else { return Err(no_connection()) };
        let reply = talk.command(command, patience).await;
        expect(phase, reply, wanted)
    }
}

/// `reply` if it is of the kind that `wanted` is: 2xx for a 2xx, and exactly 354 or 334 for these.
fn expect(phase: Phase, reply: Result<Reply, Lost>, wanted: u16) -> Result<Reply, Failure> {
    match reply {
        Ok(reply) if reply.code == wanted || reply.code / 100 == 2 && wanted / 100 == 2 => Ok(reply),
        Ok(reply) => Err(Failure::refused(classify(phase, reply.code, &reply.text), reply.text)),
        Err(lost) => {
            let class = if lost.is_nonsense() { Class::Unknown } else { Class::Network };
            Err(Failure::refused(class, format!("{}: {lost}", name(phase))))
        }
    }
}

const fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::Banner => "waiting for the greeting",
        Phase::Hello => "EHLO",
        Phase::StartTls => "STARTTLS",
        Phase::Auth => "AUTH",
        Phase::Mail => "MAIL FROM",
        Phase::Rcpt => "RCPT TO",
        Phase::Data => "DATA",
        Phase::EndOfData => "sending the message",
    }
}

fn no_connection() -> Failure {
    Failure::refused(Class::Network, "no connection".to_owned())
}

/// The initial response of PLAIN (RFC 4616).
fn plain(user: &str, password: &str) -> String {
    BASE64.encode(format!("\0{user}\0{password}").as_bytes())
}

/// The initial response of XOAUTH2, as Google and Microsoft document it.
fn xoauth2(user: &str, token: &str) -> String {
    BASE64.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01").as_bytes())
}

/// The authentication mechanisms of an `EHLO` reply in upper case; the old form `AUTH=…` counts too.
fn mechanisms(offers: &Reply) -> Vec<String> {
    let lines = offers.lines().map(str::to_ascii_uppercase);
    let auth = lines.filter_map(|line| line.strip_prefix("AUTH").and_then(|rest| rest.strip_prefix([' ', '='])).map(str::to_owned));
    auth.flat_map(|names| names.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}
