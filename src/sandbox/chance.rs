//! What looks like chance, and is the same for the same seed, name and number.

use crate::model::Span;

/// A short stream of numbers (SplitMix64), begun from a hash (FNV-1a) of what it is for.
#[derive(Clone, Debug)]
pub(super) struct Chance(u64);

impl Chance {
    /// The stream for the `number`th thing of `name`, as far as `what` is concerned.
    pub(super) fn of(seed: u64, name: &str, number: u64, what: &str) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let bytes = seed.to_le_bytes().into_iter().chain(number.to_le_bytes()).chain(name.bytes()).chain([0]).chain(what.bytes());
        for byte in bytes {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Self(hash)
    }

    /// 64 even bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Even in `(0, 1]`: never zero, so that its logarithm exists.
    pub(super) fn unit(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 1.0) / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub(super) fn hits(&mut self, share: f64) -> bool {
        self.unit() <= share
    }

    /// From the standard normal distribution (Box and Muller, 1958).
    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Lognormal around `median`; `sigma` is the standard deviation of the logarithm. At most an hour.
    pub(super) fn lognormal(&mut self, median: Span, sigma: f64) -> Span {
        let ms = median.as_ms() as f64 * (sigma * self.normal()).exp();
        Span::from_ms(ms.clamp(0.0, 3_600_000.0) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_chance() {
        let draw = |seed, number| Chance::of(seed, "mailchimp", number, "lose").bits();
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn shares_and_medians_are_kept() {
        let hits = (0..10_000).filter(|n| Chance::of(1, "a", *n, "lose").hits(0.2)).count();
        assert!((1_850..2_150).contains(&hits), "{hits} of 10,000 at a share of 0.2");
        let below =
            (0..10_000).filter(|n| Chance::of(1, "a", *n, "latency").lognormal(Span::from_ms(300), 0.5) < Span::from_ms(300)).count();
        assert!((4_800..5_200).contains(&below), "{below} of 10,000 below the median");
        assert!(!Chance::of(1, "a", 1, "lose").hits(0.0));
        assert!(Chance::of(1, "a", 1, "lose").hits(1.0));
    }
}
