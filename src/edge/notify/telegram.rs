//! Telegram, by a bot: one message a notice.
//!
//! No `parse_mode`, so that nothing formats; the title is made bold by its place. The token is part of the URL.

use futures::future::BoxFuture;
use reqwest::Url;
use serde_json::{Value, json};

use super::caller::{Answer, Caller};
use super::facts::{Fact, NEXT};
use super::fit::{self, Unit};
use super::memory::Memory;
use super::page::{Page, Pages};
use super::{Attempt, Channel, Outgoing, Rate, SinkError, Tools};
use crate::config::TelegramSettings;
use crate::model::{At, Severity, Span};

/// Under which the new number of a chat is remembered that became another.
const MOVED: &str = "chat";

/// One chat.
pub(super) struct Telegram {
    caller: Caller,
    url: Url,
    chat: String,
    topic: Option<u32>,
    memory: Memory,
    pages: Pages,
}

/// Says nothing of the URL.
impl std::fmt::Debug for Telegram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telegram").field("chat", &self.chat).finish_non_exhaustive()
    }
}

impl Telegram {
    pub(super) fn new(settings: &TelegramSettings, tools: &Tools<'_>) -> Result<Self, SinkError> {
        let token = tools.secret(&settings.token)?;
        let caller = Caller::new(tools.http()?, &[token.expose()]).patient();
        let url = tools.url(&format!("{}/bot{}/sendMessage", settings.base_url, token.expose()))?;
        let (chat, topic, memory) = (settings.chat.clone(), settings.topic, tools.memory());
        Ok(Self { caller, url, chat, topic, memory, pages: tools.pages.clone() })
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        let page = self.pages.page(out);
        let chat = self.memory.get(&self.moved()).unwrap_or_else(|| self.chat.clone());
        let attempt = self.post(&page, &chat, now).await;
        match attempt {
            // A group that became a supergroup has another number.
            Err(moved) => {
                self.memory.set(&self.moved(), &moved);
                self.post(&page, &moved, now).await.unwrap_or_else(|_again| Attempt::Doubtful { why: "the chat moved twice".to_owned() })
            }
            Ok(attempt) => attempt,
        }
    }

    /// Remembered for this chat: another in the settings is another.
    fn moved(&self) -> String {
        format!("{MOVED} {}", self.chat)
    }

    /// Posts once; an error is the chat's new number.
    async fn post(&self, page: &Page, chat: &str, now: At) -> Result<Attempt, String> {
        let body = message(page, chat, self.topic);
        match self.caller.send(self.caller.post(self.url.clone(), &body)).await {
            Ok(answer) => self.read(&answer, now),
            Err(attempt) => Ok(attempt),
        }
    }

    fn read(&self, answer: &Answer, now: At) -> Result<Attempt, String> {
        let json = answer.json();
        let parameters = json.get("parameters").unwrap_or(&Value::Null);
        if let Some(moved) = parameters.get("migrate_to_chat_id").and_then(Value::as_i64) {
            return Err(moved.to_string());
        }
        if answer.status.is_success() && json.get("ok").and_then(Value::as_bool) != Some(true) {
            return Ok(Attempt::Retry { after: None, why: "answered 200, and not whether it worked".to_owned(), unclear: true });
        }
        let said = json.get("description").and_then(Value::as_str).unwrap_or_default();
        let wait = parameters.get("retry_after").and_then(Value::as_u64).map(|wait| Span::from_secs(wait.min(86_400)));
        let attempt = self.caller.judge(answer, said, now);
        // That the chat is not found is told with 400, and may be mended by inviting the bot.
        if said.contains("chat not found") {
            return Ok(Attempt::Doubtful { why: attempt.why().unwrap_or_default().to_owned() });
        }
        Ok(attempt.after(wait))
    }
}

impl Channel for Telegram {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    /// 20 a minute in a group.
    fn rate(&self) -> Rate {
        Rate { burst: 3, every: Span::from_secs(3) }
    }

    /// Its people would get a second message.
    fn repeats(&self) -> bool {
        true
    }
}

fn message(page: &Page, chat: &str, topic: Option<u32>) -> Value {
    let title = fit::inert(&page.title);
    let link = fit::within(&page.links(), 1000, Unit::Wide);
    let room = 4096 - Unit::Wide.of(&link);
    let (whole, mut entities) = body(page, &title);
    let kept = fit::within(&whole, room, Unit::Wide);
    // What the cut took a part of is no code any more.
    let length = Unit::Wide.of(&kept) - usize::from(kept != whole);
    entities.retain(|(offset, long)| offset + long <= length);
    let bold = json!({ "type": "bold", "offset": 0, "length": Unit::Wide.of(&title) });
    let codes = entities.iter().map(|(offset, length)| json!({ "type": "code", "offset": offset, "length": length }));
    let entities: Vec<Value> = std::iter::once(bold).chain(codes).collect();
    let text = kept + &link;
    let chat = chat.parse::<i64>().map_or_else(|_| json!(chat), |number| json!(number));
    let mut message = json!({
        "chat_id": chat,
        "text": text,
        "entities": entities,
        "link_preview_options": { "is_disabled": true },
        "disable_notification": page.severity == Severity::Info || page.quiet || page.is_over(),
    });
    if let (Some(topic), Some(object)) = (topic, message.as_object_mut()) {
        object.insert("message_thread_id".to_owned(), json!(topic));
    }
    message
}

/// All but the links, and where in it commands stand that are to be copied as they are: there nothing is a link either.
fn body(page: &Page, title: &str) -> (String, Vec<(usize, usize)>) {
    let mut text = format!("{title}\n{}", fit::inert(&page.text));
    let mut codes = Vec::new();
    for Fact { name, value } in &page.facts {
        text.push_str(&format!("\n{name}: "));
        let pieces = if *name == NEXT { fit::pieces(value) } else { vec![(false, value.clone())] };
        for (is_code, piece) in pieces {
            if is_code {
                codes.push((Unit::Wide.of(&text), Unit::Wide.of(&piece)));
                text.push_str(&piece);
            } else {
                text.push_str(&fit::inert(&piece));
            }
        }
    }
    (text, codes)
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;

    #[test]
    fn commands_can_be_copied() {
        let mut out = nasty::opened();
        std::sync::Arc::make_mut(&mut out.notice).evidence["next_step"] = json!("ä😀 `mailcanary check -c a.toml --live`, at evil.example");
        let message = message(&nasty::pages().page(&out), "1", None);
        let (text, code) = (message["text"].as_str().unwrap(), &message["entities"][1]);
        let at = |name: &str| usize::try_from(code[name].as_u64().unwrap()).unwrap();
        let told: Vec<u16> = text.encode_utf16().skip(at("offset")).take(at("length")).collect();
        assert_eq!(
            (code["type"].as_str(), String::from_utf16(&told).unwrap().as_str()),
            (Some("code"), "mailcanary check -c a.toml --live")
        );
        assert!(!text.contains("evil.example"), "{text}");
    }

    #[test]
    fn what_is_over_makes_no_sound() {
        let silent = |change| message(&nasty::pages().page(&nasty::out(change, "x")), "1", None)["disable_notification"] == true;
        assert_eq!([crate::model::Change::Opened, crate::model::Change::Resolved].map(silent), [false, true]);
    }

    #[test]
    fn nothing_from_outside_mentions_links_or_formats() {
        for out in nasty::all() {
            let message = message(&nasty::pages().page(&out), "-100123", None);
            assert!(message.get("parse_mode").is_none() && message["chat_id"] == -100_123);
            let text = message["text"].as_str().unwrap();
            assert!(text.encode_utf16().count() <= 4096);
            let (ours, link) = text.rsplit_once("\n\n").unwrap();
            let mut links = link.split("\nRunbook: ");
            assert_eq!(links.next(), Some("https://canary.example/incidents/3"));
            assert!(links.next().is_none_or(|runbook| runbook == "https://canary.example/runbooks/stopped"), "{link}");
            nasty::assert_plain(ours);
            assert!(!ours.contains("https://") && !ours.contains("@everyone") && !ours.contains("evil.example"), "{ours}");
            assert!(!ours.contains(" /start") && !ours.contains("#hashtag"), "{ours}");
        }
    }
}
