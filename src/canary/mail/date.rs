//! The dates of `Received` fields: RFC 5322 has one way to write them, and programs have others.

use std::borrow::Cow;

use mail_parser::DateTime;

use crate::model::At;

/// As RFC 5322 names them.
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
/// Words of a date that are looked at.
const WORDS: usize = 8;

/// The instant that a date names; a wrong day of the week, a zone by its name, a fraction and a comment do not matter. Nothing, if its zone
/// is none. One without a zone is taken for UTC.
///
/// Besides the usual way: `2022-08-08 19:30:00.123456789 +0000 UTC m=+123.4` (SendGrid, and others in Go), RFC 3339, and ctime:
/// `Mon Aug  8 19:30:00 2022`, the zone before the year, behind it or nowhere.
pub(super) fn instant(date: &str) -> Option<At> {
    let date = date.split('(').next()?;
    let words = date.split_whitespace().filter(|word| !word.starts_with("m=")).take(WORDS).map(plain_zone);
    let words: Vec<Cow<'_, str>> = words.collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let usual = of_numbers(&words).or_else(|| of_ctime(&words)).unwrap_or_else(|| usual(&words));
    // `11/30/2026` is no eleventh, and may be no thirtieth.
    if usual.split(' ').next().is_some_and(|day| day.contains(['/', '.'])) {
        return None;
    }
    let zone = usual.rsplit(' ').next()?;
    let offset = zone.strip_prefix(['+', '-']);
    if offset.is_some_and(|digits| digits.len() != 4 || digits.parse::<u32>().map_or(true, |zone| zone > 1459 || zone % 100 > 59)) {
        return None;
    }
    let parsed = DateTime::parse_rfc822(&usual).filter(DateTime::is_valid)?;
    let secs = parsed.to_timestamp();
    (1970..2107).contains(&parsed.year).then(|| At::from_ms(secs.saturating_mul(1000)))
}

/// A word; a zone as RFC 5322 writes it: `+0200` for `+02:00`.
fn plain_zone(word: &str) -> Cow<'_, str> {
    if word.starts_with(['+', '-']) && word.get(3..4) == Some(":") { Cow::Owned(word.replacen(':', "", 1)) } else { Cow::Borrowed(word) }
}

/// Whether a text begins as a date does: with a day of the week, or with numbers.
pub(super) fn begins_as_date(text: &str) -> bool {
    let first = text.split(' ').next().unwrap_or_default();
    is_one_of(&DAYS, first.trim_end_matches(',')) || first.get(..10).is_some_and(|day| numbers(day).is_some())
}

/// What has the usual order: without the day of the week, a fraction, and the dashes of RFC 850.
fn usual(words: &[&str]) -> String {
    let words = words.get(usize::from(words.first().is_some_and(|first| first.ends_with(',')))..).unwrap_or_default();
    let plain = |(place, word): (usize, &&str)| if place == 0 { word.replace('-', " ") } else { whole(word).to_owned() };
    words.iter().enumerate().map(plain).collect::<Vec<_>>().join(" ")
}

/// A time of day without its fraction.
fn whole(word: &str) -> &str {
    word.split_once('.').filter(|(time, _)| time.contains(':')).map_or(word, |(time, _)| time)
}

fn is_one_of(names: &[&str], word: &str) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(word))
}

/// Year, month and day of `2022-08-08`.
fn numbers(day: &str) -> Option<(&str, &str, &str)> {
    let (year, rest) = day.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    let digits = |text: &str, length: usize| text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    (digits(year, 4) && digits(month, 2) && digits(day, 2)).then_some((year, month, day))
}

/// `2022-08-08 19:30:00.1 +0200 CEST`, `2022-08-08T19:30:00+02:00`, as RFC 5322 would have it.
fn of_numbers(words: &[&str]) -> Option<String> {
    let (day, more) = words.first()?.split_at_checked(10)?;
    let (year, month, day) = numbers(day)?;
    let month = month.parse::<usize>().ok()?.checked_sub(1).and_then(|month| MONTHS.get(month))?;
    let glued = more.strip_prefix(['T', 't']);
    let (time, left) = match glued {
        Some(time) => (time, words.get(1..)?),
        None => (*words.get(1)?, words.get(2..)?),
    };
    let ends = time.find(['+', '-', 'Z', 'z']).unwrap_or(time.len());
    let (time, zone) = time.split_at_checked(ends)?;
    let zone = if zone.is_empty() { left.first().copied().unwrap_or("+0000") } else { zone };
    let zone = if zone.eq_ignore_ascii_case("z") { "+0000".to_owned() } else { zone.replace(':', "") };
    Some(format!("{day} {month} {year} {} {zone}", whole(time)))
}

/// `Mon Aug  8 19:30:00 2022` and its like.
fn of_ctime(words: &[&str]) -> Option<String> {
    let named = words.first().is_some_and(|first| is_one_of(&DAYS, first.trim_end_matches(',')));
    let words = words.get(usize::from(named)..)?;
    let (month, day, rest) = (words.first()?, words.get(1)?.trim_end_matches(','), words.get(2..)?);
    if !is_one_of(&MONTHS, month) || day.is_empty() || !day.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let is_year = |word: &&&str| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    let time = rest.iter().find(|word| word.contains(':'))?;
    let year = rest.iter().find(is_year)?;
    let zone = rest.iter().find(|word| !word.contains(':') && !is_year(word)).copied().unwrap_or("+0000");
    Some(format!("{day} {month} {year} {} {zone}", whole(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_it_is_the_same_instant() {
        let at = At::from_rfc3339("2022-08-08T19:30:00Z");
        for date in [
            "Mon, 8 Aug 2022 19:30:00 +0000",
            "8 Aug 2022 19:30:00 -0000",
            "Sun, 08 Aug 2022 21:30:00 +0200 (CEST)",
            "Mon, 08 Aug 2022 15:30:00 EDT",
            "Mon, 08 Aug 2022 19:30:00.100 +0000 (UTC)",
            "Mon, 8 Aug 22 19:30:00 UT",
            "Monday, 08-Aug-22 19:30:00 GMT",
            "2022-08-08 19:30:00.123456789 +0000 UTC m=+123.4",
            "2022-08-08 19:30:00.123456789 +0000 UTC",
            "2022-08-08 21:30:00 +0200 CEST m=+0.000012",
            "2022-08-08T19:30:00Z",
            "2022-08-08T21:30:00.5+02:00",
            "2022-08-08 19:30:00",
            "2022-08-08 19:30:00 UTC",
            "Mon Aug  8 19:30:00 2022",
            "Mon Aug 8 19:30:00 UTC 2022",
            "Mon Aug 8 21:30:00 2022 +0200",
            "Mon Aug 08 21:30:00 +0200 2022",
            "Mon, 8 Aug 2022 19:30:00 +00:00",
            "Mon,8 Aug 2022 19:30:00 +0000",
            "8 Aug 2022 21:30:00 +02:00",
            "Mon Aug  8 21:30:00 2022 +02:00",
            "Aug 8 19:30:00 2022",
        ] {
            assert_eq!(instant(date), at, "{date}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for date in [
            "",
            "now",
            "2022-08-08",
            "2022-13-08 19:30:00",
            "2022-08-40 19:30:00 +0000",
            "2022-08-08 19:30:00 +9900",
            "Mon Aug 8",
            "Mon Aug",
            "Aug 8 2022",
            "2022-08-0819:30",
            "20\u{fc}2-08-08 1",
            "Mon Aug 8 19:30:00",
            "Mon, 8 Aug 2022 19:30:00 +2500",
            "0000-00-00T00:00:00Z",
            "11/30/2026",
            "11/30/2026 10:00:00 +0000",
            "30.11.2026 10:00:00 +0000",
            "08/08/2022 19:30:00",
            "Mon, 8 Aug 2022 19:30:00 +0:000",
        ] {
            assert_eq!(instant(date), None, "{date}");
        }
    }
}
