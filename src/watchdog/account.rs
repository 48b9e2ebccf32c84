//! One provider's account, as it was said to stand: the last reading, what worries about it, and how asking goes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Watchdog;
use super::concern::{self, Concern, Past};
use super::explain::shorten;
use super::plan::Plan;
use super::state::State;
use super::view::{AccountView, Unread};
use crate::config::Signs;
use crate::model::{At, Class, Name, Sign, Span, Standing};

/// Signs kept of one reading: no provider has more kinds of them.
const KEPT: usize = 8;
/// Characters of a provider's word that are kept, and of why it says nothing.
const WORD: usize = 100;
const WHY: usize = 300;
/// A concern is over when it was well for two readings in a row; where the sign is missing, for four.
const OVER: u8 = 4;
const WELL: u8 = 2;
const MISSING: u8 = 1;
/// A provider that wants no questions is asked none for no longer.
const PATIENCE: Span = Span::from_secs(86_400);

/// What is known of one account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Account {
    /// When it was asked last.
    pub(super) asked_at: Option<At>,
    /// It has not answered yet.
    pub(super) waits: bool,
    /// Questions in a row that were not answered.
    pub(super) failed: u32,
    /// Until when it wants no more questions.
    pub(super) hushed_until: Option<At>,
    /// When it said something last.
    pub(super) read_at: Option<At>,
    /// What that was.
    pub(super) signs: Vec<Sign>,
    /// Why it says nothing, since it last did.
    unread: Option<Unread>,
    /// What is wrong.
    pub(super) worries: BTreeMap<Concern, Worry>,
    pub(super) past: Past,
    counts: Counts,
}

/// A concern that stands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Worry {
    pub(super) since: At,
    /// The worst that it was.
    pub(super) level: u8,
    /// How well it was since it was bad last.
    well: u8,
}

/// How questions ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Counts {
    read: u64,
    throttled: u64,
    unread: u64,
}

impl Account {
    fn read(&mut self, at: At, signs: &[Sign], by: &Signs) {
        (self.waits, self.failed, self.hushed_until, self.unread) = (false, 0, None, None);
        self.counts.read = self.counts.read.saturating_add(1);
        self.read_at = Some(at);
        self.signs = signs.iter().take(KEPT).cloned().map(cut).collect();
        let quota = self.signs.iter().find_map(|sign| match sign {
            Sign::Quota { remaining, limit, .. } => Some((*remaining, *limit)),
            Sign::Standing { .. } | Sign::Backlog { .. } | Sign::Reputation { .. } => None,
        });
        if let Some((remaining, limit)) = quota {
            self.past.note_quota(at, remaining, limit);
        }
        for concern in Concern::ALL {
            self.judge(at, concern, by);
        }
        for sign in &self.signs {
            if let Sign::Backlog { waiting } = sign
                && !self.worries.contains_key(&Concern::Backlog)
            {
                self.past.note_backlog(at, *waiting);
            }
        }
    }

    /// What the reading at hand says of one concern.
    fn judge(&mut self, at: At, concern: Concern, by: &Signs) {
        let worried = self.worries.contains_key(&concern);
        let mine = self.signs.iter().filter(|sign| Concern::of(sign) == concern);
        let level = mine.map(|sign| concern::level(sign, by, &self.past, at, worried)).max();
        let better = match level {
            Some(level) if level > 0 => {
                let worry = self.worries.entry(concern).or_insert(Worry { since: at, level, well: 0 });
                (worry.level, worry.well) = (worry.level.max(level), 0);
                return;
            }
            Some(_) => WELL,
            None => MISSING,
        };
        let Some(worry) = self.worries.get_mut(&concern) else { return };
        worry.well = worry.well.saturating_add(better);
        if worry.well >= OVER {
            self.worries.remove(&concern);
        }
    }

    fn fail(&mut self, at: At, class: Class, why: &str, retry_after: Option<Span>) {
        self.waits = false;
        self.failed = self.failed.saturating_add(1);
        let count = if class == Class::Rate { &mut self.counts.throttled } else { &mut self.counts.unread };
        *count = count.saturating_add(1);
        self.hushed_until = retry_after.map(|wait| at.plus(wait.min(PATIENCE)));
        let since = self.unread.as_ref().map_or(at, |unread| unread.since);
        self.unread = Some(Unread { since, class, why: shorten(why, WHY) });
    }

    /// The worst standing that it has by its last reading.
    pub(super) fn standing(&self) -> Option<Standing> {
        let of = |sign: &Sign| if let Sign::Standing { state, .. } = sign { Some(*state) } else { None };
        self.signs.iter().filter_map(of).max()
    }
}

/// A sign whose words are fit to be kept.
fn cut(sign: Sign) -> Sign {
    match sign {
        Sign::Standing { state, word } => Sign::Standing { state, word: shorten(&word, WORD) },
        Sign::Quota { .. } | Sign::Backlog { .. } | Sign::Reputation { .. } => sign,
    }
}

impl State {
    /// A provider is being asked how its account stands.
    pub(super) fn polled(&mut self, plan: &Plan, at: At, provider: &Name) {
        if plan.signs.contains_key(provider) {
            let account = self.accounts.entry(provider.clone()).or_default();
            (account.asked_at, account.waits) = (Some(at), true);
        }
    }

    /// A provider has said how its account stands.
    pub(super) fn read_account(&mut self, plan: &Plan, at: At, provider: &Name, signs: &[Sign]) {
        if let Some(by) = plan.signs.get(provider) {
            self.accounts.entry(provider.clone()).or_default().read(at, signs, by);
        }
    }

    /// A provider has not said how its account stands. That proves nothing.
    pub(super) fn miss_account(&mut self, plan: &Plan, at: At, provider: &Name, class: Class, why: &str, retry_after: Option<Span>) {
        if plan.signs.contains_key(provider) {
            self.accounts.entry(provider.clone()).or_default().fail(at, class, why, retry_after);
        }
    }

    /// Every account that is asked about, as people see it.
    pub(super) fn accounts(&self, plan: &Plan) -> BTreeMap<Name, AccountView> {
        let none = Account::default();
        let of = |(provider, by): (&Name, &Signs)| {
            let account = self.accounts.get(provider).unwrap_or(&none);
            let worries: Vec<Sign> =
                account.signs.iter().filter(|sign| account.worries.contains_key(&Concern::of(sign))).cloned().collect();
            let view = AccountView {
                every: by.interval(),
                read_at: account.read_at,
                signs: account.signs.clone(),
                standing: account.standing(),
                worries,
                unread: account.unread.clone(),
                read: account.counts.read,
                throttled: account.counts.throttled,
                not_read: account.counts.unread,
            };
            (provider.clone(), view)
        };
        plan.signs.iter().map(of).collect()
    }
}

impl Watchdog {
    /// Whether a provider did not say how its account stands when it was asked last.
    #[must_use]
    pub fn is_unread(&self, provider: &Name) -> bool {
        self.state.accounts.get(provider).is_some_and(|account| account.unread.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(n: i64) -> At {
        At::from_ms(1_700_000_000_000 + n * 900_000)
    }

    fn quota(remaining: u64) -> [Sign; 1] {
        [Sign::Quota { remaining, limit: Some(1000), renews_at: None }]
    }

    fn is_worried(account: &Account) -> bool {
        !account.worries.is_empty()
    }

    #[test]
    fn a_figure_at_the_edge_does_not_flap() {
        let (mut account, by) = (Account::default(), Signs::default());
        account.read(at(0), &quota(200), &by);
        assert!(!is_worried(&account));
        for (n, remaining) in (1..).zip([199, 210, 190, 250, 199, 299, 300]) {
            account.read(at(n), &quota(remaining), &by);
            assert!(is_worried(&account), "{remaining}");
        }
        account.fail(at(8), Class::Transient, "HTTP 503", None);
        assert!(is_worried(&account), "what cannot be read proves nothing");
        account.read(at(9), &quota(150), &by);
        account.read(at(10), &quota(900), &by);
        assert!(is_worried(&account), "one good reading is not enough");
        account.read(at(11), &quota(890), &by);
        assert!(!is_worried(&account));
    }

    #[test]
    fn a_sign_that_is_not_told_any_more_is_let_go_of_slowly() {
        let (mut account, by) = (Account::default(), Signs::default());
        account.read(at(0), &quota(1), &by);
        for n in 1..=4 {
            assert!(is_worried(&account), "{n}");
            account.read(at(n), &[], &by);
        }
        assert!(!is_worried(&account));
    }

    #[test]
    fn what_is_said_is_cut() {
        let (mut account, by) = (Account::default(), Signs::default());
        let long = Sign::Standing { state: Standing::Warned, word: "x\u{1b}\n".repeat(5000) };
        account.read(at(0), &vec![long; 500], &by);
        account.fail(at(1), Class::Unknown, &"é\u{0}".repeat(9000), Some(Span::from_ms(u64::MAX)));
        let text = serde_json::to_string(&account).unwrap();
        assert!(text.len() < 4000 && !text.contains("\\u001b"), "{}", text.len());
        assert_eq!(account.hushed_until, Some(at(1).plus(PATIENCE)));
    }
}
