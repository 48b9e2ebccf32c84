//! What the sinks share whose address is their secret: a page a notice is posted to it.

use std::fmt;

use reqwest::Url;
use serde_json::Value;

use super::caller::{Answer, Caller};
use super::page::{Page, Pages};
use super::{Attempt, Outgoing, SinkError, Tools};
use crate::config::SecretRef;

/// One address.
pub(super) struct Hook {
    pub(super) caller: Caller,
    pub(super) url: Url,
    pages: Pages,
}

/// Says nothing of the address.
impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").finish_non_exhaustive()
    }
}

impl Hook {
    pub(super) fn new(at: &SecretRef, tools: &Tools<'_>) -> Result<Self, SinkError> {
        let (url, caller) = tools.secret_url(at)?;
        Ok(Self { caller, url: url.expose().clone(), pages: tools.pages.clone() })
    }

    /// The same where what is posted again is a second message.
    pub(super) fn patient(mut self) -> Self {
        self.caller = self.caller.patient();
        self
    }

    /// Posts what `message` makes of the notice's page.
    pub(super) async fn post(&self, out: &Outgoing, message: impl FnOnce(&Page) -> Value) -> Result<Answer, Attempt> {
        let body = message(&self.pages.page(out));
        self.caller.send(self.caller.post(self.url.clone(), &body)).await
    }
}
