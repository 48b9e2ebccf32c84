//! What is added to a text, in short, so that one footer is told from another, and from itself on another day.

/// How words begin that differ from day to day, and say nothing.
const DATES: [&str; 19] =
    ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// Words behind a time, which change with the hour or with the season. What ends as `cest` or `pdt` is one, too.
const TIMES: [&str; 12] = ["am", "pm", "a.m", "p.m", "utc", "gmt", "cet", "eet", "wet", "msk", "daylight", "standard"];
/// Words that may stand between two numbers of one date, besides short ones: `9 de agosto de 2022`.
const BETWEEN: usize = 1;
/// Words before a date, and behind it, that may be the name of a day or of a month in any language.
const BEFORE: usize = 2;
const BEHIND: usize = 1;

/// Without numbers, links, addresses and dates, by which one footer differs from mail to mail. FNV-1a: chance is enough here.
pub(super) fn short(added: &str) -> u32 {
    let lower = added.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')')).filter(|word| !word.is_empty()).collect();
    let dates = dates(&words);
    let is_dated = |at: usize| dates.iter().any(|(first, last)| (*first..=*last).contains(&at));
    let says = |word: &str| !word.contains(|c: char| c.is_ascii_digit() || matches!(c, '*' | '@'));
    let kept = words.iter().enumerate().filter(|(at, word)| says(word) && !passes(word) && !is_dated(*at)).map(|(_, word)| word);
    kept.flat_map(|word| word.bytes().chain([b' '])).fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Whether a word is an English one for a day, a month, an hour or a zone.
fn passes(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_day = word.len() <= 9 && word.get(..3).is_some_and(|start| DATES.contains(&start));
    let is_zone = matches!(word.len(), 3 | 4) && (word.ends_with("st") || word.ends_with("dt"));
    is_day || is_zone || TIMES.contains(&word)
}

/// From which word to which dates reach, the names around them counted in: several numbers in a row of which one is an hour, or a later one a year, or
/// one word that is a date by itself.
fn dates(words: &[&str]) -> Vec<(usize, usize)> {
    let is_short = |word: &&str| word.chars().count() <= 2 && word.chars().all(char::is_alphabetic);
    let is_number = |word: &str| word.contains(|c: char| c.is_ascii_digit());
    let numbers: Vec<usize> = words.iter().enumerate().filter(|(_, word)| is_number(word)).map(|(at, _)| at).collect();
    let between = |a: usize, b: usize| words.get(a.saturating_add(1)..b).unwrap_or_default().iter().filter(|word| !is_short(word)).count();
    let rows = numbers.chunk_by(|a, b| between(*a, *b) <= BETWEEN);
    rows.filter_map(|row| {
        let (first, last) = (*row.first()?, *row.last()?);
        let any = |row: &[usize], is: fn(&str) -> bool| row.iter().filter_map(|at| words.get(*at)).any(|word| is(word));
        let behind = words.get(last.saturating_add(1)..).unwrap_or_default().iter().take_while(|word| passes(word)).count();
        let last = last.saturating_add(behind).saturating_add(BEHIND);
        (any(row, is_dated) || any(row.get(1..)?, is_year)).then(|| (first.saturating_sub(BEFORE), last))
    })
    .collect()
}

fn is_year(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_digit());
    word.len() == 4 && (word.starts_with("19") || word.starts_with("20")) && word.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a word is a date or an hour by itself: `2022-08-09`, `14:30`.
fn is_dated(word: &str) -> bool {
    let groups = word.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).count();
    groups >= 3 || groups == 2 && word.contains(':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_is_the_same_on_every_day_and_at_every_hour() {
        for (one, other) in [
            ("Sent by Acme on Tue, 9 Aug 2022 09:14:03 AM CEST", "Sent by Acme on Mon, 12 Dec 2022 10:00:59 PM CET"),
            ("Acme mails: Dienstag, 9. August 2022 um 14:30 Uhr", "Acme mails: Mittwoch, 7. Dezember 2022 um 9:05 Uhr"),
            ("Enviado el martes, 9 de agosto de 2022, Acme", "Enviado el lunes, 12 de diciembre de 2022, Acme"),
            ("Acme mails: mardi 9 ao\u{fb}t 2022 \u{e0} 14:30", "Acme mails: lundi 12 d\u{e9}cembre 2022 \u{e0} 9:05"),
            ("Acme 2022. augusztus 9., kedd 14:30", "Acme 2022. december 12., h\u{e9}tf\u{151} 9:05"),
            ("At 2022-08-09T14:30:00Z by Acme", "At 2022-12-12T09:05:00Z by Acme"),
            ("At 14:30 Pacific Daylight Time by Acme", "At 09:05 Pacific Standard Time by Acme"),
            ("\u{a9} 2022 Acme, 1 Road", "\u{a9} 2023 Acme, 1 Road"),
        ] {
            assert_eq!(short(one), short(other), "{one}");
        }
    }

    #[test]
    fn another_footer_is_another() {
        for (one, other) in [
            ("Sent by Acme, 1 Road", "Sent by Evil, 1 Road"),
            ("\u{a9} 2022 Acme Inc, 1 Road", "\u{a9} 2022 Evil Inc, 1 Road"),
            ("\u{a9} 2022 Acme, 1 Road", "\u{a9} 2022 Evil, 1 Road"),
            ("Sent by Acme on Tue, 9 Aug 2022 09:14", "Sent by Evil on Tue, 9 Aug 2022 09:14"),
            ("9 Aug 2022, sent by Acme", "9 Aug 2022, sent by Evil"),
        ] {
            assert_ne!(short(one), short(other), "{one}");
        }
    }
}
