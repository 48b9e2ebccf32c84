//! How people are told whose an incident is, and what is wrong: the same on a page, in a list and at the terminal.

use serde_json::Value;

use super::{Culprit, Kind, Notice};

/// Whose it is. What concerns the watcher is most often not its fault.
#[must_use]
pub fn whose(culprit: &Culprit, kind: Kind, evidence: &Value) -> String {
    match culprit {
        Culprit::Provider(p) => format!("provider {p}"),
        Culprit::Stream(p, s) => format!("stream {s} of {p}"),
        Culprit::Inbox(i) => format!("inbox {i}"),
        Culprit::Path(p, i) => format!("{p} to {i}"),
        Culprit::Route(p, s, i) => format!("route {p}/{s}/{i}"),
        Culprit::Watcher {} => match sink(culprit, kind, evidence) {
            Some(sink) => format!("sink {sink}"),
            None if kind == Kind::Blind && evidence.get("unreadable").is_some() => "all inboxes".to_owned(),
            // Whoever reads at night that the watcher has stopped goes back to sleep.
            None if kind.is_delivery() || evidence.get("changes").is_some() => "all mail".to_owned(),
            None => "the watcher".to_owned(),
        },
    }
}

/// What is wrong.
#[must_use]
pub fn what(culprit: &Culprit, kind: Kind, evidence: &Value) -> String {
    let only_of = || evidence.get("only_of").and_then(Value::as_array);
    match (sink(culprit, kind, evidence), only_of().map(Vec::as_slice)) {
        (Some(_), Some([incident])) => format!("refuses notices of incident {incident}"),
        (Some(_), Some(several)) => format!("refuses notices of {} incidents", several.len()),
        (Some(_), None) if evidence.get("why").is_some() => "refuses notices".to_owned(),
        (Some(_), None) => "takes no notices".to_owned(),
        (None, _) => kind.as_str().replace('_', " "),
    }
}

fn sink<'e>(culprit: &Culprit, kind: Kind, evidence: &'e Value) -> Option<&'e str> {
    let may_be = kind == Kind::Blind && *culprit == Culprit::Watcher {};
    may_be.then(|| evidence.get("sink")).flatten().and_then(Value::as_str)
}

impl Notice {
    /// The sink that it is about: one that takes no notices itself, which is told to the others.
    #[must_use]
    pub fn sink(&self) -> Option<&str> {
        sink(&self.culprit, self.kind, &self.evidence)
    }

    /// See [`whose`].
    #[must_use]
    pub fn whose(&self) -> String {
        whose(&self.culprit, self.kind, &self.evidence)
    }

    /// See [`what`].
    #[must_use]
    pub fn what(&self) -> String {
        what(&self.culprit, self.kind, &self.evidence)
    }
}
