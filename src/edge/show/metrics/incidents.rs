//! `mailcanary_incident_open`: which series there are.

use std::collections::BTreeMap;

use super::Source;
use super::samples::Samples;
use crate::model::{Culprit, Kind};

/// For every culprit that the configuration can have the kinds that are watched for: those of delivery, `blind` for inboxes, `cut_off` for the
/// watcher, `early_sign` for providers that are asked how the account stands. Any other kind is there from its first incident for as long as that is listed: a 0 would claim that somebody looks.
pub(super) fn fill(from: &Source<'_>, to: &mut Samples) {
    let view = from.view;
    let mut culprits: Vec<Culprit> = view.providers.iter().map(|p| Culprit::Provider(p.name.clone())).collect();
    culprits.extend(view.streams.iter().map(|(provider, s)| Culprit::Stream(provider.clone(), s.name.clone())));
    culprits.extend(view.inboxes.iter().map(|i| Culprit::Inbox(i.name.clone())));
    culprits.extend(view.routes.iter().map(|r| Culprit::Route(r.route.provider.clone(), r.route.stream.clone(), r.route.inbox.clone())));
    culprits.push(Culprit::Watcher {});
    let mut open = BTreeMap::new();
    for culprit in culprits {
        open.extend(Kind::ALL.into_iter().filter(|kind| watched(&culprit, *kind)).map(|kind| ((kind, culprit.clone()), false)));
    }
    let asked = view.accounts.keys().map(|provider| ((Kind::EarlySign, Culprit::Provider(provider.clone())), false));
    open.extend(asked);
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
        Culprit::Provider(_) | Culprit::Stream(..) | Culprit::Route(..) => kind.is_delivery(),
    }
}
