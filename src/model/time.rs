//! Instants and durations in milliseconds. Nothing here reads a clock: an instant is always handed in.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct At(i64);

/// Where an adapter gets the present from. The loop owns the clock and hands this out.
pub type Now = Arc<dyn Fn() -> At + Send + Sync>;

impl At {
    /// The instant `ms` milliseconds after 1970.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn as_ms(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        let ms = self.0.saturating_sub(earlier.0);
        Span(if ms < 0 { 0 } else { ms.unsigned_abs() })
    }

    /// This instant moved later by `span`.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add_unsigned(span.0))
    }

    /// This instant moved earlier by `span`.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub_unsigned(span.0))
    }

    /// The instant that an RFC 3339 text names, cut to milliseconds.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|at| Self(at.timestamp_millis()))
    }

    /// For sentences: `2022-08-08 19:30 UTC`. Instants beyond the calendar read as in [`At::rfc3339`].
    #[must_use]
    pub fn minute(self) -> String {
        DateTime::<Utc>::from_timestamp_millis(self.0).map_or_else(|| self.rfc3339(), |t| t.format("%Y-%m-%d %H:%M UTC").to_string())
    }

    /// The same to the second: `2022-08-08 19:30:00 UTC`.
    #[must_use]
    pub fn second(self) -> String {
        DateTime::<Utc>::from_timestamp_millis(self.0).map_or_else(|| self.rfc3339(), |t| t.format("%Y-%m-%d %H:%M:%S UTC").to_string())
    }

    /// RFC 3339 in UTC with milliseconds, as `2022-08-08T19:30:00.000Z`. Instants beyond the calendar read `+` or `-` and their milliseconds.
    #[must_use]
    pub fn rfc3339(self) -> String {
        DateTime::<Utc>::from_timestamp_millis(self.0)
            .map_or_else(|| format!("{:+}ms", self.0), |t| t.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

/// A duration in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `ms` milliseconds.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms)
    }

    /// `secs` seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// In milliseconds.
    #[must_use]
    pub const fn as_ms(self) -> u64 {
        self.0
    }

    /// In seconds, with the fraction.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        std::time::Duration::from(self).as_secs_f64()
    }

    /// `self × num / den`, saturating; `den` of zero counts as one.
    #[must_use]
    pub const fn scaled(self, num: u64, den: u64) -> Self {
        Self(self.0.saturating_mul(num) / if den == 0 { 1 } else { den })
    }
}

impl std::ops::Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl From<Span> for std::time::Duration {
    fn from(span: Span) -> Self {
        Self::from_millis(span.0)
    }
}

impl From<std::time::Duration> for Span {
    fn from(d: std::time::Duration) -> Self {
        Self(u64::try_from(d.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Short and exact to the second: `850ms`, `41s`, `1m30s`, `2h`, `3d4h`. What is written can be read back by the configuration.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1000 {
            return write!(f, "{}ms", self.0);
        }
        let mut rest = self.0 / 1000;
        let mut written = 0;
        for (unit, secs) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
            let n = rest / secs;
            rest %= secs;
            if n > 0 && written < 2 {
                write!(f, "{n}{unit}")?;
                written += 1;
            } else if written > 0 {
                // Who reads `2h42s` takes it for two hours and 42 minutes.
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_write_them() {
        let cases =
            [(0, "0ms"), (850, "850ms"), (41_000, "41s"), (90_000, "1m30s"), (7_200_000, "2h"), (7_242_000, "2h"), (273_600_000, "3d4h")];
        for (ms, text) in cases {
            assert_eq!(Span::from_ms(ms).to_string(), text);
        }
    }

    #[test]
    fn an_earlier_instant_is_no_time_ago() {
        assert_eq!(At::from_ms(5).since(At::from_ms(9)), Span::ZERO);
        assert_eq!(At::from_ms(1_659_987_000_000).rfc3339(), "2022-08-08T19:30:00.000Z");
        assert_eq!(At::from_rfc3339("2022-08-08T21:30:00.0005+02:00"), Some(At::from_ms(1_659_987_000_000)));
        assert_eq!(At::from_rfc3339("2022-08-08"), None);
    }
}
