//! When a provider is asked how its account stands: gently, one question at a time, within the cap of a day, later after failures, and not
//! before it wants to be asked.

use super::effect::Effect;
use super::record::Fact;
use super::schedule;
use super::step::Step;
use super::{Plan, State, Watchdog};
use crate::config::Signs;
use crate::model::{At, Name, Span};

/// The first question of an installation comes within this; of several, not all at once.
const FIRST_WITHIN: Span = Span::from_secs(60);
/// Questions are asked up to this share of the interval later, so that no two installations beat in time.
const JITTER_DIVISOR: u64 = 10;
/// What has not answered by then will not: a question is given up after 30 s.
const ANSWERS_WITHIN: Span = Span::from_secs(60);
/// After failures the interval is no more than doubled so often…
const DOUBLED: u32 = 3;
/// …and no longer than this, unless it is longer by itself.
const BACK_OFF: Span = Span::from_secs(6 * 3600);
/// Providers asked in one step.
const AT_ONCE: usize = 4;

impl Watchdog {
    /// Asks the providers that are due. Says when the next is.
    pub(super) fn poll(&mut self, step: &mut Step, at: At) -> Option<At> {
        for _ in 0..AT_ONCE {
            let (due, provider) = self.next_poll()?;
            if due > at {
                return Some(due);
            }
            self.record(step, at, Fact::Polled { provider: provider.clone() });
            step.effects.push(Effect::Poll { provider });
        }
        self.polls_at()
    }

    /// When the next provider is due.
    pub(super) fn polls_at(&self) -> Option<At> {
        self.next_poll().map(|(due, _)| due)
    }

    fn next_poll(&self) -> Option<(At, Name)> {
        // Without a network there is nobody to ask; and nobody is asked by a process that is about to end.
        if self.stopping || self.state.cut_off_since.is_some() {
            return None;
        }
        let due = |(provider, by): (&Name, &Signs)| Some((due(&self.state, provider, by)?, provider.clone()));
        self.plan.signs.iter().filter_map(due).min()
    }
}

/// When a provider is to be asked next. `None` before the first start.
fn due(state: &State, provider: &Name, by: &Signs) -> Option<At> {
    let began = state.began?;
    let spread = |within: Span, salt: u64| Span::from_ms(schedule::spread(began.seed, provider, salt) % within.as_ms().max(1));
    let account = state.accounts.get(provider);
    let Some((account, asked_at)) = account.and_then(|account| Some((account, account.asked_at?))) else {
        return Some(began.at.plus(spread(FIRST_WITHIN, 0)));
    };
    let every = by.interval();
    let longer = every.scaled(1_u64 << account.failed.min(DOUBLED), 1).min(every.max(BACK_OFF));
    let again = asked_at.plus(longer).plus(spread(every.scaled(1, JITTER_DIVISOR), asked_at.as_ms().unsigned_abs()));
    let answered = if account.waits { asked_at.plus(ANSWERS_WITHIN) } else { asked_at };
    // Who wants no mail wants no questions either.
    let held = state.held.get(provider).copied();
    [Some(again), Some(answered), account.hushed_until, held].into_iter().flatten().max()
}

impl Plan {
    /// Whether a provider is asked how its account stands.
    pub(super) fn polls(&self, provider: &Name) -> bool {
        self.signs.contains_key(provider)
    }
}
