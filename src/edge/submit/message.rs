//! The whole message, for transports that hand over one (RFC 5322).

use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

use lettre::address::AddressError;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, Message};

use crate::canary::Composed;
use crate::config;
use crate::model::{At, CanaryId};

/// The canary cannot be put into a message.
#[derive(Debug, thiserror::Error)]
pub(super) enum BuildError {
    #[error("`{0}` is no address")]
    Address(String, #[source] AddressError),
    #[error("building the message")]
    Message(#[from] lettre::error::Error),
}

/// `text` as an address.
pub(super) fn address(text: &str) -> Result<Address, AddressError> {
    Address::from_str(text)
}

/// The recipient and the message, every line ended by CRLF and ready for dot-stuffing.
pub(super) fn build(from: &config::Mailbox, mail: &Composed, canary: CanaryId, at: At) -> Result<(Address, Vec<u8>), BuildError> {
    let address = |text: &str| address(text).map_err(|e| BuildError::Address(text.to_owned(), e));
    let (sender, to) = (address(&from.address)?, address(&mail.to)?);
    let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.as_ms()).unwrap_or_default());
    let mut builder = Message::builder()
        .message_id(Some(format!("<{canary}.mailcanary@{}>", sender.domain())))
        .date(date)
        .from(Mailbox::new(from.name.clone(), sender))
        .to(Mailbox::new(None, to.clone()))
        .subject(&mail.subject);
    for (name, value) in &mail.headers {
        if let Ok(name) = HeaderName::new_from_ascii(name.clone()) {
            builder = builder.raw_header(HeaderValue::new(name, value.clone()));
        }
    }
    let message = builder.multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))?;
    Ok((to, message.formatted()))
}
