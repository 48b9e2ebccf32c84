//! Latency over time as a picture: SVG, drawn here, in the page's own colours. Who does not see it has the same in a table.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use maud::{Markup, html};

use super::bits::{day, hour};
use super::spread::{self, Spread, Took};
use super::strip;
use crate::model::past::{Became, Failure, Point};
use crate::model::{At, Span};

/// Pixels beside and above what is drawn: for the scale, and for what never came.
const LEFT: f64 = 60.0;
const RIGHT: f64 = 10.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 24.0;
const HEIGHT: f64 = 320.0;
/// Where the lanes of what never came are.
const LANES: [(&str, f64); 2] = [("lost", 29.0), ("refused", 48.0)];
/// Arrivals drawn one by one: of more, their quantiles tell more.
const DOTS: usize = 3000;
/// Receivers tell the time of arrival to the second: what came sooner is drawn at the foot, wherever in it.
const FINEST: f64 = 500.0;
/// Marks on the scale of latencies.
const TICKS: [u64; 8] = [1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000];
/// Seconds between two marks on the scale of time.
const STEPS: [u64; 12] = [60, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];
/// Arrivals that tell what is usual, and what is never called overdue.
const ENOUGH: usize = 5;
const LEAST_PATIENCE: Span = Span::from_secs(2);
/// Pixels of a letter, about.
const LETTER: f64 = 7.0;
/// Pixels that a mark on the scale of time needs.
const APART: f64 = 78.0;

/// What is drawn.
#[derive(Clone, Copy)]
pub(super) struct Plot<'a> {
    pub(super) points: &'a [Point],
    pub(super) stretches: &'a [([At; 2], Spread)],
    pub(super) failures: &'a [Failure],
    pub(super) ends: [At; 2],
    /// Before that nobody watched.
    pub(super) began: At,
    pub(super) deadline: Span,
    /// What nearly all took since the beginning, if that is known.
    pub(super) usual: Option<Span>,
}

/// How old a canary is that has not come, if it is on its way.
fn age(point: &Point, [_, to]: [At; 2]) -> Option<Span> {
    (point.became == Became::InFlight).then(|| to.since(point.sent_at))
}

/// What nearly all that came took at most; where too little came to tell, what nearly all took since the beginning.
fn patience(points: &[Point], usual: Option<Span>) -> Option<Span> {
    let mut took: Vec<Span> = points.iter().filter_map(|point| point.latency).collect();
    took.sort_unstable();
    let nearly_all = took.get((took.len() * 99 / 100).min(took.len().saturating_sub(1))).copied();
    nearly_all.filter(|_| took.len() >= ENOUGH).or(usual).map(|span| span.max(LEAST_PATIENCE))
}

/// Canaries on their way for longer than nearly all that came took.
pub(super) fn overdue(points: &[Point], ends: [At; 2], usual: Option<Span>) -> usize {
    let Some(patience) = patience(points, usual) else { return 0 };
    points.iter().filter_map(|point| age(point, ends)).filter(|age| *age > patience).count()
}

/// Where something stands in the picture.
struct Scale {
    width: f64,
    ends: [At; 2],
    low: f64,
    high: f64,
}

impl Scale {
    fn x(&self, at: At) -> f64 {
        let [from, to] = self.ends;
        let share = at.since(from).as_secs_f64() / to.since(from).as_secs_f64().max(1e-3);
        LEFT + (self.width - LEFT - RIGHT) * share.clamp(0.0, 1.0)
    }

    fn y(&self, span: Span) -> f64 {
        let ms = span.as_secs_f64() * 1000.0;
        let share = (ms.max(self.low) / self.low).ln() / (self.high / self.low).ln();
        HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * share.clamp(0.0, 1.0)
    }
}

impl Plot<'_> {
    /// The picture, this wide. `text`: what is read aloud instead.
    pub(super) fn draw(&self, width: f64, class: &str, text: &str) -> Markup {
        let scale = self.scale(width);
        html! {
            svg class=(format!("plot {class}")) viewBox=(format!("0 0 {width} {HEIGHT}")) role="img" aria-label=(text) {
                (self.unwatched(&scale))
                (self.incidents(&scale))
                (self.scales(&scale))
                @let due = scale.y(self.deadline);
                path.due d=(format!("M{LEFT} {due:.1}H{:.1}", width - RIGHT)) {}
                text.on x=(LEFT + 5.0) y=(format!("{:.1}", due - 5.0)) { "deadline " (self.deadline) }
                (self.dots(&scale))
                @for which in [2, 1, 0] { (self.line(&scale, which)) }
                (self.marks(&scale))
                @for (ends, spread) in self.stretches { (hit(&scale, *ends, spread)) }
            }
        }
    }

    fn scale(&self, width: f64) -> Scale {
        let known = || self.points.iter().filter_map(|point| point.latency.or_else(|| age(point, self.ends)));
        let low = known().min().unwrap_or(Span::from_secs(1)).as_secs_f64() * 1000.0;
        let high = known().max().unwrap_or_default().max(self.deadline).as_secs_f64() * 1000.0;
        Scale { width, ends: self.ends, low: (low / 1.6).clamp(FINEST, 1e8), high: (high * 1.8).max(low * 10.0) }
    }

    /// When nobody watched yet.
    fn unwatched(&self, scale: &Scale) -> Markup {
        let [from, to] = self.ends;
        let end = scale.x(self.began.min(to));
        html! {
            @if self.began > from {
                rect.before x=(LEFT) y="18" width=(format!("{:.1}", end - LEFT)) height=(HEIGHT - BOTTOM - 18.0) {}
                @if end - LEFT > 110.0 { text x=(format!("{:.1}", (LEFT + end) / 2.0)) y=(format!("{:.1}", (TOP + HEIGHT - BOTTOM) / 2.0)) text-anchor="middle" { "not watched yet" } }
            }
        }
    }

    /// When something went on against this route, behind everything.
    fn incidents(&self, scale: &Scale) -> Markup {
        let [from, to] = self.ends;
        let begins = |failure: &Failure| scale.x(failure.since.max(from));
        // The loudest on top.
        let mut failures: Vec<&Failure> = self.failures.iter().collect();
        failures.sort_by_key(|failure| failure.severity);
        html! {
            @for failure in failures {
                @let begin = begins(failure);
                @let end = scale.x(failure.resolved_at.unwrap_or(to)).max(begin + 2.0);
                @let class = failure.severity.as_str();
                rect class=(format!("band {class}")) x=(format!("{begin:.1}")) y="18" width=(format!("{:.1}", end - begin)) height=(HEIGHT - BOTTOM - 18.0) {}
                path class=(format!("edge {class}")) d=(format!("M{begin:.1} 18V{}", HEIGHT - BOTTOM)) {}
            }
            @for (x, words) in labels(self.failures.iter().map(|failure| (begins(failure), failure.incident.0)).collect()) {
                @let left = x + words.len() as f64 * LETTER <= scale.width;
                text.on x=(format!("{:.1}", if left { x } else { scale.width - 2.0 })) y="13" text-anchor=(if left { "start" } else { "end" }) { (words) }
            }
        }
    }

    fn scales(&self, scale: &Scale) -> Markup {
        let [from, to] = self.ends;
        let right = scale.width - RIGHT;
        let foot = HEIGHT - BOTTOM;
        let span = to.since(from).as_ms() / 1000;
        let most = ((right - LEFT) / APART).max(1.0);
        let step = STEPS.into_iter().find(|step| span as f64 / *step as f64 <= most).unwrap_or(2_592_000);
        let first = from.as_ms().unsigned_abs().div_ceil(step * 1000) * step;
        let marks = (0..64).map(|n| At::from_ms(0).plus(Span::from_secs(first + n * step))).take_while(|at| *at < to);
        html! {
            @for ms in TICKS.into_iter().filter(|ms| (*ms as f64) >= scale.low && (*ms as f64) < scale.high) {
                @let y = scale.y(Span::from_ms(ms));
                path.grid d=(format!("M{LEFT} {y:.1}H{right:.1}")) {}
                text x=(LEFT - 6.0) y=(format!("{:.1}", y + 4.0)) text-anchor="end" { (Span::from_ms(ms)) }
            }
            @if scale.low <= FINEST { text x=(LEFT - 6.0) y=(foot) text-anchor="end" { "<1s" } }
            @for at in marks {
                @let x = scale.x(at);
                path.axis d=(format!("M{x:.1} {foot}v4")) {}
                @if x < right - 12.0 { text x=(format!("{x:.1}")) y=(foot + 17.0) text-anchor="middle" { @if step < 86_400 { (hour(at)) } @else { (day(at)) } } }
            }
            @for (word, y) in LANES {
                path.grid d=(format!("M{LEFT} {y}H{right:.1}")) {}
                text x=(LEFT - 6.0) y=(y + 4.0) text-anchor="end" { (word) }
            }
            path.axis d=(format!("M{LEFT} {TOP}V{foot}H{right:.1}")) {}
        }
    }

    fn dots(&self, scale: &Scale) -> Markup {
        let mut taken = BTreeSet::new();
        let mut path = String::new();
        for point in self.points.iter().filter(|p| strip::class(p) == "arrived").take(DOTS) {
            let (x, y) = (scale.x(point.sent_at).round(), scale.y(point.latency.unwrap_or_default()).round());
            if taken.insert((x as i64, y as i64)) {
                let _ = write!(path, "M{x} {y}h0");
            }
        }
        html! { path.dot d=(path) {} }
    }

    /// The line of one share; it ends where so much never came that there is no such time.
    fn line(&self, scale: &Scale, which: usize) -> Markup {
        let mut path = String::new();
        let mut pen = 'M';
        for ([from, to], spread) in self.stretches {
            let took = spread.took.and_then(|took| took.get(which).copied());
            if let Some(Took::Within(span)) = took {
                let middle = from.plus(Span::from_ms(to.since(*from).as_ms() / 2));
                let _ = write!(path, "{pen}{:.1} {:.1}", scale.x(middle), scale.y(span));
                // So that a stretch that stands alone is seen.
                if pen == 'M' {
                    path.push_str("h1");
                }
                pen = 'L';
            } else {
                pen = 'M';
            }
        }
        let class = match which {
            0 => "q p50",
            1 => "q p90",
            _ => "q p99",
        };
        html! { path class=(class) d=(path) {} }
    }

    /// What is not as it should be: each kind with a form of its own, and no two in one place.
    fn marks(&self, scale: &Scale) -> Markup {
        let mut taken = BTreeSet::new();
        let mut paths = ["lost", "refused", "late", "junk", "flight", "overdue"].map(|class| (class, String::new()));
        let patience = patience(self.points, self.usual);
        for point in self.points {
            let age = age(point, self.ends);
            let class = match age {
                Some(age) if patience.is_some_and(|patience| age > patience) => "overdue",
                Some(_) => "flight",
                None => strip::class(point),
            };
            let Some((_, path)) = paths.iter_mut().find(|(name, _)| *name == class) else { continue };
            let x = scale.x(point.sent_at).round();
            let lane = LANES.iter().find(|(name, _)| *name == class).map(|(_, y)| *y);
            let y = lane.unwrap_or_else(|| scale.y(point.latency.or(age).unwrap_or_default()).round());
            if taken.insert((class, (x / 3.0) as i64, y as i64)) {
                path.push_str(&mark(class, x, y));
            }
        }
        html! { @for (class, path) in paths.iter().filter(|(_, path)| !path.is_empty()) { path class=(format!("m {class}")) d=(path) {} } }
    }
}

/// The form of what is not as it should be.
fn mark(class: &str, x: f64, y: f64) -> String {
    match class {
        "lost" => format!("M{} {}l8 8m0 -8l-8 8", x - 4.0, y - 4.0),
        "refused" => format!("M{} {}h6v6h-6z", x - 3.0, y - 3.0),
        "late" => format!("M{x} {}l5 5l-5 5l-5 -5z", y - 5.0),
        "flight" | "overdue" => format!("M{} {y}a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", x - 4.0),
        _ => format!("M{} {}h8l-4 7z", x - 4.0, y - 3.0),
    }
}

/// The names of incidents over the places where they begin; those that would stand on each other share one.
fn labels(mut begins: Vec<(f64, u64)>) -> Vec<(f64, String)> {
    begins.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let mut labels: Vec<(f64, String)> = Vec::new();
    for (x, number) in begins {
        match labels.last_mut() {
            Some((before, words)) if *before + (words.len() + 1) as f64 * LETTER > x => {
                *words = format!("{}, {number}", words.replace("incident ", "incidents "));
            }
            _ => labels.push((x, format!("incident {number}"))),
        }
    }
    labels
}

/// What is said of a stretch of time under the pointer.
fn hit(scale: &Scale, [from, to]: [At; 2], spread: &Spread) -> Markup {
    let (begin, end) = (scale.x(from), scale.x(to));
    let took = spread.took.map_or_else(String::new, |took| {
        let told: Vec<String> = spread::NAMES.iter().zip(took).map(|(name, took)| format!("{name} {}", spread::said(took))).collect();
        format!(", {}", told.join(", "))
    });
    let troubles = spread.troubles();
    let troubles = if troubles.is_empty() { troubles } else { format!(", {troubles}") };
    html! {
        rect.hit x=(format!("{begin:.1}")) y="18" width=(format!("{:.1}", (end - begin).max(1.0))) height=(HEIGHT - BOTTOM - 18.0) {
            title { (day(from)) " " (hour(from)) "–" (hour(to)) ": " (spread.sent) " sent" (took) (troubles) }
        }
    }
}

/// What the forms and lines mean.
pub(super) fn legend() -> Markup {
    let sample = |class: &str, path: &str| html! { svg width="24" height="14" viewBox="0 0 24 14" aria-hidden="true" { path class=(class) d=(path) {} } };
    html! {
        ul.legend {
            li { (sample("dot", "M12 7h0")) "one canary that arrived" }
            @for (class, name) in [("q p50", "median"), ("q p90", "90th percentile"), ("q p99", "99th percentile")] { li { (sample(class, "M1 7h22")) (name) } }
            @for (class, name) in [("flight", "on its way"), ("overdue", "overdue")] { li { (sample(&format!("m {class}"), &mark(class, 12.0, 7.0))) (name) } }
            @for class in ["lost", "refused", "late", "junk"] { li { (sample(&format!("m {class}"), &mark(class, 12.0, 7.0))) (class) } }
            li { (sample("due", "M1 7h22")) "deadline" }
            li { svg width="24" height="14" viewBox="0 0 24 14" aria-hidden="true" { rect.band width="24" height="14" {} path.edge d="M1 0v14" {} } "incident" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::labels;

    #[test]
    fn names_of_incidents_do_not_stand_on_each_other() {
        let of = |begins: &[(f64, u64)]| labels(begins.to_vec());
        assert_eq!(of(&[(200.0, 2), (60.0, 1)]), [(60.0, "incident 1".to_owned()), (200.0, "incident 2".to_owned())]);
        assert_eq!(
            of(&[(60.0, 1), (90.0, 2), (100.0, 3), (400.0, 4)]),
            [(60.0, "incidents 1, 2, 3".to_owned()), (400.0, "incident 4".to_owned())]
        );
    }
}
