//! An account at a provider: where its API is, how it is proved that we are its owner, and its stored templates.

use crate::config::{Secret, SecretRef, Templates};
use crate::edge::submit::oauth::Tokens;
use crate::edge::submit::{Secrets, SetUpError, secret};

/// One account.
#[derive(Debug)]
pub(in crate::edge::submit) struct Account {
    pub(super) base_url: String,
    proof: Proof,
    pub(super) templates: Templates,
}

#[derive(Debug)]
enum Proof {
    Key(Secret),
    /// Access tokens, which every request is given by those who send it.
    Tokens(Tokens),
}

impl Account {
    /// One with a key.
    pub(super) fn new(base_url: &str, key: &SecretRef, templates: &Templates, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        let proof = Proof::Key(secret(secrets, key)?);
        Ok(Self { base_url: base_url.to_owned(), proof, templates: templates.clone() })
    }

    /// One with access tokens.
    pub(super) fn with_tokens(base_url: &str, tokens: Tokens) -> Self {
        Self { base_url: base_url.to_owned(), proof: Proof::Tokens(tokens), templates: Templates::default() }
    }

    /// The key; empty where access tokens are used.
    pub(super) fn key(&self) -> &str {
        match &self.proof {
            Proof::Key(key) => key.expose(),
            Proof::Tokens(_) => "",
        }
    }

    /// Where access tokens come from, if they are used.
    pub(super) const fn tokens(&self) -> Option<&Tokens> {
        match &self.proof {
            Proof::Key(_) => None,
            Proof::Tokens(tokens) => Some(tokens),
        }
    }

    /// What must not be kept of an answer.
    pub(super) fn secrets(&self) -> Vec<String> {
        match &self.proof {
            Proof::Key(key) => vec![key.expose().to_owned()],
            Proof::Tokens(tokens) => tokens.secrets(),
        }
    }
}
