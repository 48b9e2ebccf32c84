//! What the receiver found when it checked a mail, by its own Authentication-Results (RFC 8601).

use super::head::Head;
use super::hops::family;
use super::names::{cut, host, organisation, printable};
use crate::model::{Check, Finding, Method};

/// Checks that are taken over.
const MOST: usize = 8;
/// Characters of a reason.
const WHY: usize = 200;
/// As whose all of Microsoft's hosts count.
const MICROSOFT: &str = "outlook.com";

/// The receiver's checks: those that it surely wrote; and if there are none, those right below the line that it wrote when the mail came in, by a name of
/// its own: where a receiver writes none there, whoever sent the mail may have. All else was in the mail when it came, or is the word of a relay on the way, and somebody's for himself.
pub(super) fn checks(head: &Head, inbox_domain: &str) -> Vec<Check> {
    all(head, inbox_domain).into_iter().map(|(check, _)| check).collect()
}

/// Whether the receiver says that a mail is not from whom it says: DMARC fails; or, where it says nothing of that, SPF fails and no signature holds.
pub(super) fn is_refused(head: &Head, inbox_domain: &str) -> bool {
    let found = checks(head, inbox_domain);
    let any = |method, finding| found.iter().any(|check| check.method == method && check.finding == finding);
    let says = |method| found.iter().any(|check| check.method == method && check.finding != Finding::Unsure);
    let unproven = any(Method::Spf, Finding::Fail) && !any(Method::Dkim, Finding::Pass);
    any(Method::Dmarc, Finding::Fail) || !says(Method::Dmarc) && unproven
}

/// What a receiver vouches for.
pub(super) struct Vouched {
    /// The domains whose signatures hold.
    pub(super) signers: Vec<String>,
    /// DMARC holds, for these domains if it says for which.
    dmarc: Option<Vec<String>>,
}

impl Vouched {
    /// Whether a mail from an address of `domain` is from there.
    pub(super) fn is_for(&self, domain: &str) -> bool {
        let is_same = |other: &String| organisation(other) == organisation(domain);
        self.dmarc.as_ref().is_some_and(|whose| whose.iter().all(is_same)) || self.signers.iter().any(is_same)
    }
}

/// What the receiver surely vouches for; where it is known to write what it finds, by all that it says.
pub(super) fn vouched(head: &Head, inbox_domain: &str, writes: bool) -> Vouched {
    let found = if writes { all(head, inbox_domain) } else { proven(head, inbox_domain) };
    let of = |method| found.iter().filter(move |(check, _)| check.method == method && check.finding == Finding::Pass);
    let signer = |part: &str| {
        let (named, for_whom) = (values(part, "header.d"), values(part, "header.i"));
        let first = named.first().or(for_whom.first())?.clone();
        // Whoever signs chooses some of the words.
        named.iter().chain(&for_whom).all(|other| organisation(other) == organisation(&first)).then_some(first)
    };
    Vouched {
        signers: of(Method::Dkim).filter_map(|(_, part)| signer(part)).collect(),
        dmarc: of(Method::Dmarc).next().map(|(_, part)| values(part, "header.from")),
    }
}

/// The domains that a check says of one property, outside of comments.
fn values(part: &str, property: &str) -> Vec<String> {
    let (mut words, mut depth, mut quoted) = (vec![String::new()], 0_usize, false);
    for c in part.chars() {
        match c {
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth = depth.saturating_add(1),
            ')' if !quoted && depth > 0 => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            _ if c.is_whitespace() && !quoted => {}
            _ => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
                continue;
            }
        }
        if !quoted && c != '"' {
            words.push(String::new());
        }
    }
    let value = |word: &String| {
        let (name, value) = word.split_once('=')?;
        let whole = value.rsplit_once('@').map_or(value, |(_, domain)| domain);
        // What is no name is nobody's.
        name.eq_ignore_ascii_case(property).then(|| host(whole).unwrap_or_default())
    };
    words.iter().filter_map(value).collect()
}

fn all(head: &Head, inbox_domain: &str) -> Vec<(Check, String)> {
    let mut found = proven(head, inbox_domain);
    if !found.is_empty() {
        return found;
    }
    let Some((border, _)) = head.way.border() else { return Vec::new() };
    let receivers = receivers(head, inbox_domain);
    // Each program of a receiver may write a field of its own; what the topmost says of a check counts.
    for (_, text) in head.results.iter().filter(|(received, text)| *received == border.saturating_add(1) && is_own(&receivers, text)) {
        let more: Vec<_> = read(text).into_iter().filter(|(check, _)| found.iter().all(|(f, _)| f.method != check.method)).collect();
        found.extend(more);
    }
    found.truncate(MOST);
    found
}

/// The names of the receiver.
fn receivers<'h>(head: &'h Head, inbox_domain: &'h str) -> Vec<&'h str> {
    head.way.receivers().chain([inbox_domain]).collect()
}

/// Whether a field is by one of these names.
fn is_own(receivers: &[&str], text: &str) -> bool {
    // Some programs give their host's name without its domain.
    let is_by = |who: &str, host: &str| family(host) == family(who) || host.split('.').next() == Some(who);
    receivers.iter().any(|host| is_by(&identity(text), host))
}

/// The checks that the receiver surely wrote: what stands above all fields of Received, or above the one that it wrote when the mail came in, by a name of
/// its own.
fn proven(head: &Head, inbox_domain: &str) -> Vec<(Check, String)> {
    let Some((border, _)) = head.way.border() else { return Vec::new() };
    let receivers = receivers(head, inbox_domain);
    // Microsoft's has no identity.
    let bare = |text: &str| receivers.iter().any(|host| family(host) == MICROSOFT) && identity(text).is_empty();
    let proven = |received: usize, text: &str| received == 0 || received <= border && (is_own(&receivers, text) || bare(text));
    let above = head.results.iter().filter(|(received, text)| proven(*received, text));
    above.flat_map(|(_, text)| read(text)).take(MOST).collect()
}

/// Who says that it checked.
pub(super) fn identity(text: &str) -> String {
    let first = text.split(';').next().unwrap_or_default().trim();
    let name = first.split_whitespace().next().unwrap_or_default();
    if name.contains('=') { String::new() } else { printable(name) }
}

/// The checks in one field, each with its words. Microsoft's has no identity, and no `;` before the first.
fn read(text: &str) -> Vec<(Check, String)> {
    parts(text).into_iter().filter_map(|part| Some((check(&part)?, part))).take(MOST).collect()
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
