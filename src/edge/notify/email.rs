//! E-mail, through a provider of its own: one mail a notice, those of an incident in one thread. Plain text and nothing else.

use std::str::FromStr;
use std::time::{Duration, UNIX_EPOCH};

use data_encoding::HEXLOWER;
use futures::future::BoxFuture;
use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use sha2::{Digest, Sha256};

use super::page::{Page, Pages};
use super::{Attempt, Channel, Outgoing, Rate, SinkError, Tools, fit};
use crate::config::{self, EmailSettings};
use crate::edge::submit::Postbox;
use crate::model::{At, Class, Outcome, Severity, Span};

/// One recipient.
#[derive(Debug)]
pub(super) struct Email {
    postbox: Postbox,
    from: config::Mailbox,
    to: String,
    /// Tells this ledger's incidents from any other's.
    ident: String,
    pages: Pages,
}

impl Email {
    pub(super) fn new(settings: &EmailSettings, tools: &Tools<'_>) -> Result<Self, SinkError> {
        let postbox = Postbox::new(&settings.from, &settings.smtp, tools.dialer.clone(), tools.secrets)
            .map_err(|error| SinkError::Post(tools.name.clone(), error))?;
        let digest = Sha256::digest(format!("{}\0{}", tools.origin.installation, tools.origin.instance));
        let ident = HEXLOWER.encode(digest.get(..8).unwrap_or_default());
        Ok(Self { postbox, from: settings.from.clone(), to: settings.to.clone(), ident, pages: tools.pages.clone() })
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        let page = self.pages.page(out);
        let message = match message(&page, &self.from, &self.to, &self.ident, &out.notice.incident.to_string()) {
            Ok(message) => message.formatted(),
            Err(why) => return Attempt::Refused { why },
        };
        let answer = match self.postbox.post(&self.to, &message, now).await {
            Ok(answer) => answer,
            Err(error) => return Attempt::Refused { why: error.to_string() },
        };
        let said = fit::line(answer.reply.as_deref().unwrap_or_default(), 200);
        match answer.outcome {
            Outcome::Accepted => Attempt::Delivered,
            Outcome::Unknown => Attempt::Retry { after: answer.retry_after, why: format!("no answer: {said}"), unclear: true },
            Outcome::Refused(class) => {
                let why = format!("refused ({class}): {said}");
                match class {
                    Class::Network | Class::Tls | Class::Rate | Class::Transient => {
                        Attempt::Retry { after: answer.retry_after, why, unclear: false }
                    }
                    Class::Auth | Class::Suspended | Class::Quota | Class::Sender | Class::Policy | Class::Unknown => {
                        Attempt::Doubtful { why }
                    }
                    Class::Suppressed | Class::Recipient | Class::Permanent => Attempt::Refused { why },
                }
            }
        }
    }
}

impl Channel for Email {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    /// Nobody reads more, and providers count.
    fn rate(&self) -> Rate {
        Rate { burst: 20, every: Span::from_secs(3) }
    }
}

fn message(page: &Page, from: &config::Mailbox, to: &str, ident: &str, incident: &str) -> Result<Message, String> {
    let fail = |error: &dyn std::fmt::Display| format!("the mail cannot be written: {error}");
    let sender = Address::from_str(&from.address).map_err(|e| fail(&e))?;
    let recipient = Address::from_str(to).map_err(|e| fail(&e))?;
    let thread = format!("<{ident}.{incident}.mailcanary@{}>", sender.domain());
    let id = format!("<{ident}.{incident}.{}.mailcanary@{}>", page.notice, sender.domain());
    let date = UNIX_EPOCH + Duration::from_millis(u64::try_from(page.at.as_ms()).unwrap_or_default());
    let mut builder = Message::builder()
        .message_id(Some(id))
        .in_reply_to(thread.clone())
        .references(thread)
        .date(date)
        .from(Mailbox::new(from.name.clone(), sender))
        .to(Mailbox::new(None, recipient))
        .subject(page.title.clone());
    let urgent = if page.severity == Severity::Page && !page.is_over() && !page.quiet { "high" } else { "normal" };
    for (name, value) in [("Auto-Submitted", "auto-generated"), ("Importance", urgent)] {
        builder = builder.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned()));
    }
    let links = page.links();
    // Readers make links of what looks like one: only ours is to be one.
    let text = format!("{}{links}\n\n-- \nmailcanary, {}\n", fit::inert(&page.body()), page.instance);
    builder.header(ContentType::TEXT_PLAIN).body(text).map_err(|e| fail(&e))
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;

    #[test]
    fn no_text_becomes_a_header() {
        let from = config::Mailbox { name: None, address: "watch@example.org".to_owned() };
        for out in nasty::all() {
            let mail = message(&nasty::pages().page(&out), &from, "oncall@example.org", "1", "3").unwrap().formatted();
            let parsed = mail_parser::MessageParser::default().parse(&mail).unwrap();
            let names: Vec<String> = parsed.headers().iter().map(|header| header.name().to_owned()).collect();
            let ours = ["Message-ID", "In-Reply-To", "References", "Date", "From", "To", "Subject", "Auto-Submitted", "Importance"];
            let ours = ours.into_iter().chain(["Content-Type", "Content-Transfer-Encoding", "MIME-Version"]);
            let ours: Vec<&str> = ours.collect();
            assert!(names.iter().all(|name| ours.iter().any(|known| known.eq_ignore_ascii_case(name))), "{names:?}");
            assert!(names.len() <= ours.len());
            let text = parsed.body_text(0).unwrap();
            text.lines().for_each(nasty::assert_plain);
            assert!(parsed.body_html(0).is_none_or(|_| parsed.html_body_count() <= 1));
            let bare = text.replace("https://canary.example/incidents/3", "").replace("https://canary.example/runbooks/stopped", "");
            assert!(!bare.contains("https://"), "{text}");
        }
    }
}
