//! Hours of the week by the clock of some place, through its changes to and from summer time.

use std::fmt;

use chrono::{DateTime, Datelike, Offset, Timelike, Utc};
use chrono_tz::Tz;

use super::{At, Span};

const MINUTE: Span = Span::from_secs(60);
/// Minutes of a day, and of a week.
pub const DAY: u32 = 24 * 60;
const WEEK: u32 = 7 * DAY;
/// A clock is set by less than this many minutes at once: where it is set before the next boundary, no minute so near to that is passed over.
const SET: u32 = 180;
/// So many looks reach further than a week ahead, the steps near its boundaries included.
const LOOKS: usize = 2000;
/// Beyond the year 9999 no calendar is asked.
const CALENDAR: std::ops::Range<i64> = 0..253_402_214_400_000;

/// Hours that come back every week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Week {
    /// From and until, in minutes since Monday, 00:00; sorted, apart from each other.
    hours: Vec<(u32, u32)>,
    zone: Tz,
    text: String,
}

impl Week {
    /// The hours `from..until`, in minutes since Monday, 00:00, by the clock of `zone`; what ends after the week goes on at its beginning.
    /// `text` is how people wrote it.
    #[must_use]
    pub fn new(hours: impl IntoIterator<Item = (u32, u32)>, zone: Tz, text: &str) -> Self {
        let over = |(from, until): (u32, u32)| [(from, until.min(WEEK)), (0, until.saturating_sub(WEEK))];
        let mut all: Vec<(u32, u32)> = hours.into_iter().flat_map(over).filter(|(from, until)| from < until).collect();
        all.sort_unstable();
        let mut hours: Vec<(u32, u32)> = Vec::new();
        for (from, until) in all {
            match hours.last_mut().filter(|(_, end)| *end >= from) {
                Some((_, end)) => *end = until.max(*end),
                None => hours.push((from, until)),
            }
        }
        Self { hours, zone, text: text.to_owned() }
    }

    /// Whether an instant is within these hours.
    #[must_use]
    pub fn contains(&self, at: At) -> bool {
        self.minute(at).is_some_and(|minute| self.hours.iter().any(|(from, until)| (*from..*until).contains(&minute)))
    }

    /// When they begin or end next, after `at`; `None` if they never do.
    #[must_use]
    pub fn changes_at(&self, at: At) -> Option<At> {
        let within = self.contains(at);
        let into_the_minute = u64::try_from(at.as_ms().rem_euclid(60_000)).unwrap_or(0);
        let mut next = at.minus(Span::from_ms(into_the_minute)).plus(MINUTE);
        for _ in 0..LOOKS {
            if self.contains(next) != within {
                return Some(next);
            }
            let minute = self.minute(next)?;
            let boundaries = self.hours.iter().flat_map(|(from, until)| [*from, *until]);
            let nearest = boundaries.map(|b| (b + WEEK - minute) % WEEK).filter(|left| *left > 0).min()?;
            let there = next.plus(MINUTE.scaled(u64::from(nearest), 1));
            let same = self.offset(next) == self.offset(there);
            let minutes = if same { nearest } else { nearest.saturating_sub(SET).max(1) };
            next = next.plus(MINUTE.scaled(u64::from(minutes), 1));
        }
        None
    }

    /// Whether they are all there are.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.hours == [(0, WEEK)]
    }

    /// An instant by the clock of the place: `Sat 18:00`.
    #[must_use]
    pub fn clock(&self, at: At) -> String {
        local(self.zone, at).map_or_else(|| at.rfc3339(), |time| time.format("%a %H:%M").to_string())
    }

    /// The place's name, as `Europe/Berlin`.
    #[must_use]
    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }

    /// By how many seconds the place's clock is before that of UTC.
    fn offset(&self, at: At) -> Option<i32> {
        local(self.zone, at).map(|time| time.offset().fix().local_minus_utc())
    }

    fn minute(&self, at: At) -> Option<u32> {
        let time = local(self.zone, at)?;
        Some(time.weekday().num_days_from_monday() * DAY + time.hour() * 60 + time.minute())
    }
}

/// As it was written, and where: `Mon-Fri 08:00-18:00 (Europe/Berlin)`.
impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.zone.name())
    }
}

fn local(zone: Tz, at: At) -> Option<DateTime<Tz>> {
    let ms = Some(at.as_ms()).filter(|ms| CALENDAR.contains(ms))?;
    DateTime::<Utc>::from_timestamp_millis(ms).map(|time| time.with_timezone(&zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: Tz = Tz::Europe__Berlin;

    fn at(text: &str) -> At {
        At::from_rfc3339(text).unwrap()
    }

    fn week(hours: &[(u32, u32)]) -> Week {
        Week::new(hours.iter().copied(), BERLIN, "")
    }

    #[test]
    fn hours_are_those_of_the_place_in_summer_and_in_winter() {
        let office = Week::new((0..5).map(|day| (day * DAY + 8 * 60, day * DAY + 18 * 60)), BERLIN, "Mon-Fri 08:00-18:00");
        // Monday, 3 July and 4 December 2023.
        for (day, offset) in [("2023-07-03", "+02:00"), ("2023-12-04", "+01:00")] {
            let time = |clock: &str| at(&format!("{day}T{clock}{offset}"));
            assert!(!office.contains(time("07:59:59")) && office.contains(time("08:00:00")), "{day}");
            assert!(office.contains(time("17:59:59")) && !office.contains(time("18:00:00")), "{day}");
            assert_eq!(office.changes_at(time("06:30:15")), Some(time("08:00:00")));
            assert_eq!(office.changes_at(time("08:00:00")), Some(time("18:00:00")));
        }
        assert_eq!(office.changes_at(at("2023-12-08T18:00:00+01:00")), Some(at("2023-12-11T08:00:00+01:00")), "over the week-end");
        assert_eq!(office.to_string(), "Mon-Fri 08:00-18:00 (Europe/Berlin)");
        assert_eq!(office.clock(at("2023-12-09T12:30:00Z")), "Sat 13:30");
    }

    #[test]
    fn hours_that_the_clock_leaves_out_or_repeats() {
        // On 26 March 2023 02:00 to 03:00 is left out; on 29 October it comes twice.
        let sunday = 6 * DAY;
        let missing = week(&[(sunday + 120, sunday + 180)]);
        assert_eq!(missing.changes_at(at("2023-03-25T12:00:00Z")), Some(at("2023-04-02T02:00:00+02:00")));
        let twice = week(&[(sunday + 150, sunday + 240)]);
        assert_eq!(twice.changes_at(at("2023-10-28T12:00:00Z")), Some(at("2023-10-29T02:30:00+02:00")));
        assert_eq!(twice.changes_at(at("2023-10-29T02:30:00+02:00")), Some(at("2023-10-29T02:00:00+01:00")));
        let spring = week(&[(sunday + 60, sunday + 150)]);
        assert_eq!(spring.changes_at(at("2023-03-26T01:30:00+01:00")), Some(at("2023-03-26T03:00:00+02:00")));
    }

    #[test]
    fn hours_may_pass_midnight_and_the_end_of_the_week() {
        let night = week(&[(6 * DAY + 22 * 60, 7 * DAY + 120), (60, 300)]);
        assert!(night.contains(at("2023-12-03T23:00:00+01:00")) && night.contains(at("2023-12-04T01:59:00+01:00")));
        assert_eq!(night.changes_at(at("2023-12-03T22:00:00+01:00")), Some(at("2023-12-04T05:00:00+01:00")), "they meet");
        for whole in [week(&[(0, WEEK)]), week(&[])] {
            assert_eq!(whole.changes_at(at("2023-12-03T22:00:00Z")), None);
        }
        assert!(!week(&[(0, WEEK)]).contains(At::from_ms(i64::MAX)));
    }
}
