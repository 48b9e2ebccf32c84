//! The second panel: how soon each rule tells, against how often it is wrong.

use maud::{Markup, html};

use super::axis::{Axis, around, decades, duration, number};
use super::panel::{ACROSS, Entry, Panel, alone, class, line, mark, marked, stroke, times_upwards, upwards};
use super::paper::px;
use crate::cli::simulate::curves::{Curves, Point, Trade, Who};

/// Room for what was never wrong, and for what never tells.
const NONE: f64 = 64.0;
const NEVER: f64 = 22.0;
/// No rate below this is drawn.
const LEAST: f64 = 1e-3;

pub(super) fn draw(curves: &Curves, top: f64) -> Panel {
    let points = || curves.trade.iter().flat_map(|t| &t.points);
    let rates = points().flat_map(|p| [Some(p.a_year), p.between.map(|b| b.1)]).flatten().chain([curves.promise]);
    let rates = rates.filter(|rate| *rate >= LEAST);
    let (low, high) = rates.fold((0.1_f64, 100.0_f64), |(low, high), rate| (low.min(rate), high.max(rate)));
    let across = (10_f64.powf(low.log10().floor()), high * 2.0);
    let up = around(points().flat_map(|p| [p.median, p.p99]), (1.0, 3600.0));
    let x = Axis::log(across, ACROSS, decades(across, number)).with_zero("none", NONE);
    let y = Axis::log(up, upwards(top), times_upwards(up)).with_never("never", NEVER);
    let body = html! { @for trade in &curves.trade { (rule(trade, &x, &y)) } };
    Panel {
        id: "trade",
        top,
        title: "Detection time against false pages",
        note: format!(
            "Thick and full: half of the runs are told within this time; thin and hollow: 99 in 100. \
             False pages as counted in {} quiet years, over all routes.",
            format_args!("{:.1}", curves.years)
        ),
        marked: Some((x.place(curves.promise), format!("promised: {} a year", number(curves.promise)))),
        x: (x, "false pages a year (log scale)"),
        y: (y, "time to detect (s, m, h; log scale)"),
        body,
        legend: curves.trade.iter().rev().map(entry).collect(),
        empty: match (curves.trade.is_empty(), curves.broke) {
            (false, _) => None,
            (true, true) => Some("no quiet time was played: there is nothing to count false pages in"),
            (true, false) => Some("nothing breaks in this scenario"),
        },
    }
}

fn rule(trade: &Trade, x: &Axis, y: &Axis) -> Markup {
    let who = trade.who;
    let says = |p: &Point| {
        let (median, p99) = (duration(p.median), duration(p.p99));
        format!("{}: {} false pages a year, median {median}, 99th {p99}", p.name, number(p.a_year))
    };
    let best = || trade.points.iter().filter(|p| p.is_best);
    let known = |time: fn(&Point) -> f64| best().filter(|p| time(p).is_finite()).map(|p| (x.place(p.a_year), y.place(time(p)))).collect();
    let (medians, far): (Vec<_>, Vec<_>) = (known(|p| p.median), known(|p| p.p99));
    html! {
        @for point in trade.points.iter().filter(|p| !p.is_best && p.median.is_finite()) {
            rect class=(format!("few {}", class(who))) x=(px(x.place(point.a_year) - 2.0)) y=(px(y.place(point.median) - 2.0)) width="4" height="4" {
                title { (says(point)) }
            }
        }
        (line(&format!("line far {}", class(who)), &far))
        (line(&format!("line {}", class(who)), &medians))
        @if who != Who::Bound {
            @for point in best() {
                @if let Some((low, high)) = point.between {
                    line class=(format!("line far {}", class(who)))
                        x1=(px(x.place(low))) x2=(px(x.place(high))) y1=(px(y.place(point.median))) y2=(px(y.place(point.median))) {}
                }
                (mark(who, "hollow", (x.place(point.a_year), y.place(point.p99)), &says(point)))
            }
            @for point in best() { (mark(who, "full", (x.place(point.a_year), y.place(point.median)), &says(point))) }
        }
    }
}

fn entry(trade: &Trade) -> Entry {
    let sample = match (trade.who, trade.points.len()) {
        (Who::Bound, _) => stroke,
        (_, 0 | 1) => alone,
        _ => marked,
    };
    let more = match trade.who {
        Who::Mailcanary => "with where the true rate lies with 95 %",
        Who::Fixed => "small: every other setting; the line: the best ones, with hindsight",
        Who::Phi => "of the silence since the last arrival",
        Who::Usual => "a common default",
        Who::Bound | Who::Paging => "knows the weather and the failure",
    };
    Entry { sample, who: trade.who, name: trade.name.clone(), more: more.to_owned() }
}
