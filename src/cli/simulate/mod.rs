//! `mailcanary simulate`: seeded worlds in virtual time; how soon a failure is told, whom it is blamed on, how often quiet time is paged for.

mod curves;
mod native;
mod picture;
mod report;
mod rules;
mod table;

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use super::args::{Drawn as Shape, Simulate as Arguments};
use super::out::Out;
use super::progress::Progress;
use super::terminal::Paper;
use super::{FAILED, WRONG};
use crate::config::{self, Settings};
use crate::sandbox::simulate::rival::Rivals;
use crate::sandbox::simulate::{Scenario, study};
use curves::{Curves, Promised};
pub use native::Native;
use picture::Caption;
pub use report::Report;
pub use rules::Rules;

/// A picture shows what the watchdog does under promises that are so many times easier to keep, too.
const EASED_BY: &[f64] = &[10.0, 100.0];

pub(super) fn execute(args: &Arguments) -> ExitCode {
    let mut err = Out::stderr();
    let Some(mut scenario) = read(args, &mut err) else { return ExitCode::from(WRONG) };
    if let Some(count) = args.runs {
        scenario.runs.count = count;
    }
    if let Some(years) = args.quiet {
        scenario.runs.quiet = years;
    }
    let Some(settings) = settings(&scenario) else {
        err.line("error: the scenario's `[watch]` cannot be used");
        return ExitCode::from(FAILED);
    };
    let eased = eased(args.output, &scenario, &settings);
    let parts = scenario.parts() + eased.iter().map(|(scenario, _)| scenario.parts()).sum::<u64>();
    let (progress, done) = (Progress::new("played", args.look), AtomicU64::new(0));
    progress.tell(0, parts);
    let one_more = || progress.tell(done.fetch_add(1, Ordering::Relaxed) + 1, parts);
    let played = study(&scenario, &|| Native::new(&settings), &|| Rivals::new(scenario.routes.len()), &|_, _| one_more());
    let promised = |(scenario, settings): &(Scenario, Settings)| {
        let played = study(scenario, &|| Native::new(settings), &|| (), &|_, _| one_more());
        Promised::of(scenario.false_pages, &played)
    };
    let eased: Vec<Promised> = eased.iter().map(promised).collect();
    let rules = Rules::new(&scenario, &played);
    let report = Report::of(args.scenario.display().to_string(), &scenario, &played, &rules);
    let mut out = Out::stdout();
    match args.output {
        Shape::Table => out.text(&table::draw(&report, Paper::stdout(args.look))),
        Shape::Json => match serde_json::to_string_pretty(&report) {
            Ok(text) => out.line(text),
            Err(error) => err.error(&error, None),
        },
        Shape::Svg => {
            let curves = Curves::of(&scenario, &played, &rules, &eased);
            out.text(&picture::draw(&curves, &caption(&scenario, &report, &eased)));
        }
    }
    out.finish(0)
}

fn read(args: &Arguments, err: &mut Out) -> Option<Scenario> {
    let file = &args.scenario;
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            err.error(&error, Some(file));
            err.line("  hint: name a scenario file; `mailcanary simulate --help` shows one");
            return None;
        }
    };
    match Scenario::parse(&text) {
        Ok(scenario) => Some(scenario),
        Err(error) => {
            err.error(&error, Some(file));
            None
        }
    }
}

/// What the watchdog is set up with.
fn settings(scenario: &Scenario) -> Option<Settings> {
    config::parse(&scenario.configuration, "simulation").ok().map(|checked| checked.settings)
}

/// The same scenario under promises that are easier to keep: one quiet piece is enough to count what is frequent.
fn eased(shape: Shape, scenario: &Scenario, settings: &Settings) -> Vec<(Scenario, Settings)> {
    let wanted = shape == Shape::Svg && scenario.runs.quiet > 0 && scenario.first_of_mail().is_some();
    let factors: &[f64] = if wanted { EASED_BY } else { &[] };
    let eased = |factor: &f64| {
        let (mut scenario, mut settings) = (scenario.clone(), settings.clone());
        scenario.false_pages *= factor;
        settings.watch.false_pages_per_year = scenario.false_pages;
        scenario.runs.quiet = 1;
        (scenario, settings)
    };
    factors.iter().map(eased).collect()
}

/// What is to be said beside a picture, so that it can stand alone.
fn caption(scenario: &Scenario, report: &Report, eased: &[Promised]) -> Caption {
    let file = Path::new(&report.scenario).file_name().map_or_else(|| report.scenario.clone(), |name| name.to_string_lossy().into_owned());
    let (routes, every, deadline, promise) = (scenario.routes.len(), scenario.every, scenario.deadline, scenario.false_pages);
    let many = if routes == 1 { "" } else { "s" };
    let failures = if report.failures.is_empty() { "nothing".to_owned() } else { report.failures.join("; ") };
    let played = format!(
        "{routes} route{many}, a canary every {every} on each, deadline {deadline}, {promise} false page{} a year promised. What breaks: {failures}.",
        if promise == 1.0 { "" } else { "s" }
    );
    let runs = report.runs.as_ref().map_or_else(
        || "No runs with failures".to_owned(),
        |runs| format!("{} runs ({} more were spoilt by something false that was open)", runs.runs, runs.spoilt),
    );
    let quiet = report.quiet.as_ref().map_or_else(
        || "no quiet time".to_owned(),
        |quiet| format!("{:.1} quiet years with {} false pages", quiet.counted.years, quiet.counted.pages),
    );
    let others: Vec<String> = eased.iter().map(|e| e.false_pages.to_string()).collect();
    let others = if others.is_empty() {
        String::new()
    } else {
        format!(" For mailcanary's other promises ({} a year) the same runs and one quiet piece were played again.", others.join(", "))
    };
    let made = format!(
        "{runs}, {quiet}, seed {}. The other rules see the routine canaries of the routes that break, in the same runs and the same quiet \
         time.{others} mailcanary {}.",
        scenario.runs.seed,
        env!("CARGO_PKG_VERSION")
    );
    Caption { name: file, played, made }
}
