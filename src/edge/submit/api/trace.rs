//! What became of a mail: the questions that a provider's API answers, and what the answers mean.
//!
//! The mail's own events come first, then the suppression lists, for where the events tell nothing. Only questions that change nothing are
//! asked; who asks decides how often.

use serde_json::Value;

use super::call::{Call, Reply};
use super::said::headline;
use super::visit::Visit;
use super::{Api, Service};
use crate::edge::submit::evidence::evidence;
use crate::edge::submit::{After, Finding};
use crate::model::{At, Fate};

/// What is kept of an answer.
const WORDS: usize = 1024;
/// Events looked at in one answer; the rest is not read.
const EVENTS: usize = 200;
/// Requests that one question may take: with twelve questions an hour that stays below the hundred that Brevo allows in one.
const PAGES: usize = 5;
/// Entries of a page of a list, the most that providers give.
pub(super) const PAGE: usize = 100;

/// What one answer says of the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::edge::submit) enum Said {
    /// What became of it.
    Sure(Fate, String),
    /// What became of it, unless the seed is suppressed.
    Perhaps(Fate, String),
    /// Nothing is known of it, or the seed is not on this list.
    Nothing,
}

/// One question, and how its answer is read; `None`: it is no answer to it.
pub(in crate::edge::submit) struct Question {
    pub(super) call: Call,
    pub(super) reads: fn(&Reply, &After<'_>) -> Option<Said>,
    /// It is about the mail, and not about the seed.
    of_mail: bool,
    /// What is asked next, where an answer says that there is more to it.
    more: Option<More>,
}

/// What is asked after this answer to so many requests; nothing if that was all.
type More = Box<dyn Fn(&Reply, usize) -> Option<Call> + Send + Sync>;

impl Question {
    /// One about the mail.
    pub(super) fn of_mail(call: Call, reads: fn(&Reply, &After<'_>) -> Option<Said>) -> Self {
        Self { call, reads, of_mail: true, more: None }
    }

    /// One about the seed.
    pub(super) fn of_seed(call: Call, reads: fn(&Reply, &After<'_>) -> Option<Said>) -> Self {
        Self { call, reads, of_mail: false, more: None }
    }

    /// The same, going on after an answer that is not all.
    pub(super) fn going_on(self, more: impl Fn(&Reply, usize) -> Option<Call> + Send + Sync + 'static) -> Self {
        Self { more: Some(Box::new(more)), ..self }
    }
}

/// A provider that can be asked what became of a mail.
pub(in crate::edge::submit) trait Traces: Service {
    /// The questions, in the order in which they are asked, until one has a sure answer. None where there is no way to ask.
    fn questions(&self, _after: &After<'_>) -> Vec<Question> {
        Vec::new()
    }
}

/// What the answers so far come to.
#[derive(Debug, Default)]
struct Sum {
    perhaps: Option<(Fate, String)>,
    /// The mail's events were looked at, and it is not there.
    vanished: bool,
    /// What kept a question from being answered.
    blind: Vec<String>,
}

impl Sum {
    fn end(self) -> (Fate, String) {
        match (self.perhaps, self.vanished) {
            (Some(perhaps), _) => perhaps,
            (None, true) => (Fate::Vanished, ["no events of it".to_owned()].into_iter().chain(self.blind).collect::<Vec<_>>().join("\n")),
            (None, false) if self.blind.is_empty() => (Fate::Blind, "on no suppression list; its events cannot be asked for".to_owned()),
            (None, false) => (Fate::Blind, self.blind.join("\n")),
        }
    }
}

impl<S: Traces> Api<S> {
    pub(in crate::edge::submit) async fn trace(&self, after: After<'_>, at: At) -> Option<Finding> {
        let questions = self.service.questions(&after);
        if questions.is_empty() {
            return None;
        }
        let mut visit = Visit::new(self, at);
        let (fate, words) = match visit.authenticate().await {
            Err(cut) => (Fate::Blind, cut.words),
            Ok(()) => visit.find(questions, &after).await,
        };
        let mut secrets = self.service.secrets();
        secrets.extend(visit.token.map(|access| access.token.expose().to_owned()));
        let secrets: Vec<_> = secrets.iter().map(String::as_str).collect();
        Some(Finding { fate, words: kept(&words, &secrets) })
    }
}

impl<S: Traces> Visit<'_, S> {
    async fn find(&mut self, questions: Vec<Question>, after: &After<'_>) -> (Fate, String) {
        let mut sum = Sum::default();
        for Question { call, reads, of_mail, more } in questions {
            let mut next = Some(call);
            for asked in 1.. {
                let Some(call) = next.take() else { break };
                let reply = match self.ask(call).await {
                    Ok(reply) => reply,
                    // Who does not answer one question does not answer the next: there is one deadline for all.
                    Err(cut) => {
                        sum.blind.push(cut.words);
                        return sum.end();
                    }
                };
                match read(&reply, reads, after) {
                    Ok(Said::Sure(fate, words)) => return (fate, words),
                    Ok(Said::Perhaps(fate, words)) => sum.perhaps = sum.perhaps.or(Some((fate, words))),
                    Ok(Said::Nothing) => sum.vanished |= of_mail,
                    Err(blind) => {
                        // Two questions that are answered alike say it once.
                        if !sum.blind.contains(&blind) {
                            sum.blind.push(blind);
                        }
                        break;
                    }
                }
                next = more.as_ref().and_then(|more| more(&reply, asked));
                if next.is_some() && asked == PAGES {
                    sum.blind.push(format!("a list of the provider is longer than the {} entries that were read", PAGES * PAGE));
                    break;
                }
            }
        }
        sum.end()
    }
}

/// What an answer says; or in words why it says nothing.
fn read(reply: &Reply, reads: fn(&Reply, &After<'_>) -> Option<Said>, after: &After<'_>) -> Result<Said, String> {
    let is_answer = reply.json.is_some() && !reply.is_page();
    if let Some(said) = reads(reply, after).filter(|_| is_answer) {
        return Ok(said);
    }
    if reply.status == 404 && is_answer {
        return Ok(Said::Nothing);
    }
    let what = if is_answer {
        headline(reply).unwrap_or_default()
    } else if !reply.whole {
        "the answer was cut off".to_owned()
    } else {
        "this is no answer of the API".to_owned()
    };
    let wait = reply.header("retry-after").map_or_else(String::new, |after| format!(", retry-after: {after}"));
    Err(format!("HTTP {}{wait}: {what}", reply.status))
}

/// What is kept of a provider's words: safe, and at most 1 KiB.
pub(in crate::edge::submit) fn kept(words: &str, secrets: &[&str]) -> String {
    let words = evidence(words, secrets);
    words.get(..words.floor_char_boundary(WORDS)).unwrap_or_default().to_owned()
}

/// The texts at these keys of an object, joined.
pub(in crate::edge::submit) fn words(value: &Value, pointers: &[&str]) -> String {
    let text = |at: &&str| match value.pointer(at)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    };
    pointers.iter().filter_map(text).collect::<Vec<_>>().join(" ")
}

/// The text at a key of an object; empty if there is none.
pub(in crate::edge::submit) fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The objects of the list at `pointer`, of a 2xx.
pub(super) fn list<'r>(reply: &'r Reply, pointer: &str) -> Option<&'r [Value]> {
    let list = reply.json.as_ref().filter(|_| reply.is_success())?.pointer(pointer)?.as_array()?;
    list.iter().all(Value::is_object).then(|| list.get(..list.len().min(EVENTS)).unwrap_or_default())
}

/// What a list of events comes to: the one that tells most. `of` reads one; nothing but events that say nothing is a mail that is stuck.
pub(super) fn events(list: &[Value], of: impl Fn(&Value) -> Option<(Fate, String)>) -> Said {
    if list.is_empty() {
        return Said::Nothing;
    }
    let told = list.iter().filter_map(of).max_by_key(|(fate, _)| *fate);
    match told {
        Some((fate, words)) if fate >= Fate::Deferred => Said::Sure(fate, words),
        Some((fate, words)) => Said::Perhaps(fate, words),
        None => Said::Perhaps(Fate::Stuck, "events of it, but none of them tells".to_owned()),
    }
}

/// Whether a list's page is full, so that there may be another.
pub(super) fn is_full(reply: &Reply, pointer: &str) -> bool {
    list(reply, pointer).is_some_and(|entries| entries.len() >= PAGE)
}

/// A seed that stands on a list, if one of its entries is the seed's.
pub(super) fn listed(entries: &[Value], after: &After<'_>, address: &str, pointers: &[&str]) -> Said {
    let mine = |entry: &&Value| text(entry, address).eq_ignore_ascii_case(after.recipient);
    entries.iter().find(mine).map_or(Said::Nothing, |entry| suppressed(entry, pointers))
}

/// The same, in words of one entry.
pub(super) fn suppressed(entry: &Value, pointers: &[&str]) -> Said {
    let words = words(entry, pointers);
    Said::Sure(Fate::Suppressed, if words.is_empty() { "on the suppression list".to_owned() } else { words })
}

/// A text as a part of a path or of a query.
pub(super) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// What a receiver's reply says: its code decides.
pub(in crate::edge::submit) fn by_reply(diag: &str) -> Option<Fate> {
    match diag.trim_start().as_bytes() {
        [b'2', b'0'..=b'9', b'0'..=b'9', ..] => Some(Fate::HandedOff),
        [b'4', b'0'..=b'9', b'0'..=b'9', ..] => Some(Fate::Deferred),
        [b'5', b'0'..=b'9', b'0'..=b'9', ..] => Some(Fate::Bounced),
        _ => None,
    }
}
