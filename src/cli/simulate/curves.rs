//! What a picture shows, as plain numbers: nothing here knows how it is drawn.

use super::rules::Rules;
use crate::model::Span;
use crate::sandbox::simulate::rival::{Fixed, Oracle, Phi, Rivals};
use crate::sandbox::simulate::{Figures, Healthy, Learnt, Quantiles, Scenario, Study, Weather};

/// Different kinds of weather that are drawn; a matrix has hardly more.
const WEATHERS: usize = 4;
/// How often phi accrual may have cried in all quiet time: from the promise by eye to nearly every silence.
const PHI_CRIES: [u64; 13] = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];
/// For how many false pages a year the bound is worked out.
const BOUND_AT: [f64; 5] = [0.1, 1.0, 10.0, 100.0, 1000.0];

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// The watchdog.
    Mailcanary,
    /// The watchdog, once it pages.
    Paging,
    /// The fixed rule.
    Fixed,
    /// The fixed rule as it usually is.
    Usual,
    /// Phi accrual.
    Phi,
    /// Nobody can: the bound.
    Bound,
}

/// Everything that is drawn.
#[derive(Debug)]
pub(super) struct Curves {
    /// For each kind of weather, the share of mail that is still under way after so many seconds.
    pub(super) weather: Vec<Vec<(f64, f64)>>,
    /// Whether that weather has spells, which the curve leaves out.
    pub(super) has_spells: bool,
    /// The same as the watchdog had learnt it.
    pub(super) learnt: Vec<Band>,
    /// Of how many learners, each of one route.
    pub(super) learners: usize,
    /// After so many seconds a canary is lost.
    pub(super) deadline: f64,
    /// Detection time against false pages.
    pub(super) trade: Vec<Trade>,
    /// When each told, at the promise.
    pub(super) told: Vec<Told>,
    /// False pages a year that were promised.
    pub(super) promise: f64,
    /// Quiet years that were played.
    pub(super) years: f64,
    /// Whether anything broke of which a rule could tell.
    pub(super) broke: bool,
}

/// What several learnt of one age: the least, the one in the middle, and the most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Band {
    /// The age, in seconds.
    pub(super) secs: f64,
    /// The least share.
    pub(super) low: f64,
    /// The median.
    pub(super) middle: f64,
    /// The most.
    pub(super) high: f64,
}

/// One way to decide, over its own parameter.
#[derive(Debug)]
pub(super) struct Trade {
    /// Whose.
    pub(super) who: Who,
    /// What it is.
    pub(super) name: String,
    /// From few false pages to many.
    pub(super) points: Vec<Point>,
}

/// One setting of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    /// The setting.
    pub(super) name: String,
    /// False pages a year.
    pub(super) a_year: f64,
    /// Where the true rate lies with 95 %, if that matters.
    pub(super) between: Option<(f64, f64)>,
    /// Half of the runs are told after so many seconds; infinite: never.
    pub(super) median: f64,
    /// 99 in 100.
    pub(super) p99: f64,
    /// No other setting is sooner with fewer false pages.
    pub(super) is_best: bool,
}

/// The distribution of when one told.
#[derive(Debug)]
pub(super) struct Told {
    /// Who.
    pub(super) who: Who,
    /// What it is.
    pub(super) name: String,
    /// In seconds, sorted, without those that were never told.
    pub(super) secs: Vec<f64>,
    /// How many there would be.
    pub(super) of: usize,
    /// False pages a year, for one that was not tuned to the promise.
    pub(super) a_year: Option<f64>,
}

/// The same runs with another promise.
#[derive(Debug)]
pub(super) struct Promised {
    /// False pages a year.
    pub(super) false_pages: f64,
    /// What came of the runs with the failures.
    pub(super) figures: Figures,
    /// What came of the quiet time.
    pub(super) healthy: Healthy,
}

impl Promised {
    /// What came of a study.
    pub(super) fn of<O>(false_pages: f64, study: &Study<O>) -> Self {
        let runs: Vec<_> = study.runs.iter().map(|(run, _)| run.clone()).collect();
        Self { false_pages, figures: Figures::of(&runs), healthy: study.healthy }
    }

    fn point(&self) -> Point {
        let Healthy { pages, years, .. } = self.healthy;
        let name = format!("promise of {} a year: {pages} in {years:.1} quiet years", self.false_pages);
        let (low, high) = poisson(pages);
        let between = Some((low / years.max(1e-9), high / years.max(1e-9)));
        Point { between, ..point(name, self.healthy.pages_a_year(), &self.figures.told_after_secs) }
    }
}

impl Curves {
    /// Of a study, with what came of the same under other promises.
    pub(super) fn of(scenario: &Scenario, study: &Study<Rivals>, rules: &Rules<'_>, others: &[Promised]) -> Self {
        let mut weathers: Vec<&Weather> = Vec::new();
        for learnt in &study.learnt {
            let weather = scenario.routes.get(learnt.route).and_then(|route| scenario.weather(route));
            weathers.extend(weather.filter(|w| !weathers.contains(w)));
        }
        weathers.truncate(WEATHERS);
        let own = Promised::of(scenario.false_pages, study);
        let broke = !study.runs.is_empty() && scenario.first_of_mail().is_some();
        Self {
            has_spells: weathers.iter().any(|w| !w.spells.is_empty()),
            weather: weathers.into_iter().map(truth).collect(),
            learnt: band(&study.learnt),
            learners: study.learnt.len(),
            deadline: scenario.deadline.as_secs_f64(),
            trade: if broke && rules.years() > 0.0 { trades(rules, &own, others) } else { Vec::new() },
            told: if broke { told(study, rules) } else { Vec::new() },
            promise: scenario.false_pages,
            years: rules.years(),
            broke,
        }
    }
}

/// The survival function of this weather.
fn truth(weather: &Weather) -> Vec<(f64, f64)> {
    let oracle = Oracle::new(weather, 1.0);
    Learnt::ages().map(|age| (age.as_secs_f64(), oracle.survival(age))).collect()
}

fn band(learnt: &[Learnt]) -> Vec<Band> {
    let at = |(place, age): (usize, Span)| {
        let mut shares: Vec<f64> = learnt.iter().filter_map(|l| l.out.get(place).map(|(_, share)| *share)).collect();
        shares.sort_by(f64::total_cmp);
        let (low, middle, high) = (shares.first()?, shares.get(shares.len() / 2)?, shares.last()?);
        Some(Band { secs: age.as_secs_f64(), low: *low, middle: *middle, high: *high })
    };
    Learnt::ages().enumerate().filter_map(at).collect()
}

/// Where the mean of a Poisson distribution lies with 95 % after so many were counted (Garwood 1936, by Wilson and Hilferty's cube).
fn poisson(count: u64) -> (f64, f64) {
    let at = |n: f64, z: f64| n * (1.0 - 1.0 / (9.0 * n) + z / (3.0 * n.sqrt())).powi(3);
    let n = count as f64;
    (if count == 0 { 0.0 } else { at(n, -1.96).max(0.0) }, at(n + 1.0, 1.96))
}

fn point(name: String, a_year: f64, told: &Quantiles) -> Point {
    let or_never = |secs: Option<f64>| secs.unwrap_or(f64::INFINITY);
    Point { name, a_year, between: None, median: or_never(told.median), p99: or_never(told.p99), is_best: true }
}

fn quantiles(told: Option<Vec<Option<Span>>>) -> Quantiles {
    Quantiles::of(told.unwrap_or_default().into_iter())
}

fn trades(rules: &Rules<'_>, own: &Promised, others: &[Promised]) -> Vec<Trade> {
    let mut mine: Vec<Point> = std::iter::once(own).chain(others).map(Promised::point).collect();
    mine.sort_by(|a, b| a.a_year.total_cmp(&b.a_year).then(b.median.total_cmp(&a.median)));
    let name = |rule: Fixed| format!("{} missing after {}", rule.count, rule.wait);
    let fixed = |(rule, a_year): (Fixed, f64)| point(name(rule), a_year, &quantiles(rules.fixed(rule)));
    let usual = rules.fixed_cries(Fixed::USUAL).map(|a_year| fixed((Fixed::USUAL, a_year)));
    let mut phis: Vec<Phi> = PHI_CRIES.iter().map(|cries| rules.phi_of(*cries)).collect();
    phis.push(Phi::USUAL);
    phis.sort_by(|a, b| b.z.total_cmp(&a.z));
    phis.dedup();
    let phi = |phi: &Phi| {
        let name = if *phi == Phi::USUAL { "phi 8, Akka's default".to_owned() } else { format!("phi {:.1}", phi.phi()) };
        Some(point(name, rules.phi_cries(*phi)?, &quantiles(rules.phi(*phi))))
    };
    let bound = |a_year: &f64| point(format!("{a_year} a year"), *a_year, &quantiles(rules.bound(*a_year)));
    let trade = |who, name: &str, points| Trade { who, name: name.to_owned(), points };
    let mut trades = Vec::new();
    if rules.has_bound() {
        trades.push(trade(Who::Bound, "the bound for rules that send nothing extra", BOUND_AT.iter().map(bound).collect()));
    }
    trades.extend([
        trade(Who::Fixed, "fixed rule: 1 to 6 in a row missing after 5s to 15m", front(rules.all_fixed().into_iter().map(fixed).collect())),
        trade(Who::Phi, "phi accrual, over its threshold", phis.iter().filter_map(phi).collect()),
        trade(Who::Usual, "fixed rule as usual: 1 missing after 3m", usual.into_iter().collect()),
        trade(Who::Mailcanary, "mailcanary, over its promise", mine),
    ]);
    trades
}

/// Sorted, and marked which of them are the best.
fn front(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a.a_year.total_cmp(&b.a_year).then(a.median.total_cmp(&b.median)));
    let mut soonest = f64::INFINITY;
    for point in &mut points {
        point.is_best = point.median < soonest;
        soonest = soonest.min(point.median);
    }
    points
}

fn told(study: &Study<Rivals>, rules: &Rules<'_>) -> Vec<Told> {
    let valid = || study.runs.iter().map(|(run, _)| run).filter(|run| !run.spoilt);
    let of = |who: Who, name: String, spans: Vec<Option<Span>>| {
        let mut secs: Vec<f64> = spans.iter().flatten().map(|s| s.as_secs_f64()).collect();
        secs.sort_by(f64::total_cmp);
        Told { who, name, secs, of: spans.len(), a_year: None }
    };
    let mut all = vec![of(Who::Mailcanary, "mailcanary".to_owned(), valid().map(|run| run.told_after).collect())];
    if valid().any(|run| run.paged_after != run.told_after) {
        all.push(of(Who::Paging, "mailcanary, the page".to_owned(), valid().map(|run| run.paged_after).collect()));
    }
    all.extend(rules.bound(rules.promise()).map(|spans| of(Who::Bound, "the bound for passive rules".to_owned(), spans)));
    let fixed = |rule: Fixed| format!("{} missing after {}", rule.count, rule.wait);
    let best = rules.best().and_then(|rule| Some((rule, rules.fixed(rule)?)));
    all.extend(best.map(|(rule, spans)| of(Who::Fixed, format!("fixed rule: {}", fixed(rule)), spans)));
    let phi = rules.tuned().and_then(|phi| Some((phi, rules.phi(phi)?)));
    all.extend(phi.map(|(phi, spans)| of(Who::Phi, format!("phi accrual: phi {:.0}", phi.phi()), spans)));
    let usual = |spans| {
        let told = of(Who::Usual, format!("fixed rule as usual: {}", fixed(Fixed::USUAL)), spans);
        Told { a_year: rules.fixed_cries(Fixed::USUAL), ..told }
    };
    all.extend(rules.fixed(Fixed::USUAL).map(usual));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_says_where_its_mean_lies() {
        for (count, low, high) in [(0, 0.0, 3.69), (4, 1.09, 10.24), (100, 81.4, 121.6)] {
            let found = poisson(count);
            assert!((found.0 - low).abs() < 0.05 && (found.1 - high).abs() < 0.05, "{count}: {found:?}");
        }
    }
}
