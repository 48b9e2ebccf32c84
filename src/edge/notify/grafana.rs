//! Grafana IRM and OnCall, by an integration of the kind "formatted webhook": one alert group an incident, by its `alert_uid`.
//!
//! What OnCall makes of the texts its own templates decide: Markdown on its page, Slack's marks in Slack. So all marks are replaced by
//! signs that look alike and mean nothing.

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::fit::{self, Unit};
use super::hook::Hook;
use super::page::Page;
use super::{Attempt, Channel, Outgoing, Rate, SinkError, Tools};
use crate::config::GrafanaSettings;
use crate::model::{At, Span};

/// One integration.
#[derive(Debug)]
pub(super) struct Grafana(Hook);

impl Grafana {
    pub(super) fn new(settings: &GrafanaSettings, tools: &Tools<'_>) -> Result<Self, SinkError> {
        Hook::new(&settings.url, tools).map(Self)
    }

    async fn send(&self, out: &Outgoing, now: At) -> Attempt {
        match self.0.post(out, alert).await {
            Ok(answer) => self.0.caller.judge(&answer, &answer.text(), now),
            Err(attempt) => attempt,
        }
    }
}

impl Channel for Grafana {
    fn tell<'a>(&'a self, out: &'a Outgoing, now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(self.send(out, now))
    }

    /// 300 in five minutes.
    fn rate(&self) -> Rate {
        Rate { burst: 50, every: Span::from_ms(1200) }
    }

    fn mutes(&self) -> bool {
        true
    }
}

fn alike(text: &str, most: usize) -> String {
    fit::escaped(&fit::inert(text), most, Unit::Char, |c| match c {
        '<' => Some("‹"),
        '>' => Some("›"),
        '&' => Some("＆"),
        '*' => Some("∗"),
        '_' => Some("ˍ"),
        '~' => Some("∼"),
        '`' => Some("ʼ"),
        '[' => Some("［"),
        ']' => Some("］"),
        '#' => Some("＃"),
        '|' => Some("ǀ"),
        '\\' => Some("＼"),
        _ => None,
    })
}

fn alert(page: &Page) -> Value {
    json!({
        "alert_uid": page.alert,
        "title": alike(&page.title, 200),
        "message": alike(&page.body(), 8000),
        "state": if page.is_over() { "ok" } else { "alerting" },
        "link_to_upstream_details": page.link,
        // Beyond what the integration shows by itself: its templates can.
        "runbook_url": page.runbook,
    })
}

#[cfg(test)]
mod tests {
    use super::super::nasty;
    use super::*;
    use crate::model::Change;

    #[test]
    fn a_recovery_is_ok() {
        assert_eq!(alert(&nasty::pages().page(&nasty::opened()))["state"], "alerting");
        let over = alert(&nasty::pages().page(&nasty::out(Change::Resolved, "over")));
        assert_eq!((&over["state"], &over["alert_uid"]), (&json!("ok"), &json!("mailcanary/test.example/3")));
    }

    #[test]
    fn no_mark_is_left() {
        for out in nasty::all() {
            let alert = alert(&nasty::pages().page(&out));
            for name in ["title", "message"] {
                let text = alert[name].as_str().unwrap();
                nasty::assert_plain(text);
                assert!(!text.contains(['<', '>', '&', '*', '_', '~', '`', '[', '#']) && !text.contains("https://"), "{text}");
                assert!(!text.contains("@everyone"), "{text}");
            }
        }
    }
}
