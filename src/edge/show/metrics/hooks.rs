//! What came in by webhooks, of providers and of sinks.

use std::collections::BTreeMap;

use super::samples::Samples;
use crate::model::{HookCounts, Knock, Name, Tiding};

/// How posts ended.
pub(super) fn requests(counts: &BTreeMap<Name, HookCounts>, to: &mut Samples) {
    for (name, counts) in counts {
        Knock::ALL.iter().for_each(|how| to.count(&[name.as_str(), how.as_str()], counts.requests.get(how).copied().unwrap_or_default()));
    }
}

/// What stood in those that were taken.
pub(super) fn events(counts: &BTreeMap<Name, HookCounts>, to: &mut Samples) {
    for (name, counts) in counts {
        Tiding::ALL.iter().for_each(|what| to.count(&[name.as_str(), what.as_str()], counts.events.get(what).copied().unwrap_or_default()));
    }
}
