//! What the ledger is asked for: canaries and incidents that the watchdog does not hold any more.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::super::super::days::{DAYS, Days, renewed};
use super::super::super::problem::Problem;
use super::super::super::{Archive, months};
use super::super::asked::Asked;
use super::super::form::{Form, number};
use super::super::operation::{Operation, Parameter, Reply, Run, Verb};
use super::super::shape::{History, LastDays, Past, Plotted, Points, Timeline, WholeCanary};
use super::read::{LIMIT, NEXT, reading, route_of};
use crate::model::past::{POINTS, Sought};
use crate::model::{At, CanaryId, IncidentId, Kind, Name, Span};
use crate::watchdog::View;

/// How far back a series goes if nothing is said.
const BACK: Span = Span::from_secs(24 * 3600);

const SERIES: &[Parameter] = &[
    Parameter { name: "from", form: Form::Instant, doc: "Sent then or later; left out: a day before `to`." },
    Parameter { name: "to", form: Form::Instant, doc: "Sent before then; left out: now." },
];
const HISTORY: &[Parameter] = &[
    Parameter { name: "open", form: Form::Flag, doc: "True: those that are open; false: those that have ended." },
    Parameter { name: "kind", form: Form::Kind, doc: "Of this kind." },
    Parameter { name: "party", form: Form::Name, doc: "Whose culprit is this provider, stream or inbox, or a part of it." },
    LIMIT,
    Parameter { name: "cursor", form: Form::Number, doc: NEXT },
];

pub(super) static OPERATIONS: &[Operation] = &[
    reading!("canaryWay", "/canaries/{canary}/way", "One canary, with its whole way.", &[], WholeCanary, Run::Recall(way)),
    reading!(
        "pointsOfRoute",
        "/routes/{provider}/{stream}/{inbox}/points",
        "What became of a route's canaries, and how long they took.",
        SERIES,
        Points,
        Run::Recall(points)
    ),
    reading!(
        "daysOfProvider",
        "/providers/{provider}/days",
        "The last ninety days of a provider: when something was not well, and when nobody saw.",
        &[],
        LastDays,
        Run::Recall(days_of_provider)
    ),
    reading!(
        "daysOfInbox",
        "/inboxes/{inbox}/days",
        "The last ninety days of an inbox: when something was not well, and when nobody saw.",
        &[],
        LastDays,
        Run::Recall(days_of_inbox)
    ),
    reading!(
        "history",
        "/history",
        "Every incident that the ledger keeps, the newest first, by page.",
        HISTORY,
        History,
        Run::Recall(history)
    ),
    reading!(
        "timeline",
        "/incidents/{incident}/timeline",
        "All that happened about one incident: what was told to whom, and what people said.",
        &[],
        Timeline,
        Run::Recall(timeline)
    ),
];

/// How the past is asked.
type Recalled<'a> = BoxFuture<'a, Result<Reply, Problem>>;

fn way<'a>(asked: &'a Asked, _: &'a View, archive: &'a Archive) -> Recalled<'a> {
    async move {
        let nothing = || Problem::nothing("there is no such canary, or it is not kept any more");
        let canary = asked.path("canary").parse::<CanaryId>().or(Err(nothing()))?;
        let way = archive.canary(canary).await.map_err(Problem::silent)?;
        Reply::of(&WholeCanary::from(&way.ok_or_else(nothing)?))
    }
    .boxed()
}

fn points<'a>(asked: &'a Asked, view: &'a View, archive: &'a Archive) -> Recalled<'a> {
    async move {
        let route = route_of(asked, view)?.route.clone();
        let instant = |name: &str| asked.query(name).and_then(At::from_rfc3339);
        let to = instant("to").unwrap_or(view.at);
        let from = instant("from").unwrap_or(to.minus(BACK));
        let points = archive.points(route, [from, to]).await.map_err(Problem::silent)?;
        let cut = points.len() >= POINTS as usize;
        Reply::of(&Points { as_of: view.at.into(), points: points.iter().map(Plotted::from).collect(), cut })
    }
    .boxed()
}

fn days_of_provider<'a>(asked: &'a Asked, view: &'a View, archive: &'a Archive) -> Recalled<'a> {
    async move {
        let found = view.providers.iter().find(|party| party.name.as_str() == asked.path("provider"));
        let name = &found.ok_or_else(|| Problem::nothing("there is no such provider"))?.name;
        let known = months::ask(archive).await.map_err(Problem::silent)?;
        Reply::of(&LastDays::new(view, name, &Days::of_provider(view, &renewed(view, &known), name, DAYS)))
    }
    .boxed()
}

fn days_of_inbox<'a>(asked: &'a Asked, view: &'a View, archive: &'a Archive) -> Recalled<'a> {
    async move {
        let found = view.inboxes.iter().find(|inbox| inbox.name.as_str() == asked.path("inbox"));
        let name = &found.ok_or_else(|| Problem::nothing("there is no such inbox"))?.name;
        let known = months::ask(archive).await.map_err(Problem::silent)?;
        Reply::of(&LastDays::new(view, name, &Days::of_inbox(view, &renewed(view, &known), name, DAYS)))
    }
    .boxed()
}

fn history<'a>(asked: &'a Asked, view: &'a View, archive: &'a Archive) -> Recalled<'a> {
    async move {
        let limit = asked.limit();
        // One more than is wanted tells whether there is another page.
        let most = u32::try_from(limit.saturating_add(1)).unwrap_or(u32::MAX);
        let sought = Sought {
            before: asked.query("cursor").and_then(number).map(IncidentId),
            kind: asked.query("kind").and_then(Kind::from_word),
            open: asked.query("open").map(|open| open == "true"),
            party: asked.query("party").and_then(|name| Name::new(name).ok()),
            most,
        };
        let mut found = archive.incidents(sought).await.map_err(Problem::silent)?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| last.incident.to_string());
        Reply::of(&History { as_of: view.at.into(), incidents: found.iter().map(Past::from).collect(), next })
    }
    .boxed()
}

fn timeline<'a>(asked: &'a Asked, _: &'a View, archive: &'a Archive) -> Recalled<'a> {
    async move {
        let incident = IncidentId(asked.path_number("incident"));
        let dossier = archive.incident(incident).await.map_err(Problem::silent)?;
        let dossier = dossier.ok_or_else(|| Problem::nothing("there is no such incident, or it is not kept any more"))?;
        Reply::of(&Timeline::new(incident, &dossier))
    }
    .boxed()
}
