//! OAuth 2 access tokens: got for a refresh token (RFC 6749, 6), by the client itself (4.4) or for what a service account signs (RFC 7523), and
//! kept while they are good; or read from where something else keeps them fresh.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::api::{self, Call, Cut, Reply, exchange};
use super::evidence::evidence;
use super::{Secrets, SetUpError, secret};
use crate::config::{OAuth, Secret, SecretRef, ServiceKey};
use crate::model::{At, Class, Outcome};

/// How long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(60);
/// How long a token is good whose answer does not say.
const USUAL: u64 = 300;
/// What to do where no token is handed out.
const TOKENS: Option<&str> = Some(
    "get a new refresh token, client secret or service account key and configure it: the one configured is not good for access tokens any more",
);

/// A token to be shown.
#[derive(Debug)]
pub struct Access {
    /// The token.
    pub token: Secret,
    /// It was got for an earlier log-in: if it is not taken, another one may be.
    pub kept: bool,
}

/// No token was handed out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{words}")]
pub struct NoToken {
    /// What kind of failure.
    pub class: Class,
    /// The token server's own words, or ours where it said none; kept as an [`Answer`](super::Answer)'s.
    pub words: String,
}

/// Where tokens come from, and the last one.
#[derive(Debug)]
pub struct Tokens {
    source: Source,
    /// The last token, and until when it is used.
    last: Mutex<Option<(Secret, Instant)>>,
}

#[derive(Debug)]
enum Source {
    /// Where one is, and what was there at the start.
    Kept {
        at: SecretRef,
        first: Secret,
    },
    Refresh {
        token_url: String,
        client_id: String,
        client_secret: Option<Secret>,
        refresh_token: Secret,
    },
    /// The client itself, and what it asks for.
    Client {
        token_url: String,
        client_id: String,
        client_secret: Secret,
        scope: String,
    },
    /// A service account, and in whose name it asks for what.
    Signed {
        token_url: String,
        key: ServiceKey,
        user: String,
        scope: &'static str,
    },
}

impl Tokens {
    /// Tokens for `user`, unless the settings say otherwise.
    ///
    /// # Errors
    /// A secret was not handed over, or is no key of a service account.
    pub fn new(settings: &OAuth, secrets: Secrets<'_>, user: &str) -> Result<Self, SetUpError> {
        let source = match settings {
            OAuth::Token(at) => Source::Kept { at: at.clone(), first: secret(secrets, at)? },
            OAuth::Refresh { token_url, client_id, client_secret, refresh_token } => Source::Refresh {
                token_url: token_url.clone(),
                client_id: client_id.clone(),
                client_secret: client_secret.as_ref().map(|at| secret(secrets, at)).transpose()?,
                refresh_token: secret(secrets, refresh_token)?,
            },
            OAuth::Client { token_url, client_id, client_secret, scope } => Source::Client {
                token_url: token_url.clone(),
                client_id: client_id.clone(),
                client_secret: secret(secrets, client_secret)?,
                scope: scope.clone(),
            },
            OAuth::ServiceAccount { token_url, key, acts_for, scope } => Source::Signed {
                token_url: token_url.clone(),
                key: ServiceKey::new(&secret(secrets, key)?)?,
                user: acts_for.as_deref().unwrap_or(user).to_owned(),
                scope,
            },
        };
        Ok(Self { source, last: Mutex::default() })
    }

    /// A token that is good at `at`, before `deadline`.
    pub(super) async fn get(&self, http: &reqwest::Client, at: At, deadline: Instant) -> Result<Access, Cut> {
        if let Source::Kept { at: place, first } = &self.source {
            let token = place.resolve().map_or_else(|_| first.clone(), |resolved| resolved.secret);
            return Ok(Access { token, kept: false });
        }
        // Held over the request: whoever comes meanwhile needs the same token.
        let mut last = self.last.lock().await;
        if let Some((token, until)) = &*last
            && Instant::now() < *until
        {
            return Ok(Access { token: token.clone(), kept: true });
        }
        *last = None;
        let (token, lasts) = self.source.ask(http, at, deadline).await?;
        let token = Secret::new(token);
        *last = Some((token.clone(), Instant::now() + Duration::from_secs(lasts).saturating_sub(MARGIN)));
        Ok(Access { token, kept: false })
    }

    /// The same for whoever submits nothing.
    ///
    /// # Errors
    /// No token was handed out.
    pub async fn token(&self, http: &reqwest::Client, at: At, deadline: Instant) -> Result<Access, NoToken> {
        self.get(http, at, deadline).await.map_err(|cut| {
            let class = if let Outcome::Refused(class) = cut.outcome { class } else { Class::Network };
            let secrets = self.secrets();
            NoToken { class, words: evidence(&cut.words, &secrets.iter().map(String::as_str).collect::<Vec<_>>()) }
        })
    }

    /// Drops `token`, which was not taken, unless there is a newer one: several sessions may have shown it.
    pub async fn reject(&self, token: &Secret) {
        self.last.lock().await.take_if(|(last, _)| last.expose() == token.expose());
    }

    /// What must not be kept of an answer, in every form that goes over the wire.
    pub(super) fn secrets(&self) -> Vec<String> {
        let encoded = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let both = |secret: &Secret| [encoded(secret.expose()), secret.expose().to_owned()];
        match &self.source {
            Source::Kept { first, .. } => vec![first.expose().to_owned()],
            // The key stays here, and what it signed is taken out where it is answered.
            Source::Signed { .. } => Vec::new(),
            Source::Client { client_secret, .. } => both(client_secret).to_vec(),
            Source::Refresh { client_secret, refresh_token, .. } => {
                std::iter::once(refresh_token).chain(client_secret).flat_map(both).collect()
            }
        }
    }
}

impl Source {
    /// Asks for a token; says how many seconds it lasts, too.
    async fn ask(&self, http: &reqwest::Client, at: At, deadline: Instant) -> Result<(String, u64), Cut> {
        match self {
            Self::Kept { first, .. } => Ok((first.expose().to_owned(), USUAL)),
            Self::Refresh { token_url, client_id, client_secret, refresh_token } => {
                let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose()), ("client_id", client_id)];
                fields.extend(client_secret.as_ref().map(|secret| ("client_secret", secret.expose())));
                granted(exchange(http, token_url, Call::form("", &fields), at, deadline).await)
            }
            Self::Client { token_url, client_id, client_secret, scope } => {
                let secret = client_secret.expose();
                let fields = [("grant_type", "client_credentials"), ("client_id", client_id), ("client_secret", secret), ("scope", scope)];
                granted(exchange(http, token_url, Call::form("", &fields), at, deadline).await)
            }
            Self::Signed { token_url, key, user, scope } => {
                let assertion = key.assertion(user, scope, token_url, at.as_ms() / 1000);
                let fields = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", &assertion)];
                let answer = granted(exchange(http, token_url, Call::form("", &fields), at, deadline).await);
                answer.map_err(|cut| Cut { words: cut.words.replace(&assertion, "***"), ..cut })
            }
        }
    }
}

/// The token in an answer, and how many seconds it lasts. Without one no mail went out, whatever happened.
fn granted(reply: Result<Reply, Cut>) -> Result<(String, u64), Cut> {
    let reply = reply.map_err(|cut| {
        let class = if let Outcome::Refused(class) = cut.outcome { class } else { Class::Network };
        Cut { outcome: Outcome::Refused(class), words: format!("getting an access token: {}", cut.words), ..cut }
    })?;
    let at = |name: &str| reply.json.as_ref().and_then(|json| json.get(name));
    if let (200, Some(token)) = (reply.status, at("access_token").and_then(|token| token.as_str()).filter(|token| !token.is_empty())) {
        let lasts = at("expires_in").and_then(|secs| secs.as_u64().or_else(|| secs.as_str()?.parse().ok())).unwrap_or(USUAL);
        return Ok((token.to_owned(), lasts));
    }
    let class = match at("error").and_then(|error| error.as_str()) {
        Some("invalid_grant" | "invalid_client" | "unauthorized_client" | "invalid_scope" | "unsupported_grant_type") => Class::Auth,
        Some("temporarily_unavailable" | "server_error") => Class::Transient,
        Some("slow_down" | "rate_limit_exceeded") => Class::Rate,
        _ => api::general(&reply).unwrap_or(Class::Unknown),
    };
    let clock = if class == Class::Auth { api::wrong_clock(&reply) } else { None };
    let hint = clock.or_else(|| Some(api::hint(class, &reply.text).or_else(|| TOKENS.filter(|_| class == Class::Auth))?.to_owned()));
    let lead: Vec<_> = hint.iter().map(|why| format!("({why})")).chain(api::headline(&reply)).collect();
    Err(Cut { outcome: Outcome::Refused(class), words: format!("getting an access token: {}", reply.words(&lead)), hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_token_that_was_not_taken_is_dropped() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let (token_url, client_id) = ("https://tokens.example".to_owned(), "client".to_owned());
        let source = Source::Refresh { token_url, client_id, client_secret: None, refresh_token: secret("refresh") };
        let last = Mutex::new(Some((secret("newer"), Instant::now() + MARGIN)));
        let tokens = Tokens { source, last };
        tokens.reject(&secret("older")).await;
        assert!(tokens.last.lock().await.is_some(), "another session has got a newer one meanwhile");
        tokens.reject(&secret("newer")).await;
        assert!(tokens.last.lock().await.is_none());
    }
}
