//! Slack, by an incoming webhook: one message a notice. It cannot change what it wrote; a bot can (`slack_bot`).
//!
//! All that comes from outside stands in `plain_text`, which Slack neither formats nor searches for mentions, and is escaped all the same.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::caller::Answer;
use super::fit::{self, Unit};
use super::hook::Hook;
use super::page::Page;
use super::replies::button;
use super::{Attempt, Channel, Outgoing, Rate, SinkError, Tools};
use crate::config::SlackSettings;
use crate::model::{At, Change, Span};

/// One webhook.
#[derive(Debug)]
pub(super) struct Slack {
    hook: Hook,
    /// Its messages have a button.
    answers: bool,
}

impl Slack {
    pub(super) fn new(settings: &SlackSettings, tools: &Tools<'_>) -> Result<Self, SinkError> {
        Ok(Self { hook: Hook::new(&settings.url, tools)?.patient(), answers: settings.acknowledgements.is_some() })
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        match self.hook.post(out, |page| message(page, self.answers)).await {
            Ok(answer) => self.read(&answer, now),
            Err(attempt) => attempt,
        }
    }

    /// Errors are one word of plain text.
    fn read(&self, answer: &Answer, now: At) -> Attempt {
        let said = answer.text();
        let attempt = self.hook.caller.judge(answer, &said, now);
        // `no_service` is how a revoked webhook is told; a channel that is archived may come back.
        match (answer.status.as_u16(), said.trim()) {
            (403 | 404, "no_service" | "no_team" | "team_disabled") => {
                Attempt::Gone { why: format!("{}: the webhook was revoked", attempt.why().unwrap_or_default()) }
            }
            (410, "channel_is_archived") => Attempt::Doubtful { why: attempt.why().unwrap_or_default().to_owned() },
            _ => attempt,
        }
    }
}

impl Channel for Slack {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    fn rate(&self) -> Rate {
        RATE
    }

    /// Its people would get a second message.
    fn repeats(&self) -> bool {
        true
    }
}

/// About one message a second, with short bursts.
pub(super) const RATE: Rate = Rate { burst: 3, every: Span::from_ms(1100) };

/// The three characters that mean something to Slack (its documents, "Escaping text").
pub(super) fn escape(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

fn plain(text: &str, most: usize) -> Value {
    json!({ "type": "plain_text", "emoji": false, "text": fit::escaped(&fit::inert(text), most, Unit::Char, escape) })
}

/// The message for `page`: for a webhook, and for a bot, which adds where it belongs. Where `answers` come back, with a button.
pub(super) fn message(page: &Page, answers: bool) -> Value {
    let mut blocks = vec![json!({ "type": "header", "text": plain(&page.title, 150) })];
    blocks.push(json!({ "type": "section", "text": plain(&page.text, 3000) }));
    let fields: Vec<Value> = page.facts.iter().map(|fact| plain(&format!("{}\n{}", fact.name, fact.value), 2000)).collect();
    if !fields.is_empty() {
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    // Ours, and escaped as everything is; `|` would end it.
    let linked = |link: &String, words: &str| {
        let link = fit::escaped(link, 2900, Unit::Char, |c| if c == '|' { Some("%7C") } else { escape(c) });
        json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": format!("<{link}|{words}>") }] })
    };
    blocks.extend(page.link.iter().map(|link| linked(link, "The incident, with all its evidence")));
    blocks.extend(page.runbook.iter().map(|runbook| linked(runbook, "Runbook: what to do first")));
    if answers && !page.is_over() && !page.is_trial && page.change != Change::Acknowledged {
        blocks.push(button(&page.key));
    }
    let fallback = fit::escaped(&fit::inert(&page.line()), 3000, Unit::Char, escape);
    json!({ "text": fallback, "blocks": blocks, "mrkdwn": false, "parse": "none", "link_names": false, "unfurl_links": false, "unfurl_media": false })
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;

    #[test]
    fn nothing_from_outside_mentions_links_or_formats() {
        for out in nasty::all() {
            let message = message(&nasty::pages().page(&out), true);
            let ours = [
                "<https://canary.example/incidents/3|The incident, with all its evidence>",
                "<https://canary.example/runbooks/stopped|Runbook: what to do first>",
            ];
            for text in nasty::texts(&message).into_iter().filter(|text| !ours.contains(text)) {
                nasty::assert_plain(text);
                assert!(!text.contains(['<', '>']) && !text.contains("@everyone") && !text.contains("https://"), "{text}");
                assert!(text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").find('&').is_none(), "{text}");
            }
            let long = |value: &Value| value["text"].as_str().unwrap().chars().count();
            assert!(long(&message["blocks"][0]["text"]) <= 150 && long(&message["blocks"][1]["text"]) <= 3000);
            assert!(message["blocks"][2]["fields"].as_array().is_none_or(|fields| fields.iter().all(|field| long(field) <= 2000)));
        }
    }
}
