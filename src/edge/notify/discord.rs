//! Discord, by a webhook: one message a notice, with `wait=true`, for without it a message that is not saved gives no error.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::caller::Answer;
use super::facts::{Fact, NEXT};
use super::fit::{self, Unit};
use super::hook::Hook;
use super::page::Page;
use super::{Attempt, Channel, Outgoing, Rate, SinkError, Tools};
use crate::config::DiscordSettings;
use crate::model::{At, Severity, Span};

/// `SUPPRESS_NOTIFICATIONS`: the message makes no sound (Discord's documents, "Message Flags").
const SILENT: u64 = 1 << 12;

/// One webhook.
#[derive(Debug)]
pub(super) struct Discord(Hook);

impl Discord {
    pub(super) fn new(settings: &DiscordSettings, tools: &Tools<'_>) -> Result<Self, SinkError> {
        let mut hook = Hook::new(&settings.url, tools)?.patient();
        let others: Vec<(String, String)> = hook.url.query_pairs().into_owned().filter(|(name, _)| name != "wait").collect();
        hook.url.query_pairs_mut().clear().extend_pairs(others).append_pair("wait", "true");
        Ok(Self(hook))
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        match self.0.post(out, message).await {
            Ok(answer) => self.read(&answer, now),
            Err(attempt) => attempt,
        }
    }

    fn read(&self, answer: &Answer, now: At) -> Attempt {
        let json = answer.json();
        let said = json.get("message").and_then(Value::as_str).unwrap_or_default();
        let attempt = self.0.caller.judge(answer, said, now);
        let wait = json.get("retry_after").and_then(Value::as_f64).filter(|wait| (0.0..86_400.0).contains(wait));
        // Unknown Webhook: it was deleted, and calls of what is not there get an address banned.
        if answer.status.as_u16() == 404 && json.get("code").and_then(Value::as_u64) == Some(10015) {
            return Attempt::Gone { why: format!("{}: the webhook was deleted", attempt.why().unwrap_or_default()) };
        }
        // More exact than the header.
        attempt.after(wait.map(|wait| Span::from_ms((wait * 1000.0).ceil() as u64)))
    }
}

impl Channel for Discord {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    /// Typically 5 in 2 s and 30 a minute.
    fn rate(&self) -> Rate {
        Rate { burst: 4, every: Span::from_secs(2) }
    }

    /// Its people would get a second message.
    fn repeats(&self) -> bool {
        true
    }
}

/// Marks of Discord's Markdown, mentions, emoji and times, each behind a backslash.
fn escape(c: char) -> Option<&'static str> {
    match c {
        '\\' => Some("\\\\"),
        '*' => Some("\\*"),
        '_' => Some("\\_"),
        '~' => Some("\\~"),
        '`' => Some("\\`"),
        '|' => Some("\\|"),
        '<' => Some("\\<"),
        '>' => Some("\\>"),
        '#' => Some("\\#"),
        '[' => Some("\\["),
        ']' => Some("\\]"),
        '(' => Some("\\("),
        ')' => Some("\\)"),
        _ => None,
    }
}

fn plain(text: &str, most: usize) -> String {
    // A line that begins with `-` or a number and a full stop would be a list.
    let text = fit::inert(text).replace("\n-", "\n\\-");
    fit::escaped(text.strip_prefix('-').map_or(&*text, |rest| rest.trim_start_matches('-').trim_start()), most, Unit::Char, escape)
}

/// The same of what to do: its commands stand in it as code, to be copied as they are.
fn with_code(text: &str, most: usize) -> String {
    let mut out = String::new();
    for (is_code, piece) in fit::pieces(text) {
        let room = most.saturating_sub(out.chars().count());
        if is_code && piece.len() + 2 <= room {
            out.push_str(&format!("`{piece}`"));
        } else if room > 0 {
            out.push_str(&plain(&piece, room));
        }
    }
    out
}

fn message(page: &Page) -> Value {
    let colour = match page.severity {
        _ if page.is_over() => 0x002e_cc71,
        Severity::Page => 0x00e7_4c3c,
        Severity::Warn => 0x00e6_7e22,
        Severity::Info => 0x0034_98db,
    };
    let told = |fact: &Fact| if fact.name == NEXT { with_code(&fact.value, 700) } else { plain(&fact.value, 700) };
    let fields: Vec<Value> = page.facts.iter().map(|fact| json!({ "name": fact.name, "value": told(fact), "inline": false })).collect();
    let mut embed = json!({
        "title": plain(&page.title, 256),
        // All texts of an embed together have 6000.
        "description": plain(&page.text, 1500),
        "fields": fields,
        "color": colour,
        "timestamp": page.at.rfc3339(),
    });
    if let Some(object) = embed.as_object_mut() {
        object.extend(page.link.iter().map(|link| ("url".to_owned(), json!(link))));
        // An embed has one address more than its title's: its author's.
        let runbook = page.runbook.iter().map(|runbook| json!({ "name": "Runbook: what to do first", "url": runbook }));
        object.extend(runbook.map(|runbook| ("author".to_owned(), runbook)));
    }
    // The content is what a phone shows first.
    let flags = if page.quiet || page.severity == Severity::Info { SILENT } else { 0 };
    json!({ "content": plain(&page.title, 500), "embeds": [embed], "allowed_mentions": { "parse": [] }, "flags": flags })
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;

    #[test]
    fn commands_can_be_copied() {
        let text = with_code("see *it* at evil.example: `mailcanary check -c a.toml --live`", 700);
        assert_eq!(text.replace(fit::JOINER, ""), "see \\*it\\* at evil.example: `mailcanary check -c a.toml --live`");
        assert!(!text.contains("evil.example") && text.ends_with("`mailcanary check -c a.toml --live`"), "{text}");
        assert!((0..80).all(|most| with_code("see `mailcanary check --live` and *this*", most).chars().count() <= most + 1));
    }

    #[test]
    fn nothing_from_outside_mentions_links_or_formats() {
        let marked = |text: &str| {
            let (mut behind, mut found) = (false, false);
            for c in text.chars() {
                found |= !behind && "*_~`|<>#[]".contains(c);
                behind = c == '\\' && !behind;
            }
            found
        };
        for out in nasty::all() {
            let message = message(&nasty::pages().page(&out));
            assert_eq!(message["allowed_mentions"], json!({ "parse": [] }));
            let mut sum = 0;
            let embed = &message["embeds"][0];
            let facts = embed["fields"].as_array().unwrap();
            for text in [&embed["title"], &embed["description"], &message["content"]].into_iter().chain(facts.iter().map(|f| &f["value"])) {
                let text = text.as_str().unwrap();
                nasty::assert_plain(text);
                assert!(!marked(text) && !text.contains("@everyone") && !text.contains("https://"), "{text}");
                assert!(!text.is_empty());
                sum += text.chars().count();
            }
            assert!(sum <= 6000, "{sum}");
        }
    }
}
