//! The third panel: when the runs are told, one after another.

use maud::{Markup, html};

use super::axis::{Axis, around, duration, number};
use super::panel::{ACROSS, Entry, Panel, class, line, stroke, times_across, upwards};
use crate::cli::simulate::curves::{Curves, Told};

pub(super) fn draw(curves: &Curves, top: f64) -> Panel {
    let across = around(curves.told.iter().flat_map(|t| t.secs.iter().copied()), (1.0, 3600.0));
    let (x, y) = (Axis::log(across, ACROSS, times_across(across)), Axis::shares(upwards(top)));
    let body = html! { @for told in curves.told.iter().rev() { (steps(told, &x, &y)) } };
    Panel {
        id: "told",
        top,
        title: "When each run is told, at the promise",
        note:
            "The share of runs that are told within a time; the rest are never told. Other rules are tuned to the promise with hindsight."
                .to_owned(),
        marked: None,
        x: (x, "time from the first failure (s, m, h; log scale)"),
        y: (y, "share of runs told"),
        body,
        legend: curves.told.iter().map(entry).collect(),
        empty: curves.told.is_empty().then_some("nothing breaks in this scenario"),
    }
}

/// The empirical distribution function.
fn steps(told: &Told, x: &Axis, y: &Axis) -> Markup {
    let mut places = vec![(ACROSS.0, y.place(0.0))];
    let mut share = 0.0;
    for (count, secs) in (1_u32..).zip(&told.secs) {
        places.push((x.place(*secs), y.place(share)));
        share = f64::from(count) / told.of.max(1) as f64;
        places.push((x.place(*secs), y.place(share)));
    }
    places.push((ACROSS.1, y.place(share)));
    places.dedup();
    line(&format!("line {}", class(told.who)), &places)
}

fn entry(told: &Told) -> Entry {
    let at = |share: f64| told.secs.get(((told.of as f64 * share).ceil() as usize).saturating_sub(1)).copied().unwrap_or(f64::INFINITY);
    let missed = match told.of - told.secs.len() {
        0 => String::new(),
        missed => format!("; missed {missed} of {}", told.of),
    };
    let wrong = told.a_year.map_or_else(String::new, |rate| format!("; {} false pages a year", number(rate)));
    let more = format!("median {}, 99th {}{missed}{wrong}", duration(at(0.5)), duration(at(0.99)));
    Entry { sample: stroke, who: told.who, name: told.name.clone(), more }
}
