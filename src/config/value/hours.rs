//! Hours of the week, and the places whose clocks they go by.

use chrono_tz::{TZ_VARIANTS, Tz};
use toml_edit::Item;

use super::super::complaint::{Fault, meant, quoted};
use super::{each, line, text};
use crate::model::{DAY, Week};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WRITE: &str = "write days, hours or both, as \"Mon-Fri 08:00-18:00\", \"Sat,Sun\" or \"22:00-06:00\"";

/// Hours of the week before it is known by which clock.
#[derive(Debug)]
pub(in crate::config) struct Hours {
    /// From and until, in minutes since Monday, 00:00.
    spans: Vec<(u32, u32)>,
    text: String,
}

impl Hours {
    /// The same by the clock of `zone`.
    pub(in crate::config) fn by(&self, zone: Tz) -> Week {
        Week::new(self.spans.iter().copied(), zone, &self.text)
    }
}

/// `"Mon-Fri 08:00-18:00"`, or a list of such.
pub(super) fn hours(item: &Item) -> Result<Hours, Fault> {
    let lines = if item.is_str() { vec![line(text(item)?, 100)?] } else { each(item, |text| line(text, 100))? };
    let mut spans = Vec::new();
    for line in &lines {
        let wrong = |why: &str| Fault::hinted(format!("{} are no hours of the week: {why}", quoted(line)), WRITE);
        spans.extend(read(line).map_err(|why| wrong(&why))?);
    }
    Ok(Hours { spans, text: lines.join(", ") })
}

/// One line of hours, or what is wrong with it.
fn read(line: &str) -> Result<Vec<(u32, u32)>, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (days, (from, until)) = match words[..] {
        [one] if one.contains(':') => ((0..7).collect(), clocks(one)?),
        [days] => (self::days(days)?, (0, DAY)),
        [days, hours] => (self::days(days)?, clocks(hours)?),
        _ => return Err("there are too many words".to_owned()),
    };
    Ok(days.into_iter().map(|day| (day * DAY + from, day * DAY + until)).collect())
}

/// `Mon-Fri`, `Sat,Sun`.
fn days(text: &str) -> Result<Vec<u32>, String> {
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        all.extend((0..=(last + 7 - first) % 7).map(|step| (first + step) % 7));
    }
    Ok(all)
}

fn day(text: &str) -> Result<u32, String> {
    let lower = text.to_ascii_lowercase();
    let at = (0..7).zip(DAYS).find(|(_, day)| *day == lower).map(|(at, _)| at);
    at.ok_or_else(|| format!("{} is none of Mon, Tue, Wed, Thu, Fri, Sat and Sun", quoted(text)))
}

/// `08:00-18:00`; what ends before it begins ends on the next day.
fn clocks(text: &str) -> Result<(u32, u32), String> {
    let (from, until) = text.split_once('-').ok_or_else(|| format!("{} is not from one time until another", quoted(text)))?;
    let (from, until) = (clock(from)?, clock(until)?);
    if from == until || from == DAY {
        return Err(format!("{} is no time at all; a whole day is 00:00-24:00", quoted(text)));
    }
    Ok((from, if until > from { until } else { until + DAY }))
}

/// Minutes since midnight, up to 24:00.
fn clock(text: &str) -> Result<u32, String> {
    let two =
        |digits: &str| (digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse::<u32>().ok()).flatten();
    let time = text.split_once(':').and_then(|(hours, minutes)| Some((two(hours)?, two(minutes)?)));
    let minutes = time.filter(|(_, minutes)| *minutes < 60).map(|(hours, minutes)| hours * 60 + minutes);
    minutes.filter(|minutes| *minutes <= DAY).ok_or_else(|| format!("{} is no time from 00:00 to 24:00", quoted(text)))
}

/// `Europe/Berlin`.
pub(super) fn zone(text: &str) -> Result<Tz, Fault> {
    let text = line(text, 64)?;
    text.parse::<Tz>().map_err(|_parse_error| {
        let near = meant(&text, TZ_VARIANTS.iter().map(|zone| zone.name())).map(|near| format!("did you mean `{near}`?"));
        let hint = near.unwrap_or_else(|| "write a place of the time zone database, as \"Europe/Berlin\", or \"UTC\"".to_owned());
        Fault::hinted(format!("{} is not a time zone", quoted(&text)), hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_people_write_them() {
        for (line, spans) in [
            ("Mon 08:00-18:00", vec![(480, 1080)]),
            ("Sat,Sun", vec![(5 * DAY, 6 * DAY), (6 * DAY, 7 * DAY)]),
            ("sun-mon 22:00-06:00", vec![(6 * DAY + 1320, 7 * DAY + 360), (1320, DAY + 360)]),
            ("Tue 00:00-24:00", vec![(DAY, 2 * DAY)]),
        ] {
            assert_eq!(read(line).unwrap(), spans, "{line}");
        }
        assert_eq!(read("08:00-09:30").unwrap().len(), 7);
        let wrong = ["", "Mon 8:00-18:00", "Mon 08:00", "Moo 08:00-09:00", "Mon- 08:00-09:00", "Mon 08:00-08:00", "Mon 24:00-08:00"];
        for line in wrong.into_iter().chain(["Mon 08:60-09:00", "Mon 08:00-24:01", "Mon 08:00 - 09:00", "Mon 08:00-09:00 CET", "Mon,,Tue"])
        {
            assert!(read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_place_is_found_or_the_near_one_named() {
        assert_eq!(zone("Europe/Berlin").unwrap(), Tz::Europe__Berlin);
        assert_eq!(zone("Europe/Berln").unwrap_err().hint.as_deref(), Some("did you mean `Europe/Berlin`?"));
        assert!(zone("CEST").is_err());
    }
}
