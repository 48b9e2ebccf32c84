//! The door that providers knock at: `POST /hooks/NAME`, bounded in size, time and number. Who is not let in learns nothing but that.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::post;

use super::known::Known;
use super::{Hooks, Webhook};
use crate::edge::post::{Tally, answer, ended, receive, unread};
use crate::model::{HookCounts, Knock, Name, Tiding};

/// What stands before a provider's name in the path of its webhook.
const PATH: &str = "/hooks/";
/// Bytes of a body: Mandrill puts up to a thousand events into one.
const BODY: usize = 4 << 20;

/// One provider's webhook, what it may tell of, and what it has told.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) webhook: Box<dyn Webhook>,
    memory: Arc<Memory>,
}

/// What outlives a door's settings.
#[derive(Debug, Default)]
struct Memory {
    known: Mutex<Known>,
    tally: Tally,
}

impl Door {
    pub(super) fn new(webhook: Box<dyn Webhook>) -> Self {
        Self { webhook, memory: Arc::default() }
    }

    /// The same, with what a former one has learnt and counted, and will.
    pub(super) fn after(mut self, former: &Self) -> Self {
        self.memory = Arc::clone(&former.memory);
        self
    }

    /// Never held while anything is waited for.
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.memory.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn counts(&self) -> HookCounts {
        self.memory.tally.counts()
    }

    pub(super) fn count_events(&self, tidings: &BTreeMap<Tiding, u64>) {
        tidings.iter().for_each(|(tiding, events)| self.memory.tally.tell(*tiding, *events));
    }

    /// Counts how a request ended, and says it once where that is new.
    fn count(&self, provider: &Name, knock: Knock) {
        if self.memory.tally.end(knock) {
            tracing::warn!(%provider, outcome = knock.as_str(), "what came in by a provider's webhook was not taken");
        }
    }
}

impl Hooks {
    /// The paths of the webhooks, to be merged into those of others.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new().route(&format!("{PATH}{{name}}"), post(knock).head(probe)).with_state(self)
    }

    /// The door at a path. Names stand in paths as they are.
    fn door(&self, at: &Uri) -> Option<(&Name, &Door)> {
        self.doors.get_key_value(&Name::new(at.path().strip_prefix(PATH)?).ok()?)
    }
}

/// Mandrill looks whether the address is there before it is entered.
async fn probe(State(hooks): State<Arc<Hooks>>, at: Uri) -> StatusCode {
    if hooks.door(&at).is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND }
}

async fn knock(State(hooks): State<Arc<Hooks>>, request: Request) -> Response {
    let Some((name, door)) = hooks.door(request.uri()) else { return unread(StatusCode::NOT_FOUND) };
    let how = match receive(request, BODY, &hooks.places).await {
        Ok(received) => ended(hooks.take_in(name, door, &received.post((hooks.now)())).await),
        Err(how) => how,
    };
    door.count(name, how.0);
    answer(how)
}
