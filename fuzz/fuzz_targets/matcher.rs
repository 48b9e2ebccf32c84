//! Patterns with `*`, against the plainest way to match them; expected mail; and what silences are about, as texts of the API.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mailcanary::config::{ExpectedMail, matches};
use mailcanary::model::{Culprit, Kind, Which};

/// Every prefix against every prefix.
fn plainly(pattern: &[char], text: &[char]) -> bool {
    let mut row: Vec<bool> = (0..=text.len()).map(|n| n == 0).collect();
    for p in pattern {
        let mut next = vec![*p == '*' && row[0]; text.len() + 1];
        for (n, c) in text.iter().enumerate() {
            next[n + 1] = if *p == '*' { row[n + 1] || next[n] } else { row[n] && p == c };
        }
        row = next;
    }
    row[text.len()]
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data.get(..400).unwrap_or(data)).into_owned();
    let mut parts = text.splitn(4, '\n');
    let [pattern, name, from, subject] = [(); 4].map(|()| parts.next().unwrap_or_default());
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    assert_eq!(matches(pattern, name), plainly(&chars(pattern), &chars(name)), "{pattern:?} {name:?}");
    let expected = ExpectedMail { from: vec![pattern.to_lowercase()], subject: Some(from.to_lowercase()), inbox: Vec::new() };
    let allowed = expected.allows("seed", name, subject);
    let lower = |text: &str| chars(&text.to_lowercase());
    assert_eq!(allowed, plainly(&lower(pattern), &lower(name)) && plainly(&lower(from), &lower(subject)));
    if let (Ok(which), Some(culprit)) = (serde_json::from_str::<Which>(subject), Culprit::from_text(name)) {
        let fits: Vec<bool> = Kind::ALL.iter().map(|kind| which.fits(*kind, &culprit)).collect();
        assert!(which.kind.is_none() || fits.iter().filter(|fits| **fits).count() <= 1);
        assert_eq!(Culprit::from_text(&culprit.to_string()).as_ref(), Some(&culprit));
    }
});
