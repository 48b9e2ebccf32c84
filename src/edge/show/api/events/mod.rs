//! `GET /api/v1/events`: verdicts and incidents that change, as server-sent events, or as JSON for who asks again and again.
//!
//! The loop knows nothing of it: while somebody listens, one task beside it asks for the state every second, and tells what differs. What
//! it told is remembered for a while, so that a listener who was cut off goes on where it was. A listener who does not read is cut off.

mod change;
mod stream;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::change::Seen;
pub(super) use self::stream::answer;
use super::super::problem::Problem;
use super::super::router::view;
use super::super::serve::Lease;
use super::Ask;
use super::shape::{Event, Events, Numbered};
use crate::model::Now;
use crate::watchdog::View;

/// Between two looks at the state.
const LOOK: Duration = Duration::from_secs(1);
/// Nobody has asked for this long: nothing is looked at any more, and what was told is forgotten.
const FORGETS: Duration = Duration::from_secs(600);
/// Events that are remembered.
const REMEMBERED: usize = 1000;
/// Listeners at a time: each holds one of the connections that there are.
const LISTENERS: usize = 16;
/// Events on their way to one listener, who is cut off when there are more.
const BEHIND: usize = 256;

/// Where changes are told. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    now: Now,
    state: Mutex<State>,
    wanted: Notify,
}

struct State {
    /// Which memory ids are of: another one than before whenever something was forgotten.
    memory: i64,
    next: u64,
    past: VecDeque<(u64, Event)>,
    listeners: Vec<Listener>,
    seen: Option<Seen>,
    asked: Instant,
}

struct Listener {
    events: mpsc::Sender<Bytes>,
    lease: Option<Arc<Lease>>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hub")
    }
}

/// What a listener is told first, and then.
struct Joined {
    first: Vec<Bytes>,
    then: mpsc::Receiver<Bytes>,
}

impl Hub {
    /// One that has told nothing yet.
    #[must_use]
    pub fn new(now: Now) -> Self {
        let state = State { memory: 0, next: 0, past: VecDeque::new(), listeners: Vec::new(), seen: None, asked: Instant::now() };
        Self(Arc::new(Shared { now, state: Mutex::new(state), wanted: Notify::new() }))
    }

    /// Looks at the state as long as somebody wants to know what changes.
    pub async fn watch(self, ask: Ask) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            self.0.wanted.notified().await;
            while self.goes_on() {
                looks.tick().await;
                // A loop that does not answer is shown by who asks for anything else.
                if let Ok(view) = view(&ask).await {
                    self.look(&view);
                }
            }
        }
    }

    /// Whether anybody wants to know; if not, everything is forgotten.
    fn goes_on(&self) -> bool {
        let mut state = self.state();
        state.listeners.retain(|listener| !listener.events.is_closed());
        if !state.listeners.is_empty() {
            state.asked = Instant::now();
        }
        let goes_on = state.asked.elapsed() < FORGETS;
        if !goes_on {
            (state.seen, state.next) = (None, 0);
            state.past.clear();
        }
        goes_on
    }

    fn look(&self, view: &View) {
        let mut state = self.state();
        let events = state.seen.as_ref().map_or_else(Vec::new, |seen| seen.changes(view));
        state.seen = Some(Seen::new(view));
        events.into_iter().for_each(|event| state.tell(event));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody wants to know what changes from here on; looking begins, if nobody did.
    fn wanted(&self, state: &mut State, view: &View) {
        state.asked = Instant::now();
        if state.seen.is_none() {
            state.seen = Some(Seen::new(view));
            state.memory = (self.0.now)().as_ms();
        }
        self.0.wanted.notify_one();
    }

    /// What has changed behind the event of this id.
    pub(super) fn changes(&self, view: &View, after: Option<&str>) -> Events {
        let mut state = self.state();
        self.wanted(&mut state, view);
        let since = after.map(|after| state.behind(after));
        let gone = matches!(since, Some(None));
        let numbered = |(number, event): &(u64, Event)| Numbered { id: state.id(*number), event: event.clone() };
        let events = since.flatten().map_or_else(Vec::new, |since| state.past.range(since..).map(numbered).collect());
        Events { as_of: view.at.into(), last: state.id(state.next), gone, events }
    }

    /// A new listener, who goes on behind the event of this id.
    fn join(&self, view: &View, after: Option<&str>, lease: Option<Arc<Lease>>) -> Result<Joined, Problem> {
        let mut state = self.state();
        state.listeners.retain(|listener| !listener.events.is_closed());
        if state.listeners.len() >= LISTENERS {
            return Err(Problem::busy(format!("{LISTENERS} listen already: try again later, or ask for JSON")));
        }
        self.wanted(&mut state, view);
        let hello = |event: &str| {
            let data = serde_json::json!({ "as_of": view.at.rfc3339() });
            Bytes::from(format!("retry: 3000\nid: {}\nevent: {event}\ndata: {data}\n\n", state.id(state.next)))
        };
        let first = match after.map(|after| state.behind(after)) {
            None => vec![hello("hello")],
            Some(None) => vec![hello("gone")],
            Some(Some(since)) => {
                let missed = state.past.range(since..).map(|(number, event)| state.written(*number, event));
                std::iter::once(Bytes::from_static(b"retry: 3000\n\n")).chain(missed).collect()
            }
        };
        let (events, then) = mpsc::channel(BEHIND);
        state.listeners.push(Listener { events, lease });
        Ok(Joined { first, then })
    }
}

impl State {
    fn id(&self, number: u64) -> String {
        format!("{:x}-{number}", self.memory)
    }

    /// The place in the past behind the event of this id; nothing if that is not remembered.
    fn behind(&self, id: &str) -> Option<usize> {
        let (memory, number) = id.split_once('-')?;
        let number: u64 = number.parse().ok()?;
        let first = self.past.front().map_or(self.next.saturating_add(1), |(number, _)| *number);
        let known = i64::from_str_radix(memory, 16).ok()? == self.memory && number <= self.next && number.saturating_add(1) >= first;
        known.then(|| self.past.partition_point(|(past, _)| *past <= number))
    }

    fn tell(&mut self, event: Event) {
        self.next += 1;
        let (number, written) = (self.next, self.written(self.next, &event));
        self.past.push_back((number, event));
        if self.past.len() > REMEMBERED {
            self.past.pop_front();
        }
        self.listeners.retain(|listener| {
            let told = listener.events.try_send(written.clone());
            if let (Err(mpsc::error::TrySendError::Full(_)), Some(lease)) = (&told, &listener.lease) {
                lease.cut();
            }
            told.is_ok()
        });
    }

    /// As it goes over the wire. JSON has no line breaks.
    fn written(&self, number: u64, event: &Event) -> Bytes {
        let (name, data) = event.parts();
        Bytes::from(format!("id: {}\nevent: {name}\ndata: {data}\n\n", self.id(number)))
    }
}

#[cfg(test)]
mod tests;
