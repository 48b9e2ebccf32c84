//! What a parameter looks like: the document says it in the words by which it is checked.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::shape::{DRILL_LASTS, Kind, LASTS, SEEN, Severity, Verdict};
use crate::model::At;

/// Numbers go no higher, so that every JSON parser keeps them exact.
const MOST: u64 = (1 << 53) - 1;
/// Entries of a page, at most and if nothing is said.
pub(super) const LIMIT: (usize, usize) = (1000, 100);

/// The form of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A name of the configuration.
    Name,
    /// The number of an incident or silence.
    Number,
    /// The id of a canary.
    Canary,
    /// Entries of a page.
    Limit,
    /// `true` or `false`.
    Flag,
    /// A verdict.
    Verdict,
    /// A severity.
    Severity,
    /// A kind of incident.
    Kind,
    /// Where a page of routes begins: behind this route.
    BehindRoute,
    /// Where a page of canaries begins: behind the one that was sent at so many milliseconds.
    BehindCanary,
    /// The id of an event.
    BehindEvent,
    /// An instant.
    Instant,
}

/// Patterns, compiled once.
struct Patterns {
    name: Option<Regex>,
    canary: Option<Regex>,
    route: Option<Regex>,
    behind: Option<Regex>,
    event: Option<Regex>,
    lasts: Option<Regex>,
    drill: Option<Regex>,
    seen: Option<Regex>,
}

const NAME: &str = "^[a-z0-9][a-z0-9._-]{0,63}$";
const CANARY: &str = "^[0-9a-f]{16}$";
const ROUTE: &str = "^[a-z0-9][a-z0-9._-]{0,63}/[a-z0-9][a-z0-9._-]{0,63}/[a-z0-9][a-z0-9._-]{0,63}$";
const EVENT: &str = "^[0-9a-f]{1,16}-[0-9]{1,15}$";
const BEHIND: &str = "^[0-9]{1,15}-[0-9a-f]{16}$";

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let compiled = |pattern: &str| Regex::new(pattern).ok();
    Patterns {
        name: compiled(NAME),
        canary: compiled(CANARY),
        route: compiled(ROUTE),
        behind: compiled(BEHIND),
        event: compiled(EVENT),
        lasts: compiled(LASTS),
        drill: compiled(DRILL_LASTS),
        seen: compiled(SEEN),
    }
});

fn is(pattern: Option<&Regex>, text: &str) -> bool {
    pattern.is_some_and(|pattern| pattern.is_match(text))
}

/// Whether a text is the duration of a silence.
pub(super) fn is_lasting(text: &str) -> bool {
    is(PATTERNS.lasts.as_ref(), text)
}

/// Whether a text is the duration of a drill.
pub(super) fn is_drilling(text: &str) -> bool {
    is(PATTERNS.drill.as_ref(), text)
}

/// Whether a text has something to be seen, and at most so many characters.
pub(super) fn says_something(text: &str, most: usize) -> bool {
    text.chars().count() <= most && is(PATTERNS.seen.as_ref(), text)
}

impl Form {
    /// Whether `text` has it.
    pub(super) fn fits(self, text: &str) -> bool {
        match self {
            Self::Name => is(PATTERNS.name.as_ref(), text),
            Self::Number => number(text).is_some(),
            Self::Canary => is(PATTERNS.canary.as_ref(), text),
            Self::Limit => number(text).is_some_and(|limit| (1..=LIMIT.0 as u64).contains(&limit)),
            Self::Flag => matches!(text, "true" | "false"),
            Self::Verdict => Verdict::WORDS.contains(&text),
            Self::Severity => Severity::WORDS.contains(&text),
            Self::Kind => Kind::WORDS.contains(&text),
            Self::BehindRoute => is(PATTERNS.route.as_ref(), text),
            Self::BehindCanary => is(PATTERNS.behind.as_ref(), text),
            Self::BehindEvent => is(PATTERNS.event.as_ref(), text),
            Self::Instant => At::from_rfc3339(text).is_some(),
        }
    }

    /// The same as JSON Schema.
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Name => json!({ "type": "string", "pattern": NAME }),
            Self::Number => json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": MOST }),
            Self::Canary => json!({ "type": "string", "pattern": CANARY }),
            Self::Limit => json!({ "type": "integer", "minimum": 1, "maximum": LIMIT.0, "default": LIMIT.1 }),
            Self::Flag => json!({ "type": "boolean" }),
            Self::Verdict => json!({ "type": "string", "enum": Verdict::WORDS }),
            Self::Severity => json!({ "type": "string", "enum": Severity::WORDS }),
            Self::Kind => json!({ "type": "string", "enum": Kind::WORDS }),
            Self::BehindRoute => json!({ "type": "string", "pattern": ROUTE }),
            Self::BehindCanary => json!({ "type": "string", "pattern": BEHIND }),
            Self::BehindEvent => json!({ "type": "string", "pattern": EVENT }),
            Self::Instant => json!({ "type": "string", "format": "date-time" }),
        }
    }

    /// The same for people.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Name => "a name: a-z 0-9 - _ . and a letter or digit first, as `mailchimp`".to_owned(),
            Self::Number => "a number, as `7`".to_owned(),
            Self::Canary => "the id of a canary: 16 hexadecimal digits".to_owned(),
            Self::Limit => format!("a number from 1 to {}", LIMIT.0),
            Self::Flag => "`true` or `false`".to_owned(),
            Self::Verdict => format!("one of {}", Verdict::WORDS.join(", ")),
            Self::Severity => format!("one of {}", Severity::WORDS.join(", ")),
            Self::Kind => format!("one of {}", Kind::WORDS.join(", ")),
            Self::BehindRoute | Self::BehindCanary => "the `next` of the page before, as it was answered".to_owned(),
            Self::BehindEvent => "the id of an event, as it was sent".to_owned(),
            Self::Instant => "an instant, as `2022-08-08T19:30:00Z`".to_owned(),
        }
    }

    /// A value that has it.
    pub(super) fn example(self) -> Value {
        match self {
            Self::Name => json!("mailchimp"),
            Self::Number => json!(7),
            Self::Canary => json!("00000007000001b2"),
            Self::Limit => json!(LIMIT.1),
            Self::Flag => json!(true),
            Self::Verdict => json!("stopped"),
            Self::Severity => json!("page"),
            Self::Kind => json!("loss"),
            Self::BehindRoute => json!("mailchimp/password-reset/gmail-1"),
            Self::BehindCanary => json!("1659987000000-00000007000001b2"),
            Self::BehindEvent => json!("1827e9a3c40-7"),
            Self::Instant => json!("2022-08-08T19:30:00Z"),
        }
    }
}

/// A number as JSON writes it: no sign, no zero before it, no more than [`MOST`].
pub(super) fn number(text: &str) -> Option<u64> {
    let plain = text == "0" || (!text.starts_with('0') && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    text.parse().ok().filter(|number| plain && *number <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [Form; 12] = [
        Form::Name,
        Form::Number,
        Form::Canary,
        Form::Limit,
        Form::Flag,
        Form::Verdict,
        Form::Severity,
        Form::Kind,
        Form::BehindRoute,
        Form::BehindCanary,
        Form::BehindEvent,
        Form::Instant,
    ];

    #[test]
    fn every_form_takes_its_example_and_nothing_odd() {
        for form in FORMS {
            let example = form.example();
            let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            assert!(form.fits(&text), "{form:?} {text}");
            assert!(!form.in_words().contains(['{', '"']), "{form:?}: {}", form.in_words());
            for odd in ["", " ", "\0", "ä", "-1", "+1", "True", "a/b", "x\n", "1 "] {
                assert!(!form.fits(odd), "{form:?} {odd:?}");
            }
            for number in ["01", "1.0", "null", &"9".repeat(40)] {
                assert_eq!(form.fits(number), form == Form::Name, "{form:?} {number}: only a name may be so");
            }
        }
    }

    #[test]
    fn durations_and_texts_are_what_their_patterns_say() {
        for good in ["90s", "1h30m", "2d", "1m30s", "89d", "999h", "1h"] {
            assert!(is_lasting(good), "{good}");
        }
        for bad in ["", "0s", "91d", "1y", "1d1d", "1h60m", "-1h", "1h ", "1.5h", "1000000s", "1h\n"] {
            assert!(!is_lasting(bad), "{bad:?}");
        }
        for (text, fits) in [("30m", true), ("31m", false), ("1800s", true), ("1801s", false), ("10m", true), ("0m", false), ("1h", false)]
        {
            assert_eq!(is_drilling(text), fits, "{text}");
        }
        for (text, fits) in [("ann", true), ("山", true), (" ", false), ("", false), ("\0\u{200b}", false), ("\0a", true)] {
            assert_eq!(says_something(text, 3), fits, "{text:?}");
        }
        assert!(!says_something("anna", 3));
    }
}
