//! Scales: where a value lies on the paper, and what stands beside it.

use crate::model::Span;

/// Seconds that read well beside an axis, from fine to coarse.
const LADDERS: [&[f64]; 3] = [
    &[
        0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 75.0, 90.0, 120.0, 150.0,
        180.0, 240.0, 300.0, 420.0, 600.0, 900.0, 1200.0, 1800.0, 2700.0, 3600.0, 5400.0, 7200.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0,
    ],
    &[
        0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0, 10_800.0,
        21_600.0, 43_200.0, 86_400.0,
    ],
    &[0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0, 10_800.0, 36_000.0, 86_400.0],
];

/// One axis, between two places on the paper.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// The values at its ends.
    values: (f64, f64),
    /// Where they lie.
    places: (f64, f64),
    /// Whether steps are ratios.
    is_log: bool,
    /// Where values lie that a logarithm cannot show: zero, below the rest…
    zero: Option<(f64, &'static str)>,
    /// …and what never comes, beyond it.
    never: Option<(f64, &'static str)>,
    /// What is written beside it, and at which values.
    pub(super) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// A logarithmic axis.
    pub(super) const fn log(values: (f64, f64), places: (f64, f64), ticks: Vec<(f64, String)>) -> Self {
        Self { values, places, is_log: true, zero: None, never: None, ticks }
    }

    /// Shares from none to all, evenly.
    pub(super) fn shares(places: (f64, f64)) -> Self {
        let ticks = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| (share, percent(share)));
        Self { values: (0.0, 1.0), places, is_log: false, zero: None, never: None, ticks: ticks.to_vec() }
    }

    /// Sets room aside at the lower end for zero.
    #[must_use]
    pub(super) fn with_zero(mut self, label: &'static str, room: f64) -> Self {
        let step = room * (self.places.1 - self.places.0).signum();
        self.zero = Some((self.places.0 + step / 2.0, label));
        self.places.0 += step;
        self
    }

    /// Sets room aside at the upper end for what never comes.
    #[must_use]
    pub(super) fn with_never(mut self, label: &'static str, room: f64) -> Self {
        let step = room * (self.places.1 - self.places.0).signum();
        self.never = Some((self.places.1 - step / 2.0, label));
        self.places.1 -= step;
        self
    }

    /// Where a value lies; one beyond the ends lies at the end.
    pub(super) fn place(&self, value: f64) -> f64 {
        match (self.zero, self.never) {
            (Some((place, _)), _) if value <= 0.0 => return place,
            (_, Some((place, _))) if value.is_infinite() => return place,
            _ => {}
        }
        let (from, to) = self.values;
        let value = if value.is_nan() { from } else { value.clamp(from, to) };
        let part = if self.is_log { (value / from).ln() / (to / from).ln() } else { (value - from) / (to - from) };
        self.places.0 + part * (self.places.1 - self.places.0)
    }

    /// Every place where something is written, and what.
    pub(super) fn labels(&self) -> Vec<(f64, String)> {
        let ticks = self.ticks.iter().map(|(value, label)| (self.place(*value), label.clone()));
        let rooms = [self.zero, self.never].into_iter().flatten().map(|(place, label)| (place, label.to_owned()));
        ticks.chain(rooms).collect()
    }

    /// Where the rooms that were set aside begin.
    pub(super) fn borders(&self) -> Vec<f64> {
        [self.zero.map(|_| self.places.0), self.never.map(|_| self.places.1)].into_iter().flatten().collect()
    }
}

/// The ends of a logarithmic axis around these values, with some room: `otherwise` if there are none.
pub(super) fn around(values: impl Iterator<Item = f64>, otherwise: (f64, f64)) -> (f64, f64) {
    let known = values.filter(|v| v.is_finite() && *v > 0.0);
    let (low, high) = known.fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return otherwise;
    }
    // At least a factor of four, so that a tick or two fall into it.
    let grow = (4.0 / (high / low)).max(1.0).sqrt();
    (low / grow / 1.15, high * grow * 1.15)
}

/// Ticks of time between these seconds: as many as stand at least `gap` apart on so much paper.
pub(super) fn times((from, to): (f64, f64), paper: f64, gap: f64) -> Vec<(f64, String)> {
    let apart = |(near, far): (&f64, &f64)| (far / near).ln() / (to / from).ln() * paper >= gap;
    let within = |ladder: &[f64]| -> Vec<f64> { ladder.iter().copied().filter(|secs| (from..=to).contains(secs)).collect() };
    let fits = |ticks: &Vec<f64>| ticks.iter().zip(ticks.iter().skip(1)).all(apart);
    let [fine, middle, coarse] = LADDERS.map(within);
    let ticks = [fine, middle].into_iter().find(fits).unwrap_or(coarse);
    ticks.into_iter().map(|secs| (secs, duration(secs))).collect()
}

/// A tick for each power of ten.
pub(super) fn decades((from, to): (f64, f64), label: fn(f64) -> String) -> Vec<(f64, String)> {
    let (first, last) = (from.log10().ceil() as i32, to.log10().floor() as i32);
    (first..=last.min(first + 12)).map(|power| 10_f64.powi(power)).map(|value| (value, label(value))).collect()
}

/// `0.1 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e8).round() / 1e6)
}

/// `10,000`.
pub(super) fn number(value: f64) -> String {
    if value < 10.0 {
        return format!("{}", (value * 1e3).round() / 1e3);
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// As durations are written elsewhere, a little finer below a minute.
pub(super) fn duration(secs: f64) -> String {
    match secs {
        _ if !secs.is_finite() => "never".to_owned(),
        _ if secs < 60.0 => format!("{}s", (secs * 10.0).round() / 10.0),
        _ => Span::from_secs(secs.round() as u64).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_a_place() {
        let axis = Axis::log((1.0, 100.0), (0.0, 140.0), Vec::new()).with_zero("none", 20.0).with_never("never", 20.0);
        for (value, place) in
            [(0.0, 10.0), (0.5, 20.0), (1.0, 20.0), (10.0, 70.0), (100.0, 120.0), (1e9, 120.0), (f64::INFINITY, 130.0), (f64::NAN, 20.0)]
        {
            assert!((axis.place(value) - place).abs() < 1e-9, "{value}: {}", axis.place(value));
        }
    }

    #[test]
    fn labels_read_well() {
        assert_eq!([0.001, 1.0, 1e-5].map(percent), ["0.1 %", "100 %", "0.001 %"]);
        assert_eq!([0.1, 1.0, 16788.2].map(number), ["0.1", "1", "16,788"]);
        assert_eq!([0.25, 59.96, 90.0, f64::INFINITY].map(duration), ["0.3s", "60s", "1m30s", "never"]);
        let ticks = |from, to| times((from, to), 600.0, 46.0).into_iter().map(|(_, label)| label).collect::<Vec<_>>();
        assert_eq!(ticks(50.0, 130.0), ["50s", "1m", "1m15s", "1m30s", "2m"]);
        assert_eq!(ticks(28.0, 400.0), ["30s", "1m", "2m", "3m", "5m"]);
    }
}
