//! The last days of a provider, an inbox or a kind of mail, a bar for each, and in words what bars cannot say to everybody.

use maud::{Markup, html};

use super::super::days::{DAY, Day, Days};
use super::bits;
use crate::model::{Span, Verdict};

/// Days that are drawn where there is little room. Of more, a phone shows the last of them.
pub(super) const MONTH: u64 = 30;
/// Units of the picture for a day, and for its bar.
const APART: u64 = 10;
const BAR: u64 = 7;
/// Units of its height.
const HIGH: u64 = 32;

/// Days as they are drawn, under what they are called.
#[derive(Debug)]
pub(super) struct Bars<'a> {
    pub(super) name: &'a str,
    pub(super) days: &'a Days,
}

impl Bars<'_> {
    /// A bar for each. What is not well stands out above the others, and what nobody saw is a stump: no day is told by its colour alone.
    pub(super) fn draw(&self) -> Markup {
        let many = self.days.days.len() as u64;
        let text = format!("{}: of the last {many} days, {} with trouble; {}", self.name, self.bad(), share(self.days));
        html! {
            div.cut {
                svg class=(if many > MONTH { "days" } else { "days month" }) viewBox=(format!("0 0 {} {HIGH}", many * APART)) preserveAspectRatio="none" role="img" aria-label=(text) {
                    @for (place, day) in self.days.days.iter().enumerate() {
                        @let top = top(day.tone);
                        rect class=(day.tone.as_str()) x=(place as u64 * APART) y=(top) width=(BAR) height=(HIGH - top) { title { (told(day)) } }
                    }
                }
            }
        }
    }

    /// What stands under the bars of several parties, and of one with its `share` between. On a phone the last thirty are drawn.
    pub(super) fn ends(&self, share: Option<&str>) -> Markup {
        let many = self.days.days.len() as u64;
        html! {
            p.ends {
                span { span.broad { (many) " days ago" } span.slim { (many.min(MONTH)) " days ago" } }
                @if let Some(share) = share { span { (share) } }
                span { "today" }
            }
        }
    }

    /// The days that were not well, or not wholly seen, in words and the newest first: for whoever cannot point at a bar.
    pub(super) fn listed(&self, id: &str, more: &Markup) -> Markup {
        let (bad, lines) = (self.bad(), self.lines());
        html! {
            @if !lines.is_empty() {
                details.told id=(id) {
                    summary {
                        @match bad { 0 => "not watched all the time", 1 => "1 day with trouble", bad => { (bad) " days with trouble" } }
                        span.vh { ": " (self.name) }
                    }
                    ul.plain { @for line in lines { li { (line) } } }
                    (more)
                }
            }
        }
    }

    fn bad(&self) -> usize {
        self.days.days.iter().filter(|day| day.is_bad()).count()
    }

    /// Days in a row that nobody saw are one line; those before the watch began are none.
    fn lines(&self) -> Vec<String> {
        let Days { days, began, .. } = self.days;
        let first = days.iter().position(|day| day.from.plus(DAY) > *began).unwrap_or(days.len());
        let known = days.get(first..).unwrap_or_default();
        let groups = known.chunk_by(|a, b| a.tone == Verdict::Unknown && b.tone == Verdict::Unknown);
        let line = |days: &[Day]| match days {
            [day] if day.is_bad() || day.dark > Span::ZERO => Some(told(day)),
            [from, .., to] => Some(format!("{} – {}: not watched", date(from), date(to))),
            [_] | [] => None,
        };
        groups.filter_map(line).collect::<Vec<_>>().into_iter().rev().collect()
    }
}

/// What the bars mean.
pub(super) fn legend() -> Markup {
    let means = [
        (Verdict::Delivering, "no trouble"),
        (Verdict::Degraded, "trouble"),
        (Verdict::Stopped, "stopped"),
        (Verdict::Unknown, "not watched"),
    ];
    html! {
        ul.legend {
            @for (tone, words) in means {
                @let top = top(tone);
                li { svg.key viewBox=(format!("0 0 {BAR} {HIGH}")) aria-hidden="true" { rect class=(tone.as_str()) y=(top) width=(BAR) height=(HIGH - top) {} } (words) }
            }
        }
    }
}

/// The bars of these days, under what they are called, how much of the time all was well, and in words the days that were not.
pub(super) fn whole(name: &str, id: &str, days: &Days) -> Markup {
    let bars = Bars { name, days };
    html! { div.past { (bars.draw()) (bars.ends(Some(&share(days)))) (bars.listed(id, &html! {})) } }
}

/// Where the bar of a day begins.
const fn top(tone: Verdict) -> u64 {
    match tone {
        Verdict::Stopped => 0,
        Verdict::Degraded => 4,
        Verdict::Delivering => 10,
        Verdict::Unknown => 25,
    }
}

fn date(day: &Day) -> String {
    bits::clock(day.from).chars().take(10).collect()
}

fn told(day: &Day) -> String {
    let date = date(day);
    match day.tone {
        Verdict::Unknown => format!("{date}: not watched"),
        Verdict::Delivering => format!("{date}: no trouble{}", unseen(day)),
        Verdict::Degraded | Verdict::Stopped => format!("{date}: trouble for {}{}", secs(day.ill), unseen(day)),
    }
}

fn unseen(day: &Day) -> String {
    if day.dark == Span::ZERO { String::new() } else { format!(", not watched for {}", secs(day.dark)) }
}

const fn secs(span: Span) -> Span {
    Span::from_secs(span.as_ms() / 1000)
}

/// How much of the watched time was without trouble: a share, never rounded up to all of it, and no more exact than the time is long; of less
/// than a day, how long there was trouble.
pub(super) fn share(days: &Days) -> String {
    let (all, ill) = (days.watched, days.ill);
    if all == Span::ZERO {
        return "nothing was watched".to_owned();
    }
    if all < DAY {
        return match ill {
            Span::ZERO => format!("no trouble in the {} that were watched", secs(all)),
            ill => format!("trouble for {} of the {} that were watched", secs(ill), secs(all)),
        };
    }
    let figures = if all < DAY.scaled(10, 1) { 1_u32 } else { 2 };
    let whole = 100.0 * 10_f64.powi(figures as i32);
    let well = all.as_ms().saturating_sub(ill.as_ms()) as f64 / all.as_ms().max(1) as f64;
    match ill {
        Span::ZERO => "100 % without trouble".to_owned(),
        _ => format!("{:.*} % without trouble", figures as usize, (well * whole).floor() / whole * 100.0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::days::Spell;
    use super::*;
    use crate::model::At;

    const HOUR: Span = Span::from_secs(3600);

    fn spell(from: At, lasts: Option<Span>, tone: Verdict) -> Spell {
        Spell { from, to: lasts.map(|lasts| from.plus(lasts)), tone }
    }

    #[test]
    fn days_are_those_of_the_calendar_and_what_overlaps_counts_once() {
        let now = At::from_rfc3339("2022-08-09T12:00:00Z").unwrap();
        let began = now.minus(DAY.scaled(10, 1));
        let night = At::from_rfc3339("2022-08-07T23:00:00Z").unwrap();
        let spells = [
            spell(night, Some(HOUR.scaled(2, 1)), Verdict::Degraded),
            spell(night, Some(HOUR), Verdict::Stopped),
            spell(now.minus(HOUR), None, Verdict::Degraded),
        ];
        let days = Days::of(&spells, began, now, 90).days;
        assert_eq!(days.len(), 90);
        let last: Vec<(Verdict, Span)> = days[87..].iter().map(|day| (day.tone, day.ill)).collect();
        assert_eq!(last, [(Verdict::Stopped, HOUR), (Verdict::Degraded, HOUR), (Verdict::Degraded, HOUR)]);
        assert_eq!(days.iter().filter(|day| day.tone == Verdict::Unknown).count(), 79);
        assert_eq!(told(&days[87]), "2022-08-07: trouble for 1h");
        assert_eq!(
            (share(&Days::of(&spells, began, now, 90)).as_str(), share(&Days::of(&[], began, now, 90)).as_str()),
            ("98.75 % without trouble", "100 % without trouble")
        );
        assert_eq!(
            share(&Days::of(&[spell(now.minus(Span::from_ms(1)), None, Verdict::Degraded)], began, now, 90)),
            "99.99 % without trouble"
        );
        let young = |began: u64| share(&Days::of(&spells, now.minus(Span::from_secs(began)), now, 90));
        assert_eq!(
            (young(100).as_str(), young(86_400).as_str()),
            ("trouble for 1m40s of the 1m40s that were watched", "95.8 % without trouble")
        );
        assert_eq!(share(&Days::of(&[], now.minus(Span::from_secs(100)), now, 90)), "no trouble in the 1m40s that were watched");
    }

    #[test]
    fn what_nobody_saw_is_neither_well_nor_ill() {
        let now = At::from_rfc3339("2022-08-09T12:00:00Z").unwrap();
        let at = |text: &str| At::from_rfc3339(text).unwrap();
        let began = at("2022-08-05T00:00:00Z");
        let spells = [
            spell(at("2022-08-06T22:00:00Z"), Some(HOUR.scaled(26, 1)), Verdict::Unknown),
            spell(at("2022-08-08T10:00:00Z"), Some(HOUR.scaled(2, 1)), Verdict::Unknown),
            spell(at("2022-08-08T11:00:00Z"), Some(HOUR), Verdict::Stopped),
        ];
        let days = Days::of(&spells, began, now, 90).days;
        let said: Vec<String> = days[85..].iter().map(told).collect();
        assert_eq!(
            said,
            [
                "2022-08-05: no trouble",
                "2022-08-06: no trouble, not watched for 2h",
                "2022-08-07: not watched",
                "2022-08-08: trouble for 1h, not watched for 1h",
                "2022-08-09: no trouble",
            ]
        );
        // 108 hours, of which 27 were not watched.
        assert_eq!(share(&Days::of(&spells, began, now, 90)), "98.7 % without trouble");
        assert_eq!(share(&Days::of(&[spell(began, None, Verdict::Unknown)], began, now, 90)), "nothing was watched");
    }
}
