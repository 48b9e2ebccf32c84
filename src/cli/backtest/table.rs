//! Findings as a table for people.

use std::fmt::{Display, Write as _};

use crate::backtest::{Findings, Outage, Rate, Told};
use crate::model::{Span, certain, grouped};

/// Routes that are named of a longer list.
const NAMED: usize = 8;

/// All of it.
pub(super) fn draw(ledger: &str, found: &Findings) -> String {
    let mut text = String::new();
    head(&mut text, ledger, found);
    incidents(&mut text, "incidents that these settings would have opened", &found.hindsight, true);
    incidents(&mut text, "incidents that were really told, by the ledger", &found.then, false);
    let _ = writeln!(text, "\n{:<62} {:>6} {:>9} {:>9}  first", "pages", "times", "a year", "at most");
    rule(&mut text, "mailcanary, with these settings", found.hindsight.pages, found.hindsight.rate, pages(&found.hindsight));
    rule(&mut text, "mailcanary, as it ran then", found.then.pages, found.then.rate, pages(&found.then));
    for other in &found.others {
        rule(&mut text, &other.rule, other.pages, other.rate, other.first.first().map(|at| at.0));
    }
    let _ = writeln!(
        text,
        "(the other rules watch each route by itself; {} a year are promised; `at most` is what a span of this length rules out, at 95 %)",
        found.false_pages_per_year
    );
    if !found.limits.is_empty() {
        let _ = writeln!(text, "\nwhat this cannot say:");
        for limit in &found.limits {
            let _ = writeln!(text, "  {limit}");
        }
    }
    text
}

fn head(text: &mut String, ledger: &str, found: &Findings) {
    let spans = found.to.0.since(found.from.0);
    let _ = writeln!(text, "{ledger}: from {} to {} ({spans})", found.from.0, found.to.0);
    if found.learnt_from < found.from {
        let _ = writeln!(text, "  learnt from {} on", found.learnt_from.0);
    }
    let _ = writeln!(
        text,
        "  {} routine canaries and {} confirmations over {}; these settings would have asked for {} of these, and for {} more or so",
        found.routine,
        found.confirmations,
        counted(found.routes, "route"),
        found.wished_and_sent,
        found.wished_in_vain
    );
    if found.gaps > 0 {
        let _ = writeln!(
            text,
            "  the watcher slept or was not running {}",
            if found.gaps == 1 { "once".to_owned() } else { format!("{} times", found.gaps) }
        );
    }
    if !found.left_out.is_empty() {
        let names = found.left_out.iter().map(|r| format!("{} ({} canaries)", r.route, r.canaries));
        let _ = writeln!(text, "  left out, for the configuration does not have them: {}", list(names));
    }
    if !found.without_canaries.is_empty() {
        let _ = writeln!(text, "  without a canary in the ledger: {}", list(found.without_canaries.iter().cloned()));
    }
}

fn incidents(text: &mut String, title: &str, told: &Told, ours: bool) {
    let _ = writeln!(text, "\n{title}: {}", if told.incidents.is_empty() { "none".to_owned() } else { told.incidents.len().to_string() });
    for outage in &told.incidents {
        incident(text, outage, ours);
    }
}

fn incident(text: &mut String, outage: &Outage, ours: bool) {
    let until = outage.until.map_or_else(|| "still open".to_owned(), |at| at.0.to_string());
    let certainty = outage.certainty.map_or_else(String::new, |c| format!(" ({} certain)", certain(c)));
    let _ = writeln!(
        text,
        "  {:<24} to {:<24}  {:<8} {:<4}  {}{certainty}",
        outage.since.0.to_string(),
        until,
        outage.kind.as_str(),
        outage.severity.as_str(),
        outage.culprit
    );
    let _ = writeln!(text, "      {}", outage.summary);
    let after = outage.opened_after_secs.map_or_else(String::new, |s| format!("opened {s:.0} s after the first bad canary was sent; "));
    let paged = outage.paged_at.map_or_else(
        || "no page".to_owned(),
        |at| if at == outage.since { "paged at once".to_owned() } else { format!("paged {} later", at.0.since(outage.since.0)) },
    );
    let _ = writeln!(text, "      {after}{paged}");
    if !ours {
        return;
    }
    let then = outage.told_then.map_or_else(
        || "told then: nothing".to_owned(),
        |then| {
            let by = Span::from_ms((then.later_by_secs.abs() * 1000.0) as u64);
            let when = if by == Span::ZERO {
                "at the same time".to_owned()
            } else if then.later_by_secs < 0.0 {
                format!("{by} sooner")
            } else {
                format!("{by} later")
            };
            format!("told then: incident {}, {when}", then.incident)
        },
    );
    let _ = writeln!(text, "      {then}");
    for mark in &outage.others {
        let after = mark.after_secs.map_or_else(|| "never".to_owned(), |s| format!("{s:.0} s"));
        let _ = writeln!(text, "        {after:>8}  {}", mark.rule);
    }
}

fn pages(told: &Told) -> Option<crate::model::At> {
    told.incidents.iter().filter_map(|o| o.paged_at).map(|at| at.0).min()
}

fn rule(text: &mut String, rule: &str, pages: u64, rate: Rate, first: Option<impl Display>) {
    let first = first.map_or_else(|| "–".to_owned(), |at| at.to_string());
    let a_year = rate.pages_a_year.map_or_else(|| "too short".to_owned(), figure);
    let most = figure(rate.pages_a_year_at_most);
    let _ = writeln!(text, "{rule:<62} {pages:>6} {a_year:>9} {most:>9}  {first}");
}

/// A rate with no more figures than mean something.
fn figure(rate: f64) -> String {
    if rate < 10.0 { format!("{rate:.1}") } else { grouped(rate.round() as u64) }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// The first few, and how many more.
fn list(mut names: impl Iterator<Item = String>) -> String {
    let mut text = names.by_ref().take(NAMED).collect::<Vec<_>>().join(", ");
    let more = names.count();
    if more > 0 {
        text += &format!(" and {more} more");
    }
    text
}
