//! The kinds of provider: what each needs, declared once. Reading, secrets and words in texts follow from the declaration.

use std::collections::BTreeMap;

use super::read::{Field, base_url};
use super::text::Section;
use super::{PublicKey, SecretRef, Tls, TriggerSettings};

/// Declares the kinds that have an HTTP API: one entry a kind, its fields named as its keys in `config/keys/senders.rs`. Each has a
/// `base_url` besides.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident($settings:ident) = $word:literal {
        $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
    })*) => {
        /// How a provider is spoken to: one variant a transport.
        #[derive(Clone, Debug, PartialEq)]
        pub enum ProviderKind {
            /// SMTP submission.
            Smtp(SmtpSettings),
            /// The user's own application.
            HttpTrigger(TriggerSettings),
            $($(#[$doc])* $kind($settings),)*
        }

        $(
            #[doc = concat!("`[provider.NAME.", $word, "]`.")]
            #[derive(Clone, Debug, PartialEq)]
            pub struct $settings {
                /// Base URL, without a slash at its end. `http://` only to loopback.
                pub base_url: String,
                $($(#[$field_doc])* pub $field: $type,)*
            }

            impl $settings {
                fn read(section: &Section<'_>) -> Option<Self> {
                    let base_url = base_url(section, $word);
                    $(let $field = <$type as Field>::read(section, stringify!($field));)*
                    Some(Self { base_url: base_url?, $($field: $field?,)* })
                }
            }
        )*

        impl ProviderKind {
            /// Reads the settings of a kind that has an HTTP API.
            pub(super) fn read_api(kind: &str, section: &Section<'_>) -> Option<Self> {
                match kind {
                    $($word => $settings::read(section).map(Self::$kind),)*
                    _ => None,
                }
            }

            /// Its word in the configuration.
            #[must_use]
            pub const fn as_str(&self) -> &'static str {
                match self {
                    Self::Smtp(_) => "smtp",
                    Self::HttpTrigger(_) => "http-trigger",
                    $(Self::$kind(_) => $word,)*
                }
            }

            /// Where it is, and how it is spoken to there.
            #[must_use]
            pub fn place(&self) -> String {
                match self {
                    Self::Smtp(smtp) => format!("{}:{}, tls {}", smtp.host, smtp.port, smtp.tls.as_str()),
                    Self::HttpTrigger(trigger) => trigger.place(),
                    $(Self::$kind(settings) => settings.base_url.clone(),)*
                }
            }

            /// Its stored templates, if it can have any.
            pub(super) fn templates(&self) -> Option<&Templates> {
                match self {
                    Self::Smtp(_) | Self::HttpTrigger(_) => None,
                    $(Self::$kind(settings) => [$(Field::templates(&settings.$field),)*].into_iter().flatten().next(),)*
                }
            }

            /// Every secret that it needs, by its key.
            pub(super) fn secrets(&self) -> Vec<(&'static str, &SecretRef)> {
                match self {
                    Self::Smtp(smtp) => smtp.login.as_ref().map(|login| login.proof.secrets("password")).unwrap_or_default(),
                    Self::HttpTrigger(trigger) => trigger.secrets(),
                    $(Self::$kind(settings) => {
                        [$(settings.$field.secrets(stringify!($field)),)*].into_iter().flatten().collect()
                    })*
                }
            }
        }
    };
}

kinds! {
    /// Mailchimp Transactional (Mandrill).
    Mandrill(MandrillSettings) = "mandrill" {
        /// The API key.
        api_key: SecretRef,
        /// `subaccount` of each message, if any.
        subaccount: Option<String>,
        /// What its webhook is signed by.
        webhook_secret: Option<SecretRef>,
        /// Stored templates.
        templates: Templates,
    }
    /// SendGrid.
    SendGrid(SendGridSettings) = "sendgrid" {
        /// The API key.
        api_key: SecretRef,
        /// What its webhook's signatures are checked by.
        webhook_public_key: Option<PublicKey>,
        /// Stored templates.
        templates: Templates,
    }
    /// Postmark.
    Postmark(PostmarkSettings) = "postmark" {
        /// The server's token.
        api_key: SecretRef,
        /// The message stream.
        message_stream: String,
        /// What its webhook logs in with: `user:password`.
        webhook_secret: Option<SecretRef>,
        /// Stored templates.
        templates: Templates,
    }
    /// Mailgun.
    Mailgun(MailgunSettings) = "mailgun" {
        /// The account's or the domain's key.
        api_key: SecretRef,
        /// The domain as Mailgun knows it; absent: that of `from`.
        domain: Option<String>,
        /// What its webhook is signed by.
        webhook_secret: Option<SecretRef>,
        /// Stored templates.
        templates: Templates,
    }
    /// Amazon SES v2.
    Ses(SesSettings) = "ses" {
        /// The access key's id.
        access_key_id: String,
        /// Its secret.
        secret_access_key: SecretRef,
        /// The token of a temporary access key.
        session_token: Option<SecretRef>,
        /// The region, which signatures are made for.
        region: String,
        /// The configuration set, if any.
        configuration_set: Option<String>,
        /// Stored templates.
        templates: Templates,
    }
    /// SparkPost.
    SparkPost(SparkPostSettings) = "sparkpost" {
        /// The API key.
        api_key: SecretRef,
        /// Stored templates.
        templates: Templates,
    }
    /// Resend.
    Resend(ResendSettings) = "resend" {
        /// The API key.
        api_key: SecretRef,
        /// What its webhook is signed by.
        webhook_secret: Option<SecretRef>,
        /// Stored templates.
        templates: Templates,
    }
    /// Brevo.
    Brevo(BrevoSettings) = "brevo" {
        /// The API key.
        api_key: SecretRef,
        /// Stored templates, by number.
        templates: Templates,
    }
    /// Mailjet.
    Mailjet(MailjetSettings) = "mailjet" {
        /// The public half of the key.
        api_key: String,
        /// The secret half of the key.
        secret_key: SecretRef,
        /// Stored templates, by number.
        templates: Templates,
    }
    /// MailerSend.
    MailerSend(MailerSendSettings) = "mailersend" {
        /// The API token.
        api_key: SecretRef,
        /// Whether headers are sent along.
        headers: bool,
        /// What its webhook is signed by.
        webhook_secret: Option<SecretRef>,
        /// Stored templates.
        templates: Templates,
    }
    /// Azure Communication Services.
    Azure(AzureSettings) = "azure" {
        /// An access key, in base64.
        access_key: SecretRef,
    }
    /// Gmail API.
    Gmail(GmailSettings) = "gmail" {
        /// Where access tokens come from.
        oauth: OAuth,
    }
}

impl ProviderKind {
    /// Whether it is an application of our own, and no provider.
    #[must_use]
    pub const fn is_own(&self) -> bool {
        matches!(self, Self::HttpTrigger(_))
    }

    /// Whether it can be asked what became of a mail.
    #[must_use]
    pub const fn tells(&self) -> bool {
        !matches!(self, Self::Smtp(_) | Self::HttpTrigger(_) | Self::Gmail(_))
    }

    /// Whether it can be asked how the account stands.
    #[must_use]
    pub const fn has_signs(&self) -> bool {
        matches!(self, Self::Mandrill(_) | Self::SendGrid(_) | Self::Ses(_) | Self::SparkPost(_) | Self::Brevo(_) | Self::MailerSend(_))
    }

    /// Where a seed is taken off its suppression list, in words; empty where that is not known.
    #[must_use]
    pub const fn suppression_list(&self) -> &'static str {
        match self {
            Self::Mandrill(_) => "Outbound, Rejection Denylist, in the console, or `/rejects/delete`",
            Self::SendGrid(_) => "Suppressions in the console, or `DELETE /v3/suppression/{bounces,spam_reports,invalid_emails}/ADDRESS`",
            Self::Postmark(_) => "Suppressions of the message stream in the console, or `POST /message-streams/STREAM/suppressions/delete`",
            Self::Mailgun(_) => {
                "Suppressions of the domain in the console, or `DELETE /v3/DOMAIN/{bounces,complaints,unsubscribes}/ADDRESS`"
            }
            Self::Ses(_) => "Suppression list in the console, or `DELETE /v2/email/suppression/addresses/ADDRESS`",
            Self::SparkPost(_) => "Suppressions in the console, or `DELETE /api/v1/suppression-list/ADDRESS`",
            Self::Resend(_) => "Suppressions in the console",
            Self::Brevo(_) => "Transactional, Settings, Blocked contacts, in the console, or `DELETE /v3/smtp/blockedContacts/ADDRESS`",
            Self::Mailjet(_) => "the contact in the console; a recent bounce is forgotten by itself",
            Self::MailerSend(_) => "Suppressions in the console, or `DELETE /v1/suppressions/{hard-bounces,…}`",
            Self::Azure(_) => "the resource's suppression lists; Microsoft's own passes by itself, and each further bounce prolongs it",
            Self::Smtp(_) | Self::HttpTrigger(_) | Self::Gmail(_) => "",
        }
    }
}

/// The provider's own stored templates that canaries are made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Templates {
    /// By stream, or `*` for all that are not named.
    pub by_stream: BTreeMap<String, String>,
    /// What they are filled with besides `subject` and `token`; `{token}` and `{subject}` stand for these.
    pub variables: BTreeMap<String, String>,
}

impl Templates {
    /// The template of a stream, if it has one.
    #[must_use]
    pub fn of(&self, stream: &str) -> Option<&str> {
        self.by_stream.get(stream).or_else(|| self.by_stream.get("*")).map(String::as_str)
    }
}

/// Where OAuth 2 access tokens come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OAuth {
    /// Something else keeps one fresh.
    Token(SecretRef),
    /// They are got for a refresh token.
    Refresh {
        /// The token's endpoint. `http://` only to loopback.
        token_url: String,
        /// The client.
        client_id: String,
        /// Its secret, unless it is a public one.
        client_secret: Option<SecretRef>,
        /// The refresh token.
        refresh_token: SecretRef,
    },
    /// They are got by the client itself (client credentials).
    Client {
        /// The token's endpoint. `http://` only to loopback.
        token_url: String,
        /// The client.
        client_id: String,
        /// Its secret.
        client_secret: SecretRef,
        /// What is asked for.
        scope: String,
    },
    /// They are got for what a service account signs.
    ServiceAccount {
        /// The token's endpoint. `http://` only to loopback.
        token_url: String,
        /// The account's key file.
        key: SecretRef,
        /// Whose mailbox it acts for; the sender's, or the one that logs in, if nothing is said.
        acts_for: Option<String>,
        /// What the tokens are good for.
        scope: &'static str,
    },
}

/// `[provider.NAME.smtp]`.
#[derive(Clone, Debug, PartialEq)]
pub struct SmtpSettings {
    /// Host name or address.
    pub host: String,
    /// Port; 587 by default, 465 with implicit TLS, 25 without TLS.
    pub port: u16,
    /// How TLS is begun.
    pub tls: Tls,
    /// Who logs in, if anybody.
    pub login: Option<SmtpLogin>,
    /// What `EHLO` says. Default: the host's name.
    pub hello: Option<String>,
}

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpLogin {
    /// The user name.
    pub user: String,
    /// What shows that it is them.
    pub proof: Proof,
}

/// What shows that somebody is who they say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A password.
    Password(SecretRef),
    /// An OAuth 2 access token (XOAUTH2).
    OAuth(OAuth),
}

impl Field for Proof {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.get(name).map(Self::Password)
    }

    fn secrets(&self, name: &'static str) -> Vec<(&'static str, &SecretRef)> {
        match self {
            Self::Password(at) => vec![(name, at)],
            Self::OAuth(oauth) => oauth.secrets(name),
        }
    }
}
