//! How often a provider is asked how its account stands, and what of its answers is a reason to warn.

use crate::model::Span;

/// A day, in milliseconds.
const DAY_MS: u64 = 86_400_000;

/// The early signs of one provider.
#[derive(Clone, Debug, PartialEq)]
pub struct Signs {
    /// Whether it is asked at all, where its kind has such a question.
    pub asked: bool,
    /// The time between two questions.
    pub every: Span,
    /// The most questions in any 24 hours.
    pub per_day: Option<u32>,
    /// It warns when less than this share of the quota is left.
    pub quota: f64,
    /// The same where the provider does not say of how much: when fewer than so many are left.
    pub credits: u32,
    /// It warns when so many mails are held back, and more than twice as many as lately.
    pub backlog: u32,
    /// It warns when the reputation is below this, of a hundred.
    pub reputation: u32,
}

impl Default for Signs {
    fn default() -> Self {
        Self { asked: true, every: Span::from_secs(900), per_day: None, quota: 0.2, credits: 100, backlog: 10, reputation: 40 }
    }
}

impl Signs {
    /// The least time between two questions: never less than the cap of a day allows.
    #[must_use]
    pub fn interval(&self) -> Span {
        let capped = self.per_day.map_or(Span::ZERO, |most| Span::from_ms(DAY_MS.div_ceil(u64::from(most.max(1)))));
        self.every.max(capped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cap_of_a_day_holds_whatever_the_interval() {
        let interval = |secs, per_day| Signs { every: Span::from_secs(secs), per_day, ..Signs::default() }.interval();
        assert_eq!(interval(900, None), Span::from_secs(900));
        assert_eq!(interval(60, Some(96)), Span::from_secs(900));
        assert_eq!(interval(3600, Some(96)), Span::from_secs(3600));
        assert_eq!(interval(1, Some(1)), Span::from_secs(86_400));
        assert!(interval(1, Some(7)).as_ms() * 7 >= DAY_MS, "seven intervals are no shorter than a day");
    }
}
