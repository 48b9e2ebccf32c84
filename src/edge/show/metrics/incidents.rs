//! The metrics of incidents: which series there are.

use std::collections::BTreeMap;

use super::catalogue::{Family, family};
use super::samples::{Samples, Shape};
use super::{Source, names};
use crate::model::{Culprit, Kind, Name, Severity, Topic};
use crate::watchdog::IncidentView;

const INCIDENT: &[&str] = &["kind", "culprit"];

/// All of them, in the order of the page.
pub(super) static INCIDENTS: [Family; 4] = [
    family(names::INCIDENT_OPEN, Shape::Gauge, INCIDENT, "0 or 1", "1 while an incident of this kind and culprit is open.", fill),
    family(
        names::INCIDENT_NUMBER,
        Shape::Gauge,
        INCIDENT,
        "1",
        "The number of the open incident: its page is `/incidents/` and this. Only while it is open.",
        |from, to| open(from, to, |labels, incident, to| to.count(labels, incident.incident.0)),
    ),
    family(
        names::INCIDENT_SEVERITY,
        Shape::Gauge,
        INCIDENT,
        "1 to 3",
        "How loud the open incident is: 1 info, 2 warn, 3 page. Only while it is open.",
        |from, to| open(from, to, |labels, incident, to| to.count(labels, loudness(incident.severity))),
    ),
    family(
        names::INCIDENT_OPENED_TIMESTAMP_SECONDS,
        Shape::Gauge,
        INCIDENT,
        "seconds since 1970",
        "When the open incident was opened. Only while it is open.",
        |from, to| open(from, to, |labels, incident, to| to.instant(labels, Some(incident.opened_at))),
    ),
];

const fn loudness(severity: Severity) -> u64 {
    match severity {
        Severity::Info => 1,
        Severity::Warn => 2,
        Severity::Page => 3,
    }
}

/// One sample for each kind and culprit with an open incident; of several the newest.
fn open(from: &Source<'_>, to: &mut Samples, add: fn(&[&str], &IncidentView, &mut Samples)) {
    let mut newest: BTreeMap<(Kind, &Culprit), &IncidentView> = BTreeMap::new();
    for incident in from.view.incidents.iter().filter(|i| i.resolved_at.is_none()) {
        let kept = newest.entry((incident.kind, &incident.culprit)).or_insert(incident);
        if incident.incident > kept.incident {
            *kept = incident;
        }
    }
    for ((kind, culprit), incident) in newest {
        add(&[kind.as_str(), &culprit.to_string()], incident, to);
    }
}

/// For every culprit that the configuration can have the kinds that are watched for: those of delivery, `blind` for inboxes, `cut_off` for the
/// watcher, `early_sign` for providers that are asked how the account stands, `dns` and `listed` for those whose records are. Any other kind is there from its first incident for as long as that is listed: a 0 would claim that somebody looks.
fn fill(from: &Source<'_>, to: &mut Samples) {
    let view = from.view;
    let mut culprits: Vec<Culprit> = view.providers.iter().map(|p| Culprit::Provider(p.name.clone())).collect();
    culprits.extend(view.streams.iter().map(|(provider, s)| Culprit::Stream(provider.clone(), s.name.clone())));
    culprits.extend(view.inboxes.iter().map(|i| Culprit::Inbox(i.name.clone())));
    culprits.extend(view.routes.iter().map(|r| Culprit::Route(r.route.provider.clone(), r.route.stream.clone(), r.route.inbox.clone())));
    let mut streams: BTreeMap<(&Name, &Name), usize> = BTreeMap::new();
    view.routes.iter().for_each(|r| *streams.entry((&r.route.provider, &r.route.inbox)).or_default() += 1);
    let (mut of_provider, mut of_inbox) = (BTreeMap::<&Name, usize>::new(), BTreeMap::<&Name, usize>::new());
    for (provider, inbox) in streams.keys().copied() {
        *of_provider.entry(provider).or_default() += 1;
        *of_inbox.entry(inbox).or_default() += 1;
    }
    // Of one stream alone the route is the path; and of one inbox alone, or one provider, that is.
    let apart = |(p, i): &(&Name, &Name)| of_provider.get(p).is_some_and(|n| *n > 1) && of_inbox.get(i).is_some_and(|n| *n > 1);
    let several = streams.iter().filter(|(path, streams)| **streams > 1 && apart(path)).map(|(path, _)| *path);
    culprits.extend(several.map(|(p, i)| Culprit::Path(p.clone(), i.clone())));
    culprits.push(Culprit::Watcher {});
    let mut open = BTreeMap::new();
    for culprit in culprits {
        open.extend(Kind::ALL.into_iter().filter(|kind| watched(&culprit, *kind)).map(|kind| ((kind, culprit.clone()), false)));
    }
    let asked = view.accounts.keys().map(|provider| ((Kind::EarlySign, Culprit::Provider(provider.clone())), false));
    open.extend(asked);
    let resolved = view.dns.subjects.iter().flat_map(|subject| {
        let kind = if subject.subject.topic == Topic::Listed { Kind::Listed } else { Kind::Dns };
        subject.providers.iter().map(move |provider| ((kind, Culprit::Provider(provider.clone())), false))
    });
    open.extend(resolved);
    for incident in &view.incidents {
        *open.entry((incident.kind, incident.culprit.clone())).or_default() |= incident.resolved_at.is_none();
    }
    for ((kind, culprit), is_open) in &open {
        to.flag(&[kind.as_str(), &culprit.to_string()], *is_open);
    }
}

/// Whether incidents of this kind are looked for at this culprit.
fn watched(culprit: &Culprit, kind: Kind) -> bool {
    match culprit {
        Culprit::Inbox(_) => kind.is_delivery() || kind == Kind::Blind,
        Culprit::Watcher {} => kind.is_delivery() || kind == Kind::CutOff,
        Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) => kind.is_delivery(),
    }
}
