//! What people have asked for: the drill that goes on, and silences.

use maud::{Markup, html};

use super::{foreign, time};
use crate::watchdog::View;

/// Nothing, if there is neither.
pub(super) fn people(view: &View) -> Markup {
    html! {
        @if let Some(drill) = &view.drill {
            section.note aria-labelledby="drill" { h2 #drill { "Drill" }
            p {
                "The canaries of provider " (drill.provider.as_str()) " are withheld since " (time(drill.from, view.at)) ", until "
                (time(drill.until, view.at)) " at the latest, for " (foreign(&drill.by, 200)) ". Nothing is wrong with it."
            } }
        }
        @if !view.maintenance.is_empty() {
            section aria-labelledby="maintenance" { h2 #maintenance { "Maintenance" }
            ul.card.plain {
                @for window in &view.maintenance {
                    li {
                        (window.name.as_str()) ": " (window.which) ", " (window.every)
                        @if let Some(until) = window.now_until { ", now until " (time(until, view.at)) }
                        @if let Some(next) = window.next { ", next at " (time(next, view.at)) }
                        ", by " (foreign(&window.by, 200)) ": " (foreign(&window.reason, 1000))
                    }
                }
            } }
        }
        @if !view.silences.is_empty() {
            section aria-labelledby="silences" { h2 #silences { "Silences" }
            ul.card.plain {
                @for silence in &view.silences {
                    li {
                        (silence.silence) ": " (silence.which) ", from " (time(silence.from, view.at)) " until " (time(silence.until, view.at))
                        ", by " (foreign(&silence.by, 200)) ": " (foreign(&silence.reason, 1000))
                    }
                }
            } }
        }
    }
}
