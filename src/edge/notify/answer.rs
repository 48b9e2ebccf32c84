//! What an attempt came to: the table of answers, the same for every sink over HTTP.

use std::error::Error as _;
use std::time::Duration;

use chrono::DateTime;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

use super::fit;
use crate::model::{At, Span};

/// One attempt, from the first byte of the connection to the end of the answer. Connecting has its own, shorter deadline in the client.
pub(super) const DEADLINE: Duration = Duration::from_secs(15);

/// The same where a second attempt would be a second message: who is slow is waited for.
pub(super) const PATIENT: Duration = Duration::from_secs(60);

/// Nobody is asked to wait longer than this by a `Retry-After`: a wrong value must not silence a pager for days.
const LONGEST_WAIT: Span = Span::from_secs(3600);

/// How one attempt ended. No text in it holds a secret, a path or a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The sink took it.
    Delivered,
    /// Not now: to be tried again.
    Retry {
        /// Not before this time has passed, says the sink. At most an hour.
        after: Option<Span>,
        /// In words.
        why: String,
        /// Whether the sink may have taken it all the same: the connection broke, or a gateway lost the answer.
        unclear: bool,
    },
    /// Refused, for a reason that lies with the receiver and not with the notice: a route that is not there while it is being replaced, a
    /// token that is being changed. To be tried a few times more, over some minutes, and then given up.
    Doubtful {
        /// In words.
        why: String,
    },
    /// Never in this form: to be given up.
    Refused {
        /// In words.
        why: String,
    },
    /// The sink is closed for good (410): not to be called again.
    Gone {
        /// In words.
        why: String,
    },
}

impl Attempt {
    /// The reason, if it failed.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Delivered => None,
            Self::Retry { why, .. } | Self::Doubtful { why } | Self::Refused { why } | Self::Gone { why } => Some(why),
        }
    }

    /// The same; if it is to be tried again, after `wait`, where that is known.
    pub(super) fn after(self, wait: Option<Span>) -> Self {
        match (self, wait) {
            (Self::Retry { why, unclear, .. }, Some(wait)) => Self::Retry { after: Some(wait.min(LONGEST_WAIT)), why, unclear },
            (same, _) => same,
        }
    }

    /// How long is to be waited, if that is known.
    pub(super) const fn wait(&self) -> Option<Span> {
        if let Self::Retry { after, .. } = self { *after } else { None }
    }
}

/// What an answer means. `said` is what the sink wrote, already without secrets; empty for nothing.
///
/// A redirect is not followed, for it could carry the secret elsewhere, and is tried again: behind it is a setting or a maintenance page
/// that somebody will mend, and a page to the person on call must outlive that.
pub(super) fn answered(status: StatusCode, headers: &HeaderMap, said: &str, now: At) -> Attempt {
    let code = status.as_u16();
    let why = if said.is_empty() { format!("answered {code}") } else { format!("answered {code}: {}", fit::line(said, 200)) };
    match code {
        200..=299 => Attempt::Delivered,
        410 => Attempt::Gone { why },
        408 | 502 | 504 => Attempt::Retry { after: retry_after(headers, now), why, unclear: true },
        300..=399 => Attempt::Retry { after: retry_after(headers, now), why: format!("{why}: redirects are not followed"), unclear: false },
        425 | 429 | 500..=599 => Attempt::Retry { after: retry_after(headers, now), why, unclear: false },
        // What these complain of is the notice itself, and that stays the same.
        400 | 406 | 411 | 413..=415 | 417 | 422 | 431 => Attempt::Refused { why },
        400..=499 => Attempt::Doubtful { why },
        _ => Attempt::Refused { why },
    }
}

/// What an error of the client means, which was given so long. Its text goes without the URL.
pub(super) fn failed(error: reqwest::Error, deadline: Duration) -> Attempt {
    let error = error.without_url();
    let why = told(&error, deadline);
    if error.is_builder() {
        return Attempt::Refused { why };
    }
    Attempt::Retry { after: None, unclear: !error.is_connect(), why }
}

fn told(error: &reqwest::Error, deadline: Duration) -> String {
    if error.is_connect() && error.is_timeout() {
        return "connecting took too long".to_owned();
    }
    if error.is_timeout() {
        return format!("no answer within {} s", deadline.as_secs());
    }
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    fit::line(if text.is_empty() { "the request failed" } else { &text }, 300)
}

/// Seconds or an HTTP date (RFC 9110 10.2.3). A date is held against the sink's own clock, if it shows one.
fn retry_after(headers: &HeaderMap, now: At) -> Option<Span> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        text.parse().map_or(LONGEST_WAIT, Span::from_secs)
    } else {
        let here = headers.get(DATE).and_then(|date| http_date(date.to_str().ok()?)).unwrap_or(now);
        http_date(text)?.since(here)
    };
    Some(wait.min(LONGEST_WAIT))
}

fn http_date(text: &str) -> Option<At> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| At::from_ms(date.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(code: u16, headers: &[(&'static str, &str)]) -> Attempt {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        answered(StatusCode::from_u16(code).unwrap(), &map, "", At::from_ms(784_111_777_000))
    }

    #[test]
    fn every_status_has_its_meaning() {
        for code in [200, 201, 202, 204] {
            assert_eq!(says(code, &[]), Attempt::Delivered);
        }
        for code in [400, 413, 415, 422] {
            assert!(matches!(says(code, &[]), Attempt::Refused { .. }), "{code}");
        }
        for code in [401, 402, 403, 404, 405, 409, 421, 451] {
            assert!(matches!(says(code, &[]), Attempt::Doubtful { .. }), "{code}");
        }
        for (code, sure) in [(301, true), (302, true), (408, false), (425, true), (429, true), (500, true), (502, false), (503, true)] {
            assert!(matches!(says(code, &[]), Attempt::Retry { after: None, unclear, .. } if unclear != sure), "{code}");
        }
        assert!(matches!(says(410, &[]), Attempt::Gone { .. }));
    }

    #[test]
    fn waits_are_read_and_bounded() {
        let after = |text: &str| {
            let Attempt::Retry { after, .. } = says(503, &[("retry-after", text)]) else { panic!("no retry") };
            after.map(Span::as_ms)
        };
        assert_eq!(after("7"), Some(7_000));
        assert_eq!(after("99999999999999999999999"), Some(3_600_000));
        assert_eq!(after("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10_000));
        assert_eq!(after("Sat, 06 Nov 1993 08:49:47 GMT"), Some(0));
        assert_eq!(after("soon"), None);
        assert_eq!(after(""), None);
    }

    #[test]
    fn a_date_is_held_against_the_clock_beside_it() {
        let attempt = says(429, &[("retry-after", "Fri, 01 Jan 2038 00:00:05 GMT"), ("date", "Fri, 01 Jan 2038 00:00:00 GMT")]);
        assert!(matches!(attempt, Attempt::Retry { after: Some(wait), .. } if wait == Span::from_secs(5)));
    }
}
