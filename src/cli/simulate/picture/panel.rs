//! One panel: a frame with two axes, what is drawn into it, and the legend beside it, where it can cover nothing.

use maud::{Markup, html};

use super::axis::{Axis, times};
use super::paper::{px, wrapped};
use crate::cli::simulate::curves::Who;

/// The plot's left and right edge; labels stand left of it, the legend right.
pub(super) const ACROSS: (f64, f64) = (84.0, 684.0);
/// From a panel's top to the plot, and the plot's height.
const ABOVE: f64 = 62.0;
const PLOT: f64 = 250.0;
/// A whole panel.
pub(super) const HEIGHT: f64 = ABOVE + PLOT + 60.0;
/// Where the legend's samples and texts begin.
const SAMPLE: f64 = 706.0;
const TEXT: f64 = 752.0;
/// Characters that fit beside a sample, and the distance of lines.
const CHARACTERS: usize = 40;
const LINE: f64 = 15.0;

/// Ticks of time for an axis across…
pub(super) fn times_across(secs: (f64, f64)) -> Vec<(f64, String)> {
    times(secs, ACROSS.1 - ACROSS.0, 46.0)
}

/// …and upwards.
pub(super) fn times_upwards(secs: (f64, f64)) -> Vec<(f64, String)> {
    times(secs, PLOT, 17.0)
}

/// The plot's lower and upper edge, for a panel that begins at `top`.
pub(super) const fn upwards(top: f64) -> (f64, f64) {
    (top + ABOVE + PLOT, top + ABOVE)
}

/// A panel.
#[derive(Debug)]
pub(super) struct Panel {
    /// Its name in the document.
    pub(super) id: &'static str,
    /// Where it begins.
    pub(super) top: f64,
    /// What it shows.
    pub(super) title: &'static str,
    /// What is to be known to read it.
    pub(super) note: String,
    /// Across, and what it measures.
    pub(super) x: (Axis, &'static str),
    /// Upwards, and what it measures.
    pub(super) y: (Axis, &'static str),
    /// A place across that means something, and what.
    pub(super) marked: Option<(f64, String)>,
    /// Inside the frame.
    pub(super) body: Markup,
    /// Beside it.
    pub(super) legend: Vec<Entry>,
    /// Said in the middle if there is nothing to draw.
    pub(super) empty: Option<&'static str>,
}

/// One thing of the legend.
#[derive(Debug)]
pub(super) struct Entry {
    /// How it looks, in a box of 36 × 12 around the place that is handed in.
    pub(super) sample: fn(f64, f64, Who) -> Markup,
    /// Whose it is.
    pub(super) who: Who,
    /// What it is.
    pub(super) name: String,
    /// More of it.
    pub(super) more: String,
}

impl Panel {
    /// The whole panel.
    pub(super) fn draw(&self) -> Markup {
        let (bottom, up) = upwards(self.top);
        let (left, right) = ACROSS;
        let middle = (bottom + up) / 2.0;
        html! {
            g id=(self.id) {
                text.title x=(px(16.0)) y=(px(self.top + 18.0)) { (self.title) }
                text.dim x=(px(16.0)) y=(px(self.top + 35.0)) { (self.note) }
                (self.axes())
                (self.body)
                @if let Some((place, label)) = &self.marked {
                    line.note x1=(px(*place)) x2=(px(*place)) y1=(px(up - 4.0)) y2=(px(bottom)) {}
                    text.dim.mid x=(px(place.clamp(left + 40.0, right - 40.0))) y=(px(up - 7.0)) { (label) }
                }
                @if let Some(why) = self.empty { text.dim.mid x=(px((left + right) / 2.0)) y=(px(middle)) { (why) } }
                rect.frame x=(px(left)) y=(px(up)) width=(px(right - left)) height=(px(bottom - up)) {}
                (self.legend(up))
            }
        }
    }

    fn axes(&self) -> Markup {
        let (bottom, up) = upwards(self.top);
        let (left, right) = ACROSS;
        let middle = (bottom + up) / 2.0;
        html! {
            @for (place, label) in self.x.0.labels() {
                line.grid x1=(px(place)) x2=(px(place)) y1=(px(bottom)) y2=(px(up)) {}
                line.frame x1=(px(place)) x2=(px(place)) y1=(px(bottom)) y2=(px(bottom + 4.0)) {}
                text.mid x=(px(place)) y=(px(bottom + 18.0)) { (label) }
            }
            @for (place, label) in self.y.0.labels() {
                line.grid x1=(px(left)) x2=(px(right)) y1=(px(place)) y2=(px(place)) {}
                line.frame x1=(px(left - 4.0)) x2=(px(left)) y1=(px(place)) y2=(px(place)) {}
                text.end x=(px(left - 8.0)) y=(px(place + 4.0)) { (label) }
            }
            @for place in self.x.0.borders() { line.border x1=(px(place)) x2=(px(place)) y1=(px(bottom)) y2=(px(up)) {} }
            @for place in self.y.0.borders() { line.border x1=(px(left)) x2=(px(right)) y1=(px(place)) y2=(px(place)) {} }
            text.dim.mid x=(px((left + right) / 2.0)) y=(px(bottom + 38.0)) { (self.x.1) }
            text.dim.mid x="22" y=(px(middle)) transform=(format!("rotate(-90 22 {})", px(middle))) { (self.y.1) }
        }
    }

    fn legend(&self, up: f64) -> Markup {
        let mut y = up + 10.0;
        html! {
            @for entry in &self.legend {
                ((entry.sample)(SAMPLE + 18.0, y - 4.0, entry.who))
                @for line in wrapped(&entry.name, CHARACTERS) {
                    text x=(px(TEXT)) y=(px(y)) { (line) }
                    ({ y += LINE; "" })
                }
                @for line in wrapped(&entry.more, CHARACTERS) {
                    text.dim x=(px(TEXT)) y=(px(y)) { (line) }
                    ({ y += LINE; "" })
                }
                ({ y += 7.0; "" })
            }
        }
    }
}

/// The style sheet's word for it.
pub(super) const fn class(who: Who) -> &'static str {
    match who {
        Who::Mailcanary => "mailcanary",
        Who::Paging => "paging",
        Who::Fixed => "fixed",
        Who::Usual => "usual",
        Who::Phi => "phi",
        Who::Bound => "bound",
    }
}

/// A line through these places.
pub(super) fn line(class: &str, places: &[(f64, f64)]) -> Markup {
    let points: Vec<String> = places.iter().map(|(x, y)| format!("{},{}", px(*x), px(*y))).collect();
    html! { @if points.len() > 1 { polyline class=(class) points=(points.join(" ")) {} } }
}

/// A mark; each rule has a shape of its own, so that nobody needs its colour.
pub(super) fn mark(who: Who, more: &str, (x, y): (f64, f64), says: &str) -> Markup {
    let class = format!("mark {} {more}", class(who));
    let corners = |places: &[(f64, f64)]| {
        let points: Vec<String> = places.iter().map(|(dx, dy)| format!("{},{}", px(x + dx), px(y + dy))).collect();
        points.join(" ")
    };
    let points = match who {
        Who::Mailcanary | Who::Paging | Who::Bound => None,
        Who::Fixed => Some(corners(&[(-4.0, -4.0), (4.0, -4.0), (4.0, 4.0), (-4.0, 4.0)])),
        Who::Usual => Some(corners(&[(0.0, -6.0), (6.0, 0.0), (0.0, 6.0), (-6.0, 0.0)])),
        Who::Phi => Some(corners(&[(0.0, -5.0), (5.0, 4.0), (-5.0, 4.0)])),
    };
    html! {
        @if let Some(points) = points { polygon class=(class) points=(points) { @if !says.is_empty() { title { (says) } } } }
        @else { circle class=(class) cx=(px(x)) cy=(px(y)) r="4.5" { @if !says.is_empty() { title { (says) } } } }
    }
}

/// A legend's sample: a line.
pub(super) fn stroke(x: f64, y: f64, who: Who) -> Markup {
    line(&format!("line {}", class(who)), &[(x - 18.0, y), (x + 18.0, y)])
}

/// A legend's sample: a line with a mark on it.
pub(super) fn marked(x: f64, y: f64, who: Who) -> Markup {
    html! { (stroke(x, y, who)) (mark(who, "full", (x, y), "")) }
}

/// A legend's sample: a mark alone.
pub(super) fn alone(x: f64, y: f64, who: Who) -> Markup {
    mark(who, "full", (x, y), "")
}
