//! What keeps people from hearing of something, silences and maintenance; and what is no trouble at all, a drill.

use crate::model::{At, Culprit, Kind, Route};
use crate::watchdog::{IncidentView, View};

/// Why nobody is told at the moment. Of several reasons the one that lasts longest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Quiet {
    /// `silenced` or `maintenance`.
    pub(super) word: &'static str,
    /// Until when.
    pub(super) until: At,
    /// Who wants it. Foreign text.
    pub(super) by: String,
    /// Why. Foreign text.
    pub(super) reason: String,
}

/// Of an incident that is open.
pub(super) fn of(view: &View, incident: &IncidentView) -> Option<Quiet> {
    let known = find(view, incident.kind, &incident.culprit);
    // It is silenced by what the view does not list any more.
    let bare = || incident.silenced_until.map(|until| Quiet { word: "silenced", until, by: String::new(), reason: String::new() });
    known.or_else(bare).filter(|_| incident.resolved_at.is_none())
}

/// Of a stop of a route, as the least that can fail there.
pub(super) fn of_route(view: &View, route: &Route) -> Option<Quiet> {
    let Route { provider, stream, inbox } = route.clone();
    find(view, Kind::Stopped, &Culprit::Route(provider, stream, inbox))
}

/// Whether an incident is that of a drill: nothing is wrong.
pub(super) fn is_drill(view: &View, incident: &IncidentView) -> bool {
    let marked = incident.last.evidence.get("drill").is_some();
    marked || view.drill.as_ref().is_some_and(|drill| drill.incident == Some(incident.incident))
}

fn find(view: &View, kind: Kind, culprit: &Culprit) -> Option<Quiet> {
    let silences = view.silences.iter().filter(|s| s.from <= view.at && s.until > view.at && s.which.fits(kind, culprit));
    let asked = silences.map(|s| Quiet { word: "silenced", until: s.until, by: s.by.clone(), reason: s.reason.clone() });
    let windows = view.maintenance.iter().filter(|window| window.window.fits(kind, culprit));
    let every_week = windows.filter_map(|window| {
        Some(Quiet { word: "maintenance", until: window.now_until?, by: window.by.clone(), reason: window.reason.clone() })
    });
    asked.chain(every_week).max_by_key(|quiet| quiet.until)
}
