//! A report as a table for people.

use std::fmt::Write as _;

use super::report::Report;
use crate::sandbox::simulate::Quantiles;

/// The whole report.
pub(super) fn draw(report: &Report) -> String {
    let mut text = String::new();
    let (routes, every, promise) = (report.routes, report.every_secs, report.false_pages_per_year);
    let _ = writeln!(
        text,
        "{}: {routes} route{}, a canary every {every} s each, {promise} false pages a year promised",
        report.scenario,
        if routes == 1 { "" } else { "s" }
    );
    for failure in &report.failures {
        let _ = writeln!(text, "  failure: {failure}");
    }
    let _ = writeln!(
        text,
        "\n{:<58} {:>9} {:>9} {:>9} {:>7} {:>12}",
        "told after, in seconds", "median", "90th", "99th", "missed", "false/year"
    );
    let quiet = report.quiet.as_ref();
    if let Some(runs) = &report.runs {
        line(&mut text, "mailcanary", Some(&runs.told_after_secs), quiet.map(|q| q.pages_a_year));
        line(&mut text, "mailcanary, paged", Some(&runs.paged_after_secs), quiet.map(|q| q.pages_a_year));
    } else {
        line(&mut text, "mailcanary", None, quiet.map(|q| q.pages_a_year));
    }
    for other in &report.others {
        line(&mut text, &other.rule, other.told_after_secs.as_ref(), other.pages_a_year);
    }
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
    if let Some(quiet) = quiet {
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

fn line(text: &mut String, rule: &str, told: Option<&Quantiles>, a_year: Option<f64>) {
    let (median, p90, p99, missed) = told.map_or((None, None, None, String::new()), |q| (q.median, q.p90, q.p99, q.missed.to_string()));
    let a_year = a_year.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}"));
    let _ = writeln!(text, "{rule:<58} {:>9} {:>9} {:>9} {missed:>7} {a_year:>12}", figure(median), figure(p90), figure(p99));
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{v:.1}"))
}
