//! The heartbeats out, on the status page.

use maud::{Markup, html};

use super::{foreign, time};
use crate::watchdog::View;

/// Bytes of what the other side says.
const WORDS: usize = 240;

/// When each was taken last, and what is wrong with it.
pub(super) fn heartbeats(view: &View) -> Markup {
    html! {
        @if !view.heartbeats.is_empty() {
            h2 { "Heartbeats" }
            div.wide { table {
                thead { tr { th { "heartbeat" } th { "every" } th { "taken last" } th { "not taken" } th { "state" } } }
                tbody {
                    @for (name, pulse) in &view.heartbeats {
                        tr {
                            th scope="row" { (name) }
                            td { (pulse.every) }
                            td { @if let Some(at) = pulse.last { (time(at, view.at)) } @else { span.dim { "none yet" } } }
                            td { (pulse.failures) }
                            td {
                                @if let Some(why) = pulse.held { span class="v stopped" { "✕ kept back: " (why) } }
                                @else if let Some(why) = &pulse.failing { span class="v degraded" { "▲ fails" } ": " (foreign(why, WORDS)) }
                                @else if pulse.last.is_some() { span class="v delivering" { "✓ beats" } }
                            }
                        }
                    }
                }
            } }
        }
    }
}
