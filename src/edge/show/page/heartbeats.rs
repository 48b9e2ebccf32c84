//! The heartbeats out, on the status page.

use maud::{Markup, html};

use super::bits::badge;
use super::{foreign, table, time};
use crate::model::Verdict;
use crate::watchdog::View;

/// Bytes of what the other side says.
const WORDS: usize = 240;

/// When each was taken last, and what is wrong with it.
pub(super) fn heartbeats(view: &View) -> Markup {
    html! {
        @if !view.heartbeats.is_empty() {
            section aria-labelledby="heartbeats" { h2 #heartbeats { "Heartbeats" }
            (table("Heartbeats out", "stack", &["heartbeat", "every", "taken last", "not taken", "state"], &html! {
                    @for (name, pulse) in &view.heartbeats {
                        tr {
                            th scope="row" { (name) }
                            td data-k="every" { (pulse.every) }
                            td data-k="taken last" { @if let Some(at) = pulse.last { (time(at, view.at)) } @else { span.dim { "none yet" } } }
                            td data-k="not taken" { (pulse.failures) }
                            td {
                                @if let Some(why) = pulse.held { (badge(Verdict::Stopped, "kept back")) ": " (why) }
                                @else if let Some(why) = &pulse.failing { (badge(Verdict::Degraded, "fails")) ": " (foreign(why, WORDS)) }
                                @else if pulse.last.is_some() { (badge(Verdict::Delivering, "beats")) }
                            }
                        }
                    }
            }))
            }
        }
    }
}
