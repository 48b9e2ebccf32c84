//! What the receiver found when it checked a mail, by its own Authentication-Results (RFC 8601).

use super::head::Head;
use super::hops::family;
use super::names::{cut, printable};
use crate::model::{Check, Finding, Method};

/// Checks that are taken over.
const MOST: usize = 8;
/// Characters of a reason.
const WHY: usize = 200;

/// The receiver's checks: what stands above the field that it wrote when the mail came in; and if there is nothing, those right below it, if they
/// are by a name of the receiver's own. All else was in the mail when it came, and is somebody's word for himself.
pub(super) fn checks(head: &Head, inbox_domain: &str) -> Vec<Check> {
    let Some((border, _)) = head.way.border() else { return Vec::new() };
    let receivers: Vec<&str> = head.way.receivers().chain([inbox_domain]).map(family).collect();
    let own = |text: &str| receivers.contains(&family(&identity(text)));
    let above = head.results.iter().filter(|(received, _)| *received <= border);
    // With one field of Received there is nothing above it that it would be proof of, but the name.
    let mut found: Vec<Check> = above.flat_map(|(_, text)| read(text)).collect();
    if found.is_empty() {
        // Each program of a receiver may write a field of its own; what the topmost says of a check counts.
        for (_, text) in head.results.iter().filter(|(received, text)| *received == border.saturating_add(1) && own(text)) {
            let more: Vec<Check> = read(text).into_iter().filter(|check| found.iter().all(|f| f.method != check.method)).collect();
            found.extend(more);
        }
    }
    found.truncate(MOST);
    found
}

/// Who says that it checked.
fn identity(text: &str) -> String {
    let first = text.split(';').next().unwrap_or_default().trim();
    let name = first.split_whitespace().next().unwrap_or_default();
    if name.contains('=') { String::new() } else { printable(name) }
}

/// The checks in one field. Microsoft's has no identity, and no `;` before the first.
fn read(text: &str) -> Vec<Check> {
    parts(text).iter().filter_map(|part| check(part)).take(MOST).collect()
}

/// The parts between semicolons that stand in no comment and in no quotes.
fn parts(text: &str) -> Vec<String> {
    let (mut all, mut part, mut depth, mut quoted) = (Vec::new(), String::new(), 0_usize, false);
    for c in text.chars() {
        match c {
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth = depth.saturating_add(1),
            ')' if !quoted => depth = depth.saturating_sub(1),
            ';' if !quoted && depth == 0 => {
                all.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    all.push(part);
    all
}

fn check(part: &str) -> Option<Check> {
    let (name, rest) = part.trim().split_once('=')?;
    let name = name.split('/').next().unwrap_or_default().trim();
    let method = Method::ALL.into_iter().find(|m| name.eq_ignore_ascii_case(m.as_str()))?;
    let rest = rest.trim_start();
    let result: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    // Google's word for a key that is not there.
    let keyless = rest.to_ascii_lowercase().contains("no key");
    let finding = finding(method, &result.to_ascii_lowercase(), keyless)?;
    let why: String =
        rest.chars().map(|c| if c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric() { c } else { '?' }).take(WHY).collect();
    Some(Check { method, finding, by_receiver: true, why: super::super::without_tokens(&cut(why.trim(), 4 * WHY)) })
}

fn finding(method: Method, result: &str, keyless: bool) -> Option<Finding> {
    Some(match (method, result) {
        (_, "pass" | "success") => Finding::Pass,
        (Method::Dkim, "temperror") if keyless => Finding::Fail,
        (_, "temperror" | "error" | "unknown") => Finding::Unsure,
        (_, "fail" | "softfail" | "hardfail" | "permerror" | "policy" | "invalid" | "discard") => Finding::Fail,
        // Google says so of a body that is not what was signed, others of a signature that they cannot read.
        (Method::Dkim, "neutral") => Finding::Fail,
        (_, "none" | "neutral" | "bestguesspass") => Finding::None,
        _ => return None,
    })
}
