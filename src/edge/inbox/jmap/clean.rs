//! Destroys own canaries some time after they were told of, where that is wanted. Other mail is never touched.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use super::super::desk::Desk;
use super::super::pace::Pace;
use super::super::trouble::Trouble;
use super::method::{Api, Failure};
use super::place::Place;
use crate::model::Span;

const WHAT: &str = "Email/set";

/// When it was last done, and whether it can be.
#[derive(Debug, Default)]
pub(super) struct Cleaning {
    last: Option<Instant>,
    refused: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    not_destroyed: Option<BTreeMap<String, Failure>>,
}

impl Cleaning {
    /// Destroys those that are due, every now and then.
    pub(super) async fn clean(&mut self, desk: &Desk, api: &Api<'_>, place: &mut Place, pace: &Pace) -> Result<(), Trouble> {
        let rests = self.last.is_some_and(|last| last.elapsed() < pace.delete_every);
        let before = (desk.now)().minus(Span::from(pace.delete_after));
        let due = if self.refused || rests { Vec::new() } else { place.due(before, api.session.get_most) };
        if due.is_empty() {
            return Ok(());
        }
        let done: Result<Done, Failure> = api.one(WHAT, json!({ "destroy": due })).await?;
        let kept = match done {
            Ok(done) => done.not_destroyed.unwrap_or_default(),
            Err(failure) => {
                self.refused = true;
                let error = failure.into_trouble(WHAT).why();
                tracing::warn!(inbox = %desk.name, error, "own canaries cannot be deleted and stay in the mailbox");
                return Ok(());
            }
        };
        if let Some(failure) = kept.into_values().find(|failure| failure.r#type != "notFound") {
            let error = failure.into_trouble(WHAT).why();
            tracing::warn!(inbox = %desk.name, error, "some own canaries cannot be deleted and stay in the mailbox");
        }
        place.forget(&due);
        // As long as there are as many as one call takes, there are more.
        self.last = (due.len() < api.session.get_most).then(Instant::now);
        Ok(())
    }
}
