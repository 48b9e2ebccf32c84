//! What can be read: all that the status page shows.

use super::super::super::problem::Problem;
use super::super::asked::Asked;
use super::super::form::{Form, number};
use super::super::operation::{Operation, Parameter, Reply, Run, Verb};
use super::super::shape::{
    Accounts, Canaries, Canary, Configuration, Dns, Drill, Events, Heartbeats, Identities, Inboxes, Incident, Incidents, Maintained,
    Provider, Providers, Route, Routes, Silence, Silences, Sinks, Status, Streams,
};
use crate::model::{self, At, CanaryId};
use crate::watchdog::{CanaryView, RouteView, View};

pub(super) const LIMIT: Parameter = Parameter { name: "limit", form: Form::Limit, doc: "Entries of a page." };
pub(super) const NEXT: &str = "Where the page begins: `next` of the page before.";

const ROUTES: &[Parameter] = &[
    Parameter { name: "provider", form: Form::Name, doc: "Through this provider." },
    Parameter { name: "stream", form: Form::Name, doc: "Of this stream." },
    Parameter { name: "inbox", form: Form::Name, doc: "To this inbox." },
    Parameter { name: "verdict", form: Form::Verdict, doc: "That are doing so." },
    LIMIT,
    Parameter { name: "cursor", form: Form::BehindRoute, doc: NEXT },
];
const CANARIES: &[Parameter] = &[LIMIT, Parameter { name: "cursor", form: Form::BehindCanary, doc: NEXT }];
const INCIDENTS: &[Parameter] = &[
    Parameter { name: "open", form: Form::Flag, doc: "True: those that are open; false: those that have ended." },
    Parameter { name: "kind", form: Form::Kind, doc: "Of this kind." },
    Parameter { name: "severity", form: Form::Severity, doc: "As loud as this." },
    LIMIT,
    Parameter { name: "cursor", form: Form::Number, doc: NEXT },
];

const EVENTS: &[Parameter] =
    &[Parameter { name: "after", form: Form::BehindEvent, doc: "Behind this event. The header `Last-Event-ID` goes before it." }];

/// An operation that reads.
macro_rules! reading {
    ($id:literal, $path:literal, $doc:literal, $query:expr, $shape:ty, $run:expr) => {
        Operation {
            id: $id,
            verb: Verb::Get,
            path: $path,
            doc: $doc,
            query: $query,
            answer: |schemas| schemas.subschema_for::<$shape>(),
            run: $run,
        }
    };
}

pub(super) use reading;

pub(super) static OPERATIONS: &[Operation] = &[
    reading!("status", "/status", "How it is going.", &[], Status, Run::Read(|_, view| Reply::of(&Status::new(view)))),
    reading!(
        "providers",
        "/providers",
        "Which provider is healthy, for an application's own failover.",
        &[],
        Providers,
        Run::Read(|_, view| Reply::of(&Providers::new(view)))
    ),
    reading!("provider", "/providers/{provider}", "One provider.", &[], Provider, Run::Read(provider)),
    reading!("streams", "/streams", "Every stream of every provider.", &[], Streams, Run::Read(|_, view| Reply::of(&Streams::new(view)))),
    reading!("inboxes", "/inboxes", "Every inbox.", &[], Inboxes, Run::Read(|_, view| Reply::of(&Inboxes::new(view)))),
    reading!("routes", "/routes", "Routes, by page.", ROUTES, Routes, Run::Read(routes)),
    reading!("route", "/routes/{provider}/{stream}/{inbox}", "One route.", &[], Route, Run::Read(route)),
    reading!(
        "canariesOfRoute",
        "/routes/{provider}/{stream}/{inbox}/canaries",
        "A route's canaries, the newest first, by page: the newest 50, and older ones that listed incidents name.",
        CANARIES,
        Canaries,
        Run::Read(canaries)
    ),
    reading!("canary", "/canaries/{canary}", "One canary.", &[], Canary, Run::Read(canary)),
    reading!(
        "incidents",
        "/incidents",
        "Incidents, the newest first, by page: those that are open, and those that ended lately.",
        INCIDENTS,
        Incidents,
        Run::Read(incidents)
    ),
    reading!("incident", "/incidents/{incident}", "One incident.", &[], Incident, Run::Read(incident)),
    reading!(
        "silences",
        "/silences",
        "Silences that have not ended, and the maintenance of the configuration.",
        &[],
        Silences,
        Run::Read(|_, view| Reply::of(&Silences::new(view)))
    ),
    reading!("silenceByNumber", "/silences/{silence}", "One silence that has not ended.", &[], Silence, Run::Read(silence)),
    reading!(
        "maintenance",
        "/maintenance",
        "Maintenance that comes back every week.",
        &[],
        Maintained,
        Run::Read(|_, view| Reply::of(&Maintained::new(view)))
    ),
    reading!(
        "drill",
        "/drill",
        "The drill that goes on, and the last one that is over.",
        &[],
        Drill,
        Run::Read(|_, view| Reply::of(&Drill::new(view)))
    ),
    reading!(
        "identities",
        "/identities",
        "What the mail of each provider and stream looks like, what in it is foreign, and how its checks stand.",
        &[],
        Identities,
        Run::Read(|_, view| Reply::of(&Identities::new(view)))
    ),
    reading!(
        "dns",
        "/dns",
        "What the DNS says of your domains, the keys, the sending addresses and the inboxes, what has changed, and who is listed.",
        &[],
        Dns,
        Run::Read(|_, view| Reply::of(&Dns::new(view)))
    ),
    reading!(
        "sinks",
        "/sinks",
        "Every sink: what it was told, and what it was not yet.",
        &[],
        Sinks,
        Run::Read(|_, view| Reply::of(&Sinks::new(view)))
    ),
    reading!("heartbeats", "/heartbeats", "Every heartbeat out.", &[], Heartbeats, Run::Read(|_, view| Reply::of(&Heartbeats::new(view)))),
    reading!(
        "accounts",
        "/accounts",
        "How each account at a provider stands, where that is asked.",
        &[],
        Accounts,
        Run::Read(|_, view| Reply::of(&Accounts::new(view)))
    ),
    reading!(
        "configuration",
        "/configuration",
        "Whether the newest configuration runs, and why it does not.",
        &[],
        Configuration,
        Run::Read(|_, view| Reply::of(&Configuration::new(view)))
    ),
    reading!(
        "events",
        "/events",
        "Verdicts and incidents that change: as server-sent events for who accepts `text/event-stream`, as JSON else.",
        EVENTS,
        Events,
        Run::Listen
    ),
    reading!("openapi", "/openapi.json", "This document.", &[], serde_json::Map<String, serde_json::Value>, Run::Document),
];

fn provider(asked: &Asked, view: &View) -> Result<Reply, Problem> {
    let found = view.providers.iter().find(|party| party.name.as_str() == asked.path("provider"));
    let party = found.ok_or_else(|| Problem::nothing("there is no such provider"))?;
    Reply::of(&Provider::new(view, party))
}

fn routes(asked: &Asked, view: &View) -> Result<Reply, Problem> {
    let behind = asked.query("cursor").map(|cursor| cursor.split('/').collect::<Vec<_>>());
    let key = |route: &model::Route| [route.provider.clone(), route.stream.clone(), route.inbox.clone()];
    let is_behind =
        |route: &model::Route| behind.as_ref().is_none_or(|behind| key(route).iter().map(model::Name::as_str).gt(behind.iter().copied()));
    let wanted = view.routes.iter().filter(|of| {
        let RouteView { route, verdict, .. } = of;
        asked.wants("provider", &route.provider)
            && asked.wants("stream", &route.stream)
            && asked.wants("inbox", &route.inbox)
            && asked.query("verdict").is_none_or(|wanted| wanted == verdict.as_str())
            && is_behind(route)
    });
    let (page, last) = page(wanted, asked.limit());
    let next = last.map(|last| last.route.to_string());
    Reply::of(&Routes { as_of: view.at.into(), routes: page.into_iter().map(Route::new).collect(), next })
}

pub(super) fn route_of<'v>(asked: &Asked, view: &'v View) -> Result<&'v RouteView, Problem> {
    let is_it = |RouteView { route, .. }: &&RouteView| {
        route.provider.as_str() == asked.path("provider")
            && route.stream.as_str() == asked.path("stream")
            && route.inbox.as_str() == asked.path("inbox")
    };
    view.routes.iter().find(is_it).ok_or_else(|| Problem::nothing("there is no such route"))
}

fn route(asked: &Asked, view: &View) -> Result<Reply, Problem> {
    Reply::of(&Route::new(route_of(asked, view)?))
}

fn canaries(asked: &Asked, view: &View) -> Result<Reply, Problem> {
    let route = route_of(asked, view)?;
    let behind = asked.query("cursor").and_then(|cursor| {
        let (ms, id) = cursor.split_once('-')?;
        Some((At::from_ms(ms.parse().ok()?), id.parse::<CanaryId>().ok()?))
    });
    let place = |canary: &CanaryView| (canary.sent_at, canary.canary);
    let mut all: Vec<&CanaryView> = route.recent.iter().collect();
    all.sort_by_key(|canary| std::cmp::Reverse(place(canary)));
    let (page, last) = page(all.into_iter().filter(|canary| behind.is_none_or(|behind| place(canary) < behind)), asked.limit());
    let next = last.map(|last| format!("{}-{}", last.sent_at.as_ms().max(0), last.canary));
    let canaries = page.into_iter().map(|canary| Canary::new(&route.route, canary)).collect();
    Reply::of(&Canaries { as_of: view.at.into(), canaries, next })
}

fn canary(asked: &Asked, view: &View) -> Result<Reply, Problem> {
    let wanted = asked.path("canary").parse::<CanaryId>().ok();
    let found = view.routes.iter().find_map(|route| {
        let canary = route.recent.iter().find(|canary| Some(canary.canary) == wanted)?;
        Some(Canary::new(&route.route, canary))
    });
    Reply::of(&found.ok_or_else(|| Problem::nothing("there is no such canary, or its route has sent too many since"))?)
}

fn incidents(asked: &Asked, view: &View) -> Result<Reply, Problem> {
    let below = asked.query("cursor").and_then(number);
    let open = asked.query("open").map(|open| open == "true");
    let mut wanted: Vec<_> = view.incidents.iter().collect();
    wanted.retain(|incident| {
        open.is_none_or(|open| open == incident.resolved_at.is_none())
            && asked.query("kind").is_none_or(|kind| kind == incident.kind.as_str())
            && asked.query("severity").is_none_or(|severity| severity == incident.severity.as_str())
            && below.is_none_or(|below| incident.incident.0 < below)
    });
    wanted.sort_by_key(|incident| std::cmp::Reverse(incident.incident));
    let (page, last) = page(wanted.into_iter(), asked.limit());
    let next = last.map(|last| last.incident.to_string());
    let incidents = page.into_iter().map(|incident| Incident::new(incident, view)).collect();
    Reply::of(&Incidents { as_of: view.at.into(), incidents, next })
}

fn incident(asked: &Asked, view: &View) -> Result<Reply, Problem> {
    super::people::the_incident(asked, view)
}

fn silence(asked: &Asked, view: &View) -> Result<Reply, Problem> {
    let number = asked.path_number("silence");
    let found = view.silences.iter().find(|silence| silence.silence == number && silence.until > view.at);
    Reply::of(&Silence::from(found.ok_or_else(|| Problem::nothing("there is no such silence, or it has ended"))?))
}

/// The first `limit` of `all`, and the last of these if there are more.
fn page<'v, T>(all: impl Iterator<Item = &'v T>, limit: usize) -> (Vec<&'v T>, Option<&'v T>) {
    let mut page: Vec<&T> = all.take(limit.saturating_add(1)).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    let last = page.last().copied().filter(|_| more);
    (page, last)
}
