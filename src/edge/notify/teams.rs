//! Microsoft Teams, by a workflow that posts an Adaptive Card.
//!
//! Answered with 202 the workflow was started, and a card that it cannot post fails later with nothing said. Texts stand in runs of a
//! `RichTextBlock`, which know no Markdown, unlike those of a `TextBlock` or a `FactSet`.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::caller::Answer;
use super::fit::{self, Unit};
use super::hook::Hook;
use super::page::Page;
use super::{Attempt, Channel, Outgoing, Rate, SinkError, Tools};
use crate::config::TeamsSettings;
use crate::model::{At, Severity, Span};

/// One workflow.
#[derive(Debug)]
pub(super) struct Teams(Hook);

impl Teams {
    pub(super) fn new(settings: &TeamsSettings, tools: &Tools<'_>) -> Result<Self, SinkError> {
        Ok(Self(Hook::new(&settings.url, tools)?.patient()))
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        match self.0.post(out, message).await {
            Ok(answer) => self.read(&answer, now),
            Err(attempt) => attempt,
        }
    }

    fn read(&self, answer: &Answer, now: At) -> Attempt {
        let json = answer.json();
        let said = json.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
        // Connectors of old say 200 and mean the text, which is `1` when it went well.
        let text = answer.text();
        if answer.status.as_u16() == 200 && text.contains("delivery failed") {
            let why = format!("answered 200: {}", fit::line(&self.0.caller.scrubbed(&text), 200));
            return Attempt::Retry { after: None, why, unclear: true };
        }
        self.0.caller.judge(answer, said, now)
    }
}

impl Channel for Teams {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    /// Connectors took four a second; workflows say less of themselves.
    fn rate(&self) -> Rate {
        Rate { burst: 4, every: Span::from_secs(1) }
    }

    /// Its people would get a second message.
    fn repeats(&self) -> bool {
        true
    }
}

/// A run of text. Dates in double braces would be put in; there are none of ours.
fn run(text: &str, most: usize) -> Value {
    let text = fit::inert(text).replace("{{", "{\u{2060}{").replace("<at", "<\u{2060}at");
    json!({ "type": "TextRun", "text": fit::within(&text, most, Unit::Char) })
}

fn with(mut run: Value, more: &Value) -> Value {
    if let (Some(object), Some(more)) = (run.as_object_mut(), more.as_object()) {
        object.extend(more.clone());
    }
    run
}

fn message(page: &Page) -> Value {
    let colour = match page.severity {
        _ if page.is_over() => "good",
        Severity::Page => "attention",
        Severity::Warn => "warning",
        Severity::Info => "accent",
    };
    let block = |runs: Vec<Value>| json!({ "type": "RichTextBlock", "inlines": runs });
    let title = with(run(&page.title, 200), &json!({ "size": "large", "weight": "bolder", "color": colour }));
    let mut body = vec![block(vec![title])];
    body.extend(page.text.lines().filter(|line| !line.is_empty()).take(30).map(|line| block(vec![run(line, 3000)])));
    for fact in &page.facts {
        let name = with(run(&format!("{}: ", fact.name), 100), &json!({ "weight": "bolder" }));
        body.push(block(vec![name, run(&fact.value, 500)]));
    }
    let open = |url: &String, title: &str| json!({ "type": "Action.OpenUrl", "title": title, "url": url });
    let incident = page.link.iter().map(|link| open(link, "Open the incident"));
    let actions: Vec<Value> = incident.chain(page.runbook.iter().map(|runbook| open(runbook, "Runbook"))).collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
        "msteams": { "width": "Full" },
    });
    let attachment = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card });
    json!({ "type": "message", "attachments": [attachment] })
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;

    #[test]
    fn nothing_from_outside_mentions_links_or_formats() {
        for out in nasty::all() {
            let message = message(&nasty::pages().page(&out));
            assert!(message.to_string().len() < 28_000, "{}", message.to_string().len());
            let card = &message["attachments"][0]["content"];
            for block in card["body"].as_array().unwrap() {
                assert_eq!(block["type"], "RichTextBlock", "the other kinds know Markdown");
                for text in nasty::texts(block) {
                    nasty::assert_plain(text);
                    assert!(!text.contains("<at>") && !text.contains("{{") && !text.contains("https://"), "{text}");
                }
            }
        }
    }
}
