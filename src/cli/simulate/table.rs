//! A report as a table for people.

use std::fmt::Write as _;

use super::super::terminal::{Align, Cell, Paper, Table, Tone, visible, wrap};
use super::report::Report;
use crate::sandbox::simulate::Quantiles;

/// The whole report, no wider than the paper.
pub(super) fn draw(report: &Report, paper: Paper) -> String {
    format!("{}\n{}{}", fitted(&head(report), paper), told(report).draw(paper), fitted(&rest(report), paper))
}

/// Lines that are too wide go on in the next, under their own beginning.
fn fitted(text: &str, paper: Paper) -> String {
    let Some(most) = paper.width else { return text.to_owned() };
    let mut all = String::with_capacity(text.len());
    for line in text.lines() {
        let line = line.trim_end();
        let bare = line.trim_start();
        let indent = line.len() - bare.len();
        for (at, part) in wrap(bare, most.saturating_sub(indent + 2)).iter().enumerate() {
            let _ = writeln!(all, "{:width$}{part}", "", width = if at == 0 || part.is_empty() { indent } else { indent + 2 });
        }
    }
    all
}

/// What was played.
fn head(report: &Report) -> String {
    let mut text = String::new();
    let (routes, every, promise) = (report.routes, report.every_secs, report.false_pages_per_year);
    let _ = writeln!(
        text,
        "{}: {routes} route{}, a canary every {every} s each, {promise} false pages a year promised",
        visible(&report.scenario),
        if routes == 1 { "" } else { "s" }
    );
    for failure in &report.failures {
        let _ = writeln!(text, "  failure: {failure}");
    }
    text
}

/// How soon each way to decide told, and how often it cried for nothing.
fn told(report: &Report) -> Table {
    let mut table = Table::new(&[Align::Left, Align::Right, Align::Right, Align::Right, Align::Right, Align::Right]);
    table.head(&["told after, in seconds", "median", "90th", "99th", "missed", "false/year"]);
    let a_year = report.quiet.as_ref().map(|q| q.pages_a_year);
    let mut line = |rule: &str, told: Option<&Quantiles>, a_year: Option<f64>, tone: Tone| {
        let (median, p90, p99, missed) = told.map_or((None, None, None, String::new()), |q| (q.median, q.p90, q.p99, q.missed.to_string()));
        let missed = Cell::new(&missed, if told.is_some_and(|q| q.missed > 0) { Tone::Warn } else { Tone::Plain });
        let figures = [median, p90, p99].map(|value| Cell::new(figure(value), tone));
        let mut cells = vec![Cell::new(rule, tone)];
        cells.extend(figures);
        cells.extend([missed, Cell::new(figure(a_year), tone)]);
        table.row(cells);
    };
    if let Some(runs) = &report.runs {
        line("mailcanary", Some(&runs.told_after_secs), a_year, Tone::Good);
        line("mailcanary, paged", Some(&runs.paged_after_secs), a_year, Tone::Good);
    } else {
        line("mailcanary", None, a_year, Tone::Good);
    }
    for other in &report.others {
        line(&other.rule, other.told_after_secs.as_ref(), other.pages_a_year, Tone::Plain);
    }
    table
}

/// What else came of the runs and of quiet time.
fn rest(report: &Report) -> String {
    let mut text = String::new();
    if let Some(runs) = &report.runs {
        let _ = writeln!(text, "\n{} runs ({} spoilt by something false that was open)", runs.runs, runs.spoilt);
        let _ = writeln!(
            text,
            "  right culprit: {:.1} % at once, {:.1} % after 30 s",
            runs.right_at_once * 100.0,
            runs.right_after_30s * 100.0
        );
        for (blamed, count) in runs.blamed.iter().take(6) {
            let _ = writeln!(text, "    {count:>5} × {}", if blamed.is_empty() { "nobody" } else { blamed });
        }
        let _ = writeln!(text, "  pages for a failure: {:.2}, at most {}", runs.pages, runs.pages_at_most);
        let resolved = &runs.resolved_after_secs;
        let _ = writeln!(
            text,
            "  resolved after its end: median {} s, 90th {} s, never {}; while it lasted: {:.1} %",
            figure(resolved.median),
            figure(resolved.p90),
            resolved.missed,
            runs.resolved_early * 100.0
        );
        let _ = writeln!(text, "  extra canaries while it failed: {:.1} %", runs.extra * 100.0);
    }
    if let Some(quiet) = &report.quiet {
        let counted = &quiet.counted;
        let _ = writeln!(
            text,
            "\n{:.1} quiet years: {} false pages ({:.2} a year; {:.2} after the first quarter), {} incidents, {:.1} % extra canaries",
            counted.years,
            counted.pages,
            quiet.pages_a_year,
            quiet.pages_a_year_once_settled,
            counted.incidents,
            quiet.extra * 100.0
        );
    }
    text
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{v:.1}"))
}
