//! How the checks of a provider's mail stand at one inbox: what has always held, and since when it does not.

use serde::{Deserialize, Serialize};

use super::explain::shorten;
use crate::model::{At, Check, Finding, Method};

/// So often a check must have held before its failure is news: what never held is a finding, and no change.
const HELD: u32 = 3;
/// So many canaries must fail it…
const FAILS: u32 = 2;
/// …of so many, in a row or not: of several hosts that take turns one alone may sign with an old key…
const WINDOW: u32 = 10;
/// …and so many in a row hold it before it is well again, or more, where as many have held between two that failed.
const WELL: u32 = 3;
/// Canaries from which the usual number of good signatures is taken.
const USUAL: u32 = 10;
/// Characters of a reason.
const WHY: usize = 200;

/// How one check stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub(super) struct Held {
    pub(super) method: Method,
    /// It is the receiver's word, and not ours.
    pub(super) by_receiver: bool,
    /// How often it has held, up to what it takes to know that it does.
    pub(super) passes: u32,
    /// How many passed together at least, in the first mails: of several signatures one more than another matters.
    usual: u32,
    /// The newest results since the first failure, a bit each, the last one lowest: set, it failed.
    recent: u32,
    /// Since it failed last, how often it has held.
    well: u32,
    /// It has held, and does not any more.
    broken: bool,
    /// Since when it fails.
    pub(super) since: Option<At>,
    /// Why it failed last.
    pub(super) why: String,
}

/// The same as it is written down, now or by an earlier version, which counted failures in a row.
#[derive(Deserialize)]
struct Written {
    method: Method,
    by_receiver: bool,
    passes: u32,
    usual: u32,
    recent: Option<u32>,
    #[serde(default)]
    row: u32,
    well: u32,
    broken: bool,
    since: Option<At>,
    why: String,
}

impl From<Written> for Held {
    fn from(written: Written) -> Self {
        let Written { method, by_receiver, passes, usual, recent, row, well, broken, since, why } = written;
        let recent = recent.unwrap_or((1 << row.min(31)) - 1);
        Self { method, by_receiver, passes, usual, recent, well, broken, since, why }
    }
}

/// What one mail says of one check.
struct Said<'c> {
    method: Method,
    by_receiver: bool,
    passed: u32,
    /// It can be said.
    sure: bool,
    why: &'c str,
}

impl Held {
    /// Whether the mail's checks say anything but what has held all along.
    pub(super) fn is_news(held: &[Self], checks: &[Check]) -> bool {
        said(checks).any(|said| {
            let known = held.iter().find(|h| h.method == said.method && h.by_receiver == said.by_receiver);
            said.sure
                && known.is_none_or(|h| h.passes < USUAL && said.passed > 0 || h.fails(&said) && h.passes >= HELD || h.since.is_some())
        })
    }

    /// Takes in the checks of one mail.
    pub(super) fn take_in(held: &mut Vec<Self>, checks: &[Check], at: At) {
        for said in said(checks).filter(|said| said.sure) {
            let known = held.iter().position(|h| h.method == said.method && h.by_receiver == said.by_receiver);
            let place = known.unwrap_or_else(|| {
                held.push(Self::new(said.method, said.by_receiver));
                held.len() - 1
            });
            if let Some(held) = held.get_mut(place) {
                held.note(&said, at);
            }
        }
    }

    const fn new(method: Method, by_receiver: bool) -> Self {
        Self { method, by_receiver, passes: 0, usual: 0, recent: 0, well: 0, broken: false, since: None, why: String::new() }
    }

    const fn fails(&self, said: &Said<'_>) -> bool {
        said.passed == 0 || said.passed < self.usual
    }

    fn note(&mut self, said: &Said<'_>, at: At) {
        if self.fails(said) && self.passes >= HELD {
            (self.recent, self.well) = (self.recent << 1 | 1, 0);
            self.since = self.since.or(Some(at));
            self.why = shorten(said.why, WHY);
            self.broken |= self.failed_lately() >= FAILS;
            return;
        }
        if said.passed == 0 {
            // No change, and yet worth showing.
            self.why = shorten(said.why, WHY);
            return;
        }
        if self.passes < USUAL {
            self.usual = if self.passes == 0 { said.passed } else { self.usual.min(said.passed) };
        }
        self.passes = (self.passes + 1).min(USUAL);
        (self.recent, self.well) = (self.recent << 1, self.well.saturating_add(1));
        // What failed once was chance.
        let over = if self.broken { self.well >= WELL && self.well > self.longest_between() } else { self.failed_lately() == 0 };
        if over {
            (self.broken, self.since, self.recent) = (false, None, 0);
        }
    }

    /// How many of the newest failed.
    const fn failed_lately(&self) -> u32 {
        (self.recent & ((1 << WINDOW) - 1)).count_ones()
    }

    /// How many in a row held at most between two that failed.
    fn longest_between(&self) -> u32 {
        let mut left = self.recent.checked_shr(self.recent.trailing_zeros()).unwrap_or(0);
        let mut longest = 0;
        while left > 1 {
            left >>= 1;
            longest = longest.max(left.trailing_zeros());
            left >>= left.trailing_zeros();
        }
        longest
    }

    /// Whether it has held, and does not any more.
    pub(super) const fn is_broken(&self) -> bool {
        self.broken
    }

    /// Where it does not fail each time: how many of the mails since the first failure did, and of how many.
    pub(super) const fn partly(&self) -> Option<(u32, u32)> {
        let (failed, of) = (self.recent.count_ones(), u32::BITS - self.recent.leading_zeros());
        if failed < of { Some((failed, of)) } else { None }
    }

    /// Whether it is known to hold.
    pub(super) const fn is_sound(&self) -> bool {
        self.passes >= HELD && self.since.is_none()
    }
}

/// What a mail's checks say, method by method: of several signatures each that passes counts.
fn said(checks: &[Check]) -> impl Iterator<Item = Said<'_>> {
    let kinds = [false, true].into_iter().flat_map(|by_receiver| Method::ALL.map(|method| (method, by_receiver)));
    kinds.filter_map(move |(method, by_receiver)| {
        let mut mine = checks.iter().filter(|c| c.method == method && c.by_receiver == by_receiver).peekable();
        mine.peek()?;
        let (mut passed, mut sure, mut why) = (0, true, "");
        for check in mine {
            match check.finding {
                Finding::Pass => passed += 1,
                Finding::Unsure => sure = false,
                Finding::Fail | Finding::None => why = &check.why,
            }
        }
        // A name server that does not answer hides what might have passed.
        Some(Said { method, by_receiver, passed, sure, why })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A check that has held, and then ends as `results` say: `P` holds, `F` fails. Where it is broken is an upper case letter of the answer.
    fn after(results: &str) -> (Held, String) {
        let (mut held, mut told) = (Vec::new(), String::new());
        for (n, result) in "PPPPP".chars().chain(results.chars()).enumerate() {
            let finding = if result == 'F' { Finding::Fail } else { Finding::Pass };
            let checks = [Check { method: Method::Dkim, finding, by_receiver: false, why: "the key does not fit".to_owned() }];
            let news = Held::is_news(&held, &checks);
            let at = At::from_ms(i64::try_from(n).unwrap() * 60_000);
            let before = held.clone();
            Held::take_in(&mut held, &checks, at);
            let same =
                before.first().is_some_and(|b: &Held| (b.broken, b.since, b.recent) == (held[0].broken, held[0].since, held[0].recent));
            assert!(news || same, "what changes is written down");
            told.push(if held[0].broken { 'B' } else { '-' });
        }
        (held.remove(0), told.split_off(5))
    }

    #[test]
    fn two_failures_among_ten_are_no_chance_and_one_is() {
        for (results, broken) in [
            ("FF", "-B"),
            ("PFPF", "---B"),
            ("PPFPPF", "-----B"),
            ("FPPPPPPPPF", "---------B"),
            ("FPPPPPPPPPF", "-----------"),
            ("PPPPFPPPPPPPPPPPPPPFPPPPPPPP", "----------------------------"),
            // Every second, third or fifth: it stays so until it holds for longer than it ever did meanwhile.
            ("FPFPFPFPFPFPPP", "--BBBBBBBBBBB-"),
            ("FPPFPPFPPFPPP", "---BBBBBBBBB-"),
            ("FPPPPFPPPPFPPPPP", "-----BBBBBBBBBB-"),
            ("FFFFFPPP", "-BBBBBB-"),
            ("FFPPPF", "-BBB--"),
        ] {
            assert_eq!(after(results).1, broken, "{results}");
        }
    }

    #[test]
    fn since_when_is_the_first_failure_while_one_is_remembered() {
        assert_eq!(after("PFPF").0.since, Some(At::from_ms(6 * 60_000)));
        let (stray, _) = after("FPPPPPPPP");
        assert!(stray.since.is_some() && !stray.is_sound() && !stray.is_broken());
        let (well, _) = after("FPPPPPPPPPP");
        assert!(well.since.is_none() && well.is_sound());
    }

    #[test]
    fn what_an_earlier_version_wrote_down_is_read() {
        for (counted, recent) in [("row\":0", 0), ("row\":1", 1), ("row\":2", 3), ("row\":4000000000", u32::MAX >> 1), ("recent\":5", 5)] {
            let text = format!(
                r#"{{"method":"dkim","by_receiver":false,"passes":10,"usual":1,"{counted},"well":0,"broken":false,"since":60000,"why":"x"}}"#
            );
            let held: Held = serde_json::from_str(&text).unwrap();
            assert_eq!(held.recent, recent, "{counted}");
            let again: Held = serde_json::from_str(&serde_json::to_string(&held).unwrap()).unwrap();
            assert_eq!(again, held);
        }
    }
}
