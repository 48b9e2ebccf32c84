//! `mailcanary backtest`: what settings would have said of the ledger's own past. Reads the ledger, and changes nothing.

mod table;

use std::process::ExitCode;

use serde::Serialize;

use super::args::{Backtest as Arguments, Figures as Shape};
use super::out::Out;
use super::progress::Progress;
use super::terminal::Look;
use super::{FAILED, WRONG, configuration};
use crate::backtest::{Backtest, Findings, Window};
use crate::config::Settings;
use crate::ledger::{Extent, LedgerError, Past};

/// The parts in which progress is told.
const PARTS: u64 = 100;

/// All that is printed.
#[derive(Debug, Serialize)]
struct Report {
    /// The ledger's file.
    ledger: String,
    #[serde(flatten)]
    findings: Findings,
}

pub(super) fn execute(args: &Arguments) -> ExitCode {
    let mut err = Out::stderr();
    let Some(checked) = configuration(&args.config, "nothing was looked at", &mut err) else { return ExitCode::from(WRONG) };
    let opened = Past::open(&checked.settings.ledger.path).and_then(|past| Ok((past.extent()?, past)));
    let (extent, past) = match opened {
        Ok((Some(extent), past)) => (extent, past),
        Ok((None, past)) => {
            let file = past.file().display();
            err.line(format_args!("error: the ledger `{file}` is empty: let `mailcanary run` watch with it for a while first"));
            return ExitCode::from(FAILED);
        }
        Err(error) => return failed(&error, &mut err),
    };
    let window = match window(args, &extent) {
        Ok(window) => window,
        Err((code, why)) => {
            err.line(format_args!("error: {why}"));
            return ExitCode::from(code);
        }
    };
    let findings = match relived(&past, &extent, &checked.settings, window, args.look) {
        Ok(findings) => findings,
        Err(error) => return failed(&error, &mut err),
    };
    if findings.without_canaries.len() == findings.routes {
        err.line(format_args!("error: the ledger `{}` has no canary over any route of this configuration", past.file().display()));
        for route in &findings.left_out {
            err.line(format_args!("  it has {} canaries over `{}`", route.canaries, route.route));
        }
        return ExitCode::from(FAILED);
    }
    let report = Report { ledger: past.file().display().to_string(), findings };
    let mut out = Out::stdout();
    match args.output {
        Shape::Table => out.text(&table::draw(&report.ledger, &report.findings)),
        Shape::Json => match serde_json::to_string_pretty(&report) {
            Ok(text) => out.line(text),
            Err(error) => err.error(&error, None),
        },
    }
    out.finish(0)
}

fn failed(error: &LedgerError, err: &mut Out) -> ExitCode {
    err.error(error, None);
    ExitCode::from(FAILED)
}

/// What is asked for, as far as the ledger reaches; or the exit code, and why there is nothing to be looked at.
fn window(args: &Arguments, extent: &Extent) -> Result<Window, (u8, String)> {
    if let (Some(from), Some(to)) = (args.from, args.to)
        && from >= to
    {
        return Err((WRONG, format!("--from {from} is not before --to {to}")));
    }
    let to = args.to.map_or(extent.last, |to| to.min(extent.last));
    let asked = args.last.map(|last| to.minus(last)).or(args.from);
    let from = asked.map_or(extent.first, |from| from.max(extent.first));
    if from < to || (from == to && asked.is_none() && args.to.is_none()) {
        return Ok(Window { from, to });
    }
    let why = format!("the ledger has no records in this span: it reaches from {} to {}", extent.first, extent.last);
    Err((FAILED, why))
}

/// Lives through all that is kept, up to the end of the window.
fn relived(past: &Past, extent: &Extent, settings: &Settings, window: Window, look: Look) -> Result<Findings, LedgerError> {
    let mut backtest = Backtest::new(settings, window);
    let progress = Progress::new("relived", look);
    let (mut done, mut told) = (0_u64, 0);
    past.each(|record| {
        done += 1;
        let part = (done * PARTS / extent.records.max(1)).min(PARTS - 1);
        if part > told {
            told = part;
            progress.tell(part, PARTS);
        }
        backtest.take(record)
    })?;
    let findings = backtest.finish();
    progress.tell(PARTS, PARTS);
    Ok(findings)
}
