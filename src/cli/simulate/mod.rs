//! `mailcanary simulate`: seeded worlds in virtual time; how soon a failure is told, whom it is blamed on, how often quiet time is paged for.

mod native;
mod report;
mod table;

use std::process::ExitCode;

use super::args::{Figures as Shape, Simulate as Arguments};
use super::out::Out;
use super::progress::Progress;
use super::{FAILED, WRONG};
use crate::config::{self, Settings};
use crate::sandbox::simulate::rival::Rivals;
use crate::sandbox::simulate::{Scenario, study};
pub use native::Native;
pub use report::Report;

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
    let report = played(args, &scenario, &settings);
    let mut out = Out::stdout();
    match args.output {
        Shape::Table => out.text(&table::draw(&report)),
        Shape::Json => match serde_json::to_string_pretty(&report) {
            Ok(text) => out.line(text),
            Err(error) => err.error(&error, None),
        },
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

fn played(args: &Arguments, scenario: &Scenario, settings: &Settings) -> Report {
    let progress = Progress::new("played");
    let played = study(scenario, &|| Native::new(settings), &|| Rivals::new(scenario.routes.len()), &|done, of| progress.tell(done, of));
    Report::of(args.scenario.display().to_string(), scenario, &played)
}
