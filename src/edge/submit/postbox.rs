//! Mail that is no canary, handed to a server of its own: notices by e-mail.

use std::str::FromStr;

use lettre::Address;

use super::smtp::Smtp;
use super::{Answer, Secrets, SetUpError};
use crate::config::{Mailbox, SmtpSettings};
use crate::edge::dial::Dialer;
use crate::model::At;

/// Where such mail is handed over.
#[derive(Debug)]
pub struct Postbox(Smtp);

impl Postbox {
    /// Prepares it. Connects to nothing yet.
    ///
    /// # Errors
    /// See [`SetUpError`].
    pub fn new(from: &Mailbox, settings: &SmtpSettings, dialer: Dialer, secrets: Secrets<'_>) -> Result<Self, SetUpError> {
        Smtp::new(from, settings, dialer, secrets).map(Self)
    }

    /// Hands over `message`, whole and with CRLF at the end of its lines, for one recipient at `at`. Never takes longer than a minute.
    ///
    /// # Errors
    /// [`SetUpError::From`] if the recipient's address is none.
    pub async fn post(&self, to: &str, message: &[u8], at: At) -> Result<Answer, SetUpError> {
        let to = Address::from_str(to).or(Err(SetUpError::From(to.to_owned())))?;
        Ok(self.0.hand_over(&to, message, at).await)
    }
}
