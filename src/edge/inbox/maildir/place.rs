//! Where the reader of a Maildir stands: up to when all was read.

use serde::{Deserialize, Serialize};

use crate::model::{At, Span};

/// What came this long before the reader stood where it stands is looked at once more: a shared disk has a clock of its own.
const SLACK: Span = Span::from_secs(300);
/// Where it is not known where the reader stands, it begins so long ago.
const LOST: Span = Span::from_secs(86_400);

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// What changed on the disk before is not looked at.
    pub(super) since: At,
    /// What came before may have been told of.
    pub(super) read_to: At,
}

/// How it is kept: `{"v":1,"maildir":MS}`.
#[derive(Serialize, Deserialize)]
struct Written {
    v: u8,
    maildir: i64,
}

impl Place {
    /// From what an earlier run left; the first start begins with what came just before. `delete_after`: own canaries lie there so long.
    pub(super) fn parse(cursor: Option<&str>, begun: At, delete_after: Option<Span>) -> Self {
        let Some(text) = cursor else { return Self { since: begun.minus(SLACK), read_to: begun.minus(SLACK) } };
        let written: Option<Written> = serde_json::from_str(text).ok().filter(|w: &Written| w.v == 1);
        match written {
            Some(written) => {
                let read_to = At::from_ms(written.maildir).min(begun);
                Self { since: read_to.minus(SLACK).minus(delete_after.unwrap_or(Span::ZERO)), read_to }
            }
            None => Self { since: begun.minus(LOST), read_to: begun.minus(SLACK) },
        }
    }

    /// For a later run.
    pub(super) fn cursor(read_to: At) -> String {
        serde_json::to_string(&Written { v: 1, maildir: read_to.as_ms() }).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_run_begins_a_little_before_the_end_of_the_earlier_one() {
        let at = At::from_ms(1_659_987_000_000);
        let later = at.plus(Span::from_secs(86_400));
        let place = Place::parse(Some(&Place::cursor(at)), later, None);
        assert_eq!(place, Place { since: at.minus(SLACK), read_to: at });
        let cleaning = Place::parse(Some(&Place::cursor(at)), later, Some(Span::from_secs(600)));
        assert_eq!(cleaning.since, at.minus(Span::from_secs(900)));
        assert_eq!(Place::parse(None, at, None).since, at.minus(SLACK));
        for odd in ["", r#"{"v":1,"folders":{}}"#, r#"{"v":2,"maildir":5}"#] {
            assert_eq!(Place::parse(Some(odd), at, None).since, at.minus(LOST), "{odd}");
        }
        assert_eq!(Place::parse(Some(&Place::cursor(later)), at, None).read_to, at, "a clock that was set back");
    }
}
