//! SMTP submission (RFC 5321, 6409): a connection for each canary, or one for several in a row where somebody tends the pool.
//!
//! Messages, addresses and commands are lettre's. The conversation is not: its connection gives no bound to a line that never ends, keeps
//! what a man in the middle says before the handshake, and does not hand out a reply as it came. Replies here are bounded and kept whole,
//! each phase is timed and has its own deadline, and STARTTLS runs over the dialer's own TLS.

mod message;
mod pool;
mod session;
mod talk;

use std::future::{Ready, ready};
use std::str::FromStr;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::extension::ClientId;
use tokio::time::Instant;

use self::pool::{Idle, Pool};
use self::session::{Failure, Session};
use super::evidence::evidence;
use super::message::build;
use super::oauth::Tokens;
use super::{After, Answer, Finding, Secrets, SetUpError, Unread, secret};
use crate::canary::Composed;
use crate::config::{Mailbox, Proof, Secret, SmtpSettings, Tls};
use crate::edge::dial::Dialer;
use crate::model::{At, CanaryId, Class, Leg, Outcome, Sign, Span};

/// A whole submission, from the name's look-up to the answer: no canary is worth more of a minute's schedule.
const DEADLINE: Duration = Duration::from_secs(60);

/// A provider that is spoken to over SMTP.
#[derive(Debug)]
pub(super) struct Smtp {
    dialer: Dialer,
    host: String,
    port: u16,
    tls: Tls,
    login: Option<Login>,
    hello: ClientId,
    from: Mailbox,
    envelope_from: Address,
    deadline: Duration,
    /// Sessions for the next canary, if they are kept.
    pool: Option<Pool>,
}

/// Who logs in.
#[derive(Debug)]
struct Login {
    user: String,
    credentials: Credentials,
}

/// How a user is known.
#[derive(Debug)]
enum Credentials {
    Password(Secret),
    /// By XOAUTH2; tokens are got over HTTP.
    Token {
        tokens: Tokens,
        http: reqwest::Client,
    },
}

impl Smtp {
    pub(super) fn new(from: &Mailbox, settings: &SmtpSettings, dialer: Dialer, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        let login = settings.login.as_ref().map(|login| {
            let credentials = match &login.proof {
                Proof::Password(at) => Credentials::Password(secret(secrets, at)?),
                Proof::OAuth(oauth) => Credentials::Token { tokens: Tokens::new(oauth, secrets, &login.user)?, http: dialer.http()? },
            };
            Ok::<_, SetUpError>(Login { user: login.user.clone(), credentials })
        });
        let login = login.transpose()?;
        Ok(Self {
            dialer,
            host: settings.host.clone(),
            port: settings.port,
            tls: settings.tls,
            login,
            hello: hello(settings.hello.as_deref()),
            envelope_from: Address::from_str(&from.address).or(Err(SetUpError::From(from.address.clone())))?,
            from: from.clone(),
            deadline: DEADLINE,
            pool: None,
        })
    }

    /// Keeps sessions open for the next canary. Wants somebody who [tends](Self::tend) them.
    pub(super) fn pooled(mut self) -> Self {
        self.pool = Some(Pool::default());
        self
    }

    /// Closes the sessions that waited in vain. Never ends where sessions are kept.
    pub(super) async fn tend(&self) {
        let Some(pool) = &self.pool else { return };
        loop {
            self.close(pool.over().await).await;
        }
    }

    pub(super) const fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    pub(super) async fn submit(&self, mail: &Composed, canary: CanaryId, at: At) -> Answer {
        let (to, message) = match build(&self.from, mail, canary, at) {
            Ok(built) => built,
            Err(e) => return refused(Class::Permanent, &e.to_string()),
        };
        self.hand_over(&to, &message, at).await
    }

    /// Hands a whole message over for one recipient.
    pub(super) async fn hand_over(&self, to: &Address, message: &[u8], at: At) -> Answer {
        let begun = Instant::now();
        let mut session = Session::new(self, at, begun + self.deadline);
        let idle = match &self.pool {
            Some(pool) => pool.take().await,
            None => None,
        };
        let result = session.submit(idle, &self.envelope_from, to, message).await;
        let legs = session.legs();
        // After a refusal nothing is taken for granted.
        if let (Some(pool), Ok(_)) = (&self.pool, &result)
            && let Some(idle) = session.idle(begun).and_then(|idle| pool.put(idle))
        {
            self.close(idle).await;
        }
        self.answer(session, legs, result).await
    }

    /// Says good-bye to a session that nobody needs any more.
    async fn close(&self, idle: Idle) {
        let now = Instant::now();
        let mut session = Session::new(self, At::default(), now + self.deadline);
        session.resume(idle);
        session.quit().await;
    }

    /// SMTP has no such question.
    #[expect(clippy::unused_self, reason = "all transports are asked alike")]
    pub(super) fn trace(&self, _after: After<'_>, _at: At) -> Ready<Option<Finding>> {
        ready(None)
    }

    pub(super) async fn log_in(&self, at: At) -> Answer {
        let mut session = Session::new(self, at, Instant::now() + self.deadline);
        let result = session.open().await;
        let legs = session.legs();
        self.answer(session, legs, result).await
    }

    /// Nobody there knows of an account.
    pub(super) async fn look(&self, at: At) -> (Answer, Option<Result<Vec<Sign>, Unread>>) {
        (self.log_in(at).await, None)
    }

    /// Nobody there knows of an account.
    pub(super) fn signs(&self, _at: At) -> Ready<Option<Result<Vec<Sign>, Unread>>> {
        ready(None)
    }

    async fn answer(&self, mut session: Session<'_>, legs: Vec<(Leg, Span)>, result: Result<talk::Reply, Failure>) -> Answer {
        session.quit().await;
        let (outcome, words, message_id, hint) = match result {
            Ok(reply) => (Outcome::Accepted, reply.text.clone(), message::queue_id(&reply), None),
            Err(Failure { outcome, words, hint }) => (outcome, words, None, hint),
        };
        let secrets = session.secrets();
        let secrets: Vec<_> = secrets.iter().map(String::as_str).collect();
        Answer { outcome, reply: Some(evidence(&words, &secrets)), hint, message_id, legs, retry_after: None }
    }
}

fn refused(class: Class, words: &str) -> Answer {
    let reply = Some(evidence(words, &[]));
    Answer { outcome: Outcome::Refused(class), reply, hint: None, message_id: None, legs: Vec::new(), retry_after: None }
}

/// What `EHLO` says: `configured`, else this host's name. A name that no server would take becomes the loopback address's literal.
fn hello(configured: Option<&str>) -> ClientId {
    let name = configured.map_or_else(|| gethostname::gethostname().to_string_lossy().into_owned(), str::to_owned);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '[' | ']' | ':');
    if let Ok(address) = name.trim_matches(['[', ']']).parse() {
        return match address {
            std::net::IpAddr::V4(v4) => ClientId::Ipv4(v4),
            std::net::IpAddr::V6(v6) => ClientId::Ipv6(v6),
        };
    }
    if name.is_empty() || !name.chars().all(fits) { ClientId::default() } else { ClientId::Domain(name) }
}
