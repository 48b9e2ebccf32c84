//! What is taken from a mail: bounded, and safe to show.

use mailcanary::model::Examination;
use mailcanary::model::way::{Instants, STEP, Trail, skew};

/// Fails unless it is so.
pub fn assert_sound(mail: &Examination) {
    assert!(mail.marks.len() <= 64 && mail.hops.len() <= 32 && mail.checks.len() <= 16);
    let texts = mail.marks.iter().map(|m| &m.value).chain(mail.hops.iter().flat_map(|h| [&h.by, &h.from]));
    for text in texts {
        assert!(text.len() <= 253 && text.chars().all(|c| c.is_ascii_graphic() || c.is_alphanumeric()), "{text:?}");
    }
    assert!(mail.checks.iter().all(|c| c.why.chars().count() <= 200 && !c.why.chars().any(char::is_control)));
    let Trail { left, taken, stays } = Trail::of(&mail.hops);
    assert!(stays.len() <= 3 && stays.iter().all(|stay| stay.at.len() <= 80 && stay.next.len() <= 80));
    let legs = Instants { left, taken, accepted: left, arrived: taken, seen: taken, ..Instants::default() }.legs();
    let off = skew(&legs);
    // What clocks are off by leaves nothing negative, but for a step of stamps.
    assert!(legs.iter().zip(off).skip(1).all(|(leg, off)| leg.is_none_or(|leg| leg.saturating_sub(off) >= -STEP)), "{legs:?} {off:?}");
}
