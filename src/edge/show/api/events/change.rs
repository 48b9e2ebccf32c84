//! What differs between two looks at the state.

use std::collections::BTreeMap;

use super::super::shape::{Event, Happened, Incident, Judged, What};
use crate::model::{Culprit, IncidentId, Verdict};
use crate::watchdog::{IncidentView, View};

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen {
    verdicts: BTreeMap<Culprit, Verdict>,
    incidents: BTreeMap<IncidentId, IncidentView>,
}

impl Seen {
    pub(super) fn new(view: &View) -> Self {
        Self {
            verdicts: judged(view).map(|(of, verdict, _)| (of, verdict)).collect(),
            incidents: view.incidents.iter().map(|incident| (incident.incident, incident.clone())).collect(),
        }
    }

    /// What is otherwise now. Of what has joined or left the configuration nothing is said.
    pub(super) fn changes(&self, view: &View) -> Vec<Event> {
        let verdicts = judged(view).filter_map(|(of, is, reason)| {
            let was = *self.verdicts.get(&of).filter(|was| **was != is)?;
            let judged = Judged { as_of: view.at.into(), of: (&of).into(), was: was.into(), is: is.into(), reason: reason.to_owned() };
            Some(Event::Verdict(judged))
        });
        let incidents = view.incidents.iter().filter_map(|incident| {
            let change = what(self.incidents.get(&incident.incident), incident)?;
            Some(Event::Incident(Box::new(Happened { as_of: view.at.into(), change, incident: Incident::new(incident, view) })))
        });
        verdicts.chain(incidents).collect()
    }
}

fn what(was: Option<&IncidentView>, is: &IncidentView) -> Option<What> {
    match was {
        None if is.resolved_at.is_some() => Some(What::Resolved),
        None => Some(What::Opened),
        Some(was) if was.told() == is.told() => None,
        Some(was) if was.resolved_at != is.resolved_at => Some(What::Resolved),
        Some(was) if was.acknowledged != is.acknowledged && is.acknowledged.is_some() => Some(What::Acknowledged),
        Some(_) => Some(What::Updated),
    }
}

/// Everything that has a verdict.
fn judged(view: &View) -> impl Iterator<Item = (Culprit, Verdict, &str)> {
    let providers = view.providers.iter().map(|p| (Culprit::Provider(p.name.clone()), p.verdict, p.reason.as_str()));
    let streams = view.streams.iter().map(|(p, s)| (Culprit::Stream(p.clone(), s.name.clone()), s.verdict, s.reason.as_str()));
    let inboxes = view.inboxes.iter().map(|i| (Culprit::Inbox(i.name.clone()), i.verdict, i.reason.as_str()));
    let routes = view.routes.iter().map(|r| {
        let of = Culprit::Route(r.route.provider.clone(), r.route.stream.clone(), r.route.inbox.clone());
        (of, r.verdict, r.reason.as_str())
    });
    providers.chain(streams).chain(inboxes).chain(routes)
}
