//! What can go wrong between us and an IMAP server, whose fault it is, and what that means for the next try.

use std::time::Duration;

use crate::edge::dial::DialError;
use crate::edge::submit::NoToken;
use crate::model::Class;

/// Longest server text that is repeated to people.
const TEXT_MAX: usize = 200;

/// Why a session, or the attempt to begin one, ended. Every one of them ends the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// No connection, or no TLS.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The server did not answer in time.
    #[error("no answer to {what} within {after:?}")]
    Deadline {
        /// What was asked.
        what: &'static str,
        /// How long we waited.
        after: Duration,
    },
    /// The connection ended without a word.
    #[error("the connection was lost during {what}{}", detail(.why))]
    Lost {
        /// What was under way.
        what: &'static str,
        /// The system's reason, or empty.
        why: String,
    },
    /// The server said good-bye.
    #[error("the server ended the session: {text}")]
    Bye {
        /// Its words.
        text: String,
    },
    /// The server answered NO or BAD.
    #[error("{what} was refused: {text}")]
    Refused {
        /// What was asked.
        what: &'static str,
        /// Its words.
        text: String,
        /// Whether it was an attempt to log in: then a refusal without a known reason is about the credentials.
        login: bool,
    },
    /// The server answered an HTTP request, and not with what was asked for.
    #[error("{what} was refused: {text}")]
    Answered {
        /// What was asked.
        what: &'static str,
        /// What kind of failure.
        class: Class,
        /// The status and its words.
        text: String,
        /// How long we are asked to stay away.
        after: Option<Duration>,
    },
    /// The server sent what cannot be understood.
    #[error("the server's answer to {what} cannot be understood")]
    Garbled {
        /// What was asked.
        what: &'static str,
    },
    /// The server sent more than we asked for.
    #[error("the answer to {what} is too large")]
    Flood {
        /// What was asked.
        what: &'static str,
    },
    /// The server does not offer what we must have.
    #[error("{why}")]
    Unfit {
        /// What kind of lack.
        class: Class,
        /// In words.
        why: &'static str,
    },
    /// There is no access token to log in with.
    #[error("{why}")]
    NoToken {
        /// What kind of failure.
        class: Class,
        /// The token server's words.
        why: String,
    },
    /// What is read cannot be, for a reason of this machine.
    #[error("{why}")]
    Here {
        /// What kind of failure.
        class: Class,
        /// In words.
        why: String,
    },
    /// Nobody listens to our reports any more: not a failure of the inbox.
    #[error("the reports' channel is closed")]
    Closed,
}

fn detail(why: &str) -> String {
    if why.is_empty() { String::new() } else { format!(": {why}") }
}

impl From<NoToken> for Trouble {
    fn from(none: NoToken) -> Self {
        Self::NoToken { class: none.class, why: none.words }
    }
}

impl Trouble {
    /// What kind of failure it is.
    pub(super) fn class(&self) -> Class {
        match self {
            Self::Dial(e) => e.class,
            Self::Deadline { .. } | Self::Lost { .. } | Self::Closed => Class::Network,
            Self::Bye { text } => class_of(text).unwrap_or(Class::Transient),
            Self::Refused { text, login, .. } => class_of(text).unwrap_or(if *login { Class::Auth } else { Class::Transient }),
            Self::Garbled { .. } | Self::Flood { .. } => Class::Unknown,
            Self::Unfit { class, .. } | Self::NoToken { class, .. } | Self::Here { class, .. } | Self::Answered { class, .. } => *class,
        }
    }

    /// How long the server asked us to stay away, if it did.
    pub(super) fn suggested(&self) -> Option<Duration> {
        match self {
            Self::Bye { text } | Self::Refused { text, .. } => suggested(text),
            Self::Answered { after, .. } => *after,
            Self::Dial(_)
            | Self::Deadline { .. }
            | Self::Lost { .. }
            | Self::Garbled { .. }
            | Self::Flood { .. }
            | Self::Unfit { .. }
            | Self::NoToken { .. }
            | Self::Here { .. }
            | Self::Closed => None,
        }
    }

    /// In words for people: one line, no control characters, at most 200 characters.
    pub(super) fn why(&self) -> String {
        plain(&self.to_string())
    }
}

/// The kind of failure that a server's words speak of. imap-proto leaves codes such as `[UNAVAILABLE]` in the text, so words it is.
pub(super) fn class_of(text: &str) -> Option<Class> {
    /// Throttled, or too many of us. `[UNAVAILABLE]` is how Dovecot says "maximum number of connections" and Gmail "not now".
    const RATE: [&str; 13] = [
        "throttl",
        "too many",
        "maximum number of connections",
        "suggested backoff",
        "[unavailable]",
        "[overquota]",
        "[limit]",
        "rate limit",
        "command or bandwidth limits",
        "try again later",
        "connection limit",
        "exceeded the limit",
        "temporarily blocked",
    ];
    /// Exchange answers the first command after a login without permission with "authenticated but not connected".
    const AUTH: [&str; 14] = [
        "[authenticationfailed]",
        "[authorizationfailed]",
        "[expired]",
        "[privacyrequired]",
        "[contactadmin]",
        "authenticated but not connected",
        "invalid credentials",
        "authentication failed",
        "application-specific password",
        "log in via your web browser",
        "unsafe login",
        "login failed",
        "account is disabled",
        "imap access is disabled",
    ];
    let text = text.to_lowercase();
    let has = |signs: &[&str]| signs.iter().any(|sign| text.contains(sign));
    if has(&RATE) {
        Some(Class::Rate)
    } else if has(&AUTH) {
        Some(Class::Auth)
    } else {
        None
    }
}

/// Exchange: `Request is throttled. Suggested Backoff Time: 92415 milliseconds`.
fn suggested(text: &str) -> Option<Duration> {
    let text = text.to_lowercase();
    let (_, rest) = text.split_once("suggested backoff time:")?;
    let number: String = rest.trim_start().chars().take_while(char::is_ascii_digit).take(12).collect();
    number.parse().ok().map(Duration::from_millis)
}

/// `text` on one line, without control characters and not longer than 200 characters.
pub(super) fn plain(text: &str) -> String {
    let mut out: String = text.chars().take(TEXT_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(TEXT_MAX).is_some() {
        out.pop();
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str, login: bool) -> Trouble {
        Trouble::Refused { what: "LOGIN", text: text.to_owned(), login }
    }

    #[test]
    fn servers_words_tell_the_kind() {
        let cases = [
            ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", true, Class::Auth),
            ("LOGIN failed", true, Class::Auth),
            ("nothing that we know", true, Class::Auth),
            ("nothing that we know", false, Class::Transient),
            ("[ALERT] Too many simultaneous connections. (Failure)", true, Class::Rate),
            ("[UNAVAILABLE] Maximum number of connections from user+IP exceeded", true, Class::Rate),
            ("[OVERQUOTA] Account exceeded command or bandwidth limits", false, Class::Rate),
            ("Request is throttled. Suggested Backoff Time: 92415 milliseconds", false, Class::Rate),
            ("User is authenticated but not connected.", false, Class::Auth),
            ("Select failed. Unsafe Login. Please contact kefu", false, Class::Auth),
        ];
        for (text, login, class) in cases {
            assert_eq!(refused(text, login).class(), class, "{text}");
        }
    }

    #[test]
    fn a_suggested_back_off_is_read() {
        let trouble = refused("Request is throttled. Suggested Backoff Time: 92415 milliseconds", false);
        assert_eq!(trouble.suggested(), Some(Duration::from_millis(92_415)));
        assert_eq!(refused("Suggested Backoff Time: soon", false).suggested(), None);
    }

    #[test]
    fn words_of_a_server_are_one_short_line() {
        let why = refused(&format!("go\r\naway\u{7}{}", "x".repeat(900)), true).why();
        assert_eq!(why.chars().count(), 200);
        assert!(!why.chars().any(char::is_control), "{why:?}");
        assert!(why.starts_with("LOGIN was refused: go  away "), "{why}");
    }
}
