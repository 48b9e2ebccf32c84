//! Foreign values in a provider's mail, and mail through it that nobody sent, at the same time: somebody is in the account. The later of the two
//! pages, once, and says that the other stands.

use serde_json::Value;

use super::{NEXT, TOGETHER, Trouble, is_dismissed};
use crate::model::{Culprit, Kind, Part, Severity};
use crate::watchdog::explain::subject;
use crate::watchdog::outbox::Incident;
use crate::watchdog::state::State;

/// Words of what recurring mail carries begin so.
pub(super) const OF_RECURRING: &str = "recurring ";

/// The evidence's word for it: what the other one says.
const BESIDE: &str = "at_the_same_time";

/// The two kinds.
const BOTH: [Kind; 2] = [Kind::Identity, Kind::UnexpectedMail];

/// Whether a trouble is about more than the way of a mail, and what was made of it there: providers change hosts and footers by themselves.
fn names_somebody(trouble: &Trouble) -> bool {
    let by_itself = [Part::Network, Part::Content, Part::DkimSelector, Part::MessageId].map(|part| format!("{}:", part.as_str()));
    let mut words = trouble.named.iter().map(|word| word.strip_prefix(OF_RECURRING).unwrap_or(word));
    words.any(|word| by_itself.iter().all(|part| !word.starts_with(part.as_str())))
}

/// Raises the later of both at each provider where they meet.
pub(super) fn raise(state: &State, open: &[&Incident], troubles: &mut [Trouble]) {
    let providers: Vec<Culprit> = troubles.iter().filter(|t| t.kind == Kind::Identity).map(|t| t.culprit.clone()).collect();
    for culprit in providers.iter().filter(|culprit| matches!(culprit, Culprit::Provider(_))) {
        let at = |kind: Kind| troubles.iter().position(|t| t.kind == kind && t.culprit == *culprit);
        let [Some(foreign), Some(unexpected)] = BOTH.map(at) else { continue };
        let stands = |place: usize| {
            troubles.get(place).is_some_and(|t| t.severity >= Severity::Warn && names_somebody(t) && !is_dismissed(state, t))
        };
        if !stands(foreign) || !stands(unexpected) {
            continue;
        }
        let known = |kind: Kind| open.iter().find(|i| i.shown.kind == kind && i.shown.culprit == *culprit).copied();
        // What a person has closed and what goes on is no sign any more.
        if BOTH.iter().any(|kind| known(*kind).is_some_and(|i| i.shown.closed.is_some())) {
            continue;
        }
        let raised = |kind: Kind| known(kind).is_some_and(|i| i.shown.last.evidence.get(BESIDE).is_some());
        let opened = |kind: Kind| known(kind).map(|i| i.shown.opened_at);
        let foreign_is_later = match BOTH.map(raised) {
            [true, _] => true,
            [_, true] => false,
            // One that is not open yet is the later; of two that are not, the mail that nobody sent.
            [false, false] => match BOTH.map(opened) {
                [None, Some(_)] => true,
                [_, None] => false,
                [Some(one), Some(other)] => one > other,
            },
        };
        let (later, earlier) = if foreign_is_later { (foreign, unexpected) } else { (unexpected, foreign) };
        let number = known(if foreign_is_later { Kind::UnexpectedMail } else { Kind::Identity })
            .map(|i| format!("incident {}: ", i.shown.incident))
            .unwrap_or_default();
        let other = troubles.get(earlier).map(|t| t.summary.clone()).unwrap_or_default();
        if let Some(trouble) = troubles.get_mut(later) {
            trouble.severity = Severity::Page;
            // Whatever else it names, this is told.
            trouble.named.insert(0, TOGETHER.to_owned());
            trouble.summary = format!("somebody else may be in the account: {}; at the same time ({number}{other})", trouble.summary);
            let (whose, next) = (subject(culprit), trouble.evidence.get(NEXT).and_then(Value::as_str).unwrap_or_default());
            let next = format!(
                "take the account at {whose} for taken: revoke its keys, end its sessions, change its passwords, and tell its security team; then {next}"
            );
            trouble.add(NEXT, next);
            trouble.add(BESIDE, format!("{number}{other}"));
        }
    }
}
