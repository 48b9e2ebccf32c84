//! Handing canaries to providers, and hearing from these what became of them.
//!
//! A canary is handed over once. What fails before the provider had the whole of it was refused; what is cut off later has an unknown
//! fate, and is never sent again. A new transport is one file and one line of `transports!`.

mod api;
mod classify;
mod evidence;
mod hooks;
mod message;
mod oauth;
mod postbox;
mod smtp;
mod trigger;

pub use oauth::{Access, NoToken, Tokens};
pub use postbox::Postbox;

use std::time::Duration;

pub use self::hooks::{Hooks, Owner, Told};

use crate::canary::Composed;
use crate::config::{Provider, ProviderKind, Secret, SecretRef, ServiceKeyError, SigningKeyError};
use crate::edge::dial::{DialError, Dialer};
use crate::model::{At, CanaryId, Class, Fate, Leg, Outcome, Sign, Span};

/// How a submission, or a log-in without one, ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it ended. A log-in that succeeds is `accepted`.
    pub outcome: Outcome,
    /// The provider's own words, or ours where it said none; at most 4 KiB, without control characters and secrets.
    pub reply: Option<String>,
    /// What to mend first, where that is known more exactly than by the class of a refusal.
    pub hint: Option<String>,
    /// The provider's id of the message.
    pub message_id: Option<String>,
    /// How long each leg took that was begun.
    pub legs: Vec<(Leg, Span)>,
    /// The provider wants nothing for so long.
    pub retry_after: Option<Span>,
}

/// Why a provider does not say how the account stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// What kind of failure.
    pub class: Class,
    /// The provider's own words, or ours where it said none; kept as an [`Answer`]'s.
    pub why: String,
    /// The provider wants nothing for so long.
    pub retry_after: Option<Span>,
}

/// A mail that was taken and has not arrived.
#[derive(Clone, Copy, Debug)]
pub struct After<'a> {
    /// The provider's id of it, if there is one.
    pub message_id: Option<&'a str>,
    /// The seed's address.
    pub recipient: &'a str,
    /// When it was sent.
    pub sent_at: At,
}

/// What a provider says became of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub fate: Fate,
    /// Its own words, or the receiver's that it passes on; at most 1 KiB, without control characters and secrets.
    pub words: String,
}

/// A provider cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetUpError {
    /// The way out cannot be prepared.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// A secret was not handed over.
    #[error("the secret `{0:?}` is not known")]
    Secret(SecretRef),
    /// A secret is no key of a service account.
    #[error("the key of the service account")]
    ServiceKey(#[from] ServiceKeyError),
    /// A secret does not fit its webhook.
    #[error("the secret of the webhook")]
    Webhook(#[from] SigningKeyError),
    /// The sender's address is none.
    #[error("`{0}` is no address that mail can be from")]
    From(String),
}

/// Where a secret is looked up. All secrets are read before anything is set up.
pub type Secrets<'a> = &'a dyn Fn(&SecretRef) -> Option<Secret>;

/// Declares [`Submitter`]: one line a transport, named as in [`ProviderKind`].
macro_rules! transports {
    ($($kind:ident($transport:ty),)*) => {
        /// One provider, ready to take canaries.
        #[derive(Debug)]
        pub struct Submitter(Transport);

        #[derive(Debug)]
        enum Transport {
            $($kind($transport),)*
        }

        impl Submitter {
            /// Prepares a provider. Connects to nothing yet.
            ///
            /// # Errors
            /// See [`SetUpError`].
            pub fn new(provider: &Provider, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
                let dialer = Dialer::new(&provider.wire)?;
                Ok(Self(match &provider.kind {
                    $(ProviderKind::$kind(settings) => Transport::$kind(<$transport>::new(&provider.from, settings, dialer, secrets)?),)*
                }))
            }

            /// The same, but giving up after `deadline` instead of 60 s (SMTP) or 30 s (HTTP).
            #[must_use]
            pub fn within(self, deadline: Duration) -> Self {
                Self(match self.0 {
                    $(Transport::$kind(transport) => Transport::$kind(transport.within(deadline)),)*
                })
            }

            /// Hands `mail` over, which is `canary`, at `at`. Never fails and never takes longer than its deadline.
            pub async fn submit(&self, mail: &Composed, canary: CanaryId, at: At) -> Answer {
                match &self.0 {
                    $(Transport::$kind(transport) => transport.submit(mail, canary, at).await,)*
                }
            }

            /// Asks at `at` what became of a mail that was taken; nothing where a provider of this kind cannot be asked. Never takes longer
            /// than its deadline.
            pub async fn trace(&self, after: After<'_>, at: At) -> Option<Finding> {
                match &self.0 {
                    $(Transport::$kind(transport) => transport.trace(after, at).await,)*
                }
            }

            /// Connects and authenticates at `at` as for a submission, and sends nothing.
            pub async fn log_in(&self, at: At) -> Answer {
                match &self.0 {
                    $(Transport::$kind(transport) => transport.log_in(at).await,)*
                }
            }

            /// The same, and asks how the account stands: once, where one question answers both.
            pub async fn look(&self, at: At) -> (Answer, Option<Result<Vec<Sign>, Unread>>) {
                match &self.0 {
                    $(Transport::$kind(transport) => transport.look(at).await,)*
                }
            }

            /// Asks at `at` how the account stands, and sends nothing; `None` if this transport has no such question.
            pub async fn signs(&self, at: At) -> Option<Result<Vec<Sign>, Unread>> {
                match &self.0 {
                    $(Transport::$kind(transport) => transport.signs(at).await,)*
                }
            }
        }
    };
}

transports! {
    Smtp(smtp::Smtp),
    HttpTrigger(trigger::Trigger),
    Mandrill(api::Api<api::mandrill::Mandrill>),
    SendGrid(api::Api<api::sendgrid::SendGrid>),
    Postmark(api::Api<api::postmark::Postmark>),
    Mailgun(api::Api<api::mailgun::Mailgun>),
    Ses(api::Api<api::ses::Ses>),
    SparkPost(api::Api<api::sparkpost::SparkPost>),
    Resend(api::Api<api::resend::Resend>),
    Brevo(api::Api<api::brevo::Brevo>),
    Mailjet(api::Api<api::mailjet::Mailjet>),
    MailerSend(api::Api<api::mailersend::MailerSend>),
    Azure(api::Api<api::azure::Azure>),
    Gmail(api::Api<api::gmail::Gmail>),
}

impl Submitter {
    /// The same, but a connection that has handed a canary over waits some seconds for the next one, where the transport knows of
    /// connections. Wants somebody who [tends](Self::tend) it.
    #[must_use]
    pub fn pooled(self) -> Self {
        Self(if let Transport::Smtp(smtp) = self.0 { Transport::Smtp(smtp.pooled()) } else { self.0 })
    }

    /// Closes connections that waited in vain. Ends only where none are kept.
    pub async fn tend(&self) {
        if let Transport::Smtp(smtp) = &self.0 {
            smtp.tend().await;
        }
    }
}

/// The secret at `at`.
fn secret(secrets: Secrets<'_>, at: &SecretRef) -> Result<Secret, SetUpError> {
    secrets(at).ok_or_else(|| SetUpError::Secret(at.clone()))
}
