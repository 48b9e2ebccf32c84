//! DMARC policies (RFC 7489 6.3).

use super::tags::{canonical, is_version, tags, value};
use crate::model::{Answer, Grade};

/// The policy for `domain` among the texts of `_dmarc.at`; `at` is the domain itself, or one above it. `None`: nothing is said there, so the
/// next above is asked.
#[must_use]
pub fn policy(domain: &str, at: &str, texts: &[String]) -> Option<Answer> {
    let mut records = texts.iter().filter(|text| is_version(text, "DMARC1"));
    let (first, more) = (records.next()?, records.next().is_some());
    let inherited = !at.trim_end_matches('.').eq_ignore_ascii_case(domain.trim_end_matches('.'));
    let of = if inherited { format!("{at}: ") } else { String::new() };
    if more {
        return Some(
            Answer::new(Grade::Broken, &format!("{of}several records")).note("there is more than one: receivers ignore all of them"),
        );
    }
    let tags = tags(first);
    let text = format!("{of}{}", canonical(&tags));
    let own = value(&tags, "p");
    let stated = if inherited { value(&tags, "sp").or(own) } else { own };
    let stated = stated.map(str::to_ascii_lowercase).unwrap_or_default();
    let grade = match stated.as_str() {
        "reject" => Grade::Sound,
        "quarantine" => Grade::Fair,
        "none" => Grade::Weak,
        // RFC 7489 6.6.3: with a place for reports it counts as `p=none`.
        _ if value(&tags, "rua").is_some() => {
            return Some(Answer::new(Grade::Weak, &text).note("it states no policy that receivers know: it counts as `none`"));
        }
        _ => return Some(Answer::new(Grade::Broken, &text).note("it states no policy: receivers ignore it")),
    };
    let share = value(&tags, "pct").map_or(Some(100), |pct| pct.parse::<u32>().ok().filter(|pct| *pct <= 100));
    let testing = value(&tags, "t").is_some_and(|t| t.eq_ignore_ascii_case("y"));
    let answer = match share {
        _ if grade == Grade::Weak => Answer::new(grade, &text).note("`none`: what fails is delivered all the same"),
        Some(0) => Answer::new(Grade::Weak, &text).note("`pct=0`: it is applied to no mail"),
        _ if testing => Answer::new(Grade::Weak, &text).note("it says that it is a test (`t=y`)"),
        Some(share @ 1..100) => Answer::new(grade.min(Grade::Fair), &text).note(&format!("it is applied to {share} % of mail")),
        Some(_) => Answer::new(grade, &text),
        None => Answer::new(grade, &text).note("`pct` is no percentage: receivers ignore it"),
    };
    Some(answer)
}
