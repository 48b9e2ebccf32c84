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
    match &view.next {
        None => return Err("the schedule has not begun".to_owned()),
        Some((at, what)) if view.at.since(*at) > LATE => return Err(format!("the schedule stands still: {what} was due at {at}")),
        Some(_) => {}
    }
    let untried: Vec<&str> = view.inboxes.iter().filter(|i| i.sight.is_none()).map(|i| i.name.as_str()).collect();
    if untried.is_empty() { Ok(()) } else { Err(format!("not read yet: {}", untried.join(", "))) }
}
