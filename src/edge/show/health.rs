//! Whether the installation is ready to be relied on.

use crate::model::Span;
use crate::watchdog::View;

/// A schedule this late stands still.
const LATE: Span = Span::from_secs(60);

/// Whether the schedule runs and every inbox was tried once. A blind inbox was tried.
///
/// # Errors
/// Why not, in one sentence.
pub(super) fn ready(view: &View) -> Result<(), String> {
    if let Some(trouble) = &view.trouble {
        return Err(format!("nothing is watched: {trouble}"));
    }
    if view.next.is_none() {
        return Err("the schedule has not begun".to_owned());
    }
    if let Some(late) = late(view) {
        return Err(late);
    }
    let untried: Vec<&str> = view.inboxes.iter().filter(|i| i.sight.is_none()).map(|i| i.name.as_str()).collect();
    if untried.is_empty() { Ok(()) } else { Err(format!("not read yet: {}", untried.join(", "))) }
}

/// That what is due is not done, and what; nothing where the schedule runs.
pub(super) fn late(view: &View) -> Option<String> {
    let (at, what) = view.next.as_ref().filter(|(at, _)| view.at.since(*at) > LATE)?;
    Some(format!("the schedule stands still: {what} was due at {at}"))
}
