//! Durations, rates and shares.

use toml_edit::Item;

use super::super::complaint::{Fault, meant, quoted};
use super::other_type;
use crate::model::{At, Span};

/// Units of durations, from long to short, in milliseconds.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// `"1m30s"`, within bounds.
pub(super) fn duration(item: &Item, least: u64, most: u64) -> Result<Span, Fault> {
    if let Some(n) = item.as_integer() {
        return Err(Fault::hinted(
            format!("`{n}` has no unit"),
            format!("write it with a unit and in quotes, as \"{}s\" or \"{}m\"", n.max(1), n.max(1)),
        ));
    }
    let text = item.as_str().ok_or_else(|| other_type(item, "a duration"))?;
    let Some(ms) = read(text) else {
        return Err(Fault::hinted(
            format!("{} is not a duration", quoted(text)),
            "write whole numbers with d, h, m, s or ms, longest first, as \"30s\", \"1m30s\" or \"2h\"",
        ));
    };
    if ms < least {
        return Err(Fault::hinted(format!("{} is too short", quoted(text)), format!("the shortest is \"{}\"", Span::from_ms(least))));
    }
    if ms > most {
        return Err(Fault::hinted(format!("{} is too long", quoted(text)), format!("the longest is \"{}\"", Span::from_ms(most))));
    }
    Ok(Span::from_ms(ms))
}

/// `2026-12-31T00:00:00Z`, in quotes or as TOML has it.
pub(super) fn instant(item: &Item) -> Result<At, Fault> {
    let text = item.as_datetime().map(ToString::to_string).or_else(|| item.as_str().map(str::to_owned));
    let text = text.ok_or_else(|| other_type(item, "an instant"))?;
    At::from_rfc3339(&text).ok_or_else(|| {
        let hint = "write date, time and offset, as \"2026-12-31T00:00:00Z\" or \"2026-12-31T00:00:00+01:00\"";
        Fault::hinted(format!("{} is not an instant", quoted(&text)), hint)
    })
}

/// `2027-01-31`, in quotes or as TOML has it: where it begins in UTC.
pub(super) fn day(item: &Item) -> Result<At, Fault> {
    let text = item.as_datetime().map(ToString::to_string).or_else(|| item.as_str().map(str::to_owned));
    let text = text.ok_or_else(|| other_type(item, "a day"))?;
    let is_date = text.len() == 10 && text.is_ascii();
    let begins = is_date.then(|| At::from_rfc3339(&format!("{text}T00:00:00Z"))).flatten();
    begins.ok_or_else(|| Fault::hinted(format!("{} is not a day", quoted(&text)), "write year, month and day, as \"2027-01-31\""))
}

/// A duration as the configuration writes it, for arguments of commands.
#[must_use]
pub fn span(text: &str) -> Option<Span> {
    read(text).map(Span::from_ms)
}

/// Milliseconds of a text like `1m30s`; each unit at most once, from long to short.
fn read(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut units = UNITS.as_slice();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|n| *n > 0)?;
        let (number, after) = rest.split_at_checked(digits)?;
        let (unit, after) = after.split_at_checked(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()))?;
        let at = units.iter().position(|(name, _)| *name == unit)?;
        let (_, worth) = units.get(at)?;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*worth)?)?;
        units = units.get(at + 1..)?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// `"1 per year"`, in times a year.
pub(super) fn rate(item: &Item) -> Result<f64, Fault> {
    const WRITE: &str = "write \"N per day\", \"N per month\" or \"N per year\", as \"1 per year\"";
    let text = item.as_str().ok_or_else(|| Fault::hinted(other_type(item, "a rate").what, WRITE))?;
    let wrong = || Fault::hinted(format!("{} is not a rate", quoted(text)), WRITE);
    let mut words = text.split_whitespace();
    let (Some(number), Some("per"), Some(unit), None) = (words.next(), words.next(), words.next(), words.next()) else {
        return Err(wrong());
    };
    let per_year = match unit {
        "day" => 365.25,
        "month" => 12.0,
        "year" => 1.0,
        _ => {
            let hint = meant(unit, ["day", "month", "year"]).map_or_else(|| WRITE.to_owned(), |near| format!("did you mean `per {near}`?"));
            return Err(Fault::hinted(wrong().what, hint));
        }
    };
    let times = decimal(number).ok_or_else(wrong)? * per_year;
    if !(0.001..=100_000.0).contains(&times) {
        return Err(Fault::hinted(
            format!("{} is out of reach", quoted(text)),
            "between once in a thousand years and 100000 a year can be promised",
        ));
    }
    Ok(times)
}

/// `"15%"`, as 0.15.
pub(super) fn share(item: &Item) -> Result<f64, Fault> {
    const WRITE: &str = "write a percentage from 0 to 100 in quotes, as \"20%\"";
    let text = item.as_str().ok_or_else(|| Fault::hinted(other_type(item, "a percentage").what, WRITE))?;
    let wrong = || Fault::hinted(format!("{} is not a percentage from 0 to 100", quoted(text)), WRITE);
    let number = text.strip_suffix('%').map(str::trim_end).and_then(decimal).ok_or_else(wrong)?;
    if number <= 100.0 { Ok(number / 100.0) } else { Err(wrong()) }
}

/// Digits with at most one point: no sign, no exponent, no `inf`.
fn decimal(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.bytes().any(|b| b.is_ascii_digit());
    if plain && text.len() <= 20 { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_spans_are_written() {
        for ms in [1, 850, 1000, 41_000, 90_000, 7_200_000, 273_600_000, 34_560_000_000] {
            assert_eq!(read(&Span::from_ms(ms).to_string()), Some(ms));
        }
        for bad in [
            "",
            "5",
            "s",
            "1s1m",
            "1m1m",
            "-1s",
            "1.5s",
            "1 s",
            "1M",
            "1y",
            "1m ",
            "99999999999999999999s",
            "18446744073709551615d",
            "１s",
            "1µs",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn rates_and_shares_are_plain_numbers() {
        let item = |t: &str| Item::Value(t.into());
        assert_eq!(rate(&item("2 per month")).unwrap().to_bits(), 24f64.to_bits());
        assert_eq!(share(&item("12.5%")).unwrap().to_bits(), 0.125f64.to_bits());
        for bad in ["inf per day", "-1 per day", "0 per year", "1 per week", "one per day", "1", "1e3 per day", "1 per day day"] {
            assert!(rate(&item(bad)).is_err(), "{bad}");
        }
        for bad in ["NaN%", "101%", "-1%", "0.2", "%", "1e1%", ".%"] {
            assert!(share(&item(bad)).is_err(), "{bad}");
        }
    }
}
