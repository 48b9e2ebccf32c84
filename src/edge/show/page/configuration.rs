//! Whether the configuration that runs is the newest one: a line, if it is not.

use maud::{Markup, html};

use super::bits::badge;
use super::{prose, time};
use crate::model::Verdict;
use crate::watchdog::View;

/// Complaints listed; the log has the rest.
const LISTED: usize = 20;
/// Bytes of one.
const COMPLAINT: usize = 400;

/// What was refused, and when; nothing where all is well.
pub(super) fn configuration(view: &View) -> Markup {
    let Some(refused) = &view.configuration.refused else { return html! {} };
    html! {
        section.note aria-labelledby="configuration" { h2 #configuration { "Configuration" }
        p {
            (badge(Verdict::Degraded, "not reloaded")) " The newest configuration was refused " (time(refused.at, view.at))
            @if let Some(at) = view.configuration.at { "; the one of " (time(at, view.at)) " goes on" } "."
        }
        ul { @for complaint in refused.complaints.iter().take(LISTED) { li { (prose(complaint, COMPLAINT)) } } }
        @if refused.complaints.len() > LISTED { p { "and " (refused.complaints.len() - LISTED) " more" } }
        }
    }
}
