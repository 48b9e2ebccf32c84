//! What a domain says of mail over TLS: MTA-STS (RFC 8461) and TLS-RPT (RFC 8460).

use super::tags::{canonical, is_version, tags, value};
use crate::model::{Answer, Grade};

/// RFC 8461 3.1: an id has 1 to 32 letters and digits.
const ID: usize = 32;

/// RFC 8461 3.2: a policy is kept for a year at most…
const YEAR: u64 = 31_557_600;
/// …and should be kept for weeks: what runs out before the next mail protects nobody.
const DAY: u64 = 86_400;
/// Patterns of one policy that are looked at.
const PATTERNS: usize = 100;
/// Hosts that are named.
const NAMED: usize = 3;

/// The tags of the one record of this version among the texts. An answer where there are several: receivers ignore all of them.
fn only<'t>(texts: &'t [String], version: &str) -> Result<Option<Vec<(String, &'t str)>>, Answer> {
    let mut records: Vec<&String> = texts.iter().filter(|text| is_version(text, version)).collect();
    // In which order a name server gives them is chance.
    records.sort();
    match *records {
        [] => Ok(None),
        [one] => Ok(Some(tags(one))),
        [first, ..] => {
            let text = canonical(&tags(first));
            Err(Answer::new(Grade::Broken, &text).note("there is more than one record: senders ignore all of them"))
        }
    }
}

/// The MTA-STS record among the texts of `_mta-sts.domain`.
#[must_use]
pub fn mta_sts(texts: &[String]) -> Answer {
    let tags = match only(texts, "STSv1") {
        Ok(Some(tags)) => tags,
        Ok(None) => return Answer::absent(),
        Err(several) => return several,
    };
    let text = canonical(&tags);
    let id = value(&tags, "id").unwrap_or_default();
    if !(1..=ID).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Answer::new(Grade::Broken, &text).note("its `id` is not 1 to 32 letters and digits: senders ignore it");
    }
    Answer::new(Grade::Sound, &text)
}

/// The TLS-RPT record among the texts of `_smtp._tls.domain`.
#[must_use]
pub fn tls_rpt(texts: &[String]) -> Answer {
    let tags = match only(texts, "TLSRPTv1") {
        Ok(Some(tags)) => tags,
        Ok(None) => return Answer::absent(),
        Err(several) => return several,
    };
    let text = canonical(&tags);
    let places = value(&tags, "rua").unwrap_or_default();
    let reachable = |place: &str| place.trim().starts_with("mailto:") || place.trim().starts_with("https:");
    if places.split(',').any(reachable) {
        Answer::new(Grade::Sound, &text)
    } else {
        Answer::new(Grade::Broken, &text).note("its `rua` names no place for reports")
    }
}

/// What senders make of a domain whose MTA-STS record is `record`: of the policy's file, or why there is none, and of the hosts that mail goes to.
#[must_use]
pub fn sts_policy(record: &Answer, file: Result<&str, &str>, hosts: &[String]) -> Answer {
    let without = |why: &str| Answer::new(Grade::Broken, &format!("{}; no policy", record.text)).note(why);
    let policy = match file {
        Ok(text) => Policy::read(text),
        Err(why) => return without(&format!("its policy cannot be fetched: {why}")),
    };
    let Policy { mode, max_age, patterns } = match policy {
        Ok(policy) => policy,
        Err(why) => return without(why),
    };
    let mx = if patterns.is_empty() { String::new() } else { format!("; mx={}", patterns.join(",")) };
    let text = format!("{}; max_age={max_age}; mode={mode}{mx}", record.text);
    let bare = |host: &String| host.trim_end_matches('.').to_ascii_lowercase();
    let hosts: Vec<String> = hosts.iter().map(bare).filter(|host| !host.is_empty()).collect();
    let mut others: Vec<&str> =
        hosts.iter().filter(|host| !patterns.iter().any(|pattern| covers(pattern, host))).map(String::as_str).collect();
    others.sort_unstable();
    let named = || others.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let grade = match mode {
        "enforce" if !others.is_empty() && others.len() == hosts.len() => {
            return Answer::new(Grade::Broken, &text)
                .note(&format!("it names none of the hosts that mail goes to ({}): senders deliver nothing", named()));
        }
        "none" => {
            return Answer::new(Grade::Weak, &text).note("`none`: senders do not ask for TLS");
        }
        _ if !others.is_empty() => {
            let then = if mode == "enforce" { "do" } else { "would" };
            return Answer::new(Grade::Weak, &text).note(&format!("it does not name {}: senders {then} not deliver there", named()));
        }
        "enforce" => Grade::Sound,
        _ => Grade::Fair,
    };
    match max_age {
        0 => Answer::new(Grade::Weak, &text).note("`max_age` is 0: it is never kept"),
        1..DAY => Answer::new(grade.min(Grade::Fair), &text).note("`max_age` is less than a day: it runs out between two mails"),
        _ if grade == Grade::Fair => Answer::new(grade, &text).note("`testing`: what fails is reported and delivered all the same"),
        _ => Answer::new(grade, &text),
    }
}

/// A policy's file (RFC 8461 3.2).
struct Policy {
    mode: &'static str,
    max_age: u64,
    /// Sorted, in lower case.
    patterns: Vec<String>,
}

impl Policy {
    fn read(text: &str) -> Result<Self, &'static str> {
        let fields = || text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim(), value.trim()));
        // Of a field that may stand once the first counts.
        let first = |wanted: &str| fields().find(|(name, _)| *name == wanted).map(|(_, value)| value);
        if first("version") != Some("STSv1") {
            return Err("its policy does not say `version: STSv1`: senders ignore it");
        }
        let mode = ["enforce", "testing", "none"].into_iter().find(|mode| first("mode") == Some(mode));
        let mode = mode.ok_or("the `mode` of its policy is none of `enforce`, `testing` and `none`: senders ignore it")?;
        let digits = first("max_age").filter(|age| (1..=10).contains(&age.len()) && age.bytes().all(|b| b.is_ascii_digit()));
        let max_age = digits.and_then(|age| age.parse().ok()).filter(|age| *age <= YEAR);
        let max_age = max_age.ok_or("the `max_age` of its policy is not a number of seconds up to a year: senders ignore it")?;
        let patterns = fields().filter(|(name, _)| *name == "mx").map(|(_, value)| value.trim_end_matches('.').to_ascii_lowercase());
        let mut patterns: Vec<String> = patterns.filter(|pattern| !pattern.is_empty()).take(PATTERNS).collect();
        patterns.sort();
        patterns.dedup();
        if patterns.is_empty() && mode != "none" {
            return Err("its policy names no host (`mx`): senders ignore it");
        }
        Ok(Self { mode, max_age, patterns })
    }
}

/// Whether a pattern is of a host: `*.` stands for one label (RFC 8461 4.1).
fn covers(pattern: &str, host: &str) -> bool {
    let under = |domain: &str| host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == domain);
    pattern.strip_prefix("*.").map_or(pattern == host, under)
}
