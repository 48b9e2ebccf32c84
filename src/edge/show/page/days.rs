//! The last ninety days of one kind of mail, a bar for each: as much of the past as somebody takes in at a glance.

use maud::{Markup, html};

use super::bits;
use crate::model::{At, Span, Verdict};

/// Days that are drawn. More are hairs on a phone.
const DAYS: u64 = 90;
const DAY: Span = Span::from_secs(86_400);
/// Units of the picture for a day, and for its bar.
const APART: u64 = 10;
const BAR: u64 = 7;

/// A time in which not all was well, or nobody saw how it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spell {
    pub(super) from: At,
    /// Nothing: it goes on.
    pub(super) to: Option<At>,
    /// How bad it was; unknown where nobody saw it.
    pub(super) tone: Verdict,
}

/// One day in the picture.
#[derive(Debug, PartialEq, Eq)]
struct Day {
    from: At,
    tone: Verdict,
    /// How much of it was not well.
    ill: Span,
    /// How much of it nobody saw.
    dark: Span,
}

/// The bars of these spells, under what they are called, and how much of the time all was well.
pub(super) fn days(name: &str, spells: &[Spell], began: At, now: At) -> Markup {
    let days = cut(spells, began, now);
    let share = share(spells, began, now);
    let bad = days.iter().filter(|day| matches!(day.tone, Verdict::Stopped | Verdict::Degraded)).count();
    let text = format!("{name}: of the last {DAYS} days, {bad} with trouble; {share}");
    html! {
        div.past {
            svg.days viewBox=(format!("0 0 {} 32", DAYS * APART)) preserveAspectRatio="none" role="img" aria-label=(text) {
                @for (place, day) in days.iter().enumerate() {
                    rect class=(day.tone.as_str()) x=(place as u64 * APART) width=(BAR) height="32" { title { (told(day)) } }
                }
            }
            p.ends { span { (DAYS) " days ago" } span { (share) } span { "today" } }
        }
    }
}

fn told(day: &Day) -> String {
    let date: String = bits::clock(day.from).chars().take(10).collect();
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

/// The days, the oldest first.
fn cut(spells: &[Spell], began: At, now: At) -> Vec<Day> {
    let today = At::from_ms(now.as_ms().div_euclid(86_400_000) * 86_400_000);
    let one = |back: u64| {
        let from = today.minus(DAY.scaled(back, 1));
        let (begin, end) = (from.max(began), from.plus(DAY).min(now));
        let within = spells.iter().filter(|spell| is_ill(spell) && spell.from < end && spell.to.is_none_or(|to| to > begin));
        let (ill, dark) = (ill(spells, begin, end), dark(spells, begin, end));
        let tone = match within.map(|spell| spell.tone).min_by_key(|tone| tone.rank()) {
            _ if begin >= end => Verdict::Unknown,
            Some(worst) => worst,
            None if dark == end.since(begin) => Verdict::Unknown,
            None => Verdict::Delivering,
        };
        Day { from, tone, ill, dark }
    };
    (0..DAYS).rev().map(one).collect()
}

fn is_ill(spell: &Spell) -> bool {
    spell.tone != Verdict::Unknown
}

/// How much of a time was not well.
fn ill(spells: &[Spell], begin: At, end: At) -> Span {
    covered(spells.iter().filter(|spell| is_ill(spell)), begin, end)
}

/// How much of a time nobody saw, and nothing is known to have been wrong in.
fn dark(spells: &[Spell], begin: At, end: At) -> Span {
    let all = covered(spells.iter(), begin, end);
    Span::from_ms(all.as_ms().saturating_sub(ill(spells, begin, end).as_ms()))
}

/// How much of a time is in any of these.
fn covered<'s>(spells: impl Iterator<Item = &'s Spell>, begin: At, end: At) -> Span {
    let mut within: Vec<(At, At)> =
        spells.map(|spell| (spell.from.max(begin), spell.to.unwrap_or(end).min(end))).filter(|(from, to)| from < to).collect();
    within.sort_unstable();
    let (mut sum, mut known) = (0, begin);
    for (from, to) in within {
        sum += to.since(from.max(known)).as_ms();
        known = known.max(to);
    }
    Span::from_ms(sum)
}

/// How much of the watched time was without trouble: a share, never rounded up to all of it, and no more exact than the time is long; of less
/// than a day, how long there was trouble.
fn share(spells: &[Spell], began: At, now: At) -> String {
    let begin = now.minus(DAY.scaled(DAYS, 1)).max(began);
    let ill = ill(spells, begin, now);
    let all = Span::from_ms(now.since(begin).as_ms().saturating_sub(dark(spells, begin, now).as_ms()));
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
    use super::*;

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
        let days = cut(&spells, began, now);
        assert_eq!(days.len(), 90);
        let last: Vec<(Verdict, Span)> = days[87..].iter().map(|day| (day.tone, day.ill)).collect();
        assert_eq!(last, [(Verdict::Stopped, HOUR), (Verdict::Degraded, HOUR), (Verdict::Degraded, HOUR)]);
        assert_eq!(days.iter().filter(|day| day.tone == Verdict::Unknown).count(), 79);
        assert_eq!(told(&days[87]), "2022-08-07: trouble for 1h");
        assert_eq!(
            (share(&spells, began, now).as_str(), share(&[], began, now).as_str()),
            ("98.75 % without trouble", "100 % without trouble")
        );
        assert_eq!(share(&[spell(now.minus(Span::from_ms(1)), None, Verdict::Degraded)], began, now), "99.99 % without trouble");
        let young = |began: u64| share(&spells, now.minus(Span::from_secs(began)), now);
        assert_eq!(
            (young(100).as_str(), young(86_400).as_str()),
            ("trouble for 1m40s of the 1m40s that were watched", "95.8 % without trouble")
        );
        assert_eq!(share(&[], now.minus(Span::from_secs(100)), now), "no trouble in the 1m40s that were watched");
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
        let days = cut(&spells, began, now);
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
        assert_eq!(share(&spells, began, now), "98.7 % without trouble");
        assert_eq!(share(&[spell(began, None, Verdict::Unknown)], began, now), "nothing was watched");
    }
}
