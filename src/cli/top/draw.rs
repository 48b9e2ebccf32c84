//! What is seen, as rows of text that fit.

use std::collections::{BTreeMap, BTreeSet};

use super::super::terminal::{Paper, Tone, cut, visible, width, wrap};
use super::Sight;
use super::wish::Wish;
use crate::edge::show::{Line, Open, Top};
use crate::model::{At, Name, Severity, Span, Verdict};

/// Columns where the width is not known: nobody looks, and nothing is cut.
const ENDLESS: usize = 10_000;
/// Columns of a name in the matrix.
const NAME: usize = 18;
/// Columns of a field of the matrix.
const FIELD: usize = 10;
/// Columns of a part of a route's name, at least.
const LEAST: usize = 4;
/// Signs of a bar.
const BAR: usize = 5;
/// Rows that routes have at least.
const ROUTES: usize = 4;

/// Rows of at most the paper's width; with a height, that many.
pub(super) fn draw(sight: &Sight, wish: &Wish, paper: Paper, height: Option<usize>) -> Vec<String> {
    let mut sheet = Sheet { paper, wide: paper.width.unwrap_or(ENDLESS), rows: Vec::new() };
    if let Some((why, secs)) = &sight.trouble {
        let age = if sight.top.is_some() { " What stands below is what was seen last." } else { "" };
        let stop = if why.ends_with(['.', '?', '!']) { "" } else { "." };
        sheet.wrapped(&format!("✕ Not seen for {secs}s: {why}{stop} Trying again each second.{age}"), Tone::Bad, 0, 4);
    }
    match &sight.top {
        Some(top) => seen(&mut sheet, top, wish, height),
        None if sight.trouble.is_none() => sheet.put(&[("asking the daemon …", Tone::Dim)]),
        None => {}
    }
    if let Some(height) = height {
        let foot = foot(sight.top.as_ref(), wish);
        sheet.rows.resize(height.saturating_sub(1), String::new());
        sheet.put(&foot.iter().map(|(text, tone)| (text.as_str(), *tone)).collect::<Vec<_>>());
        // A terminal of no rows shows none.
        sheet.rows.truncate(height);
    }
    sheet.rows
}

/// What is being filled.
struct Sheet {
    paper: Paper,
    wide: usize,
    rows: Vec<String>,
}

impl Sheet {
    /// A row of these pieces, cut where the paper ends.
    fn put(&mut self, pieces: &[(&str, Tone)]) {
        let mut room = self.wide;
        let mut row = String::new();
        for (text, tone) in pieces {
            let part = cut(text, room);
            room = room.saturating_sub(width(&part));
            row += &self.paper.paint(&part, *tone);
        }
        self.rows.push(row.trim_end().to_owned());
    }

    /// Rows of a text, at most so many.
    fn wrapped(&mut self, text: &str, tone: Tone, indent: usize, most: usize) {
        let room = self.wide.saturating_sub(indent);
        let mut lines = wrap(&visible(text), room);
        if lines.len() > most {
            let rest = lines.split_off(most.saturating_sub(1)).join(" ");
            lines.push(cut(&rest, room));
        }
        for line in lines {
            self.put(&[(&" ".repeat(indent), Tone::Plain), (&line, tone)]);
        }
    }

    fn gap(&mut self) {
        self.rows.push(String::new());
    }
}

fn seen(sheet: &mut Sheet, top: &Top, wish: &Wish, height: Option<usize>) {
    let (left, right) =
        (format!("mailcanary · {} · {}", visible(&top.instance), visible(&top.version)), format!("as of {}", clock(top.at)));
    let between = sheet.paper.width.map_or(2, |wide| wide.saturating_sub(width(&left) + width(&right)).max(1));
    sheet.put(&[(&left, Tone::Strong), (&" ".repeat(between), Tone::Plain), (&right, Tone::Dim)]);
    sheet.wrapped(&format!("{} {}", sign(top.tone), top.sentence), tone(top.tone), 0, 3);
    // A sixth of the height for incidents, a quarter for the matrix: what is looked for is the routes.
    let quarter = height.map(|rows| (rows / 4).max(2));
    incidents(sheet, top, height.map(|rows| (rows / 6).max(2)));
    let routes = wish.routes(top);
    sheet.gap();
    matrix(sheet, top, &routes, quarter);
    sheet.gap();
    let left = height.map(|rows| rows.saturating_sub(sheet.rows.len() + 2).max(ROUTES));
    list(sheet, top, &routes, wish, left);
}

fn incidents(sheet: &mut Sheet, top: &Top, most: Option<usize>) {
    if top.incidents.is_empty() {
        return;
    }
    sheet.gap();
    let rows = most.map_or(ENDLESS, |most| sheet.rows.len() + most);
    let mut worst: Vec<&Open> = top.incidents.iter().collect();
    worst.sort_by_key(|open| std::cmp::Reverse(open.severity));
    for (at, open) in worst.iter().enumerate() {
        if sheet.rows.len() + 1 >= rows && worst.len() - at > 1 {
            sheet.put(&[(&format!("and {} more open", worst.len() - at), Tone::Dim)]);
            return;
        }
        let (word, tone) = match open.severity {
            Severity::Page => ("PAGE", Tone::Bad),
            Severity::Warn => ("warn", Tone::Warn),
            Severity::Info => ("info", Tone::Plain),
        };
        let seen = open.acknowledged_by.as_ref().map_or_else(|| "nobody has seen it".to_owned(), |by| format!("seen by {}", visible(by)));
        let seen = open.quiet.as_ref().map_or(seen, |(until, word)| format!("{} for another {}", visible(word), until.since(top.at)));
        let what = format!(" #{} {} {}", open.incident, visible(&open.kind), visible(&open.culprit));
        let age = format!("  for {}", top.at.since(open.since));
        let whole = format!("{age}, {seen}");
        // Where not all of it has room, half a word says nothing.
        let since = if width(word) + width(&what) + width(&whole) > sheet.wide { age } else { whole };
        sheet.put(&[(word, tone), (&what, Tone::Strong), (&since, Tone::Plain)]);
        // The first is the sentence on top already; where rows are few, each has one.
        if at > 0 && most.is_none() {
            sheet.wrapped(&open.summary, Tone::Dim, 5, 1);
        }
    }
}

/// Providers down, inboxes across: the worst of the streams, and how long ago something came.
fn matrix(sheet: &mut Sheet, top: &Top, routes: &[&Line], most: Option<usize>) {
    let mut fields: BTreeMap<(&Name, &Name), &Line> = BTreeMap::new();
    for route in routes {
        let kept = fields.entry((&route.provider, &route.inbox)).or_insert(route);
        let rank = |line: &Line| (line.itself().rank(), line.verdict.rank(), line.last_arrival);
        if rank(route) < rank(kept) {
            *kept = route;
        }
    }
    let shown: BTreeSet<&Name> = fields.keys().flat_map(|(provider, inbox)| [*provider, *inbox]).collect();
    let providers: Vec<_> = top.providers.iter().filter(|p| shown.contains(&p.name)).collect();
    let mut inboxes: Vec<_> = top.inboxes.iter().filter(|i| shown.contains(&i.name)).collect();
    let field = inboxes.iter().map(|i| width(i.name.as_str()) + 2).max().unwrap_or(0).clamp(FIELD, NAME);
    // Names are whole where there is room besides the fields.
    let spare = sheet.wide.saturating_sub((field + 1).saturating_mul(inboxes.len()));
    let left = providers.iter().map(|p| width(p.name.as_str()) + 2).max().unwrap_or(0).clamp(8, spare.max(NAME));
    let room = sheet.wide.saturating_sub(left) / (field + 1);
    let fit = if inboxes.len() > room { sheet.wide.saturating_sub(left + 5) / (field + 1) } else { inboxes.len() };
    if fit < inboxes.len() {
        // Those with the most trouble are seen.
        let bad = |name: &Name| fields.iter().filter(|((_, inbox), route)| *inbox == name && route.verdict.rank() < 2).count();
        inboxes.sort_by_key(|inbox| std::cmp::Reverse(bad(&inbox.name)));
    }
    let mut head = vec![(" ".repeat(left), Tone::Plain)];
    for inbox in inboxes.iter().take(fit) {
        let (name, tone) = if inbox.marked { (format!("? {}", inbox.name), Tone::Warn) } else { (inbox.name.to_string(), Tone::Strong) };
        head.push((format!(" {}", padded(&name, field)), tone));
    }
    if fit < inboxes.len() {
        head.push((format!(" +{}", inboxes.len() - fit), Tone::Dim));
    }
    sheet.put(&head.iter().map(|(text, tone)| (text.as_str(), *tone)).collect::<Vec<_>>());
    let rows = most.map_or(ENDLESS, |most| most.saturating_sub(1).max(1));
    let fewer = if providers.len() > rows { rows.saturating_sub(1).max(1) } else { providers.len() };
    let mut worst = providers.clone();
    worst.sort_by_key(|provider| provider.verdict.rank());
    for provider in if fewer < providers.len() { worst } else { providers.clone() }.iter().take(fewer) {
        let name = format!("{} {}", sign(provider.verdict), provider.name);
        let mut row = vec![(padded(&name, left), tone(provider.verdict))];
        for inbox in inboxes.iter().take(fit) {
            let (text, tone) = fields.get(&(&provider.name, &inbox.name)).map_or_else(
                || ("·".to_owned(), Tone::Dim),
                |route| {
                    // Behind it what covers it and is not its own.
                    let mark = if route.itself() == route.verdict { "" } else { sign(route.verdict) };
                    (format!("{} {} {mark}", sign(route.itself()), ago(route.last_arrival, top.at)), tone(route.itself()))
                },
            );
            row.push((format!(" {}", padded(&text, field)), tone));
        }
        sheet.put(&row.iter().map(|(text, tone)| (text.as_str(), *tone)).collect::<Vec<_>>());
    }
    if fewer < providers.len() {
        sheet.put(&[(&format!("and {} more providers", providers.len() - fewer), Tone::Dim)]);
    }
}

/// The routes, each a row; what is less important goes where there is no room.
fn list(sheet: &mut Sheet, top: &Top, routes: &[&Line], wish: &Wish, most: Option<usize>) {
    let wide = sheet.wide;
    let (flying, usual, newest) = (wide >= 72, wide >= 80, wide >= 100);
    let longest = routes.iter().map(|r| width(&name(r))).max().unwrap_or(0).max(5);
    let taken = 2 + 1 + BAR + 6 + 1 + 8 + if flying { 7 } else { 0 } + if usual { 8 } else { 0 } + if newest { 24 } else { 0 };
    let route = longest.min(wide.saturating_sub(taken).max(10));
    let mut head = format!("  {} {}", padded("route", route), padded("suspicion", BAR + 6));
    head += &format!(" {:>8}", "arrival");
    head += if flying { "   away" } else { "" };
    head += if usual { "  median" } else { "" };
    head += if newest { "  newest canary" } else { "" };
    sheet.put(&[(&head, Tone::Strong)]);
    let rows = most.unwrap_or(ENDLESS).max(1);
    for r in routes.iter().skip(wish.past).take(rows.saturating_sub(usize::from(routes.len() > rows))) {
        let mut rest = format!(" {:>8}", ago(r.last_arrival, top.at));
        if flying {
            rest += &format!(" {:>6}", r.in_flight);
        }
        if usual {
            // Of what arrived before it stopped the median says nothing.
            let median = r.median.filter(|_| r.verdict != Verdict::Stopped);
            rest += &format!(" {:>7}", median.map_or_else(|| "–".to_owned(), |span| format!("<{}", span.max(Span::from_secs(1)))));
        }
        if newest {
            rest += &format!("  {}", visible(r.newest.as_deref().unwrap_or("none yet")));
        }
        let (bar, heat) = suspicion(r.suspicion, top.threshold);
        sheet.put(&[
            (&format!("{} {}", sign(r.itself()), padded(&short(r, route), route)), tone(r.itself())),
            (&format!(" {bar}"), heat),
            (&rest, Tone::Plain),
        ]);
    }
    if routes.is_empty() {
        sheet.put(&[("  no route has this in its name", Tone::Dim)]);
    } else if routes.len() > rows {
        let last = (wish.past + rows - 1).min(routes.len());
        sheet.put(&[(&format!("  {} to {last} of {} routes", wish.past + 1, routes.len()), Tone::Dim)]);
    }
}

/// The last row: what is waited for, and the keys.
fn foot(top: Option<&Top>, wish: &Wish) -> Vec<(String, Tone)> {
    if wish.typing {
        return vec![(format!("/{}", visible(&wish.filter)), Tone::Strong), ("▏ Enter keeps it, Esc drops it".to_owned(), Tone::Dim)];
    }
    let filter = if wish.filter.is_empty() { "/ filter".to_owned() } else { format!("/{} (Esc)", visible(&wish.filter)) };
    let next = top.and_then(|top| top.next.as_ref().map(|(at, what)| format!("   next: {} in {}", visible(what), at.since(top.at))));
    let keys = format!("q quit  s sort: {}  {filter}  ↑↓", wish.order.as_str());
    vec![(keys, Tone::Strong), (next.unwrap_or_default(), Tone::Dim)]
}

fn name(line: &Line) -> String {
    format!("{}/{}/{}", line.provider, line.stream, line.inbox)
}

/// The name of a route in so many columns: of each of its parts the beginning, the longest cut first.
fn short(line: &Line, columns: usize) -> String {
    let mut parts = [&line.provider, &line.stream, &line.inbox].map(|part| (part.as_str(), width(part.as_str())));
    while parts.iter().map(|(_, wide)| wide + 1).sum::<usize>() > columns + 1 {
        match parts.iter_mut().max_by_key(|(_, wide)| *wide).filter(|(_, wide)| *wide > LEAST) {
            Some((_, wide)) => *wide -= 1,
            None => break,
        }
    }
    parts.map(|(part, wide)| cut(part, wide)).join("/")
}

/// How much of the evidence that a verdict takes there is.
fn suspicion(nats: f64, threshold: f64) -> (String, Tone) {
    let share = if threshold > 0.0 { (nats / threshold).clamp(0.0, 1.0) } else { 0.0 };
    let full = (share * BAR as f64).round() as usize;
    let tone = if share >= 1.0 {
        Tone::Bad
    } else if share >= 0.3 {
        Tone::Warn
    } else {
        Tone::Dim
    };
    (format!("{}{} {:>4.0}%", "▮".repeat(full), "▯".repeat(BAR.saturating_sub(full)), share * 100.0), tone)
}

fn ago(arrival: Option<At>, now: At) -> String {
    arrival.map_or_else(|| "never".to_owned(), |at| if now.since(at).as_ms() < 1000 { "now".to_owned() } else { now.since(at).to_string() })
}

/// The time of day.
fn clock(at: At) -> String {
    let text = at.rfc3339();
    text.split(['T', '.']).nth(1).map_or_else(|| text.clone(), |time| format!("{time}Z"))
}

/// A text in exactly so many columns.
fn padded(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let room = columns.saturating_sub(width(&text));
    text + &" ".repeat(room)
}

/// A verdict without colours.
const fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivering => "✓",
        Verdict::Degraded => "▲",
        Verdict::Stopped => "✕",
        Verdict::Unknown => "?",
    }
}

const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Delivering => Tone::Good,
        Verdict::Degraded => Tone::Warn,
        Verdict::Stopped => Tone::Bad,
        Verdict::Unknown => Tone::Plain,
    }
}

#[cfg(test)]
#[path = "draw_tests.rs"]
mod tests;
