//! What comes back from sinks: who has acknowledged an incident there, at `POST /hooks/sinks/NAME`.
//!
//! A sink is one file that says how a post proves who it is from and what was said ([`Reply`]), and one line of [`way`]. It becomes the
//! same order as a person's on the command line, and is answered once it is written down. Opens no connection, and reads no clock.

mod pagerduty;
mod slack;
mod thanks;

pub(super) use slack::button;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::post;
use futures::future::join_all;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::time::timeout;

use self::pagerduty::PagerDuty;
use self::slack::Slack;
use self::thanks::Thanks;
use super::{Caller, Origin, SinkError, fit, parse};
use crate::config::{self, Secret, SecretRef, SecretUrl, Settings, SinkKind};
use crate::edge::dial::Dialer;
use crate::edge::post::{Order, Post, Tally, answer, ended, receive, unread};
use crate::model::{At, HookCounts, IncidentId, Knock, Name, Now, Tiding};
use crate::watchdog::Event;

/// What stands before a sink's name in the path.
const PATH: &str = "/hooks/sinks/";
/// Bytes of a body: a whole incident, or a whole message.
const BODY: usize = 1 << 20;
/// Posts that are worked at together; a further one is told to come again.
const AT_ONCE: usize = 4;
/// To be written down. Slack waits for 3 s, and shows whoever pressed the button that it did not work.
const WRITTEN: Duration = Duration::from_millis(2500);
/// Bytes of a person's name.
const NAME: usize = 60;
/// Words in one post: each sink sends one.
const WORDS: usize = 16;

/// What somebody did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Acknowledged,
    TookBack,
    Resolved,
}

/// What somebody said of an incident, whosever that is.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    /// The incident's key, as the sink was told it.
    key: String,
    deed: Deed,
    /// Who, as the sink tells it.
    by: String,
    /// When, by the sink's clock.
    at: Option<At>,
    /// Where it is to be shown what became of it.
    answer_at: Option<String>,
}

/// How one kind of sink calls back.
trait Reply: fmt::Debug + Send + Sync {
    /// Whether the sink made this post, and not too long ago.
    fn is_genuine(&self, post: &Post<'_>) -> bool;

    /// What was said; nothing if it is not what the sink sends, no words if they do not concern us.
    fn words(&self, post: &Post<'_>) -> Option<Vec<Said>>;
}

/// How a sink calls back, if it does, and what shows people what became of their word where the sink does not show it by itself.
fn way(name: &Name, sink: &config::Sink, secrets: &dyn Fn(&SecretRef) -> Option<Secret>) -> Result<Option<Way>, SinkError> {
    let secret = |at: &SecretRef| secrets(at).ok_or_else(|| SinkError::Missing(name.clone()));
    let Some(at) = sink.kind.acknowledgements() else { return Ok(None) };
    let key = secret(at)?;
    let key = key.expose().trim().as_bytes();
    let (reply, home): (Box<dyn Reply>, _) = match &sink.kind {
        SinkKind::PagerDuty(_) => (Box::new(PagerDuty::new(key)), None),
        SinkKind::Slack(settings) => {
            let url = SecretUrl::new(&secret(&settings.url)?).map_err(|error| SinkError::SecretUrl(name.clone(), error))?;
            (Box::new(Slack::new(key)), Some(url.expose().clone()))
        }
        SinkKind::SlackBot(settings) => (Box::new(Slack::new(key)), Some(parse(name, &settings.base_url)?)),
        SinkKind::Alertmanager(_)
        | SinkKind::Webhook(_)
        | SinkKind::Opsgenie(_)
        | SinkKind::Jira(_)
        | SinkKind::Grafana(_)
        | SinkKind::Discord(_)
        | SinkKind::Teams(_)
        | SinkKind::Telegram(_)
        | SinkKind::Ntfy(_)
        | SinkKind::Command(_)
        | SinkKind::Email(_)
        | SinkKind::Desktop(_) => return Ok(None),
    };
    let http = || Dialer::new(&sink.wire).and_then(|dialer| dialer.http()).map_err(|error| SinkError::Wire(name.clone(), error));
    let thanks = home.map(|home| Ok(Thanks::new(Caller::new(http()?, &[]), &home))).transpose()?;
    Ok(Some(Way { word: sink.kind.as_str(), reply, thanks, tally: Arc::default() }))
}

/// One sink's way back, and what has come by it.
#[derive(Debug)]
struct Way {
    word: &'static str,
    reply: Box<dyn Reply>,
    thanks: Option<Thanks>,
    tally: Arc<Tally>,
}

/// The ways back from all sinks that have one.
pub struct Replies {
    ways: BTreeMap<Name, Way>,
    origin: Origin,
    places: Semaphore,
    orders: mpsc::Sender<Order>,
    now: Now,
}

impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies").field("ways", &self.ways).finish_non_exhaustive()
    }
}

impl Replies {
    /// Prepares the ways back that the settings name. What is said goes into `orders`; what does not fit there is refused, so that it is
    /// told again.
    ///
    /// # Errors
    /// A secret that was not handed in.
    pub fn new(
        settings: &Settings,
        secrets: &dyn Fn(&SecretRef) -> Option<Secret>,
        origin: Origin,
        orders: mpsc::Sender<Order>,
        now: Now,
    ) -> Result<Self, SinkError> {
        let mut ways = BTreeMap::new();
        for (name, sink) in &settings.sinks {
            ways.extend(way(name, sink, secrets)?.map(|way| (name.clone(), way)));
        }
        Ok(Self { ways, origin, places: Semaphore::new(AT_ONCE), orders, now })
    }

    /// Shows people what became of the buttons that they pressed. Never ends by itself.
    pub async fn tend(&self) {
        join_all(self.ways.values().filter_map(|way| way.thanks.as_ref()).map(Thanks::tend)).await;
    }

    /// The paths, to be merged into those of others.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new().route(&format!("{PATH}{{name}}"), post(knock)).with_state(self)
    }

    /// The same, with what a `former` configuration's have counted, and will.
    #[must_use]
    pub fn after(mut self, former: &Self) -> Self {
        for (name, way) in &mut self.ways {
            if let Some(former) = former.ways.get(name) {
                way.tally = Arc::clone(&former.tally);
            }
        }
        self
    }

    /// What was counted so far, for each sink that calls back.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Name, HookCounts> {
        self.ways.iter().map(|(name, way)| (name.clone(), way.tally.counts())).collect()
    }

    /// The way back at a path. Names stand in paths as they are.
    fn way(&self, at: &Uri) -> Option<(&Name, &Way)> {
        self.ways.get_key_value(&Name::new(at.path().strip_prefix(PATH)?).ok()?)
    }

    /// Takes a post in that was read whole, and says how that ended.
    async fn take_in(&self, name: &Name, way: &Way, post: &Post<'_>) -> Knock {
        if !way.reply.is_genuine(post) {
            return Knock::Refused;
        }
        let Some(words) = way.reply.words(post) else { return Knock::Unreadable };
        if words.len() > WORDS {
            return Knock::TooLarge;
        }
        if words.is_empty() {
            way.tally.tell(Tiding::Mute, 1);
        }
        for said in words {
            let Some(tiding) = self.pass_on(name, way, said).await else { return Knock::Busy };
            way.tally.tell(tiding, 1);
        }
        Knock::Taken
    }

    /// Passes on what was said and waits until it is written down; nothing if that could not be: it is to be told again.
    async fn pass_on(&self, sink: &Name, way: &Way, said: Said) -> Option<Tiding> {
        let Some(incident) = self.origin.incident(&said.key) else { return Some(Tiding::Foreign) };
        let (done, written) = oneshot::channel();
        let by = fit::line(&said.by, NAME);
        let by = if by.is_empty() { "somebody" } else { &by };
        let show = |by| way.thanks.iter().zip(&said.answer_at).for_each(|(thanks, to)| thanks.show(to, incident, by));
        let event = event(sink, incident, said.deed, format!("{}: {by}", way.word), said.at);
        self.orders.try_send(Order { event, done }).ok()?;
        match timeout(WRITTEN, written).await.ok()?.ok()? {
            Ok(_) => {
                tracing::info!(%sink, %incident, deed = ?said.deed, "somebody answered at a sink");
                show(Some(by));
                Some(Tiding::Finding)
            }
            // It is over, or another ledger's.
            Err(_) => {
                show(None);
                Some(Tiding::Foreign)
            }
        }
    }
}

fn event(sink: &Name, incident: IncidentId, deed: Deed, by: String, said_at: Option<At>) -> Event {
    match deed {
        Deed::Acknowledged => Event::Acknowledged { incident, by, note: None, said_at, via: Some(sink.clone()) },
        Deed::TookBack => Event::Unacknowledged { incident, by, said_at },
        Deed::Resolved => Event::Closed { incident, by, note: None },
    }
}

async fn knock(State(replies): State<Arc<Replies>>, request: Request) -> Response {
    let Some((name, way)) = replies.way(request.uri()) else { return unread(StatusCode::NOT_FOUND) };
    let how = match receive(request, BODY, &replies.places).await {
        Ok(received) => ended(replies.take_in(name, way, &received.post((replies.now)())).await),
        Err(how) => how,
    };
    if way.tally.end(how.0) {
        tracing::warn!(sink = %name, outcome = how.0.as_str(), "what came back from a sink was not taken");
    }
    answer(how)
}
