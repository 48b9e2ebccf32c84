//! The first panel: how long healthy mail takes, and what the watchdog knew of it.

use maud::html;

use super::axis::{Axis, around, decades, duration, percent};
use super::panel::{ACROSS, Entry, Panel, line, stroke, times_across, upwards};
use super::paper::px;
use crate::cli::simulate::curves::{Band, Curves, Who};

/// Shares below this are not drawn: one in ten thousand is what no watchdog can know.
const LEAST: f64 = 1e-4;
/// Mail that has come sooner than this share of all says nothing.
const BEGINS: f64 = 0.999;

pub(super) fn draw(curves: &Curves, top: f64) -> Panel {
    let truth = || curves.weather.iter().flatten();
    let begins = truth().filter(|(_, share)| *share >= BEGINS).map(|(secs, _)| *secs).fold(0.25, f64::max);
    let across = around([begins, curves.deadline * 2.0].into_iter(), (0.25, 3600.0));
    let shares = truth().map(|(_, share)| *share).chain(curves.learnt.iter().map(|band| band.low));
    let least = shares.fold(1.0_f64, f64::min).clamp(LEAST, 0.05);
    let y = Axis::log((least / 1.5, 1.0), upwards(top), decades((least / 1.5, 1.0), percent));
    let x = Axis::log(across, ACROSS, times_across(across));
    let shown = |secs: f64, share: f64| secs >= across.0 && secs <= across.1 && share >= least / 1.5;
    let place = |secs: f64, share: f64| (x.place(secs), y.place(share));
    let middle: Vec<_> = curves.learnt.iter().filter(|b| shown(b.secs, b.middle)).map(|b| place(b.secs, b.middle)).collect();
    let visible: Vec<&Band> = curves.learnt.iter().filter(|b| b.secs >= across.0 && b.secs <= across.1).collect();
    let outline = visible.iter().map(|b| place(b.secs, b.high)).chain(visible.iter().rev().map(|b| place(b.secs, b.low)));
    let outline: Vec<String> = outline.map(|(x, y)| format!("{},{}", px(x), px(y))).collect();
    let body = html! {
        @if !outline.is_empty() { polygon.band points=(outline.join(" ")) {} }
        @for weather in &curves.weather {
            (line("line truth", &weather.iter().filter(|(secs, share)| shown(*secs, *share)).map(|(secs, share)| place(*secs, *share)).collect::<Vec<_>>()))
        }
        (line("line mailcanary paging", &middle))
    };
    Panel {
        id: "survival",
        top,
        title: "How long healthy mail takes",
        note: "The share of canaries still under way so long after they were sent; what levels off never comes.".to_owned(),
        marked: Some((x.place(curves.deadline), format!("deadline {}", duration(curves.deadline)))),
        x: (x, "time since it was sent (s, m, h; log scale)"),
        y: (y, "share still under way (log scale)"),
        body,
        legend: legend(curves),
        empty: curves.weather.is_empty().then_some("nothing was played"),
    }
}

fn legend(curves: &Curves) -> Vec<Entry> {
    let spells = if curves.has_spells { "without its spells" } else { "what the world really does" };
    let when = if curves.broke { "before the trouble" } else { "when the quiet time was over" };
    let learners = match curves.learners {
        1 => "of one route, learnt once".to_owned(),
        count => format!("the median and the range of {count} times that a route was learnt from nothing"),
    };
    let mut entries = vec![Entry {
        sample: |x, y, _| line("line truth", &[(x - 18.0, y), (x + 18.0, y)]),
        who: Who::Bound,
        name: "the true weather".to_owned(),
        more: spells.to_owned(),
    }];
    if !curves.learnt.is_empty() {
        entries.push(Entry {
            sample: |x, y, who| {
                html! {
                    rect.band x=(px(x - 18.0)) y=(px(y - 6.0)) width="36" height="12" {}
                    (stroke(x, y, who))
                }
            },
            who: Who::Paging,
            name: format!("as mailcanary had learnt it {when}"),
            more: learners,
        });
    }
    entries
}
