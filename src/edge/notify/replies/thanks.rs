//! What whoever pressed a button sees of it: Slack shows nothing by itself, and names an address for what is to be shown.

use reqwest::Url;
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};

use super::super::caller::Caller;
use super::super::fit;
use crate::model::IncidentId;

/// Answers on their way; what does not fit is not shown.
const ON_THEIR_WAY: usize = 16;
/// Where Slack's own addresses are.
const SLACK: &str = "https://hooks.slack.com";

/// Shows what became of a pressed button.
#[derive(Debug)]
pub(super) struct Thanks {
    caller: Caller,
    /// The origin of the sink itself.
    home: String,
    queue: mpsc::Sender<(Url, Value)>,
    waiting: Mutex<mpsc::Receiver<(Url, Value)>>,
}

impl Thanks {
    pub(super) fn new(caller: Caller, home: &Url) -> Self {
        let (queue, waiting) = mpsc::channel(ON_THEIR_WAY);
        Self { caller, home: home.origin().ascii_serialization(), queue, waiting: Mutex::new(waiting) }
    }

    /// Shows it at `to`, which a signed post has named, and which is called only where Slack is.
    pub(super) fn show(&self, to: &str, incident: IncidentId, by: Option<&str>) {
        let Ok(to) = Url::parse(to) else { return };
        let origin = to.origin().ascii_serialization();
        if origin != SLACK && origin != self.home {
            return;
        }
        let (kind, text) = match by {
            Some(by) => (
                "in_channel",
                format!("Incident {incident}: {} has acknowledged it. Nobody is reminded or called any more.", fit::inert(by)),
            ),
            None => ("ephemeral", "That incident is over already, or not known here.".to_owned()),
        };
        let block = json!({ "type": "section", "text": { "type": "plain_text", "emoji": false, "text": fit::escaped(&text, 1000, fit::Unit::Char, super::super::slack::escape) } });
        // Whoever does not see it sees the incident's page.
        let _ = self.queue.try_send((to, json!({ "response_type": kind, "replace_original": false, "blocks": [block] })));
    }

    /// Calls what waits. Never ends.
    pub(super) async fn tend(&self) {
        let mut waiting = self.waiting.lock().await;
        while let Some((to, message)) = waiting.recv().await {
            if self.caller.send_only(self.caller.post(to, &message)).await.is_err() {
                tracing::debug!("what became of a pressed button could not be shown");
            }
        }
    }
}
