//! Writes a canary: it looks like the transactional mail of its stream, and never like the canary before it.
//!
//! Identical bodies train spam filters, and a filter that knows canaries tells nothing of other mail. So every sentence, their order and
//! the look are chosen by a hash of the canary's id.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::token::{Key, TOKEN_LEN, token};
use super::wording::{CLOSINGS, DETAILS, DEVICES, FOOTERS, GREETINGS, SENDERS, Topic, Wording};
use crate::config::{Inbox, Mailbox, Stream};
use crate::model::{At, CanaryId, Name};

/// A local part has at most 64 characters (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// A canary, ready to be handed to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composed {
    /// The stream that it is of.
    pub stream: Name,
    /// Its token.
    pub token: String,
    /// The recipient's address, the token in it if the inbox wants that.
    pub to: String,
    /// The subject, with the token at its end.
    pub subject: String,
    /// The plain body; lines end in `\n`.
    pub text: String,
    /// The HTML body.
    pub html: String,
    /// Headers besides the usual ones. ASCII.
    pub headers: Vec<(String, String)>,
}

/// Writes `canary`, issued at `at`. The same arguments give the same mail.
#[must_use]
pub fn compose(key: &Key, canary: CanaryId, at: At, stream_name: &Name, stream: &Stream, from: &Mailbox, inbox: &Inbox) -> Composed {
    let token = token(key, canary, at);
    let letter = Letter::new(canary, Topic::of(stream_name.as_str()).wording(), from, &token);
    let subject: String = stream.subject.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let headers = [("X-Mailcanary", token.as_str()), ("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")];
    Composed {
        stream: stream_name.clone(),
        token: token.clone(),
        to: recipient(inbox, at, &token),
        subject: format!("{} [{token}]", subject.trim()),
        text: letter.text(),
        html: letter.html(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

/// The inbox's address of the day, with `+TOKEN` if it wants that and the local part has room for it.
fn recipient(inbox: &Inbox, at: At, token: &str) -> String {
    let address = inbox.address_at(at);
    match address.rsplit_once('@') {
        Some((local, domain)) if inbox.plus_address && local.len().saturating_add(1 + TOKEN_LEN) <= MAX_LOCAL => {
            format!("{local}+{token}@{domain}")
        }
        _ => address.to_owned(),
    }
}

/// The choices of one canary.
struct Letter {
    greeting: &'static str,
    /// In the order in which they stand; the link follows the one that is marked.
    sentences: Vec<(String, bool)>,
    button: &'static str,
    link: String,
    closing: String,
    footer: &'static str,
    token: String,
    look: Look,
}

/// What differs in the HTML besides its words.
struct Look {
    colour: &'static str,
    font: &'static str,
    width: u32,
}

/// An endless row of choices that follow from the canary's id.
struct Choices {
    seed: u64,
    drawn: u64,
}

impl Choices {
    const fn new(canary: CanaryId) -> Self {
        Self { seed: canary.bits(), drawn: 0 }
    }

    /// 16 bits that nobody would call regular.
    fn bits(&mut self) -> u32 {
        let hash = Sha256::new().chain_update(self.seed.to_be_bytes()).chain_update(self.drawn.to_be_bytes()).finalize();
        self.drawn = self.drawn.wrapping_add(1);
        hash.into_iter().take(2).fold(0, |bits, byte| bits << 8 | u32::from(byte))
    }

    /// One of `all`.
    fn of<T: Copy + Default>(&mut self, all: &[T]) -> T {
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX).max(1);
        usize::try_from(self.bits() % count).ok().and_then(|index| all.get(index)).copied().unwrap_or_default()
    }
}

impl Letter {
    fn new(canary: CanaryId, wording: &Wording, from: &Mailbox, token: &str) -> Self {
        let mut choices = Choices::new(canary);
        let domain = from.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let number = format!("{:05}-{:05}", choices.bits(), choices.bits());
        let detail = choices.of(&DETAILS).replace("{device}", choices.of(&DEVICES)).replace("{number}", &number);
        let (opening, action) = (choices.of(&wording.opening).to_owned(), choices.of(&wording.action).to_owned());
        let (term, otherwise) = (choices.of(&wording.term).to_owned(), choices.of(&wording.otherwise).to_owned());
        // What the letter is about comes first; the link and what is said of it may stand in any order that makes sense.
        let sentences = match choices.bits() % 6 {
            0 => vec![(opening, false), (action, true), (term, false), (otherwise, false), (detail, false)],
            1 => vec![(opening, false), (detail, false), (action, true), (term, false), (otherwise, false)],
            2 => vec![(opening, false), (action, true), (term, false), (detail, false), (otherwise, false)],
            3 => vec![(opening, false), (otherwise, false), (action, true), (term, false), (detail, false)],
            4 => vec![(opening, false), (detail, false), (otherwise, false), (action, true), (term, false)],
            _ => vec![(opening, false), (action, true), (otherwise, false), (term, false), (detail, false)],
        };
        let sender = choices.of(&SENDERS);
        let name = from.name.as_deref().map_or_else(|| sender.to_owned(), |name| format!("{sender}, {name}"));
        Self {
            greeting: choices.of(&GREETINGS),
            sentences,
            button: choices.of(&wording.button),
            link: format!("https://{domain}/{}/{token}", wording.path),
            closing: format!("{}\n{}", choices.of(&CLOSINGS), name.replace(char::is_control, " ")),
            footer: choices.of(&FOOTERS),
            token: token.to_owned(),
            look: Look {
                colour: choices.of(&["#0b5fff", "#1a7f37", "#8250df", "#bf3989", "#9a6700", "#0a3069", "#57606a"]),
                font: choices.of(&["Arial, sans-serif", "Helvetica, Arial, sans-serif", "Verdana, sans-serif", "Georgia, serif"]),
                width: 480_u32.saturating_add(choices.bits() % 160),
            },
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n\n", self.greeting);
        for (sentence, links) in &self.sentences {
            let link = if *links { format!("\n{}", self.link) } else { String::new() };
            // Writing to a string cannot fail.
            let _ = write!(text, "{sentence}{link}\n\n");
        }
        let _ = write!(text, "{}\n\n-- \n{}\nReference: {}\n", self.closing, self.footer, self.token);
        text
    }

    fn html(&self) -> String {
        let Look { colour, font, width } = &self.look;
        let mut html = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"></head>\n");
        let _ = writeln!(html, "<body style=\"font-family:{font};max-width:{width}px;margin:auto\">\n<p>{}</p>", escaped(self.greeting));
        for (sentence, links) in &self.sentences {
            let _ = writeln!(html, "<p>{}</p>", escaped(sentence));
            if *links {
                let link = escaped(&self.link);
                let _ = writeln!(html, "<p><a href=\"{link}\" style=\"color:{colour}\">{}</a></p>", escaped(self.button));
            }
        }
        let closing = escaped(&self.closing).replace('\n', "<br>\n");
        let _ = write!(html, "<p>{closing}</p>\n<hr>\n<p style=\"color:#777\">{}<br>\n", escaped(self.footer));
        let _ = write!(html, "Reference: {}</p>\n</body></html>\n", escaped(&self.token));
        html
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
